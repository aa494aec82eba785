//! `docs/openapi.json` against the routes, their parameters and what they answer.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::testing::incidents;

fn document() -> Json {
    serde_json::from_str(include_str!("../../../../docs/openapi.json")).expect("JSON")
}

#[test]
fn it_has_the_routes_that_are_served() {
    let document = document();
    let described: BTreeSet<String> = document["paths"].as_object().expect("paths").keys().cloned().collect();
    let served: BTreeSet<String> = ROUTES.iter().map(|route| route.replace("{*", "{")).collect();
    assert_eq!(described, served);
}

#[test]
fn it_has_the_parameters_that_are_read() {
    let (server, _) = served(Options::default());
    let example = |name: &str| match name {
        "since" => "2025-01-01T00:00:00Z",
        "until" | "query" => "now",
        "brief" | "rescan" => "true",
        "before" | "after" => "1-64-0-0",
        "value" => "42",
        "type" => "order",
        "service" => "orders",
        "at" => "2026-11-23T10:00:00Z",
        "event" => "zz",
        "entity" => "order/42",
        "status" => "open",
        "kind" => "lost_update,stale_read",
        "a" | "b" => "0101010101010101",
        "budget" => "1000",
        _ => "0",
    };
    for (path, route) in document()["paths"].as_object().expect("paths") {
        let described = route["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let names: Vec<&str> = described
            .iter()
            .filter(|parameter| parameter["in"] == "query")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let path = path.replace("{entity}", "order/42");
        let given: Vec<String> = names.iter().map(|name| format!("{name}={}", example(name))).collect();
        let (status, body) = get(&server, &format!("{path}?{}", given.join("&")));
        let unknown = ["/v1/affected", "/v1/state/order/42"]; // there is no finding "0" and no event "zz"
        let answered = if unknown.contains(&path.as_str()) { 400 } else { 200 };
        assert_eq!(status, answered, "{path}: {body}");
        if !names.is_empty() {
            // The refusal of an unknown parameter lists the known ones.
            let (_, body) = get(&server, &format!("{path}?value=1&unknown=1"));
            let unlisted: Vec<&&str> =
                names.iter().filter(|name| !body.contains(&format!("`{name}`"))).collect();
            assert!(unlisted.is_empty(), "{path}: {unlisted:?} {body}");
            let read = body.matches('`').count() / 2 - 1;
            assert_eq!(read, names.len(), "{path} reads others than it says: {body}");
        }
    }
}

#[test]
fn what_is_answered_is_valid_under_its_schema() {
    let (server, _) = served(Options::default());
    let document = document();
    let cases = [
        ("/v1/timeline/order/42", "Timeline"),
        ("/v1/timeline/order/42?brief=true&events=1", "Timeline"),
        ("/v1/timeline/order/none", "Timeline"),
        ("/v1/records/order/42", "Records"),
        ("/v1/why/order/42?a=0101010101010101&b=0202020202020202", "Why"),
        ("/v1/why/order/42?a=0202020202020202:end", "Why"),
        ("/v1/clocks", "Clocks"),
        ("/v1/find?value=42", "Find"),
        ("/v1/search?limit=4", "Search"),
        ("/v1/follow?after=1-64-0-0", "Follow"),
        ("/v1/stats", "Stats"),
        ("/v1/services", "Services"),
        ("/v1/services?service=none", "Services"),
        ("/v1/traces?query=order.id%3D42", "Traces"),
        ("/v1/entities", "Entities"),
        ("/v1/entities?type=order&limit=1", "Entities"),
        ("/v1/doctor", "Doctor"),
        ("/v1/doctor?service=none", "Doctor"),
        ("/v1/affected?finding=f-none", "Error"),
        ("/v1/state/order/42", "State"),
        ("/v1/state/order/42?at=15m", "State"),
        ("/v1/findings", "Findings"),
        ("/v1/findings?rescan=true", "Findings"),
        ("/v1/findings?entity=order/42&kind=stale_read", "Findings"),
        ("/v1/incidents", "Incidents"),
        ("/v1/annotations", "Annotations"),
        ("/v1/search?query=(", "Error"),
        ("/v1/nothing", "Error"),
    ];
    for (path, schema) in cases {
        assert_valid(&document, &server, path, schema);
    }
    let repriced = Local::new(Memory::new(conformance::repriced()), "memory", conformance::now);
    let server = Server::start(Arc::new(repriced), Options::default());
    assert_valid(&document, &server, "/v1/affected?finding=f-&entity=order/1", "Affected");
    let local = Local::new(Memory::new(incidents::world()), "memory", conformance::now);
    incidents::conforms(&local); // leaves annotations of every sort
    let server = Server::start(Arc::new(local), Options::default());
    assert_valid(&document, &server, "/v1/incidents", "Incidents");
    assert_valid(&document, &server, "/v1/annotations", "Annotations");
}

fn assert_valid(document: &Json, server: &Server, path: &str, schema: &str) {
    let schema = json!({
        "$ref": format!("#/components/schemas/{schema}"),
        "components": document["components"],
    });
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let answer: Json = serde_json::from_str(&get(server, path).1).expect("JSON");
    let wrong: Vec<String> =
        validator.iter_errors(&answer).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{path}: {wrong:#?}");
    assert!(!validator.is_valid(&json!({})), "{path}: its schema refuses nothing");
}

#[test]
fn it_has_the_codes_of_failures() {
    let codes =
        document()["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"]["enum"]
            .clone();
    assert_eq!(codes, json!(Code::ALL));
}

#[test]
fn the_manual_lists_every_route_and_code() {
    let manual = include_str!("../../../../docs/api.md");
    for route in ROUTES {
        assert!(manual.contains(&format!("`{}`", route.replace("{*", "{"))), "{route}");
    }
    for code in Code::ALL {
        let name = json!(code);
        let row = format!("| `{}` | {} |", name.as_str().unwrap_or_default(), code.status().as_u16());
        assert!(manual.contains(&row), "{row}");
    }
}
