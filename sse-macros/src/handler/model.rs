//! The function as the attribute sees it: a signature, and a body that stays tokens.

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Signature, Token, Visibility};

/// A function with its attributes.
pub(crate) struct Handler {
    /// For the handler, as the outside sees it.
    pub(crate) outer: Vec<Attribute>,
    /// For the function of the user.
    pub(crate) inner: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl Handler {
    /// Reads the function; an error if there is none.
    pub(crate) fn parse(item: TokenStream) -> syn::Result<Self> {
        Self::parse_item.parse2(item)
    }

    fn parse_item(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !starts_a_function(input) {
            return Err(input.error(
                "`#[sse_handler]` goes on an `async fn`; events are declared with `#[derive(SseEvent)]` and `#[sse(…)]`",
            ));
        }
        let sig = Signature::parse(input)?;
        let body = match input.parse()? {
            TokenTree::Group(body) => body,
            other => {
                return Err(syn::Error::new(
                    other.span(),
                    "expected the body of the function",
                ));
            }
        };
        let (inner, outer) = attrs.into_iter().partition(belongs_inside);
        Ok(Self {
            outer,
            inner,
            vis,
            sig,
            body,
        })
    }
}

fn starts_a_function(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    while fork.peek(Token![const])
        || fork.peek(Token![async])
        || fork.peek(Token![unsafe])
        || fork.peek(Token![extern])
    {
        if fork.parse::<TokenTree>().is_err() {
            return false;
        }
        let _ = fork.parse::<Option<syn::LitStr>>();
    }
    fork.peek(Token![fn])
}

/// `#[instrument]` names the arguments and the error of the user's function.
///
/// Everything else describes the handler: `#[debug_handler]` must see the function that axum
/// gets, `#[utoipa::path]` makes items beside it, and lint levels reach what is inside.
fn belongs_inside(attr: &Attribute) -> bool {
    attr.path()
        .segments
        .last()
        .is_some_and(|last| last.ident == "instrument")
}
