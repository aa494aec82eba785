//! Which keys a sealed shard has, to about one in a hundred: a Bloom filter in blocks of a cache line (Putze, Sanders and
//! Singler 2007), so that who looks for the other end of a call need not search every shard's run.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use memmap2::Mmap;
use xxhash_rust::xxh3::xxh3_64;

const BITS_A_KEY: u64 = 10;
const BLOCK_BITS: u64 = 512;
const BLOCK_LEN: usize = BLOCK_BITS as usize / 8;
/// So many bits of its block are set for a key.
const PROBES: u32 = 6;
const PROBE_BITS: u32 = BLOCK_BITS.trailing_zeros();

/// The block of a key, of so many, and the bits in it.
fn places(key: u64, blocks: u64) -> (usize, impl Iterator<Item = usize>) {
    let hash = xxh3_64(&key.to_le_bytes());
    let block = (u128::from(hash) * u128::from(blocks)) >> u64::BITS;
    let bits = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    let bit = move |probe: u32| (bits >> (probe * PROBE_BITS) & (BLOCK_BITS - 1)) as usize;
    (block as usize * BLOCK_LEN, (0..PROBES).map(bit))
}

/// Writes the filter of these keys and makes it durable; `most` is how many there are at most.
pub(crate) fn write(path: &Path, keys: impl Iterator<Item = u64>, most: u64) -> io::Result<()> {
    let blocks = (most * BITS_A_KEY).div_ceil(BLOCK_BITS).max(1);
    let mut bytes = vec![0u8; blocks as usize * BLOCK_LEN];
    for key in keys {
        let (from, bits) = places(key, blocks);
        bits.for_each(|bit| bytes[from + bit / 8] |= 1 << (bit % 8));
    }
    let mut file = File::create(path)?;
    file.write_all(&bytes)?;
    file.sync_data()
}

/// A filter.
pub(crate) struct Filter(Mmap);

impl Filter {
    pub(crate) fn open(path: &Path) -> io::Result<Filter> {
        let file = File::open(path)?;
        // SAFETY: a filter is written and synced before anything names it and never changed afterwards, only removed, which
        // leaves mapped pages valid. Whatever its bytes are, they are read within its length.
        let bytes = unsafe { Mmap::map(&file)? };
        if bytes.is_empty() || bytes.len() % BLOCK_LEN != 0 {
            let what = format!("{} is no filter of this version", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(Filter(bytes))
    }

    /// Whether the key may be there; false only where it is not.
    pub(crate) fn may_have(&self, key: u64) -> bool {
        let (from, mut bits) = places(key, (self.0.len() / BLOCK_LEN) as u64);
        bits.all(|bit| self.0.get(from + bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(keys: &[u64]) -> Filter {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.filter");
        write(&path, keys.iter().copied(), keys.len() as u64).expect("written");
        Filter::open(&path).expect("opened")
    }

    proptest! {
        #[test]
        fn every_key_written_may_be_there(keys in prop::collection::vec(0u64..1 << 40, 0..500)) {
            let filter = of(&keys);
            prop_assert!(keys.iter().all(|key| filter.may_have(*key)));
        }
    }

    #[test]
    fn few_others_may() {
        let filter = of(&(0..10_000).map(|key| key * 3).collect::<Vec<_>>());
        let wrong = (0..10_000).filter(|key| filter.may_have(key * 3 + 1)).count();
        assert!(wrong < 250, "{wrong} of 10,000");
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.filter");
        for len in [1, BLOCK_LEN - 1, BLOCK_LEN + 1] {
            std::fs::write(&path, vec![0; len]).expect("written");
            assert!(Filter::open(&path).is_err());
        }
    }
}
