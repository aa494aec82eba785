//! A record without the values that are to be replaced.

use std::ops::Range;
use std::sync::Arc;

use timeline::id::{SpanId, TraceId};
use timeline::naming;
use timeline::record::{Body, Link, Log, Record, Resource, Scope, Severity, Span, SpanEvent};
use timeline::value::{Attributes, Value};

use super::Redactor;
use super::matcher::{Match, Sought};
use super::rules::{BODY, NAME, STATUS_MESSAGE, Treatment};
use super::token::pieces;
use super::unfold::Unfolded;

impl Redactor {
    /// The same record with tokens for the values known.
    pub(super) fn rewrite(&mut self, record: &Record) -> Record {
        let alone = self.of_record_alone(record);
        let mut rewriting = Rewriting { redactor: self, alone: &alone };
        let body = match &record.body {
            Body::Span(span) => Body::Span(rewriting.span(span)),
            Body::Log(log) => Body::Log(rewriting.log(log)),
        };
        let (resource, scope) = (self.resource(&record.resource), self.scope(&record.scope));
        Record::new(record.position, record.arrival, resource, scope, body, record.repeat)
    }

    /// What all records of a program share: rewritten once, so that nothing that one record alone gives changes whose it is.
    fn resource(&mut self, resource: &Resource) -> Arc<Resource> {
        let attributes =
            Rewriting { redactor: self, alone: &[] }.attributes(&resource.attributes, "resource.");
        let made = Arc::new(Resource::new(attributes, resource.dropped_attributes_count));
        Arc::clone(self.resources.entry(made.digest()).or_insert(made))
    }

    fn scope(&mut self, scope: &Scope) -> Arc<Scope> {
        let mut rewriting = Rewriting { redactor: self, alone: &[] };
        let attributes = rewriting.attributes(&scope.attributes, "scope.");
        let (name, version) =
            (rewriting.searched("scope", &scope.name), rewriting.searched("scope", &scope.version));
        let made = Arc::new(Scope::new(name, version, attributes));
        Arc::clone(self.scopes.entry(made.digest()).or_insert(made))
    }
}

/// The rewriting of one record.
struct Rewriting<'a> {
    redactor: &'a mut Redactor,
    /// The values that are replaced in this record alone.
    alone: &'a [Sought],
}

