//! Which of the clock evidence that an archive keeps a timeline rests on.

use timeline::clocks::ClockEvidence;
use timeline::document::Incompleteness;
use timeline::record::{Body, Record};
use timeline::time::Time;

use crate::archive::{Archive, ArchiveError, Effort, Window};

/// How long before and after its records a timeline looks for evidence, in nanoseconds: the shortest that finds enough.
const MARGINS_NS: [u64; 3] = [60_000_000_000, 8 * 60_000_000_000, 64 * 60_000_000_000];

/// So many messages are enough.
const MESSAGES_ENOUGH: usize = 2048;

/// Records lie in so many stretches of time at most; beyond, the shortest pauses between them are part of a stretch.
const STRETCHES_MAX: usize = 8;

/// Later times say nothing: 2200-01-01.
const LATEST: Time = Time(7_258_118_400_000_000_000);

/// Evidence, and why it may lack something.
#[derive(Default)]
pub(super) struct Evidence {
    pub(super) clocks: ClockEvidence,
    pub(super) reasons: Vec<Incompleteness>,
}

/// The evidence around the times of `records`.
pub(super) fn around<A: Archive>(
    archive: &A,
    records: &[Record],
    effort: &Effort,
) -> Result<Evidence, ArchiveError> {
    let mut times: Vec<Time> = records.iter().flat_map(times).collect();
    times.sort_unstable();
    times.dedup();
    let mut found = Evidence::default();
    for margin in MARGINS_NS {
        found = Evidence::default();
        for window in stretches(&times, margin) {
            let proven = archive.clocks(window, effort)?;
            found.clocks.merge(&proven.evidence);
            found.reasons.extend(proven.reasons);
        }
        if found.clocks.len() >= MESSAGES_ENOUGH {
            break;
        }
    }
    Ok(found)
}

fn times(record: &Record) -> impl Iterator<Item = Time> {
    let end = match &record.body {
        Body::Span(span) => Some(span.end),
        Body::Log(_) => None,
    };
    std::iter::once(record.time()).chain(end).filter(|time| time.is_set() && *time < LATEST)
}

/// The stretches in which these times, sorted, lie, and so much before and after.
fn stretches(times: &[Time], margin: u64) -> Vec<Window> {
    let mut pauses: Vec<u64> = times.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    pauses.sort_unstable_by(|a, b| b.cmp(a));
    let longest_within = pauses.get(STRETCHES_MAX - 1).copied().unwrap_or_default().max(2 * margin);
    let together = |a: &Time, b: &Time| b.0 - a.0 <= longest_within;
    times
        .chunk_by(together)
        .map(|stretch| {
            let (first, last) = (stretch[0], stretch[stretch.len() - 1]);
            let until = last.0.saturating_add(margin).saturating_add(1);
            Window { since: Some(Time(first.0.saturating_sub(margin))), until: Some(Time(until)) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans_of(seconds: &[u64], margin: u64) -> Vec<(u64, u64)> {
        let times: Vec<Time> = seconds.iter().map(|s| Time(s * 1_000_000_000)).collect();
        let bounds = |window: Window| {
            let seconds = |time: Option<Time>| time.expect("closed").0 / 1_000_000_000;
            (seconds(window.since), seconds(window.until))
        };
        stretches(&times, margin * 1_000_000_000).into_iter().map(bounds).collect()
    }

    #[test]
    fn records_far_apart_are_stretches_of_their_own_and_there_are_few() {
        assert_eq!(spans_of(&[], 60), []);
        assert_eq!(spans_of(&[1_000, 1_100, 9_000], 60), [(940, 1_160), (8_940, 9_060)]);
        let many: Vec<u64> = (0..100).map(|n| 10_000 + n * n * 1_000).collect();
        let stretches = spans_of(&many, 60);
        assert!(stretches.len() <= STRETCHES_MAX, "{stretches:?}");
        let covered = |second: &u64| stretches.iter().any(|(from, to)| from <= second && second <= to);
        assert!(many.iter().all(covered));
    }
}
