//! The parameters of each question.

use std::ops::Deref;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use timeline::annotation::IncidentStatus;
use timeline::record::Position;
use timeline::state::Moment;
use timeline::time::Time;

use super::failure::{Code, Failure};
use crate::annotations::ToWrite;
use crate::archive::Window;
use crate::interface::{
    AffectedRequest, ClocksRequest, DoctorRequest, EntitiesRequest, FindingsRequest, FollowRequest,
    IncidentsRequest, SearchRequest, ServicesRequest, StateRequest, TimelineRequest, TracesRequest,
    WhyRequest,
};
use crate::language::parse_time;

/// A question's text is at most so long, in bytes.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// The records of a page where nobody said how many.
const PAGE_DEFAULT: usize = 100;

/// `/v1/timeline/{entity}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimelineAsked {
    /// From the path, not from a parameter.
    #[serde(skip)]
    entity: String,
    since: Option<String>,
    until: Option<String>,
    events: Option<usize>,
    #[serde(default)]
    brief: bool,
    pub(super) budget: Option<u64>,
}

/// `/v1/bundle/{entity}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BundleAsked {
    /// From the path, not from a parameter.
    #[serde(skip)]
    entity: String,
    since: Option<String>,
    until: Option<String>,
    pub(super) budget: Option<u64>,
}

/// `/v1/why/{entity}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhyAsked {
    /// From the path, not from a parameter.
    #[serde(skip)]
    entity: String,
    a: String,
    b: Option<String>,
    since: Option<String>,
    until: Option<String>,
    pub(super) budget: Option<u64>,
}

/// `/v1/clocks`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClocksAsked {
    since: Option<String>,
    until: Option<String>,
    pub(super) budget: Option<u64>,
}

/// `/v1/find`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FindAsked {
    pub(super) value: String,
    pub(super) budget: Option<u64>,
}

/// `/v1/search`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchAsked {
    #[serde(default)]
    query: String,
    limit: Option<usize>,
    before: Option<String>,
    pub(super) budget: Option<u64>,
}

/// `/v1/follow`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowAsked {
    #[serde(default)]
    query: String,
    limit: Option<usize>,
    after: Option<String>,
    /// Seconds.
    #[serde(default)]
    pub(super) wait: u64,
    pub(super) budget: Option<u64>,
}

/// `/v1/entities`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntitiesAsked {
    #[serde(rename = "type")]
    kind: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<usize>,
    pub(super) budget: Option<u64>,
}

/// `/v1/affected`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AffectedAsked {
    finding: String,
    entity: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<usize>,
    pub(super) budget: Option<u64>,
}

/// `/v1/doctor`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoctorAsked {
    service: Option<String>,
    since: Option<String>,
    until: Option<String>,
    pub(super) budget: Option<u64>,
}

/// `/v1/state/{entity}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateAsked {
    /// From the path, not from a parameter.
    #[serde(skip)]
    entity: String,
    at: Option<String>,
    event: Option<String>,
    pub(super) budget: Option<u64>,
}

/// `/v1/findings`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FindingsAsked {
    entity: Option<String>,
    /// Several with commas between them.
    kind: Option<String>,
    service: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    rescan: bool,
    pub(super) budget: Option<u64>,
}

/// `/v1/incidents`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IncidentsAsked {
    incident: Option<String>,
    status: Option<IncidentStatus>,
    since: Option<String>,
    until: Option<String>,
    entities: Option<usize>,
    limit: Option<usize>,
    pub(super) budget: Option<u64>,
}

/// `/v1/services`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServicesAsked {
    service: Option<String>,
    pub(super) budget: Option<u64>,
}

/// `/v1/traces`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TracesAsked {
    #[serde(default)]
    query: String,
    limit: Option<usize>,
    pub(super) budget: Option<u64>,
}

/// What is posted to `/v1/annotations`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnnotationsAsked {
    /// What to write, in this order.
    pub(crate) annotations: Vec<ToWrite>,
}

impl TimelineAsked {
    pub(super) fn request(&self, events_max: usize) -> Result<TimelineRequest, Failure> {
        Ok(TimelineRequest {
            entity: short("the entity", &self.entity)?,
            window: window(self.since.as_deref(), self.until.as_deref())?,
            events_max: self.events.unwrap_or(events_max).min(events_max),
            brief: self.brief,
        })
    }
}

