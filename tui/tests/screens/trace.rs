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
