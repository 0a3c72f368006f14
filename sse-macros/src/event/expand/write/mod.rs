//! The methods of `SseEvent`.

mod encode;
mod helper;
mod layout;
mod meta;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::event::model::{EventEnum, Line, Payload, Replay, Role, Variant};
use crate::event::types;
use crate::spans::located;

pub(super) use helper::Helper;

pub(super) fn body(events: &EventEnum, helper: &Helper<'_>) -> TokenStream {
    let private = events.private();
    let event_name = event_name(events, &private);
    let encode = encode::method(events, &private, helper);
    let is_terminal = is_terminal(events, &private);
    let declares_id = declares_id(events, &private);
    let block = block(events, &private);
    let keep = keep(events, &private);
    let describe = meta::describe(events, &private);
    quote! {
        #event_name
        #encode
        #is_terminal
        #declares_id
        #block
        #keep
        #describe
    }
}

/// Whether the variant holds an event that stands for itself.
fn holds_an_event(variant: &Variant) -> bool {
    match variant.payload {
        Payload::Inner => true,
        Payload::Other => !variant.fields.is_empty(),
        _ => false,
    }
}

/// `Self::Variant(inner) => Inner::<E>::method(inner),`
fn forward(variant: &Variant, private: &TokenStream, method: &str) -> Option<TokenStream> {
    let field = variant.fields.first()?;
    let (ident, inner) = (&variant.ident, field.binding());
    let method = super::argument(method);
    let ty = &field.ty;
    Some(quote!(Self::#ident(ref #inner) => #private::Inner::<#ty>::#method(#inner),))
}

fn event_name(events: &EventEnum, private: &TokenStream) -> TokenStream {
    let arms = events.variants.iter().map(|variant| {
        let ident = &variant.ident;
        let wire = &variant.name.wire;
        if holds_an_event(variant) {
            return forward(variant, private, "event_name").unwrap_or_default();
        }
        match (variant.line, variant.field(Role::Event)) {
            (Line::Name, _) => quote!(Self::#ident { .. } => #private::Option::Some(#wire),),
            (Line::Field, Some(field)) => {
                let (member, name) = (&field.member, field.binding());
                let located = located(private.clone(), field.ty.span());
                quote! {
                    Self::#ident { #member: ref #name, .. } =>
                        #private::Option::Some(#located::name(#name)),
                }
            }
            _ => quote!(Self::#ident { .. } => #private::Option::None,),
        }
    });
    quote! {
        fn event_name(&self) -> #private::Option<&#private::str> {
            match *self { #(#arms)* }
        }
    }
}

fn is_terminal(events: &EventEnum, private: &TokenStream) -> Option<TokenStream> {
    let arms = special(events, |variant| {
        let ident = &variant.ident;
        if variant.terminal && !matches!(variant.payload, Payload::Skip) {
            return Some(quote!(Self::#ident { .. } => true,));
        }
        let inner = holds_an_event(variant);
        inner
            .then(|| forward(variant, private, "is_terminal"))
            .flatten()
    });
    let arms = arms.or_else(&quote!(false))?;
    Some(quote! {
        fn is_terminal(&self) -> #private::bool {
            match *self { #arms }
        }
    })
}

/// Whether any variant has an id, or any that an event inside may be.
fn declares_id(events: &EventEnum, private: &TokenStream) -> Option<TokenStream> {
    let has_id = |variant: &Variant| {
        !matches!(variant.payload, Payload::Skip) && variant.field(Role::Id).is_some()
    };
    if events.variants.iter().any(has_id) {
        return Some(quote!(fn declares_id(&self) -> #private::bool { true }));
    }
    let holders = events
        .variants
        .iter()
        .filter(|variant| holds_an_event(variant));
    let types = holders.filter_map(|variant| {
        // A pointer describes nothing, as what it points to may have no size.
        Some(types::behind_pointer(&variant.fields.first()?.ty))
    });
    let arms = special(events, |variant| {
        let inner = holds_an_event(variant);
        inner.then(|| forward(variant, private, "declares_id"))?
    });
    let arms = arms.or_else(&quote!(false))?;
    Some(quote! {
        fn declares_id(&self) -> #private::bool {
            // What this event says counts too: not every type describes its events.
            #private::describe_ids(&[#(#private::Inner::<#types>::describe),*])
                || match *self { #arms }
        }
    })
}

/// Bytes that are encoded already stay so inside another enum.
fn block(events: &EventEnum, private: &TokenStream) -> Option<TokenStream> {
    let arms = special(events, |variant| {
        let inner = holds_an_event(variant);
        inner.then(|| forward(variant, private, "block")).flatten()
    });
    let arms = arms.or_else(&quote!(#private::Option::None))?;
    Some(quote! {
        fn block(&self) -> #private::Option<#private::Block> {
            match *self { #arms }
        }
    })
}

fn keep(events: &EventEnum, private: &TokenStream) -> Option<TokenStream> {
    let arms = special(events, |variant| {
        let ident = &variant.ident;
        if holds_an_event(variant) {
            return forward(variant, private, "keep");
        }
        match variant.replay {
            Replay::All => None,
            Replay::Never => Some(quote!(Self::#ident { .. } => #private::Keep::Never,)),
            Replay::Latest => {
                // Two enums, and two variants without a name, may share one on the wire.
                let kind = format!("::{}::{}", events.ident.unraw(), variant.ident.unraw());
                let kind = quote!(#private::concat!(#private::module_path!(), #kind));
                let key = variant
                    .fields
                    .iter()
                    .find(|field| field.is_log_key.is_some());
                let binding = key.map(|field| {
                    let (member, key) = (&field.member, field.binding());
                    quote!(#member: ref #key,)
                });
                let key = match key {
                    Some(field) => {
                        let key = field.binding();
                        quote!(#key)
                    }
                    None => quote!(""),
                };
                Some(quote! {
                    Self::#ident { #binding .. } => #private::latest(#kind, #key),
                })
            }
        }
    });
    let arms = arms.or_else(&quote!(#private::Keep::All))?;
    Some(quote! {
        fn keep(&self) -> #private::Keep<'_> {
            match *self { #arms }
        }
    })
}

/// The arms of the variants that are special, and whether those are all.
struct Arms {
    arms: Vec<TokenStream>,
    all: bool,
}

fn special(events: &EventEnum, arm: impl Fn(&Variant) -> Option<TokenStream>) -> Arms {
    let arms: Vec<_> = events.variants.iter().filter_map(arm).collect();
    let all = arms.len() == events.variants.len();
    Arms { arms, all }
}

impl Arms {
    /// The arms and one for the rest; `None` if there is nothing special.
    fn or_else(self, rest: &TokenStream) -> Option<TokenStream> {
        let arms = &self.arms;
        let rest = (!self.all).then(|| quote!(_ => #rest,));
        (!arms.is_empty()).then(|| quote!(#(#arms)* #rest))
    }
}
