//! Stretches in which nothing that is shown happened. Silence is no gap by itself: it is said who was waiting.

use timeline::document::EventKind;
use timeline::record::SpanKind;

use crate::told::Told;

/// A silence is at least this share of the timeline: one part in so many.
const SHARE: i128 = 10;

/// A silence is never shorter than this, in nanoseconds.
const SHORTEST_NS: i128 = 10_000_000;

/// Nothing that is shown happened for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The row after it.
    pub row: usize,
    /// How long it was, on the reference clock.
    pub ns: i128,
    /// The start of the call that was waiting for an answer all the while, by its place in the list.
    pub waiting: Option<usize>,
}

/// The silences between `rows`.
pub(super) fn silences(told: &Told, rows: &[usize]) -> Vec<Silence> {
    let Some(range) = told.document.range else { return Vec::new() };
    let least = (range.end.since(range.start) / SHARE).max(SHORTEST_NS);
    let corrected = |at: usize| told.event(at).map(|event| event.corrected);
    let mut silences = Vec::new();
    // Unordered times may step back: silence begins at the latest moment so far.
    let mut latest = None;
    for (row, at) in rows.iter().enumerate() {
        let Some(now) = corrected(*at) else { continue };
        let before = latest.unwrap_or(now);
        if now.since(before) >= least && row > 0 {
            let waiting = waiting(told, rows[row - 1], *at);
            silences.push(Silence { row, ns: now.since(before), waiting });
        }
        latest = Some(before.max(now));
    }
    silences
}

/// The last call that began at or before place `before` and was not answered before place `after`.
fn waiting(told: &Told, before: usize, after: usize) -> Option<usize> {
    (0..=before).rev().find(|at| {
        let call = told.event(*at).is_some_and(|event| {
            event.kind == EventKind::SpanStart && event.span_kind == Some(SpanKind::Client)
        });
        call && told.other_end(*at).is_some_and(|end| end >= after)
    })
}
