//! That nothing named is left, and that nothing else changes.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use timeline::document::Timeline;
use timeline::record::{Body, Link, Log, Position, Record, Resource, Scope, Span, SpanEvent};
use timeline::value::{Attributes, Value};
use timeline::{Given, Question, tell};

use super::{Redactor, Rules};
use crate::export::{self, Format};
use crate::testing::{attributes, incidents, log, record, span};

fn redactor(keys: &[&str], key: u8) -> Redactor {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    Redactor::new(Rules::new(&keys, &[], None).expect("rules"), [key; 16])
}

fn told(records: &[Record], entity: &str) -> Timeline {
    let question: Question = entity.parse().expect("a question");
    tell(records.to_vec(), &question, &Given::default())
}

/// A document as it would read if ids and values were those of the originals, its lists in an order of their own where the
/// documents' depends on ids.
fn as_original(told: &Timeline, ids: &HashMap<String, String>, redactor: &Redactor) -> Json {
    let mut json = serde_json::to_value(told).expect("JSON");
    let kinds: HashMap<String, &str> =
        told.findings.iter().map(|finding| (finding.id.clone(), finding.kind.name())).collect();
    for finding in json["findings"].as_array_mut().expect("findings") {
        finding["id"] = "".into(); // a hash of the records' ids
        finding["summary"] = "".into(); // compared by itself
        if let Some(cause) = finding["consequence_of"].as_str() {
            finding["consequence_of"] = kinds[cause].into();
        }
    }
    for event in json["events"].as_array_mut().expect("events") {
        event["unordered_with"] = "".into(); // neighbours in a list whose ties ids break
    }
    let mut json = rename(json, ids, redactor);
    for list in ["events", "edges", "gaps", "findings", "initial_state", "markers"] {
        json[list].as_array_mut().expect("a list").sort_by_cached_key(Json::to_string);
    }
    let streams = json["completeness"]["streams"].as_array_mut().expect("streams");
    streams.sort_by_cached_key(Json::to_string); // by service, which may have a token
    for finding in json["findings"].as_array_mut().expect("findings") {
        for list in ["events", "records"] {
            finding[list].as_array_mut().expect("a list").sort_by_cached_key(Json::to_string);
        }
    }
    json
}

fn rename(json: Json, ids: &HashMap<String, String>, redactor: &Redactor) -> Json {
    match json {
        Json::String(text) => {
            let (id, point) = text.split_once('.').unwrap_or((&text, ""));
            match ids.get(id) {
                Some(original) if point.is_empty() => original.clone().into(),
                Some(original) => format!("{original}.{point}").into(),
                None => redactor.reveal(&text).into(),
            }
        }
        Json::Number(number) => {
            serde_json::from_str(&redactor.reveal(&number.to_string())).expect("a number stands for a number")
        }
        Json::Array(list) => list.into_iter().map(|item| rename(item, ids, redactor)).collect(),
        Json::Object(fields) => fields
            .into_iter()
            .map(|(key, item)| (redactor.reveal(&key), rename(item, ids, redactor)))
            .collect(),
        other => other,
    }
}

/// By the ids of the redacted records those of the originals, whole and as events have them.
fn ids(redacted: &[Record], originals: &[Record]) -> HashMap<String, String> {
    let mut ids = HashMap::new();
    for (redacted, original) in redacted.iter().zip(originals) {
        let (redacted, original) = (redacted.id.to_string(), original.id.to_string());
        ids.insert(redacted[..16].to_owned(), original[..16].to_owned());
        ids.insert(redacted, original);
    }
    ids
}

const ORDERS: [&str; 5] = ["order/42", "order/57", "order/71", "order/88", "order/96"];

