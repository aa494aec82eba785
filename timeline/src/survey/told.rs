//! From counts to the public documents.

use std::collections::BTreeMap;

use super::Survey;
use super::kinds::{Held, Key, Kind};
use super::sample::Sample;
use super::service::Service;
use super::traces::Ways;
use crate::doctor::{self, Chart};
use crate::document::{
    Aspect, Check, Completeness, Diagnosis, Doctor, Entities, EntityKey, EntityType, NamePlace, Presence,
    SeenCopy, Stream, StreamState,
};
use crate::naming::How;

/// The type that advice speaks of where no record names one.
const THING: &str = "order";
/// A clock so little ahead of the collector's is not worth a word: stamps and ticks are coarse.
const AHEAD_NS_MIN: u64 = 5_000_000;

impl Survey {
    /// The types that records name, most records first and at most `limit`; of a survey of one type, that type
    /// and at most `limit` of its keys, the latest first.
    pub fn entities(&self, completeness: Completeness, limit: usize) -> Entities {
        let mut types: Vec<EntityType> = self
            .kinds
            .iter()
            .filter(|(name, _)| self.asked.as_deref().is_none_or(|asked| asked == *name))
            .map(|(name, kind)| told_type(name, kind))
            .collect();
        types.sort_by(|a, b| {
            let rank = |kind: &EntityType| (kind.guessed, std::cmp::Reverse(kind.records));
            rank(a).cmp(&rank(b)).then_with(|| a.kind.cmp(&b.kind))
        });
        let kinds = self.kinds.count();
        let keys = self.keys.count();
        let (total, exact) = match self.asked {
            None => (kinds.count, kinds.exact),
            Some(_) => (keys.count, keys.exact),
        };
        if self.asked.is_none() {
            types.truncate(limit);
        }
        let entities = self.latest_keys(limit);
        let shown = if self.asked.is_none() { types.len() } else { entities.len() } as u64;
        Entities { schema: Entities::SCHEMA.to_owned(), completeness, types, entities, shown, total, exact }
    }

    fn latest_keys(&self, limit: usize) -> Vec<EntityKey> {
        let Some(asked) = &self.asked else { return Vec::new() };
        let mut keys: Vec<(&str, &Key)> = self.keys.iter().collect();
        keys.sort_by(|a, b| b.1.tally.last.cmp(&a.1.tally.last).then_with(|| a.0.cmp(b.0)));
        keys.truncate(limit);
        let told = |(identity, key): (&str, &Key)| {
            // An environment may hold a slash, a key holds none: it is percent-encoded.
            let own = identity.rsplit_once('/').map_or(identity, |(_, own)| own);
            EntityKey {
                entity: format!("{asked}/{own}"),
                scope: key.scope().to_owned(),
                records: key.tally.records,
                first: key.tally.first,
                last: key.tally.last,
            }
        };
        keys.into_iter().map(told).collect()
    }

    /// What of each service, or of `service` alone, can be judged, and what would unlock more.
    pub fn doctor(&self, completeness: Completeness, service: Option<&str>) -> Doctor {
        let ways = self.traces.ways();
        let (traces, all_traces) = self.traces.looked_at();
        let types = self.entities(Completeness::default(), 1).types;
        let thing = types.first().map_or(THING, |first| first.kind.as_str());
        let asked = self.services.sorted().into_iter();
        let asked = asked.filter(|(name, _)| service.is_none_or(|asked| asked == *name));
        let services: Vec<Diagnosis> =
            asked.map(|(name, counted)| diagnosis(name, counted, &ways, thing)).collect();
        Doctor { schema: Doctor::SCHEMA.to_owned(), completeness, traces, all_traces, services }
    }
}

fn told_type(name: &str, kind: &Kind) -> EntityType {
    let keys = kind.keys.count();
    let mut places: Vec<NamePlace> = kind
        .places
        .iter()
        .map(|(name, place)| NamePlace {
            how: place.how.map_or("", How::name).to_owned(),
            place: name.to_owned(),
            records: place.records,
            example: place.example.clone().unwrap_or_default(),
        })
        .collect();
    places.sort_by(|a, b| b.records.cmp(&a.records).then_with(|| a.place.cmp(&b.place)));
    EntityType {
        kind: name.to_owned(),
        keys: keys.count,
        exact: keys.exact,
        guessed: kind.tally.records > 0 && kind.places.iter().all(|(_, place)| place.how == Some(How::Text)),
        records: kind.tally.records,
        first: kind.tally.first,
        last: kind.tally.last,
        scopes: most(&kind.scopes).into_iter().filter(|scope| !scope.is_empty()).collect(),
        services: most(&kind.services),
        copies: told_copies(kind),
        places,
    }
}

/// Those written to most come first: the owner of a state is among them.
fn told_copies(kind: &Kind) -> Vec<SeenCopy> {
    let told = |(name, held): (&str, &Held)| SeenCopy {
        copy: name.to_owned(),
        records: held.records,
        writes: held.writes,
    };
    let mut copies: Vec<SeenCopy> = kind.copies.iter().map(told).collect();
    copies
        .sort_by(|a, b| (b.writes, b.records).cmp(&(a.writes, a.records)).then_with(|| a.copy.cmp(&b.copy)));
    copies
}

