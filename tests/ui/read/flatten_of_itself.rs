use std::sync::Arc;

use sse_tower::{FromSseEvent, SseEvent};

#[derive(SseEvent, FromSseEvent)]
enum Events {
    A,
    #[sse(flatten)]
    Own(Box<Events>),
    #[sse(flatten)]
    Itself(Arc<Box<Self>>),
    #[sse(flatten)]
    Here(Box<self::Events>),
    #[sse(other)]
    Other(Box<Self>),
}

mod inner {
    #[derive(sse_tower::SseEvent, sse_tower::FromSseEvent)]
    pub enum Fine {
        A,
    }
}

// Another one of that name.
#[derive(SseEvent, FromSseEvent)]
enum Fine {
    B,
    #[sse(flatten)]
    Inner(Box<inner::Fine>),
}

fn is_both<E: SseEvent + FromSseEvent>() {}

fn main() {
    is_both::<Events>();
    is_both::<Fine>();
}
