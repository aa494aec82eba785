//! Markers: what changed around the events, where the processes themselves say so.

use std::collections::BTreeMap;

use crate::document::{Event, Marker, Process, Range};
use crate::order::process;
use crate::time::Time;

/// Versions that a service showed for the first time, and processes that say when they began, by time.
pub(crate) fn markers(
    events: &[Event],
    processes: &[Process],
    sources: &[&process::Process],
    range: Option<Range>,
) -> Vec<Marker> {
    let mut markers = versions_seen(events, processes);
    markers
        .extend(processes.iter().zip(sources).filter_map(|(p, source)| instance_started(p, source, range)));
    markers.sort_by(|a, b| (a.time, &a.kind, &a.process).cmp(&(b.time, &b.kind, &b.process)));
    markers
}

/// A version of a service that comes after another one: at the first event of the first process that has it.
fn versions_seen(events: &[Event], processes: &[Process]) -> Vec<Marker> {
    let by_id: BTreeMap<&str, &Process> = processes.iter().map(|p| (p.id.as_str(), p)).collect();
    let mut last: BTreeMap<&str, (&str, Vec<&str>)> = BTreeMap::new();
    let mut markers = Vec::new();
    for event in events {
        let Some(process) = by_id.get(event.process.as_str()) else { continue };
        let Some(version) = process.version.as_deref() else { continue };
        let (newest, seen) = last.entry(&process.service).or_insert_with(|| (version, vec![version]));
        if !seen.contains(&version) {
            markers.push(Marker {
                kind: "version_seen".into(),
                process: process.id.clone(),
                time: event.corrected,
                detail: format!("{} {newest} → {version}", process.service),
            });
            seen.push(version);
            *newest = version;
        }
    }
    markers
}

/// A process that began within the timeline's range, by its own `process.creation.time`.
fn instance_started(process: &Process, source: &process::Process, range: Option<Range>) -> Option<Marker> {
    let time = Time::parse_rfc3339(source.created.as_deref()?)?;
    let inside = range.is_some_and(|range| range.start <= time && time <= range.end);
    let name = process.instance.as_deref().unwrap_or(&process.service);
    let detail = format!("{name} started (process.creation.time)");
    inside.then(|| Marker { kind: "instance_started".into(), process: process.id.clone(), time, detail })
}
