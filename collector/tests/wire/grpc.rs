//! OTLP/gRPC: success, and each way to go wrong.

use std::time::Duration;

use journal::otlp::{Encoding, Signal};
use journal::{AppendError, Source};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message;
use tonic::Code;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tonic_types::StatusExt;

use crate::support::{LIMIT, Play, call, frame, good, gzip, half_bad, log, small, spans, start};

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const PROFILES: &str = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export";

async fn channel(address: std::net::SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

#[tokio::test]
async fn both_signals_go_to_the_journal_as_they_came_in_every_coding() {
    let (running, journal) = good().await;
    let channel = channel(running.grpc).await;
    for coding in [None, Some(CompressionEncoding::Gzip), Some(CompressionEncoding::Zstd)] {
        let mut traces = TraceServiceClient::new(channel.clone());
        let mut logs = LogsServiceClient::new(channel.clone());
        if let Some(coding) = coding {
            traces = traces.send_compressed(coding);
            logs = logs.send_compressed(coding);
        }
        let answered = traces.export(spans(3)).await.unwrap().into_inner();
        assert_eq!(answered.partial_success, None);
        assert_eq!(logs.export(log("paid")).await.unwrap().into_inner().partial_success, None);
    }
    let taken = journal.taken();
    assert_eq!(taken.len(), 6);
    for pair in taken.chunks(2) {
        assert_eq!((pair[0].signal, pair[0].items), (Signal::Traces, 3));
        assert_eq!(pair[0].body, spans(3).encode_to_vec());
        assert_eq!((pair[1].signal, pair[1].items), (Signal::Logs, 1));
        assert_eq!(pair[1].body, log("paid").encode_to_vec());
        assert!(pair.iter().all(|one| (one.encoding, one.source) == (Encoding::Protobuf, Source::Grpc)));
    }
    let counts = running.counts();
    assert_eq!((counts.requests, counts.spans, counts.logs, counts.bytes_in_flight), (6, 9, 3, 0));
}

#[tokio::test]
async fn part_of_a_request_may_be_refused() {
    let (running, journal) = good().await;
    let mut client = TraceServiceClient::new(channel(running.grpc).await);
    let partial = client.export(half_bad()).await.unwrap().into_inner().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.contains("trace id"), "{}", partial.error_message);
    assert_eq!(journal.only().refused, vec![1]);
}

#[tokio::test]
async fn metrics_and_profiles_are_acknowledged_counted_and_dropped() {
    let (running, journal) = good().await;
    let mut metrics = MetricsServiceClient::new(channel(running.grpc).await);
    let answered = metrics.export(ExportMetricsServiceRequest::default()).await.unwrap().into_inner();
    assert_eq!(answered.partial_success, None);
    assert_eq!(call(running.grpc, PROFILES, &[], frame(0, b"any")).await.grpc_status().code(), Code::Ok);
    let large = call(running.grpc, PROFILES, &[], frame(0, &vec![0; LIMIT + 1])).await.grpc_status();
    assert_eq!(large.code(), Code::ResourceExhausted);
    let counts = running.counts();
    assert_eq!((counts.metrics_dropped, counts.profiles_dropped), (1, 1));
    assert!(journal.taken().is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_an_invalid_argument() {
    let (running, journal) = good().await;
    let torn = &spans(1).encode_to_vec()[..20];
    let status = call(running.grpc, TRACES, &[], frame(0, torn)).await.grpc_status();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("OTLP traces"), "{}", status.message());
    let violations = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(violations[0].description, status.message());

    let gzip_header = [("grpc-encoding", "gzip")];
    let status = call(running.grpc, TRACES, &gzip_header, frame(1, torn)).await.grpc_status();
    assert_eq!(status.code(), Code::InvalidArgument);
    let status = call(running.grpc, TRACES, &[], frame(1, &gzip(torn))).await.grpc_status();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("grpc-encoding"), "{}", status.message());
    let cut = frame(0, b"message")[..9].to_vec();
    assert_eq!(call(running.grpc, TRACES, &[], cut).await.grpc_status().code(), Code::InvalidArgument);
    assert!(journal.taken().is_empty());
}

#[tokio::test]
async fn a_call_takes_exactly_one_message() {
    let (running, _journal) = good().await;
    assert_eq!(call(running.grpc, TRACES, &[], "").await.grpc_status().code(), Code::Unimplemented);
    let two = [frame(0, b""), frame(0, b"")].concat();
    assert_eq!(call(running.grpc, TRACES, &[], two).await.grpc_status().code(), Code::Unimplemented);
    assert_eq!(call(running.grpc, TRACES, &[], frame(0, b"")).await.grpc_status().code(), Code::Ok);
    // A message that says it is not compressed is not, whatever the header allows.
    let plain = frame(0, &spans(1).encode_to_vec());
    let answered = call(running.grpc, TRACES, &[("grpc-encoding", "gzip")], plain).await;
    assert_eq!(answered.grpc_status().code(), Code::Ok);
}

