//! Rows: which lines a drawing has, and what each says.

use std::collections::HashMap;

use timeline::document::{Edge, Event, EventKind, Folded, GapKind, Op, StateChange, Timeline};
use timeline::id::EventId;
use timeline::record::Severity;

use crate::export::sanitise;
use crate::export::told::Told;
use crate::export::words::{self, duration, plain};

/// One line of a drawing.
pub(super) struct Row {
    /// Its event's id, as short as can be.
    pub(super) id: String,
    /// Relative to the beginning.
    pub(super) time: String,
    /// Nothing orders it against the line above.
    pub(super) unordered: bool,
    /// The service's place among the lanes.
    pub(super) lane: usize,
    /// The lanes that have a span running when this line is over.
    pub(super) running: Vec<usize>,
    /// The lane that its cause came from, where that is another one.
    pub(super) from: Option<usize>,
    /// What it is.
    pub(super) glyph: char,
    /// In words.
    pub(super) text: String,
    /// What it did to state.
    pub(super) state: String,
    /// Why it stands after what it follows.
    pub(super) reason: String,
    /// Whether something went wrong.
    pub(super) error: bool,
}

/// All lines, and what was left out of them.
pub(super) struct Rows {
    pub(super) list: Vec<Row>,
    /// The unit of the times.
    pub(super) unit: &'static str,
    /// Events folded away as another's twin, and as noise.
    pub(super) twins: usize,
    pub(super) noise: usize,
    /// Whether a line has a time on a clock that nothing bounds.
    pub(super) unbounded: bool,
}

impl Rows {
    /// The lines of a timeline; with what is folded away by default, if `folded`.
    pub(super) fn of(timeline: &Timeline, folded: bool) -> Rows {
        let away =
            |kind| if folded { 0 } else { timeline.events.iter().filter(|e| e.folded == Some(kind)).count() };
        let writer = Writer::new(timeline);
        Rows {
            list: writer.rows(folded),
            unit: writer.scale.unit,
            twins: away(Folded::Twin),
            noise: away(Folded::Noise),
            unbounded: timeline.events.iter().any(|event| event.error_ns.is_none()),
        }
    }
}

/// The lane of each process: one a service, in the order of the first events.
pub(super) fn lanes(timeline: &Timeline) -> (Vec<&str>, HashMap<&str, usize>) {
    let mut services: Vec<&str> = Vec::new();
    let mut lanes = HashMap::new();
    for process in &timeline.processes {
        let known = services.iter().position(|service| *service == process.service);
        let lane = known.unwrap_or_else(|| {
            services.push(&process.service);
            services.len() - 1
        });
        lanes.insert(process.id.as_str(), lane);
    }
    (services, lanes)
}

/// In which unit times are written, so that neighbours differ and nothing is longer than it must be.
struct Scale {
    unit: &'static str,
    ns: f64,
}

impl Scale {
    fn of(timeline: &Timeline) -> Scale {
        let length = timeline.range.map_or(0, |range| range.end.since(range.start));
        if length < 1_000_000_000 { Scale { unit: "ms", ns: 1e6 } } else { Scale { unit: "s", ns: 1e9 } }
    }
}

/// Fewer digits are harder to recognise than to type.
const ID_DIGITS_MIN: usize = 4;

/// How many digits tell the records of a timeline apart: one more than neighbours in their order have in common.
fn id_digits(timeline: &Timeline) -> usize {
    let mut records: Vec<[u8; 8]> = timeline.events.iter().map(|event| event.id.record).collect();
    records.sort_unstable();
    records.dedup();
    let common = |pair: &[[u8; 8]]| {
        let [a, b] = [pair[0], pair[1]].map(u64::from_be_bytes);
        (a ^ b).leading_zeros() as usize / 4
    };
    records.windows(2).map(|pair| common(pair) + 1).max().unwrap_or_default().max(ID_DIGITS_MIN)
}

struct Writer<'a> {
    timeline: &'a Timeline,
    scale: Scale,
    lanes: HashMap<&'a str, usize>,
    told: Told<'a>,
    gaps: HashMap<EventId, &'static str>,
    /// So many digits tell the timeline's records apart.
    id_digits: usize,
}

