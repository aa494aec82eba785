//! A stamp in a W3C tracestate: how it is found there and how it is put there.

use crate::{ParseStampError, Stamp};

/// The name of the tracestate member, and of the attribute on spans, span events and logs.
pub const NAME: &str = "hlc";

/// So many members a tracestate may have (W3C Trace Context, 3.3.1.1).
pub const MEMBERS_MAX: usize = 32;

/// What a tracestate's first member `hlc` holds; `None` where it has no such member.
pub fn carried(trace_state: &str) -> Option<Result<Stamp, ParseStampError>> {
    let mut members = trace_state.split(',').filter_map(|member| member.trim().split_once('='));
    members.find(|(name, _)| *name == NAME).map(|(_, text)| text.parse())
}

/// `trace_state` with `stamp` as its leftmost member, in place of the one it had. The others keep their order; beyond
/// [`MEMBERS_MAX`] the last ones go, as the standard wants it.
pub fn with(trace_state: &str, stamp: Stamp) -> String {
    let others = trace_state.split(',').map(str::trim);
    let others = others.filter(|member| !member.is_empty() && member.split('=').next() != Some(NAME));
    let own = format!("{NAME}={stamp}");
    let members: Vec<&str> = std::iter::once(own.as_str()).chain(others).take(MEMBERS_MAX).collect();
    members.join(",")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_found_among_other_members() {
        let stamp = Some(Ok(Stamp::from_bits(0xab)));
        for (trace_state, expected) in [
            ("hlc=00000000000000ab", stamp.clone()),
            ("ot=th:8, hlc=00000000000000ab ,x=y", stamp),
            ("", None),
            ("ot=th:8", None),
            ("xhlc=00000000000000ab", None),
        ] {
            assert_eq!(carried(trace_state), expected, "{trace_state:?}");
        }
        for malformed in ["hlc=ab", "hlc=", "hlc=00000000000000a\u{e9}", "a=b,hlc=-0000000000000ab"] {
            assert!(matches!(carried(malformed), Some(Err(_))), "{malformed:?}");
        }
    }

    #[test]
    fn it_moves_to_the_left_and_the_others_keep_their_order() {
        let stamp = Stamp::from_bits(0xab);
        for (trace_state, expected) in [
            ("", "hlc=00000000000000ab"),
            ("a=1, b=2", "hlc=00000000000000ab,a=1,b=2"),
            ("a=1,hlc=0000000000000001,,b=2", "hlc=00000000000000ab,a=1,b=2"),
        ] {
            assert_eq!(with(trace_state, stamp), expected, "{trace_state:?}");
        }
    }

    proptest! {
        #[test]
        fn a_full_tracestate_loses_its_last_members_only(count in 0usize..40, bits: u64) {
            let members: Vec<String> = (0..count).map(|number| format!("vendor{number}=x")).collect();
            let with_stamp = with(&members.join(","), Stamp::from_bits(bits));
            let kept: Vec<&str> = with_stamp.split(',').collect();
            prop_assert_eq!(kept.len(), (count + 1).min(MEMBERS_MAX));
            prop_assert_eq!(carried(&with_stamp), Some(Ok(Stamp::from_bits(bits))));
            prop_assert!(kept[1..].iter().zip(&members).all(|(kept, member)| kept == member));
        }
    }
}
