//! A folder answers exactly as the plain archive in memory does, whatever is asked.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::common::{all_records, fill, open_journal, uuid, wait_until_made};
use fastrand::Rng;
use indexer::{Folder, Indexer, Options};
use proptest::prelude::*;
use query::archive::{Archive, Effort, Page, Window};
use query::memory::Memory;
use query::predicate::{Comparison, Predicate, Signal, TextMatch};
use regex::Regex;
use timeline::document::Incompleteness;
use timeline::id::{SpanId, TraceId};
use timeline::record::{Severity, SpanKind, StatusCode};
use timeline::time::Time;

fn some_text(rng: &mut Rng) -> String {
    let texts = [
        "orders", "paid", "order-7", "order:7", "42", "7", "100003", "1.5", "true", "tag2", "node-1",
        "created",
    ];
    if rng.u8(0..6) == 0 { uuid(rng) } else { texts[rng.usize(0..texts.len())].to_owned() }
}

fn text_match(rng: &mut Rng) -> TextMatch {
    match rng.u8(0..6) {
        0 => TextMatch::Present,
        1 => TextMatch::StartsWith(some_text(rng).chars().take(3).collect()),
        2 => TextMatch::Like(Regex::new(&regex::escape(&some_text(rng))).expect("a pattern")),
        _ => TextMatch::Is(some_text(rng)),
    }
}

fn comparison(rng: &mut Rng) -> Comparison {
    use Comparison::{AtLeast, AtMost, Equal, Greater, Less};
    [Less, AtMost, Equal, AtLeast, Greater][rng.usize(0..5)]
}

fn key(rng: &mut Rng) -> String {
    ["order.id", "status", "n", "order", "host.name", "order.id.id"][rng.usize(0..6)].to_owned()
}

fn predicate(rng: &mut Rng, depth: u8) -> Predicate {
    let inner = |rng: &mut Rng| (0..rng.usize(0..3)).map(|_| predicate(rng, depth - 1)).collect();
    match rng.u8(0..if depth == 0 { 16 } else { 20 }) {
        0 => Predicate::Trace(TraceId([rng.u8(1..14); 16])),
        1 => Predicate::Span(SpanId([rng.u8(1..210); 8])),
        2 => Predicate::Parent(SpanId([rng.u8(1..210); 8])),
        3 => Predicate::LinkTo(TraceId([rng.u8(1..14); 16])),
        4 => Predicate::Signal(if rng.bool() { Signal::Spans } else { Signal::Logs }),
        5 => Predicate::Service(if rng.bool() { TextMatch::Is("orders".into()) } else { text_match(rng) }),
        6 => Predicate::Name(if rng.bool() { TextMatch::Is("charge".into()) } else { text_match(rng) }),
        7 => Predicate::Kind(if rng.bool() { SpanKind::Server } else { SpanKind::Internal }),
        8 => Predicate::Status(if rng.bool() { StatusCode::Error } else { StatusCode::Ok }),
        9 => Predicate::Severity(comparison(rng), if rng.bool() { Severity::Warn } else { Severity::Error }),
        10 => Predicate::Duration(comparison(rng), rng.u64(0..500) * 1_000_000),
        11 | 12 => Predicate::Attribute { key: key(rng), value: text_match(rng) },
        13 => Predicate::Number { key: key(rng), comparison: comparison(rng), number: rng.u8(0..60).into() },
        14 => Predicate::Word(
            ["paid", "ORDER", "cart", "declined", "42", "nowhere"][rng.usize(0..6)].to_owned(),
        ),
        15 => Predicate::Value(if rng.u8(0..5) == 0 { "0c".repeat(16) } else { some_text(rng) }),
        16 => Predicate::Not(Box::new(predicate(rng, depth - 1))),
        17 => Predicate::Any(inner(rng)),
        18 => Predicate::All(inner(rng)),
        _ => Predicate::Phrase(vec!["card".into(), "declined".into()]),
    }
}

fn window(rng: &mut Rng) -> Window {
    let mut end = || rng.bool().then(|| Time(crate::common::EPOCH_NS + rng.u64(0..1000) * 1_000_000));
    Window { since: end(), until: end() }
}

/// Asks both for every page and compares.
fn same_answers(folder: &Folder, memory: &Memory, rng: &mut Rng) {
    let predicate = predicate(rng, 2);
    let window = if rng.bool() { Window::default() } else { window(rng) };
    let limit = rng.usize(1..30);
    let mut before = None;
    loop {
        let page = Page { before, limit };
        let find = |archive: &dyn Archive| {
            archive.find(&predicate, window, page, &Effort::new(1_000_000)).expect("an answer")
        };
        let (answer, expected) = (find(folder), find(memory));
        if answer.reasons == [Incompleteness::NotIndexed] {
            // After a restart the newest segment is indexed first: until the older ones are, answers lack them, and
            // say so.
            return;
        }
        let places = |found: &query::archive::Found| {
            found.records.iter().map(|record| (record.position, record.id)).collect::<Vec<_>>()
        };
        assert_eq!(places(&answer), places(&expected), "{predicate:?} {window:?} {page:?}");
        assert_eq!((answer.total, answer.next), (expected.total, expected.next), "{predicate:?} {window:?}");
        assert_eq!(answer.reasons, expected.reasons);
        before = answer.next;
        if before.is_none() {
            return;
        }
    }
}

