//! The model becomes code. Nothing here can fail.

mod helper;
#[cfg(test)]
mod tests;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type, TypePath};

use super::bounds;
use super::model::{EventEnum, Field, Form, Line, Payload, Role, Variant};
use crate::spans::located;
use helper::Helper;

/// The impl of `SseEvent`.
pub(crate) fn sse_event(events: &EventEnum) -> TokenStream {
    let private = events.private();
    let where_clause = bounds::inferred(events);
    let helper = Helper::new(events, &where_clause);
    let event_name = event_name(events, &private);
    let encode = encode(events, &private, &helper);
    let is_terminal = is_terminal(events, &private);
    let declares_id = declares_id(events, &private);
    let describe = describe(events, &private);
    let ident = &events.ident;
    let (impl_generics, ty_generics, _) = events.generics.split_for_impl();
    let deprecated = events.deprecated.then(|| quote!(#[allow(deprecated)]));
    quote! {
        #deprecated
        const _: () = {
            #helper

            #[automatically_derived]
            #[allow(unused_qualifications, clippy::absolute_paths)]
            impl #impl_generics #private::SseEvent for #ident #ty_generics #where_clause {
                #event_name
                #encode
                #is_terminal
                #declares_id
                #describe
            }
        };
    }
}

fn event_name(events: &EventEnum, private: &TokenStream) -> TokenStream {
    let arms = events.variants.iter().map(|variant| {
        let ident = &variant.ident;
        let wire = &variant.name.wire;
        match variant.line {
            Line::Name => quote!(Self::#ident { .. } => #private::Option::Some(#wire),),
            Line::None => quote!(Self::#ident { .. } => #private::Option::None,),
        }
    });
    quote! {
        fn event_name(&self) -> #private::Option<&#private::str> {
            match *self { #(#arms)* }
        }
    }
}

fn encode(events: &EventEnum, private: &TokenStream, helper: &Helper<'_>) -> TokenStream {
    let arms = events.variants.iter().map(|variant| {
        let ident = &variant.ident;
        let used = used_fields(variant).map(|field| {
            let member = &field.member;
            let binding = binding(field);
            quote!(#member: ref #binding,)
        });
        let line = (variant.line == Line::Name).then(|| {
            let line = format!("event: {}\n", variant.name.wire);
            quote!(#private::event_line(__w, #line);)
        });
        let id = variant.field(Role::Id).map(|field| id(field, private));
        let retry = variant
            .field(Role::Retry)
            .map(|field| retry(field, private));
        let data = data(variant, private, helper);
        quote! {
            Self::#ident { #(#used)* .. } => {
                #line
                #id
                #retry
                #data
            }
        }
    });
    // The uninhabited enum writes nothing.
    let writer = if events.variants.is_empty() {
        quote!(_)
    } else {
        quote!(__w)
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

/// The fields that the arm of `encode` itself writes; the helper finds its own.
fn used_fields(variant: &Variant) -> impl Iterator<Item = &Field> {
    let direct =
        !helper::is_needed(variant) && !matches!(variant.payload, Payload::Form(Form::Empty));
    variant
        .fields
        .iter()
        .filter(move |field| field.role != Role::Payload || direct)
}

fn binding(field: &Field) -> Ident {
    let name = match field.role {
        Role::Payload => "__data",
        Role::Id => "__id",
        Role::Retry => "__retry",
    };
    Ident::new(name, field.ty.span())
}

/// The argument of `encode`, also in code that points at a field.
fn writer() -> Ident {
    Ident::new("__w", Span::call_site())
}

/// The `id:` line, left out for `None`.
fn id(field: &Field, private: &TokenStream) -> TokenStream {
    let id = binding(field);
    let inner = option_content(&field.ty);
    let ty = inner.unwrap_or(&field.ty);
    let (private, w) = (located(private.clone(), ty.span()), writer());
    let write = if is_integer(ty) {
        quote_spanned!(ty.span()=> #private::integer_id(#w, *#id);)
    } else {
        quote_spanned!(ty.span()=> #private::id(#w, #id)?;)
    };
    match inner {
        Some(_) => quote!(if let #private::Option::Some(#id) = #id { #write }),
        None => write,
    }
}

fn retry(field: &Field, private: &TokenStream) -> TokenStream {
    let retry = binding(field);
    let (private, w) = (located(private.clone(), field.ty.span()), writer());
    quote_spanned!(field.ty.span()=> #private::retry(#w, *#retry);)
}

/// The `data:` lines and the result of it all.
fn data(variant: &Variant, private: &TokenStream, helper: &Helper<'_>) -> TokenStream {
    let ok = quote!(#private::Result::Ok(()));
    match (&variant.payload, variant.payload_fields().next()) {
        (Payload::Literal(text), _) => quote!(__w.data(#text); #ok),
        (Payload::Form(Form::Empty), _) => quote!(__w.data(""); #ok),
        (Payload::Form(Form::Text), Some(field)) => {
            let data = binding(field);
            let (private, w) = (located(private.clone(), field.ty.span()), writer());
            quote_spanned!(field.ty.span()=> #private::text(#w, #data))
        }
        (Payload::Form(Form::Json), Some(_)) if helper::is_needed(variant) => helper.write(),
        (Payload::Form(Form::Json), Some(field)) => {
            let data = binding(field);
            let (private, w) = (located(private.clone(), field.ty.span()), writer());
            quote_spanned!(field.ty.span()=> #private::json(#w, #data))
        }
        // An object, because a field added later is then a compatible change.
        (Payload::Form(Form::Json | Form::Text), None) => quote!(__w.data("{}"); #ok),
    }
}

fn is_terminal(events: &EventEnum, private: &TokenStream) -> Option<TokenStream> {
    let (last, others): (Vec<_>, Vec<_>) =
        events.variants.iter().partition(|variant| variant.terminal);
    if last.is_empty() {
        return None;
    }
    let last = last.iter().map(|variant| &variant.ident);
    let others = (!others.is_empty()).then(|| quote!(_ => false,));
    Some(quote! {
        fn is_terminal(&self) -> #private::bool {
            match *self {
                #(Self::#last { .. })|* => true,
                #others
            }
        }
    })
}

fn declares_id(events: &EventEnum, private: &TokenStream) -> Option<TokenStream> {
    let mut variants = events.variants.iter();
    let any = variants.any(|variant| variant.field(Role::Id).is_some());
    any.then(|| quote!(fn declares_id(&self) -> #private::bool { true }))
}

fn describe(events: &EventEnum, private: &TokenStream) -> TokenStream {
    let metas = events.variants.iter().map(|variant| {
        let tag = &variant.name.wire;
        let name = match variant.line {
            Line::Name => quote!(#private::Option::Some(#tag)),
            Line::None => quote!(#private::Option::None),
        };
        let format = match &variant.payload {
            Payload::Form(Form::Json) => quote!(Json),
            Payload::Form(Form::Text) => quote!(Text),
            Payload::Form(Form::Empty) => quote!(Empty),
            Payload::Literal(text) => quote!(Literal(#text)),
        };
        let terminal = variant.terminal;
        let has_id = variant.field(Role::Id).is_some();
        let doc = &variant.doc;
        quote! {
            #private::EventMeta {
                name: #name,
                tag: #tag,
                format: #private::DataFormat::#format,
                terminal: #terminal,
                has_id: #has_id,
                doc: #doc,
            }
        }
    });
    quote! {
        fn describe(__out: &mut #private::Vec<#private::EventMeta>) {
            __out.extend_from_slice(&[#(#metas),*]);
        }
    }
}

/// The `T` of an `Option<T>`, which serde and clap recognise by its name as well.
fn option_content(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == "Option")?;
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(ty)) => Some(ty),
            _ => None,
        },
        _ => None,
    }
}

fn is_integer(ty: &Type) -> bool {
    const INTEGERS: [&str; 12] = [
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
    ];
    last_segment(ty).is_some_and(|segment| INTEGERS.iter().any(|name| segment.ident == name))
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(TypePath {
            qself: None, path, ..
        }) => path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        _ => None,
    }
}
