//! A server on a folder: journal, indexer, collector and query API in this process.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use collector::tokens::{Tokens, protect};
use collector::{Collector, Running, StartError};
use indexer::{IndexError, Indexer, Judge};
use journal::{Journal, OpenError};
use query::interface::Query;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::command::Usage;
use crate::config::Serving;
use crate::metrics;
use crate::source;

/// Where a server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Addresses {
    /// OTLP/gRPC.
    pub(crate) grpc: SocketAddr,
    /// OTLP/HTTP.
    pub(crate) http: SocketAddr,
    /// The query API.
    pub(crate) query: SocketAddr,
}

/// Why a server does not start for a reason that the caller may go around.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Another process writes the folder.
    #[error("another process already serves {folder}{}: ask it with any command beside it, or stop it first", at(addresses.as_ref()))]
    Attended {
        /// The folder.
        folder: String,
        /// Where that process listens, where it says so.
        addresses: Option<Addresses>,
    },
}

fn at(addresses: Option<&Addresses>) -> String {
    addresses.map(|addresses| format!(" (queries on {})", addresses.query)).unwrap_or_default()
}

/// The address at which a listener on this machine is reached: one on all addresses, over loopback.
pub(crate) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// A running server; [`Server::stop`] ends it in order.
pub(crate) struct Server {
    addresses: Addresses,
    query: Arc<dyn Query>,
    journal: Arc<Journal>,
    indexer: Indexer,
    judge: Judge,
    collector: Arc<Running>,
    api: Api,
    runtime: Runtime,
}

