//! What one service's telemetry carries.

use super::sample::{Merge, Sample};
use super::spoken;
use super::tally::Tally;
use crate::document::Aspect;
use crate::record::{Body, Record, Resource};
use crate::streams::Known;
use crate::time::Time;

/// Distinct instances are counted exactly up to so many.
const INSTANCES_MAX: usize = 1_000;
/// So many instrumentation scopes and languages are told.
const LIBRARIES_MAX: usize = 32;

/// How many of those that could carry something do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) seen: u64,
    pub(crate) of: u64,
}

impl Share {
    fn note(&mut self, seen: bool) {
        self.seen += u64::from(seen);
        self.of += 1;
    }
}

/// Counts of one service.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) tally: Tally,
    pub(crate) spans: u64,
    pub(crate) logs: u64,
    pub(crate) languages: Sample<u64>,
    pub(crate) libraries: Sample<u64>,
    pub(crate) instances: Sample<()>,
    pub(crate) span_stream: Known,
    pub(crate) log_stream: Known,
    pub(crate) clock: Stamps,
    /// By [`Aspect`], in the order of [`Aspect::ALL`].
    shares: [Share; Aspect::ALL.len()],
}

impl Default for Service {
    fn default() -> Service {
        Service {
            tally: Tally::default(),
            spans: 0,
            logs: 0,
            languages: Sample::new(LIBRARIES_MAX),
            libraries: Sample::new(LIBRARIES_MAX),
            instances: Sample::new(INSTANCES_MAX),
            span_stream: Known::default(),
            log_stream: Known::default(),
            clock: Stamps::default(),
            shares: [Share::default(); Aspect::ALL.len()],
        }
    }
}

impl Service {
    /// Takes in one record of the service.
    pub(crate) fn note(&mut self, record: &Record) {
        self.tally.note(record.time());
        self.note_resource(&record.resource);
        if !record.scope.name.is_empty() {
            self.libraries.note(&record.scope.name);
        }
        let mut said = |aspect: Aspect, seen: bool| self.shares[aspect as usize].note(seen);
        match &record.body {
            Body::Span(span) => {
                spoken::span(span, &mut said);
                self.spans += 1;
                self.span_stream.note(record);
                self.clock.note(span.start, span.end, record);
            }
            Body::Log(log) => {
                spoken::log(record, log, &mut said);
                self.logs += 1;
                self.log_stream.note(record);
                self.clock.note(log.time, Time::UNSET, record);
            }
        }
    }

    fn note_resource(&mut self, resource: &Resource) {
        let mut said = |aspect: Aspect, names: &[&str]| {
            let seen = resource.attributes.get_any(names).is_some();
            self.shares[aspect as usize].note(seen);
        };
        said(Aspect::Host, &["host.id", "host.name", "k8s.node.uid", "k8s.node.name"]);
        said(Aspect::Instance, &["service.instance.id"]);
        said(Aspect::ServiceVersion, &["service.version"]);
        said(Aspect::Environment, &["deployment.environment.name", "deployment.environment"]);
        let named = resource.text("service.name").is_some_and(|name| !name.starts_with("unknown_service"));
        self.shares[Aspect::ServiceName as usize].note(named);
        if let Some(language) = resource.text("telemetry.sdk.language") {
            self.languages.note(language);
        }
        if let Some(instance) = resource.text("service.instance.id") {
            self.instances.tally(instance);
        }
    }

    /// How many that could carry `aspect` do, as far as single records tell.
    pub(crate) fn share(&self, aspect: Aspect) -> Share {
        self.shares[aspect as usize]
    }
}

impl Merge for Service {
    fn merge(&mut self, other: Service) {
        self.tally.merge(other.tally);
        self.spans += other.spans;
        self.logs += other.logs;
        self.languages.merge(other.languages);
        self.libraries.merge(other.libraries);
        self.instances.merge(other.instances);
        self.span_stream.merge(other.span_stream);
        self.log_stream.merge(other.log_stream);
        self.clock.merge(other.clock);
        for (own, other) in self.shares.iter_mut().zip(other.shares) {
            own.seen += other.seen;
            own.of += other.of;
        }
    }
}

/// What a service's times say of its clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamps {
    /// How many starts and log times are set.
    pub(crate) set: u64,
    /// How many are not.
    pub(crate) unset: u64,
    /// How many of the set ones are whole milliseconds.
    pub(crate) whole_ms: u64,
    /// How many spans end before they start.
    pub(crate) backwards: u64,
    /// By how much the latest stamp lies past its arrival, in nanoseconds: so far, at least, the clock is ahead
    /// of the collector's.
    pub(crate) ahead_ns: u64,
}

impl Stamps {
    fn note(&mut self, time: Time, end: Time, record: &Record) {
        self.set += u64::from(time.is_set());
        self.unset += u64::from(!time.is_set());
        self.whole_ms += u64::from(time.is_set() && time.0.is_multiple_of(1_000_000));
        self.backwards += u64::from(end.is_set() && end < time);
        if let Some(arrival) = record.arrival {
            self.ahead_ns = self.ahead_ns.max(time.max(end).0.saturating_sub(arrival.wall_ns()));
        }
    }

    fn merge(&mut self, other: Stamps) {
        self.set += other.set;
        self.unset += other.unset;
        self.whole_ms += other.whole_ms;
        self.backwards += other.backwards;
        self.ahead_ns = self.ahead_ns.max(other.ahead_ns);
    }
}
