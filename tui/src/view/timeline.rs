//! The timeline screen: the title, what the answer lacks, lanes and events, and the detail beside or below.

use ratatui::layout::Rect;
use timeline::document::{Incompleteness, StreamState, Timeline};

use super::events;
use super::paint::Painter;
use crate::basis;
use crate::layout::Focus;
use crate::screens::timeline::TimelineScreen;
use crate::text;
use crate::theme::Role;
use crate::times::{self, Times, UTC};
use crate::told::Told;

pub(super) fn draw(screen: &TimelineScreen, area: Rect, painter: &mut Painter<'_>) {
    let panes = screen.panes(area);
    title(screen, panes.head, painter);
    if let Some(told) = &screen.told {
        state_line(screen, told, panes.head, painter);
        if !panes.list.is_empty() {
            let above = 2 + u16::from(screen.density.is_some());
            let names = Rect { y: panes.head.y.saturating_add(above), ..panes.list };
            let names = Rect { height: panes.head.height.saturating_sub(above), ..names };
            events::draw(screen, told, names, panes.list, painter);
        }
        density(screen, told, panes.head, painter);
        if panes.list.is_empty() {
            tabs(screen, panes.head, painter);
        }
        state_pane(screen, &panes, painter);
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

/// What is shown of it, what it lacks, what came since; at the right end the day and the zone, always.
fn state_line(screen: &TimelineScreen, told: &Told, head: Rect, painter: &mut Painter<'_>) {
    let times = times_label(told, painter);
    let room = head.width.saturating_sub(u16::try_from(text::width(&times)).unwrap_or(u16::MAX));
    let left = Rect { width: room, ..head };
    let pieces = state_pieces(screen, told, painter);
    if screen.typing {
        let before: usize = pieces.iter().take(2).map(|(_, piece)| text::width(piece)).sum();
        let after = text::width(screen.filter.text()) - text::width(screen.filter.before_cursor());
        let column = u16::try_from(before - after).unwrap_or(u16::MAX).min(head.width.saturating_sub(1));
        painter.cursor = Some((head.x + column, head.y + 1).into());
    }
    painter.line(left, 1, &pieces);
    painter.right(head, 1, Role::Dim, &times);
}

fn times_label(told: &Told, painter: &Painter<'_>) -> String {
    let settings = &painter.state.settings;
    let Some(range) = told.document.range else { return String::new() };
    let start = range.start;
    match settings.times {
        Times::Relative => format!("  from {} {} UTC ", UTC.date(start), UTC.clock(start, 3)),
        Times::Utc => format!("  {} UTC ", UTC.date(start)),
        Times::Local => format!("  {} {} ", settings.zone.date(start), settings.zone.label(start)),
        Times::Raw => format!("  {} UTC, each clock's own ", UTC.date(start)),
    }
}

fn state_pieces(screen: &TimelineScreen, told: &Told, painter: &Painter<'_>) -> Vec<(Role, String)> {
    let shown = format!(
        " {} of {}, {}",
        text::count(screen.rows.len() as u64),
        text::count(told.len() as u64),
        screen.zoom.label(),
    );
    let mut pieces = vec![(Role::Text, shown)];
    if screen.typing || !screen.filter.text().is_empty() {
        let does = if screen.marking { "marked" } else { "only" };
        pieces.push((Role::Match, format!("  {does} /{}", screen.filter.text())));
    }
    if screen.window != query::archive::Window::default() {
        pieces.push((Role::Warning, "  a stretch of its time (esc: all)".to_owned()));
    }
    if let Some(asked) = screen.asked.filter(|_| !screen.growth.quiet) {
        pieces.push((Role::Warning, format!("  {}", asked.label())));
    }
    if screen.growth.fresh > 0 {
        pieces.push((Role::Match, format!("  {} new since", text::count(screen.growth.fresh))));
    }
    if screen.growth.lost {
        pieces.push((Role::Error, "  no answer for now, asking again".to_owned()));
    }
    if let Some(lack) = lack(&told.document) {
        pieces.push((Role::Warning, format!("  {} {lack}", painter.glyphs().warning)));
    }
    pieces
}

/// Where in time the rows are, with the cursor's place.
fn density(screen: &TimelineScreen, told: &Told, head: Rect, painter: &mut Painter<'_>) {
    let Some(density) = &screen.density else { return };
    let here = screen.cursor().and_then(|(at, _)| told.event(at)).map(|event| event.corrected);
    let inner = Rect { x: head.x.saturating_add(1), width: head.width.saturating_sub(2), ..head };
    let range = told.document.range.map_or(timeline::time::Time::UNSET, |range| range.start);
    let (cells, cursor) = density.cells(usize::from(inner.width), here.unwrap_or(range));
    let glyphs = painter.glyphs();
    let pieces: Vec<(Role, String)> = cells
        .iter()
        .enumerate()
        .map(|(at, cell)| {
            let role = match (at == cursor, cell.trouble) {
                (true, _) => Role::Cursor,
                (false, true) => Role::Warning,
                (false, false) => Role::Dim,
            };
            (role, glyphs.heights.get(cell.height).unwrap_or(&' ').to_string())
        })
        .collect();
    painter.line(inner, 2, &pieces);
}

/// Which of the panes is on screen, where there is room for one alone.
fn tabs(screen: &TimelineScreen, head: Rect, painter: &mut Painter<'_>) {
    let tabs = [(Focus::List, " events "), (Focus::State, " state "), (Focus::Detail, " detail ")];
    let pieces = tabs
        .map(|(focus, name)| (if focus == screen.focus { Role::Cursor } else { Role::Dim }, name.to_owned()));
    painter.line(head, head.height.saturating_sub(1), &pieces);
}

fn state_pane(screen: &TimelineScreen, panes: &crate::layout::Panes, painter: &mut Painter<'_>) {
    if panes.state.is_empty() {
        return;
    }
    painter.part(panes, panes.state, "state");
    let inner = panes.inner(panes.state);
    let lines = screen.state_lines(painter.state.area(), &painter.state.settings);
    painter.lines(inner, &lines, screen.state, screen.focus == Focus::State);
    painter.more(panes.state, lines.len(), screen.state.top, inner.height);
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
        Incompleteness::Sampled => sampled(document),
        other => basis::lack(*other).to_owned(),
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

fn detail(screen: &TimelineScreen, panes: &crate::layout::Panes, painter: &mut Painter<'_>) {
    if panes.detail.is_empty() {
        return;
    }
    painter.part(panes, panes.detail, "detail");
    let inner = panes.detail_inner();
    let lines = screen.detail_lines(painter.state.area(), &painter.state.settings);
    painter.lines(inner, &lines, screen.detail, screen.focus == Focus::Detail);
    painter.more(panes.detail, lines.len(), screen.detail.top, inner.height);
}
