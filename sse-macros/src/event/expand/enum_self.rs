//! `Self` in code that moves from the user's enum into a helper.

use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, Lit, Meta};

use crate::event::model::EventEnum;

/// `Self` means the user's enum, also inside a helper.
pub(super) fn without_self(events: &EventEnum, tokens: TokenStream) -> TokenStream {
    let ident = &events.ident;
    let (_, ty_generics, _) = events.generics.split_for_impl();
    replace_self(
        tokens,
        &quote!(#ident #ty_generics),
        &quote!(<#ident #ty_generics>),
    )
}

/// The words of serde that name a function or a module in a string.
const PATHS: [&str; 5] = [
    "default",
    "deserialize_with",
    "serialize_with",
    "skip_serializing_if",
    "with",
];

/// The serde attributes, where `Self` means the user's enum in strings as well.
pub(super) fn serde_attrs(events: &EventEnum, attrs: &[Attribute]) -> TokenStream {
    let attrs = attrs.iter().map(|attr| {
        let mut attr = attr.clone();
        if let Meta::List(list) = &mut attr.meta {
            list.tokens = paths_without_self(events, list.tokens.clone());
        }
        attr
    });
    quote!(#(#attrs)*)
}

fn paths_without_self(events: &EventEnum, tokens: TokenStream) -> TokenStream {
    let mut word = None;
    let replaced = tokens.into_iter().map(|tree| match tree {
        TokenTree::Ident(name) => {
            word = Some(name.to_string());
            TokenTree::Ident(name)
        }
        TokenTree::Literal(literal) if is_one_of(&PATHS, word.as_deref()) => {
            TokenTree::Literal(path_without_self(events, literal))
        }
        other => other,
    });
    replaced.collect()
}

fn is_one_of(words: &[&str], word: Option<&str>) -> bool {
    word.is_some_and(|word| words.contains(&word))
}

/// `"Self::f"` becomes `"Enum::<T>::f"`.
fn path_without_self(events: &EventEnum, literal: Literal) -> Literal {
    let Lit::Str(text) = Lit::new(literal.clone()) else {
        return literal;
    };
    let path = text
        .value()
        .parse::<TokenStream>()
        .ok()
        .filter(|_| text.value().contains("Self"));
    let Some(path) = path else {
        return literal;
    };
    let ident = &events.ident;
    let (_, ty_generics, _) = events.generics.split_for_impl();
    let turbofish = ty_generics.as_turbofish();
    let this = quote!(#ident #turbofish);
    let mut literal = Literal::string(&replace_self(path, &this, &this).to_string());
    literal.set_span(text.span());
    literal
}

fn replace_self(tokens: TokenStream, ty: &TokenStream, in_path: &TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut out = TokenStream::new();
    while let Some(tree) = tokens.next() {
        match tree {
            TokenTree::Ident(name) if name == "Self" => {
                let is_path =
                    matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == ':');
                out.extend(if is_path { in_path.clone() } else { ty.clone() });
            }
            TokenTree::Group(group) => {
                let inner = replace_self(group.stream(), ty, in_path);
                let mut new = Group::new(group.delimiter(), inner);
                new.set_span(group.span());
                out.extend([TokenTree::Group(new)]);
            }
            other => out.extend([other]),
        }
    }
    out
}
