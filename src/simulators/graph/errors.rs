//! Graph's error bodies (graph.md section 8).

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::exchange::Request;
use super::knobs::InnerError;

pub(super) fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, json!({ "error": { "code": code, "message": message, "innerError": {} } }))
}

pub(super) fn bad_request(message: &str) -> Answer {
    error(400, "Request_BadRequest", message)
}

/// 404 of an object that is unknown or in the recycle bin.
pub(super) fn not_found(id: &str) -> Answer {
    let message = format!(
        "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
    );
    error(404, "Request_ResourceNotFound", &message)
}

/// A path that leads nowhere.
pub(super) fn not_a_resource(request: &Request) -> Answer {
    let last = request.path.last().map_or("", String::as_str);
    let message = format!("Resource not found for the segment '{last}'.");
    error(400, "BadRequest", &message)
}

/// 400 of a token that is too old, 410 of a service that starts over (graph.md section 6.5).
pub(super) fn expired_delta(request: &Request, status: u16, code: &str) -> Answer {
    let message = "The sync state generation is not found. \
                   The delta token is expired and data must be synchronized again.";
    let answer = error(status, code, message);
    let path = request.target.split('?').next().unwrap_or_default();
    match status {
        410 => answer.with("Location", format!("{}{path}?$deltatoken=", request.base)),
        _ => answer,
    }
}

/// A listing or a round was left alone for too long (sections 4 and 6.5).
pub(super) fn expired_page() -> Answer {
    let message = "The specified page token value has expired and can no longer be included in your request.";
    error(400, "Directory_ExpiredPageToken", message)
}

/// The body of section 7.
pub(super) fn too_many_requests(now: Timestamp) -> Answer {
    let inner = json!({
        "code": "429",
        "date": now.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        "message": "Please retry after",
        "status": "429",
    });
    let message = "Please retry again later.";
    Answer::json(
        429,
        json!({ "error": { "code": "TooManyRequests", "message": message, "innerError": inner } }),
    )
}

/// The body that goes with a status, where only the status is known (a fault).
pub(super) fn of_status(status: u16) -> Answer {
    let (code, message) = match status {
        400 => ("Request_BadRequest", "Invalid request."),
        401 => ("InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
        403 => ("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
        404 => ("Request_ResourceNotFound", "Resource does not exist."),
        429 => ("TooManyRequests", "Please retry again later."),
        500 => ("Service_InternalServerError", "Encountered an internal server error."),
        503 => ("ServiceUnavailable", "The service is temporarily unavailable. Please retry the request."),
        504 => ("GatewayTimeout", "The request timed out."),
        _ => ("UnknownError", ""),
    };
    error(status, code, message)
}

/// Date and ids go into `innerError`, in the form that the knob wants; a body without an error is left alone.
pub(super) fn add_ids(
    body: &mut Value,
    form: InnerError,
    now: Timestamp,
    request_id: &str,
    client_id: Option<&str>,
) {
    let Some(error) = body.get_mut("error").and_then(Value::as_object_mut) else { return };
    let Some(Value::Object(mut inner)) = error.remove("innerError") else { return };
    inner.insert("date".to_owned(), json!(now.strftime("%Y-%m-%dT%H:%M:%S").to_string()));
    inner.insert("request-id".to_owned(), json!(request_id));
    if let Some(client_id) = client_id {
        inner.insert("client-request-id".to_owned(), json!(client_id));
    }
    let code = error.get("code").cloned().unwrap_or_default();
    match form {
        InnerError::Usual => error.insert("innerError".to_owned(), Value::Object(inner)),
        InnerError::LowerCase => error.insert("innererror".to_owned(), Value::Object(inner)),
        InnerError::Absent => None,
        InnerError::Nested => {
            // The outer code says little, the innermost one is the code (section 6.5).
            error.insert("code".to_owned(), json!("invalidRequest"));
            let nested = json!({ "code": "unknown", "innerError": { "code": code } });
            if let Value::Object(nested) = nested {
                inner.extend(nested);
            }
            error.insert("innerError".to_owned(), Value::Object(inner))
        }
    };
}
