//! `#[sse_handler]`.

mod attr;
mod check;
mod expand;
mod model;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::errors::Errors;
use attr::Options;
use model::Handler;

/// Expands the attribute.
pub(crate) fn attribute(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::parse(arguments, &mut errors);
    let handler = match Handler::parse(item.clone()) {
        Ok(handler) => handler,
        Err(error) => {
            errors.push(error);
            return expand::no_function(item, errors);
        }
    };
    // A bad option leaves a good function: it stays, so that its own mistakes are seen too.
    let mut wrong = Errors::default();
    check::function(&handler, &options, &mut wrong);
    match wrong.finish() {
        Ok(()) => expand::handler(&handler, &options, errors),
        Err(error) => {
            errors.push(error);
            expand::stub(&handler, &options, errors)
        }
    }
}
