//! A statement with its values cut out: what is left is the same for every execution, so it is parsed once.
//!
//! Literals, `?`, `$1`, `%s`, `%(name)s`, `:name` and `@name` all become `:b0`, `:b1` … in the order in which
//! they stand; what they were is kept beside the text. Comments go, white space becomes single spaces.

use super::Flavour;
use crate::value::Value;

/// A statement without its values.
#[derive(Debug, Default)]
pub(super) struct Normal {
    /// The statement, each value a parameter.
    pub(super) text: String,
    /// The values, in the order in which they stand.
    pub(super) bound: Vec<Bound>,
}

/// What stood at the place of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bound {
    /// A literal.
    Literal(Value),
    /// A parameter: its name, or its number from 0.
    Parameter(String),
    /// Something that a sanitiser left out.
    Hidden,
}

/// Behind these words a number is part of the grammar, not a value.
const BEFORE_SIZES: &[&str] = &[
    "top",
    "varchar",
    "nvarchar",
    "char",
    "nchar",
    "character",
    "varying",
    "decimal",
    "numeric",
    "number",
    "varbinary",
    "binary",
    "datetime2",
    "timestamp",
    "float",
];

/// Behind these words a text is a typed literal.
const BEFORE_TYPED_TEXTS: &[&str] = &["date", "time", "timestamp", "timestamptz", "datetime", "interval"];

/// Cuts the values out of `statement`.
pub(super) fn normal(statement: &str, flavour: Flavour) -> Normal {
    let mut scan = Scan { rest: statement, flavour, out: Normal::default(), word: String::new(), unnamed: 0 };
    scan.out.text.reserve(statement.len());
    while let Some(first) = scan.rest.chars().next() {
        scan.step(first);
    }
    scan.out
}

struct Scan<'a> {
    rest: &'a str,
    flavour: Flavour,
    out: Normal,
    /// The last word, in lower case.
    word: String,
    /// How many parameters without a name or number there were.
    unnamed: usize,
}

