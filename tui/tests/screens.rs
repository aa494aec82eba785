//! Keys in, screen out: the whole state on a test terminal over a hand-made store.

mod canned;

use std::collections::VecDeque;
use std::sync::Arc;

use canned::Canned;
use crossterm::event::KeyCode;
use proptest::prelude::*;
use query::archive::Effort;
use query::interface::{FollowRequest, Query, SearchRequest};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use tui::keys::{BINDINGS, Key};
use tui::layout::LaneColumns;
use tui::message::{Answer, Effect, Failure, Live, Message, Mouse, Question};
use tui::screens::home::HomePanes;
use tui::scroll::Scroll;
use tui::state::{Screen, Settings, State};
use tui::theme::{Palette, Theme};
use tui::times::UTC;
use tui::told::Told;
use tui::update::update;
use tui::view;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

struct App {
    state: State,
    store: Canned,
    /// Questions that are not answered yet, while answers are held back.
    open: VecDeque<(u64, Question)>,
    copied: Vec<String>,
    left: bool,
}

impl App {
    fn new(size: (u16, u16), records: u64, theme: Theme) -> App {
        let settings = Settings {
            theme,
            zone: UTC,
            source: "/data/backstory".to_owned(),
            exporter: vec!["export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317".to_owned()],
            ..Settings::default()
        };
        let state = State::new(settings, size, canned::at(30_000.0));
        let store = Canned::new(records, false);
        App { state, store, open: VecDeque::new(), copied: Vec::new(), left: false }
    }

    /// At home on a store of so many records.
    fn home(size: (u16, u16), records: u64) -> App {
        let mut app = App::new(size, records, Theme::default());
        app.send(Message::Tick(canned::at(30_000.0)));
        app
    }

    /// On the timeline of an entity.
    fn timeline(size: (u16, u16), entity: &str) -> App {
        let mut app = App::home(size, 60);
        let effects = app.state.open_timeline(entity);
        app.take(effects);
        app.answer_all();
        app
    }

