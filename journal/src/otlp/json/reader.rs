//! JSON (RFC 8259) read in one pass, where the caller knows what to expect.
//!
//! Faults carry the byte and the path (`resourceSpans[0].scopeSpans[2].spans[7].kind`). Control
//! characters in texts are forgiven, as are surrogates without their other half.

use std::borrow::Cow;
use std::fmt;

use super::{Mended, number};
use crate::otlp::keys::Keys;

/// How deep objects and lists may nest: enough for every value that is not too deep by OTLP's limit,
/// and a bound on the stack.
const NESTING_MAX: u32 = 256;

/// What is wrong with a JSON text, and where.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) at: usize,
    what: String,
    /// The steps to the place, innermost first.
    path: Vec<String>,
}

impl Problem {
    fn under(mut self, step: String) -> Problem {
        self.path.push(step);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: String = self.path.iter().rev().map(String::as_str).collect();
        match path.strip_prefix('.') {
            Some(path) => write!(f, "{path}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// A position in a JSON text.
pub(super) struct Reader<'a> {
    body: &'a [u8],
    at: usize,
    nesting: u32,
    /// What was mended so far.
    pub(super) mended: Mended,
}

impl<'a> Reader<'a> {
    pub(super) fn new(body: &'a [u8]) -> Reader<'a> {
        let at = if body.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        Reader { body, at, nesting: 0, mended: Mended::default() }
    }

    pub(super) fn problem(&self, what: impl Into<String>) -> Problem {
        Problem { at: self.at, what: what.into(), path: Vec::new() }
    }

    /// The whole text: one object and nothing after it.
    pub(super) fn document<F>(&mut self, field: F) -> Result<(), Problem>
    where
        F: FnMut(&mut Self, &str) -> Result<(), Problem>,
    {
        if self.peek() != Some(b'{') {
            return Err(self.problem("a JSON object must begin here"));
        }
        self.object(field)?;
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.problem("something follows the JSON object")),
        }
    }

    /// An object: `field` reads the value of each key, given in camel case. `null` has no fields.
    pub(super) fn object<F>(&mut self, mut field: F) -> Result<(), Problem>
    where
        F: FnMut(&mut Self, &str) -> Result<(), Problem>,
    {
        let mut names = Keys::default();
        self.nested(b'{', b'}', "an object", |reader, _| {
            if reader.peek() != Some(b'"') {
                return Err(reader.problem("a name in quotes must stand here"));
            }
            let key = reader.text()?;
            let key = camel_case(&key);
            reader.mended.repeated_names += u32::from(names.repeats(&key));
            reader.expect(b':')?;
            field(reader, &key).map_err(|problem| problem.under(format!(".{}", excerpt(&key))))
        })
    }

    /// A list: `element` reads each element. `null` has none.
    pub(super) fn list<T, F>(&mut self, mut element: F) -> Result<Vec<T>, Problem>
    where
        F: FnMut(&mut Self) -> Result<T, Problem>,
    {
        let mut elements = Vec::new();
        self.nested(b'[', b']', "a list", |reader, number| {
            let element = element(reader).map_err(|problem| problem.under(format!("[{number}]")))?;
            elements.push(element);
            Ok(())
        })?;
        Ok(elements)
    }

    /// What lies between brackets, comma by comma.
    fn nested<F>(&mut self, open: u8, close: u8, what: &str, mut entry: F) -> Result<(), Problem>
    where
        F: FnMut(&mut Self, u32) -> Result<(), Problem>,
    {
        if self.null()? {
            return Ok(());
        }
        if self.peek() != Some(open) {
            return Err(self.problem(format!("{what} must stand here")));
        }
        self.at += 1;
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return Err(self.problem("it is nested deeper than 256"));
        }
        let mut number = 0;
        while self.peek() != Some(close) {
            if number > 0 {
                self.expect(b',')?;
            }
            entry(self, number)?;
            number += 1;
        }
        self.at += 1;
        self.nesting -= 1;
        Ok(())
    }

    /// A text; empty for `null`.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, Problem> {
        if self.null()? {
            return Ok(Cow::default());
        }
        self.expect(b'"')?;
        let rest = self.body.get(self.at..).unwrap_or_default();
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len());
        let (text, after) = rest.split_at(plain);
        if after.first() == Some(&b'"') {
            self.at += plain + 1;
            return Ok(self.unicode(text));
        }
        let mut text = text.to_vec();
        self.at += plain;
        self.escaped_text(&mut text)?;
        Ok(Cow::Owned(self.unicode(&text).into_owned()))
    }

    /// The rest of a text, from its first escape to behind its closing quote.
    fn escaped_text(&mut self, text: &mut Vec<u8>) -> Result<(), Problem> {
        loop {
            match self.take()? {
                b'"' => return Ok(()),
                b'\\' => {
                    let character = self.escape()?;
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                byte => text.push(byte),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Problem> {
        Ok(match self.take()? {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.code_unit()?;
                self.character(first)?
            }
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            _ => return Err(self.problem("a backslash and a character that it does not go with")),
        })
    }

    /// The character that begins with the UTF-16 code unit `first`.
    fn character(&mut self, first: u16) -> Result<char, Problem> {
        let here = self.at;
        let mut units = vec![first];
        let follows = self.body.get(here..).is_some_and(|rest| rest.starts_with(b"\\u"));
        if (0xd800..0xdc00).contains(&first) && follows {
            self.at += 2;
            units.push(self.code_unit()?);
        }
        let mut characters = char::decode_utf16(units);
        if let Some(Ok(character)) = characters.next() {
            return Ok(character);
        }
        // Half a pair: what follows is a character of its own.
        self.at = here;
        self.mended.invalid_texts += 1;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn code_unit(&mut self) -> Result<u16, Problem> {
        let digits = self.body.get(self.at..).and_then(|rest| rest.first_chunk::<4>());
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.problem("four hexadecimal digits must stand here"))?;
        self.at += 4;
        Ok(unit)
    }

    fn unicode<'b>(&mut self, bytes: &'b [u8]) -> Cow<'b, str> {
        let text = String::from_utf8_lossy(bytes);
        self.mended.invalid_texts += u32::from(matches!(text, Cow::Owned(_)));
        text
    }

    /// A number as it is written, in quotes or not; `None` for `null`.
    pub(super) fn number(&mut self) -> Result<Option<Cow<'a, str>>, Problem> {
        if self.null()? {
            return Ok(None);
        }
        if self.peek() == Some(b'"') {
            return self.text().map(Some);
        }
        let start = self.at;
        let rest = self.body.get(start..).unwrap_or_default();
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        let token = rest.get(..length).and_then(|token| std::str::from_utf8(token).ok());
        let token = token.filter(|token| number::double(token).is_some());
        let token = token.ok_or_else(|| self.problem("a number must stand here"))?;
        self.at += length;
        Ok(Some(Cow::Borrowed(token)))
    }

    /// A whole number within the range of `T`; its default for `null`.
    pub(super) fn integer<T: TryFrom<i128> + Default>(&mut self) -> Result<T, Problem> {
        let start = self.at;
        let Some(text) = self.number()? else {
            return Ok(T::default());
        };
        let number = number::whole(&text).and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| Problem {
            at: start,
            ..self.problem("a whole number in its range must stand here")
        })
    }

    /// `true` or `false`; `false` for `null`.
    pub(super) fn boolean(&mut self) -> Result<bool, Problem> {
        if self.null()? || self.word("false") {
            return Ok(false);
        }
        if self.word("true") { Ok(true) } else { Err(self.problem("true or false must stand here")) }
    }

    /// Passes over any value.
    pub(super) fn skip(&mut self) -> Result<(), Problem> {
        match self.peek() {
            Some(b'{') => self.object(|reader, _| reader.skip()),
            Some(b'[') => self.list(Reader::skip).map(drop),
            Some(b'"') => self.text().map(drop),
            Some(b't' | b'f' | b'n') => self.boolean().map(drop),
            _ => self.number().map(drop),
        }
    }

    /// Takes `null`, if that is what follows.
    pub(super) fn null(&mut self) -> Result<bool, Problem> {
        Ok(self.peek() == Some(b'n')
            && (self.word("null") || return Err(self.problem("a value must stand here"))))
    }

    fn word(&mut self, word: &str) -> bool {
        self.peek();
        let follows = self.body.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        self.at += if follows { word.len() } else { 0 };
        follows
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += space;
        rest.get(space).copied()
    }

    fn take(&mut self) -> Result<u8, Problem> {
        let byte = self.body.get(self.at).copied();
        let byte = byte.ok_or_else(|| self.problem("a text does not end"))?;
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Problem> {
        if self.peek() != Some(byte) {
            return Err(self.problem(format!("{:?} must stand here", char::from(byte))));
        }
        self.at += 1;
        Ok(())
    }
}

/// The key in camel case, as OTLP writes it: `trace_id` is `traceId`.
fn camel_case(key: &str) -> Cow<'_, str> {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default();
    if first.len() == key.len() {
        return Cow::Borrowed(key);
    }
    let mut camel = first.to_owned();
    for word in words {
        let mut characters = word.chars();
        camel.extend(characters.next().map(|character| character.to_ascii_uppercase()));
        camel.push_str(characters.as_str());
    }
    Cow::Owned(camel)
}

/// The beginning of a key that may be long, for a message.
fn excerpt(key: &str) -> String {
    key.chars().filter(|character| !character.is_control()).take(40).collect()
}
