//! What a table's name says: which type its rows are, and whether they are copies of one.

use crate::naming;

/// Endings of tables that hold a copy of another table's state, a row a thing: `order_view` of orders.
const COPY_ENDINGS: &[&str] = &[
    "_view",
    "_views",
    "_cache",
    "_projection",
    "_read",
    "_read_model",
    "_summary",
    "_search",
    "_index",
    "_snapshot",
    "_replica",
    "_copy",
    "_mirror",
    "_status",
    "_state",
    "_current",
    "_mv",
];

/// The type of a table's rows: `order` for `orders`, `tbl_orders` and `order_view`.
pub(crate) fn kind(table: &str) -> String {
    let snake = naming::snake(table);
    let plain =
        ["tbl_", "t_", "v_", "mv_"].iter().find_map(|start| snake.strip_prefix(start)).unwrap_or(&snake);
    let stem = COPY_ENDINGS.iter().find_map(|end| plain.strip_suffix(end)).filter(|stem| stem.len() > 1);
    naming::kind_named(stem.unwrap_or(plain))
}

/// The copy that a table is: `shop/orders`, with its schema where that is not the usual one.
pub(crate) fn copy(namespace: &str, schema: Option<&str>, table: &str) -> String {
    let usual = |schema: &str| {
        ["public", "dbo", "main"].iter().any(|usual| schema.eq_ignore_ascii_case(usual))
            || schema.eq_ignore_ascii_case(namespace)
    };
    match schema {
        Some(schema) if namespace.is_empty() => format!("{schema}/{table}"),
        Some(schema) if !usual(schema) => format!("{namespace}/{schema}.{table}"),
        _ if namespace.is_empty() => table.to_owned(),
        _ => format!("{namespace}/{table}"),
    }
}