/// RED-3.
fn tells_the_same(keys: &[&str], key: u8) -> Result<(), TestCaseError> {
    let originals = incidents();
    let mut redactor = redactor(keys, key);
    let redacted = redactor.records(&originals);
    let ids = ids(&redacted, &originals);
    for entity in ORDERS {
        let original = told(&originals, entity);
        let asked = redactor.text(entity);
        let covered = told(&redacted, &asked);
        let stories = |told: &Timeline| -> Vec<String> {
            told.findings.iter().map(|finding| redactor.reveal(&finding.summary)).collect()
        };
        // A story cuts long values, and tokens may be longer.
        for story in stories(&covered).iter().filter(|story| !story.contains('…')) {
            prop_assert!(stories(&original).contains(story), "{} of {} by {:?}", story, entity, keys);
        }
        prop_assert!(
            !original.findings.is_empty() || entity == "order/71" || entity == "order/88",
            "{entity}"
        );
        let nobody = HashMap::new();
        let idle = Redactor::new(Rules::default(), [0; 16]);
        let (covered, original) =
            (as_original(&covered, &ids, &redactor), as_original(&original, &nobody, &idle));
        for (part, expected) in original.as_object().expect("a document") {
            if let (Json::Array(expected), Json::Array(got)) = (expected, &covered[part]) {
                prop_assert_eq!(expected.len(), got.len(), "{} of {} by {:?}", part, entity, keys);
                for (expected, got) in expected.iter().zip(got) {
                    prop_assert_eq!(expected, got, "{} of {} by {:?}", part, entity, keys);
                }
            }
            prop_assert_eq!(expected, &covered[part], "{} of {} by {:?}", part, entity, keys);
        }
    }
    Ok(())
}

#[test]
fn findings_of_redacted_records_are_those_of_the_originals() {
    tells_the_same(&["order.id", "charge.id", "customer.id"], 1).expect("the same");
    tells_the_same(&["status", "state"], 2).expect("the same");
    tells_the_same(&["messaging.message.id", "address", "note", "sku"], 3).expect("the same");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn whatever_is_redacted_the_same_is_told(
        keys in prop::sample::subsequence(
            vec!["order.id", "charge_id", "customerId", "order.status", "state", "address", "sku", "messaging.message.id",
                 "db.namespace"], 1..5),
        key: u8,
    ) {
        tells_the_same(&keys, key)?;
    }
}

const EMAIL: &str = "Alice.O'Neil+shop@Example.com";
const SECRETS: [&str; 4] = [EMAIL, "4711", "Größe \"L\" / 100%", "hunter2"];

/// Values of redacted keys, and the same in every place and spelling that a record has.
fn full_of_secrets() -> Vec<Record> {
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let escaped = |text: &str| serde_json::to_string(text).expect("JSON");
    let wide: String = SECRETS[2].encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
    let statement = format!("UPDATE orders SET note = '{}' WHERE id = 4711", EMAIL.replace('\'', "''"));
    let sized: Attributes = attributes([("size", SECRETS[2].into())]);
    let mut own = span(1, 1, &format!("POST /orders/4711/{}", percent(EMAIL)));
    own.attributes = attributes([
        ("order.id", Value::Int(4711)),
        ("customer.email", EMAIL.into()),
        ("customer", Value::Map(sized)),
        ("db.system.name", "postgresql".into()),
        ("db.query.text", statement.as_str().into()),
        ("db.query.parameter.0", Value::Int(4711)),
        ("url.path", format!("/orders/4711?mail={}", percent(EMAIL)).as_str().into()),
        ("list", Value::Array(vec![EMAIL.to_uppercase().as_str().into(), Value::Double(4711.0)])),
        ("raw", Value::Bytes(EMAIL.as_bytes().to_vec())),
        ("noise", Value::Bytes([&[0xff, 0xfe], EMAIL.as_bytes()].concat())),
        (EMAIL, "a name".into()),
    ]);
    own.status.message = format!("no mail to {}", EMAIL.to_lowercase());
    own.trace_state = "shop=4711".into();
    let mut event = SpanEvent { name: format!("mailed {EMAIL}"), ..SpanEvent::default() };
    event.attributes =
        attributes([("exception.message", format!("{} is wrong", escaped(SECRETS[2])).as_str().into())]);
    own.events = vec![event];
    own.links = vec![Link {
        trace_id: crate::testing::trace(1),
        span_id: crate::testing::span_id(9),
        attributes: attributes([("for", EMAIL.into())]),
        ..Link::default()
    }];
    let text = |text: &str| {
        record(
            10 + text.len() as u64,
            "orders",
            Body::Log(Log { trace_id: Some(crate::testing::trace(1)), ..log(text) }),
        )
    };
    let body = Log {
        body: Value::Map(attributes([("mail", escaped(EMAIL).as_str().into()), ("order_id", "4711".into())])),
        ..log("")
    };
    let tricky = vec![
        text(&format!("order 4711 is now paid by {EMAIL}, password=hunter2")),
        text(&format!("{{\"password\":\"hunter2\",\"size\":\"{wide}\"}}")),
        text(&format!("retry ?mail={}", percent(&percent(EMAIL)))),
        record(
            3,
            "orders",
            Body::Log(Log { event_name: format!("to {EMAIL}"), severity_text: "hunter2".into(), ..body }),
        ),
    ];
    let resource = attributes([("service.name", "mailer".into()), ("owner", EMAIL.into())]);
    let scope = Scope::new(format!("lib {EMAIL}"), "1".into(), attributes([("order.id", "4711".into())]));
    let other = Record::new(
        Position { segment: 1, ..Position::default() },
        None,
        Arc::new(Resource::new(resource, 0)),
        Arc::new(scope),
        Body::Span(Span { name: "send".into(), ..span(1, 2, "send") }),
        0,
    );
    let mut records = vec![record(1, "orders", Body::Span(own)), other];
    records.extend(tricky);
    records
}

