//! A block: a header, the hashes of its frames, and the frames themselves, compressed.

use bytes::Bytes;
use hlc::Stamp;

use super::frame;
pub(crate) use super::frame::{Frame, Remark};
use super::{Fields, Invalid, checksum};
use crate::request::Content;

/// What a block begins with; no UTF-8 text holds it.
pub(crate) const BLOCK_MAGIC: [u8; 4] = [0xB5, b'B', b'L', 0xFF];

/// magic + check + stored and raw length + payload's check + frames + items + batch + sequence + codec
/// + first and last stamp + clock bound.
pub(crate) const BLOCK_HEADER_LEN: usize = 4 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 8 + 8 + 8;
/// The hash of one frame.
pub(crate) const HASH_LEN: usize = 16;
/// A block is closed once its payload has so many bytes: about one SDK's largest request. Larger
/// blocks compress 3 % better and make every look-up read more.
pub(crate) const BLOCK_BYTES_TARGET: usize = 256 << 10;
/// No payload is larger: a reader takes no more memory than this on a header's word.
pub(crate) const BLOCK_BYTES_MAX: usize = 128 << 20;
/// No block holds more frames.
pub(crate) const BLOCK_FRAMES_MAX: usize = 4096;

const _: () = assert!(BLOCK_HEADER_LEN == 64);
const _: () = assert!(BLOCK_BYTES_MAX <= u32::MAX as usize, "lengths are 32 bits on disk");

/// How a payload is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Codec {
    Plain = 0,
    Zstd = 1,
}

/// What the frames of a block are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Holds {
    #[default]
    Requests = 0,
    Annotations = 1,
}

/// A block's header and the hashes that follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    pub(crate) stored_len: u32,
    pub(crate) raw_len: u32,
    pub(crate) payload_check: u32,
    pub(crate) frames: u32,
    /// Items kept, refused ones not counted.
    pub(crate) items: u32,
    /// How many bytes before this block its batch begins. All before the batch was durable when it was written.
    pub(crate) batch: u32,
    /// The block's number within its segment, from 0.
    pub(crate) sequence: u32,
    pub(crate) codec: Codec,
    pub(crate) holds: Holds,
    pub(crate) first: Stamp,
    pub(crate) last: Stamp,
    /// No stamp up to this block's is above it.
    pub(crate) bound: Stamp,
    pub(crate) hashes: Vec<u128>,
}

impl BlockHeader {
    /// The block's bytes on disk: header, hashes, payload.
    pub(crate) fn block_len(&self) -> u64 {
        self.payload_at() + u64::from(self.stored_len)
    }

    /// Where the payload begins within the block.
    pub(crate) fn payload_at(&self) -> u64 {
        (BLOCK_HEADER_LEN + HASH_LEN * self.frames as usize) as u64
    }

    fn encode(&self, segment: u64, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend(BLOCK_MAGIC);
        bytes.extend([0; 4]);
        let numbers = [self.stored_len, self.raw_len, self.payload_check, self.frames, self.items];
        let kinds = u32::from(self.codec as u16) | u32::from(self.holds as u16) << 16;
        let more = [self.batch, self.sequence, kinds];
        numbers.iter().chain(&more).for_each(|number| bytes.extend(number.to_le_bytes()));
        for stamp in [self.first, self.last, self.bound] {
            bytes.extend(stamp.to_bits().to_le_bytes());
        }
        self.hashes.iter().for_each(|hash| bytes.extend(hash.to_le_bytes()));
        let check = checksum(segment, &[&bytes[start + 8..]]);
        bytes[start + 4..start + 8].copy_from_slice(&check.to_le_bytes());
    }

    /// How many frames the header at the front of `bytes` speaks of, unchecked: so many hashes follow it.
    pub(crate) fn peek_frames(bytes: &[u8]) -> Result<usize, Invalid> {
        let mut fields = Fields(bytes);
        if fields.array()? != BLOCK_MAGIC {
            return Err(Invalid::Magic);
        }
        fields.bytes(4 * 4)?;
        let frames = fields.u32()? as usize;
        if frames == 0 || frames > BLOCK_FRAMES_MAX {
            return Err(Invalid::Field("a block's number of frames"));
        }
        Ok(frames)
    }

    /// Reads a header and its hashes, which `bytes` holds exactly.
    pub(crate) fn decode(segment: u64, bytes: &[u8]) -> Result<BlockHeader, Invalid> {
        let frames = BlockHeader::peek_frames(bytes)?;
        let mut fields = Fields(bytes);
        fields.bytes(4)?;
        let check = fields.u32()?;
        if checksum(segment, &[fields.0]) != check {
            return Err(Invalid::Checksum);
        }
        let (stored_len, raw_len, payload_check) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (_, items, batch, sequence) = (fields.u32()?, fields.u32()?, fields.u32()?, fields.u32()?);
        let codec = match fields.u16()? {
            0 => Codec::Plain,
            1 => Codec::Zstd,
            _ => return Err(Invalid::Field("a block's codec")),
        };
        let holds = match fields.u16()? {
            0 => Holds::Requests,
            1 => Holds::Annotations,
            _ => return Err(Invalid::Field("what a block holds")),
        };
        if raw_len as usize > BLOCK_BYTES_MAX || stored_len > raw_len {
            return Err(Invalid::Field("a block's length"));
        }
        let (first, last, bound) = (fields.stamp()?, fields.stamp()?, fields.stamp()?);
        let hashes: Vec<_> = fields.0.as_chunks().0.iter().map(|hash| u128::from_le_bytes(*hash)).collect();
        if hashes.len() != frames {
            return Err(Invalid::Short);
        }
        let frames = frames as u32;
        Ok(BlockHeader {
            stored_len,
            raw_len,
            payload_check,
            frames,
            items,
            batch,
            sequence,
            codec,
            holds,
            first,
            last,
            bound,
            hashes,
        })
    }

