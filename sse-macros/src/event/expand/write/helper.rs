//! The enum that serde derives `Serialize` for, where a payload cannot be laid out by
//! [`Layout`].
//!
//! It is a *remote* derive: a copy of the user's enum whose generated code reads the user's
//! enum itself. So no value is built, and a function named in `#[serde(with)]` or
//! `#[serde(skip_serializing_if)]` gets the very reference that it would get in the user's own
//! `#[derive(Serialize)]`. (A helper full of references would hand it a `&&T`, which generic
//! functions such as `is_default` do not take.)

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, LitStr, Member, WhereClause, parse_quote};

use super::layout::Layout;
use crate::event::expand::enum_self::{serde_attrs, without_self};
use crate::event::expand::{own_key, serde_path};
use crate::event::model::{EventEnum, Field, Shape, Variant};
use crate::event::types;
use crate::spans::located;

/// The helper enum and what makes a value of it.
pub(crate) struct Helper<'a> {
    events: &'a EventEnum,
    where_clause: &'a WhereClause,
}

impl<'a> Helper<'a> {
    pub(crate) fn new(events: &'a EventEnum, where_clause: &'a WhereClause) -> Self {
        Self {
            events,
            where_clause,
        }
    }

    /// Whether serde's derive writes the payload of the variant.
    pub(super) fn writes(&self, variant: &Variant) -> bool {
        variant.is_json() && Layout::of(self.events, variant).is_none()
    }

