//! Files of every format, whole and broken.

use std::io::Write;

use journal::otlp::{Encoding, Signal};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::prelude::*;
use prost::Message;

use crate::{Format, Import, ImportError, LogOptions, OptionError, Options, Request, read};

fn options(logs: LogOptions) -> Options {
    Options { logs, ..Options::default() }
}

fn import_with(file: &[u8], options: &Options) -> Result<(Import, Vec<Request>), ImportError> {
    let mut requests = Vec::new();
    let import = read(file, options, &mut |request| {
        requests.push(request);
        Ok(())
    })?;
    Ok((import, requests))
}

fn import(file: &[u8]) -> (Import, Vec<Request>) {
    import_with(file, &Options::default()).unwrap()
}

fn spans(requests: &[Request]) -> Vec<(String, Span)> {
    let mut spans = Vec::new();
    for request in requests.iter().filter(|request| request.signal == Signal::Traces) {
        let body = journal::otlp::protobuf(Signal::Traces, request.encoding, &request.body).unwrap();
        for group in ExportTraceServiceRequest::decode(&body[..]).unwrap().resource_spans {
            let resource = format!("{:?}", shown(&group.resource.unwrap().attributes));
            spans.extend(
                group.scope_spans.into_iter().flat_map(|s| s.spans).map(|span| (resource.clone(), span)),
            );
        }
    }
    spans
}

fn logs(requests: &[Request]) -> Vec<(String, LogRecord)> {
    let mut logs = Vec::new();
    for request in requests.iter().filter(|request| request.signal == Signal::Logs) {
        let body = journal::otlp::protobuf(Signal::Logs, request.encoding, &request.body).unwrap();
        for group in ExportLogsServiceRequest::decode(&body[..]).unwrap().resource_logs {
            let resource = format!("{:?}", shown(&group.resource.unwrap().attributes));
            logs.extend(
                group.scope_logs.into_iter().flat_map(|s| s.log_records).map(|log| (resource.clone(), log)),
            );
        }
    }
    logs
}

fn shown(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> Vec<String> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let value = |value: &Option<opentelemetry_proto::tonic::common::v1::AnyValue>| match value
        .clone()
        .and_then(|v| v.value)
    {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|kv| format!("{}={}", kv.key, value(&kv.value))).collect()
}

fn body(log: &LogRecord) -> String {
    shown(&[opentelemetry_proto::tonic::common::v1::KeyValue {
        key: String::new(),
        value: log.body.clone(),
        ..Default::default()
    }])
    .remove(0)
    .split_off(1)
}

const JAEGER: &str = r#"{"data":[{"traceID":"4bf92f3577b34da6","processes":{"p1":{"serviceName":"orders","tags":[{"key":"hostname","type":"string","value":"node-a"}]}},
 "spans":[{"traceID":"4bf92f3577b34da6","spanID":"53ce929d0e0e4736","operationName":"POST /orders","references":[],"startTime":1795428000000000,"duration":1500,
  "tags":[{"key":"span.kind","type":"string","value":"server"},{"key":"order.id","type":"int64","value":"42"},{"key":"error","type":"bool","value":true}],
  "logs":[{"timestamp":1795428000000100,"fields":[{"key":"event","type":"string","value":"retry"},{"key":"attempt","type":"int64","value":2}]}],"processID":"p1","warnings":null},
 {"traceID":"4bf92f3577b34da6","spanID":"e4736","operationName":"charge","references":[{"refType":"CHILD_OF","traceID":"4bf92f3577b34da6","spanID":"53ce929d0e0e4736"},
  {"refType":"FOLLOWS_FROM","traceID":"aaaa","spanID":"bbbb"}],"startTime":1795428000000200,"duration":1,"tags":[],"logs":[],"processID":"p1"},
 {"traceID":"4bf92f3577b34da6","operationName":"no span id"}]}],"total":0,"errors":null}"#;

#[test]
fn jaegers_traces_become_spans() {
    let (import, requests) = import(JAEGER.as_bytes());
    assert_eq!(import.format, Some(Format::Jaeger));
    assert_eq!((import.counts.spans, import.counts.refused), (2, 0));
    assert_eq!(import.faults.len(), 1);
    assert_eq!(import.faults[0].place, "data[0].spans[2]");
    let spans = spans(&requests);
    let (resource, span) = &spans[0];
    assert!(resource.contains("service.name=orders") && resource.contains("host.name=node-a"), "{resource}");
    assert_eq!(span.trace_id.len(), 16);
    assert_eq!(
        (span.kind, span.start_time_unix_nano, span.end_time_unix_nano - span.start_time_unix_nano),
        (2, 1_795_428_000_000_000_000, 1_500_000)
    );
    assert_eq!(span.status.as_ref().unwrap().code, 2);
    assert_eq!(shown(&span.attributes), ["order.id=42"]);
    assert_eq!(
        (span.events[0].name.as_str(), shown(&span.events[0].attributes)),
        ("retry", vec!["attempt=2".to_owned()])
    );
    let child = &spans[1].1;
    assert_eq!((&child.parent_span_id, child.links.len()), (&span.span_id, 1));
    assert_eq!(shown(&child.links[0].attributes), [""; 0], "that is what a link says anyway");
}

