//! One request and its answer, as plain values.

use bytes::Bytes;
use http::HeaderMap;
use http::Method;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::wait;

/// What is sent. The address must come from `Client::url` or `Client::follow`.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub body: Option<Value>,
    pub content_type: &'static str,
    pub repeat: Repeat,
}

/// Whether a request may be sent again when nobody knows what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Reads, and writes that end in the same state however often they arrive: also after time-outs and 5xx.
    Safe,
    /// A create: only where it has certainly not been processed.
    Once,
    /// The caller repeats it, by rules of its own: every answer is handed out, and where none came it is `Unknown`.
    /// Only a connection that could not be made is tried again here.
    Caller,
}

impl Request {
    pub fn get(url: Url) -> Self {
        Request {
            method: Method::GET,
            url,
            headers: Vec::new(),
            body: None,
            content_type: "application/json",
            repeat: Repeat::Safe,
        }
    }

    /// A request with a JSON body. A POST is taken for a create (`Repeat::Once`) until the caller says otherwise.
    pub fn json(method: Method, url: Url, body: Value) -> Self {
        let repeat = if method == Method::POST { Repeat::Once } else { Repeat::Safe };
        Request { method, body: Some(body), repeat, ..Request::get(url) }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// Method, host and path, for messages: queries can hold names and tokens.
    pub fn place(&self) -> String {
        place(&self.method, &self.url)
    }
}

/// Shows the place only (P11).
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place())
    }
}

pub(super) fn place(method: &Method, url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{method} {host}:{port}{}", url.path()),
        None => format!("{method} {host}{}", url.path()),
    }
}

/// What came back. Whether it is good news is the caller's to say.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// The first header of that name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The server's own time (`Date`).
    pub fn date(&self) -> Option<Timestamp> {
        wait::date(&self.headers)
    }
}

/// Shows status and size only (P11).
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}
