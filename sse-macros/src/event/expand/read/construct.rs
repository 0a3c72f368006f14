//! A variant, made of an event.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Index, Member};

use super::helper::{Helpers, Read, is_wrapped};
use crate::event::expand::argument;
use crate::event::model::{EventEnum, Field, Form, Payload, Role, Variant};
use crate::event::types;
use crate::spans::located;

/// Statements and the `Result` of the variant; whatever fails returns.
pub(super) fn variant(
    events: &EventEnum,
    helpers: &Helpers<'_>,
    variant: &Variant,
    alone: bool,
) -> TokenStream {
    let private = events.private();
    let payload = payload(events, helpers, variant, alone);
    let ident = &variant.ident;
    let mut place = 0_usize;
    let fields = variant.fields.iter().map(|field| {
        let member = &field.member;
        let value = value(variant, field, &private, place);
        place += usize::from(field.has_place());
        quote!(#member: #value)
    });
    let fields: Vec<_> = fields.collect();
    quote! {
        #payload
        #private::Result::Ok(Self::#ident { #(#fields),* })
    }
}

/// Reads the payload as JSON, if it is that; `alone` if nothing but it tells the variant apart.
fn payload(
    events: &EventEnum,
    helpers: &Helpers<'_>,
    variant: &Variant,
    alone: bool,
) -> Option<TokenStream> {
    if !variant.is_json() {
        return None;
    }
    let private = events.private();
    let (ty, span) = match Read::of(variant) {
        Read::Unit => return alone.then(|| quote!(#private::read_empty(__event)?;)),
        Read::Value(field) => {
            let ty = &field.ty;
            (quote!(#ty), ty.span())
        }
        Read::WrappedValue(_) | Read::Fields => {
            (helpers.ty(variant), proc_macro2::Span::call_site())
        }
    };
    let private = located(private, span);
    let (event, read) = (argument("__event"), argument("__read"));
    let deny = events.deny_unknown_fields;
    let call = match events.tag(variant) {
        None => quote_spanned!(span=> #private::read_json::<#ty>(#event)?),
        Some(tag) => {
            let key = &tag.key;
            match &tag.content {
                None => quote_spanned!(span=> #private::read_tagged::<#ty>(#event, #key)?),
                Some(content) => {
                    quote_spanned! {span=>
                        #private::read_content::<#ty>(#event, #private::Adjacent {
                            key: #key,
                            content: #content,
                            deny: #deny,
                        })?
                    }
                }
            }
        }
    };
    Some(quote!(let #read = #call;))
}

/// The value of a field; `place` is its index among those of the payload.
fn value(variant: &Variant, field: &Field, private: &TokenStream, place: usize) -> TokenStream {
    let ty = &field.ty;
    let event = argument("__event");
    let private = located(private.clone(), ty.span());
    let call = |function: &str, ty: &syn::Type| {
        let function = argument(function);
        let private = located(private.clone(), ty.span());
        quote_spanned!(ty.span()=> #private::#function::<#ty>(#event)?)
    };
    let default = quote_spanned!(ty.span()=> #private::read_default::<#ty>());
    if !field.has_place() {
        return match (field.role, types::option_content(ty)) {
            (Role::Id, Some(inner)) => call("read_maybe_id", inner),
            (Role::Id, None) => call("read_id", ty),
            (Role::Retry, _) => call("read_retry", ty),
            (Role::Event, _) => call("read_name", ty),
            _ => default,
        };
    }
    let read = argument("__read");
    match &variant.payload {
        Payload::Form(Form::Json) => match Read::of(variant) {
            Read::Unit => default,
            Read::Value(_) => quote!(#read),
            Read::WrappedValue(_) => quote!(#read.0.0),
            Read::Fields => {
                let wrapped = is_wrapped(field).then(|| quote!(.0));
                match &field.member {
                    Member::Named(name) => quote!(#read.0.#name #wrapped),
                    Member::Unnamed(_) => {
                        let index = Index::from(place);
                        quote!(#read.0.#index #wrapped)
                    }
                }
            }
        },
        Payload::Form(Form::Text) if field.is_payload() => call("read_text", ty),
        _ => default,
    }
}
