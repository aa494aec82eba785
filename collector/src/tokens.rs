//! Named tokens: who may send, or ask, where a listener is open to more than this machine.
//!
//! A file holds one `name token` per line; `#` starts a comment. It is read again when it changes, so
//! that a token is revoked by deleting its line. A file that has gone admits nobody.

use std::fs::{File, Metadata};
use std::hint::black_box;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use parking_lot::RwLock;

/// Shorter tokens can be guessed.
const TOKEN_CHARS_MIN: usize = 16;

/// A file changed so shortly before it was read may change again without a new time: the file
/// system's clock is coarse. It is read again until it is older.
const FRESH: Duration = Duration::from_secs(2);

/// The tokens of one file.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    held: RwLock<Held>,
}

#[derive(Debug)]
struct Held {
    tokens: Vec<Token>,
    /// The file as it was read; `None` where it could not be.
    version: Option<Version>,
}

#[derive(Debug)]
struct Token {
    name: Arc<str>,
    secret: Secret,
}

/// A token's text; it shows itself to nobody.
struct Secret(Box<str>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// What tells one version of a file from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    inode: u64,
    length: u64,
    modified: SystemTime,
    /// Whether it was read long enough after its last change.
    settled: bool,
}

/// Why a file of tokens can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// It can't be read.
    #[error("can't read the tokens of {path}: {error}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A line is no token.
    #[error("{path}:{line}: {reason}", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is no token in it.
    #[error("{path} holds no token; write one line: a name, a space and at least 16 random characters", path = .0.display())]
    Empty(PathBuf),
}

impl Tokens {
    /// Reads the file. At the start every line must be good.
    pub fn open(path: impl Into<PathBuf>) -> Result<Tokens, TokensError> {
        let path = path.into();
        let (lines, version) =
            read(&path).map_err(|error| TokensError::Unreadable { path: path.clone(), error })?;
        let mut tokens = Vec::new();
        for (line, parsed) in lines {
            tokens.push(parsed.map_err(|reason| TokensError::Line { path: path.clone(), line, reason })?);
        }
        if tokens.is_empty() {
            return Err(TokensError::Empty(path));
        }
        Ok(Tokens { path, held: RwLock::new(Held { tokens, version: Some(version) }) })
    }

    /// The name of the token in `authorization: Bearer TOKEN`, if it is known.
    pub fn admit(&self, headers: &HeaderMap) -> Option<Arc<str>> {
        let (scheme, presented) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
        self.refresh();
        scheme.eq_ignore_ascii_case("bearer").then(|| self.name_of(presented.trim())).flatten()
    }

    /// Compares with every token in full, so that the time taken tells nothing.
    fn name_of(&self, presented: &str) -> Option<Arc<str>> {
        let held = self.held.read();
        let mut found = None;
        for token in &held.tokens {
            if equal(token.secret.0.as_bytes(), presented.as_bytes()) {
                found = Some(&token.name);
            }
        }
        found.cloned()
    }

    /// Reads the file again if it has changed. A line that is no token admits nobody; the others count.
    fn refresh(&self) {
        let now = std::fs::metadata(&self.path).ok().and_then(|metadata| Version::of(&metadata).ok());
        if now.is_some_and(|now| now.settled) && self.held.read().version == now {
            return;
        }
        let mut held = self.held.write();
        *held = match read(&self.path) {
            Ok((lines, version)) => {
                if held.version != Some(version) {
                    lines.iter().filter_map(|(line, parsed)| Some((line, parsed.as_ref().err()?))).for_each(
                        |(line, reason)| tracing::warn!("{}:{line}: {reason}", self.path.display()),
                    );
                }
                let tokens = lines.into_iter().filter_map(|(_, parsed)| parsed.ok()).collect();
                Held { tokens, version: Some(version) }
            }
            Err(error) => {
                if held.version.is_some() {
                    tracing::warn!("no token is admitted: can't read {}: {error}", self.path.display());
                }
                Held { tokens: Vec::new(), version: None }
            }
        };
    }
}

impl Version {
    fn of(metadata: &Metadata) -> std::io::Result<Version> {
        let modified = metadata.modified()?;
        let settled = SystemTime::now().duration_since(modified).is_ok_and(|age| age >= FRESH);
        Ok(Version { inode: metadata.ino(), length: metadata.len(), modified, settled })
    }
}

type Lines = Vec<(usize, Result<Token, &'static str>)>;

fn read(path: &Path) -> std::io::Result<(Lines, Version)> {
    let mut file = File::open(path)?;
    // Taken before the text: a change in between is seen as a change.
    let version = Version::of(&file.metadata()?)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok((parse(&text), version))
}

fn parse(text: &str) -> Lines {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| (number, parse_line(line)))
        .collect()
}

fn parse_line(line: &str) -> Result<Token, &'static str> {
    let (name, secret) = line.split_once(char::is_whitespace).ok_or("a line is `name token`")?;
    let secret = secret.trim_start();
    if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a token is printable ASCII without spaces");
    }
    if secret.len() < TOKEN_CHARS_MIN {
        return Err("a token has at least 16 characters");
    }
    Ok(Token { name: name.into(), secret: Secret(secret.into()) })
}

