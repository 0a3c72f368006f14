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
    after: HashMap<&'static str, Vec<&'static str>>,
    /// How sentences begin.
    starts: Vec<&'static str>,
}

impl Markov {
    pub(crate) fn new(markdown: &'static str) -> Self {
        let mut after: HashMap<_, Vec<_>> = HashMap::new();
        let mut starts = Vec::new();
        let mut last = None;
        for word in prose(markdown) {
            match last {
                Some(last) if !ends_sentence(last) => after.entry(last).or_default().push(word),
                _ => starts.push(word),
            }
            last = Some(word);
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
    fn next(&self, last: &str, rng: &mut Rng) -> Option<&'static str> {
        let choices = self.after.get(last).unwrap_or(&self.starts);
        rng.choice(choices).copied()
    }
}

/// The words of what is written in sentences: no code, tables, headings or pictures.
fn prose(markdown: &'static str) -> impl Iterator<Item = &'static str> {
    let mut code = false;
    let lines = markdown.lines().filter(move |line| {
        let fence = line.starts_with("```");
        code ^= fence;
        !code && !fence && !line.starts_with(['|', '#', '!', '[', '<'])
    });
    lines.flat_map(str::split_whitespace)
}

fn ends_sentence(word: &str) -> bool {
    word.ends_with(['.', '?', '!'])
}
