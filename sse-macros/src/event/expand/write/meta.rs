//! `SseEvent::describe`.

use proc_macro2::TokenStream;
use quote::quote;

use super::holds_an_event;
use crate::event::model::{EventEnum, Form, Line, Payload, Role, Variant};

pub(super) fn describe(events: &EventEnum, private: &TokenStream) -> TokenStream {
    let described: Vec<_> = events
        .variants
        .iter()
        .filter_map(|variant| variant_meta(variant, private))
        .collect();
    let out = if described.is_empty() {
        quote!(_)
    } else {
        quote!(__out)
    };
    quote! {
        fn describe(#out: &mut #private::Vec<#private::EventMeta>) {
            #(#described)*
        }
    }
}

fn variant_meta(variant: &Variant, private: &TokenStream) -> Option<TokenStream> {
    if holds_an_event(variant) {
        let ty = &variant.fields.first()?.ty;
        return Some(quote!(#private::Inner::<#ty>::describe(__out);));
    }
    let format = match &variant.payload {
        Payload::Form(Form::Json) => quote!(Json),
        Payload::Form(Form::Text) => quote!(Text),
        Payload::Form(Form::Lines) => quote!(Lines),
        Payload::Form(Form::Empty) => quote!(Empty),
        Payload::Literal(text) => quote!(Literal(#text)),
        Payload::Comment => quote!(Comment),
        Payload::Inner | Payload::Other | Payload::Skip => return None,
    };
    let tag = &variant.name.wire;
    let name = match variant.line {
        Line::Name => quote!(#private::Option::Some(#tag)),
        Line::None | Line::Field => quote!(#private::Option::None),
    };
    let terminal = variant.terminal;
    let has_id = variant.field(Role::Id).is_some();
    let doc = &variant.doc;
    Some(quote! {
        __out.push(#private::EventMeta {
            name: #name,
            tag: #tag,
            format: #private::DataFormat::#format,
            terminal: #terminal,
            has_id: #has_id,
            doc: #doc,
        });
    })
}
