//! What each copy held at the cursor, in lines: moving through the list is travelling in time.
//!
//! | file         | what it alone knows                                       |
//! |--------------|-----------------------------------------------------------|
//! | `history.rs` | the fold over what the document says was read and written |
//! | `reach.rs`   | what is before what, over the document's edges            |

mod history;
mod reach;

use std::collections::{BTreeMap, BTreeSet};

use timeline::document::Known;
use timeline::state::{Belief, Slot, Track, agree};
use timeline::value::Value;

use crate::lines::{Page, TextLine};
use crate::state::Settings;
use crate::text;
use crate::theme::Role;
use crate::times;
use crate::told::Told;

pub use history::{Held, OPERATIONS_MAX};

/// From so many copies on, only those that differ from the owner are named, the others counted.
const COPIES_NAMED_MAX: usize = 8;

/// How a copy stands to the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It holds what the owner holds.
    Agrees,
    /// It holds something else than the owner holds.
    Differs,
    /// One of the two is not known for sure.
    Unknown,
}

/// A field of a copy at the cursor.
struct Row<'a> {
    slot: &'a Slot,
    track: &'a Track,
    belief: Belief,
}

/// What each copy held once the event at a place had happened, in a pane of `width` cells.
pub fn lines(told: &Told, at: usize, width: usize, settings: &Settings) -> Vec<TextLine> {
    let mut page = Page::new(width);
    let Some(event) = told.event(at) else { return Vec::new() };
    let start = told.document.range.map_or(event.corrected, |range| range.start);
    let error = match event.error_ns {
        Some(ns) => format!("± {}", times::duration(i128::from(ns))),
        None => "± ?".to_owned(),
    };
    let moment = times::seconds(event.corrected.since(start), 3);
    page.line(TextLine::new(Role::Heading, format!("BELIEVED at +{moment} s {error}")));
    if told.held.is_too_much() {
        let many = text::counted(told.held.operations as u64, "read or write", "reads and writes");
        let said = format!("{many} are too many to tell what each copy held; W narrows the time");
        page.paragraph(Role::Warning, &said);
    }
    let pane = Pane { told, at, settings, rows: rows(told, at) };
    pane.things(&mut page);
    pane.findings(&mut page);
    page.into_lines()
}

fn rows(told: &Told, at: usize) -> Vec<Row<'_>> {
    let tracks = told.held.history.tracks.iter();
    tracks.map(|(slot, track)| Row { slot, track, belief: track.at(Some(at)) }).collect()
}

struct Pane<'a> {
    told: &'a Told,
    at: usize,
    settings: &'a Settings,
    rows: Vec<Row<'a>>,
}

