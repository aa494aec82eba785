//! Runs: sorted files of (key, block), for what is too rare or too particular for an inverted index.
//!
//! ```text
//! header     magic, block bits, first block, entries, where the directory stands
//! chunks     128 entries each: a width, then the differences from entry to entry in that many bits
//! directory  a chunk's first entry and where it stands, 12 bytes a chunk
//! ```
//!
//! An entry is `key << block bits | block - first block`: sorted, so that a look-up is one binary search
//! in the directory and the unpacking of a chunk. A run never changes; runs are merged into larger ones.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::RangeInclusive;
use std::path::Path;

use memmap2::Mmap;

/// Blocks of a shard are numbered in so many bits.
pub(crate) const BLOCK_BITS: u32 = 24;
const CHUNK: usize = 128;
const MAGIC: [u8; 8] = *b"BSRUN\0\0\x01";
/// magic + reserved + block bits + first block + entries + directory
const HEADER_LEN: usize = 8 + 4 + 4 + 8 + 8 + 8;
const DIRECTORY_ROW_LEN: usize = 8 + 4;
/// Unpacking reads eight bytes at once; wider differences are stored whole.
const WIDTH_MAX: u32 = 56;

/// A key and a block in one number, which sorts as the pair does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry(u64);

impl Entry {
    pub(crate) fn new(key: u64, block: u32) -> Entry {
        Entry(key << BLOCK_BITS | u64::from(block))
    }

    pub(crate) fn key(self) -> u64 {
        self.0 >> BLOCK_BITS
    }

    pub(crate) fn block(self) -> u32 {
        (self.0 & ((1 << BLOCK_BITS) - 1)) as u32
    }
}

/// Writes sorted entries as a run and makes it durable.
pub(crate) fn write(
    path: &Path,
    entries: impl Iterator<Item = Entry>,
    blocks: RangeInclusive<u32>,
) -> io::Result<()> {
    let mut writer = Writer::create(path, blocks)?;
    entries.into_iter().try_for_each(|entry| writer.push(entry))?;
    writer.finish()
}

struct Writer {
    file: BufWriter<File>,
    first_block: u32,
    block_bits: u32,
    entries: u64,
    chunk: Vec<u64>,
    at: u64,
    directory: Vec<(u64, u32)>,
    packed: Vec<u8>,
}

impl Writer {
    fn create(path: &Path, blocks: RangeInclusive<u32>) -> io::Result<Writer> {
        let mut file = BufWriter::with_capacity(1 << 18, File::create(path)?);
        file.write_all(&[0; HEADER_LEN])?;
        Ok(Writer {
            file,
            first_block: *blocks.start(),
            block_bits: u32::BITS - blocks.end().saturating_sub(*blocks.start()).leading_zeros(),
            entries: 0,
            chunk: Vec::with_capacity(CHUNK),
            at: 0,
            directory: Vec::new(),
            packed: Vec::new(),
        })
    }

    fn push(&mut self, entry: Entry) -> io::Result<()> {
        let block = u64::from(entry.block() - self.first_block);
        self.chunk.push(entry.key() << self.block_bits | block);
        self.entries += 1;
        if self.chunk.len() == CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(first) = self.chunk.first() else { return Ok(()) };
        let at = u32::try_from(self.at).map_err(|_| io::Error::other("a run of more than 4 GiB"))?;
        self.directory.push((*first, at));
        self.packed.clear();
        pack(&self.chunk, &mut self.packed);
        self.file.write_all(&self.packed)?;
        self.at += self.packed.len() as u64;
        self.chunk.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        use std::os::unix::fs::FileExt;
        self.flush()?;
        self.file.write_all(&[0; 8])?; // unpacking may read past the last chunk
        for (first, at) in &self.directory {
            self.file.write_all(&first.to_le_bytes())?;
            self.file.write_all(&at.to_le_bytes())?;
        }
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let mut header = MAGIC.to_vec();
        header.extend(0u32.to_le_bytes());
        header.extend(self.block_bits.to_le_bytes());
        header.extend(u64::from(self.first_block).to_le_bytes());
        header.extend(self.entries.to_le_bytes());
        header.extend((HEADER_LEN as u64 + self.at + 8).to_le_bytes());
        file.write_all_at(&header, 0)?;
        file.sync_all()
    }
}

