//! What is to be replaced.

use regex::Regex;
use timeline::naming;

/// What the name of a span, a span event or a log event goes by in rules.
pub(super) const NAME: &str = "span.name";
/// What a log's body goes by in rules, where it is a text.
pub(super) const BODY: &str = "body";
/// What the word on a span's status goes by in rules.
pub(super) const STATUS_MESSAGE: &str = "status.message";

/// Below these names senders give values names of their own.
const CARRIERS: &[&str] = &[
    "db.query.parameter.",
    "db.operation.parameter.",
    "http.request.header.",
    "http.response.header.",
    "messaging.header.",
    "rpc.request.metadata.",
    "rpc.response.metadata.",
];

/// Where only what is named is kept, these are too: they say what kind of work was done by which program, of which kind of
/// thing, and how it went, in words of the code. A name that ends in a dot stands for all below it.
const STRUCTURE: &[&str] = &[
    "service.",
    "telemetry.",
    "deployment.environment",
    "deployment.environment.name",
    "otel.",
    "code.",
    "thread.",
    "process.runtime.",
    "http.request.method",
    "http.method",
    "http.response.status_code",
    "http.status_code",
    "http.request.resend_count",
    "url.scheme",
    "url.template",
    "http.route",
    "db.system",
    "db.system.name",
    "db.operation",
    "db.operation.name",
    "db.collection.name",
    "db.sql.table",
    "db.namespace",
    "db.name",
    "db.response.returned_rows",
    "messaging.system",
    "messaging.operation",
    "messaging.operation.name",
    "messaging.operation.type",
    "messaging.destination",
    "messaging.destination.name",
    "messaging.destination.partition.id",
    "messaging.kafka.offset",
    "messaging.kafka.message.offset",
    "messaging.consumer.group.name",
    "rpc.system",
    "rpc.service",
    "rpc.method",
    "rpc.grpc.status_code",
    "error.type",
    "exception.type",
    "network.protocol.name",
    "network.transport",
    "entity.type",
    "backstory.entity.type",
    "backstory.copy",
    "backstory.op",
    "backstory.field",
    "backstory.version",
    "backstory.outcome",
    "hlc",
];

/// Texts that code composes around values: where only what is named is kept, their words stay, and what has digits, is quoted
/// or stands in a query string goes.
const COMPOSED: &[&str] = &[
    NAME,
    "db.query.text",
    "db.statement",
    "url.path",
    "http.target",
    "url.full",
    "http.url",
    "messaging.kafka.message.key",
    "cloudevents.event_subject",
];

/// What to replace by tokens.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    keys: Vec<Name>,
    patterns: Vec<Regex>,
    keep: Option<Vec<Name>>,
}

/// Rules that mean nothing.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A name without a letter or digit.
    #[error("{0:?} is no name of an attribute, a field or a key: write one as customer.email")]
    Name(String),
    /// A pattern that is no regular expression.
    #[error("the pattern {pattern:?} is no regular expression")]
    Pattern {
        /// As it was written.
        pattern: String,
        /// What is wrong with it.
        source: regex::Error,
    },
}

/// A name, by its words: `customer.email`, `customer_email` and `customerEmail` are one.
#[derive(Clone, Debug)]
struct Name {
    written: String,
    words: Vec<String>,
    /// The entity type whose keys it names: `order` for `order.id`.
    kind: Option<String>,
}

impl Name {
    fn new(written: &str) -> Result<Name, RulesError> {
        let words = words(written);
        if words.is_empty() {
            return Err(RulesError::Name(written.to_owned()));
        }
        Ok(Name { written: written.to_owned(), words, kind: naming::kind_of(written) })
    }

    /// Whether it names the attribute `key`: by all of its words, or by the last of them where senders are free to put others
    /// before.
    fn is_of(&self, key: &str) -> bool {
        let carried = CARRIERS.iter().find_map(|carrier| key.strip_prefix(carrier));
        let key_words = words(carried.unwrap_or(key));
        if carried.is_none() && naming::is_reserved(key) {
            return key_words == self.words;
        }
        key_words.ends_with(&self.words)
    }
}

fn words(name: &str) -> Vec<String> {
    naming::snake(name).split('_').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What becomes of a value, by the name that it stands under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// All of it is replaced, for this rule.
    Cover(usize),
    /// What has digits, is quoted or stands in a query string is replaced, for this rule, and every value known.
    Composed(usize),
    /// Every value known is replaced in it.
    Search,
}

impl Rules {
    /// Replaces the values of these keys (attributes, fields of state, columns, an entity type's keys by `order.id`) and what
    /// matches these patterns (of a pattern with a group, the first group). With `keep`, all is replaced but the values of
    /// those names and what only says what kind of work was done.
    pub fn new(keys: &[String], patterns: &[String], keep: Option<&[String]>) -> Result<Rules, RulesError> {
        let names = |list: &[String]| list.iter().map(|name| Name::new(name)).collect::<Result<Vec<_>, _>>();
        let compiled = |pattern: &String| {
            Regex::new(pattern).map_err(|source| RulesError::Pattern { pattern: pattern.clone(), source })
        };
        Ok(Rules {
            keys: names(keys)?,
            patterns: patterns.iter().map(compiled).collect::<Result<_, _>>()?,
            keep: keep.map(names).transpose()?,
        })
    }

