//! What sends a request: a reqwest client, or any tower service.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum_core::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use sse_core::BoxError;
use tower_service::Service;

/// The HTTP client behind an [`EventSource`](super::EventSource); cloning is cheap.
///
/// Make one and share it: its connections are pooled.
///
/// # Examples
///
/// ```
/// use sse_tower::client::{Http, reqwest};
///
/// # let _ = rustls::crypto::ring::default_provider().install_default();
/// let http = Http::new(reqwest::Client::builder().user_agent("builds/1.0"))?;
/// # Ok::<(), reqwest::Error>(())
/// ```
#[derive(Clone)]
pub struct Http {
    transport: Arc<dyn Transport>,
    across_origins: bool,
}

impl Http {
    /// Builds a client that leaves redirects to [`EventSource`](super::EventSource), which follows
    /// those within an origin. [`across_origins`](Self::across_origins) tells why, and allows more.
    ///
    /// Set no [`timeout`](reqwest::ClientBuilder::timeout): it counts until the end of a
    /// stream. A [watchdog](super::EventSourceBuilder::watchdog) is what you want.
    ///
    /// # Errors
    ///
    /// Returns the error of [`reqwest::ClientBuilder::build`].
    ///
    /// # Panics
    ///
    /// reqwest panics if its feature `rustls-no-provider` is on and no provider is installed.
    pub fn new(builder: reqwest::ClientBuilder) -> Result<Self, reqwest::Error> {
        let client = builder
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self::of(client))
    }

    /// Sends through a tower service, such as a client of `hyper-util`, one with middleware
    /// around it, or in tests the router of a server.
    ///
    /// It gets absolute URIs, with the user if the address names one: to make a header of that is
    /// up to the service. It must not follow redirects by itself. That there was no connection, so
    /// that a POST may be sent again, shows in its error: by an [`std::io::Error`] of the kind
    /// [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused) among the causes. Any other
    /// error of it may mean that the server has acted on the request.
    pub fn from_service<S, B>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self::of(Tower(Mutex::new(service)))
    }

    /// Follows redirects to other origins, too, from `http` to `https` for one. Default: they are
    /// an error.
    ///
    /// Headers and ids that an [`EventSource`](super::EventSource) was given stay with their
    /// origin in any case. What the client itself adds does not, and cannot be taken back: such as
    /// [`default_headers`](reqwest::ClientBuilder::default_headers), which reqwest puts on every
    /// request. The body of a POST goes along where the redirect says so (307 and 308), also from
    /// `https` to `http`. So call this only if nothing of that is a secret. Secrets are safe in a
    /// [header](super::EventSourceBuilder::header) of the event source.
    #[must_use]
    pub fn across_origins(mut self) -> Self {
        self.across_origins = true;
        self
    }

    pub(super) fn goes_across_origins(&self) -> bool {
        self.across_origins
    }

    pub(super) fn send(&self, request: Request<Bytes>) -> Sending {
        self.transport.send(request)
    }

    fn of(transport: impl Transport + 'static) -> Self {
        Self {
            transport: Arc::new(transport),
            across_origins: false,
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

type Sending = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

trait Transport: Send + Sync {
    fn send(&self, request: Request<Bytes>) -> Sending;
}

impl Transport for reqwest::Client {
    fn send(&self, request: Request<Bytes>) -> Sending {
        let (parts, body) = request.into_parts();
        // Built by the client, which turns a user name in the URL into a header.
        let request = self
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(body)
            .send();
        Box::pin(async {
            // An address may hold a secret, and errors end up in logs.
            let response = request.await.map_err(reqwest::Error::without_url)?;
            Ok(Response::<reqwest::Body>::from(response).map(Body::new))
        })
    }
}

/// The service is locked only to be cloned, and need not be `Sync`.
struct Tower<S>(Mutex<S>);

impl<S, B> Transport for Tower<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>> + Clone + Send,
    S: 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    fn send(&self, request: Request<Bytes>) -> Sending {
        let service = self.0.lock();
        let mut service = service.unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx))
                .await
                .map_err(Into::into)?;
            let response = service.call(request.map(Body::from)).await;
            Ok(response.map_err(Into::into)?.map(Body::new))
        })
    }
}
