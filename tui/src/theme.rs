//! Colours and glyphs by their role. A colour says nothing that a glyph or a word does not say too.

use ratatui::style::{Color, Modifier, Style};

/// Which colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own sixteen colours, which suit dark and light backgrounds alike.
    #[default]
    Terminal,
    /// True colours for a dark background.
    Dark,
    /// True colours for a light background.
    Light,
    /// The brightest of the terminal's sixteen, nothing dimmed.
    HighContrast,
    /// None: bold, underlined and reversed only.
    Plain,
}

impl Palette {
    /// All, with the names that the configuration knows them by.
    pub const ALL: [(&'static str, Palette); 5] = [
        ("terminal", Palette::Terminal),
        ("dark", Palette::Dark),
        ("light", Palette::Light),
        ("high-contrast", Palette::HighContrast),
        ("plain", Palette::Plain),
    ];

    /// The palette of this name.
    pub fn named(name: &str) -> Option<Palette> {
        Palette::ALL.iter().find(|(known, _)| *known == name).map(|(_, palette)| *palette)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Palette::ALL.iter().find(|(_, palette)| *palette == self).map_or("terminal", |(name, _)| name)
    }

    /// The next palette; after the last, the first.
    #[must_use]
    pub fn next(self) -> Palette {
        let at = Palette::ALL.iter().position(|(_, palette)| *palette == self).unwrap_or(0);
        Palette::ALL[(at + 1) % Palette::ALL.len()].1
    }

    fn style(self, hue: Hue) -> Style {
        let rgb = |rgb: u32| Style::new().fg(Color::from_u32(rgb));
        match (self, hue) {
            (Palette::Plain, _) => Style::new(),
            (Palette::Terminal, Hue::Cyan) => Style::new().fg(Color::Cyan),
            (Palette::Terminal, Hue::Green) => Style::new().fg(Color::Green),
            (Palette::Terminal, Hue::Blue) => Style::new().fg(Color::Blue),
            (Palette::Terminal, Hue::Red) => Style::new().fg(Color::Red),
            (Palette::Terminal, Hue::Yellow) => Style::new().fg(Color::Yellow),
            (Palette::Terminal, Hue::Magenta) => Style::new().fg(Color::Magenta),
            (Palette::HighContrast, Hue::Cyan) => Style::new().fg(Color::LightCyan),
            (Palette::HighContrast, Hue::Green) => Style::new().fg(Color::LightGreen),
            (Palette::HighContrast, Hue::Blue) => Style::new().fg(Color::LightBlue),
            (Palette::HighContrast, Hue::Red) => Style::new().fg(Color::LightRed),
            (Palette::HighContrast, Hue::Yellow) => Style::new().fg(Color::LightYellow),
            (Palette::HighContrast, Hue::Magenta) => Style::new().fg(Color::LightMagenta),
            (Palette::Dark, Hue::Cyan) => rgb(0x7f_d1_e0),
            (Palette::Dark, Hue::Green) => rgb(0x9c_d6_7c),
            (Palette::Dark, Hue::Blue) => rgb(0x86_b3_ff),
            (Palette::Dark, Hue::Red) => rgb(0xff_85_7f),
            (Palette::Dark, Hue::Yellow) => rgb(0xf2_c6_60),
            (Palette::Dark, Hue::Magenta) => rgb(0xe0_9c_f0),
            (Palette::Light, Hue::Cyan) => rgb(0x00_66_77),
            (Palette::Light, Hue::Green) => rgb(0x2c_6b_00),
            (Palette::Light, Hue::Blue) => rgb(0x1f_4f_c4),
            (Palette::Light, Hue::Red) => rgb(0xb3_1d_1d),
            (Palette::Light, Hue::Yellow) => rgb(0x86_58_00),
            (Palette::Light, Hue::Magenta) => rgb(0x8a_2a_a5),
        }
    }
}

/// The hues that roles are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hue {
    Cyan,
    Green,
    Blue,
    Red,
    Yellow,
    Magenta,
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
    /// A stretch of the critical path.
    Critical,
    /// A stretch of the asynchronous work after it.
    Tail,
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
        let coloured = |hue| self.palette.style(hue);
        match role {
            Role::Text => plain,
            // Not a grey: themes disagree on which greys can be seen.
            Role::Dim | Role::Arrow if self.palette == Palette::HighContrast => plain,
            Role::Dim | Role::Arrow => plain.add_modifier(Modifier::DIM),
            Role::Heading => plain.add_modifier(Modifier::BOLD),
            Role::Key => coloured(Hue::Cyan).add_modifier(Modifier::BOLD),
            // One bar, whatever colours it lies over.
            Role::Cursor => Style::reset().add_modifier(Modifier::REVERSED),
            Role::CursorAway => plain.add_modifier(Modifier::UNDERLINED),
            Role::Transition => coloured(Hue::Green).add_modifier(Modifier::BOLD),
            Role::Observation => coloured(Hue::Blue),
            Role::Error => coloured(Hue::Red).add_modifier(Modifier::BOLD),
            Role::Warning => coloured(Hue::Yellow).add_modifier(Modifier::BOLD),
            Role::Match => coloured(Hue::Magenta).add_modifier(Modifier::BOLD),
            Role::Critical => coloured(Hue::Magenta).add_modifier(Modifier::BOLD),
            Role::Tail => coloured(Hue::Cyan),
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
    /// Nothing happened for long.
    pub silence: char,
    /// A span's own time.
    pub bar: char,
    /// A span that waits for what is below it.
    pub bar_waits: char,
    /// A stretch of the critical path.
    pub bar_critical: char,
    /// A stretch of the asynchronous work after it.
    pub bar_tail: char,
    /// A line whose lower lines are folded away, or shown.
    pub folded: [char; 2],
    /// A branch of a tree: to a sibling before the last, and to the last.
    pub branch: [char; 2],
    /// Heights from nothing to full.
    pub heights: [char; 9],
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
    silence: '┊',
    bar: '▬',
    bar_waits: '─',
    bar_critical: '█',
    bar_tail: '▒',
    folded: ['▸', '▾'],
    branch: ['├', '└'],
    heights: [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
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
    silence: ':',
    bar: '=',
    bar_waits: '-',
    bar_critical: '#',
    bar_tail: '%',
    folded: ['+', '-'],
    branch: ['|', '`'],
    heights: [' ', '.', '.', ':', ':', '+', '+', '#', '#'],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_no_role_has_one() {
        let theme = Theme { palette: Palette::Plain, ascii: false };
        let coloured = [Role::Error, Role::Warning, Role::Match, Role::Transition, Role::Key, Role::Tail];
        for role in coloured.into_iter().chain([Role::Dim, Role::Critical]) {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
    }

    #[test]
    fn palettes_are_found_by_their_names_and_no_role_has_a_background() {
        for (name, palette) in Palette::ALL {
            assert_eq!(Palette::named(name), Some(palette));
            let theme = Theme { palette, ascii: false };
            let roles = [Role::Text, Role::Dim, Role::Error, Role::Transition, Role::Critical, Role::Cursor];
            let ground = |role| matches!(theme.style(role).bg, None | Some(Color::Reset));
            assert!(roles.into_iter().all(ground), "{name}: the terminal's own background stays");
        }
        assert_eq!(Palette::named("beige"), None);
    }
}
