//! `backstory.affected/1`: who else, since when, still, and whom can't we tell.

use serde::{Deserialize, Serialize};

use super::{Completeness, FindingKind, Grade};
use crate::time::Time;

/// Every entity of a type, judged for the shape of one finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Affected {
    /// Always [`Affected::SCHEMA`].
    pub schema: String,
    /// The finding's kind.
    pub kind: FindingKind,
    /// What makes another finding alike, in words.
    pub shape: String,
    /// What the answer rests on: `shown` of `total` entities were judged.
    pub completeness: Completeness,
    /// How many have it proved.
    pub proved: u64,
    /// How many have it by clock intervals that lie apart.
    pub clock: u64,
    /// How many may have it.
    pub possible: u64,
    /// How many don't have it, as far as all that was looked for is there.
    pub clean: u64,
    /// How many it can't be told of.
    pub cannot_tell: u64,
    /// Where the first of the alike findings begins.
    pub first: Option<Time>,
    /// Where the latest of them begins.
    pub last: Option<Time>,
    /// How it goes on.
    pub still: Still,
    /// Where it stands out.
    pub by: AffectedBy,
    /// The entities: the affected ones by the moment at which it began, then those that can't be told of, then the clean
    /// ones.
    pub entities: Vec<AffectedEntity>,
}

impl Affected {
    /// The name and version of this format.
    pub const SCHEMA: &'static str = "backstory.affected/1";
}

/// The last hour of what the store holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Still {
    /// Where that hour begins; `None` where no entity was judged.
    pub since: Option<Time>,
    /// How many alike findings begin in it.
    pub affected: u64,
    /// How many of the entities judged are told of in it.
    pub entities: u64,
}

/// Affected entities by what they went through.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AffectedBy {
    /// By service and version: `payments 2.15.0`.
    pub version: Vec<AffectedGroup>,
    /// By service and instance: `payments payments-1`.
    pub instance: Vec<AffectedGroup>,
    /// By destination and partition: `orders 3`.
    pub partition: Vec<AffectedGroup>,
}

/// Entities that went through one version, instance or partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedGroup {
    /// Which.
    pub name: String,
    /// How many of them are affected.
    pub affected: u64,
    /// How many of them could be told of.
    pub of: u64,
}

/// One entity, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AffectedEntity {
    /// `order/42`.
    pub entity: String,
    /// The scope in which it was judged; empty where unknown.
    pub scope: String,
    /// What became of it.
    pub verdict: Verdict,
    /// The alike finding's grade.
    pub grade: Option<Grade>,
    /// The alike finding's id.
    pub finding: Option<String>,
    /// Where that begins.
    pub at: Option<Time>,
    /// Why it can't be told of; empty where it can.
    pub reason: String,
}

/// What became of an entity that was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It has a finding of the shape.
    Affected,
    /// Something that would show it is missing.
    CannotTell,
    /// It has none.
    Clean,
}
