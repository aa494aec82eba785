//! Keys in, screen out: the whole state on a test terminal over a hand-made store.

mod canned;

use std::collections::VecDeque;
use std::sync::Arc;

use canned::Canned;
use crossterm::event::KeyCode;
use proptest::prelude::*;
use query::archive::Effort;
use query::interface::{FollowAnswer, FollowRequest, Query, SearchRequest};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use timeline::time::Time;
use tui::keys::{BINDINGS, Key, Keymap, Scope};
use tui::layout::Focus;
use tui::message::{Answer, Effect, Failure, Live, Message, Mouse, Question, Slot};
use tui::screens::home::HomePanes;
use tui::screens::timeline::{Column, TimelineScreen};
use tui::scroll::Scroll;
use tui::state::{Screen, Settings, State};
use tui::theme::{Palette, Theme};
use tui::times::UTC;
use tui::told::Told;
use tui::tour::Tour;
use tui::update::update;
use tui::view;
use tui::waterfall::Waterfall;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

struct App {
    state: State,
    store: Canned,
    /// Questions that are not answered yet, while answers are held back.
    open: VecDeque<(u64, Question)>,
    copied: Vec<String>,
    saved: Vec<(String, String)>,
    mouse: bool,
    suspended: u32,
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
                Effect::Save { name, text } => self.saved.push((name, text)),
                Effect::Mouse(on) => self.mouse = on,
                Effect::Suspend => self.suspended += 1,
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
                let records = self.follow(String::new(), after)?;
                Answer::Live(Box::new(Live { stats: self.store.stats()?, records, status: String::new() }))
            }
            Question::Follow { query, after } => Answer::Follow(Box::new(self.follow(query, after)?)),
            Question::Trace { trace, corrections } => {
                let records = canned::trace_records(trace);
                let total = records.len() as u64;
                let waterfall =
                    Waterfall::new(trace, records, total, Canned::whole(total, total), &corrections);
                Answer::Trace(Arc::new(waterfall))
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
        "left" => Key::plain(KeyCode::Left),
        "right" => Key::plain(KeyCode::Right),
        "shift-tab" => Key::plain(KeyCode::BackTab),
        "pgdn" => Key::plain(KeyCode::PageDown),
        "pgup" => Key::plain(KeyCode::PageUp),
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
    state_at_the_stale_read: INCIDENT, "zzz]]]]]]<tab>";
    timeline_marked: INCIDENT, "/charge<tab><enter>";
    findings: INCIDENT, "f";
    export: INCIDENT, "e";
    narrow: INCIDENT, "W";
    trace: INCIDENT, "t";
    trace_folded_found_and_nearer: INCIDENT, "t/charge<enter>b<space>++";
    trace_detail: INCIDENT, "tccc<enter>";
    live: |size| App::home(size, 60), "Fjj<space>";
    many_events: |size| App::timeline(size, "order/large"), "GL";
    tour: |size| { let mut app = App::timeline(size, "order/42"); app.state.tour = Some(Tour::default()); app }, "n";
}

/// The looks of a screen after some keys, at the three sizes.
fn looks_of(start: impl Fn((u16, u16)) -> App, keys: &str) -> String {
    let one = |size: (u16, u16)| {
        let mut app = start(size);
        app.press(keys);
        format!("{}×{}\n{}", size.0, size.1, app.styles())
    };
    SIZES.map(one).join("\n\n")
}

macro_rules! looks {
    ($($name:ident: $start:expr, $keys:literal;)*) => { $(
        #[test]
        fn $name() {
            insta::assert_snapshot!(looks_of($start, $keys));
        }
    )* };
}

