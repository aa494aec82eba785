//! The timeline: what happened to one entity, in causal order, and why in that order.
//!
//! | file          | what it alone knows                                     |
//! |---------------|---------------------------------------------------------|
//! | `zoom.rs`     | how much is shown                                       |
//! | `lanes.rs`    | which lanes have a column                               |
//! | `silence.rs`  | stretches in which nothing happened                     |
//! | `walk.rs`     | jumps from event to event                               |
//! | `density.rs`  | where in time the events are, and stretches to narrow to |
//! | `menus.rs`    | the pop-ups                                             |

mod density;
mod lanes;
mod menus;
mod silence;
mod walk;
mod zoom;

use std::collections::HashSet;
use std::sync::Arc;

use query::archive::Window;
use query::interface::TimelineRequest;
use ratatui::layout::{Position, Rect};
use timeline::id::EventId;

use crate::detail;
use crate::growth::Growth;
use crate::keys::{Action, Key, Scope};
use crate::layout::{Focus, Panes};
use crate::line::LineEdit;
use crate::lines::TextLine;
use crate::message::{Effect, Failure, Mouse, Question, Slot};
use crate::popup::{Outcome, Popup, Spot};
use crate::report::Topic;
use crate::scroll::Scroll;
use crate::state::{Asked, Context, Settings};
use crate::store::Store;
use crate::text;
use crate::told::Told;
use crate::trail::Trail;

pub use density::Density;
pub use lanes::{Column, LaneChoice, LanePlan, Place};
pub use silence::Silence;

pub use zoom::Zoom;

/// Lines above the events: the title, what the answer lacks, the lanes' names.
const HEAD: u16 = 3;

/// A screen asks for no more events than this: more than a person walks through, and still quick.
const EVENTS_MAX: usize = 200_000;

/// From so many rows on, a line shows where in time they are.
const ROWS_FOR_DENSITY: usize = 400;

/// The timeline screen.
#[derive(Debug, Default)]
pub struct TimelineScreen {
    /// What was asked for.
    pub entity: String,
    /// The stretch of time that was asked for.
    pub window: Window,
    /// The answer, once it is there.
    pub told: Option<Arc<Told>>,
    /// Why there is none.
    pub failure: Option<Failure>,
    /// The question on its way.
    pub asked: Option<Asked>,
    /// What came since.
    pub growth: Growth,
    /// How much is shown.
    pub zoom: Zoom,
    /// What events are to contain.
    pub filter: LineEdit,
    /// Whether the filter is being typed.
    pub typing: bool,
    /// Whether all events are shown and those that contain the text are marked.
    pub marking: bool,
    /// The pane that keys go to.
    pub focus: Focus,
    /// The pane beside the list, where there is room for one.
    pub side: Focus,
    /// The events on show, by their place in the list. Invariant: ascending.
    pub rows: Vec<usize>,
    /// Where nothing happened for long, in the order of `rows`.
    pub silences: Vec<Silence>,
    /// Where in time the rows are, if there are many.
    pub density: Option<Density>,
    /// The cursor among `rows`.
    pub scroll: Scroll,
    /// The cursor among the state's lines.
    pub state: Scroll,
    /// The cursor among the detail's lines.
    pub detail: Scroll,
    /// Which lanes are shown.
    pub lanes: LaneChoice,
    /// The event under the cursor when the lanes were scrolled.
    scrolled_at: Option<EventId>,
    /// Event A of "why is A before B?".
    pub mark: Option<EventId>,
    /// Where the cursor has been.
    pub trail: Trail<EventId>,
    /// Where to put the cursor once the answer is there.
    sought: Option<Spot>,
}

impl TimelineScreen {
    /// Asks for the timeline of `entity`; the cursor goes to `at`.
    pub fn open(entity: &str, at: Option<Spot>, store: &Store, cx: &mut Context<'_>) -> TimelineScreen {
        let entity = entity.to_owned();
        let mut screen =
            TimelineScreen { entity, side: Focus::State, sought: at, ..TimelineScreen::default() };
        screen.ask(false, store, cx);
        screen
    }

