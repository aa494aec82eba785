//! Characters and styles of every screen at the three sizes.

use tui::keys::Key;
use tui::message::{Message, Slot};
use tui::theme::{Palette, Theme};
use tui::tour::Tour;

use crate::app::{App, SIZES};
use crate::canned;

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

fn healthy(size: (u16, u16)) -> App {
    let mut app = App::new(size, 60, Theme::default());
    app.store.healthy = true;
    app.begin();
    app
}

/// A third of what there is has been judged.
fn judging(size: (u16, u16)) -> App {
    let mut app = App::new(size, 60, Theme::default());
    app.send(Message::Tick(canned::at(29_000.0)));
    app.hold(Message::Tick(canned::at(30_000.0)));
    let number = app.waiting_for(Slot::Incidents).expect("it asks what is wrong");
    app.hold(Message::Progress { slot: Slot::Incidents, number, share: 0.34 });
    app
}

fn failing(size: (u16, u16)) -> App {
    let mut app = judging(size);
    app.fail(Slot::Incidents, "the index of shard 3 cannot be read: run `backstory verify`");
    app
}

fn asking(size: (u16, u16)) -> App {
    let mut app = App::home(size, 60);
    app.hold(Message::Key(Key::char('K')));
    let number = app.waiting_for(Slot::Table).expect("it asks for clocks");
    app.hold(Message::Progress { slot: Slot::Table, number, share: 0.5 });
    app
}

const INCIDENT: fn((u16, u16)) -> App = |size| App::timeline(size, "order/42");

screens! {
    home: |size| App::home(size, 60), "";
    home_newest: |size| App::home(size, 60), "<tab><tab>j";
    home_detail: |size| App::home(size, 60), "<tab>jjj";
    home_where_nothing_is_wrong: healthy, "";
    home_while_it_judges: judging, "";
    home_given_up: judging, "<esc>";
    home_that_failed: failing, "";
    what_an_incident_opens: |size| App::home(size, 60), "<enter>";
    entities: |size| App::home(size, 60), "Ej";
    keys: |size| App::home(size, 60), "E<enter>";
    keys_filtered_and_sorted: |size| App::home(size, 60), "E<enter>/4<enter>ooo";
    keys_at_a_time: |size| App::home(size, 60), "E<enter>W10:00:02<enter>jj";
    keys_detail: |size| App::home(size, 60), "E<enter>/order/42<enter><tab>";
    affected: |size| App::home(size, 60), "aj";
    compare: |size| App::home(size, 60), "cj";
    clocks: |size| App::home(size, 60), "Kjj";
    clock_detail: |size| App::home(size, 60), "Kjjjj<tab>";
    doctor: |size| App::home(size, 60), "D";
    doctor_detail: |size| App::home(size, 60), "Dj<tab>jj";
    doctor_of_an_empty_store: |size| App::home(size, 0), "D";
    table_while_it_asks: asking, "";
    table_given_up: asking, "<esc>";
    table_that_failed: |size| { let mut app = asking(size); app.fail(Slot::Table, "connection refused; is the server up?"); app }, "";
    home_of_an_empty_store: |size| App::home(size, 0), "";
    search_of_a_bare_value: |size| App::home(size, 60), "/42<enter>";
    search_error_points_at_the_place: |size| App::home(size, 60), "/order \"x";
    search_without_results: |size| App::home(size, 60), "/nowhere<enter>";
    search_detail: |size| App::home(size, 60), "/orders<enter>jj<tab>j";
    what_a_record_opens: |size| App::home(size, 60), "Fj<enter>";
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
    looks_of_home: |size| App::home(size, 60), "j";
    looks_of_keys: |size| App::home(size, 60), "E<enter>/4<enter>";
    looks_of_affected: |size| App::home(size, 60), "aj";
    looks_of_compare: |size| App::home(size, 60), "cj";
    looks_of_clocks: |size| App::home(size, 60), "Kj";
    looks_of_the_doctor: |size| App::home(size, 60), "D";
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
