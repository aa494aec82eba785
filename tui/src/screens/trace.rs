//! A trace as a waterfall: who called whom, what waited for what, and what was logged meanwhile.

use std::collections::HashSet;
use std::sync::Arc;

use ratatui::layout::Rect;
use timeline::id::{SpanId, TraceId};
use timeline::time::Time;

use crate::detail;
use crate::keys::{Action, Key, Scope};
use crate::layout::Panes;
use crate::line::LineEdit;
use crate::lines::TextLine;
use crate::list::{Extent, List, Touch};
use crate::message::{Effect, Failure, Mouse, Question, Slot};
use crate::popup::{Choice, ChoicePopup, Outcome, Popup};
use crate::screens::search::openings;
use crate::scroll::Scroll;
use crate::state::{Asked, Context};
use crate::trail::Trail;
use crate::waterfall::{Corrections, Waterfall};

/// Lines above the waterfall: the title, what the answer lacks, the axis.
const HEAD: u16 = 3;

/// The shortest stretch of time that is shown, in nanoseconds.
const SHORTEST_NS: i128 = 1_000;

/// The trace screen.
#[derive(Debug, Default)]
pub struct TraceScreen {
    /// Which trace; `None` never on screen.
    pub trace: Option<TraceId>,
    /// The answer, once it is there.
    pub waterfall: Option<Arc<Waterfall>>,
    /// Why there is none.
    pub failure: Option<Failure>,
    /// The question on its way.
    pub asked: Option<Asked>,
    /// Whether logs and span events are hidden.
    pub spans_only: bool,
    /// What lines are to contain.
    pub filter: LineEdit,
    /// Whether the text is being typed.
    pub typing: bool,
    /// Whether only lines that contain the text, and those above them, are shown.
    pub narrowed: bool,
    /// The lines on show. Invariant: ascending.
    pub rows: Vec<usize>,
    /// The cursor among `rows`, and the detail.
    pub list: List,
    /// The stretch of time on show; `None` for the whole.
    pub stretch: Option<(Time, Time)>,
    /// Lines whose lower lines are folded away.
    folded: HashSet<usize>,
    trail: Trail<usize>,
    /// The span to put the cursor on once it is there.
    sought: Option<SpanId>,
    corrections: Arc<Corrections>,
}

impl TraceScreen {
    /// Asks for the records of `trace`; the cursor goes to the span `at`.
    pub fn open(
        trace: TraceId,
        at: Option<SpanId>,
        corrections: Arc<Corrections>,
        cx: &mut Context<'_>,
    ) -> TraceScreen {
        let mut screen =
            TraceScreen { trace: Some(trace), sought: at, corrections, ..TraceScreen::default() };
        screen.ask(cx);
        screen
    }

    fn ask(&mut self, cx: &mut Context<'_>) {
        let Some(trace) = self.trace else { return };
        self.failure = None;
        let corrections = Arc::clone(&self.corrections);
        self.asked = Some(Asked::new(cx.ask(Question::Trace { trace, corrections })));
    }

