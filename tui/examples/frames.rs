//! How long a frame takes, and what a key sends to the terminal, on a timeline of 100,000 events and a trace of 50,000
//! spans: `cargo run --release -p backstory-tui --example frames`. The figures are in `docs/performance.md`.

#[path = "../tests/canned/mod.rs"]
mod canned;

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::KeyCode;
use query::archive::{Effort, Window};
use query::interface::{Query, TimelineRequest};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use timeline::document::SearchRecord;
use timeline::id::{SpanId, TraceId};
use tui::keys::Key;
use tui::message::{Answer, Effect, Message, Question};
use tui::state::{Settings, State};
use tui::told::Told;
use tui::update::update;
use tui::view;
use tui::waterfall::Waterfall;

const SIZE: (u16, u16) = (120, 40);
const EVENTS: usize = 100_000;
const SPANS: u64 = 50_000;

/// Counts what would go to the terminal.
struct Counted(Rc<Cell<usize>>);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Screen {
    state: State,
    terminal: Terminal<CrosstermBackend<Counted>>,
    sent: Rc<Cell<usize>>,
}

impl Screen {
    fn new() -> io::Result<Screen> {
        let sent = Rc::new(Cell::new(0));
        let viewport = Viewport::Fixed(Rect::new(0, 0, SIZE.0, SIZE.1));
        let backend = CrosstermBackend::new(Counted(Rc::clone(&sent)));
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
        let mut state = State::new(Settings::default(), SIZE, canned::at(0.0));
        let store = canned::Canned::new(0, false);
        let request = TimelineRequest {
            entity: "order/huge".to_owned(),
            window: Window::default(),
            events_max: EVENTS,
            brief: false,
        };
        let told = store.timeline(&request, &Effort::new(u64::MAX)).expect("a timeline");
        let told = Arc::new(Told::new(told));
        let effects = state.open_timeline("order/huge");
        answer(&mut state, effects, &told);
        Ok(Screen { state, terminal, sent })
    }

    /// Presses a key and draws; how long both took and how many bytes they sent.
    fn press(&mut self, key: Key) -> io::Result<(Duration, usize)> {
        let begun = Instant::now();
        let effects = update(&mut self.state, Message::Key(key));
        let before = self.sent.get();
        self.terminal.draw(|frame| view::draw(&self.state, frame))?;
        let taken = (begun.elapsed(), self.sent.get() - before);
        if !effects.is_empty() {
            let told = Arc::new(Told::new(canned::large(2, 1)));
            answer(&mut self.state, effects, &told);
            self.terminal.draw(|frame| view::draw(&self.state, frame))?;
        }
        Ok(taken)
    }

    fn measure(&mut self, what: &str, keys: &[Key], times: usize) -> io::Result<()> {
        let mut taken = Vec::new();
        for key in keys.iter().cycle().take(keys.len() * times) {
            taken.push(self.press(*key)?);
        }
        let mut frames: Vec<Duration> = taken.iter().map(|(frame, _)| *frame).collect();
        let mut bytes: Vec<usize> = taken.iter().map(|(_, bytes)| *bytes).collect();
        frames.sort_unstable();
        bytes.sort_unstable();
        let at = |share: usize| (taken.len() * share / 100).min(taken.len() - 1);
        println!(
            "{what:<34} {:>5} keys  frame p50 {:>8.2?} p99 {:>8.2?} max {:>8.2?}  bytes p50 {:>5} p99 {:>5}",
            taken.len(),
            frames[at(50)],
            frames[at(99)],
            frames[taken.len() - 1],
            bytes[at(50)],
            bytes[at(99)],
        );
        Ok(())
    }
}

fn answer(state: &mut State, effects: Vec<Effect>, told: &Arc<Told>) {
    for effect in effects {
        let Effect::Ask { number, question } = effect else { continue };
        let slot = question.slot();
        let answer = match question {
            Question::Timeline(_) => Answer::Timeline(Arc::clone(told)),
            Question::Trace { trace, corrections } => {
                let whole = canned::Canned::whole(SPANS, SPANS);
                Answer::Trace(Arc::new(Waterfall::new(trace, spans(trace), SPANS, whole, &corrections)))
            }
            _ => continue,
        };
        update(state, Message::Answer { slot, number, answer: Ok(answer) });
    }
}

/// A trace of many spans: each calls ten.
fn spans(trace: TraceId) -> Vec<SearchRecord> {
    let id = |number: u64| SpanId((number + 1).to_be_bytes());
    let span = |number: u64| SearchRecord {
        kind: "span".to_owned(),
        trace_id: Some(trace),
        span_id: Some(id(number)),
        parent_span_id: (number > 0).then(|| id((number - 1) / 10)),
        name: format!("step {number}"),
        body: None,
        start: Some(canned::at(number as f64)),
        end: Some(canned::at(number as f64 * 10.0 + 20.0)),
        time: canned::at(number as f64),
        ..canned::record(number)
    };
    (0..SPANS).map(span).collect()
}

fn main() -> io::Result<()> {
    let (down, page, up) = (Key::char('j'), Key::plain(KeyCode::PageDown), Key::char('k'));
    let mut screen = Screen::new()?;
    println!("a timeline of {EVENTS} events, {}×{}", SIZE.0, SIZE.1);
    screen.measure("scroll by lines", &[down], 2_000)?;
    screen.measure("scroll by pages", &[page], 500)?;
    screen.measure("zoom", &[Key::char('z')], 100)?;
    screen.measure("jump to causes and effects", &[Key::char('b'), Key::char('d'), Key::char('p')], 100)?;
    screen.press(Key::char('/'))?;
    screen.measure(
        "filter as it is typed",
        &["step 9".chars().map(Key::char).collect(), vec![Key::ctrl('u')]].concat(),
        20,
    )?;
    screen.press(Key::plain(KeyCode::Esc))?;
    screen.press(Key::char('t'))?;
    println!("a trace of {SPANS} spans");
    screen.measure("scroll by lines", &[down, down, up], 700)?;
    screen.measure("scroll by pages", &[page], 500)?;
    screen.measure("walk the critical path", &[Key::char('c')], 50)?;
    screen.measure("shorter and longer times", &[Key::char('+'), Key::char('-')], 100)?;
    screen.measure("fold and unfold", &[Key::char(' ')], 100)?;
    screen.press(Key::char('/'))?;
    screen.measure(
        "find as it is typed",
        &["step 9".chars().map(Key::char).collect(), vec![Key::ctrl('u')]].concat(),
        20,
    )
}
