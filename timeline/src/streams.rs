//! What is known of the completeness of each source of records.

use std::collections::BTreeMap;

use crate::document::{Completeness, Incompleteness, Stream, StreamState};
use crate::held::Held;
use crate::record::{Body, Record};
use crate::value::Value;

/// What the records at hand say of the streams that they came by: a row for each service and signal.
pub(crate) fn streams(held: &Held) -> Vec<Stream> {
    let mut known: BTreeMap<(&str, &str), Known> = BTreeMap::new();
    for record in held.records() {
        let signal = if record.as_span().is_some() { "spans" } else { "logs" };
        known.entry((record.resource.service(), signal)).or_default().note(record);
    }
    known.into_iter().map(|((service, signal), known)| known.stream(service, signal)).collect()
}

/// Adds what the records say to what the archive knows.
pub(crate) fn completeness(archive: &Completeness, streams: Vec<Stream>) -> Completeness {
    let mut reasons = archive.reasons.clone();
    for stream in &streams {
        match stream.state {
            StreamState::Sampled => reasons.push(Incompleteness::Sampled),
            StreamState::Lossy => reasons.push(Incompleteness::DroppedBySdk),
            StreamState::Whole | StreamState::Unknown => {}
        }
    }
    reasons.sort_unstable();
    reasons.dedup();
    Completeness { complete: reasons.is_empty(), reasons, shown: 0, total: 0, streams }
}

/// What the records of one stream say of its completeness.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// The smallest rate that a sampler declared, and where.
    rate: Option<(f64, &'static str)>,
    dropped: u64,
}

impl Known {
    /// Takes in one record.
    pub(crate) fn note(&mut self, record: &Record) {
        let dropped = u64::from(dropped(record));
        self.merge(Known { rate: declared_rate(record), dropped });
    }

    /// Adds what `other` took in.
    pub(crate) fn merge(&mut self, other: Known) {
        let rates = self.rate.into_iter().chain(other.rate);
        self.rate = rates.min_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1)));
        self.dropped += other.dropped;
    }

    /// The stream's row.
    pub(crate) fn stream(self, service: &str, signal: &str) -> Stream {
        let sampled = self.rate.filter(|(rate, _)| *rate < 1.0);
        let (state, evidence) = match (sampled, self.dropped, self.rate) {
            (_, 1.., _) => (StreamState::Lossy, Some(format!("dropped_*_count {}", self.dropped))),
            (Some((_, evidence)), ..) => (StreamState::Sampled, Some(evidence.to_owned())),
            (None, 0, Some((_, evidence))) => (StreamState::Whole, Some(evidence.to_owned())),
            (None, 0, None) => (StreamState::Unknown, None),
        };
        let rate = self.rate.map(|(rate, _)| rate);
        Stream { service: service.to_owned(), signal: signal.to_owned(), state, rate, evidence }
    }
}

/// How many things the SDK cut from a record.
pub(crate) fn dropped(record: &Record) -> u32 {
    match &record.body {
        Body::Log(log) => log.dropped_attributes_count,
        Body::Span(span) => {
            let cut = span.dropped;
            let events = span.events.iter().map(|event| event.dropped_attributes_count);
            let links = span.links.iter().map(|link| link.dropped_attributes_count);
            let own = [cut.attributes, cut.events, cut.links];
            events.chain(links).chain(own).fold(0, u32::saturating_add)
        }
    }
}

/// The share of spans that a sampler says it lets through, from 0 to 1, and where it says so.
fn declared_rate(record: &Record) -> Option<(f64, &'static str)> {
    let span = record.as_span()?;
    if let Some(rate) = tracestate_rate(&span.trace_state) {
        return Some((rate, "tracestate ot=th"));
    }
    let number = |key: &str| span.attributes.get(key).and_then(|value| value.to_text().parse::<f64>().ok());
    let is_probabilistic =
        span.attributes.get("sampler.type").and_then(Value::as_str) == Some("probabilistic");
    let jaeger = number("sampler.param").filter(|rate| is_probabilistic && (0.0..=1.0).contains(rate));
    let honeycomb = number("SampleRate").filter(|one_in| *one_in >= 1.0).map(|one_in| 1.0 / one_in);
    jaeger.map(|rate| (rate, "sampler.param")).or(honeycomb.map(|rate| (rate, "SampleRate")))
}

/// The sampling probability of the member `ot` of a W3C tracestate: its `th` is the rejection threshold,
/// up to 14 hexadecimal digits of a 56-bit fraction with trailing zeros left out
/// (OpenTelemetry, *TraceState: Probability Sampling*).
fn tracestate_rate(trace_state: &str) -> Option<f64> {
    let ot = trace_state.split(',').find_map(|member| member.trim().strip_prefix("ot="))?;
    let threshold = ot.split(';').find_map(|field| field.strip_prefix("th:"))?;
    if threshold.is_empty() || threshold.len() > 14 {
        return None;
    }
    let digits = u64::from_str_radix(threshold, 16).ok()?;
    let rejected = digits << (4 * (14 - threshold.len()));
    Some(1.0 - rejected as f64 / (1u64 << 56) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_a_rejected_share() {
        assert_eq!(tracestate_rate("ot=th:0"), Some(1.0));
        assert_eq!(tracestate_rate("vendor=x,ot=rv:1;th:8"), Some(0.5));
        assert_eq!(tracestate_rate("ot=th:c"), Some(0.25));
        for none in ["", "ot=rv:1", "ot=th:", "ot=th:zz", "ot=th:123456789abcdef", "th:8"] {
            assert_eq!(tracestate_rate(none), None, "{none}");
        }
    }
}
