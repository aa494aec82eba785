//! `backstory fetch`: from another Backstory's Jaeger API, and from recorded answers of Jaeger and Tempo, good and bad.

mod answers;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use self::answers::{Answers, Reply};
use crate::formats::{apart_from_clocks, causes, difference};
use crate::jaeger::shop;
use crate::support::{BINARY, Server, parse, run, text};

fn fetch(data: &Path, arguments: &[&str]) -> Output {
    run(Command::new(BINARY).arg("fetch").args(arguments).arg("--data").arg(data))
}

fn timeline(data: &Path, entity: &str) -> Value {
    parse(&run(Command::new(BINARY).args(["timeline", entity, "--format", "json", "--data"]).arg(data)))
}

fn stats(data: &Path) -> Value {
    parse(&run(Command::new(BINARY).args(["stats", "--format", "json", "--data"]).arg(data)))
}

/// What was said on standard error by a run that succeeded.
fn said(output: &Output) -> String {
    let told = text(&output.stderr);
    assert!(output.status.success(), "{}: {told}", output.status);
    told
}

#[test]
fn an_entitys_story_comes_from_another_server_as_the_same_timeline_and_is_there_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = shop(folder.path());
    let url = format!("http://{}", server.query);
    let here = tempfile::tempdir().expect("a folder");
    let arguments = ["jaeger", &url, "--entity", "order/42", "--since", "2026-11-01T00:00:00Z"];
    let told = said(&fetch(here.path(), &arguments));
    assert!(told.contains("traces, ") && !told.contains("failed"), "{told}");
    let (there, fetched) = (timeline(folder.path(), "order/42"), timeline(here.path(), "order/42"));
    assert!(there["events"].as_array().is_some_and(|events| events.len() > 50));
    assert_eq!(causes(&fetched), causes(&there));
    let [told, told_there] = [&fetched, &there].map(apart_from_clocks);
    assert!(told == told_there, "it is told otherwise: {}", difference(&told_there, &told));

    let held = stats(here.path());
    said(&fetch(here.path(), &arguments));
    assert_eq!((&stats(here.path())["spans"], &stats(here.path())["logs"]), (&held["spans"], &held["logs"]));
}

#[test]
fn a_running_server_takes_in_what_is_fetched() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = shop(folder.path());
    let here = tempfile::tempdir().expect("a folder");
    let own = Server::start(here.path());
    let url = format!("http://{}", server.query);
    let arguments = [
        "fetch",
        "jaeger",
        &url,
        "--service",
        "orders",
        "--since",
        "2026-11-01T00:00:00Z",
        "--limit",
        "1000",
    ];
    said(&own.ask_folder(&arguments));
    let timeline = own.json(&["timeline", "order/42", "--format", "json", "--brief"]);
    assert!(timeline["events"].as_array().is_some_and(|events| events.len() > 50));
}

#[test]
fn caps_and_budgets_are_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = shop(folder.path());
    let url = format!("http://{}", server.query);
    let here = tempfile::tempdir().expect("a folder");
    let since = ["--since", "2026-11-01T00:00:00Z"];
    let capped = ["jaeger", &url, "--service", "orders", "--limit", "1", "--no-expand"];
    let told = said(&fetch(here.path(), &[&capped[..], &since].concat()));
    assert!(told.contains("not whole: service orders: 1 of ") && told.contains("raise --limit"), "{told}");
    let budget = ["jaeger", &url, "--entity", "order/42", "--requests-max", "3"];
    let told = said(&fetch(here.path(), &[&budget[..], &since].concat()));
    assert!(told.contains("in 3 requests") && told.contains("as many as --requests-max allows"), "{told}");
    assert!(told.contains("were left out"), "{told}");
    let spans = ["jaeger", &url, "--entity", "order/42", "--spans-max", "1"];
    let told = said(&fetch(here.path(), &[&spans[..], &since].concat()));
    assert!(told.contains("as many as --spans-max allows"), "{told}");
}

fn trace(id: &str, service: &str, tag: (&str, &str), link: Option<&str>) -> Value {
    let reference = link
        .map(|other| json!({ "refType": "FOLLOWS_FROM", "traceID": other, "spanID": "b7ad6b7169203331" }));
    json!({
        "traceID": id,
        "spans": [{
            "traceID": id, "spanID": "00f067aa0ba902b7", "operationName": "work", "references": reference.into_iter().collect::<Vec<_>>(),
            "startTime": 1_795_428_000_000_000_u64, "duration": 1500, "processID": "p1", "logs": [],
            "tags": [{ "key": tag.0, "type": "string", "value": tag.1 }],
        }],
        "processes": { "p1": { "serviceName": service, "tags": [] } },
    })
}

