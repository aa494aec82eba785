//! The example of `docs/journal-format.md`, byte for byte.

use bytes::Bytes;
use hlc::Stamp;

use super::block::{BlockBuilder, BlockHeader, Codec, Standing};
use super::frame::Frame;
use super::segment::{Footer, SegmentHeader};
use crate::otlp::{Encoding, Signal};
use crate::repeats;
use crate::request::{Content, Request, Source};
use crate::segment::FIRST_BLOCK;

const DOCUMENT: &str = include_str!("../../../docs/journal-format.md");
const STAMP: Stamp = Stamp::from_bits(0x63aa_9103_d29b_4000);
const BOUND: Stamp = Stamp::from_bits(0x63aa_9103_e17d_5000);

fn header() -> SegmentHeader {
    SegmentHeader {
        version: 2,
        annotations: 0,
        number: 1,
        collector: 0xC0_11EC,
        bound: Stamp::ZERO,
        created_ns: 1_763_892_000_000_000_000,
    }
}

fn request() -> Request {
    Request {
        signal: Signal::Logs,
        encoding: Encoding::Json,
        source: Source::Http,
        peer: "127.0.0.1:50312".into(),
        tenant: String::new(),
        arrival_is_evidence: true,
        items: 2,
        refused: vec![1],
        carried: None,
        body: Bytes::from_static(br#"{"resourceLogs":[]}"#),
    }
}

/// The three parts: a segment's header, a block, a footer.
fn written() -> [Vec<u8>; 3] {
    let mut block = Vec::new();
    let mut builder = BlockBuilder::new().unwrap();
    let content = Content::Request(request());
    builder.push(&content, repeats::hash(&content), STAMP);
    let standing = Standing { segment: 1, sequence: 0, batch: 0, bound: BOUND };
    let block_header = builder.finish(standing, &mut block).unwrap();
    let mut footer = Footer::default();
    footer.push(FIRST_BLOCK, &block_header);
    [header().encode(), block, footer.encode(1)]
}

/// The bytes in the document's fenced `hex` blocks: each line up to `|`.
fn documented() -> Vec<Vec<u8>> {
    let fences = DOCUMENT.split("```hex\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let bytes = |line: &str| {
        let digits = line.split('|').next().unwrap();
        digits.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect::<Vec<_>>()
    };
    fences.map(|fence| fence.lines().flat_map(bytes).collect()).collect()
}

#[test]
fn the_document_shows_what_is_written() {
    assert_eq!(documented(), written());
}

#[test]
fn the_documents_bytes_are_read_as_it_says() {
    let [segment, block, footer] = documented().try_into().unwrap();
    assert_eq!(SegmentHeader::decode(1, &segment), Ok(header()));
    let (head, stored) = block.split_at(80);
    let block_header = BlockHeader::decode(1, head).unwrap();
    assert_eq!((block_header.codec, block_header.items, block_header.bound), (Codec::Plain, 1, BOUND));
    let frames = block_header.frames(1, Bytes::copy_from_slice(stored)).unwrap();
    let Request {
        signal,
        encoding,
        source,
        peer,
        tenant,
        arrival_is_evidence,
        items,
        refused,
        carried,
        body,
    } = request();
    let stamp = STAMP;
    let expected = Frame {
        signal,
        encoding,
        source,
        peer,
        tenant,
        stamp,
        carried,
        arrival_is_evidence,
        items,
        refused,
        body,
    };
    assert_eq!(frames, [expected]);
    let footer = Footer::decode(1, &footer).unwrap();
    assert_eq!(
        (footer.totals.frames, footer.totals.last, footer.rows[0].hashes[0]),
        (1, STAMP, block_header.hashes[0])
    );
}

#[test]
fn a_version_from_the_future_and_another_segments_bytes_are_refused() {
    let [mut segment, block, footer] = written();
    assert_eq!(SegmentHeader::decode(2, &segment), Err(super::Invalid::Checksum));
    assert_eq!(BlockHeader::decode(2, &block[..80]), Err(super::Invalid::Checksum));
    assert_eq!(Footer::decode(2, &footer), Err(super::Invalid::Checksum));
    segment[8] = 3;
    assert_eq!(
        SegmentHeader::decode(1, &segment),
        Err(super::Invalid::Checksum),
        "a damaged byte, no other version"
    );
    let end = segment.len() - 4;
    let check = super::checksum(1, &[&segment[..end]]);
    segment[end..].copy_from_slice(&check.to_le_bytes());
    assert_eq!(SegmentHeader::decode(1, &segment), Err(super::Invalid::Version(3)));
}
