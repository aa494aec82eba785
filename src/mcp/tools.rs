//! The tools: which question each asks, and what of its answer it tells.

use std::sync::Arc;

use query::archive::{Effort, Window};
use query::interface::{
    AffectedRequest, ClocksRequest, DoctorRequest, EntitiesRequest, FindingsRequest, IncidentsRequest, Query,
    QueryError, SearchRequest, StateRequest, TimelineRequest, WhyAnswer, WhyRequest,
};
use rmcp::handler::server::tool::schema_for_type;
use rmcp::model::{JsonObject, Tool as Described, ToolAnnotations};
use rmcp::schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use timeline::document::{
    Check, Completeness, Diagnosis, Event, Incident, Presence, SearchRecord, StateChange, Timeline, Verdict,
};
use timeline::state::Moment;

use super::answer::{Answer, Items, Page};
use super::asked::{self, time, window};
use crate::command::diff;

/// So many entities of each type are judged, the latest.
const ENTITIES_MAX: usize = 10_000;

/// A tool.
pub(super) struct Tool {
    pub(super) name: &'static str,
    title: &'static str,
    description: &'static str,
    schema: fn() -> Arc<JsonObject>,
    run: fn(&dyn Query, JsonObject, &Effort) -> Result<String, String>,
}

/// Every tool, the ones to begin with first.
pub(super) const TOOLS: [Tool; 13] = [
    Tool {
        name: "find",
        title: "Find a value",
        description: "Under which keys and entities does this value occur, in how many records, and when? The first question where you \
                      know an id but not what it names.",
        schema: schema_for_type::<asked::Find>,
        run: |query, given, effort| ask(query, given, effort, asked::Find::page, find),
    },
    Tool {
        name: "incidents",
        title: "What happened",
        description: "Findings and errors that belong together in time and cause, the most telling first; with an id, one in full: its \
                      findings, errors, origin and what engineers wrote.",
        schema: schema_for_type::<asked::Incidents>,
        run: |query, given, effort| ask(query, given, effort, asked::Incidents::page, incidents),
    },
    Tool {
        name: "findings",
        title: "What is wrong",
        description: "Anomalies of state (lost updates, stale reads, duplicate effects, missed or reordered updates and the like), each with \
                      a grade (proved, clock, possible) and the events that prove it; of one entity or of all. Where nothing is \
                      found, look at how many entities could not be judged.",
        schema: schema_for_type::<asked::Findings>,
        run: |query, given, effort| ask(query, given, effort, asked::Findings::page, findings),
    },
    Tool {
        name: "timeline",
        title: "The story of one entity",
        description: "Every event that concerns an entity, across services, in causal order, with what each did to its state, whom it is \
                      unordered with, gaps in the telemetry, and findings. Times are corrected for the clocks' offsets.",
        schema: schema_for_type::<asked::Timeline>,
        run: |query, given, effort| ask(query, given, effort, asked::Timeline::page, timeline),
    },
    Tool {
        name: "why",
        title: "Why before, why here",
        description: "Why event `a` is before, after or unordered with event `b` of a timeline, as a chain of reasons with the certainty of \
                      each; without `b`, why `a` belongs to the entity.",
        schema: schema_for_type::<asked::Why>,
        run: |query, given, effort| ask(query, given, effort, asked::Why::page, why),
    },
    Tool {
        name: "state_at",
        title: "What each copy held",
        description: "What each copy of an entity (a table, a cache, an index, a service's memory) held at a moment or an event, and how far \
                      it lagged behind the owner. Where unordered writes leave a value open, the alternatives are listed.",
        schema: schema_for_type::<asked::StateAt>,
        run: |query, given, effort| ask(query, given, effort, asked::StateAt::page, state_at),
    },
    Tool {
        name: "affected",
        title: "Who else",
        description: "Who else has what a finding tells of, since when, is it still happening, by version, instance and partition; and of \
                      whom it cannot be told, and why.",
        schema: schema_for_type::<asked::Affected>,
        run: |query, given, effort| ask(query, given, effort, asked::Affected::page, affected),
    },
    Tool {
        name: "compare",
        title: "Where two stories part",
        description: "Two entities' timelines aligned by structure: the first step where they part, missing and extra steps, changed values \
                      and durations. Without `b` the nearest healthy entity of the type is taken.",
        schema: schema_for_type::<asked::Compare>,
        run: |query, given, effort| ask(query, given, effort, asked::Compare::page, compare),
    },
    Tool {
        name: "search",
        title: "Records",
        description: "Spans and log records that match a query, the newest arrival first, with their attributes.",
        schema: schema_for_type::<asked::Search>,
        run: |query, given, effort| ask(query, given, effort, asked::Search::page, search),
    },
    Tool {
        name: "entities",
        title: "What things there are",
        description: "The entity types that records name, with their copies and services; of one type, its keys, the latest first.",
        schema: schema_for_type::<asked::Entities>,
        run: |query, given, effort| ask(query, given, effort, asked::Entities::page, entities),
    },
    Tool {
        name: "doctor",
        title: "What can be judged",
        description: "Per service: which evidence its telemetry gives and lacks, which kinds of findings can therefore be judged, and the one \
                      setting that would unlock more.",
        schema: schema_for_type::<asked::Doctor>,
        run: |query, given, effort| ask(query, given, effort, asked::Doctor::page, doctor),
    },
    Tool {
        name: "clocks",
        title: "Whose clock is wrong",
        description: "Every clock's offset from the reference, its error and drift, by the messages that bound it.",
        schema: schema_for_type::<asked::Clocks>,
        run: |query, given, effort| ask(query, given, effort, asked::Clocks::page, clocks),
    },
    Tool {
        name: "stats",
        title: "What is held",
        description: "How many spans, logs, traces and services the store holds, of which time.",
        schema: schema_for_type::<asked::Stats>,
        run: |query, given, effort| ask(query, given, effort, asked::Stats::page, stats),
    },
];

