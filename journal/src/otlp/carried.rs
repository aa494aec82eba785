//! Stamps that services carry themselves: the tracestate member `hlc` and the attribute `hlc`.

use hlc::Stamp;

/// The name of the tracestate member and of the attribute.
pub(super) const NAME: &str = "hlc";

/// The stamp in a W3C tracestate, if there is a valid one.
pub(super) fn in_trace_state(trace_state: &str) -> Option<Stamp> {
    let mut members = trace_state.split(',').filter_map(|member| member.trim().split_once('='));
    members.find(|(name, _)| *name == NAME).and_then(|(_, text)| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_among_other_members() {
        let stamp = Some(Stamp::from_bits(0xab));
        for (trace_state, expected) in [
            ("hlc=00000000000000ab", stamp),
            ("ot=th:8, hlc=00000000000000ab ,x=y", stamp),
            ("", None),
            ("ot=th:8", None),
            ("hlc=ab", None),
            ("xhlc=00000000000000ab", None),
        ] {
            assert_eq!(in_trace_state(trace_state), expected, "{trace_state:?}");
        }
    }
}
