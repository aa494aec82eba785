//! The configuration: flags before environment before file before default.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::tui::keys::Keymap;
use ::tui::theme::Palette;
use anyhow::{Context, bail};
use indexer::JudgeOptions;
use query::redact::Rules;
use serde::Deserialize;
use timeline::clocks::{Declared, Drift};
use timeline::judge::{Budget, EntitySettings, Rule, Settings, parse_window};

use crate::cli::{self, Global, Listen};
use crate::command::Usage;

/// The file that is read where no other is named.
const FILE: &str = "backstory.toml";

/// What `backstory.toml` may hold. Unknown keys are errors.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    data: Option<PathBuf>,
    connect: Option<String>,
    token: Option<String>,
    grpc: Option<String>,
    http: Option<String>,
    query: Option<String>,
    tokens: Option<PathBuf>,
    keep_for: Option<String>,
    keep_bytes: Option<String>,
    theme: Option<String>,
    #[serde(default)]
    keys: BTreeMap<String, Keys>,
    /// How long late records may change a finding: `10s`.
    #[serde(default, deserialize_with = "parse_window")]
    window: Option<u64>,
    /// More attempts of one intent than this are a storm.
    attempts_max: Option<usize>,
    #[serde(default)]
    entity: BTreeMap<String, EntitySettings>,
    #[serde(default)]
    budget: Vec<Budget>,
    #[serde(default)]
    rule: Vec<Rule>,
    #[serde(default)]
    clock: BTreeMap<String, DeclaredClock>,
    /// What every export replaces by tokens.
    #[serde(default)]
    redact: Redact,
    /// How a server judges what arrives.
    #[serde(default)]
    judging: JudgeOptions,
    #[serde(default)]
    order: OrderSettings,
}

/// `[redact]`: what every export replaces by tokens, unless it is told not to.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redact {
    /// Attributes, fields and keys, by name: `customer.email`.
    #[serde(default)]
    keys: Vec<String>,
    /// Regular expressions.
    #[serde(default)]
    patterns: Vec<String>,
    /// Where it is given, all goes but the values of these names.
    keep: Option<Vec<String>>,
}

/// `[order]`: what order rests on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderSettings {
    /// How fast two clocks may drift apart, in parts per million.
    #[serde(default, deserialize_with = "parse_drift")]
    drift_ppm: Drift,
}

fn parse_drift<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Drift, D::Error> {
    Drift::of_ppm(u32::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// One key, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Several(Vec<String>),
}

/// `[clock.NAME]`: a clock by its host, else by its service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredClock {
    /// How far it is ahead of the reference clock: `"0s ± 2s"`.
    #[serde(deserialize_with = "offset")]
    offset: Declared,
}

fn offset<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Declared, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// Where the data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A folder.
    Folder(PathBuf),
    /// A bundle: a file that was made by `backstory export --bundle`.
    Bundle(PathBuf),
    /// A running server.
    Server {
        /// Its query address.
        url: String,
        /// The token that it asks for.
        token: Option<String>,
    },
}

impl Source {
    /// The option that names it on a command line.
    pub(crate) fn option(&self) -> String {
        match self {
            Source::Folder(path) | Source::Bundle(path) => format!("--data {}", path.display()),
            Source::Server { url, .. } => format!("--connect {url}"),
        }
    }
}

/// Where to listen and how much to keep.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Serving {
    pub(crate) grpc: String,
    pub(crate) http: String,
    pub(crate) query: String,
    pub(crate) tokens: Option<PathBuf>,
    pub(crate) keep_for: Duration,
    pub(crate) keep_bytes: u64,
    pub(crate) judging: JudgeOptions,
    pub(crate) premises: Premises,
}

/// What answers over a folder rest on besides its records.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Premises {
    /// What findings are judged by.
    pub(crate) settings: Settings,
    /// Declared offsets of clocks, by host, else by service.
    pub(crate) clocks: BTreeMap<String, Declared>,
    /// What a server beside which a folder is read wants to be shown.
    pub(crate) token: Option<String>,
    /// No more bytes than these are kept beyond retention for open incidents.
    pub(crate) pinned_bytes: u64,
    /// By how much two clocks may drift apart.
    pub(crate) drift: Drift,
}

/// How the terminal UI looks, and which key does what in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looks {
    pub(crate) palette: Palette,
    pub(crate) keymap: Keymap,
}