struct Api {
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Opens the folder and every listener; ready to accept when it returns.
    pub(crate) fn start(folder: &Path, serving: &Serving) -> anyhow::Result<Server> {
        let tokens = serving.tokens.as_deref().map(Tokens::open).transpose()?.map(Arc::new);
        let options = journal::Options {
            keep_for: serving.keep_for,
            keep_bytes: serving.keep_bytes,
            ..journal::Options::default()
        };
        let journal = Arc::new(open_journal(folder, options)?);
        let runtime = Runtime::new().context("the threads of the listeners cannot be started")?;
        let listener = runtime.block_on(listen(&serving.query, tokens.is_some()))?;
        let options = collector::Options {
            grpc: serving.grpc.clone(),
            http: serving.http.clone(),
            tokens: tokens.clone(),
            ..collector::Options::default()
        };
        let collector = runtime
            .block_on(Collector::start(Arc::clone(&journal) as _, options))
            .map_err(|error| name_the_flag(error, serving))?;
        let indexer = start_indexer(folder, &journal)?;
        let (query, judge) = judged(folder, serving, &journal)?;
        let_go_of_dropped(&journal, &query);
        let addresses =
            Addresses { grpc: collector.grpc, http: collector.http, query: listener.local_addr()? };
        let collector = Arc::new(collector);
        let metrics = metrics::of(&collector, &journal);
        let api = runtime.block_on(async { serve_queries(listener, &query, tokens, metrics) });
        journal
            .announce(&serde_json::to_string(&addresses)?)
            .context("the folder's lock cannot be written")?;
        Ok(Server { addresses, query, journal, indexer, judge, collector, api, runtime })
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The questions that it answers, asked in this process.
    pub(crate) fn query(&self) -> Arc<dyn Query> {
        Arc::clone(&self.query)
    }

    /// What its collector did so far.
    pub(crate) fn collector(&self) -> Arc<Running> {
        Arc::clone(&self.collector)
    }

    /// Runs a future on the server's threads.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// The line that tells scripts that it accepts, and where.
    pub(crate) fn ready(&self) -> anyhow::Result<String> {
        let mut line = serde_json::json!({ "event": "ready" });
        if let (Some(line), serde_json::Value::Object(addresses)) =
            (line.as_object_mut(), serde_json::to_value(self.addresses)?)
        {
            line.extend(addresses);
        }
        Ok(line.to_string())
    }

    /// Returns once the process is told to end, by SIGINT or SIGTERM.
    pub(crate) fn wait_for_signal(&self) -> std::io::Result<()> {
        self.runtime.block_on(async {
            let (mut interrupt, mut terminate) =
                (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            Ok(())
        })
    }

    /// Answers what is in flight, makes it durable and indexed, and ends.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        let Server { journal, indexer, judge, collector, api, runtime, query, .. } = self;
        // A server that is gone has stopped by itself.
        let _ = api.stop.send(());
        runtime.block_on(async {
            if let Ok(collector) = Arc::try_unwrap(collector) {
                collector.shutdown().await;
            }
        });
        drop(query);
        judge.stop();
        journal.close();
        indexer.stop();
        api.served.abort();
        runtime.shutdown_background();
        Ok(())
    }
}

/// Indexes the folder; the journal, which is told how far that has come, leaves it room on the disk.
pub(crate) fn start_indexer(folder: &Path, journal: &Arc<Journal>) -> Result<Indexer, IndexError> {
    // Weak: the indexer is stopped after the journal, and must not keep it open.
    let journal = Arc::downgrade(journal);
    let told = move |place| {
        if let Some(journal) = journal.upgrade() {
            journal.indexed_to(place);
        }
    };
    Indexer::start_telling(folder, indexer::Options::default(), told)
}

/// The questions about a folder, and the judge that answers what is wrong with all of it.
fn judged(
    folder: &Path,
    serving: &Serving,
    journal: &Arc<Journal>,
) -> anyhow::Result<(Arc<dyn Query>, Judge)> {
    let local = source::local(folder, &serving.premises, Some(Arc::clone(journal)))?;
    let live = Arc::new(indexer::judged_before(folder, &serving.judging, local.judged_by()));
    let judging = source::local(folder, &serving.premises, None)?;
    let judge = Judge::start(folder, judging, Arc::clone(&live), serving.judging.clone())?;
    Ok((Arc::new(local.with_live(live)), judge))
}

/// Has the query side look at the folder whenever segments are dropped: it closes their files, and only then has
/// the disk their room back.
fn let_go_of_dropped(journal: &Journal, query: &Arc<dyn Query>) {
    let query = Arc::downgrade(query);
    journal.on_dropped(move |_| {
        let query = query.clone();
        // Not on the writer's thread, for which senders wait.
        std::thread::spawn(move || query.upgrade().map(|query| query.stats()));
    });
}

/// Opens the folder's journal for writing; [`Refused::Attended`] where another process does.
pub(crate) fn open_journal(folder: &Path, options: journal::Options) -> anyhow::Result<Journal> {
    let (journal, recovered) = match Journal::open(&folder.join("journal"), options) {
        Err(OpenError::Locked { holder, .. }) => {
            let addresses = serde_json::from_str(&holder).ok();
            return Err(Refused::Attended { folder: folder.display().to_string(), addresses }.into());
        }
        opened => opened.with_context(|| format!("the journal in {} cannot be opened", folder.display()))?,
    };
    if let Some(torn) = &recovered.torn {
        tracing::warn!("cut off {} bytes at {}: written in part, never acknowledged", torn.bytes, torn.place);
    }
    for damage in &recovered.damages {
        tracing::error!("the journal is damaged: {damage}; `backstory verify` tells all of it");
    }
    Ok(journal)
}

/// Says which flag chooses another address than the one that failed.
fn name_the_flag(error: StartError, serving: &Serving) -> anyhow::Error {
    let wrong_usage = matches!(error, StartError::Address { .. } | StartError::Exposed { .. });
    let address = match &error {
        StartError::Address { address, .. } => address.clone(),
        StartError::Busy { address, .. }
        | StartError::Bind { address, .. }
        | StartError::Exposed { address } => address.to_string(),
        StartError::Bounds { .. } => return error.into(),
    };
    let port = |text: &str| text.rsplit_once(':').map(|(_, port)| port.to_owned());
    let flag = if port(&serving.http) == port(&address) { "--http" } else { "--grpc" };
    if wrong_usage {
        return Usage(format!("{flag} {address}: {error}")).into();
    }
    anyhow!(error).context(format!("{flag} {address}"))
}

async fn listen(address: &str, guarded: bool) -> anyhow::Result<TcpListener> {
    let listener = match TcpListener::bind(address).await {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
            "--query {address}: the port is in use by another program: stop it, or choose another port (0 picks a free one)"
        ),
        bound => bound.with_context(|| format!("--query {address} cannot be listened on"))?,
    };
    if !guarded && !listener.local_addr()?.ip().is_loopback() {
        return Err(Usage(format!(
            "--query {address} can be reached from other machines: give a file of tokens (--tokens FILE), or listen on \
             127.0.0.1 and forward the port (ssh -L, kubectl port-forward)"
        ))
        .into());
    }
    Ok(listener)
}

fn serve_queries(
    listener: TcpListener,
    query: &Arc<dyn Query>,
    tokens: Option<Arc<Tokens>>,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
) -> Api {
    let options = query::http::Options { metrics, ..query::http::Options::default() };
    let mut router = query::http::router(Arc::clone(query), options);
    if let Some(tokens) = tokens {
        router = protect(router, tokens);
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(async move {
        let serving = axum::serve(listener, router);
        serving.with_graceful_shutdown(async { drop(stopped.await) }).await
    });
    Api { stop, served }
}
