//! That a bundle tells what the store told, and that no change to its file goes unseen.

use std::sync::Arc;

use proptest::prelude::*;
use timeline::annotation::{Annotation, Says};
use timeline::judge::{Budget, Rule};
use timeline::record::{Body, Log, Position, Resource, Scope};
use timeline::value::{Attributes, Value};

use super::*;
use crate::archive::Effort;
use crate::export::Format;
use crate::interface::{Query, QueryError, WhyRequest};
use crate::redact::Rules;
use crate::testing::incidents;

fn effort() -> Effort {
    Effort::new(u64::MAX)
}

fn now() -> Now {
    Now { time: Time(1_795_430_000_000_000_000), zone: Zone::Utc }
}

fn settings() -> Settings {
    let rule =
        r#"{"name": "one capture", "entity": "order", "at_most": 1, "write": "charges.state = captured"}"#;
    let rule: Rule = serde_json::from_str(rule).expect("a rule");
    let budget = Budget { entity: "order".into(), copy: "redis/order".into(), lag_ns: 1_500_000_000 };
    let mut settings = Settings { rules: vec![rule], budgets: vec![budget], ..Settings::default() };
    let declared =
        r#"{"owner": "shop/orders", "transitions": {"status": ["created -> paid", "paid -> shipped"]}}"#;
    settings.declare("order", &serde_json::from_str(declared).expect("declared"));
    settings
}

/// The recorded incidents, half of them twice, and later ones as if they had come by import first.
fn store(duplicated: bool) -> Local<Memory> {
    let mut records = incidents();
    for (at, record) in (0..).zip(&mut records) {
        record.position = Position { segment: 1, offset: at, frame: 0, item: 0 };
        record.arrival = Some(hlc::Stamp::from_bits((1_795_428_100_000_000_000u64 >> 10 << 12) + at));
    }
    if duplicated {
        let again: Vec<Record> = records.iter().step_by(2).cloned().collect();
        let later = |mut record: Record| {
            record.position.segment = 2;
            record.arrival = None;
            record
        };
        records.extend(again.into_iter().map(later));
    }
    let clocks = [("node-9".to_owned(), Declared { offset_ns: -5, error_ns: 7 })].into_iter().collect();
    Local::new(Memory::new(records), "a store", now).with_settings(settings()).with_declared(clocks)
}

fn asked(entity: &str) -> TimelineRequest {
    TimelineRequest { brief: false, ..TimelineRequest::whole(entity) }
}

/// BND-1.
#[test]
fn a_bundle_tells_what_the_store_told_byte_for_byte() {
    for duplicated in [false, true] {
        let store = store(duplicated);
        for entity in ["order/42", "order/57", "order/71", "order/88", "order/96", "order.id=42", "nobody/1"]
        {
            let bundle = store.bundle(&asked(entity), &effort()).expect("a bundle");
            let bytes = bundle.to_bytes().expect("written");
            assert_eq!(bundle.to_bytes().expect("written"), bytes, "the same bundle, the same bytes");
            let opened = Bundle::from_bytes(&bytes).expect("read").open("a file", Zone::Utc);
            let [told, again] = [&store as &dyn Query, &opened].map(|query| {
                let told = query.timeline(&asked(entity), &effort()).expect("a timeline");
                let state = query
                    .state(
                        &crate::interface::StateRequest {
                            entity: entity.to_owned(),
                            moment: timeline::state::Moment::End,
                        },
                        &effort(),
                    )
                    .map_err(|error| error.to_string());
                let records = query.records(&asked(entity), &effort()).expect("records");
                (
                    Format::Json.of(&told).text,
                    format!("{state:?}"),
                    serde_json::to_string(&records).expect("JSON"),
                    told,
                )
            });
            assert_eq!(told.0, again.0, "{entity}");
            assert_eq!((told.1, told.2), (again.1, again.2), "{entity}");
            if let [first, .., last] = told.3.events.as_slice() {
                let why = WhyRequest {
                    entity: entity.to_owned(),
                    window: Window::default(),
                    a: first.id.to_string(),
                    b: Some(last.id.to_string()),
                };
                let [told, again] =
                    [&store as &dyn Query, &opened].map(|query| query.why(&why, &effort()).expect("why"));
                assert_eq!(told, again);
            }
        }
    }
}

