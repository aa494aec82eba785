//! The space-time diagram: one column a process, time running down, an arrow for each message.
//!
//! | file         | what it alone knows                                                  |
//! |--------------|----------------------------------------------------------------------|
//! | `layout.rs`  | which rows there are, and where everything stands                    |
//! | `draw.rs`    | the elements                                                         |
//! | `style.css`  | the looks, in light and dark                                         |
//!
//! Distances down the page grow with the logarithm of the time between, so that a millisecond and an
//! hour both can be read; every row says its time.

mod draw;
mod layout;

use timeline::document::Timeline;

use super::format::Export;
use super::told::Told;

/// The diagram.
pub(super) fn svg(timeline: &Timeline) -> Export {
    let told = Told::of(timeline);
    let layout = layout::Layout::of(&told);
    Export { text: draw::draw(&told, &layout), folded: layout.folded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::story;

    #[test]
    fn a_story_in_space_and_time() {
        insta::assert_snapshot!(svg(&story::whole()).text);
    }

    #[test]
    fn a_long_story_says_what_was_left_out() {
        let mut told = story::whole();
        let more = told.events[2].clone();
        told.events.extend(std::iter::repeat_n(more, 5_000));
        let made = svg(&told);
        assert!(made.text.len() < 4_000_000, "{} bytes", made.text.len());
        assert!(made.folded.is_some_and(|word| made.text.contains(&word)));
    }
}
