//! The search language: `service:payments order.id=42 "card declined" -kind:client since:15m`.
//!
//! `docs/search.md` explains it to people. The grammar:
//!
//! ```text
//! query   = any
//! any     = all { "OR" all }
//! all     = [ not { [ "AND" ] not } ]
//! not     = ( "-" | "NOT" ) not | "(" any ")" | term
//! term    = "*" | word | quoted | field op value | key op value
//! op      = ":" | "=" | "==" | "!=" | "~" | "!~" | "<" | "<=" | ">" | ">="
//! value   = bare [ "*" ] | quoted [ "*" ]
//! ```
//!
//! | file         | what it alone knows                                        |
//! |--------------|------------------------------------------------------------|
//! | `lexer.rs`   | where a term begins and ends                               |
//! | `parser.rs`  | how terms combine                                          |
//! | `terms.rs`   | what one term means                                        |
//! | `times.rs`   | times and durations as people write them                   |
//! | `print.rs`   | the text of a predicate                                    |

mod lexer;
mod parser;
mod print;
mod terms;
#[cfg(test)]
mod tests;
mod times;

pub use parser::{assumes_zone, parse, pinned};
pub use print::print;
pub use times::{Now, Zone, parse_time};

/// A text that is not a query, or not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// The byte of the text at which it is wrong.
    pub at: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl ParseError {
    fn new(at: usize, message: impl Into<String>) -> ParseError {
        ParseError { at, message: message.into() }
    }
}
