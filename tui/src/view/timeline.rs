//! The timeline screen: the title, what the answer lacks, lanes and events, and the detail beside or below.

use ratatui::layout::Rect;
use timeline::document::{EventKind, Incompleteness, StreamState, Timeline};
use timeline::record::Severity;

use super::lanes;
use super::paint::Painter;
use crate::layout::LaneColumns;
use crate::screens::timeline::TimelineScreen;
use crate::text;
use crate::theme::Role;
use crate::times::{self, Times, UTC};
use crate::told::{Told, change_text};
use crate::why;

/// Where an event has so many cells, its line also says what it came out of.
const ROOM_FOR_REASON: usize = 84;

pub(super) fn draw(screen: &TimelineScreen, area: Rect, painter: &mut Painter<'_>) {
    let panes = screen.panes(area);
    title(screen, panes.head, painter);
    if let Some(told) = &screen.told {
        state_line(screen, told, panes.head, painter);
        let columns = LaneColumns::new(panes.list.width, told.lanes.len());
        if !panes.list.is_empty() {
            let head = Rect { x: panes.list.x, width: panes.list.width, ..panes.head };
            lane_names(screen, told, columns, head, painter);
            events(screen, told, columns, panes.list, painter);
        }
        detail(screen, &panes, painter);
    }
    if let Some(failure) = &screen.failure {
        let lines = text::wrap(&text::sanitise(&failure.message), usize::from(area.width.saturating_sub(4)));
        for (y, line) in (1..).zip(lines) {
            painter.line(panes.head.union(panes.list), y, &[(Role::Error, format!("  {line}"))]);
        }
    }
    painter.keys(panes.keys);
}

fn title(screen: &TimelineScreen, head: Rect, painter: &mut Painter<'_>) {
    let asked = text::sanitise(&screen.entity).into_owned();
    let Some(told) = &screen.told else {
        painter.line(head, 0, &[(Role::Heading, format!(" {asked}"))]);
        if let Some(asked) = screen.asked {
            painter.line(head, 1, &[(Role::Dim, format!("  {}", asked.label()))]);
        }
        return;
    };
    let document = &told.document;
    let rule = format!(" {} ", painter.glyphs().rule);
    let transitions = told.transitions;
    let mut pieces = vec![(Role::Heading, format!(" {asked}"))];
    if let Some(range) = document.range {
        pieces.push((Role::Dim, format!("{rule}{}", times::duration(range.end.since(range.start)))));
    }
    pieces.push((
        Role::Text,
        format!("{rule}{}", text::counted(told.lanes.len() as u64, "service", "services")),
    ));
    pieces.push((Role::Text, format!("{rule}{}", text::counted(told.len() as u64, "event", "events"))));
    if transitions > 0 {
        pieces.push((
            Role::Transition,
            format!(", {}", text::counted(transitions, "transition", "transitions")),
        ));
    }
    let (gaps, findings) = (document.gaps.len() as u64, document.findings.len() as u64);
    if gaps > 0 {
        pieces.push((Role::Warning, format!("{rule}{}", text::counted(gaps, "gap", "gaps"))));
    }
    if findings > 0 {
        pieces.push((Role::Warning, format!("{rule}{}", text::counted(findings, "finding", "findings"))));
    }
    let scope = format!(" {}", text::sanitise(&document.entity.scope));
    let width: usize = pieces.iter().map(|(_, piece)| text::width(piece)).sum();
    if !document.entity.scope.is_empty() && width + text::width(&scope) <= usize::from(head.width) {
        pieces.insert(1, (Role::Dim, scope));
    }
    painter.line(head, 0, &pieces);
}

/// What is shown of it, how its times are to be read, and what it lacks.
fn state_line(screen: &TimelineScreen, told: &Told, head: Rect, painter: &mut Painter<'_>) {
    let settings = &painter.state.settings;
    let start = told.document.range.map_or(painter.state.now, |range| range.start);
    let date = settings.zone.date(start);
    let times = match settings.times {
        Times::Relative => format!("from {} {} UTC", UTC.date(start), UTC.clock(start, 3)),
        Times::Utc => format!("UTC {}", UTC.date(start)),
        Times::Local => format!("{} {date}", settings.zone.label(start)),
        Times::Raw => format!("own clocks, UTC {}", UTC.date(start)),
    };
    let shown = format!(
        " {} of {}, {}",
        text::count(screen.rows.len() as u64),
        text::count(told.len() as u64),
        screen.zoom.label(),
    );
    let mut pieces = vec![(Role::Text, shown)];
    if screen.typing || !screen.filter.text().is_empty() {
        pieces.push((Role::Match, format!("  filter /{}", screen.filter.text())));
        if screen.typing {
            let width: usize = pieces.iter().map(|(_, piece)| text::width(piece)).sum();
            let after = text::width(screen.filter.text()) - text::width(screen.filter.before_cursor());
            let column = u16::try_from(width - after).unwrap_or(u16::MAX).min(head.width.saturating_sub(1));
            painter.cursor = Some((head.x + column, head.y + 1).into());
        }
    }
    if let Some(asked) = screen.asked {
        pieces.push((Role::Warning, format!("  {}", asked.label())));
    }
    if let Some(lack) = lack(&told.document) {
        pieces.push((Role::Warning, format!("  {} {lack}", painter.glyphs().warning)));
    }
    pieces.push((Role::Dim, format!("  {times}")));
    painter.line(head, 1, &pieces);
}

