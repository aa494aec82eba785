//! Content codings, undone within bounds: a few kilobytes of zeros can stand for gigabytes.

use std::io::{BufReader, Read};

use bytes::Bytes;
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};

use crate::budget::Share;
use crate::refusal::Refusal;

/// Bytes are taken from the budget, and inflated, in steps of at least this many.
const STEP_BYTES_MIN: usize = 64 << 10;

/// The largest zstd window, 8 MiB: what RFC 9659 allows in `Content-Encoding: zstd`.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// How a body is coded, in `Content-Encoding` or `grpc-encoding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952, one or more members.
    Gzip,
    /// RFC 1950, which HTTP calls `deflate`.
    Zlib,
    /// RFC 8878, one or more frames.
    Zstd,
}

impl Coding {
    /// The names accepted, as told to clients.
    pub(crate) const NAMES: &'static str = "identity,gzip,deflate,zstd";

    /// The coding named so, in any case; nothing and the empty name mean identity.
    pub(crate) fn named(name: &str) -> Option<Coding> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Coding::Identity),
            "gzip" | "x-gzip" => Some(Coding::Gzip),
            "deflate" | "zlib" => Some(Coding::Zlib),
            "zstd" => Some(Coding::Zstd),
            _ => None,
        }
    }
}

/// Undoes the coding. At most `limit` bytes come out; each of them is first taken from the budget.
/// What remains in `share` afterwards is the plain body alone.
pub(crate) fn inflate(
    coding: Coding,
    packed: Bytes,
    limit: usize,
    share: &mut Share,
) -> Result<Bytes, Refusal> {
    let plain = match coding {
        Coding::Identity => return Ok(packed),
        Coding::Gzip => read_within(MultiGzDecoder::new(&packed[..]), limit, share),
        Coding::Zlib => read_within(ZlibDecoder::new(&packed[..]), limit, share),
        Coding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(BufReader::new(&packed[..]))
                .map_err(|error| broken(&error))?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|error| broken(&error))?;
            read_within(decoder, limit, share)
        }
    }?;
    drop(packed);
    share.shrink_to(plain.len());
    Ok(Bytes::from(plain))
}

fn read_within(mut reader: impl Read, limit: usize, share: &mut Share) -> Result<Vec<u8>, Refusal> {
    let mut plain = Vec::new();
    loop {
        let step = plain.len().max(STEP_BYTES_MIN).min(limit + 1 - plain.len());
        share.grow(step)?;
        let read =
            reader.by_ref().take(step as u64).read_to_end(&mut plain).map_err(|error| broken(&error))?;
        if plain.len() > limit {
            return Err(Refusal::TooLarge { limit });
        }
        if read < step {
            return Ok(plain);
        }
    }
}

fn broken(error: &std::io::Error) -> Refusal {
    Refusal::Malformed(format!("the compressed body can't be read: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;
    use crate::budget::Budget;

    const LIMIT: usize = 1 << 20;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(plain: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(plain: &[u8]) -> Vec<u8> {
        zstd::encode_all(plain, 1).unwrap()
    }

    fn undo(coding: Coding, packed: Vec<u8>) -> Result<Bytes, Refusal> {
        inflate(coding, Bytes::from(packed), LIMIT, &mut Budget::new(usize::MAX).share())
    }

    #[test]
    fn every_coding_gives_back_what_went_in() {
        for size in [0, 1, STEP_BYTES_MIN - 1, STEP_BYTES_MIN, STEP_BYTES_MIN + 1, LIMIT - 1, LIMIT] {
            let plain: Vec<u8> = (0..size).map(|i| (i * i / 7) as u8).collect();
            assert_eq!(undo(Coding::Identity, plain.clone()).unwrap(), plain);
            assert_eq!(undo(Coding::Gzip, gzip(&plain)).unwrap(), plain);
            assert_eq!(undo(Coding::Zlib, zlib(&plain)).unwrap(), plain);
            assert_eq!(undo(Coding::Zstd, zstd(&plain)).unwrap(), plain);
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit_and_at_the_budget() {
        let plain = vec![0; 64 * LIMIT];
        for (coding, bomb) in
            [(Coding::Gzip, gzip(&plain)), (Coding::Zlib, zlib(&plain)), (Coding::Zstd, zstd(&plain))]
        {
            assert!(bomb.len() < LIMIT);
            let refusal = undo(coding, bomb.clone()).unwrap_err();
            assert!(matches!(refusal, Refusal::TooLarge { limit: LIMIT }), "{refusal}");

            let budget = Budget::new(LIMIT / 4);
            let refusal = inflate(coding, Bytes::from(bomb), LIMIT, &mut budget.share()).unwrap_err();
            assert!(matches!(refusal, Refusal::Busy { .. }), "{refusal}");
            assert_eq!(budget.held(), 0);
        }
    }

    #[test]
    fn gzip_may_have_several_members_but_no_garbage_and_no_missing_end() {
        let two = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(undo(Coding::Gzip, two).unwrap(), "one two");
        let tailed = [gzip(b"one"), b"garbage".to_vec()].concat();
        assert!(matches!(undo(Coding::Gzip, tailed), Err(Refusal::Malformed(_))));
    }

    #[test]
    fn a_cut_body_is_malformed_at_every_length() {
        let plain: Vec<u8> = (0..2000u32).flat_map(|i| (i * i).to_le_bytes()).collect();
        for (coding, whole) in
            [(Coding::Gzip, gzip(&plain)), (Coding::Zlib, zlib(&plain)), (Coding::Zstd, zstd(&plain))]
        {
            for cut in [1, 2, whole.len() / 2, whole.len() - 1] {
                let refusal = undo(coding, whole[..cut].to_vec()).unwrap_err();
                assert!(matches!(refusal, Refusal::Malformed(_)), "{coding:?} cut at {cut}: {refusal}");
            }
        }
    }

    #[test]
    fn a_zstd_window_beyond_the_bound_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&[7; 1000]).unwrap();
        let refusal = undo(Coding::Zstd, encoder.finish().unwrap()).unwrap_err();
        assert!(matches!(refusal, Refusal::Malformed(_)), "{refusal}");
    }

    #[test]
    fn names_are_read_in_any_case() {
        assert_eq!(Coding::named("GZIP"), Some(Coding::Gzip));
        assert_eq!(Coding::named(" identity "), Some(Coding::Identity));
        assert_eq!(Coding::named(""), Some(Coding::Identity));
        assert_eq!(Coding::named("br"), None);
        assert_eq!(Coding::named("gzip, zstd"), None);
        for name in Coding::NAMES.split(',') {
            assert!(Coding::named(name).is_some(), "{name}");
        }
    }
}
