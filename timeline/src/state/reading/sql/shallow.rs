//! What can be said of a statement that does not parse, was cut, or was not recorded: its verb and its table.

use super::bind::Place;
use super::{Control, Read};
use crate::document::{Op, Outcome, StateEvidence};
use crate::id::Point;
use crate::state::reading::draft::{Draft, Key};
use crate::state::reading::table;
use crate::value::{Attributes, Value};

/// A statement that begins or ends a transaction. Drivers write more of them than parsers know.
pub(super) fn control(text: &str) -> Option<Control> {
    if text.len() > 128 {
        return None;
    }
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    let first = words.next()?.to_ascii_lowercase();
    let rest: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let only = |allowed: &[&str]| rest.iter().all(|word| allowed.contains(word));
    let modes = &[
        "transaction",
        "tran",
        "work",
        "isolation",
        "level",
        "read",
        "write",
        "only",
        "committed",
        "uncommitted",
        "repeatable",
        "serializable",
        "deferred",
        "immediate",
        "exclusive",
        "concurrent",
        "deferrable",
        "not",
        "consistent",
        "snapshot",
        "with",
    ];
    match (first.as_str(), rest.as_slice()) {
        ("begin", _) if only(modes) => Some(Control::Begin),
        ("start", ["transaction", ..]) if only(modes) => Some(Control::Begin),
        ("commit" | "end", _) if only(&["transaction", "tran", "work", "and", "no", "chain"]) => {
            Some(Control::Commit)
        }
        ("rollback" | "abort", [.., "to", name]) | ("rollback", [.., "to", "savepoint", name]) => {
            Some(Control::RollbackTo((*name).to_owned()))
        }
        ("rollback" | "abort", _) if only(&["transaction", "tran", "work", "and", "no", "chain"]) => {
            Some(Control::Rollback)
        }
        ("savepoint", [name]) | ("save", ["transaction" | "tran", name]) => {
            Some(Control::Savepoint((*name).to_owned()))
        }
        _ => None,
    }
}

/// By the operation and collection that instrumentation names, else by the first words of the text or summary.
pub(super) fn read(attributes: &Attributes, statement: &str, place: &Place<'_>) -> Option<Read> {
    let text =
        |names: &[&str]| attributes.get_any(names).and_then(Value::as_str).filter(|text| !text.is_empty());
    let summary = text(&["db.query.summary"]).unwrap_or("");
    let words = [statement, summary].into_iter().find(|text| !text.is_empty()).unwrap_or("");
    let (verb, named) = first_words(words);
    let verb = text(&["db.operation.name", "db.operation"]).map_or(verb, |name| name.to_ascii_lowercase());
    if let Some(control) = control(&verb) {
        return Some(Read { drafts: Vec::new(), controls: vec![(0, control)] });
    }
    let (op, one) = match verb.split(' ').next().unwrap_or("") {
        "insert" | "insertone" | "replace" | "upsert" => (Op::Write, true),
        "update" | "merge" | "updateone" | "findandmodify" | "findoneandupdate" | "updateitem"
        | "putitem" => (Op::Write, true),
        "updatemany" | "insertmany" | "bulkwrite" => (Op::Write, false),
        "delete" | "deleteone" | "deleteitem" | "remove" => (Op::Delete, true),
        "deletemany" | "truncate" => (Op::Delete, false),
        "select" | "find" | "findone" | "getitem" => (Op::Read, true),
        _ => return None,
    };
    let table = text(&["db.collection.name", "db.sql.table", "db.mongodb.collection", "db.cassandra.table"])
        .map(str::to_owned)
        .or(named)?;
    let (schema, table) = match table.rsplit_once('.') {
        Some((schema, table)) => (Some(schema.to_owned()), table.to_owned()),
        None => (None, table),
    };
    let kind = table::kind(&table);
    let copy = table::copy(place.namespace, schema.as_deref(), &table);
    let mut draft = Draft::new(Point::End, &kind, if one { Key::Hidden } else { Key::Many }, &copy, op);
    draft.outcome = match place.affected.0 {
        Some(0) if op != Op::Read && place.outcome == Outcome::Ok => Outcome::Failed,
        _ => place.outcome,
    };
    draft.evidence = StateEvidence::Sql;
    Some(Read { drafts: vec![draft], controls: Vec::new() })
}

/// The verb, in lower case, and the table that follows `INTO`, `UPDATE` or `FROM`.
fn first_words(text: &str) -> (String, Option<String>) {
    let separates = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';');
    let mut words = text.split(separates).filter(|word| !word.is_empty()).take(400);
    let verb = words.next().unwrap_or("").to_ascii_lowercase();
    let bare = |word: &str| word.replace(['"', '`', '[', ']'], "");
    let skipped = ["into", "from", "only", "ignore", "or", "replace", "low_priority", "delayed"];
    let table = match verb.as_str() {
        "select" => {
            let mut after = words.by_ref().skip_while(|word| !word.eq_ignore_ascii_case("from"));
            after.nth(1).map(bare)
        }
        _ => words.find(|word| !skipped.contains(&word.to_ascii_lowercase().as_str())).map(bare),
    };
    (verb, table.filter(|table| !table.is_empty() && !table.contains(['?', '\'', '=', '*'])))
}
