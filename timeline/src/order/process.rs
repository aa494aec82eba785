//! Who a process is, and which clock it reads.
//!
//! Identity follows the resource: the service's instance, else host or container with its process
//! id, else the function's instance, else the resource as a whole. A clock is a machine's: pods and
//! containers of one node share it. A process that names no machine has a clock of its own.

use std::collections::HashMap;

use xxhash_rust::xxh3::Xxh3;

use crate::clocks::{ClockKey, ProcessId};
use crate::record::{Resource, hash_text};

/// A process: who it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ProcessKey {
    /// `service.namespace`, `service.name`, `service.instance.id`; workers forked after the SDK began
    /// share these, and `process.pid` tells them apart.
    Instance { namespace: String, service: String, instance: String, pid: String },
    /// Host, container or pod, with `process.pid` and `process.creation.time`.
    Host { service: String, host: String, pid: String, created: String },
    /// `faas.instance`.
    Function { service: String, instance: String },
    /// The resource as a whole.
    Resource { service: String, digest: u128 },
}

impl ProcessKey {
    /// Reads it off a resource.
    pub(crate) fn of(resource: &Resource) -> ProcessKey {
        let service = resource.service().to_owned();
        let text = |key: &str| attribute(resource, key);
        let pid = text("process.pid").unwrap_or_default();
        if let Some(instance) = text("service.instance.id") {
            let namespace = text("service.namespace").unwrap_or_default();
            return ProcessKey::Instance { namespace, service, instance, pid };
        }
        let host = ["host.id", "host.name", "container.id", "k8s.pod.uid"].iter().find_map(|key| text(key));
        if let Some(host) = host.filter(|_| !pid.is_empty()) {
            let created = text("process.creation.time").unwrap_or_default();
            return ProcessKey::Host { service, host, pid, created };
        }
        match text("faas.instance") {
            Some(instance) => ProcessKey::Function { service, instance },
            None => ProcessKey::Resource { service, digest: resource.digest() },
        }
    }
}

impl ProcessKey {
    /// The same on every machine.
    pub(crate) fn id(&self) -> ProcessId {
        let mut hasher = Xxh3::new();
        let mut text = |kind: &str, parts: &[&str]| {
            hash_text(&mut hasher, kind);
            parts.iter().for_each(|part| hash_text(&mut hasher, part));
        };
        match self {
            ProcessKey::Instance { namespace, service, instance, pid } => {
                text("instance", &[namespace, service, instance, pid]);
            }
            ProcessKey::Host { service, host, pid, created } => text("host", &[service, host, pid, created]),
            ProcessKey::Function { service, instance } => text("function", &[service, instance]),
            ProcessKey::Resource { service, digest } => text("resource", &[service, &digest.to_string()]),
        }
        ProcessId(hasher.digest128().to_be_bytes())
    }
}

impl ClockKey {
    /// The clock that a process should read, by what it says of itself.
    fn of(resource: &Resource, process: &ProcessKey) -> ClockKey {
        let host = ["host.id", "k8s.node.uid", "k8s.node.name", "host.name"];
        match host.iter().find_map(|key| attribute(resource, key)) {
            Some(host) => ClockKey::Host(host),
            None => ClockKey::Process(process.id()),
        }
    }
}

/// One process of a timeline.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    /// Who it is.
    pub(crate) key: ProcessKey,
    /// Which clock it reads.
    pub(crate) clock: ClockKey,
    /// `service.name`.
    pub(crate) service: String,
    /// `service.instance.id`.
    pub(crate) instance: Option<String>,
    /// `host.name`, else `k8s.node.name`, else `host.id`.
    pub(crate) host: Option<String>,
    /// `service.version`.
    pub(crate) version: Option<String>,
    /// `process.creation.time`, as it was sent.
    pub(crate) created: Option<String>,
}

impl Process {
    /// The process with this key, as `resource` describes it.
    pub(crate) fn of(resource: &Resource, key: ProcessKey) -> Process {
        let first = |keys: &[&str]| keys.iter().find_map(|key| attribute(resource, key));
        Process {
            clock: ClockKey::of(resource, &key),
            key,
            service: resource.service().to_owned(),
            instance: first(&["service.instance.id"]),
            host: first(&["host.name", "k8s.node.name", "host.id"]),
            version: first(&["service.version"]),
            created: first(&["process.creation.time"]),
        }
    }
}

fn attribute(resource: &Resource, key: &str) -> Option<String> {
    resource.attributes.get(key).map(|value| value.to_text().into_owned()).filter(|text| !text.is_empty())
}

/// The processes of a set of records, each once.
#[derive(Default)]
pub(crate) struct Processes {
    list: Vec<Process>,
    by_key: HashMap<ProcessKey, usize>,
    by_resource: HashMap<u128, usize>,
}

impl Processes {
    /// The number of the process that `resource` describes; a new one if it is new.
    pub(crate) fn number(&mut self, resource: &Resource) -> usize {
        if let Some(known) = self.by_resource.get(&resource.digest()) {
            return *known;
        }
        let key = ProcessKey::of(resource);
        let number = *self.by_key.entry(key.clone()).or_insert_with(|| {
            self.list.push(Process::of(resource, key));
            self.list.len() - 1
        });
        self.by_resource.insert(resource.digest(), number);
        number
    }

    /// All of them, by number.
    pub(crate) fn list(&self) -> &[Process] {
        &self.list
    }
}
