//! What the book and the examples say is typed is what the command line takes.

use std::path::{Path, PathBuf};

use clap::Parser;
use clap::error::ErrorKind;

use super::Cli;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is read").flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// A line as a shell would part it; `None` where it is more than one plain command.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match char {
            '\'' => word.get_or_insert_default().extend(chars.by_ref().take_while(|next| *next != '\'')),
            '"' => word.get_or_insert_default().extend(chars.by_ref().take_while(|next| *next != '"')),
            '\\' => word.get_or_insert_default().extend(chars.next()),
            '#' if word.is_none() => break,
            '>' | '|' | '&' | ';' if word.is_none() => break,
            '$' | '`' => return None,
            blank if blank.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

/// The command lines of this program in a text: of a page those inside fences, of another file all.
fn commands(text: &str, is_page: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let line = line.trim_start().trim_start_matches("$ ");
        let line = line.trim_start_matches("ExecStart=/usr/local/bin/");
        if (is_page && !fenced) || !(line == "backstory" || line.starts_with("backstory ")) {
            continue;
        }
        let mut whole = line.to_owned();
        while whole.ends_with('\\') {
            whole.pop();
            whole.push_str(lines.next().unwrap_or_default().trim_start());
        }
        found.push(whole);
    }
    found
}

fn assert_parses(words: &[String], place: &str) {
    if let Err(error) = Cli::try_parse_from(words) {
        let asks = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        assert!(asks, "{place}: {words:?}: {error}");
    }
}

#[test]
fn every_command_line_in_the_book_and_the_examples_parses() {
    let mut pages = files(&root().join("docs"));
    pages.push(root().join("README.md"));
    let mut checked = 0;
    for page in pages {
        // Pictures and the like are no text.
        let Ok(text) = std::fs::read_to_string(&page) else { continue };
        let is_page = page.extension().is_some_and(|ending| ending == "md");
        for line in commands(&text, is_page) {
            if let Some(words) = words(&line) {
                assert_parses(&words, &page.display().to_string());
                checked += 1;
            }
        }
    }
    assert!(checked > 40, "only {checked} lines were found");
}

/// The arguments that stand as a list of texts after `name` in an example.
fn listed(text: &str, name: &str) -> Vec<String> {
    let (_, after) = text.split_once(name).unwrap_or_else(|| panic!("{name} is not there"));
    let (_, after) = after.split_once('[').expect("a list");
    let (list, _) = after.split_once(']').expect("the list ends");
    list.split(',')
        .map(|item| item.trim().trim_matches('"').to_owned())
        .filter(|item| !item.is_empty())
        .collect()
}

#[test]
fn the_container_and_the_cluster_start_what_there_is() {
    for (file, name) in [("Dockerfile", "CMD "), ("kubernetes.yaml", "args:")] {
        let text = std::fs::read_to_string(root().join("docs/examples").join(file)).expect("the example");
        let mut words = vec!["backstory".to_owned()];
        words.extend(listed(&text, name));
        assert!(words.contains(&"serve".to_owned()), "{words:?}");
        assert_parses(&words, file);
    }
}

#[test]
fn a_line_is_parted_as_a_shell_does() {
    let parted = |line: &str| words(line).map(|words| words.join("|"));
    assert_eq!(
        parted("backstory search 'a b' \"c d\" --x # why").as_deref(),
        Some("backstory|search|a b|c d|--x")
    );
    assert_eq!(parted("backstory man > file").as_deref(), Some("backstory|man"));
    assert_eq!(parted("backstory env $LANG"), None);
    assert_eq!(
        commands("backstory one\n```sh\nbackstory two \\\n  three\n```\n", true),
        ["backstory two three"]
    );
}
