//! What of a service can be judged, what can't and why, and the one setting that would unlock more.
//!
//! | file          | what it alone knows                                                       |
//! |---------------|---------------------------------------------------------------------------|
//! | `needs.rs`    | which aspects of telemetry each kind of finding rests on                   |
//! | `remedies.rs` | what to set, in which language, so that an aspect is there                 |
//! | `details.rs`  | one line on each aspect, for a person                                      |
//!
//! All of it follows from counts: [`crate::survey`] makes them, [`diagnose`] reads them.

mod details;
mod needs;
mod remedies;
#[cfg(test)]
mod tests;

use crate::document::{Aspect, Check, Judgeable, Judged, Presence, Remedy};

/// What is known of one service's telemetry.
pub(crate) struct Chart {
    /// `telemetry.sdk.language`.
    pub(crate) language: Option<String>,
    /// Instrumentation scopes.
    pub(crate) libraries: Vec<String>,
    /// An entity type to speak of in advice: the one that most records name.
    pub(crate) thing: String,
    /// What was looked for, in the order of [`Aspect::ALL`].
    pub(crate) checks: Vec<Check>,
}

impl Chart {
    fn presence(&self, aspect: Aspect) -> Presence {
        let check = self.checks.iter().find(|check| check.name == aspect);
        check.map_or(Presence::NotApplicable, |check| check.state)
    }
}

/// How much of something there is, of `of` that could carry it.
pub(crate) fn presence(seen: u64, of: u64) -> Presence {
    match (seen, of) {
        (_, 0) => Presence::NotApplicable,
        (0, _) => Presence::Absent,
        (seen, of) if seen.saturating_mul(10) >= of.saturating_mul(9) => Presence::Present,
        _ => Presence::Partial,
    }
}

pub(crate) use details::detail;

/// Every kind of finding, and whether the service's part in it can be judged.
pub(crate) fn judgeable(chart: &Chart) -> Vec<Judgeable> {
    needs::judge_all(|aspect| chart.presence(aspect))
}

/// What unlocks most: the aspect whose presence makes most kinds judgeable that are not, then most that are partly;
/// where no single one does, the one that most kinds lack.
pub(crate) fn next(chart: &Chart) -> Option<Remedy> {
    let now = judgeable(chart);
    let rank = |aspect: Aspect| {
        let then =
            needs::judge_all(|other| if other == aspect { Presence::Present } else { chart.presence(other) });
        let better = |from: Judged| {
            let pairs = now.iter().zip(&then);
            let improved = pairs.filter(move |(now, then)| now.judged == from && then.judged < from);
            improved.map(|(now, _)| now.kind).collect::<Vec<_>>()
        };
        let (unlocked, completed) = (better(Judged::No), better(Judged::Partly));
        let lacking = now.iter().filter(|one| one.lacks.contains(&aspect)).count();
        let score = (unlocked.len(), completed.len(), lacking);
        (score, unlocked.into_iter().chain(completed).collect::<Vec<_>>())
    };
    let missing = |aspect: &Aspect| match chart.presence(*aspect) {
        Presence::Absent => true,
        // A stream that nobody calls sampled is as whole as a setting can make it.
        Presence::Partial => *aspect != Aspect::Whole,
        Presence::Present | Presence::NotApplicable => false,
    };
    let candidates = Aspect::ALL.into_iter().filter(missing);
    let remedied = candidates.filter_map(|aspect| {
        let (score, unlocks) = rank(aspect);
        Some((score, remedies::remedy(chart, aspect, unlocks)?))
    });
    // Of equal ones the first of the order stands: it is what others rest on.
    remedied.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, remedy)| remedy)
}
