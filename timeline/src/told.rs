//! The stages that every answer about a subject goes through: which records belong, their order, what they did to
//! state, and what each copy held.

use crate::belongs::Members;
use crate::document::{Completeness, Finding, Gap, Incompleteness};
use crate::gaps::{self, gaps};
use crate::given::Given;
use crate::held::Held;
use crate::judge::{self, Evidenced};
use crate::message::Messages;
use crate::order::moment::Moments;
use crate::order::{Order, edge};
use crate::question::{Question, Subject};
use crate::record::Record;
use crate::skew::Skews;
use crate::state::listing::Listing;
use crate::state::{self, History, Operation, Thing};
use crate::streams::{self, streams};

/// Records, each once, ordered, with what the answer rests on.
pub(crate) struct Told {
    pub(crate) held: Held,
    pub(crate) members: Members,
    pub(crate) moments: Moments,
    pub(crate) order: Order,
    pub(crate) completeness: Completeness,
    pub(crate) gaps: Vec<Gap>,
    /// What the listed records did to state.
    pub(crate) operations: Vec<Operation>,
}

impl Told {
    pub(crate) fn of(records: Vec<Record>, question: &Question, given: &Given) -> Told {
        let given = given.joined(&records);
        let held = Held::fold(records);
        let messages = Messages::of(&held);
        let members = Members::of(&held, &messages, question);
        let moments = Moments::of(&held, &members, &given.clocks);
        let all = state::reading::operations(&held);
        let causes = edge::causes(&held, &messages, &moments, &all);
        let order = Order::of(&moments, causes, &given);
        let unattributed = state::reading::unattributed(&held, &members, &all, question);
        let mut completeness = streams::completeness(&given.completeness, streams(&held));
        if !unattributed.is_empty() {
            completeness.add(Incompleteness::UnattributedWrites);
        }
        let evidence = gaps::Evidence {
            held: &held,
            members: &members,
            messages: &messages,
            moments: &moments,
            circular: &order.circular,
            completeness: &completeness,
        };
        let mut gaps = gaps(&evidence, question);
        gaps.extend(unattributed);
        gaps.sort();
        let operations = state::reading::listed(&held, &moments, all);
        Told { held, members, moments, order, completeness, gaps, operations }
    }

    /// The order, asked by event ids.
    pub(crate) fn listing(&self) -> Listing<'_> {
        Listing::new(&self.held, &self.moments, &self.order)
    }

    /// What is wrong, given what the records did to state.
    pub(crate) fn judge(
        &self,
        listing: &Listing<'_>,
        operations: &[Operation],
        history: &History,
        question: &Question,
        given: &Given,
    ) -> Vec<Finding> {
        let mut findings = Skews { held: &self.held, moments: &self.moments, order: &self.order }.findings();
        findings.extend(judge::judge(Evidenced {
            held: &self.held,
            members: &self.members,
            moments: &self.moments,
            order: &self.order,
            listing,
            operations,
            history,
            gaps: &self.gaps,
            completeness: &self.completeness,
            settings: &given.settings,
            subject: subject(question),
            judged_to: given.judged_to,
        }));
        findings
    }
}

/// The thing that is asked about; `None` where it is asked for by an attribute.
fn subject(question: &Question) -> Option<Thing> {
    match &question.subject {
        Subject::Entity { kind, key } => Some(Thing { kind: kind.clone(), key: key.clone() }),
        Subject::Attribute { .. } => None,
    }
}
