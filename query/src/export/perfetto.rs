//! Trace events, for Perfetto and chrome://tracing: one process each, spans as nested slices, reasons between
//! processes as flows. (*Trace Event Format*, Google, 2016.)
//!
//! Slices of one track must nest, and a process's spans do not: each gets the first track that it nests in.

use serde_json::{Map, Value, json};
use timeline::document::{Event, EventKind, Timeline};

use super::told::Told;
use super::{json as json_export, words};

/// One object: `traceEvents` in the order of the list, and what the format has no place for in `otherData`.
pub(super) fn perfetto(timeline: &Timeline) -> String {
    let told = Told::of(timeline);
    let base = timeline.events.iter().map(|event| event.corrected).min().unwrap_or_default();
    let mut writer = Writer { tracks: tracks(&told), told, base: base.0, lines: Vec::new(), left_out: 0 };
    writer.names();
    writer.slices();
    writer.flows();
    let other = json!({
        "entity": words::entity(&timeline.entity),
        "scope": timeline.entity.scope,
        "time_zero": base,
        "completeness": timeline.completeness,
        "clocks": timeline.clocks,
        "gaps": timeline.gaps,
        "markers": timeline.markers,
        "findings": timeline.findings,
        "initial_state": timeline.initial_state,
        "edges_omitted": timeline.edges_omitted,
        "flows_left_out_because_they_would_run_back": writer.left_out,
    });
    let lines: Vec<String> =
        writer.lines.iter().map(|line| json_export::escaped(&line.to_string())).collect();
    format!(
        "{{\"displayTimeUnit\":\"ns\",\"otherData\":{},\n\"traceEvents\":[\n{}\n]}}\n",
        json_export::escaped(&other.to_string()),
        lines.join(",\n")
    )
}

/// Where each event is drawn.
struct Tracks {
    /// The track of each event within its process, from 1.
    of_event: Vec<usize>,
    /// How many tracks each process has.
    counts: Vec<usize>,
    /// The end's place of each start.
    ends: std::collections::HashMap<usize, usize>,
}

struct Writer<'a> {
    told: Told<'a>,
    tracks: Tracks,
    base: u64,
    lines: Vec<Value>,
    left_out: u64,
}