impl Tool {
    /// The tool as a client is told of it.
    pub(super) fn described(&self) -> Described {
        let annotations = ToolAnnotations::with_title(self.title).read_only(true);
        Described::new(self.name, self.description, (self.schema)())
            .with_title(self.title)
            .with_annotations(annotations)
    }

    /// The text of its answer, or what is wrong and what to do.
    pub(super) fn call(
        &self,
        query: &dyn Query,
        given: JsonObject,
        effort: &Effort,
    ) -> Result<String, String> {
        (self.run)(query, given, effort).map_err(|wrong| format!("{}: {wrong}", self.name))
    }
}

/// Reads the arguments, asks, and cuts the page.
fn ask<T: DeserializeOwned + JsonSchema>(
    query: &dyn Query,
    given: JsonObject,
    effort: &Effort,
    page: fn(&T) -> Page,
    question: fn(&dyn Query, &T, &Effort) -> Result<Answer, String>,
) -> Result<String, String> {
    let asked: T = serde_json::from_value(Value::Object(given))
        .map_err(|error| format!("its arguments are wrong: {error}; see its input schema"))?;
    question(query, &asked, effort)?.page(&page(&asked))
}

fn find(query: &dyn Query, asked: &asked::Find, effort: &Effort) -> Result<Answer, String> {
    let found = query.find(&asked.value, effort).map_err(told)?;
    Ok(Answer {
        summary: format!(
            "The value occurs in {} places; {} records hold it.",
            found.matches.len(),
            found.completeness.total
        ),
        head: Value::Null,
        items: Items::All(all(&found.matches)),
        completeness: Some(found.completeness),
    })
}

fn search(query: &dyn Query, asked: &asked::Search, effort: &Effort) -> Result<Answer, String> {
    let page = asked.page();
    let before = page.cursor.as_ref().map(|cursor| cursor.parse()).transpose();
    let before = before.map_err(|error| format!("the cursor leads nowhere: {error}"))?;
    let request = SearchRequest { query: asked.query.clone(), limit: page.items(), before };
    let found = query.search(&request, effort).map_err(told)?;
    Ok(Answer {
        summary: format!("{} records match; {} stand on this page.", found.total, found.shown),
        head: Value::Null,
        items: Items::Page(found.records.iter().map(record).collect(), found.next),
        completeness: Some(found.completeness),
    })
}

fn record(record: &SearchRecord) -> Value {
    let duration = record.start.zip(record.end).map(|(start, end)| end.since(start) as f64 / 1e6);
    json!({
        "time": record.time, "service": record.service, "kind": record.kind, "name": record.name, "body": record.body,
        "span_kind": record.span_kind, "severity": record.severity, "status": record.status, "duration_ms": duration,
        "trace_id": record.trace_id, "span_id": record.span_id, "attributes": record.attributes,
        "events": record.events.iter().map(|event| json!({ "name": event.name, "attributes": event.attributes })).collect::<Vec<_>>(),
    })
}

