//! The function becomes a handler.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Ident, ReturnType, Signature, Type, parse_quote};

use super::attr::{Drain, KeepAlive, OnError, Options, Retry};
use super::check::{condition, find_yield};
use super::model::{Handler, is_emitter};
use crate::duration::Millis;
use crate::errors::Errors;
use crate::spans::located;

/// The handler, with the user's function inside.
pub(crate) fn handler(handler: &Handler, options: &Options, errors: Errors) -> TokenStream {
    let Handler { inner, body, .. } = handler;
    let errors = compile_errors(errors);
    let private = options.private();
    let head = outer_head(handler, &private);
    let sig = inner_sig(&handler.sig);
    let steps = steps(handler, options);
    quote! {
        #errors
        #head {
            #(#inner)*
            #[allow(clippy::unused_async)]
            #sig #body
            #steps
        }
    }
}

/// The errors and a handler that does nothing, so that uses of the name are no errors too.
pub(crate) fn stub(handler: &Handler, options: &Options, errors: Errors) -> TokenStream {
    let errors = compile_errors(errors);
    let head = outer_head(handler, &options.private());
    // Where it can stand, the user's function does, so that what it uses is not unused.
    let Handler { sig, body, .. } = handler;
    let can_stand = sig.receiver().is_none() && find_yield(body.stream()).is_none();
    let inner = can_stand.then(|| quote!(#sig #body));
    quote! {
        #errors
        #[allow(dead_code, unused_variables, clippy::unused_async)]
        #head { #inner }
    }
}

/// The errors and what stands there instead of a function.
pub(crate) fn no_function(item: TokenStream, errors: Errors) -> TokenStream {
    let errors = compile_errors(errors);
    let item = without_sse(item);
    quote!(#errors #item)
}

/// Everything before the body of the handler.
fn outer_head(handler: &Handler, private: &TokenStream) -> TokenStream {
    let Handler {
        outer, vis, sig, ..
    } = handler;
    let (ident, generics) = (&sig.ident, &sig.generics);
    let where_clause = &generics.where_clause;
    let extractors = arguments(sig).filter(|(_, ty)| !is_emitter(ty));
    let arguments = extractors.map(|(name, ty)| quote!(#name: #ty));
    quote! {
        #(#outer)*
        #vis async fn #ident #generics (#(#arguments),*) -> impl #private::IntoResponse #where_clause
    }
}

/// The user's function, which may take its `Emitter` as `mut` without need.
fn inner_sig(sig: &Signature) -> Signature {
    let mut sig = sig.clone();
    for input in &mut sig.inputs {
        if let FnArg::Typed(argument) = input
            && is_emitter(&argument.ty)
        {
            argument.attrs.push(parse_quote!(#[allow(unused_mut)]));
        }
    }
    sig
}

/// From the call of the user's function to the response.
fn steps(handler: &Handler, options: &Options) -> TokenStream {
    // Each step reports its mistakes at the return type, so its variable must stand there too.
    let at = at(&handler.sig);
    let private = located(options.private(), at);
    let (stream, started) = (Ident::new("__stream", at), Ident::new("__started", at));
    let emitter = Ident::new("__emitter", Span::mixed_site().located_at(at));
    let call = call(&handler.sig, &emitter, at);
    let emits = handler.emitters().next().is_some();
    let called = match emits {
        false => quote_spanned!(at=> #private::send(#call).await),
        true => quote_spanned!(at=> #private::emitted(move |#emitter| #private::send(#call))),
    };
    let (check, mut built) = match &options.on_error {
        None if emits => (None, quote_spanned!(at=> #private::build_emitted(#started))),
        None => (None, quote_spanned!(at=> #private::build(#started))),
        Some(OnError { span, to_event }) => (
            Some(fallible(&started, located(options.private(), *span), *span)),
            quote_spanned!(at=> #private::build_with_error(#started, #to_event)),
        ),
    };
    if let Some(event) = &options.finish {
        built = quote_spanned!(at=> #private::finish(#built, #event));
    }
    let settings = settings(options);
    quote_spanned! {at=>
        let #stream = #called;
        let #started = #private::start(#stream);
        #check
        #private::respond(#built, #settings)
    }
}

/// Without errors it is `on_error` that has to go, so this points there.
fn fallible(started: &Ident, private: TokenStream, at: Span) -> TokenStream {
    let here = Ident::new("__fallible", at);
    let checked = quote_spanned!(at=> #private::fallible(#here));
    quote! {
        let #here = #started;
        let #started = #checked;
    }
}

fn call(sig: &Signature, emitter: &Ident, at: Span) -> TokenStream {
    let mut ident = sig.ident.clone();
    ident.set_span(at);
    let arguments = arguments(sig).map(|(name, ty)| match is_emitter(ty) {
        true => emitter.clone(),
        false => name,
    });
    // Lifetimes are left to inference: those of functions are mostly late bound.
    let generics = &sig.generics;
    let types = generics.type_params().map(|param| &param.ident);
    let consts = generics.const_params().map(|param| &param.ident);
    let parameters: Vec<_> = types.chain(consts).collect();
    let turbofish = (!parameters.is_empty()).then(|| quote!(::<#(#parameters),*>));
    quote_spanned!(at=> #ident #turbofish (#(#arguments),*))
}

/// Local variables of ours and their types.
fn arguments(sig: &Signature) -> impl Iterator<Item = (Ident, &Type)> {
    // Such an argument was reported; its type may be absent too.
    let inputs = sig.inputs.iter().filter(|input| condition(input).is_none());
    let typed = inputs.filter_map(|input| match input {
        FnArg::Typed(argument) => Some(&*argument.ty),
        FnArg::Receiver(_) => None,
    });
    typed.enumerate().map(|(i, ty)| {
        let mut name = format!("arg{i}");
        // The function inside would hide an argument of the same name.
        if sig.ident == name {
            name.insert_str(0, "__");
        }
        let span = Span::mixed_site().located_at(ty.span());
        (Ident::new(&name, span), ty)
    })
}

/// The options that are settings of the response.
fn settings(options: &Options) -> TokenStream {
    let private = options.private();
    let keep_alive = options.keep_alive.as_ref().map(|it| match it {
        KeepAlive::Every(every) => {
            let every = duration(*every, &private);
            quote!(.keep_alive(#private::KeepAlive::every(#every)))
        }
        KeepAlive::Never => quote!(.no_keep_alive()),
        KeepAlive::Expr(expr) => quote!(.keep_alive(#expr)),
    });
    let retry = options.retry.as_ref().map(|it| match it {
        Retry::Fixed(delay) => {
            let delay = duration(*delay, &private);
            quote!(.retry(#private::Retry::fixed(#delay)))
        }
        Retry::Between(from, to) => {
            let (from, to) = (duration(*from, &private), duration(*to, &private));
            quote!(.retry(#private::Retry::between(#from, #to)))
        }
        Retry::Expr(expr) => quote!(.retry(#expr)),
    });
    let ids = options.ids.as_ref().map(|expr| quote!(.ids(#expr)));
    let drain = options.drain.as_ref().map(|it| match it {
        Drain::Within(limit) => {
            let limit = duration(*limit, &private);
            quote!(.drain(#private::Drain::FinishWithin(#limit)))
        }
        Drain::Expr(expr) => quote!(.drain(#expr)),
    });
    quote!(#private::HandlerOptions::new() #keep_alive #retry #ids #drain)
}

fn duration(millis: Millis, private: &TokenStream) -> TokenStream {
    quote!(#private::Duration::from_millis(#millis))
}

fn at(sig: &Signature) -> Span {
    match &sig.output {
        ReturnType::Default => sig.ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    }
}

fn compile_errors(errors: Errors) -> TokenStream {
    match errors.finish() {
        Ok(()) => TokenStream::new(),
        Err(error) => error.to_compile_error(),
    }
}

/// The tokens without `#[sse(…)]`, which only the derive makes an attribute.
fn without_sse(tokens: TokenStream) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    for tree in tokens {
        match tree {
            TokenTree::Group(group)
                if group.delimiter() == Delimiter::Bracket
                    && is_sse(&group)
                    && matches!(out.last(), Some(TokenTree::Punct(p)) if p.as_char() == '#') =>
            {
                out.pop();
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), without_sse(group.stream()));
                inner.set_span(group.span());
                out.push(TokenTree::Group(inner));
            }
            other => out.push(other),
        }
    }
    out.into_iter().collect()
}

fn is_sse(group: &Group) -> bool {
    matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(first)) if first == "sse")
}
