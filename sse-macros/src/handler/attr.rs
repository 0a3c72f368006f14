//! The options of the attribute.

use proc_macro2::TokenStream;
use syn::{Expr, ExprLit, Lit, LitStr, Path, parse_quote};

use crate::duration::{self, Millis};
use crate::errors::Errors;
use crate::words::{self, Word, set};

const OPTIONS: &[&str] = &["keep_alive", "retry", "crate"];

/// What other crates call our options.
const HABITS: &[(&str, &str)] = &[
    ("heartbeat", "keep_alive"),
    ("ping", "keep_alive"),
    ("interval", "keep_alive"),
    ("reconnect", "retry"),
];

/// What the attribute says.
pub(crate) struct Options {
    pub(crate) keep_alive: Option<KeepAlive>,
    pub(crate) retry: Option<Retry>,
    /// The crate that generated code names.
    pub(crate) root: Path,
}

pub(crate) enum KeepAlive {
    Every(Millis),
    Never,
    Expr(Expr),
}

pub(crate) enum Retry {
    Fixed(Millis),
    Between(Millis, Millis),
    Expr(Expr),
}

impl Options {
    /// Reads the options; those with a mistake are left out.
    pub(crate) fn parse(arguments: TokenStream, errors: &mut Errors) -> Self {
        let (mut keep_alive, mut retry, mut root) = (None, None, None);
        for word in words::in_tokens(arguments, errors) {
            match word.name.to_string().as_str() {
                "keep_alive" => set(&mut keep_alive, &word, self::keep_alive(&word), errors),
                "retry" => set(&mut retry, &word, self::retry(&word), errors),
                "crate" => set(&mut root, &word, word.root(), errors),
                _ => errors.push(words::unknown("option", &word.name, OPTIONS, HABITS)),
            }
        }
        Self {
            keep_alive,
            retry,
            root: root.unwrap_or_else(|| parse_quote!(::sse_tower)),
        }
    }
}

fn keep_alive(word: &Word) -> syn::Result<KeepAlive> {
    let value = word.expr("\"15s\"")?;
    if let Some(text) = words::as_text(value) {
        return Ok(KeepAlive::Every(duration::parse(&text.value(), &text)?));
    }
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(on), ..
        }) if !on.value => Ok(KeepAlive::Never),
        Expr::Lit(ExprLit { lit, .. }) => {
            let message = "expected a duration such as \"15s\", `false`, or an expression of type `KeepAlive`";
            Err(syn::Error::new(lit.span(), message))
        }
        other => Ok(KeepAlive::Expr(other.clone())),
    }
}

fn retry(word: &Word) -> syn::Result<Retry> {
    let value = word.expr("\"3s\"")?;
    if let Some(text) = words::as_text(value) {
        return retry_text(&text);
    }
    match value {
        Expr::Lit(ExprLit { lit, .. }) => {
            let message = "expected a duration such as \"3s\" or \"2s..8s\", or an expression of type `Retry`";
            Err(syn::Error::new(lit.span(), message))
        }
        other => Ok(Retry::Expr(other.clone())),
    }
}

fn retry_text(text: &LitStr) -> syn::Result<Retry> {
    let value = text.value();
    let Some((from, to)) = value.split_once("..") else {
        return Ok(Retry::Fixed(duration::parse(&value, text)?));
    };
    if let Some(to) = to.strip_prefix('=') {
        let message = format!("a range is written without `=`: \"{from}..{to}\"");
        return Err(syn::Error::new(text.span(), message));
    }
    let (start, end) = (from, to);
    let (from, to) = (duration::parse(start, text)?, duration::parse(end, text)?);
    if from == to {
        let message = format!("the range is empty: write one time, `retry = \"{start}\"`");
        return Err(syn::Error::new(text.span(), message));
    }
    if from > to {
        let message = "the range is empty: write the shorter time first";
        return Err(syn::Error::new(text.span(), message));
    }
    Ok(Retry::Between(from, to))
}
