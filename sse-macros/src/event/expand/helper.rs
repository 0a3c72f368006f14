//! The enum that serde derives `Serialize` for.
//!
//! It is a *remote* derive: a copy of the user's enum whose generated code reads the user's
//! enum itself. So no value is built, and a function named in `#[serde(with)]` or
//! `#[serde(skip_serializing_if)]` gets the very reference that it would get in the user's own
//! `#[derive(Serialize)]`. (A helper full of references would hand it a `&&T`, which generic
//! functions such as `is_default` do not take.)

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{LitStr, Member, Type, WhereClause};

use super::is_integer;
use crate::event::model::{EventEnum, Field, Form, Payload, Role, Shape, Variant};
use crate::spans::located;

/// The helper enum and what makes a value of it.
pub(super) struct Helper<'a> {
    events: &'a EventEnum,
    where_clause: &'a WhereClause,
}

/// Whether the payload of `variant` is more than one plain value or a constant.
pub(super) fn is_needed(variant: &Variant) -> bool {
    let is_json = matches!(variant.payload, Payload::Form(Form::Json));
    let first = variant.payload_fields().next();
    is_json && first.is_some_and(|first| !variant.is_one_value() || !first.serde.attrs.is_empty())
}

impl<'a> Helper<'a> {
    pub(super) fn new(events: &'a EventEnum, where_clause: &'a WhereClause) -> Self {
        Self {
            events,
            where_clause,
        }
    }

    /// The expression that writes `self` as JSON.
    pub(super) fn write(&self) -> TokenStream {
        quote!(__w.json(&__Payload(self)))
    }

    /// The words for the enum, which say all that differs from serde's defaults.
    fn container(&self) -> TokenStream {
        let ident = &self.events.ident;
        let serde = format!("{}::serde", self.private());
        let remote = LitStr::new(&ident.to_string(), ident.span());
        let keys = self.events.rename_all_fields.as_ref();
        let keys = keys.map(|rule| quote!(, rename_all_fields = #rule));
        // The bounds are ours: serde looks for `T::Name` in fewer places.
        quote!(#[serde(crate = #serde, remote = #remote, bound = "", untagged #keys)])
    }

    fn variant(&self, variant: &Variant) -> TokenStream {
        let ident = &variant.ident;
        let needed = is_needed(variant);
        let keys = variant.rename_all.as_ref();
        let words = if !needed {
            quote!(#[serde(skip)])
        } else if let Some(value) = variant
            .payload_fields()
            .next()
            .filter(|_| is_value_beside_others(variant))
        {
            self.writer_attr(variant, value)
        } else {
            keys.map_or_else(
                TokenStream::new,
                |rule| quote!(#[serde(rename_all = #rule)]),
            )
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

    fn field(&self, variant: &Variant, field: &Field) -> TokenStream {
        let ty = self.without_self(field.ty.to_token_stream());
        let name = match &field.member {
            Member::Named(name) => quote!(#name:),
            Member::Unnamed(_) => quote!(),
        };
        match use_of(variant, field) {
            Use::Skip => return quote!(#[serde(skip)] #name #ty),
            Use::Argument => return quote!(#name #ty),
            Use::Payload => {}
        }
        let attrs = &field.serde.attrs;
        let writer = has_writer(variant, field).then(|| self.writer_attr(variant, field));
        quote!(#writer #(#attrs)* #name #ty)
    }

    fn writer_attr(&self, variant: &Variant, field: &Field) -> TokenStream {
        let (_, ty_generics, _) = self.events.generics.split_for_impl();
        let turbofish = ty_generics.as_turbofish();
        let name = writer(variant, field);
        let path = quote!(__Repr #turbofish::#name).to_string();
        quote!(#[serde(serialize_with = #path)])
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
            let ty = self.without_self(other.ty.to_token_stream());
            if other.member == field.member {
                return Some(quote!(#data: &#ty,));
            }
            is_value_beside_others(variant).then(|| quote!(_: &#ty,))
        });
        let write = if let Some(with) = &field.serde.with {
            quote!(#with)
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

    /// `Self` means the user's enum, also inside the helper.
    fn without_self(&self, tokens: TokenStream) -> TokenStream {
        let ident = &self.events.ident;
        let (_, ty_generics, _) = self.events.generics.split_for_impl();
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
                    let inner = self.without_self(group.stream());
                    let mut new = Group::new(group.delimiter(), inner);
                    new.set_span(group.span());
                    out.extend([TokenTree::Group(new)]);
                }
                other => out.extend([other]),
            }
        }
        out
    }

    /// The path of `__private` as text, because serde reads paths out of strings.
    fn private(&self) -> String {
        self.events.private().to_string().replace(' ', "")
    }
}

impl ToTokens for Helper<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let events = self.events;
        if !events.variants.iter().any(is_needed) {
            return;
        }
        let private = events.private();
        let ident = &events.ident;
        let container = self.container();
        let variants = events.variants.iter().map(|variant| self.variant(variant));
        let writers = events.variants.iter().flat_map(|variant| {
            let fields = variant
                .payload_fields()
                .filter(|field| has_writer(variant, field));
            fields.map(|field| self.writer(variant, field))
        });
        let writers: Vec<_> = writers.collect();
        let (impl_generics, ty_generics, _) = events.generics.split_for_impl();
        let where_clause = self.without_self(self.where_clause.to_token_stream());
        let mut wrapper = events.generics.clone();
        wrapper.params.insert(0, syn::parse_quote!('__sse));
        let (wrapper_impl, wrapper_ty, _) = wrapper.split_for_impl();
        let writers = (!writers.is_empty()).then(|| {
            quote! {
                #[automatically_derived]
                #[allow(non_snake_case)]
                impl #impl_generics __Repr #ty_generics #where_clause { #(#writers)* }
            }
        });
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
        });
    }
}

/// Whether the payload is one value of a tuple that has an `id` or a `retry` besides.
fn is_value_beside_others(variant: &Variant) -> bool {
    variant.is_one_value() && variant.fields.len() > 1
}

/// What serde does with a field of the helper.
enum Use {
    Skip,
    /// Handed to the function of the variant, which knows the attributes already.
    Argument,
    Payload,
}

fn use_of(variant: &Variant, field: &Field) -> Use {
    if !is_needed(variant) {
        Use::Skip
    } else if is_value_beside_others(variant) {
        Use::Argument
    } else if field.role == Role::Payload {
        Use::Payload
    } else {
        Use::Skip
    }
}

/// Whether we write the field ourselves, or serde's derive does.
fn has_writer(variant: &Variant, field: &Field) -> bool {
    is_needed(variant)
        && (is_value_beside_others(variant) || field.serde.with.is_none() && !is_plain(&field.ty))
}

/// Whether the type needs no check, because everybody knows that it is `Serialize`.
fn is_plain(ty: &Type) -> bool {
    const KNOWN: [&str; 5] = ["bool", "char", "f32", "f64", "String"];
    match ty {
        Type::Reference(reference) => is_plain(&reference.elem),
        Type::Path(path) => path.path.get_ident().is_some_and(|name| {
            name == "str" || is_integer(ty) || KNOWN.iter().any(|known| name == known)
        }),
        _ => false,
    }
}

fn writer(variant: &Variant, field: &Field) -> Ident {
    match &field.member {
        Member::Named(name) => format_ident!("__write_{}_{}", variant.ident.unraw(), name.unraw()),
        Member::Unnamed(index) => {
            format_ident!("__write_{}_{}", variant.ident.unraw(), index.index)
        }
    }
}
