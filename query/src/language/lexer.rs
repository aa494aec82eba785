//! Where a term begins and ends.

use super::ParseError;

/// One piece of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    /// A `-` right before what it excludes, or `NOT`.
    Not,
    And,
    Or,
    Term(Term),
    End,
}

/// A word, or a key with an operator and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) head: Text,
    pub(super) rest: Option<(Operator, Text)>,
    /// The byte behind its last.
    pub(super) end: usize,
}

/// A text of the query, with its quotes taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// The byte at which it begins, quotes included.
    pub(super) at: usize,
    pub(super) text: String,
    pub(super) quoted: bool,
    /// Whether a `*` follows right behind the closing quote.
    pub(super) starred: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Colon,
    Equals,
    EqualNumber,
    NotEquals,
    Like,
    NotLike,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// Longest first, so that `>=` is not taken for `>`.
const OPERATORS: [(&str, Operator); 10] = [
    ("==", Operator::EqualNumber),
    ("!=", Operator::NotEquals),
    ("!~", Operator::NotLike),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    (":", Operator::Colon),
    ("=", Operator::Equals),
    ("~", Operator::Like),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Operator {
    pub(super) fn as_str(self) -> &'static str {
        OPERATORS.iter().find(|(_, operator)| *operator == self).map_or("", |(text, _)| text)
    }
}

/// Cuts a query into tokens.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, at: 0 }
    }

    /// The next token and the byte at which it begins.
    pub(super) fn next(&mut self) -> Result<(usize, Token), ParseError> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        let at = self.at;
        let token = match self.peek() {
            None => Token::End,
            Some('(') => self.skip(Token::Open),
            Some(')') => self.skip(Token::Close),
            Some('-') => self.minus()?,
            Some(_) => self.term()?,
        };
        Ok((at, token))
    }

    fn minus(&mut self) -> Result<Token, ParseError> {
        let at = self.at;
        let token = self.skip(Token::Not);
        match self.peek() {
            Some(c) if !c.is_whitespace() && c != ')' => Ok(token),
            _ => Err(ParseError::new(at, "a - stands right before what it excludes: -status:error")),
        }
    }

    fn term(&mut self) -> Result<Token, ParseError> {
        let head = if self.peek() == Some('"') { self.quoted()? } else { self.bare_head() };
        let found = OPERATORS.iter().find(|(text, _)| self.rest().starts_with(text));
        let Some((text, operator)) = found else {
            return Ok(match (head.quoted, head.text.as_str()) {
                (false, "OR") => Token::Or,
                (false, "AND") => Token::And,
                (false, "NOT") => Token::Not,
                _ => Token::Term(Term { head, rest: None, end: self.at }),
            });
        };
        if head.text.is_empty() {
            let message = format!("a field or an attribute's key is missing before {text}");
            return Err(ParseError::new(head.at, message));
        }
        self.at += text.len();
        let value = self.value()?;
        if value.text.is_empty() && !value.quoted {
            let message = format!("what follows {}{text} is missing; the empty text is \"\"", head.text);
            return Err(ParseError::new(value.at, message));
        }
        Ok(Token::Term(Term { head, rest: Some((*operator, value)), end: self.at }))
    }

    /// A word or key: up to a space, a parenthesis, a quote or an operator.
    fn bare_head(&mut self) -> Text {
        let rest = self.rest();
        let ends = |(at, c): &(usize, char)| {
            let c = *c;
            let negated = || rest.get(at + 1..).is_some_and(|next| next.starts_with(['=', '~']));
            c.is_whitespace() || "()\":=~<>".contains(c) || (c == '!' && negated())
        };
        let length = rest.char_indices().find(ends).map_or(rest.len(), |(at, _)| at);
        self.take(length)
    }

    fn value(&mut self) -> Result<Text, ParseError> {
        if self.peek() != Some('"') {
            return Ok(self.bare_value());
        }
        let value = self.quoted()?;
        match self.peek() {
            Some(c) if !c.is_whitespace() && c != ')' && c != '(' => {
                Err(ParseError::new(self.at, "a space is missing behind the closing quote"))
            }
            _ => Ok(value),
        }
    }

    /// A value without quotes: up to a space, or a parenthesis that it did not open itself. A backslash
    /// takes the next character along.
    fn bare_value(&mut self) -> Text {
        let rest = self.rest();
        let (mut depth, mut escaped) = (0usize, false);
        let ends = |(_, c): &(usize, char)| {
            if c.is_whitespace() {
                return true;
            }
            if !std::mem::take(&mut escaped) {
                match c {
                    '\\' => escaped = true,
                    '(' => depth += 1,
                    ')' if depth == 0 => return true,
                    ')' => depth -= 1,
                    _ => {}
                }
            }
            false
        };
        let length = rest.char_indices().find(ends).map_or(rest.len(), |(at, _)| at);
        self.take(length)
    }

    /// A text in quotes, in which `\"` is a quote, `\\` a backslash, and any other backslash itself.
    fn quoted(&mut self) -> Result<Text, ParseError> {
        let at = self.at;
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1).peekable();
        while let Some((offset, c)) = characters.next() {
            match (c, characters.peek()) {
                ('"', after) => {
                    let starred = after.is_some_and(|(_, after)| *after == '*');
                    self.at += offset + 1 + usize::from(starred);
                    return Ok(Text { at, text, quoted: true, starred });
                }
                ('\\', Some((_, escaped @ ('"' | '\\')))) => {
                    text.push(*escaped);
                    characters.next();
                }
                _ => text.push(c),
            }
        }
        Err(ParseError::new(at, "this quote is not closed: put a \" at the text's end"))
    }

    fn take(&mut self, length: usize) -> Text {
        let at = self.at;
        let text = self.rest().get(..length).unwrap_or_default().to_owned();
        self.at += length;
        Text { at, text, quoted: false, starred: false }
    }

    fn skip(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
}
