//! What a timeline rests on besides its records, as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use timeline::clocks::Declared;
use timeline::judge::{Budget, Holds, Pattern, Place, Rule, Settings, Transitions};

/// The configuration that a timeline was judged by, in plain fields: what is read back is equal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Premises {
    window_ns: u64,
    attempts_max: usize,
    owners: BTreeMap<String, String>,
    transitions: BTreeMap<String, Transitions>,
    budgets: Vec<BudgetLine>,
    rules: Vec<RuleLine>,
    clocks: BTreeMap<String, ClockLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetLine {
    entity: String,
    copy: String,
    lag_ns: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockLine {
    offset_ns: i64,
    error_ns: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleLine {
    name: String,
    entity: String,
    holds: HoldsLine,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HoldsLine {
    AtMost { most: u64, write: PatternLine },
    Never { write: PatternLine, after: Option<PatternLine> },
    Eventually { write: PatternLine, after: PatternLine, within_ns: u64 },
    SumAtMost { sum: PlaceLine, most: f64 },
    SumEquals { sum: PlaceLine, equals: PlaceLine },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceLine {
    copy: Option<String>,
    field: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternLine {
    place: PlaceLine,
    value: String,
}

impl Premises {
    pub(super) fn of(settings: &Settings, declared: &BTreeMap<String, Declared>) -> Premises {
        // Every field is named: a new one must be carried too.
        let Settings { window_ns, attempts_max, owners, transitions, budgets, rules } = settings.clone();
        let budget = |Budget { entity, copy, lag_ns }| BudgetLine { entity, copy, lag_ns };
        let rule = |Rule { name, entity, holds }| RuleLine { name, entity, holds: HoldsLine::of(holds) };
        let clock = |(name, clock): (&String, &Declared)| {
            (name.clone(), ClockLine { offset_ns: clock.offset_ns, error_ns: clock.error_ns })
        };
        Premises {
            window_ns,
            attempts_max,
            owners,
            transitions,
            budgets: budgets.into_iter().map(budget).collect(),
            rules: rules.into_iter().map(rule).collect(),
            clocks: declared.iter().map(clock).collect(),
        }
    }

    pub(super) fn read(self) -> (Settings, BTreeMap<String, Declared>) {
        let budget = |BudgetLine { entity, copy, lag_ns }| Budget { entity, copy, lag_ns };
        let rule = |RuleLine { name, entity, holds }| Rule { name, entity, holds: holds.holds() };
        let clock = |(name, clock): (String, ClockLine)| {
            (name, Declared { offset_ns: clock.offset_ns, error_ns: clock.error_ns })
        };
        let settings = Settings {
            window_ns: self.window_ns,
            attempts_max: self.attempts_max,
            owners: self.owners,
            transitions: self.transitions,
            budgets: self.budgets.into_iter().map(budget).collect(),
            rules: self.rules.into_iter().map(rule).collect(),
        };
        (settings, self.clocks.into_iter().map(clock).collect())
    }
}

impl HoldsLine {
    fn of(holds: Holds) -> HoldsLine {
        let (place, pattern) = (PlaceLine::of, PatternLine::of);
        match holds {
            Holds::AtMost(most, write) => HoldsLine::AtMost { most, write: pattern(write) },
            Holds::Never(write, after) => {
                HoldsLine::Never { write: pattern(write), after: after.map(pattern) }
            }
            Holds::Eventually(write, after, within_ns) => {
                HoldsLine::Eventually { write: pattern(write), after: pattern(after), within_ns }
            }
            Holds::SumAtMost(sum, most) => HoldsLine::SumAtMost { sum: place(sum), most },
            Holds::SumEquals(sum, equals) => HoldsLine::SumEquals { sum: place(sum), equals: place(equals) },
        }
    }

    fn holds(self) -> Holds {
        match self {
            HoldsLine::AtMost { most, write } => Holds::AtMost(most, write.pattern()),
            HoldsLine::Never { write, after } => {
                Holds::Never(write.pattern(), after.map(PatternLine::pattern))
            }
            HoldsLine::Eventually { write, after, within_ns } => {
                Holds::Eventually(write.pattern(), after.pattern(), within_ns)
            }
            HoldsLine::SumAtMost { sum, most } => Holds::SumAtMost(sum.place(), most),
            HoldsLine::SumEquals { sum, equals } => Holds::SumEquals(sum.place(), equals.place()),
        }
    }
}

impl PlaceLine {
    fn of(Place { copy, field }: Place) -> PlaceLine {
        PlaceLine { copy, field }
    }

    fn place(self) -> Place {
        Place { copy: self.copy, field: self.field }
    }
}

impl PatternLine {
    fn of(Pattern { place, value }: Pattern) -> PatternLine {
        PatternLine { place: PlaceLine::of(place), value }
    }

    fn pattern(self) -> Pattern {
        Pattern { place: self.place.place(), value: self.value }
    }
}
