//! Home and the tables: every question in three keys, and where each line leads.

use tui::keys::{Action, Key};
use tui::message::{Message, Slot};
use tui::report::Topic;
use tui::state::Screen;
use tui::theme::Theme;

use crate::app::{App, here, timeline_of};
use crate::canned;

fn topic(app: &App) -> &Topic {
    match app.state.screen() {
        Some(Screen::Table(table)) => &table.topic,
        other => panic!("no table: {other:?}"),
    }
}

/// The table of `docs/ui.md`: at most three keys from home to the answer of each question.
#[test]
fn every_question_is_three_keys_from_home() {
    let answers = [
        ("", "captured twice"),
        ("/", "search"),
        ("E<enter>", "order/43"),
        ("<enter><enter>", "INSERT charges"),
        ("<enter><enter>", "OWNER"),
        ("<enter><enter>w", "Why is it here"),
        ("a", "cannot be told"),
        ("t", "critical path"),
        ("c", "the nearest healthy one"),
        ("K", "node-b"),
        ("D", "written values"),
        ("F", "arrived"),
    ];
    for (keys, wanted) in answers {
        let mut app = App::home((120, 40), 60);
        app.press(keys);
        assert!(app.screen().contains(wanted), "{keys:?} should show {wanted:?}:\n{}", app.screen());
    }
}

#[test]
fn an_incident_leads_to_the_event_that_proves_it() {
    let mut app = App::home((120, 40), 60);
    app.press("<enter>stale<enter>");
    assert_eq!(timeline_of(&app).entity, "order/42");
    app.press("<esc>");
    assert!(matches!(app.state.screen(), Some(Screen::Home(_))));
}

#[test]
fn affected_and_compare_are_asked_of_what_the_cursor_is_on() {
    let mut app = App::timeline((120, 40), "order/42");
    app.press("c");
    assert_eq!(topic(&app), &Topic::Compare { a: "order/42".to_owned(), b: None });
    app.press("<enter><enter>");
    assert!(here(&app).contains("POST"), "a difference leads to its event: {}", here(&app));
    let mut app = App::home((120, 40), 60);
    app.press("E<enter>/42<enter>a");
    assert!(app.screen().contains("Who else has which finding?"));
    app.press("<enter>");
    assert!(matches!(topic(&app), Topic::Affected { .. }));
}

#[test]
fn copies_are_asked_for_the_keys_on_screen_alone() {
    let mut app = App::home((120, 40), 60);
    app.press("E<enter>");
    let screen = app.screen();
    assert!(screen.contains("owner shop/orders") && screen.contains("paid"), "{screen}");
    app.hold(Message::Key(Key::char('G')));
    assert!(app.waiting_for(Slot::Beliefs).is_some(), "further keys came on screen");
    app.answer_all();
    assert!(app.waiting_for(Slot::Beliefs).is_none());
}

#[test]
fn a_wrong_moment_is_told_and_an_empty_one_is_now() {
    let mut app = App::home((120, 40), 60);
    app.press("E<enter>Wnever<enter>");
    assert!(app.state.notice.is_some() && app.screen().contains("never"), "{}", app.screen());
    app.press("<esc>W10:00<enter>");
    assert!(app.screen().contains("as of"), "{}", app.screen());
    app.press("<esc>");
    assert!(!app.screen().contains("as of") && app.screen().contains("Entities"));
}

#[test]
fn what_is_wrong_is_asked_once_and_again_as_records_arrive() {
    let mut app = App::new((120, 40), 60, Theme::default());
    app.send(Message::Tick(canned::at(29_000.0)));
    app.hold(Message::Tick(canned::at(30_000.0)));
    let first = app.waiting_for(Slot::Incidents).expect("asked");
    app.hold(Message::Tick(canned::at(31_000.0)));
    assert_eq!(app.waiting_for(Slot::Incidents), Some(first), "one question at a time");
    app.answer_all();
    app.send(Message::Tick(canned::at(36_000.0)));
    assert_eq!(app.waiting_for(Slot::Incidents), None, "nothing has arrived");
    app.store.growing = true;
    app.send(Message::Tick(canned::at(38_000.0)));
    app.hold(Message::Tick(canned::at(39_000.0)));
    assert!(app.waiting_for(Slot::Incidents).is_some());
    app.answer_all();
    app.press("<esc>");
    assert!(app.screen().contains("captured twice"));
}

/// Judging waits for late records: what is wrong with the last ones shows when nothing arrives any more.
#[test]
fn what_is_wrong_is_asked_again_for_a_while_after_the_last_record() {
    let mut app = App::new((120, 40), 60, Theme::default());
    app.send(Message::Tick(canned::at(29_000.0)));
    app.send(Message::Tick(canned::at(30_000.0)));
    app.hold(Message::Tick(canned::at(35_000.0)));
    assert_eq!(app.waiting_for(Slot::Incidents), None, "it was asked just now");
    app.hold(Message::Tick(canned::at(45_000.0)));
    assert!(app.waiting_for(Slot::Incidents).is_some());
    app.answer_all();
    app.hold(Message::Tick(canned::at(300_000.0)));
    assert_eq!(app.waiting_for(Slot::Incidents), None, "it has settled");
}

#[test]
fn a_given_up_question_is_not_asked_again_by_itself() {
    let mut app = App::new((80, 24), 60, Theme::default());
    app.send(Message::Tick(canned::at(29_000.0)));
    app.hold(Message::Tick(canned::at(30_000.0)));
    app.hold(Message::Key(Key::plain(crossterm::event::KeyCode::Esc)));
    app.hold(Message::Tick(canned::at(31_000.0)));
    assert_eq!(app.waiting_for(Slot::Incidents), None);
    app.press("r");
    assert!(app.screen().contains("charges of order/42"));
    assert_eq!(app.state.settings.keymap.key_for(app.state.scope(), Action::Affected), "a");
}
