//! Whose timeline is asked for, and how much of it.

use std::fmt;
use std::str::FromStr;

use crate::naming::{self, Scope};
use crate::record::{Body, Record};
use crate::state::Thing;
use crate::value::{Attributes, Value};

/// Whose timeline, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whose.
    pub subject: Subject,
    /// In which scope; `None` for the one that most of the records naming the subject are in.
    pub scope: Option<Scope>,
    /// At most so many events; those with the smallest (stamp, record) stay.
    pub events_max: usize,
    /// Leave the attributes out.
    pub brief: bool,
}

impl Question {
    /// The whole timeline of `subject`, in the scope that names it most.
    pub fn new(subject: Subject) -> Question {
        Question { subject, scope: None, events_max: usize::MAX, brief: false }
    }
}

impl FromStr for Question {
    type Err = ParseSubjectError;

    /// Reads `order/42`, `order.id=42`, and `production/shop/order/42` with its scope.
    fn from_str(text: &str) -> Result<Question, ParseSubjectError> {
        let parts: Vec<&str> = text.split('/').collect();
        if let [environment, namespace, kind, key] = parts.as_slice()
            && !text.contains('=')
        {
            let known = |part: &str| (!part.is_empty()).then(|| part.to_owned());
            let scope = Scope { environment: known(environment), namespace: known(namespace) };
            let subject = format!("{kind}/{key}").parse()?;
            return Ok(Question { scope: Some(scope), ..Question::new(subject) });
        }
        Ok(Question::new(text.parse()?))
    }
}

/// What a timeline is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An entity, by type and key: `order/42`.
    Entity {
        /// In lower-case snake, singular.
        kind: String,
        /// As [`naming::key_of`] writes it.
        key: String,
    },
    /// Whatever carries this attribute with this value: `order.id=42`.
    Attribute {
        /// The attribute's name, exactly.
        name: String,
        /// Its value as [`Value::to_text`] writes it.
        value: String,
    },
}

/// A text that names no subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an entity is TYPE/KEY as order/42, or NAME=VALUE as order.id=42, not {0:?}")]
pub struct ParseSubjectError(String);

impl FromStr for Subject {
    type Err = ParseSubjectError;

    fn from_str(text: &str) -> Result<Subject, ParseSubjectError> {
        let error = || ParseSubjectError(text.chars().take(80).collect());
        let equals = text.find('=').unwrap_or(text.len());
        let slash = text.find('/').unwrap_or(text.len());
        if slash < equals {
            let (kind, key) = text.split_once('/').ok_or_else(error)?;
            let key = naming::key_of(&Value::from(&*percent_decoded(key))).ok_or_else(error)?;
            let valid = !kind.is_empty() && !kind.contains(char::is_whitespace);
            return valid.then(|| Subject::Entity { kind: naming::kind_named(kind), key }).ok_or_else(error);
        }
        let (name, value) = text.split_once('=').ok_or_else(error)?;
        let valid = !name.is_empty() && !value.is_empty();
        valid.then(|| Subject::Attribute { name: name.to_owned(), value: value.to_owned() }).ok_or_else(error)
    }
}

/// Keys are written percent-encoded (`a%2Fb`) and may be typed so or plain.
fn percent_decoded(key: &str) -> String {
    key.replace("%2F", "/").replace("%2f", "/").replace("%25", "%")
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Entity { kind, key } => write!(f, "{kind}/{key}"),
            Subject::Attribute { name, value } => write!(f, "{name}={value}"),
        }
    }
}

/// What a record says of a subject's type: nothing, the subject itself, others, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mention {
    /// It names the subject.
    pub(crate) subject: bool,
    /// It names another thing of the subject's type.
    pub(crate) other: bool,
}

impl Subject {
    /// The type, or the attribute's name.
    pub fn kind(&self) -> &str {
        match self {
            Subject::Entity { kind, .. } => kind,
            Subject::Attribute { name, .. } => name,
        }
    }

    /// The key, or the attribute's value.
    pub fn key(&self) -> &str {
        match self {
            Subject::Entity { key, .. } => key,
            Subject::Attribute { value, .. } => value,
        }
    }

    /// The thing that it is: an attribute named after a type names one too; `None` where it names none.
    pub(crate) fn thing(&self) -> Option<Thing> {
        match self {
            Subject::Entity { kind, key } => Some(Thing { kind: kind.clone(), key: key.clone() }),
            Subject::Attribute { name, value } => {
                let key = naming::key_of(&Value::from(value.as_str()))?;
                Some(Thing { kind: naming::kind_of(name)?, key })
            }
        }
    }

    /// Whether `record` names the subject.
    pub fn is_named_by(&self, record: &Record) -> bool {
        self.mention(record).subject
    }

    /// Which things of the subject's type `record` names.
    pub(crate) fn mention(&self, record: &Record) -> Mention {
        let mut mention = Mention::default();
        match self {
            Subject::Entity { kind, key } => {
                for name in naming::names(record).iter().filter(|name| name.kind == *kind) {
                    mention.note(name.key == *key);
                }
            }
            Subject::Attribute { name, value } => {
                each_value(record, name, &mut |found| mention.note(found.to_text() == *value));
            }
        }
        mention
    }
}

impl Mention {
    fn note(&mut self, is_subject: bool) {
        self.subject |= is_subject;
        self.other |= !is_subject;
    }
}

/// Calls `visit` with every value of the attribute `name`: the record's own, its events', its links',
/// its body's and its resource's, nested ones by their dotted names.
fn each_value(record: &Record, name: &str, visit: &mut dyn FnMut(&Value)) {
    nested_values(record.attributes(), name, visit);
    nested_values(&record.resource.attributes, name, visit);
    match &record.body {
        Body::Span(span) => {
            span.events.iter().for_each(|event| nested_values(&event.attributes, name, visit));
            span.links.iter().for_each(|link| nested_values(&link.attributes, name, visit));
        }
        Body::Log(log) => {
            if let Value::Map(fields) = &log.body {
                nested_values(fields, name, visit);
            }
        }
    }
}

fn nested_values(attributes: &Attributes, name: &str, visit: &mut dyn FnMut(&Value)) {
    if let Some(value) = attributes.get(name) {
        visit(value);
    }
    for (dot, _) in name.match_indices('.') {
        if let Some(Value::Map(nested)) = attributes.get(&name[..dot]) {
            nested_values(nested, &name[dot + 1..], visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_an_entity_or_an_attribute() {
        let read = |text: &str| text.parse::<Subject>().map(|subject| subject.to_string());
        assert_eq!(read("order/42").as_deref(), Ok("order/42"));
        assert_eq!(read("Orders/42").as_deref(), Ok("order/42"));
        assert_eq!(read("order/a%2Fb").as_deref(), Ok("order/a%2Fb"));
        assert_eq!(read("order/shop=1,number=7").as_deref(), Ok("order/shop=1,number=7"));
        assert_eq!(read("order.id=42").as_deref(), Ok("order.id=42"));
        assert_eq!(read("url.path=/orders/42").as_deref(), Ok("url.path=/orders/42"));
        for text in ["", "42", "/42", "order/", "=42", "order.id="] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_scope_may_stand_before_it() {
        let question: Question = "staging/shop/order/42".parse().expect("a question");
        assert_eq!(question.scope.map(|scope| scope.to_string()).as_deref(), Some("staging/shop"));
        assert_eq!(question.subject.to_string(), "order/42");
    }
}
