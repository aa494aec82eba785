//! What stands above and below the lines: whose timeline, what it rests on, what is missing.

use timeline::document::{Completeness, Gap, Incompleteness, StreamState, Timeline};

use super::cells::{Paint, cut, duration};
use super::rows::Rows;
use crate::export::sanitise;

/// Whose timeline it is, when, and what the answer lacks.
pub(super) fn heading(timeline: &Timeline, width: usize, paint: Paint) -> String {
    let entity = &timeline.entity;
    // The only types with a dot are attributes' names; entities' are in snake.
    let separator = if entity.kind.contains('.') { "=" } else { "/" };
    let name = sanitise(&format!("{}{separator}{}", entity.kind, entity.key)).into_owned();
    let scope = sanitise(&entity.scope);
    let title = if scope.is_empty() { name } else { format!("{name}  {scope}") };
    let mut heading = paint.bold(&cut(&title, width)) + "\n";
    heading.push_str(&match timeline.range {
        Some(range) => {
            let length = u64::try_from(range.end.since(range.start)).unwrap_or(0);
            let (events, services) = (timeline.events.len(), super::rows::lanes(timeline).0.len());
            let counts = format!("{}, {}", counted(events, "event"), counted(services, "service"));
            let start = range.start.to_utc().format("%Y-%m-%d %H:%M:%S%.3f UTC");
            line(&format!("{start}, {}: {counts}", duration(length)), width)
        }
        None => line("No record that is held names it.", width),
    });
    lacks(&timeline.completeness).iter().for_each(|lack| heading.push_str(&line(lack, width)));
    heading
}

/// Why the answer may not be whole, one line a reason.
fn lacks(completeness: &Completeness) -> Vec<String> {
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

/// What is missing, what was folded away, and what the marks mean.
pub(super) fn footing(timeline: &Timeline, rows: &Rows, width: usize, paint: Paint) -> String {
    let mut footing = String::new();
    if !timeline.gaps.is_empty() {
        footing.push_str(&format!("\n{}\n", paint.bold("Missing")));
        timeline.gaps.iter().for_each(|gap| footing.push_str(&line(&gap_in_words(timeline, gap), width)));
    }
    let notes = notes(timeline, rows);
    if !notes.is_empty() {
        footing.push('\n');
    }
    notes.iter().for_each(|note| footing.push_str(&(paint.dim(&cut(note, width)) + "\n")));
    footing
}

fn notes(timeline: &Timeline, rows: &Rows) -> Vec<String> {
    let mut notes = Vec::new();
    if rows.list.iter().any(|row| row.unordered) {
        notes.push("≈ nothing orders it against the line above".to_owned());
    }
    if rows.unbounded {
        notes.push("~ on a clock that nothing bounds against the reference".to_owned());
    }
    if rows.twins + rows.noise > 0 {
        let folded = counted(rows.twins + rows.noise, "event");
        notes.push(format!("{folded} folded away: {} twin, {} noise", rows.twins, rows.noise));
    }
    if timeline.edges_omitted > 0 {
        notes.push(format!(
            "{} left out of the reasons",
            counted(timeline.edges_omitted as usize, "clock edge")
        ));
    }
    notes
}

fn gap_in_words(timeline: &Timeline, gap: &Gap) -> String {
    let event = gap.event.and_then(|id| timeline.events.iter().find(|event| event.id == id));
    match event {
        Some(event) => format!("  {}: {}", sanitise(&event.name), sanitise(&gap.detail)),
        None => format!("  {}", sanitise(&gap.detail)),
    }
}

fn line(text: &str, width: usize) -> String {
    cut(&sanitise(text), width) + "\n"
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
