//! The writer and its readers against a naive model, on a disk that fails.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hlc::Stamp;
use proptest::prelude::*;
use timeline::annotation::{Annotation, IncidentStatus, Outline, Says, Target, Written};
use timeline::time::Time;

use crate::durable::Boot;
use crate::options::Options;
use crate::otlp::{Encoding, Signal};
use crate::reader::Reader;
use crate::recovery::Recovered;
use crate::repeats;
use crate::request::{AppendError, Content, Place, Receipt, Request, Source};
use crate::storage::fault::FaultDisk;
use crate::writer::{Pending, Writer};

const SECOND: u64 = 1_000_000_000;

/// The request with this number: all differ, some are long, some do not compress.
pub(crate) fn request(number: u32) -> Request {
    let mut body = format!("request {number} ").repeat(number as usize % 13).into_bytes();
    body.extend(number.to_le_bytes());
    let noise = repeats::hash_parts(0, 0, "", &number.to_le_bytes()).to_le_bytes();
    body.extend(noise.repeat(number as usize % 5).iter().zip(0u8..).map(|(a, b)| a.wrapping_mul(b)));
    Request {
        signal: if number.is_multiple_of(3) { Signal::Logs } else { Signal::Traces },
        encoding: Encoding::Protobuf,
        source: Source::Grpc,
        peer: "peer".into(),
        tenant: String::new(),
        arrival_is_evidence: true,
        items: 1,
        refused: Vec::new(),
        carried: None,
        body: Bytes::from(body),
    }
}

pub(crate) fn pending(content: Content, arrived_ns: u64) -> Pending {
    Pending { hash: repeats::hash(&content), content, arrived_ns }
}

/// What a test does to a journal.
#[derive(Clone, Debug)]
enum Deed {
    /// New requests in one batch.
    Append(u8),
    /// A request that was sent before, this far back, twice more in one batch.
    Resend(u8),
    /// An annotation under this id, in a batch with a request.
    Annotate(u8),
    /// An incident's outline that names the segment written now, so that it is pinned.
    Pin,
    /// The incident is closed.
    Unpin,
    /// A request that carries a stamp so far from the wall clock, in milliseconds.
    Carry(i16),
    /// The wall clock moves, in milliseconds; back too.
    Wait(i32),
    /// The process is killed and started again.
    Kill,
    /// The power goes and comes again.
    Crash,
    /// An orderly end and a new start.
    Restart,
    /// After so many more syncs the disk fails, until the next start.
    FailSyncs(u8),
    /// So many more bytes fit on the disk.
    Fill(u16),
    /// There is room again.
    Empty,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        6 => (1u8..6).prop_map(Deed::Append),
        2 => any::<u8>().prop_map(Deed::Resend),
        3 => (0u8..12).prop_map(Deed::Annotate),
        1 => Just(Deed::Pin),
        1 => Just(Deed::Unpin),
        1 => any::<i16>().prop_map(Deed::Carry),
        2 => (-2_000i32..20_000).prop_map(Deed::Wait),
        1 => Just(Deed::Kill),
        2 => Just(Deed::Crash),
        1 => Just(Deed::Restart),
        1 => (0u8..3).prop_map(Deed::FailSyncs),
        1 => (0u16..1_500).prop_map(Deed::Fill),
        1 => Just(Deed::Empty),
    ];
    prop::collection::vec(deed, 1..60)
}

/// A journal on a disk that fails, beside what a naive model knows of it.
struct Bench {
    disk: FaultDisk,
    boot: u128,
    wall_ns: u64,
    options: Options,
    writer: Writer,
    /// Requests handed over, by number.
    sent: Vec<Request>,
    /// First receipts, by body.
    acknowledged: HashMap<Bytes, Receipt>,
    /// The largest stamp told to anybody.
    told: Stamp,
    /// Annotations handed over.
    said: Vec<Annotation>,
    /// Those acknowledged last, by id, with their stamps.
    noted: BTreeMap<String, Written>,
    /// The segment that an open incident pins, if that was acknowledged.
    pinned: Option<u64>,
}

