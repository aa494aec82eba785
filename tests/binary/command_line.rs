//! Every command's answer and its errors, as a person or a script meets them.

use std::process::Command;

use serde_json::Value;

use crate::support::{BINARY, Server, backstory, parse, run, text};
use crate::telemetry::{attribute, logs, send, span, traces};

/// A server that holds two services' spans of one order and a log line.
fn shop() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let mut client = span(7, 1, "POST /charge", vec![attribute("order.id", "42")]);
    client.kind = 3;
    client.end_time_unix_nano += 10_000_000;
    let mut handler = span(7, 2, "charge", vec![attribute("order.id", "42")]);
    handler.parent_span_id = client.span_id.clone();
    send(&server.http, "traces", &traces("orders", vec![client])).expect("acknowledged");
    send(&server.http, "traces", &traces("payments", vec![handler])).expect("acknowledged");
    send(&server.http, "logs", &logs("payments", &["order 42 is now paid \u{1b}[31mred"]))
        .expect("acknowledged");
    server.until(&["stats", "--format", "json"], |stats| stats["indexed_to"] == stats["journal_end"]);
    (folder, server)
}

/// Checks `document` against the schema that `docs/schema` holds for it.
fn assert_valid(document: &Value) {
    let name = document["schema"].as_str().expect("it names its schema");
    let name = name.trim_start_matches("backstory.").split('/').next().expect("a name");
    let path = format!("{}/docs/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let schema: Value = serde_json::from_str(&schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is sound");
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn a_folder_and_its_server_answer_alike() {
    let (_folder, server) = shop();
    for question in [
        &["timeline", "order/42", "--format", "json"][..],
        &["timeline", "order.id=42", "--format", "json"],
        &["find", "42", "--format", "json"],
        &["search", "service:payments", "--format", "json"],
        &["stats", "--format", "json"],
        &["entities", "--format", "json"],
        &["entities", "order", "--format", "json"],
        &["doctor", "--format", "json"],
        &["doctor", "payments", "--since", "2026-11-23T00:00:00Z", "--format", "json"],
    ] {
        let (remote, local) = (server.json(question), parse(&server.ask_folder(question)));
        assert_valid(&remote);
        assert_eq!(remote, local, "{question:?}");
    }
}

#[test]
fn a_timeline_orders_two_services_by_their_call() {
    let (_folder, server) = shop();
    let timeline = server.json(&["timeline", "order/42", "--format", "json"]);
    let names: Vec<&str> = timeline["events"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|event| event["name"].as_str())
        .collect();
    assert!(names.contains(&"POST /charge") && names.contains(&"charge"), "{names:?}");
    let edges = timeline["edges"].as_array().expect("edges");
    assert!(
        edges.iter().any(|edge| edge["evidence"] == "request" && edge["certainty"] == "causal"),
        "{edges:#?}"
    );
}

#[test]
fn an_argument_is_told_one_line_a_step() {
    let (_folder, server) = shop();
    let timeline = server.json(&["timeline", "order/42", "--format", "json"]);
    let id = |name: &str| {
        let events = timeline["events"].as_array().expect("events");
        let event = events.iter().find(|event| event["name"] == name).expect("an event");
        event["id"].as_str().expect("an id").to_owned()
    };
    let (call, handler) = (id("POST /charge"), id("charge"));
    let why = text(&server.ask(&["why", "order/42", &handler, &call]).stdout);
    assert!(why.contains("A is after B: proved by causes") && why.contains("by request (causal)"), "{why}");
    let belongs = text(&server.ask(&["why", "order/42", &handler]).stdout);
    assert!(
        belongs.contains("names it: order.id=42")
            && belongs.contains("belongs to order/42: it names it (own)"),
        "{belongs}"
    );
    // An id without its point is that of a start and an end: wrong usage, and both are listed.
    for answer in
        [server.ask(&["why", "order/42", &call[..16]]), server.ask_folder(&["why", "order/42", &call[..16]])]
    {
        assert_eq!(answer.status.code(), Some(2));
        let said = text(&answer.stderr);
        assert!(
            said.contains(&format!("{}.s", &call[..16])) && said.contains(".e (POST /charge ends)"),
            "{said}"
        );
    }
    // What the text shows can be typed.
    let drawn = text(&server.ask(&["timeline", "order/42", "--ids"]).stdout);
    let shown = |name: &str| {
        let line = drawn.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{drawn}"));
        line.split_whitespace().next().expect("an id").to_owned()
    };
    let short = [shown("  charge  "), shown("POST /charge")];
    assert!(short.iter().all(|id| id.len() < 10 && id.ends_with(".s")), "{short:?}");
    let again = text(&server.ask(&["why", "order/42", &short[0], &short[1]]).stdout);
    assert_eq!(again, why);
    let clocks = text(&server.ask(&["clocks"]).stdout);
    assert!(clocks.contains("reference") && clocks.contains("payments"), "{clocks}");
}

#[test]
fn text_from_telemetry_cannot_speak_to_the_terminal() {
    let (_folder, server) = shop();
    for question in
        [&["timeline", "order/42"][..], &["search", "paid"], &["find", "42"], &["entities"], &["doctor"]]
    {
        let printed = text(&server.ask(question).stdout);
        assert!(!printed.contains('\u{1b}'), "{question:?} printed an escape: {printed:?}");
    }
    assert!(text(&server.ask(&["search", "paid"]).stdout).contains("paid"));
}

#[test]
fn an_unknown_entity_is_an_empty_timeline_and_a_word() {
    let (_folder, server) = shop();
    let answer = server.ask(&["timeline", "order/4711", "--format", "json"]);
    assert_eq!(parse(&answer)["events"].as_array().map(Vec::len), Some(0));
    assert!(text(&answer.stderr).contains("order/4711"), "{}", text(&answer.stderr));
}

#[test]
fn an_empty_store_explains_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    for question in
        [&["timeline", "order/42"][..], &["find", "42"], &["search", "order"], &["entities"], &["doctor"]]
    {
        for answer in [server.ask(question), server.ask_folder(question)] {
            assert_eq!(answer.status.code(), Some(0), "{question:?}: {}", text(&answer.stderr));
            assert!(text(&answer.stderr).contains("backstory env"), "{question:?}: {}", text(&answer.stderr));
        }
    }
}

