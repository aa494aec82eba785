//! The query interface over a running server.

mod call;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::de::DeserializeOwned;
use timeline::document::{
    Affected, Annotations, Clocks, Doctor, Entities, Find, Findings, Incidents, Search, Services, State,
    Stats, Timeline, Traces,
};
use timeline::state::Moment;

use self::call::{Calls, Parameters};
use crate::annotations::ToWrite;
use crate::archive::{ArchiveError, Effort};
use crate::bundle::Bundle;
use crate::http::{AnnotationsAsked, Code, Failure};
use crate::interface::{
    AffectedRequest, ClocksRequest, DoctorRequest, EntitiesRequest, FindingsRequest, FollowAnswer,
    FollowRequest, IncidentsRequest, Query, QueryError, Records, SearchRequest, ServicesRequest,
    StateRequest, TimelineRequest, TracesRequest, WhyAnswer, WhyRequest,
};
use crate::language::{self, Now};

/// How to reach a server.
#[derive(Clone, Debug)]
pub struct RemoteOptions {
    /// Sent as `Authorization: Bearer …`.
    pub token: Option<String>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long an answer may take in all.
    pub answer_timeout: Duration,
}

impl Default for RemoteOptions {
    fn default() -> RemoteOptions {
        RemoteOptions {
            token: None,
            connect_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(300),
        }
    }
}

/// Answers questions by asking a server.
pub struct Remote {
    calls: Calls,
    now: Box<dyn Fn() -> Now + Send + Sync>,
    url: String,
}

impl Remote {
    /// Asks the server at `url`, as `http://127.0.0.1:4320` or `127.0.0.1:4320`; nothing is sent yet. `now` tells the
    /// moment and the zone of asking, for times such as `15m` and `10:00`.
    pub fn new(
        url: &str,
        options: RemoteOptions,
        now: impl Fn() -> Now + Send + Sync + 'static,
    ) -> Result<Remote, QueryError> {
        let url = base_url(url)?;
        Ok(Remote { calls: Calls::new(options), now: Box::new(now), url })
    }

    fn get<T: DeserializeOwned + Send>(
        &self,
        path: &str,
        parameters: &Parameters,
        effort: &Effort,
    ) -> Result<T, QueryError> {
        effort.check()?;
        let url = format!("{}{path}", self.url);
        self.calls.get(&url, parameters, effort)
    }

    fn of_entity<T: DeserializeOwned + Send>(
        &self,
        question: &str,
        request: &TimelineRequest,
        effort: &Effort,
    ) -> Result<T, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add_window(request.window);
        parameters.add("events", &request.events_max);
        parameters.add("brief", &request.brief);
        let path = format!("{question}/{}", path_encoded(&request.entity));
        self.get(&path, &parameters, effort)
    }

    /// The query's text with times that mean the same to the server as to the person who asks here.
    fn pinned(&self, query: &str) -> Result<String, QueryError> {
        Ok(language::pinned(query, (self.now)())?)
    }
}

impl Query for Remote {
    fn timeline(&self, request: &TimelineRequest, effort: &Effort) -> Result<Timeline, QueryError> {
        self.of_entity("/v1/timeline", request, effort)
    }

    fn records(&self, request: &TimelineRequest, effort: &Effort) -> Result<Records, QueryError> {
        self.of_entity("/v1/records", request, effort)
    }

    fn bundle(&self, request: &TimelineRequest, effort: &Effort) -> Result<Bundle, QueryError> {
        effort.check()?;
        let mut parameters = Parameters::new(effort);
        parameters.add_window(request.window);
        let url = format!("{}/v1/bundle/{}", self.url, path_encoded(&request.entity));
        let bytes = self.calls.get_bytes(&url, &parameters, effort)?;
        Bundle::from_bytes(&bytes)
            .map_err(|error| QueryError::Remote(format!("{}: its answer: {error}", self.url)))
    }

