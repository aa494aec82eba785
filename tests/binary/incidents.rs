//! What belongs together, and what engineers write about it: beside a server, over it, and with none.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::{Server, backstory, parse, text};
use crate::telemetry::{attribute, send, span, traces};

const ANNA: &str = "s3cret-of-anna-0123456789";

/// Two services fail in one trace, a third in another.
fn failures(http: &str) {
    let failed = |trace, number, name: &str, parent: u64| {
        let mut span = span(trace, number, name, vec![attribute("order.id", "42")]);
        span.status = Some(opentelemetry_proto::tonic::trace::v1::Status {
            code: 2,
            message: format!("{name} failed \u{1b}[31m"),
        });
        if parent > 0 {
            span.parent_span_id = parent.to_be_bytes().to_vec();
        }
        span
    };
    let mut pay = span(7, 1, "POST /pay", vec![]);
    pay.end_time_unix_nano += 10_000_000;
    send(http, "traces", &traces("orders", vec![pay])).expect("acknowledged");
    send(http, "traces", &traces("orders", vec![failed(7, 2, "charge", 1)])).expect("acknowledged");
    send(http, "traces", &traces("payments", vec![failed(7, 3, "authorize", 2)])).expect("acknowledged");
    let mut backup = failed(8, 4, "backup", 0);
    backup.attributes.clear();
    send(http, "traces", &traces("cron", vec![backup])).expect("acknowledged");
}

fn on_folder(folder: &Path, arguments: &[&str]) -> Output {
    backstory(&[arguments, &["--data", folder.to_str().expect("a plain path")]].concat())
}

/// The notes of one incident, as `author: text`.
fn notes(incident: &Value) -> Vec<String> {
    let written = incident["written"].as_array().expect("a list").iter().map(|own| &own["annotation"]);
    let notes = written.filter_map(|own| {
        let text = own["says"]["note"]["text"].as_str()?;
        Some(format!("{}: {text}", own["author"].as_str().unwrap_or_default()))
    });
    notes.collect()
}

#[test]
fn a_note_is_written_through_the_server_and_outlives_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&data);
    failures(&server.http);
    server.until(&["stats", "--format", "json"], |stats| stats["spans"] == 4);
    let listed = server.json(&["incidents", "--format", "json"]);
    let incidents = listed["incidents"].as_array().expect("incidents");
    assert_eq!(incidents.len(), 2, "{listed:#}");
    let of_order = incidents.iter().find(|own| own["errors_total"] == 2).expect("two errors of one trace");
    assert_eq!(of_order["origin"]["name"], "POST /pay");
    assert_eq!(of_order["entities"][0]["examples"][0], "order/42");
    let id = of_order["id"].as_str().expect("an id").to_owned();

    // Beside the server, through it; over it; the beginning of an id is enough.
    let beside = server.ask_folder(&["incidents", "note", &id[..10], "beside", "it", "--author", "ada"]);
    assert!(beside.status.success(), "{}", text(&beside.stderr));
    let over = server.ask(&["incidents", "close", &id, "over it", "--author", "bob"]);
    assert!(over.status.success() && text(&over.stderr).contains("is closed"), "{}", text(&over.stderr));
    let shown = ["incidents", "show", &id, "--format", "json"];
    let told = server.json(&shown);
    assert_eq!(
        (notes(&told), &told["status"]),
        (vec!["ada: beside it".into(), "bob: over it".into()], &"closed".into())
    );
    assert_eq!(parse(&server.ask_folder(&shown)), told, "a folder and its server answer alike");

    // What was acknowledged is there after kill -9; without a server the command writes the folder itself.
    server.kill();
    assert_eq!(parse(&on_folder(&data, &shown)), told);
    let alone = on_folder(&data, &["incidents", "reopen", &id, "alone", "--author", "cy"]);
    assert!(alone.status.success(), "{}", text(&alone.stderr));
    let stats = parse(&on_folder(&data, &["stats", "--format", "json"]));
    assert_eq!((&stats["indexed_to"], &stats["spans"]), (&stats["journal_end"], &Value::from(4)));
    assert!(
        text(&on_folder(&data, &["stats"]).stdout).contains("pinned"),
        "an open incident pins its records"
    );
    let verified = on_folder(&data, &["verify"]);
    assert!(verified.status.success(), "{}", text(&verified.stdout));
    let server = Server::start(&data);
    let told = server.json(&shown);
    assert_eq!((notes(&told).len(), &told["status"], &told["pinned"]), (3, &"open".into(), &true.into()));
    let open = server.json(&["incidents", "list", "--status", "open", "--format", "json"]);
    assert_eq!(open["incidents"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        server.json(&["incidents", "--status", "closed", "--format", "json"])["incidents"],
        Value::Array(vec![])
    );

    let draft = folder.path().join("incident.md");
    let draft = draft.to_str().expect("a plain path");
    assert!(server.ask(&["incidents", "export", &id, "--to", draft]).status.success());
    let draft = std::fs::read_to_string(draft).expect("written");
    assert!(draft.contains("beside it") && draft.contains("All of it follows POST /pay"), "{draft}");
    for question in [&["incidents"][..], &["incidents", "show", &id], &["incidents", "--format", "markdown"]]
    {
        let printed = server.ask(question);
        assert!(printed.status.success() && !text(&printed.stdout).contains('\u{1b}'), "{question:?}");
    }
}

#[test]
fn who_may_not_ask_may_not_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, format!("anna {ANNA}\n")).expect("written");
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["--tokens", tokens.to_str().expect("a plain path")]);
    let span = span(7, 1, "work", vec![]);
    let failed = opentelemetry_proto::tonic::trace::v1::Status { code: 2, message: "broken".into() };
    let body =
        traces("orders", vec![opentelemetry_proto::tonic::trace::v1::Span { status: Some(failed), ..span }]);
    ureq::post(format!("http://{}/v1/traces", server.http))
        .header("content-type", "application/x-protobuf")
        .header("authorization", format!("Bearer {ANNA}"))
        .send(&body[..])
        .expect("acknowledged");
    let listed = parse(&on_folder(&data, &["incidents", "--format", "json"]));
    let id = listed["incidents"][0]["id"].as_str().expect("an incident").to_owned();
    let note = ["incidents", "note", &id, "why?"];
    let refused = server.ask_folder(&note);
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).contains("token"), "{}", text(&refused.stderr));
    let written = server.ask_folder(&[&note[..], &["--token", ANNA]].concat());
    assert!(written.status.success(), "{}", text(&written.stderr));
    let shown = parse(&on_folder(&data, &["incidents", "show", &id, "--format", "json"]));
    assert_eq!(notes(&shown).len(), 1);
}

#[test]
fn what_names_no_incident_is_wrong_usage() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    for wrong in [
        &["incidents", "show", "i-none"][..],
        &["incidents", "note", "i-none", "text"],
        &["incidents", "note", "i-none"],
        &["incidents", "export", "i-none", "--to", "x.doc"],
        &["incidents", "--status", "solved"],
    ] {
        for answer in [server.ask(wrong), server.ask_folder(wrong)] {
            assert_eq!(answer.status.code(), Some(2), "{wrong:?}: {}", text(&answer.stderr));
        }
    }
    let none = server.ask(&["incidents"]);
    assert!(none.status.success() && text(&none.stderr).contains("backstory env"), "{}", text(&none.stderr));
}
