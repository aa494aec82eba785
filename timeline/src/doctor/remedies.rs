//! What to set, in which language, so that an aspect of telemetry is there.
//!
//! The names of variables and options are those of the OpenTelemetry SDKs and instrumentations of 2026.

use super::Chart;
use crate::document::{Aspect, FindingKind, Remedy, RemedyPlace};

/// What to change so that `aspect` is there; `None` where no setting helps.
pub(super) fn remedy(chart: &Chart, aspect: Aspect, unlocks: Vec<FindingKind>) -> Option<Remedy> {
    let language = Language::of(chart.language.as_deref());
    let Advice { place, lines, note } = match aspect {
        Aspect::ServiceName => environment(&["OTEL_SERVICE_NAME=my-service"], ""),
        Aspect::Spans => environment(
            &["OTEL_TRACES_EXPORTER=otlp"],
            "`backstory env LANGUAGE` prints all lines that an exporter wants",
        ),
        Aspect::Logs => logs(language),
        Aspect::LogsInSpans => logs_in_spans(language),
        Aspect::Entities => entities(language, &chart.thing),
        Aspect::Statements => statements(language),
        Aspect::WrittenValues => written_values(language, chart),
        Aspect::ReadValues => read_values(language, &chart.thing),
        Aspect::Versions => versions(language),
        Aspect::Commits => commits(language),
        Aspect::Intents => intents(language),
        Aspect::Messages => code(
            &[attribute(language, "messaging.message.id", "message.id")],
            "on the sending and on the receiving span; set the message's own id property when it is published",
        ),
        Aspect::Whole => environment(
            &["OTEL_TRACES_SAMPLER=parentbased_always_on"],
            "and take sampling processors out of the collectors on the way, or put Backstory before them; \
             where an SDK dropped something, raise OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, OTEL_SPAN_EVENT_COUNT_LIMIT \
             and OTEL_SPAN_LINK_COUNT_LIMIT",
        ),
        Aspect::Host => host(language),
        Aspect::Instance => environment(
            &["OTEL_RESOURCE_ATTRIBUTES=service.instance.id=$(cat /proc/sys/kernel/random/uuid)"],
            APPEND,
        ),
        Aspect::ServiceVersion => environment(
            &["OTEL_RESOURCE_ATTRIBUTES=service.version=$(git describe --always)"],
            "findings then say which version they began with; several attributes are joined by commas",
        ),
        Aspect::Environment => {
            environment(&["OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=production"], APPEND)
        }
        Aspect::Outcomes | Aspect::Clock => return None,
    };
    Some(Remedy { aspect, unlocks, place, lines, note })
}

const APPEND: &str = "several attributes of this variable are joined by commas";
const SECRETS: &str = "values may hold personal data: see `backstory export --redact` before you share them";
const LINE_INSTEAD: &str =
    "or write a log line in the span, such as \"order 42 status created -> paid\": it is read as well";

struct Advice {
    place: RemedyPlace,
    lines: Vec<String>,
    note: String,
}

fn environment(lines: &[&str], note: &str) -> Advice {
    let lines = lines.iter().map(|line| format!("export {line}")).collect();
    Advice { place: RemedyPlace::Environment, lines, note: note.to_owned() }
}

fn code<L: AsRef<str>>(lines: &[L], note: &str) -> Advice {
    let lines = lines.iter().map(|line| line.as_ref().to_owned()).collect();
    Advice { place: RemedyPlace::Code, lines, note: note.to_owned() }
}

/// Languages whose SDKs differ in their settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Node,
    Python,
    Java,
    Go,
    DotNet,
    Rust,
    Ruby,
    Php,
    Other,
}

impl Language {
    /// By the values of `telemetry.sdk.language`.
    fn of(name: Option<&str>) -> Language {
        match name {
            Some("nodejs" | "webjs") => Language::Node,
            Some("python") => Language::Python,
            Some("java") => Language::Java,
            Some("go") => Language::Go,
            Some("dotnet") => Language::DotNet,
            Some("rust") => Language::Rust,
            Some("ruby") => Language::Ruby,
            Some("php") => Language::Php,
            _ => Language::Other,
        }
    }
}

