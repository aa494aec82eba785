//! What the receivers did, counted by request: nothing they turn away goes unseen.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use journal::Receipt;
use journal::otlp::{Checked, Signal};
use parking_lot::Mutex;
use serde::Serialize;

use crate::receiver::Route;
use crate::refusal::Refusal;

/// How often one kind of refusal is worth a line in the log.
const QUIET: Duration = Duration::from_secs(60);

/// What the receivers did since they started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Requests acknowledged: durable, repeats among them.
    pub requests: u64,
    /// Requests that had been received before: acknowledged, and not written again.
    pub repeated: u64,
    /// Spans in them.
    pub spans: u64,
    /// Log records in them.
    pub logs: u64,
    /// Bytes of them, after the content coding was undone.
    pub bytes: u64,
    /// Spans and log records refused one by one, told in a partial success.
    pub refused_items: u64,
    /// What was odd in items that were kept: ids, times, texts and keys that senders should mend.
    pub defects: u64,
    /// Stamps carried by spans and logs that are none: ignored.
    pub invalid_stamps: u64,
    /// Requests that could not be read: bad bytes, an unknown coding, a wrong path.
    pub malformed: u64,
    /// Requests over the limit.
    pub too_large: u64,
    /// Requests without a token that is known.
    pub unauthenticated: u64,
    /// Requests told to come back because too many bytes were in flight.
    pub busy: u64,
    /// Requests told to come back because the journal could not take them.
    pub unavailable: u64,
    /// Requests whose body stalled or ended early.
    pub broken_off: u64,
    /// Requests of metrics: acknowledged and dropped.
    pub metrics_dropped: u64,
    /// Requests of profiles: acknowledged and dropped.
    pub profiles_dropped: u64,
    /// Bytes held now, between a socket and the journal's sync.
    pub bytes_in_flight: u64,
    /// Connections open now.
    pub connections: u64,
}

/// The counters behind [`Counts`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    repeated: AtomicU64,
    spans: AtomicU64,
    logs: AtomicU64,
    bytes: AtomicU64,
    refused_items: AtomicU64,
    defects: AtomicU64,
    invalid_stamps: AtomicU64,
    metrics_dropped: AtomicU64,
    profiles_dropped: AtomicU64,
    pub(crate) connections: AtomicU64,
    malformed: Kind,
    too_large: Kind,
    unauthenticated: Kind,
    busy: Kind,
    unavailable: Kind,
    broken_off: Kind,
}

/// One kind of refusal: how often, and when it last was worth a line.
#[derive(Debug, Default)]
struct Kind {
    count: AtomicU64,
    told: Mutex<Option<Instant>>,
}

impl Counters {
    /// Counts a refusal, and logs the first of its kind in every minute.
    pub(crate) fn refusal(&self, refusal: &Refusal, peer: &str) {
        let kind = match refusal {
            Refusal::Malformed(_) | Refusal::Coding { .. } | Refusal::NoSuchMethod(_) => &self.malformed,
            Refusal::TooLarge { .. } => &self.too_large,
            Refusal::Token => &self.unauthenticated,
            Refusal::Busy { .. } => &self.busy,
            Refusal::Unavailable { .. } => &self.unavailable,
            Refusal::Stalled(_) | Refusal::Cut(_) => &self.broken_off,
        };
        let count = kind.count.fetch_add(1, Ordering::Relaxed) + 1;
        let mut told = kind.told.lock();
        if told.is_none_or(|at| at.elapsed() >= QUIET) {
            *told = Some(Instant::now());
            tracing::warn!(peer, count, "refused a request: {refusal}");
        }
    }

    /// Counts a request that is durable.
    pub(crate) fn accepted(&self, signal: Signal, checked: &Checked, bytes: usize, receipt: &Receipt) {
        let add = |counter: &AtomicU64, n: u64| counter.fetch_add(n, Ordering::Relaxed);
        let refused = checked.refused.len() as u64;
        let kept = u64::from(checked.items).saturating_sub(refused);
        add(&self.requests, 1);
        add(&self.repeated, u64::from(receipt.repeated));
        add(&self.bytes, bytes as u64);
        add(&self.refused_items, refused);
        add(&self.defects, checked.defects.counts().into_iter().map(u64::from).sum());
        add(&self.invalid_stamps, u64::from(checked.defects.invalid_stamps));
        match signal {
            Signal::Traces => add(&self.spans, kept),
            Signal::Logs => add(&self.logs, kept),
        };
    }

    /// Counts a request that was acknowledged and dropped.
    pub(crate) fn dropped(&self, route: Route) {
        let counter = match route {
            Route::Keep(_) => return,
            Route::DropMetrics => &self.metrics_dropped,
            Route::DropProfiles => &self.profiles_dropped,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, bytes_in_flight: usize) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            requests: of(&self.requests),
            repeated: of(&self.repeated),
            spans: of(&self.spans),
            logs: of(&self.logs),
            bytes: of(&self.bytes),
            refused_items: of(&self.refused_items),
            defects: of(&self.defects),
            invalid_stamps: of(&self.invalid_stamps),
            malformed: of(&self.malformed.count),
            too_large: of(&self.too_large.count),
            unauthenticated: of(&self.unauthenticated.count),
            busy: of(&self.busy.count),
            unavailable: of(&self.unavailable.count),
            broken_off: of(&self.broken_off.count),
            metrics_dropped: of(&self.metrics_dropped),
            profiles_dropped: of(&self.profiles_dropped),
            bytes_in_flight: bytes_in_flight as u64,
            connections: of(&self.connections),
        }
    }
}
