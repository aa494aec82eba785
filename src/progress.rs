//! Progress bars on long work, where standard error is a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar's resolution.
const STEPS: u64 = 1_000;

/// How far a long piece of work has come.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar that says `what` is done; invisible where nobody looks.
    pub(crate) fn new(what: &'static str) -> Progress {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(STEPS), target).with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} % {eta}") {
            bar.set_style(style);
        }
        Progress(bar)
    }

    /// The share done, from 0 to 1.
    pub(crate) fn set(&self, share: f64) {
        self.0.set_position((share.clamp(0.0, 1.0) * STEPS as f64) as u64);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
