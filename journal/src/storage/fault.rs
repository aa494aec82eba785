//! A disk in memory that fails as real ones do: short writes, no room, failed syncs, and crashes that
//! lose at random what was not synced. A crash is a test double.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Blob, Storage};

/// What a crash keeps or loses as one; small, so that short files are torn too.
const PAGE: usize = 32;

/// A shared disk; its clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct FaultDisk(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// The bytes that all files together may have; no limit where `None`.
    capacity: Option<usize>,
    /// How many syncs of files still succeed; all where `None`.
    syncs_left: Option<u32>,
    chance: Chance,
}

#[derive(Clone, Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Pages that a sync would write. A failed one forgets them, as Linux does.
    dirty: BTreeSet<usize>,
    length_dirty: bool,
}

/// A small generator (xorshift), so that a failure repeats.
struct Chance(u64);

impl Default for Chance {
    fn default() -> Chance {
        Chance(0x9E37_79B9_7F4A_7C15)
    }
}

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

impl Content {
    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if end > self.live.len() {
            self.live.resize(end, 0);
            self.length_dirty = true;
        }
        self.live[offset..end].copy_from_slice(bytes);
        self.dirty.extend(offset / PAGE..end.div_ceil(PAGE));
    }

    fn set_len(&mut self, length: usize) {
        self.length_dirty |= length != self.live.len();
        self.live.resize(length, 0);
    }

    fn persist(&mut self, page: usize) {
        let from = page * PAGE;
        let to = (from + PAGE).min(self.live.len()).min(self.durable.len());
        if from < to {
            self.durable[from..to].copy_from_slice(&self.live[from..to]);
        }
    }

    fn sync(&mut self) {
        if std::mem::take(&mut self.length_dirty) {
            self.durable.resize(self.live.len(), 0);
        }
        for page in std::mem::take(&mut self.dirty) {
            self.persist(page);
        }
    }

    fn fail_sync(&mut self) {
        self.dirty.clear();
    }

    /// Of what was not synced, some is kept and some is lost.
    fn crash(&mut self, chance: &mut Chance) {
        if std::mem::take(&mut self.length_dirty) {
            let (a, b) = (self.live.len(), self.durable.len());
            let length = [a, b, a.min(b) + chance.below(a.abs_diff(b))][chance.below(3)];
            self.durable.resize(length, 0);
        }
        for page in std::mem::take(&mut self.dirty) {
            if chance.coin() {
                self.persist(page);
            }
        }
        self.live = self.durable.clone();
    }
}

impl FaultDisk {
    pub(crate) fn seeded(seed: u64) -> FaultDisk {
        let disk = FaultDisk::default();
        disk.0.lock().chance.0 ^= seed.wrapping_mul(0x2545_F491_4F6C_DD1D) | 1;
        disk
    }

    /// The power goes: what was not synced is lost or kept at random, names too.
    pub(crate) fn crash(&self) {
        let Inner { files, names, durable_names, chance, .. } = &mut *self.0.lock();
        let changed: Vec<_> = names.keys().chain(durable_names.keys()).cloned().collect();
        for name in changed {
            if names.get(&name) != durable_names.get(&name) && chance.coin() {
                match names.get(&name) {
                    Some(file) => durable_names.insert(name, *file),
                    None => durable_names.remove(&name),
                };
            }
        }
        names.clone_from(durable_names);
        files.iter_mut().for_each(|file| file.crash(chance));
    }

    /// So many more bytes fit; `None` lifts the limit.
    pub(crate) fn leave_room(&self, bytes: Option<usize>) {
        let mut inner = self.0.lock();
        inner.capacity = bytes.map(|bytes| inner.used() + bytes);
    }

    /// So many more syncs succeed; `None` mends the disk.
    pub(crate) fn fail_syncs_after(&self, syncs: Option<u32>) {
        self.0.lock().syncs_left = syncs;
    }

    /// Changes what a file holds, durably, behind everybody's back.
    pub(crate) fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = self.0.lock();
        let file = inner.names[name];
        change(&mut inner.files[file].live);
        inner.files[file].durable = inner.files[file].live.clone();
    }

    /// What a file holds.
    pub(crate) fn content(&self, name: &str) -> Vec<u8> {
        let inner = self.0.lock();
        inner.files[inner.names[name]].live.clone()
    }
}

impl Inner {
    fn used(&self) -> usize {
        self.names.values().map(|file| self.files[*file].live.len()).sum()
    }
}

impl Storage for FaultDisk {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn Blob>> {
        let mut inner = self.0.lock();
        if inner.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = inner.files.len();
        inner.files.push(Content::default());
        inner.names.insert(name.to_owned(), file);
        Ok(Arc::new(FaultFile { disk: self.clone(), file }))
    }

    fn open(&self, name: &str, _writable: bool) -> io::Result<Arc<dyn Blob>> {
        let file = *self.0.lock().names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(FaultFile { disk: self.clone(), file }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.lock().names.remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync_names(&self) -> io::Result<()> {
        let inner = &mut *self.0.lock();
        inner.durable_names.clone_from(&inner.names);
        Ok(())
    }

    fn room(&self) -> io::Result<u64> {
        let inner = self.0.lock();
        Ok(inner.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(inner.used()) as u64))
    }
}

struct FaultFile {
    disk: FaultDisk,
    file: usize,
}

impl Blob for FaultFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let inner = self.disk.0.lock();
        let live = inner.files[self.file].live.get(offset as usize..).unwrap_or_default();
        let length = live.len().min(bytes.len());
        bytes[..length].copy_from_slice(&live[..length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let inner = &mut *self.disk.0.lock();
        let offset = offset as usize;
        let mut length = if inner.chance.coin() { bytes.len() } else { 1 + inner.chance.below(bytes.len()) };
        if let Some(capacity) = inner.capacity {
            let present = inner.files[self.file].live.len();
            let room = capacity.saturating_sub(inner.used()) + present.saturating_sub(offset);
            length = length.min(room);
        }
        if length == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        inner.files[self.file].write(&bytes[..length], offset);
        Ok(length)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().files[self.file].live.len() as u64)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.disk.0.lock().files[self.file].set_len(length as usize);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let inner = &mut *self.disk.0.lock();
        match &mut inner.syncs_left {
            Some(0) => {
                inner.files[self.file].fail_sync();
                Err(io::Error::other("the disk failed"))
            }
            left => {
                *left = left.map(|left| left - 1);
                inner.files[self.file].sync();
                Ok(())
            }
        }
    }
}
