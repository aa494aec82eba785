//! Home: what the store holds, who sends, what is new.

use std::sync::Arc;

use ratatui::layout::{Constraint, Layout, Position, Rect};
use timeline::document::SearchRecord;
use timeline::id::RecordId;

use crate::keys::Action;
use crate::message::Mouse;
use crate::popup::{ChoicePopup, Outcome, Popup};
use crate::screens::search::openings;
use crate::scroll::Scroll;
use crate::store::{ServiceRow, Store};

/// Services are given at most so many lines.
const SERVICE_ROWS_MAX: usize = 12;

/// The home screen.
#[derive(Debug, Default)]
pub struct Home {
    /// Whether the services have the focus, not the newest records.
    pub on_services: bool,
    /// The cursor among the services.
    pub services: Scroll,
    /// The cursor among the records. While it is on the first line it stays there as records come.
    pub records: Scroll,
    /// The record under the cursor, where that is not the newest.
    held: Option<RecordId>,
    /// The records as they were when the list was stopped.
    frozen: Option<Vec<Arc<SearchRecord>>>,
}

/// The home screen's parts, each with one line of heading but the first and last.
#[derive(Clone, Copy, Debug)]
pub struct HomePanes {
    /// What the store holds, and the way to search.
    pub head: Rect,
    /// Who sends.
    pub services: Rect,
    /// What is new.
    pub records: Rect,
    /// The bottom line.
    pub keys: Rect,
}

impl HomePanes {
    /// Divides `area` for so many services.
    pub fn new(area: Rect, services: usize) -> HomePanes {
        let wanted = services.clamp(1, SERVICE_ROWS_MAX).min(usize::from(area.height) / 3) as u16 + 1;
        let [head, services, records, keys] = Layout::vertical([
            Constraint::Length(3),
            Constraint::Length(wanted),
            Constraint::Min(0),
            Constraint::Length(1),
        ])
        .areas(area);
        HomePanes { head, services, records, keys }
    }

    /// A part without its heading.
    pub fn inner(part: Rect) -> Rect {
        Rect { y: part.y.saturating_add(1), height: part.height.saturating_sub(1), ..part }
    }
}

impl Home {
    /// The records on show, newest first.
    pub fn shown<'a>(&'a self, store: &'a Store) -> Vec<&'a Arc<SearchRecord>> {
        match &self.frozen {
            Some(frozen) => frozen.iter().collect(),
            None => store.newest.iter().collect(),
        }
    }

    /// Whether the list is stopped.
    pub fn is_paused(&self) -> bool {
        self.frozen.is_some()
    }

    /// Keeps the cursors on what they are on, after records came or the terminal changed.
    pub fn settle(&mut self, store: &Store, area: Rect) {
        let services = store.services().len();
        let panes = HomePanes::new(area, services);
        self.services.settle(services, usize::from(HomePanes::inner(panes.services).height));
        let shown = self.shown(store);
        let (length, held) = (shown.len(), self.held);
        if let Some(at) = held.and_then(|id| shown.iter().position(|record| record.record == id)) {
            self.records.carry(at);
        }
        self.records.settle(length, usize::from(HomePanes::inner(panes.records).height));
    }

    /// Does what a key asks for; a pop-up or a way to go on, if that is it.
    pub fn act(&mut self, action: Action, store: &Store, area: Rect) -> (Option<Popup>, Option<Outcome>) {
        match action {
            Action::Open => return self.open(store),
            Action::Trace => {
                let record = self.shown(store).get(self.records.at).copied().cloned();
                let trace = record.and_then(|record| Some((record.trace_id?, record.span_id)));
                return (None, trace.map(|(trace, at)| Outcome::Trace { trace, at }));
            }
            Action::Pane => self.on_services = !self.on_services,
            Action::Pause => {
                self.frozen = match self.frozen.take() {
                    Some(_) => None,
                    None => Some(store.newest.iter().cloned().collect()),
                };
            }
            other => self.go(other, store, area),
        }
        self.settle(store, area);
        (None, None)
    }

    fn go(&mut self, action: Action, store: &Store, area: Rect) {
        let services = store.services().len();
        let panes = HomePanes::new(area, services);
        if self.on_services {
            self.services.go(action, services, usize::from(HomePanes::inner(panes.services).height));
        } else {
            let length = self.shown(store).len();
            self.records.go(action, length, usize::from(HomePanes::inner(panes.records).height));
            self.hold(store);
        }
    }

    fn hold(&mut self, store: &Store) {
        let at = self.records.at;
        self.held = self.shown(store).get(at).filter(|_| at > 0).map(|record| record.record);
    }

    fn open(&self, store: &Store) -> (Option<Popup>, Option<Outcome>) {
        if self.on_services {
            let services: Vec<ServiceRow> = store.services();
            let search =
                services.get(self.services.at).map(|row| Outcome::Search(service_query(&row.service)));
            return (None, search);
        }
        let choices = self.shown(store).get(self.records.at).map(|record| openings(record));
        let popup = choices.map(|choices| Popup::Choice(ChoicePopup::new("Open", choices)));
        (popup, None)
    }

    /// What the mouse does.
    pub fn mouse(&mut self, mouse: Mouse, column: u16, row: u16, store: &Store, area: Rect) {
        let panes = HomePanes::new(area, store.services().len());
        let place = Position::new(column, row);
        let (services, records) = (HomePanes::inner(panes.services), HomePanes::inner(panes.records));
        if services.contains(place) {
            self.on_services = true;
        } else if records.contains(place) {
            self.on_services = false;
        } else {
            return;
        }
        match mouse {
            Mouse::WheelUp => self.go(Action::Up, store, area),
            Mouse::WheelDown => self.go(Action::Down, store, area),
            Mouse::Click if self.on_services => {
                self.services.at = self.services.top + usize::from(row - services.y);
            }
            Mouse::Click => {
                self.records.at = self.records.top + usize::from(row - records.y);
                self.hold(store);
            }
        }
        self.settle(store, area);
    }
}

fn service_query(service: &str) -> String {
    let plain = service.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if plain { format!("service:{service}") } else { format!("service:\"{}\"", service.replace('"', "\\\"")) }
}
