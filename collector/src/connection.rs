//! Accepting connections, serving them, and ending them without cutting an answer short.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::answer::Answer;
use crate::receiver::Receiver;
use crate::{grpc, http as otlp_http};

/// How long a connection may stay silent before its first byte, within a request's head, and between two
/// requests of HTTP/1.1. Longer than the 60 s at which exporters send metrics, so that none of them finds
/// its connection closed at the very moment it writes.
const SILENCE_MAX: Duration = Duration::from_secs(90);

/// HTTP/2 windows: with the default 64 KiB, a request of 512 spans waits for four round trips.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// A peer that has gone without a word is noticed after these two.
const PING_EVERY: Duration = Duration::from_secs(60);
const PING_ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A pause after an accept that failed: as a rule, no file descriptors are left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The first byte of a TLS ClientHello's record, and of its version.
const TLS_HELLO: [u8; 2] = [0x16, 0x03];

/// Serves a listener until `stop` says so, then lets its connections answer what they have read.
pub(crate) async fn serve(listener: TcpListener, receiver: Arc<Receiver>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(connection(stream, peer, Arc::clone(&receiver), stop.clone()));
            }
            Err(error) => {
                tracing::warn!("can't accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    receiver: Arc<Receiver>,
    mut stop: watch::Receiver<bool>,
) {
    let _open = Open::new(&receiver);
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, "no TCP_NODELAY: {error}");
    }
    tokio::select! {
        spoke = first_bytes(&stream, peer) => if !spoke { return },
        () = stopped(&mut stop) => return,
    }
    let service = service_fn(|request| {
        let receiver = Arc::clone(&receiver);
        async move { Ok::<_, Infallible>(answer(&receiver, peer, request).await) }
    });
    let builder = protocol();
    let served = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, "connection ended: {error}");
    }
}

/// Returns once the collector is to stop; a channel without a sender has stopped as well.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn protocol() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(SILENCE_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_ANSWER_WITHIN);
    builder
}

/// Waits for the peer to speak. Whoever speaks TLS is told so in the log: its own error says little.
async fn first_bytes(stream: &TcpStream, peer: SocketAddr) -> bool {
    let mut first = [0; TLS_HELLO.len()];
    match tokio::time::timeout(SILENCE_MAX, stream.peek(&mut first)).await {
        Ok(Ok(read)) if read > 0 => {
            if first == TLS_HELLO {
                tracing::warn!(%peer, "a client speaks TLS to a plain port: give its exporter an http:// endpoint");
            }
            first != TLS_HELLO
        }
        _ => false,
    }
}

/// Both ports speak both protocols, so that an exporter pointed at the other one's port works, too.
async fn answer(receiver: &Receiver, peer: SocketAddr, request: Request<Incoming>) -> Response<Answer> {
    let content_type = request.headers().get(http::header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let grpc_type = content_type.and_then(|value| value.strip_prefix(b"application/grpc"));
    match grpc_type {
        None => otlp_http::answer(receiver, peer, request).await,
        Some(b"" | b"+proto") if request.version() == Version::HTTP_2 => {
            grpc::answer(receiver, peer, request).await
        }
        Some(b"" | b"+proto") => plain(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "gRPC needs HTTP/2\n"),
        Some(_) => plain(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "415 unsupported media type, supported: [application/grpc, application/grpc+proto]\n",
        ),
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Answer> {
    let mut response = Response::new(Answer::new(bytes::Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}

/// Counts a connection for as long as it is open.
struct Open<'a>(&'a Receiver);

impl<'a> Open<'a> {
    fn new(receiver: &'a Receiver) -> Open<'a> {
        receiver.counters.connections.fetch_add(1, Ordering::Relaxed);
        Open(receiver)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.counters.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
