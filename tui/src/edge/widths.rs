//! Whether this terminal draws the screen's glyphs in one cell each, and knows UTF-8 at all.

use std::io::{Write, stdout};

use crossterm::cursor::{MoveTo, position};
use crossterm::style::Print;
use crossterm::terminal::{Clear, ClearType};
use crossterm::{execute, queue};

/// Glyphs that some terminals draw in two cells.
const AMBIGUOUS: &str = "◆◇●╳≈▶⚠";

/// Whether the glyphs can be trusted. Asks the terminal: it prints them and looks where the cursor went.
/// Where the terminal does not answer, the environment decides alone.
pub(super) fn are_trusted() -> bool {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable);
    says_utf8(&locale, &variable("TERM")) && measured().is_none_or(|cells| cells == AMBIGUOUS.chars().count())
}

/// Whether locale and terminal speak UTF-8. An unset locale is no word against it: containers have none.
fn says_utf8(locale: &[String], terminal: &str) -> bool {
    let said = locale.iter().find(|value| !value.is_empty()).map(|value| value.to_ascii_lowercase());
    let utf8 = said.is_none_or(|value| value.contains("utf-8") || value.contains("utf8"));
    // The Linux console and the VT family have neither the glyphs nor the widths.
    utf8 && !(terminal == "linux" || terminal == "dumb" || terminal.starts_with("vt"))
}

/// How many cells the terminal moved for the glyphs; `None` if it does not say.
fn measured() -> Option<usize> {
    let mut out = stdout();
    queue!(out, MoveTo(0, 0), Print(AMBIGUOUS)).ok()?;
    out.flush().ok()?;
    let (column, row) = position().ok()?;
    execute!(out, MoveTo(0, 0), Clear(ClearType::All)).ok()?;
    (row == 0).then_some(usize::from(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_that_is_set_decides() {
        let locale = |values: [&str; 3]| values.map(str::to_owned);
        let says = |values, terminal| says_utf8(&locale(values), terminal);
        assert!(says(["", "", "en_GB.UTF-8"], "xterm-256color"));
        assert!(says(["", "", ""], "xterm"), "unset says nothing");
        assert!(says(["C.utf8", "", "POSIX"], "tmux"));
        assert!(!says(["C", "", "en_GB.UTF-8"], "xterm"), "LC_ALL overrides");
        assert!(!says(["", "", "de_DE.ISO-8859-1"], "xterm"));
        assert!(!says(["", "", "en_GB.UTF-8"], "linux") && !says(["", "", ""], "vt100"));
    }
}
