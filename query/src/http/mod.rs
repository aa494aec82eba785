//! The query API: the query interface over HTTP, in JSON. `docs/api.md` explains it, `docs/openapi.json`
//! describes it to machines.
//!
//! | file          | what it alone knows                                                  |
//! |---------------|----------------------------------------------------------------------|
//! | `asked.rs`    | the parameters of each question                                      |
//! | `work.rs`     | running a question: off the async threads, in turn, cancelled with its caller |
//! | `failure.rs`  | how a failure is told                                                |
//! | `host.rs`     | by which names the server goes                                       |
//! | `counts.rs`   | what was asked, in Prometheus' text form                             |
//! | `jaeger/`     | the same questions as Jaeger's clients ask them                      |

mod asked;
mod counts;
mod failure;
mod host;
mod jaeger;
#[cfg(test)]
mod tests;
mod work;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};

pub(crate) use self::asked::AnnotationsAsked;
use self::asked::{
    AffectedAsked, Asked, BundleAsked, ClocksAsked, DoctorAsked, EntitiesAsked, FindAsked, FindingsAsked,
    FollowAsked, IncidentsAsked, SearchAsked, ServicesAsked, StateAsked, TimelineAsked, Told, TracesAsked,
    WhyAsked,
};
use self::counts::Counts;
pub(crate) use self::failure::FailureDocument;
pub use self::failure::{Code, Failure};
use self::work::Workers;
use crate::interface::Query;

/// The routes, as [`router`] serves them.
pub const ROUTES: [&str; 22] = [
    "/v1/timeline/{*entity}",
    "/v1/find",
    "/v1/search",
    "/v1/follow",
    "/v1/stats",
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/v1/entities",
    "/v1/doctor",
    "/v1/records/{*entity}",
    "/v1/affected",
    "/v1/state/{*entity}",
    "/v1/findings",
    "/v1/why/{*entity}",
    "/v1/clocks",
    "/v1/incidents",
    "/v1/annotations",
    "/v1/bundle/{*entity}",
    "/v1/services",
    "/v1/traces",
];

/// How long the longest `follow` waits for a record, in seconds.
pub const WAIT_SECONDS_MAX: u64 = 60;
/// How often `follow` looks for new records while it waits.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(50);

/// What a server allows, and what it says of itself.
#[derive(Clone)]
pub struct Options {
    /// At most so many records are read for one question.
    pub records_max: u64,
    /// At most so many events stand in one timeline.
    pub events_max: usize,
    /// At most so many records stand in one page.
    pub page_max: usize,
    /// At most so many questions are worked on at once; others wait a little, then are told to come back.
    pub at_once: usize,
    /// Whether it can answer; else why not.
    pub ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// More metrics in Prometheus' text form, appended to those of the API itself.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            records_max: 1_000_000,
            events_max: 100_000,
            page_max: 10_000,
            at_once: 16,
            ready: Arc::new(|| Ok(())),
            metrics: Arc::new(String::new),
        }
    }
}

/// What the handlers share.
#[derive(Clone)]
struct Service {
    workers: Workers,
    options: Options,
    counts: Arc<Counts>,
}

/// The query API over `query`. Who may ask is for the caller to lay over it.
pub fn router(query: Arc<dyn Query>, options: Options) -> Router {
    let counts = Arc::new(Counts::default());
    let service = Service {
        workers: Workers::new(query, options.at_once, options.records_max),
        options,
        counts: Arc::clone(&counts),
    };
    Router::new()
        .route(ROUTES[0], get(timeline))
        .route(ROUTES[1], get(find))
        .route(ROUTES[2], get(search))
        .route(ROUTES[3], get(follow))
        .route(ROUTES[4], get(stats))
        .route(ROUTES[5], get(openapi))
        .route(ROUTES[6], get(healthz))
        .route(ROUTES[7], get(readyz))
        .route(ROUTES[8], get(metrics))
        .route(ROUTES[9], get(entities))
        .route(ROUTES[10], get(doctor))
        .route(ROUTES[12], get(affected))
        .route(ROUTES[11], get(records))
        .route(ROUTES[13], get(state))
        .route(ROUTES[14], get(findings))
        .route(ROUTES[15], get(why))
        .route(ROUTES[16], get(clocks))
        .route(ROUTES[17], get(incidents))
        .route(ROUTES[18], get(annotations).post(annotate))
        .route(ROUTES[19], get(bundle))
        .route(ROUTES[20], get(services))
        .route(ROUTES[21], get(traces))
        .merge(jaeger::router())
        .fallback(nothing_here)
        .method_not_allowed_fallback(only_get)
        .with_state(service)
        .layer(middleware::from_fn(host::check))
        .layer(middleware::from_fn_with_state(counts, counts::count))
}

async fn timeline(State(service): State<Service>, asked: Asked<TimelineAsked>) -> Result<Response, Failure> {
    let request = asked.request(service.options.events_max)?;
    service.workers.answer(asked.budget, move |query, effort| query.timeline(&request, effort)).await
}

async fn records(State(service): State<Service>, asked: Asked<TimelineAsked>) -> Result<Response, Failure> {
    let request = asked.request(service.options.events_max)?;
    service.workers.answer(asked.budget, move |query, effort| query.records(&request, effort)).await
}

