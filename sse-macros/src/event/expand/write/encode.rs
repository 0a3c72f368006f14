//! `SseEvent::encode`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::helper::Helper;
use super::holds_an_event;
use super::layout::Layout;
use crate::event::expand::argument;
use crate::event::model::{EventEnum, Field, Form, Line, Payload, Role, Variant};
use crate::event::types;
use crate::spans::located;

pub(super) fn method(
    events: &EventEnum,
    private: &TokenStream,
    helper: &Helper<'_>,
) -> TokenStream {
    let arms: Vec<_> = events
        .variants
        .iter()
        .map(|variant| arm(events, variant, private, helper))
        .collect();
    let writes = |variant: &Variant| {
        holds_an_event(variant) || !matches!(variant.payload, Payload::Other | Payload::Skip)
    };
    let writer = if events.variants.iter().any(writes) {
        quote!(__w)
    } else {
        quote!(_)
    };
    quote! {
        fn encode(
            &self,
            #writer: &mut #private::EventWriter,
        ) -> #private::Result<(), #private::EncodeError> {
            match *self { #(#arms)* }
        }
    }
}

fn arm(
    events: &EventEnum,
    variant: &Variant,
    private: &TokenStream,
    helper: &Helper<'_>,
) -> TokenStream {
    let ident = &variant.ident;
    if holds_an_event(variant) {
        let field = variant.fields.first();
        let arm = field.map(|field| {
            let (inner, w) = (field.binding(), argument("__w"));
            let private = located(private.clone(), field.ty.span());
            quote!(Self::#ident(ref #inner) => #private::inner(#w, #inner),)
        });
        return arm.unwrap_or_default();
    }
    if matches!(variant.payload, Payload::Other | Payload::Skip) {
        return quote!(Self::#ident { .. } => #private::Result::Ok(()),);
    }
    let used = used_fields(variant, helper).map(|field| {
        let (member, binding) = (&field.member, field.binding());
        quote!(#member: ref #binding,)
    });
    let event = match variant.line {
        Line::Name => {
            let line = format!("event: {}\n", variant.name.wire);
            Some(quote!(#private::event_line(__w, #line);))
        }
        Line::Field => variant.field(Role::Event).map(|field| {
            let (name, w) = (field.binding(), argument("__w"));
            let private = located(private.clone(), field.ty.span());
            quote!(#w.event(#private::name(#name))?;)
        }),
        Line::None => None,
    };
    let id = variant.field(Role::Id).map(|field| id(field, private));
    let retry = variant.field(Role::Retry).map(|field| {
        let (retry, w) = (field.binding(), argument("__w"));
        let private = located(private.clone(), field.ty.span());
        quote_spanned!(field.ty.span()=> #private::retry(#w, *#retry);)
    });
    let constant_retry = variant
        .retry
        .map(|millis| quote!(#private::retry_millis(__w, #millis);));
    let data = data(events, variant, private, helper);
    quote! {
        Self::#ident { #(#used)* .. } => {
            #event
            #id
            #retry
            #constant_retry
            #data
        }
    }
}

/// The fields that the arm itself writes; the helper finds its own.
fn used_fields<'v>(variant: &'v Variant, helper: &Helper<'_>) -> impl Iterator<Item = &'v Field> {
    let direct = !helper.writes(variant);
    variant.fields.iter().filter(move |field| match field.role {
        Role::Id | Role::Retry | Role::Event => true,
        Role::Payload | Role::Value => direct && field.is_payload(),
        Role::Skip => false,
    })
}

/// The `id:` line, left out for `None`.
fn id(field: &Field, private: &TokenStream) -> TokenStream {
    let id = field.binding();
    let inner = types::option_content(&field.ty);
    let ty = inner.unwrap_or(&field.ty);
    let (private, w) = (located(private.clone(), ty.span()), argument("__w"));
    let write = if types::is_integer(ty) {
        quote_spanned!(ty.span()=> #private::integer_id(#w, *#id);)
    } else {
        quote_spanned!(ty.span()=> #private::id(#w, #id)?;)
    };
    match inner {
        Some(_) => quote!(if let #private::Option::Some(#id) = #id { #write }),
        None => write,
    }
}

/// The `data:` lines and the result of it all.
fn data(
    events: &EventEnum,
    variant: &Variant,
    private: &TokenStream,
    helper: &Helper<'_>,
) -> TokenStream {
    let ok = quote!(#private::Result::Ok(()));
    let one = |field: &Field, function: &str| {
        let (data, function, w) = (field.binding(), argument(function), argument("__w"));
        let private = located(private.clone(), field.ty.span());
        quote_spanned!(field.ty.span()=> #private::#function(#w, #data))
    };
    match (&variant.payload, variant.payload_fields().next()) {
        (Payload::Literal(text), _) => quote!(__w.data(#text); #ok),
        (Payload::Comment, Some(field)) => one(field, "comment"),
        (Payload::Comment, None) => quote!(__w.comment(""); #ok),
        (Payload::Form(Form::Text), Some(field)) => one(field, "text"),
        (Payload::Form(Form::Lines), _) => lines(variant, private),
        (Payload::Form(Form::Json), _) => match Layout::of(events, variant) {
            Some(layout) => layout.write(private),
            None => helper.write(variant),
        },
        _ => quote!(__w.data(""); #ok),
    }
}

/// `key value` lines, none for `None`.
fn lines(variant: &Variant, private: &TokenStream) -> TokenStream {
    let lines = variant.payload_fields().map(|field| {
        let (key, value) = (&field.key, field.binding());
        let inner = types::option_content(&field.ty);
        let ty = inner.unwrap_or(&field.ty);
        let function = argument(if field.as_json.is_some() {
            "json_lines"
        } else {
            "text_lines"
        });
        let (located, w) = (located(private.clone(), ty.span()), argument("__w"));
        let write = quote_spanned!(ty.span()=> #located::#function(#w, #key, #value)?;);
        match inner {
            Some(_) => quote!(if let #private::Option::Some(#value) = #value { #write }),
            None => write,
        }
    });
    quote! {
        #(#lines)*
        #private::end_lines(__w);
        #private::Result::Ok(())
    }
}
