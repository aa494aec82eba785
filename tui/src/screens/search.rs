//! Search: which records, and under which entities, match this?

use query::interface::SearchRequest;
use ratatui::layout::{Position, Rect};
use timeline::document::{Completeness, Find, FindMatch, Search as Found, SearchRecord};
use timeline::record::Position as After;

use crate::detail;
use crate::keys::{Action, Key, Scope};
use crate::layout::Panes;
use crate::line::LineEdit;
use crate::lines::TextLine;
use crate::list::{Extent, List, Touch};
use crate::message::{Effect, Failure, Mouse, Question, Slot};
use crate::popup::{Choice, ChoicePopup, Outcome, Popup};
use crate::scroll::Scroll;
use crate::state::{Asked, Context};
use crate::text;

/// Lines above the results: the query, what is wrong with it, how many there are.
pub const HEAD: u16 = 3;

/// Records a page.
const PAGE: usize = 200;

/// The next page is asked for once the cursor is so near the end of those before.
const PAGE_AHEAD: usize = 20;

/// The search screen.
#[derive(Debug, Default)]
pub struct Search {
    /// The query line.
    pub query: LineEdit,
    /// Whether it is being typed.
    pub typing: bool,
    /// Where the value occurs, if the query is one bare word.
    pub matches: Vec<FindMatch>,
    /// The records, newest arrival first.
    pub records: Vec<SearchRecord>,
    /// How many match; `None` before the first answer.
    pub total: Option<u64>,
    /// What the answer rests on.
    pub completeness: Completeness,
    /// Why there is no answer.
    pub failure: Option<Failure>,
    /// The question for records on its way.
    pub asked: Option<Asked>,
    /// The question for entities on its way.
    pub finding: Option<Asked>,
    /// The cursor among matches and records, and the detail.
    pub list: List,
    next: Option<After>,
    /// Whether the answer on its way goes on from the records that are there.
    going_on: bool,
    /// The query that the records on show answer.
    answered: Option<String>,
    /// The query in the history that is shown, counted from the newest.
    history_at: Option<usize>,
}

