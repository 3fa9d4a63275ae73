//! Inbound HTTP: the SCIM service of the workspaces, health. One listener; the daemon says when to stop.
//!
//! | path | what |
//! |---|---|
//! | `/healthz` | the process answers |
//! | `/readyz` | the daemon does its work |
//! | `/scim/v2/…` | SCIM 2.0; the bearer token names workspace and dialect |

mod answer;
mod auth;
mod query;
mod route;
mod scim;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::any;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::store::Store;
use crate::targets::workspace::Clock;
use crate::targets::workspace::Ids;

/// How long requests that are under way may take to end when the daemon stops.
const GRACE: Duration = Duration::from_millis(1500);

/// Whether the daemon does its work, and what is to be said besides; else what keeps it from it.
pub type Readiness = Arc<dyn Fn() -> Result<String, String> + Send + Sync>;

/// What the server works with. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub store: Store,
    pub ids: Ids,
    pub clock: Clock,
    pub ready: Readiness,
    /// The address that clients use, without a path, such as `https://sync.acme.example`; where it is not
    /// given the `Host` header says it.
    pub public_url: Option<String>,
}

/// Serves until `stop`, then lets requests under way end.
pub async fn serve(listener: TcpListener, service: Service, stop: CancellationToken) -> std::io::Result<()> {
    let serving =
        axum::serve(listener, router(service)).with_graceful_shutdown(stop.clone().cancelled_owned());
    let too_long = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = serving.into_future() => ended,
        () = too_long => Ok(()),
    }
}

fn router(service: Service) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/scim/v2", any(scim::root))
        .route("/scim/v2/", any(scim::root))
        .route("/scim/v2/{*rest}", any(scim::endpoint))
        .with_state(service)
}

async fn ready(State(service): State<Service>) -> (StatusCode, String) {
    let unready = |reason: String| (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n"));
    if let Err(error) = service.store.answers().await {
        tracing::error!(%error, "not ready");
        return unready("the state cannot be read".to_owned());
    }
    match (service.ready)() {
        Ok(text) => (StatusCode::OK, text),
        Err(reason) => unready(reason),
    }
}