impl Pane<'_> {
    /// The timeline's own thing first, then the others by name; of each the owner, the copies, the parts.
    fn things(&self, page: &mut Page) {
        let entity = &self.told.document.entity;
        let own = format!("{}/{}", entity.kind, entity.key);
        let mut things: Vec<String> = Vec::new();
        for thing in self.rows.iter().map(|row| row.slot.thing.to_string()) {
            if !things.contains(&thing) {
                things.push(thing);
            }
        }
        things.sort_by_key(|thing| (*thing != own, thing.clone()));
        for thing in things {
            let rows: Vec<&Row<'_>> =
                self.rows.iter().filter(|row| row.slot.thing.to_string() == thing).collect();
            let suffix = if thing == own { String::new() } else { format!(" of {thing}") };
            self.owner(&rows, &suffix, page);
            self.copies(&rows, &suffix, page);
            self.parts(&rows, &suffix, page);
        }
    }

    fn is_owner(&self, row: &Row<'_>) -> bool {
        self.told.held.owners.get(&row.slot.thing.kind) == Some(&row.slot.copy)
    }

    fn owner(&self, rows: &[&Row<'_>], suffix: &str, page: &mut Page) {
        let own: Vec<&&Row<'_>> = rows.iter().filter(|row| self.is_owner(row)).collect();
        if let Some(first) = own.first() {
            page.heading(&format!("OWNER{suffix} {}", first.slot.copy));
            own.iter().for_each(|row| self.field(row, Role::Text, "", page));
        }
    }

    fn parts(&self, rows: &[&Row<'_>], suffix: &str, page: &mut Page) {
        let parts: Vec<&&Row<'_>> = rows.iter().filter(|row| row.track.part && !self.is_owner(row)).collect();
        if parts.is_empty() {
            return;
        }
        page.heading(&format!("PARTS{suffix}"));
        let mut copy = "";
        for row in parts {
            if row.slot.copy != copy {
                copy = &row.slot.copy;
                page.line(TextLine::new(Role::Text, format!("  {copy}")));
            }
            self.field(row, Role::Text, "  ", page);
        }
    }

    /// The copies; where they are many, those that agree with the owner are only counted.
    fn copies(&self, rows: &[&Row<'_>], suffix: &str, page: &mut Page) {
        let mut by_copy: BTreeMap<&str, Vec<&Row<'_>>> = BTreeMap::new();
        for row in rows.iter().filter(|row| !row.track.part && !self.is_owner(row)) {
            by_copy.entry(&row.slot.copy).or_default().push(row);
        }
        if by_copy.is_empty() {
            return;
        }
        let standings: Vec<(&str, &Vec<&Row<'_>>, Standing)> =
            by_copy.iter().map(|(copy, own)| (*copy, own, self.standing(own, rows))).collect();
        page.heading(&format!("COPIES{suffix}"));
        let many = standings.len() > COPIES_NAMED_MAX;
        if many {
            let count = |wanted| standings.iter().filter(|(_, _, standing)| *standing == wanted).count();
            let (agree, differ) = (count(Standing::Agrees), count(Standing::Differs));
            let unknown = count(Standing::Unknown);
            page.labelled("  ", Role::Text, &format!("{agree} fresh, {differ} stale, {unknown} unknown"));
        }
        for (copy, own, standing) in standings {
            if !many || standing == Standing::Differs {
                self.copy(copy, own, standing, rows, page);
            }
        }
    }

    fn copy(&self, copy: &str, own: &[&Row<'_>], standing: Standing, rows: &[&Row<'_>], page: &mut Page) {
        let glyphs = self.settings.theme.glyphs();
        let (glyph, role) = match standing {
            Standing::Agrees => ('=', Role::Text),
            Standing::Differs => (glyphs.error, Role::Error),
            Standing::Unknown => ('?', Role::Dim),
        };
        page.line(TextLine::new(role, format!("  {glyph} {copy}")));
        for row in own {
            let differs = self.against_owner(row, rows) == Standing::Differs;
            self.field(row, if differs { Role::Error } else { Role::Text }, "  ", page);
            if differs {
                self.behind(row, rows, page);
            }
        }
    }

    /// How a copy stands to the owner: as its worst field does.
    fn standing(&self, own: &[&Row<'_>], rows: &[&Row<'_>]) -> Standing {
        let fields: BTreeSet<u8> = own
            .iter()
            .map(|row| match self.against_owner(row, rows) {
                Standing::Agrees => 0,
                Standing::Unknown => 1,
                Standing::Differs => 2,
            })
            .collect();
        match fields.last() {
            Some(0) => Standing::Agrees,
            Some(2) => Standing::Differs,
            _ => Standing::Unknown,
        }
    }

    fn owners_row<'b>(&self, row: &Row<'_>, rows: &[&'b Row<'b>]) -> Option<&'b Row<'b>> {
        rows.iter().find(|other| self.is_owner(other) && other.slot.field == row.slot.field).copied()
    }

    fn against_owner(&self, row: &Row<'_>, rows: &[&Row<'_>]) -> Standing {
        let Some(owner) = self.owners_row(row, rows) else { return Standing::Unknown };
        let sure = |belief: &Belief| belief.known == Known::Before;
        match (&row.belief.value, &owner.belief.value) {
            (Some(own), Some(owners)) if sure(&row.belief) && sure(&owner.belief) => {
                if agree(own, owners) {
                    Standing::Agrees
                } else {
                    Standing::Differs
                }
            }
            _ => Standing::Unknown,
        }
    }

    /// What the owner holds instead, and since when.
    fn behind(&self, row: &Row<'_>, rows: &[&Row<'_>], page: &mut Page) {
        let Some(owner) = self.owners_row(row, rows) else { return };
        let age =
            self.age(&owner.belief).map_or_else(String::new, |ns| format!(" for {}", times::duration(ns)));
        page.labelled("      ", Role::Error, &format!("the owner has {}{age}", shown(&owner.belief)));
    }

    /// How long ago on the reference clock the event was that made it so.
    fn age(&self, belief: &Belief) -> Option<i128> {
        let event = self.told.event(self.told.place(belief.event?)?)?;
        Some(self.told.event(self.at)?.corrected.since(event.corrected))
    }

    fn field(&self, row: &Row<'_>, role: Role, indent: &str, page: &mut Page) {
        let name = row.slot.field.as_deref().unwrap_or("(any field)");
        let (value, role) = match row.belief.known {
            Known::No => ("unknown".to_owned(), Role::Dim),
            Known::Before => (shown(&row.belief), role),
            Known::Unordered => {
                let or: Vec<String> = row.belief.alternatives.iter().map(value_text).collect();
                let unordered = self.settings.theme.glyphs().unordered;
                let value = std::iter::once(shown(&row.belief)).chain(or).collect::<Vec<_>>().join(" or ");
                (format!("{unordered} {value}"), Role::Warning)
            }
        };
        let age = self.age(&row.belief).map_or_else(String::new, |ns| format!("  {}", times::duration(ns)));
        let mut line =
            TextLine::new(Role::Dim, format!("  {indent}{}", text::fit(&text::sanitise(name), 10)))
                .and(role, format!(" {value}"))
                .and(Role::Dim, age);
        // The event under the cursor has just changed it.
        if row.belief.event.and_then(|event| self.told.place(event)) == Some(self.at) {
            line = line.and(Role::Transition, format!(" {}", self.settings.theme.glyphs().transition));
        }
        page.line(match row.belief.event {
            Some(event) => line.to(event),
            None => line,
        });
    }

    /// The findings whose events have all happened at the cursor, then those to come.
    fn findings(&self, page: &mut Page) {
        let findings = &self.told.document.findings;
        page.heading("FINDINGS");
        if findings.is_empty() {
            page.labelled("  ", Role::Dim, "none in this timeline");
        }
        for finding in findings {
            let places: Vec<usize> = finding.events.iter().filter_map(|id| self.told.place(*id)).collect();
            let happened = places.iter().all(|place| *place <= self.at);
            let role = if happened { Role::Warning } else { Role::Dim };
            let kind = finding.kind.name().replace('_', " ");
            let when = if happened { "" } else { ", later" };
            let glyph = self.settings.theme.glyphs().warning;
            let line = TextLine::new(role, format!("  {glyph} {kind} ({}{when})", finding.grade));
            let target = places.iter().max().and_then(|place| self.told.event(*place));
            page.line(match target {
                Some(event) => line.to(event.id),
                None => line,
            });
        }
    }
}

fn shown(belief: &Belief) -> String {
    belief.value.as_ref().map_or_else(|| "unknown".to_owned(), value_text)
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Empty => "nothing".to_owned(),
        other => text::sanitise(&other.to_text()).into_owned(),
    }
}
