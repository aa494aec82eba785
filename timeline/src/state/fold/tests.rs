use proptest::prelude::*;

use super::*;
use crate::document::{Certainty, Identity, StateEvidence};
use crate::id::{Point, RecordId};

/// A list of `2 n` events, the starts and ends of `n` operations, with edges along it.
#[derive(Debug)]
struct Listed {
    /// By event, in the order of the list: the operation's number and the point.
    events: Vec<(u8, Point)>,
    /// Transitively closed: `before[a][b]` by places.
    before: Vec<Vec<bool>>,
}

fn record(number: u8) -> RecordId {
    RecordId([number; 16])
}

impl Relation for Listed {
    fn before(&self, a: EventId, b: EventId) -> Option<Certainty> {
        let (a, b) = (self.place(a)?, self.place(b)?);
        self.before[a][b].then_some(Certainty::Causal)
    }

    fn place(&self, event: EventId) -> Option<usize> {
        self.events.iter().position(|(number, point)| EventId::new(record(*number), *point) == event)
    }
}

impl Listed {
    /// A list of `count` operations; an event is before each later one for which `claimed` says so, and what follows.
    fn new(order: &[u8], claimed: impl Fn(usize, usize) -> bool) -> Listed {
        let mut seen = BTreeSet::new();
        let events: Vec<(u8, Point)> = order
            .iter()
            .map(|number| (*number, if seen.insert(*number) { Point::Start } else { Point::End }))
            .collect();
        let len = events.len();
        let mut before = vec![vec![false; len]; len];
        for to in 0..len {
            for from in (0..to).rev() {
                let own = events[from].0 == events[to].0;
                if own || claimed(from, to) {
                    before[from][to] = true;
                    for row in before.iter_mut().take(from) {
                        row[to] |= row[from];
                    }
                }
            }
        }
        Listed { events, before }
    }

    /// One after the other, each known to be before the next.
    fn in_sequence(count: u8) -> Listed {
        let order: Vec<u8> = (0..count).flat_map(|number| [number, number]).collect();
        Listed::new(&order, |_, _| true)
    }
}

fn operation(number: u8, op: Op, value: Option<i64>) -> Operation {
    let record = record(number);
    Operation {
        record,
        event: EventId::new(record, Point::End),
        began: EventId::new(record, Point::Start),
        thing: Some(Thing { kind: "order".into(), key: "42".into() }),
        kind: "order".into(),
        copy: "shop/orders".into(),
        part: false,
        op,
        field: Some("status".into()),
        from: None,
        value: value.map(Value::Int),
        delta: None,
        version: None,
        expected_version: None,
        outcome: Outcome::Ok,
        transaction: None,
        visible_at: None,
        intent: None,
        evidence: StateEvidence::Sql,
        identity: Identity::Own,
    }
}

/// What is believed at the end of the list.
fn at_end(operations: &[Operation], relation: &Listed) -> Belief {
    let history = fold(operations, relation);
    let track = history.tracks.values().next().expect("a slot");
    track.at(Some(usize::MAX))
}

#[test]
fn the_last_write_stands_and_unordered_ones_are_alternatives() {
    let writes = [operation(0, Op::Write, Some(1)), operation(1, Op::Write, Some(2))];
    let ordered = at_end(&writes, &Listed::in_sequence(2));
    assert_eq!((ordered.value, ordered.known), (Some(Value::Int(2)), Known::Before));
    let open = at_end(&writes, &Listed::new(&[0, 1, 0, 1], |_, _| false));
    assert_eq!((open.value, open.known), (Some(Value::Int(2)), Known::Unordered));
    assert_eq!(open.alternatives, [Value::Int(1)]);
}

#[test]
fn what_failed_left_nothing_and_what_may_have_failed_leaves_it_open() {
    let mut writes = [operation(0, Op::Write, Some(1)), operation(1, Op::Write, Some(2))];
    writes[1].outcome = Outcome::Failed;
    assert_eq!(at_end(&writes, &Listed::in_sequence(2)).value, Some(Value::Int(1)));
    writes[1].outcome = Outcome::Unknown;
    let open = at_end(&writes, &Listed::in_sequence(2));
    assert_eq!((open.known, open.alternatives), (Known::Unordered, vec![Value::Int(1)]));
}

#[test]
fn a_delta_needs_the_level_that_it_adds_to() {
    let add = Operation { delta: Some(Value::Int(-3)), ..operation(1, Op::Add, None) };
    let level = at_end(&[operation(0, Op::Write, Some(10)), add.clone()], &Listed::in_sequence(2));
    assert_eq!(level.value, Some(Value::Int(7)));
    let unknown = at_end(&[add], &Listed::in_sequence(2));
    assert_eq!((unknown.value, unknown.known), (None, Known::No));
}

#[test]
fn a_delete_without_a_field_empties_all_of_them() {
    let delete = Operation { field: None, ..operation(1, Op::Delete, None) };
    let note = Operation { field: Some("note".into()), ..operation(0, Op::Write, Some(5)) };
    let history = fold(&[operation(0, Op::Write, Some(1)), note, delete], &Listed::in_sequence(2));
    assert_eq!(history.tracks.len(), 2);
    for track in history.tracks.values() {
        assert_eq!(track.at(Some(usize::MAX)).value, Some(Value::Empty));
    }
}

