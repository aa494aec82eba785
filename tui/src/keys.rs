//! Keys and what they do: one table from which dispatch, the bottom line, the help, the palette and
//! `docs/ui.md` are made, so that none of them can lie.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Which.
    pub code: KeyCode,
    /// Whether Control was held.
    pub ctrl: bool,
}

impl Key {
    /// A key without Control.
    pub const fn plain(code: KeyCode) -> Key {
        Key { code, ctrl: false }
    }

    /// A character's key.
    pub const fn char(c: char) -> Key {
        Key::plain(KeyCode::Char(c))
    }

    /// A character's key with Control.
    pub const fn ctrl(c: char) -> Key {
        Key { code: KeyCode::Char(c), ctrl: true }
    }

    /// The key that a terminal reports; `None` for releases and for keys with Alt, which no action uses.
    pub fn from_event(event: KeyEvent) -> Option<Key> {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        // Some terminals report AltGr as Control and Alt together: the character is what was meant.
        let alt_gr = alt && ctrl && matches!(event.code, KeyCode::Char(_));
        let pressed = event.kind != KeyEventKind::Release;
        (pressed && (!alt || alt_gr)).then_some(Key { code: event.code, ctrl: ctrl && !alt_gr })
    }

    /// The key as the help writes it.
    pub fn label(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::Enter => "enter".to_owned(),
            KeyCode::Esc => "esc".to_owned(),
            KeyCode::Tab => "tab".to_owned(),
            KeyCode::BackTab => "shift-tab".to_owned(),
            KeyCode::PageUp => "pgup".to_owned(),
            KeyCode::PageDown => "pgdn".to_owned(),
            KeyCode::Home => "home".to_owned(),
            KeyCode::End => "end".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        if self.ctrl { format!("ctrl-{name}") } else { name }
    }
}

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
    /// Show times in another way.
    Times,
    /// Ask again.
    Reload,
    /// Stop or resume the live list.
    Pause,
    /// Search for the other records of this record's trace.
    Trace,
    /// The query before in the history.
    Older,
    /// The query after in the history.
    Newer,
    /// Show fewer or more events.
    Zoom,
    /// Show only events that contain a text.
    Filter,
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
    /// The event that this one came out of.
    Cause,
    /// Choose what to copy.
    Copy,
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
    /// The timeline's filter line.
    FilterLine,
    /// A pop-up with a list to choose from.
    Choice,
    /// A pop-up with text to read.
    Reading,
}

impl Scope {
    /// All, in the order of the help.
    pub const ALL: [Scope; 8] = [
        Scope::Home,
        Scope::Results,
        Scope::QueryLine,
        Scope::Timeline,
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
            Scope::FilterLine => "Timeline: filter line",
            Scope::Choice => "Lists to choose from",
            Scope::Reading => "Pop-ups to read",
        }
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

/// Some keys, what they do, and where.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where it holds.
    pub scope: Scope,
    /// Any of these keys.
    pub keys: &'static [Key],
    /// What it does.
    pub action: Action,
    /// A word for the bottom line; empty to leave it out there.
    pub hint: &'static str,
    /// A line for the help and the palette.
    pub help: &'static str,
}

const fn bind(
    scope: Scope,
    keys: &'static [Key],
    action: Action,
    hint: &'static str,
    help: &'static str,
) -> Binding {
    Binding { scope, keys, action, hint, help }
}

const fn key(code: KeyCode) -> Key {
    Key::plain(code)
}

const ENTER: Key = key(KeyCode::Enter);
const ESC: Key = key(KeyCode::Esc);
const UP: Key = key(KeyCode::Up);
const DOWN: Key = key(KeyCode::Down);
const TAB: Key = key(KeyCode::Tab);
const BACK_TAB: Key = key(KeyCode::BackTab);
const PAGE_UP: Key = key(KeyCode::PageUp);
const PAGE_DOWN: Key = key(KeyCode::PageDown);

