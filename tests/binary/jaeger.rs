//! Jaeger's API of a running server, and what it answers imported again.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::formats::difference;
use crate::support::{BINARY, Server, parse, run, text};

fn get(server: &Server, path: &str) -> Value {
    let url = format!("http://{}{path}", server.query);
    let mut answer = ureq::get(&url).call().unwrap_or_else(|error| panic!("{url}: {error}"));
    answer.body_mut().with_config().limit(1 << 30).read_json().expect("JSON")
}

/// A server that holds the recorded incidents.
pub(crate) fn shop(folder: &Path) -> Server {
    let server = Server::start(folder);
    let incidents = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/incidents/shop.otlp.jsonl");
    let incidents = incidents.to_str().expect("a path in Unicode");
    let imported = server.ask_folder(&["import", incidents]);
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    server
}

fn timeline(data: &Path, entity: &str) -> Value {
    parse(&run(Command::new(BINARY).args(["timeline", entity, "--format", "json", "--data"]).arg(data)))
}

#[test]
fn what_its_traces_say_is_imported_as_the_same_timeline() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = shop(folder.path());
    let services = get(&server, "/api/services");
    let names: Vec<&str> =
        services["data"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    assert!(names.contains(&"orders") && names.contains(&"payments"), "{names:?}");
    let found = get(&server, "/api/traces?tag=order.id:42");
    assert!(found["total"].as_u64().is_some_and(|total| total > 0), "{found}");

    // Every trace by its own route, as somebody would download them.
    let all = get(&server, "/api/traces?limit=1000000");
    assert_eq!(all["total"].as_u64(), all["data"].as_array().map(|all| all.len() as u64));
    let again = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for trace in all["data"].as_array().expect("traces") {
        let id = trace["traceID"].as_str().expect("an id");
        let file = again.path().join(format!("{id}.json"));
        std::fs::write(&file, get(&server, &format!("/api/traces/{id}")).to_string()).expect("written");
        files.push(file);
    }
    let data = again.path().join("data");
    let imported = run(Command::new(BINARY).arg("import").args(&files).arg("--data").arg(&data));
    let told = text(&imported.stderr);
    assert!(imported.status.success() && !told.contains("refused"), "{told}");
    for entity in ["order/42", "order/57", "order/71", "order/88", "order/96"] {
        let (one, other) = (timeline(folder.path(), entity), timeline(&data, entity));
        assert!(one["events"].as_array().is_some_and(|events| events.len() > 10), "{entity}");
        assert_eq!(other["events"], one["events"], "{entity}");
        assert!(other == one, "{entity} is told otherwise: {}", difference(&one, &other));
    }
}
