//! Messages: sending one appends to a stream, receiving one reads it. Which change it carries is in its body, which
//! telemetry lacks: only whose it is, and which message.

use super::draft::{Draft, Key, normal};
use super::outcome::outcome;
use crate::document::{Op, StateEvidence};
use crate::id::Point;
use crate::message::{self, Role};
use crate::naming;
use crate::record::{Record, Span};
use crate::value::Value;

/// Adds what a messaging span says.
pub(super) fn read(record: &Record, span: &Span, drafts: &mut Vec<Draft>) {
    let attributes = &span.attributes;
    let text = |names: &[&str]| attributes.get_any(names).map(Value::to_text).filter(|text| !text.is_empty());
    let Some(system) = text(&["messaging.system"]) else { return };
    let Some(destination) = text(&["messaging.destination.name", "messaging.destination"]) else { return };
    let Some(role) = Role::of(span) else { return };
    let batch = attributes.get("messaging.batch.message_count").is_some() || span.links.len() > 1;
    let named = naming::message_thing(record);
    let (kind, key) = match named {
        Some((kind, key)) => (kind, Key::Known(key)),
        None => {
            let first = destination.split(['.', '-', '_', '/']).next().unwrap_or("");
            (naming::kind_named(first), if batch { Key::Many } else { Key::Hidden })
        }
    };
    let tombstone = attributes.get("messaging.kafka.message.tombstone") == Some(&Value::Bool(true));
    let op = match role {
        Role::Receives => Op::Read,
        Role::Sends if tombstone => Op::Delete,
        Role::Sends => Op::Append,
    };
    let mut draft = Draft::new(Point::End, &kind, key, &format!("{system}/{destination}"), op);
    let offset = attributes.get_any(&["messaging.kafka.offset", "messaging.kafka.message.offset"]);
    draft.version = offset.cloned().map(normal);
    draft.intent = message::ids(span).next().filter(|_| !batch);
    draft.outcome = outcome(span);
    draft.evidence = StateEvidence::Message;
    drafts.push(draft);
}