impl BundleAsked {
    pub(super) fn request(&self) -> Result<TimelineRequest, Failure> {
        let window = window(self.since.as_deref(), self.until.as_deref())?;
        Ok(TimelineRequest { window, ..TimelineRequest::whole(&short("the entity", &self.entity)?) })
    }
}

impl WhyAsked {
    pub(super) fn request(&self) -> Result<WhyRequest, Failure> {
        Ok(WhyRequest {
            entity: short("the entity", &self.entity)?,
            window: window(self.since.as_deref(), self.until.as_deref())?,
            a: short("a", &self.a)?,
            b: self.b.as_deref().map(|b| short("b", b)).transpose()?,
        })
    }
}

impl ClocksAsked {
    pub(super) fn request(&self) -> Result<ClocksRequest, Failure> {
        Ok(ClocksRequest { window: window(self.since.as_deref(), self.until.as_deref())? })
    }
}

impl SearchAsked {
    pub(super) fn request(&self, page_max: usize) -> Result<SearchRequest, Failure> {
        Ok(SearchRequest {
            query: short("query", &self.query)?,
            limit: self.limit.unwrap_or(PAGE_DEFAULT).min(page_max),
            before: parsed("before", self.before.as_deref())?,
        })
    }
}

impl ServicesAsked {
    pub(super) fn request(&self) -> Result<ServicesRequest, Failure> {
        let service = self.service.as_deref().map(|service| short("service", service)).transpose()?;
        Ok(ServicesRequest { service })
    }
}

impl TracesAsked {
    pub(super) fn request(&self, page_max: usize) -> Result<TracesRequest, Failure> {
        Ok(TracesRequest {
            query: short("query", &self.query)?,
            limit: self.limit.unwrap_or(PAGE_DEFAULT).min(page_max),
        })
    }
}

impl EntitiesAsked {
    pub(super) fn request(&self, page_max: usize) -> Result<EntitiesRequest, Failure> {
        Ok(EntitiesRequest {
            kind: self.kind.as_deref().map(|kind| short("type", kind)).transpose()?,
            window: window(self.since.as_deref(), self.until.as_deref())?,
            limit: self.limit.unwrap_or(PAGE_DEFAULT).min(page_max),
        })
    }
}

impl AffectedAsked {
    pub(super) fn request(&self, page_max: usize) -> Result<AffectedRequest, Failure> {
        Ok(AffectedRequest {
            finding: short("finding", &self.finding)?,
            entity: self.entity.as_deref().map(|entity| short("entity", entity)).transpose()?,
            window: window(self.since.as_deref(), self.until.as_deref())?,
            entities_max: self.limit.unwrap_or(page_max).min(page_max),
        })
    }
}

impl DoctorAsked {
    pub(super) fn request(&self) -> Result<DoctorRequest, Failure> {
        Ok(DoctorRequest {
            service: self.service.as_deref().map(|service| short("service", service)).transpose()?,
            window: window(self.since.as_deref(), self.until.as_deref())?,
        })
    }
}

impl StateAsked {
    pub(super) fn request(&self) -> Result<StateRequest, Failure> {
        // An event names its moment exactly: it stands where both are given.
        let moment = match (&self.at, &self.event) {
            (_, Some(event)) => Moment::Event(short("event", event)?),
            (Some(at), None) => {
                let time =
                    parse_time(at, now()).map_err(|error| malformed(format!("at: {}", error.message)))?;
                Moment::Time(time)
            }
            (None, None) => Moment::End,
        };
        Ok(StateRequest { entity: short("the entity", &self.entity)?, moment })
    }
}

impl FindingsAsked {
    pub(super) fn request(&self, page_max: usize) -> Result<FindingsRequest, Failure> {
        let kinds = self.kind.as_deref().unwrap_or_default().split(',').filter(|kind| !kind.is_empty());
        let kinds = kinds.map(|kind| kind.parse().map_err(|error| malformed(format!("kind: {error}"))));
        Ok(FindingsRequest {
            entity: self.entity.as_deref().map(|entity| short("entity", entity)).transpose()?,
            kinds: kinds.collect::<Result<_, _>>()?,
            service: self.service.as_deref().map(|service| short("service", service)).transpose()?,
            window: window(self.since.as_deref(), self.until.as_deref())?,
            entities_max: self.limit.unwrap_or(page_max).min(page_max),
            rescan: self.rescan,
        })
    }
}