/// The names kept, most often seen first.
fn most(sample: &Sample<u64>) -> Vec<String> {
    sample.most_seen().into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn diagnosis(name: &str, service: &Service, ways: &BTreeMap<&str, Ways>, thing: &str) -> Diagnosis {
    let ways = ways.get(name).copied().unwrap_or_default();
    let chart = Chart {
        language: most(&service.languages).into_iter().next(),
        libraries: most(&service.libraries),
        thing: thing.to_owned(),
        checks: Aspect::ALL.into_iter().map(|aspect| check(aspect, service, ways, name)).collect(),
    };
    Diagnosis {
        service: name.to_owned(),
        instances: service.instances.count().count,
        spans: service.spans,
        logs: service.logs,
        first: service.tally.first,
        last: service.tally.last,
        findings: doctor::judgeable(&chart),
        next: doctor::next(&chart),
        language: chart.language,
        libraries: chart.libraries,
        checks: chart.checks,
    }
}

fn check(aspect: Aspect, service: &Service, ways: Ways, name: &str) -> Check {
    let share = service.share(aspect);
    let (seen, of) = match aspect {
        Aspect::Spans => (service.spans, service.spans),
        Aspect::Logs => (service.logs, service.logs),
        Aspect::Entities => (ways.known(), ways.spans()),
        Aspect::Clock => (service.clock.set - service.clock.whole_ms, service.clock.set),
        _ => (share.seen, share.of),
    };
    let mut state = match aspect {
        Aspect::Commits if seen > 0 => Presence::Present,
        Aspect::Logs | Aspect::Spans if seen == 0 => Presence::Absent,
        _ => doctor::presence(seen, of),
    };
    let mut detail = doctor::detail(aspect, state, seen, of);
    match aspect {
        Aspect::Spans | Aspect::Logs => detail = format!("{seen} came"),
        Aspect::Entities if ways.spans() > 0 => detail = told_ways(ways),
        Aspect::Whole => (state, detail) = whole(service, name),
        Aspect::Clock => told_clock(service, &mut state, &mut detail),
        _ => {}
    }
    Check { name: aspect, state, seen, of, detail }
}

/// By the surest way in which spans come to an entity.
fn told_ways(ways: Ways) -> String {
    let share = |count: u64| (100.0 * count as f64 / ways.spans() as f64).round();
    let told = [
        (ways.own, "name one"),
        (ways.ancestor, "by an ancestor"),
        (ways.log, "by a log line only"),
        (ways.trace, "by their trace only"),
        (ways.none, "by nothing"),
    ];
    let parts = told.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, way)| format!("{} % {way}", share(*count))).collect();
    format!("of {} spans {}", ways.spans(), parts.join(", "))
}

fn whole(service: &Service, name: &str) -> (Presence, String) {
    let streams = [
        (service.spans > 0).then(|| service.span_stream.stream(name, "spans")),
        (service.logs > 0).then(|| service.log_stream.stream(name, "logs")),
    ];
    let rows: Vec<Stream> = streams.into_iter().flatten().collect();
    let told = |row: &Stream| {
        let evidence = row.evidence.as_deref().unwrap_or("");
        match row.state {
            StreamState::Whole => format!("{} whole ({evidence})", row.signal),
            StreamState::Unknown => format!("{}: nothing says whether they are sampled", row.signal),
            StreamState::Lossy => format!("{}: the SDK dropped something ({evidence})", row.signal),
            StreamState::Sampled => {
                let rate = 100.0 * row.rate.unwrap_or_default();
                format!("{} sampled at {rate:.0} % ({evidence})", row.signal)
            }
        }
    };
    let state = rows.iter().map(|row| match row.state {
        StreamState::Whole => Presence::Present,
        StreamState::Unknown => Presence::Partial,
        StreamState::Lossy | StreamState::Sampled => Presence::Absent,
    });
    (state.max().unwrap_or(Presence::NotApplicable), rows.iter().map(told).collect::<Vec<_>>().join("; "))
}

fn told_clock(service: &Service, state: &mut Presence, detail: &mut String) {
    let clock = service.clock;
    if clock.set > 0 && clock.whole_ms == clock.set {
        *detail =
            "stamps are whole milliseconds: events that close are ordered by their causes only".to_owned();
    } else if clock.whole_ms > 0 && clock.set > 0 {
        let share = 100.0 * clock.whole_ms as f64 / clock.set as f64;
        *detail = format!("{share:.0} % of stamps are whole milliseconds");
    }
    if clock.backwards > 0 {
        *state = (*state).max(Presence::Partial);
        detail.push_str(&format!("; {} spans end before they start", clock.backwards));
    }
    if clock.unset > 0 {
        *state = (*state).max(Presence::Partial);
        detail.push_str(&format!("; {} records have no time", clock.unset));
    }
    if clock.ahead_ns >= AHEAD_NS_MIN {
        let seconds = clock.ahead_ns as f64 / 1e9;
        detail.push_str(&format!("; at least {seconds:.3} s ahead of the collector"));
    }
}