impl Rewriting<'_> {
    fn span(&mut self, span: &Span) -> Span {
        Span {
            trace_id: self.trace_id(span.trace_id),
            span_id: self.span_id(span.span_id),
            parent_span_id: span.parent_span_id.map(|id| self.span_id(id)),
            trace_state: self.trace_state(&span.trace_state),
            name: self.text(NAME, "name", &span.name),
            attributes: self.attributes(&span.attributes, ""),
            events: span.events.iter().map(|event| self.event(event)).collect(),
            links: span.links.iter().map(|link| self.link(link)).collect(),
            status: timeline::record::Status {
                code: span.status.code,
                message: self.text(STATUS_MESSAGE, "status message", &span.status.message),
            },
            ..span.clone()
        }
    }

    fn event(&mut self, event: &SpanEvent) -> SpanEvent {
        SpanEvent {
            name: self.text(NAME, "event name", &event.name),
            attributes: self.attributes(&event.attributes, "event."),
            ..event.clone()
        }
    }

    fn link(&mut self, link: &Link) -> Link {
        Link {
            trace_id: self.trace_id(link.trace_id),
            span_id: self.span_id(link.span_id),
            trace_state: self.trace_state(&link.trace_state),
            attributes: self.attributes(&link.attributes, "link."),
            ..link.clone()
        }
    }

    fn log(&mut self, log: &Log) -> Log {
        Log {
            severity_text: self.severity(&log.severity_text),
            event_name: self.text(NAME, "event name", &log.event_name),
            body: match &log.body {
                Value::Map(fields) => Value::Map(self.fields(fields, "", "body.")),
                body => self.value(BODY, "body", body),
            },
            attributes: self.attributes(&log.attributes, ""),
            trace_id: log.trace_id.map(|id| self.trace_id(id)),
            span_id: log.span_id.map(|id| self.span_id(id)),
            ..log.clone()
        }
    }

    /// A trace state's members for order and sampling say nothing of a request's content.
    fn trace_state(&mut self, state: &str) -> String {
        let label = "trace state";
        let member = |rewriting: &mut Self, member: &str| match rewriting.redactor.rules.of_unnamed() {
            Some(rule) if !["hlc=", "ot="].iter().any(|own| member.trim_start().starts_with(own)) => {
                rewriting.covered(rule, label, member)
            }
            _ => rewriting.searched(label, member),
        };
        state.split(',').map(|own| member(self, own)).collect::<Vec<_>>().join(",")
    }

    fn severity(&mut self, text: &str) -> String {
        match self.redactor.rules.of_unnamed() {
            Some(rule) if Severity::from_name(text).is_none() => self.covered(rule, "severity", text),
            _ => self.searched("severity", text),
        }
    }

    fn attributes(&mut self, attributes: &Attributes, label: &str) -> Attributes {
        self.fields(attributes, "", label)
    }

    /// Keys and values whose names begin with `prefix`; `label` says in a preview where they stand.
    fn fields(&mut self, fields: &Attributes, prefix: &str, label: &str) -> Attributes {
        let pairs = fields.iter().map(|(name, value)| {
            let key = format!("{prefix}{name}");
            let made = match value {
                Value::Map(nested) => Value::Map(self.fields(nested, &format!("{key}."), label)),
                value => self.value(&key, &format!("{label}{key}"), value),
            };
            (self.name(name), made)
        });
        pairs.collect()
    }

    /// The name of an attribute: what identifies something is replaced in it, words are not.
    fn name(&mut self, name: &str) -> String {
        let unfolded = Unfolded::of(name);
        let found = self.redactor.matcher.find(&unfolded, &[]);
        self.replaced("a name", name, &unfolded, found.into_iter().filter(|found| found.identifies).collect())
    }

    fn value(&mut self, key: &str, label: &str, value: &Value) -> Value {
        match value {
            Value::Empty => Value::Empty,
            Value::Text(text) => Value::Text(self.text(key, label, text)),
            Value::Array(values) => {
                Value::Array(values.iter().map(|value| self.value(key, label, value)).collect())
            }
            Value::Map(fields) => Value::Map(self.fields(fields, &format!("{key}."), label)),
            Value::Bytes(bytes) => Value::Bytes(self.bytes(key, label, bytes)),
            Value::Bool(truth) => match self.redactor.rules.treatment(key) {
                Treatment::Cover(rule) => {
                    Value::Text(self.covered(rule, label, if *truth { "true" } else { "false" }))
                }
                _ => Value::Bool(*truth),
            },
            Value::Int(_) | Value::Double(_) => self.number(key, label, value),
        }
    }

    /// A number under another name is replaced too, unless it is a measure of the conventions with few digits.
    fn number(&mut self, key: &str, label: &str, value: &Value) -> Value {
        let text = value.to_text();
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let last = key.rsplit(['.', '_']).next().unwrap_or(key);
        let is_measure = naming::is_reserved(key)
            && !key.starts_with("db.query.parameter.")
            && !["id", "key", "subject"].contains(&last);
        let token = match self.redactor.rules.treatment(key) {
            Treatment::Cover(rule) => self.covered(rule, label, &text),
            _ if is_measure && digits < 4 => return value.clone(),
            _ => self.searched(label, &text),
        };
        match value {
            _ if token == text => value.clone(),
            Value::Int(_) => token.parse().map_or(Value::Text(token), Value::Int),
            _ => token.parse().map_or(Value::Text(token), Value::Double),
        }
    }

    fn bytes(&mut self, key: &str, label: &str, bytes: &[u8]) -> Vec<u8> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return self.text(key, label, text).into_bytes();
        }
        let lossy = Unfolded::of(&String::from_utf8_lossy(bytes));
        let found = self.redactor.matcher.find(&lossy, self.alone).first().map(|found| found.rule);
        let rule = match self.redactor.rules.treatment(key) {
            Treatment::Cover(rule) | Treatment::Composed(rule) => Some(rule),
            Treatment::Search => found,
        };
        match rule {
            None => bytes.to_vec(),
            Some(rule) => {
                self.count(rule, label);
                self.redactor.tokens.bytes(bytes).to_vec()
            }
        }
    }

    fn text(&mut self, key: &str, label: &str, text: &str) -> String {
        match self.redactor.rules.treatment(key) {
            Treatment::Cover(rule) => self.covered(rule, label, text),
            Treatment::Search => self.searched(label, text),
            Treatment::Composed(rule) => {
                let unfolded = Unfolded::of(text);
                let mut found = self.redactor.matcher.find(&unfolded, self.alone);
                for range in composed(&unfolded) {
                    let kept = self.redactor.kept.contains(&unfolded.chars(range.clone()).to_lowercase());
                    if !kept
                        && found
                            .iter()
                            .all(|found| found.range.end <= range.start || range.end <= found.range.start)
                    {
                        found.push(Match { range, rule, identifies: true });
                    }
                }
                found.sort_by_key(|found| found.range.start);
                self.replaced(label, text, &unfolded, found)
            }
        }
    }

    /// A text of which every piece goes.
    fn covered(&mut self, rule: usize, label: &str, text: &str) -> String {
        let made = self.redactor.tokens.cover(text);
        if made != text {
            self.count(rule, label);
        }
        made
    }

    /// A text of which the values known go.
    fn searched(&mut self, label: &str, text: &str) -> String {
        let unfolded = Unfolded::of(text);
        let found = self.redactor.matcher.find(&unfolded, self.alone);
        self.replaced(label, text, &unfolded, found)
    }

    fn replaced(&mut self, label: &str, text: &str, unfolded: &Unfolded, found: Vec<Match>) -> String {
        for found in &found {
            self.count(found.rule, label);
        }
        let ranges = found.into_iter().map(|found| found.range);
        self.redactor.tokens.cover_ranges(text, unfolded, ranges)
    }

    fn count(&mut self, rule: usize, label: &str) {
        *self.redactor.counts.entry((rule, label.to_owned())).or_default() += 1;
    }

    /// A value may be a trace's id: it goes there too.
    fn trace_id(&mut self, id: TraceId) -> TraceId {
        self.id("trace id", &id.to_string()).and_then(|token| token.parse().ok()).unwrap_or(id)
    }

    fn span_id(&mut self, id: SpanId) -> SpanId {
        self.id("span id", &id.to_string()).and_then(|token| token.parse().ok()).unwrap_or(id)
    }

    /// The token for an id that is a value as a whole.
    fn id(&mut self, label: &str, id: &str) -> Option<String> {
        let rule = *self.redactor.secrets.get(id)?;
        Some(self.covered(rule, label, id))
    }
}

/// What goes from a text that code composed around values: pieces with digits, what is quoted, the query string.
fn composed(text: &Unfolded) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut quoted = false;
    let mut queried = false;
    let mut at = 0;
    for piece in pieces(text, 0..text.len()) {
        for (char, bytes) in (at..piece.start).filter_map(|at| Some((text.char(at)?, text.raw(at).len()))) {
            // A quote of two bytes is one that was doubled: it ends nothing.
            quoted ^= char == '\'' && bytes == 1;
            queried = (queried || char == '?') && !char.is_whitespace();
        }
        at = piece.end;
        let has_digit = piece.clone().any(|at| text.char(at).is_some_and(char::is_numeric));
        let placeholder = piece.start.checked_sub(1).and_then(|at| text.char(at)) == Some('$');
        let version = text.char(piece.start) == Some('v')
            && (piece.start + 1..piece.end).all(|at| text.char(at).is_some_and(|char| char.is_ascii_digit()));
        if quoted || queried || has_digit && !placeholder && !version {
            ranges.push(piece);
        }
    }
    ranges
}