impl File {
    /// How the terminal UI looks, and which key does what in it.
    pub(crate) fn looks(&self) -> anyhow::Result<Looks> {
        let palette = match &self.theme {
            None => Palette::default(),
            Some(name) => Palette::named(name).ok_or_else(|| {
                let known = Palette::ALL.map(|(known, _)| known).join(", ");
                Usage(format!("the configuration's theme {name:?} is none of {known}"))
            })?,
        };
        let keys: Vec<(&str, &[String])> = self
            .keys
            .iter()
            .map(|(name, keys)| {
                let keys = match keys {
                    Keys::One(key) => std::slice::from_ref(key),
                    Keys::Several(keys) => keys.as_slice(),
                };
                (name.as_str(), keys)
            })
            .collect();
        let keymap =
            Keymap::with(keys).map_err(|error| Usage(format!("the configuration is wrong: {error}")))?;
        Ok(Looks { palette, keymap })
    }

    /// Reads the file that `global` names, else `./backstory.toml`, else nothing.
    pub(crate) fn load(global: &Global) -> anyhow::Result<File> {
        let path = match &global.config {
            Some(path) => path.as_path(),
            None if Path::new(FILE).exists() => Path::new(FILE),
            None => {
                let mut file = File::default();
                file.prefer(global);
                return Ok(file);
            }
        };
        let wrong = |what: String| Usage(format!("the configuration {} {what}", path.display()));
        let text =
            std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let mut file: File = toml::from_str(&text).map_err(|error| wrong(format!("is wrong: {error}")))?;
        file.prefer(global);
        Ok(file)
    }

    /// What is said goes before what the file says.
    fn prefer(&mut self, global: &Global) {
        self.token = global.token.clone().or(self.token.take());
    }

    /// The token that a server asks for.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Where the data is.
    pub(crate) fn source(&self, global: &Global) -> anyhow::Result<Source> {
        // What is said on the command line or in the environment overrides the file as a whole:
        // a `connect` in the file must not win over a `--data`.
        let (data, connect) = match (&global.data, &global.connect) {
            (None, None) => (&self.data, &self.connect),
            said => said,
        };
        match (data, connect) {
            (Some(_), Some(_)) => {
                let message = "`data` and `connect` exclude each other: name a folder or a server";
                Err(Usage(message.to_owned()).into())
            }
            (_, Some(url)) => Ok(Source::Server { url: url.clone(), token: self.token.clone() }),
            (Some(file), None) if file.is_file() => Ok(Source::Bundle(file.clone())),
            (Some(folder), None) => Ok(Source::Folder(folder.clone())),
            (None, None) => Ok(Source::Folder(default_folder()?)),
        }
    }

    /// What an export replaces by tokens: what the file says and what the command line adds.
    pub(crate) fn redaction(&self, said: &cli::Redact) -> anyhow::Result<Rules> {
        if said.unredacted {
            return Ok(Rules::default());
        }
        let both = |file: &[String], said: &[String]| [file, said].concat();
        let keep = match (&self.redact.keep, said.redact_keep.as_slice()) {
            (None, []) => None,
            (file, said) => Some(both(file.as_deref().unwrap_or_default(), said)),
        };
        let keys = both(&self.redact.keys, &said.redact);
        let patterns = both(&self.redact.patterns, &said.redact_pattern);
        let wrong = |error: anyhow::Error| Usage(format!("what to redact is not clear: {error:#}"));
        Ok(Rules::new(&keys, &patterns, keep.as_deref()).map_err(|error| wrong(error.into()))?)
    }

    /// What answers over a folder rest on besides its records.
    pub(crate) fn premises(&self) -> Premises {
        let clocks = self.clock.iter().map(|(name, clock)| (name.clone(), clock.offset)).collect();
        Premises {
            settings: self.settings(),
            clocks,
            token: self.token.clone(),
            // How much a running server keeps may be said to it alone: this is what the file or the default says.
            pinned_bytes: pinned_bytes(self.keep_bytes.as_deref().and_then(|text| parse_bytes(text).ok())),
            drift: self.order.drift_ppm,
        }
    }

    /// What findings are judged by.
    fn settings(&self) -> Settings {
        let usual = Settings::default();
        let mut settings = Settings {
            window_ns: self.window.unwrap_or(usual.window_ns),
            attempts_max: self.attempts_max.unwrap_or(usual.attempts_max),
            budgets: self.budget.clone(),
            rules: self.rule.clone(),
            ..usual
        };
        for (kind, declared) in &self.entity {
            settings.declare(kind, declared);
        }
        settings
    }

