//! What type parameters must be able to do, inferred from where they are used.

use proc_macro2::{Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Generics, Ident, Type, WhereClause, WherePredicate};

use super::model::{EventEnum, Field, Form, Payload, Role, Side, Variant};

/// The `where` clause of the enum and the inferred bounds, or those given in their place.
pub(super) fn inferred(events: &EventEnum) -> WhereClause {
    let private = events.private();
    let mut generics = events.generics.clone();
    let found = &mut generics.make_where_clause().predicates;
    if let Some(given) = &events.bound {
        found.extend(given.iter().cloned());
        return generics.make_where_clause().clone();
    }
    for variant in &events.variants {
        let of_variant = variant.attrs.serde.bound.as_ref();
        found.extend(of_variant.into_iter().flatten().cloned());
        for field in &variant.fields {
            if field.is_payload() && variant.is_json() {
                if let Some(bound) = &field.serde.bound {
                    found.extend(bound.iter().cloned());
                    continue;
                }
                if of_variant.is_some() {
                    continue;
                }
            }
            for wanted in wanted(events.side, variant, field) {
                let wanted = Ident::new(wanted, Span::call_site());
                let bound = quote!(#private::#wanted);
                found.extend(bounds(&events.generics, &field.ty, &bound));
            }
        }
    }
    generics.make_where_clause().clone()
}

/// The traits, named as in `__private`, that the value of a field is written or read with.
fn wanted(side: Side, variant: &Variant, field: &Field) -> Vec<&'static str> {
    let (text, name, json, event) = match side {
        Side::Write => ("Display", "Name", "Serialize", "SseEvent"),
        Side::Read => ("FromText", "FromText", "DeserializeOwned", "FromSseEvent"),
    };
    let mut wanted = Vec::new();
    match &variant.payload {
        Payload::Skip => return wanted,
        Payload::Other if side == Side::Read => return vec!["AnyEvent"],
        Payload::Inner | Payload::Other => return vec![event],
        Payload::Comment if side == Side::Read => return wanted,
        _ => {}
    }
    match field.role {
        Role::Id if side == Side::Write || !field.kept => wanted.push(text),
        Role::Event => wanted.push(name),
        _ => {}
    }
    if field.is_log_key.is_some() && side == Side::Write {
        wanted.push("Display");
    }
    if side == Side::Read && needs_default(field) {
        wanted.push("Default");
    }
    if !field.is_payload() {
        return wanted;
    }
    match variant.payload {
        Payload::Form(Form::Json) if field.serde.with.is_none() => wanted.push(json),
        Payload::Form(Form::Lines) if field.as_json.is_some() => wanted.push(json),
        Payload::Form(Form::Text | Form::Lines) | Payload::Comment => wanted.push(text),
        _ => {}
    }
    wanted
}

/// Whether a value is made up when reading.
fn needs_default(field: &Field) -> bool {
    field.role == Role::Skip || field.has_place() && field.serde.default
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
    let is_arrow = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        matches!(before, Some(TokenTree::Punct(p)) if p.as_char() == '-' && p.spacing() == Spacing::Joint)
    };
    let mut depth = 0_usize;
    for (i, tree) in tokens.iter().enumerate().skip(at) {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' && !is_arrow(i) => {
                depth = depth.saturating_sub(1);
            }
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
