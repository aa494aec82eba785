//! The bytes of evidence: a version, the readers, the contested calls, then the messages by time in chunks, each with the
//! buckets that it reaches over, so that who asks about an hour skips the rest. Numbers are LEB128, signed ones zigzag
//! first.

use std::collections::HashMap;

use super::evidence::{Cell, ClockEvidence, ClockKey, Contest, ProcessId, Reader, Stretch, Tightest};
use crate::time::Time;

/// The first byte.
const VERSION: u8 = 2;

/// So many messages are one chunk.
const CHUNK: usize = 256;

/// Bytes that are no evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Another version wrote them.
    #[error(
        "clock evidence has version {0}, this program reads version {VERSION}: rebuild it with `backstory reindex`"
    )]
    Version(u8),
    /// They end early, or say what cannot be.
    #[error("clock evidence is damaged: rebuild it with `backstory reindex`")]
    Damaged,
}

impl ClockEvidence {
    /// Its bytes: equal evidence has equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        put_number(&mut out, self.readers.len() as u64);
        for (id, reader) in &self.readers {
            out.extend(id.0);
            put_reader(&mut out, reader);
        }
        put_number(&mut out, self.contested.len() as u64);
        for (exchange, why) in &self.contested {
            out.extend(exchange.to_le_bytes());
            out.push(u8::from(*why == Contest::Servers));
        }
        // A process's place among those named, from 1; 0 for the collector. Of messages between processes that others
        // tell of, the ids come first.
        let mut numbers: HashMap<ProcessId, u64> = self.readers.keys().copied().zip(1..).collect();
        let unnamed = self.cells.keys().flat_map(|cell| [cell.from, cell.to]);
        let mut unnamed: Vec<ProcessId> =
            unnamed.filter(|id| *id != ProcessId::COLLECTOR && !numbers.contains_key(id)).collect();
        unnamed.sort_unstable();
        unnamed.dedup();
        put_number(&mut out, unnamed.len() as u64);
        unnamed.iter().for_each(|id| out.extend(id.0));
        numbers.extend(unnamed.into_iter().zip(self.readers.len() as u64 + 1..));
        let cells: Vec<(&Cell, &Tightest)> = self.cells.iter().collect();
        put_number(&mut out, cells.len().div_ceil(CHUNK) as u64);
        cells.chunks(CHUNK).for_each(|chunk| put_chunk(&mut out, chunk, &numbers));
        out
    }

    /// The evidence with these bytes.
    ///
    /// # Errors
    /// Where they are of another version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<ClockEvidence, DecodeError> {
        ClockEvidence::from_bytes_within(bytes, None, None)
    }

    /// The same, of which all messages [`within`](ClockEvidence::within) a stretch are read; others may be left out.
    ///
    /// # Errors
    /// As [`ClockEvidence::from_bytes`].
    pub fn from_bytes_within(
        bytes: &[u8],
        since: Option<Time>,
        until: Option<Time>,
    ) -> Result<ClockEvidence, DecodeError> {
        let (version, rest) = bytes.split_first().ok_or(DecodeError::Damaged)?;
        if *version != VERSION {
            return Err(DecodeError::Version(*version));
        }
        let mut bytes = Bytes(rest);
        let evidence = bytes.evidence(Stretch { since, until }).ok_or(DecodeError::Damaged)?;
        if bytes.0.is_empty() { Ok(evidence) } else { Err(DecodeError::Damaged) }
    }
}

/// The buckets that the messages were sent in, and received in; how many there are, and their bytes.
fn put_chunk(out: &mut Vec<u8>, chunk: &[(&Cell, &Tightest)], numbers: &HashMap<ProcessId, u64>) {
    let sent = || chunk.iter().map(|(cell, _)| cell.sent);
    let received = || chunk.iter().map(|(cell, _)| cell.received);
    for bucket in [sent().min(), sent().max(), received().min(), received().max()] {
        put_number(out, bucket.unwrap_or_default());
    }
    put_number(out, chunk.len() as u64);
    let mut bytes = Vec::new();
    let number_of = |id: ProcessId| numbers.get(&id).copied().unwrap_or_default();
    let mut before = 0;
    for (cell, tightest) in chunk {
        put_number(&mut bytes, number_of(cell.from) << 1 | u64::from(cell.answer));
        put_number(&mut bytes, number_of(cell.to));
        put_number(&mut bytes, zigzag(tightest.sent.0.wrapping_sub(before) as i64));
        put_number(&mut bytes, zigzag(tightest.difference_ns));
        if cell.answer {
            put_number(&mut bytes, zigzag(tightest.received().0.wrapping_sub(tightest.began.0) as i64));
        }
        if cell.to != ProcessId::COLLECTOR {
            bytes.extend(tightest.exchange.to_le_bytes());
        }
        before = tightest.sent.0;
    }
    put_number(out, bytes.len() as u64);
    out.extend(bytes);
}