#[test]
fn what_it_rests_on_comes_back() {
    let store = store(false);
    let note = Annotation::new(
        "ada",
        Time(1),
        Says::Note { target: Target::Entity("order/42".into()), text: "seen".into() },
    );
    let other = Annotation::new(
        "ada",
        Time(1),
        Says::Note { target: Target::Entity("order/7".into()), text: "not".into() },
    );
    store.annotate(&[note.into(), other.into()]).expect("written");
    let mut bundle = store.bundle(&asked("order/42"), &effort()).expect("a bundle");
    bundle.completeness.reasons = vec![timeline::document::Incompleteness::NotIndexed];
    let read = Bundle::from_bytes(&bundle.to_bytes().expect("written")).expect("read");
    assert_eq!((&read.settings, &read.declared), (&settings(), &bundle.declared));
    assert_eq!((&read.clocks, &read.completeness), (&bundle.clocks, &bundle.completeness));
    assert_eq!((&read.questions, read.asked_at, &read.notes), (&bundle.questions, now().time, &bundle.notes));
    assert_eq!(read.notes.len(), 1);
    let opened = read.clone().open("a file", Zone::Utc);
    assert_eq!(opened.annotations().expect("an answer").annotations, read.notes);
    let again = Annotation::new("bob", Time(2), Says::Removed);
    assert!(opened.annotate(&[again.into()]).is_err(), "it would be lost");
    assert!(
        read.records
            .iter()
            .map(|record| (record.id, record.position, record.arrival))
            .eq(bundle.records.iter().map(|record| (record.id, record.position, record.arrival)))
    );
}

#[test]
fn several_bundles_are_one() {
    let store = store(false);
    let of = |entity: &str| store.bundle(&asked(entity), &effort()).expect("a bundle");
    let joined = Bundle::join([of("order/42"), of("order/57"), of("order/42")]).expect("one");
    assert_eq!(joined.questions.len(), 2);
    let opened = joined.open("a file", Zone::Utc);
    for entity in ["order/42", "order/57"] {
        let [told, again] = [&store as &dyn Query, &opened]
            .map(|query| query.timeline(&asked(entity), &effort()).expect("told"));
        assert_eq!(Format::Json.of(&told), Format::Json.of(&again));
    }
}

#[test]
fn a_redacted_bundle_holds_no_value_and_tells_the_same_findings() {
    let store = store(false);
    let keys = ["order.id", "customer.id", "address", "status"].map(str::to_owned);
    let mut redactor = Redactor::new(Rules::new(&keys, &[], None).expect("rules"), [3; 16]);
    let bundle = store.bundle(&asked("order/88"), &effort()).expect("a bundle");
    let redacted = bundle.redacted(&mut redactor);
    let bytes = redacted.to_bytes().expect("written");
    let lines = zstd::stream::decode_all(&bytes[..]).expect("zstd");
    let lines = String::from_utf8(lines).expect("text").to_lowercase();
    for gone in ["elm street", "harbour", "shipped", "order/88", "\"88\"", "1134"] {
        assert!(!lines.contains(gone), "{gone}");
    }
    let entity = redacted.questions[0].entity.clone();
    let opened = Bundle::from_bytes(&bytes).expect("read").open("a file", Zone::Utc);
    let told = opened.timeline(&asked(&entity), &effort()).expect("told");
    let original = store.timeline(&asked("order/88"), &effort()).expect("told");
    let kinds = |told: &timeline::document::Timeline| {
        let mut kinds: Vec<_> =
            told.findings.iter().map(|finding| (finding.kind, finding.grade, finding.events.len())).collect();
        kinds.sort();
        kinds
    };
    assert!(!original.findings.is_empty());
    assert_eq!(kinds(&told), kinds(&original), "declared transitions have tokens too");
}

#[test]
fn an_unknown_question_is_told_before_anything_is_read() {
    let error = store(false).bundle(&asked("42"), &effort()).expect_err("no entity");
    assert!(matches!(error, QueryError::Malformed { .. }));
}

#[test]
fn what_is_no_bundle_is_told() {
    let of = |bytes: &[u8]| Bundle::from_bytes(bytes).expect_err("no bundle").to_string();
    assert!(of(b"").contains("it is no bundle"));
    assert!(of(b"{\"schema\":\"backstory.timeline/1\"}").contains("it is no bundle"));
    assert!(of(&zstd::stream::encode_all(&b"other"[..], 1).expect("zstd")).contains("it ends early"));
}

