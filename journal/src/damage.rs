//! Files that were cut or changed behind the journal's back: what is whole is read, the rest is told.

use std::sync::Arc;

use proptest::prelude::*;

use crate::durable::{self, Boot};
use crate::format::frame::Frame;
use crate::model::{pending, request};
use crate::options::Options;
use crate::reader::{Block, ReadError, Reader};
use crate::request::{Content, Place};
use crate::segment::{self, Damage};
use crate::storage::Storage;
use crate::storage::fault::FaultDisk;
use crate::writer::Writer;

const WALL_NS: u64 = 1_700_000_000_000_000_000;
const BOOT: u128 = 7;

/// A journal of three segments, closed in order, and its blocks.
fn written() -> (FaultDisk, Vec<Block>) {
    let disk = FaultDisk::default();
    let options = Options { segment_bytes: 900, ..Options::default() };
    let mut writer = open(&disk, &options);
    for first in (0..48).step_by(4) {
        let request = |number| pending(Content::Request(request(number)), WALL_NS);
        let batch: Vec<_> = (first..first + 4).map(request).collect();
        assert!(writer.commit(&batch, WALL_NS).iter().all(Result::is_ok));
    }
    writer.close();
    let (blocks, damages) = read(&disk, BOOT);
    assert_eq!(damages, []);
    assert!(blocks.last().unwrap().place.segment >= 3);
    (disk, blocks)
}

fn open(disk: &FaultDisk, options: &Options) -> Writer {
    Writer::open(Arc::new(disk.clone()), options.clone(), Boot::numbered(BOOT), WALL_NS).unwrap().0
}

fn reader(disk: &FaultDisk, boot: u128) -> Reader {
    Reader::of(Arc::new(disk.clone()), Boot::numbered(boot))
}

/// The blocks that can be read, and the damage told on the way.
fn read(disk: &FaultDisk, boot: u128) -> (Vec<Block>, Vec<Damage>) {
    let mut tail = reader(disk, boot).blocks_from(Place::default());
    let (mut blocks, mut damages) = (Vec::new(), Vec::new());
    loop {
        match tail.next() {
            Ok(Some(block)) => blocks.push(block),
            Ok(None) => return (blocks, damages),
            Err(ReadError::Damaged(damage)) => damages.push(damage),
            Err(error) => panic!("{error}"),
        }
    }
}

proptest! {
    /// One changed byte anywhere: it is told, and costs at most the block that it stands in.
    #[test]
    fn one_changed_byte_costs_one_block_and_is_told(at in any::<prop::sample::Index>(), flip in 1u8..) {
        let (disk, blocks) = written();
        let names: Vec<_> = disk.names().unwrap().into_iter().filter(|name| name != durable::NAME).collect();
        let lengths: Vec<_> = names.iter().map(|name| disk.content(name).len()).collect();
        let mut offset = at.index(lengths.iter().sum());
        let mut file = 0;
        while offset >= lengths[file] {
            offset -= lengths[file];
            file += 1;
        }
        disk.tamper(&names[file], |bytes| bytes[offset] ^= flip);

        let number = file as u64 + 1;
        let hit = |block: &&Block| {
            let inside = block.place.offset..block.next.offset;
            block.place.segment == number && inside.contains(&(offset as u64))
        };
        let expected: Vec<_> = blocks.iter().filter(|block| !hit(block)).cloned().collect();
        let lost = blocks.len() - expected.len();
        for boot in [BOOT, BOOT + 1] {
            let (found, damages) = read(&disk, boot);
            // On another boot the last batch may as well be one that was never acknowledged.
            let torn = boot != BOOT && lost == 1 && blocks.last().is_some_and(|block| hit(&block));
            prop_assert_eq!(&found, &expected);
            prop_assert!(damages.len() == lost - usize::from(torn) || lost == 0);
        }
        let verified = reader(&disk, BOOT).verify(|_, _| {}).unwrap();
        prop_assert!(verified.damages.iter().any(|damage| damage.segment == number), "told by the full check");
        prop_assert_eq!(verified.blocks, expected.len() as u64);

        // The writer opens it, tells what it comes across, and loses no other block.
        let (_, recovered) =
            Writer::open(Arc::new(disk.clone()), Options::default(), Boot::numbered(BOOT), WALL_NS).unwrap();
        let last = blocks.last().unwrap().place.segment;
        prop_assert!(number != last || recovered.damages.len() == 1, "{:?}", recovered);
        prop_assert_eq!(recovered.torn, None);
        prop_assert_eq!(&read(&disk, BOOT).0, &expected);
    }
}

