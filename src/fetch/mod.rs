//! Fetching from a tracing backend that runs already: what a search matches, and what that leads on to.
//!
//! | file         | what it alone knows                                                        |
//! |--------------|----------------------------------------------------------------------------|
//! | `client.rs`  | polite HTTP: few requests at once, retries when told, a budget             |
//! | `jaeger.rs`  | Jaeger's query API                                                         |
//! | `tempo.rs`   | Grafana Tempo's query API                                                  |
//! | `leads.rs`   | what fetched records lead on to: linked traces, keys, messages             |
//!
//! What is fetched goes the way of `backstory import`: the same trace fetched twice is there once.

mod client;
mod jaeger;
mod leads;
mod tempo;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use import::{Format, Options, Request};
use journal::otlp;
use query::archive::Window;
use timeline::id::TraceId;
use timeline::question::Subject;
use timeline::record::{Position, Record};

pub(crate) use self::client::{Budget, Client};
pub(crate) use self::jaeger::Jaeger;
use self::leads::Leads;
pub(crate) use self::leads::trace_id;
pub(crate) use self::tempo::Tempo;

/// What led to a trace that a backend found and did not tell whole.
const FOUND: &str = "found by a search";

/// So many requests are under way at once.
const AT_ONCE: usize = 4;

/// A backend that has traces.
pub(crate) trait Backend: Sync {
    /// Its name, and the form of what it answers.
    fn format(&self) -> Format;

    /// The services that a search must name one by one; `None` where it need not name any.
    fn services(&self, client: &Client) -> Result<Option<Vec<String>>, Failure>;

    /// The traces that match, whole where the backend answers so.
    fn search(&self, search: &Search, client: &Client) -> Result<Found, Failure>;

    /// One trace; `None` where the backend has it not.
    fn trace(&self, id: TraceId, client: &Client) -> Result<Option<Answer>, Failure>;
}

/// What is searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Search {
    /// In the backend's own language, in place of what follows.
    pub(crate) query: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) operation: Option<String>,
    /// Attributes and their values.
    pub(crate) tags: BTreeMap<String, String>,
    /// As the backend writes durations: `100ms`.
    pub(crate) duration_min: Option<String>,
    pub(crate) duration_max: Option<String>,
    pub(crate) window: Window,
    /// At most so many traces.
    pub(crate) limit: usize,
}

impl Search {
    /// Whether it asks for less than all traces of a service.
    fn narrows(&self) -> bool {
        let durations = self.duration_min.is_some() || self.duration_max.is_some();
        self.query.is_some() || self.operation.is_some() || !self.tags.is_empty() || durations
    }
}

impl std::fmt::Display for Search {
    /// As a person would say it: `service orders, order.id=42`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = [("query", &self.query), ("service", &self.service), ("operation", &self.operation)];
        let named = named.into_iter().filter_map(|(name, text)| Some(format!("{name} {}", text.as_ref()?)));
        let tags = self.tags.iter().map(|(key, value)| format!("{key}={value}"));
        let all: Vec<String> = named.chain(tags).collect();
        f.write_str(&if all.is_empty() { "everything".to_owned() } else { all.join(", ") })
    }
}

/// What a search found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The traces, with what was said of them where that is all.
    pub(crate) traces: Vec<(TraceId, Option<Answer>)>,
    /// What the backend left out, or could not tell.
    pub(crate) lacks: Vec<String>,
}

/// A trace as the backend told it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// In the backend's format.
    pub(crate) body: Vec<u8>,
    /// What the backend says is missing.
    pub(crate) lacks: Option<String>,
}

/// Why an answer did not come.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The budget is spent: nothing is wrong.
    #[error("{0}")]
    Spent(String),
    /// The backend lets nobody in like this: nothing else will be answered either.
    #[error("{0}")]
    Refused(String),
    /// This one request failed.
    #[error("{0}")]
    Failed(String),
}

/// What to fetch.
pub(crate) struct Plan {
    pub(crate) search: Option<Search>,
    /// Traces asked for by their ids.
    pub(crate) traces: Vec<TraceId>,
    /// Whose key is searched for under the names that it is found to have.
    pub(crate) subject: Option<Subject>,
    /// Whether to go on from what was found.
    pub(crate) expand: bool,
    /// At most so many spans.
    pub(crate) spans_max: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) traces: u64,
    pub(crate) spans: u64,
    pub(crate) logs: u64,
    /// What the backend capped or lacked, and what the budget left out.
    pub(crate) lacks: Vec<String>,
    /// What failed for good.
    pub(crate) failures: Vec<String>,
}

