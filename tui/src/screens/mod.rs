//! The screens: each with its own state, and what keys and answers do to it.

pub mod home;
pub mod live;
pub mod search;
pub mod table;
pub mod timeline;
pub mod trace;
