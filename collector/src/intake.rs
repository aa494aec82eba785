//! What the receivers need of a journal, and nothing more: the seam at which tests set another one.

use journal::{AppendError, Journal, Receipt, Request};

/// Called once: after the sync that covers the request, or with the reason why there is none.
pub type Done = Box<dyn FnOnce(Result<Receipt, AppendError>) + Send>;

/// Where requests go.
pub trait Intake: Send + Sync + 'static {
    /// Hands the request over and returns at once; `done` is called later, on any thread.
    fn append(&self, request: Request, done: Done);
}

impl Intake for Journal {
    fn append(&self, request: Request, done: Done) {
        Journal::append(self, request, done);
    }
}