/// Whether two texts are the same, in a time that depends on the length of `presented` alone.
fn equal(secret: &[u8], presented: &[u8]) -> bool {
    let mut difference = secret.len() ^ presented.len();
    for (index, byte) in presented.iter().enumerate() {
        let expected = secret.get(index % secret.len().max(1)).copied().unwrap_or(0);
        difference |= usize::from(black_box(expected ^ byte));
    }
    black_box(difference) == 0
}

/// What anybody may ask: whether the server is up and ready, for probes that hold no secret.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

/// Lays the tokens over every route of `router` but `/healthz` and `/readyz`: a request without one gets 401 and why,
/// in JSON.
pub fn protect(router: axum::Router, tokens: Arc<Tokens>) -> axum::Router {
    router.layer(axum::middleware::from_fn_with_state(tokens, guard))
}

async fn guard(State(tokens): State<Arc<Tokens>>, request: Request, next: Next) -> Response {
    if OPEN.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    match tokens.admit(request.headers()) {
        Some(_) => next.run(request).await,
        None => (
            StatusCode::UNAUTHORIZED,
            [(WWW_AUTHENTICATE, "Bearer"), (CONTENT_TYPE, "application/json")],
            concat!(
                r#"{"error":{"code":"unauthorized","message":"this server wants a token that it knows: "#,
                r#"send the header `authorization: Bearer TOKEN`","at":null}}"#
            ),
        )
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "alice-0123456789abcdef";
    const BOB: &str = "bob-fedcba9876543210";

    fn bearer(token: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())])
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_known_token_is_admitted_under_its_name() {
        let file = file(&format!("# who may send\n\nalice {ALICE}\nbob\t{BOB}\n"));
        let tokens = Tokens::open(file.path()).unwrap();
        assert_eq!(tokens.admit(&bearer(ALICE)).as_deref(), Some("alice"));
        assert_eq!(tokens.admit(&bearer(BOB)).as_deref(), Some("bob"));
        let lower = HeaderMap::from_iter([(AUTHORIZATION, format!("bearer  {BOB} ").parse().unwrap())]);
        assert_eq!(tokens.admit(&lower).as_deref(), Some("bob"));
    }

    #[test]
    fn anything_else_is_not() {
        let file = file(&format!("alice {ALICE}\n"));
        let tokens = Tokens::open(file.path()).unwrap();
        assert_eq!(tokens.admit(&HeaderMap::new()), None);
        for wrong in ["", "alice", BOB, &ALICE[1..], &ALICE[..ALICE.len() - 1], &ALICE.repeat(2)] {
            assert_eq!(tokens.admit(&bearer(wrong)), None, "{wrong}");
        }
        let basic = HeaderMap::from_iter([(AUTHORIZATION, format!("Basic {ALICE}").parse().unwrap())]);
        assert_eq!(tokens.admit(&basic), None);
    }

    #[test]
    fn a_token_is_revoked_by_deleting_its_line_and_added_by_writing_one() {
        let file = file(&format!("alice {ALICE}\n"));
        let tokens = Tokens::open(file.path()).unwrap();
        assert!(tokens.admit(&bearer(ALICE)).is_some());

        // The same length, and perhaps the same time: the hardest change to see.
        let other = ALICE.replace('a', "b");
        std::fs::write(file.path(), format!("alice {other}\n")).unwrap();
        assert_eq!(tokens.admit(&bearer(ALICE)), None);
        assert!(tokens.admit(&bearer(&other)).is_some());

        std::fs::remove_file(file.path()).unwrap();
        assert_eq!(tokens.admit(&bearer(&other)), None);
        std::fs::write(file.path(), format!("alice {ALICE}\nbroken\n")).unwrap();
        assert!(tokens.admit(&bearer(ALICE)).is_some());
    }

    #[test]
    fn a_bad_file_says_where_and_what() {
        let complaint = |text: &str| {
            let file = file(text);
            let error = Tokens::open(file.path()).unwrap_err().to_string();
            error.replace(&file.path().display().to_string(), "FILE")
        };
        assert_eq!(complaint("\nalone\n"), "FILE:2: a line is `name token`");
        assert_eq!(complaint("alice short\n"), "FILE:1: a token has at least 16 characters");
        assert_eq!(
            complaint("alice two words 0123456789\n"),
            "FILE:1: a token is printable ASCII without spaces"
        );
        assert!(complaint("# nobody\n").starts_with("FILE holds no token"));
        assert!(Tokens::open("/nonexistent/tokens").unwrap_err().to_string().contains("/nonexistent/tokens"));
    }

    #[test]
    fn a_token_does_not_show_in_debug_output() {
        let file = file(&format!("alice {ALICE}\n"));
        assert!(!format!("{:?}", Tokens::open(file.path()).unwrap()).contains(ALICE));
    }
}
