//! Live: records as they arrive, filtered, pausable.

use std::collections::VecDeque;
use std::sync::Arc;

use ratatui::layout::Rect;
use timeline::document::SearchRecord;
use timeline::id::RecordId;
use timeline::record::{Position, Severity};

use query::interface::FollowAnswer;

use crate::detail;
use crate::keys::{Action, Key, Scope};
use crate::layout::Panes;
use crate::line::LineEdit;
use crate::lines::TextLine;
use crate::list::{Extent, List, Touch};
use crate::message::{Failure, Mouse, Question};
use crate::popup::{ChoicePopup, Outcome, Popup};
use crate::screens::search::{copies, openings};
use crate::state::{Asked, Context};

/// Lines above the records: the filter, what arrived.
const HEAD: u16 = 2;

/// So many records are kept; older ones are found by a search.
pub const KEPT_MAX: usize = 5_000;

/// The live screen.
#[derive(Debug, Default)]
pub struct Live {
    /// Only records that match this query.
    pub query: LineEdit,
    /// Whether it is being typed.
    pub typing: bool,
    /// Whether the list is stopped.
    pub paused: bool,
    /// The records, newest first.
    pub records: VecDeque<Arc<SearchRecord>>,
    /// What arrived while the list was stopped, newest first.
    pub waiting: VecDeque<Arc<SearchRecord>>,
    /// How many arrived since the query was asked.
    pub arrived: u64,
    /// Why the last question failed; it is asked again each second.
    pub failure: Option<Failure>,
    /// The question on its way.
    pub asked: Option<Asked>,
    /// The records' cursor and detail. While it is on the first line it stays there as records come.
    pub list: List,
    after: Option<Position>,
    /// The record under the cursor, where that is not the newest.
    held: Option<RecordId>,
}

impl Live {
    /// Follows what arrives and matches `query`.
    pub fn open(query: &str, cx: &mut Context<'_>) -> Live {
        let mut live = Live { query: LineEdit::new(query), ..Live::default() };
        live.ask(cx);
        live
    }

    fn ask(&mut self, cx: &mut Context<'_>) {
        let question = Question::Follow { query: self.query.text().trim().to_owned(), after: self.after };
        self.asked = Some(Asked::new(cx.ask(question)));
    }

    /// Asks what is new, unless it was asked and not answered yet.
    pub fn tick(&mut self, cx: &mut Context<'_>) {
        // A query that is wrong stays wrong.
        let hopeless = self.failure.as_ref().is_some_and(|failure| failure.at.is_some());
        if self.asked.is_none() && !hopeless {
            self.ask(cx);
        }
    }

    /// Takes the answer with `number`, if it is this screen's.
    pub fn answer(&mut self, number: u64, answer: Result<FollowAnswer, Failure>, cx: &mut Context<'_>) {
        if self.asked.is_none_or(|asked| asked.number != number) {
            return;
        }
        self.asked = None;
        match answer {
            Ok(answer) => {
                self.failure = None;
                if self.after.is_some() {
                    self.arrived += answer.records.len() as u64;
                }
                if let Some(after) = answer.after {
                    self.after = after.parse().ok();
                }
                self.take(answer.records);
            }
            Err(failure) if failure.cancelled => {}
            Err(failure) => self.failure = Some(failure),
        }
        self.settle(cx);
    }

    fn take(&mut self, records: Vec<SearchRecord>) {
        let list = if self.paused { &mut self.waiting } else { &mut self.records };
        for record in records {
            list.push_front(Arc::new(record));
        }
        list.truncate(KEPT_MAX);
    }

    /// Where keys go.
    pub fn scope(&self) -> Scope {
        if self.typing { Scope::FilterLine } else { Scope::Live }
    }

    /// The parts of the terminal.
    pub fn panes(&self, area: Rect) -> Panes {
        self.list.panes(area, HEAD)
    }

    fn record(&self) -> Option<&SearchRecord> {
        self.records.get(self.list.scroll.at).map(Arc::as_ref)
    }

    /// Keeps the cursor on its record, and on screen.
    pub fn settle(&mut self, cx: &Context<'_>) {
        let held = self.held.and_then(|id| self.records.iter().position(|record| record.record == id));
        if let Some(at) = held {
            self.list.scroll.carry(at);
        }
        self.list.settle(&self.extent(cx.area));
    }

    fn extent(&self, area: Rect) -> Extent {
        Extent { panes: self.panes(area), rows: self.records.len(), lines: self.detail_lines(area).len() }
    }

