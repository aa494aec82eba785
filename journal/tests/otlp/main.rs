//! Reading OTLP against prost, which is the oracle of what a request is and what it says.
//!
//! | file          | what it holds                                              |
//! |---------------|------------------------------------------------------------|
//! | `requests.rs` | random requests                                            |
//! | `naive.rs`    | records from prost's structs, slow and obvious             |
//! | `corpus.rs`   | the bodies under `fixtures/`                               |

mod corpus;
mod naive;
mod requests;

use journal::otlp::view::{Item, Request};
use journal::otlp::{Encoding, Malformed, Reason, Signal, check, decode};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;
use timeline::record::{Position, Record};

use requests::{Mutation, logs, mutations, traces};

/// What identifies a record: where it stands and the hash of all that it says.
fn identity(records: &[Record]) -> Vec<(u32, String)> {
    records.iter().map(|record| (record.position.item, record.id.to_string())).collect()
}

fn records(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<Vec<Record>, Malformed> {
    decode(signal, encoding, body, &[], Position::default(), None)
}

fn prost_reads(signal: Signal, body: &[u8]) -> bool {
    match signal {
        Signal::Traces => ExportTraceServiceRequest::decode(body).is_ok(),
        Signal::Logs => ExportLogsServiceRequest::decode(body).is_ok(),
    }
}

/// Reads everything that the views show, and counts the items.
fn walk(signal: Signal, body: &[u8]) -> usize {
    let groups = Request::new(signal, body).groups();
    let items = groups.flat_map(|group| group.scopes()).flat_map(|scope| scope.items());
    items
        .inspect(|item| match item {
            Item::Span(span) => {
                drop((span.attributes.to_owned(), span.trace_id()));
                span.events().for_each(|event| drop(event.attributes.to_owned()));
                span.links().for_each(|link| drop((link.attributes.to_owned(), link.trace_id())));
            }
            Item::Log(log) => drop((log.body.to_owned(), log.attributes.to_owned(), log.trace_id())),
        })
        .count()
}

/// The contract between us and prost, on any bytes at all.
fn agree_with_prost(signal: Signal, body: &[u8]) -> Result<(), TestCaseError> {
    let theirs = prost_reads(signal, body);
    match check(signal, Encoding::Protobuf, body) {
        Ok(checked) => {
            // The two leniences that docs/otlp.md documents.
            let lenient = checked.defects.invalid_texts > 0
                || checked.refused.iter().any(|refused| refused.reason == Reason::TooDeep);
            prop_assert!(theirs || lenient, "accepted what prost refuses");
            let items = checked.items as usize;
            prop_assert_eq!(walk(signal, body), items);
            let kept = records(signal, Encoding::Protobuf, body).expect("a checked body is decoded");
            prop_assert_eq!(kept.len(), items - checked.refused.len());
        }
        Err(malformed) => {
            // The one strictness.
            let strict = malformed.what.starts_with("a message that may stand once stands twice");
            prop_assert!(!theirs || strict, "refused what prost accepts: {}", malformed);
            prop_assert!(malformed.offset <= body.len());
            walk(signal, body); // ends early, but never panics
        }
    }
    Ok(())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: proptest::test_runner::RngSeed::Fixed(42),
        failure_persistence: None, // the seed is fixed: a failure comes again by itself
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn spans_say_what_prost_says(request in traces()) {
        let ours = records(Signal::Traces, Encoding::Protobuf, &request.encode_to_vec()).expect("well-formed");
        prop_assert_eq!(identity(&ours), identity(&naive::traces(&request)));
    }

    #[test]
    fn logs_say_what_prost_says(request in logs()) {
        let ours = records(Signal::Logs, Encoding::Protobuf, &request.encode_to_vec()).expect("well-formed");
        prop_assert_eq!(identity(&ours), identity(&naive::logs(&request)));
    }

    #[test]
    fn json_says_what_protobuf_says(traces in traces(), logs in logs()) {
        for (signal, json, protobuf) in [
            (Signal::Traces, serde_json::to_vec(&traces), traces.encode_to_vec()),
            (Signal::Logs, serde_json::to_vec(&logs), logs.encode_to_vec()),
        ] {
            let json = records(signal, Encoding::Json, &json.expect("JSON")).expect("well-formed");
            let protobuf = records(signal, Encoding::Protobuf, &protobuf).expect("well-formed");
            prop_assert_eq!(identity(&json), identity(&protobuf));
        }
    }

    #[test]
    fn snake_case_says_what_camel_case_says(traces in traces()) {
        let json = serde_json::to_value(&traces).expect("JSON");
        let snake = serde_json::to_vec(&requests::in_snake_case(&json)).expect("JSON");
        let camel = serde_json::to_vec(&json).expect("JSON");
        let [snake, camel] = [snake, camel]
            .map(|body| records(Signal::Traces, Encoding::Json, &body).expect("well-formed"));
        prop_assert_eq!(identity(&snake), identity(&camel));
    }
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn random_bytes_are_read_as_prost_reads_them(body in prop::collection::vec(any::<u8>(), 0..64)) {
        agree_with_prost(Signal::Traces, &body)?;
        agree_with_prost(Signal::Logs, &body)?;
    }

    #[test]
    fn damaged_requests_are_read_as_prost_reads_them(
        traces in traces(),
        logs in logs(),
        damage in mutations(),
    ) {
        for (signal, body) in [(Signal::Traces, traces.encode_to_vec()), (Signal::Logs, logs.encode_to_vec())] {
            let damaged = damage.iter().fold(body, |body, mutation| Mutation::apply(*mutation, body));
            agree_with_prost(signal, &damaged)?;
        }
    }

    #[test]
    fn damaged_json_never_panics(traces in traces(), damage in mutations()) {
        let body = serde_json::to_vec(&traces).expect("JSON");
        let damaged = damage.iter().fold(body, |body, mutation| Mutation::apply(*mutation, body));
        match check(Signal::Traces, Encoding::Json, &damaged) {
            Ok(checked) => {
                let kept = records(Signal::Traces, Encoding::Json, &damaged).expect("a checked body is decoded");
                prop_assert_eq!(kept.len(), checked.items as usize - checked.refused.len());
            }
            Err(malformed) => prop_assert!(malformed.offset <= damaged.len()),
        }
    }
}
