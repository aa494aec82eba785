//! `backstory findings` of a running server: what it judged as records arrived, over every entity.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{BINARY, Server, run, text};

fn import(data: &Path) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/incidents/shop.otlp.jsonl");
    let imported = run(Command::new(BINARY).arg("import").arg(file).arg("--data").arg(data));
    assert!(imported.status.success(), "{}", text(&imported.stderr));
}

#[test]
fn a_server_judges_what_arrives_and_knows_it_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    import(folder.path());
    let anew = server.json(&["findings", "--rescan", "--format", "json"]);
    assert!(anew["findings"].as_array().is_some_and(|findings| findings.len() > 3), "{anew}");
    let same = |found: &Value| {
        let parts = ["findings", "rollups", "judged", "cannot_judge", "cannot_judge_because"];
        found["pending"] == 0 && parts.iter().all(|part| found[part] == anew[part])
    };
    let found = server.until(&["findings", "--format", "json"], same);

    let told = server.ask(&["findings"]);
    let (lines, judged) = (text(&told.stdout), text(&told.stderr));
    assert!(lines.contains("duplicate_apply") && lines.contains(" proved, of "), "{lines}");
    assert!(judged.contains("judged ") && judged.contains("cannot judge "), "{judged}");

    server.stop();
    let again = Server::start(folder.path());
    let at_once = again.json(&["findings", "--format", "json"]);
    assert_eq!(at_once["findings"], found["findings"], "nothing had to be judged again");
    assert_eq!(at_once["judged"], found["judged"]);
}

#[test]
fn of_one_entity_a_server_and_its_folder_tell_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    import(folder.path());
    let asked = ["findings", "--entity", "order/42", "--format", "json"];
    assert_eq!(text(&server.ask(&asked).stdout), text(&server.ask_folder(&asked).stdout));
}
