//! By how much two clocks may drift apart.

/// How fast two clocks may gain on each other: 200 parts per million, two clocks within ±100 ppm of true time, unless
/// the configuration says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift {
    /// One part in so many.
    one_in: i64,
}

/// A drift that no pair of clocks in service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two clocks drift apart by 1 to {max} parts per million, not {0}", max = Drift::PPM_MAX)]
pub struct DriftError(u32);

impl Drift {
    /// Clocks that drift apart faster are broken.
    pub const PPM_MAX: u32 = 1_000;

    /// Two clocks that gain on each other by so many parts per million at most.
    ///
    /// # Errors
    /// Where that is nothing, or more than [`Drift::PPM_MAX`].
    pub fn of_ppm(ppm: u32) -> Result<Drift, DriftError> {
        if !(1..=Drift::PPM_MAX).contains(&ppm) {
            return Err(DriftError(ppm));
        }
        // Each may be off by half of it, one fast and one slow: by a little more, then, than their difference. With 200:
        // 1.0001 / 0.9999, one part in 4,999.5.
        Ok(Drift { one_in: 998_000 / i64::from(ppm) })
    }

    /// By how much two clocks can drift apart in this time; both in nanoseconds.
    pub(crate) fn within(self, ns: i64) -> i64 {
        ns.saturating_abs() / self.one_in + 1
    }
}

impl Default for Drift {
    fn default() -> Drift {
        Drift { one_in: 4_990 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_allows_for_one_clock_fast_and_one_slow() {
        assert_eq!(Drift::of_ppm(200), Ok(Drift::default()));
        for ppm in [1, 7, 200, Drift::PPM_MAX] {
            let half = f64::from(ppm) / 2e6;
            let hour = 3_600_000_000_000_i64;
            let apart = hour as f64 * ((1.0 + half) / (1.0 - half) - 1.0);
            let allowed = Drift::of_ppm(ppm).expect("a drift").within(hour) as f64;
            assert!((apart..apart * 1.01).contains(&allowed), "{ppm}: {allowed} {apart}");
        }
        for ppm in [0, Drift::PPM_MAX + 1] {
            assert!(Drift::of_ppm(ppm).is_err(), "{ppm}");
        }
    }
}
