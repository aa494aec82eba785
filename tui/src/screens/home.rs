//! Home: what is wrong, since when, in what; what could not be judged; and what is new.

use std::sync::Arc;

use ratatui::layout::{Constraint, Layout, Position, Rect};
use timeline::document::{Incidents, SearchRecord};
use timeline::id::RecordId;

use crate::detail;
use crate::growth::Growth;
use crate::keys::Action;
use crate::layout::Panes;
use crate::lines::TextLine;
use crate::list::{Extent, Touch};
use crate::message::{Effect, Failure, Mouse, Question, Slot};
use crate::popup::{ChoicePopup, Outcome, Popup};
use crate::report;
use crate::screens::search::openings;
use crate::screens::table;
use crate::scroll::Scroll;
use crate::state::{Asked, Context};
use crate::store::Store;
use crate::table::{Table, below_names};

/// Lines above: the title, what the store holds, who sends.
const HEAD: u16 = 3;

/// The home screen.
#[derive(Debug, Default)]
pub struct Home {
    /// What is wrong.
    pub table: Table,
    /// Whether that is known.
    pub answered: bool,
    /// Why it is not.
    pub failure: Option<Failure>,
    /// The question on its way.
    pub asked: Option<Asked>,
    /// Whether the user gave the question up: it is not asked again by itself.
    pub given_up: bool,
    /// Whether the newest records have the focus, not what is wrong.
    pub on_records: bool,
    /// The cursor among the records. While it is on the first line it stays there as records come.
    pub records: Scroll,
    growth: Growth,
    /// The record under the cursor, where that is not the newest.
    held: Option<RecordId>,
    /// The records as they were when the list was stopped.
    frozen: Option<Vec<Arc<SearchRecord>>>,
}

/// The home screen's parts.
#[derive(Clone, Copy, Debug)]
pub struct HomePanes {
    /// Head, what is wrong (its list with a heading and the columns' names above), the detail, the bottom line.
    pub panes: Panes,
    /// Its heading.
    pub heading: Rect,
    /// How much was judged.
    pub judged: Rect,
    /// What is new, with one line of heading.
    pub records: Rect,
}

impl HomePanes {
    /// Divides `area` for so many lines of what is wrong.
    pub fn new(area: Rect, rows: usize, on_detail: bool) -> HomePanes {
        let whole = Panes::new(area, HEAD, false);
        // Where the detail has no room of its own, it takes the place of the list.
        let beside = whole.is_beside(whole.detail);
        let mut panes = if beside || !on_detail { whole } else { Panes::new(area, HEAD, true) };
        let body = if whole.is_below(whole.detail) { whole.list.union(whole.detail) } else { whole.list };
        if !beside {
            (panes.detail, panes.list) = if on_detail { (body, panes.list) } else { (Rect::default(), body) };
        }
        if on_detail && !beside {
            let nothing = Rect { width: 0, height: 0, ..body };
            let panes = Panes { list: nothing, ..panes };
            return HomePanes { panes, heading: nothing, judged: nothing, records: nothing };
        }
        let most = (body.height * 2 / 3).max(3);
        let wanted = u16::try_from(rows.saturating_add(3)).unwrap_or(u16::MAX).clamp(6.min(most), most);
        let [heading, list, judged, records] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(wanted.saturating_sub(2)),
            Constraint::Length(1),
            Constraint::Min(0),
        ])
        .areas(body);
        panes.list = list;
        HomePanes { panes, heading, judged, records }
    }

    /// All of it but head and bottom line.
    pub fn whole(&self) -> Rect {
        let parts = [self.panes.list, self.heading, self.judged, self.records, self.panes.detail];
        parts.into_iter().filter(|part| !part.is_empty()).reduce(Rect::union).unwrap_or_default()
    }

    /// The records without their heading.
    pub fn newest(&self) -> Rect {
        below_names(self.records)
    }
}

impl Home {
    /// The parts of the terminal.
    pub fn panes(&self, area: Rect) -> HomePanes {
        HomePanes::new(area, self.table.rows().len(), self.table.list.on_detail)
    }

    /// The records on show, newest first.
    pub fn shown<'a>(&'a self, store: &'a Store) -> Vec<&'a Arc<SearchRecord>> {
        match &self.frozen {
            Some(frozen) => frozen.iter().collect(),
            None => store.newest.iter().collect(),
        }
    }

    /// Whether the list is stopped.
    pub fn is_paused(&self) -> bool {
        self.frozen.is_some()
    }

    fn ask(&mut self, quiet: bool, store: &Store, cx: &mut Context<'_>) {
        (self.failure, self.given_up) = (None, false);
        self.growth.ask(store, cx.now, quiet);
        self.asked = Some(Asked::new(cx.ask(Question::Incidents)));
    }

    /// Asks what is wrong: at first, as records arrive, and for a while after, since judging waits for late ones.
    pub fn tick(&mut self, store: &Store, cx: &mut Context<'_>) {
        let holds_some = store.stats.is_some() && !store.is_empty();
        if self.asked.is_some() || self.given_up || !holds_some {
            return;
        }
        let first = !self.answered && self.failure.is_none();
        if first || self.growth.is_due(store, cx.now) || self.growth.is_settling(cx.now) {
            self.ask(self.answered, store, cx);
        }
    }

