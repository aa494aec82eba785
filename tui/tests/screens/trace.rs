//! The trace: jumps, folds and stretches of time.

use timeline::time::Time;
use tui::state::Screen;

use crate::app::App;

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
fn a_trace_opened_from_a_search_is_corrected_by_the_traffic_around_it() {
    let mut app = App::home((120, 40), 60);
    app.press("/orders<enter>t");
    let Some(Screen::Trace(trace)) = app.state.screen() else { panic!("no trace") };
    let waterfall = trace.waterfall.as_ref().expect("an answer");
    let starts = |name: &str| {
        let hit = (0..waterfall.nodes.len()).find(|line| waterfall.label(*line) == name);
        waterfall.nodes[hit.expect("a line of that name")].start
    };
    let apart = starts("process order.paid").since(starts("publish order.paid"));
    // What remains is the clock's drift since its offset was taken.
    let off = apart - 35_000_000;
    assert!(
        off.abs() < 10_000,
        "inventory's clock is 2.45 s ahead; corrected, 35 ms lie between, not {apart} ns"
    );
}
