//! A segment's two ends: the header that every segment has, and the footer of a sealed one.

use hlc::Stamp;

use super::block::{BlockHeader, HASH_LEN};
use super::{Fields, Invalid, VERSION, checksum};

/// What a segment begins with.
const SEGMENT_MAGIC: [u8; 8] = *b"BACKSTRY";
/// What a footer begins with.
pub(crate) const FOOTER_MAGIC: [u8; 4] = [0xB5, b'F', b'T', 0xFF];
/// What a footer, and so a sealed segment, ends with.
const SEALED_MAGIC: [u8; 4] = [0xB5, b'S', b'L', 0xFF];

/// magic + version + length of header + annotations + number + collector + clock bound + created + zero + check.
pub(crate) const SEGMENT_HEADER_LEN: usize = 8 + 2 + 2 + 4 + 8 + 16 + 8 + 8 + 4 + 4;
/// magic + check of the head + check of the table + blocks + frames + zero + items + first + last + bound.
pub(crate) const FOOTER_HEAD_LEN: usize = 4 + 4 + 4 + 4 + 4 + 4 + 8 + 8 + 8 + 8;
/// A row of the footer's table: offset + frames + items + zero + first stamp.
const FOOTER_ROW_LEN: usize = 4 + 4 + 4 + 4 + 8;
/// length of the footer + check + zero + magic.
pub(crate) const TAIL_LEN: usize = 4 + 4 + 4 + 4;

const _: () = assert!(SEGMENT_HEADER_LEN == 64);

/// A segment's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// The version that it is written in.
    pub(crate) version: u16,
    /// With so many annotations the segment begins: all that stood when it was made.
    pub(crate) annotations: u32,
    pub(crate) number: u64,
    /// The journal's own name, made once by chance and handed on from segment to segment.
    pub(crate) collector: u128,
    /// No stamp of an earlier segment is above it.
    pub(crate) bound: Stamp,
    /// When it was made, in nanoseconds since the Unix epoch by the wall clock.
    pub(crate) created_ns: u64,
}

impl SegmentHeader {
    /// Of a header that was mended: whether the segment begins with all annotations is not known.
    pub(crate) const ANNOTATIONS_UNKNOWN: u32 = u32::MAX;

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_LEN);
        bytes.extend(SEGMENT_MAGIC);
        bytes.extend(self.version.to_le_bytes());
        bytes.extend((SEGMENT_HEADER_LEN as u16).to_le_bytes());
        bytes.extend(self.annotations.to_le_bytes());
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.collector.to_le_bytes());
        bytes.extend(self.bound.to_bits().to_le_bytes());
        bytes.extend(self.created_ns.to_le_bytes());
        bytes.extend([0; 4]);
        let check = checksum(self.number, &[&bytes]);
        bytes.extend(check.to_le_bytes());
        bytes
    }

    /// Reads the header of segment `number`.
    pub(crate) fn decode(number: u64, bytes: &[u8]) -> Result<SegmentHeader, Invalid> {
        let mut fields = Fields(bytes.get(..SEGMENT_HEADER_LEN).ok_or(Invalid::Short)?);
        if fields.array()? != SEGMENT_MAGIC {
            return Err(Invalid::Magic);
        }
        let version = fields.u16()?;
        if version > VERSION {
            return Err(Self::unknown_version(number, version, bytes));
        }
        fields.bytes(2)?;
        let header = SegmentHeader {
            version,
            annotations: fields.u32()?,
            number: fields.u64()?,
            collector: fields.array().map(u128::from_le_bytes)?,
            bound: fields.stamp()?,
            created_ns: fields.u64()?,
        };
        fields.bytes(4)?;
        let checked = &bytes[..SEGMENT_HEADER_LEN - 4];
        if header.number != number || checksum(number, &[checked]) != fields.u32()? {
            return Err(Invalid::Checksum);
        }
        Ok(header)
    }

    /// Another version's header; or one of ours whose version alone was damaged: with a version that we read, its
    /// checksum holds.
    fn unknown_version(number: u64, version: u16, bytes: &[u8]) -> Invalid {
        let is_damaged = (1..=VERSION).any(|ours| {
            let mut header = bytes[..SEGMENT_HEADER_LEN].to_vec();
            header[SEGMENT_MAGIC.len()..][..2].copy_from_slice(&ours.to_le_bytes());
            let (checked, check) = header.split_at(SEGMENT_HEADER_LEN - 4);
            checksum(number, &[checked]).to_le_bytes() == check
        });
        if is_damaged { Invalid::Checksum } else { Invalid::Version(version) }
    }
}

/// What a footer says of the whole segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) blocks: u32,
    pub(crate) frames: u32,
    pub(crate) items: u64,
    pub(crate) first: Stamp,
    pub(crate) last: Stamp,
    /// No stamp up to the segment's end is above it.
    pub(crate) bound: Stamp,
}

/// What a footer says of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) offset: u32,
    pub(crate) items: u32,
    pub(crate) first: Stamp,
    pub(crate) hashes: Vec<u128>,
}

/// The index of a segment's blocks: kept while it is written, and its footer once it is sealed.
/// Holds nothing that the blocks do not say, so that opening need not read them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) totals: Totals,
    pub(crate) rows: Vec<Row>,
}

