//! What collector and journal count, in Prometheus' text form.

use std::fmt::Write;
use std::sync::Arc;

use collector::Running;
use journal::Journal;

/// A function that tells the counters at the moment of its call.
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

/// One line a number of `counts`, named after its field; booleans are 0 and 1.
fn write_counts(text: &mut String, part: &str, counts: &impl serde::Serialize) {
    let Ok(serde_json::Value::Object(counts)) = serde_json::to_value(counts) else { return };
    for (name, value) in &counts {
        let value = value.as_u64().or_else(|| value.as_bool().map(u64::from));
        if let Some(value) = value {
            let _ = writeln!(text, "backstory_{part}_{name} {value}");
        }
    }
}
