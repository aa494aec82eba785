//! All records of a trace, with what is known of their clocks.

use query::archive::{Effort, Window};
use query::interface::{ClocksRequest, Query, QueryError, SearchRequest};
use timeline::document::SearchRecord;
use timeline::id::TraceId;

use crate::waterfall::{Corrections, Waterfall};

/// A trace is shown with so many records at most; more than a person walks through.
const RECORDS_MAX: usize = 200_000;

/// So many of them are asked for at a time.
const PAGE: usize = 10_000;

/// The traffic of so long before and after a trace tells of its clocks, in nanoseconds.
const AROUND_NS: i128 = 300_000_000_000;

/// The records page by page, laid out. Who knows no corrections gets what the traffic around the trace proves.
pub fn of(
    query: &dyn Query,
    trace: TraceId,
    corrections: &Corrections,
    effort: &Effort,
) -> Result<Waterfall, QueryError> {
    let mut request = SearchRequest { query: format!("trace:{trace}"), limit: PAGE, before: None };
    let mut records = Vec::new();
    loop {
        let page = query.search(&request, effort)?;
        records.extend(page.records);
        let next = page.next.and_then(|next| next.parse().ok());
        if next.is_none() || next == request.before || records.len() >= RECORDS_MAX {
            let around = corrections.is_empty().then(|| by_traffic_around(query, &records, effort));
            let corrections = around.as_ref().unwrap_or(corrections);
            return Ok(Waterfall::new(trace, records, page.total, page.completeness, corrections));
        }
        request.before = next;
    }
}

/// What the traffic around `records` proves of their clocks; nothing where that cannot be told.
fn by_traffic_around(query: &dyn Query, records: &[SearchRecord], effort: &Effort) -> Corrections {
    let times = || records.iter().map(|record| record.time).filter(|time| time.is_set());
    let window = Window {
        since: times().min().map(|time| time.shifted(-AROUND_NS)),
        until: times().max().map(|time| time.shifted(AROUND_NS)),
    };
    // A trace is worth showing without: its screen names the services whose times are not corrected.
    let clocks = query.clocks(&ClocksRequest { window }, &effort.without_progress());
    clocks.map(|found| Corrections::new(&found.clocks, &found.processes)).unwrap_or_default()
}
