//! The elements of a diagram.

use std::fmt::Write as _;

use timeline::document::{Certainty, Event, EventKind, Op, StateChange};
use timeline::record::Severity;
use unicode_width::UnicodeWidthStr as _;

use super::layout::{Layout, Row};
use crate::export::told::Told;
use crate::export::{sanitise, words};

const STYLE: &str = include_str!("style.css");

/// The columns of text beside the diagram: where each begins, relative to its left, and the cells that fit.
const EVENT: (f64, usize) = (0.0, 52);
const STATE: (f64, usize) = (370.0, 46);
const WHY: (f64, usize) = (690.0, 34);
const TEXT_WIDTH: f64 = 930.0;
/// What stands below goes over the whole width.
const LINE: f64 = 18.0;

/// The whole file.
pub(super) fn draw(told: &Told<'_>, layout: &Layout) -> String {
    let footing = footing(told, layout);
    let width = layout.text_left + TEXT_WIDTH;
    let height = layout.bottom + 24.0 + LINE * footing.len() as f64 + 12.0;
    let mut picture = Picture { told, layout, text: String::new() };
    picture.open(width, height);
    picture.heading();
    picture.columns();
    layout.bars.iter().for_each(|bar| picture.bar(bar));
    picture.markers();
    layout.rows.iter().for_each(|row| picture.arrows(row));
    layout.rows.iter().for_each(|row| picture.row(row));
    for (number, (class, line)) in footing.iter().enumerate() {
        let y = layout.bottom + 24.0 + LINE * number as f64;
        let cells = (width / 6.5) as usize;
        picture.words(16.0, y, class, &cut(line, cells));
    }
    picture.text.push_str("</svg>\n");
    picture.text
}

struct Picture<'a> {
    told: &'a Told<'a>,
    layout: &'a Layout,
    text: String,
}

