//! The pipeline that both transports share: inflate, check, append, wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use journal::otlp::{self, Checked, Encoding, Signal};
use journal::{AppendError, Receipt, Request, Source};
use tokio::sync::oneshot;

use crate::budget::{Budget, Share};
use crate::cors::Cors;
use crate::counts::Counters;
use crate::inflate::{Coding, inflate};
use crate::intake::Intake;
use crate::outcome::{Outcome, Warnings};
use crate::refusal::{COME_BACK, Refusal};
use crate::tokens::Tokens;

/// A larger body, and every compressed one, is worked on off the threads that serve the sockets.
const INLINE_BYTES_MAX: usize = 1 << 20;

/// What all connections share.
pub(crate) struct Receiver {
    pub(crate) intake: Arc<dyn Intake>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) counters: Counters,
    pub(crate) tokens: Option<Arc<Tokens>>,
    pub(crate) cors: Cors,
    pub(crate) warnings: Warnings,
    /// The largest body, before and after its coding is undone.
    pub(crate) request_bytes_max: usize,
}

/// One request as its transport read it.
pub(crate) struct Post {
    pub(crate) signal: Signal,
    pub(crate) encoding: Encoding,
    pub(crate) source: Source,
    /// Whom it came from, or the file that it was read from.
    pub(crate) peer: String,
    pub(crate) coding: Coding,
    pub(crate) body: Bytes,
    /// The room that the body takes; kept until the journal has answered.
    pub(crate) share: Share,
}

/// Which signal goes where: kept, or acknowledged and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Keep(Signal),
    DropMetrics,
    DropProfiles,
}

impl Receiver {
    /// Whether these headers carry a token that is known, or none is wanted.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match &self.tokens {
            Some(tokens) => tokens.admit(headers).map(drop).ok_or(Refusal::Token),
            None => Ok(()),
        }
    }

    /// Takes a request to the journal and comes back when it is durable.
    pub(crate) async fn accept(&self, post: Post) -> Result<Outcome, Refusal> {
        let (signal, encoding, source) = (post.signal, post.encoding, post.source);
        let peer = post.peer.clone();
        let (checked, body, share) = self.check(post).await?;
        let bytes = body.len();

        let request = Request {
            signal,
            encoding,
            source,
            peer,
            tenant: String::new(),
            arrival_is_evidence: source != Source::Import,
            items: checked.items,
            refused: checked.refused.iter().map(|refused| refused.item).collect(),
            carried: checked.carried,
            body,
        };
        let receipt = self.append(request, share).await?;

        self.counters.accepted(signal, &checked, bytes, &receipt);
        Ok(Outcome::new(signal, &checked, &self.warnings))
    }

    /// Undoes the coding and walks the body once.
    async fn check(&self, post: Post) -> Result<(Checked, Bytes, Share), Refusal> {
        let Post { signal, encoding, coding, body, mut share, .. } = post;
        let limit = self.request_bytes_max;
        let inline = coding == Coding::Identity && body.len() <= INLINE_BYTES_MAX;
        let work = move || {
            let body = inflate(coding, body, limit, &mut share)?;
            let checked = otlp::check(signal, encoding, &body).map_err(Refusal::malformed)?;
            Ok((checked, body, share))
        };
        if inline {
            return guarded(work).unwrap_or_else(Err);
        }
        tokio::task::spawn_blocking(move || guarded(work).unwrap_or_else(Err))
            .await
            .unwrap_or_else(|_| Err(fault("reading it was broken off")))
    }

    /// The share goes along with the request: it is held until the journal is done with the bytes, even
    /// if the sender has gone meanwhile.
    async fn append(&self, request: Request, share: Share) -> Result<Receipt, Refusal> {
        let (done, durable) = oneshot::channel();
        let done = Box::new(move |result| {
            drop(share);
            // The sender may have hung up: then nobody waits for this.
            let _ = done.send(result);
        });
        guarded(|| self.intake.append(request, done))?;
        match durable.await {
            Ok(result) => result.map_err(|error| refused_by_journal(&error)),
            Err(_) => Err(fault("the journal gave no answer")),
        }
    }
}

/// A bug must not cost the sender its data: a panic is answered like any fault that may pass.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| fault("the collector failed on it"))
}

fn fault(reason: &str) -> Refusal {
    Refusal::Unavailable { reason: reason.into(), retry: Some(COME_BACK) }
}

/// A journal that was poisoned or closed may be opened anew, by somebody else even: that passes, too.
fn refused_by_journal(error: &AppendError) -> Refusal {
    match error {
        AppendError::Full(retry) => Refusal::Unavailable { reason: error.to_string(), retry: Some(*retry) },
        AppendError::Busy(retry) => Refusal::Busy { retry: *retry },
        AppendError::TooLarge { max, .. } => Refusal::TooLarge { limit: *max },
        AppendError::Poisoned | AppendError::Closed | AppendError::Crowded { .. } => {
            Refusal::Unavailable { reason: error.to_string(), retry: Some(COME_BACK) }
        }
    }
}
