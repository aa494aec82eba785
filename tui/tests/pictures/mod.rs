//! Pictures of real screens over the hand-made store, as SVG: what README and book show is what the program draws.

use std::sync::Arc;

use query::archive::Effort;
use query::interface::Query;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use tui::keys::Key;
use tui::message::{Answer, Effect, Message, Question};
use tui::state::{Settings, State};
use tui::theme::{Palette, Theme};
use tui::times::UTC;
use tui::told::Told;
use tui::update::update;
use tui::view;
use tui::waterfall::Waterfall;

use crate::canned::{self, Canned};

/// Pixels of a cell, and of the margin around the screen.
const CELL: (f32, f32) = (8.4, 18.0);
const MARGIN: f32 = 10.0;
const GROUND: &str = "#14181f";
const INK: &str = "#d8dee9";

/// Each picture's file name, and the picture.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    vec![("timeline.svg", svg(&screen("]]]]]]"))), ("trace.svg", svg(&screen("tccc")))]
}

/// The timeline of the canned incident after some keys, as a screen of 120×32.
fn screen(keys: &str) -> Buffer {
    let theme = Theme { palette: Palette::Dark, ascii: false };
    let settings = Settings { theme, zone: UTC, ..Settings::default() };
    let mut state = State::new(settings, (120, 32), canned::at(30_000.0));
    let effects = state.open_timeline("order/42");
    answer(&mut state, effects);
    for key in keys.chars() {
        let effects = update(&mut state, Message::Key(Key::char(key)));
        answer(&mut state, effects);
    }
    let mut terminal = Terminal::new(TestBackend::new(120, 32)).expect("a test terminal");
    terminal.draw(|frame| view::draw(&state, frame)).expect("a drawn frame");
    terminal.backend().buffer().clone()
}

fn answer(state: &mut State, effects: Vec<Effect>) {
    for effect in effects {
        let Effect::Ask { number, question } = effect else { continue };
        let slot = question.slot();
        let answer = match question {
            Question::Timeline(request) => {
                let told = Canned::new(0, false).timeline(&request, &Effort::new(1_000_000));
                Answer::Timeline(Arc::new(Told::new(told.expect("a timeline"))))
            }
            Question::Trace { trace, corrections } => {
                let records = canned::trace_records(trace);
                let total = records.len() as u64;
                let whole = Canned::whole(total, total);
                Answer::Trace(Arc::new(Waterfall::new(trace, records, total, whole, &corrections)))
            }
            _ => continue,
        };
        update(state, Message::Answer { slot, number, answer: Ok(answer) });
    }
}

/// A screen as SVG: one text a run of cells that look alike, held to the width of its cells.
fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (f32::from(buffer.area.width), f32::from(buffer.area.height));
    let (width, height) = (columns * CELL.0 + 2.0 * MARGIN, rows * CELL.1 + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n"
    );
    for y in 0..buffer.area.height {
        let cells: Vec<&Cell> = (0..buffer.area.width).map(|x| &buffer[(x, y)]).collect();
        let mut x = 0;
        for run in cells.chunk_by(|a, b| a.style() == b.style()) {
            svg.push_str(&run_of(run, x, y));
            x += run.len();
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn run_of(run: &[&Cell], x: usize, y: u16) -> String {
    let text: String = run.iter().map(|cell| cell.symbol()).collect();
    let style = run[0].style();
    let reversed = style.add_modifier.contains(Modifier::REVERSED);
    if text.trim().is_empty() && !reversed {
        return String::new();
    }
    let (left, top) = (x as f32 * CELL.0 + MARGIN, f32::from(y) * CELL.1 + MARGIN);
    let width = run.len() as f32 * CELL.0;
    let ink = match style.fg {
        Some(Color::Rgb(r, g, b)) => format!("#{r:02x}{g:02x}{b:02x}"),
        _ => INK.to_owned(),
    };
    let (ground, ink) = if reversed { (Some(ink), GROUND.to_owned()) } else { (None, ink) };
    let ground = ground.map_or_else(String::new, |ground| {
        format!(
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{}\" fill=\"{ground}\"/>",
            CELL.1
        )
    });
    let bold = if style.add_modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let dim = if style.add_modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "{ground}<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" xml:space=\"preserve\" fill=\"{ink}\"{bold}{dim}>{escaped}</text>\n",
        top + 13.5
    )
}
