//! How events look.

use std::env;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write};

use serde::Serialize;
use sse_tower::RawEvent;

/// Where events go.
pub(crate) enum Printer {
    Json,
    Text { colours: bool },
}

impl Printer {
    /// With colours on a terminal, unless `NO_COLOR` is set (<https://no-color.org>).
    pub(crate) fn for_terminal(is_terminal: bool) -> Self {
        let declined = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self::Text {
            colours: is_terminal && !declined,
        }
    }

    pub(crate) fn print(&mut self, out: &mut impl Write, event: &RawEvent<'_>) -> io::Result<()> {
        match self {
            Self::Json => writeln!(out, "{}", json(event)?),
            Self::Text { colours } => text(out, event, *colours),
        }
    }
}

/// The name, the id, and the data: next to them if it is one line, otherwise below.
fn text(out: &mut impl Write, event: &RawEvent<'_>, colours: bool) -> io::Result<()> {
    let name = visible(event.event());
    match colours {
        true => write!(out, "\x1b[1;{}m{name}\x1b[0m", colour(event.event()))?,
        false => write!(out, "{name}")?,
    }
    if let Some(id) = event.id() {
        let id = visible(id);
        match colours {
            true => write!(out, " \x1b[2m#{id}\x1b[0m")?,
            false => write!(out, " #{id}")?,
        }
    }
    match event.data().contains('\n') {
        false => writeln!(out, " {}", visible(event.data())),
        true => {
            writeln!(out)?;
            let mut lines = event.data().split('\n');
            lines.try_for_each(|line| writeln!(out, "    {}", visible(line)))
        }
    }
}

/// One of the colours that can be read on black and on white; always the same for a name.
fn colour(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    31 + hasher.finish() % 6
}

/// An event as a line of NDJSON.
#[derive(Serialize)]
struct Line<'a> {
    event: &'a str,
    data: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<u64>,
}

fn json(event: &RawEvent<'_>) -> io::Result<String> {
    let retry = event.retry().map(|delay| delay.as_millis());
    let json = serde_json::to_string(&Line {
        event: event.event(),
        data: event.data(),
        id: event.id(),
        retry: retry.map(|millis| millis.try_into().unwrap_or(u64::MAX)),
    })?;
    // serde_json leaves those above ASCII as they are, and terminals obey some.
    let mut line = String::with_capacity(json.len());
    for character in json.chars() {
        match is_dangerous(character) {
            true => drop(write!(line, "\\u{:04x}", u32::from(character))),
            false => line.push(character),
        }
    }
    Ok(line)
}

/// Text from somebody else, with nothing left that a terminal would obey.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match is_dangerous(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

/// Characters that move the cursor, change its colour, or the direction of the text.
fn is_dangerous(character: char) -> bool {
    let turns = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    turns || character.is_control() && character != '\t'
}
