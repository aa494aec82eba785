//! The journal as others use it: a folder, a writer, readers.

use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use journal::otlp::{Encoding, Signal};
use journal::{
    AppendError, Block, Journal, OpenError, Options, Place, ReadError, Reader, Receipt, Request, Source,
};

fn request(body: impl Into<Bytes>) -> Request {
    Request {
        signal: Signal::Traces,
        encoding: Encoding::Protobuf,
        source: Source::Grpc,
        peer: "127.0.0.1:50000".into(),
        tenant: String::new(),
        arrival_is_evidence: true,
        items: 3,
        refused: vec![1],
        carried: None,
        body: body.into(),
    }
}

/// Appends all, then waits for all.
fn append(
    journal: &Journal,
    requests: impl IntoIterator<Item = Request>,
) -> Vec<Result<Receipt, AppendError>> {
    let (send, receive) = mpsc::channel();
    let mut count = 0;
    for (number, request) in requests.into_iter().enumerate() {
        let send = send.clone();
        journal.append(request, move |answer| send.send((number, answer)).expect("the test waits for all"));
        count += 1;
    }
    let mut answers: Vec<_> = (0..count)
        .map(|_| receive.recv_timeout(Duration::from_secs(20)).expect("an answer within 20 s"))
        .collect();
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn read_all(reader: &Reader) -> Vec<Block> {
    let mut tail = reader.blocks_from(Place::default());
    std::iter::from_fn(|| tail.next().expect("nothing is damaged")).collect()
}

#[test]
fn what_was_acknowledged_is_read_back_verbatim_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (journal, recovered) = Journal::open(&path, Options::default()).unwrap();
    assert_eq!((recovered.end, journal.end()), (Place::default(), Place::default()));
    let sent: Vec<_> = (0..1000u32).map(|n| request(format!("body {n} ").repeat(n as usize % 90))).collect();
    let mut other = request("{}");
    (other.signal, other.encoding, other.source) = (Signal::Logs, Encoding::Json, Source::Import);
    (other.tenant, other.arrival_is_evidence) = ("somebody".into(), false);
    let sent: Vec<_> = sent.into_iter().chain([other]).collect();
    let receipts: Vec<_> = append(&journal, sent.clone()).into_iter().map(Result::unwrap).collect();

    let reader = Reader::open(&path).unwrap();
    let blocks = read_all(&reader);
    assert_eq!(blocks.last().unwrap().next, journal.end());
    assert_eq!(reader.end().unwrap(), journal.end());
    let mut written = 0;
    for (receipt, request) in receipts.iter().zip(&sent) {
        let block = reader.block(receipt.place).unwrap();
        let frame = &block.frames[receipt.frame as usize];
        assert_eq!(
            (frame.signal, frame.encoding, frame.source),
            (request.signal, request.encoding, request.source)
        );
        assert_eq!((&frame.peer, &frame.tenant), (&request.peer, &request.tenant));
        assert_eq!((frame.items, &frame.refused), (request.items, &request.refused));
        assert_eq!(frame.arrival_is_evidence, request.arrival_is_evidence);
        assert_eq!((&frame.body, frame.stamp), (&request.body, receipt.stamp));
        written += usize::from(!receipt.repeated);
    }
    let frames: Vec<_> = blocks.iter().flat_map(|block| &block.frames).collect();
    assert_eq!(frames.len(), written);
    assert!(frames.is_sorted_by(|a, b| a.stamp < b.stamp));
    drop(journal);
    assert_eq!(read_all(&reader), blocks, "the same without a writer");
}

#[test]
fn a_second_writer_is_refused_and_told_who_holds_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (journal, _) = Journal::open(&path, Options::default()).unwrap();
    journal.announce("{\"query\":\"127.0.0.1:4320\"}").unwrap();
    let Err(OpenError::Locked { holder, .. }) = Journal::open(&path, Options::default()) else {
        panic!("two writers in one folder");
    };
    assert_eq!(holder, "{\"query\":\"127.0.0.1:4320\"}");
    assert_eq!(journal::announced(&path).unwrap().as_ref(), Some(&holder));
    drop(journal);
    assert_eq!(journal::announced(&path).unwrap(), None);
    Journal::open(&path, Options::default()).unwrap();
}

