//! The pop-ups of the timeline.

use std::sync::Arc;

use query::archive::Window;
use query::export::Format;
use timeline::document::Finding;

use super::{TimelineScreen, density};
use crate::basis;
use crate::keys::Action;
use crate::message::{Question, Shared};
use crate::popup::{Choice, ChoicePopup, Outcome, Popup, ReadingPopup};
use crate::report::Topic;
use crate::state::Context;
use crate::text;
use crate::times::{self, UTC};
use crate::told::Told;
use crate::why;

/// A timeline's time is offered in so many stretches.
const STRETCHES: i128 = 20;

impl TimelineScreen {
    /// The pop-up that `action` asks for, if it asks for one and there is anything to show.
    pub(super) fn menu(&self, action: Action, cx: &mut Context<'_>) -> Option<Popup> {
        match action {
            Action::Why => self.explain(cx),
            Action::Copy => self.copies(cx, Outcome::Copy),
            Action::CopyToFile => self.copies(cx, Outcome::Save),
            Action::Basis => self.basis(cx),
            Action::Findings => self.findings(cx),
            Action::Narrow => self.stretches(),
            Action::Export => self.formats(),
            _ => None,
        }
    }

    fn explain(&self, cx: &mut Context<'_>) -> Option<Popup> {
        let told = self.told.as_ref()?;
        let (at, event) = self.cursor()?;
        let width = ReadingPopup::text_width(cx.area);
        let marked = self.mark.filter(|mark| *mark != event).and_then(|mark| told.place(mark));
        let (title, lines) = match marked {
            Some(mark) => ("Why this order?", why::between(told, mark, at, width)),
            None => ("Why is it here, and after what?", why::of(told, at, width, cx.settings)),
        };
        Some(Popup::Reading(ReadingPopup::new(title, lines)))
    }

    fn basis(&self, cx: &Context<'_>) -> Option<Popup> {
        let told = self.told.as_ref()?;
        let lines = basis::lines(&told.document, ReadingPopup::text_width(cx.area));
        Some(Popup::Reading(ReadingPopup::new("What this timeline rests on", lines)))
    }

    fn copies(&self, cx: &Context<'_>, to: fn(String) -> Outcome) -> Option<Popup> {
        let told = self.told.as_ref()?;
        let (at, id) = self.cursor()?;
        let event = told.event(at)?;
        let copy = |label: &str, text: String| Choice::new(label, &text, to(text.clone()));
        let command = cx.settings.command(&["timeline", &self.entity]);
        let mut choices = vec![copy("event id", id.to_string())];
        choices.extend(event.trace_id.map(|trace| copy("trace id", trace.to_string())));
        choices.extend(event.span_id.map(|span| copy("span id", span.to_string())));
        choices.push(copy("text", event.name.clone()));
        choices.extend(serde_json::to_string_pretty(event).ok().map(|json| copy("the event as JSON", json)));
        choices.push(copy("command for this timeline", command));
        Some(Popup::Choice(ChoicePopup::new("Copy", choices)))
    }

    /// The findings, then the gaps, each leading to its first event.
    fn findings(&self, cx: &mut Context<'_>) -> Option<Popup> {
        let told = self.told.as_ref()?;
        let time =
            |at: usize| told.event(at).map_or_else(String::new, |event| relative(told, event.corrected));
        let first = |events: &[timeline::id::EventId]| events.iter().filter_map(|id| told.place(*id)).min();
        let mut choices = Vec::new();
        for finding in &told.document.findings {
            let Some(at) = first(&finding.events) else { continue };
            let Some(event) = told.event(at) else { continue };
            let label =
                format!("{} ({}): {}", finding.kind.name().replace('_', " "), finding.grade, finding.summary);
            choices.push(Choice::new(&label, &time(at), Outcome::Event(event.id)));
        }
        for gap in &told.document.gaps {
            let Some((at, event)) = gap.event.and_then(|id| Some((told.place(id)?, id))) else { continue };
            choices.push(Choice::new(&format!("gap: {}", gap.detail), &time(at), Outcome::Event(event)));
        }
        if choices.is_empty() {
            cx.say("no finding and no gap is known in this timeline");
            return None;
        }
        Some(Popup::Choice(ChoicePopup::new("Findings and gaps", choices)))
    }

