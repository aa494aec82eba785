//! What a team declares: how much lag is acceptable, what must hold, and how long to wait for what is absent.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::rule::Rule;

/// By field, the transitions that are allowed: from one value to another.
pub type Transitions = BTreeMap<String, Vec<(String, String)>>;

/// What findings are judged by, besides the records.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// For so long after the last arrival late records may still change a finding, in nanoseconds.
    pub window_ns: u64,
    /// More attempts of one intent than this are a storm.
    pub attempts_max: usize,
    /// The system of record, by entity type, where it is declared.
    pub owners: BTreeMap<String, String>,
    /// The transitions that are allowed, by entity type, then field; a field that is not listed is not judged.
    pub transitions: BTreeMap<String, Transitions>,
    /// Acceptable lags.
    pub budgets: Vec<Budget>,
    /// What must hold.
    pub rules: Vec<Rule>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            window_ns: 10_000_000_000,
            attempts_max: 5,
            owners: BTreeMap::new(),
            transitions: BTreeMap::new(),
            budgets: Vec::new(),
            rules: Vec::new(),
        }
    }
}

/// How far a copy may lag behind the owner: `[[budget]]` of `backstory.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The entity type.
    pub entity: String,
    /// The copy.
    pub copy: String,
    /// The lag that is acceptable, in nanoseconds; `2s`, `150ms` in the file.
    #[serde(rename = "lag", deserialize_with = "duration")]
    pub lag_ns: u64,
}

/// What a team declares of an entity type: `[entity.TYPE]` of `backstory.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntitySettings {
    /// The copy that is the system of record.
    pub owner: Option<String>,
    /// By field, the transitions that are allowed: `created -> paid`.
    #[serde(default, deserialize_with = "transitions")]
    pub transitions: Transitions,
}

impl Settings {
    /// Takes in what is declared of an entity type.
    pub fn declare(&mut self, kind: &str, declared: &EntitySettings) {
        let kind = crate::naming::kind_named(kind);
        if let Some(owner) = &declared.owner {
            self.owners.insert(kind.clone(), owner.clone());
        }
        if !declared.transitions.is_empty() {
            self.transitions.insert(kind, declared.transitions.clone());
        }
    }

    /// The lag that is acceptable for a copy, in nanoseconds.
    pub fn budget(&self, entity: &str, copy: &str) -> Option<u64> {
        self.budgets.iter().find(|own| own.entity == entity && own.copy == copy).map(|own| own.lag_ns)
    }
}

fn transitions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Transitions, D::Error> {
    let written: BTreeMap<String, Vec<String>> = BTreeMap::deserialize(deserializer)?;
    let one = |text: String| {
        let sides = text.split_once("->").map(|(from, to)| (from.trim().to_owned(), to.trim().to_owned()));
        sides.filter(|(from, to)| !from.is_empty() && !to.is_empty()).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{text:?} is no transition: write FROM -> TO, as created -> paid"
            ))
        })
    };
    let field = |(field, list): (String, Vec<String>)| {
        Ok((field, list.into_iter().map(one).collect::<Result<Vec<_>, D::Error>>()?))
    };
    written.into_iter().map(field).collect()
}

/// Reads a duration, in nanoseconds, from text such as `2s`; for a configuration file's own keys.
pub fn parse_window<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    duration_if_any(deserializer)
}

/// Reads a duration as `150ms`, `2s`, `5m` or `1h`, in nanoseconds.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).ok_or_else(|| {
        let what = format!("{text:?} is no duration: write a number and ms, s, m or h, as 2s");
        serde::de::Error::custom(what)
    })
}

/// As [`duration`], where there may be none.
pub(super) fn duration_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    duration(deserializer).map(Some)
}

fn parse_duration(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit_at);
    let ns = match unit.trim() {
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 6e10,
        "h" => 3.6e12,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    Some((number * ns) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(parse_duration("2s"), Some(2_000_000_000));
        assert_eq!(parse_duration("1.5ms"), Some(1_500_000));
        assert_eq!(parse_duration("1 h"), Some(3_600_000_000_000));
        for wrong in ["", "2", "s", "2 parsec", "-1s", "..s"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_declared_of_a_type_is_taken_in() {
        let json = r#"{"owner": "shop/orders", "transitions": {"status": ["created -> paid"]}}"#;
        let declared: EntitySettings = serde_json::from_str(json).expect("declared");
        let mut settings = Settings::default();
        settings.declare("Orders", &declared);
        assert_eq!(settings.owners["order"], "shop/orders");
        assert_eq!(settings.transitions["order"]["status"], [("created".to_owned(), "paid".to_owned())]);
        let wrong = r#"{"transitions": {"status": ["created, paid"]}}"#;
        let error = serde_json::from_str::<EntitySettings>(wrong).expect_err("no arrow");
        assert!(error.to_string().contains("FROM -> TO"), "{error}");
    }

    #[test]
    fn an_unknown_key_of_a_budget_is_an_error() {
        let read = |json: &str| serde_json::from_str::<Budget>(json);
        let budget = read(r#"{"entity": "order", "copy": "redis/order", "lag": "2s"}"#).expect("a budget");
        assert_eq!(budget.lag_ns, 2_000_000_000);
        let error = read(r#"{"entity": "order", "copy": "redis/order", "lagg": "2s"}"#).expect_err("a slip");
        assert!(error.to_string().contains("lagg"), "{error}");
    }
}