    /// The expression that writes `self` as JSON.
    pub(super) fn write(&self, variant: &Variant) -> TokenStream {
        let ident = &variant.ident;
        match self.events.tag(variant) {
            None => quote!(__w.json(&__Payload(self))),
            Some(_) => quote!(__w.json(&__Tagged::#ident(__Payload(self)))),
        }
    }

    /// The words for the enum, which say all that differs from serde's defaults.
    fn container(&self) -> TokenStream {
        let ident = &self.events.ident;
        let serde = serde_path(self.events);
        let remote = LitStr::new(&ident.to_string(), ident.span());
        // The bounds are ours: serde looks for `T::Name` in fewer places.
        quote!(#[serde(crate = #serde, remote = #remote, bound = "", untagged)])
    }

    fn variant(&self, variant: &Variant) -> TokenStream {
        let ident = &variant.ident;
        let words = if !self.writes(variant) {
            quote!(#[serde(skip)])
        } else if let Some(value) = value_beside_others(variant) {
            self.writer_attr(variant, value)
        } else {
            quote!()
        };
        let fields = variant
            .fields
            .iter()
            .map(|field| self.field(variant, field));
        match variant.shape {
            Shape::Unit => quote!(#words #ident,),
            Shape::Tuple => quote!(#words #ident(#(#fields),*),),
            Shape::Struct => quote!(#words #ident { #(#fields),* },),
        }
    }

    /// The enum around the payloads that puts the tag into them.
    fn tagged(&self) -> Option<TokenStream> {
        let events = self.events;
        let has_tag = |variant: &&Variant| events.tag(variant).is_some() && self.writes(variant);
        let variants: Vec<_> = events.variants.iter().filter(has_tag).collect();
        let tag = events.tag.as_ref().filter(|_| !variants.is_empty())?;
        let (private, serde) = (events.private(), serde_path(events));
        let key = &tag.key;
        let content = tag.content.as_ref().map(|key| quote!(, content = #key));
        let generics = self.borrowed();
        let (impl_generics, ty_generics, _) = generics.split_for_impl();
        let where_clause = without_self(events, self.where_clause.to_token_stream());
        let variants = variants.iter().map(|variant| {
            let (ident, name) = (&variant.ident, &variant.name.wire);
            quote!(#[serde(rename = #name)] #ident(__Payload #ty_generics))
        });
        Some(quote! {
            #[derive(#private::Serialize)]
            #[serde(crate = #serde, bound = "", tag = #key #content)]
            enum __Tagged #impl_generics #where_clause { #(#variants),* }
        })
    }

    /// The parameters of what holds a reference to the enum.
    fn borrowed(&self) -> Generics {
        let mut generics = self.events.generics.clone();
        generics.params.insert(0, parse_quote!('__sse));
        generics
    }

    fn field(&self, variant: &Variant, field: &Field) -> TokenStream {
        let ty = without_self(self.events, field.ty.to_token_stream());
        let name = match &field.member {
            Member::Named(name) => quote!(#name:),
            Member::Unnamed(_) => quote!(),
        };
        match self.use_of(variant, field) {
            Use::Skip => return quote!(#[serde(skip)] #name #ty),
            Use::Argument => return quote!(#name #ty),
            Use::Payload => {}
        }
        let attrs = serde_attrs(self.events, &field.serde.attrs);
        let key = own_key(variant, field);
        let key = key.map(|key| quote!(#[serde(rename(serialize = #key))]));
        let writer = self
            .has_writer(variant, field)
            .then(|| self.writer_attr(variant, field));
        quote!(#writer #key #attrs #name #ty)
    }

    fn writer_attr(&self, variant: &Variant, field: &Field) -> TokenStream {
        let (_, ty_generics, _) = self.events.generics.split_for_impl();
        let turbofish = ty_generics.as_turbofish();
        let name = writer(variant, field);
        let path = quote!(__Repr #turbofish::#name).to_string();
        quote!(#[serde(serialize_with = #path)])
    }

    fn use_of(&self, variant: &Variant, field: &Field) -> Use {
        if !self.writes(variant) {
            Use::Skip
        } else if value_beside_others(variant).is_some() {
            Use::Argument
        } else if field.has_place() {
            Use::Payload
        } else {
            Use::Skip
        }
    }

    /// Whether we write the field ourselves, or serde's derive does.
    fn has_writer(&self, variant: &Variant, field: &Field) -> bool {
        let beside = value_beside_others(variant).is_some();
        let checked = field.serde.with.is_none() && !types::is_scalar(&field.ty);
        self.writes(variant) && (beside || checked)
    }

    /// The function that writes a payload field.
    ///
    /// It is our code, not that of serde's derive, so that a missing `Serialize` is reported
    /// at the type of the field.
    fn writer(&self, variant: &Variant, field: &Field) -> TokenStream {
        let private = self.events.private();
        let name = writer(variant, field);
        let data = Ident::new("__data", field.ty.span());
        let arguments = variant.fields.iter().filter_map(|other| {
            let ty = without_self(self.events, other.ty.to_token_stream());
            if other.member == field.member {
                return Some(quote!(#data: &#ty,));
            }
            value_beside_others(variant).map(|_| quote!(_: &#ty,))
        });
        let write = if let Some(with) = &field.serde.with {
            without_self(self.events, with.to_token_stream())
        } else {
            let private = located(private.clone(), field.ty.span());
            quote_spanned!(field.ty.span()=> #private::payload)
        };
        quote! {
            fn #name<__S: #private::serde::Serializer>(
                #(#arguments)*
                __s: __S,
            ) -> #private::Result<__S::Ok, __S::Error> {
                #write(#data, __s)
            }
        }
    }
}

impl ToTokens for Helper<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let events = self.events;
        if !events.variants.iter().any(|variant| self.writes(variant)) {
            return;
        }
        let private = events.private();
        let ident = &events.ident;
        let container = self.container();
        let variants = events.variants.iter().map(|variant| self.variant(variant));
        let writers = events.variants.iter().flat_map(|variant| {
            let fields = variant
                .payload_fields()
                .filter(|field| self.has_writer(variant, field));
            fields.map(|field| self.writer(variant, field))
        });
        let writers: Vec<_> = writers.collect();
        let (impl_generics, ty_generics, _) = events.generics.split_for_impl();
        let where_clause = without_self(self.events, self.where_clause.to_token_stream());
        let wrapper = self.borrowed();
        let (wrapper_impl, wrapper_ty, _) = wrapper.split_for_impl();
        let writers = (!writers.is_empty()).then(|| {
            quote! {
                #[automatically_derived]
                // Whoever takes a reference to a field's type cannot choose the type.
                #[allow(clippy::all, clippy::pedantic)]
                impl #impl_generics __Repr #ty_generics #where_clause { #(#writers)* }
            }
        });
        let tagged = self.tagged();
        tokens.extend(quote! {
            #[derive(#private::Serialize)]
            #container
            enum __Repr #impl_generics #where_clause { #(#variants)* }

            #writers

            #[allow(unused_imports)]
            use #private::SerdeFailed as _;

            struct __Payload #wrapper_impl (&'__sse #ident #ty_generics) #where_clause;

            #[automatically_derived]
            impl #wrapper_impl #private::Serialize for __Payload #wrapper_ty #where_clause {
                fn serialize<__S: #private::serde::Serializer>(
                    &self,
                    __s: __S,
                ) -> #private::Result<__S::Ok, __S::Error> {
                    __Repr::serialize(self.0, __s)
                }
            }

            #tagged
        });
    }
}

/// What serde does with a field of the helper.
enum Use {
    Skip,
    /// Handed to the function of the variant, which knows the attributes already.
    Argument,
    Payload,
}

/// The field that is the payload, in a variant that has others besides.
fn value_beside_others(variant: &Variant) -> Option<&Field> {
    let alone = variant.shape == Shape::Tuple && variant.fields.len() == 1;
    variant.value_field().filter(|_| !alone)
}

/// Named by position, since names joined by `_` could be those of another field.
fn writer(variant: &Variant, field: &Field) -> Ident {
    format_ident!("__write_{}_{}", variant.index, field.index)
}
