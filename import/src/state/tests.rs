use journal::otlp::decode;
use timeline::record::{Body, Position, Record};
use timeline::state::said;

use super::*;
use crate::{Import, Options};

/// The records of a file, and what was told of it.
fn read_with(text: &str, options: &Options) -> (Vec<Record>, Import) {
    let mut records = Vec::new();
    let import = crate::read(text.as_bytes(), options, &mut |request| {
        let read = decode(request.signal, request.encoding, &request.body, &[], Position::default(), None);
        records.extend(read.expect("a request"));
        Ok(())
    });
    (records, import.expect("a file"))
}

fn changes() -> Options {
    let state = StateOptions { copy: Some("cdc/orders".into()), ..StateOptions::default() };
    Options { format: Some(Format::Changes), state, ..Options::default() }
}

fn snapshot(at: &str) -> Options {
    let state = StateOptions {
        copy: Some("redis/price".into()),
        entity: Some("product".into()),
        at: Some(at.parse().expect("a moment")),
        ..StateOptions::default()
    };
    Options { format: Some(Format::Snapshot), state, ..Options::default() }
}

/// What records say, one line an operation.
fn told(records: &[Record]) -> Vec<String> {
    let one = |record: &Record| {
        let text = |key: &str| {
            record.attributes().get(key).map(|value| value.to_text().into_owned()).unwrap_or_default()
        };
        let [op, kind, key, field] =
            ["op", "entity.type", "entity.key", "field"].map(|key| text(&format!("backstory.{key}")));
        format!("{op} {kind}/{key} {field} {} -> {}", text("backstory.from"), text("backstory.value"))
    };
    records.iter().map(one).collect()
}

#[test]
fn an_envelope_is_what_changed_in_a_row() {
    let lines = r#"{"before":null,"after":{"id":42,"status":"created","total":30},"op":"c","ts_ms":1795428000999,"source":{"ts_ms":1795428000250,"db":"shop","table":"orders","txId":7}}
{"schema":{},"payload":{"before":{"id":42,"status":"created","total":30},"after":{"id":42,"status":"paid","total":30},"op":"u","source":{"ts_us":1795428001000001,"table":"orders"}}}
{"before":{"id":42,"status":"paid"},"after":null,"op":"d","ts_ms":1795428002000,"source":{"table":"orders"}}
{"before":null,"after":{"id":43,"status":"paid"},"op":"r","ts_ms":1795428002000,"source":{"table":"orders"}}
{"op":"x","before":null,"after":{"id":1},"ts_ms":1,"source":{"table":"orders"}}
nonsense
"#;
    let (records, import) = read_with(lines, &changes());
    assert_eq!(
        told(&records),
        [
            "write order/42 status  -> created",
            "write order/42 total  -> 30",
            "write order/42 status created -> paid",
            "delete order/42   -> ",
            "read order/43 status  -> paid",
        ]
    );
    assert_eq!(records[0].time().0, 1_795_428_000_250_000_000, "the database's time, not the connector's");
    assert_eq!(records[2].time().0, 1_795_428_001_000_001_000);
    assert_eq!(records[0].resource.service(), "cdc/orders");
    assert_eq!(import.faults.len(), 2, "{:?}", import.faults);
    assert_eq!(import.faults[0].place, "line 5");
    let read = said(&records[2]);
    assert_eq!(
        read.iter().map(|said| said.field.as_str()).collect::<Vec<_>>(),
        ["status"],
        "read once, not from its text too"
    );
}

#[test]
fn an_audit_table_has_a_row_for_each_field_or_for_each_change() {
    let mut options = changes();
    for column in [
        "time=changed_at",
        "key=order_id",
        "field=column_name",
        "from=old",
        "value=new",
        "op=action",
        "entity=what",
    ] {
        options.state.add_column(column).expect("a role");
    }
    options.logs.zone = "utc".parse().ok();
    let csv = "changed_at;order_id;what;column_name;old;new;action\n\
               2026-11-23 10:00:00.25;42;Orders;status;created;paid;UPDATE\n\
               2026-11-23 10:00:01;42;Orders;note;;\"a; \"\"b\"\"\nc\";update\n\
               soon;42;Orders;status;a;b;update\n\
               2026-11-23 10:00:01;42;Orders;status;a;b;frobnicate\n\
               too;few\n";
    let (records, import) = read_with(csv, &options);
    assert_eq!(
        told(&records),
        ["write order/42 status created -> paid", "write order/42 note  -> a; \"b\"\nc"]
    );
    assert_eq!(records[0].time().0, 1_795_428_000_250_000_000);
    let places: Vec<&str> = import.faults.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(places, ["line 5", "line 6", "line 7"], "{:?}", import.faults);
}