    fn why(&self, request: &WhyRequest, effort: &Effort) -> Result<WhyAnswer, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add_window(request.window);
        parameters.add("a", &request.a);
        parameters.add_some("b", request.b.as_ref());
        self.get(&format!("/v1/why/{}", path_encoded(&request.entity)), &parameters, effort)
    }

    fn clocks(&self, request: &ClocksRequest, effort: &Effort) -> Result<Clocks, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add_window(request.window);
        self.get("/v1/clocks", &parameters, effort)
    }

    fn find(&self, value: &str, effort: &Effort) -> Result<Find, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add("value", &value);
        self.get("/v1/find", &parameters, effort)
    }

    fn search(&self, request: &SearchRequest, effort: &Effort) -> Result<Search, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add("query", &self.pinned(&request.query)?);
        parameters.add("limit", &request.limit);
        parameters.add_some("before", request.before);
        self.get("/v1/search", &parameters, effort)
    }

    fn follow(&self, request: &FollowRequest, effort: &Effort) -> Result<FollowAnswer, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add("query", &self.pinned(&request.query)?);
        parameters.add("limit", &request.limit);
        parameters.add_some("after", request.after);
        self.get("/v1/follow", &parameters, effort)
    }

    fn entities(&self, request: &EntitiesRequest, effort: &Effort) -> Result<Entities, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add_some("type", request.kind.as_ref());
        parameters.add_window(request.window);
        parameters.add("limit", &request.limit);
        self.get("/v1/entities", &parameters, effort)
    }

    fn affected(&self, request: &AffectedRequest, effort: &Effort) -> Result<Affected, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add("finding", &request.finding);
        parameters.add_some("entity", request.entity.as_ref());
        parameters.add_window(request.window);
        parameters.add("limit", &request.entities_max);
        self.get("/v1/affected", &parameters, effort)
    }

    fn doctor(&self, request: &DoctorRequest, effort: &Effort) -> Result<Doctor, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add_some("service", request.service.as_ref());
        parameters.add_window(request.window);
        self.get("/v1/doctor", &parameters, effort)
    }

    fn state(&self, request: &StateRequest, effort: &Effort) -> Result<State, QueryError> {
        let mut parameters = Parameters::new(effort);
        match &request.moment {
            Moment::End => {}
            Moment::Time(time) => parameters.add("at", time),
            Moment::Event(event) => parameters.add("event", event),
        }
        self.get(&format!("/v1/state/{}", path_encoded(&request.entity)), &parameters, effort)
    }

    fn findings(&self, request: &FindingsRequest, effort: &Effort) -> Result<Findings, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add_some("entity", request.entity.as_ref());
        let kinds: Vec<&str> = request.kinds.iter().map(|kind| kind.name()).collect();
        parameters.add_some("kind", Some(kinds.join(",")).filter(|kinds| !kinds.is_empty()));
        parameters.add_some("service", request.service.as_ref());
        parameters.add_window(request.window);
        parameters.add("limit", &request.entities_max);
        parameters.add("rescan", &request.rescan);
        self.get("/v1/findings", &parameters, effort)
    }

    fn incidents(&self, request: &IncidentsRequest, effort: &Effort) -> Result<Incidents, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add_some("incident", request.incident.as_ref());
        parameters.add_some("status", request.status);
        parameters.add_window(request.window);
        parameters.add("entities", &request.entities_max);
        parameters.add("limit", &request.limit);
        self.get("/v1/incidents", &parameters, effort)
    }

    fn annotations(&self) -> Result<Annotations, QueryError> {
        self.get("/v1/annotations", &Parameters::default(), &Effort::new(u64::MAX))
    }

    fn annotate(&self, annotations: &[ToWrite]) -> Result<Annotations, QueryError> {
        let body = AnnotationsAsked { annotations: annotations.to_vec() };
        self.calls.post(&format!("{}/v1/annotations", self.url), &body)
    }

    fn services(&self, request: &ServicesRequest, effort: &Effort) -> Result<Services, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add_some("service", request.service.as_ref());
        self.get("/v1/services", &parameters, effort)
    }

    fn traces(&self, request: &TracesRequest, effort: &Effort) -> Result<Traces, QueryError> {
        let mut parameters = Parameters::new(effort);
        parameters.add("query", &self.pinned(&request.query)?);
        parameters.add("limit", &request.limit);
        self.get("/v1/traces", &parameters, effort)
    }

    fn stats(&self) -> Result<Stats, QueryError> {
        self.get("/v1/stats", &Parameters::default(), &Effort::new(u64::MAX))
    }

    fn source(&self) -> String {
        self.url.clone()
    }
}

/// The server's own word on what went wrong, as the question's.
fn told(failure: Failure) -> QueryError {
    match failure.code {
        Code::MalformedQuery => QueryError::Malformed { message: failure.message, at: failure.at },
        Code::Cancelled => QueryError::Archive(ArchiveError::Cancelled),
        Code::StoreFailed => QueryError::Archive(ArchiveError::Store(failure.message)),
        _ => QueryError::Remote(failure.message),
    }
}

fn base_url(url: &str) -> Result<String, QueryError> {
    let url = url.trim().trim_end_matches('/');
    if url.starts_with("https://") {
        let message = "https is not spoken here: reach a remote server through a tunnel \
             (ssh -L 4320:127.0.0.1:4320 HOST, or kubectl port-forward) and ask http://127.0.0.1:4320";
        return Err(QueryError::Remote(message.to_owned()));
    }
    let address = url.strip_prefix("http://").unwrap_or(url);
    if address.is_empty() || address.contains("://") || address.contains(char::is_whitespace) {
        let message =
            format!("{url:?} is no server's address: write http://HOST:PORT, as http://127.0.0.1:4320");
        return Err(QueryError::Remote(message));
    }
    Ok(format!("http://{address}"))
}

/// All but letters, digits, `-._~` and `/` as `%` and two hexadecimal digits.
fn path_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
