//! What holds on every screen: ways back, times, keys, copies.

use tui::keys::{BINDINGS, Keymap, Scope};
use tui::message::Message;
use tui::state::Screen;
use tui::theme::Palette;
use tui::tour::Tour;

use crate::app::App;

#[test]
fn esc_never_leaves_by_surprise() {
    let mut app = App::timeline((80, 24), "order/42");
    app.press("/charge<enter><enter><esc><esc><esc><esc><esc><esc>");
    assert!(!app.left && matches!(app.state.screen(), Some(Screen::Home(_))));
    app.press("q");
    assert!(app.left);
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

/// So that none of them is forgotten: each is asked for somewhere above, or in the screens.
#[test]
fn every_action_does_something_somewhere() {
    // What is pressed first, on the screen that each scope is of.
    let starts: [(Scope, &str, &str); 12] = [
        (Scope::Home, "", ""),
        (Scope::Results, "", "/orders<enter>jj"),
        (Scope::Timeline, "order/42", ""),
        (Scope::Timeline, "order/42", "]]x/o<tab><enter>"),
        (Scope::Timeline, "order/42", "]]xuu"),
        (Scope::Timeline, "order/crowded", "All"),
        (Scope::Trace, "order/42", "tcccjj/o<enter>"),
        (Scope::Trace, "order/42", "tjjjj+++<right><right>xuj"),
        (Scope::Live, "", "Fjjj"),
        (Scope::Home, "", "<tab><tab>"),
        (Scope::Table, "", "E<enter>/order/42<enter>"),
        (Scope::Table, "", "ajo"),
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