    /// Where to listen and how much to keep.
    pub(crate) fn serving(&self, listen: &Listen) -> anyhow::Result<Serving> {
        let pick = |said: &Option<String>, file: &Option<String>, default: &str| {
            said.as_ref().or(file.as_ref()).map_or_else(|| default.to_owned(), String::clone)
        };
        let keep_for = pick(&listen.keep_for, &self.keep_for, "3d");
        let keep_bytes = pick(&listen.keep_bytes, &self.keep_bytes, "20GB");
        let keep_for = parse_duration(&keep_for).map_err(|error| Usage(format!("--keep-for: {error:#}")))?;
        let keep_bytes =
            parse_bytes(&keep_bytes).map_err(|error| Usage(format!("--keep-bytes: {error:#}")))?;
        Ok(Serving {
            premises: Premises { pinned_bytes: pinned_bytes(Some(keep_bytes)), ..self.premises() },
            judging: self.judging.clone(),
            grpc: pick(&listen.grpc, &self.grpc, "127.0.0.1:4317"),
            http: pick(&listen.http, &self.http, "127.0.0.1:4318"),
            query: pick(&listen.query, &self.query, "127.0.0.1:4320"),
            tokens: listen.tokens.as_ref().or(self.tokens.as_ref()).cloned(),
            keep_for,
            keep_bytes,
        })
    }
}

/// `$XDG_DATA_HOME/backstory`, else `~/.local/share/backstory`.
pub(crate) fn default_folder() -> anyhow::Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_DATA_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join("backstory"))
        .context("there is no home folder (HOME is unset): name a folder with --data DIR")
}

/// How much is kept longer for open incidents, where so much is kept in all.
fn pinned_bytes(keep_bytes: Option<u64>) -> u64 {
    let usual = journal::Options::default();
    journal::Options { keep_bytes: keep_bytes.unwrap_or(usual.keep_bytes), ..usual }.pinned_bytes()
}

/// `90s`, `15m`, `12h`, `3d`.
pub(crate) fn parse_duration(text: &str) -> anyhow::Result<Duration> {
    let (number, unit) = split_unit(text);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => bail!("{text:?} is not a duration: write a whole number and s, m, h or d, as 3d"),
    };
    let number: u64 = number.parse().with_context(|| format!("{text:?} is not a duration, as 3d"))?;
    let seconds = number.checked_mul(seconds).with_context(|| format!("{text:?} is too long"))?;
    Ok(Duration::from_secs(seconds))
}

/// A duration in the largest unit that divides it: `3d`.
pub(crate) fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (unit, name) = [(86_400, "d"), (3_600, "h"), (60, "m")]
        .into_iter()
        .find(|(unit, _)| seconds.is_multiple_of(*unit))
        .unwrap_or((1, "s"));
    format!("{}{name}", seconds / unit)
}

/// `500MB`, `20GB`, `1GiB`, or plain bytes.
fn parse_bytes(text: &str) -> anyhow::Result<u64> {
    let (number, unit) = split_unit(text);
    let bytes: u64 = match unit {
        "" | "B" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => bail!("{text:?} is not a size: write a whole number and KB, MB, GB, KiB, MiB or GiB, as 20GB"),
    };
    let number: u64 = number.parse().with_context(|| format!("{text:?} is not a size, as 20GB"))?;
    number.checked_mul(bytes).with_context(|| format!("{text:?} is too large"))
}

fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_wins_over_the_file_and_the_file_over_the_default() {
        let file: File = toml::from_str("grpc = '127.0.0.1:1'\nhttp = '127.0.0.1:2'").expect("parses");
        let said = Listen { grpc: Some("127.0.0.1:9".to_owned()), ..Listen::default() };
        let serving = file.serving(&said).expect("is sound");
        assert_eq!(serving.grpc, "127.0.0.1:9");
        assert_eq!(serving.http, "127.0.0.1:2");
        assert_eq!(serving.query, "127.0.0.1:4320");
        assert_eq!(serving.keep_for, Duration::from_secs(3 * 86_400));
        assert_eq!(serving.keep_bytes, 20_000_000_000);
    }

    #[test]
    fn a_folder_that_is_said_wins_over_a_server_in_the_file() {
        let file: File = toml::from_str("connect = 'http://127.0.0.1:4320'").expect("parses");
        let said = Global { data: Some("here".into()), ..Global::default() };
        assert_eq!(file.source(&said).expect("is sound"), Source::Folder("here".into()));
    }

    #[test]
    fn budgets_rules_and_entities_are_what_findings_are_judged_by() {
        let text = r#"
            window = "30s"
            [entity.order]
            owner = "shop/orders"
            transitions = { status = ["created -> paid", "paid -> shipped"] }
            [[budget]]
            entity = "order"
            copy = "redis/order"
            lag = "2s"
            [[rule]]
            name = "one capture"
            entity = "order"
            at_most = 1
            write = "charges.state = captured"
        "#;
        let settings = toml::from_str::<File>(text).expect("parses").settings();
        assert_eq!((settings.window_ns, settings.attempts_max), (30_000_000_000, 5));
        assert_eq!(settings.budget("order", "redis/order"), Some(2_000_000_000));
        assert_eq!((settings.rules.len(), settings.transitions["order"]["status"].len()), (1, 2));
        let slip = text.replace("lag =", "lagg =");
        assert!(toml::from_str::<File>(&slip).expect_err("a slip").to_string().contains("lagg"));
    }

    #[test]
    fn what_the_file_redacts_the_command_line_adds_to() {
        let file: File =
            toml::from_str("[redact]\nkeys = ['customer.email']\npatterns = ['\\d{16}']").expect("parses");
        let said = |redact: &[&str]| cli::Redact {
            redact: redact.iter().map(|key| (*key).to_owned()).collect(),
            ..cli::Redact::default()
        };
        assert!(!file.redaction(&said(&[])).expect("rules").is_empty());
        let error = file.redaction(&said(&["--"])).expect_err("no name").to_string();
        assert!(error.contains("\"--\" is no name"), "{error}");
        let none = cli::Redact { unredacted: true, ..cli::Redact::default() };
        assert!(file.redaction(&none).expect("rules").is_empty());
        assert!(File::default().redaction(&said(&[])).expect("rules").is_empty());
        let kept: File = toml::from_str("[redact]\nkeep = []").expect("parses");
        assert!(!kept.redaction(&said(&[])).expect("rules").is_empty(), "all goes");
    }

    #[test]
    fn unknown_keys_are_errors_that_name_the_key() {
        let error = toml::from_str::<File>("gprc = '127.0.0.1:1'").expect_err("a slip of the pen");
        assert!(error.to_string().contains("gprc"), "{error}");
    }

    #[test]
    fn looks_say_what_is_wrong_with_them() {
        let looks = |text: &str| toml::from_str::<File>(text).expect("parses").looks();
        let sound = looks("theme = 'light'\n[keys]\n'timeline.why' = 'f2'\n'home.pause' = ['p', 'f3']");
        assert_eq!(sound.expect("is sound").palette, Palette::Light);
        let wrong = |text: &str| looks(text).expect_err("it is wrong").to_string();
        assert!(wrong("theme = 'beige'").contains("\"beige\" is none of terminal, dark"));
        assert!(wrong("[keys]\n'timeline.wy' = 'w'").contains("\"timeline.wy\" is no action"));
        assert!(wrong("[keys]\n'timeline.why' = 'z'").contains("\"z\" would mean both"));
    }

    #[test]
    fn a_clock_may_be_declared_and_what_is_wrong_is_pointed_at() {
        let file: File = toml::from_str("[clock.legacy]\noffset = '-1s ± 2s'").expect("parses");
        let declared = file.premises().clocks;
        assert_eq!(declared["legacy"], Declared { offset_ns: -1_000_000_000, error_ns: 2_000_000_000 });
        for wrong in
            ["[clock.legacy]\noffset = 'soon'", "[clock.legacy]\nofset = '0s ± 2s'", "[clock.legacy]"]
        {
            let error = toml::from_str::<File>(wrong).expect_err(wrong).to_string();
            assert!(error.contains("line"), "{error}");
        }
    }

    #[test]
    fn how_fast_clocks_may_drift_apart_is_told_within_reason() {
        let drift = |text: &str| toml::from_str::<File>(text).map(|file| file.premises().drift);
        assert_eq!(drift("").expect("parses"), Drift::default());
        assert_eq!(drift("[order]\ndrift_ppm = 50").expect("parses"), Drift::of_ppm(50).expect("a drift"));
        for wrong in ["[order]\ndrift_ppm = 0", "[order]\ndrift_ppm = 5000", "[order]\ndrift = 5"] {
            let error = drift(wrong).expect_err(wrong).to_string();
            assert!(error.contains("line 2"), "{error}");
        }
    }

    #[test]
    fn sizes_and_durations_say_what_would_be_right() {
        assert_eq!(parse_bytes("1GiB").expect("a size"), 1 << 30);
        assert_eq!(parse_bytes("17").expect("a size"), 17);
        for text in ["90s", "15m", "12h", "3d"] {
            assert_eq!(duration_text(parse_duration(text).expect("a duration")), text);
        }
        for wrong in ["", "GB", "1 parsec", "99999999999999999999GB", "-1GB"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "3", "3w", "99999999999999999d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
