//! Exports, read by programs that are not ours: Chromium, Mermaid's parser, Graphviz, Python.

mod order;
mod readers;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::formats::readers::Reader;
use crate::support::{Server, backstory, parse, text};
use crate::telemetry::{attribute, send, span, traces};

/// The demo's order 42 in every format, exported once for all tests.
fn exported() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = readers::folder().join("exports");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("the folder is made");
        let data = folder.join("data");
        let data = data.to_str().expect("a plain path");
        let played = backstory(&["demo", "--headless", "--seed", "7", "--orders", "100", "--data", data]);
        assert!(played.status.success(), "{}", text(&played.stderr));
        for ending in [
            "html",
            "svg",
            "mmd",
            "md",
            "dot",
            "json",
            "jsonl",
            "csv",
            "shiviz",
            "perfetto",
            "otlp.jsonl",
            "jaeger.json",
        ] {
            export(data, "order/42", &folder.join(format!("order-42.{ending}")));
        }
        folder
    })
}

fn export(data: &str, entity: &str, to: &Path) {
    let path = to.to_str().expect("a plain path");
    let made = backstory(&["export", entity, "--data", data, "--to", path]);
    assert!(made.status.success(), "{path}: {}", text(&made.stderr));
    assert!(to.metadata().expect("the file is there").len() > 0, "{path} is empty");
}

#[test]
fn the_page_and_the_diagram_work_in_chromium() {
    let folder = exported();
    let seen = Reader::Page.read(&[&folder.join("order-42.html"), &folder.join("order-42.svg"), folder]);
    assert_eq!(seen["faults"], serde_json::json!([]), "{seen:#}");
    let says = |field: &str, what: &str| {
        assert!(
            seen[field].as_str().is_some_and(|said| said.contains(what)),
            "{field} lacks {what}: {seen:#}"
        );
    };
    says("title", "order/42");
    says("tip", "by request (causal)");
    says("event", "It is after");
    says("event", "by request (causal)");
    says("event", "Attributes");
    says("hits", "found");
    assert!(seen["rows"].as_u64() > Some(20) && seen["arrows"].as_u64() > Some(5), "{seen:#}");
    assert_eq!(seen["chosen"], 1, "{seen:#}");
    assert!(seen["zoomed"].as_f64() > Some(1.2), "{seen:#}");
    assert_eq!(seen["fits"], true, "{seen:#}");
    assert_eq!(seen["dark_paper"], "rgb(20, 23, 27)", "{seen:#}");
    assert_eq!(seen["pictures_differ"], true);
    assert_eq!(seen["overlaps"], 0, "texts stand on each other: {seen:#}");
    assert_eq!(seen["svg"]["root"], "svg", "{seen:#}");
    assert_eq!(seen["svg"]["error"], false, "{seen:#}");
    assert_eq!(seen["svg"]["outside"], 0, "texts leave the picture: {seen:#}");
    assert!(seen["svg"]["texts"].as_u64() > Some(200), "{seen:#}");
}

#[test]
fn mermaid_parses_the_sequence_diagram() {
    let read = Reader::Mermaid.read(&[&exported().join("order-42.mmd")]);
    let actors = read["actors"].as_array().expect("actors");
    assert!(actors.len() >= 6, "{read:#}");
    let messages = read["messages"].as_array().expect("messages");
    assert!(messages.iter().any(|message| message.as_str().is_some_and(|text| text.contains("(request, "))));
}

#[test]
fn graphviz_takes_the_graph() {
    let svg = readers::graphviz(&exported().join("order-42.dot"));
    assert!(svg.contains("request") && svg.contains("POST /charges"), "{}", &svg[..svg.len().min(2_000)]);
}

#[test]
fn slices_nest_and_flows_are_pairs() {
    let counted = Reader::Perfetto.read(&[&exported().join("order-42.perfetto")]);
    assert!(counted["slices"].as_u64() > Some(40), "{counted}");
    assert!(counted["flows"].as_u64() > Some(5), "{counted}");
    assert!(counted["instants"].as_u64() > Some(5), "{counted}");
}