fn found(traces: &[Value]) -> Reply {
    Reply::json(&json!({ "data": traces, "total": 0, "limit": 0, "offset": 0, "errors": null }))
}

const TOKEN: &str = "a-token-for-the-test";
const SINCE: [&str; 2] = ["--since", "2026-11-23T09:00:00Z"];

#[test]
fn links_and_the_names_of_a_key_lead_on_and_what_is_not_there_is_said() {
    let answers = Answers::start(|path| {
        if path == "/api/services" {
            return found(&[json!("orders"), json!("billing")]);
        }
        let tag = |text: &str| path.contains(text);
        match () {
            () if tag("/api/traces/0000000000000000000000000000aaaa") => {
                found(&[trace("aaaa", "billing", ("app.orderId", "42"), Some("cccc"))])
            }
            () if tag("/api/traces/0000000000000000000000000000cccc") => {
                found(&[trace("cccc", "billing", ("order.key", "42"), Some("dddd"))])
            }
            () if tag("/api/traces/") => {
                Reply::status(404, r#"{"data":null,"errors":[{"code":404,"msg":"trace not found"}]}"#)
            }
            () if tag("service=orders") && tag("order.id") => found(&[
                trace("1111", "orders", ("app.orderId", "42"), Some("aaaa")),
                trace("2222", "orders", ("order.id", "42"), Some("bbbb")),
            ]),
            // What a link led to before: found by its key, it leads on itself.
            () if tag("service=billing") && tag("order.key") => {
                found(&[trace("cccc", "billing", ("order.key", "42"), Some("dddd"))])
            }
            () if tag("service=billing") && tag("app.orderId") => found(&[
                trace("3333", "billing", ("app.orderId", "42"), None),
                trace("aaaa", "billing", ("app.orderId", "42"), Some("cccc")),
            ]),
            () => found(&[]),
        }
    });
    let here = tempfile::tempdir().expect("a folder");
    let told =
        said(&fetch(here.path(), &[&["jaeger", &answers.url, "--entity", "order/42"][..], &SINCE].concat()));
    assert!(told.contains("5 traces, 5 spans"), "{told}");
    for lacking in ["bbbb", "dddd"] {
        let lacking =
            format!("not whole: trace 0000000000000000000000000000{lacking}, linked to, is not there");
        assert!(told.contains(&lacking), "{told}");
    }
    assert_eq!(stats(here.path())["traces"], 5);
    assert_eq!(
        answers.asked().iter().filter(|path| path.contains("order.id") && path.contains("orders")).count(),
        1,
        "no search twice"
    );
    let alone = tempfile::tempdir().expect("a folder");
    let told = said(&fetch(alone.path(), &[&["jaeger", &answers.url, "--trace", "eeee"][..]].concat()));
    assert!(told.contains("asked for, is not there"), "{told}");
}

#[test]
fn a_backend_that_is_busy_is_asked_again_and_one_that_breaks_off_is_said() {
    let answers = Answers::start_counting(|path, count| match path {
        "/api/services" if count < 2 => Reply::status(429, "slow down").with("retry-after", "0"),
        "/api/services" => found(&[json!("orders"), json!("broken"), json!("odd"), json!("wrong")]),
        _ if path.contains("service=orders") => found(&[trace("1111", "orders", ("a", "b"), None)]),
        _ if path.contains("service=broken") => {
            found(&[trace("2222", "broken", ("a", "b"), None)]).torn().with("retry-after", "0")
        }
        _ if path.contains("service=odd") => Reply::status(200, "<html>a proxy's page</html>"),
        _ => Reply::status(400, r#"{"data":null,"total":0,"errors":[{"code":400,"msg":"unable to parse"}]}"#),
    });
    let here = tempfile::tempdir().expect("a folder");
    let output = fetch(here.path(), &[&["jaeger", &answers.url][..], &SINCE].concat());
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("1 traces, 1 spans"), "what came well stays: {told}");
    assert!(told.contains("broke off"), "{told}");
    assert!(told.contains("not in JSON") && told.contains("a proxy's page"), "{told}");
    assert!(told.contains("answered 400: unable to parse"), "{told}");
    assert_eq!(stats(here.path())["spans"], 1);
}

#[test]
fn a_token_and_headers_are_sent_and_their_lack_is_said() {
    let answers =
        Answers::start(|_| found(&[json!("orders")])).wanting("authorization", &format!("Bearer {TOKEN}"));
    let here = tempfile::tempdir().expect("a folder");
    let arguments = [&["jaeger", &answers.url][..], &SINCE].concat();
    let refused = fetch(here.path(), &arguments);
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).contains("--token-file"), "{}", text(&refused.stderr));
    let file = here.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).expect("written");
    let file = file.to_str().expect("Unicode");
    said(&fetch(
        here.path(),
        &[&arguments[..], &["--token-file", file, "--no-expand", "--service", "none"]].concat(),
    ));
    let header = format!("Authorization: Bearer {TOKEN}");
    said(&fetch(here.path(), &[&arguments[..], &["--header", &header, "--service", "none"]].concat()));
}

