//! The search screen: the query line, what is wrong with it, the results, and a record's detail.

use ratatui::layout::Rect;
use timeline::document::{FindMatch, SearchRecord};
use timeline::record::Severity;

use super::paint::Painter;
use crate::basis;
use crate::detail;
use crate::screens::search::{Row, Search};
use crate::text;
use crate::theme::Role;
use crate::times::{self, Times, UTC};

/// What stands before the query.
const PROMPT: &str = " search ";

pub(super) fn draw(search: &Search, area: Rect, painter: &mut Painter<'_>) {
    let panes = search.panes(area);
    query_line(search, panes.head, painter);
    if panes.head.height > 1 {
        second_line(
            search,
            Rect { y: panes.head.y + 1, height: panes.head.height - 1, ..panes.head },
            painter,
        );
    }
    count_line(search, panes.head, painter);
    results(search, panes.list, painter);
    painter.detail(&panes, &search.detail_lines(area), &search.list);
    painter.keys(panes.keys);
}

fn query_line(search: &Search, head: Rect, painter: &mut Painter<'_>) {
    let query = search.query.text();
    let (role, shown) = if query.is_empty() {
        (Role::Dim, "42   order.id=42   service:orders status:error   \"card declined\"")
    } else {
        (Role::Text, query)
    };
    painter.line(head, 0, &[(Role::Heading, PROMPT), (role, shown)]);
    if search.typing {
        let column = cells(PROMPT) + cells(search.query.before_cursor());
        painter.cursor = Some((head.x + column.min(head.width.saturating_sub(1)), head.y).into());
    }
}

fn cells(text: &str) -> u16 {
    u16::try_from(text::width(text)).unwrap_or(u16::MAX / 2)
}

/// What is wrong with the query, under the place where it is wrong.
fn second_line(search: &Search, area: Rect, painter: &mut Painter<'_>) {
    let Some(failure) = &search.failure else { return };
    let message = text::sanitise(&failure.message).into_owned();
    let before = failure.at.and_then(|at| search.query.text().get(..at));
    let Some(before) = before else {
        painter.line(area, 0, &[(Role::Error, format!(" {message}"))]);
        return;
    };
    let column = usize::from(cells(PROMPT)) + text::width(before);
    let marked = format!("^ {message}");
    let room = usize::from(area.width);
    // Where the message does not fit to the right of the place, it stands to its left.
    let line = if column + text::width(&marked) <= room {
        format!("{}{marked}", " ".repeat(column))
    } else if text::width(&message) + 2 <= column && column < room {
        format!("{}{message} ^", " ".repeat(column - text::width(&message) - 1))
    } else {
        format!(" {message}")
    };
    painter.line(area, 0, &[(Role::Error, line)]);
}

fn count_line(search: &Search, head: Rect, painter: &mut Painter<'_>) {
    let mut pieces = vec![(Role::Text, " ".to_owned())];
    if let Some(total) = search.total {
        let truncated = search.completeness.reasons.contains(&timeline::document::Incompleteness::Truncated);
        let at_least = if truncated { "at least " } else { "" };
        let shown = text::count(search.records.len() as u64);
        pieces.push((Role::Text, format!("showing {shown} of {at_least}{} records", text::count(total))));
    }
    if !search.matches.is_empty() {
        pieces.push((
            Role::Text,
            format!(", {}", text::counted(search.matches.len() as u64, "entity", "entities")),
        ));
    }
    if search.total.is_some() && !search.is_current() {
        pieces.push((Role::Dim, "  (of the query before)".to_owned()));
    }
    if let Some(asked) = search.asked {
        pieces.push((Role::Dim, format!("  {}", asked.label())));
    }
    if !search.completeness.complete && search.total.is_some() {
        pieces.push((Role::Warning, format!("  {} incomplete{}", painter.glyphs().warning, reasons(search))));
    }
    painter.line(head, 2, &pieces);
}

fn reasons(search: &Search) -> String {
    let words: Vec<&str> = search.completeness.reasons.iter().map(|reason| basis::lack(*reason)).collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) }
}

fn results(search: &Search, list: Rect, painter: &mut Painter<'_>) {
    if search.is_empty() && search.total == Some(0) && search.failure.is_none() {
        painter.line(list, 1, &[(Role::Dim, "  Nothing matches.")]);
        painter.line(
            list,
            2,
            &[(
                Role::Dim,
                "  A bare word is looked for everywhere; name:\"…\", key=value and since:15m narrow it.",
            )],
        );
    }
    for (y, at) in (search.list.scroll.top..search.len()).enumerate().take(usize::from(list.height)) {
        let Ok(y) = u16::try_from(y) else { break };
        match search.row(at) {
            Some(Row::Match(found)) => match_line(found, list, y, painter),
            Some(Row::Record(record)) => record_line(record, list, y, painter),
            None => break,
        }
        if at == search.list.scroll.at && !search.typing {
            painter.cursor_on(list, y, !search.list.on_detail);
        }
    }
    let last = search.list.scroll.top + usize::from(list.height) >= search.len();
    if last && search.has_more() && !search.is_empty() {
        painter.right(list, list.height.saturating_sub(1), Role::Dim, " more below: ↓ ");
    }
}

fn match_line(found: &FindMatch, list: Rect, y: u16, painter: &mut Painter<'_>) {
    let glyph = painter.glyphs().transition;
    let entity = found.entity.as_deref().unwrap_or_default();
    let place = format!("{}={}", text::sanitise(&found.attribute), text::sanitise(&found.value));
    let pieces = [
        (Role::Transition, format!(" {glyph} {}", text::sanitise(entity))),
        (Role::Text, format!("  {place}  {}", text::counted(found.records, "record", "records"))),
        (Role::Dim, format!("  last {} UTC", UTC.clock(found.last, 0))),
    ];
    painter.line(list, y, &pieces);
}

/// A record on one line: time, service, what it says, how long it took.
pub(super) fn record_line(record: &SearchRecord, list: Rect, y: u16, painter: &mut Painter<'_>) {
    let settings = &painter.state.settings;
    let time = if settings.times == Times::Local {
        settings.zone.clock(record.time, 3)
    } else {
        UTC.clock(record.time, 3)
    };
    let glyphs = painter.glyphs();
    let error = record.severity >= Some(Severity::Error);
    let (glyph, role) = if error { (glyphs.error, Role::Error) } else { (glyphs.event, Role::Text) };
    let glyph = if record.kind == "log" && !error { '·' } else { glyph };
    let glyph = if painter.state.settings.theme.ascii && glyph == '·' { '-' } else { glyph };
    let service = text::fit(&text::sanitise(&record.service), if list.width >= 100 { 16 } else { 11 });
    let severity = record.severity.filter(|_| record.kind == "log").map_or("", |severity| severity.as_str());
    let label = if severity.is_empty() { String::new() } else { format!("{severity} ") };
    let mut pieces = vec![
        (Role::Dim, format!(" {time} ")),
        (Role::Text, format!("{service} ")),
        (role, format!("{glyph} {label}{}", detail::record_text(record))),
    ];
    if let (Some(start), Some(end)) = (record.start, record.end) {
        pieces.push((Role::Dim, format!("  {}", times::duration(end.since(start)))));
    }
    painter.line(list, y, &pieces);
}
