//! Lanes: a column for each service, a glyph where something happens, a line while a span runs, an
//! arrow where a cause came from another service.

use timeline::document::Timeline;

use super::cells::{Paint, fit, width_of};
use super::rows::{self, Row};
use crate::export::sanitise;

/// The columns of the services.
pub(super) struct Lanes {
    services: Vec<String>,
    /// Each lane's cells: its glyph and the space for arrows and the title.
    each: usize,
}

/// A glyph, and room for an arrow's head.
const EACH_MIN: usize = 2;
const EACH_MAX: usize = 12;

impl Lanes {
    /// The lanes of a timeline, in at most `width` cells if they can be.
    pub(super) fn of(timeline: &Timeline, width: usize) -> Lanes {
        let services: Vec<String> =
            rows::lanes(timeline).0.into_iter().map(|service| sanitise(service).into_owned()).collect();
        let widest = services.iter().map(|service| width_of(service) + 1).max().unwrap_or(0);
        let share = width / services.len().max(1);
        Lanes { each: widest.min(share).clamp(EACH_MIN, EACH_MAX), services }
    }

    /// How many cells they take; where there are too many services for the width, those left of it are drawn.
    pub(super) fn width(&self) -> usize {
        self.services.len() * self.each
    }

    /// The services' names, each above its lane.
    pub(super) fn titles(&self, paint: Paint) -> String {
        let title = |(lane, service): (usize, &String)| {
            let name = fit(service, self.each - 1);
            paint.lane(lane, &name) + " "
        };
        self.services.iter().enumerate().map(title).collect()
    }

    /// The lanes at one row.
    pub(super) fn draw(&self, row: &Row, paint: Paint) -> String {
        let mut cells: Vec<(char, usize)> = vec![(' ', row.lane); self.width()];
        let column = |lane: usize| lane * self.each;
        for lane in &row.running {
            set(&mut cells, column(*lane), '│', *lane);
        }
        if let Some(from) = row.from {
            arrow(&mut cells, column(from), column(row.lane), row.lane);
        }
        set(&mut cells, column(row.lane), row.glyph, row.lane);
        painted(&cells, paint)
    }
}

fn set(cells: &mut [(char, usize)], at: usize, glyph: char, lane: usize) {
    if let Some(cell) = cells.get_mut(at) {
        *cell = (glyph, lane);
    }
}

/// A line from one column to another, its head before the glyph that it leads to.
fn arrow(cells: &mut [(char, usize)], from: usize, to: usize, lane: usize) {
    let (left, right) = (from.min(to), from.max(to));
    for (at, cell) in cells.iter_mut().enumerate().take(right).skip(left + 1) {
        let glyph = if cell.0 == '│' { '┼' } else { '─' };
        *cell = (glyph, if at == from { cell.1 } else { lane });
    }
    set(cells, from, if from < to { '├' } else { '┤' }, lane);
    let head = if from < to { (to - 1, '▶') } else { (to + 1, '◀') };
    set(cells, head.0, head.1, lane);
}

/// Neighbours of one lane share their colour codes.
fn painted(cells: &[(char, usize)], paint: Paint) -> String {
    let runs = cells.chunk_by(|a, b| a.1 == b.1);
    runs.map(|run| {
        let text: String = run.iter().map(|(glyph, _)| *glyph).collect();
        run.first().map_or(String::new(), |(_, lane)| paint.lane(*lane, &text))
    })
    .collect()
}
