//! A request and its answer as values: what the routes work on, apart from any HTTP library.

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a client sent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// In capitals.
    pub(super) method: String,
    /// `http://host:port`, as the client wrote the host: links lead back to it.
    pub(super) base: String,
    /// Decoded segments of the path.
    pub(super) path: Vec<String>,
    /// Decoded, in the order in which they were sent.
    pub(super) query: Vec<(String, String)>,
    /// The path and query as they were sent.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Request {
    pub(super) fn new(method: &str, base: &str, target: &str, headers: HeaderMap, body: Bytes) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Request {
            method: method.to_uppercase(),
            base: base.to_owned(),
            path: path.split('/').filter(|part| !part.is_empty()).map(percent_decode).collect(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            target: target.to_owned(),
            headers,
            body,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

/// How the answer reaches the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Delivery {
    #[default]
    Whole,
    Truncated,
    Dropped,
    /// All of it, the second half after so many milliseconds.
    Slow(u64),
    /// Half of it, and no word of the rest.
    Cut,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Json(Value),
    Html(&'static str),
    /// No body at all.
    Empty,
    Text(String),
}

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) content: Content,
    pub(super) delivery: Delivery,
    pub(super) delay_milliseconds: u64,
}

impl Answer {
    pub(super) fn new(status: u16, content: Content) -> Self {
        Answer { status, headers: Vec::new(), content, delivery: Delivery::Whole, delay_milliseconds: 0 }
    }

    pub(super) fn json(status: u16, body: Value) -> Self {
        Answer::new(status, Content::Json(body))
    }

    pub(super) fn html(status: u16) -> Self {
        Answer::new(status, Content::Html("<html><body><h1>The proxy could not help.</h1></body></html>"))
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Undoes percent-encoding; what is no valid code stays as it is. A `+` is a plus.
fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while place < bytes.len() {
        let code = (bytes[place] == b'%')
            .then(|| text.get(place + 1..place + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(code.unwrap_or(bytes[place]));
        place += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// An opaque token that carries a value: JSON in hexadecimal behind a checksum, so that a damaged or foreign one
/// is noticed. `purpose` keeps tokens of one kind from being used as another.
pub(super) fn seal<T: Serialize>(purpose: &str, value: &T) -> String {
    use std::fmt::Write as _;
    let json = serde_json::to_string(value).expect("token values have text keys only");
    let mut token = format!("{:016x}", checksum(purpose, &json));
    for byte in json.bytes() {
        write!(token, "{byte:02x}").expect("writing to a String cannot fail");
    }
    token
}

/// The value of a token that `seal` made for the same purpose.
pub(super) fn open<T: DeserializeOwned>(purpose: &str, token: &str) -> Option<T> {
    let (sum, hex) = token.split_at_checked(16)?;
    let bytes = (0..hex.len())
        .step_by(2)
        .map(|place| hex.get(place..place + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()))
        .collect::<Option<Vec<u8>>>()?;
    let json = String::from_utf8(bytes).ok()?;
    let genuine = u64::from_str_radix(sum, 16).ok()? == checksum(purpose, &json);
    genuine.then(|| serde_json::from_str(&json).ok()).flatten()
}

/// FNV-1a, 64 bits: notices damage, keeps nobody out.
fn checksum(purpose: &str, json: &str) -> u64 {
    let mixed = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    purpose.bytes().chain([0]).chain(json.bytes()).fold(0xcbf2_9ce4_8422_2325, mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_for_its_purpose_only_and_not_when_damaged() {
        let token = seal("page", &(7_u32, "x"));
        assert_eq!(open::<(u32, String)>("page", &token), Some((7, "x".to_owned())));
        assert_eq!(open::<(u32, String)>("delta", &token), None);
        assert_eq!(open::<(u32, String)>("page", &token.replace("37", "38")), None);
    }

    #[test]
    fn a_path_is_split_before_it_is_decoded() {
        let request = Request::new(
            "get",
            "http://x",
            "/v1.0/users/a%2Fb%23c+d?%24top=5",
            HeaderMap::new(),
            Bytes::new(),
        );
        assert_eq!(request.segments(), ["v1.0", "users", "a/b#c+d"]);
        assert_eq!(request.query("$top"), Some("5"));
    }
}
