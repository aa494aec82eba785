//! The home screen: what the store holds, who sends, what is new; an empty store explains itself.

use ratatui::layout::Rect;

use super::paint::Painter;
use super::search::record_line;
use crate::screens::home::{Home, HomePanes};
use crate::store::{NEWEST_MAX, ServiceRow};
use crate::text;
use crate::theme::Role;
use crate::times;

pub(super) fn draw(home: &Home, area: Rect, painter: &mut Painter<'_>) {
    let services = painter.state.store.services();
    let panes = HomePanes::new(area, services.len());
    head(panes.head, painter);
    if painter.state.store.is_empty() {
        welcome(panes.services.union(panes.records), painter);
    } else {
        self::services(home, &services, panes.services, painter);
        records(home, panes.records, painter);
    }
    painter.keys(panes.keys);
}

fn head(head: Rect, painter: &mut Painter<'_>) {
    let (store, settings) = (&painter.state.store, &painter.state.settings);
    let source = text::sanitise(&settings.source).into_owned();
    let title = [(Role::Heading, " Backstory"), (Role::Dim, "  "), (Role::Dim, source.as_str())];
    painter.line(head, 0, &title);
    if let Some(failure) = &store.failure {
        let message = text::sanitise(&failure.message).into_owned();
        painter.line(head, 1, &[(Role::Error, format!(" {} {message}", painter.glyphs().warning))]);
    } else if let Some(stats) = &store.stats {
        let about = if stats.exact { "" } else { "about " };
        let mut line = format!(
            " {about}{} · {} · {} · {} · {} on disk",
            text::counted(stats.spans, "span", "spans"),
            text::counted(stats.logs, "log", "logs"),
            text::counted(stats.traces, "trace", "traces"),
            text::counted(stats.services, "service", "services"),
            text::bytes(stats.bytes_journal + stats.bytes_index),
        );
        if let Some(rate) = store.rate {
            line.push_str(&format!(" · {}/s", text::count(rate.round() as u64)));
        }
        painter.line(head, 1, &[(Role::Text, line)]);
    } else {
        painter.line(head, 1, &[(Role::Dim, " asking the store…")]);
    }
    let mut third = vec![(Role::Dim, String::new())];
    if let Some(stats) = store.stats.as_ref().filter(|stats| stats.rejected > 0) {
        let refused = text::counted(stats.rejected, "item was refused", "items were refused");
        third.push((Role::Warning, format!(" {} {refused}", painter.glyphs().warning)));
    }
    if !store.status.is_empty() {
        third.push((Role::Dim, format!(" {}", text::sanitise(&store.status))));
    }
    let told = third.iter().any(|(_, piece)| !piece.is_empty());
    if !told && !store.is_empty() {
        third.push((Role::Dim, " Something wrong with one thing? Press / and type its id.".to_owned()));
    }
    painter.line(head, 2, &third);
}

/// What an empty store says: how data gets into it.
fn welcome(area: Rect, painter: &mut Painter<'_>) {
    let exporter = &painter.state.settings.exporter;
    let mut lines = vec![
        (Role::Heading, "Nothing has arrived yet.".to_owned()),
        (Role::Text, String::new()),
        (Role::Text, "Point a service's OpenTelemetry exporter here:".to_owned()),
        (Role::Text, String::new()),
    ];
    if exporter.is_empty() {
        lines.push((Role::Dim, "  `backstory env` prints the settings to paste.".to_owned()));
    }
    lines.extend(exporter.iter().map(|line| (Role::Key, format!("  {}", text::sanitise(line)))));
    lines.push((Role::Text, String::new()));
    lines.push((Role::Dim, "This screen changes by itself when the first record arrives.".to_owned()));
    lines.push((Role::Dim, "No service at hand? `backstory demo` plays a real incident.".to_owned()));
    for (y, (role, line)) in (0..).zip(lines) {
        painter.line(area, y, &[(role, format!("  {line}"))]);
    }
}

fn services(home: &Home, services: &[ServiceRow], area: Rect, painter: &mut Painter<'_>) {
    let newest = painter.state.store.newest.len();
    let of = if newest >= NEWEST_MAX {
        format!("the newest {NEWEST_MAX} records")
    } else {
        "all new records".to_owned()
    };
    let of = if newest < NEWEST_MAX {
        format!("the newest {}", text::counted(newest as u64, "record", "records"))
    } else {
        of
    };
    painter.rule(area, 0, &format!("services of {of}"), focus_role(home.on_services));
    let inner = HomePanes::inner(area);
    let visible = services.iter().enumerate().skip(home.services.top).take(usize::from(inner.height));
    for (y, (number, row)) in (0..).zip(visible) {
        let errors =
            if row.errors == 0 { String::new() } else { text::counted(row.errors, "error", "errors") };
        let name = text::fit(&text::sanitise(&row.service), 24);
        let pieces = [
            (Role::Text, format!(" {name} {:>14}", text::counted(row.records, "record", "records"))),
            (Role::Dim, format!("   {:>14}   ", times::ago(row.last, painter.state.now))),
            (Role::Error, errors),
        ];
        painter.line(inner, y, &pieces);
        if number == home.services.at && home.on_services {
            painter.highlight(inner, y, Role::Cursor);
        }
    }
}

fn focus_role(focus: bool) -> Role {
    if focus { Role::Heading } else { Role::Dim }
}

fn records(home: &Home, area: Rect, painter: &mut Painter<'_>) {
    let state = painter.state;
    let label =
        if home.is_paused() { "newest records (paused: space goes on)" } else { "newest records, live" };
    painter.rule(area, 0, label, focus_role(!home.on_services));
    let inner = HomePanes::inner(area);
    let shown = home.shown(&state.store);
    let visible = shown.iter().enumerate().skip(home.records.top).take(usize::from(inner.height));
    for (y, (number, record)) in (0..).zip(visible) {
        record_line(record, inner, y, painter);
        if number == home.records.at && !home.on_services {
            painter.highlight(inner, y, Role::Cursor);
        }
    }
}
