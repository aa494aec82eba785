//! The demo, headless: its incidents are found and told.

use std::process::Command;

use serde_json::Value;

use crate::support::{BINARY, Server, backstory, parse, run, text};

/// One incident's timeline of a small seeded play.
fn play(incident: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let data = data.to_str().expect("a plain path");
    let options = ["--headless", "--seed", "7", "--orders", "100", "--format", "json"];
    parse(&backstory(&[&["demo", "--data", data, "--incident", incident], &options[..]].concat()))
}

/// A timeline without what depends on when it was received.
fn without_arrivals(mut timeline: Value) -> Value {
    for event in timeline["events"].as_array_mut().expect("events") {
        event.as_object_mut().expect("an event").remove("arrival");
    }
    timeline
}

#[test]
fn a_card_is_charged_twice_and_the_timeline_shows_both_in_causal_order() {
    let timeline = play("double-charge");
    let events = timeline["events"].as_array().expect("events");
    let process = |event: &Value| {
        let id = event["process"].as_str().expect("a process").to_owned();
        let processes = timeline["processes"].as_array().expect("processes");
        processes.iter().find(|process| process["id"] == id.as_str()).expect("it is listed")["instance"]
            .clone()
    };
    let charged = |instance: &str| {
        events
            .iter()
            .position(|event| process(event) == instance)
            .unwrap_or_else(|| panic!("{instance} is silent"))
    };
    // payments-1 charged first, though its clock is 4.3 s ahead of the one that charged second.
    let (first, second) = (charged("payments-1"), charged("payments-2"));
    assert!(first < second, "the retry stands before the first attempt");
    assert!(events[first]["time"].as_str() > events[second]["time"].as_str(), "the clocks do not disagree");
    assert_eq!(timeline["completeness"]["shown"], timeline["completeness"]["total"]);
}

/// The incidents are found from ordinary telemetry, and nothing is said of the healthy orders around them. What rests on
/// absence (the message that nobody handles) is `possible` at most, and told only once the window has passed.
#[test]
fn what_went_wrong_is_found_and_nothing_else_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let ask = |arguments: &[&str]| run(Command::new(BINARY).args(arguments).arg("--data").arg(&data));
    let played = ask(&["demo", "--headless", "--seed", "7", "--orders", "120"]);
    assert!(played.status.success(), "{}", text(&played.stderr));
    let found = parse(&ask(&["findings", "--format", "json"]));
    assert!(found["judged"].as_u64() > Some(300), "{}", found["judged"]);
    let mut sure: Vec<[&str; 3]> = found["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| ["entity", "kind", "grade"].map(|key| finding[key].as_str().unwrap_or_default()))
        .filter(|[.., grade]| *grade != "possible")
        .collect();
    sure.sort_unstable();
    assert_eq!(
        sure,
        [
            ["order/42", "duplicate_apply", "proved"],
            ["order/57", "stale_read", "clock"],
            ["order/71", "out_of_order_apply", "clock"],
            ["order/88", "lost_update", "clock"],
        ]
    );
}

#[test]
fn a_seed_plays_the_same_again() {
    assert_eq!(without_arrivals(play("stale-cache")), without_arrivals(play("stale-cache")));
}

#[test]
fn every_incident_has_a_timeline() {
    for incident in ["double-charge", "stale-cache", "out-of-order", "lost-update", "unhandled-message"] {
        assert!(play(incident)["events"].as_array().expect("events").len() > 10, "{incident}");
    }
}

#[test]
fn an_unknown_incident_is_answered_with_those_there_are() {
    let answer = backstory(&["demo", "--headless", "--incident", "flood"]);
    assert_eq!(answer.status.code(), Some(2));
    assert!(text(&answer.stderr).contains("double-charge"), "{}", text(&answer.stderr));
}

#[test]
fn a_running_demo_is_not_emptied_by_the_next() {
    let home = tempfile::tempdir().expect("a folder");
    let own = home.path().join("backstory-demo");
    std::fs::create_dir(&own).expect("made");
    std::fs::write(own.join("demo"), "").expect("marked");
    let running = Server::start(&own);
    let second = run(Command::new(BINARY).args(["demo", "--headless"]).env("XDG_DATA_HOME", home.path()));
    assert_eq!(second.status.code(), Some(3), "{}", text(&second.stderr));
    assert!(text(&second.stderr).contains("already"), "{}", text(&second.stderr));
    assert_eq!(running.json(&["stats", "--format", "json"])["spans"], 0);
    assert!(own.join("journal").exists());
}
