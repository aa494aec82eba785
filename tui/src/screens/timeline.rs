//! The timeline: what happened to one entity, in causal order, and why in that order.

use std::sync::Arc;

use query::archive::Window;
use query::interface::TimelineRequest;
use ratatui::layout::{Position, Rect};
use timeline::document::EventKind;
use timeline::id::EventId;

use crate::basis;
use crate::detail;
use crate::keys::{Action, Key, Scope};
use crate::layout::{LaneColumns, Panes};
use crate::line::LineEdit;
use crate::lines::TextLine;
use crate::message::{Effect, Failure, Mouse, Question, Slot};
use crate::popup::{Choice, ChoicePopup, Outcome, Popup, ReadingPopup};
use crate::scroll::Scroll;
use crate::state::{Asked, Context, Settings};
use crate::text;
use crate::told::{Lane, Told};
use crate::why;

/// Lines above the events: the title, what the answer lacks, the lanes' names.
const HEAD: u16 = 3;

/// A screen asks for no more events than this: more than a person walks through, and still quick.
const EVENTS_MAX: usize = 200_000;

/// How much of a timeline is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zoom {
    /// Events that change state, errors, gaps and findings.
    Changes,
    /// These, and all that is not plumbing or the uneventful end of a span.
    #[default]
    Story,
    /// All events.
    Everything,
}

impl Zoom {
    fn next(self) -> Zoom {
        match self {
            Zoom::Changes => Zoom::Story,
            Zoom::Story => Zoom::Everything,
            Zoom::Everything => Zoom::Changes,
        }
    }

    /// Its name on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Zoom::Changes => "changes",
            Zoom::Story => "story",
            Zoom::Everything => "everything",
        }
    }

    fn shows(self, told: &Told, at: usize) -> bool {
        let marked = told.is_transition(at) || told.is_error(at) || told.is_notable(at);
        match self {
            Zoom::Everything => true,
            Zoom::Changes => marked,
            Zoom::Story => {
                let eventful_end = || told.is_observation(at) || told.crosses_lanes(at);
                let end = told.event(at).is_some_and(|e| e.kind == EventKind::SpanEnd);
                let folded = told.event(at).is_some_and(|event| event.folded.is_some());
                marked || (!folded && (!end || eventful_end()))
            }
        }
    }
}

/// The timeline screen.
#[derive(Debug)]
pub struct TimelineScreen {
    /// What was asked for.
    pub entity: String,
    /// The answer, once it is there.
    pub told: Option<Arc<Told>>,
    /// Why there is none.
    pub failure: Option<Failure>,
    /// The question on its way.
    pub asked: Option<Asked>,
    /// How much is shown.
    pub zoom: Zoom,
    /// Only events that contain this.
    pub filter: LineEdit,
    /// Whether the filter is being typed.
    pub typing: bool,
    /// Whether the detail has the focus.
    pub on_detail: bool,
    /// The events on show, by their place in the list. Invariant: ascending.
    pub rows: Vec<usize>,
    /// The cursor among `rows`.
    pub scroll: Scroll,
    /// The cursor among the detail's lines.
    pub detail: Scroll,
    /// The first lane on screen.
    pub lane_first: usize,
    /// Event A of "why is A before B?".
    pub mark: Option<EventId>,
}

impl TimelineScreen {
    /// Asks for the timeline of `entity`.
    pub fn open(entity: &str, cx: &mut Context<'_>) -> TimelineScreen {
        let mut screen = TimelineScreen {
            entity: entity.to_owned(),
            told: None,
            failure: None,
            asked: None,
            zoom: Zoom::default(),
            filter: LineEdit::default(),
            typing: false,
            on_detail: false,
            rows: Vec::new(),
            scroll: Scroll::default(),
            detail: Scroll::default(),
            lane_first: 0,
            mark: None,
        };
        screen.ask(cx);
        screen
    }

    fn ask(&mut self, cx: &mut Context<'_>) {
        let request = TimelineRequest {
            entity: self.entity.clone(),
            window: Window::default(),
            events_max: EVENTS_MAX,
            brief: false,
        };
        self.failure = None;
        self.asked = Some(Asked::new(cx.ask(Question::Timeline(request))));
    }

