//! Where in time the rows of a long list are, and stretches of time to narrow to.

use query::archive::Window;
use timeline::time::Time;

use crate::told::Told;

/// Parts of the timeline's time that are counted.
const PARTS: usize = 240;

/// How many rows each part of the timeline's time holds.
#[derive(Debug)]
pub struct Density {
    rows: Vec<u32>,
    /// Whether a part holds a finding, a gap or an error.
    trouble: Vec<bool>,
    start: Time,
    part_ns: i128,
}

/// What a cell of the drawn line stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// From 0, for no row at all, to 8.
    pub height: usize,
    /// Whether there is a finding, a gap or an error.
    pub trouble: bool,
}

impl Density {
    /// Counts `rows`.
    pub(super) fn new(told: &Told, rows: &[usize]) -> Density {
        let range = told.document.range;
        let start = range.map_or(Time::UNSET, |range| range.start);
        let length = range.map_or(0, |range| range.end.since(range.start));
        let part_ns = (length / PARTS as i128).max(0) + 1;
        let mut density = Density { rows: vec![0; PARTS], trouble: vec![false; PARTS], start, part_ns };
        for at in rows {
            let Some(event) = told.event(*at) else { continue };
            let part = density.part(event.corrected);
            density.rows[part] += 1;
            density.trouble[part] |= told.is_notable(*at) || told.is_error(*at);
        }
        density
    }

    fn part(&self, time: Time) -> usize {
        usize::try_from(time.since(self.start) / self.part_ns).unwrap_or(0).min(PARTS - 1)
    }

    /// The line as `cells` cells, and the one that `time` is in.
    pub fn cells(&self, cells: usize, time: Time) -> (Vec<Cell>, usize) {
        let of_part = |part: usize| part * cells / PARTS;
        let mut counts = vec![0_u64; cells];
        let mut drawn = vec![Cell::default(); cells];
        for (part, count) in self.rows.iter().enumerate() {
            if let Some(cell) = counts.get_mut(of_part(part)) {
                *cell += u64::from(*count);
                drawn[of_part(part)].trouble |= self.trouble[part];
            }
        }
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        for (cell, count) in drawn.iter_mut().zip(&counts) {
            cell.height = (count * 8).div_ceil(most) as usize;
        }
        (drawn, of_part(self.part(time)))
    }
}

/// A stretch of time and how many events it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) start: Time,
    pub(super) end: Time,
    pub(super) events: u64,
    /// In the processes' own times, which are what records are asked by.
    pub(super) window: Window,
}

/// The time of a timeline in `count` stretches of equal length; those that hold events.
pub(super) fn stretches(told: &Told, count: i128) -> Vec<Stretch> {
    let Some(range) = told.document.range else { return Vec::new() };
    let length = (range.end.since(range.start) / count).max(0) + 1;
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut by_number = std::collections::BTreeMap::new();
    for event in &told.document.events {
        let number = (event.corrected.since(range.start) / length).clamp(0, count - 1);
        let at = *by_number.entry(number).or_insert_with(|| {
            let start = range.start.shifted(number * length);
            let window = Window { since: Some(event.time), until: Some(event.time.shifted(1)) };
            stretches.push(Stretch { start, end: start.shifted(length), events: 0, window });
            stretches.len() - 1
        });
        let stretch = &mut stretches[at];
        stretch.events += 1;
        stretch.window.since = stretch.window.since.min(Some(event.time));
        stretch.window.until = stretch.window.until.max(Some(event.time.shifted(1)));
    }
    stretches.sort_by_key(|stretch| stretch.start);
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_cell_is_full_and_a_single_row_is_seen() {
        let mut rows = vec![0; PARTS];
        (rows[0], rows[PARTS - 1]) = (1000, 1);
        let density = Density { rows, trouble: vec![false; PARTS], start: Time(0), part_ns: 10 };
        let (cells, here) = density.cells(10, Time(10 * 239));
        let heights: Vec<usize> = cells.iter().map(|cell| cell.height).collect();
        assert_eq!((heights, here), (vec![8, 0, 0, 0, 0, 0, 0, 0, 0, 1], 9));
        assert_eq!(density.cells(0, Time(0)).0, []);
    }
}
