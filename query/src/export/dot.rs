//! The graph of reasons for Graphviz: one cluster a process, one node an event, one edge a reason.

use std::fmt::Write as _;

use timeline::document::{Certainty, EventKind, Timeline};

use super::told::Told;
use super::{sanitise, words};

/// The graph. Nothing is left out: whoever lays it out may want to.
pub(super) fn dot(timeline: &Timeline) -> String {
    let told = Told::of(timeline);
    let mut text = String::from("digraph timeline {\n");
    // Without `newrank` Graphviz fails to rank clusters whose edges run to and fro.
    text.push_str("  graph [rankdir=TB, newrank=true, fontname=\"Helvetica\", labelloc=t, labeljust=l, ");
    let _ = writeln!(text, "label={}];", quoted(&title(&told)));
    text.push_str("  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=10];\n");
    text.push_str("  edge [fontname=\"Helvetica\", fontsize=9];\n");
    let mut of_process: Vec<Vec<usize>> = vec![Vec::new(); timeline.processes.len().max(1)];
    for (place, event) in timeline.events.iter().enumerate() {
        of_process[told.process(event)].push(place);
    }
    for (number, places) in of_process.iter().enumerate() {
        let name = told.names.get(number).map_or("?", String::as_str);
        let _ = writeln!(text, "  subgraph cluster_{number} {{\n    label={};", quoted(&[name.to_owned()]));
        places.iter().for_each(|place| write_node(&mut text, &told, *place));
        text.push_str("  }\n");
    }
    for edge in &timeline.edges {
        let style = match edge.certainty {
            Certainty::Causal => "solid",
            Certainty::Clock => "dashed",
            Certainty::Corrected | Certainty::Assumed => "dotted",
        };
        let (evidence, certainty) = (edge.evidence.name(), edge.certainty.name());
        let _ = writeln!(
            text,
            "  \"{}\" -> \"{}\" [label=\"{evidence}\", tooltip=\"{certainty}\", style={style}];",
            edge.from, edge.to
        );
    }
    for (number, gap) in told.gaps_of_none().enumerate() {
        let lines = [format!("╳ {}", words::gap(gap.kind)), gap.detail.clone()];
        let _ = writeln!(text, "  \"gap {number}\" [shape=note, color=red, label={}];", quoted(&lines));
    }
    for (number, marker) in timeline.markers.iter().enumerate() {
        let lines = [marker.kind.clone(), marker.time.to_string(), marker.detail.clone()];
        let _ = writeln!(text, "  \"marker {number}\" [shape=note, label={}];", quoted(&lines));
    }
    for (number, finding) in timeline.findings.iter().enumerate() {
        let head = format!("⚑ {} ({}, {})", finding.kind, finding.grade, words::status(finding.status));
        let lines = [head, finding.summary.clone()];
        let _ = writeln!(text, "  \"finding {number}\" [shape=note, color=red, label={}];", quoted(&lines));
        for event in finding.events.iter().filter(|event| told.place(**event).is_some()) {
            let _ = writeln!(
                text,
                "  \"{event}\" -> \"finding {number}\" [style=dotted, color=red, arrowhead=none, constraint=false];"
            );
        }
    }
    text.push_str("}\n");
    text
}

/// Whose graph, when, and what it lacks.
fn title(told: &Told<'_>) -> Vec<String> {
    let timeline = told.timeline;
    let mut lines = vec![format!("{}  {}", words::entity(&timeline.entity), timeline.entity.scope)];
    lines.extend(timeline.range.map(|range| format!("{} to {}", range.start, range.end)));
    lines.extend(words::lacks(&timeline.completeness));
    lines.extend(timeline.clocks.iter().map(words::clock));
    if timeline.edges_omitted > 0 {
        lines.push(format!("{} clock edges are left out of the reasons", timeline.edges_omitted));
    }
    lines
}

fn write_node(text: &mut String, told: &Told<'_>, place: usize) {
    let event = &told.events()[place];
    let suffix = if event.kind == EventKind::SpanEnd { " ends" } else { "" };
    let unbounded = if event.error_ns.is_none() { "~" } else { "" };
    let error = event.error_ns.filter(|ns| *ns > 0).map(|ns| format!(" ± {}", words::duration(ns)));
    let time = event.corrected.to_utc().format("%H:%M:%S%.9f");
    let mut lines =
        vec![format!("{}{suffix}", event.name), format!("{unbounded}{time}{}", error.unwrap_or_default())];
    lines.extend(event.state.iter().map(|change| format!("◆ {}", words::change_in_full(change))));
    lines.extend(told.gaps(place).iter().map(|gap| format!("╳ {}: {}", words::gap(gap.kind), gap.detail)));
    let failed = event.severity >= Some(timeline::record::Severity::Error);
    let marked = failed || !told.gaps(place).is_empty() || !told.findings(place).is_empty();
    let colour = if marked { ", color=red" } else { "" };
    let fold = event.folded.map_or("", |_| ", fontcolor=gray");
    let _ = writeln!(text, "    \"{}\" [label={}{colour}{fold}];", event.id, quoted(&lines));
}

/// Lines as one quoted text, each broken to the left. A backslash would begin an escape, and `&` an HTML entity.
fn quoted(lines: &[String]) -> String {
    let mut quoted = String::from("\"");
    for line in lines {
        for char in sanitise(line).chars() {
            match char {
                '\\' => quoted.push_str("\\\\"),
                '"' => quoted.push_str("\\\""),
                '&' => quoted.push_str("&amp;"),
                '<' => quoted.push_str("&lt;"),
                '>' => quoted.push_str("&gt;"),
                char => quoted.push(char),
            }
        }
        quoted.push_str("\\l");
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::story;

    #[test]
    fn a_story_as_a_graph() {
        insta::assert_snapshot!(dot(&story::whole()));
    }
}
