//! A small HTTP server that answers as it is told to.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// One answer.
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
    /// Whether the connection ends in the middle of the body.
    torn: bool,
}

impl Reply {
    pub(super) fn json(body: &Value) -> Reply {
        Reply::status(200, &body.to_string())
    }

    pub(super) fn status(status: u16, body: &str) -> Reply {
        Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec(), torn: false }
    }

    pub(super) fn with(mut self, name: &'static str, value: &'static str) -> Reply {
        self.headers.push((name, value));
        self
    }

    pub(super) fn torn(mut self) -> Reply {
        self.torn = true;
        self
    }

    fn send(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        write!(
            stream,
            "HTTP/1.1 {} X\r\ncontent-length: {}\r\nconnection: close\r\n",
            self.status,
            self.body.len()
        )?;
        for (name, value) in &self.headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        stream.write_all(b"\r\n")?;
        let sent = if self.torn { self.body.len() / 2 } else { self.body.len() };
        stream.write_all(&self.body[..sent])
    }
}

type Answer = dyn Fn(&str, u32) -> Reply + Send + Sync;

#[derive(Default)]
struct Seen {
    /// The paths asked, in order.
    asked: Vec<String>,
    /// How often each was.
    counts: HashMap<String, u32>,
    /// A header that every request must have.
    wanted: Option<(String, String)>,
}

/// The server; it ends with the test's process.
pub(super) struct Answers {
    pub(super) url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Answers {
    /// Answers each path.
    pub(super) fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Answers {
        Answers::start_counting(move |path, _| answer(path))
    }

    /// The same, told how often the path was asked before.
    pub(super) fn start_counting(answer: impl Fn(&str, u32) -> Reply + Send + Sync + 'static) -> Answers {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let answer: Arc<Answer> = Arc::new(answer);
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                // A client that hangs up is no fault of the test.
                std::thread::spawn(move || drop(serve(&stream, &seen, &*answer)));
            }
        });
        Answers { url, seen }
    }

    /// Turns away what has not this header.
    pub(super) fn wanting(self, name: &str, value: &str) -> Answers {
        lock(&self.seen).wanted = Some((name.to_owned(), value.to_owned()));
        self
    }

    /// The paths asked so far, decoded as far as a test needs.
    pub(super) fn asked(&self) -> Vec<String> {
        lock(&self.seen).asked.clone()
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &TcpStream, seen: &Mutex<Seen>, answer: &Answer) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        headers
            .extend(line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())));
    }
    let reply = {
        let mut seen = lock(seen);
        seen.asked.push(path.clone());
        let count = seen.counts.entry(path.clone()).or_default();
        *count += 1;
        let before = *count - 1;
        match &seen.wanted {
            Some(wanted) if !headers.contains(wanted) => Reply::status(401, "no"),
            _ => answer(&path, before),
        }
    };
    reply.send(stream)
}
