//! One snapshot per shape of variant.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use crate::event::{Side, derive};
use crate::snapshot;

#[track_caller]
fn check(name: &str, input: TokenStream) {
    check_side(name, Side::Write, input);
}

#[track_caller]
fn check_side(name: &str, side: Side, input: TokenStream) {
    let input = syn::parse2(input).unwrap();
    let expansion = derive(&input, side, parse_quote!(::sse_core));
    snapshot::check(&format!("event/expand/snapshots/{name}.txt"), expansion);
}

#[test]
fn unit_variants() {
    check(
        "unit",
        quote! {
            enum Events {
                /// Documentation.
                Plain,
                #[sse(data = "empty")]
                Empty,
                #[sse(literal = "[DONE]", unnamed, terminal)]
                Done,
            }
        },
    );
}

#[test]
fn newtype_variants() {
    check(
        "newtype",
        quote! {
            enum Events {
                Json(Log),
                #[sse(data = "text")]
                Text(String),
                With(#[serde(with = "hex")] Vec<u8>),
            }
        },
    );
}

#[test]
fn tuple_variants() {
    check(
        "tuple",
        quote! {
            enum Events {
                Pair(u8, Log),
                OnlyId(#[sse(id)] Uuid),
                Value(#[sse(id)] u64, Log),
                ValueWith(#[sse(retry)] Duration, #[serde(with = "hex")] Vec<u8>),
            }
        },
    );
}

#[test]
fn struct_variants() {
    check(
        "struct",
        quote! {
            #[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
            enum Events {
                Started {
                    #[sse(id)]
                    seq: Option<u64>,
                    #[serde(rename = "type")]
                    kind: String,
                    tree: Box<Self>,
                },
            }
        },
    );
}

#[test]
fn tagged_variants() {
    check(
        "tagged",
        quote! {
            #[sse(tag = "type", rename_all_fields = "camelCase")]
            enum Events {
                Ping,
                Delta { item_id: String },
                Inner(Inner),
            }
        },
    );
}

#[test]
fn special_variants() {
    check(
        "special",
        quote! {
            enum Events {
                #[sse(flatten)]
                Inner(Inner),
                #[sse(other)]
                Other(RawEvent<'static>),
                #[sse(comment)]
                Heartbeat(String),
                #[sse(skip)]
                Never,
                #[sse(data = "lines")]
                Patch { selector: Option<String>, #[sse(json)] signals: Value },
                #[sse(replay = "latest", retry = "5s")]
                Swap { #[sse(event, key)] target: String, #[sse(data)] html: String },
            }
        },
    );
}

#[test]
fn variants_that_are_read() {
    check_side(
        "read",
        Side::Read,
        quote! {
            #[sse(tag = "type")]
            enum Events<T> {
                Ping,
                #[sse(alias = "change")]
                Delta { #[sse(id)] seq: Option<u64>, item_id: T },
                Beside(#[sse(id)] u64, #[serde(with = "hex")] Bytes),
                #[sse(unnamed, literal = "[DONE]", terminal)]
                Done,
                #[sse(flatten)]
                Inner(Inner),
                #[sse(other)]
                Other(RawEvent<'static>),
            }
        },
    );
}

#[test]
fn generics() {
    check(
        "generics",
        quote! {
            #[sse(crate = crate::renamed)]
            enum Events<'a, T: Shape, U, F, const N: usize = 2>
            where
                U: Clone,
            {
                Sides { sides: Vec<&'a T::Side>, unused: PhantomData<U>, made: PhantomData<fn() -> F> },
                #[sse(data = "text")]
                Text(U),
            }
        },
    );
}

#[test]
fn an_enum_with_mistakes() {
    check(
        "fallback",
        quote! {
            enum Events<T> {
                #[sse(frobnicate, literal = "x", rename = "")]
                Unit(T),
            }
        },
    );
}
