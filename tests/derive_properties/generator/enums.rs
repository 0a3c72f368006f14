//! What stands on an enum.

use std::collections::HashSet;

use fastrand::Rng;

use super::{Enum, Kind, Line, RULES, Variant, one_in};

impl Enum {
    pub(super) fn new(index: usize, rng: &mut Rng) -> Self {
        use Kind::{Comment, Empty, Flatten, Json, Lines, Literal, Other, Skip, Text};

        let mut words = Vec::new();
        let mut say = |word: String| words.push(word);
        // Enough of each by counting, the rest by chance.
        let (by, has_tag) = (["sse", "serde"][index / 5 % 2], !index.is_multiple_of(5));
        let (tag, content) = ("ki\"nd", "con tent");
        let has_content = has_tag && index.is_multiple_of(2);
        let untagged = by == "serde" && has_tag && one_in(4, rng);
        if has_tag {
            say(format!("{by}(tag = {tag:?})"));
        }
        if has_content {
            say(format!("{by}(content = {content:?})"));
        }
        if untagged {
            say("sse(untagged)".into());
        }
        let mut rule = |word: &str, chosen: Option<&&'static str>, otherwise: &'static str| {
            let rule = *chosen.unwrap_or(&otherwise);
            if chosen.is_some() {
                let by = if rule == "dot.case" || rng.bool() {
                    "sse"
                } else {
                    "serde"
                };
                say(format!("{by}({word} = {rule:?})"));
            }
            rule
        };
        let as_in_serde = by == "serde" && has_tag && !untagged;
        let names = if as_in_serde {
            "PascalCase"
        } else {
            "snake_case"
        };
        let names = rule("rename_all", RULES.get(index % 11), names);
        let keys = rule("rename_all_fields", RULES.get(index / 3 % 14), "snake_case");
        let prefix = if one_in(3, rng) { "app-" } else { "" };
        if !prefix.is_empty() {
            say(format!("sse(prefix = {prefix:?})"));
        }
        let unnamed = one_in(4, rng);
        if unnamed {
            say("sse(unnamed)".into());
        }
        let form = [Json, Json, Json, Json, Json, Text, Lines, Empty][rng.usize(..8)];
        if form != Json || one_in(4, rng) {
            say(format!("sse(data = {:?})", form.word()));
        }
        let deny = one_in(5, rng);
        if deny {
            say("serde(deny_unknown_fields)".into());
        }
        if one_in(6, rng) {
            say("sse(crate = ::sse_core)".into());
        }
        let generic = index.is_multiple_of(3);
        if generic && rng.bool() {
            let (write, read) = ("T: serde::Serialize", "T: serde::de::DeserializeOwned");
            say(format!(
                "sse(bound(serialize = {write:?}, deserialize = {read:?}))"
            ));
        }
        let mut out = Self {
            words,
            tag: (has_tag && !untagged).then_some(tag),
            content: (has_content && !untagged).then_some(content),
            names,
            keys,
            prefix,
            unnamed,
            form,
            deny,
            generic,
            variants: Vec::new(),
            taken: HashSet::new(),
        };
        let kinds = [
            Json, Json, Json, Json, Json, Json, Text, Text, Lines, Empty, Literal, Comment,
            Flatten, Other, Skip,
        ];
        for i in 0..6 {
            let kind = if i == 0 {
                Json
            } else {
                kinds[rng.usize(..kinds.len())]
            };
            let variant = out.variant(kind, generic && i == 0, rng);
            out.variants.push(variant);
        }
        // What takes any text comes last.
        let takes_all = |variant: &Variant| variant.line == Line::Unnamed && variant.kind == Text;
        out.variants.sort_by_key(takes_all);
        out
    }
}
