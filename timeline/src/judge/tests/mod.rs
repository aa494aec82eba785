//! What each kind must find, must not find, and with which grade: stories told in a few spans, with what they did to
//! state said outright.

mod copies;
mod declared;
mod repeats;
mod writes;

use super::Settings;
use crate::document::{
    Completeness, Finding, FindingKind, FindingStatus, Grade, Identity, Op, Outcome, StateEvidence,
    StreamState,
};
use crate::given::Given;
use crate::id::{EventId, Point};
use crate::question::Question;
use crate::record::{Record, SpanKind};
use crate::state::{Operation, Thing};
use crate::testing::*;
use crate::told::Told;
use crate::value::Value;

/// Spans about `order/42`, and what they did.
#[derive(Default)]
struct Story {
    records: Vec<Record>,
    operations: Vec<Operation>,
    given: Given,
}

impl Story {
    fn record(&mut self, made: Made) -> &mut Story {
        self.records.push(made.with(&[("order.id", "42")]).record());
        self
    }

    /// A span that does `op` to these fields of a copy: `status=paid`, `status` for a hidden value, `status<paid` for
    /// a read of a value, `version=3` for its version, `from:status=…` for the value replaced.
    fn does(&mut self, made: Made, copy: &str, op: Op, fields: &str) -> &mut Story {
        let record = made.with(&[("order.id", "42")]).record();
        let mut version = None;
        let mut told = Vec::new();
        for field in fields.split_whitespace() {
            let (name, value) =
                field.split_once('=').map_or((field, None), |(name, value)| (name, Some(value)));
            let value = value.map(|text| text.parse().map_or_else(|_| Value::from(text), Value::Int));
            if name == "version" { version = value } else { told.push((name.to_owned(), value)) }
        }
        for (field, value) in told {
            self.operations.push(Operation {
                record: record.id,
                event: EventId::new(record.id, Point::End),
                began: EventId::new(record.id, Point::Start),
                thing: Some(order()),
                kind: "order".into(),
                copy: copy.into(),
                part: copy == "payments/charges",
                op,
                field: Some(field),
                from: None,
                delta: if op == Op::Add { value.clone() } else { None },
                value: if op == Op::Add { None } else { value },
                version: version.clone(),
                expected_version: None,
                outcome: Outcome::Ok,
                transaction: None,
                visible_at: None,
                intent: None,
                evidence: if copy.starts_with("redis") { StateEvidence::Redis } else { StateEvidence::Sql },
                identity: Identity::Own,
            });
        }
        self.records.push(record);
        self
    }

    fn writes(&mut self, made: Made, copy: &str, fields: &str) -> &mut Story {
        self.does(made, copy, Op::Write, fields)
    }

    fn reads(&mut self, made: Made, copy: &str, fields: &str) -> &mut Story {
        self.does(made, copy, Op::Read, fields)
    }

    /// Changes the operations of the span told last.
    fn last(&mut self, change: impl Fn(&mut Operation)) -> &mut Story {
        let record = self.records.last().expect("a record").id;
        self.operations.iter_mut().filter(|operation| operation.record == record).for_each(change);
        self
    }

    /// What is known of the spans of every service in the story.
    fn streams(&mut self, state: StreamState) -> &mut Story {
        self.given.completeness = Completeness::default();
        let rate = match state {
            StreamState::Whole => "ot=th:0",
            StreamState::Sampled => "ot=th:8",
            _ => "",
        };
        for record in &mut self.records {
            if let crate::record::Body::Span(span) = &mut record.body {
                span.trace_state = rate.into();
            }
        }
        self
    }

    fn findings(&self) -> Vec<Finding> {
        let question: Question = "order/42".parse().expect("a question");
        let told = Told::of(self.records.clone(), &question, &self.given);
        let listing = told.listing();
        let history = crate::state::fold(&self.operations, &listing);
        told.judge(&listing, &self.operations, &history, &question, &self.given)
    }

    fn told(&self) -> Vec<(FindingKind, Grade)> {
        self.findings().iter().map(|finding| (finding.kind, finding.grade)).collect()
    }

    /// The only finding.
    fn only(&self) -> Finding {
        let mut findings = self.findings();
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.remove(0)
    }

    fn settings(&mut self, change: impl FnOnce(&mut Settings)) -> &mut Story {
        change(&mut self.given.settings);
        self
    }
}

fn order() -> Thing {
    Thing { kind: "order".into(), key: "42".into() }
}

/// A call that `number` serves; its statements are children of it.
fn serving(number: u8, process: &str, from: f64, to: f64) -> Made {
    span(number, process, "POST /orders/42", from, to).kind(SpanKind::Server)
}

fn statement(number: u8, process: &str, from: f64) -> Made {
    span(number, process, "UPDATE orders", from, from + 1.0).kind(SpanKind::Client)
}

#[test]
fn a_story_without_faults_has_no_finding() {
    let mut story = Story::default();
    story
        .writes(statement(1, "orders@a", 0.0), "shop/orders", "status=created version=1")
        .writes(statement(2, "cache@a", 5.0), "redis/order", "status=created")
        .reads(statement(3, "cache@a", 7.0), "redis/order", "status=created")
        .writes(statement(4, "orders@a", 10.0), "shop/orders", "status=paid version=2")
        .writes(statement(5, "cache@a", 15.0), "redis/order", "status=paid")
        .reads(statement(6, "cache@a", 17.0), "redis/order", "status=paid");
    assert_eq!(story.told(), []);
}

#[test]
fn a_finding_is_provisional_until_the_window_has_passed() {
    let mut story = Story::default();
    story
        .writes(statement(1, "orders@a", 0.0), "shop/orders", "status=paid")
        .writes(statement(2, "orders@a", 10.0), "shop/orders", "status=shipped")
        .last(|operation| operation.from = Some(Value::from("cancelled")));
    assert_eq!(story.only().status, FindingStatus::Settled, "an import is past the window when it ends");
    let arrival = hlc::Stamp::from_bits(((at(100.0).0 >> 10) << 12) | 1);
    story.records.iter_mut().for_each(|record| record.arrival = Some(arrival));
    story.given.judged_to = Some(at(9_000.0));
    assert_eq!(story.only().status, FindingStatus::Provisional);
    story.given.judged_to = Some(at(10_200.0));
    assert_eq!(story.only().status, FindingStatus::Settled);
}

#[test]
fn an_id_depends_on_kind_entities_and_records_alone() {
    let mut story = Story::default();
    story
        .writes(statement(1, "orders@a", 0.0), "shop/orders", "status=paid")
        .writes(statement(2, "orders@a", 10.0), "shop/orders", "status=shipped")
        .last(|operation| operation.from = Some(Value::from("cancelled")));
    let first = story.only().id;
    assert!(first.len() == 18 && first.starts_with("f-"), "{first}");
    story.records.reverse();
    story.operations.reverse();
    assert_eq!(story.only().id, first);
}
