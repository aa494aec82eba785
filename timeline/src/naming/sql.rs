//! The tables and literal ids of a SQL statement. No parser: a scan for `id = 42`, `id IN (1, 2)` and
//! `INSERT INTO t (id, …) VALUES (42, …)`; what it does not understand names nothing.

use super::form::{kind_of, kind_of_plural};
use super::{How, Names};
use crate::value::Attributes;

/// Longer statements are generated batches; their first part is read.
const TOKENS_MAX: usize = 2_000;

/// Adds the entities whose ids stand in the statement, literally or as recorded parameters.
pub(super) fn read(statement: &str, attributes: &Attributes, place: &str, found: &mut Names) {
    let tokens = tokens(statement);
    let statement = Statement { tables: tables(&tokens), parameters: Parameters { attributes }, place };
    statement.read_comparisons(&tokens, found);
    statement.read_insert(&tokens, found);
}

/// The tables that a statement speaks of, each once, the main one first.
pub(super) fn table_names(statement: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (table, _) in tables(&tokens(statement)) {
        if !names.contains(&table) {
            names.push(table);
        }
    }
    names
}

/// One token. Literals that a sanitiser replaced by `?` are parameters.
#[derive(Clone, Debug, PartialEq)]
enum Token<'a> {
    /// A name, its qualifier and quotes included: `orders`, `shop.orders`, `"o".id`.
    Word(&'a str),
    /// A number or quoted text, without its quotes.
    Literal(&'a str),
    /// `$1`, `?`, `%s`, `:id`, `@id`: which parameter, by number or name.
    Parameter(String),
    /// One character of anything else.
    Sign(char),
}

struct Statement<'a> {
    /// The first one is the main table; each with its alias, if it has one.
    tables: Vec<(String, Option<String>)>,
    parameters: Parameters<'a>,
    place: &'a str,
}

/// `db.query.parameter.<key>`, by name or by its number from 0.
struct Parameters<'a> {
    attributes: &'a Attributes,
}

impl Parameters<'_> {
    fn get(&self, key: &str) -> Option<String> {
        let value = self.attributes.get(&format!("db.query.parameter.{key}"))?;
        Some(value.to_text().into_owned())
    }
}

impl Statement<'_> {
    fn read_comparisons(&self, tokens: &[Token<'_>], found: &mut Names) {
        for (at, token) in tokens.iter().enumerate() {
            let Token::Word(column) = token else { continue };
            let Some(kind) = self.kind_of_column(column) else { continue };
            match (tokens.get(at + 1), tokens.get(at + 2)) {
                (Some(Token::Sign('=')), Some(value)) => self.add(&kind, value, found),
                (Some(Token::Word(word)), Some(Token::Sign('('))) if word.eq_ignore_ascii_case("in") => {
                    let list = tokens.get(at + 3..).unwrap_or_default();
                    let values = list.iter().take_while(|token| **token != Token::Sign(')'));
                    values.for_each(|value| self.add(&kind, value, found));
                }
                _ => {}
            }
        }
    }

    fn read_insert(&self, tokens: &[Token<'_>], found: &mut Names) {
        let is =
            |token: &Token<'_>, word: &str| matches!(token, Token::Word(w) if w.eq_ignore_ascii_case(word));
        let Some(into) = tokens.iter().position(|token| is(token, "into")) else { return };
        let Some(values) = tokens.iter().position(|token| is(token, "values")) else { return };
        let Some(columns) = tokens.get(into + 2..values) else { return };
        let kinds: Vec<Option<String>> = columns
            .iter()
            .filter_map(|token| if let Token::Word(column) = token { Some(column) } else { None })
            .map(|column| self.kind_of_column(column))
            .collect();
        for row in tokens.get(values + 1..).unwrap_or_default().split(|token| *token == Token::Sign('(')) {
            let cells = row.split(|token| *token == Token::Sign(',') || *token == Token::Sign(')'));
            for (kind, cell) in kinds.iter().zip(cells) {
                if let (Some(kind), [value]) = (kind, cell) {
                    self.add(kind, value, found);
                }
            }
        }
    }

    fn add(&self, kind: &str, value: &Token<'_>, found: &mut Names) {
        match value {
            Token::Literal(text) => found.add_text(kind, text, How::Sql, self.place),
            Token::Parameter(key) => {
                if let Some(text) = self.parameters.get(key) {
                    found.add_text(kind, &text, How::Sql, &format!("db.query.parameter.{key}"));
                }
            }
            Token::Word(_) | Token::Sign(_) => {}
        }
    }

    /// `order_id` speaks of an order; `id` of the table that it belongs to.
    fn kind_of_column(&self, column: &str) -> Option<String> {
        let (qualifier, column) = match column.rsplit_once('.') {
            Some((qualifier, column)) => (Some(unquoted(qualifier)), unquoted(column)),
            None => (None, unquoted(column)),
        };
        if !["id", "uuid", "key"].iter().any(|bare| column.eq_ignore_ascii_case(bare)) {
            return kind_of(column);
        }
        let named = |(table, alias): &&(String, Option<String>)| {
            qualifier.is_some_and(|name| {
                name.eq_ignore_ascii_case(table)
                    || alias.as_deref().is_some_and(|alias| name.eq_ignore_ascii_case(alias))
            })
        };
        let table = match qualifier {
            Some(_) => self.tables.iter().find(named),
            None => self.tables.first(),
        };
        table.map(|(table, _)| kind_of_plural(table))
    }
}

/// The tables that a statement speaks of, in order, each with its alias.
fn tables(tokens: &[Token<'_>]) -> Vec<(String, Option<String>)> {
    const LEAD: &[&str] = &["from", "into", "update", "join"];
    const NOT_ALIAS: &[&str] = &[
        "set",
        "where",
        "values",
        "on",
        "join",
        "left",
        "right",
        "inner",
        "outer",
        "cross",
        "using",
        "order",
        "group",
        "limit",
        "returning",
        "for",
        "select",
        "default",
        "having",
        "union",
    ];
    let lower = |token: Option<&Token<'_>>| match token {
        Some(Token::Word(word)) => Some(word.to_ascii_lowercase()),
        _ => None,
    };
    let mut tables = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let leads = lower(Some(token)).is_some_and(|word| LEAD.contains(&word.as_str()));
        let Some(Token::Word(table)) = tokens.get(at + 1).filter(|_| leads) else { continue };
        let next = lower(tokens.get(at + 2));
        let alias = if next.as_deref() == Some("as") { lower(tokens.get(at + 3)) } else { next };
        let alias = alias.filter(|alias| !NOT_ALIAS.contains(&alias.as_str()));
        let table = unquoted(table.rsplit('.').next().unwrap_or(table));
        if !NOT_ALIAS.contains(&table.to_ascii_lowercase().as_str()) {
            tables.push((table.to_owned(), alias));
        }
    }
    tables
}

