//! `kill -9` under load: nothing acknowledged is lost, nothing is answered twice.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::support::Server;
use crate::telemetry::{attribute, send, span, traces};

/// Spans in one request.
const SPANS: u64 = 20;

/// How often to kill: `BACKSTORY_CRASH_ROUNDS`, else 5. The whole test is 50 rounds.
fn rounds() -> u64 {
    std::env::var("BACKSTORY_CRASH_ROUNDS").map_or(5, |rounds| rounds.parse().expect("a number of rounds"))
}

/// Sends requests from four connections until the server dies under them; the span ids acknowledged.
fn load(server: Server, first: u64, kill_after: u64) -> BTreeSet<u64> {
    let http = server.http.clone();
    let (next, acknowledged) = (AtomicU64::new(first), Mutex::new(BTreeSet::new()));
    let dead = AtomicBool::new(false);
    let mut server = Some(server);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !dead.load(Ordering::Relaxed) {
                    let base = next.fetch_add(SPANS, Ordering::Relaxed);
                    let ids = base..base + SPANS;
                    let spans = ids.clone().map(|id| {
                        span(id / 7 + 1, id, "work", vec![attribute("crash.span", &format!("n{id}"))])
                    });
                    let request = traces("crash", spans.collect());
                    if send(&http, "traces", &request).is_ok() {
                        acknowledged.lock().expect("no sender panics").extend(ids);
                    }
                }
            });
        }
        loop {
            if acknowledged.lock().expect("no sender panics").len() as u64 >= kill_after * SPANS {
                break;
            }
            std::thread::yield_now();
        }
        server.take().expect("it is killed once").kill();
        dead.store(true, Ordering::Relaxed);
    });
    acknowledged.into_inner().expect("no sender panics")
}

#[test]
fn what_was_acknowledged_is_found_once_after_every_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut random = Random(0x5eed);
    let (mut acknowledged, mut first) = (BTreeSet::new(), 1);
    for round in 0..rounds() {
        let server = Server::start(folder.path());
        acknowledged.extend(load(server, first, 1 + random.below(120)));
        // Requests that were sent and not acknowledged may have been kept: their ids are not used again.
        first = (round + 1) * 1_000_000;
    }
    let server = Server::start(folder.path());
    server.until(&["stats", "--format", "json"], |stats| stats["indexed_to"] == stats["journal_end"]);
    let found = server.ask(&["search", "service:crash", "--all", "--limit", "1000", "--format", "jsonl"]);
    let mut seen = BTreeSet::new();
    for line in found.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let record: serde_json::Value = serde_json::from_slice(line).expect("a record");
        let id = u64::from_str_radix(record["span_id"].as_str().expect("an id"), 16).expect("hexadecimal");
        assert!(seen.insert(id), "span {id} is answered twice");
    }
    let lost: Vec<_> = acknowledged.difference(&seen).collect();
    assert!(
        lost.is_empty(),
        "{} of {} acknowledged spans are lost: {lost:?}",
        lost.len(),
        acknowledged.len()
    );
}

/// A small generator of its own (xorshift), so that a failure can be played again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
