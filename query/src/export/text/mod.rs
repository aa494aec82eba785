//! A timeline as text: one line an event, one column a service, time running down.
//!
//! | file       | what it alone knows                                    |
//! |------------|--------------------------------------------------------|
//! | `rows.rs`  | which lines there are, and what each says              |
//! | `lanes.rs` | the columns of the services, and arrows between them   |
//! | `cells.rs` | fitting text into cells, times and durations in words  |
//! | `frame.rs` | what stands above and below the lines                  |
//!
//! Colour says nothing that a glyph does not say too.

mod cells;
mod frame;
mod lanes;
mod rows;
#[cfg(test)]
mod tests;

use timeline::document::Timeline;

use cells::{Paint, fit, width_of};
use lanes::Lanes;
use rows::{Row, Rows};

/// How a timeline is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// No line is wider, in cells; below 40 it is drawn for 40.
    pub width: usize,
    /// With the terminal's sixteen colours.
    pub colour: bool,
    /// What instrumentation made twice or as noise is drawn too.
    pub folded: bool,
    /// With each event's id, as short as it can be told from the others by; of a line for a whole span its start's.
    pub ids: bool,
}

impl Style {
    /// Plain, as wide as `width`, noise folded away.
    pub fn new(width: usize) -> Style {
        Style { width, colour: false, folded: false, ids: false }
    }
}

/// The narrowest drawing that can be read.
const WIDTH_MIN: usize = 40;

/// Draws a timeline.
pub fn text(timeline: &Timeline, style: &Style) -> String {
    let width = style.width.max(WIDTH_MIN);
    let paint = Paint { colour: style.colour };
    let mut drawn = frame::heading(timeline, width, paint);
    if timeline.events.is_empty() {
        return drawn;
    }
    let rows = Rows::of(timeline, style.folded);
    let columns = Columns::of(timeline, &rows, style.ids, width);
    drawn.push('\n');
    drawn.push_str(&columns.titles(&rows, paint));
    for row in &rows.list {
        drawn.push_str(&columns.line(row, paint));
    }
    drawn.push_str(&frame::footing(timeline, &rows, width, paint));
    drawn
}

/// The widths of the columns, in cells; a column of width 0 is not drawn.
struct Columns {
    id: usize,
    time: usize,
    lanes: Lanes,
    text: usize,
    state: usize,
    reason: usize,
}

const GAP: &str = "  ";

impl Columns {
    fn of(timeline: &Timeline, rows: &Rows, ids: bool, width: usize) -> Columns {
        let widest =
            |cell: fn(&Row) -> &str| rows.list.iter().map(|row| width_of(cell(row))).max().unwrap_or(0);
        let time = widest(|row| &row.time).max(4);
        let id = if ids { widest(|row| &row.id) } else { 0 };
        let lanes = Lanes::of(timeline, width / 4);
        // The id and a gap, a mark, the time, a gap, the lanes, a gap: what is left is for words.
        let before = if id > 0 { id + GAP.len() } else { 0 };
        let words = width.saturating_sub(before + 1 + time + 2 + lanes.width() + 1);
        let reason = widest(|row| &row.reason).max(3).min(words / 4);
        let state = widest(|row| &row.state).min(words / 3);
        let gaps = [reason, state].iter().filter(|column| **column > 0).count() * GAP.len();
        let text = words.saturating_sub(reason + state + gaps);
        Columns { id, time, lanes, text, state, reason }
    }

    fn titles(&self, rows: &Rows, paint: Paint) -> String {
        let mut line = self.id("id", paint);
        line.push_str(&format!(" {:>1$}  {2} ", rows.unit, self.time, self.lanes.titles(paint)));
        line.push_str(&paint.dim(&fit("event", self.text)));
        if self.state > 0 {
            line.push_str(GAP);
            line.push_str(&paint.dim(&fit("state", self.state)));
        }
        if self.reason > 0 {
            line.push_str(GAP);
            line.push_str(&paint.dim("why"));
        }
        finished(&line)
    }

    /// The column of ids; nothing where it is not drawn.
    fn id(&self, id: &str, paint: Paint) -> String {
        if self.id == 0 { String::new() } else { format!("{}{GAP}", paint.dim(&fit(id, self.id))) }
    }

    fn line(&self, row: &Row, paint: Paint) -> String {
        let time = format!("{:>1$}", row.time, self.time);
        let mark = if row.unordered { "≈" } else { " " };
        let mut line = self.id(&row.id, paint);
        line.push_str(&format!("{mark}{}  {} ", paint.dim(&time), self.lanes.draw(row, paint)));
        let text = fit(&row.text, self.text);
        line.push_str(&if row.error { paint.red(&text) } else { text });
        for (cell, width) in [(&row.state, self.state), (&row.reason, self.reason)] {
            if width > 0 {
                line.push_str(GAP);
                line.push_str(&paint.dim(&fit(cell, width)));
            }
        }
        finished(&line)
    }
}

/// A line without the spaces at its end.
fn finished(line: &str) -> String {
    format!("{}\n", line.trim_end())
}
