//! Everything that is known of one event or one record, in lines.

use timeline::document::{Belongs, Event, EventKind, Op, SearchRecord};
use timeline::record::SpanKind;
use timeline::time::Time;

use crate::lines::{Page, TextLine};
use crate::state::Settings;
use crate::text;
use crate::theme::Role;
use crate::times::{self, UTC};
use crate::told::{Told, change_text};
use crate::waterfall::{Correction, Waterfall, What};
use crate::why;

/// Why an event belongs to the timeline, for a person.
pub fn belongs(belongs: Belongs) -> &'static str {
    match belongs {
        Belongs::Own => "it names the entity itself",
        Belongs::Ancestor => "it led to an event that names the entity",
        Belongs::Descendant => "it was done for an event that names the entity",
        Belongs::Log => "it was logged in a span that is here",
        Belongs::Trace => "its trace concerns this entity only",
        Belongs::Link => "a link joins it to a span that is here",
        Belongs::Message => "a message joins it to a span that is here",
        Belongs::Rule => "a configured rule says so",
        Belongs::Related => "it names something that the entity is related to",
    }
}

/// A moment in full.
pub(crate) fn moment(at: Time) -> String {
    format!("{} {}", UTC.date(at), time_of_day(at))
}

fn time_of_day(at: Time) -> String {
    format!("{} UTC", UTC.clock(at, 9))
}

