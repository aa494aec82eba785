//! The trace screen: a tree of spans on the left, their bars on one axis of time on the right.

use ratatui::layout::Rect;
use timeline::time::Time;

use super::paint::Painter;
use crate::basis;
use crate::screens::trace::TraceScreen;
use crate::text;
use crate::theme::{Glyphs, Role};
use crate::times::{self, UTC};
use crate::waterfall::{Node, Waterfall, What, unbounded};

/// Cells of the durations.
const DURATION: usize = 9;

/// The parts of a line, in cells.
#[derive(Clone, Copy, Debug)]
struct Columns {
    tree: usize,
    bars: usize,
}

impl Columns {
    fn new(width: u16) -> Columns {
        let width = usize::from(width);
        let tree = (width * 2 / 5).clamp(16, 60).min(width);
        Columns { tree, bars: width.saturating_sub(tree + DURATION + 2) }
    }
}

pub(super) fn draw(screen: &TraceScreen, area: Rect, painter: &mut Painter<'_>) {
    let panes = screen.panes(area);
    title(screen, panes.head, painter);
    if let Some(waterfall) = &screen.waterfall {
        state_line(screen, waterfall, panes.head, painter);
        if !panes.list.is_empty() {
            let columns = Columns::new(panes.list.width);
            axis(screen, columns, Rect { width: panes.list.width, ..panes.head }, painter);
            lines(screen, waterfall, columns, panes.list, painter);
        }
        painter.detail(&panes, &screen.detail_lines(area), &screen.list);
    }
    if let Some(failure) = &screen.failure {
        let lines = text::wrap(&text::sanitise(&failure.message), usize::from(area.width.saturating_sub(4)));
        for (y, line) in (1..).zip(lines) {
            painter.line(panes.head.union(panes.list), y, &[(Role::Error, format!("  {line}"))]);
        }
    }
    painter.keys(panes.keys);
}

fn title(screen: &TraceScreen, head: Rect, painter: &mut Painter<'_>) {
    let name = screen.trace.map_or_else(String::new, |trace| format!(" trace {trace}"));
    let mut pieces = vec![(Role::Heading, name)];
    if let Some(waterfall) = &screen.waterfall {
        let rule = format!(" {} ", painter.glyphs().rule);
        let spans = waterfall.nodes.iter().filter(|node| matches!(node.what, What::Span(_))).count() as u64;
        let (path, tail) = waterfall.path_ns();
        pieces.push((Role::Dim, format!("{rule}{}", times::duration(waterfall.end.since(waterfall.start)))));
        pieces.push((Role::Text, format!("{rule}{}", text::counted(spans, "span", "spans"))));
        let services = waterfall.services.len() as u64;
        pieces.push((Role::Text, format!(", {}", text::counted(services, "service", "services"))));
        let failed = waterfall.nodes.iter().filter(|node| node.failed).count() as u64;
        if failed > 0 {
            pieces.push((Role::Error, format!("{rule}{}", text::counted(failed, "error", "errors"))));
        }
        pieces.push((Role::Critical, format!("{rule}critical path {}", times::duration(path))));
        if tail > 0 {
            pieces.push((Role::Tail, format!(", then {} of asynchronous work", times::duration(tail))));
        }
    }
    painter.line(head, 0, &pieces);
    if let Some(asked) = screen.asked.filter(|_| screen.waterfall.is_none()) {
        painter.line(head, 1, &[(Role::Dim, format!("  {}", asked.label()))]);
    }
}

