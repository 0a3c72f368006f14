//! The structs that serde derives `Deserialize` for: the payload of one variant each.
//!
//! They own what they read, so serde's field attributes see the very types that they see in
//! the user's own `#[derive(Deserialize)]`.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, Member, WhereClause, parse_quote};

use crate::event::expand::enum_self::{serde_attrs, without_self};
use crate::event::expand::{own_key, serde_path};
use crate::event::model::{EventEnum, Field, Shape, Variant};
use crate::event::types;
use crate::spans::located;

/// The helpers of an enum.
pub(crate) struct Helpers<'a> {
    events: &'a EventEnum,
    where_clause: &'a WhereClause,
}

/// What is read of the payload of a JSON variant.
pub(super) enum Read<'v> {
    /// Nothing.
    Unit,
    /// The value of this field.
    Value(&'v Field),
    /// The value of this field, by its serde attributes.
    WrappedValue(&'v Field),
    /// All fields.
    Fields,
}

impl<'v> Read<'v> {
    pub(super) fn of(variant: &'v Variant) -> Self {
        match variant.value_field() {
            Some(value) if value.serde.attrs.is_empty() => Self::Value(value),
            Some(value) => Self::WrappedValue(value),
            None if variant.payload_fields().next().is_some() => Self::Fields,
            None => Self::Unit,
        }
    }
}

impl<'a> Helpers<'a> {
    pub(crate) fn new(events: &'a EventEnum, where_clause: &'a WhereClause) -> Self {
        Self {
            events,
            where_clause,
        }
    }

    /// The type that the payload of `variant` is read as.
    pub(super) fn ty(&self, variant: &Variant) -> TokenStream {
        let (_, ty_generics, _) = self.events.generics.split_for_impl();
        let name = name(variant);
        quote!(#name #ty_generics)
    }

    fn helper(&self, variant: &Variant) -> Option<TokenStream> {
        let events = self.events;
        let (private, serde) = (events.private(), serde_path(events));
        let (name, fields) = (name(variant), fields(variant));
        let (impl_generics, ty_generics, _) = events.generics.split_for_impl();
        let where_clause = self.where_clause();
        let (words, body) = match Read::of(variant) {
            Read::Unit | Read::Value(_) => return None,
            Read::WrappedValue(value) => {
                // There is no key that could be absent or have another name.
                let attrs = value
                    .serde
                    .attrs_without(&["default", "rename", "alias", "borrow"]);
                let attrs = serde_attrs(events, &attrs);
                let ty = self.ty_of(value);
                let unused = self.unused().map(|unused| quote!(, #unused));
                let words = quote!(, transparent);
                (words, quote!((#attrs #ty #unused) #where_clause;))
            }
            Read::Fields => {
                let deny = events
                    .deny_unknown_fields
                    .then(|| quote!(, deny_unknown_fields));
                let fields = variant.fields.iter().filter(|field| field.has_place());
                let fields = fields.map(|field| self.field(variant, field));
                let unused = self.unused();
                let body = if variant.shape == Shape::Struct {
                    let unused = unused.map(|unused| quote!(#[serde(skip)] __unused: #unused));
                    quote!(#where_clause { #(#fields,)* #unused })
                } else {
                    let unused = unused.map(|unused| quote!(#[serde(skip)] #unused));
                    quote!((#(#fields,)* #unused) #where_clause;)
                };
                let expecting = expecting(events, variant);
                (quote!(#deny, expecting = #expecting), body)
            }
        };
        let with_de = self.with_de();
        let (de_generics, _, _) = with_de.split_for_impl();
        // By way of an inherent function, so that a mistake is serde's alone to report.
        let wrapped = match Read::of(variant) {
            Read::Fields => variant
                .fields
                .iter()
                .filter(|field| is_wrapped(field))
                .collect(),
            _ => Vec::new(),
        };
        let wrappers = wrapped.iter().map(|field| self.wrapper(variant, field));
        Some(quote! {
            #(#wrappers)*

            #[derive(#private::Deserialize)]
            #[serde(crate = #serde, remote = "Self", bound = "" #words)]
            struct #fields #impl_generics #body

            struct #name #impl_generics (#fields #ty_generics) #where_clause;

            #[automatically_derived]
            impl #de_generics #private::Deserialize<'__de> for #name #ty_generics #where_clause {
                fn deserialize<__D: #private::serde::Deserializer<'__de>>(
                    __d: __D,
                ) -> #private::Result<Self, __D::Error> {
                    <#fields #ty_generics>::deserialize(__d).map(Self)
                }
            }
        })
    }

    /// A type around that of a field, whose `Deserialize` is our code and not that of serde's
    /// derive, so that a missing one is reported once, at the type.
    fn wrapper(&self, variant: &Variant, field: &Field) -> TokenStream {
        let events = self.events;
        let (private, where_clause) = (events.private(), self.where_clause());
        let (name, ty) = (wrapper(variant, field), self.ty_of(field));
        let (impl_generics, ty_generics, _) = events.generics.split_for_impl();
        let with_de = self.with_de();
        let (de_generics, _, _) = with_de.split_for_impl();
        let unused = self.unused().map(|unused| quote!(, #unused));
        let phantom = unused.as_ref().map(|_| quote!(, #private::PhantomData));
        let span = field.ty.span();
        let located = located(private.clone(), span);
        let read = quote_spanned!(span=> #located::payload_from::<#ty, _>);
        quote! {
            struct #name #impl_generics (#ty #unused) #where_clause;

            #[automatically_derived]
            impl #de_generics #private::Deserialize<'__de> for #name #ty_generics #where_clause {
                fn deserialize<__D: #private::serde::Deserializer<'__de>>(
                    __d: __D,
                ) -> #private::Result<Self, __D::Error> {
                    #read(__d).map(|__value| Self(__value #phantom))
                }
            }
        }
    }

    /// The bounds of the enum.
    fn where_clause(&self) -> TokenStream {
        without_self(self.events, self.where_clause.to_token_stream())
    }

    fn with_de(&self) -> Generics {
        let mut generics = self.events.generics.clone();
        generics.params.insert(0, parse_quote!('__de));
        generics
    }

    fn field(&self, variant: &Variant, field: &Field) -> TokenStream {
        // What is read is owned, whatever another derive may borrow.
        let attrs = field.serde.attrs_without(&["borrow"]);
        let attrs = serde_attrs(self.events, &attrs);
        let ty = if is_wrapped(field) {
            self.wrapped(variant, field)
        } else {
            self.ty_of(field)
        };
        let Member::Named(name) = &field.member else {
            return quote!(#attrs #ty);
        };
        let key = own_key(variant, field);
        let key = key.map(|key| quote!(#[serde(rename(deserialize = #key))]));
        quote!(#key #attrs #name: #ty)
    }

    fn wrapped(&self, variant: &Variant, field: &Field) -> TokenStream {
        let (_, ty_generics, _) = self.events.generics.split_for_impl();
        let name = wrapper(variant, field);
        quote!(#name #ty_generics)
    }

    fn ty_of(&self, field: &Field) -> TokenStream {
        without_self(self.events, field.ty.to_token_stream())
    }

    /// A field that uses all parameters, since the payload may not.
    fn unused(&self) -> Option<TokenStream> {
        let private = self.events.private();
        let params = self.events.generics.params.iter();
        let uses = params.filter_map(|param| match param {
            GenericParam::Lifetime(param) => {
                let lifetime = &param.lifetime;
                Some(quote!(&#lifetime ()))
            }
            GenericParam::Type(param) => {
                let ident = &param.ident;
                Some(quote!(*const #ident))
            }
            GenericParam::Const(_) => None,
        });
        let uses: Vec<_> = uses.collect();
        (!uses.is_empty()).then(|| quote!(#private::PhantomData<(#(#uses,)*)>))
    }
}

impl ToTokens for Helpers<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let read = self
            .events
            .variants
            .iter()
            .filter(|variant| variant.is_json());
        let helpers: Vec<_> = read.filter_map(|variant| self.helper(variant)).collect();
        if !helpers.is_empty() {
            let private = self.events.private();
            tokens.extend(quote! {
                #(#helpers)*

                #[allow(unused_imports)]
                use #private::SerdeFailed as _;
            });
        }
    }
}

/// Whether a missing `Deserialize` of the field's type is ours to report.
///
/// Only where serde asks for nothing else of the type.
pub(super) fn is_wrapped(field: &Field) -> bool {
    field.is_payload() && field.serde.attrs.is_empty() && !types::is_scalar(&field.ty)
}

/// What serde says it expected, where it knows the user's enum.
fn expecting(events: &EventEnum, variant: &Variant) -> String {
    let shape = match variant.shape {
        Shape::Struct => "struct",
        _ => "tuple",
    };
    let (events, variant) = (events.ident.unraw(), variant.ident.unraw());
    format!("{shape} variant {events}::{variant}")
}

fn wrapper(variant: &Variant, field: &Field) -> Ident {
    format_ident!("__Read{}_{}", variant.index, field.index)
}

/// What serde reads.
fn fields(variant: &Variant) -> Ident {
    format_ident!("__Fields{}", variant.index)
}

/// That, with `Deserialize`.
fn name(variant: &Variant) -> Ident {
    format_ident!("__Read{}", variant.index)
}
