//! What a timeline rests on: what is missing from it, its clocks and its sources, in lines.

use timeline::document::{Clock, ClockBounds, Incompleteness, StreamState, Timeline};

use crate::lines::Page;
use crate::lines::TextLine;
use crate::text;
use crate::theme::Role;
use crate::times;

/// A reason why an answer may lack something, for a person.
pub fn lack(reason: Incompleteness) -> &'static str {
    match reason {
        Incompleteness::Truncated => "cut by its budget",
        Incompleteness::MissingShard => "part of the store could not be read",
        Incompleteness::NotIndexed => "records still being indexed",
        Incompleteness::Sampled => "sampled",
        Incompleteness::DroppedBySdk => "an SDK dropped some",
        Incompleteness::UnattributedWrites => "writes of unknown entities",
    }
}

/// What `document` rests on, in a pane of `width` cells.
pub fn lines(document: &Timeline, width: usize) -> Vec<TextLine> {
    let mut page = Page::new(width);
    missing(document, &mut page);
    page.heading("CLOCKS, as bounded by messages");
    document.clocks.iter().for_each(|clock| clock_lines(document, clock, &mut page));
    page.heading("SOURCES");
    if document.completeness.streams.is_empty() {
        page.labelled("  ", Role::Dim, "nothing is known of how complete the sources are");
    }
    for stream in &document.completeness.streams {
        let state = match stream.state {
            StreamState::Whole => "whole",
            StreamState::Sampled => "sampled",
            StreamState::Lossy => "lossy",
            StreamState::Unknown => "unknown",
        };
        let rate = stream.rate.map_or_else(String::new, |rate| format!(" at {:.1} %", rate * 100.0));
        let evidence = stream.evidence.as_deref().map_or_else(String::new, |said| format!(" (by {said})"));
        let role = if stream.state == StreamState::Whole { Role::Text } else { Role::Warning };
        page.labelled(
            &format!("  {} {}  ", stream.service, stream.signal),
            role,
            &format!("{state}{rate}{evidence}"),
        );
    }
    page.into_lines()
}

fn missing(document: &Timeline, page: &mut Page) {
    let completeness = &document.completeness;
    page.heading("WHAT IS MISSING");
    if completeness.complete && document.gaps.is_empty() {
        page.labelled("  ", Role::Text, "nothing that is known of");
    }
    for reason in &completeness.reasons {
        page.labelled("  ", Role::Warning, lack(*reason));
    }
    if completeness.shown < completeness.total {
        let (shown, total) = (text::count(completeness.shown), text::count(completeness.total));
        page.labelled("  ", Role::Warning, &format!("{shown} of {total} events are shown"));
    }
    if document.edges_omitted > 0 {
        let omitted = text::counted(document.edges_omitted, "weak edge was", "weak edges were");
        page.labelled("  ", Role::Dim, &format!("{omitted} left out; `backstory why` weighs them"));
    }
    document.gaps.iter().for_each(|gap| page.labelled("  ", Role::Warning, &gap.detail));
    for marker in &document.markers {
        page.labelled("  changed around it: ", Role::Text, &marker.detail);
    }
}

fn clock_lines(document: &Timeline, clock: &Clock, page: &mut Page) {
    let readers = document.processes.iter().filter(|process| process.clock == clock.id);
    let services: Vec<&str> = readers.map(|process| process.service.as_str()).collect();
    let host = clock.host.as_deref().map_or_else(String::new, |host| format!("{host}, "));
    let name = format!("  {} ({host}{})  ", clock.id, services.join(" "));
    let duration = |ns: i64| times::duration(i128::from(ns));
    let (role, said) = match (clock.reference, clock.offset_ns, clock.error_ns) {
        (true, ..) => (Role::Text, "the reference".to_owned()),
        (false, Some(offset), Some(error)) => {
            (Role::Text, format!("off by {} ± {}", duration(offset), times::duration(i128::from(error))))
        }
        (false, Some(offset), None) => {
            (Role::Warning, format!("about {} off, one side open", duration(offset)))
        }
        (false, None, _) => (Role::Warning, "unknown: no message bounds it".to_owned()),
    };
    let bounds = match clock.bounds {
        ClockBounds::Contradictory => ", its evidence contradicts itself",
        ClockBounds::Declared => ", as the configuration declares",
        ClockBounds::Above => ", bounded from above only",
        ClockBounds::Below => ", bounded from below only",
        ClockBounds::Both | ClockBounds::None => "",
    };
    let messages = text::counted(clock.messages, "message", "messages");
    page.labelled(&name, role, &format!("{said}{bounds}, {messages}"));
}
