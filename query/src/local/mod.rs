//! The query interface over an archive in this process.
//!
//! | file        | what it alone knows                                                       |
//! |-------------|---------------------------------------------------------------------------|
//! | `affected.rs` | who else has what a finding tells of                                     |
//! | `clocks.rs` | which of the clock evidence kept a timeline rests on                      |
//! | `findings.rs` | what is wrong with one entity or with all that there are                |
//! | `gather.rs` | which records a timeline needs, and in what order to ask for them          |
//! | `incidents.rs` | which findings and errors belong together                               |
//! | `judged.rs` | what judging entities came to, one by one and together                      |
//! | `live/`     | judging as records arrive                                                  |
//! | `places.rs` | under which keys and entities a value stands                               |
//! | `shown.rs`  | a record as the public JSON shows it                                       |
//! | `survey.rs` | which entity types there are, and what of each service can be judged       |
//! | `spend.rs`  | one budget over several questions to an archive                            |
//! | `traces.rs` | who sent records, and whole traces                                         |

mod affected;
mod clocks;
mod findings;
mod gather;
mod incidents;
mod judged;
mod live;
mod places;
mod shown;
mod spend;
mod survey;
#[cfg(test)]
mod tests;
mod traces;

use std::collections::BTreeMap;
use std::sync::Arc;

use timeline::annotation::Written;
use timeline::clocks::{Declared, Drift};
use timeline::document::{
    Affected, Annotations, Clocks, Completeness, Doctor, Entities, Find, Findings, Incidents, Incompleteness,
    Search, Services, State, Stats, Timeline, Traces,
};
use timeline::judge::Settings;
use timeline::record::Record;
use timeline::survey::Survey;
use timeline::{Given, Question, WhyError};

use crate::annotations::{AnnotationStore, MemoryAnnotations, ToWrite};
use crate::archive::{Archive, Effort, Page};
use crate::bundle::Bundle;
use crate::export;
use crate::interface::{
    ANNOTATIONS_MAX, AffectedRequest, ClocksRequest, DoctorRequest, EntitiesRequest, FindingsRequest,
    FollowAnswer, FollowRequest, IncidentsRequest, Query, QueryError, Records, SearchRequest,
    ServicesRequest, StateRequest, TimelineRequest, TracesRequest, WhyAnswer, WhyRequest,
};
use crate::language::{self, Now, ParseError};
pub use live::{Judging, Live, LiveOptions};

/// Answers questions from an archive.
pub struct Local<A> {
    archive: A,
    now: Box<dyn Fn() -> Now + Send + Sync>,
    source: String,
    settings: Settings,
    declared: BTreeMap<String, Declared>,
    drift: Drift,
    annotations: Arc<dyn AnnotationStore>,
    live: Option<Arc<Live>>,
}

impl<A: Archive> Local<A> {
    /// Asks `archive`, which `source` names in one line. `now` tells the moment of asking, for times such as `15m`.
    pub fn new(
        archive: A,
        source: impl Into<String>,
        now: impl Fn() -> Now + Send + Sync + 'static,
    ) -> Local<A> {
        Local {
            archive,
            now: Box::new(now),
            source: source.into(),
            settings: Settings::default(),
            declared: BTreeMap::new(),
            drift: Drift::default(),
            annotations: Arc::new(MemoryAnnotations::default()),
            live: None,
        }
    }