/// A line of the results.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// A place that the value occurs in.
    Match(&'a FindMatch),
    /// A record.
    Record(&'a SearchRecord),
}

impl Search {
    /// A search for `query`, asked at once; with an empty one the newest records are shown.
    pub fn open(query: &str, cx: &mut Context<'_>) -> Search {
        let mut search =
            Search { query: LineEdit::new(query), typing: query.is_empty(), ..Search::default() };
        search.ask(cx);
        search
    }

    /// Where keys go.
    pub fn scope(&self) -> Scope {
        if self.typing { Scope::QueryLine } else { Scope::Results }
    }

    /// The parts of the terminal.
    pub fn panes(&self, area: Rect) -> Panes {
        self.list.panes(area, HEAD)
    }

    /// How many lines the results have.
    pub fn len(&self) -> usize {
        self.matches.len() + self.records.len()
    }

    /// Whether there are no results.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A line of the results.
    pub fn row(&self, at: usize) -> Option<Row<'_>> {
        match self.matches.get(at) {
            Some(found) => Some(Row::Match(found)),
            None => self.records.get(at.checked_sub(self.matches.len())?).map(Row::Record),
        }
    }

    fn record(&self) -> Option<&SearchRecord> {
        match self.row(self.list.scroll.at)? {
            Row::Record(record) => Some(record),
            Row::Match(_) => None,
        }
    }

    /// Whether the results on show answer the query as it now stands.
    pub fn is_current(&self) -> bool {
        self.answered.as_deref() == Some(self.query.text())
    }

    /// Whether there are more pages.
    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }

    fn ask(&mut self, cx: &mut Context<'_>) {
        self.going_on = false;
        self.ask_page(None, cx);
        self.finding = match bare_value(self.query.text()) {
            Some(value) => Some(Asked::new(cx.ask(Question::Find(value.to_owned())))),
            None => {
                cx.effect(Effect::Cancel(Slot::Find));
                self.matches.clear();
                None
            }
        };
    }

    fn ask_page(&mut self, before: Option<After>, cx: &mut Context<'_>) {
        let request = SearchRequest { query: self.query.text().to_owned(), limit: PAGE, before };
        self.asked = Some(Asked::new(cx.ask(Question::Search(request))));
    }

    fn ask_next_page(&mut self, cx: &mut Context<'_>) {
        let near_end = self.list.scroll.at + PAGE_AHEAD >= self.len();
        if near_end && self.asked.is_none() && self.is_current() && self.next.is_some() {
            self.going_on = true;
            self.ask_page(self.next, cx);
        }
    }

    /// Takes the records with `number`, if they are this screen's.
    pub fn answer(&mut self, number: u64, answer: Result<Found, Failure>, cx: &mut Context<'_>) {
        if self.asked.is_none_or(|asked| asked.number != number) {
            return;
        }
        self.asked = None;
        match answer {
            Ok(found) => self.take(found),
            Err(failure) if failure.cancelled => cx.say("cancelled"),
            Err(failure) => self.failure = Some(failure),
        }
        self.settle(cx);
    }

    fn take(&mut self, found: Found) {
        self.failure = None;
        self.next = found.next.and_then(|next| next.parse().ok());
        self.total = Some(found.total);
        self.completeness = found.completeness;
        if self.going_on {
            self.records.extend(found.records);
            return;
        }
        self.records = found.records;
        self.answered = Some(self.query.text().to_owned());
        (self.list.scroll, self.list.detail) = (Scroll::default(), Scroll::default());
    }

    /// Takes the places with `number`, if they are this screen's.
    pub fn found(&mut self, number: u64, answer: Result<Find, Failure>, cx: &mut Context<'_>) {
        if self.finding.is_none_or(|asked| asked.number != number) {
            return;
        }
        self.finding = None;
        // A failed lookup of entities is no loss that the records' own failure does not tell.
        let found = answer.map(|find| find.matches).unwrap_or_default();
        let held = self.list.scroll.at.saturating_sub(self.matches.len());
        let was_on_record = self.list.scroll.at > self.matches.len();
        self.matches = found.into_iter().filter(|place| place.entity.is_some()).collect();
        if was_on_record {
            self.list.scroll.at = self.matches.len() + held;
        }
        self.settle(cx);
    }

    /// Brings the cursors on screen.
    pub fn settle(&mut self, cx: &Context<'_>) {
        self.list.settle(&self.extent(cx.area));
    }

    fn extent(&self, area: Rect) -> Extent {
        Extent { panes: self.panes(area), rows: self.len(), lines: self.detail_lines(area).len() }
    }

    /// The detail of the record under the cursor, as wide as its pane.
    pub fn detail_lines(&self, area: Rect) -> Vec<TextLine> {
        let width = usize::from(self.panes(area).detail_inner().width);
        self.record().map(|record| detail::record(record, width)).unwrap_or_default()
    }

    /// A key that no binding takes: text, where text is typed. The query is asked as it is typed.
    pub fn type_key(&mut self, key: Key, cx: &mut Context<'_>) {
        let before = self.query.text().to_owned();
        if self.typing && self.query.press(key) && self.query.text() != before {
            self.edited(cx);
        }
    }

    /// Pasted text.
    pub fn paste(&mut self, text: &str, cx: &mut Context<'_>) {
        if self.typing {
            self.query.insert(text);
            self.edited(cx);
        }
    }

    fn edited(&mut self, cx: &mut Context<'_>) {
        self.history_at = None;
        self.failure = None;
        self.ask(cx);
    }

    /// Does what a key asks for; a pop-up or a way to go on, if that is it.
    pub fn act(
        &mut self,
        action: Action,
        history: &mut Vec<String>,
        cx: &mut Context<'_>,
    ) -> (Option<Popup>, Option<Outcome>) {
        let going_on = match action {
            Action::Open if self.typing => {
                self.run(history, cx);
                (None, None)
            }
            Action::Open => self.open_row(),
            Action::Copy => (Some(self.copies(cx, Outcome::Copy)), None),
            Action::CopyToFile => (Some(self.copies(cx, Outcome::Save)), None),
            Action::Trace => (None, self.trace(cx)),
            _ => {
                self.act_here(action, history, cx);
                (None, None)
            }
        };
        self.settle(cx);
        self.ask_next_page(cx);
        going_on
    }

    fn act_here(&mut self, action: Action, history: &[String], cx: &mut Context<'_>) {
        match action {
            Action::Search => (self.typing, self.list.on_detail) = (true, false),
            Action::Reload => self.ask(cx),
            Action::Pane if self.typing => self.typing = false,
            Action::Pane => self.list.on_detail = !self.list.on_detail,
            Action::Older => self.recall(history, self.history_at.map_or(0, |at| at + 1), cx),
            Action::Newer => match self.history_at {
                Some(at) if at > 0 => self.recall(history, at - 1, cx),
                _ => self.typing = false,
            },
            other => {
                self.list.go(other, &self.extent(cx.area));
            }
        }
    }

    fn run(&mut self, history: &mut Vec<String>, cx: &mut Context<'_>) {
        let query = self.query.text().trim().to_owned();
        self.typing = self.failure.is_some();
        if !query.is_empty() {
            history.retain(|known| *known != query);
            history.push(query);
        }
        if !self.is_current() && self.asked.is_none() {
            self.ask(cx);
        }
    }

    fn recall(&mut self, history: &[String], back: usize, cx: &mut Context<'_>) {
        let wanted = history.len().checked_sub(back + 1).and_then(|at| history.get(at));
        let Some(query) = wanted else { return cx.say("no older query") };
        self.query = LineEdit::new(query);
        self.edited(cx);
        self.history_at = Some(back);
    }

    fn open_row(&self) -> (Option<Popup>, Option<Outcome>) {
        match self.row(self.list.scroll.at) {
            Some(Row::Match(found)) => {
                let entity = found.entity.clone();
                (None, entity.map(|entity| Outcome::Timeline { entity, at: None }))
            }
            Some(Row::Record(record)) => {
                (Some(Popup::Choice(ChoicePopup::new("Open", openings(record)))), None)
            }
            None => (None, None),
        }
    }

    fn trace(&self, cx: &mut Context<'_>) -> Option<Outcome> {
        let trace = self.record().and_then(|record| Some((record.trace_id?, record.span_id)));
        if trace.is_none() {
            cx.say("the line under the cursor has no trace");
        }
        trace.map(|(trace, at)| Outcome::Trace { trace, at })
    }

    fn copies(&self, cx: &Context<'_>, to: fn(String) -> Outcome) -> Popup {
        let command = cx.settings.command(&["search", self.query.text()]);
        copies(self.record(), "command for this search", command, to)
    }

    /// Goes one step back inside the screen; false if there is none, and the screen itself is left.
    pub fn back(&mut self, cx: &mut Context<'_>) -> bool {
        if self.list.on_detail {
            self.list.on_detail = false;
        } else if self.asked.is_some() && !self.typing {
            cx.effect(Effect::Cancel(Slot::Search));
        } else if self.typing && !self.is_empty() {
            self.typing = false;
        } else {
            return false;
        }
        self.settle(cx);
        true
    }

    /// What the mouse does; whether it asks to open what the cursor is on.
    pub fn mouse(&mut self, mouse: Mouse, column: u16, row: u16, cx: &mut Context<'_>) -> bool {
        let panes = self.panes(cx.area);
        if panes.head.contains(Position::new(column, row)) && mouse == Mouse::Click {
            (self.typing, self.list.on_detail) = (true, false);
            return false;
        }
        let touch = self.list.mouse(mouse, column, row, &self.extent(cx.area));
        if touch != Touch::Nothing {
            self.typing = false;
        }
        self.settle(cx);
        self.ask_next_page(cx);
        touch == Touch::Again
    }
}

