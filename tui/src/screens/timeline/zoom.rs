//! How much of a timeline is shown.

use timeline::document::EventKind;

use crate::told::Told;

/// How much of a timeline is shown, from the least to the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zoom {
    /// Events that change state, errors, gaps and findings.
    Changes,
    /// These, and the causal paths that lead to them.
    Causes,
    /// These, and all that is not plumbing or the uneventful end of a span.
    #[default]
    Story,
    /// All events.
    Everything,
}

/// From the least to the most.
const LEVELS: [Zoom; 4] = [Zoom::Changes, Zoom::Causes, Zoom::Story, Zoom::Everything];

impl Zoom {
    /// The next level; after the last, the first.
    pub(super) fn next(self) -> Zoom {
        self.step(1)
    }

    /// The level before; before the first, the last.
    pub(super) fn previous(self) -> Zoom {
        self.step(LEVELS.len() - 1)
    }

    fn step(self, by: usize) -> Zoom {
        let at = LEVELS.iter().position(|level| *level == self).unwrap_or(0);
        LEVELS[(at + by) % LEVELS.len()]
    }

    /// Its name on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Zoom::Changes => "changes",
            Zoom::Causes => "causes",
            Zoom::Story => "story",
            Zoom::Everything => "everything",
        }
    }

    /// Whether the event at a place is shown.
    pub(super) fn shows(self, told: &Told, at: usize) -> bool {
        let folded = || told.event(at).is_some_and(|event| event.folded.is_some());
        match self {
            Zoom::Everything => true,
            Zoom::Changes => told.is_marked(at),
            Zoom::Causes => told.is_marked(at) || (told.leads_to_marked(at) && !folded()),
            Zoom::Story => {
                let end = told.event(at).is_some_and(|event| event.kind == EventKind::SpanEnd);
                let eventful_end = || told.is_observation(at) || told.crosses_lanes(at);
                told.is_marked(at) || (!folded() && (!end || eventful_end()))
            }
        }
    }
}
