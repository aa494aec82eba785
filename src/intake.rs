//! Where imported requests go: into a folder's journal, or to the server that writes it.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use collector::IMPORT_HEADER;
use import::Request;
use indexer::Indexer;
use journal::otlp::Encoding;
use journal::{AppendError, Journal, Receipt};
use query::interface::Query;

use crate::command::{Usage, folder};
use crate::config::{Premises, Source};
use crate::server::{self, Refused};
use crate::source;

/// So many requests are on their way to the disk or the server at once.
const IN_FLIGHT_MAX: usize = 8;

/// How long imported records may take to become searchable, counted anew whenever the index gets on.
const INDEXED_WITHIN: Duration = Duration::from_secs(60);

/// How often a server that is busy is asked again.
const TRIES: u32 = 60;

/// Where servers take OTLP/HTTP unless they are told otherwise.
const OTLP_HTTP_PORT: u16 = 4318;

/// A way into a folder, or to a server.
pub(crate) enum Intake {
    /// This process writes it.
    Own(Own),
    /// A running server does.
    Server(Server),
}

impl Intake {
    /// A way to where answers come from: into a folder, or to a server's OTLP/HTTP port, which is at `otlp` where that is said.
    pub(crate) fn to(
        source: &Source,
        keep: journal::Options,
        token: Option<&str>,
        otlp: Option<&str>,
        command: &str,
    ) -> anyhow::Result<Intake> {
        match source {
            Source::Server { url, .. } => {
                let base = otlp.map_or_else(|| otlp_beside(url), |otlp| Ok(base_url(otlp)))?;
                Ok(Intake::Server(Server::new(&base, token)))
            }
            source => Intake::open(folder(source, command)?, keep, token),
        }
    }

    /// A way into `folder`, made if it is not there.
    pub(crate) fn open(folder: &Path, keep: journal::Options, token: Option<&str>) -> anyhow::Result<Intake> {
        match server::open_journal(folder, keep) {
            Ok(journal) => {
                let journal = Arc::new(journal);
                let indexer = server::start_indexer(folder, &journal)?;
                Ok(Intake::Own(Own { journal, indexer, waiting: VecDeque::new() }))
            }
            Err(error) => match error.downcast::<Refused>()? {
                Refused::Attended { addresses: Some(addresses), .. } => {
                    let base = format!("http://{}", server::reachable(addresses.http));
                    Ok(Intake::Server(Server::new(&base, token)))
                }
                refused => Err(refused.into()),
            },
        }
    }

    /// Hands a request over; `file` is what it was read from.
    pub(crate) fn take(&mut self, request: Request, file: &str) -> anyhow::Result<()> {
        match self {
            Intake::Own(own) => own.take(request, file),
            Intake::Server(server) => server.take(request, file),
        }
    }

    /// Returns once all that was handed over is durable and any process finds it.
    pub(crate) fn finish(self, source: &Source) -> anyhow::Result<()> {
        match self {
            Intake::Own(mut own) => {
                while let Some(answer) = own.waiting.pop_front() {
                    durable(&answer)?;
                }
                wait_until_indexed(&*source::open(source, &Premises::default())?)?;
                own.journal.close();
                own.indexer.stop();
            }
            Intake::Server(server) => {
                server.finish()?;
                wait_until_indexed(&*source::open(source, &Premises::default())?)?;
            }
        }
        Ok(())
    }
}

/// A server's OTLP/HTTP address where only its query address is known: the usual port of that host.
fn otlp_beside(query: &str) -> Result<String, Usage> {
    let query = base_url(query);
    let host = query.rsplit_once(':').map(|(host, _)| host).filter(|host| host.len() > "http://".len());
    let host = host.ok_or_else(|| {
        Usage(format!("{query} names no port: say where it takes OTLP/HTTP with --otlp URL"))
    })?;
    Ok(format!("{host}:{OTLP_HTTP_PORT}"))
}

fn base_url(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}

/// The journal of a folder that this process writes.
pub(crate) struct Own {
    journal: Arc<Journal>,
    indexer: Indexer,
    waiting: VecDeque<Receiver<Result<Receipt, AppendError>>>,
}

impl Own {
    fn take(&mut self, request: Request, file: &str) -> anyhow::Result<()> {
        if self.waiting.len() >= IN_FLIGHT_MAX
            && let Some(oldest) = self.waiting.pop_front()
        {
            durable(&oldest)?;
        }
        let (answer, waiting) = mpsc::channel();
        let request = journal::Request {
            signal: request.signal,
            encoding: request.encoding,
            source: journal::Source::Import,
            peer: file.to_owned(),
            tenant: String::new(),
            arrival_is_evidence: false,
            items: request.checked.items,
            refused: request.checked.refused.iter().map(|refused| refused.item).collect(),
            carried: request.checked.carried,
            body: request.body,
        };
        self.journal.append(request, move |result| {
            // Nobody waits any more where another request failed before.
            let _ = answer.send(result);
        });
        self.waiting.push_back(waiting);
        Ok(())
    }
}

