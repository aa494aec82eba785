//! Search: as it is typed, page by page.

use tui::keys::Key;
use tui::message::Message;
use tui::state::Screen;
use tui::update::update;

use crate::app::App;

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
    assert_eq!((search.records.len(), search.total, search.list.scroll.at), (730, Some(730), 729));
}