#[test]
fn a_wrong_query_points_at_the_place_and_exits_with_2() {
    let (_folder, server) = shop();
    for answer in
        [server.ask(&["search", "order.id=42 (status:"]), server.ask_folder(&["search", "duration>soon"])]
    {
        assert_eq!(answer.status.code(), Some(2), "{}", text(&answer.stderr));
        assert!(text(&answer.stderr).contains('^'), "{}", text(&answer.stderr));
    }
}

#[test]
fn failures_say_what_to_do_and_exit_with_3() {
    let nowhere = backstory(&["stats", "--data", "/nowhere/at/all"]);
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(text(&nowhere.stderr).contains("backstory serve"), "{}", text(&nowhere.stderr));
    // Port 9 is discard's, on which nothing listens here.
    let nobody = backstory(&["stats", "--connect", "http://127.0.0.1:9"]);
    assert_eq!(nobody.status.code(), Some(3));
    assert!(text(&nobody.stderr).contains("127.0.0.1:9"), "{}", text(&nobody.stderr));
}

#[test]
fn a_flag_goes_before_the_environment() {
    let (folder, server) = shop();
    let url = format!("http://{}", server.query);
    let asked = |command: &mut Command| parse(&run(command.args(["stats", "--format", "json"])));
    let expected = server.json(&["stats", "--format", "json"]);
    for (name, value, flag, said) in [
        ("BACKSTORY_DATA", "/nowhere/at/all", "--connect", url.as_str()),
        ("BACKSTORY_CONNECT", "http://127.0.0.1:9", "--data", folder.path().to_str().expect("a name")),
    ] {
        let answer = asked(Command::new(BINARY).env(name, value).args([flag, said]));
        assert_eq!(answer["spans"], expected["spans"], "{name} and {flag}");
    }
}

#[test]
fn usage_errors_exit_with_2() {
    for wrong in
        [&["fnid", "42"][..], &["find"], &["tui", "--data", "a", "--connect", "b"], &["env", "cobol"]]
    {
        assert_eq!(backstory(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn verify_finds_nothing_wrong_and_reindex_changes_no_answer() {
    let (_folder, server) = shop();
    let question = ["timeline", "order/42", "--format", "json"];
    let before = server.json(&question);
    for command in ["verify", "reindex", "verify"] {
        let answer = server.ask_folder(&[command]);
        assert_eq!(answer.status.code(), Some(0), "{command}: {}", text(&answer.stderr));
    }
    assert_eq!(parse(&server.ask_folder(&question)), before);
}

#[test]
fn init_writes_what_was_seen_and_overwrites_nothing() {
    let (folder, server) = shop();
    let path = folder.path().join("made.toml");
    let path = path.to_str().expect("UTF-8");
    let answer = server.ask(&["init", path]);
    assert!(answer.status.success(), "{}", text(&answer.stderr));
    let written = std::fs::read_to_string(path).expect("a file");
    assert!(written.contains("#[entity.order]\n#attributes = [\"order.id\"]"), "{written}");
    assert!(server.ask_folder(&["find", "42", "--config", path]).status.success(), "it is a configuration");
    let again = server.ask(&["init", path]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("--force"), "{}", text(&again.stderr));
    assert!(server.ask(&["init", path, "--force"]).status.success());
}

#[test]
fn every_command_explains_itself() {
    let help = backstory(&["--help"]);
    assert!(help.status.success());
    let help = text(&help.stdout);
    for command in [
        "demo",
        "serve",
        "tui",
        "env",
        "find",
        "search",
        "timeline",
        "entities",
        "doctor",
        "affected",
        "incidents",
        "init",
        "stats",
        "verify",
        "reindex",
        "completions",
        "export",
        "man",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is missing from {help}");
        assert!(backstory(&[command, "--help"]).status.success(), "{command} --help");
    }
    assert!(text(&backstory(&["completions", "bash"]).stdout).contains("complete"));
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("man");
    let made = backstory(&["man", pages.to_str().expect("a plain path")]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    for page in ["backstory", "backstory-timeline", "backstory-export", "backstory-serve"] {
        let page = std::fs::read_to_string(pages.join(format!("{page}.1"))).expect("the page is there");
        assert!(page.contains(".SH DESCRIPTION"), "{page}");
    }
}
