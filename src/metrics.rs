//! What collector and journal count, in Prometheus' text form.

use std::fmt::Write;
use std::sync::Arc;

use collector::Running;
use journal::Journal;

use Kind::{Counter, Gauge};

#[derive(Clone, Copy)]
enum Kind {
    /// Only grows, from the server's start.
    Counter,
    /// How it stands now.
    Gauge,
}

/// A metric: part, name of its count, kind, and what it is.
type Row = (&'static str, &'static str, Kind, &'static str);

const ROWS: &[Row] = &[
    ("collector", "requests", Counter, "Requests acknowledged: durable, repeats among them."),
    ("collector", "repeated", Counter, "Requests that had been received before, and were not written again."),
    ("collector", "spans", Counter, "Spans in acknowledged requests."),
    ("collector", "logs", Counter, "Log records in acknowledged requests."),
    ("collector", "bytes", Counter, "Bytes of acknowledged requests, uncompressed."),
    ("collector", "refused_items", Counter, "Spans and log records refused one by one."),
    ("collector", "defects", Counter, "Odd ids, times, texts and keys in items that were kept."),
    ("collector", "invalid_stamps", Counter, "Carried hybrid logical clock stamps that are none."),
    ("collector", "malformed", Counter, "Requests that could not be read."),
    ("collector", "too_large", Counter, "Requests over the limit."),
    ("collector", "unauthenticated", Counter, "Requests without a known token."),
    ("collector", "busy", Counter, "Requests told to come back: too many bytes in flight."),
    ("collector", "unavailable", Counter, "Requests told to come back: the journal could not take them."),
    ("collector", "broken_off", Counter, "Requests whose body stalled or ended early."),
    ("collector", "metrics_dropped", Counter, "Requests of metrics, acknowledged and dropped."),
    ("collector", "profiles_dropped", Counter, "Requests of profiles, acknowledged and dropped."),
    ("collector", "bytes_in_flight", Gauge, "Bytes between a socket and the journal's sync."),
    ("collector", "connections", Gauge, "Open connections."),
    ("journal", "requests", Counter, "Requests written."),
    ("journal", "items", Counter, "Spans and log records written."),
    ("journal", "repeated", Counter, "Requests recognised as repeats and not written again."),
    ("journal", "body_bytes", Counter, "Bytes of request bodies written, uncompressed."),
    ("journal", "block_bytes", Counter, "Bytes of blocks written, compressed."),
    ("journal", "syncs", Counter, "Syncs of the disk that requests waited for."),
    ("journal", "turned_away", Counter, "Requests turned away by a full disk."),
    ("journal", "too_far_ahead", Counter, "Carried stamps too far ahead of the clock to be merged."),
    ("journal", "dropped", Counter, "Segments dropped by retention or a full disk."),
    ("journal", "segments", Gauge, "Segments held."),
    ("journal", "bytes", Gauge, "Bytes of the segments held."),
    ("journal", "items_held", Gauge, "Spans and log records in the segments held."),
    ("journal", "poisoned", Gauge, "1 once the disk failed, and nothing is taken in any more."),
];

/// A function that tells the metrics at the moment of its call.
pub(crate) fn of(collector: &Arc<Running>, journal: &Arc<Journal>) -> Arc<dyn Fn() -> String + Send + Sync> {
    // Weak: what serves the metrics must not keep alive what a shutdown ends.
    let (collector, journal) = (Arc::downgrade(collector), Arc::downgrade(journal));
    Arc::new(move || {
        let mut text = String::new();
        if let Some(collector) = collector.upgrade() {
            write_counts(&mut text, "collector", &collector.counts());
        }
        if let Some(journal) = journal.upgrade() {
            write_counts(&mut text, "journal", &journal.counts());
        }
        text
    })
}

/// The metrics of one part, whose `counts` have a field for each; booleans are 0 and 1.
fn write_counts(text: &mut String, part: &str, counts: &impl serde::Serialize) {
    let counts = serde_json::to_value(counts).unwrap_or_default();
    for (_, name, kind, help) in ROWS.iter().filter(|row| row.0 == part) {
        let value = &counts[name];
        let Some(value) = value.as_u64().or_else(|| value.as_bool().map(u64::from)) else { continue };
        let (ending, kind) = match kind {
            Counter => ("_total", "counter"),
            Gauge => ("", "gauge"),
        };
        let metric = format!("backstory_{part}_{name}{ending}");
        let _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} {kind}\n{metric} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_is_a_metric_and_every_metric_a_count() {
        let names =
            |counts: serde_json::Value| counts.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let told = |part| {
            let rows = ROWS.iter().filter(|row| row.0 == part);
            let mut told: Vec<_> = rows.map(|row| row.1.to_owned()).collect();
            told.sort();
            told
        };
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        let collector = serde_json::to_value(collector::Counts::default()).unwrap();
        let journal = serde_json::to_value(journal::Counts::default()).unwrap();
        assert_eq!(told("collector"), sorted(names(collector)));
        assert_eq!(told("journal"), sorted(names(journal)));
    }

    #[test]
    fn a_counter_says_what_it_is() {
        let mut text = String::new();
        write_counts(
            &mut text,
            "journal",
            &journal::Counts { dropped: 2, poisoned: true, ..Default::default() },
        );
        assert!(text.contains(
            "# HELP backstory_journal_dropped_total Segments dropped by retention or a full disk.\n\
             # TYPE backstory_journal_dropped_total counter\n\
             backstory_journal_dropped_total 2\n"
        ));
        assert!(text.contains("# TYPE backstory_journal_poisoned gauge\nbackstory_journal_poisoned 1\n"));
    }
}