fn put_reader(out: &mut Vec<u8>, reader: &Reader) {
    match &reader.clock {
        ClockKey::Host(host) => {
            out.push(0);
            put_text(out, host);
        }
        ClockKey::Process(id) => {
            out.push(1);
            out.extend(id.0);
        }
    }
    put_text(out, &reader.service);
    for text in [&reader.instance, &reader.host, &reader.version] {
        out.push(u8::from(text.is_some()));
        text.iter().for_each(|text| put_text(out, text));
    }
    for number in [reader.span_quantum_ns, reader.log_quantum_ns, reader.seen.0.0, reader.seen.1.0] {
        put_number(out, number);
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend(text.as_bytes());
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn evidence(&mut self, stretch: Stretch) -> Option<ClockEvidence> {
        let mut evidence = ClockEvidence::default();
        let mut ids = vec![ProcessId::COLLECTOR];
        for _ in 0..self.number()? {
            let id = self.id()?;
            let reader = self.reader()?;
            evidence.add_reader(id, &reader);
            ids.push(id);
        }
        for _ in 0..self.number()? {
            let exchange = self.fixed()?;
            let why = match self.take(1)? {
                [0] => Contest::Senders,
                [1] => Contest::Servers,
                _ => return None,
            };
            evidence.contested.insert((exchange, why));
        }
        for _ in 0..self.number()? {
            ids.push(self.id()?);
        }
        for _ in 0..self.number()? {
            let sent = self.number()?..=self.number()?;
            let received = self.number()?..=self.number()?;
            let (count, len) = (self.number()?, self.length()?);
            let chunk = self.take(len)?;
            let buckets = stretch.buckets();
            let touches = |own: &std::ops::RangeInclusive<u64>| {
                own.start() <= buckets.end() && buckets.start() <= own.end()
            };
            if touches(&sent) || touches(&received) {
                Bytes(chunk).chunk(count, &ids, &mut evidence)?;
            }
        }
        Some(evidence)
    }

    fn chunk(mut self, count: u64, ids: &[ProcessId], evidence: &mut ClockEvidence) -> Option<()> {
        let mut before = 0u64;
        for _ in 0..count {
            let (from, to) = (self.number()?, self.number()?);
            let answer = from & 1 == 1;
            let id = |number: u64| ids.get(usize::try_from(number).ok()?).copied();
            let (from, to) = (id(from >> 1)?, id(to)?);
            let sent = before.wrapping_add(self.signed()? as u64);
            let difference_ns = self.signed()?;
            let took = if answer { self.signed()? as u64 } else { 0 };
            let exchange = if to == ProcessId::COLLECTOR { 0 } else { self.fixed()? };
            let mut tightest = Tightest { difference_ns, sent: Time(sent), began: Time::UNSET, exchange };
            if answer {
                tightest.began = Time(tightest.received().0.wrapping_sub(took));
            }
            evidence.add_message(Cell::of(from, to, answer, tightest), tightest);
            before = sent;
        }
        self.0.is_empty().then_some(())
    }

    fn reader(&mut self) -> Option<Reader> {
        let clock = match self.take(1)? {
            [0] => ClockKey::Host(self.text()?),
            [1] => ClockKey::Process(self.id()?),
            _ => return None,
        };
        Some(Reader {
            clock,
            service: self.text()?,
            instance: self.maybe_text()?,
            host: self.maybe_text()?,
            version: self.maybe_text()?,
            span_quantum_ns: self.number()?.max(1),
            log_quantum_ns: self.number()?.max(1),
            seen: (Time(self.number()?), Time(self.number()?)),
        })
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn id(&mut self) -> Option<ProcessId> {
        self.take(16)?.try_into().ok().map(ProcessId)
    }

    fn fixed(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let zigzag = self.number()?;
        Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn text(&mut self) -> Option<String> {
        let len = self.length()?;
        String::from_utf8(self.take(len)?.to_vec()).ok()
    }

    fn maybe_text(&mut self) -> Option<Option<String>> {
        match self.take(1)? {
            [0] => Some(None),
            [1] => self.text().map(Some),
            _ => None,
        }
    }
}
