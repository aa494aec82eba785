//! The whole state of the screen, and what screens share.

use ratatui::layout::Rect;
use timeline::time::Time;

use crate::keys::{Keymap, Scope};
use crate::message::{Effect, Question};
use crate::popup::Popup;
use crate::screens::home::Home;
use crate::screens::live::Live;
use crate::screens::search::Search;
use crate::screens::table::TableScreen;
use crate::screens::timeline::{TimelineScreen, quoted};
use crate::screens::trace::TraceScreen;
use crate::store::Store;
use crate::theme::Theme;
use crate::times::{Times, Zone};
use crate::tour::Tour;

/// The whole state. [`crate::update::update`] alone changes it, [`crate::view::draw`] shows it.
#[derive(Debug)]
pub struct State {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The last tick.
    pub now: Time,
    /// How things are shown.
    pub settings: Settings,
    /// What is known of the store.
    pub store: Store,
    /// Below, the screens to go back to. Invariant: the first is the home screen.
    pub(crate) screens: Vec<Screen>,
    /// What lies over the screen.
    pub popup: Option<Popup>,
    /// A word on what was just done, until the next key.
    pub notice: Option<String>,
    /// The hints that explain the first screen, while they do.
    pub tour: Option<Tour>,
    /// Queries that were run, oldest first.
    pub history: Vec<String>,
    /// The last question's number.
    pub(crate) number: u64,
}

/// How things are shown.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Colours and glyphs.
    pub theme: Theme,
    /// How times are shown.
    pub times: Times,
    /// What "local" means.
    pub zone: Zone,
    /// The folder or server that is asked.
    pub source: String,
    /// The option that makes the command line ask the same: `--data DIR` or `--connect URL`.
    pub source_option: String,
    /// What an empty store shows: the settings that point an exporter here.
    pub exporter: Vec<String>,
    /// Which key does what.
    pub keymap: Keymap,
    /// Whether the mouse is left to the terminal.
    pub mouse_off: bool,
}

impl Settings {
    /// The command line that asks the same store: for a colleague, or for a script.
    pub fn command(&self, words: &[&str]) -> String {
        let asked: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let asked = format!("backstory {}", asked.join(" "));
        if self.source_option.is_empty() { asked } else { format!("{asked} {}", self.source_option) }
    }
}

/// A screen and its own state.
#[derive(Debug)]
pub enum Screen {
    /// What is wrong and what is new.
    Home(Box<Home>),
    /// Which records match.
    Search(Box<Search>),
    /// What happened to one entity, in causal order.
    Timeline(Box<TimelineScreen>),
    /// A trace as a waterfall.
    Trace(Box<TraceScreen>),
    /// Records as they arrive.
    Live(Box<Live>),
    /// Entities, affected, compare, clocks or doctor.
    Table(Box<TableScreen>),
}

impl State {
    /// The state at the start: the home screen, nothing known yet.
    pub fn new(settings: Settings, size: (u16, u16), now: Time) -> State {
        State {
            size,
            now,
            settings,
            store: Store::default(),
            screens: vec![Screen::Home(Box::default())],
            popup: None,
            notice: None,
            tour: None,
            history: Vec::new(),
            number: 0,
        }
    }

    /// The terminal.
    pub fn area(&self) -> Rect {
        Rect::new(0, 0, self.size.0, self.size.1)
    }

    /// The screen on top.
    pub fn screen(&self) -> Option<&Screen> {
        self.screens.last()
    }

    /// All screens, the one on top last.
    pub fn screens(&self) -> &[Screen] {
        &self.screens
    }

    /// Where the next key goes.
    pub fn scope(&self) -> Scope {
        match (&self.popup, self.screen()) {
            (Some(Popup::Choice(_)), _) => Scope::Choice,
            (Some(Popup::Reading(_)), _) => Scope::Reading,
            (None, screen) => screen.map_or(Scope::Home, Screen::scope),
        }
    }
}

impl Screen {
    /// Where keys go that no pop-up takes.
    pub fn scope(&self) -> Scope {
        match self {
            Screen::Home(_) => Scope::Home,
            Screen::Search(search) => search.scope(),
            Screen::Timeline(timeline) => timeline.scope(),
            Screen::Trace(trace) => trace.scope(),
            Screen::Live(live) => live.scope(),
            Screen::Table(table) => table.scope(),
        }
    }
}

/// What a screen may use while it updates itself.
pub struct Context<'a> {
    /// The last question's number.
    pub(crate) number: &'a mut u64,
    /// What the edge is asked.
    pub(crate) effects: &'a mut Vec<Effect>,
    /// The terminal.
    pub area: Rect,
    /// The last tick.
    pub now: Time,
    /// How things are shown.
    pub settings: &'a Settings,
    /// A word on what was just done.
    pub notice: &'a mut Option<String>,
}

impl Context<'_> {
    /// Asks; the number that the answer will carry.
    pub fn ask(&mut self, question: Question) -> u64 {
        *self.number += 1;
        self.effects.push(Effect::Ask { number: *self.number, question });
        *self.number
    }

    /// Asks the edge for something else.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Says a word.
    pub fn say(&mut self, word: impl Into<String>) {
        *self.notice = Some(word.into());
    }
}

/// A question on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// The number that the answer will carry.
    pub number: u64,
    /// How far a scan has come, from 0 to 1, where there is one.
    pub share: Option<f64>,
}

impl Asked {
    /// A question just asked.
    pub fn new(number: u64) -> Asked {
        Asked { number, share: None }
    }

    /// What the screen says while it waits.
    pub fn label(self) -> String {
        self.share.map_or_else(
            || "asking…  esc cancels".to_owned(),
            |share| format!("asking… {:.0} %  esc cancels", share * 100.0),
        )
    }
}