/// Takes a request in.
pub(crate) type Take<'a> = dyn FnMut(Request) -> anyhow::Result<()> + 'a;

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Job {
    /// A search; whether what it finds may lead further.
    Search(Search, bool),
    /// A trace, what leads to it, and whether it may lead further.
    Trace(TraceId, &'static str, bool),
}

/// Fetches what the plan asks for, and what that leads on to, until there is nothing more or the budget is spent.
pub(crate) fn fetch(
    backend: &dyn Backend,
    client: &Client,
    plan: &Plan,
    take: &mut Take<'_>,
) -> anyhow::Result<Fetched> {
    let mut fetching = Fetching {
        backend,
        client,
        plan,
        leads: Leads::new(plan.subject.clone()),
        services: Vec::new(),
        waiting: VecDeque::new(),
        held: BTreeSet::new(),
        wanted: BTreeSet::new(),
        side: BTreeSet::new(),
        asked: BTreeSet::new(),
        fetched: Fetched::default(),
    };
    if let Err(failure) = fetching.begin() {
        anyhow::bail!("{failure}");
    }
    fetching.go_on(take)?;
    Ok(fetching.fetched)
}

struct Fetching<'a> {
    backend: &'a dyn Backend,
    client: &'a Client,
    plan: &'a Plan,
    leads: Leads,
    /// Those that a search must name; one without a name where it need not.
    services: Vec<Option<String>>,
    waiting: VecDeque<Job>,
    /// The traces taken in.
    held: BTreeSet<TraceId>,
    /// The traces taken in or waited for.
    wanted: BTreeSet<TraceId>,
    /// Those of them that only a link or message led to: a search that finds one goes on from it.
    side: BTreeSet<TraceId>,
    /// The searches for tags, as they are said.
    asked: BTreeSet<String>,
    fetched: Fetched,
}

impl Fetching<'_> {
    /// The jobs that the plan names.
    fn begin(&mut self) -> Result<(), Failure> {
        self.want(&self.plan.traces.clone(), "asked for", true);
        let Some(search) = &self.plan.search else { return Ok(()) };
        let named = search.service.is_some() || search.query.is_some();
        if self.plan.expand || !named {
            self.services = match self.backend.services(self.client)? {
                Some(services) => services.into_iter().map(Some).collect(),
                None => vec![None],
            };
        }
        let first = if named { vec![search.service.clone()] } else { self.services.clone() };
        if first.is_empty() {
            self.fetched.lacks.push("it knows no service".to_owned());
        }
        if search.narrows() || self.plan.subject.is_none() {
            let searches = first.iter().map(|service| Search { service: service.clone(), ..search.clone() });
            self.waiting.extend(searches.map(|search| Job::Search(search, true)));
        }
        self.search_tags(self.leads.first_tags(), &first, true);
        Ok(())
    }

    /// Searches `services` for each tag that was not searched for there before.
    fn search_tags(&mut self, tags: Vec<(String, String)>, services: &[Option<String>], leads_on: bool) {
        let Some(search) = &self.plan.search else { return };
        for (key, value) in tags {
            for service in services {
                let tags = BTreeMap::from([(key.clone(), value.clone())]);
                let (window, limit) = (search.window, search.limit);
                let service = service.clone();
                let search = Search { service, tags, window, limit, ..Search::default() };
                if self.asked.insert(search.to_string()) {
                    self.waiting.push_back(Job::Search(search, leads_on));
                }
            }
        }
    }

    fn want(&mut self, traces: &[TraceId], why: &'static str, leads_on: bool) {
        let new = traces.iter().filter(|trace| self.wanted.insert(**trace));
        self.waiting.extend(new.map(|trace| Job::Trace(*trace, why, leads_on)));
    }

    fn go_on(&mut self, take: &mut Take<'_>) -> anyhow::Result<()> {
        while !self.waiting.is_empty() {
            if self.fetched.spans >= self.plan.spans_max {
                let spent = format!("{} spans are here, as many as --spans-max allows", self.fetched.spans);
                self.stop(&spent);
                break;
            }
            let jobs: Vec<Job> = self.waiting.drain(..AT_ONCE.min(self.waiting.len())).collect();
            let jobs: Vec<Job> = jobs.into_iter().filter(|job| self.is_due(job)).collect();
            let answers = side_by_side(&jobs, |job| self.ask(job));
            let (mut spent, mut refused) = (None, None);
            for (job, answer) in jobs.into_iter().zip(answers) {
                match answer {
                    Ok(found) => self.take(&job, found, take)?,
                    Err(Failure::Failed(failed)) => self.fetched.failures.push(failed),
                    Err(Failure::Refused(told)) => refused = Some(told),
                    Err(Failure::Spent(told)) => {
                        self.waiting.push_back(job);
                        spent = Some(told);
                    }
                }
            }
            if let Some(refused) = refused {
                self.fetched.failures.push(refused);
                break;
            }
            if let Some(spent) = spent {
                self.stop(&spent);
                break;
            }
        }
        Ok(())
    }

    /// Whether a job is still to be done: a search may have told a trace meanwhile.
    fn is_due(&self, job: &Job) -> bool {
        !matches!(job, Job::Trace(id, _, goes_on) if self.held.contains(id) && !goes_on)
    }

    /// Says what is not done, and leaves it.
    fn stop(&mut self, spent: &str) {
        let (searches, traces): (Vec<Job>, Vec<Job>) =
            self.waiting.drain(..).partition(|job| matches!(job, Job::Search(..)));
        self.fetched.lacks.push(format!(
            "{spent}: {} searches and {} traces were left out",
            searches.len(),
            traces.len()
        ));
    }

    fn ask(&self, job: &Job) -> Result<Found, Failure> {
        match job {
            Job::Search(search, _) => self.backend.search(search, self.client),
            Job::Trace(id, why, _) => Ok(match self.backend.trace(*id, self.client)? {
                Some(answer) => Found { traces: vec![(*id, Some(answer))], lacks: Vec::new() },
                None => Found {
                    traces: Vec::new(),
                    lacks: vec![format!("trace {id}, {why}, is not there: never kept, or dropped since")],
                },
            }),
        }
    }

    fn take(&mut self, job: &Job, found: Found, take: &mut Take<'_>) -> anyhow::Result<()> {
        self.fetched.lacks.extend(found.lacks);
        let leads_on = match job {
            Job::Search(_, leads_on) | Job::Trace(_, _, leads_on) => *leads_on,
        };
        for (id, answer) in found.traces {
            let goes_on = leads_on && self.side.remove(&id);
            if !leads_on && !self.held.contains(&id) {
                self.side.insert(id);
            }
            match answer {
                Some(answer) if self.held.contains(&id) => {
                    if goes_on {
                        let (_, records) = read(self.backend.format(), &answer, &mut |_| Ok(()))?;
                        self.follow(&records, true);
                    }
                }
                Some(answer) => {
                    self.wanted.insert(id);
                    self.held.insert(id);
                    self.take_trace(id, answer, leads_on, take)?;
                }
                None if goes_on => self.waiting.push_back(Job::Trace(id, FOUND, true)),
                None => self.want(&[id], FOUND, leads_on),
            }
        }
        Ok(())
    }

    fn take_trace(
        &mut self,
        id: TraceId,
        answer: Answer,
        leads_on: bool,
        take: &mut Take<'_>,
    ) -> anyhow::Result<()> {
        let (import, records) = read(self.backend.format(), &answer, take)?;
        self.fetched.traces += 1;
        self.fetched.spans += import.counts.spans;
        self.fetched.logs += import.counts.logs;
        self.fetched.lacks.extend(answer.lacks);
        let faults =
            import.faults.into_iter().map(|fault| format!("trace {id}: {}: {}", fault.place, fault.what));
        self.fetched.failures.extend(faults);
        self.follow(&records, leads_on);
        Ok(())
    }

    /// Goes on from the records of a trace: to its keys always, to its links and messages one hop.
    fn follow(&mut self, records: &[Record], leads_on: bool) {
        if !self.plan.expand {
            return;
        }
        let services = self.services.clone();
        self.search_tags(self.leads.key_tags(records), &services, true);
        if leads_on {
            self.want(&leads::linked(records), "linked to", false);
            self.search_tags(leads::message_tags(records), &services, false);
        }
    }
}

