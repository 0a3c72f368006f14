//! The inside of an attribute: `word`, `word = value` or `word(…)`, separated by commas.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Token, token};

use crate::errors::Errors;

/// One word of an attribute and what it is given.
pub(crate) struct Word {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    None,
    Is(Box<Expr>),
    List(TokenStream),
}

/// The words of all `#[name(...)]` in `attrs`.
pub(crate) fn in_attributes(attrs: &[Attribute], name: &str, errors: &mut Errors) -> Vec<Word> {
    let mut words = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        match &attr.meta {
            Meta::List(list) => words.extend(in_tokens(list.tokens.clone(), errors)),
            meta => errors.at(meta.span(), format!("expected `#[{name}(…)]`")),
        }
    }
    words
}

/// The words in `tokens`; what cannot be read is reported and skipped up to the next comma.
pub(crate) fn in_tokens(tokens: TokenStream, errors: &mut Errors) -> Vec<Word> {
    let mut words = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            words.extend(errors.ok(word(input)));
            while !input.is_empty() && !input.peek(Token![,]) {
                input.parse::<TokenTree>()?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    let parsed = parser.parse2(tokens);
    errors.ok(parsed);
    words
}

fn word(input: ParseStream<'_>) -> syn::Result<Word> {
    let Ok(name) = input.call(Ident::parse_any) else {
        return Err(input.error("expected an attribute word"));
    };
    let name = name.unraw();
    let value = if input.peek(Token![=]) {
        let eq: Token![=] = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new(
                eq.span,
                format!("`{name} =` needs a value"),
            ));
        }
        Value::Is(input.parse()?)
    } else if input.peek(token::Paren) {
        let list;
        syn::parenthesized!(list in input);
        Value::List(list.parse()?)
    } else {
        Value::None
    };
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(input.error("expected `,`"));
    }
    Ok(Word { name, value })
}

impl Word {
    pub(crate) fn span(&self) -> Span {
        self.name.span()
    }

    /// The word stands alone.
    pub(crate) fn flag(&self) -> syn::Result<Span> {
        match &self.value {
            Value::None => Ok(self.span()),
            Value::Is(value) => Err(self.needless(value.span())),
            Value::List(list) => Err(self.needless(list.span())),
        }
    }

    /// The word has a string.
    pub(crate) fn text(&self) -> syn::Result<LitStr> {
        match &self.value {
            Value::Is(value) => as_text(value).ok_or_else(|| {
                let message = format!("expected a string literal: `{} = \"…\"`", self.name);
                syn::Error::new(value.span(), message)
            }),
            _ => Err(self.needs("\"…\"")),
        }
    }

    /// The word has an expression.
    pub(crate) fn expr(&self, example: &str) -> syn::Result<&Expr> {
        match &self.value {
            Value::Is(value) => Ok(value),
            _ => Err(self.needs(example)),
        }
    }

    /// The word is `crate` and has an absolute path, which means the same in every module.
    pub(crate) fn root(&self) -> syn::Result<Path> {
        let mut expr = self.expr("::path::to::sse_tower")?;
        // Out of a variable of `macro_rules!`.
        while let Expr::Group(group) = expr {
            expr = &group.expr;
        }
        let path = match expr {
            Expr::Path(path) if path.qself.is_none() => &path.path,
            other => {
                return Err(syn::Error::new(
                    other.span(),
                    "expected a path: `crate = ::sse_tower`",
                ));
            }
        };
        let starts_at_crate = path
            .segments
            .first()
            .is_some_and(|first| first.ident == "crate" || first.ident == "$crate");
        if path.leading_colon.is_none() && !starts_at_crate {
            let path_text = path.to_token_stream().to_string().replace(' ', "");
            let message = format!(
                "a relative path means something else in every module; write `crate = ::{path_text}`"
            );
            return Err(syn::Error::new(path.span(), message));
        }
        Ok(path.clone())
    }

    fn needless(&self, span: Span) -> syn::Error {
        syn::Error::new(span, format!("`{}` takes no value", self.name))
    }

    fn needs(&self, example: &str) -> syn::Error {
        let message = format!("`{0}` needs a value: `{0} = {example}`", self.name);
        syn::Error::new(self.span(), message)
    }
}

/// Fills a slot once.
pub(crate) fn set<T>(
    slot: &mut Option<T>,
    word: &Word,
    value: syn::Result<T>,
    errors: &mut Errors,
) {
    if slot.is_some() {
        errors.at(word.span(), format!("`{}` is given twice", word.name));
    } else {
        *slot = errors.ok(value);
    }
}

/// The string literal in `expr`, also when it comes out of a `macro_rules!` variable.
pub(crate) fn as_text(expr: &Expr) -> Option<LitStr> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.clone()),
        Expr::Group(group) => as_text(&group.expr),
        _ => None,
    }
}

/// ``unknown enum attribute `renam`, did you mean `rename`?``
pub(crate) fn unknown(
    kind: &str,
    word: &Ident,
    known: &[&str],
    habits: &[(&str, &str)],
) -> syn::Error {
    let meant = match meant(&word.to_string(), known, habits) {
        Some(meant) => format!(", did you mean `{meant}`?"),
        None => String::new(),
    };
    let message = format!(
        "unknown {kind} `{word}`{meant}\nexpected one of: {}",
        list(known)
    );
    syn::Error::new(word.span(), message)
}

/// The words, quoted and separated by commas.
pub(crate) fn list(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

/// The known word that was probably meant: by habit of other crates, else by spelling.
fn meant<'a>(word: &str, known: &[&'a str], habits: &[(&str, &'a str)]) -> Option<&'a str> {
    let habit = habits.iter().find(|(other, _)| *other == word);
    if let Some((_, here)) = habit.filter(|(_, here)| known.contains(here)) {
        return Some(here);
    }
    let near = known.iter().map(|known| (distance(word, known), *known));
    let (distance, nearest) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + nearest.len() / 5 && distance < nearest.len()).then_some(nearest)
}

/// How many letters to insert, delete or replace to get from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expected: Option<&str>) {
        let known = ["rename", "rename_all", "unnamed", "data", "terminal"];
        assert_eq!(
            meant(
                word,
                &known,
                &[("done", "terminal"), ("transparent", "flatten")]
            ),
            expected
        );
    }

    #[test]
    fn a_suggestion_is_a_habit_or_a_near_miss() {
        check("done", Some("terminal"));
        check("renam_all", Some("rename_all"));
        check("dat", Some("data"));
        check("terminale", Some("terminal"));
        check("transparent", None);
        check("x", None);
    }
}