fn timeline(query: &dyn Query, asked: &asked::Timeline, effort: &Effort) -> Result<Answer, String> {
    let request = TimelineRequest {
        entity: asked.entity.clone(),
        window: window(asked.since.as_deref(), asked.until.as_deref())?,
        events_max: usize::MAX,
        brief: !asked.attributes.unwrap_or_default(),
    };
    let told = query.timeline(&request, effort).map_err(told)?;
    let folded = asked.folded.unwrap_or_default();
    let shown: Vec<&Event> = told.events.iter().filter(|event| folded || event.folded.is_none()).collect();
    let writes = told.events.iter().flat_map(|event| &event.state).count();
    let mut summary = format!(
        "{} events in {} processes, {} reads and writes of state; {} findings, {} gaps.",
        told.events.len(),
        told.processes.len(),
        writes,
        told.findings.len(),
        told.gaps.len()
    );
    if told.events.is_empty() {
        summary = "Nothing concerns it: ask `find` for its key, or `entities` for what there is.".to_owned();
    }
    if shown.len() < told.events.len() {
        summary.push_str(&format!(" {} events are folded away.", told.events.len() - shown.len()));
    }
    Ok(Answer {
        summary,
        head: head(&told),
        items: Items::All(shown.into_iter().map(|one| event(&told, one)).collect()),
        completeness: Some(told.completeness),
    })
}

/// What holds for a whole timeline.
fn head(told: &Timeline) -> Value {
    let findings = told.findings.iter().map(
        |one| json!({ "id": one.id, "kind": one.kind, "grade": one.grade, "status": one.status, "summary": one.summary }),
    );
    let gaps =
        told.gaps.iter().map(|gap| json!({ "kind": gap.kind, "event": gap.event, "detail": gap.detail }));
    json!({
        "entity": told.entity, "range": told.range,
        "findings": findings.collect::<Vec<_>>(), "gaps": gaps.collect::<Vec<_>>(),
    })
}

fn event(told: &Timeline, event: &Event) -> Value {
    let process = told.processes.iter().find(|process| process.id == event.process);
    json!({
        "id": event.id, "time": event.corrected, "error_ns": event.error_ns,
        "service": process.map(|process| &process.service), "kind": event.kind, "name": event.name,
        "span_kind": event.span_kind, "severity": event.severity,
        "state": event.state.iter().map(change).collect::<Vec<_>>(), "unordered_with": event.unordered_with,
        "attributes": event.attributes,
    })
}

fn change(change: &StateChange) -> Value {
    json!({
        "op": change.op, "entity": change.entity, "copy": change.copy, "field": change.field, "from": change.from,
        "value": change.value, "delta": change.delta, "version": change.version, "outcome": change.outcome,
    })
}

fn why(query: &dyn Query, asked: &asked::Why, effort: &Effort) -> Result<Answer, String> {
    let (entity, a, b) = (asked.entity.clone(), asked.a.clone(), asked.b.clone());
    let request = WhyRequest { entity, window: Window::default(), a, b };
    let (summary, head) = match query.why(&request, effort).map_err(told)? {
        WhyAnswer::Order(why) => {
            let relation = text(&why.relation);
            (
                format!("`a` is {relation} `b`; {} reasons lead from one to the other.", why.chain.len()),
                value(&why),
            )
        }
        WhyAnswer::Belongs(why) => (
            format!("`a` belongs as {}; {} steps lead to it.", text(&why.belongs), why.chain.len()),
            value(&why),
        ),
    };
    Ok(Answer { summary, head, items: Items::All(Vec::new()), completeness: None })
}

fn state_at(query: &dyn Query, asked: &asked::StateAt, effort: &Effort) -> Result<Answer, String> {
    let moment = match (&asked.at, &asked.event) {
        (_, Some(event)) => Moment::Event(event.clone()),
        (Some(at), None) => Moment::Time(time("at", at)?),
        (None, None) => Moment::End,
    };
    let state = query.state(&StateRequest { entity: asked.entity.clone(), moment }, effort).map_err(told)?;
    Ok(Answer {
        summary: format!("{} fields of copies are known at that moment.", state.copies.len()),
        head: json!({ "at": state.at }),
        items: Items::All(all(&state.copies)),
        completeness: Some(state.completeness),
    })
}

