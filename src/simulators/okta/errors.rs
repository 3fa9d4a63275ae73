//! Okta's error bodies (okta.md section 8).

use serde_json::Value;
use serde_json::json;

use super::super::exchange::Answer;

pub(super) fn error(status: u16, code: &str, summary: &str) -> Answer {
    caused(status, code, summary, &[])
}

pub(super) fn caused(status: u16, code: &str, summary: &str, causes: &[&str]) -> Answer {
    let causes: Vec<Value> = causes.iter().map(|cause| json!({ "errorSummary": cause })).collect();
    Answer::json(
        status,
        json!({
            "errorCode": code,
            "errorSummary": summary,
            "errorLink": code,
            "errorId": "oaeSimulated0000000000001",
            "errorCauses": causes,
        }),
    )
}

/// `kind` is `User`, `UserGroup`, `AppUser`, `AppInstance`, …
pub(super) fn not_found(id: &str, kind: &str) -> Answer {
    error(404, "E0000007", &format!("Not found: Resource not found: {id} ({kind})"))
}

pub(super) fn invalid(what: &str) -> Answer {
    let causes = [format!("{what}: invalid or not supported")];
    let causes: Vec<&str> = causes.iter().map(String::as_str).collect();
    caused(400, "E0000001", &format!("Api validation failed: {what}"), &causes)
}

/// The body that goes with a status, where only the status is known (a fault). A gateway in front of the service
/// answers 502 and 504, and does so in HTML.
pub(super) fn of_status(status: u16) -> Answer {
    let (code, summary) = match status {
        400 => ("E0000001", "Api validation failed"),
        401 => ("E0000011", "Invalid token provided"),
        403 => ("E0000006", "You do not have permission to perform the requested action"),
        404 => ("E0000007", "Not found: Resource not found"),
        429 => ("E0000047", "API call exceeded rate limit due to too many requests."),
        503 => ("E0000010", "Service is in read only mode"),
        502 | 504 => return Answer::html(status),
        _ => ("E0000009", "Internal Server Error"),
    };
    error(status, code, summary)
}
