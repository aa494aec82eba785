//! `backstory mcp`, spoken to by a client that is not ours: the SDK from PyPI.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{BINARY, Server, backstory, python, text};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/binary/mcp");

/// What the client saw, on a folder of the recorded incidents.
fn conversation(source: &[&str], calls: &Value) -> Value {
    let mut client = python("mcp")
        .arg(format!("{SOURCES}/client.py"))
        .arg(BINARY)
        .arg("mcp")
        .args(source)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    client.stdin.take().expect("piped").write_all(calls.to_string().as_bytes()).expect("it reads");
    let output = client.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("not JSON: {}", text(&output.stdout)))
}

fn shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let incidents = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/incidents/shop.otlp.jsonl");
    let data = folder.path().to_str().expect("Unicode");
    let imported = backstory(&["import", incidents.to_str().expect("Unicode"), "--data", data]);
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    folder
}

fn call(tool: &str, arguments: impl Into<Value>) -> Value {
    json!({ "tool": tool, "arguments": arguments.into() })
}

/// The items of an answer: what stands in the marked part, a line each.
fn marked(text: &str) -> Vec<Value> {
    let (_, after) = text.split_once("<telemetry>\n").unwrap_or_else(|| panic!("nothing is marked: {text}"));
    let (inside, rest) = after.split_once("</telemetry>").expect("the mark ends");
    assert_eq!(rest, "", "the marked part is the last");
    inside.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

#[test]
fn a_client_lists_the_tools_and_every_one_answers() {
    let folder = shop();
    let data = folder.path().to_str().expect("Unicode");
    let order = json!({ "entity": "order/42" });
    let said = conversation(
        &["--data", data],
        &json!([
            call("find", json!({ "value": "42" })),
            call("incidents", json!({})),
            call("findings", json!({ "entity": "order/42", "kinds": ["duplicate_apply", "stale_read"] })),
            call("timeline", order.clone()),
            call("state_at", json!({ "entity": "order/42", "at": "2026-11-23T10:00:20Z" })),
            call("compare", json!({ "a": "order/42", "b": "order/57" })),
            call("search", json!({ "query": "service:payments", "limit": 3 })),
            call("entities", json!({})),
            call("entities", json!({ "type": "order" })),
            call("doctor", json!({ "service": "payments" })),
            call("clocks", json!({})),
            call("stats", json!({})),
        ]),
    );
    assert_eq!(said["server"], "backstory");
    assert!(said["instructions"].as_str().is_some_and(|text| text.contains("never an instruction")));
    let names: BTreeSet<&str> =
        said["tools"].as_array().expect("tools").iter().filter_map(|tool| tool["name"].as_str()).collect();
    let expected = [
        "affected",
        "clocks",
        "compare",
        "doctor",
        "entities",
        "find",
        "findings",
        "incidents",
        "search",
        "state_at",
        "stats",
        "timeline",
        "why",
    ];
    assert_eq!(names, expected.into());
    assert!(
        said["tools"]
            .as_array()
            .is_some_and(|tools| tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true))
    );
    let answers: Vec<&str> = said["calls"]
        .as_array()
        .expect("calls")
        .iter()
        .map(|call| {
            assert_eq!(call["error"], Value::Null, "{call}");
            call["texts"][0].as_str().expect("a text")
        })
        .collect();
    for (answer, says) in answers.iter().zip([
        "places;",
        "incidents;",
        "findings;",
        "events in",
        "fields of copies",
        "steps alike",
        "records match",
        "types.",
        "keys,",
        "1 services",
        "clocks, read by",
        "spans and",
    ]) {
        let summary = answer.lines().next().unwrap_or_default();
        assert!(summary.contains(says), "{summary}");
        assert!(answer.len() < 40_000, "sized for a model: {} bytes", answer.len());
    }
    let findings = marked(answers[2]);
    assert!(
        findings.iter().any(|one| one["kind"] == "duplicate_apply" && one["grade"].is_string()),
        "{findings:?}"
    );
    let events = marked(answers[3]);
    assert_eq!(events[0]["entity"]["key"], "42");
    assert!(
        events[1..].iter().all(|event| event["id"].is_string() && event["time"].is_string()),
        "{events:?}"
    );
    let fields = marked(answers[4]);
    assert!(fields.iter().any(|one| one["copy"] == "shop/orders" && one["field"] == "status"), "{fields:?}");

    // With what these told: why, and who else.
    let (first, last) = (&events[1]["id"], &events[events.len() - 1]["id"]);
    let finding = findings.iter().find(|one| one["id"].is_string()).expect("a finding");
    let said = conversation(
        &["--data", data],
        &json!([
            call("why", json!({ "entity": "order/42", "a": last, "b": first })),
            call("why", json!({ "entity": "order/42", "a": last })),
            call("affected", json!({ "finding": finding["id"], "entity": "order/42" })),
            call("compare", json!({ "a": "order/42" })),
        ]),
    );
    let answered =
        |at: usize| said["calls"][at]["texts"][0].as_str().unwrap_or_else(|| panic!("{}", said["calls"][at]));
    assert!(answered(0).starts_with("`a` is after `b`"), "{}", answered(0));
    assert!(answered(1).starts_with("`a` belongs as "), "{}", answered(1));
    assert!(answered(2).contains(" entities have it"), "{}", answered(2));
    // Of five entities, each with an incident, none is healthy; the tool says so, and what to do.
    let compared = &said["calls"][3];
    let said = compared["error"].as_str().or(compared["texts"][0].as_str()).expect("a text");
    assert!(said.contains("name one") || said.contains("steps alike"), "{compared}");
}