    /// Who else has the finding under the cursor; without one there, the timeline's only one, or one to choose.
    pub(super) fn affected(&self, cx: &mut Context<'_>) -> (Option<Popup>, Option<Outcome>) {
        let (Some(told), Some((at, _))) = (&self.told, self.cursor()) else { return (None, None) };
        let here: Vec<&Finding> = told.findings(at).collect();
        let findings = if here.is_empty() { told.document.findings.iter().collect() } else { here };
        let of = |finding: &Finding| {
            let (finding, entity) = (finding.id.clone(), Some(self.entity.clone()));
            Outcome::Table(Topic::Affected { finding, entity })
        };
        match findings.as_slice() {
            [] => {
                cx.say("no finding is known in this timeline");
                (None, None)
            }
            [only] => (None, Some(of(only))),
            several => {
                let choice = |finding: &&Finding| {
                    Choice::new(&finding.kind.name().replace('_', " "), &finding.summary, of(finding))
                };
                let choices = several.iter().map(choice).collect();
                (Some(Popup::Choice(ChoicePopup::new("Who else has which finding?", choices))), None)
            }
        }
    }

    /// The formats that the timeline can be written in.
    fn formats(&self) -> Option<Popup> {
        self.told.as_ref()?;
        let choice =
            |format: Format| Choice::new(format.name(), format_detail(format), Outcome::Export(format));
        let order = [
            Format::Html,
            Format::Markdown,
            Format::Svg,
            Format::Mermaid,
            Format::Json,
            Format::Jsonl,
            Format::Csv,
            Format::Dot,
            Format::Shiviz,
            Format::Perfetto,
        ];
        Some(Popup::Choice(ChoicePopup::new("Export as", order.map(choice).to_vec())))
    }

    /// Asks for the timeline as a file.
    pub fn export(&self, format: Format, cx: &mut Context<'_>) {
        if let Some(told) = &self.told {
            cx.ask(Question::Export { told: Shared(Arc::clone(told)), format });
            cx.say(format!("writing {} …", format.name()));
        }
    }

    fn stretches(&self) -> Option<Popup> {
        let told = self.told.as_ref()?;
        let mut choices = Vec::new();
        if self.window != Window::default() {
            choices.push(Choice::new("all of its time", "", Outcome::Narrow(Window::default())));
        }
        let stretches = density::stretches(told, STRETCHES);
        let most = stretches.iter().map(|stretch| stretch.events).max().unwrap_or(1).max(1);
        for stretch in stretches {
            let bar = "█".repeat((stretch.events * 20).div_ceil(most) as usize);
            let label =
                format!("{} UTC to {}  {bar}", UTC.clock(stretch.start, 3), relative(told, stretch.end),);
            let events = text::counted(stretch.events, "event", "events");
            choices.push(Choice::new(&label, &events, Outcome::Narrow(stretch.window)));
        }
        (!choices.is_empty()).then(|| Popup::Choice(ChoicePopup::new("Narrow to", choices)))
    }
}

fn format_detail(format: Format) -> &'static str {
    match format {
        Format::Json => "the public document",
        Format::Jsonl => "one event a line",
        Format::Csv => "one event a row, for a spreadsheet",
        Format::Markdown => "the draft of a post-mortem",
        Format::Mermaid => "a sequence diagram",
        Format::Dot => "the graph of reasons, for Graphviz",
        Format::Svg => "the space-time diagram",
        Format::Html => "a page to walk through, in one file",
        Format::Shiviz => "a log with vector clocks, for ShiViz",
        Format::Perfetto => "for ui.perfetto.dev",
    }
}

/// So long after the timeline's start.
fn relative(told: &Told, time: timeline::time::Time) -> String {
    let start = told.document.range.map_or(time, |range| range.start);
    format!("+{} s", times::seconds(time.since(start), 3))
}
