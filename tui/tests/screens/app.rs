//! The whole state over a hand-made store, and what it looks like.

use std::collections::VecDeque;
use std::sync::Arc;

use crossterm::event::KeyCode;
use query::archive::Effort;
use query::interface::{FollowAnswer, FollowRequest, IncidentsRequest, Query, SearchRequest};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use tui::edge::{tables, traces};
use tui::keys::Key;
use tui::message::{Answer, Effect, Failure, Live, Message, Question, Slot};
use tui::screens::timeline::TimelineScreen;
use tui::state::{Screen, Settings, State};
use tui::theme::Theme;
use tui::times::UTC;
use tui::told::Told;
use tui::update::update;
use tui::view;

use crate::canned::{self, Canned};

pub(crate) const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

pub(crate) struct App {
    pub(crate) state: State,
    pub(crate) store: Canned,
    /// Questions that are not answered yet, while answers are held back.
    pub(crate) open: VecDeque<(u64, Question)>,
    pub(crate) copied: Vec<String>,
    pub(crate) saved: Vec<(String, String)>,
    pub(crate) mouse: bool,
    pub(crate) suspended: u32,
    pub(crate) left: bool,
}

impl App {
    pub(crate) fn new(size: (u16, u16), records: u64, theme: Theme) -> App {
        let settings = Settings {
            theme,
            zone: UTC,
            source: "/data/backstory".to_owned(),
            exporter: vec!["export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317".to_owned()],
            ..Settings::default()
        };
        let state = State::new(settings, size, canned::at(30_000.0));
        let store = Canned::new(records, false);
        App {
            state,
            store,
            open: VecDeque::new(),
            copied: Vec::new(),
            saved: Vec::new(),
            mouse: true,
            suspended: 0,
            left: false,
        }
    }

    /// At home on a store of so many records.
    pub(crate) fn home(size: (u16, u16), records: u64) -> App {
        let mut app = App::new(size, records, Theme::default());
        app.begin();
        app
    }

    /// The first two seconds: what the store holds, then what is wrong in it.
    pub(crate) fn begin(&mut self) {
        self.send(Message::Tick(canned::at(29_000.0)));
        self.send(Message::Tick(canned::at(30_000.0)));
    }

    /// On the timeline of an entity.
    pub(crate) fn timeline(size: (u16, u16), entity: &str) -> App {
        let mut app = App::home(size, 60);
        let effects = app.state.open_timeline(entity);
        app.take(effects);
        app.answer_all();
        app
    }

    pub(crate) fn send(&mut self, message: Message) {
        let effects = update(&mut self.state, message);
        self.take(effects);
        self.answer_all();
    }

