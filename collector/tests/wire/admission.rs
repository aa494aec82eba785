//! Who may send: tokens over both transports, and web pages.

use std::sync::Arc;

use collector::tokens::{Tokens, protect};
use collector::{Collector, Intake, Options, StartError};
use prost::Message;
use tonic::Code;

use crate::support::{Play, RECEIPT, SPAN_JSON, call, frame, good, post, send, small, spans, start};

const TOKEN: &str = "0123456789abcdef-ci";
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

fn tokens_of(text: &str) -> (tempfile::NamedTempFile, Arc<Tokens>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let tokens = Arc::new(Tokens::open(file.path()).unwrap());
    (file, tokens)
}

#[tokio::test]
async fn a_sender_without_a_known_token_is_unauthenticated_until_it_has_one() {
    let (file, tokens) = tokens_of(&format!("ci {TOKEN}\n"));
    let options = Options { tokens: Some(tokens), ..small() };
    let (running, journal) = start(Play::Answer(Ok(RECEIPT)), options).await;
    let bearer = format!("Bearer {TOKEN}");
    let framed = frame(0, &spans(1).encode_to_vec());

    for wrong in [&[][..], &[("authorization", "Bearer 0123456789abcdef-cx")], &[("authorization", TOKEN)]] {
        let status = call(running.grpc, TRACES, wrong, framed.clone()).await.grpc_status();
        assert_eq!(status.code(), Code::Unauthenticated);
        let headers = [&[("content-type", "application/json")], wrong].concat();
        let answered = send(running.http, "POST", "/v1/traces", &headers, SPAN_JSON).await;
        assert_eq!((answered.status, answered.header("www-authenticate")), (401, "Bearer"));
        assert_eq!(answered.json()["code"], Code::Unauthenticated as i32);
        let answered = send(running.http, "POST", "/v1/metrics", &headers, "{}").await;
        assert_eq!(answered.status, 401);
    }
    assert!(journal.taken().is_empty());
    assert_eq!(running.counts().unauthenticated, 9);

    let right = [("authorization", bearer.as_str())];
    assert_eq!(call(running.grpc, TRACES, &right, framed.clone()).await.grpc_status().code(), Code::Ok);
    let headers = [("content-type", "application/json"), right[0]];
    assert_eq!(send(running.http, "POST", "/v1/traces", &headers, SPAN_JSON).await.status, 200);

    std::fs::write(file.path(), "ci another-token-0123456789\n").unwrap();
    assert_eq!(call(running.grpc, TRACES, &right, framed).await.grpc_status().code(), Code::Unauthenticated);
    assert_eq!(send(running.http, "POST", "/v1/traces", &headers, SPAN_JSON).await.status, 401);
}

#[tokio::test]
async fn a_router_behind_tokens_answers_401_in_json() {
    let (_file, tokens) = tokens_of(&format!("ci {TOKEN}\n"));
    let router = axum::Router::new().route("/v1/entities", axum::routing::get(|| async { "all" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, protect(router, tokens)).await });

    let answered = send(address, "GET", "/v1/entities", &[], "").await;
    assert_eq!((answered.status, answered.header("www-authenticate")), (401, "Bearer"));
    let error = &answered.json()["error"];
    assert_eq!(error["code"], "unauthorized");
    assert!(error["message"].as_str().unwrap().contains("Bearer"));
    let bearer = format!("Bearer {TOKEN}");
    let answered = send(address, "GET", "/v1/entities", &[("authorization", bearer.as_str())], "").await;
    assert_eq!((answered.status, answered.text()), (200, "all"));
}

#[tokio::test]
async fn nothing_listens_beyond_loopback_without_tokens() {
    let (running, journal) = good().await;
    let journal = journal as Arc<dyn Intake>;
    let open = Options { http: "0.0.0.0:0".into(), ..small() };
    let refused = Collector::start(Arc::clone(&journal), open.clone()).await.err().unwrap();
    assert!(matches!(refused, StartError::Exposed { .. }), "{refused}");
    let (_file, tokens) = tokens_of(&format!("ci {TOKEN}\n"));
    let running_open = Collector::start(journal, Options { tokens: Some(tokens), ..open }).await.unwrap();
    let answered =
        post(([127, 0, 0, 1], running_open.http.port()).into(), "/v1/traces", "application/json", "{}");
    assert_eq!(answered.await.status, 401);
    drop(running);
}

#[tokio::test]
async fn web_pages_may_send_only_from_origins_that_are_allowed() {
    let preflight = [
        ("origin", "https://eu.shop.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,x-page"),
    ];
    let (closed, _journal) = good().await;
    let answered = send(closed.http, "OPTIONS", "/v1/traces", &preflight, "").await;
    assert_eq!((answered.status, answered.header("access-control-allow-origin")), (405, ""));

    let options = Options { cors_origins: vec!["https://*.shop.example".into()], ..small() };
    let (open, _journal) = start(Play::Answer(Ok(RECEIPT)), options).await;
    let answered = send(open.http, "OPTIONS", "/v1/traces", &preflight, "").await;
    assert_eq!(answered.status, 204);
    assert_eq!(answered.header("access-control-allow-origin"), "https://eu.shop.example");
    assert_eq!(answered.header("access-control-allow-headers"), "content-type,x-page");
    assert_eq!(answered.header("access-control-allow-methods"), "POST");
    let headers = [("content-type", "application/json"), preflight[0]];
    let answered = send(open.http, "POST", "/v1/traces", &headers, SPAN_JSON).await;
    assert_eq!((answered.status, answered.header("vary")), (200, "origin"));
    assert_eq!(answered.header("access-control-allow-origin"), "https://eu.shop.example");

    let stranger = [("origin", "https://evil.example"), preflight[1]];
    let answered = send(open.http, "OPTIONS", "/v1/traces", &stranger, "").await;
    assert_eq!((answered.status, answered.header("access-control-allow-origin")), (204, ""));
}
