use std::marker::PhantomData;

use sse_tower::SseEvent;

struct Plain;

#[derive(SseEvent)]
enum Events<T> {
    A(T),
}

// Nothing is asked of what is nowhere.
#[derive(SseEvent)]
enum Made<F> {
    A(PhantomData<fn() -> F>),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events<u8>>();
    is_event::<Events<Plain>>();
    is_event::<Made<Plain>>();
}
