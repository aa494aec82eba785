//! The collector's part of the configuration.

use std::sync::Arc;

use serde::Deserialize;

use crate::tokens::Tokens;

/// Where the collector listens and what it bounds. Unknown keys are errors.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// `HOST:PORT` for OTLP/gRPC. Port 0 picks a free one; `localhost` means both of its addresses.
    pub grpc: String,
    /// `HOST:PORT` for OTLP/HTTP.
    pub http: String,
    /// Who may send; everybody where `None`, which only a loopback address allows.
    #[serde(skip)]
    pub tokens: Option<Arc<Tokens>>,
    /// The largest request in bytes, before and after its compression is undone.
    pub request_bytes_max: usize,
    /// How many bytes of requests may be held at once, over all connections; when they are full, senders are
    /// told to come back. At least twice `request_bytes_max`: a compressed request and what comes out of it.
    pub in_flight_bytes_max: usize,
    /// The web origins that may send from a browser: `https://shop.example`, `https://*.shop.example`, `*`.
    pub cors_origins: Vec<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            grpc: "127.0.0.1:4317".into(),
            http: "127.0.0.1:4318".into(),
            tokens: None,
            request_bytes_max: 64 << 20,
            in_flight_bytes_max: 128 << 20,
            cors_origins: Vec::new(),
        }
    }
}
