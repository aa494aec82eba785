//! The draft of a post-mortem: what the telemetry shows, and the places that an engineer has to fill.

use std::fmt::Write as _;

use timeline::document::{Certainty, Event, Finding, FindingStatus, Outcome, StreamState, Timeline};

use super::format::Export;
use super::told::Told;
use super::{sanitise, words};

/// A longer table is no post-mortem.
const ROWS_MAX: usize = 1_000;
/// So many open questions of one kind are written out.
const QUESTIONS_MAX: usize = 20;

/// The draft.
pub(super) fn markdown(timeline: &Timeline) -> Export {
    let mut draft = Draft { told: Told::of(timeline), text: String::new() };
    draft.summary();
    draft.findings();
    let folded = draft.timeline();
    draft.clocks();
    draft.missing();
    draft.questions();
    Export { text: draft.text, folded }
}

struct Draft<'a> {
    told: Told<'a>,
    text: String,
}

impl Draft<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.line(&format!("\n## {text}\n"));
    }

    fn summary(&mut self) {
        let timeline = self.told.timeline;
        self.line(&format!("# What happened to {}\n", escape(&words::entity(&timeline.entity))));
        self.line("*A draft made from telemetry. Lines in italics are to be replaced.*");
        self.heading("Summary");
        self.line("*In two sentences: what went wrong, for whom, and what ended it.*\n");
        self.line(&format!("- Scope: {}", text_or(&timeline.entity.scope, "unknown")));
        match timeline.range {
            Some(range) => {
                let length = u64::try_from(range.end.since(range.start)).unwrap_or_default();
                let when = format!("- When: {} to {}, {}", range.start, range.end, words::duration(length));
                self.line(&when);
            }
            None => self.line("- No record that is held names it."),
        }
        let processes = words::counted(timeline.processes.len(), "process").replace("processs", "processes");
        self.line(&format!("- Seen: {} of {processes}", words::counted(timeline.events.len(), "event")));
        let found = timeline.findings.len();
        self.line(&format!(
            "- {}",
            if found == 1 { "1 finding".into() } else { format!("{found} findings") }
        ));
        for lack in words::lacks(&timeline.completeness) {
            self.line(&format!("- Not whole: {}", escape(&lack)));
        }
    }

    fn findings(&mut self) {
        self.heading("Findings");
        let findings = &self.told.timeline.findings;
        if findings.is_empty() {
            self.line("None. What could not be judged is under *What is missing*.");
        }
        for (number, finding) in findings.iter().enumerate() {
            self.finding(number + 1, finding);
        }
    }

    fn finding(&mut self, number: usize, finding: &Finding) {
        self.line(&format!("### {number}. {}\n", escape(&finding.summary)));
        let class = finding.class.as_ref().map(|class| format!(" ({})", escape(class))).unwrap_or_default();
        self.line(&format!(
            "`{}`{class}, {}, {} — `{}`\n",
            finding.kind,
            finding.grade,
            words::status(finding.status),
            code(&finding.id)
        ));
        self.line(&format!("Rests on: {}.", basis(finding)));
        let until = finding.until.map_or("still".to_owned(), |until| until.to_string());
        self.line(&format!("From {} until {until}.", finding.from));
        if let Some(other) = &finding.consequence_of {
            self.line(&format!("It follows from `{}`.", code(other)));
        }
        if let Some(event) = finding.repaired_by.and_then(|id| self.told.event(id)) {
            self.line(&format!("Mended by {}.", self.named(event)));
        }
        self.line(
            "\n| proof | time | process | event | state | why it stands here |\n|---|---|---|---|---|---|",
        );
        for id in &finding.events {
            let row = match self.told.place(*id) {
                Some(place) => format!("| `{id}` | {} |", self.cells(place).join(" | ")),
                None => format!("| `{id}` | not in this timeline | | | | |"),
            };
            self.line(&row);
        }
        self.line("");
    }

    fn timeline(&mut self) -> Option<String> {
        self.heading("Timeline");
        self.line("Times are on the reference clock. `≈`: nothing orders it against the line above. `~`: its clock is not bounded.\n");
        self.line("| time | process | event | state | why it stands here |\n|---|---|---|---|---|");
        let events = self.told.events();
        let seen: Vec<usize> = (0..events.len()).filter(|place| events[*place].folded.is_none()).collect();
        let (seen_len, hidden) = (seen.len(), events.len() - seen.len());
        let rows = self.told.weightiest(seen, ROWS_MAX);
        for place in &rows {
            let row = format!("| {} |", self.cells(*place).join(" | "));
            self.line(&row);
        }
        if hidden > 0 {
            let hidden = words::counted(hidden, "event");
            self.line(&format!("\n{hidden} that instrumentation made twice or as noise folded away."));
        }
        let left_out = seen_len - rows.len();
        let folded = (left_out > 0).then(|| {
            format!(
                "the table has the {ROWS_MAX} events that matter most; {left_out} others are left out (html, csv and \
                 json have all)"
            )
        });
        if let Some(folded) = &folded {
            self.line(&format!("\nNot whole: {folded}."));
        }
        folded
    }

    /// Time, process, event, state and reason of one event.
    fn cells(&self, place: usize) -> [String; 5] {
        let event = &self.told.events()[place];
        let above = place.checked_sub(1).map(|above| self.told.events()[above].id);
        let unordered =
            if above.is_some_and(|above| event.unordered_with.contains(&above)) { "≈ " } else { "" };
        let unbounded = if event.error_ns.is_none() { "~" } else { "" };
        let time = event.corrected.to_utc().format("%H:%M:%S%.6f");
        let error = event.error_ns.filter(|ns| *ns > 0).map(|ns| format!(" ± {}", words::duration(ns)));
        let marks: Vec<String> =
            self.told.gaps(place).iter().map(|gap| format!(" ╳ {}", words::gap(gap.kind))).collect();
        let state: Vec<String> =
            event.state.iter().map(|change| escape(&words::change_in_full(change))).collect();
        [
            format!("{unordered}{unbounded}{time}{}", error.unwrap_or_default()),
            escape(self.told.name(event)),
            format!("{}{}", self.named(event), marks.concat()),
            state.join("; "),
            escape(&self.told.reason(place)),
        ]
    }

    fn named(&self, event: &Event) -> String {
        let suffix = match event.kind {
            timeline::document::EventKind::SpanEnd => " ends",
            _ => "",
        };
        let failed = if event.severity >= Some(timeline::record::Severity::Error) { "✗ " } else { "" };
        format!("{failed}{}{suffix}", escape(&event.name))
    }

    fn clocks(&mut self) {
        self.heading("Clocks");
        self.line("Offsets to the reference clock, as the messages of this timeline bound them.\n");
        self.line("| clock | host | offset | error | bounded | messages |\n|---|---|---|---|---|---|");
        for clock in &self.told.timeline.clocks {
            let offset = clock.offset_ns.map_or("unknown".to_owned(), words::offset);
            let error =
                clock.error_ns.map_or("unknown".to_owned(), |ns| format!("± {}", words::duration(ns)));
            let (offset, error) =
                if clock.reference { ("reference".into(), String::new()) } else { (offset, error) };
            let host = text_or(clock.host.as_deref().unwrap_or_default(), "not named");
            let (bounds, messages) = (words::bounds(clock.bounds), clock.messages);
            self.line(&format!(
                "| {} | {host} | {offset} | {error} | {bounds} | {messages} |",
                code(&clock.id)
            ));
        }
        for marker in &self.told.timeline.markers {
            self.line(&format!("\n{}: {}", marker.time, escape(&marker.detail)));
        }
    }

    fn missing(&mut self) {
        self.heading("What is missing");
        if self.told.timeline.gaps.is_empty() {
            self.line("No gap is known.");
        }
        for gap in &self.told.timeline.gaps {
            let of = gap.event.and_then(|id| self.told.event(id));
            let at = of.map(|event| format!("{}, {}: ", escape(self.told.name(event)), self.named(event)));
            let at = at.unwrap_or_default();
            self.line(&format!("- {at}{} — {}", words::gap(gap.kind), escape(&gap.detail)));
        }
        for stream in &self.told.timeline.completeness.streams {
            let state = match stream.state {
                StreamState::Whole => "whole",
                StreamState::Sampled => "sampled",
                StreamState::Lossy => "lossy",
                StreamState::Unknown => "nothing says whether all of it arrives",
            };
            let evidence =
                stream.evidence.as_deref().map(|text| format!(" ({})", escape(text))).unwrap_or_default();
            let (service, signal) = (escape(&stream.service), escape(&stream.signal));
            self.line(&format!("- {service} {signal}: {state}{evidence}"));
        }
    }

    /// What an engineer must find out elsewhere.
    fn questions(&mut self) {
        let mut questions = vec!["*Who else is affected, since when, and is it still happening?*".to_owned()];
        let provisional = |finding: &&Finding| finding.status == FindingStatus::Provisional;
        let findings = self.told.timeline.findings.iter();
        questions.extend(
            findings.filter(provisional).take(QUESTIONS_MAX).map(|finding| {
                format!("Late records may still change `{}`: does it hold?", code(&finding.id))
            }),
        );
        let unknown =
            self.told.events().iter().flat_map(|event| event.state.iter().map(move |change| (event, change)));
        let unknown = unknown.filter(|(_, change)| change.outcome == Outcome::Unknown);
        questions.extend(unknown.take(QUESTIONS_MAX).map(|(event, change)| {
            format!("Did it take effect? {} in {}", escape(&words::change(change)), self.named(event))
        }));
        let gaps = self.told.timeline.gaps.iter().take(QUESTIONS_MAX);
        questions.extend(gaps.map(|gap| format!("{}: {}", words::gap(gap.kind), escape(&gap.detail))));
        self.heading("Open questions");
        questions.iter().for_each(|question| self.line(&format!("- [ ] {question}")));
    }
}

