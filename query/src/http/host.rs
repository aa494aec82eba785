//! By which names the server goes.
//!
//! A page in a browser may be served from a name that then resolves to 127.0.0.1, and would read what this
//! server answers: to the browser both are one origin. Such a request names the page's host, and knows no token.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::failure::{Code, Failure};
use super::jaeger;

/// Lets pass what names an address or `localhost`, and what carries a token, which others check.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let named = named.or_else(|| request.uri().host()).unwrap_or_default();
    if goes_by(named) || request.headers().contains_key(header::AUTHORIZATION) {
        return next.run(request).await;
    }
    let message = "without a token this server answers only to an address or localhost: ask http://127.0.0.1 with its port";
    let failure = Failure::new(Code::Misdirected, message);
    if jaeger::is_path(request.uri().path()) { jaeger::refusal(failure) } else { failure.into_response() }
}

fn goes_by(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::goes_by;

    #[test]
    fn it_goes_by_addresses_and_localhost() {
        for host in [
            "127.0.0.1:4320",
            "127.0.0.1",
            "localhost:4320",
            "LOCALHOST",
            "[::1]:4320",
            "[::1]",
            "10.0.0.7:1",
        ] {
            assert!(goes_by(host), "{host}");
        }
        for host in
            ["", "evil.example:4320", "evil.example", "127.0.0.1.evil.example", "localhost.evil:80", ":4320"]
        {
            assert!(!goes_by(host), "{host}");
        }
    }
}
