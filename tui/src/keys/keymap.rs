//! The table of keys with what the configuration changes.

use std::collections::BTreeSet;

use super::{Action, BINDINGS, Binding, Key, ParseKeyError, Scope};

/// A binding of the table and the keys that it has now.
#[derive(Clone, Debug)]
pub struct Bound {
    /// What it does, and where.
    pub binding: &'static Binding,
    /// Any of these keys; none where the configuration takes them away.
    pub keys: Vec<Key>,
}

/// Which key does what.
///
/// Invariant: no key means two things in one scope; [`KEPT`] keep their keys.
#[derive(Clone, Debug)]
pub struct Keymap {
    bound: Vec<Bound>,
}

/// What the configuration may not take all keys from: without these, nobody finds out or back.
const KEPT: [Action; 3] = [Action::Back, Action::Quit, Action::Help];

/// What is wrong with the keys of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// The name is not of the form `scope.action`, or there is no such scope or action in it.
    #[error("keys: {name:?} is no action: {hint}")]
    UnknownAction {
        /// The name.
        name: String,
        /// What would be right.
        hint: String,
    },
    /// A key can't be read.
    #[error("keys: {name}: {error}")]
    UnknownKey {
        /// The action.
        name: String,
        /// What is wrong with the key.
        error: ParseKeyError,
    },
    /// A key would be text where text is typed.
    #[error("keys: {name}: {key:?} is text there; write it with ctrl-, or take a named key")]
    IsText {
        /// The action.
        name: String,
        /// The key.
        key: String,
    },
    /// A key would mean two things.
    #[error("keys: {key:?} would mean both {first} and {second}; give one of them another key")]
    Conflict {
        /// The key.
        key: String,
        /// An action.
        first: String,
        /// Another.
        second: String,
    },
    /// An action that must have a key would have none.
    #[error("keys: {name} needs a key: without one there is no way out")]
    Needed {
        /// The action.
        name: String,
    },
}

impl Default for Keymap {
    fn default() -> Keymap {
        let bound = BINDINGS.iter().map(|binding| Bound { binding, keys: binding.keys.to_vec() });
        Keymap { bound: bound.collect() }
    }
}

impl Keymap {
    /// The default keys, changed by `timeline.zoom` → `z`, `Z`: these keys and no others mean it from then on.
    pub fn with<'a>(
        changes: impl IntoIterator<Item = (&'a str, &'a [String])>,
    ) -> Result<Keymap, KeymapError> {
        let mut keymap = Keymap::default();
        for (name, keys) in changes {
            keymap.change(name, keys)?;
        }
        keymap.check()?;
        Ok(keymap)
    }

    fn change(&mut self, name: &str, keys: &[String]) -> Result<(), KeymapError> {
        let bound = self.named(name)?;
        let read = |key: &String| {
            let error = |error| KeymapError::UnknownKey { name: name.to_owned(), error };
            let read: Key = key.parse().map_err(error)?;
            let is_text = matches!(read.code, crossterm::event::KeyCode::Char(_)) && !read.ctrl;
            if is_text && bound.binding.scope.is_typing() {
                return Err(KeymapError::IsText { name: name.to_owned(), key: key.clone() });
            }
            Ok(read)
        };
        bound.keys = keys.iter().map(read).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn named(&mut self, name: &str) -> Result<&mut Bound, KeymapError> {
        let (scope, action) = name.split_once('.').unwrap_or((name, ""));
        let scopes: BTreeSet<String> = Scope::ALL.iter().map(|scope| scope.name()).collect();
        let in_scope = |bound: &&Bound| bound.binding.scope.name() == scope;
        let actions: BTreeSet<String> =
            self.bound.iter().filter(in_scope).map(|bound| bound.binding.action.name()).collect();
        let hint = if scopes.contains(scope) {
            format!("in {scope} there are {}", words(&actions))
        } else {
            format!("write SCOPE.ACTION; the scopes are {}", words(&scopes))
        };
        let found = self
            .bound
            .iter_mut()
            .find(|bound| bound.binding.scope.name() == scope && bound.binding.action.name() == action);
        found.ok_or_else(|| KeymapError::UnknownAction { name: name.to_owned(), hint })
    }

    fn check(&self) -> Result<(), KeymapError> {
        for (number, bound) in self.bound.iter().enumerate() {
            let name = bound.name();
            if bound.keys.is_empty() && KEPT.contains(&bound.binding.action) {
                return Err(KeymapError::Needed { name });
            }
            for other in self.bound.iter().skip(number + 1) {
                let shared = bound.keys.iter().find(|key| other.keys.contains(key));
                if let Some(key) = shared.filter(|_| bound.binding.scope == other.binding.scope) {
                    let (first, second) = (name, other.name());
                    return Err(KeymapError::Conflict { key: key.label(), first, second });
                }
            }
        }
        Ok(())
    }

    /// What `key` does in `scope`: its own binding, else one that holds everywhere.
    pub fn action_for(&self, scope: Scope, key: Key) -> Option<Action> {
        self.bindings_in(scope).find(|bound| bound.keys.contains(&key)).map(|bound| bound.binding.action)
    }

    /// The bindings that hold in `scope`, its own first.
    pub fn bindings_in(&self, scope: Scope) -> impl Iterator<Item = &Bound> {
        let own = self.scope(scope);
        let open = scope != Scope::Everywhere && scope.is_open();
        own.chain(self.scope(Scope::Everywhere).filter(move |_| open))
    }

    /// The bindings of `scope` alone.
    pub fn scope(&self, scope: Scope) -> impl Iterator<Item = &Bound> {
        self.bound.iter().filter(move |bound| bound.binding.scope == scope)
    }

    /// The first key of an action in a scope or everywhere, as the help writes it; empty if it has none.
    pub fn key_for(&self, scope: Scope, action: Action) -> String {
        let bound = self.bindings_in(scope).find(|bound| bound.binding.action == action);
        bound.and_then(|bound| bound.keys.first()).map_or_else(String::new, |key| key.label())
    }
}

