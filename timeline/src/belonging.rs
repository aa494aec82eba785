//! Why one event belongs to a subject's timeline: the chain from a record that names the subject.

use std::collections::{HashSet, VecDeque};

use crate::document::{Belonging, Belongs, BelongsStep};
use crate::given::Given;
use crate::held::At;
use crate::id::EventId;
use crate::message::{self, Messages};
use crate::naming::{self, How};
use crate::question::{Question, Subject};
use crate::record::Record;
use crate::told::Told;
use crate::why::{WhyError, find_event, mentioned};

/// Why the event that `text` names belongs to the timeline that `question` asks for. An event is named as for
/// [`why`](crate::why()). Pure, as [`tell`](crate::tell()) is.
pub fn belonging(
    records: Vec<Record>,
    question: &Question,
    given: &Given,
    text: &str,
) -> Result<Belonging, WhyError> {
    let told = Told::of(records, question, given);
    let index = find_event(&told, text)?;
    let moment = &told.moments.list[index as usize];
    let members = Membership { told: &told, messages: Messages::of(&told.held), subject: &question.subject };
    let mut chain = members.chain(moment.at);
    if let Some(last) = chain.last_mut() {
        last.event = EventId::new(told.held.record(moment.at).id, moment.point);
    }
    Ok(Belonging {
        schema: Belonging::SCHEMA.into(),
        entity: question.subject.to_string(),
        event: EventId::new(told.held.record(moment.at).id, moment.point),
        belongs: members.why(moment.at),
        events: mentioned(&told, chain.iter().map(|step| step.event)),
        chain,
    })
}

struct Membership<'a> {
    told: &'a Told,
    messages: Messages,
    subject: &'a Subject,
}