fn findings(query: &dyn Query, asked: &asked::Findings, effort: &Effort) -> Result<Answer, String> {
    let request = FindingsRequest {
        entity: asked.entity.clone(),
        kinds: asked.kinds.clone().unwrap_or_default(),
        service: asked.service.clone(),
        window: window(asked.since.as_deref(), asked.until.as_deref())?,
        entities_max: ENTITIES_MAX,
        rescan: false,
    };
    let found = query.findings(&request, effort).map_err(told)?;
    let items = found.findings.iter().map(|one| {
        json!({
            "id": one.id, "kind": one.kind, "grade": one.grade, "status": one.status, "summary": one.summary,
            "entities": one.entities, "events": one.events, "from": one.from, "until": one.until,
            "consequence_of": one.consequence_of, "repaired_by": one.repaired_by,
        })
    });
    Ok(Answer {
        summary: format!(
            "{} findings; {} entities were judged, {} could not be.",
            found.findings.len(),
            found.judged,
            found.cannot_judge
        ),
        head: json!({ "judged_to": found.judged_to, "cannot_judge_because": found.cannot_judge_because }),
        items: Items::All(items.collect()),
        completeness: Some(found.completeness),
    })
}

fn affected(query: &dyn Query, asked: &asked::Affected, effort: &Effort) -> Result<Answer, String> {
    let request = AffectedRequest {
        finding: asked.finding.clone(),
        entity: asked.entity.clone(),
        window: window(asked.since.as_deref(), asked.until.as_deref())?,
        entities_max: ENTITIES_MAX,
    };
    let found = query.affected(&request, effort).map_err(told)?;
    let has = found.proved + found.clock + found.possible;
    let others = found.entities.iter().filter(|one| one.verdict != Verdict::Clean);
    Ok(Answer {
        summary: format!(
            "{has} entities have it ({} proved, {} by clocks, {} possible); {} are clean; of {} it cannot be told.",
            found.proved, found.clock, found.possible, found.clean, found.cannot_tell
        ),
        head: json!({
            "kind": found.kind, "shape": found.shape, "first": found.first, "last": found.last, "still": found.still,
            "by": found.by,
        }),
        items: Items::All(others.map(value).collect()),
        completeness: Some(found.completeness),
    })
}

fn compare(query: &dyn Query, asked: &asked::Compare, effort: &Effort) -> Result<Answer, String> {
    let found =
        diff::compared(&asked.a, asked.b.as_deref(), query, effort).map_err(|error| format!("{error:#}"))?;
    let summary = match found.parts_at {
        Some(at) => format!(
            "{} steps alike, {} different; they part at the {}th of these.",
            found.same,
            found.differences.len(),
            at + 1
        ),
        None => format!(
            "{} steps alike: they go the same way; {} took longer.",
            found.same,
            found.differences.len()
        ),
    };
    let completeness = Completeness {
        reasons: found.a.completeness.reasons.iter().chain(&found.b.completeness.reasons).copied().collect(),
        ..Completeness::default()
    };
    Ok(Answer {
        summary,
        head: json!({ "a": found.a.entity, "b": found.b.entity }),
        items: Items::All(all(&found.differences)),
        completeness: Some(completeness),
    })
}

fn clocks(query: &dyn Query, asked: &asked::Clocks, effort: &Effort) -> Result<Answer, String> {
    let window = window(asked.since.as_deref(), asked.until.as_deref())?;
    let found = query.clocks(&ClocksRequest { window }, effort).map_err(told)?;
    let processes =
        found.processes.iter().map(|one| json!({ "id": one.id, "service": one.service, "clock": one.clock }));
    Ok(Answer {
        summary: format!("{} clocks, read by {} processes.", found.clocks.len(), found.processes.len()),
        head: json!({ "processes": processes.collect::<Vec<_>>() }),
        items: Items::All(all(&found.clocks)),
        completeness: Some(found.completeness),
    })
}

fn doctor(query: &dyn Query, asked: &asked::Doctor, effort: &Effort) -> Result<Answer, String> {
    let window = window(asked.since.as_deref(), asked.until.as_deref())?;
    let found =
        query.doctor(&DoctorRequest { service: asked.service.clone(), window }, effort).map_err(told)?;
    Ok(Answer {
        summary: format!("{} services; {} traces were looked at.", found.services.len(), found.traces),
        head: Value::Null,
        items: Items::All(found.services.iter().map(diagnosis).collect()),
        completeness: Some(found.completeness),
    })
}