#[test]
fn an_outbox_has_the_row_in_a_column_and_its_trace_beside() {
    let mut options = changes();
    for column in
        ["time=created_at", "entity=aggregatetype", "key=aggregateid", "after=payload", "traceparent=tracing"]
    {
        options.state.add_column(column).expect("a role");
    }
    let csv = "id,aggregatetype,aggregateid,payload,created_at,tracing\n\
               1,order,42,\"{\"\"status\"\":\"\"paid\"\",\"\"total\"\":30}\",2026-11-23T10:00:00Z,00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n";
    let (records, import) = read_with(csv, &options);
    assert_eq!(
        told(&records),
        ["write order/42 status  -> paid", "write order/42 total  -> 30"],
        "{:?}",
        import.faults
    );
    assert_eq!(records[0].span_id().map(|id| id.to_string()).as_deref(), Some("b7ad6b7169203331"));
    assert_eq!(
        records[0].attributes().get("backstory.transaction"),
        records[1].attributes().get("backstory.transaction"),
        "one row, one transaction"
    );
}

#[test]
fn a_snapshot_is_observed_at_its_moment_or_within_it() {
    let csv = "id,price,stock\n7,30,2\n8,31,0\n,1,1\n";
    let mut options = snapshot("2026-11-23T10:00:00Z");
    options.state.fields = vec!["price".into()];
    let (records, import) = read_with(csv, &options);
    assert_eq!(told(&records), ["read product/7 price  -> 30", "read product/8 price  -> 31"]);
    assert!(
        records
            .iter()
            .all(|record| record.as_log().is_some_and(|log| log.time.0 == 1_795_428_000_000_000_000))
    );
    assert_eq!(import.faults[0].what, "it has no key in column id");

    let (records, _) = read_with("{\"id\":7,\"price\":30}\n", &snapshot("2026-11-23T10:00:00Z ± 1s"));
    let [Record { body: Body::Span(span), .. }] = records.as_slice() else { panic!("one span: {records:?}") };
    assert_eq!(
        (span.start.0, span.end.0),
        (1_795_427_999_000_000_000, 1_795_428_001_000_000_000),
        "it may have been any time between"
    );
    let again = read_with("{\"id\":7,\"price\":30}\n", &snapshot("2026-11-23T10:00:00Z ± 1s")).0;
    assert_eq!(again[0].id, records[0].id);
}

#[test]
fn a_key_of_several_columns_is_written_by_name() {
    let mut options = snapshot("2026-11-23T10:00:00Z");
    options.state.key = vec!["shop".into(), "number".into()];
    let (records, _) = read_with("number\tshop\tprice\n7\teast\t3\n", &options);
    let names: Vec<String> = timeline::naming::names(&records[0])
        .into_iter()
        .map(|name| format!("{}/{}", name.kind, name.key))
        .collect();
    assert!(names.contains(&"product/number=7,shop=east".to_owned()), "{names:?}");
}

#[test]
fn what_must_be_said_is_asked_for() {
    let wrong = |text: &str, options: &Options| {
        crate::read(text.as_bytes(), options, &mut |_| Ok(())).expect_err("something is missing").to_string()
    };
    let mut bare = changes();
    bare.state.copy = None;
    assert!(wrong("{}", &bare).contains("--copy"));
    let mut untimed = snapshot("2026-11-23T10:00:00Z");
    untimed.state.at = None;
    assert!(wrong("id\n7\n", &untimed).contains("--at"));
    let mut zoneless = changes();
    zoneless.state.add_column("time=t").expect("a role");
    assert!(wrong("t,id\n2026-11-23 10:00:00,1\n", &zoneless).contains("--zone"));
    assert!(
        StateOptions::default()
            .add_column("when=t")
            .expect_err("no role")
            .to_string()
            .contains("traceparent")
    );
    assert!(
        "yesterday".parse::<Moment>().is_err() && "2026-11-23T10:00:00Z ± soon".parse::<Moment>().is_err()
    );
}

proptest::proptest! {
    #[test]
    fn no_file_makes_it_panic(text in "[a-z0-9\",;\n{}:\\[\\]]{0,200}", csv: bool) {
        let text = if csv { format!("time,id,after\n{text}") } else { format!("{{{text}") };
        let mut options = changes();
        options.state.entity = Some("order".into());
        if csv {
            options.state.add_column("time=time").expect("a role");
            options.state.add_column("after=after").expect("a role");
        }
        let _ = crate::read(text.as_bytes(), &options, &mut |_| Ok(()));
        let _ = crate::read(text.as_bytes(), &snapshot("2026-11-23T10:00:00Z"), &mut |_| Ok(()));
    }
}
