//! Which event of a document is before which.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

/// The pairs of events that the document's edges order, each event by the name that `name` gives it.
pub(super) fn pairs(document: &Value, name: impl Fn(&Value) -> Value) -> BTreeSet<(String, String)> {
    let list = |field: &str| document[field].as_array().expect("a list");
    let events = list("events");
    let places: HashMap<&str, usize> = events.iter().enumerate().map(|(at, event)| (id(event), at)).collect();
    // The list extends the edges: what is before an event is known once it is reached.
    let mut before: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); events.len()];
    let mut causes: Vec<Vec<usize>> = vec![Vec::new(); events.len()];
    for edge in list("edges") {
        let end = |side: &str| places[edge[side].as_str().expect("an id")];
        causes[end("to")].push(end("from"));
    }
    for (at, causes) in causes.iter().enumerate() {
        for cause in causes {
            let mut earlier = before[*cause].clone();
            earlier.insert(*cause);
            before[at].append(&mut earlier);
        }
    }
    let names: Vec<String> = events.iter().map(|event| name(event).to_string()).collect();
    let of = |(at, before): (usize, &BTreeSet<usize>)| -> Vec<(String, String)> {
        before.iter().map(|earlier| (names[*earlier].clone(), names[at].clone())).collect()
    };
    before.iter().enumerate().flat_map(of).collect()
}

fn id(event: &Value) -> &str {
    event["id"].as_str().expect("an id")
}