    pub(crate) fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask { number, question } => self.open.push_back((number, question)),
                Effect::Cancel(slot) => {
                    let (given_up, open): (VecDeque<_>, _) =
                        self.open.drain(..).partition(|(_, question)| question.slot() == slot);
                    self.open = open;
                    for (number, _) in given_up {
                        let failure = Failure { message: "cancelled".to_owned(), at: None, cancelled: true };
                        self.hold(Message::Answer { slot, number, answer: Err(failure) });
                    }
                }
                Effect::Copy(text) => self.copied.push(text),
                Effect::Save { name, text } => self.saved.push((name, text)),
                Effect::Mouse(on) => self.mouse = on,
                Effect::Suspend => self.suspended += 1,
                Effect::Quit => self.left = true,
            }
        }
    }

    /// Sends a message, and leaves what it asks unanswered.
    pub(crate) fn hold(&mut self, message: Message) {
        let effects = update(&mut self.state, message);
        self.take(effects);
    }

    /// The number of the question that is open in a line.
    pub(crate) fn waiting_for(&self, slot: Slot) -> Option<u64> {
        self.open.iter().find(|(_, question)| question.slot() == slot).map(|(number, _)| *number)
    }

    /// The open question of a line fails.
    pub(crate) fn fail(&mut self, slot: Slot, message: &str) {
        let number = self.waiting_for(slot).expect("an open question");
        self.open.retain(|(open, _)| *open != number);
        let failure = Failure { message: message.to_owned(), at: None, cancelled: false };
        self.hold(Message::Answer { slot, number, answer: Err(failure) });
    }

    pub(crate) fn answer_all(&mut self) {
        while self.answer_one() {}
    }

    /// Answers the oldest open question; false if there is none.
    pub(crate) fn answer_one(&mut self) -> bool {
        let Some((number, question)) = self.open.pop_front() else { return false };
        let slot = question.slot();
        let answer = self.ask(question);
        let effects = update(&mut self.state, Message::Answer { slot, number, answer });
        self.take(effects);
        true
    }

    fn ask(&self, question: Question) -> Result<Answer, Failure> {
        let effort = Effort::new(1_000_000);
        Ok(match question {
            Question::Live { after } => {
                let records = self.follow(String::new(), after)?;
                Answer::Live(Box::new(Live { stats: self.store.stats()?, records, status: String::new() }))
            }
            Question::Follow { query, after } => Answer::Follow(Box::new(self.follow(query, after)?)),
            Question::Trace { trace, corrections } => {
                Answer::Trace(Arc::new(traces::of(&self.store, trace, &corrections, &effort)?))
            }
            Question::Incidents => {
                Answer::Incidents(Arc::new(self.store.incidents(&IncidentsRequest::default(), &effort)?))
            }
            Question::Table(topic) => Answer::Table(Arc::new(tables::report(&self.store, &topic, &effort)?)),
            Question::Beliefs { entities, moment } => {
                Answer::Beliefs(Arc::new(tables::beliefs(&self.store, entities, &moment, &effort)?))
            }
            Question::Export { told, format } => Answer::Export {
                name: format!("order-42.{}", format.endings()[0]),
                export: format.of(&told.0.document),
            },
            Question::Search(request) => Answer::Search(Box::new(self.store.search(&request, &effort)?)),
            Question::Find(value) => Answer::Find(self.store.find(&value, &effort)?),
            Question::Timeline(request) => {
                Answer::Timeline(Arc::new(Told::new(self.store.timeline(&request, &effort)?)))
            }
        })
    }

    fn follow(
        &self,
        query: String,
        after: Option<timeline::record::Position>,
    ) -> Result<FollowAnswer, query::interface::QueryError> {
        let effort = Effort::new(1_000_000);
        let request = FollowRequest { query: query.clone(), after, limit: 500 };
        let mut records = self.store.follow(&request, &effort)?;
        if after.is_none() {
            let newest = SearchRequest { query, limit: 500, before: None };
            records.records = self.store.search(&newest, &effort)?.records;
            records.records.reverse();
        }
        Ok(records)
    }

    /// Presses keys: `jj<enter>`, `<ctrl-c>`.
    pub(crate) fn press(&mut self, keys: &str) {
        let mut rest = keys;
        while let Some(c) = rest.chars().next() {
            let named = rest.strip_prefix('<').and_then(|tail| tail.split_once('>'));
            let key = match named {
                Some((name, tail)) => {
                    rest = tail;
                    named_key(name)
                }
                None => {
                    rest = &rest[c.len_utf8()..];
                    Key::char(c)
                }
            };
            self.send(Message::Key(key));
        }
    }

    pub(crate) fn buffer(&self) -> Buffer {
        let (columns, rows) = self.state.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a test terminal");
        terminal.draw(|frame| view::draw(&self.state, frame)).expect("a drawn frame");
        terminal.backend().buffer().clone()
    }

    pub(crate) fn screen(&self) -> String {
        let buffer = self.buffer();
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let line: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// Each run of cells that do not look plain: `row:from..to style`.
    pub(crate) fn styles(&self) -> String {
        let buffer = self.buffer();
        let mut runs = Vec::new();
        for y in 0..buffer.area.height {
            let styles: Vec<Style> = (0..buffer.area.width).map(|x| buffer[(x, y)].style()).collect();
            let mut x = 0;
            for run in styles.chunk_by(|a, b| a == b) {
                let look = look(run[0]);
                if !look.is_empty() {
                    runs.push(format!("{y}:{x}..{} {look}", x + run.len()));
                }
                x += run.len();
            }
        }
        runs.join("\n")
    }
}

fn look(style: Style) -> String {
    let colour = style.fg.filter(|fg| *fg != ratatui::style::Color::Reset).map(|fg| fg.to_string());
    let modifier = style.add_modifier;
    let words = colour.into_iter().chain((!modifier.is_empty()).then(|| format!("{modifier:?}")));
    words.collect::<Vec<_>>().join(" ")
}

fn named_key(name: &str) -> Key {
    match name {
        "enter" => Key::plain(KeyCode::Enter),
        "esc" => Key::plain(KeyCode::Esc),
        "tab" => Key::plain(KeyCode::Tab),
        "up" => Key::plain(KeyCode::Up),
        "down" => Key::plain(KeyCode::Down),
        "space" => Key::char(' '),
        "left" => Key::plain(KeyCode::Left),
        "right" => Key::plain(KeyCode::Right),
        "shift-tab" => Key::plain(KeyCode::BackTab),
        "pgdn" => Key::plain(KeyCode::PageDown),
        "pgup" => Key::plain(KeyCode::PageUp),
        other => Key::ctrl(other.strip_prefix("ctrl-").and_then(|c| c.chars().next()).expect("a named key")),
    }
}

pub(crate) fn timeline_of(app: &App) -> &TimelineScreen {
    match app.state.screen() {
        Some(Screen::Timeline(timeline)) => timeline,
        other => panic!("no timeline: {other:?}"),
    }
}

/// The event under the cursor, as `service: name`.
pub(crate) fn here(app: &App) -> String {
    let timeline = timeline_of(app);
    let told = timeline.told.as_ref().expect("an answer");
    let (at, _) = timeline.cursor().expect("an event");
    tui::why::title(told, told.event(at).expect("an event"))
}
