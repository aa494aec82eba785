//! The file: frames of zstd, each with whole lines of JSON, then a frame that decompressors skip, with a hash of all before.
//!
//! `zstd -dc FILE` prints the lines: the manifest, then resources, scopes and records.

use std::collections::HashMap;
use std::io::Read as _;
use std::ops::Range;
use std::sync::Arc;

use timeline::record::{Record, Resource, Scope};
use xxhash_rust::xxh3::xxh3_128;
use zstd::zstd_safe;

use super::codec::{Line, RecordLine, ResourceLine, ScopeLine};
use super::manifest::Manifest;
use super::{Bundle, BundleError};

/// A frame is closed once its lines have so many bytes.
const FRAME_BYTES: usize = 1 << 20;
/// A frame that holds more was not made by this program.
const FRAME_BYTES_MAX: u64 = 256 << 20;
/// A bundle that holds more cannot be held in memory.
const LINES_BYTES_MAX: u64 = 4 << 30;
/// How hard zstd tries.
const LEVEL: i32 = 9;

const FRAME_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A skippable frame of zstd's format, and the length of what it holds.
const END_MAGIC: [u8; 8] = [0x5b, 0x2a, 0x4d, 0x18, 24, 0, 0, 0];
const END_NAME: [u8; 8] = *b"BACKSTRY";
const END_BYTES: usize = END_MAGIC.len() + END_NAME.len() + 16;

/// Writes a bundle. The same bundle gives the same bytes.
pub(super) fn write(bundle: &Bundle) -> Result<Vec<u8>, BundleError> {
    let mut out = Frames::default();
    let mut resources: HashMap<u128, usize> = HashMap::new();
    let mut scopes: HashMap<u128, usize> = HashMap::new();
    let mut lines = Vec::new();
    for record in &bundle.records {
        let (next_resource, next_scope) = (resources.len(), scopes.len());
        let resource = *resources.entry(record.resource.digest()).or_insert_with(|| {
            lines.push(Line::Resource(ResourceLine::of(&record.resource)));
            next_resource
        });
        let scope = *scopes.entry(record.scope.digest()).or_insert_with(|| {
            lines.push(Line::Scope(ScopeLine::of(&record.scope)));
            next_scope
        });
        lines.push(Line::Record(Box::new(RecordLine::of(record, resource, scope))));
    }
    out.add(&Manifest::of(bundle))?;
    lines.iter().try_for_each(|line| out.add(line))?;
    out.finish()
}

#[derive(Default)]
struct Frames {
    written: Vec<u8>,
    lines: Vec<u8>,
}