    fn ask(&mut self, quiet: bool, store: &Store, cx: &mut Context<'_>) {
        let request = TimelineRequest {
            entity: self.entity.clone(),
            window: self.window,
            events_max: EVENTS_MAX,
            brief: false,
        };
        if !quiet {
            self.failure = None;
        }
        self.growth.ask(store, cx.now, quiet);
        self.asked = Some(Asked::new(cx.ask(Question::Timeline(request))));
    }

    /// Asks for what came since, where something did.
    pub fn tick(&mut self, store: &Store, cx: &mut Context<'_>) {
        if self.asked.is_some() || !self.growth.is_due(store, cx.now) {
            return;
        }
        if self.told.is_some() {
            self.ask(true, store, cx);
        } else if self.growth.is_back(store) {
            self.ask(false, store, cx);
        }
    }

    /// Takes the answer with `number`, if it is this screen's.
    pub fn answer(&mut self, number: u64, answer: Result<Arc<Told>, Failure>, cx: &mut Context<'_>) {
        if self.asked.is_none_or(|asked| asked.number != number) {
            return;
        }
        self.asked = None;
        self.growth.answered(cx.now);
        match answer {
            Ok(told) => self.take(told, cx),
            Err(failure) if failure.cancelled && self.told.is_some() => {
                if !self.growth.quiet {
                    cx.say("cancelled");
                }
            }
            Err(_) if self.growth.quiet => self.growth.lost = true,
            Err(failure) => self.failure = Some(failure),
        }
    }

    fn take(&mut self, told: Arc<Told>, cx: &mut Context<'_>) {
        self.growth.lost = false;
        if let Some(before) = self.told.as_ref().filter(|_| self.growth.quiet) {
            let known: HashSet<EventId> = before.document.events.iter().map(|event| event.id).collect();
            let fresh = told.document.events.iter().filter(|event| !known.contains(&event.id)).count();
            self.growth.fresh += fresh as u64;
        }
        if self.told.is_none() && !told.has_state() {
            self.side = Focus::Detail;
        }
        let held = self.cursor().map(|(_, event)| event);
        self.told = Some(told);
        self.list(held, cx);
        if let Some(event) = self.sought.take().and_then(|spot| self.event_of(&spot)) {
            self.reach(event, cx);
            self.look_around(cx);
        }
    }

    fn event_of(&self, spot: &Spot) -> Option<EventId> {
        match spot {
            Spot::Event(event) => Some(*event),
            Spot::Finding(id) => {
                let told = self.told.as_ref()?;
                let finding = told.document.findings.iter().find(|finding| finding.id == *id)?;
                finding.events.iter().rfind(|event| told.place(**event).is_some()).copied()
            }
        }
    }

    /// Leaves a third of the list above the cursor's row, so that what led to it is seen.
    fn look_around(&mut self, cx: &Context<'_>) {
        let height = usize::from(self.panes(cx.area).list.height);
        self.scroll.top = self.scroll.at.saturating_sub(height / 3);
        self.settle(cx);
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
        let head = HEAD + u16::from(self.density.is_some());
        let panes = Panes::with_state(area, head, self.focus, self.side);
        let (Some(told), Some(plan)) = (&self.told, self.plan(panes.list.width)) else { return panes };
        let fits = |column: &Column| match column {
            Column::Lane(lane) => text::width(&told.lanes[*lane].label) < plan.width,
            Column::Others => true,
        };
        // Names that are too long for their lane stand in turn on two rows.
        if plan.columns.iter().all(fits) {
            panes
        } else {
            Panes::with_state(area, head + 1, self.focus, self.side)
        }
    }

    /// The columns of the lanes in a list of this width.
    pub fn plan(&self, list_width: u16) -> Option<LanePlan> {
        self.told.as_ref().map(|told| LanePlan::new(told, &self.lanes, list_width))
    }

    /// What events are to contain, in lower case.
    pub fn wanted(&self) -> String {
        self.filter.text().trim().to_lowercase()
    }