fn unquoted(name: &str) -> &str {
    name.trim_matches(['"', '`', '[', ']'])
}

fn tokens(statement: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = statement;
    let mut unnamed = 0; // `?` and `%s` are numbered as they stand
    while let Some(first) = rest.chars().next() {
        if tokens.len() == TOKENS_MAX {
            break;
        }
        let (token, length) = token(rest, first, &mut unnamed);
        tokens.extend(token);
        rest = rest.get(length..).unwrap_or("");
    }
    tokens
}

/// The token at the beginning of `rest`, if it is one, and how many bytes it takes.
fn token<'a>(rest: &'a str, first: char, unnamed: &mut usize) -> (Option<Token<'a>>, usize) {
    let run = |from: usize, accept: fn(char) -> bool| {
        from + rest.get(from..).unwrap_or("").find(|c: char| !accept(c)).unwrap_or(rest.len() - from)
    };
    let word_end = |from| run(from, |c| c.is_alphanumeric() || "_$.\"`[]".contains(c));
    let mut number = || {
        *unnamed += 1;
        Some(Token::Parameter((*unnamed - 1).to_string()))
    };
    match first {
        '\'' => {
            let end = rest[1..].find('\'').map_or(rest.len(), |at| at + 1);
            (Some(Token::Literal(rest.get(1..end).unwrap_or(""))), (end + 1).min(rest.len()))
        }
        '?' => (number(), 1),
        '%' if rest.starts_with("%s") => (number(), 2),
        '%' if rest.starts_with("%(") => {
            let end = rest.find(')').unwrap_or(rest.len() - 1);
            (rest.get(2..end).map(|name| Token::Parameter(name.to_owned())), (end + 2).min(rest.len()))
        }
        '$' | ':' | '@' => {
            let end = run(1, |c| c.is_alphanumeric() || c == '_');
            let name = rest.get(1..end).unwrap_or("");
            let from_one = (first == '$').then(|| name.parse::<usize>().ok()).flatten();
            let key = from_one.map_or_else(|| name.to_owned(), |n| n.saturating_sub(1).to_string());
            ((!name.is_empty()).then_some(Token::Parameter(key)), end)
        }
        c if c.is_ascii_digit() => {
            let end = run(0, |c| c.is_ascii_alphanumeric() || c == '.');
            (rest.get(..end).map(Token::Literal), end)
        }
        c if c.is_alphabetic() || "_\"`[".contains(c) => {
            let end = word_end(first.len_utf8());
            (rest.get(..end).map(Token::Word), end)
        }
        c if c.is_whitespace() => (None, c.len_utf8()),
        c => (Some(Token::Sign(c)), c.len_utf8()),
    }
}
