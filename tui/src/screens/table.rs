//! Entities, affected, compare, clocks, doctor: screens of one table each.

use std::sync::Arc;

use query::language::{self, Now};
use ratatui::layout::Rect;
use timeline::state::Moment;
use timeline::time::Time;

use crate::keys::{Action, Key, Scope};
use crate::layout::Panes;
use crate::line::LineEdit;
use crate::list::Touch;
use crate::message::{Effect, Failure, Mouse, Question, Slot};
use crate::popup::{Choice, ChoicePopup, Outcome, Popup};
use crate::report::entities::{self, Beliefs};
use crate::report::{Report, Topic};
use crate::state::{Asked, Context};
use crate::store::Store;
use crate::table::{Table, below_names};
use crate::text;

/// The title and the names of the columns; what the answer says in all stands between.
const HEAD: u16 = 2;

/// So many keys' copies are asked for at a time.
const BELIEFS_MAX: usize = 80;

/// A screen of one table.
#[derive(Debug)]
pub struct TableScreen {
    /// What it asks.
    pub topic: Topic,
    /// The answer, once it is there.
    pub table: Table,
    /// Whether it is there.
    pub answered: bool,
    /// Why there is none.
    pub failure: Option<Failure>,
    /// The question on its way.
    pub asked: Option<Asked>,
    /// The moment that is being typed, where one is.
    pub moment: Option<LineEdit>,
    /// As of when the copies are told; `None` for the latest.
    pub as_of: Option<Time>,
    beliefs: Beliefs,
    /// The question for beliefs on its way.
    believing: Option<Asked>,
}

impl TableScreen {
    /// Asks for what `topic` is about.
    pub fn open(topic: Topic, cx: &mut Context<'_>) -> TableScreen {
        let mut screen = TableScreen {
            topic,
            table: Table::default(),
            answered: false,
            failure: None,
            asked: None,
            moment: None,
            as_of: None,
            beliefs: Beliefs::new(),
            believing: None,
        };
        screen.ask(cx);
        screen
    }

    fn ask(&mut self, cx: &mut Context<'_>) {
        self.failure = None;
        self.forget_beliefs(cx);
        self.asked = Some(Asked::new(cx.ask(Question::Table(self.topic.clone()))));
    }

    fn forget_beliefs(&mut self, cx: &mut Context<'_>) {
        self.beliefs.clear();
        if self.believing.take().is_some() {
            cx.effect(Effect::Cancel(Slot::Beliefs));
        }
    }

