//! The threads that ask: one for each line of questions, so that a slow search holds up no timeline.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use query::archive::Effort;
use query::interface::{FollowAnswer, FollowRequest, IncidentsRequest, Query, QueryError, SearchRequest};
use timeline::record::Position;

use super::{Status, tables, traces};
use crate::message::{Answer, Failure, Live, Message, Question, Slot};
use crate::told::Told;

/// A question may read so many records before its answer is cut and says so.
const RECORDS_MAX: u64 = 20_000_000;

/// So many records at most come with a second's live answer.
const LIVE_MAX: usize = 500;

/// So many entities of each type are judged at most, the latest.
pub(super) const ENTITIES_MAX: usize = 10_000;

/// Home, which asks again and again, has so many entities of each type judged at most, the latest.
const HOME_ENTITIES_MAX: usize = 1_000;

/// So many incidents are listed at most.
const INCIDENTS_MAX: usize = 500;

/// A query that is still being typed waits so long for the next letter.
const TYPING_PAUSE: Duration = Duration::from_millis(80);

/// The threads. They end once this is dropped and what they ask is answered.
pub(super) struct Workers {
    lines: Vec<Line>,
}

struct Line {
    slot: Slot,
    questions: Sender<(u64, Question)>,
    wanted: Arc<Mutex<Wanted>>,
}

/// Which answer is waited for, and the means to stop the work on it.
#[derive(Default)]
struct Wanted {
    number: Option<u64>,
    effort: Option<Effort>,
}

impl Wanted {
    /// From now on `number` is waited for, and nothing else.
    fn supersede(&mut self, number: Option<u64>) {
        self.number = number;
        if let Some(effort) = self.effort.take() {
            effort.cancel();
        }
    }
}

fn locked(wanted: &Mutex<Wanted>) -> MutexGuard<'_, Wanted> {
    wanted.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Workers {
    /// Starts a thread for each line.
    pub(super) fn start(
        query: Arc<dyn Query>,
        status: Option<&Status>,
        messages: &Sender<Message>,
    ) -> Workers {
        let queries = std::iter::repeat_n(query, Slot::ALL.len());
        let lines = Slot::ALL.into_iter().zip(queries).map(|(slot, query)| {
            let (questions, asked) = mpsc::channel();
            let wanted = Arc::<Mutex<Wanted>>::default();
            let worker = Worker {
                slot,
                query,
                status: status.cloned(),
                wanted: Arc::clone(&wanted),
                messages: messages.clone(),
            };
            thread::spawn(move || worker.work(&asked));
            Line { slot, questions, wanted }
        });
        Workers { lines: lines.collect() }
    }

    /// Asks; what was asked before in the same line is given up.
    pub(super) fn ask(&self, number: u64, question: Question) {
        let slot = question.slot();
        if let Some(line) = self.lines.iter().find(|line| line.slot == slot) {
            locked(&line.wanted).supersede(Some(number));
            // The thread outlives every question: it catches panics and ends only with this sender.
            let _ = line.questions.send((number, question));
        }
    }

    /// Gives up what is asked in a line.
    pub(super) fn cancel(&self, slot: Slot) {
        self.lines
            .iter()
            .filter(|line| line.slot == slot)
            .for_each(|line| locked(&line.wanted).supersede(None));
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.lines.iter().for_each(|line| locked(&line.wanted).supersede(None));
    }
}

struct Worker {
    slot: Slot,
    query: Arc<dyn Query>,
    status: Option<Status>,
    wanted: Arc<Mutex<Wanted>>,
    messages: Sender<Message>,
}

impl Worker {
    fn work(&self, asked: &Receiver<(u64, Question)>) {
        while let Ok(first) = asked.recv() {
            let (number, question) = self.last_typed(first, asked);
            let effort = self.effort(number);
            let answer = match self.take_on(number, &effort) {
                true => self.answer(question, &effort),
                false => Err(given_up()),
            };
            let message = Message::Answer { slot: self.slot, number, answer };
            if self.messages.send(message).is_err() {
                return;
            }
        }
    }

