//! OTLP over gRPC: unary calls of one message, framed by hand, so that the message's bytes go to the
//! journal as they came.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use hyper::body::Incoming;
use journal::Source;
use journal::otlp::{Encoding, Signal};
use prost::Message;
use tonic::Code;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic_types::pb::RetryInfo;

use crate::answer::Answer;
use crate::body;
use crate::inflate::Coding;
use crate::receiver::{Post, Receiver, Route};
use crate::refusal::Refusal;

/// One byte that says whether the message is compressed, and four of its length.
const PREFIX_BYTES: usize = 1 + 4;

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// Answers one call.
pub(crate) async fn answer(
    receiver: &Receiver,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<Answer> {
    let (head, mut body) = request.into_parts();
    match call(receiver, peer, &head, &mut body).await {
        Ok(message) => success(&message),
        Err(refusal) => {
            receiver.counters.refusal(&refusal, &peer.to_string());
            body::drain(body, receiver.request_bytes_max);
            failure(&refusal)
        }
    }
}

async fn call(
    receiver: &Receiver,
    peer: SocketAddr,
    head: &http::request::Parts,
    body: &mut Incoming,
) -> Result<Vec<u8>, Refusal> {
    let route = route(head.uri.path())?;
    receiver.admit(&head.headers)?;
    let limit = receiver.request_bytes_max;
    let signal = match route {
        Route::Keep(signal) => signal,
        Route::DropMetrics | Route::DropProfiles => {
            let read = body::skip(body, limit + PREFIX_BYTES).await;
            read.map_err(|refusal| refusal.with_limit(limit))?;
            receiver.counters.dropped(route);
            return Ok(Vec::new());
        }
    };
    let named = coding(&head.headers)?;
    let mut share = receiver.budget.share();
    let framed = body::read(body, None, limit + PREFIX_BYTES, &mut share).await;
    let (compressed, message) = unframe(framed.map_err(|refusal| refusal.with_limit(limit))?)?;
    let coding = match (compressed, named) {
        (false, _) => Coding::Identity,
        (true, Some(coding)) => coding,
        (true, None) => {
            return Err(Refusal::Malformed("the message is compressed but grpc-encoding is absent".into()));
        }
    };
    let post = Post {
        signal,
        encoding: Encoding::Protobuf,
        source: Source::Grpc,
        peer: peer.to_string(),
        coding,
        body: message,
        share,
    };
    Ok(receiver.accept(post).await?.to_protobuf())
}

fn route(path: &str) -> Result<Route, Refusal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Ok(Route::Keep(Signal::Traces)),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Ok(Route::Keep(Signal::Logs)),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Ok(Route::DropMetrics),
        "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export" => {
            Ok(Route::DropProfiles)
        }
        other => Err(Refusal::NoSuchMethod(format!(
            "no method {other:.200}; this is an OTLP receiver: TraceService, LogsService, MetricsService and \
             ProfilesService have Export"
        ))),
    }
}

/// The coding of compressed messages; `None` where the header is absent.
fn coding(headers: &HeaderMap) -> Result<Option<Coding>, Refusal> {
    const HEADER: &str = "grpc-encoding";
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let name = String::from_utf8_lossy(value.as_bytes());
    match Coding::named(&name) {
        Some(coding) => Ok(Some(coding)),
        None => Err(Refusal::Coding { header: HEADER, coding: name.chars().take(64).collect() }),
    }
}

/// The one message of a unary call, and whether it is compressed.
fn unframe(mut framed: Bytes) -> Result<(bool, Bytes), Refusal> {
    let Some((prefix, rest)) = framed.split_first_chunk::<PREFIX_BYTES>() else {
        return Err(Refusal::NoSuchMethod(format!(
            "Export takes exactly one message; {} bytes hold none",
            framed.len()
        )));
    };
    let [flag, a, b, c, d] = *prefix;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if flag > 1 {
        return Err(Refusal::Malformed(format!("a gRPC message begins with 0 or 1, not {flag}")));
    }
    match rest.len().cmp(&length) {
        std::cmp::Ordering::Less => {
            let came = rest.len();
            Err(Refusal::Malformed(format!("the message has {length} bytes, of which {came} came")))
        }
        std::cmp::Ordering::Greater => {
            Err(Refusal::NoSuchMethod("Export takes exactly one message; more came".into()))
        }
        std::cmp::Ordering::Equal => Ok((flag == 1, framed.split_off(PREFIX_BYTES))),
    }
}

fn success(message: &[u8]) -> Response<Answer> {
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    framed.extend_from_slice(&[0]);
    // An answer is a few hundred bytes: `partial.rs` bounds its only text.
    framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
    framed.extend_from_slice(message);
    let trailers = HeaderMap::from_iter([(tonic::Status::GRPC_STATUS, HeaderValue::from_static("0"))]);
    let mut response = Response::new(Answer::with_trailers(framed.freeze(), trailers));
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

/// A call that failed: its status in the header, with nothing after it.
fn failure(refusal: &Refusal) -> Response<Answer> {
    let mut status = refusal.status();
    if let Some(delay) = refusal.retry_after() {
        // The Python exporter looks for the delay here, and not in the status's details.
        let retry = RetryInfo { retry_delay: delay.try_into().ok() }.encode_to_vec();
        let mut metadata = MetadataMap::new();
        metadata.insert_bin("google.rpc.retryinfo-bin", MetadataValue::from_bytes(&retry));
        *status.metadata_mut() = metadata;
    }
    let mut response = status.into_http();
    if let Refusal::Coding { .. } = refusal {
        debug_assert_eq!(refusal.code(), Code::Unimplemented);
        response.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static(Coding::NAMES));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(flag: u8, length: u32, message: &[u8]) -> Bytes {
        [&[flag][..], &length.to_be_bytes(), message].concat().into()
    }

    #[test]
    fn one_whole_message_is_taken_out_of_its_frame() {
        assert_eq!(unframe(frame(0, 3, b"abc")).unwrap(), (false, Bytes::from("abc")));
        assert_eq!(unframe(frame(1, 0, b"")).unwrap(), (true, Bytes::new()));
    }

    #[test]
    fn anything_else_is_told_apart() {
        let code = |framed| unframe(framed).unwrap_err().code();
        assert_eq!(code(Bytes::new()), Code::Unimplemented);
        assert_eq!(code(frame(0, 3, b"ab")), Code::InvalidArgument);
        assert_eq!(code(frame(0, 3, b"abcd")), Code::Unimplemented);
        assert_eq!(code(frame(2, 3, b"abc")), Code::InvalidArgument);
        assert_eq!(code(frame(0, u32::MAX, b"abc")), Code::InvalidArgument);
    }
}
