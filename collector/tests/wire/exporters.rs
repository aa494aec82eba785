//! The exporters of the real Rust SDK.

use journal::otlp::Signal;
use journal::{Request, Source};
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _};
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_otlp::{
    Compression, LogExporter, Protocol, SpanExporter, WithExportConfig, WithTonicConfig,
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prost::Message;

use crate::support::good;

/// Ends a span named `pay` and emits a log record `paid`, then waits until both were exported.
async fn emit(tracers: SdkTracerProvider, loggers: SdkLoggerProvider) {
    // On a thread that may block: the SDK does, until its exporters are done.
    let emitted = tokio::task::spawn_blocking(move || {
        tracers.tracer("test").in_span("pay", |_| {});
        let logger = loggers.logger("test");
        let mut record = logger.create_log_record();
        record.set_body(AnyValue::from("paid"));
        logger.emit(record);
        tracers.force_flush().expect("the spans are acknowledged");
        loggers.force_flush().expect("the logs are acknowledged");
    });
    emitted.await.unwrap();
}

fn check(taken: &[Request], source: Source) {
    assert!(taken.iter().all(|request| request.source == source && request.items == 1));
    let of = |signal| taken.iter().find(|request| request.signal == signal).expect("it arrived");
    let traces = ExportTraceServiceRequest::decode(of(Signal::Traces).body.clone()).unwrap();
    assert_eq!(traces.resource_spans[0].scope_spans[0].spans[0].name, "pay");
    let logs = ExportLogsServiceRequest::decode(of(Signal::Logs).body.clone()).unwrap();
    let record = &logs.resource_logs[0].scope_logs[0].log_records[0];
    assert!(format!("{:?}", record.body).contains("paid"), "{record:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_grpc_in_batches_with_gzip() {
    let (running, journal) = good().await;
    let endpoint = format!("http://{}", running.grpc);
    let spans = SpanExporter::builder().with_tonic().with_endpoint(&endpoint);
    let spans = spans.with_compression(Compression::Gzip).build().unwrap();
    let logs = LogExporter::builder().with_tonic().with_endpoint(&endpoint).build().unwrap();
    emit(
        SdkTracerProvider::builder().with_batch_exporter(spans).build(),
        SdkLoggerProvider::builder().with_batch_exporter(logs).build(),
    )
    .await;
    check(&journal.taken(), Source::Grpc);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_one_by_one() {
    let (running, journal) = good().await;
    let endpoint = |signal| format!("http://{}/v1/{signal}", running.http);
    let spans = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
    let spans = spans.with_endpoint(endpoint("traces")).build().unwrap();
    let logs = LogExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
    let logs = logs.with_endpoint(endpoint("logs")).build().unwrap();
    emit(
        SdkTracerProvider::builder().with_simple_exporter(spans).build(),
        SdkLoggerProvider::builder().with_simple_exporter(logs).build(),
    )
    .await;
    check(&journal.taken(), Source::Http);
}