/// The file's bytes, as `backstory open` reads them.
async fn bundle(State(service): State<Service>, asked: Asked<BundleAsked>) -> Result<Response, Failure> {
    let request = asked.request()?;
    let bundle =
        service.workers.ask(asked.budget, move |query, effort| query.bundle(&request, effort)).await?;
    match bundle.to_bytes() {
        Ok(bytes) => Ok(([(header::CONTENT_TYPE, "application/zstd")], bytes).into_response()),
        Err(error) => Err(Failure::new(Code::Internal, error.to_string())),
    }
}

async fn why(State(service): State<Service>, asked: Asked<WhyAsked>) -> Result<Response, Failure> {
    let request = asked.request()?;
    service.workers.answer(asked.budget, move |query, effort| query.why(&request, effort)).await
}

async fn clocks(State(service): State<Service>, asked: Asked<ClocksAsked>) -> Result<Response, Failure> {
    let request = asked.request()?;
    service.workers.answer(asked.budget, move |query, effort| query.clocks(&request, effort)).await
}

async fn find(State(service): State<Service>, asked: Asked<FindAsked>) -> Result<Response, Failure> {
    let FindAsked { value, budget } = asked.0;
    service.workers.answer(budget, move |query, effort| query.find(&value, effort)).await
}

async fn search(State(service): State<Service>, asked: Asked<SearchAsked>) -> Result<Response, Failure> {
    let request = asked.request(service.options.page_max)?;
    service.workers.answer(asked.budget, move |query, effort| query.search(&request, effort)).await
}

/// Waits for a record to arrive, if asked to, as long as asked to.
async fn follow(State(service): State<Service>, asked: Asked<FollowAsked>) -> Result<Response, Failure> {
    let mut request = asked.request(service.options.page_max)?;
    let deadline = Instant::now() + Duration::from_secs(asked.wait.min(WAIT_SECONDS_MAX));
    loop {
        let question = request.clone();
        let look = service.workers.ask(asked.budget, move |query, effort| query.follow(&question, effort));
        let answer = look.await?;
        let waits = request.after.is_some() && answer.records.is_empty() && Instant::now() < deadline;
        if !waits {
            return Ok(work::json(&answer));
        }
        // What did not match need not be looked at again.
        request.after = answer.after.and_then(|after| after.parse().ok());
        tokio::time::sleep(FOLLOW_INTERVAL).await;
    }
}

async fn entities(State(service): State<Service>, asked: Asked<EntitiesAsked>) -> Result<Response, Failure> {
    let request = asked.request(service.options.page_max)?;
    service.workers.answer(asked.budget, move |query, effort| query.entities(&request, effort)).await
}

async fn affected(State(service): State<Service>, asked: Asked<AffectedAsked>) -> Result<Response, Failure> {
    let request = asked.request(service.options.page_max)?;
    service.workers.answer(asked.budget, move |query, effort| query.affected(&request, effort)).await
}

async fn doctor(State(service): State<Service>, asked: Asked<DoctorAsked>) -> Result<Response, Failure> {
    let request = asked.request()?;
    service.workers.answer(asked.budget, move |query, effort| query.doctor(&request, effort)).await
}

async fn state(State(service): State<Service>, asked: Asked<StateAsked>) -> Result<Response, Failure> {
    let request = asked.request()?;
    service.workers.answer(asked.budget, move |query, effort| query.state(&request, effort)).await
}

async fn findings(State(service): State<Service>, asked: Asked<FindingsAsked>) -> Result<Response, Failure> {
    let request = asked.request(service.options.page_max)?;
    service.workers.answer(asked.budget, move |query, effort| query.findings(&request, effort)).await
}

async fn incidents(
    State(service): State<Service>,
    asked: Asked<IncidentsAsked>,
) -> Result<Response, Failure> {
    let request = asked.request(service.options.page_max)?;
    service.workers.answer(asked.budget, move |query, effort| query.incidents(&request, effort)).await
}

async fn annotations(State(service): State<Service>) -> Result<Response, Failure> {
    service.workers.answer(None, |query, _| query.annotations()).await
}

async fn annotate(State(service): State<Service>, told: Told<AnnotationsAsked>) -> Result<Response, Failure> {
    service.workers.answer(None, move |query, _| query.annotate(&told.0.annotations)).await
}

async fn services(State(service): State<Service>, asked: Asked<ServicesAsked>) -> Result<Response, Failure> {
    let request = asked.request()?;
    service.workers.answer(asked.budget, move |query, effort| query.services(&request, effort)).await
}

async fn traces(State(service): State<Service>, asked: Asked<TracesAsked>) -> Result<Response, Failure> {
    let request = asked.request(service.options.page_max)?;
    service.workers.answer(asked.budget, move |query, effort| query.traces(&request, effort)).await
}

async fn stats(State(service): State<Service>) -> Result<Response, Failure> {
    service.workers.answer(None, |query, _| query.stats()).await
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("../../../docs/openapi.json")).into_response()
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(service): State<Service>) -> Response {
    match (service.options.ready)() {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn metrics(State(service): State<Service>) -> Response {
    let text = service.counts.to_prometheus() + &(service.options.metrics)();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

async fn nothing_here() -> Failure {
    Failure::new(Code::NotFound, format!("there is nothing here; there is {}", ROUTES.join(", ")))
}

async fn only_get(method: Method) -> Failure {
    Failure::new(
        Code::MethodNotAllowed,
        format!("{method} is not answered here: questions are asked by GET, annotations are written by POST"),
    )
}
