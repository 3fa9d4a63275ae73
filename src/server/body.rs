//! The body of a request: its media type and coding, within its bounds of bytes, time, depth and list elements.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header;
use futures_util::StreamExt;
use serde_json::Value;

use super::settings::Limits;
use crate::scim::Error;
use crate::scim::ScimType;

/// A client that is still sending would not see an answer, so this much of a body that is too long is read and
/// thrown away.
const LINGER_BYTES: usize = 16 * 1024 * 1024;
const LINGER: Duration = Duration::from_secs(2);

/// How many bytes a body may have, and the setting that says so.
#[derive(Clone, Copy)]
pub struct Most {
    pub bytes: usize,
    pub setting: &'static str,
}

impl Most {
    fn exceeded(self) -> Error {
        Error::new(413, format!("the body is larger than {} bytes (setting {})", self.bytes, self.setting))
    }
}

/// The body as JSON. A gzip coding was taken off on the way here; what is counted are the bytes after that.
pub async fn json(headers: &HeaderMap, body: Body, most: Most, limits: &Limits) -> Result<Value, Error> {
    check_media_type(headers)?;
    check_coding(headers)?;
    let bytes = bytes(headers, body, most, limits.body_wait).await?;
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    check_depth(text, limits.json_depth)?;
    let value = serde_json::from_slice(text).map_err(|problem| {
        let place = format!("line {} column {}", problem.line(), problem.column());
        Error::bad(ScimType::InvalidSyntax, format!("the body is not JSON: {place}"))
    })?;
    Ok(value)
}

/// Not more elements than the settings allow in all lists of `body` together.
pub fn check_lists(body: &Value, limits: &Limits) -> Result<(), Error> {
    if elements(body) > limits.list_values {
        let most = limits.list_values;
        return Err(Error::new(413, format!("more than {most} values in lists (setting scim.list_values)")));
    }
    Ok(())
}

fn elements(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len() + items.iter().map(elements).sum::<usize>(),
        Value::Object(members) => members.values().map(elements).sum(),
        _ => 0,
    }
}

/// Both names of JSON, utf-8 if a charset is named, or nothing at all (SCIM reference, N2).
fn check_media_type(headers: &HeaderMap) -> Result<(), Error> {
    let Some(sent) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let mut parts = sent.to_str().unwrap_or_default().split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let known =
        ["application/scim+json", "application/json"].iter().any(|known| essence.eq_ignore_ascii_case(known));
    let charset =
        parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("charset"));
    let utf8 = charset.is_none_or(|(_, value)| {
        ["utf-8", "utf8"].iter().any(|known| value.trim_matches('"').eq_ignore_ascii_case(known))
    });
    match known && utf8 {
        true => Ok(()),
        false => Err(Error::new(415, "the body must be application/scim+json in utf-8")),
    }
}

/// What was not taken off is a coding that nobody here knows.
fn check_coding(headers: &HeaderMap) -> Result<(), Error> {
    let known = |value: &str| value.trim().is_empty() || value.trim().eq_ignore_ascii_case("identity");
    match headers.get(header::CONTENT_ENCODING) {
        Some(value) if !value.to_str().is_ok_and(known) => {
            Err(Error::new(415, "the body may be coded with gzip, or not at all"))
        }
        _ => Ok(()),
    }
}

async fn bytes(headers: &HeaderMap, body: Body, most: Most, wait: Duration) -> Result<Vec<u8>, Error> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut stream = body.into_data_stream();
    let mut bytes: Vec<u8> = Vec::new();
    let mut fits = declared.is_none_or(|length: usize| length <= most.bytes);
    let reading = async {
        while fits && let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| Error::bad(ScimType::InvalidSyntax, "the body broke off"))?;
            fits = bytes.len() + chunk.len() <= most.bytes;
            bytes.extend_from_slice(&chunk);
        }
        Ok::<(), Error>(())
    };
    let late = format!("the body did not come within {} s (setting scim.body_wait)", wait.as_secs());
    tokio::time::timeout(wait, reading).await.unwrap_or_else(|_| Err(Error::new(408, late)))?;
    if fits {
        return Ok(bytes);
    }
    let mut rest = LINGER_BYTES;
    let lingering = async {
        while let Some(Ok(chunk)) = stream.next().await
            && chunk.len() <= rest
        {
            rest -= chunk.len();
        }
    };
    // Whether it ends or not, there is nothing more to do for such a client.
    let _ = tokio::time::timeout(LINGER, lingering).await;
    Err(most.exceeded())
}

/// Looked at before anything is built, so that a body of brackets costs nothing.
fn check_depth(text: &[u8], most: usize) -> Result<(), Error> {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            let detail = format!("the body is nested more than {most} deep (setting scim.json_depth)");
            return Err(Error::bad(ScimType::InvalidSyntax, detail));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn header(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a header"))])
    }

    #[test]
    fn json_is_taken_by_both_its_names_in_utf_8() {
        for (sent, taken) in [
            ("application/scim+json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/json;charset=\"utf8\"", true),
            ("application/scim+json; charset=latin1", false),
            ("text/json", false),
            ("", false),
        ] {
            assert_eq!(check_media_type(&header(header::CONTENT_TYPE, sent)).is_ok(), taken, "{sent}");
        }
        assert!(check_media_type(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_coding_that_is_left_is_refused() {
        assert!(check_coding(&header(header::CONTENT_ENCODING, "identity")).is_ok());
        assert!(check_coding(&header(header::CONTENT_ENCODING, "br")).is_err());
        assert!(check_coding(&header(header::CONTENT_ENCODING, "gzip, gzip")).is_err());
    }

    #[test]
    fn depth_is_counted_outside_of_texts() {
        assert!(check_depth(br#"{"a": [["[[[[\"[[[", {}]]}"#, 4).is_ok());
        let error = check_depth(&b"[".repeat(100_000), 32).expect_err("too deep");
        assert_eq!(error.detail, "the body is nested more than 32 deep (setting scim.json_depth)");
    }

    #[test]
    fn elements_of_all_lists_are_counted_together() {
        assert_eq!(elements(&json!({"a": [1, 2, [3]], "b": {"c": [{"d": [4]}]}})), 6);
    }
}