    /// Judges by these budgets and rules.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Local<A> {
        self.settings = settings;
        self
    }

    /// The same, with offsets of clocks that the configuration declares, by host, else by service.
    #[must_use]
    pub fn with_declared(self, declared: BTreeMap<String, Declared>) -> Local<A> {
        Local { declared, ..self }
    }

    /// The same, with clocks that may drift apart so fast.
    #[must_use]
    pub fn with_drift(self, drift: Drift) -> Local<A> {
        Local { drift, ..self }
    }

    /// The same, with what engineers write kept in `annotations`; else it is kept in memory.
    #[must_use]
    pub fn with_annotations(self, annotations: Arc<dyn AnnotationStore>) -> Local<A> {
        Local { annotations, ..self }
    }

    /// What findings are judged by besides the records, in words: equal where it is the same.
    pub fn judged_by(&self) -> String {
        format!("{:?} {:?}", self.settings, self.declared)
    }

    /// The same, with what is judged as records arrive: it answers what is wrong with all entities.
    #[must_use]
    pub fn with_live(self, live: Arc<Live>) -> Local<A> {
        Local { live: Some(live), ..self }
    }

    /// What was judged as records arrived, where anything is.
    fn live(&self) -> Option<&Live> {
        self.live.as_deref()
    }

    /// The archive asked.
    pub fn archive(&self) -> &A {
        &self.archive
    }

    /// What a timeline is told from.
    fn grounds(
        &self,
        request: &TimelineRequest,
        effort: &Effort,
    ) -> Result<(Question, Vec<Record>, Given), QueryError> {
        let question = gather::question(request)?;
        let gathered = gather::gather(&self.archive, &question, request.window, effort)?;
        let given = self.given_of(&gathered.records, gathered.reasons, effort)?;
        Ok((question, gathered.records, given))
    }

    /// What a timeline rests on besides `records`, of which some may be missing for `reasons`.
    fn given_of(
        &self,
        records: &[Record],
        reasons: Vec<Incompleteness>,
        effort: &Effort,
    ) -> Result<Given, QueryError> {
        let around = clocks::around(&self.archive, records, effort)?;
        let given = self.given(reasons.into_iter().chain(around.reasons).collect())?;
        Ok(Given { clocks: around.clocks, ..given })
    }

    /// What a timeline rests on besides its records. What has arrived by now is at hand.
    fn given(&self, reasons: Vec<Incompleteness>) -> Result<Given, QueryError> {
        Ok(Given {
            completeness: self.completeness(reasons, 0, 0)?,
            declared: self.declared.clone(),
            drift: self.drift,
            settings: self.settings.clone(),
            judged_to: Some((self.now)().time),
            ..Given::default()
        })
    }

    /// What an answer rests on that shows `shown` of `total`, and lacks something for these reasons.
    fn completeness(
        &self,
        reasons: Vec<Incompleteness>,
        shown: u64,
        total: u64,
    ) -> Result<Completeness, QueryError> {
        let mut completeness = self.archive.completeness()?;
        completeness.reasons.extend(reasons);
        completeness.reasons.sort_unstable();
        completeness.reasons.dedup();
        completeness.complete &= completeness.reasons.is_empty();
        Ok(Completeness { shown, total, ..completeness })
    }
}

impl<A: Archive> Query for Local<A> {
    fn timeline(&self, request: &TimelineRequest, effort: &Effort) -> Result<Timeline, QueryError> {
        let (question, records, given) = self.grounds(request, effort)?;
        Ok(timeline::tell(records, &question, &given))
    }

    fn records(&self, request: &TimelineRequest, effort: &Effort) -> Result<Records, QueryError> {
        let (question, records, given) = self.grounds(request, effort)?;
        let told = timeline::tell(records.clone(), &question, &given);
        Ok(Records {
            schema: Records::SCHEMA.to_owned(),
            requests: export::otlp(records, Some(&told)),
            completeness: told.completeness,
        })
    }

    fn bundle(&self, request: &TimelineRequest, effort: &Effort) -> Result<Bundle, QueryError> {
        let (_, records, given) = self.grounds(request, effort)?;
        Ok(Bundle::of(request, records, given, &self.annotations.read()?))
    }

    fn why(&self, request: &WhyRequest, effort: &Effort) -> Result<WhyAnswer, QueryError> {
        let whole = TimelineRequest {
            entity: request.entity.clone(),
            window: request.window,
            events_max: usize::MAX,
            brief: true,
        };
        let (question, records, given) = self.grounds(&whole, effort)?;
        let malformed = |error: WhyError| QueryError::Malformed { message: error.to_string(), at: None };
        match &request.b {
            Some(b) => timeline::why(records, &question, &given, &request.a, b).map(WhyAnswer::Order),
            None => timeline::belonging(records, &question, &given, &request.a).map(WhyAnswer::Belongs),
        }
        .map_err(malformed)
    }

    fn clocks(&self, request: &ClocksRequest, effort: &Effort) -> Result<Clocks, QueryError> {
        let proven = self.archive.clocks(request.window, effort)?;
        let (clocks, processes) = timeline::clock_table(&proven.evidence, &self.declared, self.drift);
        let rows = clocks.len() as u64;
        let completeness = self.completeness(proven.reasons, rows, rows)?;
        Ok(Clocks { schema: Clocks::SCHEMA.to_owned(), completeness, clocks, processes })
    }

    fn find(&self, value: &str, effort: &Effort) -> Result<Find, QueryError> {
        let counted = places::count(&self.archive, value, effort)?;
        let completeness = self.completeness(counted.reasons, counted.read, counted.total)?;
        Ok(Find { schema: Find::SCHEMA.to_owned(), completeness, matches: counted.matches })
    }

    fn search(&self, request: &SearchRequest, effort: &Effort) -> Result<Search, QueryError> {
        let (predicate, window) = language::parse(&request.query, (self.now)())?;
        let page = Page { before: request.before, limit: request.limit };
        let found = self.archive.find(&predicate, window, page, effort)?;
        let records: Vec<_> = found.records.iter().map(shown::record).collect();
        let shown = records.len() as u64;
        Ok(Search {
            schema: Search::SCHEMA.to_owned(),
            completeness: self.completeness(found.reasons, shown, found.total)?,
            records,
            shown,
            total: found.total,
            next: found.next.map(|position| position.to_string()),
        })
    }

