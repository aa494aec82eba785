//! Where in a text the values stand that are to be replaced.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::unfold::Unfolded;

/// A value of so many characters is found inside longer words too.
const ANYWHERE_CHARS_MIN: usize = 8;

/// Finds values in texts.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    values: Vec<Sought>,
    /// Finds all of them at once; `None` where there are none, or more than it can hold: then each is sought by itself.
    all: Option<AhoCorasick>,
}

/// A value, unfolded, and the rule that it is meant by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sought {
    pub(super) value: String,
    pub(super) rule: usize,
}

/// A value in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    /// The text's characters that it stands in.
    pub(super) range: Range<usize>,
    pub(super) rule: usize,
    /// Whether it is more than a word: it has a digit, or something besides letters.
    pub(super) identifies: bool,
}

impl Matcher {
    pub(super) fn of(secrets: &BTreeMap<String, usize>) -> Matcher {
        let values: Vec<Sought> =
            secrets.iter().map(|(value, rule)| Sought { value: value.clone(), rule: *rule }).collect();
        let all = AhoCorasick::new(values.iter().map(|sought| &sought.value)).ok();
        Matcher { all: all.filter(|_| !values.is_empty()), values }
    }

    /// The values that stand in a text, and `more`, from left to right: of those that overlap the one that begins first, then
    /// the longest.
    pub(super) fn find(&self, text: &Unfolded, more: &[Sought]) -> Vec<Match> {
        let mut found = Vec::new();
        let folded = text.folded();
        let mut add = |sought: &Sought, begin: usize| {
            let range = text.at_folded(begin)..text.at_folded(begin + sought.value.len());
            if stands_alone(text, &range) {
                let identifies = sought.value.chars().any(|char| !char.is_alphabetic());
                found.push(Match { range, rule: sought.rule, identifies });
            }
        };
        match &self.all {
            Some(all) => {
                for hit in all.find_overlapping_iter(folded) {
                    add(&self.values[hit.pattern().as_usize()], hit.start());
                }
            }
            None => each(&self.values, folded, &mut add),
        }
        each(more, folded, &mut add);
        found.sort_by_key(|found| (found.range.start, std::cmp::Reverse(found.range.end)));
        let mut end = 0;
        found.retain(|found| {
            let free = found.range.start >= end;
            if free {
                end = found.range.end;
            }
            free
        });
        found
    }
}

fn each(values: &[Sought], folded: &str, add: &mut dyn FnMut(&Sought, usize)) {
    for sought in values.iter().filter(|sought| !sought.value.is_empty()) {
        for begin in overlapping(folded, &sought.value) {
            add(sought, begin);
        }
    }
}

/// Where `value` begins in `text`, also where it overlaps itself.
fn overlapping<'a>(text: &'a str, value: &'a str) -> impl Iterator<Item = usize> + 'a {
    let mut from = 0;
    std::iter::from_fn(move || {
        let begin = from + text.get(from..)?.find(value)?;
        from = begin + text[begin..].chars().next().map_or(1, char::len_utf8);
        Some(begin)
    })
}

/// Whether a value is not merely part of a longer number or word, nor the number of a placeholder (`$1`).
fn stands_alone(text: &Unfolded, range: &Range<usize>) -> bool {
    if range.is_empty() {
        return false;
    }
    if range.len() >= ANYWHERE_CHARS_MIN {
        return true;
    }
    let at = |place: Option<usize>| place.and_then(|place| text.char(place));
    let (before, after) = (at(range.start.checked_sub(1)), at(Some(range.end)));
    if [before, after].into_iter().flatten().any(char::is_alphanumeric) {
        return false;
    }
    let is_number = range.clone().all(|place| at(Some(place)).is_some_and(|char| char.is_ascii_digit()));
    let is_digit = |char: Option<char>| char.is_some_and(|char| char.is_ascii_digit());
    let in_decimal = before == Some('.') && is_digit(at(range.start.checked_sub(2)))
        || after == Some('.') && is_digit(at(Some(range.end + 1)));
    !(is_number && (in_decimal || before == Some('$')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(values: &[&str], text: &str) -> Vec<String> {
        let secrets = values.iter().map(|value| ((*value).to_owned(), 0)).collect();
        let unfolded = Unfolded::of(text);
        let found = Matcher::of(&secrets).find(&unfolded, &[]);
        found.into_iter().map(|found| unfolded.chars(found.range)).collect()
    }

    #[test]
    fn a_short_value_is_found_where_it_stands_alone() {
        assert_eq!(found(&["42"], "order 42, /orders/42/x order:42_"), ["42", "42", "42"]);
        assert!(found(&["42"], "142 421 1.42 42.5 $42 v42 a42b").is_empty());
        assert_eq!(found(&["paid"], "Paid, unpaid, paid_at PAID"), ["Paid", "paid", "PAID"]);
    }

    #[test]
    fn a_long_value_is_found_anywhere_and_the_longest_first() {
        assert_eq!(found(&["alice@x.com"], "xalice@x.comx"), ["alice@x.com"]);
        assert_eq!(found(&["42", "42-a-long-one"], "42-a-long-one 42"), ["42-a-long-one", "42"]);
    }

    #[test]
    fn a_value_is_found_behind_one_that_does_not_stand_alone() {
        assert_eq!(found(&["a1", "1b2"], "xa1b2 a1"), ["a1"]);
        assert_eq!(found(&["aa"], "aaa aa"), ["aa"]);
    }
}
