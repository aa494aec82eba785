//! What befell order/42; and timelines that are larger than a person reads.

use serde_json::{Value, json};
use timeline::document::{
    Basis, Belongs, Certainty, Completeness, CompletenessBasis, EventKind, Evidence, Finding, FindingKind,
    FindingStatus, Folded, Gap, GapKind, Grade, Identity, Incompleteness, Op, Outcome, StateChange,
    StateEvidence, Stream, StreamState, Timeline, ValueBasis,
};
use timeline::id::EventId;
use timeline::record::{Severity, SpanKind};
use timeline::time::Time;

use super::{Story, attributes};

fn change(copy: &str, op: Op, field: &str, from: Option<&str>, value: &str) -> StateChange {
    StateChange {
        entity: "order/42".to_owned(),
        copy: copy.to_owned(),
        part: copy.contains("charges"),
        op,
        field: Some(field.to_owned()),
        from: from.map(Value::from),
        value: Some(Value::from(value)),
        delta: None,
        version: None,
        outcome: Outcome::Ok,
        visible_at: None,
        evidence: if copy.starts_with("redis") { StateEvidence::Redis } else { StateEvidence::Sql },
        identity: Identity::Own,
    }
}

/// The incident: a lost reply and a retry that charges twice, a stale cache, a message nobody handles.
pub(crate) fn incident() -> Timeline {
    use Evidence as E;
    use SpanKind::{Client, Consumer, Internal, Producer, Server};
    let mut s = Story::new();
    let orders = s.process("orders", "node-a", 0, Some(0));
    let payments = s.process("payments", "node-b", -7_300_000, Some(210_000));
    let inventory = s.process("inventory", "node-c", 2_450_000_000, Some(480_000));
    let cache = s.process("order-cache", "node-d", 0, None);

    let post = s.span(orders, Server, "POST /orders", 0.0, 1_912.6, |e| {
        e.attributes = Some(attributes(json!({
            "http.request.method": "POST", "http.route": "/orders", "order.id": 42, "url.path": "/orders",
            "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
        })));
    });
    let insert = s.span(orders, Client, "INSERT orders", 1.2, 4.1, |e| {
        e.state = vec![change("shop/orders", Op::Write, "status", None, "created")];
    });
    s.causal(post.0, insert.0, E::Parent);
    let charge = s.span(orders, Client, "POST /charges", 5.0, 1_005.0, |e| {
        e.severity = Some(Severity::Error);
        e.attributes = Some(attributes(json!({ "order.id": 42, "error.type": "timeout" })));
    });
    s.causal(insert.1, charge.0, E::Process);
    let charged = s.span(payments, Server, "POST /charges", 11.3, 214.9, |_| {});
    s.causal(charge.0, charged.0, E::Request);
    let capture = s.span(payments, Client, "INSERT charges", 180.4, 210.2, |e| {
        e.state = vec![change("pay/charges", Op::Write, "state", None, "captured")];
    });
    s.causal(charged.0, capture.0, E::Parent);
    s.gaps.push(Gap {
        kind: GapKind::MissingReply,
        event: Some(charge.1),
        detail: "no answer to POST /charges was seen".to_owned(),
    });
    let retry_log = s.log(orders, Severity::Warn, "charge timed out after 1.0 s, retrying", 1_005.4);
    s.causal(post.0, retry_log, E::LogInSpan);
    let again = s.span(orders, Client, "POST /charges", 1_006.0, 1_232.4, |_| {});
    s.causal(charge.0, again.0, E::Retry);
    let charged_again = s.span(payments, Server, "POST /charges", 1_012.5, 1_230.0, |_| {});
    s.causal(again.0, charged_again.0, E::Request);
    s.causal(charged_again.0, again.1, E::Reply);
    let capture_again = s.span(payments, Client, "INSERT charges", 1_190.0, 1_220.6, |e| {
        e.state = vec![change("pay/charges", Op::Write, "state", None, "captured")];
    });
    s.causal(charged_again.0, capture_again.0, E::Parent);
    let paid = s.span(orders, Client, "UPDATE orders", 1_908.0, 1_912.2, |e| {
        e.state = vec![change("shop/orders", Op::Write, "status", Some("created"), "paid")];
    });
    s.causal(post.0, paid.0, E::Parent);
    s.edge(again.1, paid.0, Certainty::Clock, E::Process);
    let publish = s.span(orders, Producer, "publish order.paid", 1_912.3, 1_912.5, |_| {});
    s.causal(post.0, publish.0, E::Parent);
    let reserve = s.span(inventory, Consumer, "process order.paid", 1_926.1, 1_934.8, |_| {});
    s.causal(publish.0, reserve.0, E::Message);
    let stock = s.span(inventory, Client, "UPDATE stock", 1_928.0, 1_931.7, |e| {
        e.state = vec![change("stock/reserved", Op::Write, "reserved", None, "1")];
    });
    s.causal(reserve.0, stock.0, E::Parent);
    let twin = s.span(inventory, Internal, "query", 1_928.1, 1_931.5, |e| e.folded = Some(Folded::Twin));
    s.causal(stock.0, twin.0, E::Parent);
    for event in s.events.iter_mut().filter(|event| event.id == twin.0) {
        event.folded = Some(Folded::Twin);
    }
    let get = s.span(cache, Server, "GET /orders/42", 4_930.1, 4_931.9, |_| {});
    let read = s.span(cache, Client, "GET order:42", 4_930.6, 4_930.9, |e| {
        e.state = vec![change("redis/order", Op::Read, "status", None, "created")];
    });
    s.causal(get.0, read.0, E::Parent);
    let set = s.span(cache, Client, "SET order:42", 5_100.0, 5_100.3, |e| {
        e.state = vec![change("redis/order", Op::Write, "status", Some("created"), "paid")];
    });
    s.causal(read.1, set.0, E::Process);
    let noise = s.log(inventory, Severity::Debug, "connection returned to pool", 5_100.1);
    for event in &mut s.events {
        match event.id {
            id if id == noise => {
                (event.folded, event.unordered_with) = (Some(Folded::Noise), vec![set.0, set.1]);
            }
            id if id == set.0 || id == set.1 => event.unordered_with = vec![noise],
            id if id == stock.1 => event.belongs = Belongs::Descendant,
            _ => {}
        }
    }
    let ship = s.span(orders, Producer, "publish order.shipped", 8_300.0, 8_300.4, |_| {});
    s.edge(post.1, ship.0, Certainty::Clock, E::Process);
    s.edge(set.1, ship.0, Certainty::Assumed, E::Declared);
    s.gaps.push(Gap {
        kind: GapKind::MissingReceiver,
        event: Some(ship.0),
        detail: "order.shipped: sent, nobody received it".to_owned(),
    });
    let last = s.log(orders, Severity::Error, "shipment\u{1b}[31m not confirmed for order 42", 9_120.0);
    s.edge(ship.1, last, Certainty::Clock, E::Process);
    s.findings = vec![
        finding(
            FindingKind::DuplicateApply,
            Grade::Proved,
            "charges of order/42 captured twice by one command",
            &[capture.1, capture_again.1],
        ),
        finding(
            FindingKind::StaleRead,
            Grade::Possible,
            "order-cache served status=created 3.0 s after it was paid",
            &[paid.1, read.1],
        ),
    ];
    let mut timeline = s.tell("order", "42");
    timeline.completeness = Completeness {
        complete: false,
        reasons: vec![Incompleteness::Sampled],
        streams: vec![Stream {
            service: "payments".to_owned(),
            signal: "spans".to_owned(),
            state: StreamState::Sampled,
            rate: Some(0.1),
            evidence: Some("tracestate ot=th".to_owned()),
        }],
        ..timeline.completeness
    };
    timeline
}

