//! The archive of a folder, as its users see it.

mod answers;
mod common;
mod crash;
mod lifecycle;
