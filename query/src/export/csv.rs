//! Rows for a spreadsheet (RFC 4180), which gets no formulas.

use timeline::document::{Event, Timeline};

use super::told::Told;
use super::{sanitise, words};

/// The columns, in order.
const COLUMNS: [&str; 24] = [
    "number",
    "corrected",
    "error_ns",
    "time",
    "hlc",
    "service",
    "instance",
    "host",
    "kind",
    "span_kind",
    "severity",
    "name",
    "state",
    "why",
    "unordered_with",
    "gaps",
    "findings",
    "belongs",
    "folded",
    "trace_id",
    "span_id",
    "id",
    "arrival",
    "attributes",
];

/// A timeline's events in their order, one a row.
pub(super) fn csv(timeline: &Timeline) -> String {
    let told = Told::of(timeline);
    let header = csv_row(&COLUMNS.map(str::to_owned));
    let rows = timeline.events.iter().enumerate().map(|(place, event)| csv_row(&row(&told, place, event)));
    std::iter::once(header).chain(rows).collect()
}

/// One row with its line's end. Each field is harmless text: control characters are made visible, and
/// what would begin a formula is led by an apostrophe.
pub fn csv_row(fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| csv_field(field)).collect();
    fields.join(",") + "\r\n"
}

fn csv_field(field: &str) -> String {
    let field = sanitise(field);
    // Spreadsheets pass over blanks before a formula.
    let formula = field.trim_start().starts_with(['=', '+', '-', '@', '␉', '␍', '＝', '＋', '－', '＠']);
    let lead = if formula && !is_negative(&field) { "'" } else { "" };
    if field.contains([',', '"', ';']) {
        format!("\"{lead}{}\"", field.replace('"', "\"\""))
    } else {
        format!("{lead}{field}")
    }
}

/// Whether it is a negative number and nothing else, which no spreadsheet takes for a formula.
fn is_negative(field: &str) -> bool {
    field.strip_prefix('-').is_some_and(|digits| {
        digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

fn row(told: &Told<'_>, place: usize, event: &Event) -> [String; COLUMNS.len()] {
    let process = told.timeline.processes.get(told.process(event));
    let some = |text: Option<&String>| text.cloned().unwrap_or_default();
    [
        (place + 1).to_string(),
        event.corrected.to_string(),
        event.error_ns.map(|ns| ns.to_string()).unwrap_or_default(),
        event.time.to_string(),
        format!("{} {}", event.hlc.l, event.hlc.c),
        process.map(|process| process.service.clone()).unwrap_or_default(),
        some(process.and_then(|process| process.instance.as_ref())),
        some(process.and_then(|process| process.host.as_ref())),
        words::kind(event.kind).to_owned(),
        event.span_kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        event.severity.map(|severity| severity.as_str().to_owned()).unwrap_or_default(),
        event.name.clone(),
        joined(event.state.iter().map(words::change_in_full)),
        joined(
            told.causes(place)
                .iter()
                .map(|edge| format!("{} ({}) {}", edge.evidence.name(), edge.certainty.name(), edge.from)),
        ),
        joined(event.unordered_with.iter().map(ToString::to_string)),
        joined(told.gaps(place).iter().map(|gap| format!("{}: {}", words::gap(gap.kind), gap.detail))),
        joined(told.findings(place).iter().filter_map(|number| told.finding(*number)).map(|finding| {
            format!("{} {} ({}): {}", finding.id, finding.kind, finding.grade, finding.summary)
        })),
        words::belongs(event.belongs).to_owned(),
        event.folded.map(|folded| words::folded(folded).to_owned()).unwrap_or_default(),
        event.trace_id.map(|id| id.to_string()).unwrap_or_default(),
        event.span_id.map(|id| id.to_string()).unwrap_or_default(),
        event.id.to_string(),
        event.arrival.map(|stamp| stamp.to_string()).unwrap_or_default(),
        event.attributes.as_ref().and_then(|all| serde_json::to_string(all).ok()).unwrap_or_default(),
    ]
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::story;

    #[test]
    fn a_spreadsheet_gets_no_formula() {
        assert_eq!(csv_field("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(csv_field(" =1"), "' =1");
        assert_eq!(csv_field("-1,2"), "\"'-1,2\"");
        assert_eq!(csv_field("-1.5"), "-1.5");
        assert_eq!(csv_field("-1-2"), "'-1-2");
        assert_eq!(csv_field("\t=1"), "'␉=1");
        assert_eq!(csv_field("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(csv_field("plain"), "plain");
    }

    #[test]
    fn a_story_in_rows() {
        insta::assert_snapshot!(csv(&story::whole()));
    }
}
