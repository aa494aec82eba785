//! What happens changes the state, here and nowhere else; what is to be done elsewhere comes back as effects.

use std::sync::Arc;

use crate::keys::{Action, Key, Scope};
use crate::message::{Answer, Effect, Failure, Message, Mouse, Slot};
use crate::popup::{ChoicePopup, Outcome, Popup, ReadingPopup};
use crate::report::Topic;
use crate::screens::live::Live;
use crate::screens::search::Search;
use crate::screens::table::TableScreen;
use crate::screens::timeline::TimelineScreen;
use crate::screens::trace::TraceScreen;
use crate::state::{Context, Screen, State};
use crate::store::Store;
use crate::waterfall::Corrections;

/// So many screens can be gone back through; the oldest but the home screen goes first.
const SCREENS_MAX: usize = 16;

/// Takes `message` into the state; what the edge is to do about it.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let mut effects = Vec::new();
    match message {
        Message::Key(key) => state.press(key, &mut effects),
        Message::Paste(text) => state.paste(&text, &mut effects),
        Message::Mouse(mouse, column, row) => state.mouse(mouse, column, row, &mut effects),
        Message::Resize(columns, rows) => state.size = (columns, rows),
        Message::Leave => effects.push(Effect::Quit),
        Message::Stop => effects.push(Effect::Suspend),
        Message::Said(word) => state.notice = Some(word),
        Message::Tick(now) => {
            state.now = state.now.max(now);
            effects.extend(state.store.ask(&mut state.number));
            state.tick(&mut effects);
        }
        Message::Answer { slot, number, answer } => state.answer(slot, number, answer, &mut effects),
        Message::Progress { slot, number, share } => state.progress(slot, number, share),
    }
    state.settle(&mut effects);
    effects
}

impl State {
    /// Opens the timeline of `entity`.
    pub fn open_timeline(&mut self, entity: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.go_on(Outcome::Timeline { entity: entity.to_owned(), at: None }, &mut effects);
        effects
    }

    /// Runs `with` on the screen on top and the rest of the state that it may use.
    fn on_screen<T>(
        &mut self,
        effects: &mut Vec<Effect>,
        with: impl FnOnce(&mut Screen, &mut Store, &mut Vec<String>, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let (area, now) = (self.area(), self.now);
        let State { number, settings, notice, screens, store, history, .. } = self;
        let mut cx = Context { number, effects, area, now, settings, notice };
        screens.last_mut().map(|screen| with(screen, store, history, &mut cx))
    }

    /// What moves by itself on the screen on top.
    fn tick(&mut self, effects: &mut Vec<Effect>) {
        self.on_screen(effects, |screen, store, _, cx| match screen {
            Screen::Timeline(timeline) => timeline.tick(store, cx),
            Screen::Live(live) => live.tick(cx),
            Screen::Home(home) => home.tick(store, cx),
            Screen::Search(_) | Screen::Trace(_) | Screen::Table(_) => {}
        });
    }

    fn press(&mut self, key: Key, effects: &mut Vec<Effect>) {
        self.notice = None;
        if key == Key::ctrl('c') {
            effects.push(Effect::Quit);
            return;
        }
        let scope = self.scope();
        match self.settings.keymap.action_for(scope, key) {
            Some(Action::Back) if self.tour.is_some() && self.popup.is_none() && !scope.is_typing() => {
                self.tour = None;
            }
            Some(action) => {
                self.tour = self.tour.take().and_then(|tour| tour.after(action));
                self.act(action, effects);
            }
            None => self.type_key(key, effects),
        }
    }

    fn type_key(&mut self, key: Key, effects: &mut Vec<Effect>) {
        let area = self.area();
        match &mut self.popup {
            Some(Popup::Choice(choice)) => choice.type_key(key, area),
            Some(Popup::Reading(_)) => {}
            None => {
                self.on_screen(effects, |screen, _, _, cx| match screen {
                    Screen::Home(_) => {}
                    Screen::Search(search) => search.type_key(key, cx),
                    Screen::Timeline(timeline) => timeline.type_key(key, cx),
                    Screen::Trace(trace) => trace.type_key(key, cx),
                    Screen::Live(live) => live.type_key(key, cx),
                    Screen::Table(table) => table.type_key(key),
                });
            }
        }
    }

    fn paste(&mut self, text: &str, effects: &mut Vec<Effect>) {
        if let Some(Popup::Choice(choice)) = &mut self.popup {
            choice.typed.insert(text);
        } else if self.popup.is_none() {
            self.on_screen(effects, |screen, _, _, cx| match screen {
                Screen::Home(_) => {}
                Screen::Search(search) => search.paste(text, cx),
                Screen::Timeline(timeline) => timeline.paste(text, cx),
                Screen::Trace(trace) => trace.paste(text, cx),
                Screen::Live(live) => live.paste(text, cx),
                Screen::Table(table) => table.paste(text),
            });
        }
    }

    fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        if self.popup.is_some() {
            return self.act_on_popup(action, effects);
        }
        let area = self.area();
        match action {
            Action::Quit => effects.push(Effect::Quit),
            Action::Help => {
                let (keymap, theme) = (&self.settings.keymap, self.settings.theme);
                let help = ReadingPopup::help(self.scope(), keymap, area, theme);
                self.popup = Some(Popup::Reading(help));
            }
            Action::Palette => {
                let palette = ChoicePopup::palette(self.scope(), &self.settings.keymap);
                self.popup = Some(Popup::Choice(palette));
            }
            Action::Theme => {
                self.settings.theme.palette = self.settings.theme.palette.next();
                self.notice = Some(format!("colours: {}", self.settings.theme.palette.name()));
            }
            Action::Mouse => {
                self.settings.mouse_off = !self.settings.mouse_off;
                let off = self.settings.mouse_off;
                let word =
                    if off { "the mouse is the terminal's: mark text with it" } else { "the mouse is on" };
                self.notice = Some(word.to_owned());
                effects.push(Effect::Mouse(!off));
            }
            Action::Suspend => effects.push(Effect::Suspend),
            Action::Live => {
                let live = self.on_screen(effects, |_, _, _, cx| Screen::Live(Box::new(Live::open("", cx))));
                self.show(live);
            }
            Action::Entities => self.go_on(Outcome::Table(Topic::Types), effects),
            Action::Clocks => self.go_on(Outcome::Table(Topic::Clocks), effects),
            Action::Doctor => self.go_on(Outcome::Table(Topic::Doctor), effects),
            Action::Times => {
                self.settings.times = self.settings.times.next();
                let label = self.settings.times.label(self.settings.zone, self.now);
                self.notice = Some(format!("times: {label}"));
            }
            Action::Home => self.screens.truncate(1),
            Action::Back => self.back(effects),
            Action::Search if self.scope() != Scope::Results => {
                self.go_on(Outcome::Search(String::new()), effects);
            }
            other => self.act_on_screen(other, effects),
        }
    }

