//! `backstory clocks`: every clock's offset, error and drift, and the evidence for it.

use std::fmt::Write;

use query::export::sanitise;
use query::interface::{ClocksRequest, Query};
use timeline::document::{Clock, ClockBounds, Clocks as Document};

use super::why::duration;
use crate::cli::{Clocks, TableFormat};
use crate::command::{explain_nothing, reading, warn_unread};
use crate::output;

/// So many processes of a clock are named; the other formats have all.
const PROCESSES_SHOWN: usize = 4;

/// Asks and prints.
pub(crate) fn run(clocks: &Clocks, query: &dyn Query) -> anyhow::Result<()> {
    let found = reading(&clocks.read, |window, effort| query.clocks(&ClocksRequest { window }, effort))?;
    if found.clocks.is_empty() {
        explain_nothing(query, "no record tells of a clock")?;
    }
    match clocks.format {
        TableFormat::Json => return output::print_json(&found),
        TableFormat::Jsonl => output::print_jsonl(&found.clocks)?,
        TableFormat::Csv => {
            let header = [
                "clock",
                "host",
                "reference",
                "offset_ns",
                "error_ns",
                "low_ns",
                "high_ns",
                "drift_ppm",
                "bounds",
                "messages",
                "since",
                "until",
                "processes",
            ];
            let rows: Vec<_> = found.clocks.iter().map(|clock| row(&found, clock)).collect();
            output::print_csv(&header, &rows)?;
        }
        TableFormat::Text => output::print(&text(&found))?,
    }
    warn_unread(&found.completeness);
    output::warn_incomplete(&found.completeness);
    Ok(())
}

fn processes(found: &Document, clock: &Clock) -> Vec<String> {
    let own = found.processes.iter().filter(|process| process.clock == clock.id);
    own.map(|process| process.instance.clone().unwrap_or_else(|| process.service.clone())).collect()
}

fn word(bounds: ClockBounds) -> String {
    let word = serde_json::to_value(bounds).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

fn row(found: &Document, clock: &Clock) -> Vec<String> {
    fn some(value: Option<impl ToString>) -> String {
        value.map_or_else(String::new, |value| value.to_string())
    }
    let [low, high] = clock.bounds_ns;
    vec![
        clock.id.clone(),
        some(clock.host.as_ref()),
        clock.reference.to_string(),
        some(clock.offset_ns),
        some(clock.error_ns),
        some(low),
        some(high),
        some(clock.drift_ppm),
        word(clock.bounds),
        clock.messages.to_string(),
        some(clock.since),
        some(clock.until),
        processes(found, clock).join(" "),
    ]
}

fn text(found: &Document) -> String {
    let mut text = String::new();
    if !found.clocks.is_empty() {
        let _ = writeln!(
            text,
            "{:<5} {:<20} {:>14} {:>14} {:>10} {:<13} {:>9}  processes",
            "clock", "host", "offset", "± error", "drift", "bounds", "messages"
        );
    }
    for clock in &found.clocks {
        let named = processes(found, clock);
        let more = named.len().saturating_sub(PROCESSES_SHOWN);
        let mut shown = named.into_iter().take(PROCESSES_SHOWN).collect::<Vec<_>>().join(" ");
        if more > 0 {
            let _ = write!(shown, " and {more} more");
        }
        let _ = write!(
            text,
            "{:<5} {:<20} {:>14} {:>14} {:>10} {:<13} {:>9}  {}",
            clock.id,
            sanitise(clock.host.as_deref().unwrap_or("–")),
            offset(clock),
            clock.error_ns.map_or("unknown".to_owned(), duration),
            clock.drift_ppm.map_or("–".to_owned(), |drift| format!("{drift:.1} ppm")),
            word(clock.bounds),
            clock.messages,
            sanitise(&shown),
        );
        for (side, time) in [("since", clock.since), ("until", clock.until)] {
            if let Some(time) = time {
                let _ = write!(text, "  {side} {time}");
            }
        }
        text.push('\n');
    }
    let _ = text.write_str(match found.clocks.len() {
        0 => "",
        1 => "\none clock, so that nothing is to be corrected\n",
        _ => "\noffset: how far a clock is ahead of the reference; bounds: the sides from which traffic bounds it\n",
    });
    text
}

fn offset(clock: &Clock) -> String {
    match clock.offset_ns {
        _ if clock.reference => "reference".to_owned(),
        Some(ns) if ns < 0 => format!("−{}", duration(ns.unsigned_abs())),
        Some(ns) => format!("+{}", duration(ns.unsigned_abs())),
        None => "unknown".to_owned(),
    }
}
