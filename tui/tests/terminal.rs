//! The terminal UI in a real pseudo-terminal, as tmux gives one: started, used, left, and the terminal as it was before.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// How long anything may take: generous, since machines are slow when busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tmux server of its own with one shell, ended when dropped.
struct Tmux {
    socket: String,
    folder: PathBuf,
}

impl Tmux {
    fn start() -> Tmux {
        let socket = format!("backstory-ui-{}", std::process::id());
        let folder = std::env::temp_dir().join(&socket);
        std::fs::create_dir_all(&folder).expect("a folder to work in");
        let tmux = Tmux { socket, folder };
        let size = ["-x", "120", "-y", "40"];
        let shell = "env PS1='shell$ ' LC_ALL=C.UTF-8 sh";
        let begun =
            tmux.tmux(&[&["-f", "/dev/null", "-u", "new-session", "-d"], &size[..], &[shell]].concat());
        assert!(begun.status.success(), "tmux: {}", String::from_utf8_lossy(&begun.stderr));
        tmux.wait_for("shell$");
        tmux
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.socket]).args(arguments).current_dir(&self.folder).env_remove("TMUX");
        command.output().unwrap_or_else(|error| {
            panic!("this test needs tmux ({error}): `./test` installs it, or `apt-get install tmux`")
        })
    }

    fn keys(&self, keys: &[&str]) {
        let sent = self.tmux(&[&["send-keys"], keys].concat());
        assert!(sent.status.success(), "tmux: {}", String::from_utf8_lossy(&sent.stderr));
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p"]).stdout).into_owned()
    }

    fn wait_for(&self, wanted: &str) {
        let begun = Instant::now();
        while !self.screen().contains(wanted) {
            assert!(begun.elapsed() < PATIENCE, "{wanted:?} never came:\n{}", self.screen());
            std::thread::yield_now();
        }
    }

    fn asked(&self, what: &str) -> String {
        let told = self.tmux(&["display-message", "-p", what]);
        String::from_utf8_lossy(&told.stdout).trim().to_owned()
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The UI over the hand-made store, which cargo builds beside the tests.
fn canned() -> String {
    let test = std::env::current_exe().expect("this test's path");
    let example = test.ancestors().nth(2).expect("the profile's folder").join("examples/canned");
    assert!(
        example.exists(),
        "{} is missing: run `cargo test -p backstory-tui`, which builds it",
        example.display()
    );
    example.display().to_string()
}

#[test]
fn it_is_used_and_leaves_the_terminal_as_it_was() {
    let tmux = Tmux::start();
    tmux.keys(&[&canned(), "Enter"]);
    tmux.wait_for("newest records, live");
    assert_eq!(tmux.asked("#{alternate_on} #{mouse_any_flag}"), "1 1");
    tmux.keys(&["/", "42"]);
    tmux.wait_for("order/42");
    tmux.keys(&["Enter"]);
    tmux.wait_for("1 entity");
    tmux.keys(&["Enter"]);
    tmux.wait_for("9.1 s");
    tmux.keys(&["n", "w"]);
    tmux.wait_for("Why is it here");
    tmux.keys(&["Escape"]);
    tmux.keys(&["e", "mermaid", "Enter"]);
    tmux.wait_for("written to order-42.mmd");
    let written = std::fs::read_to_string(tmux.folder.join("order-42.mmd")).expect("the export");
    assert!(written.contains("sequenceDiagram"));
    tmux.keys(&["t"]);
    tmux.wait_for("critical path");
    tmux.keys(&["M"]);
    tmux.wait_for("the mouse is the terminal's");
    assert_eq!(tmux.asked("#{mouse_any_flag}"), "0");
    tmux.keys(&["C-z"]);
    tmux.wait_for("shell$");
    assert_eq!(tmux.asked("#{alternate_on}"), "0", "suspended, the terminal is the shell's");
    tmux.keys(&["fg", "Enter"]);
    tmux.wait_for("critical path");
    tmux.keys(&["q"]);
    tmux.wait_for("shell$");
    assert_eq!(tmux.asked("#{alternate_on} #{mouse_any_flag} #{cursor_flag}"), "0 0 1");
    tmux.keys(&["echo still-$((40+2))", "Enter"]);
    tmux.wait_for("still-42");
}
