//! The query interface: the questions that a person asks.
//!
//! Two implementations answer them: over an archive in this process, and over a running server.
//! Everything that shows a timeline takes it from here.

use timeline::annotation::IncidentStatus;
use timeline::document::{
    Affected, Annotations, Belonging, Clocks, Completeness, Doctor, Entities, Find, FindingKind, Findings,
    Incidents, Search, SearchRecord, Services, State, Stats, Timeline, Traces, Why,
};
use timeline::record::Position;
use timeline::state::Moment;

use crate::annotations::ToWrite;
use crate::archive::{ArchiveError, Effort, Window};
use crate::bundle::Bundle;

/// The questions that a person asks.
pub trait Query: Send + Sync {
    /// The causal timeline of one entity. An unknown entity has an empty one.
    fn timeline(&self, request: &TimelineRequest, effort: &Effort) -> Result<Timeline, QueryError>;

    /// The records that a timeline is told from, as OTLP requests.
    fn records(&self, request: &TimelineRequest, effort: &Effort) -> Result<Records, QueryError>;

    /// The records that a timeline is told from, and all else that it rests on.
    fn bundle(&self, request: &TimelineRequest, effort: &Effort) -> Result<Bundle, QueryError>;

    /// Why one event of a timeline is before, after or unordered with another; why one belongs to it.
    fn why(&self, request: &WhyRequest, effort: &Effort) -> Result<WhyAnswer, QueryError>;

    /// Every clock's offset, error and drift, by all traffic of a stretch of time.
    fn clocks(&self, request: &ClocksRequest, effort: &Effort) -> Result<Clocks, QueryError>;

    /// Under which keys and entities this value occurs, and when.
    fn find(&self, value: &str, effort: &Effort) -> Result<Find, QueryError>;

    /// The records that match a query in the language of `docs/search.md`.
    fn search(&self, request: &SearchRequest, effort: &Effort) -> Result<Search, QueryError>;

    /// The records that arrived after `after` and match, oldest first, without waiting.
    fn follow(&self, request: &FollowRequest, effort: &Effort) -> Result<FollowAnswer, QueryError>;

    /// Which entity types, or keys of one type, records name.
    fn entities(&self, request: &EntitiesRequest, effort: &Effort) -> Result<Entities, QueryError>;

    /// What of each service can be judged, and the one setting that would unlock more.
    fn doctor(&self, request: &DoctorRequest, effort: &Effort) -> Result<Doctor, QueryError>;

    /// Who else has what a finding tells of: every entity of its type, judged for the same shape.
    fn affected(&self, request: &AffectedRequest, effort: &Effort) -> Result<Affected, QueryError>;

    /// What each copy of one entity held at a moment. An unknown entity has no copies.
    fn state(&self, request: &StateRequest, effort: &Effort) -> Result<State, QueryError>;

    /// What is wrong with one entity, or with all that a scan finds.
    fn findings(&self, request: &FindingsRequest, effort: &Effort) -> Result<Findings, QueryError>;

    /// Which findings and errors belong together, and what engineers wrote about them.
    fn incidents(&self, request: &IncidentsRequest, effort: &Effort) -> Result<Incidents, QueryError>;

    /// What engineers wrote and did not take back: notes, the status of incidents, bookmarks, saved searches.
    fn annotations(&self) -> Result<Annotations, QueryError>;

    /// Writes these, in this order, at most [`ANNOTATIONS_MAX`]; they are durable when it returns. Returns them with
    /// their stamps. What was written before is not written twice.
    fn annotate(&self, annotations: &[ToWrite]) -> Result<Annotations, QueryError>;

    /// Who sent records, and the operations of each: by the index, not by reading all records.
    fn services(&self, request: &ServicesRequest, effort: &Effort) -> Result<Services, QueryError>;

    /// Whole traces by what their spans are like, in Jaeger's JSON.
    fn traces(&self, request: &TracesRequest, effort: &Effort) -> Result<Traces, QueryError>;

    /// What the store holds.
    fn stats(&self) -> Result<Stats, QueryError>;

    /// One line on what is asked: a folder's path or a server's address.
    fn source(&self) -> String;
}

/// So many annotations are written at once.
pub const ANNOTATIONS_MAX: usize = 1_000;

/// Whose timeline, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineRequest {
    /// `order/42`, or any attribute as `order.id=42`.
    pub entity: String,
    /// Only what concerns the subject's records of these times: the timeline begins from them, and takes
    /// their traces, links and messages whole, so that nothing looks missing that is not.
    pub window: Window,
    /// At most so many events; those with the smallest (stamp, record) stay.
    pub events_max: usize,
    /// Leave the attributes out.
    pub brief: bool,
}

