//! The options of the attribute.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Expr, ExprLit, Lit, LitStr, Path, parse_quote};

use crate::duration::{self, Millis};
use crate::errors::Errors;
use crate::words::{self, Word, set};

const OPTIONS: &[&str] = &[
    "keep_alive",
    "retry",
    "ids",
    "finish",
    "on_error",
    "drain",
    "crate",
];

/// What other crates call our options.
const HABITS: &[(&str, &str)] = &[
    ("heartbeat", "keep_alive"),
    ("ping", "keep_alive"),
    ("interval", "keep_alive"),
    ("reconnect", "retry"),
    ("id", "ids"),
    ("event_ids", "ids"),
    ("done", "finish"),
    ("end", "finish"),
    ("last", "finish"),
    ("terminal", "finish"),
    ("finish_with", "finish"),
    ("error", "on_error"),
    ("map_err", "on_error"),
    ("with_error", "on_error"),
    ("shutdown", "drain"),
    ("grace", "drain"),
];

/// What the attribute says.
pub(crate) struct Options {
    pub(crate) keep_alive: Option<KeepAlive>,
    pub(crate) retry: Option<Retry>,
    pub(crate) ids: Option<Expr>,
    pub(crate) finish: Option<Expr>,
    pub(crate) on_error: Option<OnError>,
    pub(crate) drain: Option<Drain>,
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

pub(crate) struct OnError {
    /// Of the word: where to point if there is no error to map.
    pub(crate) span: Span,
    pub(crate) to_event: Expr,
}

pub(crate) enum Drain {
    Within(Millis),
    Expr(Expr),
}

impl Options {
    /// Reads the options; those with a mistake are left out.
    pub(crate) fn parse(arguments: TokenStream, errors: &mut Errors) -> Self {
        let (mut keep_alive, mut retry, mut ids) = (None, None, None);
        let (mut finish, mut on_error, mut drain, mut root) = (None, None, None, None);
        for word in words::in_tokens(arguments, errors) {
            match word.name.to_string().as_str() {
                "keep_alive" => set(&mut keep_alive, &word, self::keep_alive(&word), errors),
                "retry" => set(&mut retry, &word, self::retry(&word), errors),
                "ids" => set(&mut ids, &word, expr(&word, "Ids::sequence()"), errors),
                "finish" => set(&mut finish, &word, expr(&word, "Event::Done"), errors),
                "on_error" => set(&mut on_error, &word, self::on_error(&word), errors),
                "drain" => set(&mut drain, &word, self::drain(&word), errors),
                "crate" => set(&mut root, &word, word.root(), errors),
                _ => errors.push(words::unknown("option", &word.name, OPTIONS, HABITS)),
            }
        }
        Self {
            keep_alive,
            retry,
            ids,
            finish,
            on_error,
            drain,
            root: root.unwrap_or_else(|| parse_quote!(::sse_tower)),
        }
    }

    /// The module of everything that generated code names.
    pub(crate) fn private(&self) -> TokenStream {
        let root = &self.root;
        quote!(#root::__private)
    }
}

fn expr(word: &Word, example: &str) -> syn::Result<Expr> {
    word.expr(example).cloned()
}

fn on_error(word: &Word) -> syn::Result<OnError> {
    Ok(OnError {
        span: word.span(),
        to_event: expr(word, "|error| Event::Failed")?,
    })
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

fn drain(word: &Word) -> syn::Result<Drain> {
    let value = word.expr("\"30s\"")?;
    if let Some(text) = words::as_text(value) {
        return Ok(Drain::Within(duration::parse(&text.value(), &text)?));
    }
    match value {
        Expr::Lit(ExprLit { lit, .. }) => {
            let message = "expected a duration such as \"30s\", or an expression of type `Drain`";
            Err(syn::Error::new(lit.span(), message))
        }
        other => Ok(Drain::Expr(other.clone())),
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
