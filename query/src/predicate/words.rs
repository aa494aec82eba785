//! Words: what a text is cut into for searching.

use timeline::token;

/// The words of a text, in order and in the form that predicates hold: see [`timeline::token`].
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    token::words(text, &mut |word| words.push(word.to_owned()));
    words
}

/// Whether the words of `phrase` stand in `text` in a row. No words stand in every text.
pub(crate) fn contains(text: &str, phrase: &[String]) -> bool {
    let Some((first, rest)) = phrase.split_first() else { return true };
    let mut found = false;
    let mut begun: Vec<usize> = Vec::new(); // of each match under way, how many of `rest` were there
    token::words(text, &mut |word| {
        begun.retain_mut(|length| {
            let continues = rest.get(*length).is_some_and(|next| next == word);
            *length += 1;
            continues
        });
        if word == first {
            begun.push(0);
        }
        found |= begun.contains(&rest.len());
    });
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_phrase_is_words_in_a_row() {
        assert!(contains("the card was declined, twice", &words("Card WAS declined")));
        assert!(!contains("the card was declined", &words("card declined")));
        assert!(!contains("the card", &words("card was")));
        assert!(contains("a a b", &words("a b")), "a false start does not hide the match");
        assert!(contains("ÄRGER", &words("ärger")));
        assert!(!contains("cardinal", &words("card")));
    }

    proptest! {
        #[test]
        fn it_agrees_with_windows_over_all_words(text in "[abAß .-]{0,16}", searched in "[abß ]{1,5}") {
            let (all, searched) = (words(&text), words(&searched));
            prop_assume!(!searched.is_empty());
            let naive = all.windows(searched.len()).any(|window| window == searched);
            prop_assert_eq!(contains(&text, &searched), naive);
        }
    }
}
