//! Writes the journal that `fixtures/journal/` keeps of each format version:
//! `cargo run -p backstory-journal --example write_fixture -- fixtures/journal/v1/journal`.
//! Run once for a version, and never again: later versions must read what was written then.

use std::path::PathBuf;
use std::sync::mpsc;

use journal::{Journal, Options};

#[path = "../tests/fixture/request.rs"]
mod request;
use request::request;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("name the folder to write")?.into();
    let (journal, _) = Journal::open(&folder, Options { segment_bytes: 2_000, ..Options::default() })?;
    for number in 0..12u32 {
        let (send, receive) = mpsc::channel();
        // The last batch is one of several requests.
        for number in if number == 11 { 11..15 } else { number..number + 1 } {
            let send = send.clone();
            journal.append(request(number), move |answer| drop(send.send(answer)));
        }
        drop(send);
        receive.into_iter().collect::<Result<Vec<_>, _>>()?;
    }
    Ok(())
}
