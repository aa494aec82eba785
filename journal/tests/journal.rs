//! The journal as others use it: a folder, a writer, readers.

use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use journal::otlp::{Encoding, Signal};
use journal::{AppendError, Block, Journal, OpenError, Options, Place, Reader, Receipt, Request, Source};

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