/// What kind of point it is: `span start · server`.
fn kind(event: &Event) -> String {
    let point = match event.kind {
        EventKind::SpanStart => "span start",
        EventKind::SpanEnd => "span end",
        EventKind::SpanEvent => "span event",
        EventKind::Log => "log",
    };
    let span_kind = event.span_kind.map_or("", SpanKind::as_str);
    let severity = event.severity.map_or("", |severity| severity.as_str());
    [point, span_kind, severity].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// The detail of the event at a place, in a pane of `width` cells.
pub fn event(told: &Told, at: usize, width: usize, settings: &Settings) -> Vec<TextLine> {
    let mut page = Page::new(width);
    let Some(event) = told.event(at) else { return Vec::new() };
    page.paragraph(Role::Heading, &event.name);
    page.labelled("  kind       ", Role::Text, &kind(event));
    origin(told, event, &mut page);
    event_times(told, at, event, &mut page);
    trouble(told, at, settings, &mut page);
    changes(event, settings, &mut page);
    let lead = if settings.theme.ascii { "  > " } else { "  ⏎ " };
    why::reasons(told, at, lead, settings, &mut page);
    page.heading("BELONGS HERE");
    page.labelled("  ", Role::Text, belongs(event.belongs));
    identifiers(event, &mut page);
    match &event.attributes {
        Some(attributes) if !attributes.is_empty() => {
            page.heading("ATTRIBUTES");
            page.attributes(attributes);
        }
        _ => {}
    }
    page.into_lines()
}

fn origin(told: &Told, event: &Event, page: &mut Page) {
    let Some(process) = told.process(event) else { return };
    let parts = [
        Some(process.service.as_str()),
        process.instance.as_deref(),
        process.host.as_deref(),
        process.version.as_deref(),
    ];
    let process = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    page.labelled("  process    ", Role::Text, &process);
}

fn event_times(told: &Told, at: usize, event: &Event, page: &mut Page) {
    let error = event.error_ns.map_or_else(
        || " ± unknown (no message bounds its clock)".to_owned(),
        |ns| format!(" ± {}", times::duration(i128::from(ns))),
    );
    page.labelled("  corrected  ", Role::Text, &format!("{}{error}", time_of_day(event.corrected)));
    let moved = event.corrected.since(event.time);
    let moved = if moved == 0 { String::new() } else { format!(" ({} moved)", times::duration(moved)) };
    page.labelled("  own clock  ", Role::Text, &format!("{}{moved}", time_of_day(event.time)));
    if let Some(ns) = told.span_ns(at) {
        page.labelled("  duration   ", Role::Text, &times::duration(ns));
    }
}

fn trouble(told: &Told, at: usize, settings: &Settings, page: &mut Page) {
    let warning = settings.theme.glyphs().warning;
    if told.gaps(at).next().is_some() {
        page.heading("GAPS");
        told.gaps(at).for_each(|gap| page.labelled(&format!("  {warning} "), Role::Warning, &gap.detail));
    }
    if told.findings(at).next().is_some() {
        page.heading("FINDINGS");
    }
    for finding in told.findings(at) {
        let label = format!("  {warning} {} ({}): ", finding.kind, finding.grade);
        page.labelled("", Role::Warning, &format!("{label}{}", finding.summary));
        for other in finding.events.iter().filter(|id| told.place(**id).is_some_and(|place| place != at)) {
            let name = told.place(*other).and_then(|at| told.event(at)).map(|event| why::title(told, event));
            page.line(
                TextLine::new(Role::Key, "    ⏎ ").and(Role::Text, name.unwrap_or_default()).to(*other),
            );
        }
    }
}

fn changes(event: &Event, settings: &Settings, page: &mut Page) {
    if event.state.is_empty() {
        return;
    }
    page.heading("STATE");
    let glyphs = settings.theme.glyphs();
    for change in &event.state {
        let (glyph, role) = if change.op == Op::Read {
            (glyphs.observation, Role::Observation)
        } else {
            (glyphs.transition, Role::Transition)
        };
        page.labelled(&format!("  {glyph} "), role, &change_text(change));
        let part = if change.part { ", a part" } else { "" };
        let source = format!(
            "{} in {}{part} (from {}, key {})",
            change.entity,
            change.copy,
            change.evidence.name(),
            change.identity.name()
        );
        page.labelled("    ", Role::Dim, &source);
    }
}

fn identifiers(event: &Event, page: &mut Page) {
    page.heading("IDS, ARRIVAL, STAMP");
    page.labelled("  event  ", Role::Text, &event.id.to_string());
    if let Some(trace) = event.trace_id {
        page.labelled("  trace  ", Role::Text, &trace.to_string());
    }
    if let Some(span) = event.span_id {
        page.labelled("  span   ", Role::Text, &span.to_string());
    }
    if let Some(arrival) = event.arrival {
        let after = Time(arrival.wall_ns()).since(event.corrected);
        let wording = format!("{} ({} later)", moment(Time(arrival.wall_ns())), times::duration(after));
        page.labelled("  arrived  ", Role::Text, &wording);
    }
    page.labelled("  stamp    ", Role::Dim, &format!("{} · {}", moment(event.hlc.l), event.hlc.c));
    if event.revisions > 1 {
        let said = format!("came with {} different contents; the latest end is shown", event.revisions);
        page.labelled("  ", Role::Warning, &said);
    }
}

/// The detail of a line of a waterfall, in a pane of `width` cells.
pub fn waterfall_line(waterfall: &Waterfall, line: usize, width: usize) -> Vec<TextLine> {
    let mut page = Page::new(width);
    let Some(node) = waterfall.nodes.get(line) else { return Vec::new() };
    if let What::Ghost(span) = node.what {
        page.paragraph(Role::Heading, &format!("span {span} never arrived"));
        let said = "Other spans name it as their parent. Its times here are those of what is below it.";
        page.paragraph(Role::Warning, said);
    } else {
        page.heading("IN THE TRACE");
        let start = node.start.since(waterfall.start);
        page.labelled("  begins    ", Role::Text, &format!("{} after the trace", times::duration(start)));
        page.labelled("  clock     ", Role::Text, &clock(node.correction));
    }
    for tail in [false, true] {
        let own = node.path.iter().filter(|stretch| stretch.tail == tail);
        let ns: i128 = own.map(|stretch| stretch.to.since(stretch.from)).sum();
        let path = if tail { "the asynchronous tail" } else { "the critical path" };
        if ns > 0 {
            page.labelled("  on path   ", Role::Text, &format!("{} of {path}", times::duration(ns)));
        }
    }
    let mut lines = waterfall.record(line).map(|record| self::record(record, width)).unwrap_or_default();
    if !lines.is_empty() {
        lines.push(TextLine::default());
    }
    lines.extend(page.into_lines());
    lines
}

fn clock(correction: Option<Correction>) -> String {
    match correction {
        None => "as the process had it: nothing is known of its clock".to_owned(),
        Some(Correction { offset_ns: 0, error_ns: Some(0) }) => "the reference".to_owned(),
        Some(Correction { offset_ns, error_ns }) => {
            let error = error_ns.map_or("?".to_owned(), |ns| times::duration(i128::from(ns)));
            format!("{} ± {error} ahead of the reference; corrected here", times::duration(offset_ns))
        }
    }
}

/// What a record says of itself on one line: a log's text, a span's name.
pub fn record_text(record: &SearchRecord) -> String {
    match &record.body {
        Some(body) if !record.name.is_empty() => format!("{}  {}", record.name, text::value(body)),
        Some(body) => text::value(body),
        None => text::sanitise(&record.name).into_owned(),
    }
}

/// The detail of a record, in a pane of `width` cells.
pub fn record(record: &SearchRecord, width: usize) -> Vec<TextLine> {
    let mut page = Page::new(width);
    page.paragraph(Role::Heading, &record_text(record));
    let parts = [
        Some(record.kind.as_str()),
        record.span_kind.map(SpanKind::as_str),
        record.severity.map(|severity| severity.as_str()),
    ];
    page.labelled("  kind      ", Role::Text, &parts.into_iter().flatten().collect::<Vec<_>>().join(" · "));
    page.labelled("  service   ", Role::Text, &record.service);
    page.labelled("  time      ", Role::Text, &moment(record.time));
    if let (Some(start), Some(end)) = (record.start, record.end) {
        page.labelled("  duration  ", Role::Text, &times::duration(end.since(start)));
    }
    if let Some(arrival) = record.arrival {
        page.labelled("  arrived   ", Role::Text, &moment(Time(arrival.wall_ns())));
    }
    page.labelled("  record    ", Role::Dim, &record.record.to_string());
    record.trace_id.iter().for_each(|id| page.labelled("  trace     ", Role::Text, &id.to_string()));
    record.span_id.iter().for_each(|id| page.labelled("  span      ", Role::Text, &id.to_string()));
    record.parent_span_id.iter().for_each(|id| page.labelled("  parent    ", Role::Text, &id.to_string()));
    if !record.attributes.is_empty() {
        page.heading("ATTRIBUTES");
        page.attributes(&record.attributes);
    }
    for event in &record.events {
        page.heading(&format!("EVENT {}", event.name));
        page.labelled("  time  ", Role::Text, &moment(event.time));
        page.attributes(&event.attributes);
    }
    for link in &record.links {
        page.heading("LINK");
        page.labelled("  trace  ", Role::Text, &link.trace_id.to_string());
        page.labelled("  span   ", Role::Text, &link.span_id.to_string());
        page.attributes(&link.attributes);
    }
    if !record.resource.is_empty() {
        page.heading("RESOURCE");
        page.attributes(&record.resource);
    }
    if !record.scope.is_empty() {
        page.labelled("  scope  ", Role::Dim, &record.scope);
    }
    page.into_lines()
}