/// What of a service is lacking; what is there is only named.
fn diagnosis(one: &Diagnosis) -> Value {
    let lacking = |check: &&Check| matches!(check.state, Presence::Partial | Presence::Absent);
    let lacks = one
        .checks
        .iter()
        .filter(lacking)
        .map(|check| json!({ "what": check.name, "state": check.state, "detail": check.detail }));
    let present = one.checks.iter().filter(|check| check.state == Presence::Present).map(|check| check.name);
    json!({
        "service": one.service, "spans": one.spans, "logs": one.logs, "present": present.collect::<Vec<_>>(),
        "lacks": lacks.collect::<Vec<_>>(), "findings": one.findings, "next": one.next,
    })
}

fn entities(query: &dyn Query, asked: &asked::Entities, effort: &Effort) -> Result<Answer, String> {
    let window = window(asked.since.as_deref(), asked.until.as_deref())?;
    let request = EntitiesRequest { kind: asked.r#type.clone(), window, limit: ENTITIES_MAX };
    let found = query.entities(&request, effort).map_err(told)?;
    let (summary, items) = match &asked.r#type {
        Some(_) => (format!("{} keys, the latest first.", found.total), all(&found.entities)),
        None => (format!("{} types.", found.types.len()), all(&found.types)),
    };
    Ok(Answer {
        summary,
        head: Value::Null,
        items: Items::All(items),
        completeness: Some(found.completeness),
    })
}

fn incidents(query: &dyn Query, asked: &asked::Incidents, effort: &Effort) -> Result<Answer, String> {
    let request = IncidentsRequest {
        incident: asked.incident.clone(),
        status: None,
        window: window(asked.since.as_deref(), asked.until.as_deref())?,
        entities_max: ENTITIES_MAX,
        limit: ENTITIES_MAX,
    };
    let found = query.incidents(&request, effort).map_err(told)?;
    let short = |one: &Incident| {
        json!({
            "id": one.id, "title": one.title, "status": one.status, "kind": one.kind, "grade": one.grade, "first": one.first,
            "last": one.last, "entities": one.entities, "services": one.services, "findings": one.findings_total,
            "errors": one.errors_total,
        })
    };
    let items =
        found.incidents.iter().map(|one| if asked.incident.is_some() { value(one) } else { short(one) });
    Ok(Answer {
        summary: format!(
            "{} incidents; {} entities were judged, {} could not be.",
            found.incidents.len(),
            found.judged,
            found.cannot_judge
        ),
        head: Value::Null,
        items: Items::All(items.collect()),
        completeness: Some(found.completeness),
    })
}

fn stats(query: &dyn Query, _: &asked::Stats, _: &Effort) -> Result<Answer, String> {
    let held = query.stats().map_err(told)?;
    Ok(Answer {
        summary: format!(
            "{} spans and {} log records of {} traces and {} services.",
            held.spans, held.logs, held.traces, held.services
        ),
        head: json!({ "first": held.first, "last": held.last }),
        items: Items::All(Vec::new()),
        completeness: None,
    })
}

/// What is wrong with a question, and what to do.
fn told(error: QueryError) -> String {
    match error {
        QueryError::Malformed { message, at: Some(at) } => format!("{message} (at byte {at})"),
        other => other.to_string(),
    }
}

fn all<T: Serialize>(items: &[T]) -> Vec<Value> {
    items.iter().map(value).collect()
}

/// A document's part; its types have nothing that JSON cannot say.
fn value<T: Serialize>(item: &T) -> Value {
    serde_json::to_value(item).unwrap_or_default()
}

/// The name of one of few.
fn text<T: Serialize>(item: &T) -> String {
    value(item).as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_says_what_it_takes_with_words_and_examples() {
        for tool in &TOOLS {
            let schema = Value::Object((*(tool.schema)()).clone());
            assert_eq!(schema["type"], "object", "{}", tool.name);
            assert_eq!(schema["additionalProperties"], false, "{}", tool.name);
            for (name, property) in schema["properties"].as_object().expect("properties") {
                assert!(
                    property["description"].as_str().is_some_and(|text| text.len() > 10),
                    "{}.{name}",
                    tool.name
                );
            }
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            for name in required.iter().filter_map(Value::as_str) {
                let examples = schema["properties"][name]["examples"].as_array();
                assert!(
                    examples.is_some_and(|examples| !examples.is_empty()),
                    "{}.{name} has no example",
                    tool.name
                );
            }
        }
    }
}
