//! The list of a timeline's events: lanes' names, and a line an event.

use ratatui::layout::Rect;
use timeline::document::{Event, EventKind, Op};
use timeline::record::Severity;

use super::lanes;
use super::paint::Painter;
use crate::layout::Focus;
use crate::screens::timeline::{Column, LanePlan, Silence, TimelineScreen};
use crate::text;
use crate::theme::Role;
use crate::times::{self, Times, UTC};
use crate::told::{Told, change_text};
use crate::why;

/// Where an event's text has so many cells, its line also says what it came out of.
const ROOM_FOR_REASON: usize = 84;

/// Cells between the pieces of an event's text.
const GAP: &str = "  ";

/// What every line of the list needs.
struct Lines<'a> {
    screen: &'a TimelineScreen,
    told: &'a Told,
    plan: LanePlan,
    /// How wide the times are.
    time_width: usize,
    /// What lines are marked for, in lower case; empty for none.
    wanted: String,
}

/// Draws the lanes' names into `names` and the events into `list`.
pub(super) fn draw(screen: &TimelineScreen, told: &Told, names: Rect, list: Rect, painter: &mut Painter<'_>) {
    let plan = screen.plan(list.width).unwrap_or_default();
    let time_width = time_width(told, painter.state.settings.times);
    let wanted = if screen.marking { screen.wanted() } else { String::new() };
    let lines = Lines { screen, told, plan, time_width, wanted };
    lines.names(names, painter);
    if screen.rows.is_empty() {
        nothing(screen, told, list, painter);
    }
    let mut y = 0;
    for (row, at) in screen.rows.iter().enumerate().skip(screen.scroll.top) {
        if let Some(silence) = screen.silence_before(row).filter(|_| row > screen.scroll.top) {
            lines.silence(silence, list, y, painter);
            y += 1;
        }
        if y >= list.height {
            break;
        }
        let here = row == screen.scroll.at;
        if let Some(event) = told.event(*at) {
            let line = Rect { y: list.y.saturating_add(y), height: 1, ..list };
            lines.event(*at, event, here, line, painter);
        }
        if here {
            let away = screen.focus != Focus::List;
            painter.highlight(list, y, if away { Role::CursorAway } else { Role::Cursor });
        }
        y += 1;
    }
}

/// How wide times are shown.
fn time_width(told: &Told, times: Times) -> usize {
    if times != Times::Relative {
        return "10:00:00.000".len();
    }
    let length = told.document.range.map_or(0, |range| range.end.since(range.start));
    text::width(&times::seconds(length, decimals(told))).max(8)
}

/// Seconds with so many decimals tell the events of a timeline of this length apart.
fn decimals(told: &Told) -> usize {
    let length = told.document.range.map_or(0, |range| range.end.since(range.start));
    if length < 10_000_000_000 { 6 } else { 3 }
}

/// Why no event is on screen.
fn nothing(screen: &TimelineScreen, told: &Told, list: Rect, painter: &mut Painter<'_>) {
    let lines: Vec<String> = if told.is_empty() {
        vec![
            format!("Nothing is known of {}.", text::sanitise(&screen.entity)),
            "Press s to search for its id: it may stand under another name,".to_owned(),
            "or its records may not have arrived yet (r asks again).".to_owned(),
        ]
    } else if !screen.filter.text().is_empty() {
        vec![
            format!("No event contains \"{}\" here.", screen.filter.text()),
            "esc clears the filter, z shows more.".to_owned(),
        ]
    } else {
        vec![
            "No change of state, error, gap or finding is known here.".to_owned(),
            "z shows the other events.".to_owned(),
        ]
    };
    for (y, line) in (1..).zip(lines) {
        painter.line(list, y, &[(Role::Dim, format!("  {line}"))]);
    }
}

