//! The configuration examples, read as what they are for reads them. That their command lines parse, and that their variables
//! are those of `backstory env`, is tested beside the command line's definition.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::{BINARY, Server, parse, python, run, text};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples")
}

#[test]
fn the_examples_say_what_they_are_for() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/binary/examples/check.py");
    let checked = run(python("examples").arg(script).arg(folder()));
    assert_eq!(parse(&checked), json!([]));
}

#[test]
fn the_flight_recorders_configuration_is_taken() {
    // Everything of it but the folder, which is another one here.
    let data = tempfile::tempdir().expect("a folder");
    let configuration = folder().join("flight-recorder.toml");
    let server = Server::start_with(data.path(), &["--config", configuration.to_str().expect("Unicode")]);
    assert!(!server.query.is_empty());
    let told =
        run(Command::new(BINARY).args(["env", "go", "--data", "/nowhere", "--config"]).arg(configuration));
    assert!(text(&told.stdout).contains("127.0.0.1:14317"), "{}", text(&told.stdout));
}

#[test]
fn probes_need_no_token_and_everything_else_does() {
    let data = tempfile::tempdir().expect("a folder");
    let tokens = data.path().join("tokens");
    std::fs::write(&tokens, "test 0123456789abcdef0123\n").expect("written");
    let server =
        Server::start_with(&data.path().join("data"), &["--tokens", tokens.to_str().expect("Unicode")]);
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let status = |path: &str| {
        let answer = agent.get(format!("http://{}{path}", server.query)).call().expect("an answer");
        answer.status().as_u16()
    };
    assert_eq!((status("/healthz"), status("/readyz")), (200, 200));
    for path in ["/metrics", "/v1/stats", "/api/services", "/healthz/", "/nothing"] {
        assert_eq!(status(path), 401, "{path}");
    }
}
