//! What lies over a screen: a list to choose from, or a text to read.

use query::archive::Window;
use query::export::Format;
use ratatui::layout::Rect;
use timeline::id::{EventId, SpanId, TraceId};

use crate::keys::{Action, Key, Keymap, Scope};
use crate::layout;
use crate::line::LineEdit;
use crate::lines::{Page, TextLine};
use crate::report::Topic;
use crate::scroll::Scroll;
use crate::text;
use crate::theme::{Role, Theme};

/// What lies over a screen.
#[derive(Debug)]
pub enum Popup {
    /// A list to choose from.
    Choice(ChoicePopup),
    /// A text to read.
    Reading(ReadingPopup),
}

/// A place of a timeline that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spot {
    /// An event.
    Event(EventId),
    /// The last event that proves a finding.
    Finding(String),
}

/// What a choice leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As if its key had been pressed.
    Do(Action),
    /// A timeline.
    Timeline {
        /// Whose.
        entity: String,
        /// Where to put the cursor.
        at: Option<Spot>,
    },
    /// A screen of one table.
    Table(Topic),
    /// A search.
    Search(String),
    /// A text into the clipboard.
    Copy(String),
    /// A text into a file.
    Save(String),
    /// A trace.
    Trace {
        /// Which.
        trace: TraceId,
        /// The span to put the cursor on.
        at: Option<SpanId>,
    },
    /// An event of the timeline on screen.
    Event(EventId),
    /// A stretch of the time of the timeline on screen.
    Narrow(Window),
    /// The timeline on screen as a file.
    Export(Format),
}

/// One line to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it is.
    pub label: String,
    /// More about it.
    pub detail: String,
    /// What it leads to.
    pub outcome: Outcome,
}

impl Choice {
    /// A line to choose; its texts are sanitised, its outcome is not.
    pub fn new(label: &str, detail: &str, outcome: Outcome) -> Choice {
        let clean = |text: &str| text::sanitise(text).into_owned();
        Choice { label: clean(label), detail: clean(detail), outcome }
    }

    fn contains(&self, wanted: &str) -> bool {
        self.label.to_lowercase().contains(wanted) || self.detail.to_lowercase().contains(wanted)
    }
}

/// A list to choose from, narrowed by typing.
#[derive(Debug)]
pub struct ChoicePopup {
    /// Its title.
    pub title: &'static str,
    /// What was typed.
    pub typed: LineEdit,
    choices: Vec<Choice>,
    /// The cursor among the choices on show.
    pub scroll: Scroll,
}

impl ChoicePopup {
    /// A list to choose from.
    pub fn new(title: &'static str, choices: Vec<Choice>) -> ChoicePopup {
        ChoicePopup { title, typed: LineEdit::default(), choices, scroll: Scroll::default() }
    }

    /// Every action that there is in `scope`, by name.
    pub fn palette(scope: Scope, keymap: &Keymap) -> ChoicePopup {
        let mut choices: Vec<Choice> = Vec::new();
        let offered = keymap.bindings_in(scope).filter(|bound| bound.binding.action != Action::Palette);
        for bound in offered {
            let (hint, help) = (bound.binding.hint, bound.binding.help);
            let label = if hint.is_empty() { help.to_owned() } else { format!("{hint}: {help}") };
            let choice = Choice::new(&label, &bound.keys_label(), Outcome::Do(bound.binding.action));
            if !choices.iter().any(|known| known.outcome == choice.outcome) {
                choices.push(choice);
            }
        }
        ChoicePopup::new("Actions", choices)
    }

    /// The choices that contain what was typed.
    pub fn shown(&self) -> Vec<&Choice> {
        let wanted = self.typed.text().trim().to_lowercase();
        self.choices.iter().filter(|choice| choice.contains(&wanted)).collect()
    }

    /// Its place: a line to type in, and the choices.
    pub fn area(&self, area: Rect) -> Rect {
        layout::popup(area, 84, self.choices.len() + 1)
    }