impl Picture<'_> {
    fn open(&mut self, width: f64, height: f64) {
        let title = escape(&words::entity(&self.told.timeline.entity));
        let _ = write!(
            self.text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} \
             {height:.0}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<defs><marker id=\"head\" \
             viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
             markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"head\" \
             d=\"M0 0L8 4L0 8z\"/></marker></defs>\n<rect class=\"paper\" width=\"{width:.0}\" height=\"{height:.0}\"/>\n"
        );
    }

    fn heading(&mut self) {
        let timeline = self.told.timeline;
        let title = format!("{}   {}", words::entity(&timeline.entity), timeline.entity.scope);
        self.words(16.0, 28.0, "title", &cut(&title, 120));
        let counts = format!(
            "{}, {}",
            words::counted(timeline.events.len(), "event"),
            words::counted(self.layout.columns.len(), "column")
        );
        let line = match timeline.range {
            Some(range) => {
                let length = u64::try_from(range.end.since(range.start)).unwrap_or_default();
                format!("{} to {}, {}: {counts}", range.start, range.end, words::duration(length))
            }
            None => "No record that is held names it.".to_owned(),
        };
        self.words(16.0, 48.0, "dim", &line);
        for (number, lack) in words::lacks(&timeline.completeness).iter().enumerate() {
            self.words(16.0, 66.0 + 16.0 * number as f64, "mark", &cut(lack, 160));
        }
    }

    fn columns(&mut self) {
        let Layout { top, bottom, text_left, .. } = *self.layout;
        for (number, (name, middle)) in self.layout.columns.iter().zip(&self.layout.middles).enumerate() {
            let lane = number % 8;
            let _ = writeln!(
                self.text,
                "<g class=\"c{lane}\"><text class=\"lane-name\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text><line class=\"life\" \
                 x1=\"{middle:.1}\" y1=\"{:.1}\" x2=\"{middle:.1}\" y2=\"{bottom:.1}\"/></g>",
                top + 16.0,
                escape(&cut(name, 24)),
                top + 26.0
            );
        }
        for (title, (left, _)) in [("event", EVENT), ("state", STATE), ("why", WHY)] {
            self.words(text_left + left, top + 16.0, "dim", title);
        }
    }

    fn bar(&mut self, bar: &super::layout::Bar) {
        let _ = writeln!(
            self.text,
            "<rect class=\"bar c{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"6\" height=\"{:.1}\" rx=\"3\"/>",
            bar.column % 8,
            bar.x - 3.0,
            bar.from,
            bar.to - bar.from
        );
    }

    fn markers(&mut self) {
        for marker in &self.told.timeline.markers {
            let y = self.layout.y_of(self.told, marker.time);
            let Some(column) = self.layout.column_of(self.told, &marker.process) else { continue };
            let middle = self.layout.middles[column];
            let _ = writeln!(
                self.text,
                "<line class=\"flag\" x1=\"{:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"><title>{}</title></line>",
                middle - 40.0,
                middle + 40.0,
                escape(&format!("{} {}", marker.time, marker.detail))
            );
        }
    }

    /// The arrows that come in from other columns: of each reason one, with its evidence.
    fn arrows(&mut self, row: &Row) {
        for place in [Some(row.place), row.end].into_iter().flatten() {
            for edge in self.told.causes(place) {
                let from = self.told.place(edge.from).and_then(|from| self.layout.row(from));
                let Some(from) = from.filter(|from| from.column != row.column) else { continue };
                let (evidence, certainty) = (edge.evidence.name(), edge.certainty.name());
                let towards = if from.x < row.x { -7.0 } else { 7.0 };
                let _ = writeln!(
                    self.text,
                    "<path class=\"arrow {certainty}\" marker-end=\"url(#head)\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"><title>{evidence} \
                     ({certainty})</title></path>",
                    from.x,
                    from.y,
                    row.x + towards,
                    row.y
                );
                // What clocks order is said by the line's dashes: beside the causes it would be clutter.
                if edge.certainty == Certainty::Causal {
                    let (x, y) = ((from.x + row.x) / 2.0, (from.y + row.y) / 2.0 - 3.0);
                    self.words(x, y, "label", evidence);
                    self.text.push('\n');
                }
            }
        }
    }

    fn row(&mut self, row: &Row) {
        let event = &self.told.events()[row.place];
        let end = row.end.map(|end| &self.told.events()[end]);
        let _ =
            write!(self.text, "<g class=\"c{}\"><title>{}</title>", row.column % 8, escape(&self.tip(row)));
        self.error_bar(row, event);
        self.glyph(row, event, end);
        let time = self.time(row, event);
        self.words(140.0, row.y + 4.0, "time", &time);
        let left = self.layout.text_left;
        let failed =
            [Some(event), end].into_iter().flatten().any(|event| event.severity >= Some(Severity::Error));
        let class = if failed {
            "bad"
        } else if event.kind == EventKind::SpanEnd {
            "dim"
        } else {
            ""
        };
        self.words(left + EVENT.0, row.y + 4.0, class, &cut(&self.name(row, failed), EVENT.1));
        let state: Vec<String> = self.state(row).map(words::change).collect();
        self.words(left + STATE.0, row.y + 4.0, "", &cut(&state.join(", "), STATE.1));
        self.words(left + WHY.0, row.y + 4.0, "dim", &cut(&self.told.reason(row.place), WHY.1));
        self.text.push_str("</g>\n");
    }

    fn places(&self, row: &Row) -> impl Iterator<Item = usize> + use<> {
        [Some(row.place), row.end].into_iter().flatten()
    }

    fn state(&self, row: &Row) -> impl Iterator<Item = &StateChange> {
        self.places(row).flat_map(|place| &self.told.events()[place].state)
    }

    fn error_bar(&mut self, row: &Row, event: &Event) {
        let (from, to, class) = match event.error_ns {
            Some(ns) => {
                let reach =
                    |side: i128| self.layout.y_of(self.told, event.corrected.shifted(side * i128::from(ns)));
                (reach(-1), reach(1), "error")
            }
            // Nothing bounds it: it may lie anywhere.
            None => (row.y - 14.0, row.y + 14.0, "error unbounded"),
        };
        if to - from >= 1.0 {
            let x = row.x;
            let _ = write!(
                self.text,
                "<path class=\"{class}\" d=\"M{:.1} {from:.1}h4m-2 0V{to:.1}m-2 0h4\"/>",
                x - 2.0
            );
        }
    }

    fn glyph(&mut self, row: &Row, event: &Event, end: Option<&Event>) {
        let (x, y) = (row.x, row.y);
        let gap = self.places(row).any(|place| !self.told.gaps(place).is_empty());
        let changes: Vec<Op> = self.state(row).map(|change| change.op).collect();
        let written = changes.iter().any(|op| *op != Op::Read);
        let shape = match event.kind {
            _ if !changes.is_empty() => {
                let class = if written { "glyph" } else { "hollow" };
                format!("<path class=\"{class}\" d=\"M{:.1} {y:.1}l6 -6l6 6l-6 6z\"/>", x - 6.0)
            }
            _ if gap => format!("<path class=\"cross\" d=\"M{:.1} {:.1}l9 9m0 -9l-9 9\"/>", x - 4.5, y - 4.5),
            EventKind::SpanEnd => format!("<circle class=\"hollow\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>"),
            EventKind::SpanStart => format!("<circle class=\"glyph\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>"),
            EventKind::SpanEvent | EventKind::Log => {
                format!("<circle class=\"glyph\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>")
            }
        };
        self.text.push_str(&shape);
        if gap && !changes.is_empty() {
            let _ = write!(
                self.text,
                "<path class=\"cross\" d=\"M{:.1} {:.1}l6 6m0 -6l-6 6\"/>",
                x + 6.0,
                y - 9.0
            );
        }
        let found: Vec<usize> =
            self.places(row).flat_map(|place| self.told.findings(place)).copied().collect();
        if let Some(number) = found.first() {
            let _ = write!(
                self.text,
                "<circle class=\"ring\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\"/><text class=\"bad\" x=\"{:.1}\" \
                 y=\"{:.1}\">⚑{}</text>",
                x + 9.0,
                y - 6.0,
                number + 1
            );
        }
        debug_assert!(
            end.is_none() || event.kind == EventKind::SpanStart,
            "only a start stands for its end too"
        );
    }

    fn time(&self, row: &Row, event: &Event) -> String {
        let ns = event.corrected.since(self.told.start());
        let unordered = if row.unordered { "≈ " } else { "" };
        let unbounded = if event.error_ns.is_none() { "~" } else { "" };
        let sign = if ns < 0 { "−" } else { "" };
        let ns = u64::try_from(ns.unsigned_abs()).unwrap_or(u64::MAX);
        format!("{unordered}{unbounded}{sign}{}.{:06}", ns / 1_000_000_000, ns / 1_000 % 1_000_000)
    }

    fn name(&self, row: &Row, failed: bool) -> String {
        let event = &self.told.events()[row.place];
        let mut name = sanitise(&event.name).into_owned();
        if let Some(end) = row.end {
            let length = self.told.events()[end].time.since(event.time);
            name += &u64::try_from(length).map_or(String::new(), |ns| format!("  {}", words::duration(ns)));
        }
        if event.kind == EventKind::SpanEnd {
            name += " ends";
        }
        if failed {
            name.insert_str(0, "✗ ");
        }
        for gap in self.places(row).flat_map(|place| self.told.gaps(place)) {
            name += &format!("  ╳ {}", words::gap(gap.kind));
        }
        name
    }

    /// All that is known of a row, for who points at it.
    fn tip(&self, row: &Row) -> String {
        let mut tip = Vec::new();
        for place in self.places(row) {
            let event = &self.told.events()[place];
            let error = event.error_ns.map_or("unbounded".to_owned(), words::duration);
            tip.push(format!("{} {} ± {error}", sanitise(&event.name), event.corrected));
            tip.extend(event.state.iter().map(words::change_in_full));
            tip.extend(self.told.causes(place).iter().map(|edge| {
                let from = self.told.event(edge.from);
                let from = from.map(|from| format!("{} of {}", sanitise(&from.name), self.told.name(from)));
                let (evidence, certainty) = (edge.evidence.name(), edge.certainty.name());
                format!("after {} by {evidence} ({certainty})", from.unwrap_or_default())
            }));
            tip.extend(self.told.gaps(place).iter().map(|gap| sanitise(&gap.detail).into_owned()));
            let findings = self.told.findings(place).iter().filter_map(|number| self.told.finding(*number));
            tip.extend(findings.map(|finding| sanitise(&finding.summary).into_owned()));
        }
        tip.join(" · ")
    }

    fn words(&mut self, x: f64, y: f64, class: &str, words: &str) {
        if !words.is_empty() {
            let _ = write!(
                self.text,
                "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
                escape(words)
            );
        }
    }
}

