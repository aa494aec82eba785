use chrono::FixedOffset;
use proptest::prelude::*;

use timeline::record::{Body, Record, Severity, SpanKind, StatusCode};
use timeline::time::Time;

use super::*;
use crate::archive::Window;
use crate::predicate::{Comparison, Predicate, Signal, TextMatch, words};
use crate::testing::{attributes, log, record, span, span_id, trace};

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

/// Every query in the manual's tables is one.
#[test]
fn the_manual_says_what_is_read() {
    let manual = include_str!("../../../docs/search.md");
    let rows = manual.lines().filter(|line| line.starts_with("| `"));
    let first_columns = rows.filter_map(|row| row.split(" | ").next());
    let mut read = 0;
    for query in first_columns.flat_map(|column| column.split('`').skip(1).step_by(2)) {
        parse(query, NOW).unwrap_or_else(|error| panic!("{query}: {error}"));
        read += 1;
    }
    assert!(read > 35, "only {read} were found");
    let error = parse("sevice:payments", NOW).expect_err("an unknown field");
    assert!(manual.contains(&error.message), "{error}");
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
fn a_zone_is_assumed_only_where_a_time_names_none() {
    for text in ["since:10:00", "at:2026-11-23", "until:today a"] {
        assert!(assumes_zone(text, NOW), "{text}");
    }
    for text in ["", "a", "since:15m", "at:10:00Z..11:00+02:00", "since:2026-11-23T10:00:00Z", "since:soon"] {
        assert!(!assumes_zone(text, NOW), "{text}");
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

proptest! {
    /// What is printed asks for the same records.
    #[test]
    fn what_is_printed_means_the_same(predicate in predicate(), about in (any::<bool>(), 0..3usize, 0..3usize)) {
        let printed = print(&predicate, Window::default());
        let read = parse(&printed, NOW).map_err(|error| TestCaseError::fail(format!("{printed}: {error}")))?.0;
        for record in subjects(about) {
            prop_assert_eq!(predicate.matches(&record), read.matches(&record), "{} on {:?}", printed, record);
        }
    }
}

const TEXTS: [&str; 6] = ["a", "A b", r#"a"\*("#, "", "42", "é 7"];

/// A span and a log that say some of the texts that predicates ask for.
fn subjects((fails, one, other): (bool, usize, usize)) -> [Record; 2] {
    let mut span = span(1, 2, TEXTS[one]);
    span.status.code = if fails { StatusCode::Error } else { StatusCode::Ok };
    span.attributes =
        attributes([("k", TEXTS[other + 3].into()), ("service", 42.into()), ("odd =\"", TEXTS[one].into())]);
    let mut log = log(TEXTS[other]);
    log.attributes = attributes([("k", TEXTS[one].into())]);
    log.severity_number = if fails { 17 } else { 0 };
    [record(1, TEXTS[one + 3], Body::Span(span)), record(2, "a", Body::Log(log))]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let text = || prop::sample::select(TEXTS.to_vec()).prop_map(str::to_owned);
    let text_match = || {
        let like = prop::sample::select(vec!["^a", r#"[("\\]"#, "b$", "[0-9]+"]);
        prop_oneof![
            Just(TextMatch::Present),
            text().prop_map(TextMatch::Is),
            text().prop_map(TextMatch::StartsWith),
            like.prop_map(|pattern| TextMatch::Like(regex::Regex::new(pattern).expect("a pattern"))),
        ]
    };
    let key = || prop::sample::select(vec!["k", "service", "odd =\"", "none"]).prop_map(str::to_owned);
    let comparison = || {
        use Comparison::{AtLeast, AtMost, Equal, Greater, Less};
        prop::sample::select(vec![Less, AtMost, Equal, AtLeast, Greater])
    };
    let severities = prop::sample::select(vec![Severity::Info, Severity::Error]);
    let leaf = prop_oneof![
        text_match().prop_map(Predicate::Service),
        text_match().prop_map(Predicate::Name),
        (key(), text_match()).prop_map(|(key, value)| Predicate::Attribute { key, value }),
        (key(), comparison(), -50.0..50.0f64).prop_map(|(key, comparison, number)| Predicate::Number {
            key,
            comparison,
            number
        }),
        (comparison(), severities).prop_map(|(comparison, level)| Predicate::Severity(comparison, level)),
        (comparison(), 0..500_000_000u64).prop_map(|(comparison, ns)| Predicate::Duration(comparison, ns)),
        prop::sample::select(vec!["a", "b", "é", "42"]).prop_map(|word| Predicate::Word(word.to_owned())),
        text().prop_map(|text| Predicate::Phrase(words(&text))),
        text().prop_map(Predicate::Value),
        (0..3u8).prop_map(|number| Predicate::Trace(trace(number))),
        (0..3u8).prop_map(|number| Predicate::Span(span_id(number))),
        (0..3u8).prop_map(|number| Predicate::Parent(span_id(number))),
        (0..3u8).prop_map(|number| Predicate::LinkTo(trace(number))),
        Just(Predicate::Signal(Signal::Spans)),
        Just(Predicate::Signal(Signal::Logs)),
        Just(Predicate::Kind(SpanKind::Internal)),
        Just(Predicate::Status(StatusCode::Error)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::Any),
            inner.prop_map(|inner| Predicate::Not(Box::new(inner))),
        ]
    })
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