/// What the answer lacks, in a few words; `None` if nothing is known to be missing.
fn lack(document: &Timeline) -> Option<String> {
    let completeness = &document.completeness;
    if completeness.complete {
        return None;
    }
    let word = |reason: &Incompleteness| match reason {
        Incompleteness::Truncated => {
            format!("cut at {} of {}", text::count(completeness.shown), text::count(completeness.total))
        }
        Incompleteness::MissingShard => "part of the store could not be read".to_owned(),
        Incompleteness::NotIndexed => "records still being indexed".to_owned(),
        Incompleteness::Sampled => sampled(document),
        Incompleteness::DroppedBySdk => "an SDK dropped some".to_owned(),
        Incompleteness::UnattributedWrites => "writes of unknown entities".to_owned(),
    };
    let words: Vec<String> = completeness.reasons.iter().map(word).collect();
    Some(if words.is_empty() { "incomplete".to_owned() } else { words.join(", ") })
}

fn sampled(document: &Timeline) -> String {
    let streams = document.completeness.streams.iter().filter(|stream| stream.state == StreamState::Sampled);
    let words: Vec<String> = streams
        .map(|stream| match stream.rate {
            Some(rate) => format!("{} sampled {:.0} %", text::sanitise(&stream.service), rate * 100.0),
            None => format!("{} sampled", text::sanitise(&stream.service)),
        })
        .collect();
    if words.is_empty() { "sampled".to_owned() } else { words.join(", ") }
}

/// The columns left of the lanes: cursor, mark of what is unordered, time, mark of what is a guess.
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

fn lane_names(
    screen: &TimelineScreen,
    told: &Told,
    columns: LaneColumns,
    head: Rect,
    painter: &mut Painter<'_>,
) {
    let width = time_width(told, painter.state.settings.times);
    let hidden = |count: usize, sign: &str| if count > 0 { format!("{count}{sign}") } else { String::new() };
    let before = hidden(screen.lane_first, "‹");
    let after = hidden(told.lanes.len().saturating_sub(screen.lane_first + columns.shown), "›");
    let mut pieces = vec![(Role::Dim, format!("  {:>width$} {before:>2}", "time"))];
    let shown = told.lanes.iter().skip(screen.lane_first).take(columns.shown);
    for lane in shown {
        let name = text::cut(&text::sanitise(&lane.service), columns.width.saturating_sub(1)).into_owned();
        pieces.push((Role::Heading, format!(" {}", text::fit(&name, columns.width.saturating_sub(1)))));
    }
    pieces.push((Role::Dim, format!("{after:<2}event")));
    painter.line(head, 2, &pieces);
}