#[test]
fn every_byte_of_a_footer_is_checked() {
    let (disk, blocks) = written();
    let name = segment::name(1);
    let footer_at = blocks.iter().rfind(|block| block.place.segment == 1).unwrap().next.offset as usize;
    for at in footer_at..disk.content(&name).len() {
        disk.tamper(&name, |bytes| bytes[at] ^= 1);
        let verified = reader(&disk, BOOT).verify(|_, _| {}).unwrap();
        assert_eq!((verified.damages.len(), verified.blocks), (1, blocks.len() as u64), "byte {at}");
        disk.tamper(&name, |bytes| bytes[at] ^= 1);
    }
}

#[test]
fn every_cut_of_the_last_segment_leaves_whole_blocks() {
    let (disk, blocks) = written();
    let last = blocks.last().unwrap().place.segment;
    let name = segment::name(last);
    let content = disk.content(&name);
    for cut in 0..content.len() {
        disk.remove(durable::NAME).unwrap_or_default();
        disk.tamper(&name, |bytes| {
            bytes.clone_from(&content);
            bytes.truncate(cut);
        });
        let whole = |block: &&Block| block.place.segment < last || block.next.offset <= cut as u64;
        let expected: Vec<_> = blocks.iter().filter(whole).cloned().collect();
        let writer = open(&disk, &Options::default());
        let (found, damages) = read(&disk, BOOT);
        assert_eq!((&found, &damages[..]), (&expected, &[][..]), "cut at {cut}");
        assert_eq!(writer.end, expected.last().unwrap().next, "cut at {cut}");
    }
}

#[test]
fn a_cut_below_the_durable_end_is_damage_and_places_keep_their_meaning() {
    let (disk, blocks) = written();
    let last = blocks.last().unwrap();
    disk.tamper(&segment::name(last.place.segment), |bytes| bytes.truncate(last.next.offset as usize - 1));
    let mut writer = open(&disk, &Options::default());
    assert_eq!(writer.end, last.next);
    let request = request(1_000);
    let pending = pending(Content::Request(request), WALL_NS);
    let receipt = writer.commit(&[pending], WALL_NS).remove(0).unwrap();
    assert_eq!(receipt.place, last.next);
    let (found, damages) = read(&disk, BOOT);
    assert_eq!(damages.len(), 1);
    assert_eq!(found.len(), blocks.len());
    let stamps: Vec<_> = found.iter().flat_map(|block| &block.frames).map(|frame| frame.stamp).collect();
    assert!(stamps.is_sorted_by(|a, b| a < b));
}

#[test]
fn a_missing_segment_is_told() {
    let (disk, blocks) = written();
    disk.remove(&segment::name(2)).unwrap();
    let (_, recovered) =
        Writer::open(Arc::new(disk.clone()), Options::default(), Boot::numbered(BOOT), WALL_NS).unwrap();
    assert_eq!(recovered.damages.iter().map(|damage| damage.segment).collect::<Vec<_>>(), [2]);
    let verified = reader(&disk, BOOT).verify(|_, _| {}).unwrap();
    assert_eq!(verified.damages, recovered.damages);
    let (found, _) = read(&disk, BOOT);
    let expected: Vec<_> = blocks.into_iter().filter(|block| block.place.segment != 2).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_full_check_counts_what_is_held_and_tells_how_far_it_is() {
    let (disk, blocks) = written();
    let mut shares = Vec::new();
    let verified = reader(&disk, BOOT).verify(|done, total| shares.push((done, total))).unwrap();
    let frames: Vec<&Frame> = blocks.iter().flat_map(|block| &block.frames).collect();
    assert_eq!((verified.blocks, verified.frames), (blocks.len() as u64, frames.len() as u64));
    assert_eq!((verified.items, verified.refused, verified.damages.len()), (48, 0, 0));
    assert!(shares.is_sorted() && shares.last().is_some_and(|(done, total)| done == total));
    assert_eq!(verified.bytes, shares[0].1);
}