/// What is said where the limit may have cut; `total` where the backend says how many there are.
fn capped(search: &Search, came: usize, total: Option<u64>) -> String {
    match total {
        Some(total) => {
            format!("{search}: {came} of {total} traces came: raise --limit, or narrow --since and --until")
        }
        // Who sends just as many as were asked for may have more, or not.
        None => format!(
            "{search}: {came} traces came, as many as --limit allows: there may be more; raise it, or narrow --since and --until"
        ),
    }
}

/// Reads a trace, hands its requests to `take`, and returns its records too.
fn read(
    format: Format,
    answer: &Answer,
    take: &mut Take<'_>,
) -> anyhow::Result<(import::Import, Vec<Record>)> {
    let options = Options { format: Some(format), ..Options::default() };
    let mut records = Vec::new();
    let import = import::read(answer.body.as_slice(), &options, &mut |request| {
        records.extend(decoded(&request));
        take(request).map_err(|error| import::ImportError::Taken(format!("{error:#}")))
    })?;
    Ok((import, records))
}

/// The records of a request; none where it cannot be read: the import says so.
fn decoded(request: &Request) -> Vec<Record> {
    let refused: Vec<u32> = request.checked.refused.iter().map(|refused| refused.item).collect();
    otlp::decode(request.signal, request.encoding, &request.body, &refused, Position::default(), None)
        .unwrap_or_default()
}

/// What `ask` answers to each job, in their order, all asked at once.
fn side_by_side<T: Send>(
    jobs: &[Job],
    ask: impl Fn(&Job) -> Result<T, Failure> + Sync,
) -> Vec<Result<T, Failure>> {
    let ask = &ask;
    std::thread::scope(|scope| {
        let asked: Vec<_> = jobs.iter().map(|job| scope.spawn(move || ask(job))).collect();
        let failed = || Failure::Failed("a thread that fetched panicked".to_owned());
        asked.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(failed()))).collect()
    })
}
