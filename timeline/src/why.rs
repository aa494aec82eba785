//! Why one event is before, after or unordered with another.

use std::collections::VecDeque;

use crate::document::{Certainty, Edge, Evidence, Relation, Why, WhyEvent};
use crate::given::Given;
use crate::held::{At, Held};
use crate::id::{EventId, Point, SpanId};
use crate::order::Order;
use crate::order::moment::{Index, Moments};
use crate::question::Question;
use crate::record::Record;
use crate::told::Told;

/// Why no answer can be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhyError {
    /// Nothing in the timeline is called so.
    #[error(
        "no event of this timeline is {0:?}: an event is an event id, a unique beginning of one, a span id, or SPAN_ID:end"
    )]
    Unknown(String),
    /// There is no event at all.
    #[error(
        "the timeline is empty: no record names this entity, or none within the times and the budget asked for"
    )]
    Empty,
    /// Several events are called so.
    #[error("{count} events of this timeline fit {text:?}: name one of them, as {}{}", candidates.join(", "), if *count > candidates.len() { " …" } else { "" })]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// How many fit.
        count: usize,
        /// The first of them, with their names.
        candidates: Vec<String>,
    },
}

/// Why event `a` of the timeline that `question` asks for is before, after or unordered with event `b`.
///
/// An event is named by its id, a unique beginning of it, a span id (its start) or `span_id:end`. The chain is
/// the shortest of the strongest certainty. Pure, as [`tell`](crate::tell()) is.
pub fn why(
    records: Vec<Record>,
    question: &Question,
    given: &Given,
    a: &str,
    b: &str,
) -> Result<Why, WhyError> {
    let told = Told::of(records, question, given);
    let asked = Asked { held: &told.held, moments: &told.moments, order: &told.order };
    let (a, b) = (asked.event(a)?, asked.event(b)?);
    let answer = asked.answer(a, b);
    let chain = answer.chain.iter().flat_map(|edge| [edge.from, edge.to]);
    let events = mentioned(&told, [asked.id(a), asked.id(b)].into_iter().chain(chain));
    Ok(Why { events, ..answer })
}

/// What to say of these events, each once, in the order in which they are named.
pub(crate) fn mentioned(told: &Told, events: impl Iterator<Item = EventId>) -> Vec<WhyEvent> {
    let listing = told.listing();
    let mut ids: Vec<EventId> = Vec::new();
    for event in events {
        if !ids.contains(&event) {
            ids.push(event);
        }
    }
    let of = |id: EventId| {
        let index = listing.index(id)?;
        let moment = &told.moments.list[index as usize];
        let record = told.held.record(moment.at);
        let process = told.moments.processes.list().get(moment.process)?;
        Some(WhyEvent {
            id,
            record: record.id,
            kind: crate::tell::kind(moment.point),
            name: crate::tell::name(record, moment.point),
            service: process.service.clone(),
            instance: process.instance.clone(),
            time: moment.time,
            corrected: told.order.corrected[index as usize],
        })
    };
    ids.into_iter().filter_map(of).collect()
}

/// So many candidates are listed for a name that fits several events.
const CANDIDATES_MAX: usize = 8;

/// The event that `text` names in a timeline: as [`why`] reads it.
pub(crate) fn find_event(told: &Told, text: &str) -> Result<Index, WhyError> {
    Asked { held: &told.held, moments: &told.moments, order: &told.order }.event(text)
}

struct Asked<'a> {
    held: &'a Held,
    moments: &'a Moments,
    order: &'a Order,
}

