//! Which rows a diagram has, and where everything stands. All lengths are pixels.

use std::collections::HashMap;

use timeline::document::{Event, EventKind};
use timeline::time::Time;

use crate::export::told::Told;
use crate::export::words;

/// More rows nobody scrolls through in a picture.
const ROWS_MAX: usize = 1_500;
/// More columns nobody tells apart; the processes beyond share the last.
const COLUMNS_MAX: usize = 16;

/// Where the columns of the processes begin.
const LEFT: f64 = 150.0;
/// A row's least height, and how much a tenfold pause adds.
const ROW: f64 = 20.0;
const PER_TENFOLD: f64 = 6.0;
/// Spans of one process side by side: so far apart, and at most so many.
pub(super) const TRACK: f64 = 9.0;
const TRACKS_MAX: usize = 5;

/// A diagram's rows and columns.
pub(super) struct Layout {
    /// The columns' titles.
    pub(super) columns: Vec<String>,
    /// The middle of each column.
    pub(super) middles: Vec<f64>,
    /// The column of each process.
    of_process: Vec<usize>,
    /// In the order of the list.
    pub(super) rows: Vec<Row>,
    /// The row of each event that has one, by its place.
    row_of: HashMap<usize, usize>,
    /// The spans' bars.
    pub(super) bars: Vec<Bar>,
    /// Where the text beside the columns begins.
    pub(super) text_left: f64,
    /// Where the first row stands, and where the last one.
    pub(super) top: f64,
    pub(super) bottom: f64,
    /// What was left out, in one sentence.
    pub(super) folded: Option<String>,
}

/// One line of the diagram.
pub(super) struct Row {
    pub(super) place: usize,
    /// The span's end, where nothing stands between the two.
    pub(super) end: Option<usize>,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) column: usize,
    /// Nothing orders it against the row above.
    pub(super) unordered: bool,
}

/// An open span.
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) column: usize,
}

impl Layout {
    pub(super) fn of(told: &Told<'_>) -> Layout {
        let events = told.events();
        let seen: Vec<usize> = (0..events.len()).filter(|place| events[*place].folded.is_none()).collect();
        let seen_len = seen.len();
        let drawn = told.weightiest(seen, ROWS_MAX);
        let left_out = seen_len - drawn.len();
        let mut layout = Layout {
            columns: Vec::new(),
            middles: Vec::new(),
            of_process: Vec::new(),
            rows: Vec::new(),
            row_of: HashMap::new(),
            bars: Vec::new(),
            text_left: LEFT,
            top: 64.0 + 16.0 * (words::lacks(&told.timeline.completeness).len() as f64),
            bottom: 0.0,
            folded: folded(left_out),
        };
        layout.place_columns(told);
        layout.place_rows(told, &drawn);
        layout.place_bars(told);
        layout
    }

    fn place_columns(&mut self, told: &Told<'_>) {
        let shared = told.names.len().saturating_sub(COLUMNS_MAX);
        for (number, name) in told.names.iter().enumerate() {
            let column = number.min(COLUMNS_MAX - 1);
            self.of_process.push(column);
            if column == self.columns.len() {
                self.columns.push(name.clone());
            }
        }
        if shared > 0 {
            self.columns[COLUMNS_MAX - 1] = format!("{} other processes", shared + 1);
        }
        for name in &self.columns {
            let width = (name.chars().count() as f64 * 7.4 + 18.0).clamp(84.0, 190.0);
            self.middles.push(self.text_left + width / 2.0);
            self.text_left += width;
        }
        self.text_left += 24.0;
    }