impl Bench {
    fn new(seed: u64, options: Options) -> Bench {
        let disk = FaultDisk::seeded(seed);
        let wall_ns = 1_700_000_000 * SECOND;
        let (writer, _) = open(&disk, &options, 1, wall_ns);
        let (sent, acknowledged) = (Vec::new(), HashMap::new());
        let told = Stamp::ZERO;
        let (said, noted) = (Vec::new(), BTreeMap::new());
        Bench { disk, boot: 1, wall_ns, options, writer, sent, acknowledged, told, said, noted, pinned: None }
    }

    fn commit(&mut self, requests: &[Request]) -> Vec<Result<Receipt, AppendError>> {
        let wall_ns = self.wall_ns;
        let batch: Vec<_> =
            requests.iter().map(|request| pending(Content::Request(request.clone()), wall_ns)).collect();
        let answers = self.writer.commit(&batch, wall_ns);
        for (request, answer) in requests.iter().zip(&answers) {
            let Ok(receipt) = answer else { continue };
            if let Some(first) = self.acknowledged.get(&request.body) {
                assert_eq!(
                    (first.place, first.stamp),
                    (receipt.place, receipt.stamp),
                    "one body, two places"
                );
                assert!(receipt.repeated);
            } else {
                self.acknowledged.insert(request.body.clone(), *receipt);
            }
            self.told = self.told.max(receipt.stamp);
        }
        answers
    }

    fn send(&mut self, count: u8) -> Vec<Result<Receipt, AppendError>> {
        let first = self.sent.len() as u32;
        let new: Vec<_> = (first..first + u32::from(count)).map(request).collect();
        self.sent.extend(new.iter().cloned());
        let told = self.told;
        let answers = self.commit(&new);
        for receipt in answers.iter().flatten() {
            assert!(receipt.stamp > told && !receipt.repeated, "JNL-3");
        }
        answers
    }

    /// Writes an annotation beside a request; it is never the same as one before.
    fn annotate(&mut self, id: u8) {
        let text = format!("remark {} ", self.said.len()).repeat(usize::from(id));
        let says = match id {
            0 => Says::Removed,
            _ => Says::Note { target: Target::Entity("order/42".to_owned()), text },
        };
        let time = Time(self.said.len() as u64);
        self.say(Annotation { id: format!("a-{}", id % 5), author: "ada".to_owned(), time, says });
    }

    fn pin(&mut self) {
        let segment = self.writer.end.segment;
        let says = Says::Outline(Outline {
            incident: "i-1".to_owned(),
            title: "pinned".to_owned(),
            first: Time(0),
            last: Time(self.said.len() as u64),
            entities: vec![],
            services: vec![],
            segments: vec![segment],
        });
        // Of a word that was not acknowledged nobody knows whether it stands, and pins another segment instead.
        let before = self.pinned.take();
        let outlined = self.say(Annotation::new("ada", Time(self.said.len() as u64), says));
        let status = Says::Status { incident: "i-1".to_owned(), status: IncidentStatus::Open };
        let opened = self.say(Annotation {
            id: "s-1".to_owned(),
            ..Annotation::new("ada", Time(self.said.len() as u64), status)
        });
        if outlined && (opened || before.is_some()) {
            self.pinned = Some(segment);
        }
    }

    fn unpin(&mut self) {
        let status = Says::Status { incident: "i-1".to_owned(), status: IncidentStatus::Closed };
        self.pinned = None;
        self.say(Annotation {
            id: "s-1".to_owned(),
            ..Annotation::new("ada", Time(self.said.len() as u64), status)
        });
    }

    /// Hands an annotation over twice in one batch; true if it was acknowledged.
    fn say(&mut self, annotation: Annotation) -> bool {
        self.said.push(annotation.clone());
        let body: Bytes = serde_json::to_vec(&annotation).unwrap().into();
        let batch = [
            pending(Content::Annotation { body: body.clone(), first: None }, self.wall_ns),
            pending(Content::Annotation { body, first: None }, self.wall_ns),
        ];
        let answers = self.writer.commit(&batch, self.wall_ns);
        let [Ok(one), Ok(two)] = answers[..] else { return false };
        assert_eq!((one.stamp, two.repeated), (two.stamp, true), "one annotation, written twice");
        assert!(one.stamp > self.told, "JNL-3");
        self.told = one.stamp;
        self.noted.insert(annotation.id.clone(), Written { stamp: one.stamp, annotation });
        true
    }

