//! When an answer comes, and what a start and a stop do.

use std::sync::Arc;

use collector::{Collector, Intake, Options, StartError};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::support::{DEADLINE, LIMIT, Play, SPAN_JSON, call, frame, good, small, spans, start};

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

async fn write_request(stream: &mut TcpStream) {
    let length = SPAN_JSON.len();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(SPAN_JSON.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn the_answer_comes_after_the_journals() {
    let (running, journal) = start(Play::Hold, small()).await;
    let mut stream = TcpStream::connect(running.http).await.unwrap();
    write_request(&mut stream).await;
    journal.holds(1).await;
    let mut answer = [0; 15];
    let early = stream.try_read(&mut answer);
    assert!(early.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    assert_eq!(running.counts().requests, 0);
    journal.release();
    tokio::time::timeout(DEADLINE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_sender_that_hangs_up_still_holds_its_bytes_until_they_are_durable() {
    let (running, journal) = start(Play::Hold, small()).await;
    let mut stream = TcpStream::connect(running.http).await.unwrap();
    write_request(&mut stream).await;
    journal.holds(1).await;
    drop(stream);
    let gone = async {
        while running.counts().connections > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.unwrap();
    assert_eq!(running.counts().bytes_in_flight, SPAN_JSON.len() as u64);
    journal.release();
    assert_eq!(running.counts().bytes_in_flight, 0);
}

#[tokio::test]
async fn a_shutdown_answers_what_is_in_flight_and_then_closes() {
    let (running, journal) = start(Play::Hold, small()).await;
    let (grpc, http) = (running.grpc, running.http);
    let mut stream = TcpStream::connect(http).await.unwrap();
    write_request(&mut stream).await;
    let framed = frame(0, &spans(1).encode_to_vec());
    let called = tokio::spawn(async move { call(grpc, TRACES, &[], framed).await });
    let idle = TcpStream::connect(http).await.unwrap();
    journal.holds(2).await;

    let stopping = tokio::spawn(running.shutdown());
    let refused = async {
        while TcpStream::connect(http).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, refused).await.expect("it stops listening at once");
    assert!(!stopping.is_finished());
    journal.release();
    journal.release();

    let mut answer = String::new();
    tokio::time::timeout(DEADLINE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    assert_eq!(called.await.unwrap().grpc_status().code(), Code::Ok);
    let counts = tokio::time::timeout(DEADLINE, stopping).await.unwrap().unwrap();
    assert_eq!((counts.requests, counts.connections), (2, 0));
    drop(idle);
}

#[tokio::test]
async fn a_client_that_speaks_tls_is_not_kept_waiting() {
    let (running, _journal) = good().await;
    let mut stream = TcpStream::connect(running.grpc).await.unwrap();
    stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00]).await.unwrap();
    let mut answer = Vec::new();
    // The connection ends, be it by a reset: the hello was never read.
    let ended = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok() && answer.is_empty());
}

#[tokio::test]
async fn a_start_that_cannot_work_says_why() {
    let (running, journal) = good().await;
    let journal = journal as Arc<dyn Intake>;
    let busy = Options { grpc: running.grpc.to_string(), ..small() };
    let error = Collector::start(Arc::clone(&journal), busy).await.err().unwrap();
    assert!(matches!(error, StartError::Busy { port, .. } if port == running.grpc.port()), "{error}");
    let tight = Options { in_flight_bytes_max: LIMIT, ..small() };
    let error = Collector::start(journal, tight).await.err().unwrap();
    assert!(matches!(error, StartError::Bounds { .. }), "{error}");
}
