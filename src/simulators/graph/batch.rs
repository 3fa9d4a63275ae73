//! `POST /$batch`: from one body to its requests, and from answers to the parts of one body (graph.md section 5.10).

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::exchange::Content;
use super::super::exchange::Request;
use super::errors;

/// At most this many requests in one batch.
const REQUESTS_MAX: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    requests: Vec<RawPart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawPart {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// One request of a batch.
pub(super) struct Part {
    pub(super) id: String,
    pub(super) request: Request,
    pub(super) depends_on: Vec<String>,
}

/// The requests in the order of their dependencies, each carrying the outer authorization.
pub(super) fn parts(outer: &Request) -> Result<Vec<Part>, Answer> {
    if !outer.query.is_empty() {
        return Err(malformed("A batch takes no query options."));
    }
    let batch: Batch =
        serde_json::from_slice(&outer.body).map_err(|_| malformed("Invalid batch payload format."))?;
    if batch.requests.is_empty() || batch.requests.len() > REQUESTS_MAX {
        return Err(malformed("Number of batch request steps exceeds the maximum value of 20."));
    }
    let mut parts: Vec<Part> = Vec::new();
    for raw in batch.requests {
        if parts.iter().any(|part| part.id == raw.id) {
            return Err(malformed("Duplicate request id in the batch."));
        }
        parts.push(part(outer, raw)?);
    }
    in_order(parts)
}

fn part(outer: &Request, raw: RawPart) -> Result<Part, Answer> {
    if raw.id.is_empty() {
        return Err(malformed("A batch request needs an id."));
    }
    if raw.url.contains("://") || raw.url.trim_start_matches('/').starts_with("v1.0") {
        return Err(malformed("A batch request has a relative url without the version."));
    }
    if !matches!(raw.method.to_uppercase().as_str(), "GET" | "POST" | "PATCH" | "PUT" | "DELETE") {
        return Err(malformed("A batch request has an unknown method."));
    }
    if raw.body.is_some() && !raw.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
        return Err(malformed("A batch request with a body needs a Content-Type header."));
    }
    let headers = headers(outer, &raw.headers).ok_or_else(|| malformed("Invalid header in the batch."))?;
    let body = raw.body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    let target = format!("/v1.0/{}", raw.url.trim_start_matches('/'));
    let request = Request::new(&raw.method, &outer.base, &target, headers, body);
    Ok(Part { id: raw.id, request, depends_on: raw.depends_on })
}

/// What others depend on comes first; an unknown id or a circle is refused.
fn in_order(mut open: Vec<Part>) -> Result<Vec<Part>, Answer> {
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut ordered = Vec::new();
    while !open.is_empty() {
        let ready = |part: &Part| part.depends_on.iter().all(|id| done.contains(id));
        let Some(place) = open.iter().position(ready) else {
            return Err(malformed("A dependsOn names no request of the batch, or leads back to itself."));
        };
        let part = open.remove(place);
        done.insert(part.id.clone());
        ordered.push(part);
    }
    Ok(ordered)
}

fn malformed(message: &str) -> Answer {
    errors::error(400, "BadRequest", message)
}

/// 424 of a request whose dependency failed.
pub(super) fn failed_dependency() -> Answer {
    errors::error(424, "FailedDependency", "A request that this one depends on has failed.")
}

/// A part has the headers that it was given; of the outer ones only the authorization.
fn headers(outer: &Request, own: &Map<String, Value>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(value) = outer.headers.get("authorization") {
        headers.insert("authorization", value.clone());
    }
    for (name, value) in own {
        let name = HeaderName::try_from(name.as_str()).ok()?;
        headers.insert(name, HeaderValue::from_str(value.as_str()?).ok()?);
    }
    Some(headers)
}

pub(super) fn response(id: &str, answer: Answer) -> Value {
    let headers: Map<String, Value> =
        answer.headers.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let body = match answer.content {
        Content::Json(body) => body,
        Content::Html(text) => json!(text),
        Content::Empty => Value::Null,
        Content::Text(text) => json!(text),
    };
    json!({ "id": id, "status": answer.status, "headers": headers, "body": body })
}
