//! Which records belong to a subject's timeline, and why.
//!
//! Own records name it. From them: their ancestors; their descendants that name no other thing of the
//! type; whole traces that name no other; the logs of all these; links and messages, one hop.

use std::collections::{BTreeMap, VecDeque};

use crate::document::Belongs;
use crate::held::{At, Held};
use crate::message::{self, Messages};
use crate::naming::{self, Scope};
use crate::question::{Mention, Question, Subject};
use crate::record::Record;

/// Why each record belongs; `None` for those that don't.
pub(crate) struct Members {
    /// By the record's place.
    pub(crate) belongs: Vec<Option<Belongs>>,
    /// The scope that the subject was looked for in.
    pub(crate) scope: Scope,
    /// The other scopes in which a thing of this name exists.
    pub(crate) elsewhere: Vec<Scope>,
}

impl Members {
    /// Finds them.
    pub(crate) fn of(held: &Held, messages: &Messages, question: &Question) -> Members {
        let mentions = mentions(held, question);
        let (scope, elsewhere) = choose_scope(held, &mentions, question);
        let mentions = within_scope(held, mentions, &scope);
        let mut walk = Walk { held, mentions, belongs: vec![None; held.records().len()] };
        walk.own();
        walk.logged();
        walk.ancestors();
        walk.whole_traces();
        walk.logs();
        walk.one_hop(messages);
        walk.logs();
        Members { belongs: walk.belongs, scope, elsewhere }
    }

    /// The places of those that belong.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (At, Belongs)> {
        self.belongs.iter().enumerate().filter_map(|(at, why)| why.map(|why| (at, why)))
    }
}

fn mentions(held: &Held, question: &Question) -> Vec<Mention> {
    held.records().iter().map(|record| question.subject.mention(record)).collect()
}

/// The scope asked for, else the one with most records that name the subject; and the others.
fn choose_scope(held: &Held, mentions: &[Mention], question: &Question) -> (Scope, Vec<Scope>) {
    let counts = scopes(held, mentions);
    let scope = question.scope.clone().or_else(|| most(&counts).cloned()).unwrap_or_default();
    let elsewhere = counts.into_keys().filter(|other| !other.meets(&scope)).collect();
    (scope, elsewhere)
}

/// The scope of one environment in which most of `records` name `subject`, as a timeline chooses it among all.
pub fn scope_in(records: Vec<Record>, subject: &Subject, environment: Option<&str>) -> Option<Scope> {
    let held = Held::fold(records);
    let mentions: Vec<Mention> = held.records().iter().map(|record| subject.mention(record)).collect();
    let mut counts = scopes(&held, &mentions);
    counts.retain(|scope, _| scope.environment.as_deref() == environment);
    most(&counts).cloned()
}

/// How many records name the subject in each scope.
fn scopes(held: &Held, mentions: &[Mention]) -> BTreeMap<Scope, usize> {
    let mut counts: BTreeMap<Scope, usize> = BTreeMap::new();
    for (record, _) in held.records().iter().zip(mentions).filter(|(_, mention)| mention.subject) {
        *counts.entry(naming::scope(&record.resource)).or_default() += 1;
    }
    counts
}

/// The one with most; of several the first.
fn most(counts: &BTreeMap<Scope, usize>) -> Option<&Scope> {
    counts.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0))).map(|(scope, _)| scope)
}

/// What carries the subject's name in another scope is another thing, unless it shares a trace with
/// the subject and only the namespaces differ: one request passes through several namespaces.
fn within_scope(held: &Held, mut mentions: Vec<Mention>, scope: &Scope) -> Vec<Mention> {
    let meets: Vec<bool> =
        held.records().iter().map(|record| naming::scope(&record.resource).meets(scope)).collect();
    let shared: Vec<_> = held
        .traces()
        .filter(|(_, records)| records.iter().any(|at| mentions[*at].subject && meets[*at]))
        .map(|(trace, _)| trace)
        .collect();
    for (at, record) in held.records().iter().enumerate() {
        let in_shared = record.trace_id().is_some_and(|trace| shared.binary_search(&trace).is_ok());
        let same_environment = naming::scope(&record.resource).environment == scope.environment;
        if mentions[at].subject && !meets[at] && !(in_shared && same_environment) {
            mentions[at] = Mention { subject: false, other: true };
        }
    }
    mentions
}

