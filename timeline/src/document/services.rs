//! `backstory.services/1` and `backstory.traces/1`: who sent records, under which names, and whole traces.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Completeness;
use crate::record::SpanKind;

/// The services that sent records, and the operations of each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Services {
    /// Always [`Services::SCHEMA`].
    pub schema: String,
    /// What the answer rests on: `shown` of `total` services are listed.
    pub completeness: Completeness,
    /// By name; the one asked for alone.
    pub services: Vec<ServiceOperations>,
}

impl Services {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.services/1";
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceOperations {
    /// Its name.
    pub service: String,
    /// The names of its spans, by name and kind; none where it sent logs alone.
    pub operations: Vec<Operation>,
}

/// The name that spans go by, with their kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Operation {
    /// The spans' name.
    pub name: String,
    /// Their kind.
    pub kind: SpanKind,
}

/// Whole traces in Jaeger's JSON, which its UI and Grafana read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traces {
    /// Always [`Traces::SCHEMA`].
    pub schema: String,
    /// What the answer rests on: `shown` of `total` traces are here.
    pub completeness: Completeness,
    /// The traces whose spans match, those that arrived last; the latest to begin first.
    pub traces: Vec<Value>,
}

impl Traces {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.traces/1";
}
