//! What the fold and the judge ask of the order of events.

use super::Operation;
use crate::document::Certainty;
use crate::id::{EventId, Point};
use crate::value::Value;

/// The causal order of a timeline's events, as far as it is claimed.
pub trait Relation {
    /// How surely `a` is before `b`; `None` where nothing says so.
    fn before(&self, a: EventId, b: EventId) -> Option<Certainty>;

    /// The place of an event in the list, which extends every claim; `None` where it is not listed.
    fn place(&self, event: EventId) -> Option<usize>;
}

impl Operation {
    /// The event before which its effect can't be seen: the start of the commit, where there is one.
    pub fn effect_began(&self) -> EventId {
        self.visible_at.map_or(self.began, |commit| EventId { point: Point::Start, ..commit })
    }

    /// The event at which its effect is there: the commit, where there is one.
    pub fn effect_ended(&self) -> EventId {
        self.visible_at.unwrap_or(self.event)
    }

    /// Whether it changes state, if it takes effect.
    pub fn writes(&self) -> bool {
        self.op != crate::document::Op::Read
    }
}

/// How surely the effect of `a` came before that of `b`, both in one copy.
///
/// A write that insisted on the version that `a` wrote, and took effect, saw `a`. Otherwise the effect of `a` must
/// have ended before that of `b` could begin.
pub fn effect_before(relation: &impl Relation, a: &Operation, b: &Operation) -> Option<Certainty> {
    if insisted_on(a, b) {
        return Some(Certainty::Causal);
    }
    if insisted_on(b, a) {
        return None;
    }
    relation.before(a.effect_ended(), b.effect_began())
}

fn insisted_on(a: &Operation, b: &Operation) -> bool {
    let same = a.thing == b.thing && a.copy == b.copy && a.record != b.record;
    same && a.version.as_ref().zip(b.expected_version.as_ref()).is_some_and(|(a, b)| agree(a, b))
}

/// Whether two values are one value, however they were written down: `1`, `"1"` and `1.0` are.
pub fn agree(a: &Value, b: &Value) -> bool {
    a == b || a.to_text() == b.to_text() || number(a).is_some_and(|a| number(b) == Some(a))
}

/// The number that a value is or spells.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}