    /// Takes what is wrong, if it was asked for under `number`.
    pub fn answer(
        &mut self,
        number: u64,
        answer: Result<Arc<Incidents>, Failure>,
        store: &mut Store,
        cx: &mut Context<'_>,
    ) {
        if self.asked.is_none_or(|asked| asked.number != number) {
            return;
        }
        self.asked = None;
        self.growth.answered(cx.now);
        match answer {
            Ok(found) => {
                (self.answered, self.failure) = (true, None);
                self.table.set(report::incidents::report(&found));
                store.incidents = Some(found);
            }
            Err(failure) if failure.cancelled => self.given_up = true,
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// All that is known of what the cursor is on; nothing while it is hidden.
    pub fn detail_lines(&self, store: &Store, panes: &Panes) -> Vec<TextLine> {
        let width = panes.detail_inner().width;
        match self.record(store).filter(|_| self.on_records) {
            Some(record) if width > 0 => detail::record(&record, usize::from(width)),
            Some(_) => Vec::new(),
            None => self.table.detail_lines(panes),
        }
    }

    fn record(&self, store: &Store) -> Option<Arc<SearchRecord>> {
        self.shown(store).get(self.records.at).map(|record| Arc::clone(record))
    }

    fn extent(&self, store: &Store, area: Rect) -> Extent {
        let mut panes = self.panes(area).panes;
        panes.list = below_names(panes.list);
        Extent { panes, rows: self.table.rows().len(), lines: self.detail_lines(store, &panes).len() }
    }

    /// Keeps the cursors on what they are on, after records came or the terminal changed.
    pub fn settle(&mut self, store: &Store, area: Rect) {
        self.table.list.settle(&self.extent(store, area));
        let shown = self.shown(store);
        let (length, held) = (shown.len(), self.held);
        if let Some(at) = held.and_then(|id| shown.iter().position(|record| record.record == id)) {
            self.records.carry(at);
        }
        self.records.settle(length, usize::from(self.panes(area).newest().height));
    }

    /// Does what a key asks for; a pop-up or a way to go on, if that is it.
    pub fn act(
        &mut self,
        action: Action,
        store: &Store,
        cx: &mut Context<'_>,
    ) -> (Option<Popup>, Option<Outcome>) {
        match action {
            Action::Open if self.on_records => {
                let choices = self.record(store).map(|record| openings(&record));
                let popup = choices.map(|choices| Popup::Choice(ChoicePopup::new("Open", choices)));
                return (popup, None);
            }
            Action::Open => return table::open(&self.table),
            Action::Affected if !self.on_records => return table::affected(&self.table, store, cx),
            Action::Compare if !self.on_records => return (None, table::compare(&self.table, cx)),
            Action::Affected | Action::Compare => cx.say("move to an incident first: tab"),
            Action::Trace => return (None, self.trace(store, cx)),
            Action::Pane => self.next_pane(),
            Action::Pause => {
                self.frozen = match self.frozen.take() {
                    Some(_) => None,
                    None => Some(store.newest.iter().cloned().collect()),
                };
            }
            Action::Reload => self.ask(false, store, cx),
            other => self.go(other, store, cx.area),
        }
        (None, None)
    }

    /// From what is wrong to its detail to what is new.
    fn next_pane(&mut self) {
        let list = &mut self.table.list;
        (self.on_records, list.on_detail) = match (self.on_records, list.on_detail) {
            (false, false) => (false, true),
            (false, true) => (true, false),
            (true, _) => (false, false),
        };
    }

    fn trace(&self, store: &Store, cx: &mut Context<'_>) -> Option<Outcome> {
        if self.on_records {
            let record = self.record(store)?;
            return Some(Outcome::Trace { trace: record.trace_id?, at: record.span_id });
        }
        let at = self.table.row()?.place?;
        let incident = store.incidents.as_ref()?.incidents.get(at)?;
        let failed = incident.errors.iter().rev().find_map(|error| error.trace_id);
        let trace = incident.origin.as_ref().and_then(|origin| origin.trace_id).or(failed);
        if trace.is_none() {
            cx.say("no trace is known of it but through its timeline: enter, then t");
        }
        trace.map(|trace| Outcome::Trace { trace, at: None })
    }

    fn go(&mut self, action: Action, store: &Store, area: Rect) {
        let panes = self.panes(area);
        if self.on_records && !self.table.list.on_detail {
            let length = self.shown(store).len();
            if self.records.go(action, length, usize::from(panes.newest().height)) {
                self.table.list.detail = Scroll::default();
            }
            self.hold(store);
        } else {
            let extent = self.extent(store, area);
            self.table.list.go(action, &extent);
        }
    }

    fn hold(&mut self, store: &Store) {
        let at = self.records.at;
        self.held = self.shown(store).get(at).filter(|_| at > 0).map(|record| record.record);
    }

    /// Goes one step back inside the screen; false if there is none.
    pub fn back(&mut self, cx: &mut Context<'_>) -> bool {
        if self.table.list.on_detail {
            self.table.list.on_detail = false;
        } else if self.asked.is_some() && !self.answered {
            cx.effect(Effect::Cancel(Slot::Incidents));
        } else {
            return false;
        }
        true
    }

    /// What the mouse does; whether it asks to open what the cursor is on.
    pub fn mouse(&mut self, mouse: Mouse, column: u16, row: u16, store: &Store, area: Rect) -> bool {
        let newest = self.panes(area).newest();
        if !newest.contains(Position::new(column, row)) {
            let touch = self.table.list.mouse(mouse, column, row, &self.extent(store, area));
            self.on_records &= touch == Touch::Nothing || self.table.list.on_detail;
            return touch == Touch::Again;
        }
        (self.on_records, self.table.list.on_detail) = (true, false);
        match mouse {
            Mouse::WheelUp => self.go(Action::Up, store, area),
            Mouse::WheelDown => self.go(Action::Down, store, area),
            Mouse::Click => {
                let clicked = self.records.top + usize::from(row - newest.y);
                if clicked == self.records.at {
                    return true;
                }
                self.records.at = clicked;
                self.hold(store);
            }
        }
        false
    }
}
