use proptest::prelude::*;

use super::*;
use crate::export::story::story;

#[test]
fn at_80_columns() {
    insta::assert_snapshot!(text(&story(), &Style::new(80)));
}

#[test]
fn at_120_columns() {
    insta::assert_snapshot!(text(&story(), &Style::new(120)));
}

#[test]
fn at_200_columns() {
    insta::assert_snapshot!(text(&story(), &Style::new(200)));
}

#[test]
fn with_ids_at_120_columns() {
    insta::assert_snapshot!(text(&story(), &Style { ids: true, ..Style::new(120) }));
}

#[test]
fn colour_changes_no_glyph() {
    let style = Style { colour: true, ..Style::new(120) };
    let coloured = text(&story(), &style);
    let plain: String = coloured
        .split('\x1b')
        .enumerate()
        .map(|(nth, part)| if nth == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) })
        .collect();
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert!(coloured.contains("\x1b["));
    assert_eq!(trimmed(&plain), trimmed(&text(&story(), &Style::new(120))));
}

#[test]
fn an_empty_timeline_says_so() {
    let mut timeline = story();
    (timeline.events, timeline.range, timeline.gaps) = (Vec::new(), None, Vec::new());
    timeline.completeness = Default::default();
    assert_eq!(
        text(&timeline, &Style::new(80)),
        "order/42  production/shop\nNo record that is held names it.\n"
    );
}

proptest! {
    #[test]
    fn no_line_is_wider_than_asked(width in 0usize..240, name in "\\PC{0,30}", place in 0usize..20) {
        let mut timeline = story();
        let len = timeline.events.len();
        timeline.events[place % len].name = name.clone();
        timeline.processes[0].service = name;
        for line in text(&timeline, &Style { folded: true, ids: place % 2 == 0, ..Style::new(width) }).lines() {
            prop_assert!(width_of(line) <= width.max(WIDTH_MIN), "{} > {width}: {line}", width_of(line));
        }
    }

    #[test]
    fn nothing_that_telemetry_says_reaches_the_terminal(name: String, service: String, gap: String) {
        let mut timeline = story();
        timeline.events.iter_mut().for_each(|event| event.name = name.clone());
        timeline.processes.iter_mut().for_each(|process| process.service = service.clone());
        timeline.gaps.iter_mut().for_each(|missing| missing.detail = gap.clone());
        timeline.entity.key = name;
        let drawn = text(&timeline, &Style::new(120));
        prop_assert!(drawn.chars().all(|char| char == '\n' || !char.is_control()));
    }
}