/// Every text that somebody could read the export as.
fn readings(text: &str) -> Vec<String> {
    let plain = super::unfold::Unfolded::of(text).folded().to_owned();
    vec![text.to_lowercase(), plain]
}

/// RED-2.
#[test]
fn nothing_that_is_redacted_is_left_in_any_format_in_any_spelling() {
    let originals = full_of_secrets();
    let mut redactor = redactor(&["order.id", "customer.email", "customer.size", "password"], 9);
    let redacted = redactor.records(&originals);
    let told = told(&redacted, &redactor.text("order/4711"));
    assert!(told.events.len() >= 5, "{}", told.events.len());
    let mut made: Vec<(String, String)> =
        Format::ALL.iter().map(|format| (format.name().to_owned(), format.of(&told).text)).collect();
    let requests = export::otlp(redacted.clone(), Some(&told));
    made.push(("otlp".into(), json!(requests).to_string()));
    made.push(("jaeger".into(), export::jaeger(&redacted).text));
    made.push(("text".into(), export::text(&told, &export::Style::new(200))));
    made.push(("records".into(), format!("{redacted:?}")));
    for (name, text) in made {
        for reading in readings(&text) {
            for secret in
                SECRETS.iter().flat_map(|secret| readings(secret)).chain(["o'neil".into(), "größe".into()])
            {
                let at = reading.find(&secret);
                let around =
                    at.map(|at| reading[..at + secret.len()].chars().rev().take(80).collect::<Vec<_>>());
                let around = around.map(|around| around.into_iter().rev().collect::<String>());
                assert!(at.is_none(), "{name} tells {secret}: …{}", around.unwrap_or_default());
            }
        }
        let hexadecimal: String = EMAIL.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!text.contains(&hexadecimal), "{name}");
        use base64::Engine as _;
        assert!(!text.contains(&base64::engine::general_purpose::STANDARD.encode(EMAIL)), "{name}");
    }
}

#[test]
fn one_value_has_one_token_wherever_it_stands() {
    let mut redactor = redactor(&["order.id"], 9);
    let redacted = redactor.records(&full_of_secrets());
    let own = redacted[0].as_span().expect("a span");
    let token = own.attributes.get("order.id").expect("a number").to_text().into_owned();
    assert_eq!(
        own.attributes.get("db.query.parameter.0").map(|value| value.to_text().into_owned()),
        Some(token.clone())
    );
    assert!(own.name.starts_with(&format!("POST /orders/{token}/")), "{}", own.name);
    assert_eq!(redactor.text("order/4711"), format!("order/{token}"));
    assert_eq!(redactor.reveal(&format!("order/{token}")), "order/4711");
    assert_eq!(own.attributes.get("customer.email"), Some(&EMAIL.into()), "nobody asked for that");
    assert_ne!(redacted[0].id, full_of_secrets()[0].id, "an id would be a hash of what was replaced");
}