impl Lines<'_> {
    /// The lanes' names: on one row where they fit, else in turn on two. Before them, how times are to be read.
    fn names(&self, area: Rect, painter: &mut Painter<'_>) {
        let hidden =
            |count: usize, sign: &str| if count > 0 { format!("{count}{sign}") } else { String::new() };
        let (before, after) = (hidden(self.plan.before, "‹"), hidden(self.plan.after, "›"));
        let rows = area.height.max(1);
        for row in 0..rows {
            let width = self.time_width;
            let last = row + 1 == rows;
            let (time, before) =
                if last { (self.zone(painter), before.as_str()) } else { (String::new(), "") };
            let mut pieces = vec![(Role::Dim, format!("  {time:>width$} {before:>2}"))];
            pieces.extend(self.names_of_row(usize::from(row), usize::from(rows)));
            if last {
                pieces.push((Role::Dim, format!("{after:<2}event")));
            }
            painter.line(area, row, &pieces);
        }
    }

    /// The zone of the times below it.
    fn zone(&self, painter: &Painter<'_>) -> String {
        let settings = &painter.state.settings;
        let start = self.told.document.range.map_or(painter.state.now, |range| range.start);
        match settings.times {
            Times::Relative => "relative".to_owned(),
            Times::Utc => "UTC".to_owned(),
            Times::Local => settings.zone.label(start),
            Times::Raw => "UTC, raw".to_owned(),
        }
    }

    fn names_of_row(&self, row: usize, rows: usize) -> Vec<(Role, String)> {
        let (width, shown) = (self.plan.width, self.plan.columns.len());
        let mut names = Vec::new();
        let mut cells = 0;
        for (place, column) in self.plan.columns.iter().enumerate() {
            // The last name stands on the upper row, where nothing follows that could cut it short.
            if (shown - 1 - place) % rows == row {
                let indent = (place * width).saturating_sub(cells);
                let (role, name) = self.name(*column);
                let last = place + 1 == shown && rows > 1;
                let room = if last { text::width(&name) } else { width * rows - 1 };
                let name = format!("{} {}", " ".repeat(indent), text::fit(&name, room));
                cells += text::width(&name);
                names.push((role, name));
            }
        }
        names.push((Role::Text, " ".repeat((width * shown).saturating_sub(cells))));
        names
    }

    fn name(&self, column: Column) -> (Role, String) {
        match column {
            Column::Others => (Role::Dim, format!("{}+", self.plan.folded)),
            Column::Lane(lane) => {
                let lane = self.told.lanes.get(lane);
                let label = lane.map_or_else(String::new, |lane| text::sanitise(&lane.label).into_owned());
                let pinned =
                    lane.is_some_and(|lane| Some(&lane.service) == self.screen.lanes.pinned.as_ref());
                (if pinned { Role::Match } else { Role::Heading }, label)
            }
        }
    }

    /// A stretch in which nothing that is shown happened, and who waited all the while.
    fn silence(&self, silence: &Silence, list: Rect, y: u16, painter: &mut Painter<'_>) {
        let glyphs = painter.glyphs();
        let rows = &self.screen.rows;
        let (Some(after), Some(before)) =
            (rows.get(silence.row), silence.row.checked_sub(1).and_then(|row| rows.get(row)))
        else {
            return;
        };
        let width = self.time_width;
        let mut pieces = vec![(Role::Dim, format!("  {:>width$}   ", glyphs.silence))];
        let cells = lanes::silent_cells(self.told, *before, *after, &self.plan, glyphs);
        pieces.push((Role::Arrow, cells.iter().map(|cell| cell.0).collect()));
        let lasted = times::duration(silence.ns);
        let said = match silence.waiting.and_then(|at| self.told.event(at)) {
            Some(call) => {
                let call = text::sanitise(&why::title(self.told, call)).into_owned();
                format!("{GAP}{lasted} of silence; {call} was not answered yet")
            }
            None => format!("{GAP}{lasted} of silence"),
        };
        pieces.push((Role::Dim, said));
        painter.line(list, y, &pieces);
    }

    fn event(&self, at: usize, event: &Event, here: bool, row: Rect, painter: &mut Painter<'_>) {
        let (glyphs, settings) = (painter.glyphs(), &painter.state.settings);
        let (pointer, role) = match (self.screen.mark == Some(event.id), here) {
            (true, _) => (glyphs.mark, Role::Match),
            (false, true) => (glyphs.cursor, Role::Text),
            (false, false) => (' ', Role::Text),
        };
        let unordered = if event.unordered_with.is_empty() { ' ' } else { glyphs.unordered };
        let guess = if event.error_ns.is_none() && settings.times != Times::Raw { '?' } else { ' ' };
        let width = self.time_width;
        let mut pieces = vec![
            (role, pointer.to_string()),
            (Role::Warning, unordered.to_string()),
            (Role::Text, format!("{:>width$}", self.time(event, painter))),
            (Role::Warning, format!("{guess}  ")),
        ];
        let cells = lanes::cells(self.told, at, &self.plan, glyphs);
        for run in cells.chunk_by(|a, b| a.1 == b.1) {
            let role = run.first().map_or(Role::Text, |cell| cell.1);
            pieces.push((role, run.iter().map(|cell| cell.0).collect()));
        }
        pieces.push((Role::Text, GAP.to_owned()));
        let taken: usize = pieces.iter().map(|(_, piece)| text::width(piece)).sum();
        let room = usize::from(row.width).saturating_sub(taken);
        let mut said = joined(self.said(at, event, painter));
        if !self.wanted.is_empty() && self.told.contains(at, &self.wanted) {
            said.iter_mut().for_each(|(role, _)| *role = Role::Match);
            said.insert(0, (Role::Match, format!("{} ", glyphs.mark)));
        }
        match reason(self.told, at).filter(|_| room >= ROOM_FOR_REASON) {
            Some(reason) => pieces.extend(with_reason(said, &reason, room)),
            None => pieces.extend(said),
        }
        painter.line(row, 0, &pieces);
    }

    fn time(&self, event: &Event, painter: &Painter<'_>) -> String {
        let settings = &painter.state.settings;
        let moment = settings.times.of(event);
        match settings.times {
            Times::Relative => {
                let start = self.told.document.range.map_or(moment, |range| range.start);
                times::seconds(moment.since(start), decimals(self.told))
            }
            Times::Utc | Times::Raw => UTC.clock(moment, 3),
            Times::Local => settings.zone.clock(moment, 3),
        }
    }

    /// What happened: changes of state first, then what is wrong, then the name and the duration.
    fn said(&self, at: usize, event: &Event, painter: &Painter<'_>) -> Vec<(Role, String)> {
        let (_, role) = lanes::glyph(self.told, at, painter.glyphs());
        let changes = event.state.iter().map(|change| {
            let role = if change.op == Op::Read { Role::Observation } else { Role::Transition };
            (role, format!("{} {}", text::sanitise(&change.copy), change_text(change)))
        });
        let mut pieces: Vec<(Role, String)> = changes.collect();
        let name = text::sanitise(&event.name).into_owned();
        let severity = event.severity.filter(|_| event.kind == EventKind::Log).map_or("", Severity::as_str);
        let name = match (event.kind, severity) {
            (EventKind::SpanEnd, _) if pieces.is_empty() => format!("end of {name}"),
            (_, "") => name,
            (_, severity) => format!("{severity} {name}"),
        };
        let trouble = trouble(self.told, at, painter);
        if pieces.is_empty() {
            pieces.push((role, name));
            pieces.extend(trouble);
        } else {
            // A change says more than the name of the call that made it.
            pieces.extend(trouble);
            pieces.push((Role::Dim, name));
        }
        let duration = self.told.span_ns(at).filter(|_| event.kind == EventKind::SpanStart);
        pieces.extend(duration.map(|ns| (Role::Dim, times::duration(ns))));
        pieces
    }
}