looks! {
    looks_of_home: |size| App::home(size, 60), "jj";
    looks_of_a_search: |size| App::home(size, 60), "/42<enter>j";
    looks_of_the_timeline: INCIDENT, "";
    looks_of_the_state: INCIDENT, "]]]]]]<tab>";
    looks_of_marks: INCIDENT, "/charge<tab><enter>";
    looks_of_the_trace: INCIDENT, "tccc";
    looks_of_live: |size| App::home(size, 60), "Fjj<space>";
    looks_of_a_pop_up: INCIDENT, "xw";
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

fn timeline_of(app: &App) -> &TimelineScreen {
    match app.state.screen() {
        Some(Screen::Timeline(timeline)) => timeline,
        other => panic!("no timeline: {other:?}"),
    }
}

/// The event under the cursor, as `service: name`.
fn here(app: &App) -> String {
    let timeline = timeline_of(app);
    let told = timeline.told.as_ref().expect("an answer");
    let (at, _) = timeline.cursor().expect("an event");
    tui::why::title(told, told.event(at).expect("an event"))
}

#[test]
fn jumps_go_to_what_they_say() {
    let mut app = App::timeline((120, 40), "order/42");
    let mut after = |keys: &str| {
        app.press(keys);
        here(&app)
    };
    assert_eq!(after("]"), "orders: end of INSERT orders");
    assert_eq!(after("]"), "payments: end of INSERT charges");
    assert_eq!(after("["), "orders: end of INSERT orders");
    assert_eq!(after(".,"), "orders: end of INSERT orders", "second keys do the same");
    assert_eq!(after("x"), "orders: end of POST /charges");
    assert_eq!(after("X"), "orders: end of POST /charges", "there is no error before it");
    assert_eq!(after("gn"), "payments: end of INSERT charges");
    assert_eq!(after("N"), "payments: end of INSERT charges");
    assert_eq!(after("gp"), "orders: INSERT orders");
    assert_eq!(after("P"), "orders: POST /orders");
    assert_eq!(after("oo"), "orders: end of INSERT orders");
    assert_eq!(after("O"), "orders: INSERT orders");
    assert_eq!(after("gd"), "orders: INSERT orders", "what came out of it first");
    assert_eq!(after(">"), "orders: end of INSERT orders");
    assert_eq!(after("<"), "orders: INSERT orders");
    assert_eq!(after("b"), "orders: POST /orders");
}

#[test]
fn one_goes_back_and_forward_through_where_one_has_been() {
    let mut app = App::timeline((120, 40), "order/42");
    app.press("]]x");
    let last = here(&app);
    app.press("uu");
    assert_eq!(here(&app), "orders: end of INSERT orders");
    app.press("<ctrl-o>");
    assert_eq!(here(&app), "orders: POST /orders");
    app.press("UUU");
    assert_eq!(here(&app), last);
    app.press("U");
    assert_eq!(app.state.notice.as_deref(), Some("nowhere to go forward to"));
}

#[test]
fn each_zoom_shows_more_than_the_one_before() {
    let mut app = App::timeline((120, 40), "order/42");
    let mut rows = Vec::new();
    for _ in 0..4 {
        rows.push((timeline_of(&app).zoom.label(), timeline_of(&app).rows.len()));
        app.press("z");
    }
    let names: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["story", "everything", "changes", "causes"]);
    assert!(rows[2].1 < rows[3].1 && rows[3].1 <= rows[0].1 && rows[0].1 < rows[1].1, "{rows:?}");
    app.press("Z");
    assert_eq!(timeline_of(&app).zoom.label(), "causes");
}

#[test]
fn a_marked_text_hides_nothing_and_is_jumped_to() {
    let mut app = App::timeline((120, 40), "order/42");
    let all = timeline_of(&app).rows.len();
    app.press("/stock<tab><enter>");
    assert_eq!(timeline_of(&app).rows.len(), all);
    app.press("gv");
    assert_eq!(here(&app), "inventory: UPDATE stock");
    app.press("/<tab>");
    assert!(timeline_of(&app).rows.len() < all, "now only what contains it is shown");
    app.press("<esc>");
    assert_eq!(timeline_of(&app).rows.len(), all);
}

#[test]
fn a_pinned_lane_stays_while_the_others_scroll() {
    let mut app = App::timeline((80, 24), "order/large");
    app.press("Lllllll");
    assert!(timeline_of(&app).plan(80).is_some_and(|plan| plan.before > 0 || plan.after > 0));
    let first = timeline_of(&app).plan(80).expect("lanes").columns[0];
    assert_eq!(first, Column::Lane(0), "the pinned one");
    app.press("L");
    assert_eq!(timeline_of(&app).lanes.pinned, None);
}