/// The line that sets an attribute on the current span.
fn attribute(language: Language, name: &str, value: &str) -> String {
    match language {
        Language::Node => format!("trace.getActiveSpan()?.setAttribute('{name}', {value})"),
        Language::Python => format!("trace.get_current_span().set_attribute(\"{name}\", {value})"),
        Language::Java => format!("Span.current().setAttribute(\"{name}\", {value});"),
        Language::Go => {
            format!("trace.SpanFromContext(ctx).SetAttributes(attribute.String(\"{name}\", {value}))")
        }
        Language::DotNet => format!("Activity.Current?.SetTag(\"{name}\", {value});"),
        Language::Rust => {
            format!("Context::current().span().set_attribute(KeyValue::new(\"{name}\", {value}));")
        }
        Language::Ruby => format!("OpenTelemetry::Trace.current_span.set_attribute('{name}', {value})"),
        Language::Php => {
            format!("Span::getCurrent()->setAttribute('{name}', ${});", value.replace('.', "->"))
        }
        Language::Other => format!("set the attribute {name} = {value} on the span"),
    }
}

fn entities(language: Language, thing: &str) -> Advice {
    code(
        &[attribute(language, &format!("{thing}.id"), &format!("{thing}.id"))],
        "once, on the span that handles the request or message: what is below it follows; \
         or put the id into its log lines, or into baggage with a BaggageSpanProcessor",
    )
}

fn logs(language: Language) -> Advice {
    match language {
        Language::Python => environment(
            &["OTEL_LOGS_EXPORTER=otlp", "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED=true"],
            "",
        ),
        Language::Node => Advice {
            note: "for winston also `npm install @opentelemetry/winston-transport`; pino and bunyan need nothing more"
                .to_owned(),
            ..environment(&["OTEL_LOGS_EXPORTER=otlp"], "")
        },
        Language::Go => code(
            &["slog.SetDefault(otelslog.NewLogger(\"app\"))"],
            "go.opentelemetry.io/contrib/bridges/otelslog, with an otlploggrpc exporter",
        ),
        Language::DotNet => code(&["builder.Logging.AddOpenTelemetry(logging => logging.AddOtlpExporter());"], ""),
        Language::Rust => code(
            &["registry.with(OpenTelemetryTracingBridge::new(&logger_provider))"],
            "opentelemetry-appender-tracing",
        ),
        Language::Java | Language::Ruby | Language::Php | Language::Other => {
            environment(&["OTEL_LOGS_EXPORTER=otlp"], "")
        }
    }
}

fn logs_in_spans(language: Language) -> Advice {
    match language {
        Language::Go => code(
            &["slog.InfoContext(ctx, \"order paid\", \"order_id\", id)"],
            "the span travels in the context: a call without it loses the span",
        ),
        Language::Python => environment(&["OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED=true"], ""),
        _ => code(
            &["write the line while its span is the current one, through the SDK's log bridge"],
            "where lines are read from files, write trace_id and span_id into them and have the collector's parser \
             set the record's own fields",
        ),
    }
}

fn statements(language: Language) -> Advice {
    match language {
        Language::DotNet => code(
            &["options.SetDbStatementForText = true;"],
            "in AddSqlClientInstrumentation and AddEntityFrameworkCoreInstrumentation; recent versions do it by default",
        ),
        _ => code(
            &[attribute(language, "db.query.text", "statement")],
            "what the database instrumentation of your driver does by itself: add it rather than write spans by hand",
        ),
    }
}

fn written_values(language: Language, chart: &Chart) -> Advice {
    let uses = |part: &str| chart.libraries.iter().any(|library| library.contains(part));
    let note = format!("{SECRETS}; {LINE_INSTEAD}");
    match language {
        Language::Node if uses("redis") && !uses("-pg") && !uses("mysql") => code(
            &[
                "new RedisInstrumentation({ dbStatementSerializer: (name, args) => [name, ...args].join(' ') })",
            ],
            &note,
        ),
        Language::Node if uses("mysql") => {
            code(&["new MySQL2Instrumentation({ maskStatement: false })"], &note)
        }
        Language::Node => code(&["new PgInstrumentation({ enhancedDatabaseReporting: true })"], &note),
        Language::Python => {
            let instrumentors = [
                ("psycopg2", "Psycopg2Instrumentor"),
                ("psycopg", "PsycopgInstrumentor"),
                ("asyncpg", "AsyncPGInstrumentor"),
                ("mysql", "MySQLInstrumentor"),
            ];
            let used = instrumentors.iter().find(|(library, _)| uses(library));
            let name = used.map_or("PsycopgInstrumentor", |(_, name)| name);
            code(&[format!("{name}().instrument(capture_parameters=True)")], &note)
        }
        Language::Java => Advice {
            note,
            ..environment(&["OTEL_INSTRUMENTATION_JDBC_EXPERIMENTAL_CAPTURE_QUERY_PARAMETERS=true"], "")
        },
        Language::Go => code(&["otelpgx.NewTracer(otelpgx.WithIncludeQueryParameters())"], &note),
        Language::DotNet => Advice {
            note,
            ..environment(
                &[
                    "OTEL_DOTNET_EXPERIMENTAL_SQLCLIENT_ENABLE_TRACE_DB_QUERY_PARAMETERS=true",
                    "OTEL_DOTNET_EXPERIMENTAL_EFCORE_ENABLE_TRACE_DB_QUERY_PARAMETERS=true",
                ],
                "",
            )
        },
        Language::Rust | Language::Ruby | Language::Php | Language::Other => {
            code(&[attribute(language, "db.query.parameter.status", "status")], &note)
        }
    }
}

