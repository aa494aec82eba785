//! `[[rule]]` of `backstory.toml`: what must hold, and its text form.

use serde::{Deserialize, Deserializer};

use super::settings::duration_if_any;
use crate::state::Operation;

/// What must hold for every entity of a type. Exactly one of `at_most`, `never`, `eventually` and `sum` says what.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Rule {
    /// What a person calls it.
    pub name: String,
    /// The entity type.
    pub entity: String,
    /// What must hold.
    pub holds: Holds,
}

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Holds {
    /// At most so many writes of a state: `at_most = 1`, `write = "charges.state = captured"`.
    AtMost(u64, Pattern),
    /// No write of a state; after another write, if one is named: `never = "orders.status = shipped"`,
    /// `after = "orders.status = cancelled"`.
    Never(Pattern, Option<Pattern>),
    /// A write of a state follows another within a time, in nanoseconds: `eventually = "charges.state = refunded"`,
    /// `after = "orders.status = cancelled"`, `within = "30s"`.
    Eventually(Pattern, Pattern, u64),
    /// A field's values add up to at most so much: `sum = "charges.amount_cents"`, `at_most = 5000`.
    SumAtMost(Place, f64),
    /// A field's values add up to another field's last value: `sum = "charges.amount_cents"`,
    /// `equals = "orders.total_cents"`.
    SumEquals(Place, Place),
}

/// A field of a copy: `charges.state`, `payments/charges.state`, or `state` in any copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The copy's name or the last segment of it; `None` for any.
    pub copy: Option<String>,
    /// The field.
    pub field: String,
}

/// A place with a value: `charges.state = captured`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Where.
    pub place: Place,
    /// Which value.
    pub value: String,
}

impl Place {
    fn parse(text: &str) -> Result<Place, String> {
        let text = text.trim();
        let (copy, field) = match text.rsplit_once('.') {
            Some((copy, field)) => (Some(copy.trim().to_owned()), field.trim()),
            None => (None, text),
        };
        if field.is_empty() || field.contains(char::is_whitespace) || copy.as_deref() == Some("") {
            return Err(format!("{text:?} names no field: write COPY.FIELD, as charges.state"));
        }
        Ok(Place { copy, field: field.to_owned() })
    }

    /// Whether an operation touches it.
    pub(crate) fn is_of(&self, operation: &Operation) -> bool {
        let copy = self
            .copy
            .as_deref()
            .is_none_or(|copy| operation.copy == copy || operation.copy.rsplit('/').next() == Some(copy));
        copy && operation.field.as_deref() == Some(&self.field)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.copy {
            Some(copy) => write!(f, "{copy}.{}", self.field),
            None => f.write_str(&self.field),
        }
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Pattern, String> {
        let (place, value) = text.split_once('=').ok_or_else(|| {
            format!("{text:?} is no write: write COPY.FIELD = VALUE, as charges.state = captured")
        })?;
        let value = value.trim().trim_matches(['\'', '"']).to_owned();
        Ok(Pattern { place: Place::parse(place)?, value })
    }

    /// Whether an operation writes it; `None` where it hides its value.
    pub(crate) fn is_written_by(&self, operation: &Operation) -> Option<bool> {
        if !operation.writes() || !self.place.is_of(operation) {
            return Some(false);
        }
        operation.value.as_ref().map(|value| *value.to_text() == *self.value)
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = {}", self.place, self.value)
    }
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    entity: String,
    #[serde(default, deserialize_with = "number_if_any")]
    at_most: Option<f64>,
    write: Option<String>,
    never: Option<String>,
    eventually: Option<String>,
    after: Option<String>,
    #[serde(default, deserialize_with = "duration_if_any")]
    within: Option<u64>,
    sum: Option<String>,
    equals: Option<String>,
}

/// TOML tells integers from floats; a rule takes either.
fn number_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    f64::deserialize(deserializer).map(Some)
}

impl TryFrom<Written> for Rule {
    type Error = String;

    fn try_from(written: Written) -> Result<Rule, String> {
        let Written { name, entity, at_most, write, never, eventually, after, within, sum, equals } = written;
        let pattern = |text: Option<String>| text.as_deref().map(Pattern::parse).transpose();
        let (write, never, eventually, after) =
            (pattern(write)?, pattern(never)?, pattern(eventually)?, pattern(after)?);
        let place = |text: Option<String>| text.as_deref().map(Place::parse).transpose();
        let (sum, equals) = (place(sum)?, place(equals)?);
        let holds = match (at_most, write, never, eventually, after, within, sum, equals) {
            (Some(most), Some(write), None, None, None, None, None, None)
                if most >= 0.0 && most.fract() == 0.0 =>
            {
                Holds::AtMost(most as u64, write)
            }
            (None, None, Some(never), None, after, None, None, None) => Holds::Never(never, after),
            (None, None, None, Some(then), Some(after), Some(within), None, None) => {
                Holds::Eventually(then, after, within)
            }
            (Some(most), None, None, None, None, None, Some(sum), None) => Holds::SumAtMost(sum, most),
            (None, None, None, None, None, None, Some(sum), Some(equals)) => Holds::SumEquals(sum, equals),
            _ => {
                return Err(format!(
                    "the rule {name:?} says none of: at_most (a whole number) with write; never, perhaps with after; \
                     eventually with after and within; sum with at_most or equals"
                ));
            }
        };
        Ok(Rule { name, entity, holds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Rule, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn each_form_is_read() {
        let most = read(r#"{"name":"one","entity":"order","at_most":1,"write":"charges.state = captured"}"#);
        let Holds::AtMost(1, pattern) = most.expect("a rule").holds else { panic!("another form") };
        assert_eq!(pattern.to_string(), "charges.state = captured");
        let forms = [
            r#"{"name":"a","entity":"order","never":"orders.status = shipped","after":"orders.status = cancelled"}"#,
            r#"{"name":"b","entity":"order","eventually":"charges.state = refunded","after":"status=x","within":"30s"}"#,
            r#"{"name":"c","entity":"order","sum":"charges.amount","at_most":50.5}"#,
            r#"{"name":"d","entity":"order","sum":"charges.amount","equals":"orders.total"}"#,
        ];
        for form in forms {
            read(form).unwrap_or_else(|error| panic!("{form}: {error}"));
        }
    }

    #[test]
    fn what_is_no_rule_says_what_would_be() {
        let wrong = [
            (r#"{"name":"a","entity":"order"}"#, "at_most (a whole number) with write"),
            (r#"{"name":"a","entity":"order","at_most":1,"write":"captured"}"#, "COPY.FIELD = VALUE"),
            (r#"{"name":"a","entity":"order","nevr":"status = x"}"#, "nevr"),
            (r#"{"name":"a","entity":"order","eventually":"s=x","after":"s=y","within":"3"}"#, "as 2s"),
        ];
        for (text, part) in wrong {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
