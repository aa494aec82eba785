//! Documents as JSON.

use serde::Serialize;
use timeline::document::Timeline;

/// A document as indented JSON, with a line's end behind it.
pub fn json<T: Serialize>(document: &T) -> String {
    // The documents are plain data with text keys: serialising them cannot fail.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// A timeline's events in their order, one JSON object a line.
pub fn jsonl(timeline: &Timeline) -> String {
    let line = |event| serde_json::to_string(event).unwrap_or_default() + "\n";
    timeline.events.iter().map(line).collect()
}