const ZIPKIN: &str = r#"[{"traceId":"5982fe77008310cc80f1da5e10147517","id":"90394f6bcffb5d13","parentId":"67fae42571535f60","kind":"CLIENT","name":"get","timestamp":1795428000000000,"duration":29000,
 "localEndpoint":{"serviceName":"orders","ipv4":"172.17.0.2"},"remoteEndpoint":{"serviceName":"payments","ipv4":"172.17.0.3","port":80},"annotations":[{"timestamp":1795428000000009,"value":"sent"}],"tags":{"http.path":"/charges/7","error":"timeout"}},
 {"traceId":"5982fe77008310cc80f1da5e10147517","id":"90394f6bcffb5d13","parentId":"67fae42571535f60","kind":"SERVER","shared":true,"timestamp":1795428000001000,"duration":900,"localEndpoint":{"serviceName":"payments"}},
 {"id":"1"}]"#;

#[test]
fn zipkins_halves_of_one_span_stay_two() {
    let (import, requests) = import(ZIPKIN.as_bytes());
    assert_eq!((import.format, import.counts.spans), (Some(Format::Zipkin), 2));
    assert!(import.faults[0].what.contains("traceId"), "{:?}", import.faults);
    let spans = spans(&requests);
    assert_eq!(spans[0].1.span_id, spans[1].1.span_id);
    assert_eq!((spans[0].1.kind, spans[1].1.kind), (3, 2));
    assert!(spans[1].0.contains("payments"));
    assert_eq!(spans[0].1.status.as_ref().unwrap().message, "timeout");
    assert!(shown(&spans[1].1.attributes).contains(&"zipkin.shared=true".to_owned()));
}

#[test]
fn tempos_ids_are_read_from_base64() {
    let file = r#"{"batches":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"orders"}}]},
        "instrumentationLibrarySpans":[{"instrumentationLibrary":{"name":"x"},"spans":[{"traceId":"S/kvNXezTaajzpKdDg5HNg==","spanId":"APBnqguikCt=","name":"a",
        "kind":"SPAN_KIND_SERVER","startTimeUnixNano":"5","endTimeUnixNano":"6"}]}]}]}"#;
    let file = file.replace("APBnqguikCt=", "APBnqgupArc=");
    for file in [file.clone(), file.replace("{\"batches\"", "{\"trace\":{\"resourceSpans\"") + "}"] {
        let (import, requests) = import(file.as_bytes());
        assert_eq!((import.format, import.counts.spans), (Some(Format::Tempo), 1), "{:?}", import.faults);
        let (_, span) = &spans(&requests)[0];
        assert_eq!(span.trace_id[..4], [0x4b, 0xf9, 0x2f, 0x35]);
        assert_eq!((span.span_id.len(), span.kind), (8, 2));
    }
}

