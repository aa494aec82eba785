//! Home and live: what comes by itself.

use tui::message::Message;
use tui::state::Screen;

use crate::app::App;
use crate::canned::{self, Canned};

#[test]
fn live_records_keep_the_cursor_on_its_record() {
    let mut app = App::home((80, 24), 60);
    app.press("<tab><tab>jjj");
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
