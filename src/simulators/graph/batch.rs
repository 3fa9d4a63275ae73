//! `POST /$batch`: from one body to its requests, and from answers to the parts of one body (graph.md section 5.10).

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
    requests: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Option<Value>,
}

/// The requests with their ids, each carrying the outer authorization.
pub(super) fn requests(outer: &Request) -> Result<Vec<(String, Request)>, Answer> {
    let malformed = |message: &str| errors::error(400, "BadRequest", message);
    let batch: Batch =
        serde_json::from_slice(&outer.body).map_err(|_| malformed("Invalid batch payload format."))?;
    if batch.requests.is_empty() || batch.requests.len() > REQUESTS_MAX {
        return Err(malformed("Number of batch request steps exceeds the maximum value of 20."));
    }
    let mut parts: Vec<(String, Request)> = Vec::new();
    for part in batch.requests {
        if parts.iter().any(|(id, _)| *id == part.id) {
            return Err(malformed("Duplicate request id in the batch."));
        }
        if part.url.contains("://") || part.url.trim_start_matches('/').starts_with("v1.0") {
            return Err(malformed("A batch request has a relative url without the version."));
        }
        if part.body.is_some() && !part.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
            return Err(malformed("A batch request with a body needs a Content-Type header."));
        }
        let headers =
            headers(outer, &part.headers).ok_or_else(|| malformed("Invalid header in the batch."))?;
        let body = part.body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let target = format!("/v1.0/{}", part.url.trim_start_matches('/'));
        parts.push((part.id, Request::new(&part.method, &outer.base, &target, headers, body)));
    }
    Ok(parts)
}

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
    };
    json!({ "id": id, "status": answer.status, "headers": headers, "body": body })
}
