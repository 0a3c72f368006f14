//! The methods of `FromSseEvent`.
//!
//! An event is looked for in the order of how much tells it apart: constant payloads, names
//! and tags, enums inside, names chosen at run time, payloads without a name, the rest.

mod construct;
mod helper;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::event::expand::argument;
use crate::event::model::{EventEnum, Line, Payload, Variant};
use crate::spans::located;

pub(super) use helper::Helpers;

pub(super) fn body(events: &EventEnum, helpers: &Helpers<'_>) -> TokenStream {
    let private = events.private();
    let reader = Reader {
        events,
        helpers,
        private: &private,
    };
    let constants = reader.constants();
    let by_name = reader.by_name();
    let inner = reader.inner();
    let by_payload = reader.by_payload();
    let may_have_failed = inner.is_some() || by_payload.is_some();
    let rest = reader.rest(may_have_failed);
    let ends_stream = ends_stream(events, &private);
    let failed = may_have_failed.then(|| quote!(let mut __failed = #private::Option::None;));
    quote! {
        fn from_event(
            __event: &#private::RawEvent<'_>,
        ) -> #private::Result<Self, #private::DecodeError> {
            #failed
            #constants
            #by_name
            #inner
            #by_payload
            #rest
        }
        #ends_stream
    }
}

struct Reader<'a> {
    events: &'a EventEnum,
    helpers: &'a Helpers<'a>,
    private: &'a TokenStream,
}

