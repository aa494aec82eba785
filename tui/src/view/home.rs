//! The home screen: what the store holds, who sends, what is new; an empty store explains itself.

use ratatui::layout::Rect;

use super::paint::Painter;
use super::search::record_line;
use crate::screens::home::{Home, HomePanes};
use crate::store::ServiceRow;
use crate::table::below_names;
use crate::text;
use crate::theme::Role;

pub(super) fn draw(home: &Home, area: Rect, painter: &mut Painter<'_>) {
    let panes = home.panes(area);
    head(panes.panes.head, painter);
    if painter.state.store.is_empty() {
        welcome(panes.whole(), painter);
    } else {
        wrong(home, &panes, painter);
        records(home, panes.records, painter);
        let lines = home.detail_lines(&painter.state.store, &panes.panes);
        painter.detail(&panes.panes, &lines, &home.table.list);
    }
    painter.keys(panes.panes.keys);
}

/// What is wrong, and how much of it was judged.
fn wrong(home: &Home, panes: &HomePanes, painter: &mut Painter<'_>) {
    if panes.panes.list.is_empty() {
        return;
    }
    let focus = !home.on_records && !home.table.list.on_detail;
    let mut said = format!("what is wrong: {}", home.table.counts());
    if !home.answered {
        said = "what is wrong".to_owned();
    }
    painter.rule(panes.heading, 0, &said, focus_role(focus));
    let list = panes.panes.list;
    if !home.answered {
        let line = match (&home.failure, home.asked) {
            (Some(failure), _) => (Role::Error, text::sanitise(&failure.message).into_owned()),
            (None, Some(asked)) => (Role::Dim, asked.label().replace("asking", "judging every entity")),
            (None, None) if home.given_up => (Role::Dim, "not judged; r judges every entity".to_owned()),
            (None, None) => (Role::Dim, "asking the store…".to_owned()),
        };
        painter.line(list, 0, &[(line.0, format!("  {}", line.1))]);
        return;
    }
    super::table::rows(&home.table, list, focus, painter);
    for line in home.table.report().summary.iter().take(1) {
        let judged = panes.judged;
        painter.line(
            Rect { x: judged.x.saturating_add(1), width: judged.width.saturating_sub(1), ..judged },
            0,
            &line.pieces,
        );
    }
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

/// Who sent the newest records, and how many of them are errors.
fn services(rows: &[ServiceRow]) -> String {
    let said = |row: &ServiceRow| {
        let errors = match row.errors {
            0 => String::new(),
            errors => format!(" ({})", text::counted(errors, "error", "errors")),
        };
        format!("{} {}{errors}", text::sanitise(&row.service), text::count(row.records))
    };
    let said: Vec<String> = rows.iter().map(said).collect();
    if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) }
}

fn focus_role(focus: bool) -> Role {
    if focus { Role::Heading } else { Role::Dim }
}

fn records(home: &Home, area: Rect, painter: &mut Painter<'_>) {
    let state = painter.state;
    let focus = home.on_records && !home.table.list.on_detail;
    let label =
        if home.is_paused() { "newest records (paused: space goes on)" } else { "newest records, live" };
    let services = services(&state.store.services());
    painter.rule(area, 0, &format!("{label}{services}"), focus_role(focus));
    let inner = below_names(area);
    let shown = home.shown(&state.store);
    let visible = shown.iter().enumerate().skip(home.records.top).take(usize::from(inner.height));
    for (y, (number, record)) in (0..).zip(visible) {
        record_line(record, inner, y, painter);
        if number == home.records.at && home.on_records {
            painter.cursor_on(inner, y, focus);
        }
    }
}