    fn act_on_popup(&mut self, action: Action, effects: &mut Vec<Effect>) {
        let area = self.area();
        if action == Action::Back {
            self.popup = None;
            return;
        }
        let outcome = match &mut self.popup {
            Some(Popup::Choice(choice)) => choice.act(action, area),
            Some(Popup::Reading(reading)) => {
                reading.act(action, area);
                None
            }
            None => None,
        };
        if let Some(outcome) = outcome {
            self.popup = None;
            self.go_on(outcome, effects);
        }
    }

    fn act_on_screen(&mut self, action: Action, effects: &mut Vec<Effect>) {
        let ways_on = self.on_screen(effects, |screen, store, history, cx| match screen {
            Screen::Home(home) => home.act(action, store, cx),
            Screen::Search(search) => search.act(action, history, cx),
            Screen::Timeline(timeline) => timeline.act(action, store, cx),
            Screen::Trace(trace) => (trace.act(action, cx), None),
            Screen::Live(live) => live.act(action, cx),
            Screen::Table(table) => table.act(action, store, cx),
        });
        let (popup, outcome) = ways_on.unwrap_or_default();
        self.popup = popup;
        if let Some(outcome) = outcome {
            self.go_on(outcome, effects);
        }
    }

    fn go_on(&mut self, outcome: Outcome, effects: &mut Vec<Effect>) {
        match outcome {
            Outcome::Do(action) => self.act(action, effects),
            Outcome::Copy(text) => {
                self.notice =
                    Some("copied, if the terminal allows it; Y writes to a file instead".to_owned());
                effects.push(Effect::Copy(text));
            }
            Outcome::Save(text) => {
                effects.push(Effect::Save { name: "backstory-copy.txt".to_owned(), text });
            }
            Outcome::Event(_) | Outcome::Narrow(_) | Outcome::Export(_) => {
                self.move_on_timeline(&outcome, effects);
            }
            outcome => {
                let screen =
                    self.on_screen(effects, |screen, store, _, cx| open(screen, &outcome, store, cx));
                self.show(screen.flatten());
            }
        }
    }

