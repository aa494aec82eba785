//! The sources of one record.

use super::draft::Draft;
use super::sql::{Control, Statements};
use super::{explicit, http, log, message, redis};
use crate::record::{Body, Record};

/// Reads records one by one; what it keeps between them only saves work.
#[derive(Default)]
pub(crate) struct Reader {
    statements: Statements,
}

/// What one record says.
#[derive(Default)]
pub(crate) struct Read {
    /// The operations.
    pub(crate) drafts: Vec<Draft>,
    /// Beginnings and ends of transactions, each before the draft of this number.
    pub(crate) controls: Vec<(usize, Control)>,
}

impl Reader {
    /// What `record` says was done to state.
    pub(crate) fn read(&mut self, record: &Record) -> Read {
        let mut read = Read::default();
        explicit::read(record, &mut read.drafts);
        match &record.body {
            Body::Span(span) => {
                if let Some(statements) = self.statements.read(span) {
                    // What the code says of itself is surer than what its statement shows.
                    let said = read.drafts.len();
                    read.controls
                        .extend(statements.controls.into_iter().map(|(at, control)| (said + at, control)));
                    read.drafts.extend(statements.drafts);
                }
                redis::read(span, &mut read);
                http::read(record, span, &mut read.drafts);
                message::read(record, span, &mut read.drafts);
            }
            Body::Log(log) => log::read(record, log, &mut read.drafts),
        }
        read
    }
}
