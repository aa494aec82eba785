//! Who sent records, and whole traces.

use std::collections::{BTreeMap, BTreeSet};

use timeline::document::{Operation, ServiceOperations, Services, Traces};
use timeline::id::{RecordId, TraceId};
use timeline::record::Record;

use super::Local;
use super::gather::TERMS_MAX;
use super::spend::Spend;
use crate::archive::{Archive, Effort};
use crate::export;
use crate::interface::{QueryError, ServicesRequest, TracesRequest};
use crate::language;

/// Who sent records, and the operations of each.
pub(super) fn services<A: Archive>(
    local: &Local<A>,
    request: &ServicesRequest,
    effort: &Effort,
) -> Result<Services, QueryError> {
    let operations = local.archive.operations(effort)?;
    let total = operations.services.len() as u64;
    let wanted = |service: &String| request.service.as_ref().is_none_or(|wanted| wanted == service);
    let services: Vec<ServiceOperations> = operations
        .services
        .into_iter()
        .filter(|(service, _)| wanted(service))
        .map(|(service, operations)| ServiceOperations {
            service,
            operations: operations.into_iter().map(|(name, kind)| Operation { name, kind }).collect(),
        })
        .collect();
    let completeness = local.completeness(operations.reasons, services.len() as u64, total)?;
    Ok(Services { schema: Services::SCHEMA.to_owned(), completeness, services })
}

/// The traces of which a record matches.
pub(super) fn of<A: Archive>(
    local: &Local<A>,
    request: &TracesRequest,
    effort: &Effort,
) -> Result<Traces, QueryError> {
    let (predicate, window) = language::parse(&request.query, (local.now)())?;
    let mut matching = BTreeSet::new();
    let mut latest = Vec::new();
    let visited = local.archive.visit(&predicate, window, effort, &mut |record| {
        let Some(trace) = record.trace_id().filter(|trace| matching.insert(*trace)) else { return };
        if latest.len() < request.limit {
            latest.push(trace);
        }
    })?;
    let mut spend = Spend::new(&local.archive, &effort.after(visited.read));
    let records = fetched(&mut spend, &latest)?;
    let traces = export::jaeger_traces(&records);
    let reasons = visited.reasons.into_iter().chain(spend.into_reasons()).collect();
    Ok(Traces {
        schema: Traces::SCHEMA.to_owned(),
        completeness: local.completeness(reasons, traces.len() as u64, matching.len() as u64)?,
        traces,
    })
}

/// All records of these traces, each once.
fn fetched<A: Archive>(
    spend: &mut Spend<'_, A>,
    traces: &[TraceId],
) -> Result<Vec<Record>, crate::archive::ArchiveError> {
    let mut records: BTreeMap<RecordId, Record> = BTreeMap::new();
    for some in traces.chunks(TERMS_MAX) {
        records.extend(spend.fetch(some)?.into_iter().map(|record| (record.id, record)));
    }
    Ok(records.into_values().collect())
}