    /// Makes the list of rows anew and keeps the cursor on `held`, or on what now stands in its place,
    /// as far down the screen as it was.
    fn list(&mut self, held: Option<EventId>, cx: &mut Context<'_>) {
        let Some(told) = &self.told else { return };
        let wanted = if self.marking { String::new() } else { self.wanted() };
        let shown = |at: &usize| self.zoom.shows(told, *at) && told.contains(*at, &wanted);
        self.rows = (0..told.len()).filter(shown).collect();
        self.silences = silence::silences(told, &self.rows);
        let many = self.rows.len() >= ROWS_FOR_DENSITY || !told.is_whole();
        self.density = many.then(|| Density::new(told, &self.rows));
        let place = held.and_then(|id| told.place(id)).unwrap_or(0);
        self.scroll.carry(self.rows.partition_point(|row| *row < place));
        self.settle(cx);
    }

    fn list_again(&mut self, cx: &mut Context<'_>) {
        let held = self.cursor().map(|(_, event)| event);
        self.list(held, cx);
    }

    /// How many lines the rows from `top` up to `at` take, silences included.
    fn lines(&self, top: usize, at: usize) -> usize {
        let silent = |row: usize| self.silences.partition_point(|silence| silence.row < row);
        at + 1 - top + silent(at + 1).saturating_sub(silent(top + 1))
    }

    /// The silence before a row.
    pub fn silence_before(&self, row: usize) -> Option<&Silence> {
        let at = self.silences.binary_search_by_key(&row, |silence| silence.row).ok()?;
        self.silences.get(at)
    }

    /// The row on a line of the list, counted from its first.
    fn row_on(&self, line: usize) -> usize {
        let top = self.scroll.top;
        (top..=top + line).find(|row| self.lines(top, *row) > line).unwrap_or(top)
    }

    /// Brings the cursor, its line of state and detail and its lane on screen.
    pub fn settle(&mut self, cx: &Context<'_>) {
        if self.focus == Focus::State && !self.has_state() {
            self.focus = Focus::List;
        }
        let panes = self.panes(cx.area);
        let height = usize::from(panes.list.height).max(1);
        self.scroll.settle(self.rows.len(), height);
        while self.scroll.top < self.scroll.at && self.lines(self.scroll.top, self.scroll.at) > height {
            self.scroll.top += 1;
        }
        let state = self.state_lines(cx.area, cx.settings).len();
        self.state.settle(state, usize::from(panes.inner(panes.state).height));
        let detail = self.detail_lines(cx.area, cx.settings).len();
        self.detail.settle(detail, usize::from(panes.detail_inner().height));
        let (Some(told), Some((at, event)), Some(plan)) =
            (&self.told, self.cursor(), self.plan(panes.list.width))
        else {
            return;
        };
        // Who scrolls the lanes may look beside the cursor's lane, until the cursor moves on.
        if self.scrolled_at == Some(event) {
            self.lanes.first = plan.before;
        } else {
            self.scrolled_at = None;
            self.lanes.first = plan.reach(told.lane(at), told, &self.lanes, panes.list.width);
        }
    }

