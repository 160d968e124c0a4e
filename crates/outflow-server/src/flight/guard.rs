//! Who calls is seen before anything of a call is read but what stands in front of it.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::metadata::MetadataMap;
use tonic::server::NamedService;

use super::incoming::Entrance;
use super::{Caller, Shared};

/// A service that only those reach who are known. They are in the extensions of a request, as [`Caller`].
#[derive(Clone)]
pub(super) struct Guard<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Guard<S> {
    pub(super) fn new(inner: S, shared: &Arc<Shared>) -> Self {
        Self {
            inner,
            shared: Arc::clone(shared),
        }
    }
}

impl<S: NamedService> NamedService for Guard<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Guard<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        // The one that is ready is this, not its copy.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        let metadata = MetadataMap::from_headers(request.headers().clone());
        let entrance = request.extensions().get::<Arc<Entrance>>().cloned();
        let admitted = admit(Arc::clone(&self.shared), metadata, entrance);
        Box::pin(async move {
            match admitted.await {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    inner.call(request).await
                }
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

/// Sees who calls, and whether there is room for its connection.
async fn admit(
    shared: Arc<Shared>,
    metadata: MetadataMap,
    entrance: Option<Arc<Entrance>>,
) -> Result<Caller, Status> {
    let caller = shared.who(&metadata).await?;
    let entrance = entrance.ok_or_else(|| Status::internal("a call came by no connection"))?;
    entrance.pass(&shared.connections)?;
    Ok(caller)
}