fn otlp_line(name: &str) -> String {
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[]}},"scopeSpans":[{{"spans":[{{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","name":"{name}","startTimeUnixNano":"1","endTimeUnixNano":"2"}}]}}]}}]}}"#
    )
}

#[test]
fn a_bad_line_costs_only_itself() {
    let bad_id = otlp_line("c").replace("00f067aa0ba902b7", "zz");
    let file = [
        otlp_line("a").as_str(),
        "{\"resourceSpans\": oops",
        "",
        &bad_id,
        r#"{"resourceMetrics":[]}"#,
        &otlp_line("b"),
    ]
    .join("\n");
    let (import, requests) = import(file.as_bytes());
    assert_eq!((import.counts.spans, import.counts.refused, import.counts.metrics), (2, 1, 1));
    let places: Vec<&str> = import.faults.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(places, ["line 2", "line 4"]);
    assert!(import.faults[1].what.contains("span id"), "{}", import.faults[1].what);
    assert_eq!(requests.iter().filter(|request| request.encoding == Encoding::Json).count(), 3);
}

#[test]
fn a_document_over_many_lines_is_one() {
    let value: serde_json::Value = serde_json::from_str(&otlp_line("a")).unwrap();
    let (import, _) = import(serde_json::to_string_pretty(&value).unwrap().as_bytes());
    assert_eq!((import.format, import.counts.spans), (Some(Format::OtlpJson), 1));
}

#[test]
fn protobuf_frames_and_compression_are_undone() {
    let body = journal::otlp::protobuf(Signal::Traces, Encoding::Json, otlp_line("a").as_bytes())
        .unwrap()
        .into_owned();
    let frame = |body: &[u8]| [&(body.len() as u32).to_be_bytes()[..], body].concat();
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(otlp_line("a").as_bytes()).unwrap();
    for (file, format) in [
        (body.clone(), Format::OtlpProtobuf),
        (frame(&body), Format::OtlpFrames),
        (frame(&zstd(&body)), Format::OtlpFrames),
        (frame(&zstd(otlp_line("a").as_bytes())), Format::OtlpFrames),
        (zstd(otlp_line("a").as_bytes()), Format::OtlpJson),
        (gzip.finish().unwrap(), Format::OtlpJson),
    ] {
        let (import, _) = import(&file);
        assert_eq!((import.format, import.counts.spans), (Some(format), 1), "{:?}", import.faults);
    }
    let torn = &frame(&body)[..20];
    assert_eq!(import(torn).0.faults[0].what, "the file ends within a frame");
}

#[test]
fn plain_logs_become_records_and_stack_traces_stay_with_them() {
    let file = "{\"time\":\"2026-11-23T10:00:00Z\",\"level\":\"error\",\"msg\":\"order 42 failed\",\"order_id\":42}\n  at pay()\n  at main()\nnot json\n{\"msg\":\"b\"}\n";
    let with = options(LogOptions { service: Some("orders".to_owned()), ..LogOptions::default() });
    let (import, requests) = import_with(file.as_bytes(), &with).unwrap();
    assert_eq!((import.format, import.counts.logs), (Some(Format::JsonLines), 2));
    assert_eq!(import.faults[0].place, "line 4");
    let logs = logs(&requests);
    assert_eq!(body(&logs[0].1), "order 42 failed\n  at pay()\n  at main()");
    assert_eq!((logs[0].1.severity_number, logs[0].1.time_unix_nano), (17, 1_795_428_000_000_000_000));
    assert_eq!(shown(&logs[0].1.attributes), ["order_id=42"]);
    let unnamed = import_with(file.as_bytes(), &Options::default());
    assert!(matches!(unnamed, Err(ImportError::Option(OptionError::Service(1)))));
}

#[test]
fn a_pattern_names_the_fields() {
    let pattern =
        regex::Regex::new(r"^(?<time>\S+ \S+) (?<severity>\w+) \[(?<thread>.*?)\] (?<message>.*)$").unwrap();
    let logs_options = LogOptions {
        service: Some("legacy".to_owned()),
        zone: "utc".parse().ok(),
        pattern: Some(pattern),
        ..LogOptions::default()
    };
    let file = "2026-11-23 10:00:00,5 WARN [main] order 42 is late\ngarbage\n";
    let (import, requests) = import_with(file.as_bytes(), &options(logs_options)).unwrap();
    assert_eq!((import.counts.logs, import.faults.len()), (1, 1));
    let (_, log) = &logs(&requests)[0];
    assert_eq!((log.severity_number, body(log).as_str()), (13, "order 42 is late"));
    assert_eq!(shown(&log.attributes), ["thread=main"]);
}

#[test]
fn vector_clocks_are_read_over_two_lines() {
    let pattern = regex::Regex::new(r"(?<event>.*)\n(?<host>\S*) (?<clock>\{.*\})").unwrap();
    let with = options(LogOptions { pattern: Some(pattern), ..LogOptions::default() });
    let file = "sent 42\nalice {\"alice\":1}\ngot 42\nbob {\"alice\":1,\"bob\":1}\nlost\nbob {oops}\n";
    let (import, requests) = import_with(file.as_bytes(), &with).unwrap();
    assert_eq!((import.format, import.counts.logs), (Some(Format::VectorClock), 2));
    assert_eq!(import.faults[0].place, "line 5");
    assert!(logs(&requests)[1].0.contains("service.name=bob"));
}

#[test]
fn what_is_nothing_is_said() {
    assert!(matches!(import_with(b"just words\n", &Options::default()), Err(ImportError::UnknownFormat)));
    assert!(matches!(import_with(b"", &Options::default()), Err(ImportError::UnknownFormat)));
    let (import, _) = import(&JAEGER.as_bytes()[..JAEGER.len() / 2]);
    assert_eq!(import.faults.len(), 1);
    assert!(import.faults[0].what.contains("JSON"), "{:?}", import.faults);
}

proptest! {
    /// IMP-2, and that no bytes make it panic.
    #[test]
    fn any_bytes_are_read_alike_twice(at in 0usize..4, cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6)) {
        let files = [JAEGER.to_owned(), ZIPKIN.to_owned(), otlp_line("a") + "\n" + &otlp_line("b"), "level=info msg=a\nlevel=warn msg=b".to_owned()];
        let mut file = files[at].clone().into_bytes();
        for (place, byte) in cuts {
            let place = place.index(file.len());
            file[place] = byte;
        }
        let with = options(LogOptions { service: Some("s".to_owned()), ..LogOptions::default() });
        let bodies = |(import, requests): (Import, Vec<Request>)| {
            (import, requests.into_iter().map(|request| request.body).collect::<Vec<_>>())
        };
        let first = import_with(&file, &with).map(bodies).map_err(|error| error.to_string());
        let second = import_with(&file, &with).map(bodies).map_err(|error| error.to_string());
        prop_assert_eq!(first, second);
    }
}
