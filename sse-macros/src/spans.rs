//! Where errors in generated code point.

use proc_macro2::{Group, Span, TokenStream, TokenTree};

/// The same tokens, but errors in them point at `at`.
///
/// For absolute paths: names of local variables would lose their hygiene.
pub(crate) fn located(tokens: TokenStream, at: Span) -> TokenStream {
    let moved = tokens.into_iter().map(|mut tree| {
        if let TokenTree::Group(group) = &tree {
            tree = Group::new(group.delimiter(), located(group.stream(), at)).into();
        }
        tree.set_span(at);
        tree
    });
    moved.collect()
}
