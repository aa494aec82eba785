//! What one term means.

use std::fmt::Display;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};
use timeline::record::{Severity, SpanKind, StatusCode};
use timeline::token::Sought;

use super::ParseError;
use super::lexer::{Operator, Term, Text};
use super::times::{self, Now, parse_duration, shortened};
use crate::archive::Window;
use crate::predicate::{Comparison, Predicate, Signal, TextMatch, words};

/// A compiled pattern may take so many bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// The fields of a record that a query can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Service,
    Name,
    Kind,
    Status,
    Severity,
    Duration,
    Trace,
    Span,
    Parent,
    Link,
    Signal,
    Value,
    Since,
    Until,
    At,
}

/// Each field by its name.
pub(super) const FIELDS: [(&str, Field); 15] = [
    ("service", Field::Service),
    ("name", Field::Name),
    ("kind", Field::Kind),
    ("status", Field::Status),
    ("severity", Field::Severity),
    ("duration", Field::Duration),
    ("trace", Field::Trace),
    ("span", Field::Span),
    ("parent", Field::Parent),
    ("link", Field::Link),
    ("signal", Field::Signal),
    ("value", Field::Value),
    ("since", Field::Since),
    ("until", Field::Until),
    ("at", Field::At),
];

impl Field {
    pub(super) fn named(name: &str) -> Option<Field> {
        FIELDS.iter().find(|(own, _)| *own == name).map(|(_, field)| *field)
    }
}

/// What a term asks for.
pub(super) enum Meaning {
    /// Records.
    Records(Predicate),
    /// A stretch of time.
    Times(Window),
}

/// What `term` asks for.
pub(super) fn meaning(term: &Term, now: &Now) -> Result<Meaning, ParseError> {
    let Some((operator, value)) = &term.rest else {
        return text_term(&term.head).map(Meaning::Records);
    };
    let field = if term.head.quoted { None } else { Field::named(&term.head.text) };
    let Some(field) = field else {
        return attribute(&term.head, *operator, value).map(Meaning::Records);
    };
    let asked = Asked { name: &term.head.text, operator: *operator, value };
    if let Field::Since | Field::Until | Field::At = field {
        return asked.times(field, now).map(Meaning::Times);
    }
    let predicate = asked.records(field)?;
    Ok(Meaning::Records(match operator {
        Operator::NotEquals | Operator::NotLike => Predicate::Not(Box::new(predicate)),
        _ => predicate,
    }))
}

/// Words; in quotes they stand in a row. What looks like an identifier is also found by its value alone.
fn text_term(head: &Text) -> Result<Predicate, ParseError> {
    if !head.quoted && head.text == "*" {
        return Ok(Predicate::All(Vec::new()));
    }
    if head.starred || (!head.quoted && head.text.contains('*')) {
        let message =
            "words are matched whole: * goes behind key=, as in order.id=4*, or stands alone for all";
        return Err(ParseError::new(head.at, message));
    }
    let words = words(&head.text);
    let said = match words.as_slice() {
        [] => return Err(ParseError::new(head.at, "this holds no word: words are letters and digits")),
        [word] => Predicate::Word(word.clone()),
        _ => Predicate::Phrase(words),
    };
    let one_token = Sought::new(&head.text).tokens().len() == 1;
    let identifies = head.text.contains(|c: char| c.is_numeric() || c == '@');
    Ok(if !head.quoted && one_token && identifies {
        Predicate::Any(vec![said, Predicate::Value(head.text.clone())])
    } else {
        said
    })
}

fn attribute(key: &Text, operator: Operator, value: &Text) -> Result<Predicate, ParseError> {
    let named = |value| Predicate::Attribute { key: key.text.clone(), value };
    let negated = |predicate| Predicate::Not(Box::new(predicate));
    match operator {
        Operator::Colon => Err(ParseError::new(key.at, unknown_field(&key.text, &value.text))),
        Operator::Equals => text_match(value).map(named),
        Operator::NotEquals => text_match(value).map(named).map(negated),
        Operator::Like => pattern(value).map(named),
        Operator::NotLike => pattern(value).map(named).map(negated),
        comparing => {
            let comparison = comparison(comparing).unwrap_or(Comparison::Equal);
            let number = value.text.parse().map_err(|_| {
                let message = format!(
                    "{} compares numbers, and {:?} is none",
                    comparing.as_str(),
                    shortened(&value.text)
                );
                ParseError::new(value.at, message)
            })?;
            Ok(Predicate::Number { key: key.text.clone(), comparison, number })
        }
    }
}