/// The one table of keys; within a scope, the bottom line shows the hints in this order.
pub const BINDINGS: &[Binding] = &{
    use Action as A;
    use Scope as S;
    [
        bind(S::Home, &[ENTER], A::Open, "open", "open the service's or record's search"),
        bind(S::Home, &[Key::char('/'), Key::char('s')], A::Search, "search", "search records and entities"),
        bind(S::Home, &[Key::char(' ')], A::Pause, "pause", "stop or resume the live list"),
        bind(S::Home, &[TAB, BACK_TAB], A::Pane, "pane", "move between services and newest records"),
        bind(S::Results, &[ENTER], A::Open, "timeline", "open the timeline of what the record names"),
        bind(
            S::Results,
            &[Key::char('/'), Key::char('s'), Key::char('i')],
            A::Search,
            "query",
            "edit the query",
        ),
        bind(
            S::Results,
            &[Key::char('t')],
            A::Trace,
            "trace",
            "search for all records of the record's trace",
        ),
        bind(S::Results, &[TAB, BACK_TAB], A::Pane, "detail", "move between results and the record's detail"),
        bind(S::Results, &[Key::char('y')], A::Copy, "copy", "copy an id or a command that shows the same"),
        bind(S::QueryLine, &[ENTER], A::Open, "search", "run the query and go to its results"),
        bind(S::QueryLine, &[UP], A::Older, "history", "the query before in the history"),
        bind(
            S::QueryLine,
            &[DOWN],
            A::Newer,
            "",
            "the query after in the history; past the newest, go to the results",
        ),
        bind(S::QueryLine, &[TAB, BACK_TAB], A::Pane, "results", "go to the results"),
        bind(S::QueryLine, &[ESC], A::Back, "back", "leave the query line"),
        bind(
            S::Timeline,
            &[ENTER],
            A::Open,
            "detail",
            "show the event's detail; there, jump to the event of a line",
        ),
        bind(S::Timeline, &[Key::char('z')], A::Zoom, "zoom", "show changes only, the story, or everything"),
        bind(
            S::Timeline,
            &[Key::char('w')],
            A::Why,
            "why",
            "explain the order: the cursor's reasons, or the marked event against the cursor",
        ),
        bind(S::Timeline, &[Key::char(' ')], A::Mark, "mark", "mark an event A for `w`; again to unmark"),
        bind(
            S::Timeline,
            &[Key::char('b')],
            A::Cause,
            "cause",
            "jump back to the event that this one came out of",
        ),
        bind(
            S::Timeline,
            &[Key::char('/'), Key::char('f')],
            A::Filter,
            "filter",
            "show only events that contain a text",
        ),
        bind(
            S::Timeline,
            &[Key::char('n')],
            A::NextNotable,
            "next gap/finding",
            "jump to the next gap or finding",
        ),
        bind(S::Timeline, &[Key::char('N')], A::PreviousNotable, "", "jump to the gap or finding before"),
        bind(S::Timeline, &[Key::char('x')], A::NextError, "next error", "jump to the next error"),
        bind(S::Timeline, &[Key::char('X')], A::PreviousError, "", "jump to the error before"),
        bind(
            S::Timeline,
            &[Key::char(']'), Key::char('.')],
            A::NextTransition,
            "",
            "jump to the next transition",
        ),
        bind(
            S::Timeline,
            &[Key::char('['), Key::char(',')],
            A::PreviousTransition,
            "",
            "jump to the transition before",
        ),
        bind(S::Timeline, &[key(KeyCode::Left), Key::char('h')], A::Left, "", "scroll the lanes to the left"),
        bind(
            S::Timeline,
            &[key(KeyCode::Right), Key::char('l')],
            A::Right,
            "",
            "scroll the lanes to the right",
        ),
        bind(S::Timeline, &[TAB, BACK_TAB], A::Pane, "pane", "move between events and detail"),
        bind(S::Timeline, &[Key::char('y')], A::Copy, "copy", "copy an id or a command that shows the same"),
        bind(
            S::Timeline,
            &[Key::char('i')],
            A::Basis,
            "basis",
            "show what the timeline rests on: what is missing, its clocks and sources",
        ),
        bind(S::Timeline, &[Key::char('s')], A::Search, "", "search records and entities"),
        bind(S::FilterLine, &[ENTER], A::Open, "keep", "keep the filter and go back to the events"),
        bind(S::FilterLine, &[UP], A::Up, "", "move up a line"),
        bind(S::FilterLine, &[DOWN], A::Down, "", "move down a line"),
        bind(S::FilterLine, &[ESC], A::Back, "clear", "clear the filter"),
        bind(S::Choice, &[ENTER], A::Open, "choose", "take the line under the cursor"),
        bind(S::Choice, &[UP], A::Up, "", "move up a line"),
        bind(S::Choice, &[DOWN], A::Down, "", "move down a line"),
        bind(S::Choice, &[PAGE_UP], A::PageUp, "", "move up a page"),
        bind(S::Choice, &[PAGE_DOWN], A::PageDown, "", "move down a page"),
        bind(S::Choice, &[ESC], A::Back, "close", "close it"),
        bind(S::Reading, &[ESC, ENTER, Key::char('q'), Key::char('?')], A::Back, "close", "close it"),
        bind(S::Reading, &[UP, Key::char('k')], A::Up, "", "move up a line"),
        bind(S::Reading, &[DOWN, Key::char('j')], A::Down, "", "move down a line"),
        bind(S::Reading, &[PAGE_UP, Key::ctrl('u')], A::PageUp, "", "move up a page"),
        bind(
            S::Reading,
            &[PAGE_DOWN, Key::char(' '), Key::ctrl('d')],
            A::PageDown,
            "more",
            "move down a page",
        ),
        bind(S::Reading, &[key(KeyCode::Home), Key::char('g')], A::Top, "", "move to the beginning"),
        bind(S::Reading, &[key(KeyCode::End), Key::char('G')], A::Bottom, "", "move to the end"),
        bind(S::Everywhere, &[UP, Key::char('k')], A::Up, "", "move up a line"),
        bind(S::Everywhere, &[DOWN, Key::char('j')], A::Down, "", "move down a line"),
        bind(S::Everywhere, &[PAGE_UP, Key::ctrl('u')], A::PageUp, "", "move up a page"),
        bind(S::Everywhere, &[PAGE_DOWN, Key::ctrl('d')], A::PageDown, "", "move down a page"),
        bind(S::Everywhere, &[key(KeyCode::Home), Key::char('g')], A::Top, "", "move to the beginning"),
        bind(S::Everywhere, &[key(KeyCode::End), Key::char('G')], A::Bottom, "", "move to the end"),
        bind(
            S::Everywhere,
            &[Key::char('T')],
            A::Times,
            "times",
            "show times relative, in UTC, in local time, or as each clock had them",
        ),
        bind(S::Everywhere, &[Key::char('r')], A::Reload, "reload", "ask again"),
        bind(S::Everywhere, &[Key::char('H')], A::Home, "", "go to the home screen"),
        bind(
            S::Everywhere,
            &[ESC],
            A::Back,
            "back",
            "close what is open, cancel what runs, or go back a screen",
        ),
        bind(
            S::Everywhere,
            &[Key::char(':'), Key::ctrl('p')],
            A::Palette,
            "actions",
            "choose any action by name",
        ),
        bind(S::Everywhere, &[Key::char('?')], A::Help, "help", "show all keys"),
        bind(
            S::Everywhere,
            &[Key::char('q'), Key::ctrl('c')],
            A::Quit,
            "quit",
            "leave the program; ctrl-c from anywhere",
        ),
    ]
};