#[test]
fn tempo_is_searched_in_traceql_and_its_traces_come_whole_or_are_said_not_to() {
    let spans = |id: &str| {
        json!([{ "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "orders" } }] },
        "scopeSpans": [{ "scope": { "name": "x" }, "spans": [{ "traceId": id, "spanId": "00f067aa0ba902b7", "name": "a",
            "startTimeUnixNano": "1795428000000000005", "endTimeUnixNano": "1795428000000000006",
            "attributes": [{ "key": "order.id", "value": { "intValue": "42" } }] }] }] }])
    };
    let answers = Answers::start(move |path| match path {
        _ if path.starts_with("/api/search") => Reply::json(&json!({
            "traces": [{ "traceID": "a1" }, { "traceID": "b2" }],
            "metrics": { "completedJobs": 3, "totalJobs": 8 },
        })),
        _ if path.ends_with("a1") => Reply::json(
            &json!({ "trace": { "resourceSpans": spans("000000000000000000000000000000a1") }, "status": "PARTIAL", "message": "too large" }),
        ),
        // An older Tempo has the older route alone.
        _ if path.starts_with("/api/traces/") => {
            Reply::json(&json!({ "batches": spans("000000000000000000000000000000b2") }))
        }
        _ => Reply::status(404, "404 page not found"),
    });
    let here = tempfile::tempdir().expect("a folder");
    let told =
        said(&fetch(here.path(), &[&["tempo", &answers.url, "--tag", "order.id=42"][..], &SINCE].concat()));
    assert!(told.contains("2 traces, 2 spans"), "{told}");
    assert!(told.contains("is not whole: too large") && told.contains("3 of 8 parts"), "{told}");
    let asked = answers.asked();
    let search = asked.iter().find(|path| path.starts_with("/api/search")).expect("a search");
    assert!(search.contains("start=1795424400&") && search.contains("order.id"), "{search}");
    let timeline = timeline(here.path(), "order/42");
    assert_eq!(timeline["events"].as_array().map(Vec::len), Some(4));
}

#[test]
fn what_is_wrong_on_the_command_line_is_said_before_anything_is_asked() {
    let here = tempfile::tempdir().expect("a folder");
    for (arguments, says) in [
        (&["jaeger", "http://127.0.0.1:1"][..], "--since"),
        (&["jaeger", "https://jaeger.example", "--since", "1h"], "tunnel"),
        (&["jaeger", "http://127.0.0.1:1", "--since", "1h", "--query", "{ }"], "--tag"),
        (&["jaeger", "http://127.0.0.1:1", "--since", "1h", "--tag", "novalue"], "KEY=VALUE"),
        (&["jaeger", "http://127.0.0.1:1", "--since", "1h", "--header", "novalue"], "NAME: VALUE"),
        (&["jaeger", "http://127.0.0.1:1", "--since", "1h", "--entity", "42"], "order/42"),
        (&["jaeger", "http://127.0.0.1:1", "--since", "1h", "--time-max", "soon"], "--time-max"),
        (&["zipkin", "http://127.0.0.1:1", "--since", "1h"], "tempo"),
    ] {
        let output = fetch(here.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(says), "{arguments:?}: {}", text(&output.stderr));
    }
}
