//! A journal that does as it is told, and clients that send whatever they are given.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use collector::{Collector, Done, Intake, Options, Running};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use journal::{AppendError, Place, Receipt, Request};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use parking_lot::Mutex;
use prost::Message;
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// What the journal does with the next requests.
#[derive(Clone, Debug)]
pub(crate) enum Play {
    /// Calls back at once.
    Answer(Result<Receipt, AppendError>),
    /// Keeps the callbacks until they are released.
    Hold,
    /// Drops the callback.
    Forget,
    /// Has a bug.
    Panic,
}

/// A journal for tests: keeps what it got.
pub(crate) struct Journal {
    play: Mutex<Play>,
    taken: Mutex<Vec<Request>>,
    held: Mutex<Vec<Done>>,
    changed: Notify,
}

pub(crate) const RECEIPT: Receipt =
    Receipt { place: Place { segment: 1, offset: 0 }, frame: 0, stamp: hlc::Stamp::ZERO, repeated: false };

impl Intake for Journal {
    fn append(&self, request: Request, done: Done) {
        let play = self.play.lock().clone();
        match play {
            Play::Answer(result) => {
                self.taken.lock().push(request);
                done(result);
            }
            Play::Hold => {
                self.taken.lock().push(request);
                self.held.lock().push(done);
            }
            Play::Forget => drop(done),
            Play::Panic => panic!("a bug in the journal"),
        }
        self.changed.notify_waiters();
    }
}

impl Journal {
    pub(crate) fn play(&self, play: Play) {
        *self.play.lock() = play;
    }

    /// Everything taken so far.
    pub(crate) fn taken(&self) -> Vec<Request> {
        self.taken.lock().clone()
    }

    /// The one request that was taken.
    pub(crate) fn only(&self) -> Request {
        let taken = self.taken();
        assert_eq!(taken.len(), 1);
        taken[0].clone()
    }

    /// Waits until so many callbacks are held.
    pub(crate) async fn holds(&self, count: usize) {
        let enough = async {
            loop {
                let changed = self.changed.notified();
                if self.held.lock().len() >= count {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(DEADLINE, enough).await.expect("the requests come");
    }

    /// Calls back for the last request held.
    pub(crate) fn release(&self) {
        let done = self.held.lock().pop().expect("a request is held");
        done(Ok(RECEIPT));
    }
}

/// Nothing here takes longer, on however slow a machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A limit that a test can reach.
pub(crate) const LIMIT: usize = 64 << 10;

pub(crate) async fn start(play: Play, options: Options) -> (Running, Arc<Journal>) {
    let journal = Arc::new(Journal {
        play: Mutex::new(play),
        taken: Mutex::default(),
        held: Mutex::default(),
        changed: Notify::new(),
    });
    let running = Collector::start(Arc::clone(&journal) as Arc<dyn Intake>, options).await.unwrap();
    (running, journal)
}

/// Receivers with a small limit, on free ports.
pub(crate) fn small() -> Options {
    Options {
        grpc: "127.0.0.1:0".into(),
        http: "127.0.0.1:0".into(),
        request_bytes_max: LIMIT,
        in_flight_bytes_max: 2 * LIMIT,
        ..Options::default()
    }
}

pub(crate) async fn good() -> (Running, Arc<Journal>) {
    start(Play::Answer(Ok(RECEIPT)), small()).await
}

/// What came back: over gRPC, the trailers are among the headers.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The `google.rpc.Status` of an HTTP answer in protobuf.
    pub(crate) fn rpc_status(&self) -> tonic_types::Status {
        assert_eq!(self.header("content-type"), "application/x-protobuf");
        tonic_types::Status::decode(&self.body[..]).unwrap()
    }

    /// The status of a gRPC answer.
    pub(crate) fn grpc_status(&self) -> tonic::Status {
        assert_eq!(self.status, 200);
        tonic::Status::from_header_map(&self.headers).expect("a gRPC status")
    }
}

/// Sends one HTTP/1.1 request over a connection of its own.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answered {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = http::Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
    collect(response).await
}

/// Posts a body of this content type.
pub(crate) async fn post(
    address: SocketAddr,
    path: &str,
    content_type: &str,
    body: impl Into<Bytes>,
) -> Answered {
    send(address, "POST", path, &[("content-type", content_type)], body).await
}

/// Makes one gRPC call with these framed bytes.
pub(crate) async fn call(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    framed: impl Into<Bytes>,
) -> Answered {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = http::Request::builder().method("POST").uri(format!("http://localhost{path}"));
    request = request.header("content-type", "application/grpc").header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Full::new(framed.into())).unwrap()).await.unwrap();
    collect(response).await
}

async fn collect(response: http::Response<hyper::body::Incoming>) -> Answered {
    let (head, body) = response.into_parts();
    let collected = tokio::time::timeout(DEADLINE, body.collect()).await.unwrap().unwrap();
    let mut headers = head.headers;
    headers.extend(collected.trailers().cloned().unwrap_or_default());
    Answered { status: head.status.as_u16(), headers, body: collected.to_bytes() }
}

pub(crate) fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    [&[flag][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// So many good spans, of one trace.
pub(crate) fn spans(count: u8) -> ExportTraceServiceRequest {
    let span = |n| Span {
        trace_id: vec![7; 16],
        span_id: vec![n + 1; 8],
        name: format!("step {n}"),
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        ..Span::default()
    };
    let scope = ScopeSpans { spans: (0..count).map(span).collect(), ..ScopeSpans::default() };
    let resource = ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![resource] }
}

/// Two spans, the second one without a trace id: it can't be kept.
pub(crate) fn half_bad() -> ExportTraceServiceRequest {
    let mut request = spans(2);
    request.resource_spans[0].scope_spans[0].spans[1].trace_id.clear();
    request
}

/// A log record with a body.
pub(crate) fn log(text: &str) -> ExportLogsServiceRequest {
    let body = opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(text.into());
    let record = LogRecord {
        time_unix_nano: 1,
        body: Some(opentelemetry_proto::tonic::common::v1::AnyValue { value: Some(body) }),
        ..LogRecord::default()
    };
    let scope = ScopeLogs { log_records: vec![record], ..ScopeLogs::default() };
    let resource = ResourceLogs { scope_logs: vec![scope], ..ResourceLogs::default() };
    ExportLogsServiceRequest { resource_logs: vec![resource] }
}

/// A span in OTLP/JSON.
pub(crate) const SPAN_JSON: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{
    "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"step",
    "startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}"#;