    fn height(&self, area: Rect) -> usize {
        usize::from(self.area(area).height).saturating_sub(3)
    }

    /// Moves; or the choice that was made.
    pub fn act(&mut self, action: Action, area: Rect) -> Option<Outcome> {
        if action == Action::Open {
            return self.shown().get(self.scroll.at).map(|choice| choice.outcome.clone());
        }
        let (length, height) = (self.shown().len(), self.height(area));
        self.scroll.go(action, length, height);
        None
    }

    /// Narrows the list.
    pub fn type_key(&mut self, key: Key, area: Rect) {
        self.typed.press(key);
        self.settle(area);
    }

    /// Brings the cursor on screen.
    pub fn settle(&mut self, area: Rect) {
        let (length, height) = (self.shown().len(), self.height(area));
        self.scroll.settle(length, height);
    }
}

/// A text to read.
#[derive(Debug)]
pub struct ReadingPopup {
    /// Its title.
    pub title: &'static str,
    /// Its lines.
    pub lines: Vec<TextLine>,
    /// The first line on screen.
    pub top: usize,
}

impl ReadingPopup {
    const WIDTH: u16 = 92;

    /// A text to read.
    pub fn new(title: &'static str, lines: Vec<TextLine>) -> ReadingPopup {
        ReadingPopup { title, lines, top: 0 }
    }

    /// All keys, those of `scope` first.
    pub fn help(scope: Scope, keymap: &Keymap, area: Rect, theme: Theme) -> ReadingPopup {
        let mut page = Page::new(ReadingPopup::text_width(area));
        let others = Scope::ALL.into_iter().filter(|other| *other != scope);
        for scope in std::iter::once(scope).chain(others) {
            page.heading(scope.title());
            for bound in keymap.scope(scope) {
                let label = format!("  {}  ", text::fit(&bound.keys_label(), 14));
                page.labelled(&label, Role::Text, bound.binding.help);
            }
        }
        page.heading("Glyphs");
        let g = theme.glyphs();
        let arrow = format!("{}{}{}{}", g.leave_right, g.shaft, g.shaft, g.head_right);
        let glyphs = [
            (g.transition.to_string(), "a transition: it writes state"),
            (g.observation.to_string(), "an observation: it reads state"),
            (format!("{} {}", g.event, g.end), "another event; the end of a span"),
            (g.error.to_string(), "an error"),
            (arrow, "a request, reply, message or link, from the lane it left to the lane it reached"),
            (g.lost.to_string(), "a reply, a receiver or a sender that was never seen"),
            (
                g.unordered.to_string(),
                "nothing orders it against a neighbour: it may have happened before or after",
            ),
            ("?".to_owned(), "after a time: no message bounds its clock, the time is a feasible guess"),
            (g.warning.to_string(), "a finding, a gap, or a change around the event"),
        ];
        for (glyph, meaning) in glyphs {
            page.labelled(&format!("  {glyph}  "), Role::Text, meaning);
        }
        ReadingPopup::new("Keys", page.into_lines())
    }

    /// How wide a line of text may be in a pop-up over `area`.
    pub fn text_width(area: Rect) -> usize {
        usize::from(ReadingPopup::WIDTH.min(area.width).saturating_sub(4))
    }

    /// Its place.
    pub fn area(&self, area: Rect) -> Rect {
        layout::popup(area, ReadingPopup::WIDTH, self.lines.len())
    }

    /// Scrolls.
    pub fn act(&mut self, action: Action, area: Rect) {
        let height = usize::from(self.area(area).height).saturating_sub(2);
        let last_top = self.lines.len().saturating_sub(height);
        let page = height.saturating_sub(1).max(1);
        self.top = match action {
            Action::Up => self.top.saturating_sub(1),
            Action::Down => self.top + 1,
            Action::PageUp => self.top.saturating_sub(page),
            Action::PageDown => self.top + page,
            Action::Top => 0,
            Action::Bottom => last_top,
            _ => self.top,
        }
        .min(last_top);
    }
}