struct Walk<'a> {
    held: &'a Held,
    mentions: Vec<Mention>,
    belongs: Vec<Option<Belongs>>,
}

impl Walk<'_> {
    fn own(&mut self) {
        let own: Vec<At> = (0..self.mentions.len()).filter(|at| self.mentions[*at].subject).collect();
        own.iter().for_each(|at| self.belongs[*at] = Some(Belongs::Own));
        self.descend(own);
    }

    /// A span whose logs name the subject, and nothing else of its type, is about the subject.
    fn logged(&mut self) {
        let logged: Vec<At> = self
            .members()
            .filter(|at| self.held.span(*at).is_none())
            .filter_map(|log| self.held.span_of_log(log))
            .filter(|span| self.belongs[*span].is_none() && self.names_no_other(*span))
            .collect();
        logged.iter().for_each(|at| self.belongs[*at] = Some(Belongs::Log));
        self.descend(logged);
    }

    /// Whether neither the span nor a log of it names another thing of the type.
    fn names_no_other(&self, span: At) -> bool {
        let logs = self.held.span(span).map_or(&[][..], |s| self.held.logs(s.trace_id, s.span_id));
        !self.mentions[span].other && logs.iter().all(|log| !self.mentions[*log].other)
    }

    /// Adds the descendants of `from`, down to those that name another thing of the type.
    fn descend(&mut self, from: Vec<At>) {
        let mut queue = VecDeque::from(from);
        while let Some(at) = queue.pop_front() {
            let Some(span) = self.held.span(at) else { continue };
            for child in self.held.children(span.trace_id, span.span_id) {
                let names_another = self.mentions[*child].other && !self.mentions[*child].subject;
                if self.belongs[*child].is_none() && !names_another {
                    self.belongs[*child] = Some(Belongs::Descendant);
                    queue.push_back(*child);
                }
            }
        }
    }

    fn ancestors(&mut self) {
        for at in self.members().collect::<Vec<_>>() {
            let mut next = match self.held.span(at) {
                Some(_) => self.held.parent(at),
                None => self.held.span_of_log(at),
            };
            // Stops at the first member: what is above it is, or will be, reached from there.
            while let Some(above) = next.filter(|above| self.belongs[*above].is_none()) {
                self.belongs[above] = Some(Belongs::Ancestor);
                next = self.held.parent(above);
            }
        }
    }

    /// A trace that names the subject and nothing else of its type is all about it.
    fn whole_traces(&mut self) {
        for (_, records) in self.held.traces() {
            let names = records.iter().any(|at| self.mentions[*at].subject);
            if names && records.iter().all(|at| !self.mentions[*at].other) {
                for at in records {
                    self.belongs[*at].get_or_insert(Belongs::Trace);
                }
            }
        }
    }

    fn logs(&mut self) {
        for at in self.members().collect::<Vec<_>>() {
            let Some(span) = self.held.span(at) else { continue };
            for log in self.held.logs(span.trace_id, span.span_id) {
                if !self.mentions[*log].other {
                    self.belongs[*log].get_or_insert(Belongs::Log);
                }
            }
        }
    }

    /// What members link to or sent, and what links to them or received it, with what it did about it.
    fn one_hop(&mut self, messages: &Messages) {
        let members: Vec<bool> = self.belongs.iter().map(Option::is_some).collect();
        let mut receivers = Vec::new();
        for hop in message::hops(self.held, messages) {
            for (member, other) in [(hop.sender, hop.receiver), (hop.receiver, hop.sender)] {
                if members[member] && self.belongs[other].is_none() {
                    self.belongs[other] = Some(hop.belongs());
                    if other == hop.receiver && hop.alone {
                        receivers.push(other);
                    }
                }
            }
        }
        self.descend(receivers);
    }

    fn members(&self) -> impl Iterator<Item = At> {
        self.belongs.iter().enumerate().filter(|(_, why)| why.is_some()).map(|(at, _)| at)
    }
}