#[test]
fn lanes_without_state_fold_where_there_is_no_room_for_all() {
    let mut app = App::timeline((80, 24), "order/crowded");
    let plan = timeline_of(&app).plan(80).expect("lanes");
    assert_eq!(plan.columns.last(), Some(&Column::Others));
    assert!(plan.folded > 8, "{plan:?}");
    app.press("A");
    assert_eq!(timeline_of(&app).plan(80).expect("lanes").folded, 0);
}

#[test]
fn a_timeline_grows_without_moving_what_one_reads() {
    let mut app = App::timeline((120, 40), "order/growing");
    app.press("jjjjj");
    let (before, line) = (here(&app), timeline_of(&app).scroll.at - timeline_of(&app).scroll.top);
    app.store.growing = true;
    for second in 1..8 {
        app.send(Message::Tick(canned::at(30_000.0 + 1000.0 * f64::from(second))));
    }
    let timeline = timeline_of(&app);
    assert!(timeline.growth.fresh > 0, "it says so");
    assert_eq!((here(&app), timeline.scroll.at - timeline.scroll.top), (before, line));
    assert!(app.screen().contains("new since"));
    app.press("r");
    assert_eq!(timeline_of(&app).growth.fresh, 0, "what one asks for is not new");
}

#[test]
fn a_timeline_that_could_not_be_had_is_asked_for_again_once_the_store_is_back() {
    let mut app = App::home((120, 40), 60);
    let effects = app.state.open_timeline("order/42");
    let down = || Failure { message: "connection refused".to_owned(), at: None, cancelled: false };
    for effect in effects {
        let Effect::Ask { number, question } = effect else { continue };
        let answer = Message::Answer { slot: question.slot(), number, answer: Err(down()) };
        update(&mut app.state, answer);
    }
    assert!(app.screen().contains("connection refused"));
    let tick = update(&mut app.state, Message::Tick(canned::at(33_000.0)));
    for effect in tick {
        let Effect::Ask { number, question } = effect else { continue };
        assert_eq!(question.slot(), Slot::Live, "while the store is down, it alone is asked");
        update(&mut app.state, Message::Answer { slot: Slot::Live, number, answer: Err(down()) });
    }
    app.send(Message::Tick(canned::at(36_000.0)));
    app.send(Message::Tick(canned::at(39_000.0)));
    assert!(timeline_of(&app).told.is_some());
}

#[test]
fn a_timeline_can_be_narrowed_and_widened_again() {
    let mut app = App::timeline((120, 40), "order/42");
    app.press("W<down><enter>");
    assert!(timeline_of(&app).window.since.is_some());
    assert!(app.screen().contains("a stretch of its time"));
    app.press("<esc>");
    assert_eq!(timeline_of(&app).window.since, None);
}

#[test]
fn findings_lead_to_their_events() {
    let mut app = App::timeline((120, 40), "order/42");
    app.press("fstale<enter>");
    assert_eq!(here(&app), "orders: end of UPDATE orders");
    app.press("u");
    assert_eq!(here(&app), "orders: POST /orders");
}

#[test]
fn exports_and_copies_become_files() {
    let mut app = App::timeline((120, 40), "order/42");
    app.press("emermaid<enter>Ycommand<enter>");
    let names: Vec<&str> = app.saved.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["order-42.mmd", "backstory-copy.txt"]);
    assert!(app.saved[0].1.contains("sequenceDiagram"));
    app.send(Message::Said("written to order-42.mmd".to_owned()));
    assert!(app.screen().contains("written to order-42.mmd"));
}

#[test]
fn the_state_pane_travels_with_the_cursor_and_leads_to_what_made_it_so() {
    let mut app = App::timeline((120, 40), "order/42");
    let value = |app: &App| {
        let lines = timeline_of(app).state_lines(app.state.area(), &app.state.settings);
        let lines: Vec<String> = lines.iter().map(tui::lines::TextLine::text).collect();
        lines.iter().find(|line| line.contains("status")).cloned().unwrap_or_default()
    };
    assert!(value(&app).contains("unknown"), "{}", value(&app));
    app.press("]");
    assert!(value(&app).contains("created"), "{}", value(&app));
    app.press("G");
    assert!(value(&app).contains("paid"), "{}", value(&app));
    app.press("<tab>");
    assert_eq!(timeline_of(&app).focus, Focus::State);
    app.press("gjjj<enter>");
    assert_eq!(here(&app), "orders: end of UPDATE orders");
}

