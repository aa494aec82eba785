//! Compression undone, lines and frames of bounded length.

use std::io::{self, BufRead, BufReader, Read};

use crate::request::ImportError;

/// A longer line, frame or element is given up: it is no telemetry, and would fill the memory.
pub(crate) const PIECE_BYTES_MAX: usize = 64 << 20;

/// How much of a file is looked at to find out its format.
const BEGINNING_BYTES: usize = 64 << 10;

/// A file being read, its compression undone.
pub(crate) struct Input<'a> {
    reader: BufReader<Box<dyn Read + 'a>>,
    /// How many lines were begun.
    line: u64,
    /// How many bytes were taken.
    offset: u64,
}

/// A piece of a file: a line or a frame.
pub(crate) enum Piece {
    /// Its bytes.
    Whole(Vec<u8>),
    /// It was longer than [`PIECE_BYTES_MAX`], and was passed over.
    TooLong,
    /// The file ended within it.
    Torn,
}

impl<'a> Input<'a> {
    /// Undoes gzip and zstd, by their magic numbers.
    pub(crate) fn open(file: impl Read + 'a) -> Result<Input<'a>, ImportError> {
        let mut reader = BufReader::with_capacity(BEGINNING_BYTES, file);
        let magic = fill(&mut reader)?;
        let reader: Box<dyn Read + 'a> = match magic {
            [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                Box::new(zstd::stream::read::Decoder::with_buffer(reader).map_err(ImportError::Read)?)
            }
            _ => Box::new(reader),
        };
        Ok(Input { reader: BufReader::with_capacity(BEGINNING_BYTES, reader), line: 0, offset: 0 })
    }

    /// The first bytes, without taking them.
    pub(crate) fn beginning(&mut self) -> Result<&[u8], ImportError> {
        fill(&mut self.reader)
    }

    /// The number of the line read last, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// How many bytes were taken, after decompression.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next line without its end; `None` at the end of the file.
    pub(crate) fn next_line(&mut self) -> Result<Option<Piece>, ImportError> {
        let mut line = Vec::new();
        let limit = PIECE_BYTES_MAX as u64 + 1;
        let taken =
            self.reader.by_ref().take(limit).read_until(b'\n', &mut line).map_err(ImportError::Read)?;
        if taken == 0 {
            return Ok(None);
        }
        self.line += 1;
        self.offset += taken as u64;
        if line.last() == Some(&b'\n') {
            line.pop();
            line.pop_if(|byte| *byte == b'\r');
        } else if line.len() > PIECE_BYTES_MAX {
            self.offset += self.reader.skip_until(b'\n').map_err(ImportError::Read)? as u64;
            return Ok(Some(Piece::TooLong));
        }
        Ok(Some(Piece::Whole(line)))
    }

    /// The next frame: four bytes of length, most significant first, then so many bytes.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Piece>, ImportError> {
        let mut length = [0; 4];
        match self.take_exact(&mut length)? {
            0 => return Ok(None),
            4 => {}
            _ => return Ok(Some(Piece::Torn)),
        }
        let length = u64::from(u32::from_be_bytes(length));
        if length > PIECE_BYTES_MAX as u64 {
            let passed = io::copy(&mut self.reader.by_ref().take(length), &mut io::sink())
                .map_err(ImportError::Read)?;
            self.offset += passed;
            return Ok(Some(Piece::TooLong));
        }
        let mut frame = Vec::new();
        self.reader.by_ref().take(length).read_to_end(&mut frame).map_err(ImportError::Read)?;
        self.offset += frame.len() as u64;
        let whole = frame.len() as u64 == length;
        Ok(Some(if whole { Piece::Whole(frame) } else { Piece::Torn }))
    }

    /// The rest of the file, if it is no longer than [`PIECE_BYTES_MAX`].
    pub(crate) fn rest(&mut self) -> Result<Piece, ImportError> {
        let mut rest = Vec::new();
        let limit = PIECE_BYTES_MAX as u64 + 1;
        self.reader.by_ref().take(limit).read_to_end(&mut rest).map_err(ImportError::Read)?;
        self.offset += rest.len() as u64;
        Ok(if rest.len() > PIECE_BYTES_MAX { Piece::TooLong } else { Piece::Whole(rest) })
    }

    fn take_exact(&mut self, buffer: &mut [u8]) -> Result<usize, ImportError> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.reader.read(rest).map_err(ImportError::Read)? {
                0 => break,
                taken => filled += taken,
            }
        }
        self.offset += filled as u64;
        Ok(filled)
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.reader.read(buffer)?;
        self.offset += taken as u64;
        Ok(taken)
    }
}

fn fill(reader: &mut impl BufRead) -> Result<&[u8], ImportError> {
    reader.fill_buf().map_err(ImportError::Read)
}
