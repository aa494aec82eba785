//! The formats by name and by ending, and the one way to all of them.

use std::path::Path;

use timeline::document::Timeline;

use super::{csv, dot, html, json, markdown, mermaid, perfetto, shiviz, svg};

/// A format that a timeline's document can be exported in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The public document.
    Json,
    /// One event a line, with its reasons, gaps and findings.
    Jsonl,
    /// One event a row.
    Csv,
    /// The draft of a post-mortem.
    Markdown,
    /// A sequence diagram.
    Mermaid,
    /// The graph of reasons, for Graphviz.
    Dot,
    /// The space-time diagram.
    Svg,
    /// The diagram to walk through, in one file.
    Html,
    /// A log with vector clocks, for ShiViz.
    Shiviz,
    /// Trace events, for Perfetto and chrome://tracing.
    Perfetto,
}

/// A timeline in another format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The file's text.
    pub text: String,
    /// What was left out because the format has no room for all of it, in one sentence.
    pub folded: Option<String>,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 10] = [
        Format::Json,
        Format::Jsonl,
        Format::Csv,
        Format::Markdown,
        Format::Mermaid,
        Format::Dot,
        Format::Svg,
        Format::Html,
        Format::Shiviz,
        Format::Perfetto,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
            Format::Markdown => "markdown",
            Format::Mermaid => "mermaid",
            Format::Dot => "dot",
            Format::Svg => "svg",
            Format::Html => "html",
            Format::Shiviz => "shiviz",
            Format::Perfetto => "perfetto",
        }
    }

    /// The endings of files in this format, the usual one first. `.json` alone is the public document.
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Format::Json => &["json"],
            Format::Jsonl => &["jsonl", "ndjson"],
            Format::Csv => &["csv"],
            Format::Markdown => &["md", "markdown"],
            Format::Mermaid => &["mmd", "mermaid"],
            Format::Dot => &["dot", "gv"],
            Format::Svg => &["svg"],
            Format::Html => &["html", "htm"],
            Format::Shiviz => &["shiviz", "shiviz.log"],
            Format::Perfetto => &["perfetto", "perfetto.json", "trace.json"],
        }
    }

    /// The format that a file's ending names, the longest that fits.
    pub fn of_path(path: &Path) -> Option<Format> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let fits = |ending: &&&str| name.strip_suffix(**ending).is_some_and(|stem| stem.ends_with('.'));
        let all = Format::ALL.into_iter();
        let fitting = all.filter_map(|format| Some((format.endings().iter().find(fits)?.len(), format)));
        fitting.max_by_key(|(length, _)| *length).map(|(_, format)| format)
    }

    /// `timeline` in this format.
    pub fn of(self, timeline: &Timeline) -> Export {
        let whole = |text| Export { text, folded: None };
        match self {
            Format::Json => whole(json::json(timeline)),
            Format::Jsonl => whole(json::jsonl(timeline)),
            Format::Csv => whole(csv::csv(timeline)),
            Format::Markdown => markdown::markdown(timeline),
            Format::Mermaid => mermaid::mermaid(timeline),
            Format::Dot => whole(dot::dot(timeline)),
            Format::Svg => svg::svg(timeline),
            Format::Html => whole(html::html(timeline)),
            Format::Shiviz => shiviz::shiviz(timeline),
            Format::Perfetto => whole(perfetto::perfetto(timeline)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::export::story;

    #[test]
    fn an_ending_names_a_format() {
        let of = |name: &str| Format::of_path(Path::new(name)).map(Format::name);
        assert_eq!(of("order-42.html"), Some("html"));
        assert_eq!(of("/tmp/order.42.perfetto.json"), Some("perfetto"));
        assert_eq!(of("ORDER.JSON"), Some("json"));
        assert_eq!(of("order"), None);
        assert_eq!(of("json"), None);
        for format in Format::ALL {
            for ending in format.endings() {
                assert_eq!(Format::of_path(Path::new(&format!("a.{ending}"))), Some(format));
            }
        }
    }

    #[test]
    fn the_same_document_gives_the_same_bytes_and_a_whole_file() {
        for format in Format::ALL {
            let told = story::whole();
            let made = format.of(&told);
            assert_eq!(made, format.of(&told.clone()), "{}", format.name());
            assert!(made.text.ends_with('\n') && made.folded.is_none(), "{}", format.name());
        }
    }

    #[test]
    fn an_empty_timeline_is_exported_too() {
        let mut told = story::whole();
        (told.events, told.edges, told.gaps) = (Vec::new(), Vec::new(), Vec::new());
        (told.findings, told.markers, told.range) = (Vec::new(), Vec::new(), None);
        (told.processes, told.clocks) = (Vec::new(), Vec::new());
        for format in Format::ALL {
            let made = format.of(&told);
            let bare = matches!(format, Format::Jsonl);
            assert!(bare || made.text.ends_with('\n'), "{}", format.name());
        }
    }

    #[test]
    fn every_format_keeps_the_finding_the_gap_and_what_is_sampled() {
        for format in Format::ALL {
            let text = format.of(&story::whole()).text;
            assert!(text.contains("double-charge"), "{} lost the finding", format.name());
            assert!(text.contains("order.shipped"), "{} lost the event", format.name());
            let rows_only = matches!(format, Format::Jsonl | Format::Csv);
            assert!(rows_only || text.contains("sampled"), "{} lost what is sampled", format.name());
            assert!(text.contains("request"), "{} lost the reasons", format.name());
        }
    }

    /// Texts that some format would obey.
    fn hostile() -> impl Strategy<Value = String> {
        let nasty = prop::sample::select(vec![
            "\u{1b}[2J",
            "<script>alert(1)</script>",
            "</script><img src=x onerror=alert(1)>",
            "<!--",
            "]]>",
            "=HYPERLINK(\"http://x\")",
            "@SUM(A1)",
            "\r\n",
            "\"; end\n",
            "\\\"",
            "\\N",
            "| a | b",
            "![x](http://x)",
            "```",
            "#35;",
            "%%{init: {}}%%",
            "participant x",
            "\u{202e}",
            "\u{2028}",
            "\u{0}",
            "\u{fffe}",
            "&lt;",
            "{\"a\":1}",
        ]);
        let part = prop_oneof![nasty.prop_map(str::to_owned), any::<String>()];
        prop::collection::vec(part, 1..4).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn no_text_of_telemetry_is_obeyed(text in hostile(), place in 0usize..30) {
            let told = story::hostile(&text, place);
            for format in Format::ALL {
                let made = format.of(&told).text;
                // Line ends are the formats' own; CSV's are those of RFC 4180.
                let obeyed = made.chars().find(|char| char.is_control() && !matches!(char, '\n' | '\r'));
                prop_assert!(obeyed.is_none(), "{}: {obeyed:?}", format.name());
                prop_assert!(!made.contains('\u{202e}'), "{}", format.name());
                if !matches!(format, Format::Json | Format::Jsonl | Format::Csv | Format::Shiviz | Format::Perfetto) {
                    let tags = story::whole();
                    let calm = format.of(&tags).text.matches("<script").count();
                    prop_assert_eq!(made.matches("<script").count(), calm, "{}", format.name());
                    prop_assert!(!made.contains("<img"), "{}", format.name());
                }
            }
        }

        #[test]
        fn no_text_of_telemetry_adds_a_line(text in hostile(), place in 0usize..30) {
            let (calm, told) = (story::hostile("calm", place), story::hostile(&text, place));
            for format in Format::ALL {
                let lines = |told: &Timeline| format.of(told).text.matches('\n').count();
                // An SVG breaks long texts into several lines of its own making; nothing else depends on a text's length.
                prop_assert_eq!(lines(&told), lines(&calm), "{}", format.name());
            }
        }
    }
}
