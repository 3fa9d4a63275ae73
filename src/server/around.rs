//! What happens around every request: an id, the length of its URL, a crash of ours, and one line in the log.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;

use super::Shared;
use super::answer::Answer;
use crate::scim::Error;

/// On every answer, and in the log; clients may quote it.
pub const REQUEST_ID: &str = "x-request-id";

/// What the log says of a SCIM request beside its method and status: no ids and no values (P11).
#[derive(Clone, Debug, Default)]
pub struct Noted {
    /// Whose request it was; empty where nobody's.
    pub tenant: String,
    pub token: String,
    /// What it was about: users, groups, discovery.
    pub what: &'static str,
    /// The filter without its values (SCIM reference, S7).
    pub filter: Option<String>,
}

pub async fn around(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let (id, method) = (shared.request_id(), request.method().clone());
    let mut response = match too_long(&shared, &request) {
        Some(answer) => answer.into(),
        None => AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| crashed(&id)),
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID), value);
    }
    note(&id, &method, &response, began);
    response
}

fn too_long(shared: &Shared, request: &Request) -> Option<Answer> {
    let most = shared.limits().url_bytes;
    let length = request.uri().path_and_query().map_or(0, |url| url.as_str().len());
    let detail =
        || format!("the URL is longer than {most} bytes (setting scim.url_bytes); use POST and /.search");
    (length > most).then(|| Error::new(414, detail()).into())
}

/// The panic itself is on stderr, by the hook.
fn crashed(id: &str) -> Response {
    tracing::error!(request = id, "a request crashed");
    Answer::from(Error::new(500, "the service failed; its log says more of this request")).into()
}

fn note(id: &str, method: &Method, response: &Response, began: Instant) {
    let status = response.status().as_u16();
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    match response.extensions().get::<Noted>() {
        Some(noted) => {
            let Noted { tenant, token, what, filter } = noted;
            let filter = filter.as_deref();
            tracing::info!(request = id, tenant, token, %method, what, filter, status, ms, "SCIM request");
        }
        // Probes come every few seconds.
        None => tracing::debug!(request = id, %method, status, ms, "request"),
    }
}