impl Writer<'_> {
    fn names(&mut self) {
        let timeline = self.told.timeline;
        for (number, (process, name)) in timeline.processes.iter().zip(&self.told.names).enumerate() {
            let pid = number + 1;
            let mut named = |what: &str, tid: usize, args: Value| {
                self.lines.push(json!({ "ph": "M", "name": what, "pid": pid, "tid": tid, "args": args }));
            };
            named("process_name", 0, json!({ "name": name }));
            named("process_sort_index", 0, json!({ "sort_index": number }));
            let version = process.version.as_deref().unwrap_or_default();
            named("process_labels", 0, json!({ "labels": format!("clock {} {version}", process.clock) }));
            for track in 1..=self.tracks.counts.get(number).copied().unwrap_or_default() {
                let name = if track == 1 { "spans".to_owned() } else { format!("spans, concurrent {track}") };
                named("thread_name", track, json!({ "name": name }));
            }
        }
    }

    fn slices(&mut self) {
        for (place, event) in self.told.events().iter().enumerate() {
            let mut line = Map::new();
            line.insert("name".into(), event.name.clone().into());
            line.insert("cat".into(), words::belongs(event.belongs).into());
            line.insert("pid".into(), (self.told.process(event) + 1).into());
            line.insert("tid".into(), self.tracks.of_event[place].into());
            line.insert("ts".into(), self.microseconds(event));
            match (event.kind, self.tracks.ends.get(&place)) {
                (EventKind::SpanStart, Some(end)) => {
                    let end = &self.told.events()[*end];
                    line.insert("ph".into(), "X".into());
                    let length = u64::try_from(end.corrected.since(event.corrected)).unwrap_or_default();
                    line.insert("dur".into(), microseconds(length));
                }
                (EventKind::SpanEnd, _) => continue,
                _ => {
                    line.insert("ph".into(), "i".into());
                    line.insert("s".into(), "t".into());
                }
            }
            line.insert("args".into(), self.arguments(place));
            self.lines.push(Value::Object(line));
        }
    }

    /// What the format has no place for, of an event; of a span's end too, under `end`.
    fn arguments(&self, place: usize) -> Value {
        let mut arguments = self.said(place);
        if let Some(end) = self.tracks.ends.get(&place) {
            arguments.insert("end".into(), Value::Object(self.said(*end)));
        }
        Value::Object(arguments)
    }

    fn said(&self, place: usize) -> Map<String, Value> {
        let event = &self.told.events()[place];
        let mut said = Map::new();
        let mut say = |name: &str, value: Value| {
            if !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()) {
                said.insert(name.into(), value);
            }
        };
        let reasons = self
            .told
            .causes(place)
            .iter()
            .map(|edge| format!("{} ({}) {}", edge.evidence.name(), edge.certainty.name(), edge.from));
        say("id", json!(event.id));
        say("why", reasons.collect::<Vec<_>>().into());
        say("time", json!(event.time));
        say("error_ns", event.error_ns.map_or("unbounded".into(), Value::from));
        say("unordered_with", json!(event.unordered_with));
        say("state", event.state.iter().map(words::change_in_full).collect::<Vec<_>>().into());
        say("gaps", self.told.gaps(place).iter().map(|gap| gap.detail.clone()).collect::<Vec<_>>().into());
        let findings = self.told.findings(place).iter().filter_map(|number| self.told.finding(*number));
        say("findings", findings.map(|finding| finding.id.clone()).collect::<Vec<_>>().into());
        say("severity", json!(event.severity));
        say("trace_id", json!(event.trace_id));
        say("span_id", json!(event.span_id));
        say("attributes", json!(event.attributes));
        said
    }

    /// A flow binds to the slice around its ends, so only what lies in slices flows: the rest is in `why`.
    fn flows(&mut self) {
        for (number, edge) in self.told.timeline.edges.iter().enumerate() {
            let (Some(from), Some(to)) = (self.told.place(edge.from), self.told.place(edge.to)) else {
                continue;
            };
            let events = self.told.events();
            let (source, target) = (&events[from], &events[to]);
            if source.process == target.process || !self.is_in_slice(from) || !self.is_in_slice(to) {
                continue;
            }
            if target.corrected < source.corrected {
                self.left_out += 1;
                continue;
            }
            let mut flow = |phase: &str, place: usize, event: &Event| {
                let mut line = json!({
                    "ph": phase, "id": number + 1, "cat": edge.certainty.name(),
                    "name": edge.evidence.name(), "pid": self.told.process(event) + 1,
                    "tid": self.tracks.of_event[place], "ts": self.microseconds(event),
                });
                if phase == "f" {
                    line["bp"] = "e".into();
                }
                self.lines.push(line);
            };
            flow("s", from, source);
            flow("f", to, target);
        }
    }

    fn is_in_slice(&self, place: usize) -> bool {
        let kind = self.told.events()[place].kind;
        kind == EventKind::SpanEnd && self.tracks.of_event[place] > 0
            || kind == EventKind::SpanStart && self.tracks.ends.contains_key(&place)
    }

    fn microseconds(&self, event: &Event) -> Value {
        microseconds(event.corrected.0 - self.base)
    }
}

/// Nanoseconds as microseconds with three decimals.
fn microseconds(ns: u64) -> Value {
    serde_json::from_str(&format!("{}.{:03}", ns / 1_000, ns % 1_000)).unwrap_or_default()
}

/// Gives each span the first track of its process that it nests in.
fn tracks(told: &Told<'_>) -> Tracks {
    let events = told.events();
    let ends = told.ends();
    let mut of_event = vec![1; events.len()];
    let mut of_process = vec![Vec::new(); told.names.len().max(1)];
    for (place, end) in &ends {
        let (start, end) = (events[*place].corrected.0, events[*end].corrected.0);
        of_process[told.process(&events[*place])].push((start, end.max(start), *place));
    }
    let mut counts = Vec::new();
    for mut spans in of_process {
        spans.sort_by_key(|(start, end, place)| (*start, std::cmp::Reverse(*end), *place));
        // Of each track, the ends of the slices that are open.
        let mut open: Vec<Vec<u64>> = Vec::new();
        for (start, end, place) in spans {
            let fitting = open.iter_mut().position(|track| {
                while track.last().is_some_and(|open_end| *open_end <= start) {
                    track.pop();
                }
                track.last().is_none_or(|open_end| end <= *open_end)
            });
            let track = fitting.unwrap_or_else(|| {
                open.push(Vec::new());
                open.len() - 1
            });
            open[track].push(end);
            of_event[place] = track + 1;
            of_event[ends[&place]] = track + 1;
        }
        counts.push(open.len().max(1));
    }
    Tracks { of_event, counts, ends }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::story;

    #[test]
    fn a_story_in_slices() {
        insta::assert_snapshot!(perfetto(&story::whole()));
    }
}