    fn has_state(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.has_state())
    }

    /// What each copy held at the cursor, as wide as its pane; nothing while it is hidden.
    pub fn state_lines(&self, area: Rect, settings: &Settings) -> Vec<TextLine> {
        let panes = self.panes(area);
        match (&self.told, self.cursor()) {
            (Some(told), Some((at, _))) if !panes.state.is_empty() => {
                crate::held::lines(told, at, usize::from(panes.inner(panes.state).width), settings)
            }
            _ => Vec::new(),
        }
    }

    /// The detail of the event under the cursor, as wide as its pane; nothing while it is hidden.
    pub fn detail_lines(&self, area: Rect, settings: &Settings) -> Vec<TextLine> {
        let panes = self.panes(area);
        match (&self.told, self.cursor()) {
            (Some(told), Some((at, _))) if !panes.detail.is_empty() => {
                detail::event(told, at, usize::from(panes.detail_inner().width), settings)
            }
            _ => Vec::new(),
        }
    }

    /// A key that no binding takes: text, where text is typed.
    pub fn type_key(&mut self, key: Key, cx: &mut Context<'_>) {
        if self.typing && self.filter.press(key) {
            self.list_again(cx);
        }
    }

    /// Pasted text.
    pub fn paste(&mut self, text: &str, cx: &mut Context<'_>) {
        if self.typing {
            self.filter.insert(text);
            self.list_again(cx);
        }
    }

    /// Does what a key asks for; a pop-up or a way to go on, if that is it.
    pub fn act(
        &mut self,
        action: Action,
        store: &Store,
        cx: &mut Context<'_>,
    ) -> (Option<Popup>, Option<Outcome>) {
        let mut ways_on = (None, None);
        match action {
            Action::Open if self.typing => self.typing = false,
            Action::Reload => self.ask(false, store, cx),
            Action::Zoom => self.change_zoom(self.zoom.next(), cx),
            Action::ZoomOut => self.change_zoom(self.zoom.previous(), cx),
            Action::Filter => (self.typing, self.focus) = (true, Focus::List),
            Action::Highlight => {
                self.marking = !self.marking;
                self.list_again(cx);
            }
            Action::Pane => self.next_pane(true),
            Action::PaneBack => self.next_pane(false),
            Action::Open => self.enter(cx),
            Action::Mark => self.toggle_mark(cx),
            Action::Affected => return self.affected(cx),
            Action::Compare => {
                let compare = Topic::Compare { a: self.entity.clone(), b: None };
                return (None, Some(Outcome::Table(compare)));
            }
            Action::Pin => self.toggle_pin(cx),
            Action::AllLanes => self.toggle_all_lanes(cx),
            Action::Left => return (self.scroll_lanes(false, cx), None),
            Action::Right => return (self.scroll_lanes(true, cx), None),
            Action::Trace => ways_on.1 = self.trace(cx),
            other => match self.menu(other, cx) {
                Some(popup) => ways_on.0 = Some(popup),
                None => {
                    if !self.walk(other, cx) {
                        self.move_by(other, cx);
                    }
                }
            },
        }
        self.settle(cx);
        ways_on
    }

    fn next_pane(&mut self, forward: bool) {
        let order = [Focus::List, Focus::State, Focus::Detail];
        let panes: Vec<Focus> =
            order.into_iter().filter(|pane| *pane != Focus::State || self.has_state()).collect();
        let at = panes.iter().position(|pane| *pane == self.focus).unwrap_or(0);
        let step = if forward { 1 } else { panes.len() - 1 };
        self.set_focus(panes[(at + step) % panes.len()]);
    }

    fn set_focus(&mut self, focus: Focus) {
        self.focus = focus;
        if focus != Focus::List {
            self.side = focus;
        }
    }

    fn scroll_lanes(&mut self, right: bool, cx: &Context<'_>) -> Option<Popup> {
        let plan = self.plan(self.panes(cx.area).list.width)?;
        self.lanes.first =
            if right { plan.before + usize::from(plan.after > 0) } else { plan.before.saturating_sub(1) };
        self.scrolled_at = self.cursor().map(|(_, event)| event);
        None
    }

    fn toggle_pin(&mut self, cx: &mut Context<'_>) {
        let Some((told, (at, _))) = self.told.as_ref().zip(self.cursor()) else { return };
        let Some(lane) = told.lanes.get(told.lane(at)) else { return };
        let service = lane.service.clone();
        if self.lanes.pinned.as_ref() == Some(&service) {
            self.lanes.pinned = None;
            cx.say(format!("the lane of {service} is let go"));
        } else {
            cx.say(format!("the lane of {service} stays at the left"));
            self.lanes.pinned = Some(service);
        }
    }

    fn toggle_all_lanes(&mut self, cx: &mut Context<'_>) {
        self.lanes.all = !self.lanes.all;
        cx.say(if self.lanes.all {
            "all lanes are shown"
        } else {
            "lanes without state are folded into one, where there is no room for all"
        });
    }

    fn move_by(&mut self, action: Action, cx: &Context<'_>) {
        let panes = self.panes(cx.area);
        match self.focus {
            Focus::State => {
                let lines = self.state_lines(cx.area, cx.settings).len();
                self.state.go(action, lines, usize::from(panes.inner(panes.state).height));
            }
            Focus::Detail => {
                let lines = self.detail_lines(cx.area, cx.settings).len();
                self.detail.go(action, lines, usize::from(panes.detail_inner().height));
            }
            Focus::List => {
                if self.scroll.go(action, self.rows.len(), usize::from(panes.list.height)) {
                    self.detail = Scroll::default();
                }
            }
        }
    }

    fn change_zoom(&mut self, zoom: Zoom, cx: &mut Context<'_>) {
        self.zoom = zoom;
        self.list_again(cx);
    }

    /// From the list into the detail; from a line of another pane to the event it speaks of.
    fn enter(&mut self, cx: &mut Context<'_>) {
        let (lines, at) = match self.focus {
            Focus::List => {
                if self.cursor().is_some() {
                    self.set_focus(Focus::Detail);
                }
                return;
            }
            Focus::State => (self.state_lines(cx.area, cx.settings), self.state.at),
            Focus::Detail => (self.detail_lines(cx.area, cx.settings), self.detail.at),
        };
        match lines.into_iter().nth(at).and_then(|line| line.target) {
            Some(target) => self.go_to(target, cx),
            None => cx.say("this line names no other event"),
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

    fn trace(&self, cx: &mut Context<'_>) -> Option<Outcome> {
        let told = self.told.as_ref()?;
        let event = self.cursor().and_then(|(at, _)| told.event(at))?;
        match event.trace_id {
            Some(trace) => Some(Outcome::Trace { trace, at: event.span_id }),
            None => {
                cx.say("this event has no trace");
                None
            }
        }
    }

    /// Goes one step back inside the screen; false if there is none, and the screen itself is left.
    pub fn back(&mut self, store: &Store, cx: &mut Context<'_>) -> bool {
        if self.typing || !self.filter.text().is_empty() {
            (self.typing, self.marking, self.filter) = (false, false, LineEdit::default());
            self.list_again(cx);
        } else if self.focus != Focus::List {
            self.focus = Focus::List;
            self.settle(cx);
        } else if self.asked.is_some() && !self.growth.quiet {
            cx.effect(Effect::Cancel(Slot::Timeline));
        } else if self.window != Window::default() {
            self.narrow(Window::default(), store, cx);
        } else {
            return false;
        }
        true
    }

    /// Asks for a stretch of time alone.
    pub fn narrow(&mut self, window: Window, store: &Store, cx: &mut Context<'_>) {
        self.window = window;
        self.ask(false, store, cx);
    }

    /// What the mouse does.
    pub fn mouse(&mut self, mouse: Mouse, column: u16, row: u16, cx: &mut Context<'_>) {
        let panes = self.panes(cx.area);
        let place = Position::new(column, row);
        if panes.detail.contains(place) {
            self.set_focus(Focus::Detail);
        } else if panes.state.contains(place) && self.has_state() {
            self.set_focus(Focus::State);
        } else if panes.list.contains(place) {
            self.focus = Focus::List;
        } else {
            return;
        }
        match (mouse, self.focus) {
            (Mouse::WheelUp, _) => self.move_by(Action::Up, cx),
            (Mouse::WheelDown, _) => self.move_by(Action::Down, cx),
            (Mouse::Click, Focus::State) => {
                let y = row.saturating_sub(panes.inner(panes.state).y);
                self.state.at = self.state.top + usize::from(y);
            }
            (Mouse::Click, Focus::Detail) => {
                let y = row.saturating_sub(panes.detail_inner().y);
                self.detail.at = self.detail.top + usize::from(y);
            }
            (Mouse::Click, Focus::List) => {
                let clicked = self.row_on(usize::from(row - panes.list.y));
                if clicked == self.scroll.at {
                    self.enter(cx);
                } else {
                    (self.scroll.at, self.detail) = (clicked, Scroll::default());
                }
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