    /// The last of the questions that come in quick succession; those before it are answered as given up.
    fn last_typed(&self, first: (u64, Question), asked: &Receiver<(u64, Question)>) -> (u64, Question) {
        let mut last = first;
        let typed = matches!(self.slot, Slot::Search | Slot::Find);
        let pause = if typed { TYPING_PAUSE } else { Duration::ZERO };
        loop {
            match asked.recv_timeout(pause) {
                Ok(next) => {
                    let (number, _) = std::mem::replace(&mut last, next);
                    // A closed channel ends the thread at the next answer.
                    let _ = self.messages.send(Message::Answer {
                        slot: self.slot,
                        number,
                        answer: Err(given_up()),
                    });
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return last,
            }
        }
    }

    fn effort(&self, number: u64) -> Effort {
        let (slot, messages) = (self.slot, Mutex::new((self.messages.clone(), -1.0)));
        Effort::new(RECORDS_MAX).with_progress(Arc::new(move |share| {
            let mut told = messages.lock().unwrap_or_else(PoisonError::into_inner);
            if share - told.1 >= 0.01 {
                told.1 = share;
                let _ = told.0.send(Message::Progress { slot, number, share });
            }
        }))
    }

    /// Makes `effort` the one that superseding cancels; false if the answer is no longer waited for.
    fn take_on(&self, number: u64, effort: &Effort) -> bool {
        let mut wanted = locked(&self.wanted);
        let still = wanted.number == Some(number);
        if still {
            wanted.effort = Some(effort.clone());
        }
        still
    }

    fn answer(&self, question: Question, effort: &Effort) -> Result<Answer, Failure> {
        let asked = catch_unwind(AssertUnwindSafe(|| self.ask(question, effort)));
        asked.unwrap_or_else(|_| {
            let message = "the question failed from a bug; its message is printed when you leave".to_owned();
            Err(Failure { message, at: None, cancelled: false })
        })
    }

    fn ask(&self, question: Question, effort: &Effort) -> Result<Answer, Failure> {
        Ok(match question {
            Question::Live { after } => Answer::Live(Box::new(self.live(after, effort)?)),
            Question::Search(request) => Answer::Search(Box::new(self.query.search(&request, effort)?)),
            Question::Find(value) => Answer::Find(self.query.find(&value, effort)?),
            Question::Timeline(request) => {
                Answer::Timeline(Arc::new(Told::new(self.query.timeline(&request, effort)?)))
            }
            Question::Trace { trace, corrections } => {
                Answer::Trace(Arc::new(traces::of(self.query.as_ref(), trace, &corrections, effort)?))
            }
            Question::Export { told, format } => {
                let entity = &told.0.document.entity;
                let ending = format.endings().first().copied().unwrap_or_default();
                let name = format!("{}.{ending}", file_stem(&format!("{}-{}", entity.kind, entity.key)));
                Answer::Export { name, export: format.of(&told.0.document) }
            }
            Question::Incidents => {
                let request = IncidentsRequest {
                    entities_max: HOME_ENTITIES_MAX,
                    limit: INCIDENTS_MAX,
                    ..IncidentsRequest::default()
                };
                Answer::Incidents(Arc::new(self.query.incidents(&request, effort)?))
            }
            Question::Table(topic) => {
                Answer::Table(Arc::new(tables::report(self.query.as_ref(), &topic, effort)?))
            }
            Question::Beliefs { entities, moment } => {
                Answer::Beliefs(Arc::new(tables::beliefs(self.query.as_ref(), entities, &moment, effort)?))
            }
            Question::Follow { query, after } => {
                Answer::Follow(Box::new(follow(self.query.as_ref(), query, after, effort)?))
            }
        })
    }

    fn live(&self, after: Option<Position>, effort: &Effort) -> Result<Live, QueryError> {
        let status = self.status.as_ref().map(|status| status()).unwrap_or_default();
        let records = follow(self.query.as_ref(), String::new(), after, effort)?;
        Ok(Live { stats: self.query.stats()?, records, status })
    }
}

/// What came after `after` and matches. At first, the newest records and the place to go on from.
pub(super) fn follow(
    query: &dyn Query,
    text: String,
    after: Option<Position>,
    effort: &Effort,
) -> Result<FollowAnswer, QueryError> {
    let request = FollowRequest { query: text, after, limit: LIVE_MAX };
    let mut records = query.follow(&request, effort)?;
    if after.is_none() {
        let newest = SearchRequest { query: request.query, limit: LIVE_MAX, before: None };
        records.records = query.search(&newest, effort)?.records;
        records.records.reverse();
    }
    Ok(records)
}

/// `text` as the beginning of a file's name: nothing in it leads to another folder, or needs quoting.
fn file_stem(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    text.chars().map(plain).take(80).collect()
}

fn given_up() -> Failure {
    Failure { message: "cancelled".to_owned(), at: None, cancelled: true }
}
