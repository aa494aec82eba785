mod jaeger;
mod openapi;

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

use serde_json::Value as Json;
use timeline::document::{
    Affected, Annotations, Clocks, Doctor, Entities, Find, Findings, Incidents, Search, Services, Stats,
    Timeline, Traces,
};
use timeline::record::Body;

use super::*;
use crate::annotations::ToWrite;
use crate::archive::Effort;
use crate::bundle::Bundle;
use crate::interface::{
    AffectedRequest, ClocksRequest, DoctorRequest, EntitiesRequest, FindingsRequest, FollowAnswer,
    FollowRequest, IncidentsRequest, QueryError, Records, SearchRequest, ServicesRequest, StateRequest,
    TimelineRequest, TracesRequest, WhyAnswer, WhyRequest,
};
use crate::local::Local;
use crate::memory::Memory;
use crate::testing::conformance;
use crate::testing::server::Server;
use crate::testing::{record, span};

fn served(options: Options) -> (Server, Arc<Memory>) {
    let memory = Arc::new(Memory::new(conformance::world()));
    let local = Local::new(Arc::clone(&memory), "memory", conformance::now);
    (Server::start(Arc::new(local), options), memory)
}

/// The status and body of an answer.
fn get(server: &Server, path: &str) -> (u16, String) {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    let agent = config.build().new_agent();
    let mut response = agent.get(format!("{}{path}", server.url())).call().expect("an answer");
    (
        response.status().as_u16(),
        String::from_utf8_lossy(&response.body_mut().read_to_vec().expect("a body")).into_owned(),
    )
}

fn json(server: &Server, path: &str) -> Json {
    let (status, body) = get(server, path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

#[test]
fn every_failure_has_its_status_code_and_words() {
    let (server, _) = served(Options::default());
    let long = format!("/v1/search?query={}", "a".repeat(20_000));
    let cases = [
        ("/v1/search?query=a%20status:bad", 400, "malformed_query", "unset, ok, error"),
        ("/v1/search?q=a", 400, "malformed_request", "unknown field `q`"),
        ("/v1/search?limit=many", 400, "malformed_request", "limit"),
        ("/v1/search?before=7", 400, "malformed_request", "four numbers"),
        ("/v1/find", 400, "malformed_request", "missing field `value`"),
        ("/v1/find?value=...", 400, "malformed_query", "identifier"),
        ("/v1/timeline/42", 400, "malformed_query", "order/42"),
        ("/v1/timeline/order/42?since=soon", 400, "malformed_request", "since: "),
        ("/v1/follow?wait=-1", 400, "malformed_request", "wait"),
        (long.as_str(), 400, "malformed_request", "longer than"),
        ("/v1/other", 404, "not_found", "/v1/search"),
        ("/", 404, "not_found", "/v1/find"),
    ];
    for (path, status, code, says) in cases {
        let (got, body) = get(&server, path);
        let body: Json = serde_json::from_str(&body).expect("JSON");
        assert_eq!((got, &body["error"]["code"]), (status, &Json::from(code)), "{path}: {body}");
        assert!(body["error"]["message"].as_str().is_some_and(|text| text.contains(says)), "{path}: {body}");
    }
    let (_, body) = get(&server, "/v1/search?query=a%20status:bad");
    let body: Json = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["error"]["at"], 9);
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut posted = agent.post(format!("{}/v1/stats", server.url())).send_empty().expect("an answer");
    let body = posted.body_mut().read_to_string().expect("a text");
    assert!(posted.status() == 405 && body.contains("method_not_allowed") && body.contains("POST"), "{body}");
}

#[test]
fn it_says_whether_it_is_up_ready_and_what_it_did() {
    let ready = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&ready);
    let options = Options {
        ready: Arc::new(move || {
            if seen.load(Ordering::Relaxed) { Ok(()) } else { Err("the journal recovers".to_owned()) }
        }),
        metrics: Arc::new(|| "backstory_accepted_spans_total 7\n".to_owned()),
        ..Options::default()
    };
    let (server, _) = served(options);
    assert_eq!(get(&server, "/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(get(&server, "/readyz"), (503, "the journal recovers\n".to_owned()));
    ready.store(true, Ordering::Relaxed);
    assert_eq!(get(&server, "/readyz"), (200, "ready\n".to_owned()));
    json(&server, "/v1/timeline/order/42");
    get(&server, "/v1/find");
    get(&server, "/made/up");
    let (_, metrics) = get(&server, "/metrics");
    for line in [
        "# TYPE backstory_query_requests_total counter",
        "backstory_query_requests_total{route=\"/v1/timeline/{*entity}\",status=\"200\"} 1",
        "backstory_query_requests_total{route=\"/v1/find\",status=\"400\"} 1",
        "backstory_query_requests_total{route=\"none\",status=\"404\"} 1",
        "backstory_query_requests_total{route=\"/readyz\",status=\"503\"} 1",
        "backstory_accepted_spans_total 7",
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line} in {metrics}");
    }
}

#[test]
fn a_page_from_elsewhere_that_resolves_here_is_turned_away() {
    let (server, _) = served(Options::default());
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
    let asked = |token: bool| {
        let request = agent.get(format!("{}/v1/stats", server.url())).header("host", "evil.example:4320");
        let request = if token { request.header("authorization", "Bearer a") } else { request };
        request.call().expect("an answer").status().as_u16()
    };
    assert_eq!((asked(false), asked(true)), (421, 200), "who may ask with a token is for another layer");
}

#[test]
fn a_follower_is_answered_when_a_record_arrives() {
    let (server, memory) = served(Options::default());
    let begun = json(&server, "/v1/follow");
    let after = begun["after"].as_str().expect("a position").to_owned();
    let path = format!("/v1/follow?after={after}&wait=60&query=late");
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| json(&server, &path));
        memory.extend([
            record(7, "orders", Body::Span(span(9, 7, "other"))),
            record(8, "orders", Body::Span(span(9, 8, "late"))),
        ]);
        let answer = answer.join().expect("no panic");
        assert_eq!((&answer["records"][0]["name"], &answer["after"]), (&"late".into(), &"1-512-0-0".into()));
    });
    let empty = json(&server, "/v1/follow?after=1-512-0-0&wait=0");
    assert_eq!((&empty["records"], &empty["after"]), (&Json::Array(vec![]), &"1-512-0-0".into()));
}

