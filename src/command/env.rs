//! `backstory env`: the exporter settings to paste.

use std::net::TcpStream;
use std::time::Duration;

use crate::cli::{Env, Language};
use crate::config::{Serving, Source};
use crate::output;
use crate::server::Addresses;

/// How long a server on this machine may take to answer a knock.
const KNOCK: Duration = Duration::from_millis(300);

/// Prints the lines for one language, or those that every SDK reads; with the addresses of the server that runs on
/// the folder, else with those that one would listen on.
pub(crate) fn run(env: &Env, source: &Source, serving: &Serving) -> anyhow::Result<()> {
    let (grpc, http) = match running(source) {
        Some(addresses) => (addresses.grpc.to_string(), addresses.http.to_string()),
        None => (serving.grpc.clone(), serving.http.clone()),
    };
    output::print(&lines(env.language, &grpc, &http))
}

/// Where the server on the folder listens, if one answers: what a killed one announced is still there.
fn running(source: &Source) -> Option<Addresses> {
    let Source::Folder(folder) = source else { return None };
    let announced = journal::announced(&folder.join("journal")).ok()??;
    let addresses: Addresses = serde_json::from_str(&announced).ok()?;
    TcpStream::connect_timeout(&addresses.query, KNOCK).ok().map(|_| addresses)
}

/// The lines to paste. The short batch delays make data show within half a second of its end; SDKs wait
/// 1 s (logs) to 5 s (spans) by default.
pub(crate) fn lines(language: Option<Language>, grpc: &str, http: &str) -> String {
    match language {
        None => variables(grpc, "grpc"),
        Some(Language::Python) => python(grpc),
        Some(Language::Node) => node(http),
        Some(Language::Java) => java(http),
        Some(Language::Go) => go(grpc),
        Some(Language::Rust) => rust(grpc),
        Some(Language::Dotnet) => dotnet(grpc),
        Some(Language::Collector) => collector(grpc),
    }
}

/// The variables of the OpenTelemetry specification that most SDKs read.
fn variables(address: &str, protocol: &str) -> String {
    format!(
        "export OTEL_SERVICE_NAME=my-service
export OTEL_EXPORTER_OTLP_ENDPOINT=http://{address}
export OTEL_EXPORTER_OTLP_PROTOCOL={protocol}
export OTEL_TRACES_EXPORTER=otlp
export OTEL_LOGS_EXPORTER=otlp
export OTEL_METRICS_EXPORTER=none
export OTEL_TRACES_SAMPLER=parentbased_always_on
export OTEL_BSP_SCHEDULE_DELAY=500
export OTEL_BLRP_SCHEDULE_DELAY=500
"
    )
}

fn python(grpc: &str) -> String {
    format!(
        "# pip install opentelemetry-distro opentelemetry-exporter-otlp && opentelemetry-bootstrap -a install
{}export OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED=true
# then: opentelemetry-instrument python app.py
",
        variables(grpc, "grpc")
    )
}

fn node(http: &str) -> String {
    format!(
        "# npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node
{}export OTEL_NODE_RESOURCE_DETECTORS=env,host,process
export NODE_OPTIONS='--require @opentelemetry/auto-instrumentations-node/register'
# then: node app.js
",
        variables(http, "http/protobuf")
    )
}

fn java(http: &str) -> String {
    format!(
        "# with opentelemetry-javaagent.jar beside the program
{}export JAVA_TOOL_OPTIONS='-javaagent:opentelemetry-javaagent.jar'
# then: java -jar app.jar
",
        variables(http, "http/protobuf")
    )
}

fn go(grpc: &str) -> String {
    format!(
        "# Go's SDK reads the endpoint by itself, the rest where the program uses
# go.opentelemetry.io/contrib/exporters/autoexport
{}",
        variables(grpc, "grpc")
    )
}

fn rust(grpc: &str) -> String {
    format!(
        "# opentelemetry-otlp's builders read the endpoint, the SDK's batch processors the delays
{}",
        variables(grpc, "grpc")
    )
}

fn dotnet(grpc: &str) -> String {
    format!(
        "# builder.Services.AddOpenTelemetry().UseOtlpExporter() reads these, as does the automatic instrumentation
{}",
        variables(grpc, "grpc")
    )
}

fn collector(grpc: &str) -> String {
    format!(
        "# a part of the OpenTelemetry Collector's configuration; add the exporter to the pipelines that you have
exporters:
  otlp/backstory:
    endpoint: {grpc}
    tls:
      insecure: true
    sending_queue:
      batch:
        flush_timeout: 500ms
service:
  pipelines:
    traces:
      exporters: [otlp/backstory]
    logs:
      exporters: [otlp/backstory]
"
    )
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_language_is_told_an_address_that_it_can_use() {
        for language in std::iter::once(None).chain(Language::value_variants().iter().copied().map(Some)) {
            let text = lines(language, "127.0.0.1:4317", "127.0.0.1:4318");
            assert!(text.contains("127.0.0.1:431"), "{language:?}");
            assert!(text.contains("500"), "{language:?} is not told the batch delay");
            assert!(text.ends_with('\n'));
        }
    }

    #[test]
    fn the_examples_are_what_it_prints() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/exporters");
        for language in Language::value_variants().iter().filter(|language| **language != Language::Collector)
        {
            let name = language.to_possible_value().expect("a name");
            let path = folder.join(format!("{}.env", name.get_name()));
            let example = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            let printed = lines(Some(*language), "127.0.0.1:4317", "127.0.0.1:4318");
            let as_file = |line: &str| {
                line.strip_prefix("export ").map_or(line.to_owned(), |line| line.replace('\'', ""))
            };
            let expected: Vec<String> = printed.lines().map(as_file).collect();
            assert_eq!(example.lines().skip(1).collect::<Vec<_>>(), expected, "{path:?}");
        }
    }

    #[test]
    fn variables_are_written_for_a_shell() {
        insta::assert_snapshot!(lines(Some(Language::Node), "127.0.0.1:4317", "127.0.0.1:4318"), @r"
        # npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node
        export OTEL_SERVICE_NAME=my-service
        export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
        export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
        export OTEL_TRACES_EXPORTER=otlp
        export OTEL_LOGS_EXPORTER=otlp
        export OTEL_METRICS_EXPORTER=none
        export OTEL_TRACES_SAMPLER=parentbased_always_on
        export OTEL_BSP_SCHEDULE_DELAY=500
        export OTEL_BLRP_SCHEDULE_DELAY=500
        export OTEL_NODE_RESOURCE_DETECTORS=env,host,process
        export NODE_OPTIONS='--require @opentelemetry/auto-instrumentations-node/register'
        # then: node app.js
        ");
    }
}
