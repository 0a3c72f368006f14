//! Writes enums of events at random: the words of the derives, put together as their rules allow.
//!
//! Beside each enum stands what it must come to: the plain serde type of its payloads, and what
//! each variant is on the wire, worked out from the choices made here and not by the derives.

#[path = "generator/enums.rs"]
mod enums;
#[path = "generator/payload.rs"]
mod payload;
#[path = "generator/render.rs"]
mod render;
#[path = "generator/variant.rs"]
mod variant;

use std::collections::HashSet;

use fastrand::Rng;

/// The source of `count` enums, each in a module of its own.
pub(crate) fn source(seed: u64, count: usize) -> String {
    let mut rng = Rng::with_seed(seed);
    let enums = (0..count).map(|index| Enum::new(index, &mut rng).to_source(index));
    enums.collect()
}

const RULES: [&str; 9] = [
    "lowercase",
    "UPPERCASE",
    "PascalCase",
    "camelCase",
    "snake_case",
    "SCREAMING_SNAKE_CASE",
    "kebab-case",
    "SCREAMING-KEBAB-CASE",
    "dot.case",
];
#[rustfmt::skip]
const WORDS: [&str; 12] = [
    "file", "saved", "token", "user", "room", "price", "build", "step", "page", "chat", "node", "job",
];
#[rustfmt::skip]
const TYPES: [&str; 10] = [
    "u8", "bool", "String", "f64", "Option<u16>", "Vec<String>", "(u8, char)", "Inner", "Choice",
    "BTreeMap<Key, u8>",
];
const IDS: [&str; 6] = [
    "u64",
    "i32",
    "String",
    "Ticket",
    "Option<u32>",
    "Option<Ticket>",
];
const TEXTS: [&str; 4] = ["String", "u64", "f64", "Ticket"];

struct Enum {
    words: Vec<String>,
    /// The key of the tag, and that of the content beside it.
    tag: Option<&'static str>,
    content: Option<&'static str>,
    /// The case of the names and of the keys.
    names: &'static str,
    keys: &'static str,
    prefix: &'static str,
    unnamed: bool,
    form: Kind,
    deny: bool,
    generic: bool,
    variants: Vec<Variant>,
    /// Names, and what only one variant can be.
    taken: HashSet<String>,
}

struct Variant {
    ident: String,
    wire: String,
    words: Vec<String>,
    kind: Kind,
    line: Line,
    is_struct: bool,
    fields: Vec<Field>,
    alias: Option<String>,
    literal: String,
    terminal: bool,
    retry: bool,
    replay: &'static str,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Json,
    Text,
    Lines,
    Empty,
    Literal,
    Comment,
    Flatten,
    Other,
    Skip,
}

#[derive(Clone, Copy, PartialEq)]
enum Line {
    Named,
    Unnamed,
    /// By a field.
    Chosen,
}

struct Field {
    name: String,
    ty: String,
    role: Role,
    words: Vec<String>,
    /// The words of serde that the plain type has too.
    serde: Vec<String>,
    key: String,
    is_log_key: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Payload,
    /// The payload, whatever else there is.
    Data,
    Id,
    /// In the payload as well.
    KeptId,
    Retry,
    Event,
    /// Not on the wire.
    Absent,
}

impl Enum {
    fn name(&mut self, rng: &mut Rng) -> [&'static str; 2] {
        loop {
            let name = [one_of(WORDS, rng), one_of(WORDS, rng)];
            if self.take(&name.concat()) {
                return name;
            }
        }
    }

    fn take(&mut self, what: &str) -> bool {
        self.taken.insert(what.to_owned())
    }
}

impl Kind {
    fn is_event(self) -> bool {
        matches!(
            self,
            Self::Json | Self::Text | Self::Lines | Self::Empty | Self::Literal
        )
    }

    fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Lines => "lines",
            Self::Empty => "empty",
            Self::Literal => "literal",
            Self::Comment => "comment",
            Self::Flatten => "flatten",
            Self::Other => "other",
            Self::Skip => "skip",
        }
    }
}

impl Field {
    fn new(name: &str, ty: &str, role: Role) -> Self {
        Self {
            name: name.into(),
            ty: ty.into(),
            role,
            words: Vec::new(),
            serde: Vec::new(),
            key: name.into(),
            is_log_key: false,
        }
    }

    fn rename(&mut self, rng: &mut Rng) {
        self.key = format!("re: {}", self.name);
        self.words.push(format!(
            "{}(rename = {:?})",
            one_of(["sse", "serde"], rng),
            self.key
        ));
    }
}

fn one_in(n: usize, rng: &mut Rng) -> bool {
    rng.usize(..n) == 0
}

fn one_of<T>(choices: impl IntoIterator<Item = T>, rng: &mut Rng) -> T {
    rng.choice(choices.into_iter().collect::<Vec<_>>())
        .expect("there is a choice")
}

fn cased_key(name: &str, rule: &str) -> String {
    let words: Vec<_> = name.split('_').collect();
    cased(&words, rule, "_")
}

/// serde runs the words of a variant together in `lowercase` and `UPPERCASE`, those of a key not.
fn cased(words: &[&str], rule: &str, separator: &str) -> String {
    let capital = |word: &&str| word[..1].to_uppercase() + &word[1..];
    match rule {
        "lowercase" => words.join(separator),
        "UPPERCASE" => words.join(separator).to_uppercase(),
        "PascalCase" => words.iter().map(capital).collect(),
        "camelCase" => words[0].to_owned() + &words[1..].iter().map(capital).collect::<String>(),
        "snake_case" => words.join("_"),
        "SCREAMING_SNAKE_CASE" => words.join("_").to_uppercase(),
        "kebab-case" => words.join("-"),
        "SCREAMING-KEBAB-CASE" => words.join("-").to_uppercase(),
        "dot.case" => words.join("."),
        other => unreachable!("{other} is no rule"),
    }
}
