//! `backstory diff`: the demo's double charge beside a healthy order.

use std::process::Command;

use serde_json::Value;

use crate::support::{BINARY, run, text};

#[test]
fn the_double_charge_parts_from_a_healthy_order_at_the_lost_reply() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let ask = |arguments: &[&str]| run(Command::new(BINARY).args(arguments).arg("--data").arg(&data));
    let played = ask(&["demo", "--headless", "--seed", "7", "--orders", "40"]);
    assert!(played.status.success(), "{}", text(&played.stderr));

    let output = ask(&["diff", "order/42", "--healthy", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "they part: {}", text(&output.stderr));
    let diff: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(diff["schema"], "backstory.diff/1");
    let first = &diff["differences"][diff["parts_at"].as_u64().expect("they part") as usize];
    assert_eq!((&first["service"], &first["name"]), (&"orders".into(), &"POST /charges".into()), "{diff:#}");
    assert_eq!((&first["changes"][0]["a"], &first["changes"][0]["b"]), (&"error".into(), &"ok".into()));

    let same = ask(&["diff", "order/42", "order/42"]);
    assert!(same.status.success() && text(&same.stdout).contains("They go the same way"));
    let alone = ask(&["diff", "order/42"]);
    assert_eq!(alone.status.code(), Some(2), "{}", text(&alone.stderr));
}