/// What is shown of it and what it lacks; at the right end the day and the zone, always.
fn state_line(screen: &TraceScreen, waterfall: &Waterfall, head: Rect, painter: &mut Painter<'_>) {
    let start = waterfall.start;
    let zone = format!("  from {} {} UTC ", UTC.date(start), UTC.clock(start, 3));
    let left = Rect { width: head.width.saturating_sub(text::width(&zone) as u16), ..head };
    let lines = waterfall.nodes.len() as u64;
    let shown = screen.rows.len() as u64;
    let what = if screen.spans_only { ", spans alone" } else { "" };
    let mut pieces = vec![(
        Role::Text,
        format!(" {} of {}{what}", text::count(shown), text::counted(lines, "line", "lines")),
    )];
    if screen.typing || !screen.filter.text().is_empty() {
        let does = if screen.narrowed { "only" } else { "marked" };
        pieces.push((Role::Match, format!("  {does} /{}", screen.filter.text())));
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
    let warning = painter.glyphs().warning;
    let records = waterfall.records.len() as u64;
    if records < waterfall.total {
        let (records, total) = (text::count(records), text::count(waterfall.total));
        pieces.push((Role::Warning, format!("  {warning} {records} of {total} records")));
    }
    for reason in &waterfall.completeness.reasons {
        pieces.push((Role::Warning, format!("  {warning} {}", basis::lack(*reason))));
    }
    let unknown = unbounded(waterfall);
    if !unknown.is_empty() {
        let services = unknown.into_iter().collect::<Vec<_>>().join(" ");
        pieces
            .push((Role::Warning, format!("  {warning} times not corrected: {}", text::sanitise(&services))));
    }
    painter.line(left, 1, &pieces);
    painter.right(head, 1, Role::Dim, &zone);
}

/// The axis: times at equal distances.
fn axis(screen: &TraceScreen, columns: Columns, head: Rect, painter: &mut Painter<'_>) {
    let Some(waterfall) = &screen.waterfall else { return };
    let (from, to) = screen.shown_time();
    let ticks = (columns.bars / 14).max(1);
    let mut line = text::fit(" service  name", columns.tree);
    line.push_str(&format!("{:>DURATION$}  ", "lasted"));
    for tick in 0..ticks {
        let cell = columns.bars * tick / ticks;
        let at = from.shifted(to.since(from) * cell as i128 / columns.bars.max(1) as i128);
        let label = format!("|{}", times::duration(at.since(waterfall.start)));
        let room = columns.bars * (tick + 1) / ticks - cell;
        line.push_str(&text::fit(&label, room));
    }
    painter.line(head, 2, &[(Role::Dim, line)]);
}

fn lines(
    screen: &TraceScreen,
    waterfall: &Waterfall,
    columns: Columns,
    list: Rect,
    painter: &mut Painter<'_>,
) {
    let wanted = screen.wanted();
    let visible = screen.rows.iter().enumerate().skip(screen.list.scroll.top).take(usize::from(list.height));
    for (y, (row, line)) in (0..).zip(visible) {
        let Some(node) = waterfall.nodes.get(*line) else { continue };
        let hit = !wanted.is_empty() && node.contains(&wanted);
        let mut pieces = tree(screen, waterfall, *line, hit, columns.tree, painter.glyphs());
        let lasted = if node.is_span() { times::duration(node.ns()) } else { String::new() };
        let guess = if node.correction.is_none_or(|clock| clock.error_ns.is_none()) { '?' } else { ' ' };
        pieces.push((Role::Dim, format!("{lasted:>DURATION$}{guess} ")));
        pieces.extend(bar(waterfall, *line, screen.shown_time(), columns.bars, painter.glyphs()));
        painter.line(list, y, &pieces);
        if row == screen.list.scroll.at {
            // The bars keep their looks: there, the cursor's line is told by its tree.
            let tree = Rect { width: (columns.tree as u16).min(list.width), ..list };
            painter.cursor_on(tree, y, !screen.list.on_detail);
        }
    }
    if waterfall.nodes.is_empty() {
        painter.line(list, 1, &[(Role::Dim, "  No record of this trace is here; r asks again.")]);
    }
}

/// What stands in the tree: how deep, whether it is folded, whose it is, what it says.
fn tree(
    screen: &TraceScreen,
    waterfall: &Waterfall,
    line: usize,
    hit: bool,
    width: usize,
    glyphs: &Glyphs,
) -> Vec<(Role, String)> {
    let node = &waterfall.nodes[line];
    // Deep trees would push their names out of sight.
    let deepest = width / 3;
    let indent = if node.depth <= deepest {
        " ".repeat(node.depth)
    } else {
        text::fit(&format!("{}›", node.depth), deepest)
    };
    let folded = screen.is_folded(line);
    let fold = match (node.below, folded) {
        (0, _) => ' ',
        (_, true) => glyphs.folded[0],
        (_, false) => glyphs.folded[1],
    };
    let service = waterfall.record(line).map_or("", |record| record.service.as_str());
    let own_service = node.parent.and_then(|parent| waterfall.record(parent)).map(|record| &record.service);
    let said = own_service.is_none_or(|parent| parent != service) && node.is_span();
    let role = role(node, hit);
    let glyph = match node.what {
        What::Ghost(_) => format!("{} ", glyphs.lost),
        What::Log(_) | What::Event(..) if node.failed => format!("{} ", glyphs.error),
        What::Log(_) | What::Event(..) => "- ".to_owned(),
        What::Span(_) if node.failed => format!("{} ", glyphs.error),
        What::Span(_) => String::new(),
    };
    let mark = if hit { glyphs.mark } else { ' ' };
    let mut pieces = vec![(Role::Match, mark.to_string()), (Role::Dim, format!("{indent}{fold} "))];
    if said && !service.is_empty() {
        pieces.push((Role::Heading, format!("{} ", text::sanitise(service))));
    }
    let below = if folded { format!(" +{}", node.below) } else { String::new() };
    let taken: usize = pieces.iter().map(|(_, piece)| text::width(piece)).sum();
    let room = width.saturating_sub(taken);
    let label = format!("{glyph}{}{below}", waterfall.label(line));
    pieces.push((role, text::fit(&label, room)));
    cut_to(pieces, width)
}

fn role(node: &Node, hit: bool) -> Role {
    match node.what {
        _ if hit => Role::Match,
        _ if node.failed => Role::Error,
        What::Ghost(_) => Role::Warning,
        What::Log(_) | What::Event(..) => Role::Dim,
        What::Span(_) if !node.path.is_empty() => Role::Text,
        What::Span(_) => Role::Dim,
    }
}

/// `pieces` in exactly `width` cells.
fn cut_to(pieces: Vec<(Role, String)>, width: usize) -> Vec<(Role, String)> {
    let mut room = width;
    let mut cut = Vec::new();
    for (role, piece) in pieces {
        let piece = text::cut(&piece, room).into_owned();
        room -= text::width(&piece).min(room);
        cut.push((role, piece));
    }
    cut.push((Role::Text, " ".repeat(room)));
    cut
}

/// A line's bar: its own time, its waiting for what is below it, its part of the critical path.
fn bar(
    waterfall: &Waterfall,
    line: usize,
    (from, to): (Time, Time),
    cells: usize,
    glyphs: &Glyphs,
) -> Vec<(Role, String)> {
    let node = &waterfall.nodes[line];
    let mut bar = vec![(' ', Role::Text); cells];
    let axis = Axis { from, length: to.since(from).max(1), cells: cells as i128 };
    let (own, role) = match node.what {
        What::Span(_) => (glyphs.bar, Role::Text),
        What::Ghost(_) => (glyphs.bar_waits, Role::Warning),
        What::Log(_) | What::Event(..) => ('-', Role::Text),
    };
    axis.fill(&mut bar, node.start, node.end, (own, if node.failed { Role::Error } else { role }));
    if node.is_span() {
        for child in waterfall.children(line).map(|child| &waterfall.nodes[child]).filter(|c| c.is_span()) {
            let (start, end) = (child.start.max(node.start), child.end.min(node.end));
            if start < end {
                axis.fill(&mut bar, start, end, (glyphs.bar_waits, Role::Dim));
            }
        }
    } else if let Some(cell) = axis.cell(node.start).and_then(|cell| bar.get_mut(cell)) {
        let glyph = if node.failed { glyphs.error } else { glyphs.event };
        *cell = (glyph, if node.failed { Role::Error } else { Role::Text });
    }
    for stretch in &node.path {
        let look =
            if stretch.tail { (glyphs.bar_tail, Role::Tail) } else { (glyphs.bar_critical, Role::Critical) };
        axis.fill(&mut bar, stretch.from, stretch.to, look);
    }
    let runs = bar.chunk_by(|a, b| a.1 == b.1);
    runs.map(|run| (run.first().map_or(Role::Text, |cell| cell.1), run.iter().map(|cell| cell.0).collect()))
        .collect()
}

/// Times onto cells.
struct Axis {
    from: Time,
    length: i128,
    cells: i128,
}

impl Axis {
    fn cell(&self, time: Time) -> Option<usize> {
        let cell = self.position(time);
        (0..self.cells).contains(&cell).then_some(cell as usize)
    }

    fn position(&self, time: Time) -> i128 {
        (time.since(self.from) * self.cells).div_euclid(self.length).min(self.at_end(time))
    }

    /// The last moment on show is in the last cell, not past it.
    fn at_end(&self, time: Time) -> i128 {
        if time.since(self.from) == self.length { self.cells - 1 } else { i128::MAX }
    }

    /// Fills the cells from one time to another; at least one where it begins on screen.
    fn fill(&self, bar: &mut [(char, Role)], from: Time, to: Time, look: (char, Role)) {
        let (first, last) = (self.position(from), self.position(to));
        let last = if to > from && last > first && (to.since(self.from) * self.cells) % self.length == 0 {
            last.max(first + 1) - i128::from(to.since(self.from) != self.length)
        } else {
            last
        };
        for cell in first.max(0)..=last.min(self.cells - 1) {
            if let Some(cell) = usize::try_from(cell).ok().and_then(|cell| bar.get_mut(cell)) {
                *cell = look;
            }
        }
    }
}