    /// Takes the answer with `number`, if it is this screen's.
    pub fn answer(&mut self, number: u64, answer: Result<Arc<Waterfall>, Failure>, cx: &mut Context<'_>) {
        if self.asked.is_none_or(|asked| asked.number != number) {
            return;
        }
        self.asked = None;
        match answer {
            Ok(waterfall) => {
                let at = self.sought.take().and_then(|span| waterfall.line_of(span));
                let held = at.or_else(|| self.line()).unwrap_or(0);
                // Lines have no names: what is folded is told by its place only while the trace is the same.
                if self.waterfall.as_ref().is_none_or(|before| before.nodes.len() != waterfall.nodes.len()) {
                    (self.folded, self.trail) = (HashSet::new(), Trail::default());
                }
                self.waterfall = Some(waterfall);
                self.fill(held, cx);
            }
            Err(failure) if failure.cancelled && self.waterfall.is_some() => cx.say("cancelled"),
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// Where keys go.
    pub fn scope(&self) -> Scope {
        if self.typing { Scope::FilterLine } else { Scope::Trace }
    }

    /// The line under the cursor.
    pub fn line(&self) -> Option<usize> {
        self.rows.get(self.list.scroll.at).copied()
    }

    /// The parts of the terminal.
    pub fn panes(&self, area: Rect) -> Panes {
        self.list.panes(area, HEAD)
    }

    /// What lines are to contain, in lower case.
    pub fn wanted(&self) -> String {
        self.filter.text().trim().to_lowercase()
    }

    /// Whether what is below a line is folded away.
    pub fn is_folded(&self, line: usize) -> bool {
        self.folded.contains(&line)
    }

    /// The stretch of time on show.
    pub fn shown_time(&self) -> (Time, Time) {
        let whole = self.waterfall.as_ref().map_or((Time::UNSET, Time::UNSET), |w| (w.start, w.end));
        self.stretch.unwrap_or(whole)
    }

    /// Makes the list of rows anew, with the cursor on `held`, or on what is above it where that is hidden.
    fn fill(&mut self, held: usize, cx: &Context<'_>) {
        let Some(waterfall) = &self.waterfall else { return };
        let wanted = if self.narrowed { self.wanted() } else { String::new() };
        let nodes = &waterfall.nodes;
        let mut keep: Vec<bool> =
            nodes.iter().map(|node| (node.is_span() || !self.spans_only) && node.contains(&wanted)).collect();
        if !wanted.is_empty() {
            // What leads to a hit stays, so that the tree holds together.
            for at in (0..nodes.len()).rev() {
                if let Some(parent) = nodes[at].parent.filter(|_| keep[at]) {
                    keep[parent] = true;
                }
            }
        }
        self.rows.clear();
        let mut at = 0;
        while let Some(node) = nodes.get(at) {
            if keep[at] {
                self.rows.push(at);
            }
            at += 1 + if self.folded.contains(&at) { node.below } else { 0 };
        }
        self.list.scroll.carry(self.rows.partition_point(|row| *row <= held).saturating_sub(1));
        self.settle(cx);
    }

    fn fill_again(&mut self, cx: &Context<'_>) {
        self.fill(self.line().unwrap_or(0), cx);
    }

    /// Brings the cursors on screen.
    pub fn settle(&mut self, cx: &Context<'_>) {
        self.list.settle(&self.extent(cx.area));
    }

    fn extent(&self, area: Rect) -> Extent {
        Extent { panes: self.panes(area), rows: self.rows.len(), lines: self.detail_lines(area).len() }
    }

    /// The detail of the line under the cursor, as wide as its pane; nothing while it is hidden.
    pub fn detail_lines(&self, area: Rect) -> Vec<TextLine> {
        let panes = self.panes(area);
        match (&self.waterfall, self.line()) {
            (Some(waterfall), Some(line)) if !panes.detail.is_empty() => {
                detail::waterfall_line(waterfall, line, usize::from(panes.detail_inner().width))
            }
            _ => Vec::new(),
        }
    }

    /// A key that no binding takes: text, where text is typed.
    pub fn type_key(&mut self, key: Key, cx: &mut Context<'_>) {
        if self.typing && self.filter.press(key) {
            self.fill_again(cx);
        }
    }

    /// Pasted text.
    pub fn paste(&mut self, text: &str, cx: &mut Context<'_>) {
        if self.typing {
            self.filter.insert(text);
            self.fill_again(cx);
        }
    }

    /// Does what a key asks for; a pop-up, if that is it.
    pub fn act(&mut self, action: Action, cx: &mut Context<'_>) -> Option<Popup> {
        match action {
            Action::Open if self.typing => {
                self.typing = false;
                let hit = self
                    .line()
                    .zip(self.waterfall.as_ref())
                    .is_some_and(|(line, waterfall)| waterfall.nodes[line].contains(&self.wanted()));
                if !hit {
                    self.first_match(cx);
                }
            }
            Action::Open => self.list.on_detail = self.line().is_some(),
            Action::Pane => self.list.on_detail = !self.list.on_detail,
            Action::Reload => self.ask(cx),
            Action::Filter => (self.typing, self.list.on_detail) = (true, false),
            Action::Highlight => {
                self.narrowed = !self.narrowed;
                self.fill_again(cx);
            }
            Action::Zoom => {
                self.spans_only = !self.spans_only;
                self.fill_again(cx);
            }
            Action::Fold => self.fold(cx),
            Action::Nearer => self.change_stretch(1, 2),
            Action::Farther => self.change_stretch(2, 1),
            Action::Whole => self.stretch = None,
            Action::Left => self.shift(-1),
            Action::Right => self.shift(1),
            Action::Timelines => return self.timelines(cx),
            Action::Copy => return self.copies(cx, Outcome::Copy),
            Action::CopyToFile => return self.copies(cx, Outcome::Save),
            other => {
                if !self.walk(other, cx) {
                    self.list.go(other, &self.extent(cx.area));
                }
            }
        }
        self.settle(cx);
        None
    }

    fn fold(&mut self, cx: &mut Context<'_>) {
        let Some((line, waterfall)) = self.line().zip(self.waterfall.as_ref()) else { return };
        if waterfall.nodes[line].below == 0 {
            return cx.say("nothing is below this line");
        }
        if !self.folded.remove(&line) {
            self.folded.insert(line);
        }
        self.fill(line, cx);
    }

    /// Shows `times / parts` of the time on show, around the line under the cursor.
    fn change_stretch(&mut self, times: i128, parts: i128) {
        let Some((line, waterfall)) = self.line().zip(self.waterfall.as_ref()) else { return };
        let (from, to) = self.shown_time();
        let length = (to.since(from) * times / parts).max(SHORTEST_NS);
        if length >= waterfall.end.since(waterfall.start) {
            self.stretch = None;
            return;
        }
        let node = &waterfall.nodes[line];
        let middle = if node.ns() <= length { node.start.shifted(node.ns() / 2) } else { node.start };
        self.show_from(middle.shifted(-length / 2), length);
    }

    fn shift(&mut self, direction: i128) {
        let Some((from, to)) = self.stretch else { return };
        let length = to.since(from);
        self.show_from(from.shifted(direction * length / 4), length);
    }

    /// Shows a stretch of this length from `from` on, inside the trace.
    fn show_from(&mut self, from: Time, length: i128) {
        let Some(waterfall) = &self.waterfall else { return };
        let last = waterfall.end.shifted(-length).max(waterfall.start);
        let from = from.clamp(waterfall.start, last);
        self.stretch = Some((from, from.shifted(length)));
    }

    fn walk(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        let Some((line, waterfall)) = self.line().zip(self.waterfall.clone()) else { return false };
        let failed = |at: usize| waterfall.nodes[at].failed;
        let critical = |at: usize| !waterfall.nodes[at].path.is_empty();
        let service = waterfall.record(line).map(|record| &record.service);
        let alike = |at: usize| waterfall.record(at).map(|record| &record.service) == service;
        match action {
            Action::NextError => self.jump("error", true, cx, failed),
            Action::PreviousError => self.jump("error", false, cx, failed),
            Action::NextCritical => self.jump("span on the critical path", true, cx, critical),
            Action::PreviousCritical => self.jump("span on the critical path", false, cx, critical),
            Action::NextInProcess => self.jump("record of this service", true, cx, alike),
            Action::PreviousInProcess => self.jump("record of this service", false, cx, alike),
            Action::NextMatch => self.jump_to_match(true, cx),
            Action::PreviousMatch => self.jump_to_match(false, cx),
            Action::Cause => match waterfall.nodes[line].parent {
                Some(parent) => self.go_to(parent, cx),
                None => cx.say("this line has no parent"),
            },
            Action::Effect => match waterfall.children(line).next() {
                Some(child) => self.go_to(child, cx),
                None => cx.say("nothing is below this line"),
            },
            Action::Return => self.retrace(true, cx),
            Action::Forward => self.retrace(false, cx),
            _ => return false,
        }
        true
    }

    fn retrace(&mut self, back: bool, cx: &mut Context<'_>) {
        let here = self.line();
        let target = if back { self.trail.back(here) } else { self.trail.forward(here) };
        match target {
            Some(target) => self.reach(target, cx),
            None => cx.say("no jump to go back or forward through"),
        }
    }

    fn go_to(&mut self, target: usize, cx: &mut Context<'_>) {
        if let Some(here) = self.line() {
            self.trail.leave(here);
        }
        self.reach(target, cx);
    }

    /// Puts the cursor on a line and unfolds what hides it.
    fn reach(&mut self, target: usize, cx: &mut Context<'_>) {
        let Some(waterfall) = &self.waterfall else { return };
        let mut above = waterfall.nodes.get(target).and_then(|node| node.parent);
        while let Some(line) = above {
            self.folded.remove(&line);
            above = waterfall.nodes[line].parent;
        }
        if waterfall.nodes.get(target).is_some_and(|node| !node.is_span()) {
            self.spans_only = false;
        }
        self.list.detail = Scroll::default();
        self.fill(target, cx);
    }

    /// To the next line for which `wanted` holds, folded ones too.
    fn jump(&mut self, what: &str, forward: bool, cx: &mut Context<'_>, wanted: impl Fn(usize) -> bool) {
        let Some((line, waterfall)) = self.line().zip(self.waterfall.as_ref()) else { return };
        let hit = if forward {
            (line + 1..waterfall.nodes.len()).find(|at| wanted(*at))
        } else {
            (0..line).rev().find(|at| wanted(*at))
        };
        match hit {
            Some(hit) => self.go_to(hit, cx),
            None if forward => cx.say(format!("no {what} below this")),
            None => cx.say(format!("no {what} above this")),
        }
    }

    fn jump_to_match(&mut self, forward: bool, cx: &mut Context<'_>) {
        let Some(waterfall) = self.waterfall.clone() else { return };
        let wanted = self.wanted();
        if wanted.is_empty() {
            return cx.say("no text is sought: / types one");
        }
        self.jump("record that contains it", forward, cx, |at| waterfall.nodes[at].contains(&wanted));
    }

    /// To the first hit after the cursor, else to the first of all.
    fn first_match(&mut self, cx: &mut Context<'_>) {
        let (Some(waterfall), Some(line)) = (self.waterfall.clone(), self.line()) else { return };
        let wanted = self.wanted();
        let mut all = (line..waterfall.nodes.len()).chain(0..line);
        match all.find(|at| !wanted.is_empty() && waterfall.nodes[*at].contains(&wanted)) {
            Some(hit) => self.go_to(hit, cx),
            None => cx.say("no record of this trace contains it"),
        }
    }

    fn timelines(&self, cx: &mut Context<'_>) -> Option<Popup> {
        let record = self.line().and_then(|line| self.waterfall.as_ref()?.record(line))?;
        let mut choices = openings(record);
        choices.retain(|choice| matches!(choice.outcome, Outcome::Timeline { .. }));
        if choices.is_empty() {
            cx.say("this record names nothing that has a timeline");
            return None;
        }
        Some(Popup::Choice(ChoicePopup::new("Timelines", choices)))
    }

    fn copies(&self, cx: &Context<'_>, to: fn(String) -> Outcome) -> Option<Popup> {
        let copy = |label: &str, text: String| Choice::new(label, &text, to(text.clone()));
        let trace = self.trace?;
        let mut choices = Vec::new();
        if let Some(record) = self.line().and_then(|line| self.waterfall.as_ref()?.record(line)) {
            choices.extend(record.span_id.map(|span| copy("span id", span.to_string())));
            choices.push(copy("text", detail::record_text(record)));
            let json = serde_json::to_string_pretty(record).ok();
            choices.extend(json.map(|json| copy("the record as JSON", json)));
        }
        choices.push(copy("trace id", trace.to_string()));
        let command = cx.settings.command(&["search", &format!("trace:{trace}")]);
        choices.push(copy("command for this trace's records", command));
        Some(Popup::Choice(ChoicePopup::new("Copy", choices)))
    }

    /// Goes one step back inside the screen; false if there is none, and the screen itself is left.
    pub fn back(&mut self, cx: &mut Context<'_>) -> bool {
        if self.typing || !self.filter.text().is_empty() {
            (self.typing, self.narrowed, self.filter) = (false, false, LineEdit::default());
            self.fill_again(cx);
        } else if self.list.on_detail {
            self.list.on_detail = false;
        } else if self.asked.is_some() {
            cx.effect(Effect::Cancel(Slot::Trace));
        } else if self.stretch.is_some() {
            self.stretch = None;
        } else {
            return false;
        }
        self.settle(cx);
        true
    }

    /// What the mouse does.
    pub fn mouse(&mut self, mouse: Mouse, column: u16, row: u16, cx: &mut Context<'_>) {
        if self.list.mouse(mouse, column, row, &self.extent(cx.area)) == Touch::Again {
            self.fold(cx);
        }
        self.settle(cx);
    }
}