fn events(screen: &TimelineScreen, told: &Told, columns: LaneColumns, list: Rect, painter: &mut Painter<'_>) {
    if screen.rows.is_empty() {
        nothing(screen, told, list, painter);
    }
    let visible = screen.rows.iter().enumerate().skip(screen.scroll.top).take(usize::from(list.height));
    for (y, (row, at)) in (0..).zip(visible) {
        let here = row == screen.scroll.at;
        event_line(screen, told, *at, here, columns, list, y, painter);
        if here {
            let away = screen.on_detail;
            painter.highlight(list, y, if away { Role::CursorAway } else { Role::Cursor });
        }
    }
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

#[expect(clippy::too_many_arguments, reason = "one line's place on screen and in the timeline")]
fn event_line(
    screen: &TimelineScreen,
    told: &Told,
    at: usize,
    here: bool,
    columns: LaneColumns,
    list: Rect,
    y: u16,
    painter: &mut Painter<'_>,
) {
    let Some(event) = told.event(at) else { return };
    let (glyphs, settings) = (painter.glyphs(), &painter.state.settings);
    let width = time_width(told, settings.times);
    let marked = screen.mark == Some(event.id);
    let pointer = if marked {
        glyphs.mark
    } else if here {
        glyphs.cursor
    } else {
        ' '
    };
    let unordered = if event.unordered_with.is_empty() { ' ' } else { glyphs.unordered };
    let guess = if event.error_ns.is_none() && settings.times != Times::Raw { '?' } else { ' ' };
    let mut pieces = vec![
        (if marked { Role::Match } else { Role::Text }, pointer.to_string()),
        (Role::Warning, unordered.to_string()),
        (Role::Text, format!("{:>width$}", shown_time(told, at, painter))),
        (Role::Warning, format!("{guess}  ")),
    ];
    let cells = lanes::cells(told, at, screen.lane_first, columns, glyphs);
    for run in cells.chunk_by(|a, b| a.1 == b.1) {
        let role = run.first().map_or(Role::Text, |cell| cell.1);
        pieces.push((role, run.iter().map(|cell| cell.0).collect()));
    }
    pieces.push((Role::Text, "  ".to_owned()));
    let told_width: usize = pieces.iter().map(|(_, piece)| text::width(piece)).sum();
    let mut texts = event_text(told, at, painter);
    let room = usize::from(list.width).saturating_sub(told_width);
    if room >= ROOM_FOR_REASON
        && let Some(reason) = reason(told, at)
    {
        texts = with_reason(texts, &reason, room);
    }
    pieces.extend(texts);
    painter.line(list, y, &pieces);
}

fn shown_time(told: &Told, at: usize, painter: &Painter<'_>) -> String {
    let settings = &painter.state.settings;
    let Some(event) = told.event(at) else { return String::new() };
    let moment = settings.times.of(event);
    match settings.times {
        Times::Relative => {
            let start = told.document.range.map_or(moment, |range| range.start);
            times::seconds(moment.since(start), decimals(told))
        }
        Times::Utc | Times::Raw => UTC.clock(moment, 3),
        Times::Local => settings.zone.clock(moment, 3),
    }
}

/// What happened, in a line: changes of state first, then the name, the duration, and what is wrong.
fn event_text(told: &Told, at: usize, painter: &Painter<'_>) -> Vec<(Role, String)> {
    let Some(event) = told.event(at) else { return Vec::new() };
    let (_, role) = lanes::glyph(told, at, painter.glyphs());
    let name = text::sanitise(&event.name).into_owned();
    let mut pieces = Vec::new();
    for change in &event.state {
        let role = if change.op == "read" { Role::Observation } else { Role::Transition };
        pieces.push((role, format!("{} {}", text::sanitise(&change.copy), change_text(change))));
        pieces.push((Role::Text, "  ".to_owned()));
    }
    let severity = event.severity.filter(|_| event.kind == EventKind::Log).map_or("", Severity::as_str);
    let name = match (event.kind, severity) {
        (EventKind::SpanEnd, _) if pieces.is_empty() => format!("end of {name}"),
        (_, "") => name,
        (_, severity) => format!("{severity} {name}"),
    };
    let said = trouble(told, at, painter);
    if pieces.is_empty() {
        pieces.push((role, name));
        pieces.extend(said);
    } else {
        // A change says more than the name of the call that made it.
        pieces.extend(said);
        pieces.push((Role::Dim, name));
    }
    if event.kind == EventKind::SpanStart
        && let Some(ns) = told.span_ns(at)
    {
        pieces.push((Role::Dim, format!("  {}", times::duration(ns))));
    }
    pieces
}

/// The findings and gaps that hang on it.
fn trouble(told: &Told, at: usize, painter: &Painter<'_>) -> Vec<(Role, String)> {
    let warning = painter.glyphs().warning;
    let findings = told.findings(at).map(|finding| text::sanitise(&finding.kind).replace('_', " "));
    let gaps = told.gaps(at).map(|gap| text::sanitise(&gap.detail).into_owned());
    findings.chain(gaps).map(|said| (Role::Warning, format!("  {warning} {said}  "))).collect()
}

/// The strongest reason why it comes after another event of the timeline.
fn reason(told: &Told, at: usize) -> Option<String> {
    let edge = why::cause(told, at)?;
    let from = told.event(told.place(edge.from)?)?;
    Some(format!("after {} · {}", why::title(told, from), why::evidence_name(edge.evidence)))
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

fn detail(screen: &TimelineScreen, panes: &crate::layout::Panes, painter: &mut Painter<'_>) {
    if panes.detail.is_empty() {
        return;
    }
    if panes.both() && panes.detail.x > panes.list.x {
        painter.divider(panes.detail);
    } else if panes.both() {
        painter.rule(panes.detail, 0, "detail", Role::Dim);
    }
    let inner = panes.detail_inner();
    let lines = screen.detail_lines(painter.state.area(), &painter.state.settings);
    painter.lines(inner, &lines, screen.detail, screen.on_detail);
    painter.more(panes.detail, lines.len(), screen.detail.top, inner.height);
}
