//! Which bodies came in the last hour, so that what a sender sends again is not written again.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use crate::format::frame::ANNOTATION;
use crate::otlp::Encoding;
use crate::request::{Content, Place};

/// A body is recognised for at least so long after it was last written, or after the journal was opened.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(3600);
/// How many bodies are remembered at most: about 100 MB. Past it the oldest are forgotten early.
const REMEMBERED_MAX: usize = 4 << 20;
/// Bodies are forgotten in lots of this age.
const LOT_NS: u64 = 20 * 60 * 1_000_000_000;

/// The hash by which a request is recognised: of its body, seeded by signal, encoding and tenant.
pub(crate) fn hash(content: &Content) -> u128 {
    match content {
        Content::Request(request) => {
            hash_parts(request.signal as u8, request.encoding as u8, &request.tenant, &request.body)
        }
        Content::Annotation { body, .. } => hash_parts(ANNOTATION, Encoding::Json as u8, "", body),
    }
}

/// [`hash`] from its parts.
pub(crate) fn hash_parts(signal: u8, encoding: u8, tenant: &str, body: &[u8]) -> u128 {
    let mut seed = vec![signal, encoding];
    seed.extend(tenant.as_bytes());
    xxh3_128_with_seed(body, xxh3_64(&seed))
}

/// The blocks in which bodies stand, by the low half of their hashes. A hit is only a hint: whoever
/// asks compares the bodies, so that no two requests are ever taken for one.
#[derive(Debug)]
pub(crate) struct Repeats {
    lots: VecDeque<Lot>,
    bodies_max: usize,
}

#[derive(Debug)]
struct Lot {
    begun_ns: u64,
    last_ns: u64,
    /// Segment and offset, which fit 32 bits each.
    seen: HashMap<u64, (u32, u32)>,
}

impl Default for Repeats {
    fn default() -> Repeats {
        Repeats { lots: VecDeque::new(), bodies_max: REMEMBERED_MAX }
    }
}

impl Repeats {
    /// The block in which a body with this hash may stand.
    pub(crate) fn get(&self, hash: u128) -> Option<Place> {
        let (segment, offset) = self.lots.iter().rev().find_map(|lot| lot.seen.get(&(hash as u64)))?;
        Some(Place { segment: (*segment).into(), offset: (*offset).into() })
    }

    /// Remembers that bodies with these hashes stand in the block at `place`, by the wall clock at `now_ns`.
    pub(crate) fn remember(&mut self, hashes: &[u128], place: Place, now_ns: u64) {
        let remembered = REMEMBERED.as_nanos() as u64;
        while self.lots.front().is_some_and(|lot| lot.last_ns.saturating_add(remembered) < now_ns) {
            self.lots.pop_front();
        }
        while self.lots.len() > 1 && self.len() + hashes.len() > self.bodies_max {
            self.lots.pop_front();
        }
        let begins = self.lots.back().is_none_or(|lot| {
            lot.begun_ns.saturating_add(LOT_NS) < now_ns || lot.seen.len() >= self.bodies_max / 4
        });
        if begins {
            self.lots.push_back(Lot { begun_ns: now_ns, last_ns: now_ns, seen: HashMap::new() });
        }
        let (Ok(segment), Ok(offset)) = (u32::try_from(place.segment), u32::try_from(place.offset)) else {
            return;
        };
        if let Some(lot) = self.lots.back_mut() {
            lot.last_ns = lot.last_ns.max(now_ns);
            lot.seen.extend(hashes.iter().map(|hash| (*hash as u64, (segment, offset))));
        }
    }

    fn len(&self) -> usize {
        self.lots.iter().map(|lot| lot.seen.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60 * 1_000_000_000;

    fn place(offset: u64) -> Place {
        Place { segment: 1, offset }
    }

    #[test]
    fn a_body_is_remembered_for_an_hour_and_not_for_ever() {
        let mut repeats = Repeats::default();
        for minute in 0..200 {
            repeats.remember(&[u128::from(minute)], place(minute), minute * MINUTE);
            let oldest = (minute + 1).saturating_sub(60);
            assert!((oldest..=minute).all(|m| repeats.get(m.into()) == Some(place(m))), "at minute {minute}");
        }
        assert_eq!(repeats.get(60), None, "it came 140 minutes ago");
        assert!(repeats.lots.len() <= 5);
    }

    #[test]
    fn too_many_bodies_push_out_the_oldest_first() {
        let mut repeats = Repeats { bodies_max: 1_000, ..Repeats::default() };
        let hashes: Vec<u128> = (0..1_500).collect();
        for (number, some) in hashes.chunks(100).enumerate() {
            repeats.remember(some, place(0), number as u64);
            assert!(repeats.len() <= 1_000);
        }
        assert_eq!(repeats.get(0), None);
        assert!(repeats.len() >= 700 && hashes[800..].iter().all(|hash| repeats.get(*hash).is_some()));
    }
}
