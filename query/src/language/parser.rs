//! How terms combine.

use std::ops::Range;

use chrono::FixedOffset;

use super::ParseError;
use super::lexer::{Lexer, Term, Token};
use super::print::with_window;
use super::terms::{self, Meaning};
use super::times::{Now, Zone};
use crate::archive::Window;
use crate::predicate::Predicate;

/// Parentheses and exclusions deeper than this are refused, so that no text exhausts the stack.
const DEPTH_MAX: usize = 64;

/// What `text` asks: the records, and the stretch of their own times. Times in it are relative to `now`.
pub fn parse(text: &str, now: impl Into<Now>) -> Result<(Predicate, Window), ParseError> {
    let mut parser = Parser::new(text, now.into())?;
    let predicate = parser.whole()?;
    Ok((predicate, parser.window))
}

/// The same query with its times written out, so that it asks for the same wherever and whenever it is read.
pub fn pinned(text: &str, now: impl Into<Now>) -> Result<String, ParseError> {
    let mut parser = Parser::new(text, now.into())?;
    parser.whole()?;
    let mut pinned = String::new();
    let mut copied = 0;
    for range in &parser.times {
        pinned.push_str(text.get(copied..range.start).unwrap_or_default());
        pinned.push('*'); // an AND may need something beside it
        copied = range.end;
    }
    pinned.push_str(text.get(copied..).unwrap_or_default());
    Ok(with_window(pinned, parser.window))
}

/// Whether a time in `text` was read in the zone of asking, since it names none: then the zone is worth telling.
pub fn assumes_zone(text: &str, now: impl Into<Now>) -> bool {
    let time = now.into().time;
    let window = |hours: i32| {
        let zone = FixedOffset::east_opt(hours * 3600).map_or(Zone::Utc, Zone::Fixed);
        parse(text, Now { time, zone }).map(|(_, window)| window)
    };
    window(0) != window(9)
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// Where `token` begins.
    at: usize,
    /// The next token, not yet taken.
    token: Token,
    now: Now,
    window: Window,
    /// Where in the text the time ranges stand.
    times: Vec<Range<usize>>,
}

#[derive(Clone, Copy)]
struct Level {
    depth: usize,
    /// Whether a time range may stand here: it holds for the whole query.
    top: bool,
}

impl Level {
    fn inside(self) -> Level {
        Level { depth: self.depth + 1, top: false }
    }
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, now: Now) -> Result<Parser<'a>, ParseError> {
        let mut lexer = Lexer::new(text);
        let (at, token) = lexer.next()?;
        Ok(Parser { lexer, at, token, now, window: Window::default(), times: Vec::new() })
    }

    fn whole(&mut self) -> Result<Predicate, ParseError> {
        let predicate = self.any(Level { depth: 0, top: true })?;
        match self.token {
            Token::End => Ok(predicate),
            _ => Err(ParseError::new(self.at, "this ) closes nothing: leave it out, or put a ( before")),
        }
    }

    fn any(&mut self, level: Level) -> Result<Predicate, ParseError> {
        let times_before = self.times.len();
        let mut found = vec![self.all(level)?];
        while self.token == Token::Or {
            if self.times.len() != times_before {
                return Err(ParseError::new(self.at, RANGE_INSIDE));
            }
            self.operand("OR")?;
            found.push(self.all(level.inside())?);
        }
        Ok(single_or(found, Predicate::Any))
    }

    fn all(&mut self, level: Level) -> Result<Predicate, ParseError> {
        let mut found = Vec::new();
        let mut range_only = false;
        loop {
            match &self.token {
                Token::End | Token::Close | Token::Or => break,
                Token::And if found.is_empty() && !range_only => {
                    return Err(ParseError::new(self.at, "something is missing before AND"));
                }
                Token::And => self.operand("AND")?,
                _ => {}
            }
            match self.not(level)? {
                Some(predicate) => found.push(predicate),
                None => range_only = true,
            }
        }
        if self.token == Token::Or && found.is_empty() && !range_only {
            return Err(ParseError::new(
                self.at,
                "something is missing before OR; the word itself is \"OR\"",
            ));
        }
        Ok(single_or(found, Predicate::All))
    }

    /// `None` for a time range.
    fn not(&mut self, level: Level) -> Result<Option<Predicate>, ParseError> {
        if level.depth > DEPTH_MAX {
            let message = format!("this is nested more than {DEPTH_MAX} deep: search in smaller steps");
            return Err(ParseError::new(self.at, message));
        }
        let at = self.at;
        match self.advance()? {
            Token::Not => {
                if matches!(self.token, Token::End | Token::Close | Token::And | Token::Or) {
                    return Err(ParseError::new(self.at, "what to exclude is missing"));
                }
                let excluded = self.not(level.inside())?;
                Ok(excluded.map(|excluded| Predicate::Not(Box::new(excluded))))
            }
            Token::Open => {
                let inside = self.any(level.inside())?;
                if self.token != Token::Close {
                    return Err(ParseError::new(at, "this ( is not closed: put a ) behind what it holds"));
                }
                self.advance()?;
                Ok(Some(inside))
            }
            Token::Term(term) => self.term(&term, level),
            Token::And | Token::Or | Token::Close | Token::End => {
                Err(ParseError::new(at, "a word, a field or an attribute is missing here"))
            }
        }
    }

    fn term(&mut self, term: &Term, level: Level) -> Result<Option<Predicate>, ParseError> {
        match terms::meaning(term, &self.now)? {
            Meaning::Records(predicate) => Ok(Some(predicate)),
            Meaning::Times(_) if !level.top => Err(ParseError::new(term.head.at, RANGE_INSIDE)),
            Meaning::Times(window) => {
                self.window = self.window.intersection(window);
                self.times.push(term.head.at..term.end);
                Ok(None)
            }
        }
    }

    /// Takes AND or OR, behind which something must stand.
    fn operand(&mut self, word: &str) -> Result<(), ParseError> {
        self.advance()?;
        match self.token {
            Token::End | Token::Close | Token::Or | Token::And => {
                let message = format!("something is missing behind {word}; the word itself is \"{word}\"");
                Err(ParseError::new(self.at, message))
            }
            _ => Ok(()),
        }
    }

    fn advance(&mut self) -> Result<Token, ParseError> {
        let (at, next) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, next))
    }
}

const RANGE_INSIDE: &str = "since:, until: and at: hold for the whole search: \
     put them outside of parentheses, and write the OR in parentheses";

fn single_or(mut found: Vec<Predicate>, combine: fn(Vec<Predicate>) -> Predicate) -> Predicate {
    match found.pop() {
        Some(single) if found.is_empty() => single,
        Some(last) => {
            found.push(last);
            combine(found)
        }
        None => combine(found),
    }
}
