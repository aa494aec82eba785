//! Which keys of a list stand in it twice.

use xxhash_rust::xxh3::xxh3_64;

/// The first keys of one list, by a hash: enough to see what a broken sender repeats, at little cost.
#[derive(Default)]
pub(super) struct Keys {
    seen: [u64; Keys::SEEN_MAX],
    count: usize,
}

impl Keys {
    /// Later keys are not looked at: SDKs send a dozen.
    const SEEN_MAX: usize = 32;

    /// Whether `key` stood in the list before.
    #[inline]
    pub(super) fn repeats(&mut self, key: &str) -> bool {
        let hash = xxh3_64(key.as_bytes());
        if self.seen[..self.count].contains(&hash) {
            return true;
        }
        if let Some(place) = self.seen.get_mut(self.count) {
            *place = hash;
            self.count += 1;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_repeats_one_that_stood_before() {
        let mut keys = Keys::default();
        let found: Vec<bool> = ["a", "b", "a", "", "b", ""].iter().map(|key| keys.repeats(key)).collect();
        assert_eq!(found, [false, false, true, false, true, true]);
        let (mut keys, names) = (Keys::default(), (0..100).map(|number| number.to_string()));
        assert!(names.clone().all(|name| !keys.repeats(&name)));
        assert_eq!(names.filter(|name| keys.repeats(name)).count(), Keys::SEEN_MAX);
    }
}
