//! What reaches the state, and what the state asks of the edge.

use std::sync::Arc;

use query::archive::ArchiveError;
use query::interface::{FollowAnswer, QueryError, SearchRequest, TimelineRequest};
use timeline::document::{Find, Search, Stats};
use timeline::record::Position;
use timeline::time::Time;

use crate::keys::Key;
use crate::told::Told;

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
}

impl Slot {
    /// All.
    pub const ALL: [Slot; 4] = [Slot::Live, Slot::Search, Slot::Find, Slot::Timeline];
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
}

impl Question {
    /// The line it stands in.
    pub fn slot(&self) -> Slot {
        match self {
            Question::Live { .. } => Slot::Live,
            Question::Search(_) => Slot::Search,
            Question::Find(_) => Slot::Find,
            Question::Timeline(_) => Slot::Timeline,
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
    /// Leave.
    Quit,
}
