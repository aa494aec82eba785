//! The table of a shard's blocks, and other tables of fixed rows that only grow.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use memmap2::{Mmap, MmapOptions};
use timeline::time::Time;

/// What is known of a block without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Where it begins in its segment.
    pub(crate) offset: u64,
    /// The smallest and largest time of its records, unset ones included.
    pub(crate) times: (Time, Time),
    /// The longest duration of its spans, in nanoseconds.
    pub(crate) duration_max: u64,
    /// Spans kept.
    pub(crate) spans: u32,
    /// Logs kept.
    pub(crate) logs: u32,
    /// Items refused.
    pub(crate) rejected: u32,
}

/// offset + times + duration + spans + logs + refused + reserved
pub(crate) const ROW_LEN: usize = 8 + 16 + 8 + 4 + 4 + 4 + 4;

impl Row {
    pub(crate) fn starting(offset: u64) -> Row {
        Row { offset, times: (Time(u64::MAX), Time(0)), duration_max: 0, spans: 0, logs: 0, rejected: 0 }
    }

    /// Takes in the time of one more record.
    pub(crate) fn extend(&mut self, time: Time) {
        self.times = (self.times.0.min(time), self.times.1.max(time));
    }

    /// How many items it has.
    pub(crate) fn items(&self) -> u64 {
        u64::from(self.spans) + u64::from(self.logs)
    }

    pub(crate) fn encode(&self, bytes: &mut Vec<u8>) {
        for number in [self.offset, self.times.0.0, self.times.1.0, self.duration_max] {
            bytes.extend(number.to_le_bytes());
        }
        for number in [self.spans, self.logs, self.rejected, 0] {
            bytes.extend(number.to_le_bytes());
        }
    }

    fn decode(bytes: &[u8]) -> Option<Row> {
        let long = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let short = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        Some(Row {
            offset: long(0)?,
            times: (Time(long(8)?), Time(long(16)?)),
            duration_max: long(24)?,
            spans: short(32)?,
            logs: short(36)?,
            rejected: short(40)?,
        })
    }
}

/// The first `count` rows of a table of blocks.
#[derive(Debug)]
pub(crate) struct Rows {
    bytes: Option<Mmap>,
}

impl Rows {
    pub(crate) fn open(path: &Path, count: u32) -> io::Result<Rows> {
        if count == 0 {
            return Ok(Rows { bytes: None });
        }
        let file = File::open(path)?;
        let len = count as usize * ROW_LEN;
        if file.metadata()?.len() < len as u64 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} is cut off", path.display())));
        }
        // SAFETY: only committed rows are mapped; those are never changed, and never cut off while their
        // shard lives. Its removal leaves mapped pages valid. `a_table_that_is_too_short_is_refused`.
        let bytes = unsafe { MmapOptions::new().len(len).map(&file)? };
        Ok(Rows { bytes: Some(bytes) })
    }

    /// The row of block `number`.
    pub(crate) fn get(&self, number: u32) -> Option<Row> {
        Row::decode(self.bytes.as_deref()?.get(number as usize * ROW_LEN..)?)
    }

    /// All rows, in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Row> + '_ {
        self.bytes.as_deref().unwrap_or_default().chunks_exact(ROW_LEN).filter_map(Row::decode)
    }
}

/// Makes the table's first `committed` bytes be followed by `bytes`, and nothing else, durably.
pub(crate) fn append(path: &Path, committed: u64, bytes: &[u8]) -> io::Result<()> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    file.set_len(committed)?;
    file.write_all_at(bytes, committed)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(offset: u64) -> Row {
        Row {
            times: (Time(offset), Time(2)),
            duration_max: 3,
            spans: 4,
            logs: 5,
            rejected: 6,
            ..Row::starting(offset)
        }
    }

    #[test]
    fn what_was_not_committed_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("blocks");
        let encoded = |offset| {
            let mut bytes = Vec::new();
            row(offset).encode(&mut bytes);
            bytes
        };
        append(&path, 0, &[encoded(1), encoded(2)].concat()).expect("written");
        append(&path, ROW_LEN as u64, &encoded(3)).expect("written");
        let rows = Rows::open(&path, 2).expect("opened");
        assert_eq!(rows.iter().collect::<Vec<_>>(), [row(1), row(3)]);
        assert_eq!((rows.get(1), rows.get(2)), (Some(row(3)), None));
    }

    #[test]
    fn a_table_that_is_too_short_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("blocks");
        append(&path, 0, &[0; ROW_LEN - 1]).expect("written");
        assert!(Rows::open(&path, 1).is_err());
        assert!(Rows::open(&path, 0).is_ok());
    }
}