/// Works until it is cancelled, and says when it begins and ends.
struct Endless(Sender<&'static str>);

impl Query for Endless {
    fn timeline(&self, _: &TimelineRequest, _: &Effort) -> Result<Timeline, QueryError> {
        panic!("a bug")
    }

    fn records(&self, _: &TimelineRequest, _: &Effort) -> Result<Records, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn bundle(&self, _: &TimelineRequest, _: &Effort) -> Result<Bundle, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn why(&self, _: &WhyRequest, _: &Effort) -> Result<WhyAnswer, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn clocks(&self, _: &ClocksRequest, _: &Effort) -> Result<Clocks, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn find(&self, _: &str, effort: &Effort) -> Result<Find, QueryError> {
        let _ = self.0.send("begun");
        loop {
            if let Err(cancelled) = effort.check() {
                let _ = self.0.send("cancelled");
                return Err(cancelled.into());
            }
            std::thread::yield_now();
        }
    }

    fn search(&self, _: &SearchRequest, _: &Effort) -> Result<Search, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn follow(&self, _: &FollowRequest, _: &Effort) -> Result<FollowAnswer, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn entities(&self, _: &EntitiesRequest, _: &Effort) -> Result<Entities, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn affected(&self, _: &AffectedRequest, _: &Effort) -> Result<Affected, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn doctor(&self, _: &DoctorRequest, _: &Effort) -> Result<Doctor, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn state(&self, _: &StateRequest, _: &Effort) -> Result<timeline::document::State, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn findings(&self, _: &FindingsRequest, _: &Effort) -> Result<Findings, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn incidents(&self, _: &IncidentsRequest, _: &Effort) -> Result<Incidents, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn annotations(&self) -> Result<Annotations, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn annotate(&self, _: &[ToWrite]) -> Result<Annotations, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn services(&self, _: &ServicesRequest, _: &Effort) -> Result<Services, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn traces(&self, _: &TracesRequest, _: &Effort) -> Result<Traces, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn stats(&self) -> Result<Stats, QueryError> {
        Err(QueryError::Remote("gone".to_owned()))
    }

    fn source(&self) -> String {
        "endless".to_owned()
    }
}

#[test]
fn work_stops_when_its_caller_hangs_up_and_others_take_their_turn() {
    let (sender, said) = channel();
    let server = Server::start(Arc::new(Endless(sender)), Options { at_once: 1, ..Options::default() });
    let deadline = Duration::from_secs(30);
    let mut caller = TcpStream::connect(server.address).expect("a connection");
    caller.write_all(b"GET /v1/find?value=42 HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("sent");
    assert_eq!(said.recv_timeout(deadline), Ok("begun"));
    let (status, body) = get(&server, "/v1/stats");
    assert!(status == 503 && body.contains("busy"), "{status} {body}");
    drop(caller);
    assert_eq!(said.recv_timeout(deadline), Ok("cancelled"));
    let (status, body) = get(&server, "/v1/stats");
    assert!(status == 502 && body.contains("upstream_failed"), "{status} {body}");
    let (status, body) = get(&server, "/v1/timeline/order/42");
    assert!(status == 500 && body.contains("internal"), "{status} {body}");
}

#[test]
fn annotations_are_taken_as_json_alone_and_refused_with_what_is_wrong() {
    let (server, _) = served(Options::default());
    let post = |content_type: &str, body: &str| {
        // A connection each: the server closes those whose body it does not read.
        let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
        let request =
            agent.post(format!("{}/v1/annotations", server.url())).header("content-type", content_type);
        let mut answer = request.send(body).expect("an answer");
        (answer.status().as_u16(), answer.body_mut().read_to_string().expect("a text"))
    };
    let note = |text: &str| {
        let says = serde_json::json!({ "note": { "target": { "entity": "order/42" }, "text": text } });
        let annotation = serde_json::json!({
            "id": "a-1", "author": "ada", "time": "2026-11-23T10:00:00.000000000Z", "says": says,
        });
        serde_json::json!({ "annotations": [{ "annotation": annotation }] }).to_string()
    };
    for form in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let (status, body) = post(form, &note("from a web page"));
        assert!(status == 400 && body.contains("application/json"), "{form}: {status} {body}");
    }
    let cases = [
        ("{".to_owned(), "the body: EOF"),
        (note("   "), "the note is empty"),
        (note(&"a".repeat(17_000)), "longer than 16384 bytes"),
        (note("a").replace("note", "knot"), "unknown variant `knot`"),
        (note("a").replace("\"id\"", "\"name\""), "unknown field `name`"),
    ];
    for (body, says) in cases {
        let (status, answer) = post("application/json", &body);
        assert!(status == 400 && answer.contains(says), "{says}: {status} {answer}");
    }
    assert_eq!(json(&server, "/v1/annotations")["annotations"], Json::Array(vec![]), "nothing was written");
    let (status, answer) = post("application/json; charset=utf-8", &note("the cache is cold"));
    assert_eq!(status, 200, "{answer}");
    let written: Json = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(json(&server, "/v1/annotations"), written);
}
