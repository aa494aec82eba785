//! How every export says the same things: durations, reasons, changes of state, what is lacking.

use serde_json::Value;
use timeline::document::{
    Belongs, Clock, ClockBounds, Completeness, Entity, EventKind, FindingStatus, Folded, GapKind,
    Incompleteness, Op, Outcome, StateChange, StreamState,
};

use super::sanitise;

/// A duration in nanoseconds with the unit that a person would use: `850 ns`, `3.2 ms`, `1.04 s`, `2 h 5 min`.
pub(super) fn duration(ns: u64) -> String {
    let seconds = ns as f64 / 1e9;
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} µs", ns / 1_000),
        1_000_000..1_000_000_000 => format!("{:.1} ms", seconds * 1e3),
        1_000_000_000..120_000_000_000 => format!("{seconds:.2} s"),
        _ => {
            let minutes = ns / 60_000_000_000;
            if minutes < 120 {
                format!("{minutes} min {} s", ns / 1_000_000_000 % 60)
            } else {
                format!("{} h {} min", minutes / 60, minutes % 60)
            }
        }
    }
}

/// A signed duration: a clock's offset.
pub(super) fn offset(ns: i64) -> String {
    format!("{}{}", if ns < 0 { "−" } else { "+" }, duration(ns.unsigned_abs()))
}

/// `1 event`, `2 events`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `order/42`, or `order.id=42` where it was asked for by attribute.
pub(super) fn entity(entity: &Entity) -> String {
    // The only types with a dot are attributes' names; entities' are in snake.
    let separator = if entity.kind.contains('.') { "=" } else { "/" };
    sanitise(&format!("{}{separator}{}", entity.kind, entity.key)).into_owned()
}

/// A JSON value as a person writes it: a text without its quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => sanitise(text).into_owned(),
        other => sanitise(&other.to_string()).into_owned(),
    }
}

/// What was done to a field, without whose it is: `status  created → paid`.
pub(super) fn change(change: &StateChange) -> String {
    let value = |value: &Option<Value>| value.as_ref().map_or("—".to_owned(), plain);
    let field = change.field.as_deref().unwrap_or(&change.copy);
    let field = sanitise(field);
    match change.op {
        Op::Read => format!("{field} = {}", value(&change.value)),
        Op::Delete => format!("{field} deleted"),
        Op::Add => format!("{field} += {}", value(&change.delta)),
        Op::Write | Op::Append => format!("{field}  {} → {}", value(&change.from), value(&change.value)),
    }
}

/// The same with whose it is and what became of it: `shop/orders order/42: status  created → paid (failed)`.
pub(super) fn change_in_full(of: &StateChange) -> String {
    let outcome = match of.outcome {
        Outcome::Ok => "",
        Outcome::Failed => " (failed: no effect)",
        Outcome::Unknown => " (outcome unknown)",
    };
    format!("{} {}: {}{outcome}", sanitise(&of.copy), sanitise(&of.entity), change(of))
}

/// Why the answer may not be whole, one line a reason.
pub(super) fn lacks(completeness: &Completeness) -> Vec<String> {
    let reason = |reason: &Incompleteness| match reason {
        Incompleteness::Truncated => {
            Some(format!("Showing {} of {} events.", completeness.shown, completeness.total))
        }
        Incompleteness::MissingShard => Some("A part of the store could not be read.".into()),
        Incompleteness::NotIndexed => Some("Some records are not indexed yet.".into()),
        Incompleteness::UnattributedWrites => Some("Writes whose entity is unknown may concern it.".into()),
        Incompleteness::Sampled | Incompleteness::DroppedBySdk => None, // said of each stream below
    };
    let stream = completeness.streams.iter().filter_map(|stream| {
        let evidence = stream.evidence.as_deref().unwrap_or_default();
        match (stream.state, stream.rate) {
            (StreamState::Sampled, Some(rate)) => Some(format!(
                "{}: {} sampled at {} % ({evidence})",
                stream.service,
                stream.signal,
                rate * 100.0
            )),
            (StreamState::Lossy, _) => {
                Some(format!("{}: {} cut by the SDK ({evidence})", stream.service, stream.signal))
            }
            _ => None,
        }
    });
    completeness.reasons.iter().filter_map(reason).chain(stream).collect()
}

/// A kind of event.
pub(super) fn kind(kind: EventKind) -> &'static str {
    match kind {
        EventKind::SpanStart => "span_start",
        EventKind::SpanEnd => "span_end",
        EventKind::SpanEvent => "span_event",
        EventKind::Log => "log",
    }
}

/// Why an event is in the timeline.
pub(super) fn belongs(belongs: Belongs) -> &'static str {
    match belongs {
        Belongs::Own => "own",
        Belongs::Ancestor => "ancestor",
        Belongs::Descendant => "descendant",
        Belongs::Log => "log",
        Belongs::Trace => "trace",
        Belongs::Link => "link",
        Belongs::Message => "message",
        Belongs::Rule => "rule",
        Belongs::Related => "related",
    }
}

/// Why a screen folds an event away.
pub(super) fn folded(folded: Folded) -> &'static str {
    match folded {
        Folded::Twin => "twin",
        Folded::Noise => "noise",
    }
}

/// A kind of gap, as a mark beside an event has it.
pub(super) fn gap(kind: GapKind) -> &'static str {
    match kind {
        GapKind::MissingReply => "no answer",
        GapKind::MissingReceiver => "nobody received it",
        GapKind::MissingSender => "sender unknown",
        GapKind::MissingParent => "parent missing",
        GapKind::EndedWithoutFlush => "ended without a flush",
        GapKind::UnattributedWrite => "whose write is unknown",
        GapKind::Sampled => "sampled",
        GapKind::Truncated => "cut",
    }
}

/// Which sides of a clock are bounded.
pub(super) fn bounds(bounds: ClockBounds) -> &'static str {
    match bounds {
        ClockBounds::Both => "both",
        ClockBounds::Above => "above",
        ClockBounds::Below => "below",
        ClockBounds::None => "none",
        ClockBounds::Declared => "declared",
        ClockBounds::Contradictory => "contradictory",
    }
}

/// What is known of a clock, in one line.
pub(super) fn clock(clock: &Clock) -> String {
    let host = sanitise(clock.host.as_deref().unwrap_or("a host without a name")).into_owned();
    let offset = match (clock.reference, clock.offset_ns, clock.error_ns) {
        (true, ..) => "the reference".to_owned(),
        (false, Some(ns), Some(error)) => format!("{} ± {}", offset(ns), duration(error)),
        (false, Some(ns), None) => format!("{}, bounded {} only", offset(ns), bounds(clock.bounds)),
        (false, None, _) => "nothing bounds its offset".to_owned(),
    };
    format!("clock {} of {host}: {offset}", clock.id)
}

/// Whether late records may still change a finding.
pub(super) fn status(status: FindingStatus) -> &'static str {
    match status {
        FindingStatus::Provisional => "provisional",
        FindingStatus::Settled => "settled",
        FindingStatus::Withdrawn => "withdrawn",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_their_unit() {
        let said: Vec<String> = [7, 12_345, 3_210_000, 1_040_000_000, 150_000_000_000, 7_500_000_000_000]
            .into_iter()
            .map(duration)
            .collect();
        assert_eq!(said, ["7 ns", "12 µs", "3.2 ms", "1.04 s", "2 min 30 s", "2 h 5 min"]);
        assert_eq!(offset(-7_300_000), "−7.3 ms");
    }
}