/// What a grade rests on, in words.
fn basis(finding: &Finding) -> String {
    use timeline::document::{CompletenessBasis, ValueBasis};
    let order = match finding.basis.order {
        Some(Certainty::Causal) => "a causal order",
        Some(Certainty::Clock) => "an order by one clock",
        Some(Certainty::Corrected) => "an order by corrected clocks",
        Some(Certainty::Assumed) => "an order that a declared offset gives",
        None => "no order",
    };
    let value = match finding.basis.value {
        ValueBasis::Inferred => "values inferred",
        ValueBasis::Seen => "values seen",
        ValueBasis::NotNeeded => "no values needed",
    };
    let completeness = match finding.basis.completeness {
        CompletenessBasis::Unknown => "absence in a stream that nobody vouches for",
        CompletenessBasis::Partial => "absence in a stream that is not whole",
        CompletenessBasis::Whole => "absence in a whole stream",
        CompletenessBasis::NotNeeded => "no absence",
    };
    format!("{order}, identity by {}, {value}, {completeness}", finding.basis.identity.name())
}

/// Text in a code span.
pub(super) fn code(text: &str) -> String {
    sanitise(text).replace(['`', '|'], "ʼ")
}

/// Text as Markdown and HTML read it literally.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in sanitise(text).chars() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '!' | '~' | '$' | '@' => {
                let _ = write!(escaped, "\\{char}");
            }
            char => escaped.push(char),
        }
    }
    escaped
}

fn text_or(text: &str, absent: &str) -> String {
    if text.is_empty() { absent.to_owned() } else { escape(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::story;

    #[test]
    fn a_draft_of_the_story() {
        insta::assert_snapshot!(markdown(&story::whole()).text);
    }

    #[test]
    fn a_long_story_says_what_was_left_out() {
        let mut told = story::whole();
        let more = told.events[2].clone();
        told.events.extend(std::iter::repeat_n(more, 2_000));
        let draft = markdown(&told);
        assert!(draft.folded.is_some_and(|word| word.contains("left out")));
        assert!(draft.text.lines().count() < 1_200);
        assert!(draft.text.contains("double-charge"), "the finding stays");
    }

    #[test]
    fn markdown_is_not_obeyed() {
        assert_eq!(escape("a|b <b>*x*</b>"), "a\\|b &lt;b&gt;\\*x\\*&lt;/b&gt;");
    }
}
