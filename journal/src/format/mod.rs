//! The bytes of the journal's files, version 2, as `docs/journal-format.md` describes them.
//!
//! | file         | what it alone knows                                         |
//! |--------------|-------------------------------------------------------------|
//! | `segment.rs` | a segment's header and its footer                           |
//! | `block.rs`   | a block's header, the hashes of its frames, its payload     |
//! | `frame.rs`   | a frame inside the payload: a request, or an annotation     |
//!
//! All numbers are little-endian. Every check is CRC-32 (IEEE, as in zlib) and is seeded with the
//! segment's number, so that a block is only ever valid in its own segment. Nothing here does I/O.

pub(crate) mod block;
#[cfg(test)]
mod example;
pub(crate) mod frame;
pub(crate) mod segment;

/// The version that this code writes; it reads all before, too. Version 2 added annotations.
pub(crate) const VERSION: u16 = 2;

/// Why bytes are not what they were taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Invalid {
    /// They end too early.
    #[error("the bytes end too early")]
    Short,
    /// They do not begin as such bytes do.
    #[error("these bytes begin no such thing")]
    Magic,
    /// The check does not match.
    #[error("the checksum does not match")]
    Checksum,
    /// A later version wrote them.
    #[error("format version {0} is newer than this program")]
    Version(u16),
    /// The check matches, but a field holds what no writer writes.
    #[error("{0} holds what no writer writes")]
    Field(&'static str),
    /// The payload cannot be decompressed to the length it is said to have.
    #[error("the payload does not decompress")]
    Compression,
}

/// The CRC-32 of `parts`, seeded with the segment's number.
pub(crate) fn checksum(segment: u64, parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&segment.to_le_bytes());
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

/// Takes fields off the front of a slice.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Invalid> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Invalid::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Invalid> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Invalid::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Invalid> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Invalid> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Invalid> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Invalid> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn stamp(&mut self) -> Result<hlc::Stamp, Invalid> {
        self.u64().map(hlc::Stamp::from_bits)
    }
}