impl Frames {
    fn add(&mut self, line: &impl serde::Serialize) -> Result<(), BundleError> {
        serde_json::to_writer(&mut self.lines, line).map_err(|error| BundleError::Write(error.into()))?;
        self.lines.push(b'\n');
        if self.lines.len() >= FRAME_BYTES { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), BundleError> {
        let mut encoder =
            zstd::stream::write::Encoder::new(&mut self.written, LEVEL).map_err(BundleError::Write)?;
        encoder.include_checksum(true).map_err(BundleError::Write)?;
        std::io::Write::write_all(&mut encoder, &self.lines).map_err(BundleError::Write)?;
        encoder.finish().map_err(BundleError::Write)?;
        self.lines.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>, BundleError> {
        if !self.lines.is_empty() {
            self.close()?;
        }
        let hash = xxh3_128(&self.written);
        self.written.extend(END_MAGIC);
        self.written.extend(END_NAME);
        self.written.extend(hash.to_le_bytes());
        Ok(self.written)
    }
}

/// These lines as a file whose hash agrees, whatever they say.
#[cfg(test)]
pub(super) fn sealed(lines: &[u8]) -> Result<Vec<u8>, BundleError> {
    Frames { lines: lines.to_vec(), ..Frames::default() }.finish()
}

/// Whether the bytes begin as a bundle does, or any file of zstd's.
pub(super) fn begins_as_bundle(bytes: &[u8]) -> bool {
    bytes.starts_with(&FRAME_MAGIC)
}

/// Reads a bundle that is whole; anything that is wrong with it is an error.
pub(super) fn read(bytes: &[u8]) -> Result<Bundle, BundleError> {
    if !begins_as_bundle(bytes) {
        return Err(BundleError::NoBundle);
    }
    let frames = unharmed(bytes).map_err(BundleError::Damaged)?;
    let mut reading = Reading::default();
    each_frame(frames, &mut |frame| {
        let lines = frame.lines.map_err(BundleError::Damaged)?;
        reading.lines(&lines, &mut |_, wrong| Err(wrong))
    })?;
    reading.finish()
}

/// All that is wrong with a file, one sentence each, and how many records are whole in it.
pub(super) fn verify(bytes: &[u8]) -> (Vec<String>, usize) {
    let mut damages = Vec::new();
    if !begins_as_bundle(bytes) {
        damages.push("it does not begin as a bundle does".to_owned());
    }
    let frames = match unharmed(bytes) {
        Ok(frames) => frames,
        Err(damage) => {
            damages.push(damage);
            bytes
        }
    };
    let mut reading = Reading::default();
    let visited = each_frame(frames, &mut |frame| {
        let place = format!("bytes {} to {}", frame.bytes.start, frame.bytes.end);
        match frame.lines {
            Err(damage) => damages.push(format!("{place}: {damage}")),
            Ok(lines) => reading.lines(&lines, &mut |number, wrong| {
                damages.push(format!("{place}, line {number} in them: {wrong}"));
                Ok(())
            })?,
        }
        Ok(())
    });
    damages.extend(visited.err().map(|error| error.to_string()));
    let whole = reading.records.len();
    damages.extend(reading.finish().err().map(|error| error.to_string()));
    (damages, whole)
}

/// The frames in front of the end, whose hash agrees.
fn unharmed(bytes: &[u8]) -> Result<&[u8], String> {
    let (frames, end) = bytes
        .len()
        .checked_sub(END_BYTES)
        .map(|at| bytes.split_at(at))
        .ok_or("it ends early: not even its end mark is there")?;
    let (mark, hash) = end.split_at(END_MAGIC.len() + END_NAME.len());
    if mark != [END_MAGIC, END_NAME].concat() {
        return Err("it ends early, or something was added to it: its end mark is not there".to_owned());
    }
    if hash != xxh3_128(frames).to_le_bytes() {
        return Err("its bytes were changed: its hash is another".to_owned());
    }
    Ok(frames)
}

/// One frame of a file.
struct Frame {
    bytes: Range<usize>,
    lines: Result<Vec<u8>, String>,
}

/// Calls `visit` with every frame, and with every stretch that is none.
fn each_frame(
    bytes: &[u8],
    visit: &mut dyn FnMut(Frame) -> Result<(), BundleError>,
) -> Result<(), BundleError> {
    let mut at = 0;
    let mut left = LINES_BYTES_MAX;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let lines = match zstd_safe::find_frame_compressed_size(rest) {
            Ok(length) if rest.starts_with(&FRAME_MAGIC) => {
                decompressed(&rest[..length]).map(|lines| (lines, length))
            }
            _ => Err("it is no whole frame of zstd's".to_owned()),
        };
        let end = match &lines {
            Ok((lines, length)) => {
                left = left.checked_sub(lines.len() as u64).ok_or(BundleError::TooLarge)?;
                at + length
            }
            // The next frame may be whole.
            Err(_) => rest[1..]
                .windows(FRAME_MAGIC.len())
                .position(|window| window == FRAME_MAGIC)
                .map_or(bytes.len(), |skipped| at + 1 + skipped),
        };
        visit(Frame { bytes: at..end, lines: lines.map(|(lines, _)| lines) })?;
        at = end;
    }
    Ok(())
}

fn decompressed(frame: &[u8]) -> Result<Vec<u8>, String> {
    let mut lines = Vec::new();
    let decoder = zstd::stream::read::Decoder::with_buffer(frame);
    let read =
        decoder.and_then(|decoder| decoder.single_frame().take(FRAME_BYTES_MAX + 1).read_to_end(&mut lines));
    match read {
        Err(error) => Err(format!("its compression is damaged ({error})")),
        Ok(length) if length as u64 > FRAME_BYTES_MAX => Err("it holds more than a frame may".to_owned()),
        Ok(_) => Ok(lines),
    }
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    manifest: Option<Manifest>,
    resources: Vec<Arc<Resource>>,
    scopes: Vec<Arc<Scope>>,
    records: Vec<Record>,
}

impl Reading {
    /// Takes the lines of a frame; what is wrong with one goes to `wrong` with its number in the frame, which says whether to
    /// go on.
    fn lines(
        &mut self,
        lines: &[u8],
        wrong: &mut dyn FnMut(usize, BundleError) -> Result<(), BundleError>,
    ) -> Result<(), BundleError> {
        let whole = lines.strip_suffix(b"\n").unwrap_or(lines);
        for (number, line) in (1..).zip(whole.split(|byte| *byte == b'\n')) {
            if let Err(error) = self.line(line) {
                wrong(number, error)?;
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), BundleError> {
        if self.manifest.is_none() && self.records.is_empty() && self.resources.is_empty() {
            self.manifest = Some(Manifest::read(line)?);
            return Ok(());
        }
        let damaged = |error: &dyn std::fmt::Display| BundleError::Damaged(error.to_string());
        match serde_json::from_slice(line).map_err(|error| damaged(&error))? {
            Line::Resource(line) => {
                self.resources.push(Arc::new(line.resource().map_err(|error| damaged(&error))?));
            }
            Line::Scope(line) => self.scopes.push(Arc::new(line.scope().map_err(|error| damaged(&error))?)),
            Line::Record(line) => {
                let record = line.record(&self.resources, &self.scopes);
                self.records.push(record.map_err(|error| damaged(&error))?);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Bundle, BundleError> {
        let manifest =
            self.manifest.ok_or_else(|| BundleError::Damaged("its manifest is not there".to_owned()))?;
        match manifest.lacks(&self.records) {
            Some(lack) => Err(BundleError::Damaged(lack)),
            None => manifest.bundle(self.records),
        }
    }
}
