//! Inbound HTTP: the SCIM service of the workspaces, health. One listener; the daemon says when to stop.
//!
//! | path | what |
//! |---|---|
//! | `/healthz` | the process answers |
//! | `/readyz` | the daemon does its work |
//! | `/scim/v2/…` | SCIM 2.0; the bearer token names workspace and dialect |
//!
//! ```text
//! connection: how many, how long, hyper's own refusals
//! around: request id, URL, log      gzip both ways
//! scim: token, pace, route, rights  ──▶ reads, writes, bulk, discovery ──▶ store
//! ```

mod accept;
mod answer;
mod around;
mod auth;
mod body;
mod bulk;
mod connection;
mod cursor;
mod discovery;
mod pace;
mod query;
mod reads;
mod rights;
mod route;
mod scim;
mod settings;
mod writes;

pub use settings::GroupPatch;
pub use settings::IfMatch;
pub use settings::Limits;
pub use settings::Settings;
pub use settings::Tenant;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::any;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::decompression::RequestDecompressionLayer;

use crate::scim::Error;
use crate::scim::ScimType;
use crate::store::Store;
use crate::targets::workspace::Clock;
use crate::targets::workspace::Ids;
use answer::Answer;
use cursor::Cursors;
use pace::Pace;

/// Shorter answers travel in one packet anyway.
const COMPRESSED_FROM_BYTES: u16 = 1024;

/// Whether the daemon does its work, and what is to be said besides; else what keeps it from it.
pub type Readiness = Arc<dyn Fn() -> Result<String, String> + Send + Sync>;

/// What the server works with. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub store: Store,
    pub ids: Ids,
    pub clock: Clock,
    pub ready: Readiness,
    pub settings: Arc<Settings>,
}

/// The service while it runs: with its keys and counters, which end with the process.
#[derive(Clone)]
struct Shared {
    inner: Arc<Inner>,
}

struct Inner {
    service: Service,
    cursors: Cursors,
    pace: Pace,
    /// In front of request ids: those of two runs differ.
    run: u32,
    requests: AtomicU64,
}

impl std::ops::Deref for Shared {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl Inner {
    fn limits(&self) -> &Limits {
        &self.service.settings.limits
    }

    fn request_id(&self) -> String {
        format!("{:08x}-{}", self.run, self.requests.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Serves until `stop`, then lets requests under way end.
pub async fn serve(listener: TcpListener, service: Service, stop: CancellationToken) -> io::Result<()> {
    let no_random = |_| io::Error::other("the operating system gave no random bytes");
    let mut run = [0; 4];
    aws_lc_rs::rand::fill(&mut run).map_err(no_random)?;
    let cursors = Cursors::new().map_err(no_random)?;
    let limits = service.settings.limits;
    let inner = Inner {
        service,
        cursors,
        pace: Pace::default(),
        run: u32::from_be_bytes(run),
        requests: AtomicU64::new(0),
    };
    connection::serve(listener, router(Shared { inner: Arc::new(inner) }), limits, stop).await
}

fn router(shared: Shared) -> Router {
    let prefix = shared.service.settings.prefix.clone();
    let gzip = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(COMPRESSED_FROM_BYTES));
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route(&prefix, any(scim::root))
        .route(&format!("{prefix}/"), any(scim::root))
        .route(&format!("{prefix}/{{*rest}}"), any(scim::endpoint))
        .fallback(nothing)
        .method_not_allowed_fallback(not_allowed)
        // A coding that it does not know is left to the reader of the body, which refuses it with an Error message.
        .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
        .layer(gzip)
        .layer(from_fn_with_state(shared.clone(), around::around))
        .with_state(shared)
}

/// Outside of the service; perhaps another version of it was meant (RFC 7644 section 3.13).
async fn nothing(State(shared): State<Shared>, uri: Uri) -> Response {
    let prefix = &shared.service.settings.prefix;
    let other_version = prefix.rsplit_once("/v").is_some_and(|(mount, _)| {
        let rest = uri.path().strip_prefix(mount).and_then(|rest| rest.strip_prefix("/v"));
        rest.is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
    });
    let error = match other_version {
        true => Error::bad(ScimType::InvalidVers, format!("this service speaks SCIM 2.0, at {prefix}")),
        false => Error::new(404, "nothing is here"),
    };
    Answer::from(error).into()
}

async fn not_allowed() -> Response {
    let error = Error::new(405, "this method is not for this address");
    Answer::from(error).with(axum::http::header::ALLOW, "GET, HEAD".to_owned()).into()
}

async fn ready(State(shared): State<Shared>) -> (StatusCode, String) {
    let unready = |reason: String| (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n"));
    if let Err(error) = shared.service.store.answers().await {
        tracing::error!(%error, "not ready");
        return unready("the state cannot be read".to_owned());
    }
    match (shared.service.ready)() {
        Ok(text) => (StatusCode::OK, text),
        Err(reason) => unready(reason),
    }
}
