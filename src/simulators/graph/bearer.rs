//! Access tokens: made by the token endpoint and the agents, checked by every call (graph.md sections 2.5 and 8).

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::exchange::Request;
use super::super::jws;
use super::super::jws::Jws;
use super::CLIENT_ID;
use super::CLIENT_OBJECT_ID;
use super::TENANT;
use super::View;
use super::errors::error;
use super::knobs::GraphKnobs;

/// A token may be looked at this long before it begins.
const TOLERANCE_SECONDS: i64 = 300;

/// A token for one resource. Without a permission it has no `roles`; before the service principal is known it has no
/// `oid` (section 2.5).
pub(super) fn mint(view: &View, root: &str) -> String {
    let now = view.now.as_second();
    let mut claims = json!({
        "aud": root,
        "iss": format!("https://sts.windows.net/{TENANT}/"),
        "iat": now,
        "nbf": now,
        "exp": now + view.knobs.token_seconds,
        "appid": CLIENT_ID,
        "tid": TENANT,
        "idtyp": "app",
    });
    if !view.knobs.permissions.is_empty() {
        claims["roles"] = json!(view.knobs.permissions);
    }
    if view.knobs.identity_unknown.is_none() {
        claims["oid"] = json!(CLIENT_OBJECT_ID);
    }
    jws::mint(&json!({ "typ": "JWT", "alg": "HS256", "kid": "simulated" }), &claims)
}

/// What the bearer was granted, or the refusal.
pub(super) fn granted(
    knobs: &GraphKnobs,
    now: Timestamp,
    request: &Request,
) -> Result<BTreeSet<String>, Answer> {
    let refused = |message: &str| error(401, "InvalidAuthenticationToken", message);
    let text = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let text = text.filter(|text| !text.is_empty()).ok_or_else(|| refused("Access token is empty."))?;
    let token = jws::minted(text)
        .filter(|token| token.text("appid") == Some(CLIENT_ID))
        .ok_or_else(|| refused("CompactToken parsing failed with error code: 80049217"))?;
    let begins = token.seconds("nbf").unwrap_or(i64::MAX);
    let ends = token.seconds("exp").unwrap_or(0);
    if ends < now.as_second() {
        return Err(refused("Lifetime validation failed, the token is expired."));
    }
    if begins.saturating_sub(TOLERANCE_SECONDS) > now.as_second() {
        return Err(refused("Access token has expired or is not yet valid."));
    }
    if let Some(status) = knobs.identity_unknown {
        let message = "The identity of the calling application could not be established.";
        return Err(error(status, "Authorization_IdentityNotFound", message));
    }
    if knobs.identity_disabled {
        return Err(error(403, "Authorization_IdentityDisabled", "The calling application is disabled."));
    }
    Ok(if knobs.permissions_of_token { roles(&token) } else { knobs.permissions.clone() })
}

fn roles(token: &Jws) -> BTreeSet<String> {
    let roles = token.claims.get("roles").and_then(Value::as_array);
    roles.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// 401 of continuous access evaluation (section 2.7).
pub(super) fn claims_challenge() -> Answer {
    error(401, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge.").with(
        "WWW-Authenticate",
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
         error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"",
    )
}

/// As `Date` and `Retry-After` write it; a year that cannot be written is left empty.
pub(super) fn http_date(at: Timestamp) -> String {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}
