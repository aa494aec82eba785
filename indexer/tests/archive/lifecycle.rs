//! What happens to an index over its life: following, remaking, damage, retention.

use std::fs;
use std::time::Duration;

use crate::common::{
    all_records, append, append_refusing, fill, log, logs_body, open_journal, wait_until, wait_until_made,
};
use fastrand::Rng;
use indexer::{Difference, Folder, IndexError, Indexer, Options, reindex, verify};
use journal::otlp::Signal;
use query::archive::{Archive, Effort, Page, Window};
use query::predicate::Predicate;
use timeline::document::Incompleteness;
use timeline::record::Position;

const EVERYTHING: Predicate = Predicate::All(Vec::new());

fn total(folder: &Folder) -> (u64, Vec<Incompleteness>) {
    let page = Page { before: None, limit: 0 };
    let found =
        folder.find(&EVERYTHING, Window::default(), page, &Effort::new(1_000_000)).expect("an answer");
    (found.total, found.reasons)
}

/// What the folder has of clocks is what all its records say from scratch.
fn clocks_are_as_from_scratch(dir: &std::path::Path, folder: &Folder) {
    let clocks = |archive: &dyn Archive| {
        let proven = archive.clocks(Window::default(), &Effort::new(u64::MAX)).expect("an answer");
        (proven.evidence.to_bytes(), proven.reasons)
    };
    let memory = query::memory::Memory::new(all_records(dir));
    assert_eq!(clocks(folder), clocks(&memory));
}

fn quick() -> Options {
    Options { commit_every: Duration::from_millis(10) }
}

fn differences(dir: &std::path::Path) -> Vec<Difference> {
    verify(dir, &mut |_| {}).expect("verified")
}

/// A folder of a few segments, indexed.
fn indexed(seed: u64) -> (tempfile::TempDir, journal::Journal, Indexer, Folder) {
    let dir = tempfile::tempdir().expect("a folder");
    let journal = open_journal(dir.path(), 6_000);
    fill(&journal, &mut Rng::with_seed(seed), 40);
    let indexer = Indexer::start(dir.path(), quick()).expect("an indexer");
    let folder = Folder::open(dir.path()).expect("a folder");
    wait_until_made(dir.path(), &folder);
    (dir, journal, indexer, folder)
}

fn shard_folders(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(dir.join("index/v3"))
        .expect("shards")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    folders.sort();
    folders
}

#[test]
fn following_sees_each_record_once_in_the_order_of_arrival() {
    let (dir, journal, _indexer, folder) = indexed(1);
    let follow = |after, limit| folder.follow(after, limit, &Effort::new(1_000_000)).expect("an answer");
    let mut after = Some(Position::default());
    let mut seen = Vec::new();
    loop {
        let followed = follow(after, 7);
        after = followed.after;
        if followed.records.is_empty() {
            break;
        }
        seen.extend(followed.records.iter().map(|record| record.position));
    }
    let all: Vec<_> = all_records(dir.path()).iter().map(|record| record.position).collect();
    assert_eq!(seen, all);

    let from_the_end = follow(None, 10);
    assert!(from_the_end.records.is_empty());
    let rng = &mut Rng::with_seed(9);
    let logs = vec![log(rng), log(rng)];
    let body = logs_body(rng, logs);
    let receipt = append(&journal, Signal::Logs, 2, body);
    let new = follow(from_the_end.after, 10);
    assert_eq!(new.records.len(), 2);
    assert_eq!(new.records[0].position, receipt.place.position(receipt.frame, 0));
    assert!(follow(new.after, 10).records.is_empty());
}

#[test]
fn one_process_indexes_a_folder() {
    let (dir, _journal, indexer, _folder) = indexed(2);
    assert!(matches!(Indexer::start(dir.path(), quick()), Err(IndexError::Locked(_))));
    indexer.stop();
    Indexer::start(dir.path(), quick()).expect("an indexer");
}

#[test]
fn a_deleted_index_is_made_anew_and_answers_do_not_change() {
    let (dir, _journal, indexer, folder) = indexed(3);
    let before = total(&folder);
    indexer.stop();
    fs::remove_dir_all(dir.path().join("index")).expect("removed");
    let _indexer = Indexer::start(dir.path(), quick()).expect("an indexer");
    wait_until_made(dir.path(), &folder);
    assert_eq!(total(&folder), before);
    clocks_are_as_from_scratch(dir.path(), &folder);
}