/// Appends the differences between `entries`, bit by bit, lowest first.
fn pack(entries: &[u64], packed: &mut Vec<u8>) {
    let differences = || entries.iter().zip(entries.iter().skip(1)).map(|(a, b)| b - a);
    let largest = differences().max().unwrap_or(0);
    let width = match u64::BITS - largest.leading_zeros() {
        wide if wide > WIDTH_MAX => u64::BITS,
        narrow => narrow,
    };
    packed.push(width as u8);
    let (mut pending, mut filled) = (0u128, 0);
    for difference in differences() {
        pending |= u128::from(difference) << filled;
        filled += width;
        while filled >= 8 {
            packed.push(pending as u8);
            pending >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        packed.push(pending as u8);
    }
}

/// A run on disk, mapped into memory.
#[derive(Debug)]
pub(crate) struct Run {
    bytes: Mmap,
    first_block: u32,
    block_bits: u32,
    entries: u64,
    directory: usize,
}

impl Run {
    pub(crate) fn open(path: &Path) -> io::Result<Run> {
        let file = File::open(path)?;
        // SAFETY: a run is written and synced before anything names it and never changed afterwards, only
        // removed, which leaves mapped pages valid. `a_cut_run_is_refused` covers what can be checked.
        let bytes = unsafe { Mmap::map(&file)? };
        Run::of(bytes).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} is not a run of this version", path.display()),
            )
        })
    }

    fn of(bytes: Mmap) -> Option<Run> {
        let number = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        if bytes.get(..MAGIC.len()) != Some(&MAGIC) {
            return None;
        }
        let block_bits = u32::try_from(number(8)? >> 32).ok().filter(|bits| *bits <= BLOCK_BITS)?;
        let first_block = u32::try_from(number(16)?).ok()?;
        let (entries, directory) = (number(24)?, usize::try_from(number(32)?).ok()?);
        let rows = usize::try_from(entries).ok()?.div_ceil(CHUNK);
        let end = directory.checked_add(rows.checked_mul(DIRECTORY_ROW_LEN)?)?;
        (end == bytes.len()).then_some(Run { bytes, first_block, block_bits, entries, directory })
    }

    /// How many entries it has.
    pub(crate) fn len(&self) -> u64 {
        self.entries
    }

    /// The entries with one of these keys, in order.
    pub(crate) fn range(&self, keys: RangeInclusive<u64>) -> impl Iterator<Item = Entry> {
        let (low, high) = (*keys.start(), *keys.end());
        self.cursor(low).take_while(move |entry| entry.key() <= high)
    }

    /// The entries from `key` on.
    pub(crate) fn cursor(&self, key: u64) -> Cursor<'_> {
        let mut cursor = Cursor { run: self, chunk: 0, unpacked: [0; CHUNK], at: 0, filled: 0 };
        cursor.seek(key);
        cursor
    }

    /// The first chunk at or after `chunk` that begins at `value` or later.
    fn first_chunk_from(&self, chunk: usize, value: u64) -> usize {
        let (mut low, mut high) = (chunk, self.chunks());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.row(middle).is_some_and(|(first, _)| first < value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn chunks(&self) -> usize {
        (self.entries as usize).div_ceil(CHUNK)
    }

    fn row(&self, chunk: usize) -> Option<(u64, usize)> {
        let row = self
            .bytes
            .get(self.directory + chunk * DIRECTORY_ROW_LEN..)?
            .first_chunk::<DIRECTORY_ROW_LEN>()?;
        let (first, at) = row.split_first_chunk::<8>()?;
        Some((u64::from_le_bytes(*first), u32::from_le_bytes(*at.first_chunk()?) as usize))
    }

    /// Unpacks a chunk and says how many entries it has; none where there is no such chunk, or it is damaged.
    fn unpack(&self, chunk: usize, into: &mut [u64; CHUNK]) -> usize {
        let count = (self.entries as usize).saturating_sub(chunk * CHUNK).min(CHUNK);
        let Some((first, at)) = self.row(chunk).filter(|_| count > 0) else { return 0 };
        let Some((width, packed)) = self.bytes.get(HEADER_LEN + at..).and_then(<[u8]>::split_first) else {
            return 0;
        };
        let width = u32::from(*width);
        let mask = if width == u64::BITS { u64::MAX } else { (1u64 << width) - 1 };
        let mut value = first;
        for (index, place) in into.iter_mut().take(count).enumerate() {
            if let Some(before) = index.checked_sub(1) {
                let bit = before * width as usize;
                let Some(word) = packed.get(bit / 8..).and_then(<[u8]>::first_chunk) else { return 0 };
                value = value.wrapping_add(u64::from_le_bytes(*word) >> (bit % 8) & mask);
            }
            *place = value;
        }
        count
    }
}

/// Reads a run's entries in order.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    run: &'a Run,
    /// The chunk to unpack next.
    chunk: usize,
    unpacked: [u64; CHUNK],
    at: usize,
    filled: usize,
}

