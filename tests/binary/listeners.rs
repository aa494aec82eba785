//! The listeners: who may connect, and what a person is told when they cannot open.

use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;

use crate::support::{BINARY, Server, backstory, parse, run, text};

#[test]
fn a_busy_port_is_named_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it has an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    for flag in ["--grpc", "--http", "--query"] {
        let mut command = Command::new(BINARY);
        command.args(["serve", "--data"]).arg(folder.path());
        for other in ["--grpc", "--http", "--query"] {
            command.args([other, if other == flag { address.as_str() } else { "127.0.0.1:0" }]);
        }
        let refused = run(&mut command);
        assert_eq!(refused.status.code(), Some(3), "{flag}");
        let told = text(&refused.stderr);
        assert!(told.contains(&address) && told.contains(flag), "{flag}: {told}");
    }
}

#[test]
fn beyond_loopback_a_token_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    for flag in ["--grpc", "--http", "--query"] {
        let mut command = Command::new(BINARY);
        command.args(["serve", "--data"]).arg(folder.path());
        for other in ["--grpc", "--http", "--query"] {
            command.args([other, if other == flag { "0.0.0.0:0" } else { "127.0.0.1:0" }]);
        }
        let refused = run(&mut command);
        assert_eq!(refused.status.code(), Some(2), "{flag}");
        assert!(text(&refused.stderr).contains("token"), "{flag}: {}", text(&refused.stderr));
    }
}

#[test]
fn a_second_server_on_one_folder_is_refused_and_told_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Server::start(folder.path());
    let second = first.ask_folder(&[
        "serve",
        "--grpc",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
        "--query",
        "127.0.0.1:0",
    ]);
    assert_eq!(second.status.code(), Some(3));
    assert!(text(&second.stderr).contains("already"), "{}", text(&second.stderr));
}

#[test]
fn the_query_api_asks_for_the_token_and_forgets_a_revoked_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "anna s3cret-of-anna-0123456789\nben s3cret-of-ben-9876543210\n")
        .expect("written");
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["--tokens", tokens.to_str().expect("a plain path")]);
    let url = format!("http://{}", server.query);
    let ask =
        |token: &[&str]| backstory(&[&["stats", "--format", "json", "--connect", &url], token].concat());
    assert_eq!(ask(&[]).status.code(), Some(3));
    assert_eq!(ask(&["--token", "wrong"]).status.code(), Some(3));
    assert_eq!(parse(&ask(&["--token", "s3cret-of-anna-0123456789"]))["spans"], 0);
    std::fs::write(&tokens, "ben s3cret-of-ben-9876543210\n").expect("written");
    let begun = std::time::Instant::now();
    while ask(&["--token", "s3cret-of-anna-0123456789"]).status.success() {
        assert!(begun.elapsed() < crate::support::PATIENCE, "a revoked token still opens");
    }
    assert_eq!(parse(&ask(&["--token", "s3cret-of-ben-9876543210"]))["spans"], 0);
}

#[test]
fn health_readiness_and_counters_are_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let get = |path: &str| {
        let mut answer = ureq::get(format!("http://{}{path}", server.query)).call().expect(path);
        answer.body_mut().read_to_string().expect("text")
    };
    get("/healthz");
    get("/readyz");
    assert!(get("/metrics").contains("backstory_"));
    let stats: Value = serde_json::from_str(&get("/v1/stats")).expect("JSON");
    assert_eq!(stats["schema"], "backstory.stats/1");
}

#[test]
fn the_settings_to_paste_name_the_server_that_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    assert!(text(&server.ask_folder(&["env", "python"]).stdout).contains(&server.grpc));
    assert!(text(&server.ask_folder(&["env", "node"]).stdout).contains(&server.http));
}
