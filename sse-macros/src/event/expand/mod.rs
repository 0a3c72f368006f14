//! The model becomes code. Nothing here can fail.

mod enum_self;
mod read;
#[cfg(test)]
mod tests;
mod write;

use proc_macro2::{Ident, Span, TokenStream};
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
    let (private, import) = (events.private(), events.import());
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
    let lints = &events.lints;
    let deprecated = events.deprecated.then(|| quote!(deprecated,));
    quote! {
        // What its user allows for the enum holds for the helpers too.
        #(#lints)*
        #[allow(#deprecated non_camel_case_types, non_snake_case)]
        const _: () = {
            #import

            // Where the import fails, that is the only error: what follows is not looked at.
            #private::items! {
                #helper
                #fallback

                #[automatically_derived]
                #[allow(unused_qualifications, clippy::absolute_paths)]
                impl #impl_generics #private::#of for #ident #ty_generics #where_clause {
                    #body
                }
            }
        };
    }
}

/// The argument of a method, also in code that points at a field.
fn argument(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// The key of a field in an object, where a rule makes it another than the field's name.
fn own_key<'f>(variant: &Variant, field: &'f Field) -> Option<&'f str> {
    let Member::Named(name) = &field.member else {
        return None;
    };
    let by_rule = field.serde.rename.is_none() && field.serde.flatten.is_none();
    let is_other = name.unraw() != field.key;
    (variant.shape == Shape::Struct && by_rule && is_other).then_some(&field.key)
}

/// The path of `__private::serde` as text, because serde reads paths out of strings.
fn serde_path(events: &EventEnum) -> String {
    let private = events.private().to_string().replace(' ', "");
    format!("{private}::serde")
}