impl Reader<'_> {
    fn variants(&self) -> impl Iterator<Item = &Variant> {
        self.events.variants.iter()
    }

    fn construct(&self, variant: &Variant, alone: bool) -> TokenStream {
        construct::variant(self.events, self.helpers, variant, alone)
    }

    /// Events without a name whose payload is always the same.
    fn constants(&self) -> Option<TokenStream> {
        let private = self.private;
        let arms = self.variants().filter_map(|variant| {
            let text = variant.constant().filter(|_| variant.line == Line::None)?;
            let event = self.construct(variant, false);
            Some(quote!(#text => return { #event },))
        });
        let arms: Vec<_> = arms.collect();
        (!arms.is_empty()).then(|| {
            quote! {
                if #private::is_message(__event) {
                    match __event.data() {
                        #(#arms)*
                        _ => {}
                    }
                }
            }
        })
    }

    /// Events told apart by their name, or by their tag.
    fn by_name(&self) -> Option<TokenStream> {
        let private = self.private;
        let events = self.events;
        let arms = self.variants().filter_map(|variant| {
            let is_keyed = variant.line == Line::Name || events.tag(variant).is_some();
            let names = names(variant);
            let event = self.construct(variant, false);
            is_keyed.then(|| quote!(#(#names)|* => return { #event },))
        });
        let arms: Vec<_> = arms.collect();
        if arms.is_empty() {
            return None;
        }
        let is_tagged = self.variants().any(|variant| events.tag(variant).is_some());
        let key = match &events.tag {
            Some(tag) if is_tagged => {
                let key = &tag.key;
                let named = self.variants().filter(|variant| variant.line == Line::Name);
                let names = named.flat_map(names);
                let tagged = self
                    .variants()
                    .filter(|variant| events.tag(variant).is_some());
                let tags = tagged.flat_map(self::names);
                quote!(&*#private::key(__event, #key, &[#(#names),*], &[#(#tags),*]))
            }
            _ => quote!(__event.event()),
        };
        Some(quote! {
            match #key {
                #(#arms)*
                _ => {}
            }
        })
    }

    /// Events of the enums inside.
    fn inner(&self) -> Option<TokenStream> {
        let private = self.private;
        let inner = self.variants().filter_map(|variant| {
            let is_inner = matches!(variant.payload, Payload::Inner);
            let field = variant.fields.first().filter(|_| is_inner)?;
            let (ident, ty) = (&variant.ident, &field.ty);
            let (located, event) = (located(private.clone(), ty.span()), argument("__event"));
            let failed = argument("__failed");
            Some(quote! {
                if let #private::Option::Some(__inner) =
                    #located::read_inner::<#ty>(#event, &mut #failed)?
                {
                    return #private::Result::Ok(Self::#ident(__inner));
                }
            })
        });
        let inner: Vec<_> = inner.collect();
        (!inner.is_empty()).then(|| quote!(#(#inner)*))
    }

    /// Events with a name chosen at run time, and those without a name, in order.
    fn by_payload(&self) -> Option<TokenStream> {
        let private = self.private;
        let events = |line: Line| {
            let is_event = |variant: &&Variant| !variant.payload.is_special();
            self.variants()
                .filter(move |variant| variant.line == line)
                .filter(is_event)
        };
        // Where any name will do, a payload that is always the same comes first here too.
        let (constant, other): (Vec<_>, Vec<_>) =
            events(Line::Field).partition(|variant| variant.constant().is_some());
        let named = constant.into_iter().chain(other);
        let named: Vec<_> = named.map(|variant| self.attempt(variant)).collect();
        let unnamed = events(Line::None)
            .filter(|variant| variant.constant().is_none() && self.events.tag(variant).is_none());
        let unnamed: Vec<_> = unnamed.map(|variant| self.attempt(variant)).collect();
        let named = (!named.is_empty()).then(|| quote!(if __event.name().is_some() { #(#named)* }));
        let unnamed = (!unnamed.is_empty())
            .then(|| quote!(if #private::is_message(__event) { #(#unnamed)* }));
        (named.is_some() || unnamed.is_some()).then(|| quote!(#named #unnamed))
    }

    /// Reads the variant if the payload is one of its own.
    fn attempt(&self, variant: &Variant) -> TokenStream {
        let private = self.private;
        let tag = self.events.tag(variant);
        let event = self.construct(variant, tag.is_none());
        let attempt = quote! {
            if let #private::Option::Some(__found) =
                #private::attempt(|| { #event }, &mut __failed)
            {
                return #private::Result::Ok(__found);
            }
        };
        if let Some(text) = variant.constant() {
            return quote!(if __event.data() == #text { #attempt });
        }
        let Some(tag) = tag else {
            return attempt;
        };
        let (key, names) = (&tag.key, names(variant));
        quote!(if #private::is_tagged(__event, #key, &[#(#names),*]) { #attempt })
    }

    /// Events that no variant is for.
    fn rest(&self, may_have_failed: bool) -> TokenStream {
        let private = self.private;
        let other = self
            .variants()
            .find(|variant| matches!(variant.payload, Payload::Other));
        if let Some(variant) = other {
            let ident = &variant.ident;
            return match variant.fields.first() {
                None => quote!(#private::Result::Ok(Self::#ident {})),
                Some(field) => {
                    let (ty, event) = (&field.ty, argument("__event"));
                    let located = located(private.clone(), ty.span());
                    let read = quote_spanned!(ty.span()=> #located::read_any::<#ty>(#event)?);
                    quote!(#private::Result::Ok(Self::#ident(#read)))
                }
            };
        }
        let failed = if may_have_failed {
            quote!(__failed)
        } else {
            quote!(#private::Option::None)
        };
        let only_tagged = self
            .variants()
            .any(|variant| variant.line == Line::None && self.events.tag(variant).is_some());
        match &self.events.tag {
            Some(tag) if only_tagged => {
                let key = &tag.key;
                quote!(#private::Result::Err(#private::not_tagged(__event, #key, #failed)))
            }
            _ => quote!(#private::Result::Err(#private::not_read(__event, #failed))),
        }
    }
}

/// The name and the aliases, each once.
fn names(variant: &Variant) -> Vec<String> {
    let mut names = vec![variant.name.wire.clone()];
    for alias in &variant.aliases {
        if !names.contains(&alias.value()) {
            names.push(alias.value());
        }
    }
    names
}

fn ends_stream(events: &EventEnum, private: &TokenStream) -> Option<TokenStream> {
    let arms = events.variants.iter().filter_map(|variant| {
        let ident = &variant.ident;
        if variant.terminal {
            return Some(quote!(Self::#ident { .. } => true,));
        }
        let is_event = matches!(variant.payload, Payload::Inner | Payload::Other);
        let field = variant.fields.first().filter(|_| is_event)?;
        let (inner, ty) = (field.binding(), &field.ty);
        Some(quote!(Self::#ident(ref #inner) => #private::Inner::<#ty>::ends_stream(#inner),))
    });
    let arms: Vec<_> = arms.collect();
    let rest = (arms.len() < events.variants.len()).then(|| quote!(_ => false,));
    (!arms.is_empty()).then(|| {
        quote! {
            fn ends_stream(&self) -> #private::bool {
                match *self { #(#arms)* #rest }
            }
        }
    })
}