    /// Takes the answer with `number`, if it is this screen's.
    pub fn answer(&mut self, number: u64, answer: Result<Arc<Told>, Failure>, cx: &mut Context<'_>) {
        if self.asked.is_none_or(|asked| asked.number != number) {
            return;
        }
        self.asked = None;
        match answer {
            Ok(told) => {
                let held = self.cursor().map(|(_, event)| event);
                self.told = Some(told);
                self.list(held, cx);
            }
            Err(failure) if failure.cancelled && self.told.is_some() => cx.say("cancelled"),
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// Where keys go.
    pub fn scope(&self) -> Scope {
        if self.typing { Scope::FilterLine } else { Scope::Timeline }
    }

    /// The event under the cursor: its place in the list, and its id.
    pub fn cursor(&self) -> Option<(usize, EventId)> {
        let at = *self.rows.get(self.scroll.at)?;
        Some((at, self.told.as_ref()?.event(at)?.id))
    }

    /// The parts of the terminal.
    pub fn panes(&self, area: Rect) -> Panes {
        let panes = Panes::new(area, HEAD, self.on_detail);
        let lanes = self.told.as_ref().map_or(&[][..], |told| &told.lanes);
        let columns = LaneColumns::new(panes.list.width, lanes.len());
        let fits = |lane: &Lane| text::width(&lane.label) < columns.width;
        // Names that are too long for their lane stand in turn on two rows.
        if lanes.iter().all(fits) { panes } else { Panes::new(area, HEAD + 1, self.on_detail) }
    }

    /// Makes the list of rows anew and keeps the cursor on `held`, or on what now stands in its place.
    fn list(&mut self, held: Option<EventId>, cx: &mut Context<'_>) {
        let Some(told) = &self.told else { return };
        let wanted = self.filter.text().trim().to_lowercase();
        let shown = |at: &usize| self.zoom.shows(told, *at) && told.contains(*at, &wanted);
        self.rows = (0..told.len()).filter(shown).collect();
        let place = held.and_then(|id| told.place(id)).unwrap_or(0);
        self.scroll.at = self.rows.partition_point(|row| *row < place);
        self.settle(cx);
    }

    /// Brings the cursor, its line of the detail and its lane on screen.
    pub fn settle(&mut self, cx: &Context<'_>) {
        let panes = self.panes(cx.area);
        self.scroll.settle(self.rows.len(), usize::from(panes.list.height));
        let (lines, height) =
            (self.detail_lines(cx.area, cx.settings).len(), usize::from(panes.detail_inner().height));
        self.detail.settle(lines, height);
        let (Some(told), Some((at, _))) = (&self.told, self.cursor()) else { return };
        let columns = LaneColumns::new(panes.list.width, told.lanes.len());
        let lane = told.lane(at);
        self.lane_first = self.lane_first.max((lane + 1).saturating_sub(columns.shown)).min(lane);
    }

    /// The detail of the event under the cursor, as wide as its pane.
    pub fn detail_lines(&self, area: Rect, settings: &Settings) -> Vec<TextLine> {
        let width = usize::from(self.panes(area).detail_inner().width);
        match (&self.told, self.cursor()) {
            (Some(told), Some((at, _))) => detail::event(told, at, width, settings),
            _ => Vec::new(),
        }
    }

    /// A key that no binding takes: text, where text is typed.
    pub fn type_key(&mut self, key: Key, cx: &mut Context<'_>) {
        if self.typing && self.filter.press(key) {
            let held = self.cursor().map(|(_, event)| event);
            self.list(held, cx);
        }
    }

    /// Pasted text.
    pub fn paste(&mut self, text: &str, cx: &mut Context<'_>) {
        if self.typing {
            self.filter.insert(text);
            let held = self.cursor().map(|(_, event)| event);
            self.list(held, cx);
        }
    }

    /// Does what a key asks for; a pop-up to open, if that is it.
    pub fn act(&mut self, action: Action, cx: &mut Context<'_>) -> Option<Popup> {
        if self.typing && action == Action::Open {
            self.typing = false;
            return None;
        }
        match action {
            Action::Reload => self.ask(cx),
            Action::Zoom => self.change_zoom(cx),
            Action::Filter => (self.typing, self.on_detail) = (true, false),
            Action::Pane => self.on_detail = !self.on_detail,
            Action::Open => self.enter(cx),
            Action::Mark => self.toggle_mark(cx),
            Action::Why => return self.explain(cx),
            Action::Copy => return self.copies(cx),
            Action::Basis => return self.basis(cx),
            Action::Cause => self.go_to_cause(cx),
            Action::Left => self.lane_first = self.lane_first.saturating_sub(1),
            Action::Right => self.lane_first += 1,
            Action::NextNotable => self.jump("gap or finding", true, cx, Told::is_notable),
            Action::PreviousNotable => self.jump("gap or finding", false, cx, Told::is_notable),
            Action::NextError => self.jump("error", true, cx, Told::is_error),
            Action::PreviousError => self.jump("error", false, cx, Told::is_error),
            Action::NextTransition => self.jump("transition", true, cx, Told::is_transition),
            Action::PreviousTransition => self.jump("transition", false, cx, Told::is_transition),
            other => self.move_by(other, cx),
        }
        if matches!(action, Action::Left | Action::Right) {
            self.clamp_lanes(cx);
        } else {
            self.settle(cx);
        }
        None
    }

    fn clamp_lanes(&mut self, cx: &Context<'_>) {
        let lanes = self.told.as_ref().map_or(0, |told| told.lanes.len());
        let columns = LaneColumns::new(self.panes(cx.area).list.width, lanes);
        self.lane_first = self.lane_first.min(lanes.saturating_sub(columns.shown));
    }

    fn move_by(&mut self, action: Action, cx: &Context<'_>) {
        let panes = self.panes(cx.area);
        if self.on_detail {
            let lines = self.detail_lines(cx.area, cx.settings).len();
            self.detail.go(action, lines, usize::from(panes.detail_inner().height));
        } else if self.scroll.go(action, self.rows.len(), usize::from(panes.list.height)) {
            self.detail = Scroll::default();
        }
    }

    fn change_zoom(&mut self, cx: &mut Context<'_>) {
        let held = self.cursor().map(|(_, event)| event);
        self.zoom = self.zoom.next();
        self.list(held, cx);
    }

    /// From the list into the detail; from a line of the detail to the event it speaks of.
    fn enter(&mut self, cx: &mut Context<'_>) {
        if !self.on_detail {
            self.on_detail = self.cursor().is_some();
            return;
        }
        let line = self.detail_lines(cx.area, cx.settings).into_iter().nth(self.detail.at);
        match line.and_then(|line| line.target) {
            Some(target) => self.go_to(target, cx),
            None => cx.say("this line names no other event"),
        }
    }

    /// Puts the cursor on an event; shows what hides it.
    fn go_to(&mut self, target: EventId, cx: &mut Context<'_>) {
        let Some(place) = self.told.as_ref().and_then(|told| told.place(target)) else {
            return cx.say("that event is not in this timeline");
        };
        if self.rows.binary_search(&place).is_err() {
            (self.zoom, self.filter) = (Zoom::Everything, LineEdit::default());
            cx.say("showing everything, to reach a hidden event");
        }
        self.detail = Scroll::default();
        self.list(Some(target), cx);
    }

    fn go_to_cause(&mut self, cx: &mut Context<'_>) {
        let cause = self.told.as_ref().zip(self.cursor()).and_then(|(told, (at, _))| why::cause(told, at));
        match cause {
            Some(edge) => self.go_to(edge.from, cx),
            None => cx.say("nothing in this timeline comes before it"),
        }
    }

    fn jump(&mut self, what: &str, forward: bool, cx: &mut Context<'_>, wanted: fn(&Told, usize) -> bool) {
        let Some(told) = &self.told else { return };
        let hit = |row: &usize| self.rows.get(*row).is_some_and(|at| wanted(told, *at));
        let row = if forward {
            (self.scroll.at + 1..self.rows.len()).find(hit)
        } else {
            (0..self.scroll.at.min(self.rows.len())).rev().find(hit)
        };
        match row {
            Some(row) => (self.scroll.at, self.detail) = (row, Scroll::default()),
            None if forward => cx.say(format!("no {what} after this")),
            None => cx.say(format!("no {what} before this")),
        }
    }

    fn toggle_mark(&mut self, cx: &mut Context<'_>) {
        let here = self.cursor().map(|(_, event)| event);
        self.mark = if self.mark == here { None } else { here };
        cx.say(match self.mark {
            Some(_) => "marked: move to another event and press w",
            None => "no event is marked",
        });
    }

    fn explain(&self, cx: &mut Context<'_>) -> Option<Popup> {
        let told = self.told.as_ref()?;
        let (at, event) = self.cursor()?;
        let width = ReadingPopup::text_width(cx.area);
        let marked = self.mark.filter(|mark| *mark != event).and_then(|mark| told.place(mark));
        let (title, lines) = match marked {
            Some(mark) => ("Why this order?", why::between(told, mark, at, width)),
            None => ("Why is it here, and after what?", why::of(told, at, width, cx.settings)),
        };
        Some(Popup::Reading(ReadingPopup::new(title, lines)))
    }

    fn basis(&self, cx: &Context<'_>) -> Option<Popup> {
        let told = self.told.as_ref()?;
        let lines = basis::lines(&told.document, ReadingPopup::text_width(cx.area));
        Some(Popup::Reading(ReadingPopup::new("What this timeline rests on", lines)))
    }

    fn copies(&self, cx: &Context<'_>) -> Option<Popup> {
        let told = self.told.as_ref()?;
        let (at, id) = self.cursor()?;
        let event = told.event(at)?;
        let copy = |label: &str, text: String| Choice::new(label, &text, Outcome::Copy(text.clone()));
        let command = cx.settings.command("timeline", &self.entity);
        let mut choices = vec![copy("event id", id.to_string())];
        choices.extend(event.trace_id.map(|trace| copy("trace id", trace.to_string())));
        choices.extend(event.span_id.map(|span| copy("span id", span.to_string())));
        choices.push(copy("text", event.name.clone()));
        choices.push(copy("command for this timeline", command));
        Some(Popup::Choice(ChoicePopup::new("Copy", choices)))
    }

    /// Goes one step back inside the screen; false if there is none, and the screen itself is left.
    pub fn back(&mut self, cx: &mut Context<'_>) -> bool {
        if self.typing || !self.filter.text().is_empty() {
            let held = self.cursor().map(|(_, event)| event);
            (self.typing, self.filter) = (false, LineEdit::default());
            self.list(held, cx);
        } else if self.on_detail {
            self.on_detail = false;
            self.settle(cx);
        } else if self.asked.is_some() {
            cx.effect(Effect::Cancel(Slot::Timeline));
        } else {
            return false;
        }
        true
    }

    /// What the mouse does.
    pub fn mouse(&mut self, mouse: Mouse, column: u16, row: u16, cx: &mut Context<'_>) {
        let panes = self.panes(cx.area);
        let place = Position::new(column, row);
        if panes.detail.contains(place) {
            self.on_detail = true;
        } else if panes.list.contains(place) {
            self.on_detail = false;
        } else {
            return;
        }
        match mouse {
            Mouse::WheelUp => self.move_by(Action::Up, cx),
            Mouse::WheelDown => self.move_by(Action::Down, cx),
            Mouse::Click if self.on_detail => {
                self.detail.at = self.detail.top + usize::from(row.saturating_sub(panes.detail_inner().y));
            }
            Mouse::Click => {
                self.scroll.at = self.scroll.top + usize::from(row - panes.list.y);
                self.detail = Scroll::default();
            }
        }
        self.settle(cx);
    }
}

/// `text` as one word of a shell's command line.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/=._:-@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
