//! A log with vector clocks, as ShiViz takes it: the expression that reads it on the first line, no
//! delimiter of executions on the second, then two lines an event.
//!
//! ShiViz takes all events of a host to be in one order, and a process's concurrent work is in none. So a
//! process becomes as many hosts as it has events that nothing orders against each other: `orders`,
//! `orders#2` … Each host is a chain of the order (R. Schwarz, F. Mattern, *Detecting causal relationships in
//! distributed computations*, 1994, section 3), and the clocks say of every pair just what the edges say.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use timeline::document::{EventKind, Timeline};

use super::format::Export;
use super::told::Told;
use super::{sanitise, words};

/// What ShiViz and our own import read the log with.
const EXPRESSION: &str =
    r"(?<host>\S+) (?<clock>\{.*\})\n(?<date>\S+) (?<id>\S+) (?<entity>\S+) (?<event>.*)";
/// So many entries of clocks are written in all: some 150 MB of text.
const ENTRIES_MAX: usize = 6_000_000;

/// Which host, by its number, saw how many events.
type Clock = BTreeMap<usize, u32>;

/// The log.
pub(super) fn shiviz(timeline: &Timeline) -> Export {
    let told = Told::of(timeline);
    let mut hosts = Hosts::new(&told);
    let mut text = format!("{EXPRESSION}\n\n");
    let mut clocks: Vec<Clock> = Vec::new();
    let mut waiting = followers(&told);
    let mut entries = 0;
    let entity = word(&words::entity(&timeline.entity));
    for (place, event) in timeline.events.iter().enumerate() {
        let clock = hosts.tick(&told, place, &clocks);
        entries += clock.len();
        if entries > ENTRIES_MAX {
            break;
        }
        let host = hosts.names.get(hosts.of_event[place]).map_or("?", String::as_str);
        let written: Vec<String> =
            clock.iter().map(|(host, count)| format!("{}:{count}", json_text(&hosts.names[*host]))).collect();
        let _ = writeln!(text, "{host} {{{}}}", written.join(","));
        let ends = if event.kind == EventKind::SpanEnd { " ends" } else { "" };
        let (time, id, name, more) =
            (event.corrected, event.id, sanitise(&event.name), remarks(&told, place));
        let _ = writeln!(text, "{time} {id} {entity} {name}{ends}{more}");
        clocks.push(clock);
        release(&told, place, &mut waiting, &mut clocks);
    }
    let folded = (clocks.len() < timeline.events.len()).then(|| {
        format!(
            "the log has the first {} of {} events: so much runs concurrently that the vector clocks of all would fill \
             the disk",
            clocks.len(),
            timeline.events.len()
        )
    });
    Export { text, folded }
}

/// What else is to be said of an event, behind its name.
fn remarks(told: &Told<'_>, place: usize) -> String {
    let event = &told.events()[place];
    let mut remarks: Vec<String> = Vec::new();
    remarks.extend(event.state.iter().map(|change| format!("◆ {}", words::change_in_full(change))));
    remarks.extend(told.gaps(place).iter().map(|gap| format!("╳ {}: {}", words::gap(gap.kind), gap.detail)));
    let findings = told.findings(place).iter().filter_map(|number| told.finding(*number));
    remarks.extend(
        findings.map(|finding| format!("⚑ {} ({}): {}", finding.kind, finding.grade, finding.summary)),
    );
    let why = told.reason(place);
    remarks.extend((!why.is_empty()).then(|| format!("because of {why}")));
    if place == 0 {
        remarks.extend(words::lacks(&told.timeline.completeness));
        let omitted = told.timeline.edges_omitted;
        remarks.extend((omitted > 0).then(|| {
            format!("{omitted} clock edges are not in the document: some pairs look concurrent that a clock orders")
        }));
    }
    remarks.iter().map(|remark| format!(" | {}", sanitise(remark))).collect()
}

/// How many later events take each event's clock.
fn followers(told: &Told<'_>) -> Vec<usize> {
    let mut waiting = vec![0; told.events().len()];
    for place in 0..told.events().len() {
        for from in told.causes(place).iter().filter_map(|edge| told.place(edge.from)) {
            waiting[from] += 1;
        }
    }
    waiting
}

/// Forgets the clocks that nothing will ask for any more.
fn release(told: &Told<'_>, place: usize, waiting: &mut [usize], clocks: &mut [Clock]) {
    for from in told.causes(place).iter().filter_map(|edge| told.place(edge.from)) {
        waiting[from] -= 1;
        if waiting[from] == 0 {
            clocks[from].clear();
        }
    }
    if waiting[place] == 0 {
        clocks[place].clear();
    }
}