#[tokio::test]
async fn an_unknown_method_or_coding_is_unimplemented() {
    let (running, _journal) = good().await;
    let status = call(running.grpc, "/grpc.health.v1.Health/Check", &[], frame(0, b"")).await.grpc_status();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("OTLP"), "{}", status.message());
    let answered = call(running.grpc, TRACES, &[("grpc-encoding", "snappy")], frame(1, b"x")).await;
    assert_eq!(answered.grpc_status().code(), Code::Unimplemented);
    assert_eq!(answered.header("grpc-accept-encoding"), "identity,gzip,deflate,zstd");
}

#[tokio::test]
async fn a_large_message_is_exhausted_without_a_time_to_come_back() {
    let (running, journal) = good().await;
    let gzip_header = [("grpc-encoding", "gzip")];
    let bomb = gzip(&vec![0; 100 * LIMIT]);
    assert!(bomb.len() < LIMIT);
    for (headers, framed) in [
        (&[][..], frame(0, &vec![0; LIMIT + 1])),
        (&gzip_header[..], frame(1, &bomb)),
        (&[], vec![0; 4 * LIMIT]),
    ] {
        let answered = call(running.grpc, TRACES, headers, framed).await;
        let status = answered.grpc_status();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(status.message().contains(&LIMIT.to_string()), "{}", status.message());
        assert!(status.get_details_retry_info().is_none());
        assert!(answered.headers.get("google.rpc.retryinfo-bin").is_none());
    }
    assert!(journal.taken().is_empty());
    assert_eq!((running.counts().too_large, running.counts().bytes_in_flight), (3, 0));
}

#[tokio::test]
async fn a_full_budget_is_unavailable_with_a_time_to_come_back() {
    let (running, journal) = start(Play::Hold, small()).await;
    let mut large = spans(1);
    large.resource_spans[0].scope_spans[0].spans[0].name = "x".repeat(LIMIT * 3 / 4);
    let mut client = TraceServiceClient::new(channel(running.grpc).await);
    let held: Vec<_> = (0..2)
        .map(|_| {
            let (mut client, large) = (client.clone(), large.clone());
            tokio::spawn(async move { client.export(large).await })
        })
        .collect();
    journal.holds(2).await;

    let status = client.export(large).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.get_details_retry_info().unwrap().retry_delay, Some(Duration::from_secs(1)));
    // What the Python exporter reads: field 1, a duration whose field 1 is one second.
    let bare = status.metadata().get_bin("google.rpc.retryinfo-bin").unwrap().to_bytes().unwrap();
    assert_eq!(&bare[..], [0x0a, 2, 0x08, 1]);

    journal.release();
    journal.release();
    for answer in held {
        assert!(answer.await.unwrap().is_ok());
    }
    assert_eq!((running.counts().busy, running.counts().bytes_in_flight), (1, 0));
}

#[tokio::test]
async fn what_the_journal_cannot_take_now_is_unavailable() {
    let (running, journal) = good().await;
    let mut client = TraceServiceClient::new(channel(running.grpc).await);
    let second = Some(Duration::from_secs(1));
    for (play, delay) in [
        (
            Play::Answer(Err(AppendError::Full(Duration::from_millis(1500)))),
            Some(Duration::from_millis(1500)),
        ),
        (Play::Answer(Err(AppendError::Poisoned)), second),
        (Play::Answer(Err(AppendError::Closed)), second),
        (Play::Forget, second),
        (Play::Panic, second),
    ] {
        journal.play(play.clone());
        let status = client.export(spans(1)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{play:?}");
        assert_eq!(status.get_details_retry_info().unwrap().retry_delay, delay, "{play:?}");
    }
    assert_eq!((running.counts().unavailable, running.counts().bytes_in_flight), (5, 0));
}

#[tokio::test]
async fn many_calls_of_one_connection_are_in_flight_together() {
    let (running, journal) = start(Play::Hold, small()).await;
    let client = TraceServiceClient::new(channel(running.grpc).await);
    let calls: Vec<_> = (0..30)
        .map(|n| {
            let mut client = client.clone();
            tokio::spawn(async move { client.export(spans(n)).await })
        })
        .collect();
    journal.holds(30).await;
    assert_eq!(running.counts().connections, 1);
    for _ in 0..30 {
        journal.release();
    }
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn both_ports_speak_both_protocols() {
    let (running, journal) = good().await;
    let mut client = TraceServiceClient::new(channel(running.http).await);
    client.export(spans(1)).await.unwrap();
    let answered =
        crate::support::post(running.grpc, "/v1/traces", "application/x-protobuf", spans(2).encode_to_vec());
    assert_eq!(answered.await.status, 200);
    assert_eq!(journal.taken().len(), 2);
}

#[tokio::test]
async fn grpc_over_the_wrong_http_is_told() {
    let (running, _journal) = good().await;
    let answered = crate::support::post(running.grpc, TRACES, "application/grpc", frame(0, b"")).await;
    assert_eq!((answered.status, answered.text()), (505, "gRPC needs HTTP/2\n"));
    let answered = crate::support::post(running.grpc, TRACES, "application/grpc-web", frame(0, b"")).await;
    assert_eq!(answered.status, 415);
}