/// The findings, gaps and markers that hang on it.
fn trouble(told: &Told, at: usize, painter: &Painter<'_>) -> Vec<(Role, String)> {
    let warning = painter.glyphs().warning;
    let findings = told.findings(at).map(|finding| finding.kind.name().replace('_', " "));
    let gaps = told.gaps(at).map(|gap| text::sanitise(&gap.detail).into_owned());
    let markers = told.markers(at).map(|marker| text::sanitise(&marker.detail).into_owned());
    findings.chain(gaps).chain(markers).map(|said| (Role::Warning, format!("{warning} {said}"))).collect()
}

fn joined(pieces: Vec<(Role, String)>) -> Vec<(Role, String)> {
    let mut joined = Vec::new();
    for piece in pieces {
        if !joined.is_empty() {
            joined.push((Role::Text, GAP.to_owned()));
        }
        joined.push(piece);
    }
    joined
}

/// The strongest reason why it comes after another event of the timeline.
fn reason(told: &Told, at: usize) -> Option<String> {
    let edge = why::cause(told, at)?;
    let from = told.event(told.place(edge.from)?)?;
    Some(format!("after {} · {}", why::title(told, from), edge.evidence.name()))
}

/// `texts` with `reason` in the right third of a line of `room` cells.
fn with_reason(texts: Vec<(Role, String)>, reason: &str, room: usize) -> Vec<(Role, String)> {
    let wide = room * 2 / 3;
    let mut left = wide.saturating_sub(2);
    let mut cut = Vec::new();
    for (role, piece) in texts {
        let piece = text::cut(&piece, left).into_owned();
        left -= text::width(&piece);
        cut.push((role, piece));
    }
    cut.push((Role::Text, " ".repeat(left + 2)));
    cut.push((Role::Dim, text::sanitise(reason).into_owned()));
    cut
}
