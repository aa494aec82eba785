//! The terminal: taken over at the start, given back as it was however the program ends.

use std::io::{self, IsTerminal, Stdout, Write, stdin, stdout};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event,
    MouseButton, MouseEventKind,
};
use crossterm::terminal::{self, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute};
use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;

use super::Error;
use crate::keys::Key;
use crate::message::{Message, Mouse};

/// How long the input thread waits before it looks whether it is still wanted.
const INPUT_WAIT: Duration = Duration::from_millis(100);

/// How long the end waits for the input thread. It may never come: where the terminal is gone, crossterm 0.29 reads it
/// in a loop that only a key would end (`event/source/unix/mio.rs`).
const INPUT_PATIENCE: Duration = INPUT_WAIT.saturating_mul(3);

/// Whether the terminal is taken over now. There is one terminal, so this is global.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// What other threads said as they panicked, kept until it can be read.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

type PanicHook = Arc<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// The terminal, taken over until dropped.
pub(super) struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<Stdout>>,
    panic_hook_before: PanicHook,
    mouse: bool,
    stop: Arc<AtomicBool>,
    signals: Handle,
    signal_thread: Option<JoinHandle<()>>,
    input_thread: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Takes the terminal over. Keys, the mouse, resizes and signals become messages.
    pub(super) fn enter(messages: Sender<Message>) -> Result<Terminal, Error> {
        if !stdin().is_terminal() || !stdout().is_terminal() {
            return Err(Error::NoTerminal);
        }
        let signals = Signals::new([SIGHUP, SIGINT, SIGTERM, SIGTSTP])?;
        let panic_hook_before = hook_panics();
        TAKEN.store(true, Ordering::SeqCst);
        // From here on the terminal is given back however this ends.
        let mut terminal = Terminal {
            inner: ratatui::Terminal::new(CrosstermBackend::new(stdout()))?,
            panic_hook_before,
            mouse: true,
            stop: Arc::default(),
            signals: signals.handle(),
            signal_thread: None,
            input_thread: None,
        };
        terminal.take()?;
        terminal.signal_thread = Some(watch_signals(signals, messages.clone())?);
        terminal.input_thread = Some(read_input(Arc::clone(&terminal.stop), messages)?);
        Ok(terminal)
    }

    fn take(&mut self) -> io::Result<()> {
        TAKEN.store(true, Ordering::SeqCst);
        terminal::enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        self.mouse(self.mouse)?;
        // Clears and draws anew, as `clear` does; that one fails on a terminal that does not tell where its cursor is.
        let (width, height) = self.size()?;
        self.inner.resize(Rect::new(0, 0, width, height))
    }

    /// Takes the mouse, or leaves it to the terminal.
    pub(super) fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        if on { execute!(stdout(), EnableMouseCapture) } else { execute!(stdout(), DisableMouseCapture) }
    }

    /// Gives the terminal back, stops as if nobody had caught the signal, and takes it again once the shell calls.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        restore();
        emulate_default_handler(SIGTSTP)?;
        self.take()
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.inner.size()?;
        Ok((size.width, size.height))
    }

    /// Draws a frame.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.inner.draw(draw).map(|_| ())
    }

    /// Puts a text into the terminal's clipboard (OSC 52: through ssh too, if the terminal allows it).
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(stdout(), CopyToClipboard::to_clipboard_from(text))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.signals.close();
        // A thread that panicked has said so; there is nothing to add.
        if let Some(thread) = self.signal_thread.take() {
            let _ = thread.join();
        }
        let deadline = Instant::now() + INPUT_PATIENCE;
        if let Some(thread) = self.input_thread.take() {
            while !thread.is_finished() && Instant::now() < deadline {
                thread::sleep(INPUT_WAIT / 20);
            }
        }
        restore();
        if !thread::panicking() {
            let before = Arc::clone(&self.panic_hook_before);
            panic::set_hook(Box::new(move |info| before(info)));
        }
        for said in PANICS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = writeln!(io::stderr(), "{said}");
        }
    }
}

/// Gives the terminal back, once; every step is tried even if one before it fails.
fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = stdout();
        let _ = execute!(out, DisableBracketedPaste);
        let _ = execute!(out, DisableMouseCapture);
        let _ = execute!(out, LeaveAlternateScreen);
        let _ = execute!(out, cursor::Show);
        let _ = terminal::disable_raw_mode();
    }
}

/// A panic of this thread gives the terminal back before it is told. A panic of another thread leaves
/// the screen as it is and is told afterwards. Returns the hook that was there before.
fn hook_panics() -> PanicHook {
    let before: PanicHook = Arc::from(panic::take_hook());
    let (own, inner) = (thread::current().id(), Arc::clone(&before));
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == own || !TAKEN.load(Ordering::SeqCst) {
            restore();
            inner(info);
        } else {
            PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(info.to_string());
        }
    }));
    before
}

fn watch_signals(mut signals: Signals, messages: Sender<Message>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("tui-signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let message = if signal == SIGTSTP { Message::Stop } else { Message::Leave };
            if messages.send(message).is_err() {
                return;
            }
        }
    })
}

fn read_input(stop: Arc<AtomicBool>, messages: Sender<Message>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("tui-input".to_owned()).spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let message = match event::poll(INPUT_WAIT) {
                Ok(false) => None,
                Ok(true) => event::read().map_or(Some(Message::Leave), message_of),
                Err(_) => Some(Message::Leave), // the terminal went away
            };
            let leave = matches!(message, Some(Message::Leave));
            if message.is_some_and(|message| messages.send(message).is_err()) || leave {
                return;
            }
        }
    })
}

/// What an event of the terminal means to the state; `None` if nothing.
fn message_of(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) => Key::from_event(key).map(Message::Key),
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(columns, rows) => Some(Message::Resize(columns, rows)),
        Event::Mouse(mouse) => {
            let what = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => Mouse::Click,
                MouseEventKind::ScrollUp => Mouse::WheelUp,
                MouseEventKind::ScrollDown => Mouse::WheelDown,
                _ => return None,
            };
            Some(Message::Mouse(what, mouse.column, mouse.row))
        }
        Event::FocusGained | Event::FocusLost => None,
    }
}