impl<'a> Scan<'a> {
    fn step(&mut self, first: char) {
        match first {
            '\'' => self.text('\''),
            '"' if self.flavour == Flavour::MySql => self.text('"'),
            '"' => self.copy_quoted('"'),
            '`' => self.copy_quoted('`'),
            '[' if self.flavour == Flavour::MsSql => self.copy_quoted(']'),
            '-' if self.rest.starts_with("--") => self.skip_past("\n"),
            '/' if self.rest.starts_with("/*") => self.skip_past("*/"),
            '$' => self.dollar(),
            '?' => self.question_mark(),
            '%' => self.percent(),
            ':' | '@' => self.named(first),
            '.' if self.rest.starts_with("...") => {
                self.take(3);
                self.bind(Bound::Hidden);
            }
            c if c.is_ascii_digit() => self.number(),
            c if c.is_alphabetic() || c == '_' => self.copy_word(),
            c if c.is_whitespace() => {
                self.take(c.len_utf8());
                if !self.out.text.ends_with(' ') {
                    self.out.text.push(' ');
                }
            }
            c => self.copy(c.len_utf8()),
        }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn copy(&mut self, bytes: usize) {
        let taken = self.take(bytes);
        self.out.text.push_str(taken);
    }

    /// How many bytes from `from` on are `accept`ed.
    fn run(&self, from: usize, accept: fn(char) -> bool) -> usize {
        let tail = self.rest.get(from..).unwrap_or("");
        from + tail.find(|c: char| !accept(c)).unwrap_or(tail.len())
    }

    fn bind(&mut self, bound: Bound) {
        use std::fmt::Write as _;
        let number = self.out.bound.len();
        let _ = write!(self.out.text, ":b{number}"); // writing to a String cannot fail
        self.out.bound.push(bound);
        self.word.clear();
    }

    fn bind_unnamed(&mut self) {
        self.unnamed += 1;
        self.bind(Bound::Parameter((self.unnamed - 1).to_string()));
    }

    fn skip_past(&mut self, end: &str) {
        let length = self.rest.find(end).map_or(self.rest.len(), |at| at + end.len());
        self.take(length);
        if !self.out.text.ends_with(' ') {
            self.out.text.push(' ');
        }
    }

    fn copy_quoted(&mut self, end: char) {
        let length = self.rest.get(1..).and_then(|rest| rest.find(end)).map_or(self.rest.len(), |at| at + 2);
        self.copy(length);
        self.word.clear();
    }

    fn copy_word(&mut self) {
        let length = self.run(0, |c| c.is_alphanumeric() || c == '_' || c == '$' || c == '#');
        let word = self.take(length);
        self.out.text.push_str(word);
        self.word.clear();
        self.word.extend(word.chars().map(|c| c.to_ascii_lowercase()));
    }

    fn text(&mut self, quote: char) {
        let escaped = self.flavour == Flavour::MySql || self.prefixed("e");
        let (length, text) = quoted(self.rest, quote, escaped);
        if BEFORE_TYPED_TEXTS.contains(&self.word.as_str()) && self.out.text.ends_with([' ', '(']) {
            return self.copy(length);
        }
        for prefix in ["e", "n"] {
            if self.prefixed(prefix) {
                self.out.text.pop();
            }
        }
        self.take(length);
        self.bind(text.map_or(Bound::Hidden, |text| Bound::Literal(Value::Text(text))));
    }

    /// Whether the one-letter word `prefix` stands right before the text, as in `E'a\n'`.
    fn prefixed(&self, prefix: &str) -> bool {
        self.word == prefix && self.out.text.ends_with(char::is_alphabetic)
    }

    fn number(&mut self) {
        let length = self.run(0, |c| c.is_ascii_alphanumeric() || c == '.');
        if BEFORE_SIZES.contains(&self.word.as_str()) {
            return self.copy(length);
        }
        let text = self.take(length);
        let value = text.parse().map(Value::Int).or_else(|_| text.parse().map(Value::Double));
        self.bind(Bound::Literal(value.unwrap_or_else(|_| Value::from(text))));
    }

    fn dollar(&mut self) {
        let length = self.run(1, |c| c.is_alphanumeric() || c == '_');
        let name = self.rest.get(1..length).unwrap_or("");
        if self.rest.get(length..).is_some_and(|rest| rest.starts_with('$')) {
            let tag = self.take(length + 1);
            let end = self.rest.find(tag).unwrap_or(self.rest.len());
            let text = self.take(end).to_owned();
            self.take(tag.len());
            return self.bind(Bound::Literal(Value::Text(text)));
        }
        let bound = Bound::Parameter(from_one(name));
        if name.is_empty() {
            return self.copy(1);
        }
        self.take(length);
        self.bind(bound);
    }

    fn question_mark(&mut self) {
        if self.rest.starts_with("?|") || self.rest.starts_with("?&") {
            return self.copy(2); // operators of PostgreSQL on JSON
        }
        let length = self.run(1, |c| c.is_ascii_digit());
        let number = self.take(length).get(1..).unwrap_or("");
        if number.is_empty() { self.bind_unnamed() } else { self.bind(Bound::Parameter(from_one(number))) }
    }

    fn percent(&mut self) {
        if self.rest.starts_with("%s") {
            self.take(2);
            return self.bind_unnamed();
        }
        match self.rest.strip_prefix("%(").and_then(|rest| rest.find(")s")) {
            Some(length) => {
                let name = self.take(length + 4).get(2..length + 2).unwrap_or("").to_owned();
                self.bind(Bound::Parameter(name));
            }
            None => self.copy(1),
        }
    }

    /// `:name`, `:1`, `@name`; but not `::type`, `:=`, `@@rowcount`, `@>`.
    fn named(&mut self, sign: char) {
        let doubled = self.rest.chars().nth(1) == Some(sign);
        let length = self.run(1, |c| c.is_alphanumeric() || c == '_');
        if doubled || length == 1 {
            return self.copy(if doubled { 2 } else { 1 });
        }
        let name = self.take(length).get(1..).unwrap_or("");
        let name = if sign == ':' { from_one(name) } else { name.to_owned() };
        self.bind(Bound::Parameter(name));
    }
}

/// Parameters are numbered from 1 in statements and from 0 in telemetry.
fn from_one(name: &str) -> String {
    name.parse::<usize>().map_or_else(|_| name.to_owned(), |number| number.saturating_sub(1).to_string())
}

/// The length of the quoted text at the beginning of `rest`, its quotes included, and what it says; `None` where it
/// was cut, or spells characters by number.
fn quoted(rest: &str, quote: char, escaped: bool) -> (usize, Option<String>) {
    let mut text = String::new();
    let mut plain = true;
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        if char == quote {
            if chars.peek().is_none_or(|(_, next)| *next != quote) {
                return (at + quote.len_utf8(), plain.then_some(text));
            }
            chars.next();
            text.push(quote);
        } else if char == '\\' && escaped {
            if let Some((_, next)) = chars.next() {
                plain &= !next.is_alphanumeric() || matches!(next, 'n' | 't' | 'r');
                text.push(match next {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    other => other,
                });
            }
        } else {
            text.push(char);
        }
    }
    (rest.len(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(statement: &str) -> (String, Vec<Bound>) {
        let normal = normal(statement, Flavour::PostgreSql);
        (normal.text, normal.bound)
    }

    #[test]
    fn values_and_parameters_are_numbered_as_they_stand() {
        let (text, bound) = cut("UPDATE t1 SET a = 'it''s',  b=-2, c = $3 /* note */ WHERE id = %(id)s");
        assert_eq!(text, "UPDATE t1 SET a = :b0, b=-:b1, c = :b2 WHERE id = :b3");
        let literal = |value| Bound::Literal(value);
        let parameter = |name: &str| Bound::Parameter(name.to_owned());
        assert_eq!(bound, [literal("it's".into()), literal(2.into()), parameter("2"), parameter("id")]);
    }

    #[test]
    fn what_is_no_value_stays() {
        let same = ["a::text", "\"Order 1\".x", "x @> y", "CAST(a AS VARCHAR(20))", "d > DATE '2026-01-01'"];
        for text in same {
            assert_eq!(cut(text), (text.to_owned(), vec![]));
        }
        assert_eq!(normal("[Order 1].[a b]", Flavour::MsSql).text, "[Order 1].[a b]");
        assert_eq!(normal("a = \"x\"", Flavour::MySql).bound, [Bound::Literal("x".into())]);
    }
}
