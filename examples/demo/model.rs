//! A text model small enough to read: which word follows which in the README.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use async_stream::stream;
use fastrand::Rng;
use futures_util::Stream;
use tokio::time::sleep;

/// An answer ends with the first sentence past so many words, or at most at so many.
const ENOUGH: usize = 70;
const MOST: usize = 200;

pub(crate) struct Markov {
    /// What followed each word, as often as it did.
    after: HashMap<String, Vec<String>>,
    /// How sentences begin.
    starts: Vec<String>,
}

impl Markov {
    pub(crate) fn new(markdown: &str) -> Self {
        let text: String = prose(markdown).map(plain).collect();
        let mut after: HashMap<_, Vec<_>> = HashMap::new();
        let mut starts = Vec::new();
        let mut last = "";
        for word in text.split_whitespace() {
            if last.is_empty() || ends_sentence(last) {
                starts.push(word.to_owned());
            } else {
                let follow = after.entry(last.to_owned()).or_default();
                follow.push(word.to_owned());
            }
            last = word;
        }
        Self { after, starts }
    }

    /// The same answer to the same prompt, a word at a time.
    pub(crate) fn answer(
        self: Arc<Self>,
        prompt: &str,
    ) -> impl Stream<Item = Result<String, String>> + use<> {
        let mut hasher = DefaultHasher::new();
        prompt.hash(&mut hasher);
        let mut rng = Rng::with_seed(hasher.finish());
        stream! {
            let mut last = "";
            for spoken in 0..MOST {
                if spoken >= ENOUGH && ends_sentence(last) {
                    break;
                }
                let Some(word) = self.next(last, &mut rng) else {
                    yield Err("the README has no text to learn from".to_owned());
                    break;
                };
                sleep(Duration::from_millis(rng.u64(30..90))).await;
                yield Ok(format!("{word} "));
                last = word;
            }
        }
    }

    /// Goes on as the text does somewhere, or with a new sentence.
    fn next(&self, last: &str, rng: &mut Rng) -> Option<&str> {
        let choices = self.after.get(last).unwrap_or(&self.starts);
        rng.choice(choices).map(String::as_str)
    }
}

/// The lines that are written in sentences: no code, tables, headings or pictures.
fn prose(markdown: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    markdown.lines().filter(move |line| {
        let fence = line.starts_with("```");
        code ^= fence;
        !code && !fence && !line.starts_with(['|', '#', '!', '<'])
    })
}

/// A line without its marks and the targets of its links.
fn plain(line: &str) -> String {
    let mut parts = line.split("](");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text += part.split_once(')').map_or("", |(_, rest)| rest);
    }
    text.replace(['[', '`', '*'], "") + "\n"
}

fn ends_sentence(word: &str) -> bool {
    word.ends_with(['.', '?', '!'])
}
