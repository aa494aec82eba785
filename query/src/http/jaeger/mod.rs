//! Jaeger's query API over the same questions, so that its UI and Grafana's data source read from here.
//! `docs/jaeger.md` tells how to point them at it.
//!
//! | file          | what it alone knows                                    |
//! |---------------|--------------------------------------------------------|
//! | `asked.rs`    | Jaeger's parameters, as queries in the search language |
//! | `answer.rs`   | Jaeger's envelope around data and errors               |
//!
//! Parameters that Jaeger does not know it passes over, and so does this: its clients send some.

mod answer;
mod asked;

use std::collections::BTreeSet;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use timeline::document::{Operation, Traces};
use timeline::id::TraceId;

use self::answer::{Answer, Problem, Refusal};
use self::asked::{Parameters, TracesAsked};
use super::failure::{Code, Failure};
use super::{Service, asked::now};
use crate::interface::{ServicesRequest, TracesRequest};

/// The routes, the more particular first.
pub(super) const ROUTES: [&str; 6] = [
    "/api/services/{service}/operations",
    "/api/services",
    "/api/operations",
    "/api/traces/{id}",
    "/api/traces",
    "/api/{*other}",
];

/// Whether a path is one of Jaeger's.
pub(super) fn is_path(path: &str) -> bool {
    path.starts_with("/api/")
}

pub(super) fn router() -> Router<Service> {
    Router::new()
        .route(ROUTES[0], get(operation_names))
        .route(ROUTES[1], get(services))
        .route(ROUTES[2], get(operations))
        .route(ROUTES[3], get(trace))
        .route(ROUTES[4], get(traces))
        .route(ROUTES[5], get(nothing_here))
}

/// A failure in Jaeger's envelope.
pub(super) fn refusal(failure: Failure) -> Response {
    axum::response::IntoResponse::into_response(Refusal(failure))
}

/// Jaeger's word for one operation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationKind {
    name: String,
    span_kind: &'static str,
}

async fn services(State(service): State<Service>) -> Result<Json<Answer<Vec<String>>>, Refusal> {
    let question = ServicesRequest::default();
    let told = service.workers.ask(None, move |query, effort| query.services(&question, effort)).await?;
    let names: Vec<String> = told.services.into_iter().map(|one| one.service).collect();
    Ok(Json(Answer::whole(names.len(), names).with_lacks(&told.completeness)))
}

async fn operation_names(
    State(service): State<Service>,
    Path(of): Path<String>,
) -> Result<Json<Answer<Vec<String>>>, Refusal> {
    let (operations, problems) = operations_of(&service, of).await?;
    let names: BTreeSet<String> = operations.into_iter().map(|operation| operation.name).collect();
    Ok(Json(Answer::whole(names.len(), names.into_iter().collect()).with(problems)))
}

async fn operations(
    State(service): State<Service>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Answer<Vec<OperationKind>>>, Refusal> {
    let (of, kind) = asked::operations(&parameters)?;
    let (operations, problems) = operations_of(&service, of).await?;
    let wanted = operations.into_iter().filter(|operation| kind.is_none_or(|kind| kind == operation.kind));
    let operations: Vec<OperationKind> =
        wanted.map(|Operation { name, kind }| OperationKind { name, span_kind: kind.as_str() }).collect();
    Ok(Json(Answer::whole(operations.len(), operations).with(problems)))
}

async fn operations_of(service: &Service, of: String) -> Result<(Vec<Operation>, Vec<Problem>), Refusal> {
    let question = ServicesRequest { service: Some(of) };
    let told = service.workers.ask(None, move |query, effort| query.services(&question, effort)).await?;
    let operations = told.services.into_iter().flat_map(|one| one.operations).collect();
    Ok((operations, answer::lacks(&told.completeness)))
}

async fn traces(
    State(service): State<Service>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Answer<Vec<serde_json::Value>>>, Refusal> {
    let asked = TracesAsked::read(&parameters, now())?;
    let limit = asked.limit;
    let told = ask(&service, asked.request()).await?;
    let missing = asked.ids.iter().filter(|id| !told.traces.iter().any(|trace| is(trace, **id)));
    let problems: Vec<Problem> = missing.map(|id| Problem::not_found(*id)).collect();
    let total = told.completeness.total;
    let answer = Answer { limit: limit as u64, total, ..Answer::whole(0, told.traces) };
    Ok(Json(answer.with(problems).with_lacks(&told.completeness)))
}

async fn trace(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Json<Answer<Vec<serde_json::Value>>>, Refusal> {
    let id = asked::trace_id(&id)?;
    let told = ask(&service, TracesRequest { query: format!("trace:{id}"), limit: 1 }).await?;
    if told.traces.is_empty() {
        return Err(Failure::new(Code::NotFound, "trace not found").into());
    }
    Ok(Json(Answer::whole(1, told.traces).with_lacks(&told.completeness)))
}

async fn nothing_here() -> Refusal {
    let there = ROUTES.split_last().map_or(&[][..], |(_, known)| known).join(", ");
    Refusal(Failure::new(Code::NotFound, format!("of Jaeger's API there is {there}")))
}

async fn ask(service: &Service, question: TracesRequest) -> Result<Traces, Refusal> {
    Ok(service.workers.ask(None, move |query, effort| query.traces(&question, effort)).await?)
}

fn is(trace: &serde_json::Value, id: TraceId) -> bool {
    trace["traceID"].as_str().is_some_and(|own| own == id.to_string())
}
