//! The durable log of what was received: the source of truth; OTLP record views.

pub mod otlp;
