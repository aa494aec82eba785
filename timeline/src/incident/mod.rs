//! Which findings and errors belong together, and what they all follow.
//!
//! | file        | what it alone knows                                                        |
//! |-------------|----------------------------------------------------------------------------|
//! | `member.rs` | what an incident is made of: a finding, or an error span or error log       |
//! | `group.rs`  | which members belong together                                              |
//! | `origin.rs` | the earliest event that all of them follow                                 |
//! | `told.rs`   | from members to the public document                                        |

mod group;
mod member;
mod origin;
#[cfg(test)]
mod tests;
mod told;

pub use group::{QUIET_NS, group};
pub use member::{ErrorSaid, Member, What};
pub use origin::Causes;
pub use told::{names, pinned, recalled, tell};