/// What `key` does in `scope`: its own binding, else one that holds everywhere.
pub fn action_for(scope: Scope, key: Key) -> Option<Action> {
    let bound_in = |wanted: Scope| {
        BINDINGS.iter().find(|binding| binding.scope == wanted && binding.keys.contains(&key))
    };
    let everywhere = || if scope.is_open() { bound_in(Scope::Everywhere) } else { None };
    bound_in(scope).or_else(everywhere).map(|binding| binding.action)
}

/// The bindings that hold in `scope`, its own first.
pub fn bindings_in(scope: Scope) -> impl Iterator<Item = &'static Binding> {
    let own = BINDINGS.iter().filter(move |binding| binding.scope == scope);
    let general = BINDINGS.iter().filter(move |binding| {
        binding.scope == Scope::Everywhere && scope != Scope::Everywhere && scope.is_open()
    });
    own.chain(general)
}

/// The table of keys as `docs/ui.md` holds it.
pub fn markdown() -> String {
    let mut text = String::new();
    for scope in Scope::ALL {
        text.push_str(&format!("\n### {}\n\n| key | what it does |\n|---|---|\n", scope.title()));
        for binding in BINDINGS.iter().filter(|binding| binding.scope == scope) {
            let keys: Vec<String> = binding.keys.iter().map(|key| format!("`{}`", key.label())).collect();
            text.push_str(&format!("| {} | {} |\n", keys.join(" "), binding.help));
        }
    }
    text
}

impl Binding {
    /// Its keys as the help writes them.
    pub fn keys_label(&self) -> String {
        self.keys.iter().map(|key| key.label()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_scope() {
        for (number, binding) in BINDINGS.iter().enumerate() {
            for other in &BINDINGS[number + 1..] {
                let clash = binding.keys.iter().find(|key| other.keys.contains(key));
                assert!(
                    binding.scope != other.scope || clash.is_none(),
                    "{clash:?} in {:?} is {:?} and {:?}",
                    binding.scope,
                    binding.action,
                    other.action
                );
            }
        }
    }

    #[test]
    fn characters_are_text_while_typing() {
        for scope in Scope::ALL.into_iter().filter(|scope| scope.is_typing()) {
            for c in ' '..='~' {
                assert_eq!(action_for(scope, Key::char(c)), None, "{c} in {scope:?}");
            }
        }
    }

    #[test]
    fn every_scope_has_a_way_back() {
        for scope in Scope::ALL {
            assert_eq!(action_for(scope, ESC), Some(Action::Back), "{scope:?}");
        }
    }

    #[test]
    fn the_docs_hold_this_table() {
        let docs = include_str!("../../docs/ui.md");
        let table = markdown();
        assert!(docs.contains(&table), "docs/ui.md should hold:\n{table}");
    }

    #[test]
    fn releases_are_no_presses() {
        let event = |kind| KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, kind);
        assert_eq!(Key::from_event(event(KeyEventKind::Press)), Some(Key::char('q')));
        assert_eq!(Key::from_event(event(KeyEventKind::Release)), None);
    }
}
