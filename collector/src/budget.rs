//! The budget of bytes in flight: what the receivers hold between a socket and the journal's sync.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// All bytes that may be held at once, shared by every connection.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes_max: usize,
    held: AtomicUsize,
}

/// There is no room for more bytes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Budget {
    pub(crate) fn new(bytes_max: usize) -> Arc<Budget> {
        Arc::new(Budget { bytes_max, held: AtomicUsize::new(0) })
    }

    /// An empty share, to be grown as bytes come.
    pub(crate) fn share(self: &Arc<Budget>) -> Share {
        Share { budget: Arc::clone(self), bytes: 0 }
    }

    /// The bytes held now.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

/// One request's part of the budget; given back when dropped, on whatever path that happens.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Share {
    /// Takes `bytes` more, or nothing at all.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let max = self.budget.bytes_max;
        let fits = |held: usize| held.checked_add(bytes).filter(|sum| *sum <= max);
        self.budget.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).map_err(|_| Full)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Gives back all but `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let spare = self.bytes.saturating_sub(bytes);
        self.bytes -= spare;
        self.budget.held.fetch_sub(spare, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_exceed_the_budget_and_give_back_what_they_took() {
        let budget = Budget::new(100);
        let mut first = budget.share();
        let mut second = budget.share();
        assert_eq!(first.grow(60), Ok(()));
        assert_eq!(second.grow(41), Err(Full));
        assert_eq!(second.grow(40), Ok(()));
        assert_eq!(budget.held(), 100);
        first.shrink_to(10);
        assert_eq!(budget.held(), 50);
        drop(first);
        drop(second);
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn a_size_that_overflows_is_only_too_much() {
        let mut share = Budget::new(usize::MAX).share();
        assert_eq!(share.grow(1), Ok(()));
        assert_eq!(share.grow(usize::MAX), Err(Full));
    }
}
