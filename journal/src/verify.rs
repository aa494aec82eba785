//! The full check: every byte of every segment that a reader may trust.

use crate::format::frame::{ANNOTATION, Frame, Remark};
use crate::format::segment::Footer;
use crate::otlp::Encoding;
use crate::reader::{ReadError, Reader};
use crate::repeats::hash_parts;
use crate::segment::{Damage, Depth, FIRST_BLOCK, Fault, Segment, Step, Walk};

/// What a full check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Segments held.
    pub segments: u64,
    /// Whole blocks.
    pub blocks: u64,
    /// Requests in whole blocks.
    pub frames: u64,
    /// Annotations in whole blocks: one stands in every segment begun since it was written.
    pub annotations: u64,
    /// Items kept.
    pub items: u64,
    /// Items refused at intake, which stay refused.
    pub refused: u64,
    /// Bytes checked.
    pub bytes: u64,
    /// All that is not whole, in the order of places.
    pub damages: Vec<Damage>,
}

impl Reader {
    /// Checks all that is held, calling `progress` with the bytes checked and their total now and then. Beside
    /// a running writer it checks what is durable as it comes to it.
    pub fn verify(&self, mut progress: impl FnMut(u64, u64)) -> Result<Verified, ReadError> {
        let infos = self.segments()?;
        let total: u64 = infos.iter().map(|info| info.bytes).sum();
        let mut verified = Verified::default();
        let dropped = self.dropped()?;
        let mut before = None;
        for info in &infos {
            let missing = before.map_or(info.number, |before| before + 1)..info.number;
            let missing = missing.filter(|number| !dropped.contains(number));
            let missing = missing.map(|number| Damage::new(number, 0, 0, "the segment is missing"));
            verified.damages.extend(missing);
            before = Some(info.number);
            let done = verified.bytes;
            let step = |verified: &Verified| progress(verified.bytes, total);
            match self.verify_segment(info.number, &mut verified, step) {
                // Retention was faster.
                Err(ReadError::Gone(_)) => continue,
                other => other?,
            }
            verified.segments += 1;
            verified.bytes = done + info.bytes;
        }
        progress(total, total);
        Ok(verified)
    }

    fn verify_segment(
        &self,
        number: u64,
        verified: &mut Verified,
        mut progress: impl FnMut(&Verified),
    ) -> Result<(), ReadError> {
        let failed = |source| ReadError::Io { segment: number, source };
        let mut walk = self.walk(number, FIRST_BLOCK, Depth::Payloads)?;
        if let Err(Fault::Invalid(invalid)) = walk.segment.header() {
            let what = format!("the segment's header: {invalid}");
            verified.damages.push(Damage::new(number, 0, FIRST_BLOCK, &what));
        }
        let begun = verified.bytes;
        let mut index = Footer::default();
        loop {
            match walk.step().map_err(failed)? {
                Step::Block { offset, header, stored } => {
                    index.push(offset, &header);
                    verified.blocks += 1;
                    let frames = header.frames(number, stored.clone());
                    let read = frames.and_then(|frames| Ok((frames, header.remarks(number, stored)?)));
                    match read {
                        Ok((frames, remarks)) => {
                            verified.take_block(&frames, &header.hashes, number, offset);
                            verified.take_remarks(&remarks, &header.hashes, number, offset);
                        }
                        Err(invalid) => {
                            let what = invalid.to_string();
                            verified.damages.push(Damage::new(number, offset, walk.at, &what));
                        }
                    }
                }
                Step::Damaged(damage) => verified.damages.push(damage),
                Step::Sealed | Step::Limit | Step::Torn => break,
            }
            verified.bytes = begun + walk.at;
            progress(verified);
        }
        let over = self.end()?.segment > number || walk.segment.footer_at().is_ok();
        if over {
            verified.take_footer(&walk, &index).map_err(failed)?;
        }
        Ok(())
    }
}

impl Verified {
    fn take_block(&mut self, frames: &[Frame], hashes: &[u128], segment: u64, offset: u64) {
        self.frames += frames.len() as u64;
        for (frame, expected) in frames.iter().zip(hashes) {
            let refused = frame.refused.len() as u64;
            self.refused += refused;
            self.items += u64::from(frame.items).saturating_sub(refused);
            let (signal, encoding) = (frame.signal as u8, frame.encoding as u8);
            if hash_parts(signal, encoding, &frame.tenant, &frame.body) != *expected {
                let what = "a frame's hash is not that of its body";
                self.damages.push(Damage::new(segment, offset, offset, what));
            }
        }
    }

    fn take_remarks(&mut self, remarks: &[Remark], hashes: &[u128], segment: u64, offset: u64) {
        self.annotations += remarks.len() as u64;
        for (remark, expected) in remarks.iter().zip(hashes) {
            let own = hash_parts(ANNOTATION, Encoding::Json as u8, "", &remark.body);
            if own != *expected || remark.annotation().is_none() {
                let what = "an annotation is not what was written";
                self.damages.push(Damage::new(segment, offset, offset, what));
            }
        }
    }

    /// Holds the footer of a sealed segment against the blocks that were found.
    fn take_footer(&mut self, walk: &Walk, index: &Footer) -> std::io::Result<()> {
        let Walk { segment: Segment { number, .. }, at, limit, .. } = *walk;
        let what = match walk.segment.footer() {
            Ok(footer) if footer == *index => return Ok(()),
            Ok(_) => "the footer speaks of other blocks than the segment holds",
            // The walk came across it.
            Err(Fault::Invalid(_)) if Damage::ends(&self.damages, number, limit) => return Ok(()),
            Err(Fault::Invalid(_)) => "the segment's footer is not whole",
            Err(Fault::Io(error)) => return Err(error),
        };
        self.damages.push(Damage::new(number, at, limit, what));
        Ok(())
    }
}
