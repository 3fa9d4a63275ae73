//! Answers of the SCIM service: always `application/scim+json`, errors included (RFC 7644 sections 3.1, 3.12).

use axum::body::Body;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::Response;
use serde_json::Value;

use crate::scim::Error;
use crate::scim::Meta;

/// An answer on its way: a status, headers, a body or none.
pub struct Answer {
    pub status: u16,
    headers: Vec<(HeaderName, String)>,
    body: Option<Value>,
}

impl Answer {
    pub fn new(status: u16, body: Value) -> Answer {
        Answer { status, headers: Vec::new(), body: Some(body) }
    }

    pub fn empty(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: None }
    }

    /// With the version, as in `meta.version` (RFC 7644 section 3.14).
    pub fn versioned(self, meta: &Meta) -> Answer {
        self.with(header::ETAG, meta.version_tag())
    }

    pub fn with(mut self, name: HeaderName, value: String) -> Answer {
        self.headers.push((name, value));
        self
    }
}

impl From<Error> for Answer {
    fn from(error: Error) -> Answer {
        Answer::new(error.status, error.body())
    }
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Response {
        let body = answer.body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if answer.status != 204 && answer.status != 304 {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/scim+json"));
        }
        for (name, value) in answer.headers {
            // Ids and versions are ours and plain text; a header that is not is left out.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}
