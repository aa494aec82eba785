//! The arguments of each tool. Their schemas are made from these types; what is unknown among them is an error.

use query::archive::Window;
use query::language::{Now, parse_time};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use timeline::document::FindingKind;
use timeline::time::Time;

use super::answer::Page;
use crate::source;

/// The arguments of one tool, with those that every list has: a cursor and a limit.
macro_rules! asked {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize, JsonSchema)]
        #[schemars(crate = "schemars")]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $($(#[$field_doc])* pub(super) $field: $type,)*
            /// The cursor that the page before named; absent for the first page.
            cursor: Option<String>,
            /// At most so many items a page: 20 where absent, 200 at most.
            #[schemars(range(min = 1, max = 200))]
            limit: Option<usize>,
        }

        impl $name {
            /// Which page is asked for.
            pub(super) fn page(&self) -> Page {
                Page { cursor: self.cursor.clone(), limit: self.limit }
            }
        }
    };
}

asked! {
    /// Under which keys and entities a value occurs.
    Find {
        /// An identifier: a number, UUID, e-mail, path segment or key.
        #[schemars(example = "42", example = "jane@example.com")]
        value: String,
    }
}

asked! {
    /// Records by a query.
    Search {
        /// The query: words, "phrases", service:payments, name:"POST /orders", kind:client, status:error, severity>=warn,
        /// duration>200ms, trace:ID, order.id=42, -not, OR, parentheses, since:15m, until:TIME.
        #[schemars(example = "service:payments severity>=warn since:15m", example = "order.id=42 status:error")]
        query: String,
    }
}

asked! {
    /// The timeline of one entity.
    Timeline {
        /// The entity, as order/42, or any attribute, as order.id=42.
        #[schemars(example = "order/42", example = "order.id=42")]
        entity: String,
        /// Only what concerns records of this time or later: RFC 3339, or how long ago, as 15m.
        #[schemars(example = "2026-11-23T10:00:00Z", example = "15m")]
        since: Option<String>,
        /// Only what concerns records before this time.
        until: Option<String>,
        /// Also the attributes of each event; false where absent.
        attributes: Option<bool>,
        /// Also the events that a screen folds away: twins of others, health checks and the like; false where absent.
        folded: Option<bool>,
    }
}

asked! {
    /// Why events are ordered, or belong.
    Why {
        /// The entity of whose timeline the events are, as order/42.
        #[schemars(example = "order/42")]
        entity: String,
        /// The event asked about: its id in `timeline`, a unique beginning of one, a span id (its start) or SPAN_ID:end.
        #[schemars(example = "c136b2cc4203224a.s")]
        a: String,
        /// The event that it is compared with; absent to ask why `a` belongs to the entity.
        b: Option<String>,
    }
}

asked! {
    /// What each copy of an entity held.
    StateAt {
        /// The entity, as order/42.
        #[schemars(example = "order/42")]
        entity: String,
        /// Up to the last event that is not past this time: RFC 3339, or how long ago; the end where neither this nor
        /// `event` is given.
        #[schemars(example = "2026-11-23T10:00:20Z")]
        at: Option<String>,
        /// Up to and including this event: its id in `timeline`.
        event: Option<String>,
    }
}

asked! {
    /// What is wrong.
    Findings {
        /// This entity alone, as order/42; every entity that records name where absent.
        #[schemars(example = "order/42")]
        entity: Option<String>,
        /// Only these kinds.
        #[schemars(with = "Option<Vec<String>>", example = ["stale_read", "lost_update"])]
        kinds: Option<Vec<FindingKind>>,
        /// Only those with an event in this service.
        service: Option<String>,
        /// Only those that had not ended before this time.
        #[schemars(example = "2h")]
        since: Option<String>,
        /// Only those that had begun before this time.
        until: Option<String>,
    }
}

asked! {
    /// Who else has what a finding tells of.
    Affected {
        /// The finding's id, or the beginning of it, as `findings` tells it.
        #[schemars(example = "f-1f0c5e5a9b3d7e21")]
        finding: String,
        /// The entity that has it: found sooner.
        #[schemars(example = "order/42")]
        entity: Option<String>,
        /// Only entities that records of this time or later name.
        since: Option<String>,
        /// Only entities that records before this time name.
        until: Option<String>,
    }
}

asked! {
    /// Where two entities' timelines part.
    Compare {
        /// The entity, as order/42.
        #[schemars(example = "order/42")]
        a: String,
        /// The one to compare it with; where absent, the nearest healthy one of its type.
        #[schemars(example = "order/43")]
        b: Option<String>,
    }
}

asked! {
    /// Every clock.
    Clocks {
        /// Only traffic of this time or later.
        since: Option<String>,
        /// Only traffic before this time.
        until: Option<String>,
    }
}

asked! {
    /// What of each service can be judged.
    Doctor {
        /// This service alone.
        #[schemars(example = &"payments")]
        service: Option<String>,
        /// Only records of this time or later.
        since: Option<String>,
        /// Only records before this time.
        until: Option<String>,
    }
}

asked! {
    /// Entity types, or the keys of one.
    Entities {
        /// Of this type the keys, the latest first; where absent, the types.
        #[schemars(example = &"order")]
        r#type: Option<String>,
        /// Only records of this time or later.
        since: Option<String>,
        /// Only records before this time.
        until: Option<String>,
    }
}

asked! {
    /// Findings and errors that belong together.
    Incidents {
        /// The one with this id, or the beginning of it, told in full; all where absent.
        #[schemars(example = "i-1f0c5e5a9b3d7e21")]
        incident: Option<String>,
        /// Only of this time or later.
        #[schemars(example = "24h")]
        since: Option<String>,
        /// Only before this time.
        until: Option<String>,
    }
}

asked! {
    /// What the store holds.
    Stats {}
}

/// The stretch that `since` and `until` name.
pub(super) fn window(since: Option<&str>, until: Option<&str>) -> Result<Window, String> {
    let side = |name: &str, text: Option<&str>| text.map(|text| time(name, text)).transpose();
    Ok(Window { since: side("since", since)?, until: side("until", until)? })
}

/// The moment that `text` names; times without a zone are in UTC.
pub(super) fn time(name: &str, text: &str) -> Result<Time, String> {
    parse_time(text, Now::from(source::now().time)).map_err(|error| format!("{name}: {}", error.message))
}
