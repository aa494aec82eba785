//! OTLP/HTTP: success, and each way to go wrong, in protobuf and in JSON.

use std::time::Duration;

use journal::otlp::{Encoding, Signal};
use journal::{AppendError, Source};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    DEADLINE, LIMIT, Play, RECEIPT, SPAN_JSON, good, gzip, half_bad, log, post, send, small, spans, start,
};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

#[tokio::test]
async fn protobuf_goes_to_the_journal_as_it_came_and_is_answered_with_nothing() {
    let (running, journal) = good().await;
    let body = spans(3).encode_to_vec();
    let answered = post(running.http, "/v1/traces", PROTOBUF, body.clone()).await;
    assert_eq!((answered.status, answered.body.len()), (200, 0));
    assert_eq!(answered.header("content-type"), PROTOBUF);
    let request = journal.only();
    assert_eq!(
        (request.signal, request.encoding, request.source),
        (Signal::Traces, Encoding::Protobuf, Source::Http)
    );
    assert_eq!((request.items, request.refused.len(), &request.body[..]), (3, 0, &body[..]));
    assert!(request.peer.starts_with("127.0.0.1:"));
    let counts = running.counts();
    assert_eq!((counts.requests, counts.spans, counts.bytes), (1, 3, body.len() as u64));
    assert_eq!(counts.bytes_in_flight, 0);
}

#[tokio::test]
async fn an_import_names_its_file_and_its_arrival_is_no_evidence() {
    let (running, journal) = good().await;
    let head = [("content-type", JSON), (collector::IMPORT_HEADER, "traces.json")];
    let answered = send(running.http, "POST", "/v1/traces", &head, SPAN_JSON).await;
    assert_eq!(answered.status, 200);
    let request = journal.only();
    assert_eq!((request.source, request.peer.as_str()), (Source::Import, "traces.json"));
    assert!(!request.arrival_is_evidence);
}

#[tokio::test]
async fn json_is_answered_in_json() {
    let (running, journal) = good().await;
    let answered = post(running.http, "/v1/traces", JSON, SPAN_JSON).await;
    assert_eq!((answered.status, answered.text()), (200, "{}"));
    assert_eq!(answered.header("content-type"), JSON);
    assert_eq!((journal.only().encoding, &journal.only().body[..]), (Encoding::Json, SPAN_JSON.as_bytes()));
}

#[tokio::test]
async fn content_types_are_read_as_media_types() {
    let (running, _journal) = good().await;
    for (sent, answered_with) in [
        ("Application/JSON; charset=utf-8", JSON),
        ("application/json ;charset=UTF-8", JSON),
        ("APPLICATION/X-PROTOBUF", PROTOBUF),
        ("application/x-protobuf; proto=x", PROTOBUF),
        ("application/protobuf", "application/protobuf"),
    ] {
        let body = if answered_with == JSON { b"{}".to_vec() } else { Vec::new() };
        let answered = post(running.http, "/v1/logs", sent, body).await;
        assert_eq!((answered.status, answered.header("content-type")), (200, answered_with), "{sent}");
    }
}

#[tokio::test]
async fn every_coding_is_undone() {
    let (running, journal) = good().await;
    let plain = log("order 42 is now paid").encode_to_vec();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut zlib, &plain).unwrap();
    let bodies = [
        ("identity", plain.clone()),
        ("gzip", gzip(&plain)),
        ("deflate", zlib.finish().unwrap()),
        ("zstd", zstd::encode_all(&plain[..], 3).unwrap()),
    ];
    let count = bodies.len();
    for (coding, body) in bodies {
        let headers = [("content-type", PROTOBUF), ("content-encoding", coding)];
        assert_eq!(send(running.http, "POST", "/v1/logs", &headers, body).await.status, 200, "{coding}");
    }
    assert_eq!(journal.taken().len(), count);
    assert!(journal.taken().iter().all(|request| request.body == plain));
}