    fn start(&mut self) -> Recovered {
        self.disk.fail_syncs_after(None);
        self.disk.leave_room(None);
        let (writer, recovered) = open(&self.disk, &self.options, self.boot, self.wall_ns);
        self.writer = writer;
        recovered
    }

    fn act(&mut self, deed: &Deed) {
        match deed {
            Deed::Append(count) => drop(self.send(*count)),
            Deed::Resend(back) => {
                let number = self.sent.len().checked_sub(1 + usize::from(*back));
                if let Some(request) = number.map(|number| self.sent[number].clone()) {
                    let answers = self.commit(&[request.clone(), request]);
                    assert_eq!(answers[0].is_ok(), answers[1].is_ok());
                }
            }
            Deed::Annotate(id) => self.annotate(*id),
            Deed::Pin => self.pin(),
            Deed::Unpin => self.unpin(),
            Deed::Carry(ahead_ms) => {
                let mut request = request(self.sent.len() as u32);
                let carried_ns = self.wall_ns.saturating_add_signed(i64::from(*ahead_ms) * 1_000_000);
                request.carried = Some(Stamp::from_wall_ns(carried_ns));
                self.sent.push(request.clone());
                let answer = self.commit(&[request.clone()]).remove(0);
                let merged = i64::from(*ahead_ms) <= 1_000;
                assert!(
                    answer.is_err() || !merged || answer.map(|r| Some(r.stamp) > request.carried) == Ok(true)
                );
            }
            Deed::Wait(ms) => self.wall_ns = self.wall_ns.saturating_add_signed(i64::from(*ms) * 1_000_000),
            Deed::Kill => drop(self.start()),
            Deed::Crash => {
                self.disk.crash();
                self.boot += 1;
                let reader = self.frames();
                let recovered = self.start();
                assert_eq!(recovered.damages, [], "a crash damages nothing that was durable");
                assert_eq!(
                    self.frames(),
                    reader,
                    "a reader without a writer sees what the writer then finds"
                );
            }
            Deed::Restart => {
                self.writer.close();
                let recovered = self.start();
                assert_eq!(recovered.damages, []);
                assert_eq!(self.reader().verify(|_, _| {}).unwrap().damages, []);
            }
            Deed::FailSyncs(after) => {
                self.disk.fail_syncs_after(Some((*after).into()));
            }
            Deed::Fill(bytes) => self.disk.leave_room(Some((*bytes).into())),
            Deed::Empty => self.disk.leave_room(None),
        }
    }

    /// All frames that a reader of another process is shown: place, number, stamp and body.
    fn frames(&self) -> Vec<(Place, u32, Stamp, Bytes)> {
        let mut tail = self.reader().blocks_from(Place::default());
        let blocks = std::iter::from_fn(|| tail.next().expect("nothing is damaged"));
        blocks
            .flat_map(|block| {
                let numbered = (0..).zip(block.frames);
                numbered.map(move |(number, frame)| (block.place, number, frame.stamp, frame.body))
            })
            .collect()
    }

    fn reader(&self) -> Reader {
        Reader::of(Arc::new(self.disk.clone()), Boot::numbered(self.boot))
    }

    /// What must hold at any moment.
    fn check(&self) {
        let frames = self.frames();
        assert!(frames.is_sorted_by(|a, b| a.2 < b.2), "JNL-3");
        let held = self.writer.segments();
        assert!(self.pinned.is_none_or(|pinned| pinned == 0 || held.contains(&pinned)), "JNL-10");
        let mut found = HashMap::new();
        for (place, frame, stamp, body) in frames {
            assert!(self.sent.iter().any(|request| request.body == body), "nobody sent this");
            let receipt = Receipt { place, frame, stamp, repeated: false };
            assert_eq!(found.insert(body, receipt), None, "one body, twice");
        }
        for (body, receipt) in &self.acknowledged {
            let held = held.contains(&receipt.place.segment);
            let expected = held.then_some(Receipt { repeated: false, ..*receipt });
            assert_eq!(found.get(body).copied(), expected, "JNL-2");
        }
        self.check_annotations();
        let end = found.values().map(|receipt| receipt.place).max();
        assert!(end.is_none_or(|last| last < self.writer.end));
    }
}

