//! Lines of text in roles, before anything is known of colours or the terminal.

use timeline::id::EventId;

use crate::text;
use crate::theme::Role;

/// A line of text, its pieces in roles, and where `enter` on it leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextLine {
    /// The pieces; sanitised.
    pub pieces: Vec<(Role, String)>,
    /// The event that the line speaks of.
    pub target: Option<EventId>,
}

impl TextLine {
    /// A line of one piece.
    pub fn new(role: Role, text: impl AsRef<str>) -> TextLine {
        TextLine::default().and(role, text)
    }

    /// The line with one more piece.
    #[must_use]
    pub fn and(mut self, role: Role, text: impl AsRef<str>) -> TextLine {
        self.pieces.push((role, text::sanitise(text.as_ref()).into_owned()));
        self
    }

    /// The line that leads to an event.
    #[must_use]
    pub fn to(mut self, target: EventId) -> TextLine {
        self.target = Some(target);
        self
    }

    /// Its text without roles.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// Lines in the making, for a pane of a certain width.
#[derive(Debug)]
pub struct Page {
    width: usize,
    lines: Vec<TextLine>,
}

impl Page {
    /// An empty page of `width` cells.
    pub fn new(width: usize) -> Page {
        Page { width, lines: Vec::new() }
    }

    /// A line; what does not fit is cut when it is drawn.
    pub fn line(&mut self, line: TextLine) {
        self.lines.push(line);
    }

    /// An empty line, then a heading.
    pub fn heading(&mut self, heading: &str) {
        if !self.lines.is_empty() {
            self.lines.push(TextLine::default());
        }
        self.lines.push(TextLine::new(Role::Heading, heading));
    }

    /// Text in as many lines as it needs, the first after `label`, the others below its beginning.
    pub fn labelled(&mut self, label: &str, role: Role, content: &str) {
        let content = text::sanitise(content);
        let label_width = text::width(label);
        // A label that leaves too little room stands alone, its text indented below.
        let alone = label_width > 0
            && self.width < label_width + 16
            && text::width(&content) + label_width > self.width;
        let indent = if alone { 2 } else { label_width };
        let mut label = Some(label);
        if alone {
            self.lines.push(TextLine::new(Role::Dim, label.take().unwrap_or_default()));
        }
        for part in text::wrap(&content, self.width.saturating_sub(indent)) {
            let head = label.take().map_or_else(|| " ".repeat(indent), str::to_owned);
            self.lines.push(TextLine::new(Role::Dim, head).and(role, part));
        }
    }

    /// Text in as many lines as it needs.
    pub fn paragraph(&mut self, role: Role, content: &str) {
        self.labelled("", role, content);
    }

    /// Keys and values, sorted by key.
    pub fn attributes(&mut self, attributes: &serde_json::Map<String, serde_json::Value>) {
        for (key, value) in attributes {
            self.labelled(&format!("  {}  ", text::sanitise(key)), Role::Text, &text::value(value));
        }
    }

    /// The lines.
    pub fn into_lines(self) -> Vec<TextLine> {
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_stay_beside_their_label() {
        let mut page = Page::new(24);
        page.labelled("  key  ", Role::Text, "one two three four five");
        let lines: Vec<String> = page.into_lines().iter().map(TextLine::text).collect();
        assert_eq!(lines, ["  key  one two three", "       four five"]);
    }

    #[test]
    fn a_long_label_stands_alone() {
        let mut page = Page::new(24);
        page.labelled("  http.request.header  ", Role::Text, "a\u{7}b");
        let lines: Vec<String> = page.into_lines().iter().map(TextLine::text).collect();
        assert_eq!(lines, ["  http.request.header  ", "  a b"]);
    }
}
