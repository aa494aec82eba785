//! What stands above and below the lines: whose timeline, what it rests on, what is missing.

use timeline::document::{Gap, Timeline};

use super::cells::{Paint, cut};
use super::rows::Rows;
use crate::export::sanitise;
use crate::export::words::{self, counted, duration, lacks};

/// Whose timeline it is, when, and what the answer lacks.
pub(super) fn heading(timeline: &Timeline, width: usize, paint: Paint) -> String {
    let name = words::entity(&timeline.entity);
    let scope = sanitise(&timeline.entity.scope);
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