#[test]
fn the_json_is_what_the_timeline_prints_and_the_lines_are_its_events() {
    let folder = exported();
    let data = folder.join("data");
    let data = data.to_str().expect("a path");
    let print = || backstory(&["timeline", "order/42", "--format", "json", "--data", data]).stdout;
    // A finding may settle between one print and the next: only a file between two equal ones is compared.
    let again = folder.join("order-42.again.json");
    let mut before = print();
    let file = loop {
        export(data, "order/42", &again);
        let after = print();
        if before == after {
            break std::fs::read(&again).expect("the export");
        }
        before = after;
    };
    assert!(before == file, "the export differs from the print");
    let document: Value = serde_json::from_slice(&file).expect("JSON");
    let lines = std::fs::read_to_string(folder.join("order-42.jsonl")).expect("the export");
    let ids: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["id"].clone()).collect();
    let events = document["events"].as_array().expect("events");
    assert_eq!(ids, events.iter().map(|event| event["id"].clone()).collect::<Vec<_>>());
}

#[test]
fn what_telemetry_says_does_nothing_in_a_browser_nor_in_the_parsers() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let nasty =
        "</script><script>window.hacked=1</script>\"><img src=x onerror=window.hacked=1>\n]]>\u{202e};#\\N";
    let mut parent = span(9, 1, nasty, vec![attribute("order.id", "42"), attribute(nasty, nasty)]);
    parent.kind = 3;
    let mut child = span(9, 2, nasty, vec![]);
    child.parent_span_id = parent.span_id.clone();
    let mut grandchild = span(9, 3, nasty, vec![]);
    grandchild.parent_span_id = child.span_id.clone();
    send(&server.http, "traces", &traces(nasty, vec![parent])).expect("acknowledged");
    send(&server.http, "traces", &traces("payments", vec![child])).expect("acknowledged");
    send(&server.http, "traces", &traces(&format!("{nasty}2"), vec![grandchild])).expect("acknowledged");
    server.until(&["stats", "--format", "json"], |stats| stats["indexed_to"] == stats["journal_end"]);
    let data = data.to_str().expect("a plain path");
    let file = |ending: &str| folder.path().join(format!("nasty.{ending}"));
    for ending in ["html", "svg", "mmd", "dot", "perfetto"] {
        export(data, "order/42", &file(ending));
    }
    let seen = Reader::Page.read(&[&file("html"), &file("svg"), folder.path()]);
    assert_eq!(seen["hacked"], false);
    assert_eq!(seen["faults"], serde_json::json!([]), "{seen:#}");
    assert_eq!(seen["svg"]["error"], false, "{seen:#}");
    Reader::Mermaid.read(&[&file("mmd")]);
    Reader::Perfetto.read(&[&file("perfetto")]);
    assert!(readers::graphviz(&file("dot")).contains("window.hacked"));
}

#[test]
fn the_records_are_read_by_the_classes_of_opentelemetry() {
    let read = Reader::Otlp.read(&[&exported().join("order-42.otlp.jsonl")]);
    assert!(read["spans"].as_u64() > Some(40) && read["logs"].as_u64() > Some(5), "{read}");
    let added: Vec<&str> =
        read["added"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    assert!(
        added.contains(&"backstory.export.arrival") && added.contains(&"backstory.export.corrected"),
        "{read}"
    );
}

/// Imports `file` into a folder of its own.
fn imported(file: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, data) = (file.to_str().expect("a path"), folder.path().to_str().expect("a path"));
    let read = backstory(&["import", path, "--data", data]);
    assert!(read.status.success(), "{}", text(&read.stderr));
    folder
}

fn timeline(data: &Path, entity: &str) -> Value {
    let data = data.to_str().expect("a path");
    parse(&backstory(&["timeline", entity, "--format", "json", "--data", data]))
}

/// What a timeline says whatever else its folder holds: of clocks, other traffic proves more.
pub(crate) fn apart_from_clocks(timeline: &Value) -> Value {
    let mut timeline = timeline.clone();
    for name in ["clocks", "processes", "markers", "range", "edges", "edges_omitted", "findings"] {
        timeline.as_object_mut().expect("an object").remove(name);
    }
    for event in timeline["events"].as_array_mut().expect("events") {
        for name in ["process", "corrected", "error_ns", "hlc", "unordered_with"] {
            event.as_object_mut().expect("an object").remove(name);
        }
    }
    let events = timeline["events"].as_array_mut().expect("events");
    events.sort_by_key(|event| event["id"].to_string());
    timeline
}

