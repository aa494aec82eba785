//! What the real SDKs of Python, Node and Rust send is found: every span, every log.

use fixtures::client::{self, Protocol, Sent};
use fixtures::clients::{self, Language};

use crate::support::Server;

/// Orders that each client reports: two spans and a log for each.
const ORDERS: u32 = 5;

fn endpoint(server: &Server, protocol: Protocol) -> String {
    let address = if protocol == Protocol::Grpc { &server.grpc } else { &server.http };
    format!("http://{address}")
}

fn assert_found(server: &Server, sent: &Sent) {
    assert_eq!((sent.spans.len(), sent.logs.len()), (2 * ORDERS as usize, ORDERS as usize), "{sent:?}");
    server.until(&["stats", "--format", "json"], |stats| stats["indexed_to"] == stats["journal_end"]);
    for span in &sent.spans {
        let query = format!("trace:{} span:{} name:\"{}\"", span.trace_id, span.span_id, span.name);
        let found = server.json(&["search", &query, "--format", "json"]);
        assert_eq!(found["total"], 1, "{query}: {found}");
        assert_eq!(found["records"][0]["service"], sent.service.as_str());
    }
    for log in &sent.logs {
        // By the marker's value alone, whatever key it stands under.
        let found = server.json(&["find", &log.marker, "--format", "json"]);
        assert!(!found["matches"].as_array().expect("matches").is_empty(), "{} is not found", log.marker);
        let query = format!("marker={} trace:{}", log.marker, log.trace_id);
        let found = server.json(&["search", &query, "--format", "json"]);
        assert_eq!(found["total"], 1, "{query}: {found}");
        assert_eq!(found["records"][0]["span_id"], log.span_id.as_str());
    }
    let all = server.json(&["search", &format!("service:{}", sent.service), "--format", "json"]);
    assert_eq!(all["total"], sent.spans.len() + sent.logs.len(), "{} sent more or less", sent.service);
}

#[test]
fn every_span_and_log_of_pythons_sdk_is_found() {
    other(Language::Python);
}

#[test]
fn every_span_and_log_of_nodes_sdk_is_found() {
    other(Language::Node);
}

fn other(language: Language) {
    clients::install().unwrap_or_else(|error| panic!("{error}"));
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    for protocol in language.protocols() {
        let sent = clients::send(language, protocol, &endpoint(&server, protocol), ORDERS);
        assert_found(&server, &sent.unwrap_or_else(|error| panic!("{error}")));
    }
}

#[test]
fn every_span_and_log_of_rusts_sdk_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        let sent = client::send(protocol, &endpoint(&server, protocol), ORDERS);
        assert_found(&server, &sent.unwrap_or_else(|error| panic!("{error}")));
    }
}
