//! What type parameters must be able to do, inferred from where they are used.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Generics, Ident, Type, WhereClause, WherePredicate};

use super::model::{EventEnum, Field, Form, Payload, Role, Variant};

/// The `where` clause of the enum and the inferred bounds.
pub(super) fn inferred(events: &EventEnum) -> WhereClause {
    let private = events.private();
    let display = quote!(#private::Display);
    let serialize = quote!(#private::Serialize);
    let mut generics = events.generics.clone();
    let found = &mut generics.make_where_clause().predicates;
    for variant in &events.variants {
        for field in &variant.fields {
            let wanted = match wanted(variant, field) {
                Some(Wanted::Display) => &display,
                Some(Wanted::Serialize) => &serialize,
                None => continue,
            };
            match &field.serde.bound {
                Some(bound) if field.role == Role::Payload => found.extend(bound.iter().cloned()),
                _ => found.extend(bounds(&events.generics, &field.ty, wanted)),
            }
        }
    }
    generics.make_where_clause().clone()
}

enum Wanted {
    Display,
    Serialize,
}

fn wanted(variant: &Variant, field: &Field) -> Option<Wanted> {
    match (field.role, &variant.payload) {
        (Role::Id, _) | (Role::Payload, Payload::Form(Form::Text)) => Some(Wanted::Display),
        (Role::Payload, Payload::Form(Form::Json)) => {
            let own = field.serde.skip || field.serde.with.is_some();
            (!own || field.serde.bound.is_some()).then_some(Wanted::Serialize)
        }
        _ => None,
    }
}

/// `T: bound` for every parameter in `ty`, `T::Name: bound` for every type that belongs to one.
///
/// `PhantomData<T>` asks nothing of `T`, as in serde.
fn bounds(generics: &Generics, ty: &Type, bound: &TokenStream) -> Vec<WherePredicate> {
    let mut subjects = Vec::new();
    collect(generics, ty.to_token_stream(), &mut subjects);
    let mut seen = Vec::new();
    subjects.retain(|subject: &TokenStream| {
        let text = subject.to_string();
        let new = !seen.contains(&text);
        seen.push(text);
        new
    });
    let predicates = subjects
        .iter()
        .map(|subject| syn::parse2(quote!(#subject: #bound)));
    predicates.filter_map(Result::ok).collect()
}

fn collect(generics: &Generics, tokens: TokenStream, subjects: &mut Vec<TokenStream>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let colons = |at: usize| {
        let is_colon = |tree: Option<&TokenTree>| matches!(tree, Some(TokenTree::Punct(p)) if p.as_char() == ':');
        is_colon(tokens.get(at)) && is_colon(tokens.get(at + 1))
    };
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => collect(generics, group.stream(), subjects),
            TokenTree::Ident(ident) if ident == "PhantomData" => {
                at = end_of_arguments(&tokens, at + 1);
                continue;
            }
            TokenTree::Ident(ident)
                if is_parameter(generics, ident) && !(at >= 2 && colons(at - 2)) =>
            {
                match tokens.get(at + 3) {
                    Some(TokenTree::Ident(name)) if colons(at + 1) => {
                        subjects.push(quote!(#ident::#name))
                    }
                    _ => subjects.push(quote!(#ident)),
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The index after `<…>` if that stands at `at`, else `at`.
fn end_of_arguments(tokens: &[TokenTree], at: usize) -> usize {
    let mut depth = 0_usize;
    for (i, tree) in tokens.iter().enumerate().skip(at) {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return if i == at { at } else { i + 1 };
        }
    }
    tokens.len()
}

fn is_parameter(generics: &Generics, ident: &Ident) -> bool {
    generics.type_params().any(|param| param.ident == *ident)
}
