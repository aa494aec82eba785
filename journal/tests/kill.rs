//! `kill -9` under load: what was acknowledged is there, once, and the journal is ready again at once.
//!
//! The program starts itself as the process that is killed: `kill writer FOLDER FIRST` appends requests
//! numbered from FIRST until it is killed, and prints the number of each that is acknowledged. Rounds:
//! 5, or what `BACKSTORY_KILLS` says.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use journal::otlp::{Encoding, Signal};
use journal::{Journal, Options, Place, Reader, Request, Source};

/// How many requests wait for their acknowledgement at once.
const IN_FLIGHT: usize = 32;
/// How soon a killed journal must be ready again.
const READY_MAX: Duration = Duration::from_secs(3);

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    match &arguments[1..] {
        [role, folder, first] if role == "writer" => {
            write(Path::new(folder), first.parse().expect("a number"));
        }
        _ => kill_again_and_again(),
    }
}

fn options() -> Options {
    // Small segments, so that kills fall on rotation too.
    Options { segment_bytes: 2 << 20, ..Options::default() }
}

/// A body of 1 to 40 KB that begins with its number and compresses like telemetry.
fn request(number: u64) -> Request {
    let mut body = number.to_le_bytes().to_vec();
    for line in 0..20 + number % 700 {
        let id = (number * 1_000 + line).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        body.extend(format!("order.id={id:016x} status=created ").as_bytes());
    }
    Request {
        signal: Signal::Traces,
        encoding: Encoding::Protobuf,
        source: Source::Grpc,
        peer: "127.0.0.1:4000".into(),
        tenant: String::new(),
        arrival_is_evidence: true,
        items: 1,
        refused: Vec::new(),
        carried: None,
        body: body.into(),
    }
}

fn write(folder: &Path, first: u64) {
    let (journal, recovered) = Journal::open(folder, options()).expect("the journal opens");
    assert_eq!(recovered.damages, [], "a kill damages nothing");
    let (send, receive) = mpsc::channel();
    let mut out = std::io::stdout().lock();
    // What the last one may not have been told of is sent again, as senders do.
    let mut next = first.saturating_sub(IN_FLIGHT as u64);
    let mut append = || {
        let (number, send) = (next, send.clone());
        journal.append(request(number), move |answer| drop(send.send((number, answer))));
        next += 1;
    };
    (0..IN_FLIGHT).for_each(|_| append());
    for (number, answer) in receive {
        answer.expect("the disk is well");
        writeln!(out, "{number}").expect("the parent listens");
        append();
    }
}

fn kill_again_and_again() {
    let rounds = std::env::var("BACKSTORY_KILLS").ok().map_or(5, |rounds| rounds.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder for the test");
    let folder = folder.path().join("journal");
    let mut acknowledged = BTreeSet::new();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let first = acknowledged.last().map_or(0, |last| last + 1);
        // The kill falls anywhere between the first acknowledgement and the 600th.
        acknowledged.extend(write_until(&folder, first, 1 + (round * 211) % 600));

        let begun = Instant::now();
        let (journal, recovered) = Journal::open(&folder, options()).expect("it opens after a kill");
        slowest = slowest.max(begun.elapsed());
        assert_eq!(recovered.damages, []);
        let end = journal.end();
        drop(journal);
        check(&folder, &acknowledged, end);
    }
    assert!(slowest < READY_MAX, "ready after {slowest:?}");
    println!(
        "killed {rounds} times, {} acknowledged, none lost or doubled, ready within {slowest:?}",
        acknowledged.len()
    );
}

/// Starts a writer, kills it after `count` acknowledgements, and returns all it gave.
fn write_until(folder: &Path, first: u64, count: usize) -> Vec<u64> {
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command.arg("writer").arg(folder).arg(first.to_string()).stdout(Stdio::piped());
    let mut writer = command.spawn().expect("the writer starts");
    let mut lines = BufReader::new(writer.stdout.take().expect("it is piped")).lines();
    let number = |line: std::io::Result<String>| line.ok()?.parse().ok();
    let mut numbers: Vec<u64> = lines.by_ref().map_while(number).take(count).collect();
    writer.kill().expect("the writer still runs");
    // What it printed before it was killed counts too; a last half line does not.
    let mut rest: Vec<_> = lines.map_while(Result::ok).collect();
    rest.pop();
    numbers.extend(rest.iter().filter_map(|line| line.parse::<u64>().ok()));
    writer.wait().expect("it was killed");
    numbers
}

/// Every acknowledged request stands in the journal once, and nothing twice or broken.
fn check(folder: &Path, acknowledged: &BTreeSet<u64>, end: Place) {
    let reader = Reader::open(folder).expect("the journal is there");
    let mut tail = reader.blocks_from(Place::default());
    let mut times: BTreeMap<u64, u32> = BTreeMap::new();
    while let Some(block) = tail.next().expect("nothing is damaged") {
        for frame in block.frames {
            let number = *frame.body.first_chunk().expect("a body has a number");
            let number = u64::from_le_bytes(number);
            assert_eq!(frame.body, request(number).body);
            *times.entry(number).or_default() += 1;
        }
    }
    assert_eq!(tail.place(), end);
    let lost: Vec<_> = acknowledged.iter().filter(|number| !times.contains_key(number)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let doubled: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(doubled.is_empty(), "written twice: {doubled:?}");
}
