//! OTLP receivers over gRPC and HTTP: limits, backpressure, acknowledgement after the sync.