#[tokio::test]
async fn part_of_a_request_may_be_refused() {
    let (running, journal) = good().await;
    let answered = post(running.http, "/v1/traces", PROTOBUF, half_bad().encode_to_vec()).await;
    assert_eq!(answered.status, 200);
    let partial = ExportTraceServiceResponse::decode(&answered.body[..]).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.contains("trace id"), "{}", partial.error_message);
    assert_eq!((journal.only().items, journal.only().refused), (2, vec![1]));

    let bad_json = SPAN_JSON.replace("eee19b7ec3c1b174", "");
    let answered = post(running.http, "/v1/traces", JSON, bad_json).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.json()["partialSuccess"]["rejectedSpans"], "1");
    assert_eq!(running.counts().refused_items, 2);
    assert_eq!(running.counts().spans, 1);
}

#[tokio::test]
async fn times_in_milliseconds_are_kept_and_their_sender_warned() {
    let (running, journal) = good().await;
    let odd = SPAN_JSON.replace(r#""startTimeUnixNano":"1""#, r#""startTimeUnixNano":"1770000000000""#);
    let answered = post(running.http, "/v1/traces", JSON, odd).await;
    assert_eq!((answered.status, journal.only().refused.len()), (200, 0));
    let partial = &answered.json()["partialSuccess"];
    assert_eq!(partial["rejectedSpans"], "0");
    assert!(partial["errorMessage"].as_str().unwrap().contains("nanoseconds"), "{partial}");
}

#[tokio::test]
async fn an_empty_request_is_fine_in_protobuf_and_none_in_json() {
    let (running, _journal) = good().await;
    assert_eq!(post(running.http, "/v1/traces", PROTOBUF, "").await.status, 200);
    assert_eq!(post(running.http, "/v1/traces", JSON, "{}").await.status, 200);
    let answered = post(running.http, "/v1/traces", JSON, "").await;
    assert_eq!((answered.status, answered.json()["code"].as_i64()), (400, Some(3)));
}

#[tokio::test]
async fn what_cannot_be_read_is_a_400_in_the_senders_encoding() {
    let (running, journal) = good().await;
    let torn = &spans(1).encode_to_vec()[..20];
    let answered = post(running.http, "/v1/traces", PROTOBUF, torn.to_vec()).await;
    assert_eq!(answered.status, 400);
    let status = answered.rpc_status();
    assert_eq!(status.code, tonic::Code::InvalidArgument as i32);
    assert!(status.message.contains("OTLP traces"), "{}", status.message);
    assert!(status.details[0].type_url.ends_with("google.rpc.BadRequest"));

    let answered = post(running.http, "/v1/traces", JSON, &SPAN_JSON.as_bytes()[..40]).await;
    assert_eq!(answered.status, 400);
    assert_eq!(answered.json()["code"], 3);
    assert_eq!(answered.json()["details"][0]["@type"], "type.googleapis.com/google.rpc.BadRequest");
    assert!(journal.taken().is_empty());
    assert_eq!(running.counts().malformed, 2);
}

#[tokio::test]
async fn a_broken_or_unknown_coding_is_a_400() {
    let (running, _journal) = good().await;
    let packed = gzip(&spans(5).encode_to_vec());
    let cut = packed[..packed.len() - 6].to_vec();
    let trailing = [packed.clone(), b"junk".to_vec()].concat();
    let sent = [
        ("gzip", cut),
        ("gzip", trailing),
        ("zstd", packed.clone()),
        ("br", packed.clone()),
        ("gzip, gzip", packed),
    ];
    for (coding, body) in sent {
        let headers = [("content-type", JSON), ("content-encoding", coding)];
        let answered = send(running.http, "POST", "/v1/traces", &headers, body).await;
        assert_eq!(answered.status, 400, "{coding}");
        let message = answered.json()["message"].as_str().unwrap().to_owned();
        assert_eq!(
            message.contains("unsupported Content-Encoding"),
            !["gzip", "zstd"].contains(&coding),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_large_body_is_a_413_however_it_comes() {
    let (running, journal) = good().await;
    let zeros = vec![0; LIMIT + 1];
    let bomb = gzip(&vec![0; 100 * LIMIT]);
    assert!(bomb.len() < LIMIT);

    let announced = post(running.http, "/v1/traces", PROTOBUF, zeros.clone()).await;
    assert_eq!((announced.status, announced.rpc_status().code), (413, tonic::Code::ResourceExhausted as i32));
    assert!(announced.rpc_status().details.is_empty(), "nothing to wait for");
    assert_eq!(announced.header("retry-after"), "");

    let headers = [("content-type", JSON), ("content-encoding", "gzip")];
    let inflated = send(running.http, "POST", "/v1/traces", &headers, bomb).await;
    assert_eq!((inflated.status, inflated.json()["code"].as_i64()), (413, Some(8)));

    let mut stream = TcpStream::connect(running.http).await.unwrap();
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(format!("{:x}\r\n", zeros.len()).as_bytes()).await.unwrap();
    stream.write_all(&zeros).await.unwrap();
    stream.write_all(b"\r\n0\r\n\r\n").await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 413"));

    assert!(journal.taken().is_empty());
    assert_eq!(running.counts().too_large, 3);
    assert_eq!(running.counts().bytes_in_flight, 0);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_taken() {
    let (running, journal) = good().await;
    // A field that nobody knows fills the request up: skipped, and kept.
    let mut body = vec![0xfa, 0x07];
    let filler = LIMIT - body.len() - 3;
    prost::encoding::encode_varint(filler as u64, &mut body);
    body.resize(LIMIT, b'x');
    assert_eq!(post(running.http, "/v1/traces", PROTOBUF, body).await.status, 200);
    assert_eq!(journal.only().body.len(), LIMIT);
}

#[tokio::test]
async fn a_wrong_path_names_the_right_one() {
    let (running, _journal) = good().await;
    for path in ["/", "/v1/trace", "/v1/traces/", "/v2/traces"] {
        let answered = post(running.http, path, JSON, "{}").await;
        assert_eq!(answered.status, 404, "{path}");
        assert!(answered.json()["message"].as_str().unwrap().contains("/v1/traces"));
    }
    let answered = post(running.http, "/", PROTOBUF, "").await;
    assert_eq!((answered.status, answered.rpc_status().code), (404, tonic::Code::Unimplemented as i32));
    let answered = send(running.http, "GET", "/v1", &[], "").await;
    assert_eq!(answered.status, 404);
    assert!(answered.header("content-type").starts_with("text/plain"));
    assert!(answered.text().contains("/v1/traces"));
}

#[tokio::test]
async fn a_wrong_method_or_content_type_is_told() {
    let (running, _journal) = good().await;
    for method in ["GET", "PUT", "OPTIONS"] {
        let answered = send(running.http, method, "/v1/traces", &[("content-type", JSON)], "").await;
        assert_eq!((answered.status, answered.header("allow")), (405, "POST"), "{method}");
        assert_eq!(answered.text(), "405 method not allowed, supported: [POST]\n");
    }
    for headers in [&[][..], &[("content-type", "text/plain")], &[("content-type", "application/x-ndjson")]] {
        let answered = send(running.http, "POST", "/v1/traces", headers, "{}").await;
        assert_eq!(answered.status, 415);
        assert!(answered.text().contains("[application/json, application/x-protobuf]"));
    }
    let page = send(running.http, "GET", "/", &[], "").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("/v1/traces"));
}

#[tokio::test]
async fn metrics_and_profiles_are_acknowledged_counted_and_dropped() {
    let (running, journal) = good().await;
    assert_eq!(post(running.http, "/v1/metrics", PROTOBUF, vec![1, 2, 3]).await.status, 200);
    let answered = post(running.http, "/v1/metrics", JSON, "{}").await;
    assert_eq!((answered.status, answered.text()), (200, "{}"));
    assert_eq!(post(running.http, "/v1development/profiles", PROTOBUF, "").await.status, 200);
    assert_eq!(post(running.http, "/v1/metrics", PROTOBUF, vec![0; LIMIT + 1]).await.status, 413);
    let counts = running.counts();
    assert_eq!((counts.metrics_dropped, counts.profiles_dropped, counts.requests), (2, 1, 0));
    assert!(journal.taken().is_empty());
}

#[tokio::test]
async fn a_full_budget_is_a_503_with_a_time_to_come_back() {
    let (running, journal) = start(Play::Hold, small()).await;
    let address = running.http;
    // Two held requests leave no room for a third of their size.
    let mut large = spans(1);
    large.resource_spans[0].scope_spans[0].spans[0].name = "x".repeat(LIMIT * 3 / 4);
    let large = large.encode_to_vec();
    let held: Vec<_> =
        (0..2).map(|_| tokio::spawn(post(address, "/v1/traces", PROTOBUF, large.clone()))).collect();
    journal.holds(2).await;

    let answered = post(address, "/v1/traces", PROTOBUF, large.clone()).await;
    assert_eq!((answered.status, answered.header("retry-after")), (503, "1"));
    let status = answered.rpc_status();
    assert_eq!(status.code, tonic::Code::Unavailable as i32);
    assert!(status.details[0].type_url.ends_with("google.rpc.RetryInfo"));
    let headers = [("content-type", JSON), ("content-encoding", "gzip")];
    let answered = send(address, "POST", "/v1/traces", &headers, gzip(&vec![b' '; LIMIT])).await;
    assert_eq!((answered.status, answered.header("retry-after")), (503, "1"));
    assert_eq!(answered.json()["details"][0]["retryDelay"], "1s");

    assert!(running.counts().bytes_in_flight >= 2 * large.len() as u64);
    journal.release();
    journal.release();
    for answer in held {
        assert_eq!(answer.await.unwrap().status, 200);
    }
    let counts = running.counts();
    assert_eq!((counts.busy, counts.requests, counts.bytes_in_flight), (2, 2, 0));
}

#[tokio::test]
async fn what_the_journal_cannot_take_now_is_a_503() {
    let (running, journal) = good().await;
    let faults = [
        (Play::Answer(Err(AppendError::Full(Duration::from_millis(1500)))), 503, "2"),
        (Play::Answer(Err(AppendError::Poisoned)), 503, "1"),
        (Play::Answer(Err(AppendError::Closed)), 503, "1"),
        (Play::Forget, 503, "1"),
        (Play::Panic, 503, "1"),
        (Play::Answer(Err(AppendError::Busy(Duration::from_secs(3)))), 503, "3"),
    ];
    for (play, status, retry_after) in faults {
        journal.play(play.clone());
        let answered = post(running.http, "/v1/traces", JSON, SPAN_JSON).await;
        assert_eq!((answered.status, answered.header("retry-after")), (status, retry_after), "{play:?}");
        assert!(answered.json()["details"][0]["@type"].as_str().unwrap().ends_with("RetryInfo"));
    }
    journal.play(Play::Answer(Ok(RECEIPT)));
    assert_eq!(post(running.http, "/v1/traces", JSON, SPAN_JSON).await.status, 200);
    let counts = running.counts();
    assert_eq!((counts.unavailable, counts.busy, counts.bytes_in_flight), (5, 1, 0));
}

#[tokio::test]
async fn one_connection_serves_many_requests_chunked_or_not() {
    let (running, journal) = good().await;
    let mut stream = TcpStream::connect(running.http).await.unwrap();
    for _ in 0..3 {
        let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        for piece in SPAN_JSON.as_bytes().chunks(50) {
            stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await.unwrap();
            stream.write_all(piece).await.unwrap();
            stream.write_all(b"\r\n").await.unwrap();
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
        assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 200"));
        assert_eq!(read_exactly(&mut stream, 2).await, "{}");
    }
    assert_eq!(journal.taken().len(), 3);
    assert!(journal.taken().iter().all(|request| request.body == SPAN_JSON));
    assert_eq!(running.counts().connections, 1);
}

#[tokio::test]
async fn a_sender_that_expects_100_continue_gets_it_unless_it_is_refused_at_once() {
    let (running, journal) = good().await;
    let mut stream = TcpStream::connect(running.http).await.unwrap();
    let head = |length: usize| {
        format!(
            "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
             expect: 100-continue\r\n\r\n"
        )
    };
    stream.write_all(head(SPAN_JSON.len()).as_bytes()).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 100"));
    stream.write_all(SPAN_JSON.as_bytes()).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 200"));
    assert_eq!(journal.taken().len(), 1);

    let mut stream = TcpStream::connect(running.http).await.unwrap();
    stream.write_all(head(LIMIT + 1).as_bytes()).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 413"));
}

/// Reads up to the end of a head.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push_str(&read_exactly(stream, 1).await);
    }
    head
}

async fn read_exactly(stream: &mut TcpStream, length: usize) -> String {
    let mut buffer = vec![0; length];
    tokio::time::timeout(DEADLINE, stream.read_exact(&mut buffer)).await.unwrap().unwrap();
    String::from_utf8(buffer).unwrap()
}
