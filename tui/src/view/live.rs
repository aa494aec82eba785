//! The live screen: the filter, what arrived, the records as they come.

use super::paint::Painter;
use super::search::record_line;
use crate::screens::live::{KEPT_MAX, Live};
use crate::text;
use crate::theme::Role;
use ratatui::layout::Rect;

/// What stands before the query.
const PROMPT: &str = " live ";

pub(super) fn draw(live: &Live, area: Rect, painter: &mut Painter<'_>) {
    let panes = live.panes(area);
    let query = live.query.text();
    let (role, shown) = if query.is_empty() {
        (Role::Dim, "everything that arrives; / takes a query, as service:orders status:error")
    } else {
        (Role::Text, query)
    };
    painter.line(panes.head, 0, &[(Role::Heading, PROMPT), (role, shown)]);
    if live.typing {
        let column = text::width(PROMPT) + text::width(live.query.before_cursor());
        let column = u16::try_from(column).unwrap_or(u16::MAX).min(panes.head.width.saturating_sub(1));
        painter.cursor = Some((panes.head.x.saturating_add(column), panes.head.y).into());
    }
    painter.line(panes.head, 1, &status(live, painter));
    for (y, at) in (0..panes.list.height).zip(live.list.scroll.top..live.records.len()) {
        if let Some(record) = live.records.get(at) {
            record_line(record, panes.list, y, painter);
        }
        if at == live.list.scroll.at && !live.typing {
            painter.cursor_on(panes.list, y, !live.list.on_detail);
        }
    }
    if live.records.is_empty() && live.asked.is_none() && live.failure.is_none() {
        painter.line(panes.list, 1, &[(Role::Dim, "  Nothing that matches has arrived yet.")]);
    }
    painter.detail(&panes, &live.detail_lines(area), &live.list);
    painter.keys(panes.keys);
}

fn status(live: &Live, painter: &Painter<'_>) -> Vec<(Role, String)> {
    let mut pieces = Vec::new();
    if let Some(failure) = &live.failure {
        let again = if failure.at.is_some() { "" } else { "; asking again" };
        let message = text::sanitise(&failure.message).into_owned();
        pieces.push((Role::Error, format!(" {} {message}{again}", painter.glyphs().warning)));
        return pieces;
    }
    pieces.push((Role::Text, format!(" {} arrived", text::counted(live.arrived, "record", "records"))));
    if live.records.len() >= KEPT_MAX {
        let kept = text::count(KEPT_MAX as u64);
        pieces.push((Role::Dim, format!("  the newest {kept} are kept here; s searches all")));
    }
    if live.paused {
        let waiting = text::counted(live.waiting.len() as u64, "record waits", "records wait");
        pieces.push((Role::Warning, format!("  paused, {waiting}")));
    }
    pieces
}
