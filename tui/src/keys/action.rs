//! Everything that a key or the palette can ask for, and where it may be asked for.

/// Everything that a key or the palette can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Leave the program.
    Quit,
    /// Close what is open, cancel what runs, or go back a screen.
    Back,
    /// Show all keys.
    Help,
    /// Choose any action by name.
    Palette,
    /// Go to the home screen.
    Home,
    /// Go to the search screen.
    Search,
    /// Move up a line.
    Up,
    /// Move down a line.
    Down,
    /// Move up a page.
    PageUp,
    /// Move down a page.
    PageDown,
    /// Move to the beginning.
    Top,
    /// Move to the end.
    Bottom,
    /// Move left.
    Left,
    /// Move right.
    Right,
    /// Open what the cursor is on.
    Open,
    /// Move to the next pane.
    Pane,
    /// Move to the pane before.
    PaneBack,
    /// Show times in another way.
    Times,
    /// Ask again.
    Reload,
    /// Stop or resume the live list.
    Pause,
    /// Show the trace as a waterfall.
    Trace,
    /// Show records as they arrive.
    Live,
    /// Use the mouse, or leave it to the terminal.
    Mouse,
    /// Show it in other colours.
    Theme,
    /// Give the terminal back to the shell until it calls again.
    Suspend,
    /// The query before in the history.
    Older,
    /// The query after in the history.
    Newer,
    /// Show more.
    Zoom,
    /// Show less.
    ZoomOut,
    /// Show only what contains a text, or mark it.
    Filter,
    /// Show only what contains the text, or all and mark it.
    Highlight,
    /// The next hit of the text.
    NextMatch,
    /// The hit of the text before.
    PreviousMatch,
    /// Explain the order.
    Why,
    /// Mark an event, to be explained against the cursor.
    Mark,
    /// The next gap or finding.
    NextNotable,
    /// The gap or finding before.
    PreviousNotable,
    /// The next error.
    NextError,
    /// The error before.
    PreviousError,
    /// The next transition.
    NextTransition,
    /// The transition before.
    PreviousTransition,
    /// The next event of the same process.
    NextInProcess,
    /// The event of the same process before.
    PreviousInProcess,
    /// The next event of the same trace.
    NextInTrace,
    /// The event of the same trace before.
    PreviousInTrace,
    /// The next span on the critical path.
    NextCritical,
    /// The span on the critical path before.
    PreviousCritical,
    /// What this came out of.
    Cause,
    /// What came out of this.
    Effect,
    /// Where the cursor was before its last jump.
    Return,
    /// Where the cursor was before the last return.
    Forward,
    /// Choose a finding or a gap to go to.
    Findings,
    /// Keep the cursor's lane on screen.
    Pin,
    /// Show all lanes, or only those in which state is written or read.
    AllLanes,
    /// Choose a stretch of time and ask for it alone.
    Narrow,
    /// Fold what is below the cursor, or unfold it.
    Fold,
    /// Show a shorter stretch of time.
    Nearer,
    /// Show a longer stretch of time.
    Farther,
    /// Show the whole stretch of time.
    Whole,
    /// Choose one of the timelines that this leads to.
    Timelines,
    /// Choose what to copy.
    Copy,
    /// Choose what to copy, and write it to a file.
    CopyToFile,
    /// Choose a format and write all of it to a file.
    Export,
    /// Show who else has what the cursor is on.
    Affected,
    /// Show it beside a healthy one.
    Compare,
    /// Show the types of entities and their keys.
    Entities,
    /// Show all clocks.
    Clocks,
    /// Show what of each service can be judged.
    Doctor,
    /// Sort by the next column.
    Sort,
    /// Sort the other way round.
    SortBack,
    /// Show what the answer rests on: what is missing, the clocks, the sources.
    Basis,
}

/// Where a binding holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// On every screen, unless a text is being typed or something lies over it.
    Everywhere,
    /// The home screen.
    Home,
    /// The search screen's results.
    Results,
    /// The search screen's query line.
    QueryLine,
    /// The timeline.
    Timeline,
    /// A trace.
    Trace,
    /// Records as they arrive.
    Live,
    /// A table: entities, affected, compare, clocks, doctor.
    Table,
    /// A line in which a filter is typed.
    FilterLine,
    /// A pop-up with a list to choose from.
    Choice,
    /// A pop-up with text to read.
    Reading,
}

impl Scope {
    /// All, in the order of the help.
    pub const ALL: [Scope; 11] = [
        Scope::Home,
        Scope::Results,
        Scope::QueryLine,
        Scope::Timeline,
        Scope::Trace,
        Scope::Live,
        Scope::Table,
        Scope::FilterLine,
        Scope::Choice,
        Scope::Reading,
        Scope::Everywhere,
    ];

    /// Its heading in the help.
    pub fn title(self) -> &'static str {
        match self {
            Scope::Everywhere => "Everywhere",
            Scope::Home => "Home",
            Scope::Results => "Search: results",
            Scope::QueryLine => "Search: query line",
            Scope::Timeline => "Timeline",
            Scope::Trace => "Trace",
            Scope::Live => "Live",
            Scope::Table => "Tables: entities, affected, compare, clocks, doctor",
            Scope::FilterLine => "Filter line",
            Scope::Choice => "Lists to choose from",
            Scope::Reading => "Pop-ups to read",
        }
    }

    /// Its name in the configuration.
    pub fn name(self) -> String {
        kebab(self)
    }

    /// Whether characters are text here.
    pub fn is_typing(self) -> bool {
        matches!(self, Scope::QueryLine | Scope::FilterLine | Scope::Choice)
    }

    /// Whether the keys that hold everywhere hold here: not while text is typed, and not over a screen.
    pub fn is_open(self) -> bool {
        !self.is_typing() && self != Scope::Reading
    }
}

impl Action {
    /// Its name in the configuration: `next-error`.
    pub fn name(self) -> String {
        kebab(self)
    }
}

/// The name of a variant as the configuration writes it.
fn kebab(variant: impl std::fmt::Debug) -> String {
    let mut name = String::new();
    for c in format!("{variant:?}").chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(c.to_lowercase());
    }
    name
}
