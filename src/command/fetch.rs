//! `backstory fetch jaeger|tempo URL`: what a tracing backend that runs already knows, brought in.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use query::archive::Window;
use query::export::sanitise;
use timeline::question::Question;

use crate::cli::{Backend as Kind, Fetch};
use crate::command::{Usage, window};
use crate::config::{Serving, Source, parse_duration};
use crate::fetch::{Backend, Budget, Client, Fetched, Jaeger, Plan, Search, Tempo};
use crate::intake::Intake;
use crate::source;

/// So many words on what is lacking are printed; the rest is counted.
const LACKS_SHOWN: usize = 50;

/// Fetches, and says what came and what did not.
pub(crate) fn run(
    fetch: &Fetch,
    source: &Source,
    serving: &Serving,
    token: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let plan = plan(fetch)?;
    let client = client(fetch)?;
    let backend: &dyn Backend = match fetch.from {
        Kind::Jaeger => &Jaeger,
        Kind::Tempo => &Tempo::default(),
    };
    let keep = journal::Options {
        keep_for: serving.keep_for,
        keep_bytes: serving.keep_bytes,
        ..journal::Options::default()
    };
    let mut intake = Intake::to(source, keep, token, fetch.otlp.as_deref(), "fetch")?;
    let fetched =
        crate::fetch::fetch(backend, &client, &plan, &mut |request| intake.take(request, client.base()));
    intake.finish(source)?;
    let fetched = fetched?;
    tell(&fetched, &client);
    Ok(if fetched.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn plan(fetch: &Fetch) -> anyhow::Result<Plan> {
    if fetch.query.is_some() && fetch.from == Kind::Jaeger {
        let message = "--query is Tempo's: search Jaeger with --service, --operation and --tag";
        return Err(Usage(message.to_owned()).into());
    }
    let subject = fetch.entity.as_deref().map(|entity| {
        entity
            .parse::<Question>()
            .map(|question| question.subject)
            .map_err(|error| Usage(format!("--entity: {error}")))
    });
    let tag = |text: &String| {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Usage(format!("--tag is KEY=VALUE, as order.id=42, not {text:?}")))?;
        Ok((key.to_owned(), value.to_owned()))
    };
    let window = window(fetch.since.as_deref(), fetch.until.as_deref())?;
    let until = window.until.unwrap_or(source::now().time);
    let search = fetch.since.is_some().then_some(Search {
        query: fetch.query.clone(),
        service: fetch.service.clone(),
        operation: fetch.operation.clone(),
        tags: fetch.tags.iter().map(tag).collect::<Result<_, Usage>>()?,
        duration_min: fetch.duration_min.clone(),
        duration_max: fetch.duration_max.clone(),
        window: Window { until: Some(until), ..window },
        limit: fetch.limit.get(),
    });
    Ok(Plan {
        search,
        traces: fetch.traces.clone(),
        subject: subject.transpose()?,
        expand: !fetch.no_expand,
        spans_max: fetch.spans_max,
    })
}

fn client(fetch: &Fetch) -> anyhow::Result<Client> {
    let mut headers = Vec::new();
    for text in &fetch.headers {
        let (name, value) = text
            .split_once(':')
            .filter(|(name, _)| !name.trim().is_empty())
            .ok_or_else(|| Usage(format!("--header is NAME: VALUE, not {text:?}")))?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    if let Some(file) = &fetch.token_file {
        let token = std::fs::read_to_string(file)
            .with_context(|| format!("the token in {} cannot be read", file.display()))?;
        headers.push(("authorization".to_owned(), format!("Bearer {}", token.trim())));
    }
    let time = parse_duration(&fetch.time_max).map_err(|error| Usage(format!("--time-max: {error:#}")))?;
    let budget = Budget { requests_max: fetch.requests_max, deadline: Instant::now() + time };
    Ok(Client::new(&fetch.url, headers, budget).map_err(Usage)?)
}

/// Says on standard error what came, and what did not.
fn tell(fetched: &Fetched, client: &Client) {
    let Fetched { traces, spans, logs, lacks, failures } = fetched;
    let requests = client.requests();
    let base = sanitise(client.base());
    eprintln!(
        "backstory: {base}: {traces} traces, {spans} spans, {logs} log records, in {requests} requests"
    );
    for (word, told) in [("not whole", lacks), ("failed", failures)] {
        for text in told.iter().take(LACKS_SHOWN) {
            eprintln!("backstory: {word}: {}", sanitise(text));
        }
        if told.len() > LACKS_SHOWN {
            eprintln!("backstory: {word}: … and {} more", told.len() - LACKS_SHOWN);
        }
    }
}
