//! Polite HTTP: retries when told, a budget of requests and of time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ureq::Agent;

use super::Failure;

/// How often one question is asked before it is given up.
const TRIES: u32 = 4;
/// How long to wait before the second try where the backend names no delay; twice as long before each further one.
const DELAY: Duration = Duration::from_millis(500);
/// A longer answer is given up: ask for less.
const ANSWER_BYTES_MAX: u64 = 128 << 20;
/// How long one answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(120);

/// How much may be asked.
pub(crate) struct Budget {
    /// At most so many requests, retries counted.
    pub(crate) requests_max: u64,
    /// Nothing is asked after this moment.
    pub(crate) deadline: Instant,
}

/// Asks one backend.
pub(crate) struct Client {
    agent: Agent,
    /// `http://HOST:PORT/…`, without a slash at its end.
    base: String,
    /// Sent with each request.
    headers: Vec<(String, String)>,
    budget: Budget,
    requests: AtomicU64,
}

/// What was answered.
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Client {
    /// Asks the backend at `base`, with these headers.
    pub(crate) fn new(base: &str, headers: Vec<(String, String)>, budget: Budget) -> Result<Client, String> {
        let base = base.trim().trim_end_matches('/');
        if base.starts_with("https://") {
            return Err("https is not spoken here: reach the backend through a tunnel (ssh -L, kubectl port-forward) or a local \
                        proxy that adds it, and name its http:// address"
                .to_owned());
        }
        let address = base.strip_prefix("http://").unwrap_or(base);
        if address.is_empty()
            || address.contains("://")
            || address.ends_with(':')
            || address.contains(char::is_whitespace)
        {
            return Err(format!("{base:?} is no address: write http://HOST:PORT, as http://127.0.0.1:16686"));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_global(Some(ANSWER_TIME_MAX))
            .user_agent(concat!("backstory/", env!("CARGO_PKG_VERSION")));
        Ok(Client {
            agent: config.build().new_agent(),
            base: format!("http://{address}"),
            headers,
            budget,
            requests: AtomicU64::new(0),
        })
    }

    /// The backend's address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// How many requests were sent.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Asks `path`; what may pass is asked again, as late as the backend wants it.
    pub(super) fn get(&self, path: &str, parameters: &[(&str, String)]) -> Result<Told, Failure> {
        let place = format!("{}{path}", self.base);
        let mut delay = DELAY;
        let mut last = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.sleep(delay)?;
                delay *= 2;
            }
            self.spend()?;
            match self.once(&place, parameters) {
                Ok((told, wanted)) => match told.status {
                    401 | 403 => return Err(Failure::Refused(self.no_entry(told.status))),
                    429 | 502 | 503 | 504 => {
                        last = format!("it answered {}: {}", told.status, beginning(&told.body));
                        delay = wanted.unwrap_or(delay);
                    }
                    _ => return Ok(told),
                },
                Err(error) => last = error,
            }
        }
        Err(Failure::Failed(format!("{place}: {last} ({TRIES} tries)")))
    }

    fn once(&self, place: &str, parameters: &[(&str, String)]) -> Result<(Told, Option<Duration>), String> {
        let mut request = self.agent.get(place).header("accept", "application/json");
        for (name, value) in parameters {
            request = request.query(name, value);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut answer = request.call().map_err(|error| error.to_string())?;
        let delay =
            answer.headers().get("retry-after").and_then(|delay| delay.to_str().ok()?.trim().parse().ok());
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let body = body.map_err(|error| format!("its answer broke off: {error}"))?;
        Ok((Told { status, body }, delay.map(Duration::from_secs)))
    }

    fn no_entry(&self, status: u16) -> String {
        let named = |name: &(String, String)| name.0.eq_ignore_ascii_case("authorization");
        let hint = if self.headers.iter().any(named) {
            "the token that was given does not let in"
        } else {
            "give a token with --token-file FILE, or what it asks for with --header 'NAME: VALUE'"
        };
        format!("{} lets nobody in ({status}): {hint}", self.base)
    }

    fn spend(&self) -> Result<(), Failure> {
        if Instant::now() >= self.budget.deadline {
            return Err(Failure::Spent("the time that --time-max allows is over".to_owned()));
        }
        let requests_max = self.budget.requests_max;
        let spent = self.requests.fetch_add(1, Ordering::Relaxed);
        if spent >= requests_max {
            self.requests.fetch_sub(1, Ordering::Relaxed);
            return Err(Failure::Spent(format!(
                "{requests_max} requests were sent, as many as --requests-max allows"
            )));
        }
        Ok(())
    }

    /// Waits, but not past the deadline.
    fn sleep(&self, delay: Duration) -> Result<(), Failure> {
        let left = self.budget.deadline.saturating_duration_since(Instant::now());
        if delay >= left {
            return Err(Failure::Spent(
                "the backend asks for a pause longer than --time-max leaves".to_owned(),
            ));
        }
        std::thread::sleep(delay);
        Ok(())
    }
}

/// The first words of an answer, for a person.
pub(super) fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_or_refused_with_what_to_do() {
        let budget = || Budget { requests_max: 1, deadline: Instant::now() };
        let base = |text: &str| Client::new(text, Vec::new(), budget()).map(|client| client.base);
        assert_eq!(base("localhost:16686/").as_deref(), Ok("http://localhost:16686"));
        assert_eq!(base("http://a/jaeger/").as_deref(), Ok("http://a/jaeger"));
        assert!(base("https://a").is_err_and(|said| said.contains("tunnel")));
        for wrong in ["", "http://", "ftp://a", "a b"] {
            assert!(base(wrong).is_err_and(|said| said.contains("HOST:PORT")), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_asked_past_the_deadline() {
        let budget = Budget { requests_max: 1, deadline: Instant::now() };
        let client = Client::new("127.0.0.1:1", Vec::new(), budget).expect("a client");
        assert!(matches!(client.get("/", &[]), Err(Failure::Spent(said)) if said.contains("--time-max")));
        assert_eq!(client.requests(), 0);
    }
}
