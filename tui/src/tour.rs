//! Hints that explain the first screen: each names one key, and goes once that key is pressed.

use crate::keys::{Action, Keymap, Scope};

/// What a hint waits for, and what it says of it; `{}` is the key.
const HINTS: [(Action, &str); 5] = [
    (Action::NextNotable, "Time runs down, a lane is a service. {} goes to the first thing that is wrong."),
    (Action::Why, "{} says why this event stands here: each reason with its evidence."),
    (Action::Pane, "At the right, what each copy held at the cursor: it travels with you. {} goes there."),
    (Action::Trace, "{} shows the request that this event belongs to, as a waterfall; esc comes back."),
    (Action::Help, "{} lists all keys, : finds an action by name, / searches. That is the tour."),
];

/// How far the tour has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tour {
    at: usize,
}

impl Tour {
    /// The tour after `action`; `None` once it is over.
    #[must_use]
    pub fn after(self, action: Action) -> Option<Tour> {
        let (waits_for, _) = HINTS.get(self.at)?;
        let at = self.at + usize::from(*waits_for == action);
        (at < HINTS.len()).then_some(Tour { at })
    }

    /// The hint on show: how many there are, and what it says.
    pub fn hint(self, keymap: &Keymap) -> Option<(String, String)> {
        let (action, said) = HINTS.get(self.at)?;
        let key = keymap.key_for(Scope::Timeline, *action);
        let number = format!("{} of {}", self.at + 1, HINTS.len());
        Some((number, said.replacen("{}", &key, 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hint_goes_with_its_key_and_names_it() {
        let keymap = Keymap::default();
        let mut tour = Some(Tour::default());
        for (number, (action, _)) in HINTS.iter().enumerate() {
            let (label, said) = tour.and_then(|tour| tour.hint(&keymap)).expect("a hint");
            assert_eq!(label, format!("{} of 5", number + 1));
            assert!(said.contains(&keymap.key_for(Scope::Timeline, *action)), "{said}");
            assert_eq!(tour.and_then(|tour| tour.after(Action::Mark)), tour, "other keys leave it there");
            tour = tour.and_then(|tour| tour.after(*action));
        }
        assert_eq!(tour, None);
    }
}
