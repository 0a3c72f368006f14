//! The function becomes a handler.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Ident, ReturnType, Signature, Type};

use super::attr::{KeepAlive, Options, Retry};
use super::check::{condition, find_yield};
use super::model::Handler;
use crate::duration::Millis;
use crate::errors::Errors;
use crate::spans::located;

/// The handler, with the user's function inside.
pub(crate) fn handler(handler: &Handler, options: &Options, errors: Errors) -> TokenStream {
    let Handler {
        inner, sig, body, ..
    } = handler;
    let errors = compile_errors(errors);
    let root = &options.root;
    let private = quote!(#root::__private);
    let head = outer_head(handler, &private);
    let options = option_calls(options, &private);
    // Each step reports its mistakes at the return type, so its variable must stand there too.
    let at = at(&sig.output);
    let (stream, started) = (Ident::new("__stream", at), Ident::new("__started", at));
    let private = located(private, at);
    let call = call(sig, at);
    let steps = quote_spanned! {at=>
        let #stream = #private::send(#call).await;
        let #started = #private::start(#stream);
        #private::respond(#private::build(#started), #options)
    };
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
    let root = &options.root;
    let head = outer_head(handler, &quote!(#root::__private));
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
    let arguments = arguments(sig).map(|(name, ty)| quote!(#name: #ty));
    quote! {
        #(#outer)*
        #vis async fn #ident #generics (#(#arguments),*) -> impl #private::IntoResponse #where_clause
    }
}

fn call(sig: &Signature, at: Span) -> TokenStream {
    let mut ident = sig.ident.clone();
    ident.set_span(at);
    let arguments = arguments(sig).map(|(name, _)| name);
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

fn option_calls(options: &Options, private: &TokenStream) -> TokenStream {
    let keep_alive = options
        .keep_alive
        .as_ref()
        .map(|keep_alive| match keep_alive {
            KeepAlive::Every(every) => {
                let every = duration(*every, private);
                quote!(.keep_alive(#private::KeepAlive::every(#every)))
            }
            KeepAlive::Never => quote!(.no_keep_alive()),
            KeepAlive::Expr(expr) => quote!(.keep_alive(#expr)),
        });
    let retry = options.retry.as_ref().map(|retry| match retry {
        Retry::Fixed(delay) => {
            let delay = duration(*delay, private);
            quote!(.retry(#private::Retry::fixed(#delay)))
        }
        Retry::Between(from, to) => {
            let (from, to) = (duration(*from, private), duration(*to, private));
            quote!(.retry(#private::Retry::between(#from, #to)))
        }
        Retry::Expr(expr) => quote!(.retry(#expr)),
    });
    quote!(#private::HandlerOptions::new() #keep_alive #retry)
}

fn duration(millis: Millis, private: &TokenStream) -> TokenStream {
    quote!(#private::Duration::from_millis(#millis))
}

fn at(output: &ReturnType) -> Span {
    match output {
        ReturnType::Default => Span::call_site(),
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