    /// Whether nothing is to be replaced.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.patterns.is_empty() && self.keep.is_none()
    }

    /// The rules as they were written, by number: the keys, the patterns, then the rule that all goes which is not kept.
    pub(super) fn written(&self) -> Vec<String> {
        let keys = self.keys.iter().map(|name| name.written.clone());
        let patterns = self.patterns.iter().map(|pattern| format!("/{pattern}/"));
        keys.chain(patterns).chain(self.keep.iter().map(|_| "all but what is kept".to_owned())).collect()
    }

    fn all_but_kept(&self) -> usize {
        self.keys.len() + self.patterns.len()
    }

    /// What becomes of what stands under `key`; of a text outside the attributes its place: `body`, `name`.
    pub(super) fn treatment(&self, key: &str) -> Treatment {
        if let Some(rule) = self.keys.iter().position(|name| name.is_of(key)) {
            return Treatment::Cover(rule);
        }
        match &self.keep {
            Some(keep) if keep.iter().any(|name| name.is_of(key)) => Treatment::Search,
            Some(_) if is_structure(key) => Treatment::Search,
            Some(_) if COMPOSED.contains(&key) => Treatment::Composed(self.all_but_kept()),
            Some(_) => Treatment::Cover(self.all_but_kept()),
            None => Treatment::Search,
        }
    }

    /// The rule that names the keys of entities of a type.
    pub(super) fn of_kind(&self, kind: &str) -> Option<usize> {
        self.keys.iter().position(|name| name.kind.as_deref() == Some(kind))
    }

    /// The rule that names a field of a type's state.
    pub(super) fn of_field(&self, kind: &str, field: &str) -> Option<usize> {
        let key = words(&format!("{kind}_{field}"));
        self.keys.iter().position(|name| key.ends_with(&name.words))
    }

    /// The rule of keys that names `key`, whatever is kept.
    pub(super) fn of_key(&self, key: &str) -> Option<usize> {
        self.keys.iter().position(|name| name.is_of(key))
    }

    /// The patterns, by the numbers of their rules.
    pub(super) fn patterns(&self) -> impl Iterator<Item = (usize, &Regex)> {
        (self.keys.len()..).zip(&self.patterns)
    }

    /// Whether it is the rule that all goes which is not kept.
    pub(super) fn is_all_but_kept(&self, rule: usize) -> bool {
        rule == self.all_but_kept()
    }

    /// The rule for what has no name, where only what is named is kept.
    pub(super) fn of_unnamed(&self) -> Option<usize> {
        self.keep.as_ref().map(|_| self.all_but_kept())
    }

    /// Whether only what is named is kept.
    pub(super) fn keeps(&self) -> bool {
        self.keep.is_some()
    }
}

fn is_structure(key: &str) -> bool {
    STRUCTURE.iter().any(|name| if name.ends_with('.') { key.starts_with(name) } else { key == *name })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(keys: &[&str]) -> Rules {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        Rules::new(&keys, &[], None).expect("rules")
    }

    #[test]
    fn a_name_is_its_words_and_senders_may_put_others_before() {
        let rules = rules(&["customer.email"]);
        for key in
            ["customer.email", "customerEmail", "shop.customer_email", "db.query.parameter.customer_email"]
        {
            assert_eq!(rules.treatment(key), Treatment::Cover(0), "{key}");
        }
        for key in ["email", "customer.emails", "customer"] {
            assert_eq!(rules.treatment(key), Treatment::Search, "{key}");
        }
    }

    #[test]
    fn a_name_of_the_conventions_is_meant_only_in_full() {
        assert_eq!(rules(&["name"]).treatment("service.name"), Treatment::Search);
        assert_eq!(rules(&["name"]).treatment("customer.name"), Treatment::Cover(0));
        assert_eq!(rules(&["service.name"]).treatment("service.name"), Treatment::Cover(0));
    }

    #[test]
    fn a_name_of_a_key_names_the_keys_of_its_type() {
        assert_eq!(rules(&["orderId"]).of_kind("order"), Some(0));
        assert_eq!(rules(&["status"]).of_field("order", "status"), Some(0));
        assert_eq!(rules(&["order.status"]).of_field("order", "status"), Some(0));
        assert_eq!(rules(&["charge.status"]).of_field("order", "status"), None);
    }

    #[test]
    fn where_only_what_is_named_is_kept_the_kind_of_work_stays() {
        let keep = ["order.id".to_owned()];
        let rules = Rules::new(&[], &[], Some(&keep)).expect("rules");
        assert_eq!(rules.treatment("order_id"), Treatment::Search);
        assert_eq!(rules.treatment("http.request.method"), Treatment::Search);
        assert_eq!(rules.treatment("service.name"), Treatment::Search);
        assert_eq!(rules.treatment("db.statement"), Treatment::Composed(0));
        assert_eq!(rules.treatment("customer"), Treatment::Cover(0));
        assert_eq!(rules.treatment("body"), Treatment::Cover(0));
    }

    #[test]
    fn what_names_nothing_is_told() {
        let wrong = |keys: &[String], patterns: &[String]| {
            Rules::new(keys, patterns, None).expect_err("it is wrong").to_string()
        };
        assert!(wrong(&["--".into()], &[]).contains("customer.email"));
        assert!(wrong(&[], &["(".into()]).contains("\"(\""));
    }
}