impl Bench {
    /// JNL-9: no annotation that was acknowledged is lost, whatever retention took; what stands was written, and not
    /// before what was acknowledged.
    fn check_annotations(&self) {
        let notebook = self.reader().annotations().expect("nothing is damaged");
        let standing: BTreeMap<&String, &Written> =
            notebook.all().map(|written| (&written.annotation.id, written)).collect();
        for (id, written) in &self.noted {
            assert!(standing.get(id).is_some_and(|own| own.stamp >= written.stamp), "JNL-9: {id}");
        }
        for written in standing.values() {
            assert!(self.said.contains(&written.annotation), "nobody wrote this");
            let noted = self.noted.get(&written.annotation.id);
            let same = noted.is_some_and(|noted| noted.stamp == written.stamp);
            assert!(!same || noted == Some(*written));
        }
        if !self.writer.counts.poisoned {
            assert_eq!(notebook, self.writer.notebook, "the writer knows what readers see");
        }
    }
}

fn open(disk: &FaultDisk, options: &Options, boot: u128, wall_ns: u64) -> (Writer, Recovered) {
    Writer::open(Arc::new(disk.clone()), options.clone(), Boot::numbered(boot), wall_ns)
        .expect("a mended disk can be opened")
}

/// Segments of a few batches; nothing goes by age or size.
fn small_segments() -> Options {
    Options {
        segment_bytes: 1_000,
        segment_age: Duration::from_secs(60),
        keep_for: Duration::from_secs(1 << 30),
        keep_at_least: Duration::from_secs(1 << 30),
        ..Options::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acknowledged_is_lost_or_doubled(seed in any::<u64>(), deeds in deeds()) {
        let mut bench = Bench::new(seed, small_segments());
        for deed in &deeds {
            bench.act(deed);
            bench.check();
        }
        bench.act(&Deed::Crash);
        bench.check();
        let answers = bench.send(3);
        prop_assert!(answers.iter().all(Result::is_ok), "a mended disk takes requests again");
        bench.check();
    }

    /// The same where a full disk may take the oldest segments: what is held is still whole.
    #[test]
    fn a_full_disk_takes_the_oldest_first(seed in any::<u64>(), deeds in deeds()) {
        let options = Options { keep_at_least: Duration::ZERO, ..small_segments() };
        let mut bench = Bench::new(seed, options);
        for deed in deeds.iter().filter(|deed| !matches!(deed, Deed::Resend(_) | Deed::Crash)) {
            bench.act(deed);
            bench.check();
        }
    }
}

#[test]
fn after_a_failed_sync_nothing_is_taken_until_it_is_opened_anew() {
    let mut bench = Bench::new(1, small_segments());
    assert!(bench.send(2).iter().all(Result::is_ok));
    bench.act(&Deed::FailSyncs(0));
    assert!(bench.send(2).iter().all(|answer| *answer == Err(AppendError::Poisoned)));
    bench.disk.fail_syncs_after(None);
    assert_eq!(
        bench.send(1),
        [Err(AppendError::Poisoned)],
        "JNL-4: the disk seems well again, which means nothing"
    );
    assert!(bench.writer.counts.poisoned);
    bench.act(&Deed::Kill);
    assert!(bench.send(2).iter().all(Result::is_ok));
    bench.act(&Deed::Crash);
    bench.check();
}

#[test]
fn a_full_disk_turns_senders_away_and_takes_them_when_there_is_room() {
    let mut bench = Bench::new(2, small_segments());
    assert!(bench.send(5).iter().all(Result::is_ok));
    bench.act(&Deed::Fill(10));
    let answers = bench.send(2);
    assert!(answers.iter().all(|answer| matches!(answer, Err(AppendError::Full(delay)) if !delay.is_zero())));
    bench.check();
    bench.act(&Deed::Empty);
    let again = [bench.sent[5].clone(), bench.sent[6].clone()];
    assert!(bench.commit(&again).iter().flatten().filter(|receipt| !receipt.repeated).count() == 2);
    bench.act(&Deed::Crash);
    bench.check();
}

#[test]
fn a_full_disk_leaves_room_for_the_index() {
    let mut bench = Bench::new(5, small_segments());
    assert!(bench.send(1).iter().all(Result::is_ok));
    let full =
        |bench: &mut Bench| bench.send(1).iter().all(|answer| matches!(answer, Err(AppendError::Full(_))));
    bench.act(&Deed::Fill(4_000));
    while !full(&mut bench) {}
    let room = bench.writer.storage.room().unwrap();
    assert!((500..1_000).contains(&room), "half a segment is left, and little more: {room}");
    bench.writer.options.keep_free = 0;
    bench.writer.indexed = Some(Place::default());
    assert!(full(&mut bench), "what is not indexed yet will need half of its own room");
    bench.writer.indexed = Some(bench.writer.end);
    assert!(!full(&mut bench));
    bench.check();
}

#[test]
fn on_a_small_disk_segments_are_small() {
    let mut bench = Bench::new(6, Options { segment_bytes: 128 << 20, ..small_segments() });
    let fit = |bench: &mut Bench, room: Option<usize>| {
        bench.disk.leave_room(room);
        bench.writer.fit_segments();
        bench.writer.segment_bytes
    };
    assert_eq!(fit(&mut bench, None), 128 << 20);
    assert_eq!(fit(&mut bench, Some(320 << 20)), 20 << 20);
    assert_eq!(fit(&mut bench, Some(1_000)), 1 << 20);
}

#[test]
fn a_body_sent_again_is_recognised_through_a_restart_for_an_hour() {
    let mut bench = Bench::new(3, small_segments());
    let first = bench.send(1).remove(0).unwrap();
    for _ in 0..50 {
        bench.wall_ns += 60 * SECOND;
        bench.send(4);
    }
    bench.act(&Deed::Crash);
    bench.wall_ns += 9 * 60 * SECOND;
    let again = bench.commit(&[request(0)]).remove(0).unwrap();
    assert_eq!(again, Receipt { repeated: true, ..first });
    let twins = bench.commit(&[request(9_000), request(9_000)]);
    let [Ok(one), Ok(two)] = &twins[..] else { panic!("{twins:?}") };
    assert_eq!((one.repeated, *two), (false, Receipt { repeated: true, ..*one }));
}

#[test]
fn retention_takes_whole_segments_from_the_oldest_and_never_the_last() {
    let options = Options { keep_for: Duration::from_secs(600), ..small_segments() };
    let mut bench = Bench::new(4, options);
    (1..5).for_each(|id| bench.annotate(id));
    for _ in 0..40 {
        bench.wall_ns += 30 * SECOND;
        assert!(bench.send(3).iter().all(Result::is_ok));
        bench.check();
    }
    assert!(bench.writer.counts.dropped > 5 && bench.writer.held.len() > 5);
    bench.wall_ns += 10_000 * SECOND;
    bench.writer.retire(bench.wall_ns);
    bench.check();
    assert_eq!((bench.writer.held.len(), bench.writer.counts.items_held), (0, 0));
    let end = bench.writer.end;
    bench.act(&Deed::Crash);
    assert!(bench.writer.end >= end && bench.reader().end().unwrap() == bench.writer.end);
    assert_eq!(
        bench.reader().annotations().unwrap().standing().len(),
        4,
        "JNL-9: they outlive what they lay beside"
    );
    assert!(bench.send(1).iter().all(Result::is_ok));
    bench.check();
}

#[test]
fn retention_passes_over_what_an_open_incident_pins() {
    let options = Options { keep_for: Duration::from_secs(600), ..small_segments() };
    let mut bench = Bench::new(8, options);
    assert!(bench.send(3).iter().all(Result::is_ok));
    bench.pin();
    let pinned = bench.pinned.unwrap();
    let last = |bench: &mut Bench| {
        for _ in 0..40 {
            bench.wall_ns += 30 * SECOND;
            assert!(bench.send(3).iter().all(Result::is_ok));
            bench.check();
        }
        bench.writer.segments()
    };
    let held = last(&mut bench);
    assert!(held.contains(&pinned) && !held.contains(&(pinned + 1)) && held.len() > 5, "{held:?}");
    bench.act(&Deed::Restart);
    bench.act(&Deed::Crash);
    assert_eq!(last(&mut bench).first(), Some(&pinned));
    bench.unpin();
    assert!(!last(&mut bench).contains(&pinned), "closed, it goes as others do");
    let names = bench.writer.storage.names().unwrap();
    assert!(!names.iter().any(|name| name.ends_with(".dropped")), "{names:?}");
    bench.act(&Deed::Restart);
}
