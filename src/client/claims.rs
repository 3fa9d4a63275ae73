//! What a token says of itself, for diagnostics alone: who may do what is decided by the service (graph.md 2.5).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use serde_json::Value;

/// The claims of a bearer token that is a JWT; its signature is not looked at.
pub(super) fn of(header: &HeaderValue) -> Option<Value> {
    let token = header.to_str().ok()?.strip_prefix("Bearer ")?;
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let bytes = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(token: &str) -> Option<Value> {
        of(&HeaderValue::try_from(token).unwrap())
    }

    #[test]
    fn only_a_jwt_says_something_of_itself() {
        // {"alg":"none"}.{"roles":["User.Read.All"]}.x
        let jwt = "Bearer eyJhbGciOiJub25lIn0.eyJyb2xlcyI6WyJVc2VyLlJlYWQuQWxsIl19.x";
        assert_eq!(read(jwt), Some(json!({"roles": ["User.Read.All"]})));
        for other in [
            "Bearer opaque",
            "Bearer a.b",
            "Bearer a.b.c.d",
            "Bearer a.!.c",
            "SSWS x.e30.x",
            "Bearer x.W10.x",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
