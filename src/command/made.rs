//! A timeline in a format: from the public document, or from the records that it is told from.

use anyhow::Context;
use journal::otlp::{self, Encoding, Signal};
use query::export::{self, Export, Style};
use query::interface::Query;
use timeline::document::Completeness;
use timeline::record::{Position, Record};

use crate::cli::{TimelineFormat, Which};
use crate::command::{effort, placed, timeline as question};
use crate::output;

/// A timeline in a format, and what is to be said beside it.
pub(crate) struct Made {
    /// The file's text.
    pub(crate) export: Export,
    /// What it rests on.
    pub(crate) completeness: Completeness,
}

/// Asks, and makes it.
pub(crate) fn make(which: &Which, format: TimelineFormat, query: &dyn Query) -> anyhow::Result<Made> {
    if matches!(format, TimelineFormat::Otlp | TimelineFormat::Jaeger) {
        return of_records(which, format, query);
    }
    let told = question::ask(which, query)?;
    let export = match format.export() {
        Some(format) => format.of(&told),
        None => {
            let style = Style { colour: output::colour(), ids: which.ids, ..Style::new(output::width()) };
            Export { text: export::text(&told, &style), folded: None }
        }
    };
    Ok(Made { export, completeness: told.completeness })
}

fn of_records(which: &Which, format: TimelineFormat, query: &dyn Query) -> anyhow::Result<Made> {
    let request = question::request(which)?;
    let answer = query.records(&request, &effort()).map_err(|error| placed(error, &which.entity))?;
    let export = if format == TimelineFormat::Jaeger {
        export::jaeger(&records(&answer.requests)?)
    } else {
        let lines = answer.requests.iter().map(|request| request.to_string() + "\n");
        Export { text: lines.collect(), folded: None }
    };
    Ok(Made { export, completeness: answer.completeness })
}

fn records(requests: &[serde_json::Value]) -> anyhow::Result<Vec<Record>> {
    let mut records = Vec::new();
    for request in requests {
        let signal = if request.get("resourceSpans").is_some() { Signal::Traces } else { Signal::Logs };
        let body = request.to_string();
        let read = otlp::decode(signal, Encoding::Json, body.as_bytes(), &[], Position::default(), None);
        records.extend(read.context("the records came in another form than OTLP/JSON")?);
    }
    Ok(records)
}

/// Prints it; what it lacks goes to standard error.
pub(crate) fn print(made: &Made, format: TimelineFormat) -> anyhow::Result<()> {
    output::print(&made.export.text)?;
    if format != TimelineFormat::Json {
        say_what_is_lacking(made);
    }
    Ok(())
}

/// Says on standard error what a format had no room for, and what the answer lacks.
pub(crate) fn say_what_is_lacking(made: &Made) {
    if let Some(folded) = &made.export.folded {
        eprintln!("backstory: not whole: {folded}");
    }
    output::warn_incomplete(&made.completeness);
}