    fn place_rows(&mut self, told: &Told<'_>, drawn: &[usize]) {
        let events = told.events();
        let mut y = self.top + 44.0;
        let mut next = 0;
        let mut above: Option<usize> = None;
        while let Some(place) = drawn.get(next).copied() {
            let event = &events[place];
            let end = drawn.get(next + 1).copied().filter(|end| is_end_of(&events[*end], event));
            next += if end.is_some() { 2 } else { 1 };
            if let Some(above) = above {
                y += ROW + pause(event.hlc.l.since(events[above].hlc.l));
            }
            let column = self.column(told, event);
            let row = Row {
                place,
                end,
                x: self.middles.get(column).copied().unwrap_or(LEFT),
                y,
                column,
                unordered: above.is_some_and(|above| event.unordered_with.contains(&events[above].id)),
            };
            [Some(place), end].into_iter().flatten().for_each(|at| {
                self.row_of.insert(at, self.rows.len());
            });
            self.rows.push(row);
            above = end.or(Some(place));
        }
        self.bottom = y + ROW;
    }

    /// Bars side by side where spans of one column overlap; the glyphs of a span stand on its bar.
    fn place_bars(&mut self, told: &Told<'_>) {
        let ends = told.ends();
        // Of each column, the row at which each track is free again.
        let mut free: Vec<Vec<usize>> = vec![Vec::new(); self.columns.len().max(1)];
        for number in 0..self.rows.len() {
            let (place, column) = (self.rows[number].place, self.rows[number].column);
            if told.events()[place].kind != EventKind::SpanStart || self.rows[number].end.is_some() {
                continue;
            }
            let Some(last) = ends.get(&place).and_then(|end| self.row_of.get(end)).copied() else { continue };
            let tracks = &mut free[column];
            let track = tracks.iter().position(|free| *free <= number).unwrap_or_else(|| {
                tracks.push(0);
                tracks.len() - 1
            });
            tracks[track] = last + 1;
            let x = self.rows[number].x + TRACK * (track.min(TRACKS_MAX) as f64);
            self.bars.push(Bar { x, from: self.rows[number].y, to: self.rows[last].y, column });
            self.rows[number].x = x;
            self.rows[last].x = x;
        }
    }

    fn column(&self, told: &Told<'_>, event: &Event) -> usize {
        self.of_process.get(told.process(event)).copied().unwrap_or_default()
    }

    /// The column of the process with this id in the document.
    pub(super) fn column_of(&self, told: &Told<'_>, process: &str) -> Option<usize> {
        let number = told.timeline.processes.iter().position(|known| known.id == process)?;
        self.of_process.get(number).copied()
    }

    /// The row of the event at `place`, if it is drawn.
    pub(super) fn row(&self, place: usize) -> Option<&Row> {
        self.rows.get(*self.row_of.get(&place)?)
    }

    /// Where a moment lies between the rows, by their causal stamps.
    pub(super) fn y_of(&self, told: &Told<'_>, time: Time) -> f64 {
        let moment = |row: &Row| told.events()[row.place].hlc.l;
        let next = self.rows.partition_point(|row| moment(row) < time);
        let (Some(below), Some(above)) =
            (self.rows.get(next), next.checked_sub(1).and_then(|at| self.rows.get(at)))
        else {
            return if next == 0 {
                self.rows.first().map_or(self.top, |row| row.y - ROW / 2.0)
            } else {
                self.bottom
            };
        };
        let (start, end) = (moment(above), moment(below));
        let share = time.since(start) as f64 / (end.since(start).max(1)) as f64;
        above.y + (below.y - above.y) * share
    }
}

fn is_end_of(end: &Event, start: &Event) -> bool {
    start.kind == EventKind::SpanStart && end.kind == EventKind::SpanEnd && end.record == start.record
}

/// What a pause of so many nanoseconds adds to the distance between two rows: nothing below a millisecond.
fn pause(ns: i128) -> f64 {
    let ms = ns as f64 / 1e6;
    if ms <= 1.0 { 0.0 } else { ms.log10() * PER_TENFOLD }
}

fn folded(left_out: usize) -> Option<String> {
    (left_out > 0).then(|| {
        format!(
            "the diagram has the {ROWS_MAX} events that matter most; {left_out} others are left out (html and json have \
             all)"
        )
    })
}
