//! Which part of the terminal shows what. Drawing and moving both ask here, so that they agree.

use ratatui::layout::{Constraint, Layout, Rect};

/// From this width on, the detail stands beside the list.
const WIDTH_BESIDE: u16 = 110;
/// From this height on, the detail stands below the list where it can't stand beside.
const HEIGHT_BELOW: u16 = 36;

/// From this width on the list, the state and the detail stand side by side.
const WIDTH_OF_THREE: u16 = 180;

/// Which pane the keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// The list.
    #[default]
    List,
    /// What each copy held.
    State,
    /// All about one line of the list.
    Detail,
}

/// A screen of a list, the detail of one of its lines, and, on a timeline, the state at that line.
///
/// ```text
///  head                   head                 head
///  list │state │ detail   list │ detail   or   list    or, where there is room for neither, one of them
///  keys                   keys                 detail
///                                              keys
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panes {
    /// The lines above.
    pub head: Rect,
    /// The list; of no size while another pane hides it.
    pub list: Rect,
    /// The state; of no size while it is hidden.
    pub state: Rect,
    /// The detail; of no size while it is hidden.
    pub detail: Rect,
    /// The bottom line.
    pub keys: Rect,
}

impl Panes {
    /// Divides `area` under `head` lines; `on_detail` says which pane is kept where only one fits.
    pub fn new(area: Rect, head: u16, on_detail: bool) -> Panes {
        let [head, body, keys] = Panes::rows(area, head);
        let (list, detail) = Panes::two(body, area, on_detail);
        Panes { head, list, state: nothing(body), detail, keys }
    }

    /// The same with a pane for the state: `side` says which of state and detail is shown where only one of them
    /// fits beside the list, `focus` what is shown where only one of all fits.
    pub fn with_state(area: Rect, head: u16, focus: Focus, side: Focus) -> Panes {
        let [head, body, keys] = Panes::rows(area, head);
        if area.width >= WIDTH_OF_THREE {
            let [list, state, detail] = Layout::horizontal([
                Constraint::Min(0),
                Constraint::Length(46),
                Constraint::Length((area.width * 3 / 10).clamp(42, 64)),
            ])
            .areas(body);
            return Panes { head, list, state, detail, keys };
        }
        let (list, shown) = Panes::two(body, area, focus != Focus::List);
        let shown_side = if focus == Focus::List { side } else { focus };
        let (state, detail) = match shown_side {
            Focus::State => (shown, nothing(body)),
            Focus::List | Focus::Detail => (nothing(body), shown),
        };
        Panes { head, list, state, detail, keys }
    }

    fn rows(area: Rect, head: u16) -> [Rect; 3] {
        Layout::vertical([Constraint::Length(head), Constraint::Min(0), Constraint::Length(1)]).areas(area)
    }

    /// The list and one other pane.
    fn two(body: Rect, area: Rect, on_other: bool) -> (Rect, Rect) {
        if area.width >= WIDTH_BESIDE {
            let width = (area.width * 7 / 20).clamp(42, 64);
            let [list, other] =
                Layout::horizontal([Constraint::Min(0), Constraint::Length(width)]).areas(body);
            (list, other)
        } else if area.height >= HEIGHT_BELOW {
            let [list, other] =
                Layout::vertical([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(body);
            (list, other)
        } else if on_other {
            (nothing(body), body)
        } else {
            (body, nothing(body))
        }
    }

    /// Whether `pane` stands beside the list, not below it or in its place.
    pub fn is_beside(&self, pane: Rect) -> bool {
        !pane.is_empty() && !self.list.is_empty() && pane.x > self.list.x
    }

    /// Whether `pane` stands below the list.
    pub fn is_below(&self, pane: Rect) -> bool {
        !pane.is_empty() && !self.list.is_empty() && pane.y > self.list.y
    }

    /// `pane` without the line that parts it from the list.
    pub fn inner(&self, pane: Rect) -> Rect {
        let (dx, dy) = (u16::from(self.is_beside(pane)), u16::from(self.is_below(pane)));
        Rect {
            x: pane.x.saturating_add(dx),
            y: pane.y.saturating_add(dy),
            width: pane.width.saturating_sub(dx),
            height: pane.height.saturating_sub(dy),
        }
    }

    /// The detail without the line that parts it from the list.
    pub fn detail_inner(&self) -> Rect {
        self.inner(self.detail)
    }
}

fn nothing(body: Rect) -> Rect {
    Rect::new(body.x, body.y, 0, 0)
}

/// How the lanes of a timeline share a width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneColumns {
    /// Cells a lane.
    pub width: usize,
    /// How many lanes are on screen.
    pub shown: usize,
}

/// A lane is never narrower: a glyph and an arrow's shaft and head.
const LANE_WIDTH_MIN: usize = 4;
/// A lane is never wider: arrows that are longer say no more.
const LANE_WIDTH_MAX: usize = 10;

impl LaneColumns {
    /// Shares a third of a list's width among `lanes`.
    pub fn new(list_width: u16, lanes: usize) -> LaneColumns {
        let budget = (usize::from(list_width) / 3).max(LANE_WIDTH_MIN);
        let width = (budget / lanes.max(1)).clamp(LANE_WIDTH_MIN, LANE_WIDTH_MAX);
        LaneColumns { width, shown: (budget / width).min(lanes) }
    }
}

/// A pop-up of `lines` lines in the middle of `area`, borders included.
pub fn popup(area: Rect, width: u16, lines: usize) -> Rect {
    let width = width.min(area.width);
    let height = u16::try_from(lines.saturating_add(2)).unwrap_or(u16::MAX).min(area.height);
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}
