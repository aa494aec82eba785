//! Starting the receivers and stopping them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::budget::Budget;
use crate::connection;
use crate::cors::Cors;
use crate::counts::{Counters, Counts};
use crate::intake::Intake;
use crate::listen::listen;
use crate::options::Options;
use crate::outcome::Warnings;
use crate::receiver::Receiver;

/// How long a shutdown waits for answers in flight: as long as exporters wait for theirs.
const SHUTDOWN_TIME_MAX: Duration = Duration::from_secs(10);

/// Why the collector does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The text names no address.
    #[error("{address:?} is no address to listen on (HOST:PORT): {error}")]
    Address {
        /// The text.
        address: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Another program has the port.
    #[error(
        "port {port} is in use by another program ({address}): stop it, or choose another port \
         (0 picks a free one)"
    )]
    Busy {
        /// The address asked for.
        address: SocketAddr,
        /// Its port.
        port: u16,
    },
    /// The address can't be listened on for another reason.
    #[error("can't listen on {address}: {error}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// Others than this machine could send, and no token is asked of them.
    #[error(
        "{address} can be reached from other machines: give a file of tokens, or listen on 127.0.0.1 \
         and forward the port (ssh -L, kubectl port-forward)"
    )]
    Exposed {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The bounds contradict each other.
    #[error(
        "in_flight_bytes_max = {in_flight} is less than twice request_bytes_max = {request}: a compressed \
         request would never fit"
    )]
    Bounds {
        /// The budget of bytes in flight.
        in_flight: usize,
        /// The largest request.
        request: usize,
    },
}

/// The receivers, running.
pub struct Running {
    /// Where OTLP/gRPC is received.
    pub grpc: SocketAddr,
    /// Where OTLP/HTTP is received.
    pub http: SocketAddr,
    receiver: Arc<Receiver>,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
}

/// The receivers.
pub struct Collector;

impl Collector {
    /// Listens on both addresses and hands what comes to `intake`, the journal. Must be called within a
    /// tokio runtime.
    pub async fn start(intake: Arc<dyn Intake>, options: Options) -> Result<Running, StartError> {
        let Options { grpc, http, tokens, request_bytes_max, in_flight_bytes_max, cors_origins } = options;
        if in_flight_bytes_max / 2 < request_bytes_max {
            return Err(StartError::Bounds { in_flight: in_flight_bytes_max, request: request_bytes_max });
        }
        // Both, before either is served: one that fails takes the other along.
        let grpc = listen(&grpc, tokens.is_some()).await?;
        let http = listen(&http, tokens.is_some()).await?;
        let receiver = Arc::new(Receiver {
            intake,
            budget: Budget::new(in_flight_bytes_max),
            counters: Counters::default(),
            tokens,
            cors: Cors::new(cors_origins),
            warnings: Warnings::default(),
            request_bytes_max,
        });
        let (stop, stopped) = watch::channel(false);
        let mut listeners = JoinSet::new();
        for listener in grpc.all.into_iter().chain(http.all) {
            listeners.spawn(connection::serve(listener, Arc::clone(&receiver), stopped.clone()));
        }
        Ok(Running { grpc: grpc.address, http: http.address, receiver, stop, listeners })
    }
}

impl Running {
    /// What the receivers did so far.
    pub fn counts(&self) -> Counts {
        self.receiver.counters.read(self.receiver.budget.held())
    }

    /// Stops listening, answers what is in flight, and closes every connection; what takes longer than ten
    /// seconds is cut. Returns the last counts.
    pub async fn shutdown(mut self) -> Counts {
        // Nobody left to stop is as good as stopped.
        let _ = self.stop.send(true);
        let all = async { while self.listeners.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_TIME_MAX, all).await.is_err() {
            tracing::warn!("some connections did not end in time; they are cut");
        }
        self.counts()
    }
}
