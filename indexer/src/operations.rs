//! The services that a shard has seen, and the names and kinds of their spans.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use timeline::record::SpanKind;

/// So many names a shard are kept: they stand in each commit. Who puts ids into the names of spans has more.
const NAMES_MAX: usize = 4_096;

/// Services, and the names and kinds of their spans.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operations {
    /// By service; a service that sent logs alone has none.
    pub(crate) services: BTreeMap<String, BTreeSet<(String, SpanKind)>>,
    /// Whether there were more names than are kept.
    pub(crate) left_out: bool,
}

impl Operations {
    /// Takes in a service.
    pub(crate) fn add_service(&mut self, service: &str) {
        if !self.services.contains_key(service) {
            self.services.insert(service.to_owned(), BTreeSet::new());
        }
    }

    /// Takes in a span of `service`, which is there already.
    pub(crate) fn add(&mut self, service: &str, name: &str, kind: SpanKind) {
        let full = self.len() >= NAMES_MAX;
        let Some(names) = self.services.get_mut(service) else { return };
        let operation = (name.to_owned(), kind);
        if full && !names.contains(&operation) {
            self.left_out = true;
        } else {
            names.insert(operation);
        }
    }

    /// Takes in all of `other`.
    pub(crate) fn merge(&mut self, other: &Operations) {
        for (service, names) in &other.services {
            self.add_service(service);
            names.iter().for_each(|(name, kind)| self.add(service, name, *kind));
        }
        self.left_out |= other.left_out;
    }

    fn len(&self) -> usize {
        self.services.values().map(BTreeSet::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_ids_in_them_are_bounded_and_said_to_be() {
        let mut operations = Operations::default();
        operations.add_service("orders");
        for number in 0..NAMES_MAX {
            operations.add("orders", &format!("GET /orders/{number}"), SpanKind::Server);
        }
        operations.add("orders", "GET /orders/0", SpanKind::Server);
        assert!(!operations.left_out, "nothing new");
        operations.add("orders", "GET /orders/0", SpanKind::Client);
        assert!(operations.left_out);
        let mut other = Operations::default();
        other.merge(&operations);
        assert_eq!(other, operations);
    }
}