/// The files below `dir` that were removed and that this process still has open or mapped: the disk has not their room back.
#[cfg(target_os = "linux")]
fn removed_and_held(dir: &std::path::Path) -> Vec<String> {
    let dir = dir.to_str().expect("a text");
    let opened = fs::read_dir("/proc/self/fd").expect("open files").flatten();
    let opened = opened.filter_map(|entry| Some(fs::read_link(entry.path()).ok()?.to_str()?.to_owned()));
    let mapped = fs::read_to_string("/proc/self/maps").expect("mapped files");
    let held = opened.chain(mapped.lines().map(str::to_owned));
    held.filter(|file| file.contains(dir) && file.ends_with("(deleted)")).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn what_retention_dropped_is_let_go_of_while_nothing_arrives() {
    let dir = tempfile::tempdir().expect("a folder");
    let options = journal::Options { segment_bytes: 6_000, keep_bytes: 40_000, ..Default::default() };
    let journal = journal::Journal::open(&dir.path().join("journal"), options).expect("a journal").0;
    let _indexer = Indexer::start(dir.path(), quick()).expect("an indexer");
    let folder = Folder::open(dir.path()).expect("a folder");
    for seed in 0..4 {
        fill(&journal, &mut Rng::with_seed(seed), 40);
        wait_until_made(dir.path(), &folder);
    }
    assert!(journal.oldest() > 5, "{}", journal.oldest());
    wait_until("no removed file is open", || {
        folder.stats().expect("stats");
        removed_and_held(dir.path()).is_empty()
    });
}

#[test]
fn what_another_version_left_is_removed() {
    let (dir, _journal, indexer, folder) = indexed(4);
    indexer.stop();
    fs::rename(dir.path().join("index/v3"), dir.path().join("index/v0")).expect("renamed");
    let _indexer = Indexer::start(dir.path(), quick()).expect("an indexer");
    wait_until_made(dir.path(), &folder);
    assert!(!dir.path().join("index/v0").exists());
}

#[test]
fn while_another_versions_index_is_replaced_answers_say_what_they_lack() {
    let (dir, _journal, indexer, folder) = indexed(10);
    let before = total(&folder);
    indexer.stop();
    // As far as a rebuild comes that is killed early: the newest segment goes first.
    let (made, other) = (dir.path().join("index/v3"), dir.path().join("index/v0"));
    fs::rename(&made, &other).expect("renamed");
    fs::create_dir(&made).expect("made");
    let newest =
        fs::read_dir(&other).expect("shards").map(|entry| entry.expect("an entry").file_name()).max();
    let newest = newest.expect("a shard");
    fs::rename(other.join(&newest), made.join(&newest)).expect("renamed");

    let (found, reasons) = total(&folder);
    assert!(found < before.0, "{found} of {}", before.0);
    assert_eq!(reasons, [Incompleteness::NotIndexed]);
    let _indexer = Indexer::start(dir.path(), quick()).expect("an indexer");
    wait_until_made(dir.path(), &folder);
    assert_eq!(total(&folder), before);
    clocks_are_as_from_scratch(dir.path(), &folder);
}

#[test]
fn what_was_refused_stays_refused_when_the_index_is_made_anew() {
    let dir = tempfile::tempdir().expect("a folder");
    let journal = open_journal(dir.path(), 6_000);
    let rng = &mut Rng::with_seed(11);
    let logs = vec![log(rng), log(rng), log(rng)];
    let body = logs_body(rng, logs);
    append_refusing(&journal, Signal::Logs, 3, vec![1], body);
    fill(&journal, rng, 20);
    let folder = Folder::open(dir.path()).expect("a folder");
    let told = |folder: &Folder| (total(folder), folder.stats().expect("stats").rejected);
    let unindexed = told(&folder);
    assert_eq!(unindexed.1, 1);

    let indexer = Indexer::start(dir.path(), quick()).expect("an indexer");
    wait_until_made(dir.path(), &folder);
    assert_eq!(told(&folder), unindexed);
    indexer.stop();
    reindex(dir.path(), &mut |_| {}).expect("reindexed");
    assert_eq!((told(&folder), differences(dir.path())), (unindexed, vec![]));
}

#[test]
fn reindexing_changes_no_answer_with_and_without_a_running_indexer() {
    let (dir, _journal, indexer, folder) = indexed(5);
    let before = total(&folder);
    let mut shares = Vec::new();
    reindex(dir.path(), &mut |share| shares.push(share)).expect("reindexed beside the indexer");
    assert_eq!(shares.last(), Some(&1.0));
    wait_until_made(dir.path(), &folder);
    assert_eq!((total(&folder), differences(dir.path())), (before.clone(), vec![]));
    indexer.stop();
    shares.clear();
    reindex(dir.path(), &mut |share| shares.push(share)).expect("reindexed alone");
    assert!(shares.is_sorted() && shares.len() > 2, "{shares:?}");
    assert_eq!((total(&folder), differences(dir.path())), (before, vec![]));
    clocks_are_as_from_scratch(dir.path(), &folder);
    assert!(folder.stats().expect("stats").exact);
}

#[test]
fn verify_names_what_is_missing_or_changed() {
    let (dir, _journal, indexer, _folder) = indexed(6);
    indexer.stop();
    let shards = shard_folders(dir.path());
    assert!(shards.len() > 2, "several segments");
    fs::remove_dir_all(&shards[0]).expect("removed");
    let of_clocks = |path: &std::path::Path| path.extension().is_some_and(|suffix| suffix == "clocks");
    let files = fs::read_dir(&shards[2]).expect("a shard").map(|entry| entry.expect("an entry").path());
    let evidence = files.into_iter().find(|path| of_clocks(path)).expect("clock evidence");
    fs::write(&evidence, 0u64.to_le_bytes()).expect("written"); // of no segment
    let mut rows = fs::read(shards[1].join("blocks")).expect("a table");
    rows[32] ^= 1; // the first block's number of spans
    fs::write(shards[1].join("blocks"), rows).expect("written");
    let mut shares = Vec::new();
    let differences = verify(dir.path(), &mut |share| shares.push(share)).expect("verified");
    assert!(shares.is_sorted() && shares.len() > 2 && shares.last() == Some(&1.0), "{shares:?}");
    assert!(
        differences.iter().any(|found| matches!(found, Difference::NoShard { segment: 1, .. })),
        "{differences:?}"
    );
    assert!(differences.contains(&Difference::Clocks { segment: 3 }), "{differences:?}");
    assert!(
        differences.iter().any(|found| matches!(found, Difference::Row { block } if block.segment == 2)),
        "{differences:?}"
    );
}

#[test]
fn a_folder_without_an_indexer_reads_the_journal_itself() {
    let dir = tempfile::tempdir().expect("a folder");
    let journal = open_journal(dir.path(), 6_000);
    let folder = Folder::open(dir.path()).expect("a folder");
    assert_eq!(total(&folder), (0, vec![]));
    fill(&journal, &mut Rng::with_seed(7), 20);
    let expected = query::memory::Memory::new(all_records(dir.path())).stats().expect("stats");
    assert_eq!(total(&folder), (expected.spans + expected.logs, vec![]));
    clocks_are_as_from_scratch(dir.path(), &folder);
}

#[test]
fn shards_of_dropped_segments_go() {
    let (dir, journal, indexer, folder) = indexed(8);
    indexer.stop();
    journal.close();
    let segments = dir.path().join("journal");
    let mut names: Vec<_> = fs::read_dir(&segments)
        .expect("segments")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "segment"))
        .collect();
    names.sort();
    fs::remove_file(&names[0]).expect("dropped");
    let _indexer = Indexer::start(dir.path(), quick()).expect("an indexer");
    assert!(!shard_folders(dir.path()).iter().any(|path| path.ends_with("0000000001")));
    let expected = query::memory::Memory::new(all_records(dir.path())).stats().expect("stats");
    assert_eq!(total(&folder).0, expected.spans + expected.logs);
    clocks_are_as_from_scratch(dir.path(), &folder);
}
