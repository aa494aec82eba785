//! Files of clock evidence: for each segment, evidence of which one end lies in it and the other in the shard.
//!
//! ```text
//! segments   how many, 8 bytes
//! table      a segment's number and the bytes of its evidence, 16 bytes each
//! evidence   one after another, in the form of `timeline::clocks`
//! ```

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use memmap2::Mmap;
use query::archive::Window;
use timeline::clocks::ClockEvidence;

use crate::ends::BySegment;
use crate::error::IndexError;

const NUMBER_LEN: usize = 8;
const TABLE_ROW_LEN: usize = 2 * NUMBER_LEN;

/// Writes the evidence and makes it durable; says how many bytes that took.
pub(crate) fn write(path: &Path, evidence: &BySegment) -> io::Result<u64> {
    let mut bytes = (evidence.len() as u64).to_le_bytes().to_vec();
    let encoded: Vec<(u64, Vec<u8>)> =
        evidence.iter().map(|(segment, evidence)| (*segment, evidence.to_bytes())).collect();
    for (segment, encoded) in &encoded {
        bytes.extend(segment.to_le_bytes());
        bytes.extend((encoded.len() as u64).to_le_bytes());
    }
    encoded.into_iter().for_each(|(_, encoded)| bytes.extend(encoded));
    let mut file = File::create(path)?;
    file.write_all(&bytes)?;
    file.sync_data()?;
    Ok(bytes.len() as u64)
}

/// A file of evidence.
#[derive(Debug)]
pub(crate) struct ClockFile {
    bytes: Mmap,
    name: String,
}

impl ClockFile {
    pub(crate) fn open(path: &Path) -> io::Result<ClockFile> {
        let file = File::open(path)?;
        // SAFETY: the file is written and synced before anything names it and never changed afterwards, only removed,
        // which leaves mapped pages valid. Whatever its bytes are, they are read with care: `damage_is_told`.
        let bytes = unsafe { Mmap::map(&file)? };
        Ok(ClockFile { bytes, name: path.display().to_string() })
    }

    /// Joins to `evidence` what the file has of the segments wanted; messages outside of `window` may be left out.
    pub(crate) fn read(
        &self,
        window: Window,
        wants: impl Fn(u64) -> bool,
        mut take: impl FnMut(u64, ClockEvidence),
    ) -> Result<(), IndexError> {
        let damaged = || IndexError::Damaged(format!("{} is cut off", self.name));
        let number = |at: usize| -> Option<u64> {
            Some(u64::from_le_bytes(*self.bytes.get(at..)?.first_chunk::<NUMBER_LEN>()?))
        };
        let count = usize::try_from(number(0).ok_or_else(damaged)?).map_err(|_| damaged())?;
        let mut at = count
            .checked_mul(TABLE_ROW_LEN)
            .and_then(|len| len.checked_add(NUMBER_LEN))
            .ok_or_else(damaged)?;
        for row in 0..count {
            let row = NUMBER_LEN + row * TABLE_ROW_LEN;
            let segment = number(row).ok_or_else(damaged)?;
            let len =
                number(row + NUMBER_LEN).and_then(|len| usize::try_from(len).ok()).ok_or_else(damaged)?;
            let end = at.checked_add(len).ok_or_else(damaged)?;
            let bytes = self.bytes.get(at..end).ok_or_else(damaged)?;
            if wants(segment) {
                let evidence = ClockEvidence::from_bytes_within(bytes, window.since, window.until)
                    .map_err(|error| IndexError::Damaged(format!("{}: {error}", self.name)))?;
                take(segment, evidence);
            }
            at = end;
        }
        if at == self.bytes.len() { Ok(()) } else { Err(damaged()) }
    }
}

/// Joins the evidence of several files.
pub(crate) fn merged(files: &[ClockFile]) -> Result<BySegment, IndexError> {
    let mut all = BySegment::new();
    for file in files {
        let take = |segment, evidence: ClockEvidence| all.entry(segment).or_default().merge(&evidence);
        file.read(Window::default(), |_| true, take)?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_damage_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.clocks");
        let evidence = BySegment::from([(3, ClockEvidence::default()), (7, ClockEvidence::default())]);
        let len = write(&path, &evidence).expect("written");
        assert_eq!(merged(&[ClockFile::open(&path).expect("opened")]).expect("read"), evidence);
        for cut in 1..len {
            let cut_path = folder.path().join("cut");
            std::fs::copy(&path, &cut_path).expect("copied");
            File::options().write(true).open(&cut_path).and_then(|file| file.set_len(cut)).expect("cut");
            let file = ClockFile::open(&cut_path).expect("opened");
            assert!(matches!(merged(&[file]), Err(IndexError::Damaged(_))), "{cut}");
        }
    }
}
