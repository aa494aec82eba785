//! Stamps on spans and logs.

use std::time::Duration;

use opentelemetry::logs::LogRecord as _;
use opentelemetry::trace::Span as _;
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::ProcessClock;
use crate::tracestate;

/// Writes this process's stamp into the attribute `hlc` of every span, at its start, and of every log.
///
/// It stands *before* the processors that export.
#[derive(Clone, Debug)]
pub struct StampProcessor {
    clock: ProcessClock,
}

impl StampProcessor {
    /// A processor that writes this clock's stamps.
    pub fn new(clock: ProcessClock) -> StampProcessor {
        StampProcessor { clock }
    }
}

impl SpanProcessor for StampProcessor {
    fn on_start(&self, span: &mut Span, _: &Context) {
        span.set_attribute(KeyValue::new(tracestate::NAME, self.clock.stamp().to_string()));
    }

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl LogProcessor for StampProcessor {
    fn emit(&self, data: &mut SdkLogRecord, _: &InstrumentationScope) {
        data.add_attribute(tracestate::NAME, self.clock.stamp().to_string());
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry::logs::{AnyValue, Logger as _, LoggerProvider as _};
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::logs::SdkLoggerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    /// Keeps the stamps of what an exporter would get.
    #[derive(Clone, Debug, Default)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl Kept {
        fn push(&self, stamp: String) {
            self.0.lock().expect("no panic").push(stamp);
        }
    }

    impl SpanProcessor for Kept {
        fn on_start(&self, _: &mut Span, _: &Context) {}

        fn on_end(&self, span: SpanData) {
            let stamps =
                span.attributes.iter().filter(|attribute| attribute.key.as_str() == tracestate::NAME);
            stamps.for_each(|stamp| self.push(stamp.value.to_string()));
        }

        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }

        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            Ok(())
        }
    }

    impl LogProcessor for Kept {
        fn emit(&self, data: &mut SdkLogRecord, _: &InstrumentationScope) {
            for (key, value) in data.attributes_iter() {
                if let (tracestate::NAME, AnyValue::String(stamp)) = (key.as_str(), value) {
                    self.push(stamp.as_str().to_owned());
                }
            }
        }

        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }

        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            Ok(())
        }
    }

    #[test]
    fn a_span_and_the_log_after_it_carry_increasing_stamps() {
        let processor = StampProcessor::new(ProcessClock::new("a", || 1_795_428_000_000_000_000));
        let kept = Kept::default();
        let spans = SdkTracerProvider::builder()
            .with_span_processor(processor.clone())
            .with_span_processor(kept.clone())
            .build();
        let logs = SdkLoggerProvider::builder()
            .with_log_processor(processor)
            .with_log_processor(kept.clone())
            .build();
        spans.tracer("test").start("work").end();
        let logger = logs.logger("test");
        logger.emit(logger.create_log_record());
        let stamps: Vec<crate::Stamp> =
            kept.0.lock().expect("no panic").iter().map(|stamp| stamp.parse().expect("a stamp")).collect();
        assert_eq!(stamps.len(), 2);
        assert!(stamps[0] < stamps[1]);
    }
}