fn durable(answer: &Receiver<Result<Receipt, AppendError>>) -> anyhow::Result<()> {
    answer.recv().context("the journal gave no answer")?.context("the journal did not take it")?;
    Ok(())
}

/// A running server's OTLP/HTTP port, and the threads that post to it.
pub(crate) struct Server {
    posts: mpsc::SyncSender<Post>,
    threads: Vec<std::thread::JoinHandle<anyhow::Result<()>>>,
}

struct Post {
    path: String,
    content_type: &'static str,
    file: String,
    body: bytes::Bytes,
}

impl Server {
    fn new(base: &str, token: Option<&str>) -> Server {
        let (posts, waiting) = mpsc::sync_channel::<Post>(IN_FLIGHT_MAX);
        let waiting = std::sync::Arc::new(std::sync::Mutex::new(waiting));
        let base = base.to_owned();
        let authorization = token.map(|token| format!("Bearer {token}"));
        let post = move || {
            let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
            let agent: ureq::Agent = config.build().into();
            loop {
                let next = waiting.lock().map_err(|_| anyhow!("a thread that posts panicked"))?.recv();
                let Ok(next) = next else { return Ok(()) };
                post(&agent, &format!("{base}{}", next.path), authorization.as_deref(), &next)?;
            }
        };
        let threads = (0..IN_FLIGHT_MAX).map(|_| std::thread::spawn(post.clone())).collect();
        Server { posts, threads }
    }

    fn take(&mut self, request: Request, file: &str) -> anyhow::Result<()> {
        let content_type = match request.encoding {
            Encoding::Protobuf => "application/x-protobuf",
            Encoding::Json => "application/json",
        };
        let path = format!("/v1/{}", request.signal.as_str());
        let post = Post { path, content_type, file: file.to_owned(), body: request.body };
        if self.threads.iter().any(std::thread::JoinHandle::is_finished) || self.posts.send(post).is_err() {
            return self.failure();
        }
        Ok(())
    }

    /// Why a thread ended before its time.
    fn failure(&mut self) -> anyhow::Result<()> {
        while let Some(at) = self.threads.iter().position(std::thread::JoinHandle::is_finished) {
            joined(self.threads.swap_remove(at))?;
        }
        bail!("the server takes nothing any more")
    }

    fn finish(self) -> anyhow::Result<()> {
        drop(self.posts);
        self.threads.into_iter().try_for_each(joined)
    }
}

fn joined(thread: std::thread::JoinHandle<anyhow::Result<()>>) -> anyhow::Result<()> {
    thread.join().map_err(|_| anyhow!("a thread that posts panicked"))?
}

/// Posts one request; a busy server is asked again after the delay that it names.
fn post(agent: &ureq::Agent, url: &str, authorization: Option<&str>, post: &Post) -> anyhow::Result<()> {
    for _ in 0..TRIES {
        let mut request = agent
            .post(url)
            .header("content-type", post.content_type)
            .header(IMPORT_HEADER, post.file.escape_default().to_string());
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let mut answer = request.send(&post.body[..]).with_context(|| format!("{url} cannot be reached"))?;
        match answer.status().as_u16() {
            200 => return Ok(()),
            429 | 502 | 503 | 504 => {
                let delay =
                    answer.headers().get("retry-after").and_then(|delay| delay.to_str().ok()?.parse().ok());
                std::thread::sleep(Duration::from_secs(delay.unwrap_or(1)));
            }
            401 => bail!("the server wants a token: give it with --token"),
            status => {
                let body = answer.body_mut().read_to_string().unwrap_or_default();
                bail!("the server answered {status}: {}", body.chars().take(300).collect::<String>());
            }
        }
    }
    bail!("the server stayed busy: try again later; what it took is not taken twice")
}

/// Waits until the index has reached what is the journal's end now.
pub(crate) fn wait_until_indexed(query: &dyn Query) -> anyhow::Result<()> {
    let place = |text: &str| {
        let mut numbers = text.split('-').map(|number| number.parse::<u64>().unwrap_or_default());
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
    };
    let goal = place(&query.stats()?.journal_end);
    let (mut reached, mut since) = ((0, 0), Instant::now());
    loop {
        let now = place(&query.stats()?.indexed_to);
        if now >= goal {
            return Ok(());
        }
        if now > reached {
            (reached, since) = (now, Instant::now());
        }
        if since.elapsed() > INDEXED_WITHIN {
            bail!("the index does not catch up with the journal; `backstory serve` logs why");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
