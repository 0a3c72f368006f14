//! What a handler must look like.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{FnArg, GenericArgument, PathArguments, ReturnType, Signature, Type, TypeParamBound};

use super::attr::Options;
use super::model::Handler;
use crate::errors::Errors;

/// Checks all rules.
pub(crate) fn function(handler: &Handler, options: &Options, errors: &mut Errors) {
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
    if handler.emitters().next().is_some() {
        pushes(handler, options, errors);
    } else {
        returns_events(sig, errors);
    }
    if let Some(span) = find_yield(handler.body.stream()) {
        errors.at(
            span,
            "stable Rust reserves `yield`, so an attribute macro cannot use it\n\
             help: return `async_stream::stream! { … }`, which has a `yield` of its own\n\
             help: or take an `Emitter<Event>` argument, and write `emitter.emit(event).await`",
        );
    }
}

/// The rules of a function with an `Emitter`.
fn pushes(handler: &Handler, options: &Options, errors: &mut Errors) {
    for another in handler.emitters().skip(1) {
        errors.at(
            another.span(),
            "an `#[sse_handler]` function has one `Emitter`; clone it to send from several places",
        );
    }
    if let Some(on_error) = &options.on_error
        && is_unit(&handler.sig.output)
    {
        errors.at(
            on_error.span,
            "`on_error` has nothing to do: the function cannot fail\n\
             help: `-> Result<(), Error>`",
        );
    }
}

/// The rules of a function without an `Emitter`, as far as its words tell.
fn returns_events(sig: &Signature, errors: &mut Errors) {
    if is_unit(&sig.output) {
        errors.at(
            sig.ident.span(),
            "an `#[sse_handler]` function returns the stream of events to send\n\
             help: `-> impl Stream<Item = Event>`\n\
             help: or take an `Emitter<Event>` argument",
        );
    } else if let ReturnType::Type(_, ty) = &sig.output
        && let Some((span, message)) = not_a_stream(ty)
    {
        errors.at(span, message);
    }
}

fn is_unit(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty()),
    }
}

/// What people return instead of a stream.
fn not_a_stream(ty: &Type) -> Option<(Span, &'static str)> {
    const COLLECTION: &str = "a `Vec` is not a stream; return `stream::iter(vec)`\n\
                              help: `-> impl Stream<Item = Event>`";
    const ITERATOR: &str = "an iterator is not a stream; return `stream::iter(iterator)`\n\
                            help: `-> impl Stream<Item = Event>`";
    const RESPONSE: &str = "`impl IntoResponse` hides the stream\n\
                            help: `-> impl Stream<Item = Event>`, or `-> Sse<Event>`";
    let bounds = match ty {
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            return match last.ident.to_string().as_str() {
                "Vec" => Some((last.span(), COLLECTION)),
                "Result" | "Option" | "Box" => not_a_stream(first_type(&last.arguments)?),
                _ => None,
            };
        }
        Type::ImplTrait(any) => &any.bounds,
        Type::TraitObject(any) => &any.bounds,
        _ => return None,
    };
    let mut names = bounds.iter().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last(),
        _ => None,
    });
    names.find_map(|last| match last.ident.to_string().as_str() {
        "Iterator" | "IntoIterator" => Some((last.span(), ITERATOR)),
        "IntoResponse" => Some((last.span(), RESPONSE)),
        _ => None,
    })
}

fn first_type(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
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
    // A name that a macro may have, and the one that is called.
    let mut before = None;
    let mut called: Option<String> = None;
    for tree in tokens {
        let name = before.take();
        match tree {
            TokenTree::Ident(word) if word == "yield" => return Some(word.span()),
            TokenTree::Ident(word) => {
                // `macro_rules! name { … }`
                called = called.filter(|name| name == "macro_rules");
                before = (!is_keyword(&word)).then(|| word.to_string());
            }
            // Without a name before it, `!` means "not".
            TokenTree::Punct(punct) => called = name.filter(|_| punct.as_char() == '!'),
            TokenTree::Group(group) => {
                let is_transparent = group.delimiter() == Delimiter::None;
                let is_macro = called.take().is_some() && !is_transparent;
                if let Some(span) = (!is_macro).then(|| find_yield(group.stream())).flatten() {
                    return Some(span);
                }
                // The path of a macro, out of a variable of another one.
                before = is_transparent.then(String::new);
            }
            TokenTree::Literal(_) => called = None,
        }
    }
    None
}

fn is_keyword(word: &Ident) -> bool {
    syn::parse2::<Ident>(word.to_token_stream()).is_err()
}
