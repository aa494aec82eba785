//! One call to a server, which can be given up at any moment.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::{Agent, Body, RequestBuilder};

use super::{RemoteOptions, told};
use crate::archive::{Effort, Window};
use crate::http::FailureDocument;
use crate::interface::QueryError;

/// How often a call looks whether it was given up.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// A larger answer is refused.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// The parameters of a question.
#[derive(Default)]
pub(super) struct Parameters(Vec<(&'static str, String)>);

impl Parameters {
    /// Those that every question has.
    pub(super) fn new(effort: &Effort) -> Parameters {
        Parameters(vec![("budget", effort.records_max.to_string())])
    }

    pub(super) fn add(&mut self, name: &'static str, value: &impl ToString) {
        self.0.push((name, value.to_string()));
    }

    pub(super) fn add_window(&mut self, window: Window) {
        self.add_some("since", window.since);
        self.add_some("until", window.until);
    }

    pub(super) fn add_some(&mut self, name: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.add(name, &value);
        }
    }
}

/// Calls a server, over connections that are kept.
pub(super) struct Calls {
    options: RemoteOptions,
    /// One agent a call under way, so that giving up one closes no other's connection.
    idle: Mutex<Vec<Agent>>,
}

impl Calls {
    pub(super) fn new(options: RemoteOptions) -> Calls {
        Calls { options, idle: Mutex::default() }
    }

    /// The answer to a question, which is JSON.
    pub(super) fn get<T: DeserializeOwned>(
        &self,
        url: &str,
        parameters: &Parameters,
        effort: &Effort,
    ) -> Result<T, QueryError> {
        understood(url, &self.get_bytes(url, parameters, effort)?)
    }

    /// The bytes of an answer; once the effort is cancelled the connection is closed, so that the server stops too.
    pub(super) fn get_bytes(
        &self,
        url: &str,
        parameters: &Parameters,
        effort: &Effort,
    ) -> Result<Vec<u8>, QueryError> {
        let agent = self.take();
        let answer = std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(1);
            let agent = &agent;
            scope.spawn(move || {
                // Nobody listens any more once the call was given up.
                let _ = sender.send(self.answer(agent, url, parameters));
            });
            loop {
                match receiver.recv_timeout(LOOK_INTERVAL) {
                    Ok(answer) => return answer,
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(QueryError::Remote("the call ended without an answer".to_owned()));
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        if let Err(cancelled) = effort.check() {
                            agent.clone().shutdown();
                            return Err(cancelled.into());
                        }
                    }
                }
            }
        });
        if effort.check().is_ok() {
            self.give_back(agent);
        }
        answer
    }

    /// Posts a document. What it asks for is done once this returns well; whether it was, is unknown where the server
    /// cannot be reached.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        document: &impl Serialize,
    ) -> Result<T, QueryError> {
        let body = serde_json::to_vec(document).map_err(|error| QueryError::Remote(error.to_string()))?;
        let agent = self.take();
        let request = agent.post(url).header("content-type", "application/json");
        let answer = self.body(url, self.with_token(request).send(&body[..]));
        self.give_back(agent);
        understood(url, &answer?)
    }

    fn answer(&self, agent: &Agent, url: &str, parameters: &Parameters) -> Result<Vec<u8>, QueryError> {
        let mut request = agent.get(url);
        for (name, value) in &parameters.0 {
            request = request.query(name, value);
        }
        self.body(url, self.with_token(request).call())
    }

    fn with_token<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.options.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    /// The body of a good answer.
    fn body(&self, url: &str, response: Result<Response<Body>, ureq::Error>) -> Result<Vec<u8>, QueryError> {
        let mut response = response.map_err(|error| unreachable(url, &error))?;
        let status = response.status().as_u16();
        let body = read(url, response.body_mut())?;
        if status == 200 {
            return Ok(body);
        }
        match (serde_json::from_slice::<FailureDocument>(&body), status) {
            (_, 401 | 403) => Err(QueryError::Remote(self.no_entry(url))),
            (Ok(document), _) => Err(told(document.error)),
            (Err(_), _) => Err(strange(url, &format!("HTTP status {status}"))),
        }
    }

    fn no_entry(&self, url: &str) -> String {
        match self.options.token {
            None => format!(
                "{} wants a token: give it the one that the server's operator made for you",
                host(url)
            ),
            Some(_) => {
                format!("{} refuses this token: it may have been revoked; ask for a new one", host(url))
            }
        }
    }

    fn take(&self) -> Agent {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| {
            let config = Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .proxy(None)
                .timeout_connect(Some(self.options.connect_timeout))
                .timeout_global(Some(self.options.answer_timeout));
            config.build().new_agent()
        })
    }

    fn give_back(&self, agent: Agent) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(agent);
    }
}

fn understood<T: DeserializeOwned>(url: &str, body: &[u8]) -> Result<T, QueryError> {
    serde_json::from_slice(body).map_err(|error| strange(url, &format!("its answer: {error}")))
}

fn read(url: &str, body: &mut Body) -> Result<Vec<u8>, QueryError> {
    body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec().map_err(|error| unreachable(url, &error))
}

fn unreachable(url: &str, error: &ureq::Error) -> QueryError {
    let host = host(url);
    QueryError::Remote(match error {
        ureq::Error::Timeout(_) => {
            format!(
                "{host} did not answer in time ({error}): ask for less, or look whether the server is busy"
            )
        }
        error => format!(
            "{host} cannot be reached ({error}): is `backstory serve` running there, and is this its query address?"
        ),
    })
}

fn strange(url: &str, what: &str) -> QueryError {
    let host = host(url);
    QueryError::Remote(format!(
        "{host} does not speak this version's language ({what}): is it Backstory's query address?"
    ))
}

/// The part of a URL that names the server.
fn host(url: &str) -> &str {
    let end = url.find("/v1/").unwrap_or(url.len());
    url.get(..end).unwrap_or(url)
}
