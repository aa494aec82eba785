//! The words of a story: values, durations, who did it.

use super::case::Case;
use crate::state::Operation;
use crate::value::Value;

/// Longer values are cut: a story is one line.
const VALUE_CHARS_MAX: usize = 40;

/// A value as a person writes it; `nothing` where nothing is held.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_text();
    match value {
        Value::Empty => "nothing".to_owned(),
        _ if text.is_empty() => "''".to_owned(),
        _ if text.chars().count() > VALUE_CHARS_MAX => {
            let cut: String = text.chars().take(VALUE_CHARS_MAX - 1).collect();
            format!("{cut}…")
        }
        _ => text.into_owned(),
    }
}

/// `status=paid`; the field alone where the value is unknown.
pub(crate) fn held(field: Option<&str>, value: Option<&Value>) -> String {
    let field = field.unwrap_or("its state");
    value.map_or_else(|| field.to_owned(), |value| format!("{field}={}", shown(value)))
}

/// A duration in the largest unit that leaves a whole part: `3.0 s`, `240 ms`.
pub(crate) fn lasting(ns: i128) -> String {
    let ns = ns.max(0) as f64;
    match ns {
        _ if ns >= 120e9 => format!("{:.1} min", ns / 60e9),
        _ if ns >= 1e9 => format!("{:.1} s", ns / 1e9),
        _ if ns >= 1e6 => format!("{:.0} ms", ns / 1e6),
        _ => format!("{:.0} µs", ns / 1e3),
    }
}

/// The time from one operation's event to another's: `3.0 s`.
pub(crate) fn apart(case: &Case<'_>, from: &Operation, to: &Operation) -> String {
    lasting(case.time(to.event).since(case.time(from.effect_ended())))
}

/// Who did it: the instance where one is named, else the service, else the copy.
pub(crate) fn who(case: &Case<'_>, operation: &Operation) -> String {
    let resource = case.at(operation.record).map(|at| case.evidence.held.record(at).resource.clone());
    let named = resource.and_then(|resource| {
        let instance = resource.text("service.instance.id").map(str::to_owned);
        instance.or_else(|| Some(resource.service().to_owned()).filter(|service| !service.is_empty()))
    });
    named.unwrap_or_else(|| operation.copy.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_unit_that_a_person_would_choose() {
        assert_eq!(lasting(3_020_000_000), "3.0 s");
        assert_eq!(lasting(240_000_000), "240 ms");
        assert_eq!(lasting(900_000), "900 µs");
        assert_eq!(lasting(180_000_000_000), "3.0 min");
        assert_eq!(lasting(-5), "0 µs");
    }

    #[test]
    fn long_values_are_cut_and_empty_ones_named() {
        assert_eq!(shown(&Value::Empty), "nothing");
        assert_eq!(shown(&Value::from("")), "''");
        assert_eq!(shown(&Value::from("a".repeat(60).as_str())).chars().count(), VALUE_CHARS_MAX);
    }
}
