//! Keys in, screen out: the whole state on a test terminal over a hand-made store.

mod app;
#[path = "../canned/mod.rs"]
mod canned;
mod everywhere;
mod fuzz;
mod home;
mod looks;
mod search;
mod tables;
mod timeline;
mod trace;
