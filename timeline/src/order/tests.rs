//! The order against its definition: brute force over every pair.

use proptest::prelude::*;

use super::*;
use crate::belongs::Members;
use crate::document::Certainty;
use crate::given::Given;
use crate::held::Held;
use crate::message::Messages;
use crate::order::reduce::reduce;
use crate::question::Question;
use crate::testing::any_records;

/// Records, ordered.
pub(super) struct Case {
    pub(super) held: Held,
    pub(super) moments: Moments,
    pub(super) order: Order,
}

pub(super) fn case(records: Vec<crate::record::Record>) -> Case {
    case_given(records, &Given::default())
}

pub(super) fn case_given(records: Vec<crate::record::Record>, given: &Given) -> Case {
    let given = given.joined(&records);
    let held = Held::fold(records);
    let messages = Messages::of(&held);
    let question: Question = "order/42".parse().expect("a question");
    let members = Members::of(&held, &messages, &question);
    let moments = Moments::of(&held, &members, &given.clocks);
    let operations = crate::state::reading::operations(&held);
    let order = Order::of(&moments, edge::causes(&held, &messages, &moments, &operations), &given);
    Case { held, moments, order }
}

/// A relation as a matrix.
type Matrix = Vec<Vec<bool>>;

fn closure(mut matrix: Matrix) -> Matrix {
    for k in 0..matrix.len() {
        for i in 0..matrix.len() {
            if matrix[i][k] {
                let through = matrix[k].clone();
                matrix[i].iter_mut().zip(through).for_each(|(reached, there)| *reached |= there);
            }
        }
    }
    matrix
}

/// What is claimed, by definition: causes alone; causes with every pair of readings of one clock; and with every
/// pair of readings that their clocks' bounds put apart.
fn definition(case: &Case) -> [Matrix; 3] {
    let len = case.moments.len();
    let mut causes = vec![vec![false; len]; len];
    case.order.causes.iter().for_each(|cause| causes[cause.from as usize][cause.to as usize] = true);
    let mut all = causes.clone();
    for clock in case.order.clocks.list.iter().filter(|clock| clock.trusted) {
        for a in &clock.readings {
            for b in &clock.readings {
                all[a.moment as usize][b.moment as usize] |= a.upper <= b.lower;
            }
        }
    }
    let mut corrected = all.clone();
    let clocks = || case.order.clocks.list.iter().enumerate().filter(|(_, clock)| clock.trusted);
    for (a, from) in clocks() {
        for (b, to) in clocks().filter(|(b, _)| *b != a) {
            for reading in &from.readings {
                // At a later upper end of the chain B may be known to be behind: then it was here, too.
                let later =
                    from.readings.iter().map(|other| other.upper).filter(|upper| *upper >= reading.upper);
                let reads = |upper: u64| {
                    let ahead = case.order.offsets().bounds(a, upper as i64, b).high?;
                    Some(i128::from(upper) + i128::from(ahead))
                };
                let Some(latest) = later.filter_map(reads).min() else { continue };
                for other in &to.readings {
                    corrected[reading.moment as usize][other.moment as usize] |=
                        latest <= i128::from(other.lower);
                }
            }
        }
    }
    [closure(causes), closure(all), closure(corrected)]
}

proptest! {
    #[test]
    fn before_is_what_its_definition_says(records in any_records(24)) {
        let case = case(records);
        let [causal, clock, all] = definition(&case);
        for a in 0..case.moments.len() {
            prop_assert!(!all[a][a], "no event is before itself");
            for b in 0..case.moments.len() {
                let expected = match (causal[a][b], clock[a][b], all[a][b]) {
                    (true, ..) => Some(Certainty::Causal),
                    (_, true, _) => Some(Certainty::Clock),
                    (.., true) => Some(Certainty::Corrected),
                    _ => None,
                };
                prop_assert_eq!(case.order.reachability.before(a as u32, b as u32), expected);
            }
        }
    }

    /// ORD-1.
    #[test]
    fn the_list_extends_every_claim(records in any_records(24)) {
        let case = case(records);
        let [.., all] = definition(&case);
        let key = |index: &Index| {
            let moment = &case.moments.list[*index as usize];
            (case.order.stamps[*index as usize], case.held.record(moment.at).id)
        };
        prop_assert!(case.order.list.windows(2).all(|pair| key(&pair[0]) <= key(&pair[1])));
        for (a, row) in all.iter().enumerate() {
            for b in (0..row.len()).filter(|b| row[*b]) {
                prop_assert!(case.order.places[a] < case.order.places[b]);
                prop_assert!(case.order.stamps[a] < case.order.stamps[b]);
            }
        }
    }

    /// The edges shown say all that is claimed, and none of them is implied by others as sure.
    #[test]
    fn the_reduction_is_whole_and_minimal(records in any_records(20), cut in 0usize..60) {
        let case = case(records);
        let [causal, clock, all] = definition(&case);
        let len = case.moments.len();
        let shown = len.min(cut);
        let (edges, omitted) = reduce(&case.order, &case.moments.list, shown);
        let matrix = |edges: &[reduce::Shown]| {
            let mut matrix = vec![vec![false; len]; len];
            edges.iter().for_each(|edge| matrix[edge.from as usize][edge.to as usize] = true);
            closure(matrix)
        };
        let at_least = |certainty| {
            let sure: Vec<_> = edges.iter().filter(|edge| edge.certainty >= certainty).copied().collect();
            matrix(&sure)
        };
        let by_causes = at_least(Certainty::Causal);
        let (by_clocks, by_all) = (at_least(Certainty::Clock), at_least(Certainty::Corrected));
        let visible = |index: usize| (case.order.places[index] as usize) < shown;
        for a in 0..len {
            for b in 0..len {
                let both = visible(a) && visible(b);
                prop_assert_eq!(by_causes[a][b], causal[a][b] && both);
                prop_assert!(omitted > 0 || by_clocks[a][b] == (clock[a][b] && both));
                prop_assert!(omitted > 0 || by_all[a][b] == (all[a][b] && both));
                prop_assert!(!by_all[a][b] || all[a][b]);
            }
        }
        for (nth, edge) in edges.iter().enumerate() {
            let mut others = edges.clone();
            others.remove(nth);
            others.retain(|other| other.certainty >= edge.certainty);
            let implied = matrix(&others)[edge.from as usize][edge.to as usize];
            prop_assert!(!implied, "{edge:?} is implied by others");
        }
    }
}