#[test]
fn a_pattern_finds_values_without_a_name() {
    let patterns = [r"[\w.'+ ]+@[\w.]+\w".to_owned(), r"password=(\w+)".to_owned()];
    let mut redactor = Redactor::new(Rules::new(&[], &patterns, None).expect("rules"), [1; 16]);
    let redacted = format!("{:?}", redactor.records(&full_of_secrets())).to_lowercase();
    assert!(!redacted.contains("@example.com") && !redacted.contains("%40example"), "{redacted}");
    assert!(!redacted.contains("hunter2") && redacted.contains("password=") && redacted.contains("4711"));
}

#[test]
fn only_what_is_named_is_kept() {
    let keep = ["order.id".to_owned()];
    let mut redactor = Redactor::new(Rules::new(&[], &[], Some(&keep)).expect("rules"), [1; 16]);
    let redacted = redactor.records(&full_of_secrets());
    let own = redacted[0].as_span().expect("a span");
    assert_eq!(own.attributes.get("order.id"), Some(&Value::Int(4711)));
    assert_eq!(own.attributes.get("db.system.name"), Some(&"postgresql".into()));
    assert!(own.name.starts_with("POST /orders/"), "{}", own.name);
    let statement =
        own.attributes.get("db.query.text").map(|text| text.to_text().into_owned()).expect("a statement");
    assert!(
        statement.starts_with("UPDATE orders SET note = '") && statement.contains("' WHERE id = 4711"),
        "{statement}"
    );
    let all = format!("{redacted:?}").to_lowercase();
    for gone in ["neil", "example", "hunter2", "größe", "by", "paid"] {
        assert!(!all.split(|char: char| !char.is_alphanumeric()).any(|word| word == gone), "{gone} in {all}");
    }
}

#[test]
fn short_and_common_values_go_only_where_they_are_named() {
    let one = |number, key: &str, value: Value, body: &str| {
        record(number, "orders", Body::Log(Log { attributes: attributes([(key, value)]), ..log(body) }))
    };
    let records = [
        one(1, "vip", Value::Bool(true), "true story"),
        one(2, "vip", "no".into(), "there is no vip=no"),
        one(3, "other", "no".into(), "no"),
    ];
    let mut redactor = redactor(&["vip"], 1);
    let redacted = redactor.records(&records);
    let shown = |at: usize| {
        let log = redacted[at].as_log().expect("a log");
        format!("{} {}", log.body.to_text(), log.attributes.to_flat_json().values().next().expect("one"))
    };
    assert!(shown(0).starts_with("true story \"redacted"), "{}", shown(0));
    assert_eq!(shown(1).matches("redacted").count(), 3, "{}", shown(1));
    assert_eq!(shown(2), "no \"no\"");
}

#[test]
fn a_preview_counts_values_and_places() {
    let mut redactor = redactor(&["customer.email", "nowhere"], 1);
    redactor.records(&full_of_secrets());
    let preview = redactor.preview();
    let [email, nowhere] = preview.rules.as_slice() else { panic!("two rules: {preview:?}") };
    assert_eq!((email.rule.as_str(), email.values, nowhere.values), ("customer.email", 1, 0));
    let count = |place: &str| email.places.iter().find(|found| found.place == place).map(|found| found.count);
    assert_eq!(
        (count("customer.email"), count("resource.owner"), count("link.for")),
        (Some(1), Some(1), Some(1))
    );
    assert_eq!(
        (count("body"), count("status message"), count("a name")),
        (Some(2), Some(1), Some(1)),
        "{email:?}"
    );
    let text = serde_json::to_string(&preview).expect("JSON");
    assert!(!text.to_lowercase().contains("alice"));
}
