//! Numbers as JSON and protobuf's JSON mapping write them.

/// The longest whole number that is looked at, in digits: no `u64` has more than 20.
const DIGITS_MAX: usize = 38;

/// The whole number that `text` writes, in any notation (`42`, `-1`, `1.5e3`), without loss. `None`
/// where it is no number, not whole, or has more than 38 digits.
pub(super) fn whole(text: &str) -> Option<i128> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{integer}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let point = i64::try_from(integer.len()).ok()? + i64::from(exponent);
    // The digits after the point must be zeros; where there are too few before it, zeros follow.
    let point = usize::try_from(point).unwrap_or(0);
    if digits.bytes().skip(point).any(|digit| digit != b'0') {
        return None;
    }
    if digits.bytes().all(|digit| digit == b'0') {
        return Some(0);
    }
    let zeros = digits.bytes().take_while(|digit| *digit == b'0').count();
    if point.saturating_sub(zeros) > DIGITS_MAX {
        return None;
    }
    digits.truncate(point);
    digits.extend(std::iter::repeat_n('0', point - digits.len()));
    digits.parse::<i128>().ok().map(|number| sign * number)
}

/// The floating-point number that `text` writes, or names as protobuf's JSON mapping does.
pub(super) fn double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // Rust also reads "inf" and "nan", which JSON does not have.
        _ if text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) => {
            text.parse().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_numbers_in_any_notation() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("1763892000123456789", Some(1_763_892_000_123_456_789)),
            ("1.763892000123456789e18", Some(1_763_892_000_123_456_789)),
            ("18446744073709551615", Some(i128::from(u64::MAX))),
            ("1e21", Some(1_000_000_000_000_000_000_000)),
            ("1.50E1", Some(15)),
            ("1500e-2", Some(15)),
            ("42.0", Some(42)),
            ("0e999999999", Some(0)),
            ("0.000e-3", Some(0)),
            ("1e38", None),
            ("1e999999999", None),
            ("1e-999999999", None),
            ("1e99999999999", None),
            ("1.5", None),
            ("0.1", None),
            ("15e-2", None),
            ("", None),
            ("-", None),
            (".", None),
            ("1e", None),
            ("--1", None),
            ("0x10", None),
            ("１", None),
        ] {
            assert_eq!(whole(text), expected, "{text:?}");
        }
    }

    #[test]
    fn doubles_and_their_names() {
        assert_eq!(double("-1.5e3"), Some(-1500.0));
        assert_eq!(double("Infinity"), Some(f64::INFINITY));
        assert!(double("NaN").is_some_and(f64::is_nan));
        for text in ["", "inf", "nan", "infinity", "1,5", "e"] {
            assert_eq!(double(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_integer_is_read_without_loss(number: i64, scale in 0usize..6) {
            prop_assert_eq!(whole(&number.to_string()), Some(number.into()));
            let shifted = format!("{number}{}e-{scale}", "0".repeat(scale));
            prop_assert_eq!(whole(&shifted), Some(number.into()));
        }

        #[test]
        fn it_agrees_with_floating_point(mantissa in 0u32..100_000, exponent in -6i32..8) {
            let text = format!("{mantissa}e{exponent}");
            let float: f64 = text.parse().expect("a float");
            let expected = (float.fract() == 0.0).then_some(float as i128);
            prop_assert_eq!(whole(&text), expected);
        }
    }
}
