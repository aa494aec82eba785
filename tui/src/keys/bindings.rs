//! The table: which key does what by default.

use crossterm::event::KeyCode;

use super::{Action, Key, Scope};

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

const fn c(character: char) -> Key {
    Key::char(character)
}

const ENTER: Key = key(KeyCode::Enter);
const ESC: Key = key(KeyCode::Esc);
const UP: Key = key(KeyCode::Up);
const DOWN: Key = key(KeyCode::Down);
const LEFT: Key = key(KeyCode::Left);
const RIGHT: Key = key(KeyCode::Right);
const TAB: Key = key(KeyCode::Tab);
const BACK_TAB: Key = key(KeyCode::BackTab);
const PAGE_UP: Key = key(KeyCode::PageUp);
const PAGE_DOWN: Key = key(KeyCode::PageDown);
const HOME: Key = key(KeyCode::Home);
const END: Key = key(KeyCode::End);

/// The one table of keys; within a scope, the bottom line shows the hints in this order.
///
/// What a keyboard may have only with AltGr (`[ ] { } | \ @ ~`) has a second key.
#[rustfmt::skip] // a table: one binding a line
pub const BINDINGS: &[Binding] = &{
    use Action as A;
    use Scope as S;
    [
        bind(S::Home, &[ENTER], A::Open, "timeline", "open the timeline where it is wrong, or what the record names"),
        bind(S::Home, &[c('/'), c('s')], A::Search, "search", "search records and entities"),
        bind(S::Home, &[c('a')], A::Affected, "affected", "show who else has it, since when, and whom can't be told of"),
        bind(S::Home, &[c('c')], A::Compare, "compare", "show the entity beside the nearest healthy one"),
        bind(S::Home, &[c('t')], A::Trace, "trace", "show the trace that it began in, or the record's, as a waterfall"),
        bind(S::Home, &[TAB, BACK_TAB], A::Pane, "pane", "move between incidents, detail and newest records"),
        bind(S::Home, &[c(' ')], A::Pause, "", "stop or resume the live list"),

        bind(S::Results, &[ENTER], A::Open, "timeline", "open the timeline of what the record names"),
        bind(S::Results, &[c('/'), c('s'), c('i')], A::Search, "query", "edit the query"),
        bind(S::Results, &[c('t')], A::Trace, "trace", "show the record's trace as a waterfall"),
        bind(S::Results, &[TAB, BACK_TAB], A::Pane, "detail", "move between results and the record's detail"),
        bind(S::Results, &[c('y')], A::Copy, "copy", "copy an id or a command that shows the same"),
        bind(S::Results, &[c('Y')], A::CopyToFile, "", "write one of these to a file, where the terminal does not copy"),

        bind(S::QueryLine, &[ENTER], A::Open, "search", "run the query and go to its results"),
        bind(S::QueryLine, &[UP], A::Older, "history", "the query before in the history"),
        bind(S::QueryLine, &[DOWN], A::Newer, "", "the query after in the history; past the newest, go to the results"),
        bind(S::QueryLine, &[TAB, BACK_TAB], A::Pane, "results", "go to the results"),
        bind(S::QueryLine, &[ESC], A::Back, "back", "leave the query line"),

        bind(S::Timeline, &[c('/')], A::Filter, "filter", "show only events that contain a text, or mark them"),
        bind(S::Timeline, &[c('w')], A::Why, "why", "explain the order: the cursor's reasons, or the marked event against the cursor"),
        bind(S::Timeline, &[TAB], A::Pane, "state", "move between events, state and detail"),
        bind(S::Timeline, &[c('t')], A::Trace, "trace", "show the event's trace as a waterfall"),
        bind(S::Timeline, &[c('n')], A::NextNotable, "next finding", "jump to the next finding, gap or change around"),
        bind(S::Timeline, &[c('z')], A::Zoom, "zoom", "show more: changes, what led to them, the story, everything"),
        bind(S::Timeline, &[c('b'), c('<')], A::Cause, "cause", "jump back to the event that this one came out of"),
        bind(S::Timeline, &[c('d'), c('>')], A::Effect, "effect", "jump on to the first event that came out of this one"),
        bind(S::Timeline, &[c('u'), Key::ctrl('o')], A::Return, "return", "go back to where the cursor was before its last jump"),
        bind(S::Timeline, &[ENTER], A::Open, "detail", "show the event's detail; there, jump to the event of a line"),
        bind(S::Timeline, &[c('a')], A::Affected, "affected", "show who else has the finding, since when, and whom can't be told of"),
        bind(S::Timeline, &[c('c')], A::Compare, "compare", "show the entity beside the nearest healthy one"),
        bind(S::Timeline, &[c('f')], A::Findings, "findings", "choose a finding or a gap to go to"),
        bind(S::Timeline, &[c(' ')], A::Mark, "mark", "mark an event A for `w`; again to unmark"),
        bind(S::Timeline, &[c('y')], A::Copy, "copy", "copy an id or a command that shows the same"),
        bind(S::Timeline, &[c('e')], A::Export, "export", "write the timeline to a file, in a format to choose"),
        bind(S::Timeline, &[c('i')], A::Basis, "basis", "show what the timeline rests on: what is missing, its clocks and sources"),
        bind(S::Timeline, &[c('N')], A::PreviousNotable, "", "jump to the finding, gap or change before"),
        bind(S::Timeline, &[c('x')], A::NextError, "", "jump to the next error"),
        bind(S::Timeline, &[c('X')], A::PreviousError, "", "jump to the error before"),
        bind(S::Timeline, &[c(']'), c('.')], A::NextTransition, "", "jump to the next transition"),
        bind(S::Timeline, &[c('['), c(',')], A::PreviousTransition, "", "jump to the transition before"),
        bind(S::Timeline, &[c('p')], A::NextInProcess, "", "jump to the next event of the same process"),
        bind(S::Timeline, &[c('P')], A::PreviousInProcess, "", "jump to the event of the same process before"),
        bind(S::Timeline, &[c('o')], A::NextInTrace, "", "jump to the next event of the same trace"),
        bind(S::Timeline, &[c('O')], A::PreviousInTrace, "", "jump to the event of the same trace before"),
        bind(S::Timeline, &[c('v')], A::NextMatch, "", "jump to the next event that contains the filter's text"),
        bind(S::Timeline, &[c('V')], A::PreviousMatch, "", "jump to the event before that contains the filter's text"),
        bind(S::Timeline, &[c('U')], A::Forward, "", "go forward again to where the cursor was before returning"),
        bind(S::Timeline, &[c('Z')], A::ZoomOut, "", "show less"),
        bind(S::Timeline, &[c('L')], A::Pin, "", "keep the cursor's lane on screen at the left; again to let it go"),
        bind(S::Timeline, &[c('A')], A::AllLanes, "", "show all lanes, or only those that hold state and fold the others into one"),
        bind(S::Timeline, &[LEFT, c('h')], A::Left, "", "scroll the lanes to the left"),
        bind(S::Timeline, &[RIGHT, c('l')], A::Right, "", "scroll the lanes to the right"),
        bind(S::Timeline, &[c('W')], A::Narrow, "", "choose a stretch of time and ask for it alone"),
        bind(S::Timeline, &[BACK_TAB], A::PaneBack, "", "move between the panes the other way"),
        bind(S::Timeline, &[c('Y')], A::CopyToFile, "", "write one of these to a file, where the terminal does not copy"),
        bind(S::Timeline, &[c('s')], A::Search, "", "search records and entities"),

        bind(S::Trace, &[ENTER], A::Open, "detail", "show the record's detail"),
        bind(S::Trace, &[c(' ')], A::Fold, "fold", "fold what is below the span, or unfold it"),
        bind(S::Trace, &[c('c')], A::NextCritical, "critical path", "jump to the next span on the critical path"),
        bind(S::Trace, &[c('C')], A::PreviousCritical, "", "jump to the span on the critical path before"),
        bind(S::Trace, &[c('/')], A::Filter, "find", "mark the records that contain a text, or show them alone"),
        bind(S::Trace, &[c('n'), c('v')], A::NextMatch, "next hit", "jump to the next record that contains the text"),
        bind(S::Trace, &[c('N'), c('V')], A::PreviousMatch, "", "jump to the record before that contains the text"),
        bind(S::Trace, &[c('x')], A::NextError, "next error", "jump to the next error"),
        bind(S::Trace, &[c('X')], A::PreviousError, "", "jump to the error before"),
        bind(S::Trace, &[c('p')], A::NextInProcess, "", "jump to the next record of the same service"),
        bind(S::Trace, &[c('P')], A::PreviousInProcess, "", "jump to the record of the same service before"),
        bind(S::Trace, &[c('b'), c('<')], A::Cause, "parent", "jump to the parent"),
        bind(S::Trace, &[c('d'), c('>')], A::Effect, "", "jump to the first child"),
        bind(S::Trace, &[c('u'), Key::ctrl('o')], A::Return, "", "go back to where the cursor was before its last jump"),
        bind(S::Trace, &[c('U')], A::Forward, "", "go forward again to where the cursor was before returning"),
        bind(S::Trace, &[c('+'), c('=')], A::Nearer, "zoom", "show a shorter stretch of time, around the cursor's record"),
        bind(S::Trace, &[c('-')], A::Farther, "", "show a longer stretch of time"),
        bind(S::Trace, &[c('0')], A::Whole, "", "show the whole trace's time"),
        bind(S::Trace, &[LEFT, c('h')], A::Left, "", "move to earlier times"),
        bind(S::Trace, &[RIGHT, c('l')], A::Right, "", "move to later times"),
        bind(S::Trace, &[c('z')], A::Zoom, "logs", "show spans alone, or logs and span events in their places too"),
        bind(S::Trace, &[c('o')], A::Timelines, "timelines", "open the timeline of something that the record names"),
        bind(S::Trace, &[TAB, BACK_TAB], A::Pane, "pane", "move between the waterfall and the detail"),
        bind(S::Trace, &[c('y')], A::Copy, "copy", "copy an id or a command that shows the same"),
        bind(S::Trace, &[c('Y')], A::CopyToFile, "", "write one of these to a file, where the terminal does not copy"),
        bind(S::Trace, &[c('s')], A::Search, "", "search records and entities"),

        bind(S::Live, &[c(' ')], A::Pause, "pause", "stop or resume the list; what arrives meanwhile is kept"),
        bind(S::Live, &[c('/')], A::Filter, "filter", "show only records that match a query"),
        bind(S::Live, &[ENTER], A::Open, "open", "choose a timeline or the trace of the record"),
        bind(S::Live, &[c('t')], A::Trace, "trace", "show the record's trace as a waterfall"),
        bind(S::Live, &[TAB, BACK_TAB], A::Pane, "pane", "move between the records and the detail"),
        bind(S::Live, &[c('x')], A::NextError, "next error", "jump to the next error down the list"),
        bind(S::Live, &[c('X')], A::PreviousError, "", "jump to the next error up the list"),
        bind(S::Live, &[c('y')], A::Copy, "copy", "copy an id or a command that shows the same"),
        bind(S::Live, &[c('Y')], A::CopyToFile, "", "write one of these to a file, where the terminal does not copy"),
        bind(S::Live, &[c('s')], A::Search, "", "search records and entities"),

        bind(S::Table, &[ENTER], A::Open, "open", "open what the line is about"),
        bind(S::Table, &[c('/')], A::Filter, "filter", "show only lines that contain a text"),
        bind(S::Table, &[c('o')], A::Sort, "sort", "sort by the next column; after the last in the answer's own order"),
        bind(S::Table, &[c('O')], A::SortBack, "", "sort the other way round"),
        bind(S::Table, &[c('a')], A::Affected, "affected", "show who else has it, since when, and whom can't be told of"),
        bind(S::Table, &[c('c')], A::Compare, "compare", "show the entity beside the nearest healthy one"),
        bind(S::Table, &[c('W')], A::Narrow, "at a time", "show what copies held at another time"),
        bind(S::Table, &[TAB, BACK_TAB], A::Pane, "detail", "move between the lines and the detail"),
        bind(S::Table, &[c('y')], A::Copy, "copy", "copy an id or a command that shows the same"),
        bind(S::Table, &[c('Y')], A::CopyToFile, "", "write one of these to a file, where the terminal does not copy"),
        bind(S::Table, &[c('s')], A::Search, "", "search records and entities"),

        bind(S::FilterLine, &[ENTER], A::Open, "keep", "keep the text and go back to the list"),
        bind(S::FilterLine, &[TAB, BACK_TAB], A::Highlight, "filter or mark", "show only what contains the text, or all and mark it"),
        bind(S::FilterLine, &[UP], A::Up, "", "move up a line"),
        bind(S::FilterLine, &[DOWN], A::Down, "", "move down a line"),
        bind(S::FilterLine, &[ESC], A::Back, "clear", "clear the text"),

        bind(S::Choice, &[ENTER], A::Open, "choose", "take the line under the cursor"),
        bind(S::Choice, &[UP], A::Up, "", "move up a line"),
        bind(S::Choice, &[DOWN], A::Down, "", "move down a line"),
        bind(S::Choice, &[PAGE_UP], A::PageUp, "", "move up a page"),
        bind(S::Choice, &[PAGE_DOWN], A::PageDown, "", "move down a page"),
        bind(S::Choice, &[ESC], A::Back, "close", "close it"),

        bind(S::Reading, &[ESC, ENTER, c('q'), c('?')], A::Back, "close", "close it"),
        bind(S::Reading, &[UP, c('k')], A::Up, "", "move up a line"),
        bind(S::Reading, &[DOWN, c('j')], A::Down, "", "move down a line"),
        bind(S::Reading, &[PAGE_UP, Key::ctrl('u')], A::PageUp, "", "move up a page"),
        bind(S::Reading, &[PAGE_DOWN, c(' '), Key::ctrl('d')], A::PageDown, "more", "move down a page"),
        bind(S::Reading, &[HOME, c('g')], A::Top, "", "move to the beginning"),
        bind(S::Reading, &[END, c('G')], A::Bottom, "", "move to the end"),

        bind(S::Everywhere, &[UP, c('k')], A::Up, "", "move up a line"),
        bind(S::Everywhere, &[DOWN, c('j')], A::Down, "", "move down a line"),
        bind(S::Everywhere, &[PAGE_UP, Key::ctrl('u')], A::PageUp, "", "move up a page"),
        bind(S::Everywhere, &[PAGE_DOWN, Key::ctrl('d')], A::PageDown, "", "move down a page"),
        bind(S::Everywhere, &[HOME, c('g')], A::Top, "", "move to the beginning"),
        bind(S::Everywhere, &[END, c('G')], A::Bottom, "", "move to the end"),
        bind(S::Everywhere, &[c('T')], A::Times, "times", "show times relative, in UTC, in local time, or as each clock had them"),
        bind(S::Everywhere, &[c('F')], A::Live, "live", "show records as they arrive"),
        bind(S::Everywhere, &[c('E')], A::Entities, "entities", "show the types of entities, their keys, and what each copy holds"),
        bind(S::Everywhere, &[c('K')], A::Clocks, "clocks", "show whose clock is off, by how much, how sure"),
        bind(S::Everywhere, &[c('D')], A::Doctor, "doctor", "show what of each service can be judged, and what would unlock more"),
        bind(S::Everywhere, &[c('r')], A::Reload, "", "ask again"),
        bind(S::Everywhere, &[c('H')], A::Home, "", "go to the home screen"),
        bind(S::Everywhere, &[c('M')], A::Mouse, "", "use the mouse, or leave it to the terminal to mark text with"),
        bind(S::Everywhere, &[Key::ctrl('t')], A::Theme, "", "show it in other colours"),
        bind(S::Everywhere, &[Key::ctrl('z')], A::Suspend, "", "give the terminal back to the shell; `fg` returns"),
        bind(S::Everywhere, &[ESC], A::Back, "back", "close what is open, cancel what runs, or go back a screen"),
        bind(S::Everywhere, &[c(':'), Key::ctrl('p')], A::Palette, "actions", "choose any action by name"),
        bind(S::Everywhere, &[c('?')], A::Help, "help", "show all keys"),
        bind(S::Everywhere, &[c('q'), Key::ctrl('c')], A::Quit, "quit", "leave the program; ctrl-c from anywhere"),
    ]
};

/// The table of keys as `docs/ui.md` holds it.
pub fn markdown() -> String {
    let mut text = String::new();
    for scope in Scope::ALL {
        text.push_str(&format!("\n### {}\n\n", scope.title()));
        text.push_str("| key | what it does | in the configuration |\n|---|---|---|\n");
        for binding in BINDINGS.iter().filter(|binding| binding.scope == scope) {
            let keys: Vec<String> = binding.keys.iter().map(|key| format!("`{}`", key.label())).collect();
            let name = format!("{}.{}", scope.name(), binding.action.name());
            text.push_str(&format!("| {} | {} | `{name}` |\n", keys.join(" "), binding.help));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_docs_hold_this_table() {
        let docs = include_str!("../../../docs/ui.md");
        let table = markdown();
        assert!(docs.contains(&table), "docs/ui.md should hold:\n{table}");
    }

    #[test]
    fn what_needs_alt_gr_somewhere_has_a_second_key() {
        for binding in BINDINGS {
            let awkward = |key: &&Key| matches!(key.code, KeyCode::Char(c) if "[]{}|\\@~".contains(c));
            let second = binding.keys.iter().any(|key| !awkward(&key));
            assert!(second, "{:?} in {:?}", binding.action, binding.scope);
        }
    }
}