#[test]
fn the_trace_is_walked() {
    let mut app = App::timeline((120, 40), "order/42");
    app.press("t");
    let line = |app: &App| match app.state.screen() {
        Some(Screen::Trace(trace)) => {
            trace.waterfall.as_ref().expect("an answer").label(trace.line().expect("a line"))
        }
        other => panic!("no trace: {other:?}"),
    };
    app.press("gx");
    assert_eq!(line(&app), "INSERT charges");
    app.press("b");
    assert_eq!(line(&app), "POST /charges");
    app.press("d");
    assert_eq!(line(&app), "risk check");
    app.press("u");
    assert_eq!(line(&app), "POST /charges");
    app.press("gc");
    assert_eq!(line(&app), "INSERT orders", "the next one on the critical path");
    app.press("G<space>/stock<enter>");
    assert_eq!(line(&app), "UPDATE stock");
    let shown = |app: &App| match app.state.screen() {
        Some(Screen::Trace(trace)) => trace.shown_time(),
        _ => panic!("no trace"),
    };
    let whole = shown(&app);
    app.press("++");
    let length = |(from, to): (Time, Time)| to.since(from);
    assert_eq!(length(shown(&app)), length(whole) / 4);
    app.press("h<right>-0");
    assert_eq!(shown(&app), whole);
    app.press("<esc><esc>");
    assert!(matches!(app.state.screen(), Some(Screen::Timeline(_))));
}

#[test]
fn live_waits_while_it_is_paused() {
    let mut app = App::home((120, 40), 60);
    app.press("F");
    app.store.growing = true;
    let live = |app: &App| match app.state.screen() {
        Some(Screen::Live(live)) => (live.records.len(), live.waiting.len()),
        other => panic!("not live: {other:?}"),
    };
    let tick = |app: &mut App, second: f64| app.send(Message::Tick(canned::at(40_000.0 + second * 1000.0)));
    tick(&mut app, 1.0);
    let (before, _) = live(&app);
    app.press("<space>");
    tick(&mut app, 2.0);
    tick(&mut app, 3.0);
    assert_eq!(live(&app).0, before);
    assert!(live(&app).1 > 0);
    app.press("<space>");
    assert!(live(&app).0 > before && live(&app).1 == 0);
    app.press("/nowhere<enter>");
    assert_eq!(live(&app).0, 0);
    app.press("<esc>");
    assert!(live(&app).0 > 0, "without the filter all is there again");
}

#[test]
fn times_have_their_zone_on_screen_at_every_size() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut app = App::timeline(size, "order/42");
        for wanted in ["relative", "UTC", "UTC", "UTC, raw"] {
            assert!(app.screen().contains(wanted), "{wanted} at {size:?}:\n{}", app.screen());
            assert!(app.screen().lines().nth(1).is_some_and(|line| line.contains("UTC")), "{}", app.screen());
            app.press("T");
        }
    }
}

#[test]
fn the_terminal_is_asked_for_mouse_and_suspension() {
    let mut app = App::timeline((80, 24), "order/42");
    app.press("M");
    assert!(!app.mouse && app.state.settings.mouse_off);
    app.press("M<ctrl-z>");
    assert!(app.mouse);
    assert_eq!(app.suspended, 1);
    app.press("<ctrl-t>");
    assert_eq!(app.state.settings.theme.palette, Palette::Dark);
}

#[test]
fn configured_keys_reach_dispatch_bottom_line_and_palette() {
    let mut app = App::timeline((120, 40), "order/42");
    let keys = ["ctrl-e".to_owned()];
    app.state.settings.keymap = Keymap::with([("timeline.why", keys.as_slice())]).expect("is sound");
    assert!(app.screen().contains("ctrl-e why"));
    app.press("w");
    assert!(app.state.popup.is_none());
    app.press("<ctrl-e>");
    assert!(app.state.popup.is_some());
    app.press("<esc>:why");
    assert!(app.screen().contains("ctrl-e"));
}

