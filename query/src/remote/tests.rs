use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc;

use super::*;
use crate::archive::Archive;
use crate::http::Options;
use crate::interface::{AffectedRequest, DoctorRequest, EntitiesRequest, FollowAnswer, Records};
use crate::local::Local;
use crate::testing::conformance::{self, Make};
use crate::testing::server::Server;

/// A client, with the server that it asks.
struct Served {
    remote: Remote,
    _server: Server,
}

struct OverHttp;

impl Make for OverHttp {
    type Query = Served;

    /// The server's zone is another than the caller's.
    fn over(&self, archive: Arc<dyn Archive>) -> Served {
        let local = Local::new(archive, "memory", || Now::from(conformance::now().time));
        let server = Server::start(Arc::new(local), Options::default());
        let remote = Remote::new(&server.url(), RemoteOptions::default(), conformance::now);
        Served { remote: remote.expect("a client"), _server: server }
    }
}

impl Query for Served {
    fn timeline(&self, request: &TimelineRequest, effort: &Effort) -> Result<Timeline, QueryError> {
        self.remote.timeline(request, effort)
    }

    fn records(&self, request: &TimelineRequest, effort: &Effort) -> Result<Records, QueryError> {
        self.remote.records(request, effort)
    }

    fn bundle(&self, request: &TimelineRequest, effort: &Effort) -> Result<Bundle, QueryError> {
        self.remote.bundle(request, effort)
    }

    fn why(&self, request: &WhyRequest, effort: &Effort) -> Result<WhyAnswer, QueryError> {
        self.remote.why(request, effort)
    }

    fn clocks(&self, request: &ClocksRequest, effort: &Effort) -> Result<Clocks, QueryError> {
        self.remote.clocks(request, effort)
    }

    fn find(&self, value: &str, effort: &Effort) -> Result<Find, QueryError> {
        self.remote.find(value, effort)
    }

    fn search(&self, request: &SearchRequest, effort: &Effort) -> Result<Search, QueryError> {
        self.remote.search(request, effort)
    }

    fn follow(&self, request: &FollowRequest, effort: &Effort) -> Result<FollowAnswer, QueryError> {
        self.remote.follow(request, effort)
    }

    fn entities(&self, request: &EntitiesRequest, effort: &Effort) -> Result<Entities, QueryError> {
        self.remote.entities(request, effort)
    }

    fn affected(&self, request: &AffectedRequest, effort: &Effort) -> Result<Affected, QueryError> {
        self.remote.affected(request, effort)
    }

    fn doctor(&self, request: &DoctorRequest, effort: &Effort) -> Result<Doctor, QueryError> {
        self.remote.doctor(request, effort)
    }

    fn state(&self, request: &StateRequest, effort: &Effort) -> Result<State, QueryError> {
        self.remote.state(request, effort)
    }

    fn findings(&self, request: &FindingsRequest, effort: &Effort) -> Result<Findings, QueryError> {
        self.remote.findings(request, effort)
    }

    fn incidents(&self, request: &IncidentsRequest, effort: &Effort) -> Result<Incidents, QueryError> {
        self.remote.incidents(request, effort)
    }

    fn annotations(&self) -> Result<Annotations, QueryError> {
        self.remote.annotations()
    }

    fn annotate(&self, annotations: &[ToWrite]) -> Result<Annotations, QueryError> {
        self.remote.annotate(annotations)
    }

    fn services(&self, request: &ServicesRequest, effort: &Effort) -> Result<Services, QueryError> {
        self.remote.services(request, effort)
    }

    fn traces(&self, request: &TracesRequest, effort: &Effort) -> Result<Traces, QueryError> {
        self.remote.traces(request, effort)
    }

    fn stats(&self) -> Result<Stats, QueryError> {
        self.remote.stats()
    }

    fn source(&self) -> String {
        self.remote.source()
    }
}

#[test]
fn it_conforms() {
    conformance::conforms(&OverHttp);
}

fn remote(url: &str, token: Option<&str>) -> Remote {
    let options = RemoteOptions { token: token.map(str::to_owned), ..RemoteOptions::default() };
    Remote::new(url, options, conformance::now).expect("a client")
}

fn failure(remote: &Remote) -> String {
    match remote.stats() {
        Err(QueryError::Remote(message)) => message,
        other => panic!("{other:?}"),
    }
}

/// Answers one request with these bytes; hands out what was asked.
fn answering(response: &'static str) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        let mut asked = [0; 4096];
        let length = stream.read(&mut asked).expect("a request");
        stream.write_all(response.as_bytes()).expect("an answer");
        let _ = sender.send(String::from_utf8_lossy(&asked[..length]).into_owned());
    });
    (url, receiver)
}

#[test]
fn a_server_that_is_not_there_is_named_with_what_to_do() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let message = failure(&remote(&url, None));
    assert!(message.starts_with(&url) && message.contains("backstory serve"), "{message}");
}

#[test]
fn a_token_is_sent_and_asked_for() {
    let refused = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
    let (url, asked) = answering(refused);
    assert!(failure(&remote(&url, Some("secret"))).contains("refuses this token"));
    assert!(asked.recv().expect("a request").contains("authorization: Bearer secret\r\n"));
    let (url, _asked) = answering(refused);
    assert!(failure(&remote(&url, None)).contains("wants a token"));
}

#[test]
fn another_server_at_that_port_is_recognised() {
    for response in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n",
    ] {
        let (url, _asked) = answering(response);
        let message = failure(&remote(&url, None));
        assert!(message.contains("query address"), "{message}");
    }
}

#[test]
fn addresses_are_read_leniently_and_refused_with_a_reason() {
    let source = |url: &str| Remote::new(url, RemoteOptions::default(), conformance::now).map(|r| r.source());
    assert_eq!(source(" localhost:4320/ ").ok().as_deref(), Some("http://localhost:4320"));
    for (url, says) in
        [("https://a", "ssh -L"), ("ftp://a", "HOST:PORT"), ("", "HOST:PORT"), ("a b", "HOST:PORT")]
    {
        let error = source(url).expect_err(url);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn giving_up_closes_the_connection_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let remote = remote(&format!("http://{}", listener.local_addr().expect("an address")), None);
    let effort = Effort::new(1);
    std::thread::scope(|scope| {
        let call = scope.spawn(|| remote.find("42", &effort));
        let (mut stream, _) = listener.accept().expect("a caller");
        let mut asked = [0; 4096];
        assert!(stream.read(&mut asked).expect("a request") > 0);
        effort.cancel();
        assert_eq!(stream.read(&mut asked).expect("the end"), 0, "the caller hung up");
        let answer = call.join().expect("no panic");
        assert!(matches!(answer, Err(QueryError::Archive(ArchiveError::Cancelled))), "{answer:?}");
    });
}
