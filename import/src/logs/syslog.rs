//! Syslog: RFC 5424 (`<34>1 2026-11-23T10:00:00Z host app 123 ID - text`) and RFC 3164
//! (`<34>Nov 23 10:00:00 host app[123]: text`), as lines of a file, with or without the priority.

use serde_json::Value;

use super::Line;

/// The names of the severities 0 to 7 (RFC 5424, section 6.2.1).
const SEVERITIES: [&str; 8] =
    ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];

/// How long `Nov 23 10:00:00` is.
const OLD_TIME_LEN: usize = 15;

/// Reads one line.
pub(super) fn read(line: &str) -> Option<Line> {
    let (priority, rest) = priority(line);
    let severity = priority.and_then(|priority| SEVERITIES.get(priority % 8)).map(|name| (*name).to_owned());
    let read = match rest.strip_prefix("1 ") {
        Some(rest) => new_form(rest)?,
        None => old_form(rest)?,
    };
    Some(Line { severity, ..read })
}

fn priority(line: &str) -> (Option<usize>, &str) {
    let Some((number, rest)) = line.strip_prefix('<').and_then(|line| line.split_once('>')) else {
        return (None, line);
    };
    match number.parse() {
        Ok(number) => (Some(number), rest),
        Err(_) => (None, line),
    }
}

fn new_form(rest: &str) -> Option<Line> {
    let mut parts = rest.splitn(6, ' ');
    let mut part = || parts.next().map(|part| (part != "-").then(|| part.to_owned()));
    let (time, host, service, process, id) = (part()?, part()?, part()?, part()?, part()?);
    let (data, message) = structured_data(parts.next()?)?;
    let own = [("process.pid", process), ("syslog.msgid", id)];
    let own = own.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Value::String(value?))));
    let attributes = own.chain(data).collect();
    let message = message.strip_prefix('\u{feff}').unwrap_or(message).to_owned();
    Some(Line { time, host, service, attributes, message, ..Line::default() })
}

/// `[id name="value" …]…`, then the message.
fn structured_data(text: &str) -> Option<(Vec<(String, Value)>, &str)> {
    let mut rest = text;
    let mut data = Vec::new();
    if let Some(after) = rest.strip_prefix('-') {
        return Some((data, after.trim_start_matches(' ')));
    }
    while let Some(element) = rest.strip_prefix('[') {
        let end = element_end(element)?;
        let (inside, after) = (element.get(..end)?, element.get(end + 1..)?);
        let fields = super::fields::logfmt(inside).unwrap_or_default();
        data.extend(fields.into_iter().filter(|(key, _)| !key.is_empty()));
        rest = after;
    }
    Some((data, rest.trim_start_matches(' ')))
}

/// Where the bracket closes that is not within quotes.
fn element_end(element: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in element.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn old_form(rest: &str) -> Option<Line> {
    let (time, rest) = match rest.get(..OLD_TIME_LEN) {
        Some(time) if is_old_time(time) => (time, rest.get(OLD_TIME_LEN..)?),
        // What rsyslog writes by default nowadays: RFC 3339 in the time's place.
        _ => rest.split_once(' ').filter(|(time, _)| time.contains('T') && time.contains(':'))?,
    };
    let (host, rest) = rest.trim_start().split_once(' ')?;
    let (tag, message) = rest.split_once(": ").or_else(|| rest.split_once(':'))?;
    let (service, process) = match tag.split_once('[') {
        Some((name, process)) => (name, Some(process.trim_end_matches(']'))),
        None => (tag, None),
    };
    let process = process.map(|process| ("process.pid".to_owned(), Value::String(process.to_owned())));
    Some(Line {
        time: Some(time.to_owned()),
        host: Some(host.to_owned()),
        service: Some(service.to_owned()).filter(|name| !name.is_empty()),
        message: message.trim_start().to_owned(),
        attributes: process.into_iter().collect(),
        ..Line::default()
    })
}

/// `Nov 23 10:00:00`.
fn is_old_time(text: &str) -> bool {
    let shape = text.bytes().zip("Aaa dd dd:dd:dd".bytes());
    shape.into_iter().all(|(byte, wanted)| match wanted {
        b'A' => byte.is_ascii_uppercase(),
        b'a' => byte.is_ascii_lowercase(),
        b'd' => byte.is_ascii_digit() || byte == b' ',
        other => byte == other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let line = read(
            r#"<165>1 2026-11-23T10:00:00.5Z node-a orders 812 ID47 [meta@1 order_id="42" note="a ] b"] paid"#,
        );
        let line = line.unwrap();
        assert_eq!(line.severity.as_deref(), Some("NOTICE"));
        assert_eq!((line.host.as_deref(), line.service.as_deref()), (Some("node-a"), Some("orders")));
        assert_eq!(line.message, "paid");
        let names: Vec<_> = line.attributes.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(names, ["process.pid", "syslog.msgid", "note", "order_id"]);
        assert_eq!(line.attributes[2].1, "a ] b");

        let line = read("<34>Nov  3 10:00:00 node-a su[231]: order 42 is paid").unwrap();
        assert_eq!(line.time.as_deref(), Some("Nov  3 10:00:00"));
        assert_eq!((line.service.as_deref(), line.message.as_str()), (Some("su"), "order 42 is paid"));
        assert_eq!(line.severity.as_deref(), Some("CRITICAL"));

        let line = read("2026-11-23T10:00:00+01:00 node-a cron: done").unwrap();
        assert_eq!((line.time.as_deref(), line.severity), (Some("2026-11-23T10:00:00+01:00"), None));
        assert_eq!(read("nothing of the kind"), None);
    }
}
