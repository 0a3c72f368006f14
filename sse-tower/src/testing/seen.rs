//! What a failed test has seen before.

use std::collections::VecDeque;
use std::fmt;

use sse_core::RawEvent;

/// The newest events, in short.
#[derive(Default)]
pub(super) struct Seen {
    newest: VecDeque<String>,
    count: usize,
}

const MOST: usize = 8;
const LONGEST: usize = 120;

impl Seen {
    pub(super) fn event(&mut self, event: &RawEvent<'_>) {
        let id = event.id().map(|id| format!(" id {id:?}"));
        let name = event.event();
        let data = event.data();
        let cut = data.char_indices().nth(LONGEST).map(|(at, _)| at);
        let data = match cut {
            Some(cut) => format!("{:?}… ({} bytes)", &data[..cut], data.len()),
            None => format!("{data:?}"),
        };
        self.push(format!("{name}{} {data}", id.unwrap_or_default()));
        self.count += 1;
    }

    pub(super) fn reconnected(&mut self, id: &str) {
        self.push(format!("-- reconnected with {id:?}"));
    }

    fn push(&mut self, line: String) {
        self.newest.push_back(line);
        if self.newest.len() > MOST {
            self.newest.pop_front();
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            0 => f.write_str("  no event arrived before")?,
            1 => f.write_str("  1 event arrived:")?,
            count => write!(f, "  {count} events arrived, the newest last:")?,
        }
        self.newest
            .iter()
            .try_for_each(|line| write!(f, "\n    {line}"))
    }
}
