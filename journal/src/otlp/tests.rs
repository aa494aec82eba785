//! What a request says, and what is refused of it.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use timeline::record::{Position, Record};

use super::*;

fn traces(spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn logs(log_records: Vec<LogRecord>) -> Vec<u8> {
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    let resource_logs = vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }.encode_to_vec()
}

fn span(trace_id: &[u8], span_id: &[u8]) -> Span {
    let (trace_id, span_id) = (trace_id.to_vec(), span_id.to_vec());
    Span { trace_id, span_id, name: "POST /orders".into(), ..Span::default() }
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// A list in a list in a list …: `depth` values, the outermost counted.
fn nested(depth: u32) -> Any {
    (1..depth).fold(Any::BoolValue(true), |inner, _| {
        Any::ArrayValue(ArrayValue { values: vec![AnyValue { value: Some(inner) }] })
    })
}

fn records(signal: Signal, body: &[u8]) -> Vec<Record> {
    decode(signal, Encoding::Protobuf, body, &[], Position::default(), None).expect("well-formed")
}

fn reasons(body: &[u8]) -> Vec<(u32, Reason)> {
    let checked = check(Signal::Traces, Encoding::Protobuf, body).expect("well-formed");
    checked.refused.into_iter().map(|refused| (refused.item, refused.reason)).collect()
}

#[test]
fn a_bad_span_is_refused_alone() {
    let body = traces(vec![
        span(&[1; 16], &[2; 8]),
        span(&[], &[2; 8]),
        span(&[0; 16], &[2; 8]),
        span(&[1; 15], &[2; 8]),
        span(&[1; 16], &[]),
        span(&[1; 16], &[0; 8]),
        span(&[1; 16], &[2; 9]),
        span(&[1; 16], &[3; 8]),
    ]);
    let expected = [
        (1, Reason::TraceIdMissing),
        (2, Reason::TraceIdZero),
        (3, Reason::TraceIdLength),
        (4, Reason::SpanIdMissing),
        (5, Reason::SpanIdZero),
        (6, Reason::SpanIdLength),
    ];
    assert_eq!(reasons(&body), expected);
    let kept: Vec<_> = records(Signal::Traces, &body).iter().map(|record| record.position.item).collect();
    assert_eq!(kept, [0, 7], "ordinals count the refused ones");
}

#[test]
fn what_was_refused_at_intake_stays_refused() {
    let body = traces((1..=4).map(|id| span(&[id; 16], &[id; 8])).collect());
    let place = Position { segment: 3, offset: 64, frame: 2, item: 0 };
    let kept = decode(Signal::Traces, Encoding::Protobuf, &body, &[0, 2], place, None).expect("well-formed");
    let kept: Vec<_> = kept.iter().map(|record| record.position).collect();
    assert_eq!(kept, [Position { item: 1, ..place }, Position { item: 3, ..place }]);
}

/// Wants the items of a trace; whether their encoding holds its bytes is looked at first.
struct OfTrace(timeline::id::TraceId);

impl Choice for OfTrace {
    fn enter(&mut self, _: &view::Resource<'_>) {}

    fn may_want(&mut self, encoded: &[u8]) -> bool {
        encoded.windows(16).any(|bytes| bytes == self.0.0)
    }

    fn wants(&mut self, item: &view::Item<'_>) -> bool {
        matches!(item, view::Item::Span(span) if span.trace_id() == Some(self.0))
    }
}

#[test]
fn what_is_wanted_is_what_a_filter_of_all_gives() {
    let body = traces((1..=6).map(|number| span(&[number % 2 + 1; 16], &[number; 8])).collect());
    let trace = timeline::id::TraceId([1; 16]);
    let wanted = decode_where(
        Signal::Traces,
        Encoding::Protobuf,
        &body,
        &[1],
        Position::default(),
        None,
        &mut OfTrace(trace),
    );
    let all =
        decode(Signal::Traces, Encoding::Protobuf, &body, &[1], Position::default(), None).expect("decoded");
    let ids =
        |records: Vec<Record>| records.iter().map(|record| (record.position, record.id)).collect::<Vec<_>>();
    let filtered = all.into_iter().filter(|record| record.trace_id() == Some(trace)).collect();
    assert_eq!(ids(wanted.expect("decoded")), ids(filtered));
}

#[test]
fn a_trace_id_of_eight_bytes_is_padded() {
    let body = traces(vec![span(&[7; 8], &[2; 8])]);
    let trace = records(Signal::Traces, &body).first().and_then(Record::trace_id).expect("a trace");
    assert_eq!(trace.to_string(), "00000000000000000707070707070707");
    let checked = check(Signal::Traces, Encoding::Protobuf, &body).expect("well-formed");
    assert_eq!(checked.defects.short_trace_ids, 1);
}

#[test]
fn a_log_with_invalid_ids_is_kept_without_them() {
    let log = LogRecord { trace_id: vec![1; 3], span_id: vec![2; 8], ..LogRecord::default() };
    let body = logs(vec![log]);
    let checked = check(Signal::Logs, Encoding::Protobuf, &body).expect("well-formed");
    assert_eq!((checked.refused.len(), checked.defects.invalid_ids), (0, 1));
    let kept = records(Signal::Logs, &body);
    let ids: Vec<_> = kept.iter().map(|record| (record.trace_id(), record.span_id().is_some())).collect();
    assert_eq!(ids, [(None, true)]);
}

#[test]
fn equal_logs_of_one_request_are_distinct_records_and_equal_spans_are_not() {
    let kept = records(Signal::Logs, &logs(vec![LogRecord::default(); 3]));
    let ids: std::collections::BTreeSet<_> = kept.iter().map(|record| record.id).collect();
    assert_eq!(ids.len(), 3);
    let again = records(Signal::Logs, &logs(vec![LogRecord::default(); 3]));
    assert!(again.iter().all(|record| ids.contains(&record.id)), "a request sent again has the same ids");
    let kept = records(Signal::Traces, &traces(vec![span(&[1; 16], &[2; 8]); 2]));
    assert_eq!(kept[0].id, kept[1].id);
}

#[test]
fn values_nest_as_deep_as_documented_and_no_deeper() {
    let with = |value| Span { attributes: vec![attribute("x", value)], ..span(&[1; 16], &[2; 8]) };
    let body = traces(vec![with(nested(DEPTH_MAX)), with(nested(DEPTH_MAX + 1)), span(&[1; 16], &[3; 8])]);
    assert_eq!(reasons(&body), [(1, Reason::TooDeep)]);
}

#[test]
fn text_that_is_not_utf8_is_mended_and_counted() {
    let mut body = traces(vec![Span { name: "caf\u{e9}".into(), ..span(&[1; 16], &[2; 8]) }]);
    let at = body.windows(2).position(|pair| pair == "\u{e9}".as_bytes()).expect("the name");
    body[at] = 0xff;
    let checked = check(Signal::Traces, Encoding::Protobuf, &body).expect("well-formed");
    assert_eq!((checked.refused.len(), checked.defects.invalid_texts), (0, 1));
    let kept = records(Signal::Traces, &body);
    assert_eq!(kept[0].as_span().map(|span| span.name.as_str()), Some("caf\u{fffd}\u{fffd}"));
}

#[test]
fn a_torn_body_is_malformed_where_it_is_torn() {
    let body = traces(vec![span(&[1; 16], &[2; 8])]);
    for cut in 1..body.len() {
        let torn = check(Signal::Traces, Encoding::Protobuf, &body[..cut]).expect_err("torn");
        assert!(torn.offset <= cut, "{torn}");
    }
    let mut wrong = body.clone();
    *wrong.last_mut().expect("not empty") = 0xff;
    wrong.extend([0xff, 0xff]);
    assert!(check(Signal::Traces, Encoding::Protobuf, &wrong).is_err());
}

#[test]
fn an_empty_request_is_one() {
    for signal in [Signal::Traces, Signal::Logs] {
        for (encoding, body) in [(Encoding::Protobuf, ""), (Encoding::Json, "{}")] {
            assert_eq!(check(signal, encoding, body.as_bytes()), Ok(Checked::default()));
        }
        assert!(check(signal, Encoding::Json, b"").is_err());
    }
}

#[test]
fn the_largest_carried_stamp_is_found() {
    let (small, large) = ("00000000000000aa", "00000000000000ab");
    let with = |trace_state: String, value: &str| Span {
        trace_state,
        attributes: vec![attribute("hlc", Any::StringValue(value.into()))],
        ..span(&[1; 16], &[2; 8])
    };
    for span in [with(format!("hlc={large}"), small), with(format!("ot=th:8,hlc={small}"), large)] {
        let checked = check(Signal::Traces, Encoding::Protobuf, &traces(vec![span])).expect("well-formed");
        assert_eq!(checked.carried.map(|stamp| stamp.to_string()).as_deref(), Some(large));
    }
}

#[test]
fn stamps_that_are_none_are_ignored_and_counted() {
    let span = Span {
        trace_state: "hlc=soon".into(),
        attributes: vec![attribute("hlc", Any::IntValue(7))],
        ..span(&[1; 16], &[2; 8])
    };
    let checked = check(Signal::Traces, Encoding::Protobuf, &traces(vec![span])).expect("well-formed");
    assert_eq!((checked.carried, checked.defects.invalid_stamps), (None, 2));
    assert_eq!(
        checked.message(Signal::Traces),
        "stamps (hlc) that are not 16 hexadecimal digits, ignored: 2"
    );
}

#[test]
fn a_sender_is_told_what_was_refused_and_what_was_mended() {
    let body = traces(vec![span(&[1; 16], &[2; 8]), span(&[], &[2; 8]), span(&[1; 8], &[2; 8])]);
    let checked = check(Signal::Traces, Encoding::Protobuf, &body).expect("well-formed");
    assert_eq!(
        checked.message(Signal::Traces),
        "refused 1 of 3 spans: number 1: it has no trace id. trace ids of 8 bytes, padded with zeros at the left: 1"
    );
    assert_eq!(Checked::default().message(Signal::Logs), "");
}

#[test]
fn times_in_another_unit_are_kept_and_told() {
    let now_ns = 1_770_000_000_000_000_000;
    let odd = [now_ns / 1_000, now_ns / 1_000_000, now_ns / 1_000_000_000, u64::MAX];
    let at = |start_time_unix_nano, id| Span { start_time_unix_nano, ..span(&[1; 16], &[id; 8]) };
    let good = [at(now_ns, 9), at(0, 10)];
    let body = traces((1..).zip(odd).map(|(id, time)| at(time, id)).chain(good).collect());
    let checked = check(Signal::Traces, Encoding::Protobuf, &body).expect("well-formed");
    assert_eq!((checked.refused.len(), checked.defects.odd_times), (0, 4));
    assert!(checked.message(Signal::Traces).contains("nanoseconds"), "{}", checked.message(Signal::Traces));
    let starts: Vec<u64> = records(Signal::Traces, &body).iter().map(|record| record.time().0).collect();
    assert_eq!(starts[..4], odd);

    let log = LogRecord { observed_time_unix_nano: odd[1], ..LogRecord::default() };
    let checked = check(Signal::Logs, Encoding::Protobuf, &logs(vec![log])).expect("well-formed");
    assert_eq!(checked.defects.odd_times, 1);
}

#[test]
fn a_span_that_ends_before_it_starts_is_kept_and_told() {
    let of = |start_time_unix_nano, end_time_unix_nano, id| Span {
        start_time_unix_nano,
        end_time_unix_nano,
        ..span(&[1; 16], &[id; 8])
    };
    let body = traces(vec![of(20, 10, 1), of(10, 10, 2), of(10, 20, 3), of(10, 0, 4)]);
    let checked = check(Signal::Traces, Encoding::Protobuf, &body).expect("well-formed");
    assert_eq!((checked.refused.len(), checked.defects.reversed_spans), (0, 1));
    assert_eq!(records(Signal::Traces, &body).len(), 4);
}

#[test]
fn of_a_key_given_twice_the_last_counts_and_the_sender_is_told() {
    let pair = |key: &str, number| KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(Any::IntValue(number)) }),
        ..KeyValue::default()
    };
    let attributes = vec![pair("order.id", 1), pair("other", 2), pair("order.id", 3)];
    let body = traces(vec![Span { attributes, ..span(&[1; 16], &[1; 8]) }]);
    let checked = check(Signal::Traces, Encoding::Protobuf, &body).expect("well-formed");
    assert_eq!((checked.refused.len(), checked.defects.repeated_keys), (0, 1));
    let kept = records(Signal::Traces, &body);
    let value = kept.first().and_then(|record| record.attributes().get("order.id").cloned());
    assert_eq!(value, Some(timeline::value::Value::Int(3)));
}

#[test]
fn another_signals_request_is_named() {
    let log = LogRecord { time_unix_nano: 1, severity_text: "INFO".into(), ..LogRecord::default() };
    let error = check(Signal::Traces, Encoding::Protobuf, &logs(vec![log])).expect_err("no spans");
    assert!(error.to_string().ends_with("(it reads as a logs request), at byte 6"), "{error}");
    let error = check(Signal::Logs, Encoding::Protobuf, &traces(vec![span(&[1; 16], &[2; 8])]));
    assert!(error.expect_err("no logs").to_string().contains("(it reads as a traces request)"));
}
