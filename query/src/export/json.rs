//! Documents as JSON.

use serde::Serialize;
use timeline::document::{Edge, Event, Finding, Gap, Timeline};

use super::told::Told;

/// A document as indented JSON, with a line's end behind it. What a terminal would obey is escaped.
pub fn json<T: Serialize>(document: &T) -> String {
    // The documents are plain data with text keys: serialising them cannot fail.
    let mut text = escaped(&serde_json::to_string_pretty(document).unwrap_or_default());
    text.push('\n');
    text
}

/// A timeline's events in their order, one JSON object a line: the document's event, and beside it
/// the reasons that lead to it, the gaps that it tells and the findings that it proves.
pub fn jsonl(timeline: &Timeline) -> String {
    let told = Told::of(timeline);
    let lines = timeline.events.iter().enumerate().map(|(place, event)| {
        let findings = told.findings(place).iter().filter_map(|number| told.finding(*number));
        let line =
            Line { event, reasons: told.causes(place), gaps: told.gaps(place), findings: findings.collect() };
        escaped(&serde_json::to_string(&line).unwrap_or_default()) + "\n"
    });
    lines.collect()
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    event: &'a Event,
    reasons: &'a [&'a Edge],
    gaps: &'a [&'a Gap],
    findings: Vec<&'a Finding>,
}

/// JSON with the characters that serde leaves as they are and a terminal obeys written as escapes: they only
/// stand in texts.
pub(super) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for char in json.chars() {
        if char != '\n' && super::sanitise::is_obeyed(char) {
            text.push_str(&format!("\\u{:04x}", u32::from(char)));
        } else {
            text.push(char);
        }
    }
    text
}
