//! With the real journal: what was acknowledged is in it, whole and once.

use std::path::Path;
use std::sync::Arc;

use collector::Collector;
use journal::{Frame, Journal, Reader, Source};
use prost::Message;

use crate::support::{SPAN_JSON, half_bad, post, small};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_is_in_the_journal_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (journal, _) = Journal::open(&path, journal::Options::default()).unwrap();
    let running = Collector::start(Arc::new(journal), small()).await.unwrap();
    let half = half_bad().encode_to_vec();
    for _ in 0..2 {
        assert_eq!(post(running.http, "/v1/traces", "application/json", SPAN_JSON).await.status, 200);
        assert_eq!(
            post(running.http, "/v1/traces", "application/x-protobuf", half.clone()).await.status,
            200
        );
    }
    let counts = running.counts();
    assert_eq!((counts.requests, counts.repeated, counts.bytes_in_flight), (4, 2, 0));

    let frames = frames(&path);
    assert_eq!(frames.len(), 2, "a repeat is acknowledged and not written again");
    assert_eq!((frames[0].body.as_ref(), frames[0].source), (SPAN_JSON.as_bytes(), Source::Http));
    assert_eq!((frames[1].body.as_ref(), &frames[1].refused[..]), (&half[..], &[1][..]));
    assert!(frames.iter().all(|frame| frame.arrival_is_evidence && frame.peer.starts_with("127.0.0.1:")));
    running.shutdown().await;
}

/// All that another process would read now.
fn frames(folder: &Path) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut tail = Reader::open(folder).unwrap().blocks_from(journal::Place::default());
    while let Some(block) = tail.next().unwrap() {
        frames.extend(block.frames);
    }
    frames
}