/// What stands below the diagram, one line each with its class.
fn footing(told: &Told<'_>, layout: &Layout) -> Vec<(&'static str, String)> {
    let timeline = told.timeline;
    let mut lines = Vec::new();
    for (number, finding) in timeline.findings.iter().enumerate() {
        let status = words::status(finding.status);
        lines.push((
            "bad",
            format!("⚑{} {} ({}, {status}): {}", number + 1, finding.kind, finding.grade, finding.summary),
        ));
    }
    for gap in &timeline.gaps {
        let of = gap.event.and_then(|id| told.event(id));
        let of = of.map(|event| format!("{}: ", event.name)).unwrap_or_default();
        lines.push(("", format!("╳ {of}{} — {}", words::gap(gap.kind), gap.detail)));
    }
    lines
        .extend(timeline.markers.iter().map(|marker| ("mark", format!("{} {}", marker.time, marker.detail))));
    lines.extend(timeline.clocks.iter().map(|clock| ("dim", words::clock(clock))));
    lines.extend(layout.folded.iter().map(|word| ("mark", word.clone())));
    let hidden = timeline.events.iter().filter(|event| event.folded.is_some()).count();
    if hidden > 0 {
        let hidden = words::counted(hidden, "event");
        lines.push(("dim", format!("{hidden} that instrumentation made twice or as noise folded away")));
    }
    lines.push((
        "dim",
        "● starts  ○ ends  · says  ◆ writes  ◇ reads  ╳ missing  ≈ nothing orders it against the row above  ~ its clock is \
         not bounded  |–| how exact the time is"
            .to_owned(),
    ));
    lines.push((
        "dim",
        "arrows: solid by a cause, dashed by one clock, dotted by corrected clocks; distances are not to scale".to_owned(),
    ));
    lines
}

/// `text` in at most `cells` cells of a monospaced font: a good guess at any.
fn cut(text: &str, cells: usize) -> String {
    let text = sanitise(text);
    if text.width() <= cells {
        return text.into_owned();
    }
    let mut cut = String::new();
    for char in text.chars() {
        if cut.width() + 2 > cells {
            break;
        }
        cut.push(char);
    }
    cut.push('…');
    cut
}

/// Text as XML has it. What XML 1.0 has no room for is replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in sanitise(text).chars() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            char => escaped.push(char),
        }
    }
    escaped
}