fn words(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

impl Bound {
    /// Its name in the configuration.
    pub fn name(&self) -> String {
        format!("{}.{}", self.binding.scope.name(), self.binding.action.name())
    }

    /// Its keys as the help writes them.
    pub fn keys_label(&self) -> String {
        self.keys.iter().map(|key| key.label()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyCode;

    use super::*;

    fn with(name: &str, keys: &[&str]) -> Result<Keymap, KeymapError> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        Keymap::with([(name, keys.as_slice())])
    }

    fn wrong(name: &str, keys: &[&str]) -> String {
        with(name, keys).expect_err("it is wrong").to_string()
    }

    #[test]
    fn no_key_means_two_things_in_one_scope() {
        assert_eq!(Keymap::default().check(), Ok(()));
    }

    #[test]
    fn no_action_stands_twice_in_one_scope() {
        let names: Vec<String> = Keymap::default().bound.iter().map(Bound::name).collect();
        let unique: BTreeSet<&String> = names.iter().collect();
        assert_eq!(names.len(), unique.len(), "{names:?}");
    }

    #[test]
    fn characters_are_text_while_typing() {
        for scope in Scope::ALL.into_iter().filter(|scope| scope.is_typing()) {
            for c in ' '..='~' {
                assert_eq!(Keymap::default().action_for(scope, Key::char(c)), None, "{c} in {scope:?}");
            }
        }
    }

    #[test]
    fn every_scope_has_a_way_back() {
        for scope in Scope::ALL {
            let action = Keymap::default().action_for(scope, Key::plain(KeyCode::Esc));
            assert_eq!(action, Some(Action::Back), "{scope:?}");
        }
    }

    #[test]
    fn a_key_that_is_given_to_another_action_moves() {
        let keymap = with("timeline.zoom", &["ctrl-e", "f2"]).expect("is sound");
        let does = |key| keymap.action_for(Scope::Timeline, key);
        assert_eq!(does(Key::ctrl('e')), Some(Action::Zoom));
        assert_eq!(does(Key::plain(KeyCode::F(2))), Some(Action::Zoom));
        assert_eq!(does(Key::char('z')), None);
        assert_eq!(keymap.key_for(Scope::Timeline, Action::Zoom), "ctrl-e");
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(
            wrong("timeline.zom", &["z"]).contains("\"timeline.zom\" is no action: in timeline there are")
        );
        assert!(wrong("zoom", &["z"]).contains("the scopes are choice, everywhere"));
        assert!(wrong("timeline.zoom", &["zz"]).contains("timeline.zoom: \"zz\" is no key"));
        assert!(wrong("query-line.older", &["o"]).contains("\"o\" is text there"));
        assert_eq!(
            wrong("timeline.zoom", &["w"]),
            "keys: \"w\" would mean both timeline.why and timeline.zoom; give one of them another key"
        );
        assert!(wrong("everywhere.back", &[]).contains("everywhere.back needs a key"));
    }
}
