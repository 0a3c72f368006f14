//! The function as the attribute sees it: a signature, and a body that stays tokens.

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, FnArg, Signature, Token, Type, Visibility};

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

    /// The types of the `Emitter` arguments, of which there should be one at most.
    pub(crate) fn emitters(&self) -> impl Iterator<Item = &Type> {
        let types = self.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(argument) => Some(&*argument.ty),
            FnArg::Receiver(_) => None,
        });
        types.filter(|ty| is_emitter(ty))
    }
}

/// Whether an argument of this type is no extractor but the way out of the function.
///
/// A macro knows types by their names only.
pub(crate) fn is_emitter(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|last| last.ident == "Emitter")
        }
        // Out of a variable of `macro_rules!`.
        Type::Group(group) => is_emitter(&group.elem),
        Type::Paren(paren) => is_emitter(&paren.elem),
        _ => false,
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