    fn move_on_timeline(&mut self, outcome: &Outcome, effects: &mut Vec<Effect>) {
        self.on_screen(effects, |screen, store, _, cx| match (screen, outcome) {
            (Screen::Timeline(timeline), Outcome::Event(event)) => timeline.go_to(*event, cx),
            (Screen::Timeline(timeline), Outcome::Narrow(window)) => timeline.narrow(*window, store, cx),
            (Screen::Timeline(timeline), Outcome::Export(format)) => timeline.export(*format, cx),
            _ => {}
        });
    }

    fn show(&mut self, screen: Option<Screen>) {
        self.screens.extend(screen);
        if self.screens.len() > SCREENS_MAX {
            self.screens.remove(1);
        }
    }

    fn back(&mut self, effects: &mut Vec<Effect>) {
        let inside = self.on_screen(effects, |screen, store, _, cx| match screen {
            Screen::Home(home) => home.back(cx),
            Screen::Search(search) => search.back(cx),
            Screen::Timeline(timeline) => timeline.back(store, cx),
            Screen::Trace(trace) => trace.back(cx),
            Screen::Live(live) => live.back(cx),
            Screen::Table(table) => table.back(cx),
        });
        if inside == Some(true) {
            return;
        }
        if self.screens.len() > 1 {
            self.screens.pop();
        } else {
            self.notice = Some("this is the first screen; q leaves".to_owned());
        }
    }

    fn mouse(&mut self, mouse: Mouse, column: u16, row: u16, effects: &mut Vec<Effect>) {
        let area = self.area();
        let scroll = match mouse {
            Mouse::WheelUp => Some(Action::Up),
            Mouse::WheelDown => Some(Action::Down),
            Mouse::Click => None,
        };
        match (&mut self.popup, scroll) {
            (Some(_), Some(action)) => self.act_on_popup(action, effects),
            (Some(_), None) => self.popup = None,
            (None, _) => {
                let opens = self.on_screen(effects, |screen, store, _, cx| match screen {
                    Screen::Home(home) => home.mouse(mouse, column, row, store, area),
                    Screen::Search(search) => search.mouse(mouse, column, row, cx),
                    Screen::Live(live) => live.mouse(mouse, column, row, cx),
                    Screen::Table(table) => table.mouse(mouse, column, row, cx),
                    Screen::Timeline(timeline) => {
                        timeline.mouse(mouse, column, row, cx);
                        false
                    }
                    Screen::Trace(trace) => {
                        trace.mouse(mouse, column, row, cx);
                        false
                    }
                });
                if opens == Some(true) {
                    self.act_on_screen(Action::Open, effects);
                }
            }
        }
    }

    /// Gives an answer to whoever asked: each knows the number that it waits for.
    fn answer(
        &mut self,
        slot: Slot,
        number: u64,
        answer: Result<Answer, Failure>,
        effects: &mut Vec<Effect>,
    ) {
        let (area, now) = (self.area(), self.now);
        let State { number: last, settings, notice, screens, store, .. } = self;
        let mut cx = Context { number: last, effects, area, now, settings, notice };
        match (slot, answer) {
            (_, Ok(Answer::Live(live))) => store.answer(number, Ok(*live), now),
            (Slot::Live, Err(failure)) => store.answer(number, Err(failure), now),
            (_, Ok(Answer::Export { name, export })) => {
                cx.effect(Effect::Save { name, text: export.text });
                if let Some(folded) = export.folded {
                    cx.say(folded);
                }
            }
            (Slot::Export, Err(failure)) => cx.say(failure.message),
            (slot, answer) => {
                for screen in screens {
                    screen.answer(slot, number, answer.clone(), store, &mut cx);
                }
            }
        }
    }

    fn progress(&mut self, slot: Slot, number: u64, share: f64) {
        for screen in &mut self.screens {
            let asked = match (screen, slot) {
                (Screen::Timeline(screen), Slot::Timeline) => &mut screen.asked,
                (Screen::Trace(screen), Slot::Trace) => &mut screen.asked,
                (Screen::Search(screen), Slot::Search) => &mut screen.asked,
                (Screen::Search(screen), Slot::Find) => &mut screen.finding,
                (Screen::Home(screen), Slot::Incidents) => &mut screen.asked,
                (Screen::Table(screen), Slot::Table) => &mut screen.asked,
                _ => continue,
            };
            if let Some(asked) = asked.as_mut().filter(|asked| asked.number == number) {
                asked.share = Some(share.clamp(0.0, 1.0));
            }
        }
    }

