//! `backstory import`: into a folder, beside a server, twice, and of broken files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{BINARY, Server, backstory, parse, run, text};

fn incidents() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/incidents/shop.otlp.jsonl")
}

fn import(data: &Path, arguments: &[&str]) -> std::process::Output {
    run(Command::new(BINARY).arg("import").args(arguments).arg("--data").arg(data))
}

fn stats(data: &Path) -> serde_json::Value {
    parse(&run(Command::new(BINARY).args(["stats", "--format", "json", "--data"]).arg(data)))
}

#[test]
fn a_recorded_incident_is_told_from_its_file_and_importing_it_again_adds_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = incidents();
    let file = file.to_str().expect("a path in Unicode");
    let first = import(folder.path(), &[file]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let held = stats(folder.path());
    assert_eq!(held["indexed_to"], held["journal_end"], "searchable when it returns");
    let timeline = run(Command::new(BINARY)
        .args(["timeline", "order/42", "--format", "json", "--brief", "--data"])
        .arg(folder.path()));
    let timeline = parse(&timeline);
    let events = timeline["events"].as_array().expect("events");
    assert!(events.len() > 50, "{} events", events.len());
    assert!(events.iter().all(|event| event["arrival"].is_null()), "a file's arrival is no evidence");

    let again = import(folder.path(), &[file]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    let after = stats(folder.path());
    assert_eq!((&after["spans"], &after["logs"]), (&held["spans"], &held["logs"]));
}

#[test]
fn a_running_server_takes_a_file_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let imported = import(folder.path(), &[incidents().to_str().expect("a path in Unicode")]);
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    let timeline = server.json(&["timeline", "order/42", "--format", "json", "--brief"]);
    let events = timeline["events"].as_array().expect("events");
    assert!(events.len() > 50 && events.iter().all(|event| event["arrival"].is_null()));
}

#[test]
fn a_server_elsewhere_takes_a_file_in_through_its_otlp_port() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let otlp = format!("http://{}", server.http);
    let imported = server.ask(&["import", incidents().to_str().expect("a path in Unicode"), "--otlp", &otlp]);
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    let timeline = server.json(&["timeline", "order/42", "--format", "json", "--brief"]);
    let events = timeline["events"].as_array().expect("events");
    assert!(events.len() > 50 && events.iter().all(|event| event["arrival"].is_null()));
    let nobody =
        server.ask(&["import", incidents().to_str().expect("a path in Unicode"), "--otlp", "127.0.0.1:1"]);
    assert_eq!(nobody.status.code(), Some(3), "{}", text(&nobody.stderr));
    assert!(text(&nobody.stderr).contains("cannot be reached"), "{}", text(&nobody.stderr));
}

#[test]
fn standard_input_is_read_and_good_lines_stay_beside_bad_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Command::new(BINARY)
        .args(["import", "-", "--service", "legacy", "--data"])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = "{\"time\":\"2026-11-23T10:00:00Z\",\"msg\":\"order 42 is now paid\"}\nbroken \u{1b}[31m\n";
    child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let told = text(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("1 log records") && told.contains("-: line 2: not a JSON object"), "{told}");
    assert!(!told.contains('\u{1b}'), "{told:?}");
    assert_eq!(stats(folder.path())["logs"], 1);
}

#[test]
fn what_cannot_be_read_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = folder.path().join("plain.log");
    std::fs::write(&plain, "only words\n").expect("written");
    let data = folder.path().join("data");
    let output = import(&data, &[plain.to_str().expect("Unicode"), "/nowhere"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(
        told.contains("plain.log: nothing in its beginning tells its format: name it with --from"),
        "{told}"
    );
    assert!(told.contains("/nowhere: it cannot be opened"), "{told}");

    let wrong = backstory(&["import", "x", "--pattern", "("]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
    let remote = backstory(&["import", "x", "--connect", "http://localhost"]);
    assert_eq!(remote.status.code(), Some(2), "{}", text(&remote.stderr));
    assert!(text(&remote.stderr).contains("--otlp"), "{}", text(&remote.stderr));
}

#[test]
fn changes_and_snapshots_from_outside_are_told_beside_the_telemetry() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("Unicode").to_owned()
    };
    let good = |output: std::process::Output| assert!(output.status.success(), "{}", text(&output.stderr));
    good(import(&data, &[incidents().to_str().expect("Unicode")]));
    let envelope = |status: &str, before: &str, ms: u64| {
        format!(
            "{{\"op\":\"u\",\"before\":{{\"id\":42,\"status\":\"{before}\"}},\"after\":{{\"id\":42,\"status\":\"{status}\"}},\
             \"source\":{{\"table\":\"orders\",\"ts_ms\":{ms}}}}}\n"
        )
    };
    let changes =
        envelope("paid", "created", 1_795_428_017_000) + &envelope("archived", "paid", 1_795_428_090_000);
    let changes = file("cdc.jsonl", &changes);
    let cdc = ["--from", "changes", "--copy", "cdc/orders", "--time-error", "5ms", changes.as_str()];
    good(import(&data, &cdc));
    let prices = file("orders.csv", "id,status,total\n42,paid,3000\n");
    let snapshot = [
        "--snapshot",
        prices.as_str(),
        "--copy",
        "warehouse/orders",
        "--entity",
        "order",
        "--field",
        "status",
        "--at",
        "2026-11-23T10:05:00Z ± 1s",
    ];
    good(import(&data, &snapshot));

    let ask = |arguments: &[&str]| parse(&run(Command::new(BINARY).args(arguments).arg("--data").arg(&data)));
    let state = ask(&["state", "order/42", "--format", "json"]).to_string();
    for held in ["cdc/orders", "archived", "warehouse/orders", "shop/orders", "redis/order"] {
        assert!(state.contains(held), "{held}: {state}");
    }
    let told = ask(&["timeline", "order/42", "--format", "json"]);
    let events = told["events"].as_array().expect("events");
    let of = |copy: &str| -> Vec<&serde_json::Value> {
        let changes = events.iter().flat_map(|event| event["state"].as_array().expect("state"));
        changes.filter(|change| change["copy"] == copy).collect()
    };
    let written: Vec<_> = of("cdc/orders")
        .into_iter()
        .map(|change| (&change["op"], &change["from"], &change["value"]))
        .collect();
    assert_eq!(
        written,
        [
            (&"write".into(), &"created".into(), &"paid".into()),
            (&"write".into(), &"paid".into(), &"archived".into())
        ]
    );
    let [seen] = of("warehouse/orders")[..] else { panic!("one observation: {told}") };
    assert_eq!((&seen["op"], &seen["value"]), (&"read".into(), &"paid".into()));

    let held = stats(&data);
    good(import(&data, &cdc));
    good(import(&data, &snapshot));
    assert_eq!(
        (stats(&data)["spans"].clone(), stats(&data)["logs"].clone()),
        (held["spans"].clone(), held["logs"].clone())
    );

    let unsaid = import(&data, &["--from", "changes", &changes]);
    assert_eq!(unsaid.status.code(), Some(3));
    assert!(text(&unsaid.stderr).contains("--copy"), "{}", text(&unsaid.stderr));
    let wrong = import(&data, &["--snapshot", &prices, "--at", "noon"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
}
