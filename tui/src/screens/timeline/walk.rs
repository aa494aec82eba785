//! Jumps from event to event: to the next of a kind, along edges, and back.

use timeline::id::EventId;

use super::{TimelineScreen, Zoom};
use crate::keys::Action;
use crate::line::LineEdit;
use crate::scroll::Scroll;
use crate::state::Context;
use crate::told::Told;
use crate::why;

impl TimelineScreen {
    /// Jumps as `action` says; whether it was a jump.
    pub(super) fn walk(&mut self, action: Action, cx: &mut Context<'_>) -> bool {
        match action {
            Action::NextNotable => self.jump("finding, gap or change around", true, cx, Told::is_notable),
            Action::PreviousNotable => {
                self.jump("finding, gap or change around", false, cx, Told::is_notable);
            }
            Action::NextError => self.jump("error", true, cx, Told::is_error),
            Action::PreviousError => self.jump("error", false, cx, Told::is_error),
            Action::NextTransition => self.jump("transition", true, cx, Told::is_transition),
            Action::PreviousTransition => self.jump("transition", false, cx, Told::is_transition),
            Action::NextInProcess => self.jump_alike("event of this process", true, cx, same_process),
            Action::PreviousInProcess => self.jump_alike("event of this process", false, cx, same_process),
            Action::NextInTrace => self.jump_alike("event of this trace", true, cx, same_trace),
            Action::PreviousInTrace => self.jump_alike("event of this trace", false, cx, same_trace),
            Action::NextMatch => self.jump_to_match(true, cx),
            Action::PreviousMatch => self.jump_to_match(false, cx),
            Action::Cause => self.follow("nothing in this timeline comes before it", cx, |told, at| {
                why::cause(told, at).map(|edge| edge.from)
            }),
            Action::Effect => self.follow("nothing in this timeline comes out of it", cx, |told, at| {
                why::effect(told, at).map(|edge| edge.to)
            }),
            Action::Return => self.retrace(true, cx),
            Action::Forward => self.retrace(false, cx),
            _ => return false,
        }
        true
    }

    /// Puts the cursor on an event, remembers where it was, and shows what hides it.
    pub fn go_to(&mut self, target: EventId, cx: &mut Context<'_>) {
        let here = self.cursor().map(|(_, event)| event);
        if let Some(here) = here.filter(|_| self.reach(target, cx)) {
            self.trail.leave(here);
        }
    }

    /// Puts the cursor on an event; false if it is not in the timeline.
    pub(super) fn reach(&mut self, target: EventId, cx: &mut Context<'_>) -> bool {
        let Some(place) = self.told.as_ref().and_then(|told| told.place(target)) else {
            cx.say("that event is not in this timeline");
            return false;
        };
        if self.rows.binary_search(&place).is_err() {
            (self.zoom, self.filter) = (Zoom::Everything, LineEdit::default());
            cx.say("showing everything, to reach a hidden event");
        }
        self.detail = Scroll::default();
        self.list(Some(target), cx);
        true
    }

    fn retrace(&mut self, back: bool, cx: &mut Context<'_>) {
        let here = self.cursor().map(|(_, event)| event);
        let target = if back { self.trail.back(here) } else { self.trail.forward(here) };
        match target {
            Some(target) => {
                self.reach(target, cx);
            }
            None if back => cx.say("no jump to go back through"),
            None => cx.say("nowhere to go forward to"),
        }
    }

    fn follow(&mut self, none: &str, cx: &mut Context<'_>, edge: fn(&Told, usize) -> Option<EventId>) {
        let target = self.told.as_ref().zip(self.cursor()).and_then(|(told, (at, _))| edge(told, at));
        match target {
            Some(target) => self.go_to(target, cx),
            None => cx.say(none),
        }
    }

    fn jump(&mut self, what: &str, forward: bool, cx: &mut Context<'_>, wanted: fn(&Told, usize) -> bool) {
        self.jump_where(what, forward, cx, wanted);
    }

    fn jump_alike(
        &mut self,
        what: &str,
        forward: bool,
        cx: &mut Context<'_>,
        alike: fn(&Told, usize, usize) -> bool,
    ) {
        if let Some((here, _)) = self.cursor() {
            self.jump_where(what, forward, cx, |told, at| alike(told, here, at));
        }
    }

    fn jump_to_match(&mut self, forward: bool, cx: &mut Context<'_>) {
        let wanted = self.wanted();
        if wanted.is_empty() {
            return cx.say("nothing is filtered or marked");
        }
        self.jump_where("event that contains it", forward, cx, |told, at| told.contains(at, &wanted));
    }

    fn jump_where(
        &mut self,
        what: &str,
        forward: bool,
        cx: &mut Context<'_>,
        wanted: impl Fn(&Told, usize) -> bool,
    ) {
        let Some((told, (place, here))) = self.told.as_ref().zip(self.cursor()) else { return };
        let hit = |row: &usize| self.rows.get(*row).is_some_and(|at| wanted(told, *at));
        let row = if forward {
            (self.scroll.at + 1..self.rows.len()).find(hit)
        } else {
            (0..self.scroll.at.min(self.rows.len())).rev().find(hit)
        };
        if let Some(row) = row {
            self.trail.leave(here);
            (self.scroll.at, self.detail) = (row, Scroll::default());
            return;
        }
        let (which, mut rest) = if forward { ("after", place + 1..told.len()) } else { ("before", 0..place) };
        let hidden = rest.any(|at| wanted(told, at));
        cx.say(format!("no {what} {which} this{}", if hidden { " on screen; z shows more" } else { "" }));
    }
}

fn same_process(told: &Told, a: usize, b: usize) -> bool {
    told.event(a).zip(told.event(b)).is_some_and(|(a, b)| a.process == b.process)
}

fn same_trace(told: &Told, a: usize, b: usize) -> bool {
    told.event(a).zip(told.event(b)).is_some_and(|(a, b)| a.trace_id.is_some() && a.trace_id == b.trace_id)
}
