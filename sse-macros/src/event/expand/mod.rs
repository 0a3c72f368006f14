//! The model becomes code. Nothing here can fail.

mod read;
#[cfg(test)]
mod tests;
mod write;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::Member;
use syn::ext::IdentExt;

use super::bounds;
use super::model::{EventEnum, Field, Payload, Shape, Side, Variant};

/// The impl of the trait that the derive is for.
pub(crate) fn events(events: &EventEnum) -> TokenStream {
    let where_clause = bounds::inferred(events);
    let (helper, body, of) = match events.side {
        Side::Write => {
            let helper = write::Helper::new(events, &where_clause);
            (
                quote!(#helper),
                write::body(events, &helper),
                quote!(SseEvent),
            )
        }
        Side::Read => {
            let helpers = read::Helpers::new(events, &where_clause);
            (
                quote!(#helpers),
                read::body(events, &helpers),
                quote!(FromSseEvent),
            )
        }
    };
    let private = events.private();
    let holds_an_event = |variant: &Variant| {
        matches!(variant.payload, Payload::Inner | Payload::Other) && !variant.fields.is_empty()
    };
    let fallback = events.variants.iter().any(holds_an_event).then(|| {
        quote! {
            #[allow(unused_imports)]
            use #private::NotAnEvent as _;
        }
    });
    let ident = &events.ident;
    let (impl_generics, ty_generics, _) = events.generics.split_for_impl();
    let deprecated = events.deprecated.then(|| quote!(deprecated,));
    quote! {
        // What its user allows for the enum holds for the helpers too.
        #[allow(#deprecated non_camel_case_types, non_snake_case)]
        const _: () = {
            #helper
            #fallback

            #[automatically_derived]
            #[allow(unused_qualifications, clippy::absolute_paths)]
            impl #impl_generics #private::#of for #ident #ty_generics #where_clause {
                #body
            }
        };
    }
}

/// The argument of a method, also in code that points at a field.
fn argument(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// `Self` means the user's enum, also inside a helper.
fn without_self(events: &EventEnum, tokens: TokenStream) -> TokenStream {
    let ident = &events.ident;
    let (_, ty_generics, _) = events.generics.split_for_impl();
    let mut tokens = tokens.into_iter().peekable();
    let mut out = TokenStream::new();
    while let Some(tree) = tokens.next() {
        match tree {
            TokenTree::Ident(name) if name == "Self" => {
                let is_path =
                    matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == ':');
                out.extend(if is_path {
                    quote!(<#ident #ty_generics>)
                } else {
                    quote!(#ident #ty_generics)
                });
            }
            TokenTree::Group(group) => {
                let inner = without_self(events, group.stream());
                let mut new = Group::new(group.delimiter(), inner);
                new.set_span(group.span());
                out.extend([TokenTree::Group(new)]);
            }
            other => out.extend([other]),
        }
    }
    out
}

/// The key of a field in an object, where a rule makes it another than the field's name.
fn own_key<'f>(variant: &Variant, field: &'f Field) -> Option<&'f str> {
    let Member::Named(name) = &field.member else {
        return None;
    };
    let by_rule = field.serde.rename.is_none() && !field.serde.flatten;
    let is_other = name.unraw() != field.key;
    (variant.shape == Shape::Struct && by_rule && is_other).then_some(&field.key)
}

/// The path of `__private::serde` as text, because serde reads paths out of strings.
fn serde_path(events: &EventEnum) -> String {
    let private = events.private().to_string().replace(' ', "");
    format!("{private}::serde")
}
