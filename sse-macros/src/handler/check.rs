//! What a handler must look like.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::{FnArg, ReturnType, Type};

use super::model::Handler;
use crate::errors::Errors;

/// Checks all rules.
pub(crate) fn function(handler: &Handler, errors: &mut Errors) {
    let sig = &handler.sig;
    if sig.asyncness.is_none() {
        errors.at(
            sig.fn_token.span,
            "an `#[sse_handler]` function must be `async fn`",
        );
    }
    if let Some(receiver) = sig.receiver() {
        errors.at(
            receiver.self_token.span,
            "an `#[sse_handler]` function is a free function; take shared data with `State<_>`",
        );
    }
    for span in handler.sig.inputs.iter().filter_map(condition) {
        errors.at(
            span,
            "an argument of an `#[sse_handler]` function cannot have a `#[cfg]`\n\
             help: put it on the function, and write the function once for each case",
        );
    }
    let nothing = match &sig.output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty()),
    };
    if nothing {
        errors.at(
            sig.ident.span(),
            "an `#[sse_handler]` function returns the stream of events to send\n\
             help: `-> impl Stream<Item = Event>`",
        );
    }
    if let Some(span) = find_yield(handler.body.stream()) {
        errors.at(
            span,
            "stable Rust reserves `yield`, so an attribute macro cannot use it\n\
             help: return `async_stream::stream! { … }`, which has a `yield` of its own",
        );
    }
}

/// The `#[cfg]` by which the compiler may drop the argument.
pub(crate) fn condition(argument: &FnArg) -> Option<Span> {
    let attrs = match argument {
        FnArg::Typed(argument) => &argument.attrs,
        FnArg::Receiver(receiver) => &receiver.attrs,
    };
    let cfg = attrs.iter().find(|attr| attr.path().is_ident("cfg"))?;
    Some(cfg.path().span())
}

/// The first `yield` that no inner macro gets.
pub(crate) fn find_yield(tokens: TokenStream) -> Option<Span> {
    let mut bang = false;
    for tree in tokens {
        match tree {
            TokenTree::Ident(word) if word == "yield" => return Some(word.span()),
            TokenTree::Group(group) => {
                let is_macro = bang && group.delimiter() != Delimiter::None;
                if let Some(span) = (!is_macro).then(|| find_yield(group.stream())).flatten() {
                    return Some(span);
                }
                bang = false;
            }
            TokenTree::Punct(punct) => bang = punct.as_char() == '!',
            // `macro_rules! name { … }`
            TokenTree::Ident(_) => {}
            TokenTree::Literal(_) => bang = false,
        }
    }
    None
}
