//! The token endpoint (graph.md section 2) and the check of bearer tokens.

use jiff::Timestamp;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::exchange::open;
use super::super::exchange::seal;
use super::super::seed::DOMAIN;
use super::CLIENT_ID;
use super::CLIENT_SECRET;
use super::Reply;
use super::TENANT;
use super::View;
use super::errors;

/// Seconds that an access token lives.
const LIFETIME: i64 = 3599;

pub(super) fn issue(view: &View, tenant: &str) -> Reply {
    if tenant != TENANT && tenant != DOMAIN {
        return Err(refused(view, 400, "invalid_request", 90002, "Tenant not found."));
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&view.request.body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    if field("grant_type").as_deref() != Some("client_credentials") {
        return Err(refused(view, 400, "unsupported_grant_type", 70003, "Unsupported grant type."));
    }
    let basic = view.request.header("authorization").and_then(basic_credentials);
    let (client, secret) = match basic {
        Some((client, secret)) => (Some(client), Some(secret)),
        None => (field("client_id"), field("client_secret")),
    };
    if client.as_deref() != Some(CLIENT_ID) {
        let message = "Application with the given identifier was not found in the directory.";
        return Err(refused(view, 400, "unauthorized_client", 700_016, message));
    }
    match secret.as_deref() {
        Some(CLIENT_SECRET) => {}
        Some(_) => {
            let message = "Invalid client secret provided. Ensure the secret being sent in the request is the \
                           client secret value, not the client secret ID.";
            return Err(refused(view, 401, "invalid_client", 7_000_215, message));
        }
        None => {
            let message = "The request body must contain the following parameter: 'client_assertion' or \
                           'client_secret'.";
            return Err(refused(view, 401, "invalid_client", 7_000_218, message));
        }
    }
    if !field("scope").is_some_and(|scope| scope.ends_with("/.default") && !scope.contains(' ')) {
        return Err(refused(view, 400, "invalid_scope", 70011, "The provided value for scope is not valid."));
    }
    let token = seal("access", &view.now.as_second());
    Ok(Answer::json(200, json!({ "token_type": "Bearer", "expires_in": LIFETIME, "access_token": token })))
}

/// 401 unless the request carries a token of ours that still lives.
pub(super) fn check(view: &View) -> Result<(), Answer> {
    let refused = |message: &str| Err(errors::error(401, "InvalidAuthenticationToken", message));
    let Some(token) = view.request.header("authorization").and_then(|value| value.strip_prefix("Bearer "))
    else {
        return refused("Access token is empty.");
    };
    match open::<i64>("access", token) {
        None => refused("CompactToken parsing failed with error code: 80049217"),
        Some(issued) if issued + LIFETIME < view.now.as_second() => {
            refused("Lifetime validation failed, the token is expired.")
        }
        Some(_) => Ok(()),
    }
}

fn refused(view: &View, status: u16, error: &str, code: u32, message: &str) -> Answer {
    let (trace, stamp) = ("00000000-0000-4000-8000-00000000face", aadsts_time(view.now));
    let description =
        format!("AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {trace} Timestamp: {stamp}");
    Answer::json(
        status,
        json!({
            "error": error,
            "error_description": description,
            "error_codes": [code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": trace,
            "error_uri": format!("{}/error?code={code}", view.request.base),
        }),
    )
}

fn aadsts_time(now: Timestamp) -> String {
    now.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Client id and secret, form-encoded within Basic (RFC 6749 section 2.3.1).
fn basic_credentials(header: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(base64_decode(header.strip_prefix("Basic ")?)?).ok()?;
    let (client, secret) = decoded.split_once(':')?;
    Some((form_decode(client), form_decode(secret)))
}

fn form_decode(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={text}").as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// RFC 4648 section 4, padding optional.
fn base64_decode(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut decoded = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let digit = ALPHABET.iter().position(|&known| known == byte)?;
        held = (held << 6) | digit as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            decoded.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_encoded_within() {
        // "a%20b:c%2Bd"
        assert_eq!(basic_credentials("Basic YSUyMGI6YyUyQmQ="), Some(("a b".to_owned(), "c+d".to_owned())));
        assert_eq!(basic_credentials("Basic %%%"), None);
    }
}
