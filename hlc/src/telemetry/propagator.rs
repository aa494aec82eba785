//! Stamps between services.

use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};

use super::ProcessClock;
use crate::tracestate;

const HEADER: &str = "tracestate";

/// The span event that says at which stamp a span sent something.
const SENT: &str = "sent";

static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| [HEADER.to_owned()]);

/// Sends this process's stamp in the tracestate member `hlc`, and merges those received.
///
/// It stands *after* the `TraceContextPropagator` in a `TextMapCompositePropagator`: that one writes the tracestate
/// which this one completes.
#[derive(Clone, Debug)]
pub struct StampPropagator {
    clock: ProcessClock,
}

impl StampPropagator {
    /// A propagator of this clock's stamps.
    pub fn new(clock: ProcessClock) -> StampPropagator {
        StampPropagator { clock }
    }
}

impl TextMapPropagator for StampPropagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let context = span.span_context();
        if !context.is_valid() {
            return;
        }
        let stamp = self.clock.send();
        // The sender's own record of the stamp: what a receiver's is matched with.
        let sent = UNIX_EPOCH + Duration::from_nanos(self.clock.wall_ns());
        span.add_event_with_timestamp(SENT, sent, vec![KeyValue::new(tracestate::NAME, stamp.to_string())]);
        injector.set(HEADER, tracestate::with(&context.trace_state().header(), stamp));
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        if let Some(trace_state) = extractor.get(HEADER) {
            self.clock.receive(trace_state);
        }
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(FIELDS.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use opentelemetry::propagation::TextMapCompositePropagator;
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
    use opentelemetry_sdk::propagation::TraceContextPropagator;

    use super::super::Ignored;
    use super::*;
    use crate::Stamp;

    const WALL_NS: u64 = 1_795_428_000_000_000_000;

    fn clock(name: &str, wall_ns: u64) -> ProcessClock {
        ProcessClock::new(name, move || wall_ns)
    }

    fn propagator(clock: &ProcessClock) -> TextMapCompositePropagator {
        let stamps = StampPropagator::new(clock.clone());
        TextMapCompositePropagator::new(vec![Box::new(TraceContextPropagator::new()), Box::new(stamps)])
    }

    fn context(trace_state: &str) -> Context {
        let trace_state = trace_state.parse::<TraceState>().expect("a tracestate");
        let span =
            SpanContext::new(TraceId::from(7), SpanId::from(8), TraceFlags::SAMPLED, false, trace_state);
        Context::new().with_remote_span_context(span)
    }

    fn carried(headers: &HashMap<String, String>) -> Stamp {
        tracestate::carried(&headers[HEADER]).expect("a member").expect("a stamp")
    }

    #[test]
    fn what_is_sent_is_received_by_a_clock_that_is_behind() {
        let (sender, receiver) = (clock("a", WALL_NS), clock("b", WALL_NS - 500_000_000));
        let mut headers = HashMap::new();
        propagator(&sender).inject_context(&context("ot=th:8"), &mut headers);
        assert!(headers[HEADER].ends_with(",ot=th:8"), "{headers:?}");
        let received = propagator(&receiver).extract_with_context(&Context::new(), &headers);
        // The receiver's span shows the sender's stamp.
        let shown = received.span().span_context().trace_state().header();
        assert_eq!(tracestate::carried(&shown), Some(Ok(carried(&headers))));
        assert!(receiver.stamp() > carried(&headers));
        assert_eq!(receiver.ignored(), Ignored::default());
    }

    #[test]
    fn each_message_has_a_greater_stamp_and_two_receivers_of_one_send_different_ones() {
        let mut first = HashMap::new();
        propagator(&clock("a", WALL_NS)).inject_context(&context(""), &mut first);
        let sent_on = |name: &str| {
            let behind = clock(name, WALL_NS - 900_000_000);
            let received = propagator(&behind).extract_with_context(&Context::new(), &first);
            let mut headers = HashMap::new();
            propagator(&behind).inject_context(&received, &mut headers);
            carried(&headers)
        };
        assert!(sent_on("payments-1") > carried(&first));
        assert_ne!(sent_on("payments-1"), sent_on("payments-2"));
    }

    #[test]
    fn what_is_no_stamp_or_too_far_ahead_is_ignored_and_counted() {
        let receiver = clock("b", WALL_NS);
        let ahead = Stamp::from_wall_ns(WALL_NS + 2 * crate::AHEAD_NS_MAX);
        for trace_state in ["hlc=soon".to_owned(), format!("hlc={ahead}"), "a=b".to_owned()] {
            let headers = HashMap::from([(HEADER.to_owned(), trace_state)]);
            propagator(&receiver).extract_with_context(&Context::new(), &headers);
        }
        assert_eq!(receiver.ignored(), Ignored { malformed: 1, too_far_ahead: 1 });
        assert!(receiver.stamp() < ahead);
    }

    #[test]
    fn a_full_tracestate_keeps_its_first_members_in_order() {
        let members: Vec<String> = (0..32).map(|number| format!("v{number}=x")).collect();
        let mut headers = HashMap::new();
        propagator(&clock("a", WALL_NS)).inject_context(&context(&members.join(",")), &mut headers);
        let kept: Vec<&str> = headers[HEADER].split(',').skip(1).collect();
        assert_eq!(kept, members[..31]);
    }

    #[test]
    fn nothing_is_sent_outside_a_span() {
        let mut headers = HashMap::new();
        propagator(&clock("a", WALL_NS)).inject_context(&Context::new(), &mut headers);
        assert!(headers.is_empty(), "{headers:?}");
    }
}