/// Visits the same records, in the same order.
fn same_visits(folder: &Folder, memory: &Memory, rng: &mut Rng) {
    let predicate = predicate(rng, 2);
    let window = window(rng);
    let visited = |archive: &dyn Archive| {
        let mut places = Vec::new();
        let mut note = |record: timeline::record::Record| places.push((record.position, record.id));
        let visited =
            archive.visit(&predicate, window, &Effort::new(1_000_000), &mut note).expect("an answer");
        (places, visited)
    };
    let (answer, expected) = (visited(folder), visited(memory));
    if answer.1.reasons != [Incompleteness::NotIndexed] {
        assert_eq!(answer, expected, "{predicate:?} {window:?}");
    }
}

/// Clock evidence is that of all records from scratch, however they were divided among commits, shards and the tail.
fn same_clocks(folder: &Folder, memory: &Memory, window: Window) {
    let proven = |archive: &dyn Archive| archive.clocks(window, &Effort::new(1_000_000)).expect("an answer");
    let (answer, expected) = (proven(folder), proven(memory));
    if answer.reasons.is_empty() {
        assert_eq!(answer.evidence, expected.evidence, "{window:?}");
        assert_eq!(answer.evidence.to_bytes(), expected.evidence.to_bytes());
    }
}

fn is_whole(folder: &Folder) -> bool {
    folder.completeness().expect("it is known").complete
}

fn same_stats(folder: &Folder, memory: &Memory) {
    let (stats, expected) = (folder.stats().expect("stats"), memory.stats().expect("stats"));
    let counts = |stats: &timeline::document::Stats| {
        let resent = (stats.resent_spans, stats.resent_logs);
        (stats.spans, stats.logs, resent, stats.traces, stats.services, stats.first, stats.last)
    };
    assert_eq!(counts(&stats), counts(&expected));
    assert!(stats.exact);
    let operations = |archive: &dyn Archive| archive.operations(&Effort::new(1_000_000)).expect("an answer");
    assert_eq!(operations(folder), operations(memory));
}

fn check(seed: u64) {
    let rng = &mut Rng::with_seed(seed);
    let dir = tempfile::tempdir().expect("a folder");
    let segment_bytes = [4_000, 20_000, 1 << 20][rng.usize(0..3)];
    let journal = open_journal(dir.path(), segment_bytes);
    let options = Options { commit_every: Duration::from_millis(rng.u64(0..30)) };
    let folder = Folder::open(dir.path()).expect("a folder");
    let mut indexer = Some(Indexer::start(dir.path(), options.clone()).expect("an indexer"));
    for _ in 0..3 {
        let requests = rng.usize(1..15);
        fill(&journal, rng, requests);
        let memory = Memory::new(all_records(dir.path()));
        for _ in 0..12 {
            same_answers(&folder, &memory, rng); // some of it committed, some not
        }
        same_clocks(&folder, &memory, Window::default());
        if rng.bool() {
            drop(indexer.take());
            if is_whole(&folder) {
                same_stats(&folder, &memory);
            }
            indexer = Some(Indexer::start(dir.path(), options.clone()).expect("an indexer"));
        }
    }
    wait_until_made(dir.path(), &folder);
    let memory = Memory::new(all_records(dir.path()));
    for _ in 0..40 {
        same_answers(&folder, &memory, rng);
        same_visits(&folder, &memory, rng);
    }
    same_stats(&folder, &memory);
    same_clocks(&folder, &memory, Window::default());
    same_clocks(&folder, &memory, window(rng));
    assert_eq!(indexer::verify(dir.path(), &mut |_| {}).expect("verified"), []);
    // Few traces are sought in an item one by one, many at once.
    for many in [5, 40] {
        let traces: Vec<TraceId> = (1..many).map(|number| TraceId([number; 16])).collect();
        let links = Predicate::Any(traces.iter().copied().map(Predicate::LinkTo).collect());
        let page = Page { before: None, limit: usize::MAX };
        let ids = |archive: &dyn Archive| {
            let effort = Effort::new(1_000_000);
            let fetched = archive.fetch(&traces, &effort).expect("an answer").records;
            let linking = archive.find(&links, Window::default(), page, &effort).expect("an answer").records;
            [fetched, linking].map(|records| records.iter().map(|record| record.id).collect::<BTreeSet<_>>())
        };
        assert_eq!(ids(&folder), ids(&memory));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn it_answers_as_memory_does(seed: u64) {
        check(seed);
    }
}
