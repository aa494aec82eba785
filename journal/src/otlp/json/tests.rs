//! What senders write in JSON, and what becomes of it.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue};
use opentelemetry_proto::tonic::trace::v1::Span;

use super::*;
use crate::otlp::{Checked, DEPTH_MAX, Defects, Encoding, Reason, check};

fn traces(body: &str) -> ExportTraceServiceRequest {
    let converted = convert(Signal::Traces, body.as_bytes()).expect(body);
    ExportTraceServiceRequest::decode(converted.protobuf.as_slice()).expect("protobuf")
}

fn with_span(fields: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{fields}}}]}}]}}]}}"#)
}

fn span(fields: &str) -> Span {
    let request = traces(&with_span(fields));
    request.resource_spans[0].scope_spans[0].spans[0].clone()
}

fn value(json: &str) -> Option<Value> {
    let span = span(&format!(r#""attributes":[{{"key":"x","value":{json}}}]"#));
    span.attributes[0].value.clone().and_then(|value| value.value)
}

fn refused(body: &str) -> String {
    convert(Signal::Traces, body.as_bytes()).err().expect(body).to_string()
}

fn checked(body: &str) -> Checked {
    check(Signal::Traces, Encoding::Json, body.as_bytes()).expect(body)
}

#[test]
fn one_span_in_four_spellings() {
    let expected = Span {
        trace_id: vec![0x5b; 16],
        span_id: vec![0xee; 8],
        kind: 2,
        start_time_unix_nano: 1_763_892_000_123_456_789,
        flags: 257,
        name: "GET".into(),
        ..Span::default()
    };
    let (trace, id) = ("5b".repeat(16), "ee".repeat(8));
    let (upper_trace, upper_id) = (trace.to_uppercase(), id.to_uppercase());
    for fields in [
        format!(
            r#""traceId":"{trace}","spanId":"{id}","kind":2,"startTimeUnixNano":"1763892000123456789","flags":257,"name":"GET""#
        ),
        format!(
            r#""traceId":"{upper_trace}","spanId":"{upper_id}","kind":"2","startTimeUnixNano":1763892000123456789,"flags":"257","name":"GET""#
        ),
        format!(
            r#""trace_id":"{trace}","span_id":"{id}","kind":"SPAN_KIND_SERVER","start_time_unix_nano":1.763892000123456789e18,"flags":257.0,"name":"G\u0045T""#
        ),
        format!(
            r#""unknown":[{{"a":[1,"\"}}",null]}}],"traceId":"{trace}","spanId":"{id}","kind":2,"parentSpanId":null,"attributes":null,"links":null,"startTimeUnixNano":"1763892000123456789" , "flags" : 257,"name":"GET","events":[]"#
        ),
    ] {
        assert_eq!(span(&fields), expected, "{fields}");
    }
}

#[test]
fn values_of_every_kind() {
    for (json, expected) in [
        ("{}", None),
        ("null", None),
        (r#"{"stringValue":"a"}"#, Some(Value::StringValue("a".into()))),
        (r#"{"string_value":"a"}"#, Some(Value::StringValue("a".into()))),
        (r#"{"boolValue":true}"#, Some(Value::BoolValue(true))),
        (r#"{"intValue":"-42"}"#, Some(Value::IntValue(-42))),
        (r#"{"intValue":9007199254740993}"#, Some(Value::IntValue(9_007_199_254_740_993))),
        (r#"{"intValue":1e21}"#, Some(Value::DoubleValue(1e21))),
        (r#"{"intValue":1.5}"#, Some(Value::DoubleValue(1.5))),
        (r#"{"doubleValue":"-Infinity"}"#, Some(Value::DoubleValue(f64::NEG_INFINITY))),
        (r#"{"doubleValue":1}"#, Some(Value::DoubleValue(1.0))),
        (r#"{"doubleValue":null}"#, None),
        (r#"{"bytesValue":"-_8="}"#, Some(Value::BytesValue(vec![0xfb, 0xff]))),
        (r#"{"bytesValue":"+/8"}"#, Some(Value::BytesValue(vec![0xfb, 0xff]))),
        (r#"{"arrayValue":{}}"#, Some(Value::ArrayValue(ArrayValue::default()))),
        (
            r#"{"arrayValue":{"values":[{}]}}"#,
            Some(Value::ArrayValue(ArrayValue { values: vec![AnyValue::default()] })),
        ),
        (r#"{"kvlistValue":{"values":null}}"#, Some(Value::KvlistValue(Default::default()))),
        (r#"{"newValue":1,"other":2}"#, None),
        (r#"{"intValue":1,"stringValue":"last"}"#, Some(Value::StringValue("last".into()))),
    ] {
        assert_eq!(value(json), expected, "{json}");
    }
}

#[test]
fn text_that_is_not_unicode_is_mended_and_counted() {
    for (text, expected, count) in [
        (r"\ud83d\ude00", "😀", 0),
        (r"cut \ud83d", "cut \u{fffd}", 1),
        (r"\ude00 first", "\u{fffd} first", 1),
        (r"\ud83d\u0041", "\u{fffd}A", 1),
        (r"\ud83d\ud83d\ude00", "\u{fffd}😀", 1),
        (r"tab\tquote\u0022\/", "tab\tquote\"/", 0),
    ] {
        let body = with_span(&format!(r#""name":"{text}""#));
        assert_eq!(span(&format!(r#""name":"{text}""#)).name, expected);
        assert_eq!(checked(&body).defects.invalid_texts, count, "{text}");
    }
    let mut body = with_span(r#""name":"caf?""#).into_bytes();
    let at = body.iter().position(|byte| *byte == b'?').expect("the name");
    body[at] = 0xe9; // Latin-1
    let checked = check(Signal::Traces, Encoding::Json, &body).expect("well-formed");
    assert_eq!(checked.defects.invalid_texts, 1);
}

#[test]
fn a_name_given_twice_and_a_number_too_wide_are_mended_and_counted() {
    let body =
        with_span(r#""name":"first","name":"second","attributes":[{"key":"n","value":{"intValue":1e21}}]"#);
    let defects = checked(&body).defects;
    assert_eq!((defects.repeated_keys, defects.wide_integers), (1, 1));
    assert_eq!(span(r#""name":"first","name":"second""#).name, "second");
    let body = with_span(r#""name":"x","attributes":[{"key":"n","value":{"intValue":9223372036854775807}}]"#);
    assert_eq!(checked(&body).defects, Defects::default());
}

#[test]
fn an_id_that_is_none_costs_its_own_span_only() {
    let id = "ee".repeat(8);
    let good = format!(r#"{{"traceId":"{}","spanId":"{id}"}}"#, "5b".repeat(16));
    for (trace, reason) in [
        ("", Reason::TraceIdMissing),
        ("5b5b", Reason::TraceIdLength),
        ("zz5b5b5b5b5b5b5b", Reason::TraceIdLength),
        ("W7uPSnTjS02hx5Rb3sPY0A==", Reason::TraceIdLength),
        ("00000000000000000000000000000000", Reason::TraceIdZero),
    ] {
        let bad = format!(r#"{{"traceId":"{trace}","spanId":"{id}"}}"#);
        let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{good},{bad},{good}]}}]}}]}}"#);
        let reasons: Vec<_> =
            checked(&body).refused.iter().map(|refused| (refused.item, refused.reason)).collect();
        assert_eq!(reasons, [(1, reason)], "{trace}");
    }
}

#[test]
fn what_is_no_request_is_refused_with_its_place() {
    for (body, expected) in [
        ("", "a JSON object must begin here"),
        ("[]", "a JSON object must begin here"),
        ("null", "a JSON object must begin here"),
        ("{} {}", "something follows the JSON object"),
        ("{", "a name in quotes must stand here"),
        (r#"{"resourceSpans":{}}"#, "resourceSpans: a list must stand here"),
        (
            r#"{"resourceSpans":[{"scopeSpans":[{},{"spans":[{"name":5}]}]}]}"#,
            "resourceSpans[0].scopeSpans[1].spans[0].name: '\"' must stand here",
        ),
        (
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SERVER"}]}]}]}"#,
            "resourceSpans[0].scopeSpans[0].spans[0].kind: a number or a known name must stand here",
        ),
        (
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"flags":4294967296}]}]}]}"#,
            "resourceSpans[0].scopeSpans[0].spans[0].flags: a whole number in its range must stand here",
        ),
        (r#"{"resourceSpans":[{}"#, "resourceSpans: ',' must stand here"),
        (r#"{"resourceSpans":[{},]}"#, "resourceSpans[1]: an object must stand here"),
        (r#"{"a":nul}"#, "a: a value must stand here"),
        (r#"{"a":"b"#, "a: a text does not end"),
        (r#"{"a":"\x"}"#, "a: a backslash and a character that it does not go with"),
        (r#"{"resourceLogs":[]}"#, "it holds resourceLogs: a logs request"),
    ] {
        let error = refused(body);
        assert!(error.contains(&format!(": {expected}, at byte ")), "{error}\n{expected}");
    }
}

#[test]
fn unknown_names_beside_the_own_list_are_skipped() {
    assert_eq!(
        traces(r#"{"resourceSpans":[],"resourceLogs":[{}],"x":{"y":1.5e3}}"#),
        ExportTraceServiceRequest::default()
    );
    assert_eq!(traces("\u{feff}{\"future\":true}\n"), ExportTraceServiceRequest::default());
}

#[test]
fn nesting_is_bounded_item_by_item_and_then_as_a_whole() {
    let nested = |depth: usize| {
        let (open, close) = (r#"{"arrayValue":{"values":["#, "]}}");
        let value = format!("{}{{\"boolValue\":true}}{}", open.repeat(depth - 1), close.repeat(depth - 1));
        let ids = format!(r#""traceId":"{}","spanId":"{}""#, "5b".repeat(16), "ee".repeat(8));
        with_span(&format!(r#"{ids},"attributes":[{{"key":"x","value":{value}}}]"#))
    };
    let depth = DEPTH_MAX as usize;
    assert_eq!(checked(&nested(depth)).refused, []);
    for depth in [depth + 1, depth + 2, 80] {
        let reasons: Vec<_> = checked(&nested(depth)).refused.iter().map(|refused| refused.reason).collect();
        assert_eq!(reasons, [Reason::TooDeep]);
    }
    for body in [nested(100_000), format!("{{\"x\":{}", "[".repeat(100_000))] {
        assert!(refused(&body).contains("nested deeper than 256"));
    }
}
