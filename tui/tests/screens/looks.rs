//! Characters and styles of every screen at the three sizes.

use tui::theme::{Palette, Theme};
use tui::tour::Tour;

use crate::app::{App, SIZES};

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
