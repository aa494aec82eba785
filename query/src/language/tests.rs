use chrono::FixedOffset;
use proptest::prelude::*;

use super::*;
use crate::archive::Window;
use timeline::time::Time;

/// 2026-11-23T10:00:00Z
const NOW: Time = Time(1_795_428_000_000_000_000);

fn printed(text: &str) -> String {
    let (predicate, window) = parse(text, NOW).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    print(&predicate, window)
}

#[test]
fn each_form_means_what_the_manual_says() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let cases = [
        ("", "*"),
        ("*", "*"),
        ("service:payments", r#"service:"payments""#),
        ("service:pay*", r#"service:"pay"*"#),
        ("service~^pay(ments)?$", r#"service~"^pay(ments)?$""#),
        (r#"name:"POST /orders""#, r#"name:"POST /orders""#),
        ("status:error", "status:error"),
        ("status!=error", "-status:error"),
        ("severity>=warn", "severity>=warn"),
        ("severity=WARNING", "severity:warn"),
        ("duration>200ms", "duration>200000000ns"),
        ("duration<=1m30.5s", "duration<=90500000000ns"),
        ("kind:server signal:spans", "kind:server signal:spans"),
        ("trace:4BF92F3577B34DA6A3CE929D0E0E4736", &format!("trace:{trace}")),
        ("span:00f067aa0ba902b7", "span:00f067aa0ba902b7"),
        ("parent:00f067aa0ba902b7", "parent:00f067aa0ba902b7"),
        ("order.id=42", r#"order.id="42""#),
        ("order.id=4*", r#"order.id="4"*"#),
        (r#"order.id="4*""#, r#"order.id="4*""#),
        ("order.id=*", "order.id=*"),
        ("order.id!=42", r#"-order.id="42""#),
        ("url~/orders/[0-9]+$", r#"url~"/orders/[0-9]+$""#),
        (r"url~\(a\)", r#"url~"\\(a\\)""#),
        ("http.response.status_code>=500", "http.response.status_code>=500"),
        ("amount==9.5", "amount==9.5"),
        (r#""odd key"=1 "status"=500"#, r#""odd key"="1" "status"="500""#),
        ("declined", r#""declined""#),
        (r#""card was declined""#, r#""card was declined""#),
        ("order_id", r#""order id""#),
        ("42", r#"("42" OR value:"42")"#),
        ("value:order:42", r#"value:"order:42""#),
        ("a b OR c", r#"(("a" "b") OR "c")"#),
        ("a (b OR c) -d", r#""a" ("b" OR "c") -"d""#),
        ("a AND NOT (b c)", r#""a" -("b" "c")"#),
        ("--a", r#"--"a""#),
        (r#""OR""#, r#""or""#),
        ("since:15m a", r#""a" since:2026-11-23T09:45:00.000000000Z"#),
        ("at:2026-11-23", "* since:2026-11-23T00:00:00.000000000Z until:2026-11-24T00:00:00.000000000Z"),
    ];
    for (text, expected) in cases {
        assert_eq!(printed(text), expected, "{text}");
        assert_eq!(printed(&printed(text)), expected, "printed, {text} reads the same");
    }
}

#[test]
fn errors_point_at_the_byte_and_say_what_would_be_right() {
    let cases = [
        ("sevice:pay", 0, "did you mean service:pay?"),
        ("a order:42", 2, r#"a text as "order:42""#),
        ("order.id:42", 0, "order.id=42"),
        ("status:bad", 7, "unset, ok, error"),
        ("status>ok", 6, "not >"),
        ("status:500", 7, r#""status"=500"#),
        ("severity:loud", 9, "trace, debug, info"),
        ("duration>200", 9, "200ms"),
        ("duration~2", 8, "<, <="),
        ("trace:12", 6, "32 hexadecimal digits"),
        ("é span:12", 8, "16 hexadecimal digits"),
        ("amount>x", 7, "compares numbers"),
        ("key=a*b", 5, "only a * at the end"),
        ("pay*", 0, "order.id=4*"),
        ("key~(", 4, "regular expression"),
        ("key=", 4, r#"the empty text is """#),
        ("=42", 0, "key is missing before ="),
        (r#"a "b"#, 2, "not closed"),
        (r#"key="a"b"#, 7, "a space is missing"),
        ("(a", 0, "not closed"),
        ("a)", 1, "closes nothing"),
        ("a OR", 4, "behind OR"),
        ("OR a", 0, "before OR"),
        ("a AND", 5, "behind AND"),
        ("AND a", 0, "before AND"),
        ("a - b", 2, "right before"),
        ("NOT", 3, "to exclude"),
        ("--- ", 2, "right before"),
        ("...", 0, "letters and digits"),
        (r#""""#, 0, "letters and digits"),
        ("value:...", 6, "an identifier"),
        ("since:soon", 6, "how long ago: 15m"),
        ("(since:15m)", 1, "outside of parentheses"),
        ("-since:15m", 1, "outside of parentheses"),
        ("since:15m a OR b", 12, "outside of parentheses"),
        ("a OR since:15m", 5, "outside of parentheses"),
        ("since>15m", 5, "not >"),
        ("at:11:00..10:00", 10, "EARLIER..LATER"),
        ("at:11:00..x", 10, "is not a time"),
        ("at:..", 3, "one end"),
    ];
    for (text, at, says) in cases {
        let error = parse(text, NOW).expect_err(text);
        assert_eq!(error.at, at, "{text}: {error}");
        assert!(error.message.contains(says), "{text}: {error}");
    }
}

#[test]
fn what_is_nested_too_deep_is_refused_and_not_followed() {
    for deep in ["(".repeat(100_000), "-".repeat(100_000) + "a", "NOT ".repeat(100_000)] {
        let error = parse(&deep, NOW).expect_err("too deep");
        assert!(error.message.contains("deep"), "{error}");
    }
}

#[test]
fn times_are_read_in_the_zone_of_asking() {
    let berlin = FixedOffset::east_opt(3600).expect("an offset");
    let now = Now { time: NOW, zone: Zone::Fixed(berlin) };
    let cases = [
        ("now", "2026-11-23T10:00:00.000000000Z"),
        ("90s", "2026-11-23T09:58:30.000000000Z"),
        ("1h30m", "2026-11-23T08:30:00.000000000Z"),
        ("-2d", "2026-11-21T10:00:00.000000000Z"),
        ("today", "2026-11-22T23:00:00.000000000Z"),
        ("yesterday", "2026-11-21T23:00:00.000000000Z"),
        ("10:30", "2026-11-23T09:30:00.000000000Z"),
        ("2026-11-23 10:30:05.25", "2026-11-23T09:30:05.250000000Z"),
        ("2026-11-23T10:30", "2026-11-23T09:30:00.000000000Z"),
        ("2026-11-23T10:30Z", "2026-11-23T10:30:00.000000000Z"),
        ("2026-11-23T10:30-02:00", "2026-11-23T12:30:00.000000000Z"),
        ("2026-11-23T10:30:00.000000001+00:00", "2026-11-23T10:30:00.000000001Z"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_time(text, now).map(|time| time.to_string()), Ok(expected.to_owned()), "{text}");
    }
    for text in ["", "15", "15x", "2026-13-01", "24:61", "1969-01-01", "99999999999999w", "2026-11-23T"] {
        assert!(parse_time(text, now).is_err(), "{text}");
    }
}

#[test]
fn ranges_may_be_open_and_a_calendar_time_is_as_long_as_it_is_written() {
    let window = |text: &str| parse(text, NOW).expect(text).1;
    let at = |text: &str| Some(parse_time(text, NOW).expect(text));
    assert_eq!(window("at:09:00..09:30"), Window { since: at("09:00"), until: at("09:30") });
    assert_eq!(window("at:09:00.."), Window { since: at("09:00"), until: None });
    assert_eq!(window("at:..09:30"), Window { since: None, until: at("09:30") });
    assert_eq!(window("at:09:00"), Window { since: at("09:00"), until: at("09:01") });
    assert_eq!(window("since:2h since:1h until:10m"), Window { since: at("1h"), until: at("10m") });
}

#[test]
fn a_pinned_query_asks_the_same_at_any_time() {
    let text = r#"a AND since:15m -("b" OR key~x) until:"2026-11-23 09:50""#;
    let pinned = pinned(text, NOW).expect("a query");
    let (early, late) = (parse(text, NOW), parse(&pinned, Time(0)));
    let (early, late) = (early.expect("a query"), late.expect("a query"));
    assert_eq!(early.1, late.1);
    assert_eq!(
        print(&early.0, early.1).replace("\"a\"", "\"a\" *").replace("\"x\")", "\"x\") *"),
        print(&late.0, late.1)
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        if let Err(error) = parse(&text, NOW) {
            prop_assert!(text.is_char_boundary(error.at), "{error:?}");
        }
    }

    #[test]
    fn no_pieces_of_queries_make_it_panic(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        match parse(&text, NOW) {
            Ok((predicate, window)) => {
                let once = print(&predicate, window);
                let again = parse(&once, NOW);
                let again = again.map_err(|error| TestCaseError::fail(format!("{once}: {error}")))?;
                prop_assert_eq!(print(&again.0, again.1), once);
                prop_assert!(pinned(&text, NOW).is_ok_and(|pinned| parse(&pinned, Time(0)).is_ok_and(|(_, pinned)| pinned == window)));
            }
            Err(error) => prop_assert!(text.is_char_boundary(error.at), "{error:?}"),
        }
    }

    #[test]
    fn no_time_makes_it_panic(text in "[0-9TZ:.+ -]{0,30}") {
        let _ = parse_time(&text, NOW);
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        " ",
        " ",
        "a",
        "42",
        "é",
        "\"",
        "\\",
        "(",
        ")",
        "-",
        "*",
        "=",
        ":",
        "~",
        "!",
        "<",
        ">",
        "OR",
        " OR ",
        " AND ",
        "NOT ",
        "service:",
        "name:",
        "duration>",
        "5ms",
        "since:",
        "15m",
        "at:",
        "..",
        "status:error",
        "key",
        "key=",
        "value:",
        "\"a b\"",
        "severity>=warn",
    ])
}