#[test]
fn a_tail_follows_the_writer_over_segments_and_waits_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (journal, _) = Journal::open(&path, Options { segment_bytes: 300, ..Options::default() }).unwrap();
    let mut tail = Reader::open(&path).unwrap().blocks_from(Place::default());
    for number in 0..20 {
        assert_eq!(tail.next().unwrap(), None);
        let body = format!("body {number}");
        let before = journal.end();
        let receipt = append(&journal, [request(body.clone())]).remove(0).unwrap();
        let end = journal.wait(before, Duration::from_secs(20));
        let block = tail.next().unwrap().expect("it was acknowledged");
        assert_eq!((block.place, block.next), (receipt.place, end));
        assert_eq!(block.frames[0].body, body);
        assert!(tail.place() >= end);
    }
    assert!(journal.end().segment > 3);
    assert_eq!(journal.wait(journal.end(), Duration::from_millis(1)), journal.end(), "nothing grew");
}

#[test]
fn retention_tells_what_went_and_readers_pass_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let options = Options { segment_bytes: 300, keep_bytes: 2_000, ..Options::default() };
    let (journal, _) = Journal::open(&path, options).unwrap();
    let (send, oldest) = mpsc::channel();
    journal.on_dropped(move |number| send.send(number).unwrap_or_default());
    let first = append(&journal, [request("body")]).remove(0).unwrap();
    let reader = Reader::open(&path).unwrap();
    for number in 0..60 {
        append(&journal, [request(format!("body {number}"))]).remove(0).unwrap();
    }
    let told: Vec<_> = oldest.try_iter().collect();
    assert!(told.is_sorted_by(|a, b| a < b) && told.last() == Some(&journal.oldest()), "{told:?}");
    let held: Vec<_> = reader.segments().unwrap().iter().map(|info| info.number).collect();
    assert_eq!(held.first(), Some(&journal.oldest()));
    assert!(matches!(reader.block(first.place), Err(ReadError::Gone(1))));
    let mut tail = reader.blocks_from(first.place);
    assert_eq!(tail.next().unwrap().map(|block| block.place.segment), Some(journal.oldest()));
    let counts = journal.counts();
    assert!(counts.bytes <= 2_000 && counts.dropped + 1 == journal.oldest());
    assert_eq!((counts.requests, counts.items, counts.segments), (61, 122, held.len() as u64));
}

#[test]
fn what_cannot_be_taken_is_refused_at_once_and_says_whether_to_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (journal, _) = Journal::open(&path, Options { queue_bytes: 1_000, ..Options::default() }).unwrap();
    let answers = append(&journal, [request(vec![0; (128 << 20) + 1])]);
    assert!(matches!(answers[..], [Err(AppendError::TooLarge { .. })]));
    assert_eq!(answers[0].as_ref().unwrap_err().retry_after(), None);

    // The writer's thread is held up in a callback while the queue fills.
    let (release, held) = mpsc::channel::<()>();
    let (entered, begun) = mpsc::channel();
    journal.append(request("first"), move |_| {
        entered.send(()).unwrap();
        held.recv().unwrap_or_default();
    });
    begun.recv_timeout(Duration::from_secs(20)).unwrap();
    let (send, receive) = mpsc::channel();
    for number in 0..5 {
        let send = send.clone();
        journal.append(request(vec![number; 600]), move |answer| drop(send.send(answer)));
    }
    let refused: Vec<_> = receive.try_iter().collect();
    assert_eq!(refused.len(), 4, "one fits the queue");
    assert!(refused.iter().all(|answer| answer.as_ref().is_err_and(|error| error.retry_after().is_some())));
    release.send(()).unwrap();
    assert!(receive.recv_timeout(Duration::from_secs(20)).unwrap().is_ok());

    journal.close();
    assert_eq!(append(&journal, [request("late")]), [Err(AppendError::Closed)]);
}