impl Membership<'_> {
    fn why(&self, at: At) -> Belongs {
        self.told.members.belongs.get(at).copied().flatten().unwrap_or(Belongs::Related)
    }

    fn is_member(&self, at: At) -> bool {
        self.told.members.belongs.get(at).is_some_and(Option::is_some)
    }

    /// The steps to the record at `to`, from one that names the subject.
    fn chain(&self, to: At) -> Vec<BelongsStep> {
        let mut seen = HashSet::from([to]);
        let path = std::iter::successors(Some(to), |at| self.through(*at).filter(|next| seen.insert(*next)));
        let mut steps: Vec<BelongsStep> = path.filter_map(|at| self.step(at)).collect();
        steps.reverse();
        steps
    }

    fn step(&self, at: At) -> Option<BelongsStep> {
        let moment = &self.told.moments.list[self.told.moments.start(at)? as usize];
        let event = EventId::new(self.told.held.record(at).id, moment.point);
        Some(BelongsStep { event, belongs: self.why(at), because: self.because(at) })
    }

    /// The member that brought the record at `at` in; `None` where that is its own doing.
    fn through(&self, at: At) -> Option<At> {
        let held = &self.told.held;
        match self.why(at) {
            Belongs::Own | Belongs::Rule | Belongs::Related => None,
            Belongs::Ancestor => self.below(at),
            Belongs::Descendant => self.above(at),
            Belongs::Log => match held.span(at) {
                Some(span) => {
                    held.logs(span.trace_id, span.span_id).iter().copied().find(|log| self.is_own(*log))
                }
                None => {
                    let record = held.record(at);
                    let halves = held.spans(record.trace_id()?, record.span_id()?).iter().copied();
                    held.span_of_log(at).into_iter().chain(halves).find(|span| self.is_member(*span))
                }
            },
            Belongs::Trace => {
                let trace = held.record(at).trace_id()?;
                (0..held.records().len())
                    .find(|other| self.is_own(*other) && held.record(*other).trace_id() == Some(trace))
            }
            Belongs::Link | Belongs::Message => self.across(at),
        }
    }

    fn is_own(&self, at: At) -> bool {
        self.is_member(at) && self.why(at) == Belongs::Own
    }

    /// The nearest span above a descendant that is there for another reason; of two halves with one id either will do.
    fn above(&self, at: At) -> Option<At> {
        let held = &self.told.held;
        let begins =
            |at: At| matches!(self.why(at), Belongs::Own | Belongs::Log | Belongs::Link | Belongs::Message);
        let mut queue = VecDeque::from([at]);
        let mut seen = HashSet::from([at]);
        while let Some(next) = queue.pop_front() {
            if next != at && begins(next) {
                return Some(next);
            }
            let span = held.span(next);
            let parents = span.and_then(|span| Some(held.spans(span.trace_id, span.parent_span_id?)));
            let halves = span.into_iter().flat_map(|span| held.spans(span.trace_id, span.span_id));
            let parents = parents.into_iter().flatten().chain(halves);
            queue.extend(parents.filter(|above| self.is_member(**above) && seen.insert(**above)));
        }
        None
    }

    /// The nearest member below an ancestor that is there for another reason.
    fn below(&self, at: At) -> Option<At> {
        let held = &self.told.held;
        let mut queue = VecDeque::from([at]);
        let mut seen = HashSet::from([at]);
        while let Some(next) = queue.pop_front() {
            if next != at && self.why(next) != Belongs::Ancestor {
                return Some(next);
            }
            let Some(span) = held.span(next) else { continue };
            let children = held.children(span.trace_id, span.span_id).iter();
            let halves = held.spans(span.trace_id, span.span_id);
            let below = children.chain(held.logs(span.trace_id, span.span_id)).chain(halves);
            queue.extend(below.filter(|child| self.is_member(**child) && seen.insert(**child)));
        }
        None
    }

    /// The member at the other end of a link or message; one that is there for another reason, if there is one.
    fn across(&self, at: At) -> Option<At> {
        let hops = message::hops(&self.told.held, &self.messages);
        let other = |hop: &message::Hop| match at {
            at if at == hop.sender => Some(hop.receiver),
            at if at == hop.receiver => Some(hop.sender),
            _ => None,
        };
        let ends = hops.iter().filter_map(other).filter(|other| self.is_member(*other));
        ends.min_by_key(|other| (matches!(self.why(*other), Belongs::Link | Belongs::Message), *other))
    }

    /// The reason in words, of the step before.
    fn because(&self, at: At) -> String {
        let kind = self.subject.kind();
        match self.why(at) {
            Belongs::Own => self.names(self.told.held.record(at)),
            Belongs::Ancestor => "is an ancestor of it".to_owned(),
            Belongs::Descendant => format!("was done below it, and names no other {kind}"),
            Belongs::Log if self.told.held.span(at).is_some() => {
                "is the span that it was written in".to_owned()
            }
            Belongs::Log => "was written in it".to_owned(),
            Belongs::Trace => format!("is in its trace, which names no other {kind}"),
            Belongs::Link => "is joined to it by a link".to_owned(),
            Belongs::Message => "is the other end of its message".to_owned(),
            Belongs::Rule => "by a rule of the configuration".to_owned(),
            Belongs::Related => "is related".to_owned(),
        }
    }

    /// Where a record names the subject.
    fn names(&self, record: &Record) -> String {
        match self.subject {
            Subject::Attribute { name, value } => format!("has the attribute {name}={value}"),
            Subject::Entity { kind, key } => {
                let named =
                    naming::names(record).into_iter().find(|name| name.kind == *kind && name.key == *key);
                match named {
                    Some(name) if name.how == How::Attribute => {
                        format!("names it: {}={}", name.place, name.value)
                    }
                    Some(name) => format!("names it: {} in {}", name.value, name.place),
                    None => "names it".to_owned(),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::SpanKind;
    use crate::testing::*;

    fn ask(records: Vec<Record>, event: &str) -> Vec<(String, Belongs, String)> {
        let question = "order/42".parse().expect("a question");
        let answer = belonging(records, &question, &Given::default(), event).expect("an answer");
        let name = |id| answer.events.iter().find(|event| event.id == id).expect("named").name.clone();
        answer.chain.iter().map(|step| (name(step.event), step.belongs, step.because.clone())).collect()
    }

    fn shop() -> Vec<Record> {
        vec![
            span(1, "web", "POST", 0.0, 30.0).kind(SpanKind::Server).record(),
            span(2, "orders", "insert", 1.0, 20.0).child_of(1).with(&[("order.id", "42")]).record(),
            span(3, "orders", "send", 2.0, 15.0).kind(SpanKind::Producer).child_of(2).record(),
            span(4, "stock", "take", 3.0, 9.0).kind(SpanKind::Consumer).trace(2).link(1, 3).record(),
            span(5, "web", "GET", 40.0, 41.0).child_of(1).with(&[("order.id", "7")]).record(),
        ]
    }

    #[test]
    fn each_step_says_why_it_follows_from_the_one_before() {
        let own = ("insert".to_owned(), Belongs::Own, "names it: order.id=42".to_owned());
        let step = |name: &str, belongs, because: &str| (name.to_owned(), belongs, because.to_owned());
        assert_eq!(ask(shop(), &span_id(2).to_string()), std::slice::from_ref(&own));
        let above = step("POST", Belongs::Ancestor, "is an ancestor of it");
        assert_eq!(ask(shop(), &span_id(1).to_string()), [own.clone(), above]);
        let below = step("send", Belongs::Descendant, "was done below it, and names no other order");
        let across = step("take", Belongs::Link, "is joined to it by a link");
        assert_eq!(ask(shop(), &format!("{}:end", span_id(4))), [own, below, across]);
    }

    #[test]
    fn what_does_not_belong_is_no_event_of_the_timeline() {
        let question = "order/42".parse().expect("a question");
        let answer = belonging(shop(), &question, &Given::default(), &span_id(5).to_string());
        assert!(matches!(answer, Err(WhyError::Unknown(_))), "{answer:?}");
    }

    proptest! {
        #[test]
        fn every_chain_begins_with_a_record_that_names_the_subject(records in any_records(20)) {
            let question: Question = "order/42".parse().expect("a question");
            let timeline = crate::tell(records.clone(), &question, &Given::default());
            for event in timeline.events.iter().take(8) {
                let Ok(answer) = belonging(records.clone(), &question, &Given::default(), &event.id.to_string()) else {
                    continue; // a record's id may begin like another's
                };
                prop_assert_eq!(answer.belongs, event.belongs);
                prop_assert_eq!(answer.chain.first().map(|step| step.belongs), Some(Belongs::Own));
                prop_assert_eq!(answer.chain.last().map(|step| step.event), Some(event.id));
            }
        }
    }
}