impl<'a> Writer<'a> {
    fn new(timeline: &'a Timeline) -> Writer<'a> {
        // What a mark beside an event can say; the rest stands below the lines.
        let gap = |kind| match kind {
            GapKind::UnattributedWrite | GapKind::Sampled | GapKind::Truncated => None,
            kind => Some(words::gap(kind)),
        };
        Writer {
            timeline,
            scale: Scale::of(timeline),
            lanes: lanes(timeline).1,
            told: Told::of(timeline),
            gaps: timeline.gaps.iter().filter_map(|g| Some((g.event?, gap(g.kind)?))).collect(),
            id_digits: id_digits(timeline),
        }
    }

    fn rows(&self, folded: bool) -> Vec<Row> {
        let visible: Vec<&Event> =
            self.timeline.events.iter().filter(|event| folded || event.folded.is_none()).collect();
        let mut open: Vec<(usize, &Event)> = Vec::new();
        let mut rows = Vec::new();
        let mut above: Option<&Event> = None;
        let mut next = 0;
        while let Some(event) = visible.get(next).copied() {
            // A span in which nothing else happened is one line.
            let end = visible.get(next + 1).copied().filter(|end| is_end_of(end, event));
            next += if end.is_some() { 2 } else { 1 };
            let lane = self.lane(event);
            match event.kind {
                EventKind::SpanStart if end.is_none() => open.push((lane, event)),
                EventKind::SpanEnd => open.retain(|(_, start)| start.record != event.record),
                _ => {}
            }
            let mut running: Vec<usize> = open.iter().map(|(lane, _)| *lane).collect();
            running.sort_unstable();
            running.dedup();
            rows.push(self.row(event, end, above, running));
            above = end.or(Some(event));
        }
        rows
    }

    /// The id as `why` takes it: the first digits of the record, and the point.
    fn short_id(&self, id: EventId) -> String {
        let id = id.to_string();
        let (record, point) = id.split_once('.').unwrap_or((&id, ""));
        format!("{}.{point}", record.get(..self.id_digits).unwrap_or(record))
    }

    fn lane(&self, event: &Event) -> usize {
        self.lanes.get(event.process.as_str()).copied().unwrap_or_default()
    }

    fn row(&self, event: &Event, end: Option<&Event>, above: Option<&Event>, running: Vec<usize>) -> Row {
        let cause = self.told.place(event.id).and_then(|place| self.told.cause(place));
        let lane = self.lane(event);
        let from = cause.map(|(_, cause)| self.lane(cause)).filter(|from| *from != lane);
        let error = [Some(event), end].into_iter().flatten().any(|e| e.severity >= Some(Severity::Error));
        let gap = [Some(event), end].into_iter().flatten().find_map(|e| self.gaps.get(&e.id).copied());
        let state: Vec<&StateChange> =
            event.state.iter().chain(end.iter().flat_map(|end| &end.state)).collect();
        Row {
            id: self.short_id(event.id),
            time: self.time(event),
            unordered: above.is_some_and(|above| self.unordered(above, event)),
            lane,
            running,
            from,
            glyph: glyph(event, gap.is_some(), &state),
            text: self.text(event, end, gap, error),
            state: state.iter().map(|change| words::change(change)).collect::<Vec<_>>().join(", "),
            reason: self.reason(cause, from.is_some()),
            error,
        }
    }

    fn reason(&self, cause: Option<(&Edge, &Event)>, from_elsewhere: bool) -> String {
        let Some((edge, cause)) = cause else { return String::new() };
        let evidence = edge.evidence.name();
        if !from_elsewhere {
            return evidence.to_owned();
        }
        let process = self.timeline.processes.iter().find(|process| process.id == cause.process);
        let service = process.map_or("", |process| process.service.as_str());
        format!("{evidence} ← {}", sanitise(service))
    }

    /// Whether nothing orders the two. Folded events may lie between them: then the edges are followed.
    fn unordered(&self, above: &Event, event: &Event) -> bool {
        let (Some(first), Some(last)) = (self.told.place(above.id), self.told.place(event.id)) else {
            return false;
        };
        if last - first == 1 {
            return event.unordered_with.contains(&above.id);
        }
        let mut queue = vec![last];
        let mut seen = vec![last];
        while let Some(place) = queue.pop() {
            if place == first {
                return false;
            }
            for from in self.told.causes(place).iter().filter_map(|edge| self.told.place(edge.from)) {
                if from >= first && !seen.contains(&from) {
                    seen.push(from);
                    queue.push(from);
                }
            }
        }
        self.timeline.edges_omitted == 0
    }

    fn time(&self, event: &Event) -> String {
        let start = self.timeline.range.map_or(event.corrected, |range| range.start);
        let relative = event.corrected.since(start) as f64 / self.scale.ns;
        let unbounded = if event.error_ns.is_none() { "~" } else { "" };
        if relative.abs() < 1e6 {
            format!("{unbounded}{relative:.3}")
        } else {
            format!("{unbounded}{relative:.2e}")
        }
    }

    fn text(&self, event: &Event, end: Option<&Event>, gap: Option<&str>, error: bool) -> String {
        let mut text = sanitise(&event.name).into_owned();
        match event.kind {
            EventKind::SpanStart => {
                if let Some(end) = end.or_else(|| self.end_of(event)) {
                    let length = end.time.since(event.time);
                    text += &u64::try_from(length).map_or(String::new(), |ns| format!("  {}", duration(ns)));
                }
            }
            EventKind::SpanEnd => text += " ends",
            EventKind::SpanEvent | EventKind::Log => {}
        }
        if let Some(status) = event.attributes.as_ref().and_then(status) {
            let over = end.is_some() || event.kind == EventKind::SpanEnd;
            text += &if over { format!(" → {status}") } else { String::new() };
        }
        if error {
            text.insert_str(0, "✗ ");
        }
        gap.into_iter().for_each(|gap| text += &format!("  ╳ {gap}"));
        text
    }

    fn end_of(&self, start: &Event) -> Option<&Event> {
        let from = self.told.place(start.id)?;
        self.timeline.events.get(from..)?.iter().find(|event| is_end_of(event, start))
    }
}

fn is_end_of(end: &Event, start: &Event) -> bool {
    start.kind == EventKind::SpanStart && end.kind == EventKind::SpanEnd && end.record == start.record
}

fn status(attributes: &serde_json::Map<String, serde_json::Value>) -> Option<String> {
    let names = ["http.response.status_code", "http.status_code"];
    names.iter().find_map(|name| attributes.get(*name)).map(plain)
}

fn glyph(event: &Event, gap: bool, state: &[&StateChange]) -> char {
    match (event.kind, state) {
        (_, [_, ..]) if state.iter().any(|change| change.op != Op::Read) => '◆',
        (_, [_, ..]) => '◇',
        _ if gap => '╳',
        (EventKind::SpanEnd, _) => '○',
        (EventKind::SpanStart, _) => '●',
        (EventKind::SpanEvent | EventKind::Log, _) => '·',
    }
}