struct Hosts {
    /// The hosts of each process.
    of_process: Vec<Vec<usize>>,
    /// The host of each event so far.
    of_event: Vec<usize>,
    /// How many events each host has seen of its own.
    counts: Vec<u32>,
    names: Vec<String>,
    bases: Vec<String>,
}

impl Hosts {
    fn new(told: &Told<'_>) -> Hosts {
        Hosts {
            of_process: vec![Vec::new(); told.names.len().max(1)],
            of_event: Vec::new(),
            counts: Vec::new(),
            names: Vec::new(),
            bases: told.names.iter().map(|name| base(name)).collect(),
        }
    }

    /// The clock of the event at `place`: all that its causes saw, and itself on the first host of its process whose
    /// last event is among them.
    fn tick(&mut self, told: &Told<'_>, place: usize, clocks: &[Clock]) -> Clock {
        let mut clock = Clock::new();
        for from in told.causes(place).iter().filter_map(|edge| told.place(edge.from)) {
            for (host, count) in clocks.get(from).into_iter().flatten() {
                let seen = clock.entry(*host).or_default();
                *seen = (*seen).max(*count);
            }
        }
        let process = told.process(&told.events()[place]);
        let seen = |host: &&usize| clock.get(*host).copied().unwrap_or_default() == self.counts[**host];
        let host = match self.of_process[process].iter().find(seen) {
            Some(host) => *host,
            None => self.open(process),
        };
        self.counts[host] += 1;
        clock.insert(host, self.counts[host]);
        self.of_event.push(host);
        clock
    }

    fn open(&mut self, process: usize) -> usize {
        let host = self.names.len();
        let nth = self.of_process[process].len() + 1;
        let base = self.bases.get(process).map_or("unknown", String::as_str);
        self.names.push(if nth == 1 { base.to_owned() } else { format!("{base}#{nth}") });
        self.counts.push(0);
        self.of_process[process].push(host);
        host
    }
}

/// A process's name in one word. `#` parts the number of a chain, so that it can't be in it.
fn base(name: &str) -> String {
    word(&name.replace('#', "_"))
}

fn word(text: &str) -> String {
    let word: String = text.chars().map(|char| if char.is_whitespace() { '_' } else { char }).collect();
    if word.is_empty() { "_".to_owned() } else { word }
}

fn json_text(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::export::story;

    /// Reads a log as ShiViz does: each event's host and clock.
    fn read(text: &str) -> Vec<(String, HashMap<String, u32>)> {
        let (expression, log) = text.split_once("\n\n").expect("an expression and a log");
        let expression = regex::Regex::new(expression).expect("a regular expression");
        let clock = |text: &str| serde_json::from_str(text).expect("a clock");
        expression
            .captures_iter(log)
            .map(|found| (found["host"].to_owned(), clock(&found["clock"])))
            .collect()
    }

    /// Which event reaches which over the document's edges.
    fn reaches(told: &Told<'_>) -> Vec<Vec<bool>> {
        let len = told.events().len();
        let mut reach = vec![vec![false; len]; len];
        for place in 0..len {
            for from in told.causes(place).iter().filter_map(|edge| told.place(edge.from)) {
                for (earlier, reached) in reach.iter_mut().enumerate() {
                    reached[place] |= reached[from] || earlier == from;
                }
            }
        }
        reach
    }

    #[test]
    fn the_clocks_say_of_every_pair_what_the_edges_say() {
        let timeline = story::whole();
        let events = read(&shiviz(&timeline).text);
        assert_eq!(events.len(), timeline.events.len());
        let reach = reaches(&Told::of(&timeline));
        for (a, (host, clock)) in events.iter().enumerate() {
            for (b, (_, other)) in events.iter().enumerate() {
                let before = a != b && other.get(host).is_some_and(|seen| *seen >= clock[host]);
                assert_eq!(before, reach[a][b], "{a} and {b}");
            }
        }
    }

    #[test]
    fn each_host_counts_its_own_events_from_one() {
        let mut counts: HashMap<String, u32> = HashMap::new();
        for (host, clock) in read(&shiviz(&story::whole()).text) {
            let count = counts.entry(host.clone()).or_default();
            *count += 1;
            assert_eq!(clock[&host], *count, "{host}");
        }
    }
}
