//! Colours and glyphs by their role. A colour says nothing that a glyph or a word does not say too.

use ratatui::style::{Color, Modifier, Style};

/// Which colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own sixteen colours, which suit dark and light backgrounds alike.
    #[default]
    Terminal,
    /// None: bold, underlined and reversed only.
    Plain,
}

/// What a piece of text is, as far as its looks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Less important text.
    Dim,
    /// A heading.
    Heading,
    /// A key in the bottom line.
    Key,
    /// Where the cursor is.
    Cursor,
    /// Where the cursor is in a pane that has not the focus.
    CursorAway,
    /// A transition.
    Transition,
    /// An observation.
    Observation,
    /// An error.
    Error,
    /// A gap, a finding, an incomplete answer.
    Warning,
    /// A line between lanes.
    Arrow,
    /// What matches a filter or the marked event.
    Match,
}

/// Palette and glyphs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Which colours.
    pub palette: Palette,
    /// ASCII instead of drawing characters.
    pub ascii: bool,
}

impl Theme {
    /// How text of this role looks.
    pub fn style(self, role: Role) -> Style {
        let plain = Style::new();
        let coloured = |colour| match self.palette {
            Palette::Terminal => plain.fg(colour),
            Palette::Plain => plain,
        };
        match role {
            Role::Text => plain,
            // Not a grey: themes disagree on which greys can be seen.
            Role::Dim | Role::Arrow => plain.add_modifier(Modifier::DIM),
            Role::Heading => plain.add_modifier(Modifier::BOLD),
            Role::Key => coloured(Color::Cyan).add_modifier(Modifier::BOLD),
            // One bar, whatever colours it lies over.
            Role::Cursor => Style::reset().add_modifier(Modifier::REVERSED),
            Role::CursorAway => plain.add_modifier(Modifier::UNDERLINED),
            Role::Transition => coloured(Color::Green).add_modifier(Modifier::BOLD),
            Role::Observation => coloured(Color::Blue),
            Role::Error => coloured(Color::Red).add_modifier(Modifier::BOLD),
            Role::Warning => coloured(Color::Yellow).add_modifier(Modifier::BOLD),
            Role::Match => coloured(Color::Magenta).add_modifier(Modifier::BOLD),
        }
    }

    /// The glyphs.
    pub fn glyphs(self) -> &'static Glyphs {
        if self.ascii { &ASCII } else { &DRAWN }
    }
}

/// Each takes one cell.
#[derive(Debug)]
pub struct Glyphs {
    /// An event that writes state.
    pub transition: char,
    /// An event that reads state.
    pub observation: char,
    /// Another event.
    pub event: char,
    /// The end of a span that did nothing of note.
    pub end: char,
    /// An error.
    pub error: char,
    /// Something lost.
    pub lost: char,
    /// Unordered with a neighbour.
    pub unordered: char,
    /// A process that goes on.
    pub lane: char,
    /// An arrow's shaft of proven order.
    pub shaft: char,
    /// An arrow's shaft of order that rests on clocks.
    pub shaft_weak: char,
    /// A shaft that crosses a lane.
    pub cross: char,
    /// A shaft that leaves a lane to the right.
    pub leave_right: char,
    /// A shaft that leaves a lane to the left.
    pub leave_left: char,
    /// An arrow's head that points right.
    pub head_right: char,
    /// An arrow's head that points left.
    pub head_left: char,
    /// The line that the cursor is on.
    pub cursor: char,
    /// The marked event.
    pub mark: char,
    /// A line between panes.
    pub divider: char,
    /// A line across.
    pub rule: char,
    /// Something to beware of.
    pub warning: char,
}

const DRAWN: Glyphs = Glyphs {
    transition: '◆',
    observation: '◇',
    event: '●',
    end: '○',
    error: '✗',
    lost: '╳',
    unordered: '≈',
    lane: '│',
    shaft: '─',
    shaft_weak: '╌',
    cross: '┼',
    leave_right: '├',
    leave_left: '┤',
    head_right: '▶',
    head_left: '◀',
    cursor: '▸',
    mark: '◉',
    divider: '│',
    rule: '─',
    warning: '⚠',
};

const ASCII: Glyphs = Glyphs {
    transition: '#',
    observation: 'o',
    event: '*',
    end: '.',
    error: 'x',
    lost: 'X',
    unordered: '~',
    lane: '|',
    shaft: '-',
    shaft_weak: '=',
    cross: '+',
    leave_right: '+',
    leave_left: '+',
    head_right: '>',
    head_left: '<',
    cursor: '>',
    mark: '@',
    divider: '|',
    rule: '-',
    warning: '!',
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_no_role_has_one() {
        let theme = Theme { palette: Palette::Plain, ascii: false };
        for role in [Role::Dim, Role::Error, Role::Warning, Role::Match, Role::Transition, Role::Key] {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
    }
}
