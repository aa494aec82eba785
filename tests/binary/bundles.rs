//! `export --bundle`, `open`, `verify FILE` and redaction, through the binary.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::{BINARY, Server, backstory, parse, run, text};

/// The recorded incidents in a folder.
fn imported(data: &Path) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/incidents/shop.otlp.jsonl");
    let output = run(Command::new(BINARY).arg("import").arg(file).arg("--data").arg(data));
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn ask(data: &Path, arguments: &[&str]) -> Output {
    run(Command::new(BINARY).args(arguments).arg("--data").arg(data))
}

fn good(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{}", text(&output.stderr));
    output.stdout
}

#[test]
fn a_bundle_tells_anywhere_what_was_told_here() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    imported(&data);
    std::fs::write(
        folder.path().join("backstory.toml"),
        "[[budget]]\nentity = 'order'\ncopy = 'redis/order'\nlag = '1ms'\n",
    )
    .expect("written");
    let config = folder.path().join("backstory.toml");
    let config = ["--config", config.to_str().expect("Unicode")];
    let file = folder.path().join("order-57.bundle");
    let path = file.to_str().expect("Unicode");
    let pack = ["export", "order/57", "--bundle", path];
    let told = |arguments: &[&str]| good(ask(&data, &[arguments, &config[..]].concat()));
    told(&pack);

    for question in [
        vec!["timeline", "order/57", "--format", "json"],
        vec!["timeline", "order/57", "--format", "html"],
        vec!["state", "order/57", "--format", "json"],
        vec!["findings", "--entity", "order/57", "--format", "csv"],
    ] {
        // The bundle brings its configuration.
        let opened = good(ask(&file, &question));
        assert!(told(&question) == opened, "{question:?} differs");
    }
    let elsewhere = good(ask(&file, &["search", "order.id=57", "--format", "json"]));
    assert!(text(&elsewhere).contains("order 57"));

    let sound = backstory(&["verify", path]);
    assert_eq!(sound.status.code(), Some(0), "{}", text(&sound.stdout));
    let mut bytes = std::fs::read(&file).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(&file, bytes).expect("written");
    let damaged = backstory(&["verify", path]);
    assert_eq!(damaged.status.code(), Some(1));
    assert!(text(&damaged.stdout).contains("its bytes were changed"), "{}", text(&damaged.stdout));
    let refused = ask(&file, &["timeline", "order/57"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).contains("backstory verify"), "{}", text(&refused.stderr));
    let written = ask(&file, &["import", "x"]);
    assert_eq!(written.status.code(), Some(2), "{}", text(&written.stderr));
}

#[test]
fn a_server_hands_out_the_bundle_that_its_folder_would_make() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&data);
    imported(&data);
    let file = folder.path().join("order-42.bundle");
    let path = file.to_str().expect("Unicode");
    good(server.ask(&["export", "order/42", "--bundle", path]));
    let question = ["timeline", "order/42", "--format", "json"];
    let told = server.json(&question);
    assert_eq!(parse(&ask(&file, &question)), told);
    assert!(told["events"].as_array().is_some_and(|events| events.len() > 50));
}

#[test]
fn what_is_redacted_is_nowhere_in_the_export() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    imported(&data);
    let config = folder.path().join("redact.toml");
    std::fs::write(&config, "[redact]\nkeys = ['order.id', 'customer_id']\npatterns = ['ch_[0-9a-f]+']\n")
        .expect("written");
    let config = config.to_str().expect("Unicode");
    let gone = |text: &str| {
        let word = |word: &str| text.split(|char: char| !char.is_ascii_alphanumeric()).any(|own| own == word);
        assert!(!text.contains("Harbour Road") && !text.contains("ch_") && !word("order88"), "{text}");
        assert!(!text.contains("order 88") && !text.contains("order/88") && !text.contains("order:88"));
        assert!(!text.contains("= 88") && !text.contains("/orders/88"));
    };
    for ending in
        ["html", "svg", "md", "json", "jsonl", "csv", "otlp.jsonl", "jaeger.json", "shiviz", "perfetto"]
    {
        let file = folder.path().join(format!("story.{ending}"));
        let path = file.to_str().expect("Unicode");
        good(ask(
            &data,
            &["export", "order/88", "--to", path, "--redact", "address,note", "--config", config],
        ));
        let made = std::fs::read_to_string(&file).expect("written");
        gone(&made);
        assert!(made.contains("redacted"), "{ending} has no token");
    }
    let bundle = folder.path().join("story.bundle");
    let path = bundle.to_str().expect("Unicode");
    good(ask(&data, &["export", "order/88", "--bundle", path, "--redact", "address", "--config", config]));
    let records = good(ask(&bundle, &["search", "", "--all", "--format", "jsonl"]));
    gone(&text(&records));
    assert!(text(&records).lines().count() > 50);

    let preview = good(ask(&data, &["export", "order/88", "--redact-preview", "--config", config]));
    let preview = text(&preview);
    assert!(
        preview.contains("order.id: ")
            && preview.contains("  db.query.text")
            && preview.contains("/ch_[0-9a-f]+/"),
        "{preview}"
    );
    let plain = folder.path().join("plain.json");
    let path = plain.to_str().expect("Unicode");
    good(ask(&data, &["export", "order/88", "--to", path, "--unredacted", "--config", config]));
    let told = good(ask(&data, &["timeline", "order/88", "--format", "json"]));
    assert!(std::fs::read(&plain).expect("written") == told);
    let nothing = ask(&data, &["export", "order/88", "--redact-preview"]);
    assert_eq!(nothing.status.code(), Some(2), "{}", text(&nothing.stderr));
    let wrong = ask(&data, &["export", "order/88", "--to", "-", "--format", "json", "--redact-pattern", "("]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
}