#[test]
fn the_tour_ends_with_esc_and_goes_on_with_its_keys() {
    let mut app = App::timeline((80, 24), "order/42");
    app.state.tour = Some(Tour::default());
    assert!(app.screen().contains("hint 1 of 5"));
    app.press("n");
    assert!(app.screen().contains("hint 2 of 5"));
    app.press("<esc>");
    assert!(app.state.tour.is_none() && matches!(app.state.screen(), Some(Screen::Timeline(_))));
}

#[test]
fn a_click_on_the_row_under_the_cursor_opens_it() {
    let mut app = App::timeline((120, 40), "order/42");
    let list = timeline_of(&app).panes(app.state.area()).list;
    app.send(Message::Mouse(Mouse::Click, list.x + 3, list.y + 2));
    assert_eq!(timeline_of(&app).scroll.at, 2);
    app.send(Message::Mouse(Mouse::Click, list.x + 3, list.y + 2));
    assert_eq!(timeline_of(&app).focus, Focus::Detail);
}

/// So that none of them is forgotten: each is asked for somewhere above, or in the screens.
#[test]
fn every_action_does_something_somewhere() {
    // What is pressed first, on the screen that each scope is of.
    let starts: [(Scope, &str, &str); 9] = [
        (Scope::Home, "", ""),
        (Scope::Results, "", "/orders<enter>jj"),
        (Scope::Timeline, "order/42", ""),
        (Scope::Timeline, "order/42", "]]x/o<tab><enter>"),
        (Scope::Timeline, "order/42", "]]xuu"),
        (Scope::Timeline, "order/crowded", "All"),
        (Scope::Trace, "order/42", "tcccjj/o<enter>"),
        (Scope::Trace, "order/42", "tjjjj+++<right><right>xuj"),
        (Scope::Live, "", "Fjjj"),
    ];
    let looks = |app: &App| (app.screen(), app.styles(), app.left, app.suspended, app.mouse);
    let mut idle = Vec::new();
    for binding in BINDINGS.iter().filter(|binding| binding.scope.is_open()) {
        let key = *binding.keys.first().expect("a key");
        let here = |scope: Scope| scope == binding.scope || binding.scope == Scope::Everywhere;
        let told = starts.iter().filter(|(scope, ..)| here(*scope)).any(|(_, entity, keys)| {
            let size = (90, 24);
            let mut app = if entity.is_empty() { App::home(size, 60) } else { App::timeline(size, entity) };
            app.press(keys);
            let before = looks(&app);
            app.send(Message::Key(key));
            looks(&app) != before
        });
        if !told {
            idle.push(format!("{}.{}", binding.scope.name(), binding.action.name()));
        }
    }
    // A canned store answers the same again.
    idle.retain(|name| name != "everywhere.reload");
    assert_eq!(idle, Vec::<String>::new());
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
            let columns = timeline.plan(panes.list.width).map_or(0, |plan| plan.columns.len());
            timeline.rows.is_sorted()
                && on_screen(timeline.scroll, timeline.rows.len(), usize::from(panes.list.height))
                && (timeline.lanes.first < lanes.max(1))
                && columns <= lanes
                && timeline.rows.is_empty() == timeline.cursor().is_none()
        }
        Some(Screen::Trace(trace)) => {
            let (from, to) = trace.shown_time();
            trace.rows.is_sorted()
                && from <= to
                && on_screen(trace.scroll, trace.rows.len(), usize::from(trace.panes(area).list.height))
        }
        Some(Screen::Live(live)) => {
            on_screen(live.scroll, live.records.len(), usize::from(live.panes(area).list.height))
        }
        None => false,
    };
    cursors && matches!(state.screens().first(), Some(Screen::Home(_)))
}

/// What one case of the fuzz test does.
const STEPS_A_CASE: usize = 100;

/// 10,000 steps; `BACKSTORY_UI_STEPS=1000000` makes them a million.
fn fuzz_cases() -> u32 {
    let steps = std::env::var("BACKSTORY_UI_STEPS").ok().and_then(|steps| steps.parse().ok());
    steps.unwrap_or(10_000_u32).div_ceil(STEPS_A_CASE as u32)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(fuzz_cases()))]
    #[test]
    fn nothing_that_is_done_breaks_it(
        steps in proptest::collection::vec(step(), STEPS_A_CASE),
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
            prop_assert!(holds(&app.state), "{:?}", app.state.scope());
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