/// What should have befallen order/42, as it befell order/41.
pub(crate) fn healthy() -> Timeline {
    use Evidence as E;
    use SpanKind::{Client, Server};
    let mut s = Story::new();
    let orders = s.process("orders", "node-a", 0, Some(0));
    let payments = s.process("payments", "node-b", -7_300_000, Some(210_000));
    let post = s.span(orders, Server, "POST /orders", 0.0, 260.0, |_| {});
    let insert = s.span(orders, Client, "INSERT orders", 1.2, 4.1, |e| {
        e.state = vec![StateChange {
            entity: "order/41".to_owned(),
            ..change("shop/orders", Op::Write, "status", None, "created")
        }];
    });
    s.causal(post.0, insert.0, E::Parent);
    let charge = s.span(orders, Client, "POST /charges", 5.0, 215.0, |_| {});
    s.causal(post.0, charge.0, E::Parent);
    let charged = s.span(payments, Server, "POST /charges", 11.3, 209.9, |_| {});
    s.causal(charge.0, charged.0, E::Request);
    s.causal(charged.0, charge.1, E::Reply);
    let capture = s.span(payments, Client, "INSERT charges", 180.4, 205.2, |e| {
        e.state = vec![StateChange {
            entity: "order/41".to_owned(),
            ..change("pay/charges", Op::Write, "state", None, "captured")
        }];
    });
    s.causal(charged.0, capture.0, E::Parent);
    s.tell("order", "41")
}

fn finding(kind: FindingKind, grade: Grade, summary: &str, events: &[EventId]) -> Finding {
    Finding {
        id: "f-1c2a77e0b4d95f31".to_owned(),
        kind,
        grade,
        basis: Basis {
            order: Some(Certainty::Causal),
            identity: Identity::Own,
            value: ValueBasis::Seen,
            completeness: CompletenessBasis::NotNeeded,
        },
        status: FindingStatus::Settled,
        class: None,
        repaired_by: None,
        consequence_of: None,
        entity: Some("order/42".to_owned()),
        entities: vec!["order/42".to_owned()],
        events: events.to_vec(),
        records: Vec::new(),
        trace_ids: Vec::new(),
        summary: summary.to_owned(),
        from: Time::UNSET,
        until: None,
    }
}

/// Many events of many services, to see that size does no harm.
pub(crate) fn large(events: usize, services: usize) -> Timeline {
    let mut s = Story::new();
    for number in 0..services {
        s.process(&format!("service-{number}"), "node-a", 0, Some(1000));
    }
    let mut previous = None;
    for number in 0..events / 2 {
        let ms = number as f64;
        let span =
            s.span(number % services, SpanKind::Server, &format!("step {number}"), ms, ms + 0.5, |_| {});
        if let Some(previous) = previous {
            s.causal(previous, span.0, Evidence::Request);
        }
        previous = Some(span.0);
    }
    s.tell("order", "large")
}

/// More services than there is room for, two of which write state.
pub(crate) fn crowded() -> Timeline {
    let mut timeline = large(60, 20);
    for (at, event) in timeline.events.iter_mut().enumerate() {
        let writes = event.kind == EventKind::SpanEnd && ["p3", "p7"].contains(&event.process.as_str());
        if writes {
            event.state = vec![change("shop/orders", Op::Write, "step", None, &at.to_string())];
        }
    }
    timeline
}