fn unknown_field(name: &str, value: &str) -> String {
    let (name, value) = (shortened(name), shortened(value));
    if let Some((near, _)) = FIELDS.iter().find(|(field, _)| edits(&name, field) <= 2) {
        return format!(
            "there is no field {name:?}: did you mean {near}:{value}? An attribute is asked for as {name}={value}"
        );
    }
    let fields: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
    format!(
        "there is no field {name:?}: an attribute is asked for as {name}={value}, a text as \"{name}:{value}\"; \
         the fields are {}",
        fields.join(", ")
    )
}

/// A field with its operator and value.
struct Asked<'a> {
    name: &'a str,
    operator: Operator,
    value: &'a Text,
}

impl Asked<'_> {
    fn records(&self, field: Field) -> Result<Predicate, ParseError> {
        Ok(match field {
            Field::Service => Predicate::Service(self.text()?),
            Field::Name => Predicate::Name(self.text()?),
            Field::Kind => Predicate::Kind(self.one_of(&KINDS)?),
            Field::Status => Predicate::Status(self.one_of(&STATUSES)?),
            Field::Signal => Predicate::Signal(self.one_of(&SIGNALS)?),
            Field::Severity => Predicate::Severity(self.comparison()?, self.severity()?),
            Field::Duration => Predicate::Duration(self.comparison()?, self.duration()?),
            Field::Trace => Predicate::Trace(self.id()?),
            Field::Span => Predicate::Span(self.id()?),
            Field::Parent => Predicate::Parent(self.id()?),
            Field::Link => Predicate::LinkTo(self.id()?),
            Field::Value => Predicate::Value(self.sought()?),
            Field::Since | Field::Until | Field::At => return Err(self.wrong_operator("times", ":")),
        })
    }

    fn times(&self, field: Field, now: &Now) -> Result<Window, ParseError> {
        self.plain("times", ":")?;
        let wrong =
            |(at, message)| ParseError::new(self.value.at + usize::from(self.value.quoted) + at, message);
        let text = &self.value.text;
        if field == Field::At {
            return times::parse_range(text, now).map_err(wrong);
        }
        let time = times::parse_time(text, *now).map_err(|error| wrong((error.at, error.message)))?;
        Ok(match field {
            Field::Since => Window { since: Some(time), until: None },
            _ => Window { since: None, until: Some(time) },
        })
    }

    fn text(&self) -> Result<TextMatch, ParseError> {
        match self.operator {
            Operator::Colon | Operator::Equals | Operator::NotEquals => text_match(self.value),
            Operator::Like | Operator::NotLike => pattern(self.value),
            _ => Err(self.wrong_operator("a text", ": or ~")),
        }
    }

    fn one_of<T: Copy>(&self, all: &[(&str, T)]) -> Result<T, ParseError> {
        self.plain("one of a few words", ":")?;
        let given = self.value.text.to_ascii_lowercase();
        all.iter().find(|(name, _)| *name == given).map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            self.wrong_value(&format!("one of {}", names.join(", ")))
        })
    }

    fn severity(&self) -> Result<Severity, ParseError> {
        Severity::from_name(&self.value.text)
            .ok_or_else(|| self.wrong_value("one of trace, debug, info, warn, error, fatal"))
    }

    fn duration(&self) -> Result<u64, ParseError> {
        parse_duration(&self.value.text).ok_or_else(|| {
            self.wrong_value("a number with its unit: 200ms, 1.5s, 2m (ns, us, ms, s, m, h, d)")
        })
    }

    fn id<T: FromStr<Err: Display>>(&self) -> Result<T, ParseError> {
        self.plain("an id", ":")?;
        self.value.text.parse().map_err(|error: T::Err| ParseError::new(self.value.at, error.to_string()))
    }

    fn sought(&self) -> Result<String, ParseError> {
        self.plain("a value", ":")?;
        if Sought::new(&self.value.text).tokens().is_empty() {
            return Err(self.wrong_value("an identifier: a number, a UUID, a name"));
        }
        Ok(self.value.text.clone())
    }

    /// `:` and `=` mean equal.
    fn comparison(&self) -> Result<Comparison, ParseError> {
        comparison(self.operator).ok_or_else(|| self.wrong_operator("a quantity", ":, <, <=, > or >="))
    }

    fn plain(&self, kind: &str, operators: &str) -> Result<(), ParseError> {
        match self.operator {
            Operator::Colon | Operator::Equals => Ok(()),
            Operator::NotEquals if operators == ":" && kind != "times" => Ok(()),
            _ => Err(self.wrong_operator(kind, operators)),
        }
    }

    fn wrong_operator(&self, kind: &str, operators: &str) -> ParseError {
        let (name, operator) = (self.name, self.operator.as_str());
        let message = format!(
            "{name} is {kind} and is asked for with {operators}, not {operator}; \
             an attribute of that name is \"{name}\"{operator}…"
        );
        ParseError::new(self.value.at - operator.len(), message)
    }

    fn wrong_value(&self, right: &str) -> ParseError {
        let (name, given) = (self.name, shortened(&self.value.text));
        let message =
            format!("{name} is {right}, not {given:?}; an attribute of that name is \"{name}\"={given}");
        ParseError::new(self.value.at, message)
    }
}

