//! A file's rows: CSV with a header (RFC 4180), or one JSON object a line.

use serde_json::Value;

use super::Row;
use crate::input::{Input, PIECE_BYTES_MAX, Piece};
use crate::otlp::too_long;
use crate::request::ImportError;

/// What reads them.
pub(super) enum Rows {
    /// Of CSV the columns and what parts them.
    Csv {
        columns: Vec<String>,
        delimiter: char,
    },
    Json,
}

/// A row with its place, or what is wrong with it.
type Placed = (String, Result<Row, String>);

impl Rows {
    /// Tells CSV from JSON by the file's first character, and reads a header.
    pub(super) fn open(input: &mut Input<'_>) -> Result<Rows, ImportError> {
        let beginning = input.beginning()?;
        let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
        if text.starts_with(b"{") {
            return Ok(Rows::Json);
        }
        let Some(Ok(header)) = next_csv(input)? else { return Err(ImportError::UnknownFormat) };
        let header = header.trim_start_matches('\u{feff}');
        let count = |delimiter| header.matches(delimiter).count();
        // Of equal counts the comma, which stands last.
        let delimiter = ['\t', ';', ','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(',');
        let columns = cells(header, delimiter).map_err(|_| ImportError::UnknownFormat)?;
        Ok(Rows::Csv { columns, delimiter })
    }

    /// The next row; `None` at the end.
    pub(super) fn next(&mut self, input: &mut Input<'_>) -> Result<Option<Placed>, ImportError> {
        loop {
            let line = match self {
                Rows::Csv { .. } => next_csv(input)?,
                Rows::Json => next_line(input)?,
            };
            let Some(line) = line else { return Ok(None) };
            if line.as_ref().is_ok_and(|line| line.trim().is_empty()) {
                continue;
            }
            let place = format!("line {}", input.line());
            return Ok(Some((place, line.and_then(|line| self.row(&line)))));
        }
    }

    fn row(&self, line: &str) -> Result<Row, String> {
        let Rows::Csv { columns, delimiter } = self else {
            return match serde_json::from_str(line) {
                Ok(Value::Object(row)) => Ok(row),
                Ok(_) => Err("not a JSON object".to_owned()),
                Err(error) => Err(format!("not a JSON object: {error}")),
            };
        };
        let cells = cells(line, *delimiter)?;
        if cells.len() != columns.len() {
            return Err(format!("it has {} cells, and the header {}", cells.len(), columns.len()));
        }
        Ok(columns.iter().cloned().zip(cells.into_iter().map(Value::String)).collect())
    }
}

fn next_line(input: &mut Input<'_>) -> Result<Option<Result<String, String>>, ImportError> {
    Ok(match input.next_line()? {
        None => None,
        Some(Piece::Whole(line)) => Some(String::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())),
        Some(Piece::TooLong | Piece::Torn) => Some(Err(too_long("a line"))),
    })
}

/// A row of CSV: it goes on over lines within quotes.
fn next_csv(input: &mut Input<'_>) -> Result<Option<Result<String, String>>, ImportError> {
    let Some(first) = next_line(input)? else { return Ok(None) };
    let Ok(mut row) = first else { return Ok(Some(first)) };
    while row.matches('"').count() % 2 == 1 {
        match next_line(input)? {
            None => return Ok(Some(Err("the file ends within quotes".to_owned()))),
            Some(Err(what)) => return Ok(Some(Err(what))),
            Some(Ok(more)) => {
                row.push('\n');
                row.push_str(&more);
            }
        }
        if row.len() > PIECE_BYTES_MAX {
            return Ok(Some(Err(too_long("a row"))));
        }
    }
    Ok(Some(Ok(row)))
}

fn cells(row: &str, delimiter: char) -> Result<Vec<String>, String> {
    let mut cells = Vec::new();
    let mut rest = row;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let (cell, after) = rest.split_at(rest.find(delimiter).unwrap_or(rest.len()));
                (cell.to_owned(), after)
            }
        };
        cells.push(cell);
        match after.strip_prefix(delimiter) {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(cells),
            None => return Err("something stands behind a quoted cell".to_owned()),
        }
    }
}

/// A cell up to its closing quote, doubled ones undone, and what comes after.
fn unquoted(text: &str) -> Result<(String, &str), String> {
    let mut cell = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('"') {
        cell.push_str(before);
        match after.strip_prefix('"') {
            Some(next) => {
                cell.push('"');
                rest = next;
            }
            None => return Ok((cell, after)),
        }
    }
    Err("a quote is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_rfc_4180s() {
        let of = |row: &str| cells(row, ',');
        assert_eq!(of("a,b,,").as_deref(), Ok(["a", "b", "", ""].map(String::from).as_slice()));
        assert_eq!(
            of("\"a \"\"b\"\", c\nd\",e").as_deref(),
            Ok(["a \"b\", c\nd", "e"].map(String::from).as_slice())
        );
        assert!(of("\"a\"b,c").is_err() && of("\"a").is_err());
    }
}
