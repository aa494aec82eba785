//! What engineers wrote, in the details of what they wrote about.

use timeline::annotation::{Says, Written};

use super::Block;
use crate::detail::moment;
use crate::theme::Role;

/// A note or a change of status, with who wrote it and when; `None` for what is not told here.
pub fn block(written: &Written) -> Option<Block> {
    let said = match &written.annotation.says {
        Says::Note { text, .. } => text.clone(),
        Says::Bookmark { text, .. } if text.is_empty() => "bookmarked".to_owned(),
        Says::Bookmark { text, .. } => text.clone(),
        Says::Status { status, .. } => format!("status: {status}"),
        Says::Outline(_) | Says::Search { .. } | Says::Removed => return None,
    };
    let by = format!("{}, {}", written.annotation.author, moment(written.annotation.time));
    Some(Block::said("note  ", Role::Match, format!("{said}  ({by})")))
}
