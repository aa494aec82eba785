//! Running a question: off the async threads, in turn, cancelled when its caller hangs up.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::{Code, Failure};
use crate::archive::Effort;
use crate::interface::{Query, QueryError};

/// How long a question waits for its turn before its caller is told to come back.
const TURN_WAIT: Duration = Duration::from_secs(2);

/// Works on a bounded number of questions at once.
#[derive(Clone)]
pub(super) struct Workers {
    query: Arc<dyn Query>,
    turns: Arc<Semaphore>,
    records_max: u64,
}

impl Workers {
    pub(super) fn new(query: Arc<dyn Query>, at_once: usize, records_max: u64) -> Workers {
        Workers { query, turns: Arc::new(Semaphore::new(at_once)), records_max }
    }

    /// The answer to a question, in JSON.
    pub(super) async fn answer<T: Serialize + Send + 'static>(
        &self,
        budget: Option<u64>,
        question: impl FnOnce(&dyn Query, &Effort) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<Response, Failure> {
        let encoded = self.ask(budget, |query, effort| Ok(encode(&question(query, effort)?))).await?;
        Ok(in_json(encoded))
    }

    /// The answer to a question. Dropping the future cancels the work.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        budget: Option<u64>,
        question: impl FnOnce(&dyn Query, &Effort) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = self.turn().await?;
        let effort = Effort::new(budget.unwrap_or(self.records_max).min(self.records_max));
        let _cancelled_when_dropped = CancelOnDrop(effort.clone());
        let query = Arc::clone(&self.query);
        let work = tokio::task::spawn_blocking(move || {
            let _held_until_done = turn;
            question(query.as_ref(), &effort)
        });
        match work.await {
            Ok(answer) => answer.map_err(Failure::from),
            Err(_) => {
                Err(Failure::new(Code::Internal, "the question made the server panic; its log says where"))
            }
        }
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let turn = tokio::time::timeout(TURN_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        match turn {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Failure::new(Code::Busy, "too many questions at once: ask again in a second")),
        }
    }
}

/// Cancels the work that its caller no longer waits for.
struct CancelOnDrop(Effort);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// An answer in JSON.
pub(super) fn json<T: Serialize>(answer: &T) -> Response {
    in_json(encode(answer))
}

fn encode<T: Serialize>(answer: &T) -> Result<Vec<u8>, String> {
    serde_json::to_vec(answer).map_err(|error| error.to_string())
}

fn in_json(encoded: Result<Vec<u8>, String>) -> Response {
    match encoded {
        Ok(bytes) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(message) => Failure::new(Code::Internal, message).into_response(),
    }
}
