//! The bodies under `fixtures/`: what becomes of each.

use std::path::{Path, PathBuf};

use journal::otlp::{Encoding, Signal, check};

use crate::records;

/// The request bodies in a folder, by name: `NAME.SIGNAL.ENCODING`.
fn bodies(folder: &str) -> Vec<(String, Signal, Encoding, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let body = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        let encoding = match path.extension()?.to_str()? {
            "json" => Encoding::Json,
            "pb" => Encoding::Protobuf,
            _ => return None,
        };
        let signal = match Path::new(path.file_stem()?).extension()?.to_str()? {
            "traces" => Signal::Traces,
            "logs" => Signal::Logs,
            other => panic!("{name}: what is the signal {other:?}?"),
        };
        Some((name, signal, encoding, std::fs::read(path).expect("a body")))
    };
    paths.into_iter().filter_map(body).collect()
}

#[test]
fn the_corpus_is_read_as_its_table_says() {
    let mut table = String::from("| body | items | kept | what the sender is told |\n|---|--:|--:|---|\n");
    for (name, signal, encoding, body) in bodies("otlp") {
        let row = match check(signal, encoding, &body) {
            Ok(checked) => {
                let kept = records(signal, encoding, &body).expect("a checked body is decoded").len();
                format!("{} | {kept} | {}", checked.items, checked.message(signal))
            }
            Err(malformed) => format!("– | – | {malformed}"),
        };
        table.push_str(&format!("| `{name}` | {row} |\n"));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/otlp/README.md");
    let readme = std::fs::read_to_string(path).expect("the table");
    let written = readme.find("| body |").and_then(|start| readme.get(start..)).unwrap_or_default();
    assert!(written.trim() == table.trim(), "{path} should end with:\n{table}");
}

/// What shipping SDKs sent is kept whole and needs no mending.
#[test]
fn captured_bodies_are_kept_whole() {
    let captured = bodies("captured");
    assert!(captured.len() >= 12, "bodies of three languages, two signals, two encodings");
    for (name, signal, encoding, body) in captured {
        let checked = check(signal, encoding, &body).expect(&name);
        assert_eq!(checked.message(signal), "", "{name}");
        let kept = records(signal, encoding, &body).expect(&name).len();
        assert!(kept > 0 && kept == checked.items as usize, "{name}: {kept} of {}", checked.items);
    }
}
