//! Which copies of state a record speaks of: tables, cache keyspaces, destinations. By name alone, without a key.

use super::form::kind_of_plural;
use super::{How, Name, sql};
use crate::record::Record;
use crate::value::{Attributes, Value};

/// A holder of a type's state that a record speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    /// The type whose state it holds, by the copy's own name: `order` of `shop/orders`.
    pub(crate) kind: String,
    /// `shop/orders`, `redis/order`, `rabbitmq/orders`.
    pub(crate) name: String,
    /// Whether the record changes something in it.
    pub(crate) writes: bool,
}

/// The copies that a record with these names speaks of.
pub(crate) fn copies(record: &Record, names: &[Name]) -> Vec<Copy> {
    if record.as_span().is_none() {
        return Vec::new();
    }
    let attributes = record.attributes();
    let text = |keys: &[&str]| attributes.get_any(keys).and_then(Value::as_str);
    match text(&["db.system.name", "db.system"]) {
        Some(system @ ("redis" | "valkey")) => keyspaces(system, attributes, names),
        Some(_) => tables(attributes),
        None => destination(attributes).into_iter().collect(),
    }
}

fn statement(attributes: &Attributes) -> Option<&str> {
    attributes.get_any(&["db.query.text", "db.statement"]).and_then(Value::as_str)
}

fn keyspaces(system: &str, attributes: &Attributes, names: &[Name]) -> Vec<Copy> {
    let reads = ["GET", "MGET", "HGET", "HGETALL", "HMGET", "EXISTS", "TTL", "LRANGE", "SMEMBERS"];
    let verb = statement(attributes).and_then(|text| text.split_ascii_whitespace().next()).unwrap_or("");
    let writes = !reads.iter().any(|read| verb.eq_ignore_ascii_case(read));
    let keyed = names.iter().filter(|name| name.how == How::Redis);
    keyed
        .map(|name| Copy { kind: name.kind.clone(), name: format!("{system}/{}", name.kind), writes })
        .collect()
}

fn tables(attributes: &Attributes) -> Vec<Copy> {
    let text = |keys: &[&str]| attributes.get_any(keys).and_then(Value::as_str);
    let namespace = text(&["db.namespace", "db.name"]).filter(|name| !name.is_empty());
    let name =
        |table: &str| namespace.map_or_else(|| table.to_owned(), |namespace| format!("{namespace}/{table}"));
    let copy = |table: &str, writes| Copy { kind: kind_of_plural(table), name: name(table), writes };
    if let Some(statement) = statement(attributes) {
        let verb = statement.split_ascii_whitespace().next().unwrap_or("");
        let writes = ["insert", "update", "delete", "merge", "replace", "upsert"]
            .iter()
            .any(|write| verb.eq_ignore_ascii_case(write));
        // Of several tables a writing statement changes the first; it only reads the others.
        let tables = sql::table_names(statement);
        return tables.iter().enumerate().map(|(at, table)| copy(table, writes && at == 0)).collect();
    }
    let operation = text(&["db.operation.name", "db.operation"]).unwrap_or("");
    let writes = ["insert", "update", "delete"].iter().any(|write| operation.eq_ignore_ascii_case(write));
    text(&["db.collection.name", "db.sql.table"]).map(|table| copy(table, writes)).into_iter().collect()
}

fn destination(attributes: &Attributes) -> Option<Copy> {
    let text = |keys: &[&str]| attributes.get_any(keys).and_then(Value::as_str);
    let system = text(&["messaging.system"])?;
    let name =
        text(&["messaging.destination.name", "messaging.destination"]).filter(|name| !name.is_empty())?;
    let first = name.split(['.', '-', '_', '/']).next().unwrap_or("");
    let kind = kind_of_plural(first);
    (!kind.is_empty()).then(|| Copy { kind, name: format!("{system}/{name}"), writes: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::span;

    fn read(pairs: &[(&str, &str)]) -> Vec<(String, String, bool)> {
        let record = span(1, "orders", "x", 0.0, 1.0).with(pairs).record();
        let copies = copies(&record, &crate::naming::names(&record));
        copies.into_iter().map(|copy| (copy.kind, copy.name, copy.writes)).collect()
    }

    #[test]
    fn a_copy_is_known_without_a_key() {
        let owned = |kind: &str, name: &str, writes| (kind.to_owned(), name.to_owned(), writes);
        let sql = |statement| {
            read(&[("db.system", "postgresql"), ("db.name", "shop"), ("db.statement", statement)])
        };
        assert_eq!(sql("UPDATE orders SET status = ? WHERE id = ?"), [owned("order", "shop/orders", true)]);
        assert_eq!(
            sql("INSERT INTO charges (id) SELECT id FROM orders"),
            [owned("charge", "shop/charges", true), owned("order", "shop/orders", false)]
        );
        assert_eq!(sql("COMMIT"), []);
        let pairs = [("db.system.name", "redis"), ("db.query.text", "HSET order:42 status paid")];
        assert_eq!(read(&pairs), [owned("order", "redis/order", true)]);
        let pairs = [("messaging.system", "kafka"), ("messaging.destination.name", "order-events")];
        assert_eq!(read(&pairs), [owned("order", "kafka/order-events", false)]);
    }
}
