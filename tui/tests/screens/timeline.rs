//! The timeline: jumps, zoom, lanes, growth, state, findings.

use tui::layout::Focus;
use tui::message::{Effect, Failure, Message, Mouse, Slot};
use tui::screens::timeline::Column;
use tui::state::Screen;
use tui::update::update;

use crate::app::{App, here, timeline_of};
use crate::canned;

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
fn a_click_on_the_row_under_the_cursor_opens_it() {
    let mut app = App::timeline((120, 40), "order/42");
    let list = timeline_of(&app).panes(app.state.area()).list;
    app.send(Message::Mouse(Mouse::Click, list.x + 3, list.y + 2));
    assert_eq!(timeline_of(&app).scroll.at, 2);
    app.send(Message::Mouse(Mouse::Click, list.x + 3, list.y + 2));
    assert_eq!(timeline_of(&app).focus, Focus::Detail);
}
