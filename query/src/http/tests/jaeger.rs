//! Jaeger's API over the wire.

use serde_json::json;

use super::*;

#[test]
fn services_operations_and_traces_come_in_jaegers_envelope() {
    let (server, _) = served(Options::default());
    let services = json(&server, "/api/services");
    assert_eq!(
        services,
        json!({ "data": ["cron", "orders", "payments", "shipping"], "total": 4, "limit": 0, "offset": 0, "errors": null })
    );
    assert_eq!(json(&server, "/api/services/payments/operations")["data"], json!(["charge"]));
    assert_eq!(json(&server, "/api/services/none/operations")["data"], json!([]));
    let operations = json(&server, "/api/operations?service=orders&spanKind=internal");
    assert_eq!(operations["data"], json!([{ "name": "POST /orders", "spanKind": "internal" }]));
    assert_eq!(json(&server, "/api/operations?service=orders&spanKind=server")["data"], json!([]));

    let tags = "tags=%7B%22order.id%22%3A%2242%22%7D&lookback=custom&minDuration=&unheard=of";
    let found = json(&server, &format!("/api/traces?service=orders&{tags}"));
    assert_eq!((&found["total"], &found["limit"], &found["errors"]), (&json!(1), &json!(100), &Json::Null));
    let trace = &found["data"][0];
    assert_eq!(trace["spans"].as_array().map(Vec::len), Some(2));
    let charge = trace["spans"]
        .as_array()
        .and_then(|spans| spans.iter().find(|span| span["operationName"] == "charge"));
    let charge = charge.expect("the whole trace comes");
    assert_eq!(charge["references"][0]["refType"], "CHILD_OF");
    let process = charge["processID"].as_str().expect("a process");
    assert_eq!(trace["processes"][process]["serviceName"], "payments");
    let id = trace["traceID"].as_str().expect("an id");
    assert_eq!(json(&server, &format!("/api/traces/{id}"))["data"], json!([trace]));

    let cut = json(&server, "/api/traces?service=orders&limit=1");
    assert_eq!(
        (cut["data"].as_array().map(Vec::len), &cut["total"], &cut["limit"]),
        (Some(1), &json!(2), &json!(1))
    );
    let by_id = json(&server, &format!("/api/traces?traceID={id}&traceID=abc"));
    let missing = json!([{ "code": 404, "msg": "trace not found", "traceID": format!("{:0>32}", "abc") }]);
    assert_eq!((by_id["data"].as_array().map(Vec::len), &by_id["errors"]), (Some(1), &missing));
}

#[test]
fn times_and_durations_narrow_down() {
    let (server, _) = served(Options::default());
    let count = |parameters: &str| json(&server, &format!("/api/traces?{parameters}"))["total"].clone();
    // The spans begin at 10:00:00.001 to .004 and are 250 ms long.
    let start = 1_763_892_000_000_000_u64;
    assert_eq!(count(&format!("start={start}&end={}", start + 2_000)), json!(1));
    assert_eq!(count(&format!("start={}", start + 3_000)), json!(2));
    assert_eq!((count("minDuration=250ms"), count("minDuration=251ms")), (json!(3), json!(0)));
    assert_eq!((count("maxDuration=250ms"), count("maxDuration=249.9ms")), (json!(3), json!(0)));
}

#[test]
fn failures_come_in_jaegers_shape() {
    let (server, _) = served(Options::default());
    for (path, status, says) in [
        ("/api/traces?limit=many", 400, "whole number"),
        ("/api/traces/xyz", 400, "hexadecimal"),
        ("/api/traces/abc", 404, "trace not found"),
        ("/api/operations", 400, "'service' is required"),
        ("/api/dependencies", 404, "/api/services"),
    ] {
        let (got, body) = get(&server, path);
        let body: Json = serde_json::from_str(&body).expect("JSON");
        assert_eq!((got, &body["errors"][0]["code"]), (status, &json!(status)), "{path}: {body}");
        assert!(body["errors"][0]["msg"].as_str().is_some_and(|text| text.contains(says)), "{path}: {body}");
        assert_eq!((&body["data"], &body["total"]), (&Json::Null, &json!(0)), "{path}");
    }
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
    let request = agent.get(format!("{}/api/services", server.url())).header("host", "evil.example:4320");
    let mut answer = request.call().expect("an answer");
    let body = answer.body_mut().read_to_string().expect("a text");
    assert!(answer.status() == 421 && body.contains("\"errors\":[{\"code\":421"), "{body}");
}

#[test]
fn what_an_answer_lacks_stands_beside_its_data() {
    let (server, _) = served(Options { records_max: 2, ..Options::default() });
    let cut = json(&server, "/api/traces");
    assert_eq!(cut["errors"][0]["code"], 206, "{cut}");
}