#[test]
fn an_effect_is_there_at_its_commit() {
    let commit = record(1);
    let write =
        Operation { visible_at: Some(EventId::new(commit, Point::End)), ..operation(0, Op::Write, Some(1)) };
    let history = fold(&[write], &Listed::in_sequence(2));
    let track = history.tracks.values().next().expect("a slot");
    assert_eq!(track.at(Some(1)).known, Known::No, "written, not committed");
    assert_eq!(track.at(Some(3)).value, Some(Value::Int(1)));
}

#[test]
fn the_first_read_or_the_first_old_value_tells_what_held_before() {
    let read = operation(0, Op::Read, Some(7));
    let write = operation(1, Op::Write, Some(8));
    let tracks = fold(&[read.clone(), write.clone()], &Listed::in_sequence(2)).tracks;
    assert_eq!(tracks.values().next().and_then(|track| track.initial.clone()), Some(Value::Int(7)));
    let overlapping = fold(&[read, write.clone()], &Listed::new(&[0, 1, 0, 1], |_, _| false)).tracks;
    assert_eq!(overlapping.values().next().and_then(|track| track.initial.clone()), None);
    let telling = Operation { from: Some(Value::Int(6)), ..write };
    let tracks = fold(&[telling], &Listed::in_sequence(2)).tracks;
    assert_eq!(tracks.values().next().and_then(|track| track.initial.clone()), Some(Value::Int(6)));
}

#[test]
fn a_read_shows_an_unseen_write_but_an_old_answer_shows_nothing() {
    let written = [operation(0, Op::Write, Some(1)), operation(1, Op::Write, Some(2))];
    let mut operations = written.to_vec();
    operations.push(operation(2, Op::Read, Some(9)));
    assert_eq!(at_end(&operations, &Listed::in_sequence(3)).value, Some(Value::Int(9)));
    operations[2] = operation(2, Op::Read, Some(1));
    assert_eq!(at_end(&operations, &Listed::in_sequence(3)).value, Some(Value::Int(2)));
}

#[test]
fn a_write_that_insisted_on_a_version_saw_it() {
    let first = Operation { version: Some(Value::Int(2)), ..operation(0, Op::Write, Some(1)) };
    let second = Operation { expected_version: Some(Value::Int(2)), ..operation(1, Op::Write, Some(2)) };
    // Nothing but the version orders them, and the list has the second's end first.
    let belief = at_end(&[first, second], &Listed::new(&[0, 1, 1, 0], |_, _| false));
    assert_eq!((belief.value, belief.known), (Some(Value::Int(2)), Known::Before));
}

/// By definition, without memory: a write leaves the value open unless one that surely took effect replaced it.
fn naive(operations: &[Operation], relation: &Listed, place: usize) -> (Vec<i64>, bool) {
    let done = |o: &&Operation| {
        o.outcome != Outcome::Failed && relation.place(o.event).is_some_and(|own| own <= place)
    };
    let done: Vec<&Operation> = operations.iter().filter(done).collect();
    let sure = |o: &&&Operation| o.outcome == Outcome::Ok;
    let replaced =
        |o: &Operation| done.iter().filter(sure).any(|w| relation.before(o.event, w.began).is_some());
    let mut values: Vec<i64> = done
        .iter()
        .filter(|o| !replaced(o))
        .filter_map(|o| if let Some(Value::Int(value)) = o.value { Some(value) } else { None })
        .collect();
    values.sort_unstable();
    values.dedup();
    (values, done.iter().any(|o| o.outcome == Outcome::Ok))
}

fn any_list() -> impl Strategy<Value = (Listed, Vec<Operation>)> {
    (1u8..9).prop_flat_map(|count| {
        let numbers: Vec<u8> = (0..count).flat_map(|number| [number, number]).collect();
        let edges = prop::collection::vec(prop::bool::weighted(0.25), 4 * usize::from(count).pow(2));
        let outcome = prop::sample::select(vec![Outcome::Ok, Outcome::Ok, Outcome::Unknown, Outcome::Failed]);
        let writes = prop::collection::vec((0i64..4, outcome), usize::from(count));
        (Just(numbers).prop_shuffle(), edges, writes).prop_map(|(numbers, edges, writes)| {
            let len = numbers.len();
            let listed = Listed::new(&numbers, |from, to| edges[from * len + to]);
            let operations = (0..).zip(writes).map(|(number, (value, outcome))| Operation {
                outcome,
                ..operation(number, Op::Write, Some(value))
            });
            (listed, operations.collect())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Belief at every place is what a replay of the list up to it says.
    #[test]
    fn belief_is_what_a_naive_replay_says((listed, operations) in any_list()) {
        let history = fold(&operations, &listed);
        for place in 0..listed.events.len() {
            let (values, certain) = naive(&operations, &listed, place);
            let Some(track) = history.tracks.values().next() else { continue };
            let belief = track.at(Some(place));
            let mut told: Vec<i64> = belief.alternatives.iter().chain(&belief.value)
                .filter_map(|value| if let Value::Int(value) = value { Some(*value) } else { None })
                .collect();
            told.sort_unstable();
            let known = match values.len() {
                0 => Known::No,
                1 if certain => Known::Before,
                _ => Known::Unordered,
            };
            prop_assert_eq!((told, belief.known), (values, known), "at {}", place);
        }
    }
}