impl IncidentsAsked {
    pub(super) fn request(&self, page_max: usize) -> Result<IncidentsRequest, Failure> {
        Ok(IncidentsRequest {
            incident: self.incident.as_deref().map(|incident| short("incident", incident)).transpose()?,
            status: self.status,
            window: window(self.since.as_deref(), self.until.as_deref())?,
            entities_max: self.entities.unwrap_or(page_max).min(page_max),
            limit: self.limit.unwrap_or(PAGE_DEFAULT).min(page_max),
        })
    }
}

impl FollowAsked {
    pub(super) fn request(&self, page_max: usize) -> Result<FollowRequest, Failure> {
        Ok(FollowRequest {
            query: short("query", &self.query)?,
            limit: self.limit.unwrap_or(PAGE_DEFAULT).min(page_max),
            after: parsed::<Position>("after", self.after.as_deref())?,
        })
    }
}

/// The moment of asking. The API is at the edge: it may read the clock.
pub(super) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// The stretch that `since` and `until` name.
fn window(since: Option<&str>, until: Option<&str>) -> Result<Window, Failure> {
    let now = now();
    let time = |name: &str, text: Option<&str>| {
        let parsed = text.map(|text| parse_time(text, now)).transpose();
        parsed.map_err(|error| malformed(format!("{name}: {}", error.message)))
    };
    Ok(Window { since: time("since", since)?, until: time("until", until)? })
}

fn short(name: &str, text: &str) -> Result<String, Failure> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(malformed(format!("{name} is longer than {TEXT_BYTES_MAX} bytes")));
    }
    Ok(text.to_owned())
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(name: &str, text: Option<&str>) -> Result<Option<T>, Failure> {
    text.map(|text| text.parse().map_err(|error| malformed(format!("{name}: {error}")))).transpose()
}

fn malformed(message: String) -> Failure {
    Failure::new(Code::MalformedRequest, message)
}

/// The parameters of a question; what is unknown among them is an error.
pub(super) struct Asked<T>(pub(super) T);

impl<T> Deref for Asked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A question's parameters, and what its path adds to them.
pub(super) trait WithPath: DeserializeOwned + Send {
    fn with_path(self, _path: Option<String>) -> Self {
        self
    }
}

impl WithPath for FindAsked {}
impl WithPath for FindingsAsked {}
impl WithPath for IncidentsAsked {}
impl WithPath for StateAsked {
    fn with_path(self, path: Option<String>) -> StateAsked {
        StateAsked { entity: path.unwrap_or_default(), ..self }
    }
}
impl WithPath for ServicesAsked {}
impl WithPath for TracesAsked {}
impl WithPath for EntitiesAsked {}
impl WithPath for DoctorAsked {}
impl WithPath for AffectedAsked {}
impl WithPath for SearchAsked {}
impl WithPath for FollowAsked {}
impl WithPath for ClocksAsked {}
impl WithPath for BundleAsked {
    fn with_path(self, path: Option<String>) -> BundleAsked {
        BundleAsked { entity: path.unwrap_or_default(), ..self }
    }
}
impl WithPath for WhyAsked {
    fn with_path(self, path: Option<String>) -> WhyAsked {
        WhyAsked { entity: path.unwrap_or_default(), ..self }
    }
}
impl WithPath for TimelineAsked {
    fn with_path(self, path: Option<String>) -> TimelineAsked {
        TimelineAsked { entity: path.unwrap_or_default(), ..self }
    }
}

impl<T: WithPath, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Asked<T>, Failure> {
        let parameters = Query::<T>::try_from_uri(&parts.uri).map_err(|rejection| {
            let text = rejection.body_text();
            malformed(text.trim_start_matches("Failed to deserialize query string: ").to_owned())
        })?;
        let path = Path::<String>::from_request_parts(parts, state).await.ok().map(|Path(path)| path);
        Ok(Asked(parameters.0.with_path(path)))
    }
}

/// A document that was posted.
pub(super) struct Told<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Told<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Told<T>, Failure> {
        // A page of another origin may post forms and plain text without asking; for JSON its browser asks first, and
        // is not answered.
        let named = request.headers().get(CONTENT_TYPE).and_then(|named| named.to_str().ok());
        let essence = named.and_then(|named| named.split(';').next()).unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case("application/json") {
            return Err(malformed("what is written is JSON: send content-type: application/json".to_owned()));
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| malformed(rejection.body_text()))?;
        serde_json::from_slice(&body).map(Told).map_err(|error| malformed(format!("the body: {error}")))
    }
}