    /// Brings every cursor of the screen on top into its list and on screen.
    fn settle(&mut self, effects: &mut Vec<Effect>) {
        let area = self.area();
        match &mut self.popup {
            Some(Popup::Choice(choice)) => choice.settle(area),
            Some(Popup::Reading(reading)) => reading.act(Action::Open, area),
            None => {}
        }
        self.on_screen(effects, |screen, store, _, cx| match screen {
            Screen::Home(home) => home.settle(store, cx.area),
            Screen::Search(search) => search.settle(cx),
            Screen::Timeline(timeline) => timeline.settle(cx),
            Screen::Trace(trace) => trace.settle(cx),
            Screen::Live(live) => live.settle(cx),
            Screen::Table(table) => table.settle(cx),
        });
    }
}

impl Screen {
    fn answer(
        &mut self,
        slot: Slot,
        number: u64,
        answer: Result<Answer, Failure>,
        store: &mut Store,
        cx: &mut Context<'_>,
    ) {
        match (self, slot, answer) {
            (Screen::Home(screen), _, Ok(Answer::Incidents(found))) => {
                screen.answer(number, Ok(found), store, cx);
            }
            (Screen::Home(screen), Slot::Incidents, Err(failure)) => {
                screen.answer(number, Err(failure), store, cx);
            }
            (Screen::Table(screen), _, Ok(Answer::Table(report))) => {
                screen.answer(number, Ok(report), store, cx);
            }
            (Screen::Table(screen), Slot::Table, Err(failure)) => {
                screen.answer(number, Err(failure), store, cx);
            }
            (Screen::Table(screen), _, Ok(Answer::Beliefs(beliefs))) => screen.believe(number, Ok(beliefs)),
            (Screen::Table(screen), Slot::Beliefs, Err(failure)) => screen.believe(number, Err(failure)),
            (Screen::Timeline(screen), _, Ok(Answer::Timeline(told))) => {
                screen.answer(number, Ok(told), cx);
            }
            (Screen::Timeline(screen), Slot::Timeline, Err(failure)) => {
                screen.answer(number, Err(failure), cx);
            }
            (Screen::Search(screen), _, Ok(Answer::Search(found))) => {
                screen.answer(number, Ok(*found), cx);
            }
            (Screen::Search(screen), Slot::Search, Err(failure)) => {
                screen.answer(number, Err(failure), cx);
            }
            (Screen::Search(screen), _, Ok(Answer::Find(find))) => {
                screen.found(number, Ok(find), cx);
            }
            (Screen::Search(screen), Slot::Find, Err(failure)) => {
                screen.found(number, Err(failure), cx);
            }
            (Screen::Trace(screen), _, Ok(Answer::Trace(waterfall))) => {
                screen.answer(number, Ok(waterfall), cx);
            }
            (Screen::Trace(screen), Slot::Trace, Err(failure)) => screen.answer(number, Err(failure), cx),
            (Screen::Live(screen), _, Ok(Answer::Follow(answer))) => screen.answer(number, Ok(*answer), cx),
            (Screen::Live(screen), Slot::Follow, Err(failure)) => screen.answer(number, Err(failure), cx),
            _ => {}
        }
    }
}

/// The screen that `outcome` opens from `screen`; `None` if it opens none.
fn open(screen: &Screen, outcome: &Outcome, store: &Store, cx: &mut Context<'_>) -> Option<Screen> {
    match outcome {
        Outcome::Timeline { entity, at } => {
            Some(Screen::Timeline(Box::new(TimelineScreen::open(entity, at.clone(), store, cx))))
        }
        Outcome::Table(topic) => Some(Screen::Table(Box::new(TableScreen::open(topic.clone(), cx)))),
        Outcome::Search(query) => Some(Screen::Search(Box::new(Search::open(query, cx)))),
        Outcome::Trace { trace, at } => {
            let corrections = Arc::new(corrections(screen));
            Some(Screen::Trace(Box::new(TraceScreen::open(*trace, *at, corrections, cx))))
        }
        _ => None,
    }
}

/// What the screen knows of clocks.
fn corrections(screen: &Screen) -> Corrections {
    match screen {
        Screen::Timeline(timeline) => timeline.told.as_ref().map_or_else(Corrections::default, |told| {
            Corrections::new(&told.document.clocks, &told.document.processes)
        }),
        _ => Corrections::default(),
    }
}