impl Footer {
    /// Takes in the block at `offset`.
    pub(crate) fn push(&mut self, offset: u64, header: &BlockHeader) {
        let totals = &mut self.totals;
        if totals.blocks == 0 {
            totals.first = header.first;
        }
        totals.blocks += 1;
        totals.frames += header.frames;
        totals.items += u64::from(header.items);
        totals.last = totals.last.max(header.last);
        totals.bound = totals.bound.max(header.bound);
        self.rows.push(Row {
            offset: offset as u32,
            items: header.items,
            first: header.first,
            hashes: header.hashes.clone(),
        });
    }

    pub(crate) fn encode(&self, segment: u64) -> Vec<u8> {
        let mut table = Vec::new();
        for row in &self.rows {
            for number in [row.offset, row.hashes.len() as u32, row.items, 0] {
                table.extend(number.to_le_bytes());
            }
            table.extend(row.first.to_bits().to_le_bytes());
        }
        let hashes = self.rows.iter().flat_map(|row| &row.hashes);
        hashes.for_each(|hash| table.extend(hash.to_le_bytes()));
        let mut bytes = self.totals.encode(segment, checksum(segment, &[&table]));
        bytes.extend(&table);
        let length = ((bytes.len() + TAIL_LEN) as u32).to_le_bytes();
        bytes.extend(length);
        bytes.extend(checksum(segment, &[&length]).to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(SEALED_MAGIC);
        bytes
    }

    /// The length of the footer that ends with the [`TAIL_LEN`] bytes `tail`.
    pub(crate) fn length(segment: u64, tail: &[u8]) -> Result<u64, Invalid> {
        let mut fields = Fields(tail);
        let (length, check) = (fields.array::<4>()?, fields.u32()?);
        let zero = fields.u32()?;
        if fields.array()? != SEALED_MAGIC {
            return Err(Invalid::Magic);
        }
        if zero != 0 || checksum(segment, &[&length]) != check {
            return Err(Invalid::Checksum);
        }
        Ok(u32::from_le_bytes(length).into())
    }

    /// Reads the footer that `bytes` holds, tail and all.
    pub(crate) fn decode(segment: u64, bytes: &[u8]) -> Result<Footer, Invalid> {
        let (totals, table_check) = Totals::decode(segment, bytes)?;
        let table = bytes.get(FOOTER_HEAD_LEN..bytes.len().saturating_sub(TAIL_LEN)).ok_or(Invalid::Short)?;
        if checksum(segment, &[table]) != table_check {
            return Err(Invalid::Checksum);
        }
        let (rows, hashes) =
            table.split_at_checked(totals.blocks as usize * FOOTER_ROW_LEN).ok_or(Invalid::Short)?;
        let mut hashes = Fields(hashes);
        let rows = rows.chunks_exact(FOOTER_ROW_LEN).map(|row| Row::decode(row, &mut hashes));
        Ok(Footer { totals, rows: rows.collect::<Result<_, _>>()? })
    }
}

impl Row {
    fn decode(row: &[u8], hashes: &mut Fields<'_>) -> Result<Row, Invalid> {
        let mut fields = Fields(row);
        let (offset, frames, items, _) = (fields.u32()?, fields.u32()?, fields.u32()?, fields.u32()?);
        let hashes = hashes.bytes((frames as usize).checked_mul(HASH_LEN).ok_or(Invalid::Short)?)?;
        let hashes = hashes.as_chunks().0.iter().map(|hash| u128::from_le_bytes(*hash)).collect();
        Ok(Row { offset, items, first: fields.stamp()?, hashes })
    }
}

impl Totals {
    fn encode(&self, segment: u64, table_check: u32) -> Vec<u8> {
        let mut rest = Vec::with_capacity(FOOTER_HEAD_LEN);
        for number in [table_check, self.blocks, self.frames, 0] {
            rest.extend(number.to_le_bytes());
        }
        rest.extend(self.items.to_le_bytes());
        for stamp in [self.first, self.last, self.bound] {
            rest.extend(stamp.to_bits().to_le_bytes());
        }
        let mut bytes = FOOTER_MAGIC.to_vec();
        bytes.extend(checksum(segment, &[&rest]).to_le_bytes());
        bytes.extend(rest);
        bytes
    }

    /// Reads the head of a footer: its totals and the check of its table.
    pub(crate) fn decode(segment: u64, bytes: &[u8]) -> Result<(Totals, u32), Invalid> {
        let mut fields = Fields(bytes.get(..FOOTER_HEAD_LEN).ok_or(Invalid::Short)?);
        if fields.array()? != FOOTER_MAGIC {
            return Err(Invalid::Magic);
        }
        if fields.u32()? != checksum(segment, &[fields.0]) {
            return Err(Invalid::Checksum);
        }
        let (table_check, blocks, frames, _) = (fields.u32()?, fields.u32()?, fields.u32()?, fields.u32()?);
        let totals = Totals {
            blocks,
            frames,
            items: fields.u64()?,
            first: fields.stamp()?,
            last: fields.stamp()?,
            bound: fields.stamp()?,
        };
        Ok((totals, table_check))
    }
}
