//! One snapshot per shape of function.

use proc_macro2::TokenStream;
use quote::quote;

use super::attribute;
use crate::snapshot;

#[track_caller]
fn check(name: &str, options: TokenStream, function: TokenStream) {
    let expansion = attribute(options, function);
    snapshot::check(&format!("handler/snapshots/{name}.txt"), expansion);
}

#[test]
fn a_function_that_returns_a_stream() {
    check(
        "stream",
        quote!(),
        quote! {
            /// Documentation.
            #[instrument]
            #[axum::debug_handler]
            pub(crate) async fn ticks<T: Source, const N: usize>(
                State(source): State<T>,
                mut body: Bytes,
            ) -> Result<impl Stream<Item = Tick>, AppError>
            where
                T: Clone,
            {
                source.ticks(N, body)
            }
        },
    );
}

#[test]
fn every_option() {
    check(
        "options",
        quote! {
            keep_alive = "15s",
            retry = "2s..8s",
            ids = Ids::sequence(),
            finish = Tick::Done,
            on_error = |error| Tick::Failed,
            drain = "30s",
            crate = ::renamed,
        },
        quote! {
            async fn ticks() -> impl Stream<Item = Result<Tick, AppError>> {
                source()
            }
        },
    );
}

#[test]
fn options_that_are_expressions() {
    check(
        "expressions",
        quote!(
            keep_alive = beat(),
            retry = Retry::fixed(LATER),
            drain = Drain::EndNow
        ),
        quote! {
            async fn ticks() -> Sse<Tick> {
                source()
            }
        },
    );
}

#[test]
fn a_function_that_emits() {
    check(
        "emitter",
        quote!(keep_alive = false, retry = "3s"),
        quote! {
            async fn steps(Path(id): Path<u32>, mut tx: sse_tower::Emitter<Step>, body: Bytes) {
                work(tx, id).await;
            }
        },
    );
}

#[test]
fn a_function_that_emits_and_fails() {
    check(
        "emitter_on_error",
        quote!(on_error = Step::failed),
        quote! {
            async fn steps(tx: Emitter<Step>) -> Result<(), JobError> {
                work(tx).await
            }
        },
    );
}

#[test]
fn a_function_with_mistakes() {
    check(
        "stub",
        quote!(frobnicate, keep_alive = "1s"),
        quote! {
            fn ticks(&self, uri: Uri) {}
        },
    );
}

#[test]
fn no_function() {
    check(
        "no_function",
        quote!(),
        quote! {
            enum Tick {
                #[sse(terminal)]
                Done,
            }
        },
    );
}
