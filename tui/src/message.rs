//! What reaches the state, and what the state asks of the edge.

use std::sync::Arc;

use query::archive::ArchiveError;
use query::export::{Export, Format};
use query::interface::{FollowAnswer, QueryError, SearchRequest, TimelineRequest};
use timeline::document::{Find, Incidents, Search, Stats};
use timeline::id::TraceId;
use timeline::record::Position;
use timeline::state::Moment;
use timeline::time::Time;

use crate::keys::Key;
use crate::report::entities::Beliefs;
use crate::report::{Report, Topic};
use crate::told::Told;
use crate::waterfall::{Corrections, Waterfall};

/// Something happened.
#[derive(Clone, Debug)]
pub enum Message {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse was used at a column and a row.
    Mouse(Mouse, u16, u16),
    /// The terminal now has so many columns and rows.
    Resize(u16, u16),
    /// The program is asked to end.
    Leave,
    /// The program is asked to stop until the shell calls again.
    Stop,
    /// The edge has done something, or failed to.
    Said(String),
    /// A second has passed.
    Tick(Time),
    /// A question was answered.
    Answer {
        /// Which line of questions.
        slot: Slot,
        /// The number it was asked with.
        number: u64,
        /// The answer.
        answer: Result<Answer, Failure>,
    },
    /// A question's scan has come so far, from 0 to 1.
    Progress {
        /// Which line of questions.
        slot: Slot,
        /// The number it was asked with.
        number: u64,
        /// How far.
        share: f64,
    },
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// A press of the left button.
    Click,
    /// The wheel, away from the hand.
    WheelUp,
    /// The wheel, towards the hand.
    WheelDown,
}

/// A line of questions: a newer one supersedes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// What the store holds and what is new.
    Live,
    /// The search screen's records.
    Search,
    /// The search screen's entities.
    Find,
    /// The timeline screen.
    Timeline,
    /// The trace screen.
    Trace,
    /// The live screen.
    Follow,
    /// Exports.
    Export,
    /// What is wrong.
    Incidents,
    /// The screens of one table.
    Table,
    /// What copies hold of the keys on screen.
    Beliefs,
}

impl Slot {
    /// All.
    pub const ALL: [Slot; 10] = [
        Slot::Live,
        Slot::Search,
        Slot::Find,
        Slot::Timeline,
        Slot::Trace,
        Slot::Follow,
        Slot::Export,
        Slot::Incidents,
        Slot::Table,
        Slot::Beliefs,
    ];
}

/// A question for the query interface.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// What the store holds, and what is new since a position; the newest records where there is none.
    Live {
        /// The `after` of the answer before.
        after: Option<Position>,
    },
    /// Which records.
    Search(SearchRequest),
    /// Where a value occurs.
    Find(String),
    /// One entity's timeline.
    Timeline(TimelineRequest),
    /// All records of a trace.
    Trace {
        /// Which.
        trace: TraceId,
        /// What is known of the clocks, where the screen knows it.
        corrections: Arc<Corrections>,
    },
    /// What is new since a position and matches a query; the newest records where there is none.
    Follow {
        /// The query's text.
        query: String,
        /// The `after` of the answer before.
        after: Option<Position>,
    },
    /// What is wrong.
    Incidents,
    /// A table's answer.
    Table(Topic),
    /// What each copy of some entities held at a moment.
    Beliefs {
        /// Which.
        entities: Vec<String>,
        /// When.
        moment: Moment,
    },
    /// A timeline in another format.
    Export {
        /// Which.
        told: Shared<Told>,
        /// In what format.
        format: Format,
    },
}

/// Something that is shared, and equal only to itself.
#[derive(Debug)]
pub struct Shared<T>(pub Arc<T>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        Shared(Arc::clone(&self.0))
    }
}

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Shared<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Question {
    /// The line it stands in.
    pub fn slot(&self) -> Slot {
        match self {
            Question::Live { .. } => Slot::Live,
            Question::Search(_) => Slot::Search,
            Question::Find(_) => Slot::Find,
            Question::Timeline(_) => Slot::Timeline,
            Question::Trace { .. } => Slot::Trace,
            Question::Follow { .. } => Slot::Follow,
            Question::Export { .. } => Slot::Export,
            Question::Incidents => Slot::Incidents,
            Question::Table(_) => Slot::Table,
            Question::Beliefs { .. } => Slot::Beliefs,
        }
    }
}

/// The answer to a question.
#[derive(Clone, Debug)]
pub enum Answer {
    /// What the store holds and what is new.
    Live(Box<Live>),
    /// Records.
    Search(Box<Search>),
    /// Places of a value.
    Find(Find),
    /// A timeline.
    Timeline(Arc<Told>),
    /// A trace.
    Trace(Arc<Waterfall>),
    /// Records as they arrive.
    Follow(Box<FollowAnswer>),
    /// What is wrong.
    Incidents(Arc<Incidents>),
    /// A table.
    Table(Arc<Report>),
    /// What copies hold.
    Beliefs(Arc<Beliefs>),
    /// A file to write.
    Export {
        /// The file's name.
        name: String,
        /// What it is to hold, and what was left out of it.
        export: Export,
    },
}

/// What the store holds and what is new.
#[derive(Clone, Debug)]
pub struct Live {
    /// What it holds.
    pub stats: Stats,
    /// What is new, oldest first.
    pub records: FollowAnswer,
    /// What the program around the screen says of itself; empty if nothing.
    pub status: String,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong and what to do.
    pub message: String,
    /// The byte of the question's text at which it is wrong.
    pub at: Option<usize>,
    /// Whether it was given up because somebody asked for it.
    pub cancelled: bool,
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Failure {
        let cancelled = matches!(error, QueryError::Archive(ArchiveError::Cancelled));
        let message = error.to_string();
        let at = if let QueryError::Malformed { at, .. } = error { at } else { None };
        Failure { message, at, cancelled }
    }
}

/// What the state asks of the edge.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask; the answer comes back with the number.
    Ask {
        /// The number that the answer comes back with.
        number: u64,
        /// The question.
        question: Question,
    },
    /// Nobody waits for the answers of this line any more.
    Cancel(Slot),
    /// Put a text into the terminal's clipboard.
    Copy(String),
    /// Write a text to a new file in the working folder; what became of it is said.
    Save {
        /// The file's name, without a folder.
        name: String,
        /// What it is to hold.
        text: String,
    },
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Give the terminal back and stop until the shell calls again.
    Suspend,
    /// Leave.
    Quit,
}
