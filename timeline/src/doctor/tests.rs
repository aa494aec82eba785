use super::*;
use crate::document::{FindingKind, RemedyPlace};

/// A chart in which all is present but what is named.
fn chart(language: &str, wrong: &[(Aspect, Presence)]) -> Chart {
    let state = |aspect: Aspect| {
        wrong.iter().find(|(own, _)| *own == aspect).map_or(Presence::Present, |(_, state)| *state)
    };
    let check =
        |aspect: Aspect| Check { name: aspect, state: state(aspect), seen: 1, of: 1, detail: String::new() };
    Chart {
        language: Some(language.to_owned()),
        libraries: vec!["opentelemetry.instrumentation.psycopg2".to_owned()],
        thing: "order".to_owned(),
        checks: Aspect::ALL.into_iter().map(check).collect(),
    }
}

#[test]
fn where_nothing_is_missing_nothing_is_advised() {
    let whole = chart("java", &[]);
    assert_eq!(next(&whole), None);
    assert!(judgeable(&whole).iter().all(|one| one.judged == Judged::Yes && one.lacks.is_empty()));
}

#[test]
fn the_setting_that_unlocks_most_comes_first() {
    let absent = [
        (Aspect::WrittenValues, Presence::Absent),
        (Aspect::ReadValues, Presence::Absent),
        (Aspect::Versions, Presence::Absent),
        (Aspect::Host, Presence::Absent),
    ];
    let remedy = next(&chart("python", &absent)).expect("something helps");
    assert_eq!((remedy.aspect, remedy.place), (Aspect::WrittenValues, RemedyPlace::Code));
    assert_eq!(remedy.lines, ["Psycopg2Instrumentor().instrument(capture_parameters=True)"]);
    assert!(remedy.unlocks.contains(&FindingKind::Divergence));
    assert!(!remedy.unlocks.contains(&FindingKind::StaleRead), "that wants the reads' values");
}

#[test]
fn what_all_else_rests_on_comes_first_where_no_single_setting_is_enough() {
    let absent = [(Aspect::Entities, Presence::Absent), (Aspect::WrittenValues, Presence::Absent)];
    let remedy = next(&chart("go", &absent)).expect("something helps");
    assert_eq!(remedy.aspect, Aspect::Entities);
    assert_eq!(
        remedy.lines,
        [r#"trace.SpanFromContext(ctx).SetAttributes(attribute.String("order.id", order.id))"#]
    );
}

#[test]
fn a_stream_that_nobody_calls_sampled_wants_no_setting() {
    let unknown = chart("java", &[(Aspect::Whole, Presence::Partial)]);
    assert_eq!(next(&unknown), None);
    let missed = judgeable(&unknown).into_iter().find(|one| one.kind == FindingKind::MissedUpdate);
    assert_eq!(missed.map(|one| one.judged), Some(Judged::Partly));
    let sampled = next(&chart("java", &[(Aspect::Whole, Presence::Absent)])).expect("something helps");
    assert_eq!(sampled.lines, ["export OTEL_TRACES_SAMPLER=parentbased_always_on"]);
}

#[test]
fn every_aspect_has_a_remedy_in_every_language_or_in_none() {
    let languages = ["nodejs", "python", "java", "go", "dotnet", "rust", "ruby", "php", "cpp"];
    for aspect in Aspect::ALL {
        let without = [Aspect::Outcomes, Aspect::Clock].contains(&aspect);
        for language in languages {
            let remedy = remedies::remedy(&chart(language, &[]), aspect, Vec::new());
            assert_eq!(remedy.is_none(), without, "{aspect:?} in {language}");
            assert!(remedy.is_none_or(|remedy| remedy.lines.iter().all(|line| !line.is_empty())));
        }
    }
}