/// No convention carries what a query returned: it takes four attributes, or one line.
fn read_values(language: Language, thing: &str) -> Advice {
    let id = format!("{thing}.id");
    let pairs = [
        ("backstory.op", quoted(language, "read")),
        ("backstory.entity.type", quoted(language, thing)),
        ("backstory.entity.key", id),
        ("backstory.field", quoted(language, "status")),
        ("backstory.value", format!("{thing}.status")),
    ];
    let lines: Vec<String> = pairs.iter().map(|(name, value)| attribute(language, name, value)).collect();
    code(
        &lines,
        "where the row was read, or the cache answered; no OpenTelemetry convention carries a result",
    )
}

fn quoted(language: Language, text: &str) -> String {
    match language {
        Language::Node | Language::Ruby => format!("'{text}'"),
        Language::Other => text.to_owned(),
        _ => format!("\"{text}\""),
    }
}

const HEADERS: &str = "the headers must be sent, of course; they are read from http.request.header.* and http.response.header.*";

fn versions(language: Language) -> Advice {
    match language {
        Language::Java => environment(
            &[
                "OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_REQUEST_HEADERS=if-match,idempotency-key",
                "OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_RESPONSE_HEADERS=etag",
            ],
            HEADERS,
        ),
        Language::Python => environment(
            &[
                "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST=if-match,idempotency-key",
                "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE=etag",
            ],
            HEADERS,
        ),
        _ => code(
            &[attribute(language, "backstory.version", "row.version")],
            "on the span that reads or writes the row",
        ),
    }
}

fn commits(language: Language) -> Advice {
    match language {
        Language::Java => {
            environment(&["OTEL_INSTRUMENTATION_JDBC_EXPERIMENTAL_TRANSACTION_ENABLED=true"], "")
        }
        Language::Python => code(
            &[
                "with tracer.start_as_current_span(\"COMMIT\", kind=SpanKind.CLIENT, attributes={",
                "        \"db.system.name\": \"postgresql\", \"db.query.text\": \"COMMIT\"}):",
                "    connection.commit()",
            ],
            "Python's drivers make no span for commit(): a write that was rolled back looks like one that was not",
        ),
        _ => code(
            &[
                "make a client span with db.system.name and db.query.text = COMMIT around the commit, ROLLBACK likewise",
            ],
            "instrumentations that see each query (node-postgres) make them by themselves",
        ),
    }
}

fn intents(language: Language) -> Advice {
    match language {
        Language::Node => code(
            &[
                "new HttpInstrumentation({ headersToSpanAttributes: {",
                "  client: { requestHeaders: ['idempotency-key'] }, server: { requestHeaders: ['idempotency-key'] } } })",
            ],
            HEADERS,
        ),
        Language::Java => environment(
            &[
                "OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_REQUEST_HEADERS=idempotency-key",
                "OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS=idempotency-key",
            ],
            HEADERS,
        ),
        Language::Python => environment(
            &[
                "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST=idempotency-key",
                "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST=idempotency-key",
            ],
            HEADERS,
        ),
        _ => code(
            &[attribute(language, "backstory.intent", "command.id")],
            "the same text at every attempt of one command, another for the next command",
        ),
    }
}

fn host(language: Language) -> Advice {
    const KUBERNETES: &str = "in Kubernetes the node is what has the clock: \
         OTEL_RESOURCE_ATTRIBUTES=k8s.node.name=$(NODE_NAME), with NODE_NAME from spec.nodeName";
    match language {
        Language::Node => {
            environment(&["OTEL_NODE_RESOURCE_DETECTORS=env,host,process,serviceinstance"], KUBERNETES)
        }
        Language::Python => {
            environment(&["OTEL_EXPERIMENTAL_RESOURCE_DETECTORS=otel,host,process"], KUBERNETES)
        }
        Language::Go => code(&["resource.New(ctx, resource.WithHost(), resource.WithFromEnv())"], KUBERNETES),
        Language::DotNet => code(
            &["builder.ConfigureResource(resource => resource.AddHostDetector());"],
            "the package OpenTelemetry.Resources.Host",
        ),
        _ => environment(&["OTEL_RESOURCE_ATTRIBUTES=host.name=$(hostname)"], KUBERNETES),
    }
}
