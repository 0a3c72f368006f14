//! What a derive with mistakes expands to.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

use super::model::Side;

/// The errors, and an impl that only type-checks, so that uses of the type are no errors too.
pub(crate) fn events(
    input: &DeriveInput,
    side: Side,
    root: &Path,
    error: &syn::Error,
) -> TokenStream {
    let errors = error.to_compile_error();
    let ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let private = quote!(__private);
    let (of, body) = match side {
        Side::Write => (
            quote!(SseEvent),
            quote! {
                fn event_name(&self) -> #private::Option<&#private::str> {
                    #private::Option::None
                }
                fn encode(&self, _: &mut #private::EventWriter) -> #private::Result<(), #private::EncodeError> {
                    #private::Result::Ok(())
                }
            },
        ),
        Side::Read => (
            quote!(FromSseEvent),
            quote! {
                fn from_event(__event: &#private::RawEvent<'_>) -> #private::Result<Self, #private::DecodeError> {
                    #private::Result::Err(#private::DecodeError::unknown(__event))
                }
            },
        ),
    };
    quote! {
        #errors
        const _: () = {
            use #root::__private;

            #[automatically_derived]
            impl #impl_generics #private::#of for #ident #ty_generics #where_clause {
                #body
            }
        };
    }
}