const KINDS: [(&str, SpanKind); 5] = [
    ("internal", SpanKind::Internal),
    ("server", SpanKind::Server),
    ("client", SpanKind::Client),
    ("producer", SpanKind::Producer),
    ("consumer", SpanKind::Consumer),
];
const STATUSES: [(&str, StatusCode); 3] =
    [("unset", StatusCode::Unset), ("ok", StatusCode::Ok), ("error", StatusCode::Error)];
const SIGNALS: [(&str, Signal); 2] = [("spans", Signal::Spans), ("logs", Signal::Logs)];

fn comparison(operator: Operator) -> Option<Comparison> {
    Some(match operator {
        Operator::Colon | Operator::Equals | Operator::EqualNumber => Comparison::Equal,
        Operator::NotEquals => Comparison::Equal,
        Operator::Less => Comparison::Less,
        Operator::AtMost => Comparison::AtMost,
        Operator::Greater => Comparison::Greater,
        Operator::AtLeast => Comparison::AtLeast,
        Operator::Like | Operator::NotLike => return None,
    })
}

/// `4*`, `*`, or the text itself; in quotes a `*` is a plain character.
fn text_match(value: &Text) -> Result<TextMatch, ParseError> {
    if value.quoted {
        let text = value.text.clone();
        return Ok(if value.starred { TextMatch::StartsWith(text) } else { TextMatch::Is(text) });
    }
    let (start, starred) = match value.text.strip_suffix('*') {
        Some(start) => (start, true),
        None => (value.text.as_str(), false),
    };
    if let Some(at) = start.find('*') {
        let message = "only a * at the end stands for anything: put the text in quotes, or write key~pattern";
        return Err(ParseError::new(value.at + at, message));
    }
    Ok(match (start, starred) {
        ("", true) => TextMatch::Present,
        (start, true) => TextMatch::StartsWith(start.to_owned()),
        (whole, false) => TextMatch::Is(whole.to_owned()),
    })
}

fn pattern(value: &Text) -> Result<TextMatch, ParseError> {
    let built: Result<Regex, _> = RegexBuilder::new(&value.text).size_limit(PATTERN_BYTES_MAX).build();
    built.map(TextMatch::Like).map_err(|error| {
        // The last line of a syntax error says what is wrong; those before draw the pattern.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        ParseError::new(value.at, format!("this is not a regular expression: {reason}"))
    })
}

/// Levenshtein's distance, for texts that are short.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
