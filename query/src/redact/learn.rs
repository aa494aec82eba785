//! Which values are meant: wherever a record gives one under a redacted name.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use timeline::naming;
use timeline::record::Record;
use timeline::state;
use timeline::value::Value;

use super::Redactor;
use super::matcher::{Matcher, Sought};
use super::rules::{BODY, NAME, Rules, STATUS_MESSAGE, Treatment};
use super::unfold::Unfolded;
use crate::predicate::{Content, Place, any_place};

/// A value of fewer characters is replaced only in records that give it under its name: everywhere it would be chance.
const EVERYWHERE_CHARS_MIN: usize = 3;

/// Words that mean nothing by themselves: they too are replaced only in records that give them under a redacted name.
const COMMON: &[&str] = &["true", "false", "null", "none", "nil", "undefined", "unknown", "yes", "no", "ok"];

/// `name=value`, `name: value`, `"name":"value"`.
#[expect(clippy::expect_used, reason = "the expression is a constant that every test compiles")]
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"([\p{L}_][\w.\-]*)["'\]]*\s*(?:=>|=|:)\s*(?:"([^"]+)"|'([^']+)'|([^\s,;&"'{}\[\]()<>]+))"#)
        .expect("a regular expression")
});

impl Redactor {
    /// Takes in what these records say under redacted names.
    pub(super) fn learn(&mut self, records: &[Record]) {
        let known = self.secrets.len();
        let mut kept = BTreeSet::new();
        for record in records {
            each_value(record, &self.rules, &mut |value| match value {
                Given::Secret(Sought { value, rule }, Reach::Everywhere) => {
                    self.secrets.entry(value).or_insert(rule);
                }
                Given::Secret(_, Reach::Record) => {}
                Given::Kept(value) => drop(kept.insert(value)),
            });
        }
        let changed = self.secrets.len() != known || !kept.is_subset(&self.kept);
        self.kept.append(&mut kept);
        if changed {
            let named = self.rules.clone();
            // What is named to go goes, even where it is also kept; the rest goes only where it is not.
            self.secrets.retain(|value, rule| !named.is_all_but_kept(*rule) || !self.kept.contains(value));
            self.matcher = Matcher::of(&self.secrets);
        }
    }

    /// The values that are replaced in this record alone.
    pub(super) fn of_record_alone(&self, record: &Record) -> Vec<Sought> {
        let mut alone = Vec::new();
        each_value(record, &self.rules, &mut |value| {
            if let Given::Secret(sought, Reach::Record) = value {
                alone.push(sought);
            }
        });
        alone.sort();
        alone.dedup();
        alone
    }
}

/// Where a value is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Everywhere,
    Record,
}

/// A value that a record gives.
enum Given {
    Secret(Sought, Reach),
    Kept(String),
}

fn each_value(record: &Record, rules: &Rules, visit: &mut dyn FnMut(Given)) {
    any_place(record, |place, content| {
        of_place(place, content, rules, visit);
        false
    });
    for (key, value) in record.scope.attributes.iter() {
        of_place(Place::Resource(key), Content::Value(value), rules, visit);
    }
    for name in naming::names(record) {
        if let Some(rule) = rules.of_kind(&name.kind) {
            // A key is an identifier however short it is.
            for text in [&name.key, &name.value] {
                secret(text, rule, Reach::Everywhere, visit);
            }
        }
    }
    for said in state::said(record) {
        if let Some(rule) = rules.of_field(&said.kind, &said.field) {
            said.values.iter().for_each(|value| leaves(value, &mut |text| guess(text, rule, visit)));
        }
    }
}

/// What stands in one place: under a name that is redacted or kept, in pairs in its text, matched by a pattern.
fn of_place(place: Place<'_>, content: Content<'_>, rules: &Rules, visit: &mut dyn FnMut(Given)) {
    let key = key_of(place);
    let mut take = |text: &str, is_number: bool| {
        match rules.treatment(key) {
            // Numbers of few digits are the same by chance.
            Treatment::Cover(rule) if rules.is_all_but_kept(rule) && is_number && text.len() < 4 => {}
            Treatment::Cover(rule) => guess(text, rule, visit),
            Treatment::Search if rules.keeps() => visit(Given::Kept(Unfolded::of(text).folded().to_owned())),
            Treatment::Composed(_) | Treatment::Search => {}
        }
        for (rule, pattern) in rules.patterns() {
            let plain = Unfolded::of(text).plain();
            for found in pattern.captures_iter(&plain) {
                let meant = found.get(1).or_else(|| found.get(0));
                meant.into_iter().for_each(|meant| guess(meant.as_str(), rule, visit));
            }
        }
        pairs(text, key, rules, visit);
    };
    match content {
        Content::Text(text) => take(text, false),
        Content::Value(value) => match value {
            Value::Int(_) | Value::Double(_) => take(&value.to_text(), true),
            Value::Bytes(bytes) => {
                if let Ok(text) = std::str::from_utf8(bytes) {
                    take(text, false);
                }
                take(&value.to_text(), false);
            }
            value => leaves(value, &mut |text| take(text, false)),
        },
    }
}

/// The names and values that a text gives.
fn pairs(text: &str, key: &str, rules: &Rules, visit: &mut dyn FnMut(Given)) {
    let unfolded = Unfolded::of(text).plain();
    let is_statement = matches!(key, "db.query.text" | "db.statement");
    for pair in PAIR.captures_iter(&unfolded) {
        let Some(rule) = pair.get(1).and_then(|name| rules.of_key(name.as_str())) else { continue };
        let quoted = pair.get(2).or_else(|| pair.get(3)).map(|quoted| quoted.as_str());
        let bare = pair.get(4).map(|bare| bare.as_str().trim_end_matches(['.', ':', '!', '?']));
        // In a statement what is bare is a number, or the name of a column; and nowhere is a placeholder a value.
        let bare = bare
            .filter(|bare| !is_statement || bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
        let bare = bare.filter(|bare| !bare.starts_with(['$', '?', ':', '@', '%', '/']));
        quoted.or(bare).into_iter().for_each(|value| guess(value, rule, visit));
    }
}

/// A value, replaced everywhere unless it would be met by chance.
fn guess(text: &str, rule: usize, visit: &mut dyn FnMut(Given)) {
    let chance = text.chars().count() < EVERYWHERE_CHARS_MIN
        || COMMON.iter().any(|common| text.eq_ignore_ascii_case(common));
    secret(text, rule, if chance { Reach::Record } else { Reach::Everywhere }, visit);
}

fn secret(text: &str, rule: usize, reach: Reach, visit: &mut dyn FnMut(Given)) {
    let value = Unfolded::of(text.trim()).folded().to_owned();
    if value.chars().any(char::is_alphanumeric) {
        visit(Given::Secret(Sought { value, rule }, reach));
    }
}

/// The single values of a value, as texts.
fn leaves(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| leaves(value, visit)),
        Value::Map(fields) => fields.iter().for_each(|(_, value)| leaves(value, visit)),
        Value::Bool(_) | Value::Empty => {}
        value => visit(&value.to_text()),
    }
}

/// The name that a place goes by in rules.
fn key_of(place: Place<'_>) -> &str {
    match place {
        Place::Name | Place::EventName => NAME,
        Place::Body("") => BODY,
        Place::StatusMessage => STATUS_MESSAGE,
        Place::Body(key)
        | Place::Attribute(key)
        | Place::EventAttribute(_, key)
        | Place::LinkAttribute(key)
        | Place::Resource(key) => key,
    }
}
