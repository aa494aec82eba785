//! The terminal UI in a real terminal: it draws, and it ends with its terminal.

use std::process::Command;

use crate::support::{BINARY, Server, run, text};

/// Runs a program in a terminal of its own, waits for what it draws, takes the terminal away, and waits for its end.
const IN_A_TERMINAL: &str = r"
import fcntl, os, pty, select, struct, sys, termios, time
wanted, program = sys.argv[1].encode(), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.environ['TERM'] = 'xterm-256color'
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 120, 0, 0))
    os.execv(program[0], program)
drawn, deadline = b'', time.monotonic() + 60
while wanted not in drawn:
    if time.monotonic() > deadline or not select.select([terminal], [], [], 60)[0]:
        sys.exit('it never drew %r: %r' % (wanted, drawn))
    try:
        more = os.read(terminal, 65536)
        if b'\x1b[6n' in more:
            os.write(terminal, b'\x1b[1;1R')  # asked where the cursor is, a terminal answers
        drawn += more
    except OSError:
        sys.exit('it ended by itself: %r' % drawn)
os.close(terminal)
while os.waitpid(child, os.WNOHANG)[0] == 0:
    if time.monotonic() > deadline:
        os.kill(child, 9)
        sys.exit('it outlives its terminal')
    time.sleep(0.01)
";

#[test]
fn the_ui_ends_when_its_terminal_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let url = format!("http://{}", server.query);
    let mut python = Command::new("python3");
    // What an empty store shows first: the settings that point an exporter at it.
    python.args(["-c", IN_A_TERMINAL, "OTEL", BINARY, "tui", "--connect", &url]);
    let ended = run(&mut python);
    assert!(ended.status.success(), "{}", text(&ended.stderr));
}
