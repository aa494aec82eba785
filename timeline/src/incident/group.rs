//! Which members belong together.
//!
//! Findings belong together that share a trace or a record, or of which one follows from the other; and, where they
//! lie no further apart than [`QUIET_NS`], that concern one entity or are alike. An error never joins findings: it
//! goes where its trace is, else to the nearest finding about an entity that it names; what is left over belongs
//! together as findings do. So one error that always happens does not make one incident of everything.

use std::collections::{BTreeMap, BTreeSet};

use super::member::{Member, digits_of};
use crate::id::{RecordId, TraceId};
use crate::time::Time;

/// What concerns one entity, or is alike, but lies further apart than this, in nanoseconds, is not one incident: 5
/// minutes.
pub const QUIET_NS: i128 = 300_000_000_000;

/// Divides members into incidents. The order in which they come, and how often, changes nothing: each incident's
/// members are sorted by digits, and the incidents by their first.
pub fn group(members: impl IntoIterator<Item = Member>) -> Vec<Vec<Member>> {
    let members: BTreeMap<String, Member> =
        members.into_iter().map(|member| (member.digits.clone(), member)).collect();
    let members: Vec<Member> = members.into_values().collect();
    let mut sets = Sets::new(members.len());
    let (findings, errors): (Vec<usize>, Vec<usize>) =
        (0..members.len()).partition(|at| members[*at].finding().is_some());
    join_by_identity(&members, &findings, &mut sets);
    join_in_time(&members, &findings, &mut sets);
    let left = lead_errors(&members, &findings, &errors, &mut sets);
    join_in_time(&members, &left, &mut sets);
    let mut groups: BTreeMap<usize, Vec<Member>> = BTreeMap::new();
    for (at, member) in members.into_iter().enumerate() {
        groups.entry(sets.first_of(at)).or_default().push(member);
    }
    groups.into_values().collect()
}

/// How far apart two members lie, in nanoseconds; 0 where they overlap.
pub(super) fn distance(a: &Member, b: &Member) -> i128 {
    a.from.max(b.from).since(a.until.min(b.until)).max(0)
}

/// Joins findings that share a trace or a record, or of which one names the other as its cause.
fn join_by_identity(members: &[Member], findings: &[usize], sets: &mut Sets) {
    let mut traces: BTreeMap<TraceId, usize> = BTreeMap::new();
    let mut records: BTreeMap<RecordId, usize> = BTreeMap::new();
    let by_digits: BTreeMap<&str, usize> =
        findings.iter().map(|at| (members[*at].digits.as_str(), *at)).collect();
    for at in findings.iter().copied() {
        for trace in &members[at].traces {
            sets.join(at, *traces.entry(*trace).or_insert(at));
        }
        for record in &members[at].records {
            sets.join(at, *records.entry(*record).or_insert(at));
        }
        let cause = members[at].finding().and_then(|finding| finding.consequence_of.as_deref());
        if let Some(cause) = cause.and_then(|cause| by_digits.get(digits_of(cause))) {
            sets.join(at, *cause);
        }
    }
}

/// Joins members that concern one entity or are alike, where they are not too far apart.
fn join_in_time(members: &[Member], some: &[usize], sets: &mut Sets) {
    let mut keyed: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for at in some.iter().copied() {
        let member = &members[at];
        keyed.entry(("", &member.alike)).or_default().push(at);
        for entity in &member.entities {
            // The slash keeps a scope apart from what is alike.
            keyed.entry((scope_key(member), entity)).or_default().push(at);
        }
    }
    for mut list in keyed.into_values() {
        list.sort_by_key(|at| members[*at].from);
        let mut run: Option<(usize, Time)> = None;
        for at in list {
            let until = members[at].until;
            run = match run {
                Some((first, reached)) if members[at].from.since(reached) <= QUIET_NS => {
                    sets.join(first, at);
                    Some((first, reached.max(until)))
                }
                _ => Some((at, until)),
            };
        }
    }
}

/// A scope where entities are unique; one that is unknown is a scope, too.
fn scope_key(member: &Member) -> &str {
    if member.scope.is_empty() { "/" } else { &member.scope }
}

/// Keeps the errors of one trace together and leads them to the findings that they belong to; returns those that
/// belong to none.
fn lead_errors(members: &[Member], findings: &[usize], errors: &[usize], sets: &mut Sets) -> Vec<usize> {
    let mut of_trace: BTreeMap<TraceId, usize> = BTreeMap::new();
    let mut of_entity: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for at in findings.iter().copied() {
        of_trace.extend(members[at].traces.iter().map(|trace| (*trace, at)));
        for entity in &members[at].entities {
            of_entity.entry((scope_key(&members[at]), entity)).or_default().push(at);
        }
    }
    let nearest = |at: usize| {
        let error = &members[at];
        let named = error.entities.iter().chain(&error.mentions);
        let near = named.flat_map(|entity| of_entity.get(&(scope_key(error), entity)).into_iter().flatten());
        let near = near.map(|finding| (distance(error, &members[*finding]), *finding));
        near.filter(|(distance, _)| *distance <= QUIET_NS).min()
    };
    let mut units: BTreeMap<Result<TraceId, usize>, Vec<usize>> = BTreeMap::new();
    for at in errors.iter().copied() {
        let unit = members[at].traces.first().copied().ok_or(at);
        units.entry(unit).or_default().push(at);
    }
    let mut left = Vec::new();
    for (unit, of_unit) in units {
        of_unit.iter().for_each(|at| sets.join(of_unit[0], *at));
        let by_trace = unit.ok().and_then(|trace| of_trace.get(&trace).copied());
        let home = by_trace.or_else(|| of_unit.iter().filter_map(|at| nearest(*at)).min().map(|(_, at)| at));
        match home {
            Some(home) => sets.join(home, of_unit[0]),
            None => left.extend(of_unit),
        }
    }
    left
}

/// Disjoint sets of the numbers from 0 on; each is known by its smallest.
struct Sets {
    before: Vec<usize>,
}

impl Sets {
    fn new(size: usize) -> Sets {
        Sets { before: (0..size).collect() }
    }

    fn first_of(&mut self, at: usize) -> usize {
        let mut first = at;
        while self.before[first] != first {
            self.before[first] = self.before[self.before[first]];
            first = self.before[first];
        }
        first
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.first_of(a), self.first_of(b));
        self.before[a.max(b)] = a.min(b);
    }
}

/// The digits of a group's members.
pub(super) fn digits(group: &[Member]) -> BTreeSet<&str> {
    group.iter().map(|member| member.digits.as_str()).collect()
}
