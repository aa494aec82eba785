//! Which lanes have a column on the screen, and where.

use crate::layout::LaneColumns;
use crate::told::Told;

/// A column of the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// One service.
    Lane(usize),
    /// All services that have no column of their own.
    Others,
}

/// The columns on screen, from left to right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LanePlan {
    /// The columns on screen.
    pub columns: Vec<Column>,
    /// Cells a column.
    pub width: usize,
    /// How many lanes are scrolled out to the left.
    pub before: usize,
    /// How many lanes are scrolled out to the right.
    pub after: usize,
    /// How many lanes are folded into one.
    pub folded: usize,
    /// For each lane, where it is.
    places: Vec<Place>,
}

/// Where a lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this column.
    Column(usize),
    /// Scrolled out to the left.
    Left,
    /// Scrolled out to the right.
    Right,
}

/// What the user asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneChoice {
    /// The service whose lane stays at the left.
    pub pinned: Option<String>,
    /// Whether lanes without state have columns of their own.
    pub all: bool,
    /// How many lanes are scrolled out to the left.
    pub first: usize,
}

impl LanePlan {
    /// Gives columns to the lanes of `told` in a list of `list_width` cells.
    pub fn new(told: &Told, choice: &LaneChoice, list_width: u16) -> LanePlan {
        let all = told.lanes.len();
        let fitting = LaneColumns::new(list_width, all);
        let is_pinned = |lane: &usize| Some(&told.lanes[*lane].service) == choice.pinned.as_ref();
        let own = |lane: &usize| told.lanes[*lane].stateful || is_pinned(lane);
        let any_state = told.lanes.iter().any(|lane| lane.stateful);
        let fold = !choice.all && any_state && fitting.shown < all;
        let (pinned, scrolled): (Vec<usize>, Vec<usize>) =
            (0..all).filter(|lane| !fold || own(lane)).partition(is_pinned);
        let folded = all - pinned.len() - scrolled.len();
        let wanted = pinned.len() + scrolled.len() + usize::from(folded > 0);
        let columns = LaneColumns::new(list_width, wanted);
        let room = columns.shown.saturating_sub(pinned.len() + usize::from(folded > 0)).max(1);
        let first = choice.first.min(scrolled.len().saturating_sub(room));
        let shown = scrolled.iter().skip(first).take(room);
        let mut plan = LanePlan {
            columns: pinned.iter().chain(shown).map(|lane| Column::Lane(*lane)).collect(),
            width: columns.width,
            before: first,
            after: scrolled.len().saturating_sub(first + room),
            folded,
            places: vec![Place::Right; all],
        };
        if folded > 0 {
            plan.columns.push(Column::Others);
            plan.places.fill(Place::Column(plan.columns.len() - 1));
        }
        for (at, lane) in scrolled.iter().enumerate() {
            plan.places[*lane] = if at < first { Place::Left } else { Place::Right };
        }
        for (at, column) in plan.columns.iter().enumerate() {
            if let Column::Lane(lane) = column {
                plan.places[*lane] = Place::Column(at);
            }
        }
        plan
    }

    /// Where a lane is.
    pub fn place(&self, lane: usize) -> Place {
        self.places.get(lane).copied().unwrap_or(Place::Right)
    }

    /// How far to scroll so that `lane` is on screen.
    pub fn reach(&self, lane: usize, told: &Told, choice: &LaneChoice, list_width: u16) -> usize {
        let on_screen = |first: usize| {
            let choice = LaneChoice { first, ..choice.clone() };
            matches!(LanePlan::new(told, &choice, list_width).place(lane), Place::Column(_))
        };
        match self.place(lane) {
            Place::Column(_) => self.before,
            Place::Left => (0..self.before).rev().find(|first| on_screen(*first)).unwrap_or(self.before),
            Place::Right => {
                let last = self.before + self.after;
                (self.before..=last).find(|first| on_screen(*first)).unwrap_or(self.before)
            }
        }
    }
}
