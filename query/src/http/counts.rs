//! What was asked, in Prometheus' text form.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::{ROUTES, jaeger};

/// How many requests each route answered with each status, and how long that took.
#[derive(Debug, Default)]
pub(super) struct Counts {
    answered: Mutex<BTreeMap<(&'static str, u16), Answered>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Answered {
    requests: u64,
    time: Duration,
}

impl Counts {
    fn add(&self, route: &'static str, status: u16, time: Duration) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let row = answered.entry((route, status)).or_default();
        row.requests += 1;
        row.time += time;
    }

    pub(super) fn to_prometheus(&self) -> String {
        let rows = self.answered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut text = String::new();
        let mut family = |name: &str, help: &str, value: &dyn Fn(&Answered) -> String| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
            for ((route, status), row) in &rows {
                let _ = writeln!(text, "{name}{{route=\"{route}\",status=\"{status}\"}} {}", value(row));
            }
        };
        family("backstory_query_requests_total", "Requests that the query API answered.", &|row| {
            row.requests.to_string()
        });
        family("backstory_query_seconds_total", "How long answering them took.", &|row| {
            row.time.as_secs_f64().to_string()
        });
        text
    }
}

/// Counts a request by the route that answers it, so that no caller can make new rows.
pub(super) async fn count(State(counts): State<Arc<Counts>>, request: Request, next: Next) -> Response {
    let route = route_of(request.uri().path());
    let begun = Instant::now();
    let response = next.run(request).await;
    counts.add(route, response.status().as_u16(), begun.elapsed());
    response
}

fn route_of(path: &str) -> &'static str {
    let answers = |route: &&str| match route.split_once('{') {
        Some((before, _)) => path.starts_with(before),
        None => path == *route,
    };
    ROUTES.into_iter().chain(jaeger::ROUTES).find(answers).unwrap_or("none")
}