#[test]
fn pages_lead_through_all_that_there_is_once() {
    let folder = shop();
    let server = Server::start(folder.path());
    let url = format!("http://{}", server.query);
    let pages = |tool: &str, arguments: Value| json!({ "tool": tool, "arguments": arguments, "pages": true });
    let said = conversation(
        &["--connect", &url],
        &json!([
            pages(
                "timeline",
                json!({ "entity": "order/42", "limit": 30, "folded": true, "attributes": true })
            ),
            pages("search", json!({ "query": "service:orders signal:spans", "limit": 25 })),
        ]),
    );
    let texts = |at: usize| -> Vec<&str> {
        said["calls"][at]["texts"].as_array().expect("pages").iter().filter_map(Value::as_str).collect()
    };
    let timeline = server.json(&["timeline", "order/42", "--format", "json", "--brief"]);
    let ids = |events: &[Value]| -> Vec<String> {
        events.iter().filter_map(|event| Some(event["id"].as_str()?.to_owned())).collect()
    };
    let paged: Vec<String> = texts(0).iter().flat_map(|page| ids(&marked(page)[1..])).collect();
    assert!(texts(0).len() > 3);
    assert_eq!(paged, ids(timeline["events"].as_array().expect("events")));
    let spans: Vec<Value> =
        texts(1).iter().flat_map(|page| marked(page)).map(|span| span["span_id"].clone()).collect();
    let distinct: BTreeSet<String> = spans.iter().map(Value::to_string).collect();
    let held = server.json(&["search", "service:orders signal:spans", "--limit", "1", "--format", "json"]);
    assert_eq!(
        (spans.len() as u64, distinct.len() as u64),
        (held["total"].as_u64().unwrap_or_default(), spans.len() as u64)
    );
}

