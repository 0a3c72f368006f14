//! The events of a response, whoever made its body.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http_body::Body;
use pin_project_lite::pin_project;
use sse_core::{Block, BoxError, Decoder, Limits};

/// Blocks of one event each.
pub(super) type Events = Pin<Box<dyn Stream<Item = Result<Block, BoxError>> + Send>>;

/// Cuts the body of somebody else into its events. Comments and hints between them, such as
/// heartbeats, are left out: they are of the connection, not of the run, and so is what a layer
/// inside marks as its own.
pub(super) fn cut<B>(body: B, limits: Limits) -> Events
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    Box::pin(Cut {
        body,
        decoder: Decoder::new().with_limits(limits),
        over: false,
    })
}

pin_project! {
    struct Cut<B> {
        #[pin]
        body: B,
        decoder: Decoder,
        over: bool,
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Stream for Cut<B> {
    type Item = Result<Block, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        while !*this.over {
            let failure = match this.decoder.next_event() {
                Ok(Some(event)) => match Block::encode(&event) {
                    Ok(block) => return Poll::Ready(Some(Ok(block))),
                    Err(error) => error.into(),
                },
                Ok(None) => match ready!(this.body.as_mut().poll_frame(cx)) {
                    Some(Ok(frame)) => {
                        // Trailers have no events.
                        if let Ok(bytes) = frame.into_data() {
                            this.decoder.push(bytes);
                        }
                        continue;
                    }
                    Some(Err(error)) => error.into(),
                    None => break,
                },
                Err(error) => error.into(),
            };
            *this.over = true;
            return Poll::Ready(Some(Err(failure)));
        }
        *this.over = true;
        Poll::Ready(None)
    }
}
