//! The terminal UI.
//!
//! What happens reaches the state as a [`message`], changes it in one pure function, [`update`], and
//! [`view`] draws what the state then is. Whatever takes time or touches the world is an effect, done
//! at the [`edge`] by threads whose answers come back as messages with the number they were asked under.
//!
//! | module        | what it alone knows                                                     |
//! |---------------|-------------------------------------------------------------------------|
//! | [`keys`]      | which key does what, where                                              |
//! | [`message`]   | what can happen, and what can be asked of the edge                      |
//! | [`state`]     | the whole state, and what screens share                                 |
//! | [`update`]    | what a message does to the state                                        |
//! | [`screens`]   | each screen's own state and moves                                       |
//! | [`report`]    | answers as tables: incidents, entities, affected, compare, clocks, doctor |
//! | [`table`]     | a report under a cursor: filtered, sorted, counted                      |
//! | [`growth`]    | when to ask again on a running system                                   |
//! | [`popup`]     | lists to choose from and texts to read, over a screen                   |
//! | [`store`]     | what the home screen knows of the store                                 |
//! | [`told`]      | a timeline made ready to be walked                                      |
//! | [`held`]      | what each copy held at the cursor, in lines                             |
//! | [`waterfall`] | a trace made ready to be walked                                         |
//! | [`trail`]     | where a cursor has been                                                 |
//! | [`tour`]      | the hints that explain the first screen                                 |
//! | [`why`]       | reasons and chains of edges in words                                    |
//! | [`basis`]     | what a timeline rests on: what is missing, its clocks and sources       |
//! | [`detail`]    | all that is known of one event or record, in lines                      |
//! | [`view`]      | cells on the terminal                                                   |
//! | [`layout`]    | which part of the terminal shows what                                   |
//! | [`edge`]      | the terminal, its signals, the clock, the threads that ask              |
//!
//! [`lines`], [`line`], [`list`], [`scroll`], [`text`], [`times`] and [`theme`] are what these are made of.

pub mod basis;
pub mod detail;
pub mod edge;
pub mod growth;
pub mod held;
pub mod keys;
pub mod layout;
pub mod line;
pub mod lines;
pub mod list;
pub mod message;
pub mod popup;
pub mod report;
pub mod screens;
pub mod scroll;
pub mod state;
pub mod store;
pub mod table;
pub mod text;
pub mod theme;
pub mod times;
pub mod told;
pub mod tour;
pub mod trail;
pub mod update;
pub mod view;
pub mod waterfall;
pub mod why;

pub use edge::{Error, Options, Status, run};
