//! The programs that read exports: installed into `target/formats`, run one by one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::support::{run, text};

/// A program that reads files and prints what it saw as JSON.
#[derive(Clone, Copy)]
pub(super) enum Reader {
    /// Chromium: a page, a picture, and the folder for its screenshots.
    Page,
    /// Mermaid's parser.
    Mermaid,
    /// The rules of trace events, in Python.
    Perfetto,
    /// OpenTelemetry's own protobuf classes, in Python.
    Otlp,
}

/// Where everything goes.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/formats")
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/binary/formats/readers")
}

impl Reader {
    /// What it saw.
    pub(super) fn read(self, files: &[&Path]) -> Value {
        install();
        let mut command = match self {
            Reader::Page => script("page.mjs"),
            Reader::Mermaid => script("mermaid.mjs"),
            Reader::Perfetto => python("perfetto.py"),
            Reader::Otlp => {
                fixtures::clients::install().expect("the SDK of Python is installed");
                python("otlp.py")
            }
        };
        let printed = checked(command.args(files));
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }
}

/// A graph as Graphviz draws it.
pub(super) fn graphviz(file: &Path) -> String {
    install();
    checked(Command::new("dot").arg("-Tsvg").arg(file))
}

/// What the formatter of manuals warns of on a page.
pub(super) fn groff_warnings(page: &Path) -> String {
    install();
    // -ww: all warnings; -z: nothing printed.
    let output = run(Command::new("groff").args(["-man", "-Tutf8", "-ww", "-z"]).arg(page));
    text(&output.stderr)
}

/// A script of Node, which looks for its modules beside itself: so it is run where they are installed.
fn script(name: &str) -> Command {
    let installed = folder().join("node").join(name);
    std::fs::copy(sources().join(name), &installed).expect("the script is copied");
    let mut node = Command::new("node");
    node.arg(installed);
    node
}

/// A script of Python, which finds the modules of OpenTelemetry's SDK.
fn python(name: &str) -> Command {
    let mut python = Command::new("python3");
    python.arg(sources().join(name)).env("PYTHONPATH", fixtures::clients::folder().join("python/lib"));
    python
}

/// What a command that succeeds prints.
fn checked(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn install() {
    /// Tests of one program run side by side; the installer must not.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    checked(Command::new(sources().join("install")).arg(folder()));
}
