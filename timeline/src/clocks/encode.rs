//! The bytes of evidence: a version, the readers, the messages; numbers as LEB128, signed ones zigzag first.

use std::collections::HashMap;

use super::evidence::{BUCKET_NS, Cell, ClockEvidence, ClockKey, ProcessId, Reader, Tightest};
use crate::time::Time;

/// The first byte.
const VERSION: u8 = 1;

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
        // A process's place among the readers, from 1; 0 for the collector.
        let numbers: HashMap<ProcessId, u64> = self.readers.keys().copied().zip(1..).collect();
        let number_of = |id: ProcessId| numbers.get(&id).copied().unwrap_or_default();
        put_number(&mut out, self.cells.len() as u64);
        for (cell, tightest) in &self.cells {
            put_number(&mut out, number_of(cell.from));
            put_number(&mut out, number_of(cell.to));
            put_number(&mut out, tightest.sent.0);
            put_number(&mut out, zigzag(tightest.difference_ns));
        }
        out
    }

    /// The evidence with these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<ClockEvidence, DecodeError> {
        let (version, rest) = bytes.split_first().ok_or(DecodeError::Damaged)?;
        if *version != VERSION {
            return Err(DecodeError::Version(*version));
        }
        let mut bytes = Bytes(rest);
        let evidence = bytes.evidence().ok_or(DecodeError::Damaged)?;
        if bytes.0.is_empty() { Ok(evidence) } else { Err(DecodeError::Damaged) }
    }
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
    put_number(out, reader.span_quantum_ns);
    put_number(out, reader.log_quantum_ns);
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

impl Bytes<'_> {
    fn evidence(&mut self) -> Option<ClockEvidence> {
        let mut evidence = ClockEvidence::default();
        let mut ids = vec![ProcessId::COLLECTOR];
        for _ in 0..self.number()? {
            let id = self.id()?;
            let reader = self.reader()?;
            evidence.add_reader(id, &reader);
            ids.push(id);
        }
        for _ in 0..self.number()? {
            let [from, to] = [self.number()?, self.number()?];
            let [from, to] = [*ids.get(usize::try_from(from).ok()?)?, *ids.get(usize::try_from(to).ok()?)?];
            let sent = Time(self.number()?);
            let zigzag = self.number()?;
            let difference_ns = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
            let tightest = Tightest { difference_ns, sent };
            evidence.add_message(cell(from, to, tightest), tightest);
        }
        Some(evidence)
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
        })
    }

    fn take(&mut self, len: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn id(&mut self) -> Option<ProcessId> {
        self.take(16)?.try_into().ok().map(ProcessId)
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

    fn text(&mut self) -> Option<String> {
        let len = usize::try_from(self.number()?).ok()?;
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

/// The cell that a message falls into.
fn cell(from: ProcessId, to: ProcessId, message: Tightest) -> Cell {
    Cell { from, to, sent: message.sent.0 / BUCKET_NS, received: message.received().0 / BUCKET_NS }
}
