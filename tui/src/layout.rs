//! Which part of the terminal shows what. Drawing and moving both ask here, so that they agree.

use ratatui::layout::{Constraint, Layout, Rect};

/// From this width on, the detail stands beside the list.
const WIDTH_BESIDE: u16 = 110;
/// From this height on, the detail stands below the list where it can't stand beside.
const HEIGHT_BELOW: u16 = 36;

/// A screen of a list and the detail of one of its lines.
///
/// ```text
///  head                 head
///  list │ detail   or   list    or, where there is room for neither, one of the two
///  keys                 detail
///                       keys
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panes {
    /// The lines above.
    pub head: Rect,
    /// The list; of no size while the detail hides it.
    pub list: Rect,
    /// The detail; of no size while the list hides it.
    pub detail: Rect,
    /// The bottom line.
    pub keys: Rect,
}

impl Panes {
    /// Divides `area` under `head` lines; `on_detail` says which pane is kept where only one fits.
    pub fn new(area: Rect, head: u16, on_detail: bool) -> Panes {
        let [head, body, keys] =
            Layout::vertical([Constraint::Length(head), Constraint::Min(0), Constraint::Length(1)])
                .areas(area);
        let nothing = Rect::new(body.x, body.y, 0, 0);
        let (list, detail) = if area.width >= WIDTH_BESIDE {
            let width = (area.width * 7 / 20).clamp(42, 64);
            let [list, detail] =
                Layout::horizontal([Constraint::Min(0), Constraint::Length(width)]).areas(body);
            (list, detail)
        } else if area.height >= HEIGHT_BELOW {
            let [list, detail] =
                Layout::vertical([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(body);
            (list, detail)
        } else if on_detail {
            (nothing, body)
        } else {
            (body, nothing)
        };
        Panes { head, list, detail, keys }
    }

    /// Whether list and detail are both on screen.
    pub fn both(&self) -> bool {
        !self.list.is_empty() && !self.detail.is_empty()
    }

    /// The detail without the line that parts it from the list.
    pub fn detail_inner(&self) -> Rect {
        let beside = self.list.height == self.detail.height && !self.list.is_empty();
        let border = u16::from(self.both());
        let (dx, dy) = if beside { (border, 0) } else { (0, border) };
        Rect {
            x: self.detail.x.saturating_add(dx),
            y: self.detail.y.saturating_add(dy),
            width: self.detail.width.saturating_sub(dx),
            height: self.detail.height.saturating_sub(dy),
        }
    }
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
