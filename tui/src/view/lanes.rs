//! The lanes of one line of a timeline: a glyph in the event's own lane, arrows from where messages came.

use timeline::document::GapKind;

use crate::screens::timeline::{LanePlan, Place};
use crate::theme::{Glyphs, Role};
use crate::told::Told;
use crate::why;

/// The glyph of the event at a place, and its role.
pub(super) fn glyph(told: &Told, at: usize, glyphs: &Glyphs) -> (char, Role) {
    let end = told.event(at).is_some_and(|e| e.kind == timeline::document::EventKind::SpanEnd);
    if told.is_error(at) {
        (glyphs.error, Role::Error)
    } else if told.is_transition(at) {
        (glyphs.transition, Role::Transition)
    } else if told.is_observation(at) {
        (glyphs.observation, Role::Observation)
    } else if end {
        (glyphs.end, Role::Dim)
    } else {
        (glyphs.event, Role::Text)
    }
}

/// The cells of the lanes on screen.
pub(super) fn cells(told: &Told, at: usize, plan: &LanePlan, glyphs: &Glyphs) -> Vec<(char, Role)> {
    let mut row = Row::new(plan, glyphs);
    row.lines(told, at, at, glyphs.lane);
    let own = told.lane(at);
    for edge in told.incoming(at).filter(|edge| why::is_message(edge.evidence)) {
        if let Some(from) = told.place(edge.from).map(|place| told.lane(place)).filter(|lane| *lane != own) {
            row.arrow(from, own);
        }
    }
    let (own_glyph, role) = glyph(told, at, glyphs);
    row.put(own, 0, own_glyph, role);
    for gap in told.gaps(at) {
        row.lost(own, gap.kind);
    }
    row.cells
}

/// The cells of the lanes while nothing happens between two places of the list.
pub(super) fn silent_cells(
    told: &Told,
    before: usize,
    after: usize,
    plan: &LanePlan,
    glyphs: &Glyphs,
) -> Vec<(char, Role)> {
    let mut row = Row::new(plan, glyphs);
    row.lines(told, before, after, glyphs.silence);
    row.cells
}

struct Row<'a> {
    cells: Vec<(char, Role)>,
    plan: &'a LanePlan,
    glyphs: &'a Glyphs,
}

impl<'a> Row<'a> {
    fn new(plan: &'a LanePlan, glyphs: &'a Glyphs) -> Row<'a> {
        Row { cells: vec![(' ', Role::Text); plan.width * plan.columns.len()], plan, glyphs }
    }

    /// The lanes that go on from one place of the list to another.
    fn lines(&mut self, told: &Told, from: usize, to: usize, line: char) {
        for (number, lane) in told.lanes.iter().enumerate() {
            if lane.first <= from && to <= lane.last {
                self.put(number, 0, line, Role::Arrow);
            }
        }
    }

    /// The cell in which a lane's line runs; `None` for a lane that is not on screen.
    fn column(&self, lane: usize) -> Option<usize> {
        match self.plan.place(lane) {
            Place::Column(column) => Some(column * self.plan.width + 1),
            Place::Left | Place::Right => None,
        }
    }

    fn put(&mut self, lane: usize, dx: isize, c: char, role: Role) {
        let cell = self.column(lane).and_then(|x| x.checked_add_signed(dx));
        if let Some(cell) = cell.and_then(|x| self.cells.get_mut(x)) {
            *cell = (c, role);
        }
    }

    /// An arrow between two lanes; of one that is not on screen it comes from the edge.
    fn arrow(&mut self, from: usize, to: usize) {
        let Some(target) = self.column(to) else { return };
        let (source, rightward) = match (self.column(from), self.plan.place(from)) {
            (Some(source), _) => (Some(source), source < target),
            (None, Place::Left) => (None, true),
            (None, _) => (self.cells.len().checked_sub(1), false),
        };
        if source == Some(target) {
            return; // both are folded into one
        }
        let shaft = match (source, rightward) {
            (Some(source), true) => source + 1..target,
            (None, true) => 0..target,
            (source, false) => target + 1..source.unwrap_or(target),
        };
        for x in shaft {
            if let Some(cell) = self.cells.get_mut(x) {
                let c = if cell.0 == self.glyphs.lane { self.glyphs.cross } else { self.glyphs.shaft };
                *cell = (c, Role::Arrow);
            }
        }
        let leave = if rightward { self.glyphs.leave_right } else { self.glyphs.leave_left };
        self.put(from, 0, leave, Role::Arrow);
        let (dx, head) = if rightward { (-1, self.glyphs.head_right) } else { (1, self.glyphs.head_left) };
        self.put(to, dx, head, Role::Arrow);
    }

    /// What was sent or awaited and never seen.
    fn lost(&mut self, lane: usize, kind: GapKind) {
        match kind {
            GapKind::MissingReceiver | GapKind::MissingReply => {
                self.put(lane, 1, self.glyphs.shaft, Role::Warning);
                self.put(lane, 2, self.glyphs.lost, Role::Warning);
            }
            GapKind::MissingParent | GapKind::MissingSender => {
                self.put(lane, -1, self.glyphs.lost, Role::Warning);
            }
            _ => {}
        }
    }
}