impl Cursor<'_> {
    /// Goes on to the first entry with this key or a larger one; never back.
    pub(crate) fn seek(&mut self, key: u64) {
        let from = key << self.run.block_bits;
        let last = self.unpacked.get(..self.filled).and_then(<[u64]>::last);
        if last.is_none_or(|last| *last < from) {
            // The entries wanted begin in the chunk before the first one that begins past them.
            let chunk = self.run.first_chunk_from(self.chunk, from).saturating_sub(1);
            self.chunk = chunk.max(self.chunk);
            self.at = self.filled;
        }
        while self.peek().is_some_and(|value| value < from) {
            self.at += 1;
        }
    }

    /// The blocks of the entries with this key, to which it goes on; they are read again by the next call.
    pub(crate) fn blocks_of(&mut self, key: u64) -> Vec<u32> {
        self.seek(key);
        if self.peek().is_none_or(|value| value >> self.run.block_bits != key) {
            return Vec::new();
        }
        self.clone().take_while(|entry| entry.key() == key).map(Entry::block).collect()
    }

    fn peek(&mut self) -> Option<u64> {
        if self.at == self.filled {
            self.filled = self.run.unpack(self.chunk, &mut self.unpacked);
            self.at = 0;
            self.chunk += 1;
        }
        self.unpacked.get(..self.filled)?.get(self.at).copied()
    }
}

impl Iterator for Cursor<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let value = self.peek()?;
        self.at += 1;
        let block = value & ((1 << self.run.block_bits) - 1);
        Some(Entry::new(value >> self.run.block_bits, self.run.first_block + block as u32))
    }
}

/// Merges runs of `key_bits` keys into one, each entry once where `each_once`.
///
/// Keys are hashes, hence even: each 256th of their range is gathered and sorted by itself, which takes
/// little memory, and a stable sort finds that it is made of sorted stretches.
pub(crate) fn merge(
    runs: &[&Run],
    key_bits: u32,
    blocks: RangeInclusive<u32>,
    each_once: bool,
    path: &Path,
) -> io::Result<()> {
    let mut writer = Writer::create(path, blocks)?;
    let mut cursors: Vec<_> = runs.iter().map(|run| run.cursor(0).peekable()).collect();
    let mut gathered: Vec<Entry> = Vec::new();
    for part in 1..=256u64 {
        let end = part << key_bits.saturating_sub(8);
        gathered.clear();
        for cursor in &mut cursors {
            while let Some(entry) = cursor.next_if(|entry| entry.key() < end) {
                gathered.push(entry);
            }
        }
        gathered.sort();
        if each_once {
            gathered.dedup();
        }
        gathered.iter().try_for_each(|entry| writer.push(*entry))?;
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(entries: &[Entry]) -> (tempfile::TempDir, Run) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.run");
        let blocks = entries.iter().map(|entry| entry.block());
        let (first, last) = (blocks.clone().min().unwrap_or(0), blocks.max().unwrap_or(0));
        write(&path, entries.iter().copied(), first..=last).expect("written");
        let run = Run::open(&path).expect("opened");
        (folder, run)
    }

    fn entries(keys: std::ops::Range<u64>, count: usize) -> impl Strategy<Value = Vec<Entry>> {
        prop::collection::vec((keys, 5u32..3000), 0..count).prop_map(|pairs| {
            let mut entries: Vec<_> = pairs.into_iter().map(|(key, block)| Entry::new(key, block)).collect();
            entries.sort();
            entries
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(entries in entries(0..1 << 40, 700)) {
            let (_folder, run) = written(&entries);
            prop_assert_eq!(run.len(), entries.len() as u64);
            prop_assert_eq!(run.cursor(0).collect::<Vec<_>>(), entries);
        }

        #[test]
        fn ranges_are_what_a_filter_gives(entries in entries(0..300, 900), low in 0u64..300, more in 0u64..20) {
            let (_folder, run) = written(&entries);
            let keys = low..=low + more;
            let naive: Vec<_> = entries.iter().copied().filter(|entry| keys.contains(&entry.key())).collect();
            prop_assert_eq!(run.range(keys).collect::<Vec<_>>(), naive);
        }

        #[test]
        fn merging_is_sorting(a in entries(0..1 << 32, 400), b in entries(0..1 << 32, 400), once: bool) {
            let ((folder, first), (_other, second)) = (written(&a), written(&b));
            let path = folder.path().join("merged");
            merge(&[&first, &second], 32, 0..=3000, once, &path).expect("merged");
            let mut naive: Vec<_> = a.into_iter().chain(b).collect();
            naive.sort();
            if once {
                naive.dedup();
            }
            prop_assert_eq!(Run::open(&path).expect("opened").cursor(0).collect::<Vec<_>>(), naive);
        }

        #[test]
        fn a_cut_run_is_refused(entries in entries(0..1 << 32, 300), keep in 0.0f64..1.0) {
            let (folder, run) = written(&entries);
            let cut = (run.bytes.len() as f64 * keep) as u64;
            let path = folder.path().join("cut");
            std::fs::copy(folder.path().join("a.run"), &path).expect("copied");
            File::options().write(true).open(&path).and_then(|file| file.set_len(cut)).expect("cut");
            prop_assert!(Run::open(&path).is_err());
        }
    }
}
