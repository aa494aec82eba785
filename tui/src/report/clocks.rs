//! Whose clock is off, by how much, how sure, since when?

use timeline::document::{Clock, ClockBounds, Clocks, Process};

use super::{Block, Cell, Column, Report, Row, Value, lacking};
use crate::detail::moment;
use crate::lines::TextLine;
use crate::popup::{Choice, Outcome};
use crate::text;
use crate::theme::Role;
use crate::times;

/// Lays out all clocks, the reference first.
pub fn report(found: &Clocks) -> Report {
    let about = "how far each clock is ahead of the reference, by all traffic between them";
    let mut summary = vec![TextLine::new(Role::Dim, about)];
    summary.extend(lacking(&found.completeness));
    Report {
        title: "by the traffic between them".to_owned(),
        summary,
        columns: vec![
            Column::new("clock", 6, 2),
            Column::new("host", 24, 0),
            Column::new("offset", 14, 0),
            Column::new("± error", 12, 0),
            Column::new("drift", 10, 3),
            Column::new("bounds", 13, 4),
            Column::new("messages", 9, 5),
            Column::wide("read by", 80, 1),
        ],
        rows: found.clocks.iter().map(|clock| row(found, clock)).collect(),
        total: found.clocks.len() as u64,
        noun: ("clock", "clocks"),
        empty: vec!["No record tells of a clock yet.".to_owned()],
    }
}

fn row(found: &Clocks, clock: &Clock) -> Row {
    let readers: Vec<&Process> = found.processes.iter().filter(|process| process.clock == clock.id).collect();
    let name = |process: &Process| process.instance.clone().unwrap_or_else(|| process.service.clone());
    let names: Vec<String> = readers.iter().map(|process| name(process)).collect();
    let (role, offset) = offset(clock);
    let error = match clock.error_ns {
        Some(ns) => Cell::plain(Value::Duration(i128::from(ns))),
        None => Cell::text(Role::Warning, "?"),
    };
    let drift = clock.drift_ppm.map_or_else(String::new, |drift| format!("{drift:+.1} ppm"));
    Row {
        cells: vec![
            Cell::text(Role::Dim, &clock.id),
            Cell::text(Role::Text, clock.host.as_deref().unwrap_or("—")),
            Cell { role, value: offset },
            error,
            Cell::text(Role::Dim, &drift),
            Cell::text(Role::Dim, bounds(clock.bounds)),
            Cell::dim(Value::Count(clock.messages)),
            Cell::text(Role::Text, &names.join(" ")),
        ],
        detail: detail(clock, &readers),
        ways: services(&readers),
        entity: None,
        finding: None,
        place: None,
    }
}

fn offset(clock: &Clock) -> (Role, Value) {
    let said = |text: &str| Value::Text(text.to_owned());
    match (clock.reference, clock.offset_ns) {
        (true, _) => (Role::Dim, said("reference")),
        (false, None) => (Role::Warning, said("unknown")),
        (false, Some(ns)) => (Role::Text, Value::Duration(i128::from(ns))),
    }
}

fn bounds(bounds: ClockBounds) -> &'static str {
    match bounds {
        ClockBounds::Both => "both sides",
        ClockBounds::Above => "above only",
        ClockBounds::Below => "below only",
        ClockBounds::None => "none",
        ClockBounds::Declared => "declared",
        ClockBounds::Contradictory => "contradictory",
    }
}

fn detail(clock: &Clock, readers: &[&Process]) -> Vec<Block> {
    let said = |label: &str, text: String| Block::said(label, Role::Text, text);
    let mut blocks = vec![Block::heading(format!("CLOCK {}", clock.id))];
    blocks.extend(clock.host.iter().map(|host| said("host  ", host.clone())));
    blocks.push(match (clock.offset_ns, clock.error_ns) {
        _ if clock.reference => said("", "the reference: other clocks' offsets are told against it".to_owned()),
        (Some(ns), Some(error)) => {
            let ahead = if ns < 0 { "behind" } else { "ahead of" };
            let (size, error) = (i128::from(ns.unsigned_abs()), i128::from(error));
            let said_so =
                format!("{} {ahead} the reference, ± {}", times::duration(size), times::duration(error));
            said("", said_so)
        }
        (Some(ns), None) => said("", format!("about {}, one side is open", times::duration(i128::from(ns)))),
        (None, _) => {
            let unbounded = "No message bounds it: its times are a feasible guess. A request or a message between \
                             it and another host would, or an offset declared in backstory.toml.";
            Block::said("", Role::Warning, unbounded)
        }
    });
    if let [Some(low), Some(high)] = clock.bounds_ns {
        let (low, high) = (times::duration(i128::from(low)), times::duration(i128::from(high)));
        blocks.push(said("between  ", format!("{low} and {high}")));
    }
    blocks.extend(clock.drift_ppm.map(|ppm| said("drift  ", format!("{ppm:+.1} ppm"))));
    blocks.push(said("bounds  ", bounds(clock.bounds).to_owned()));
    blocks.push(said("messages  ", text::count(clock.messages)));
    blocks.extend(clock.since.map(|since| said("since  ", moment(since))));
    blocks.extend(clock.until.map(|until| said("until  ", moment(until))));
    blocks.push(Block::heading("READ BY"));
    for process in readers {
        let instance = process.instance.as_deref().unwrap_or("—");
        let version = process.version.as_deref().unwrap_or("");
        blocks.push(said(&format!("{}  ", process.service), format!("{instance}  {version}")));
    }
    blocks
}

/// The records of the services that read it.
fn services(readers: &[&Process]) -> Vec<Choice> {
    let mut services: Vec<&str> = readers.iter().map(|process| process.service.as_str()).collect();
    services.sort_unstable();
    services.dedup();
    services.into_iter().map(records_of).collect()
}

/// The way to a service's records.
pub(super) fn records_of(service: &str) -> Choice {
    let plain = service.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let named = if plain { service.to_owned() } else { format!("\"{}\"", service.replace('"', "\\\"")) };
    Choice::new(&format!("records of {service}"), "", Outcome::Search(format!("service:{named}")))
}