/// What of a record can be copied, and the command that shows the same.
pub(super) fn copies(
    record: Option<&SearchRecord>,
    label: &str,
    command: String,
    to: fn(String) -> Outcome,
) -> Popup {
    let copy = |label: &str, text: String| Choice::new(label, &text, to(text.clone()));
    let mut choices = Vec::new();
    if let Some(record) = record {
        choices.push(copy("record id", record.record.to_string()));
        choices.extend(record.trace_id.map(|trace| copy("trace id", trace.to_string())));
        choices.extend(record.span_id.map(|span| copy("span id", span.to_string())));
        choices.push(copy("text", detail::record_text(record)));
        let json = serde_json::to_string_pretty(record).ok();
        choices.extend(json.map(|json| copy("the record as JSON", json)));
    }
    choices.push(copy(label, command));
    Popup::Choice(ChoicePopup::new("Copy", choices))
}

/// The value that a query is, if it is nothing but one: `42`, `order/42`, a UUID.
fn bare_value(query: &str) -> Option<&str> {
    let query = query.trim();
    let one_word =
        !query.is_empty() && !query.contains(|c: char| c.is_whitespace() || "\"()<>~*:=".contains(c));
    (one_word && !query.starts_with('-')).then_some(query)
}

/// The ways on from a record: the timelines of what its attributes name, then its trace, then itself.
pub fn openings(record: &SearchRecord) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    let events = record.events.iter().flat_map(|event| &event.attributes);
    for (key, value) in record.attributes.iter().chain(events).filter(|(key, _)| names_a_thing(key)) {
        let entity = format!("{key}={}", text::value(value));
        let choice =
            Choice::new(&format!("timeline of {entity}"), "", Outcome::Timeline { entity, at: None });
        if !choices.contains(&choice) {
            choices.push(choice);
        }
    }
    if let Some(trace) = record.trace_id {
        let waterfall = Outcome::Trace { trace, at: record.span_id };
        choices.push(Choice::new("its trace, as a waterfall", &trace.to_string(), waterfall));
        choices.push(Choice::new(
            "records of its trace",
            &trace.to_string(),
            Outcome::Search(format!("trace:{trace}")),
        ));
    }
    if let Some(span) = record.span_id {
        choices.push(Choice::new(
            "records of its span",
            &span.to_string(),
            Outcome::Search(format!("span:{span}")),
        ));
    }
    choices
}

/// Whether an attribute's name says that its value identifies something: `order.id`, `order_id`, `orderId`.
fn names_a_thing(key: &str) -> bool {
    let last = key.rsplit(['.', '_']).next().unwrap_or(key);
    let plumbing =
        ["thread.id", "process.", "messaging.client", "client_id", "telemetry.", "host.id", "container.id"];
    let identifies =
        last == "id" || last == "key" || last == "uuid" || key.ends_with("Id") || key.ends_with("Key");
    identifies && !plumbing.iter().any(|part| key.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_value_is_looked_up() {
        assert_eq!(
            [" 42 ", "order/42", "a@b.c"].map(bare_value),
            [Some("42"), Some("order/42"), Some("a@b.c")]
        );
        assert_eq!(["", "service:x", "a b", "order.id=4*", "-x"].map(bare_value), [None; 5]);
    }

    #[test]
    fn names_of_things_are_told_from_plumbing() {
        assert!(["order.id", "order_id", "orderId", "cart.key"].iter().all(|key| names_a_thing(key)));
        assert!(!["paid", "thread.id", "idle", "http.status_code"].iter().any(|key| names_a_thing(key)));
    }
}
