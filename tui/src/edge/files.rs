//! Files that the user asks for, written off the screen's thread.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::thread;

use crate::message::Message;

/// So many files of one name are told apart by a number; then the user has to tidy up.
const NUMBERS_MAX: u32 = 1000;

/// Writes `text` to a new file in the working folder, and says where it is or why it is not.
pub(super) fn save(name: String, text: String, messages: Sender<Message>) {
    thread::spawn(move || {
        let said = match save_in(Path::new("."), &name, &text) {
            Ok(path) => format!("written to {}", path.display()),
            Err(error) => format!("{name} could not be written here: {error}"),
        };
        // Nobody listens any more: the program ends.
        let _ = messages.send(Message::Said(said));
    });
}

/// Nothing that is there is overwritten: a number tells the new file apart.
fn save_in(folder: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let (stem, ending) = name.split_once('.').unwrap_or((name, "txt"));
    for number in 1..=NUMBERS_MAX {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{stem}{number}.{ending}"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                let shown = path.strip_prefix(".").map(Path::to_owned);
                return Ok(shown.unwrap_or(path));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many files of that name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten() {
        let folder = std::env::temp_dir().join(format!("backstory-files-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let first = save_in(&folder, "order-42.trace.json", "1").expect("is written");
        let second = save_in(&folder, "order-42.trace.json", "2").expect("is written beside");
        assert!(first.ends_with("order-42.trace.json") && second.ends_with("order-42-2.trace.json"));
        assert_eq!(std::fs::read_to_string(&first).expect("is there"), "1");
        std::fs::remove_dir_all(&folder).expect("is tidied up");
        assert!(save_in(&folder, "x.txt", "3").is_err(), "the folder is gone");
    }
}