    /// Checks the stored payload and decompresses it.
    fn payload(&self, segment: u64, stored: Bytes) -> Result<Bytes, Invalid> {
        if !self.is_whole(segment, &stored) {
            return Err(Invalid::Checksum);
        }
        match self.codec {
            Codec::Plain => Ok(stored),
            Codec::Zstd => {
                let raw = zstd::bulk::decompress(&stored, self.raw_len as usize)
                    .map_err(|_| Invalid::Compression)?;
                if raw.len() != self.raw_len as usize {
                    return Err(Invalid::Compression);
                }
                Ok(raw.into())
            }
        }
    }

    /// Whether `stored` is the payload that the header speaks of.
    pub(crate) fn is_whole(&self, segment: u64, stored: &[u8]) -> bool {
        stored.len() == self.stored_len as usize && checksum(segment, &[stored]) == self.payload_check
    }

    /// Checks the stored payload and reads its requests; a block of annotations has none.
    pub(crate) fn frames(&self, segment: u64, stored: Bytes) -> Result<Vec<Frame>, Invalid> {
        self.read(Holds::Requests, segment, stored, frame::decode)
    }

    /// Checks the stored payload and reads its annotations; a block of requests has none.
    pub(crate) fn remarks(&self, segment: u64, stored: Bytes) -> Result<Vec<Remark>, Invalid> {
        self.read(Holds::Annotations, segment, stored, frame::decode_remark)
    }

    fn read<T>(
        &self,
        holds: Holds,
        segment: u64,
        stored: Bytes,
        decode: impl Fn(&mut Bytes) -> Result<T, Invalid>,
    ) -> Result<Vec<T>, Invalid> {
        let mut payload = self.payload(segment, stored)?;
        if self.holds != holds {
            return Ok(Vec::new());
        }
        let frames = (0..self.frames).map(|_| decode(&mut payload)).collect::<Result<_, _>>()?;
        if payload.is_empty() { Ok(frames) } else { Err(Invalid::Field("the end of a payload")) }
    }
}

/// Fills a block with frames and encodes it.
pub(crate) struct BlockBuilder {
    compressor: zstd::bulk::Compressor<'static>,
    payload: Vec<u8>,
    stored: Vec<u8>,
    hashes: Vec<u128>,
    items: u32,
    holds: Holds,
    first: Stamp,
    last: Stamp,
}

/// Where a block stands, as its header tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) segment: u64,
    pub(crate) sequence: u32,
    /// How many bytes before the block its batch begins.
    pub(crate) batch: u32,
    pub(crate) bound: Stamp,
}

impl BlockBuilder {
    /// zstd's level: of the fast ones the best trade measured on OTLP, smaller and faster than lz4.
    const LEVEL: i32 = -1;

    pub(crate) fn new() -> std::io::Result<BlockBuilder> {
        Ok(BlockBuilder {
            compressor: zstd::bulk::Compressor::new(Self::LEVEL)?,
            payload: Vec::new(),
            stored: Vec::new(),
            hashes: Vec::new(),
            items: 0,
            holds: Holds::default(),
            first: Stamp::ZERO,
            last: Stamp::ZERO,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether the frame of `content` goes into this block, or into one of its own. A block holds requests or
    /// annotations, never both.
    pub(crate) fn has_room(&self, content: &Content) -> bool {
        let fits = || self.payload.len() + frame::encoded_len(content) <= BLOCK_BYTES_TARGET;
        self.is_empty() || (self.holds == content.kind() && self.hashes.len() < BLOCK_FRAMES_MAX && fits())
    }

    /// Adds a frame and returns its number.
    pub(crate) fn push(&mut self, content: &Content, hash: u128, stamp: Stamp) -> u32 {
        if self.is_empty() {
            (self.first, self.holds) = (stamp, content.kind());
        }
        self.last = stamp;
        self.items = self.items.saturating_add(content.items());
        frame::encode(content, stamp, &mut self.payload);
        self.hashes.push(hash);
        (self.hashes.len() - 1) as u32
    }

    /// Appends the block to `bytes`, empties the builder and returns the header written.
    pub(crate) fn finish(&mut self, standing: Standing, bytes: &mut Vec<u8>) -> std::io::Result<BlockHeader> {
        self.stored.clear();
        self.stored.reserve(zstd::zstd_safe::compress_bound(self.payload.len()));
        self.compressor.compress_to_buffer(&self.payload, &mut self.stored)?;
        let codec = if self.stored.len() < self.payload.len() { Codec::Zstd } else { Codec::Plain };
        let stored = if codec == Codec::Zstd { &self.stored } else { &self.payload };
        let header = BlockHeader {
            stored_len: stored.len() as u32,
            raw_len: self.payload.len() as u32,
            payload_check: checksum(standing.segment, &[stored]),
            frames: self.hashes.len() as u32,
            items: self.items,
            batch: standing.batch,
            sequence: standing.sequence,
            codec,
            holds: self.holds,
            first: self.first,
            last: self.last,
            bound: standing.bound,
            hashes: std::mem::take(&mut self.hashes),
        };
        header.encode(standing.segment, bytes);
        bytes.extend_from_slice(stored);
        self.payload.clear();
        self.items = 0;
        // One huge request must not hold its memory for ever.
        self.payload.shrink_to(4 * BLOCK_BYTES_TARGET);
        self.stored.shrink_to(4 * BLOCK_BYTES_TARGET);
        Ok(header)
    }
}
