//! Anything in any order: no panic, and every cursor on a line of its list.

use proptest::prelude::*;
use tui::keys::{BINDINGS, Key};
use tui::message::{Message, Mouse};
use tui::scroll::Scroll;
use tui::state::{Screen, State};
use tui::table::below_names;
use tui::update::update;

use crate::app::App;
use crate::canned;

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
            let panes = home.panes(area);
            let rows = usize::from(below_names(panes.panes.list).height);
            on_screen(home.records, home.shown(&state.store).len(), usize::from(panes.newest().height))
                && on_screen(home.table.list.scroll, home.table.rows().len(), rows)
        }
        Some(Screen::Search(search)) => {
            on_screen(search.list.scroll, search.len(), usize::from(search.panes(area).list.height))
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
                && on_screen(trace.list.scroll, trace.rows.len(), usize::from(trace.panes(area).list.height))
        }
        Some(Screen::Live(live)) => {
            on_screen(live.list.scroll, live.records.len(), usize::from(live.panes(area).list.height))
        }
        Some(Screen::Table(table)) => {
            let height = usize::from(table.panes(area).list.height);
            on_screen(table.table.list.scroll, table.table.rows().len(), height)
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
