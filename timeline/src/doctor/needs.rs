//! Which aspects of telemetry each kind of finding rests on.

use crate::document::{Aspect, FindingKind, Judgeable, Judged, Presence};

/// What a kind of finding needs of a service that has a part in it.
struct Need {
    kind: FindingKind,
    /// The service has a part in it where one of these applies; always where there are none.
    about: &'static [Aspect],
    /// All of these.
    all: &'static [Aspect],
    /// And of each group one.
    any: &'static [&'static [Aspect]],
}

use Aspect::{
    Commits, Entities, Host, Instance, Intents, Messages, Outcomes, ReadValues, Spans, Versions, Whole,
    WrittenValues,
};

const WRITES: &[Aspect] = &[WrittenValues];
const READS: &[Aspect] = &[ReadValues];

const NEEDS: &[Need] = &[
    Need {
        kind: FindingKind::LostUpdate,
        about: WRITES,
        all: &[Entities, Outcomes],
        any: &[&[WrittenValues, Versions]],
    },
    Need { kind: FindingKind::StaleRead, about: READS, all: &[Entities], any: &[&[ReadValues, Versions]] },
    Need {
        kind: FindingKind::DuplicateApply,
        about: &[Intents, Messages],
        all: &[Entities, Outcomes],
        any: &[&[Intents, Messages]],
    },
    Need {
        kind: FindingKind::OutOfOrderApply,
        about: WRITES,
        all: &[Entities],
        any: &[&[WrittenValues, Versions]],
    },
    Need { kind: FindingKind::MissedUpdate, about: WRITES, all: &[Entities, Whole], any: &[] },
    Need { kind: FindingKind::Divergence, about: WRITES, all: &[Entities, WrittenValues], any: &[] },
    Need { kind: FindingKind::IllegalTransition, about: WRITES, all: &[Entities, WrittenValues], any: &[] },
    Need { kind: FindingKind::UnexplainedChange, about: WRITES, all: &[Entities, WrittenValues], any: &[] },
    Need { kind: FindingKind::RuleBroken, about: WRITES, all: &[Entities, WrittenValues], any: &[] },
    Need { kind: FindingKind::UnhandledMessage, about: &[Messages], all: &[Messages, Whole], any: &[] },
    Need { kind: FindingKind::RetryStorm, about: &[Outcomes], all: &[Spans], any: &[] },
    Need {
        kind: FindingKind::IsolationAnomaly,
        about: WRITES,
        all: &[Entities, Commits],
        any: &[&[WrittenValues, Versions], &[ReadValues, Versions]],
    },
    Need { kind: FindingKind::ClockSkew, about: &[], all: &[Spans, Host], any: &[] },
    Need { kind: FindingKind::MissingTelemetry, about: &[], all: &[Spans, Instance, Whole], any: &[] },
];

/// Every kind, judged by what is present.
pub(super) fn judge_all(presence: impl Fn(Aspect) -> Presence) -> Vec<Judgeable> {
    NEEDS.iter().map(|need| judge(need, &presence)).collect()
}

fn judge(need: &Need, presence: &impl Fn(Aspect) -> Presence) -> Judgeable {
    let applies = |aspect: &Aspect| presence(*aspect) != Presence::NotApplicable;
    if !need.about.is_empty() && !need.about.iter().any(applies) {
        return Judgeable { kind: need.kind, judged: Judged::NotApplicable, lacks: Vec::new() };
    }
    let mut judged = Judged::Yes;
    let mut lacks = Vec::new();
    let groups = need.all.iter().map(std::slice::from_ref).chain(need.any.iter().copied());
    for group in groups {
        // What does not apply cannot be missed: a service without transactions has no COMMIT to show.
        let best = group.iter().map(|aspect| presence(*aspect)).min().unwrap_or(Presence::NotApplicable);
        let held = match best {
            Presence::Present | Presence::NotApplicable => continue,
            Presence::Partial => Judged::Partly,
            Presence::Absent => Judged::No,
        };
        judged = judged.max(held);
        lacks.extend(group.iter().filter(|aspect| applies(aspect)));
    }
    Judgeable { kind: need.kind, judged, lacks }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_told_once() {
        let mut kinds: Vec<FindingKind> = NEEDS.iter().map(|need| need.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!((kinds.len(), NEEDS.len()), (14, 14), "design's table has 14 kinds");
    }

    #[test]
    fn one_of_a_group_is_enough_and_nothing_is_missed_that_does_not_apply() {
        let judged = |kind, present: &[Aspect], absent: &[Aspect]| {
            let all = judge_all(|aspect| {
                if present.contains(&aspect) {
                    Presence::Present
                } else if absent.contains(&aspect) {
                    Presence::Absent
                } else {
                    Presence::NotApplicable
                }
            });
            all.into_iter().find(|one| one.kind == kind).map(|one| (one.judged, one.lacks))
        };
        let (lost, order) = (FindingKind::LostUpdate, FindingKind::OutOfOrderApply);
        assert_eq!(judged(lost, &[Entities, Versions], &[WrittenValues]), Some((Judged::Yes, vec![])));
        assert_eq!(
            judged(order, &[Entities], &[WrittenValues, Versions]),
            Some((Judged::No, vec![WrittenValues, Versions]))
        );
        assert_eq!(
            judged(lost, &[Entities], &[]),
            Some((Judged::NotApplicable, vec![])),
            "it writes nothing"
        );
    }
}