pub(crate) fn causes(timeline: &Value) -> Vec<Value> {
    let edges = timeline["edges"].as_array().expect("edges").iter();
    let mut causes: Vec<Value> = edges.filter(|edge| edge["certainty"] == "causal").cloned().collect();
    causes.sort_by_key(Value::to_string);
    causes
}

#[test]
fn what_was_exported_as_otlp_and_imported_is_told_as_before() {
    let first = imported(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/incidents/shop.otlp.jsonl"));
    let exported = |data: &Path, entity: &str, name: &str| -> PathBuf {
        let file = first.path().join(name);
        export(data.to_str().expect("a path"), entity, &file);
        file
    };
    for entity in ["order/42", "order/57", "order/71", "order/88", "order/96"] {
        let file = exported(first.path(), entity, "again.otlp.jsonl");
        let alone = imported(&file);
        let (before, after) = (timeline(first.path(), entity), timeline(alone.path(), entity));
        assert!(before["events"].as_array().is_some_and(|events| events.len() > 20), "{entity}");
        let [told, told_alone] = [&before, &after].map(apart_from_clocks);
        assert!(told == told_alone, "{entity} is told otherwise: {}", difference(&told, &told_alone));
        assert_eq!(causes(&before), causes(&after), "{entity}");
        // Nothing else is in the second folder: of what is exported from there, all is told as before.
        let again = timeline(imported(&exported(alone.path(), entity, "twice.otlp.jsonl")).path(), entity);
        assert!(after == again, "{entity} is told otherwise: {}", difference(&after, &again));
    }
}

#[test]
fn what_shiviz_would_read_orders_every_pair_as_the_timeline_does() {
    let incidents = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/incidents/shop.otlp.jsonl");
    let first = imported(&incidents);
    let before = timeline(first.path(), "order/42");
    let file = first.path().join("order-42.shiviz");
    export(first.path().to_str().expect("a path"), "order/42", &file);
    // Each event of the log carries whose story it is in, and which event of it.
    let after = timeline(imported(&file).path(), "entity=order/42");
    let pairs = order::pairs(&before, |event| event["id"].clone());
    assert!(pairs.len() > 1_000, "{} pairs", pairs.len());
    assert_eq!(after["events"].as_array().map(Vec::len), before["events"].as_array().map(Vec::len));
    assert!(
        order::pairs(&after, |event| event["attributes"]["id"].clone()) == pairs,
        "other pairs are ordered"
    );
}

/// Where two documents differ first.
pub(crate) fn difference(one: &Value, other: &Value) -> String {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys());
            let differing = keys.into_iter().find(|key| a.get(*key) != b.get(*key));
            let Some(key) = differing else { return String::new() };
            let none = Value::Null;
            format!(".{key}{}", difference(a.get(key).unwrap_or(&none), b.get(key).unwrap_or(&none)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let at = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or_default();
            format!("[{at}]{}", difference(&a[at], &b[at]))
        }
        _ => format!(": {one} and {other}"),
    }
}

#[test]
fn what_jaeger_would_download_is_imported() {
    let data = imported(&exported().join("order-42.jaeger.json"));
    let told = timeline(data.path(), "order/42");
    let names: Vec<&str> = told["events"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|event| event["name"].as_str())
        .collect();
    assert!(names.contains(&"POST /charges"), "{names:?}");
}

#[test]
fn the_manual_is_sound() {
    let pages = exported().join("man");
    let made = backstory(&["man", pages.to_str().expect("a plain path")]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    for page in std::fs::read_dir(&pages).expect("the pages") {
        let page = page.expect("a page").path();
        let warnings = readers::groff_warnings(&page);
        assert!(warnings.is_empty(), "{}: {warnings}", page.display());
    }
}

#[test]
fn an_ending_that_names_no_format_is_wrong_usage() {
    let wrong = backstory(&["export", "order/42", "--data", "/nowhere", "--to", "/tmp/order-42.xyz"]);
    assert_eq!(wrong.status.code(), Some(3), "the folder is looked at first: {}", text(&wrong.stderr));
    let data = exported().join("data");
    let data = data.to_str().expect("a plain path");
    let wrong = backstory(&["export", "order/42", "--data", data, "--to", "/tmp/order-42.xyz"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
    assert!(text(&wrong.stderr).contains("mermaid"), "{}", text(&wrong.stderr));
}