    fn follow(&self, request: &FollowRequest, effort: &Effort) -> Result<FollowAnswer, QueryError> {
        let (predicate, window) = language::parse(&request.query, (self.now)())?;
        let mut left = effort.records_max;
        let mut after = request.after;
        let mut records = Vec::new();
        while records.len() < request.limit && left > 0 {
            let wanted = request.limit - records.len();
            let arrived = self.archive.follow(after, wanted, effort)?;
            let ended = arrived.records.is_empty();
            left = left.saturating_sub(arrived.records.len() as u64);
            after = arrived.after;
            let matching =
                arrived.records.iter().filter(|r| window.contains(r.time()) && predicate.matches(r));
            records.extend(matching.map(shown::record));
            if ended {
                break;
            }
        }
        Ok(FollowAnswer { records, after: after.map(|position| position.to_string()) })
    }

    fn entities(&self, request: &EntitiesRequest, effort: &Effort) -> Result<Entities, QueryError> {
        let kind = request.kind.as_deref().map(timeline::naming::kind_named);
        let empty = kind.as_deref().map_or_else(Survey::default, Survey::of_kind);
        let surveyed = survey::of(&self.archive, empty, request.window, effort)?;
        let completeness = self.completeness(surveyed.reasons, surveyed.read, surveyed.total)?;
        Ok(surveyed.survey.entities(completeness, request.limit))
    }

    fn affected(&self, request: &AffectedRequest, effort: &Effort) -> Result<Affected, QueryError> {
        affected::of(self, request, effort)
    }

    fn doctor(&self, request: &DoctorRequest, effort: &Effort) -> Result<Doctor, QueryError> {
        // How a span comes to its entity is told by its whole trace: other services' records are read, too.
        let surveyed = survey::of(&self.archive, Survey::default(), request.window, effort)?;
        let completeness = self.completeness(surveyed.reasons, surveyed.read, surveyed.total)?;
        Ok(surveyed.survey.doctor(completeness, request.service.as_deref()))
    }

    fn state(&self, request: &StateRequest, effort: &Effort) -> Result<State, QueryError> {
        let (question, records, given) = self.grounds(&TimelineRequest::whole(&request.entity), effort)?;
        timeline::state::state(records, &question, &given, &request.moment)
            .map_err(|error| QueryError::Malformed { message: error.to_string(), at: None })
    }

    fn findings(&self, request: &FindingsRequest, effort: &Effort) -> Result<Findings, QueryError> {
        findings::of(self, request, effort)
    }

    fn incidents(&self, request: &IncidentsRequest, effort: &Effort) -> Result<Incidents, QueryError> {
        incidents::of(self, request, effort)
    }

    fn annotations(&self) -> Result<Annotations, QueryError> {
        let notebook = self.annotations.read()?;
        let annotations = notebook.standing().into_iter().cloned().collect();
        let pinned = self.annotations.pinned(&notebook)?;
        Ok(Annotations { schema: Annotations::SCHEMA.to_owned(), pinned, annotations })
    }

    fn annotate(&self, annotations: &[ToWrite]) -> Result<Annotations, QueryError> {
        let malformed = |message: String| QueryError::Malformed { message, at: None };
        if annotations.len() > ANNOTATIONS_MAX {
            return Err(malformed(format!("at most {ANNOTATIONS_MAX} annotations are written at once")));
        }
        for one in annotations {
            one.annotation.check().map_err(|unfit| malformed(unfit.to_string()))?;
        }
        let stamps = self.annotations.write(annotations)?;
        let written = annotations.iter().zip(stamps);
        let written = written.map(|(one, stamp)| Written { stamp, annotation: one.annotation.clone() });
        let pinned = self.annotations.pinned(&self.annotations.read()?)?;
        Ok(Annotations { schema: Annotations::SCHEMA.to_owned(), pinned, annotations: written.collect() })
    }

    fn services(&self, request: &ServicesRequest, effort: &Effort) -> Result<Services, QueryError> {
        traces::services(self, request, effort)
    }

    fn traces(&self, request: &TracesRequest, effort: &Effort) -> Result<Traces, QueryError> {
        traces::of(self, request, effort)
    }

    fn stats(&self) -> Result<Stats, QueryError> {
        Ok(self.archive.stats()?)
    }

    fn source(&self) -> String {
        self.source.clone()
    }
}

impl From<ParseError> for QueryError {
    fn from(error: ParseError) -> QueryError {
        QueryError::Malformed { message: error.message, at: Some(error.at) }
    }
}
