//! The token endpoint (graph.md sections 2.1 to 2.6).

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::seed::DOMAIN;
use super::CLIENT_ID;
use super::CLIENT_SECRET;
use super::Reply;
use super::TENANT;
use super::View;
use super::aadsts;
use super::assertion;
use super::assertion::JWT_BEARER;
use super::bearer;

/// Graph's host in each cloud (section 1).
const CLOUDS: &[(&str, &str)] = &[
    ("global", "https://graph.microsoft.com"),
    ("usgov-l4", "https://graph.microsoft.us"),
    ("usgov-l5", "https://dod-graph.microsoft.us"),
    ("china", "https://microsoftgraph.chinacloudapi.cn"),
];

/// What a client may send.
const FIELDS: &[&str] = &[
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "claims",
    "grant_type",
    "scope",
];

pub(super) fn issue(view: &View, tenant: &str, used: &mut BTreeSet<String>) -> Reply {
    signed_in(view, tenant, used).map_err(|code| {
        let answer = aadsts::refused(view.request, view.now, code);
        match assertion::clock(view.knobs, view.now) {
            // The clock that measured the assertion is the clock of the endpoint.
            now if view.knobs.clock_skew_seconds != 0 => answer.with("Date", bearer::http_date(now)),
            _ => answer,
        }
    })
}

/// The code of a refusal.
fn signed_in(view: &View, tenant: &str, used: &mut BTreeSet<String>) -> Result<Answer, u32> {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&view.request.body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    match tenant {
        "common" | "consumers" | "organizations" => return Err(9_001_023),
        TENANT | DOMAIN => {}
        _ => return Err(90_002),
    }
    if field("grant_type") != Some("client_credentials") {
        return Err(70_003);
    }
    if form.iter().any(|(name, _)| !FIELDS.contains(&name.as_str())) {
        return Err(900_144);
    }
    let basic = view.request.header("authorization").and_then(basic_credentials);
    let (client, secret) = match &basic {
        Some((client, secret)) => (Some(client.as_str()), Some(secret.as_str())),
        None => (field("client_id"), field("client_secret")),
    };
    match client {
        None => return Err(900_144),
        Some(CLIENT_ID) if view.knobs.client_disabled => return Err(7_000_112),
        Some(CLIENT_ID) => {}
        Some(_) => return Err(700_016),
    }
    match (secret, field("client_assertion_type"), field("client_assertion")) {
        (Some(secret), None, None) => check_secret(view, secret)?,
        (None, Some(JWT_BEARER), Some(token)) => {
            let endpoint = format!("{}/{tenant}/oauth2/v2.0/token", view.request.base);
            assertion::check(token, &endpoint, view.knobs, view.now, used)?;
        }
        _ => return Err(7_000_218),
    }
    let root = root_of(view, field("scope").unwrap_or_default())?;
    let token = bearer::mint(view, &root);
    let body = json!({
        "token_type": "Bearer",
        "expires_in": view.knobs.token_seconds,
        "ext_expires_in": view.knobs.token_seconds,
        "access_token": token,
    });
    Ok(Answer::json(200, body))
}

fn check_secret(view: &View, secret: &str) -> Result<(), u32> {
    match secret {
        CLIENT_SECRET if view.knobs.secret_expires.is_some_and(|at| at <= view.now) => Err(7_000_222),
        CLIENT_SECRET => Ok(()),
        _ => Err(7_000_215),
    }
}

/// `{root}/.default`, exactly one, and a root that is known here.
fn root_of(view: &View, scope: &str) -> Result<String, u32> {
    match scope.split_whitespace().collect::<Vec<_>>()[..] {
        [one] => {
            let root = one.strip_suffix("/.default").ok_or(70_011_u32)?;
            if is_root(view, root) { Ok(root.to_owned()) } else { Err(500_011) }
        }
        [] => Err(70_011),
        _ => Err(28_002),
    }
}

/// The Graph host of the cloud, or the simulator's own.
pub(super) fn is_root(view: &View, root: &str) -> bool {
    let root = root.trim_end_matches('/');
    let cloud = CLOUDS.iter().find(|(key, _)| *key == view.knobs.cloud).map(|(_, host)| *host);
    Some(root) == cloud || root == view.request.base
}

/// Client id and secret, form-encoded within Basic (RFC 6749 section 2.3.1).
fn basic_credentials(header: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    let (client, secret) = decoded.split_once(':')?;
    Some((form_decode(client), form_decode(secret)))
}

fn form_decode(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={text}").as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
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
