//! Killed at any point, the indexer goes on with nothing lost and nothing twice.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::{all_records, fill, open_journal, wait_until_made};
use fastrand::Rng;
use indexer::{Folder, Indexer, Options};
use query::archive::{Archive, Effort, Window};
use query::memory::Memory;

/// Says to this very program, run anew, which folder to index until it is killed.
const DIR: &str = "BACKSTORY_TEST_INDEX";
const KILLS: u32 = 8;

fn options() -> Options {
    Options { commit_every: Duration::from_millis(5) }
}

fn child(dir: &std::path::Path) -> Child {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command
        .args(["--exact", "crash::it_survives_kills"])
        .env(DIR, dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("a child")
}

#[test]
fn it_survives_kills() {
    if let Some(dir) = std::env::var_os(DIR) {
        let _indexer = Indexer::start(&PathBuf::from(dir), options()).expect("an indexer");
        loop {
            std::thread::park();
        }
    }
    let rng = &mut Rng::with_seed(11);
    let dir = tempfile::tempdir().expect("a folder");
    let journal = open_journal(dir.path(), 30_000);
    for _ in 0..KILLS {
        let mut child = child(dir.path());
        let started = std::time::Instant::now();
        let lives = Duration::from_millis(rng.u64(30..300));
        while started.elapsed() < lives {
            fill(&journal, rng, 3);
        }
        child.kill().expect("killed");
        child.wait().expect("waited for");
    }
    let _indexer = Indexer::start(dir.path(), options()).expect("an indexer");
    let folder = Folder::open(dir.path()).expect("a folder");
    wait_until_made(dir.path(), &folder);
    let memory = Memory::new(all_records(dir.path()));
    let (stats, expected) = (folder.stats().expect("stats"), memory.stats().expect("stats"));
    assert_eq!((stats.spans, stats.logs, stats.traces), (expected.spans, expected.logs, expected.traces));
    assert_eq!((stats.resent_spans, stats.resent_logs), (expected.resent_spans, expected.resent_logs));
    let clocks = |archive: &dyn Archive| {
        let proven = archive.clocks(Window::default(), &Effort::new(u64::MAX)).expect("an answer");
        assert_eq!(proven.reasons, []);
        proven.evidence.to_bytes()
    };
    assert_eq!(clocks(&folder), clocks(&memory));
}
