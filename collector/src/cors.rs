//! Cross-origin requests: which web pages may send their own telemetry here. None, unless configured.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::answer::Answer;

/// How long a browser may remember a preflight, in seconds: two hours, as long as any browser does.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("7200");

/// What a page may always send: JSON makes the browser ask for `content-type` first.
const HEADERS: HeaderValue = HeaderValue::from_static("content-type, content-encoding, authorization");

/// The origins allowed: `https://shop.example`, `https://*.shop.example` or `*`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cors {
    origins: Vec<String>,
}

impl Cors {
    pub(crate) fn new(origins: Vec<String>) -> Cors {
        Cors { origins }
    }

    /// The answer to a preflight request; `None` if this is none, or CORS is off.
    pub(crate) fn preflight(&self, head: &http::request::Parts) -> Option<Response<Answer>> {
        let asks = head.method == Method::OPTIONS && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if self.origins.is_empty() || !asks {
            return None;
        }
        let mut response = Response::new(Answer::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if self.allowed(&head.headers).is_some() {
            let wanted = head.headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(HEADERS));
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
        }
        Some(response)
    }

    /// Lets the page that sent the request read its answer, if its origin is allowed.
    pub(crate) fn mark(&self, request: &HeaderMap, response: &mut Response<Answer>) {
        if self.origins.is_empty() {
            return;
        }
        response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = self.allowed(request) {
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
    }

    fn allowed<'a>(&self, request: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let origin = request.get(ORIGIN)?;
        let text = origin.to_str().ok()?;
        self.origins.iter().any(|pattern| matches(pattern, text)).then_some(origin)
    }
}

/// Whether an origin fits a pattern with at most one `*`, which stands for at least one character.
fn matches(pattern: &str, origin: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern.eq_ignore_ascii_case(origin),
        Some((before, after)) => {
            origin.len() > before.len() + after.len() && origin.starts_with(before) && origin.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_subdomains_or_for_everything() {
        assert!(matches("*", "https://anything.example"));
        assert!(matches("https://shop.example", "https://shop.example"));
        assert!(matches("https://*.shop.example", "https://eu.shop.example"));
        assert!(!matches("https://*.shop.example", "https://.shop.example"));
        assert!(!matches("https://*.shop.example", "https://shop.example.evil"));
        assert!(!matches("https://*.shop.example", "http://eu.shop.example"));
        assert!(!matches("https://shop.example", "https://shop.example.evil"));
    }
}