/// Small, with a resource, a scope, a span, a log and odd values.
fn small() -> Bundle {
    let body = Value::Map(Attributes::from_iter([
        ("nan", Value::Double(f64::from_bits(0x7ff8_dead_beef_0001))),
        ("minus", Value::Double(f64::NEG_INFINITY)),
        ("zero", Value::Double(-0.0)),
        ("tiny", Value::Double(5e-324)),
        ("bytes", Value::Bytes(vec![0, 255])),
        (
            "deep",
            Value::Array(vec![Value::Array(vec![Value::Empty, Value::Bool(true), Value::Int(i64::MIN)])]),
        ),
    ]));
    let resource = Arc::new(Resource::new(Attributes::from_iter([("service.name", Value::from("a"))]), 3));
    let scope = Arc::new(Scope::new("s".into(), "1".into(), Attributes::default()));
    let log = |repeat| {
        let body = Body::Log(Log { body: body.clone(), ..Log::default() });
        let place = Position { segment: 1, offset: u64::from(repeat), ..Position::default() };
        Record::new(place, None, Arc::clone(&resource), Arc::clone(&scope), body, repeat)
    };
    Bundle { records: vec![log(0), log(1), log(2)], made_by: "0".into(), ..Bundle::default() }
}

#[test]
fn every_value_comes_back_bit_for_bit() {
    let bundle = small();
    let read = Bundle::from_bytes(&bundle.to_bytes().expect("written")).expect("read");
    let ids = |bundle: &Bundle| bundle.records.iter().map(|record| record.id).collect::<Vec<_>>();
    assert_eq!(ids(&read), ids(&bundle));
    assert_eq!(Bundle::verify(&bundle.to_bytes().expect("written")), (vec![], 3));
}

#[test]
fn a_damaged_frame_is_named_and_the_others_are_read() {
    let mut bundle = store(false).bundle(&asked("order/42"), &effort()).expect("a bundle");
    // A megabyte of text that does not compress away makes several frames.
    for (at, record) in (0u64..).zip(&mut bundle.records) {
        let noise: Vec<u8> = (0..4_000u64)
            .flat_map(|n| ((at * 4_001 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes())
            .collect();
        let mut body = record.body.clone();
        if let Body::Span(span) = &mut body {
            span.attributes = span
                .attributes
                .iter()
                .map(|(key, value)| (key, value.clone()))
                .chain([("noise", Value::Bytes(noise))])
                .collect();
        }
        *record = Record::new(
            record.position,
            record.arrival,
            Arc::clone(&record.resource),
            Arc::clone(&record.scope),
            body,
            record.repeat,
        );
    }
    let records = bundle.records.len();
    let mut bytes = bundle.to_bytes().expect("written");
    let second =
        bytes.windows(4).skip(1).position(|window| window == [0x28, 0xb5, 0x2f, 0xfd]).expect("two frames")
            + 1;
    bytes[second + 1_000] ^= 1;
    let (damages, whole) = Bundle::verify(&bytes);
    assert!(damages.iter().any(|damage| damage.contains("its hash is another")), "{damages:?}");
    assert!(damages.iter().any(|damage| damage.starts_with(&format!("bytes {second} to"))), "{damages:?}");
    assert!(damages.iter().any(|damage| damage.contains("should hold")), "{damages:?}");
    assert!(whole > 0 && whole < records, "{whole} of {records}");
}

proptest! {
    /// BND-2.
    #[test]
    fn no_change_goes_unseen(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        added in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let written = small().to_bytes().expect("written");
        let mut bytes = written.clone();
        for (at, flip) in &flips {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.extend(added);
        prop_assume!(bytes != written);
        prop_assert!(Bundle::from_bytes(&bytes).is_err());
        prop_assert!(!Bundle::verify(&bytes).0.is_empty());
    }

    #[test]
    fn truncated_anywhere_it_is_told(at in any::<prop::sample::Index>()) {
        let written = small().to_bytes().expect("written");
        let bytes = &written[..at.index(written.len())];
        prop_assert!(Bundle::from_bytes(bytes).is_err());
        prop_assert!(!Bundle::verify(bytes).0.is_empty());
    }

    /// Lines that are well compressed and hashed but say anything.
    #[test]
    fn no_lines_make_it_panic(lines in prop::collection::vec("\\PC{0,60}", 0..4), real in any::<prop::sample::Index>(), key in 0usize..40) {
        let written = small().to_bytes().expect("written");
        let text = String::from_utf8(zstd::stream::decode_all(&written[..]).expect("zstd")).expect("text");
        let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
        let place = real.index(all.len());
        let cut: String = all[place].chars().enumerate().filter(|(at, _)| *at != key).map(|(_, char)| char).collect();
        all[place] = cut;
        all.extend(lines);
        let bytes = file::sealed(all.join("\n").as_bytes()).expect("written");
        prop_assert!(Bundle::from_bytes(&bytes).is_err() || text.lines().eq(all.iter().map(String::as_str)));
        let _ = Bundle::verify(&bytes);
    }
}
