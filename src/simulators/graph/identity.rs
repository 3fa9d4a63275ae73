//! The agents of a machine with a managed identity: Azure's IMDS and Azure Arc's (graph.md section 2.4).

use std::path::Path;

use serde_json::json;

use super::super::exchange::Answer;
use super::Memory;
use super::Reply;
use super::View;
use super::bearer;
use super::token;

const IMDS_VERSION: &str = "2018-02-01";

pub(super) fn imds(view: &View) -> Reply {
    check_request(view, &["api-version", "resource", "client_id", "object_id", "msi_res_id"])?;
    if view.request.query("api-version") != Some(IMDS_VERSION) {
        return Err(refused(400, "bad_request_102", "Unsupported api-version."));
    }
    let named = ["client_id", "object_id", "msi_res_id"].iter().filter_map(|name| view.request.query(name));
    let known = &view.knobs.identities;
    match named.collect::<Vec<_>>()[..] {
        [] if known.len() > 1 => {
            let message =
                "Multiple user assigned identities exist, please specify the clientId / resourceId.";
            return Err(refused(400, "invalid_request", message));
        }
        [] => {}
        [one] if known.iter().any(|id| id == one) => {}
        _ => return Err(refused(400, "invalid_request", "Identity not found")),
    }
    issued(view)
}

/// The first answer names a file that only somebody on the machine can read; the second shows what it says.
pub(super) fn arc(view: &View, memory: &mut Memory) -> Reply {
    check_request(view, &["api-version", "resource"])?;
    let Some(directory) = &view.knobs.arc_directory else {
        return Err(refused(404, "not_found", "There is no agent on this machine."));
    };
    let shown = view.request.header("authorization").and_then(|value| value.strip_prefix("Basic "));
    match (shown, memory.arc_key.take()) {
        (Some(shown), Some(key)) if shown == key => issued(view),
        _ => {
            memory.arc_keys += 1;
            let key = format!("simulated-key-{:08}", memory.arc_keys);
            let path = Path::new(directory).join(format!("{:08}.key", memory.arc_keys));
            if let Err(error) = std::fs::write(&path, &key) {
                let message = format!("the key file cannot be written: {error}");
                return Err(refused(500, "internal_error", &message));
            }
            memory.arc_key = Some(key);
            let answer = refused(401, "unauthorized", "Basic authorization with the key is required.");
            Err(answer.with("WWW-Authenticate", format!("Basic realm={}", path.display())))
        }
    }
}

/// The header in its only spelling, no proxy in between, and a resource that is known.
fn check_request(view: &View, allowed: &[&str]) -> Result<(), Answer> {
    if view.request.header("metadata") != Some("true") {
        return Err(refused(400, "bad_request_102", "Required metadata header not specified"));
    }
    if view.request.headers.contains_key("x-forwarded-for") {
        return Err(refused(400, "bad_request_102", "Requests through a proxy are not answered."));
    }
    if view.request.query.iter().any(|(name, _)| !allowed.contains(&name.as_str())) {
        return Err(refused(400, "invalid_request", "Unknown query parameter."));
    }
    match view.request.query("resource") {
        Some(resource) if token::is_root(view, resource) => Ok(()),
        Some(_) => {
            Err(refused(400, "invalid_resource", "AADSTS500011: The resource principal was not found."))
        }
        None => Err(refused(400, "invalid_request", "Required query variable 'resource' is missing.")),
    }
}

/// Numbers are texts.
fn issued(view: &View) -> Reply {
    let resource = view.request.query("resource").unwrap_or_default();
    let (now, lifetime) = (view.now.as_second(), view.knobs.token_seconds);
    let body = json!({
        "access_token": bearer::mint(view, resource.trim_end_matches('/')),
        "refresh_token": "",
        "expires_in": lifetime.to_string(),
        "expires_on": (now + lifetime).to_string(),
        "not_before": now.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    });
    Ok(Answer::json(200, body))
}

pub(super) fn refused(status: u16, error: &str, message: &str) -> Answer {
    Answer::json(status, json!({ "error": error, "error_description": message }))
}
