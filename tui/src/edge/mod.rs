//! The edge: the terminal, its signals, the clock, and the threads that ask. The loop below is all that
//! waits; nothing in it ever waits for an answer.

mod files;
pub mod tables;
mod terminal;
pub mod traces;
mod widths;
mod workers;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use query::interface::Query;
use timeline::time::Time;

use crate::keys::Keymap;
use crate::message::{Effect, Message};
use crate::state::{Settings, State};
use crate::theme::Theme;
use crate::times::{Times, Zone};
use crate::tour::Tour;
use crate::update::update;
use crate::view;
use terminal::Terminal;
use workers::Workers;

/// What the program around the screen says of itself, such as its collector's rate; asked every second, off the screen's thread.
pub type Status = Arc<dyn Fn() -> String + Send + Sync>;

/// How to begin.
#[derive(Clone, Default)]
pub struct Options {
    /// The entity whose timeline to open on (`order/42`, `order.id=42`); `None` for the home screen.
    pub entity: Option<String>,
    /// Colours and glyphs.
    pub theme: Theme,
    /// Show times in this machine's zone at first, not relative.
    pub local: bool,
    /// What an empty store shows: the settings that point an exporter here, a line each.
    pub exporter: Vec<String>,
    /// How a copied command line asks the same store: `--data DIR` or `--connect URL`; empty for the default.
    pub source_option: String,
    /// What the program around the screen says of itself; one line.
    pub status: Option<Status>,
    /// Which key does what.
    pub keymap: Keymap,
    /// Whether the first screen is explained, in a few hints.
    pub tour: bool,
}

/// Why the screen could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Standard input or output is no terminal.
    #[error(
        "the terminal UI needs a terminal on standard input and output; without one, use `backstory search` and `backstory timeline`"
    )]
    NoTerminal,
    /// The terminal failed.
    #[error("the terminal failed: {0}")]
    Terminal(#[from] io::Error),
}

/// A second: how often live numbers are asked for.
const TICK: Duration = Duration::from_secs(1);

/// So many messages at most are taken in before the screen is drawn again.
const MESSAGES_A_FRAME: usize = 256;

/// Shows the screen until the user leaves or a signal ends it. Restores the terminal in every case, a panic included.
pub fn run(query: Arc<dyn Query>, options: Options) -> Result<(), Error> {
    let (sender, messages) = mpsc::channel();
    let mut terminal = Terminal::enter(sender.clone())?;
    let ascii = options.theme.ascii || !widths::are_trusted();
    let settings = Settings {
        theme: Theme { ascii, ..options.theme },
        times: if options.local { Times::Local } else { Times::Relative },
        zone: Zone::Machine,
        source: query.source(),
        source_option: options.source_option,
        exporter: options.exporter,
        keymap: options.keymap,
        mouse_off: false,
    };
    let mut state = State::new(settings, terminal.size()?, now());
    state.tour = options.tour.then(Tour::default);
    let workers = Workers::start(query, options.status.as_ref(), &sender);
    let mut effects = options.entity.map(|entity| state.open_timeline(&entity)).unwrap_or_default();
    effects.extend(update(&mut state, Message::Tick(now())));
    turn(&mut terminal, &mut state, &workers, (&sender, &messages), effects)
}

fn turn(
    terminal: &mut Terminal,
    state: &mut State,
    workers: &Workers,
    (sender, messages): (&Sender<Message>, &Receiver<Message>),
    mut effects: Vec<Effect>,
) -> Result<(), Error> {
    let mut next_tick = Instant::now() + TICK;
    loop {
        for effect in effects.drain(..) {
            match effect {
                Effect::Quit => return Ok(()),
                Effect::Ask { number, question } => workers.ask(number, question),
                Effect::Cancel(slot) => workers.cancel(slot),
                Effect::Copy(text) => terminal.copy(&text)?,
                Effect::Save { name, text } => files::save(name, text, sender.clone()),
                Effect::Mouse(on) => terminal.mouse(on)?,
                Effect::Suspend => terminal.suspend()?,
            }
        }
        terminal.draw(|frame| view::draw(state, frame))?;
        let wait = next_tick.saturating_duration_since(Instant::now());
        match messages.recv_timeout(wait) {
            Ok(first) => {
                let all = std::iter::once(first).chain(messages.try_iter()).take(MESSAGES_A_FRAME);
                effects = all.flat_map(|message| update(state, message)).collect();
            }
            Err(RecvTimeoutError::Timeout) => {}
            // The terminal's own thread is gone: nobody could press a key any more.
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        if Instant::now() >= next_tick {
            next_tick = Instant::now() + TICK;
            effects.extend(update(state, Message::Tick(now())));
        }
    }
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
