//! What the tests through the real binary share: a server of their own, and its answers.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_backstory");

/// How long anything may take before a test gives up: generous, since machines are slow when busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running `backstory serve` on free ports; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// The addresses of its ready line, as `HOST:PORT`.
    pub(crate) grpc: String,
    pub(crate) http: String,
    pub(crate) query: String,
    data: PathBuf,
}

impl Server {
    /// Starts one on the folder `data` and waits until it is ready.
    pub(crate) fn start(data: &Path) -> Server {
        Server::start_with(data, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(data: &Path, arguments: &[&str]) -> Server {
        let mut child = Command::new(BINARY)
            .arg("serve")
            .args(["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--query", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it speaks");
        let ready: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("not a ready line: {line:?}"));
        assert_eq!(ready["event"], "ready");
        let address = |key: &str| ready[key].as_str().unwrap_or_else(|| panic!("{key} in {line}")).to_owned();
        Server {
            grpc: address("grpc"),
            http: address("http"),
            query: address("query"),
            child,
            data: data.to_owned(),
        }
    }

    /// Ends it as a power cut would, as far as the process can tell.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it is gone");
    }

    /// Ends it in order, as `kill` does.
    pub(crate) fn stop(mut self) {
        let told = run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]));
        assert!(told.status.success(), "{}", text(&told.stderr));
        assert!(self.child.wait().expect("it ends").success());
    }

    /// Runs a subcommand against it by its query address.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Output {
        let url = format!("http://{}", self.query);
        run(Command::new(BINARY).args(arguments).args(["--connect", &url]))
    }

    /// Runs a subcommand on its folder, beside it.
    pub(crate) fn ask_folder(&self, arguments: &[&str]) -> Output {
        run(Command::new(BINARY).args(arguments).arg("--data").arg(&self.data))
    }

    /// The JSON that a subcommand prints.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        parse(&self.ask(arguments))
    }

    /// Asks `arguments` until `enough` holds for the JSON answered.
    pub(crate) fn until(&self, arguments: &[&str], enough: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.json(arguments);
            if enough(&answer) {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "{arguments:?} still answers {answer}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the binary with `arguments`.
pub(crate) fn backstory(arguments: &[&str]) -> Output {
    run(Command::new(BINARY).args(arguments))
}

/// Runs a command to its end, with nothing to read and no settings of the person who runs the tests.
pub(crate) fn run(command: &mut Command) -> Output {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BACKSTORY_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).output().expect("the command runs")
}

/// Python's interpreter with the packages that `tests/binary/NAME/requirements.txt` pins, installed into `target/NAME`.
pub(crate) fn python(name: &str) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (folder, pins) =
        (root.join("target").join(name), root.join("tests/binary").join(name).join("requirements.txt"));
    let done = run(Command::new(root.join("tests/binary/install-python")).arg(pins).arg(&folder));
    assert!(done.status.success(), "{}", text(&done.stderr));
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", folder.join("python/lib"));
    python
}

/// The JSON on a successful command's standard output.
pub(crate) fn parse(output: &Output) -> Value {
    assert!(output.status.success(), "{}: {}", output.status, text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("not JSON: {}", text(&output.stdout)))
}

/// Bytes as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