impl Asked<'_> {
    /// The event that `text` names.
    fn event(&self, text: &str) -> Result<Index, WhyError> {
        if self.moments.len() == 0 {
            return Err(WhyError::Empty);
        }
        let unknown = || WhyError::Unknown(text.chars().take(80).collect());
        let text = text.to_ascii_lowercase();
        match self.of_span(&text).as_slice() {
            [] => {}
            [only] => return Ok(*only),
            several => return Err(self.ambiguous(text, several)),
        }
        // As `6f1d`, or with the point: `6f1d.s`.
        let in_part = text.rsplit_once('.').filter(|(record, _)| !record.is_empty());
        let begins = |index: &Index| {
            let id = self.id(*index).to_string();
            let by_point = |(record, point)| {
                id.starts_with(record) && id.split_once('.').is_some_and(|(_, own)| own == point)
            };
            id.starts_with(&text) || in_part.is_some_and(by_point)
        };
        let found: Vec<Index> = (0..self.moments.len() as Index).filter(begins).collect();
        match found.as_slice() {
            _ if text.is_empty() => Err(unknown()),
            [] => Err(unknown()),
            [only] => Ok(*only),
            several => Err(self.ambiguous(text, several)),
        }
    }

    fn ambiguous(&self, text: String, several: &[Index]) -> WhyError {
        let candidate = |index: &Index| {
            let moment = &self.moments.list[*index as usize];
            let name = crate::tell::name(self.held.record(moment.at), moment.point);
            let does = match moment.point {
                Point::Start => " starts",
                Point::End => " ends",
                Point::SpanEvent(_) | Point::Log => "",
            };
            format!("{} ({}{does})", self.id(*index), name.chars().take(40).collect::<String>())
        };
        let candidates = several.iter().take(CANDIDATES_MAX).map(candidate).collect();
        WhyError::Ambiguous { text, count: several.len(), candidates }
    }

    /// The starts, or ends, of the spans with this id: several where two halves share one, or two traces do.
    fn of_span(&self, text: &str) -> Vec<Index> {
        let (id, is_end) = text.strip_suffix(":end").map_or((text, false), |id| (id, true));
        let Ok(id) = id.parse::<SpanId>() else { return Vec::new() };
        let named = |at: &At| self.held.span(*at).is_some_and(|span| span.span_id == id);
        let moment = |at: At| if is_end { self.moments.end(at) } else { self.moments.start(at) };
        (0..self.held.records().len()).filter(named).filter_map(moment).collect()
    }

    fn id(&self, index: Index) -> EventId {
        let moment = &self.moments.list[index as usize];
        EventId::new(self.held.record(moment.at).id, moment.point)
    }

    fn answer(&self, a: Index, b: Index) -> Why {
        let before = self.order.reachability.before(a, b);
        let after = self.order.reachability.before(b, a);
        let (relation, chain) = match (before, after) {
            (Some(certainty), _) => (Relation::Before, self.chain(a, b, certainty)),
            (None, Some(certainty)) => (Relation::After, self.chain(b, a, certainty)),
            (None, None) if self.is_contradictory(a, b) => (Relation::Contradictory, Vec::new()),
            (None, None) => (Relation::Unordered, Vec::new()),
        };
        Why {
            schema: Why::SCHEMA.into(),
            relation,
            certainty: before.or(after),
            chain,
            interval_ns: self.interval(a, b, relation),
            events: Vec::new(),
        }
    }

    /// Whether causes that were given up lead both ways.
    fn is_contradictory(&self, a: Index, b: Index) -> bool {
        let all: Vec<(u32, u32)> = self
            .order
            .causes
            .iter()
            .chain(&self.order.circular)
            .map(|cause| (cause.from, cause.to))
            .collect();
        let cycles = crate::order::cycles(self.moments.len(), &all);
        a != b && cycles[a as usize].is_some() && cycles[a as usize] == cycles[b as usize]
    }

    /// The shortest chain from `a` to `b` of edges at least as sure as `certainty`.
    fn chain(&self, a: Index, b: Index, certainty: Certainty) -> Vec<Edge> {
        let moments = self.moments.len();
        let level = self.order.levels.iter().find(|level| level.certainty == certainty);
        let graph = level.map_or(&self.order.causal, |level| &level.lattice.graph);
        let mut came_from: Vec<Option<u32>> = vec![None; graph.len()];
        let mut steps = vec![u32::MAX; graph.len()];
        steps[a as usize] = 0;
        let mut queue = VecDeque::from([a]);
        while let Some(node) = queue.pop_front() {
            // A clock's word is one edge, however far apart the readings: steps along its chain are free.
            let free = node as usize >= moments;
            let reached = steps[node as usize] + u32::from(!free);
            for to in graph.successors(node).iter().copied() {
                if steps[to as usize] <= reached {
                    continue;
                }
                steps[to as usize] = reached;
                came_from[to as usize] = Some(node);
                if free {
                    queue.push_front(to);
                } else {
                    queue.push_back(to);
                }
            }
        }
        let path = std::iter::successors(Some(b), |node| came_from[*node as usize].filter(|_| *node != a));
        let mut path: Vec<Index> = path.filter(|node| (*node as usize) < moments).collect();
        path.reverse();
        path.windows(2).map(|pair| self.edge(pair[0], pair[1])).collect()
    }

    /// The edge between two neighbours of a chain: a cause, else their clock's word.
    fn edge(&self, from: Index, to: Index) -> Edge {
        let cause = self.order.causes.iter().find(|cause| (cause.from, cause.to) == (from, to));
        let process = |index: Index| self.moments.list[index as usize].process;
        let clock = |index: Index| self.order.clocks.of_moment[index as usize];
        let proven = || self.order.reachability.before(from, to).unwrap_or(Certainty::Corrected);
        let (certainty, evidence) = match cause {
            Some(cause) => (Certainty::Causal, cause.evidence),
            None if clock(from) == clock(to) && process(from) == process(to) => {
                (Certainty::Clock, Evidence::Process)
            }
            None if clock(from) == clock(to) => (Certainty::Clock, Evidence::Clock),
            None if proven() == Certainty::Assumed => (Certainty::Assumed, Evidence::Declared),
            None => (Certainty::Corrected, Evidence::Offset),
        };
        Edge { from: self.id(from), to: self.id(to), certainty, evidence }
    }

    /// What bounds b's time minus a's: their clocks' stamps and offsets, and the relation.
    fn interval(&self, a: Index, b: Index, relation: Relation) -> [Option<i64>; 2] {
        let mut interval =
            self.order.apart(self.moments, a, b).map(|side| side.and_then(|ns| i64::try_from(ns).ok()));
        match relation {
            Relation::Before => interval[0] = Some(interval[0].unwrap_or(0).max(0)),
            Relation::After => interval[1] = Some(interval[1].unwrap_or(0).min(0)),
            Relation::Unordered | Relation::Contradictory => {}
        }
        interval
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::SpanKind;
    use crate::testing::*;

    fn question() -> Question {
        "order/42".parse().expect("a question")
    }

    fn call() -> Vec<Record> {
        vec![
            span(1, "orders@a", "POST", 0.0, 30.0)
                .kind(SpanKind::Server)
                .with(&[("order.id", "42")])
                .record(),
            span(2, "orders@a", "charge", 1.0, 20.0).kind(SpanKind::Client).child_of(1).record(),
            span(3, "payments@b", "POST /charges", 2.0, 15.0).kind(SpanKind::Server).child_of(2).record(),
            span(4, "orders@a", "later", 40.0, 41.0).trace(2).with(&[("order.id", "42")]).record(),
        ]
    }

    fn ask(a: &str, b: &str) -> Why {
        why(call(), &question(), &Given::default(), a, b).expect("an answer")
    }

    fn evidence(why: &Why) -> Vec<Evidence> {
        why.chain.iter().map(|edge| edge.evidence).collect()
    }

    #[test]
    fn the_chain_is_the_shortest_of_the_strongest_certainty() {
        let [first, server, later] = [1, 3, 4].map(|number| span_id(number).to_string());
        let proved = ask(&first, &server);
        assert_eq!((proved.relation, proved.certainty), (Relation::Before, Some(Certainty::Causal)));
        assert_eq!(evidence(&proved), [Evidence::Parent, Evidence::Request]);
        let [low, high] =
            proved.interval_ns.map(|side| side.expect("the answer bounds the clocks") / 100_000);
        assert_eq!((low, high), (9, 200), "after the call at 1 ms, less drift; before its end at 20 ms");
        let by_clock = ask(&server, &later);
        assert_eq!((by_clock.relation, by_clock.certainty), (Relation::Before, Some(Certainty::Clock)));
        assert_eq!(evidence(&by_clock), [Evidence::Reply, Evidence::Process]);
        let back = ask(&later, &first);
        assert_eq!(
            (back.relation, back.interval_ns),
            (Relation::After, [Some(-40_000_000), Some(-40_000_000)])
        );
    }

    #[test]
    fn two_ends_are_unordered() {
        let why = ask(&format!("{}:end", span_id(3)), &format!("{}:end", span_id(2)));
        assert_eq!((why.relation, why.certainty, why.chain.len()), (Relation::Unordered, None, 0));
    }

    #[test]
    fn a_name_that_fits_several_events_lists_them() {
        let first = ask(&span_id(1).to_string(), &span_id(3).to_string()).events[0].id.to_string();
        let digits = &first[..16];
        let answer = why(call(), &question(), &Given::default(), digits, digits).expect_err("start and end");
        let message = answer.to_string();
        assert!(message.contains(&format!("{digits}.s (POST starts), {digits}.e (POST ends)")), "{message}");
    }

    #[test]
    fn the_events_of_the_chain_are_described_the_two_asked_about_first() {
        let [first, server] = [1, 3].map(|number| span_id(number).to_string());
        let answer = ask(&server, &first);
        let names: Vec<_> = answer.events.iter().map(|e| (e.name.as_str(), e.service.as_str())).collect();
        assert_eq!(names, [("POST /charges", "payments"), ("POST", "orders"), ("charge", "orders")]);
    }

    #[test]
    fn an_unknown_event_is_said() {
        assert!(matches!(why(call(), &question(), &Given::default(), "zz", "zz"), Err(WhyError::Unknown(_))));
        assert!(matches!(why(call(), &question(), &Given::default(), "", "zz"), Err(WhyError::Unknown(_))));
        let nobody = "order/none".parse().expect("a question");
        assert!(matches!(why(call(), &nobody, &Given::default(), "zz", "zz"), Err(WhyError::Empty)));
    }

    proptest! {
        /// What `why` says is what the timeline's own list and edges say.
        #[test]
        fn every_chain_leads_from_one_to_the_other(records in any_records(16), pick in (0usize..99, 0usize..99)) {
            let timeline = crate::tell(records.clone(), &question(), &Given::default());
            let len = timeline.events.len();
            prop_assume!(len > 0);
            let (a, b) = (pick.0 % len, pick.1 % len);
            let [first, second] = [a, b].map(|at| timeline.events[at].id);
            let Ok(why) = why(records, &question(), &Given::default(), &first.to_string(), &second.to_string()) else {
                return Ok(()); // a record's id may begin like another's
            };
            let ends = why.chain.first().map(|edge| edge.from).zip(why.chain.last().map(|edge| edge.to));
            match why.relation {
                Relation::Before => prop_assert!(a < b && ends == Some((first, second))),
                Relation::After => prop_assert!(b < a && ends == Some((second, first))),
                _ => prop_assert!(why.chain.is_empty()),
            }
            prop_assert!(why.chain.windows(2).all(|pair| pair[0].to == pair[1].from));
            prop_assert_eq!(why.chain.iter().map(|edge| edge.certainty).min(), why.certainty);
        }
    }
}