/// Which events of which timeline. An event is an event id, a unique beginning of one, a span id (its start) or
/// `SPAN_ID:end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyRequest {
    /// As [`TimelineRequest::entity`].
    pub entity: String,
    /// As [`TimelineRequest::window`].
    pub window: Window,
    /// The event asked about.
    pub a: String,
    /// The event that it is compared with; `None` asks why `a` belongs.
    pub b: Option<String>,
}

/// Why.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum WhyAnswer {
    /// Why one event is before, after or unordered with another.
    Order(Why),
    /// Why one event belongs.
    Belongs(Belonging),
}

/// Which clocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClocksRequest {
    /// Only traffic of these times.
    pub window: Window,
}

/// `backstory.records/1`: the records that a timeline is told from.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Records {
    /// Always [`Records::SCHEMA`].
    pub schema: String,
    /// What the answer rests on.
    pub completeness: Completeness,
    /// OTLP/JSON requests, spans and logs apart, with what the timeline says of the records' times in attributes whose
    /// names begin with [`timeline::record::ADDED_BY_EXPORT`].
    pub requests: Vec<serde_json::Value>,
}

impl Records {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.records/1";
}

impl TimelineRequest {
    /// All of an entity's timeline, without attributes.
    pub fn whole(entity: &str) -> TimelineRequest {
        let entity = entity.to_owned();
        TimelineRequest { entity, window: Window::default(), events_max: usize::MAX, brief: true }
    }
}

/// Which records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchRequest {
    /// The query's text.
    pub query: String,
    /// At most so many records.
    pub limit: usize,
    /// The `next` of the page before; `None` for the first.
    pub before: Option<Position>,
}

/// Which records, as they arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowRequest {
    /// The query's text; empty for all.
    pub query: String,
    /// The `after` of the answer before; `None` to begin at the end.
    pub after: Option<Position>,
    /// At most so many records.
    pub limit: usize,
}

/// Which entities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntitiesRequest {
    /// Of this type the keys, as a person writes it (`order`, `Orders`); `None` for all types.
    pub kind: Option<String>,
    /// Only records of these times.
    pub window: Window,
    /// At most so many types or keys.
    pub limit: usize,
}

/// Which services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DoctorRequest {
    /// This one alone; `None` for all.
    pub service: Option<String>,
    /// Only records of these times.
    pub window: Window,
}

/// Which finding, and among whom to look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AffectedRequest {
    /// Its id, or the beginning of it.
    pub finding: String,
    /// The entity that has it; `None` to look through all.
    pub entity: Option<String>,
    /// Only entities that records of these times name.
    pub window: Window,
    /// At most so many entities of a type are judged, the latest.
    pub entities_max: usize,
}

/// Whose state, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRequest {
    /// `order/42`, or any attribute as `order.id=42`.
    pub entity: String,
    /// At which moment.
    pub moment: Moment,
}

/// Which findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingsRequest {
    /// Of this entity; `None` for every entity that records of the window name.
    pub entity: Option<String>,
    /// Of these kinds; all where there are none.
    pub kinds: Vec<FindingKind>,
    /// With an event in this service.
    pub service: Option<String>,
    /// Only those that had begun before the window's end and had not ended before its beginning; and, where no entity is
    /// named, only entities that records of these times name.
    pub window: Window,
    /// At most so many entities of each type are judged, the latest.
    pub entities_max: usize,
    /// Judge every entity anew, also where a server has judged them as their records arrived.
    pub rescan: bool,
}

/// Which incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentsRequest {
    /// The one that this id, or the beginning of one, names; `None` for all.
    pub incident: Option<String>,
    /// With this status; `None` for either.
    pub status: Option<IncidentStatus>,
    /// Of findings and errors of these times alone.
    pub window: Window,
    /// At most so many entities of each type are judged, the latest.
    pub entities_max: usize,
    /// At most so many incidents.
    pub limit: usize,
}

/// Which services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServicesRequest {
    /// This one alone; `None` for all.
    pub service: Option<String>,
}

/// Which traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracesRequest {
    /// The query's text: a trace is meant if one of its records matches.
    pub query: String,
    /// At most so many traces, those of which a match arrived last.
    pub limit: usize,
}

/// Records as they arrived.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FollowAnswer {
    /// Oldest first.
    pub records: Vec<SearchRecord>,
    /// What to pass as `after` next time.
    pub after: Option<String>,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The question is not well formed.
    #[error("{message}")]
    Malformed {
        /// What is wrong and what would be right.
        message: String,
        /// The byte of the question's text at which it is wrong.
        at: Option<usize>,
    },
    /// The archive could not answer.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The server could not be reached or did not answer in its own language.
    #[error("{0}")]
    Remote(String),
}