    fn hold(&mut self) {
        self.held = self.record().filter(|_| self.list.scroll.at > 0).map(|record| record.record);
    }

    /// The detail of the record under the cursor, as wide as its pane; nothing while it is hidden.
    pub fn detail_lines(&self, area: Rect) -> Vec<TextLine> {
        let panes = self.panes(area);
        match self.record() {
            Some(record) if !panes.detail.is_empty() => {
                detail::record(record, usize::from(panes.detail_inner().width))
            }
            _ => Vec::new(),
        }
    }

    /// A key that no binding takes: text, where text is typed.
    pub fn type_key(&mut self, key: Key, cx: &mut Context<'_>) {
        let before = self.query.text().to_owned();
        if self.typing && self.query.press(key) && self.query.text() != before {
            self.begin_again(cx);
        }
    }

    /// Pasted text.
    pub fn paste(&mut self, text: &str, cx: &mut Context<'_>) {
        if self.typing {
            self.query.insert(text);
            self.begin_again(cx);
        }
    }

    /// Another query: what is there is no answer to it.
    fn begin_again(&mut self, cx: &mut Context<'_>) {
        self.records.clear();
        self.waiting.clear();
        (self.after, self.held, self.arrived, self.failure) = (None, None, 0, None);
        self.ask(cx);
        self.settle(cx);
    }

    /// Does what a key asks for; a pop-up or a way to go on, if that is it.
    pub fn act(&mut self, action: Action, cx: &mut Context<'_>) -> (Option<Popup>, Option<Outcome>) {
        match action {
            Action::Open if self.typing => self.typing = false,
            Action::Highlight if self.typing => self.typing = false,
            Action::Filter => (self.typing, self.list.on_detail) = (true, false),
            Action::Pane => self.list.on_detail = !self.list.on_detail,
            Action::Pause => self.pause(),
            Action::Reload => self.begin_again(cx),
            Action::NextError => self.jump(true, cx),
            Action::PreviousError => self.jump(false, cx),
            Action::Open => {
                let choices = self.record().map(openings);
                let popup = choices.map(|choices| Popup::Choice(ChoicePopup::new("Open", choices)));
                return (popup, None);
            }
            Action::Trace => {
                let trace = self.record().and_then(|record| Some((record.trace_id?, record.span_id)));
                if trace.is_none() {
                    cx.say("the line under the cursor has no trace");
                }
                return (None, trace.map(|(trace, at)| Outcome::Trace { trace, at }));
            }
            Action::Copy | Action::CopyToFile => {
                let to = if action == Action::Copy { Outcome::Copy } else { Outcome::Save };
                let command = cx.settings.command(&["search", self.query.text()]);
                return (Some(copies(self.record(), "command for this search", command, to)), None);
            }
            other => self.move_by(other, cx),
        }
        self.settle(cx);
        (None, None)
    }

    fn pause(&mut self) {
        self.paused = !self.paused;
        if !self.paused {
            while let Some(record) = self.waiting.pop_back() {
                self.records.push_front(record);
            }
            self.records.truncate(KEPT_MAX);
        }
    }

    fn move_by(&mut self, action: Action, cx: &Context<'_>) {
        if self.list.go(action, &self.extent(cx.area)) {
            self.hold();
        }
    }

    fn jump(&mut self, down: bool, cx: &mut Context<'_>) {
        let hit =
            |at: &usize| self.records.get(*at).is_some_and(|record| record.severity >= Some(Severity::Error));
        let found = if down {
            (self.list.scroll.at + 1..self.records.len()).find(hit)
        } else {
            (0..self.list.scroll.at).rev().find(hit)
        };
        match found {
            Some(at) => {
                self.list.put(at);
                self.hold();
            }
            None => cx.say("no error that way among the records that are kept here"),
        }
    }

    /// Goes one step back inside the screen; false if there is none, and the screen itself is left.
    pub fn back(&mut self, cx: &mut Context<'_>) -> bool {
        if self.typing || !self.query.text().is_empty() {
            (self.typing, self.query) = (false, LineEdit::default());
            self.begin_again(cx);
        } else if self.list.on_detail {
            self.list.on_detail = false;
            self.settle(cx);
        } else {
            return false;
        }
        true
    }

    /// What the mouse does; whether it asks to open what the cursor is on.
    pub fn mouse(&mut self, mouse: Mouse, column: u16, row: u16, cx: &mut Context<'_>) -> bool {
        let touch = self.list.mouse(mouse, column, row, &self.extent(cx.area));
        if touch == Touch::Moved {
            self.hold();
        }
        self.settle(cx);
        touch == Touch::Again
    }
}