    fn send(&mut self, message: Message) {
        let effects = update(&mut self.state, message);
        self.take(effects);
        self.answer_all();
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask { number, question } => self.open.push_back((number, question)),
                Effect::Cancel(slot) => self.open.retain(|(_, question)| question.slot() != slot),
                Effect::Copy(text) => self.copied.push(text),
                Effect::Quit => self.left = true,
            }
        }
    }

    fn answer_all(&mut self) {
        while self.answer_one() {}
    }

    /// Answers the oldest open question; false if there is none.
    fn answer_one(&mut self) -> bool {
        let Some((number, question)) = self.open.pop_front() else { return false };
        let slot = question.slot();
        let answer = self.ask(question).map_err(Failure::from);
        let effects = update(&mut self.state, Message::Answer { slot, number, answer });
        self.take(effects);
        true
    }

    fn ask(&self, question: Question) -> Result<Answer, query::interface::QueryError> {
        let effort = Effort::new(1_000_000);
        Ok(match question {
            Question::Live { after } => {
                let request = FollowRequest { query: String::new(), after, limit: 500 };
                let mut records = self.store.follow(&request, &effort)?;
                if after.is_none() {
                    let newest = SearchRequest { query: String::new(), limit: 500, before: None };
                    records.records = self.store.search(&newest, &effort)?.records;
                    records.records.reverse();
                }
                Answer::Live(Box::new(Live { stats: self.store.stats()?, records, status: String::new() }))
            }
            Question::Search(request) => Answer::Search(Box::new(self.store.search(&request, &effort)?)),
            Question::Find(value) => Answer::Find(self.store.find(&value, &effort)?),
            Question::Timeline(request) => {
                Answer::Timeline(Arc::new(Told::new(self.store.timeline(&request, &effort)?)))
            }
        })
    }

    /// Presses keys: `jj<enter>`, `<ctrl-c>`.
    fn press(&mut self, keys: &str) {
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

    fn buffer(&self) -> Buffer {
        let (columns, rows) = self.state.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a test terminal");
        terminal.draw(|frame| view::draw(&self.state, frame)).expect("a drawn frame");
        terminal.backend().buffer().clone()
    }

    fn screen(&self) -> String {
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
    fn styles(&self) -> String {
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
        other => Key::ctrl(other.strip_prefix("ctrl-").and_then(|c| c.chars().next()).expect("a named key")),
    }
}

/// The same keys at the three sizes, as one snapshot.
fn shown(start: impl Fn((u16, u16)) -> App, keys: &str) -> String {
    let one = |size: (u16, u16)| {
        let mut app = start(size);
        app.press(keys);
        format!("{}×{}\n{}", size.0, size.1, app.screen())
    };
    SIZES.map(one).join("\n")
}

macro_rules! screens {
    ($($name:ident: $start:expr, $keys:literal;)*) => { $(
        #[test]
        fn $name() {
            insta::assert_snapshot!(shown($start, $keys));
        }
    )* };
}

const INCIDENT: fn((u16, u16)) -> App = |size| App::timeline(size, "order/42");

screens! {
    home: |size| App::home(size, 60), "jj";
    home_of_an_empty_store: |size| App::home(size, 0), "";
    home_services: |size| App::home(size, 60), "<tab>j";
    search_of_a_bare_value: |size| App::home(size, 60), "/42<enter>";
    search_error_points_at_the_place: |size| App::home(size, 60), "/order \"x";
    search_without_results: |size| App::home(size, 60), "/nowhere<enter>";
    search_detail: |size| App::home(size, 60), "/orders<enter>jj<tab>j";
    what_a_record_opens: |size| App::home(size, 60), "j<enter>";
    timeline: INCIDENT, "";
    timeline_changes_only: INCIDENT, "zz";
    timeline_everything: INCIDENT, "zGkk";
    timeline_filtered: INCIDENT, "/charge";
    timeline_detail: INCIDENT, "n<enter>";
    timeline_in_utc: INCIDENT, "Tjjj";
    timeline_of_nothing: |size| App::timeline(size, "order/nobody"), "";
    why_an_event: INCIDENT, "xw";
    why_this_order: INCIDENT, "jj<space>GXkkw";
    help: INCIDENT, "?";
    palette: INCIDENT, ":gap";
    copy: INCIDENT, "y";
    basis: INCIDENT, "i";
}

#[test]
fn looks_of_the_timeline() {
    insta::assert_snapshot!(App::timeline((80, 24), "order/42").styles());
}

#[test]
fn without_colours_and_drawing_characters_everything_is_still_said() {
    let theme = Theme { palette: Palette::Plain, ascii: true };
    let mut app = App::new((80, 24), 60, theme);
    let effects = app.state.open_timeline("order/42");
    app.take(effects);
    app.answer_all();
    let screen = app.screen();
    let styles = app.styles();
    assert!(
        ["Red", "Green", "Yellow", "Magenta", "Cyan", "Blue"].iter().all(|colour| !styles.contains(colour))
    );
    assert!(screen.is_ascii(), "{screen}");
    insta::assert_snapshot!(screen);
}

#[test]
fn a_timeline_of_many_services_scrolls_its_lanes() {
    let mut app = App::timeline((80, 24), "order/large");
    app.press("llllll");
    insta::assert_snapshot!(app.screen());
}

#[test]
fn live_records_keep_the_cursor_on_its_record() {
    let mut app = App::home((80, 24), 60);
    app.press("jjj");
    let line = |app: &App| {
        let Some(Screen::Home(home)) = app.state.screen() else { panic!("not at home") };
        home.shown(&app.state.store)[home.records.at].record
    };
    let before = line(&app);
    app.store = Canned::new(60, true);
    for second in 1..20 {
        app.send(Message::Tick(canned::at(30_000.0 + 1000.0 * f64::from(second))));
    }
    assert_eq!(line(&app), before);
    assert_eq!(app.state.store.arrived, 19);
}

#[test]
fn a_late_answer_to_a_superseded_question_is_ignored() {
    let mut app = App::home((80, 24), 60);
    app.press("/");
    let first = update(&mut app.state, Message::Key(Key::char('4')));
    let second = update(&mut app.state, Message::Key(Key::char('x')));
    app.take(second);
    app.answer_all();
    let Some(Screen::Search(search)) = app.state.screen() else { panic!("not searching") };
    assert_eq!(search.total, Some(0), "4x is nowhere");
    app.take(first);
    app.answer_all();
    let Some(Screen::Search(search)) = app.state.screen() else { panic!("not searching") };
    assert_eq!((search.total, search.len()), (Some(0), 0));
}

#[test]
fn pages_follow_the_cursor_to_the_end() {
    let mut app = App::home((80, 24), 730);
    app.press("s<tab>GGGGG");
    let Some(Screen::Search(search)) = app.state.screen() else { panic!("not searching") };
    assert_eq!((search.records.len(), search.total, search.scroll.at), (730, Some(730), 729));
}

#[test]
fn the_detail_leads_to_causes() {
    let mut app = App::timeline((120, 40), "order/42");
    app.press("jjjj"); // payments: POST /charges
    app.press("b");
    let Some(Screen::Timeline(timeline)) = app.state.screen() else { panic!("no timeline") };
    let told = timeline.told.as_ref().unwrap();
    let (at, _) = timeline.cursor().unwrap();
    assert_eq!(
        (told.lanes[told.lane(at)].service.as_str(), told.event(at).unwrap().name.as_str()),
        ("orders", "POST /charges")
    );
}

#[test]
fn esc_never_leaves_by_surprise() {
    let mut app = App::timeline((80, 24), "order/42");
    app.press("/charge<enter><enter><esc><esc><esc><esc><esc><esc>");
    assert!(!app.left && matches!(app.state.screen(), Some(Screen::Home(_))));
    app.press("q");
    assert!(app.left);
}

#[test]
fn a_command_that_shows_the_same_can_be_copied() {
    let mut app = App::timeline((80, 24), "order/42");
    app.press("ycommand<enter>");
    app.state.settings.source_option = "--data /data/backstory".to_owned();
    app.press("ycommand<enter>s<tab>ycommand<enter>");
    let expected = [
        "backstory timeline order/42",
        "backstory timeline order/42 --data /data/backstory",
        "backstory search '' --data /data/backstory",
    ];
    assert_eq!(app.copied, expected);
}

/// What a user, a terminal and a store can do, in any order.
#[derive(Clone, Debug)]
enum Step {
    Key(Key),
    Resize(u16, u16),
    Mouse(Mouse, u16, u16),
    Paste(String),
    Tick,
    Answer,
}

fn step() -> impl Strategy<Value = Step> {
    let bound: Vec<Key> = BINDINGS.iter().flat_map(|binding| binding.keys.iter().copied()).collect();
    let quit = [Key::char('q'), Key::ctrl('c')];
    let bound: Vec<Key> = bound.into_iter().filter(|key| !quit.contains(key)).collect();
    prop_oneof![
        12 => proptest::sample::select(bound).prop_map(Step::Key),
        3 => any::<char>().prop_map(|c| Step::Key(Key::char(c))),
        1 => (0_u16..230, 0_u16..70).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        1 => (proptest::sample::select(vec![Mouse::Click, Mouse::WheelUp, Mouse::WheelDown]), 0_u16..230, 0_u16..70)
            .prop_map(|(mouse, column, row)| Step::Mouse(mouse, column, row)),
        1 => "[a-z0-9:\"/ é日]{0,12}".prop_map(Step::Paste),
        1 => Just(Step::Tick),
        6 => Just(Step::Answer),
    ]
}

fn on_screen(scroll: Scroll, length: usize, height: usize) -> bool {
    scroll.at < length.max(1) && scroll.top <= scroll.at && scroll.at < scroll.top + height.max(1)
}

/// What holds after every message.
fn holds(state: &State) -> bool {
    let area = state.area();
    let cursors = match state.screen() {
        Some(Screen::Home(home)) => {
            let panes = HomePanes::new(area, state.store.services().len());
            let height = usize::from(HomePanes::inner(panes.records).height);
            on_screen(home.records, home.shown(&state.store).len(), height)
        }
        Some(Screen::Search(search)) => {
            on_screen(search.scroll, search.len(), usize::from(search.panes(area).list.height))
        }
        Some(Screen::Timeline(timeline)) => {
            let panes = timeline.panes(area);
            let lanes = timeline.told.as_ref().map_or(0, |told| told.lanes.len());
            let columns = LaneColumns::new(panes.list.width, lanes);
            timeline.rows.is_sorted()
                && on_screen(timeline.scroll, timeline.rows.len(), usize::from(panes.list.height))
                && (timeline.lane_first < lanes.max(1))
                && columns.shown <= lanes
                && timeline.rows.is_empty() == timeline.cursor().is_none()
        }
        None => false,
    };
    cursors && matches!(state.screens().first(), Some(Screen::Home(_)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn nothing_that_is_done_breaks_it(
        steps in proptest::collection::vec(step(), 0..80),
        on_timeline: bool,
    ) {
        let mut app = if on_timeline { App::timeline((80, 24), "order/42") } else { App::home((80, 24), 60) };
        for step in steps {
            let effects = match step {
                Step::Key(key) => update(&mut app.state, Message::Key(key)),
                Step::Resize(columns, rows) => update(&mut app.state, Message::Resize(columns, rows)),
                Step::Mouse(mouse, column, row) => update(&mut app.state, Message::Mouse(mouse, column, row)),
                Step::Paste(text) => update(&mut app.state, Message::Paste(text)),
                Step::Tick => update(&mut app.state, Message::Tick(canned::at(40_000.0))),
                Step::Answer => {
                    app.answer_one();
                    Vec::new()
                }
            };
            app.take(effects);
            prop_assert!(holds(&app.state), "{:?}", app.state.screen());
            app.buffer();
        }
    }

    #[test]
    fn every_size_can_be_drawn(columns in 0_u16..40, rows in 0_u16..12, keys in "[jkwz?:/ync\t]{0,6}") {
        for mut app in [App::home((columns, rows), 20), App::timeline((columns, rows), "order/42")] {
            app.press(&keys);
            app.buffer();
        }
    }
}