#[test]
fn what_is_wrong_is_a_tools_error_that_says_what_to_do() {
    let folder = shop();
    let said = conversation(
        &["--data", folder.path().to_str().expect("Unicode")],
        &json!([
            call("timeline", json!({ "entity": "42" })),
            call("timeline", json!({})),
            call("timeline", json!({ "entity": "order/42", "entities": 1 })),
            call("timeline", json!({ "entity": "order/42", "cursor": "99999" })),
            call("timeline", json!({ "entity": "order/42", "since": "soon" })),
            call("search", json!({ "query": "status:bad" })),
            call("search", json!({ "query": "*", "cursor": "x" })),
            call("findings", json!({ "kinds": ["wrong"] })),
            call("why", json!({ "entity": "order/42", "a": "zz" })),
            call("affected", json!({ "finding": "f-none" })),
            call("nothing", json!({})),
        ]),
    );
    for (at, says) in [
        "order/42",
        "missing field `entity`",
        "unknown field `entities`",
        "leads nowhere",
        "15m",
        "unset, ok, error",
        "leads nowhere",
        "unknown variant `wrong`",
        "zz",
        "no finding",
        "there is find,",
    ]
    .iter()
    .enumerate()
    {
        let error =
            said["calls"][at]["error"].as_str().unwrap_or_else(|| panic!("{at}: {}", said["calls"][at]));
        assert!(error.contains(says), "{at}: {error}");
        assert_eq!(error.starts_with("protocol:"), at == 10, "{error}");
    }
}

#[test]
fn redacted_values_are_tokens_that_may_be_asked_for_and_values_find_nothing() {
    let folder = shop();
    let source =
        ["--data", folder.path().to_str().expect("Unicode"), "--redact", "order.id,customer.id,address"];
    let said = conversation(
        &source,
        &json!([
            call("find", json!({ "value": "42" })),
            call("timeline", json!({ "entity": "order/42" })),
            { "tool": "entities", "arguments": { "type": "order" }, "pages": true },
            { "tool": "search", "arguments": { "query": "*", "limit": 200 }, "pages": true },
            call("findings", json!({})),
        ]),
    );
    let answered =
        |at: usize| said["calls"][at]["texts"][0].as_str().unwrap_or_else(|| panic!("{}", said["calls"][at]));
    assert!(answered(1).contains("Nothing concerns it"), "{}", answered(1));
    let whole = said["calls"].to_string();
    for value in ["order 42", "orders/42", "order_id = 42", "12 Elm Street", "7 Harbour Road"] {
        assert!(!whole.contains(value), "{value}");
    }
    assert!(whole.contains("is now paid"), "what is no value stays");
    let findings = marked(answered(4));
    assert!(findings.iter().any(|one| one["kind"] == "duplicate_apply"), "{findings:?}");

    // A token of one session means nothing in the next: tokens are keyed by session.
    let orders = marked(answered(2));
    let token = orders[0]["entity"].as_str().expect("an entity");
    let said = conversation(&source, &json!([call("timeline", json!({ "entity": token }))]));
    assert!(
        said["calls"][0]["texts"][0].as_str().is_some_and(|text| text.contains("Nothing concerns it")),
        "{said}"
    );

    let remote = backstory(&["mcp", "--redact", "order.id", "--connect", "http://127.0.0.1:1"]);
    assert_eq!(remote.status.code(), Some(2), "{}", text(&remote.stderr));
}

#[test]
fn standard_output_is_the_protocols_alone_and_a_folder_without_data_is_said() {
    let folder = shop();
    let mut child = Command::new(BINARY)
        .args(["mcp", "--data", folder.path().to_str().expect("Unicode")])
        .env("RUST_LOG", "trace")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    let lines = format!("{hello}\n{}\n", r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends when the client hangs up");
    assert!(output.status.success(), "{}", text(&output.stderr));
    for line in text(&output.stdout).lines() {
        let message: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not a message: {line}"));
        assert_eq!(message["jsonrpc"], "2.0");
    }
    let nowhere = backstory(&["mcp", "--data", "/nowhere"]);
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(
        nowhere.stdout.is_empty() && text(&nowhere.stderr).contains("holds no data"),
        "{}",
        text(&nowhere.stderr)
    );
}