    /// Takes the answer with `number`, if it is this screen's.
    pub fn answer(
        &mut self,
        number: u64,
        answer: Result<Arc<Report>, Failure>,
        store: &Store,
        cx: &mut Context<'_>,
    ) {
        if self.asked.is_none_or(|asked| asked.number != number) {
            return;
        }
        self.asked = None;
        match answer {
            Ok(report) => {
                self.answered = true;
                self.table.set(Arc::unwrap_or_clone(report));
                if matches!(self.topic, Topic::Keys(_)) {
                    self.table.change(|report| entities::count_findings(report, &store.findings_by_entity()));
                }
            }
            Err(failure) if failure.cancelled && self.answered => cx.say("cancelled"),
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// Takes what copies hold, if it was asked for under `number`.
    pub fn believe(&mut self, number: u64, answer: Result<Arc<Beliefs>, Failure>) {
        if self.believing.is_none_or(|asked| asked.number != number) {
            return;
        }
        self.believing = None;
        match answer {
            Ok(beliefs) => {
                self.beliefs.extend(Arc::unwrap_or_clone(beliefs));
                self.show_beliefs();
            }
            Err(failure) if failure.cancelled => {}
            Err(failure) => self.failure = Some(failure),
        }
    }

    fn show_beliefs(&mut self) {
        if let Topic::Keys(kind) = &self.topic {
            self.table.change(|report| entities::believe(report, kind, &self.beliefs));
        }
    }

    /// Asks for what the copies hold of the keys on screen, as far as that is not known.
    fn ask_beliefs(&mut self, cx: &mut Context<'_>) {
        let is_keys = matches!(self.topic, Topic::Keys(_));
        if !is_keys || !self.answered || self.believing.is_some() || self.failure.is_some() {
            return;
        }
        let height = below_names(self.panes(cx.area).list).height.max(cx.area.height / 2);
        let rows = self.table.on_screen(height).filter_map(|row| row.entity.as_ref());
        let wanted: Vec<String> =
            rows.filter(|entity| !self.beliefs.contains_key(*entity)).take(BELIEFS_MAX).cloned().collect();
        if !wanted.is_empty() {
            let moment = self.as_of.map_or(Moment::End, Moment::Time);
            self.believing = Some(Asked::new(cx.ask(Question::Beliefs { entities: wanted, moment })));
        }
    }

    /// Where keys go.
    pub fn scope(&self) -> Scope {
        if self.table.typing || self.moment.is_some() { Scope::FilterLine } else { Scope::Table }
    }

    /// The parts of the terminal; the list's first line, the columns' names, belongs to the head.
    pub fn panes(&self, area: Rect) -> Panes {
        let summary = u16::try_from(self.table.report().summary.len()).unwrap_or(0).min(3);
        self.table.list.panes(area, HEAD + summary)
    }

    /// Brings the cursors on screen, and asks for what is missing there.
    pub fn settle(&mut self, cx: &mut Context<'_>) {
        let panes = self.panes(cx.area);
        self.table.settle(panes);
        self.ask_beliefs(cx);
    }

    /// A key that no binding takes: text, where text is typed.
    pub fn type_key(&mut self, key: Key) {
        match &mut self.moment {
            Some(line) => {
                line.press(key);
            }
            None => self.table.type_key(key),
        }
    }

    /// Pasted text.
    pub fn paste(&mut self, text: &str) {
        match &mut self.moment {
            Some(line) => line.insert(text),
            None => self.table.paste(text),
        }
    }

    /// Does what a key asks for; a pop-up or a way to go on, if that is it.
    pub fn act(
        &mut self,
        action: Action,
        store: &Store,
        cx: &mut Context<'_>,
    ) -> (Option<Popup>, Option<Outcome>) {
        if self.moment.is_some() {
            if action == Action::Open {
                self.go_to_moment(cx);
            }
            return (None, None);
        }
        let panes = self.panes(cx.area);
        if self.table.act(action, panes) {
            return (None, None);
        }
        match action {
            Action::Open => return open(&self.table),
            Action::Affected => return affected(&self.table, store, cx),
            Action::Compare => return (None, compare(&self.table, cx)),
            Action::Narrow if matches!(self.topic, Topic::Keys(_)) => self.moment = Some(LineEdit::default()),
            Action::Narrow => cx.say("only a list of keys can be shown as of another time"),
            Action::Reload => self.ask(cx),
            Action::Copy => return (Some(self.copies(cx, Outcome::Copy)), None),
            Action::CopyToFile => return (Some(self.copies(cx, Outcome::Save)), None),
            _ => {}
        }
        (None, None)
    }

    /// Shows the copies as of the moment that was typed; of the latest where nothing was.
    fn go_to_moment(&mut self, cx: &mut Context<'_>) {
        let Some(line) = &self.moment else { return };
        let typed = line.text().trim();
        let now = Now { time: cx.now, zone: cx.settings.zone.in_queries() };
        let parsed = if typed.is_empty() { Ok(None) } else { language::parse_time(typed, now).map(Some) };
        match parsed {
            Ok(as_of) => {
                (self.as_of, self.moment) = (as_of, None);
                self.forget_beliefs(cx);
                self.show_beliefs();
            }
            Err(error) => cx.say(error.message),
        }
    }

    fn copies(&self, cx: &Context<'_>, to: fn(String) -> Outcome) -> Popup {
        let copy = |label: &str, text: String| Choice::new(label, &text, to(text.clone()));
        let mut choices = Vec::new();
        if let Some(row) = self.table.row() {
            choices.extend(row.entity.iter().map(|entity| copy("entity", entity.clone())));
            choices.extend(row.finding.iter().map(|finding| copy("finding's id", finding.clone())));
            let lines: Vec<String> =
                row.lines(usize::from(u16::MAX)).iter().map(|line| line.text()).collect();
            choices.push(copy("all that is known of the line", lines.join("\n")));
        }
        choices.push(copy("command for this screen", cx.settings.command(&self.topic.words())));
        Popup::Choice(ChoicePopup::new("Copy", choices))
    }

    /// Goes one step back inside the screen; false if there is none, and the screen itself is left.
    pub fn back(&mut self, cx: &mut Context<'_>) -> bool {
        if self.moment.take().is_some() || self.table.back() {
            return true;
        }
        if self.asked.is_some() {
            cx.effect(Effect::Cancel(Slot::Table));
            return true;
        }
        if self.as_of.is_some() {
            self.moment = Some(LineEdit::default());
            self.go_to_moment(cx);
            return true;
        }
        self.forget_beliefs(cx);
        false
    }

    /// What the mouse does; whether it asks to open the row under the cursor.
    pub fn mouse(&mut self, mouse: Mouse, column: u16, row: u16, cx: &Context<'_>) -> bool {
        let panes = self.panes(cx.area);
        self.table.mouse(mouse, column, row, panes) == Touch::Again
    }
}

/// Where the row under the cursor leads: at once if there is one way, else to choose from.
pub(super) fn open(table: &Table) -> (Option<Popup>, Option<Outcome>) {
    let Some(row) = table.row() else { return (None, None) };
    match row.ways.as_slice() {
        [] => (None, None),
        [way] => (None, Some(way.outcome.clone())),
        ways => (Some(Popup::Choice(ChoicePopup::new("Open", ways.to_vec()))), None),
    }
}

/// Who else has what the row under the cursor has.
pub(super) fn affected(
    table: &Table,
    store: &Store,
    cx: &mut Context<'_>,
) -> (Option<Popup>, Option<Outcome>) {
    let Some(row) = table.row() else { return (None, None) };
    let of = |finding: &str| {
        Outcome::Table(Topic::Affected { finding: finding.to_owned(), entity: row.entity.clone() })
    };
    if let Some(finding) = &row.finding {
        return (None, Some(of(finding)));
    }
    let own = store.findings().filter(|finding| row.entity.is_some() && finding.entity == row.entity);
    let mut choices: Vec<Choice> = own
        .map(|finding| Choice::new(&finding.kind.name().replace('_', " "), &finding.summary, of(&finding.id)))
        .collect();
    match choices.len() {
        0 => cx.say("no finding is known of this line"),
        1 => return (None, choices.pop().map(|choice| choice.outcome)),
        _ => return (Some(Popup::Choice(ChoicePopup::new("Who else has which finding?", choices))), None),
    }
    (None, None)
}

/// The entity of the row under the cursor beside a healthy one.
pub(super) fn compare(table: &Table, cx: &mut Context<'_>) -> Option<Outcome> {
    let entity = table.row().and_then(|row| row.entity.clone());
    if entity.is_none() {
        cx.say("this line is about no single entity");
    }
    entity.map(|a| Outcome::Table(Topic::Compare { a, b: None }))
}

/// As of when the copies are told, in words.
pub fn as_of_words(screen: &TableScreen, zone: crate::times::Zone) -> String {
    screen.as_of.map_or_else(String::new, |time| {
        text::sanitise(&format!("as of {} {} {}", zone.date(time), zone.clock(time, 3), zone.label(time)))
            .into_owned()
    })
}
