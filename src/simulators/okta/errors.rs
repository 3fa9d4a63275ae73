//! Okta's error bodies (okta.md section 8), and those of its token endpoint and its log.

use serde_json::Value;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::exchange::Content;

/// Code, status and summary, as the table of okta.md section 8 has them.
pub(super) const CODES: &[(&str, u16, &str)] = &[
    ("E0000001", 400, "Api validation failed: {0}"),
    ("E0000002", 400, "The request was not valid: {0}"),
    ("E0000003", 400, "The request body was not well-formed."),
    ("E0000004", 401, "Authentication failed"),
    ("E0000005", 403, "Invalid session"),
    ("E0000006", 403, "You do not have permission to perform the requested action"),
    ("E0000007", 404, "Not found: {0}"),
    ("E0000008", 404, "The requested path was not found"),
    ("E0000009", 500, "Internal Server Error"),
    ("E0000010", 503, "Service is in read only mode"),
    ("E0000011", 401, "Invalid token provided"),
    ("E0000015", 401, "You do not have permission to access the feature you are requesting"),
    ("E0000016", 403, "Activation failed because the user is already active"),
    ("E0000019", 400, BAD_HEADERS),
    ("E0000020", 400, "Bad request."),
    ("E0000021", 400, BAD_HEADERS),
    ("E0000022", 405, "The endpoint does not support the provided HTTP method"),
    ("E0000023", 403, "Operation failed because user profile is mastered under another system"),
    ("E0000027", 400, "Group push bad request : {0}"),
    ("E0000029", 400, "Invalid paging request."),
    (
        "E0000030",
        400,
        "Bad request. Invalid date. Dates must be of the form yyyy-MM-dd'T'HH:mm:ss.SSSZZ, e.g. 2013-01-01T12:00:00.000-07:00.",
    ),
    ("E0000031", 400, "Invalid search criteria."),
    ("E0000033", 400, "Can't specify a search query and filter in the same request."),
    ("E0000038", 403, "This operation is not allowed in the user's current status."),
    ("E0000046", 403, "Deactivate application for user forbidden."),
    ("E0000047", 429, "API call exceeded rate limit due to too many requests."),
    ("E0000048", 404, "Entity not found exception."),
    ("E0000053", 400, "Invalid SCIM filter."),
    ("E0000060", 501, "Unsupported operation."),
    ("E0000061", 403, "Tab error: {0}"),
    ("E0000062", 409, "The specified user is already assigned to the application."),
    ("E0000065", 500, "Internal error processing app metadata."),
    ("E0000094", 400, "The provided filter is unsupported."),
    ("E0000100", 503, "Unable to perform search query."),
    (
        "E0000112",
        409,
        "Cannot update this user because they are still being activated. Please try again in a few minutes.",
    ),
    ("E0000117", 403, "Cannot assign apps or update app profiles for an inactive user."),
    ("E0000122", 406, "The request is not acceptable: the Accept header admits nothing that is offered."),
    (
        "E0000145",
        409,
        "Some users returned by the search cannot be parsed because the user profile schema has been changed.",
    ),
    ("E0000149", 406, "Not acceptable."),
    ("E0000155", 423, "User is not currently active."),
    ("E0000156", 410, "Invalid user id; the user either does not exist or has been deleted."),
    ("E0000195", 409, "Api validation failed due to conflict: {0}"),
    ("E0000231", 412, "ETag value doesn't match."),
    ("E0000239", 423, "Policy priorities are being reconciled. Please try again later."),
    ("E0000249", 409, "Group rules are still being set up. Please try again later."),
    ("E0000253", 409, "User type is still being set up. Please try again later."),
    ("E0000256", 414, "The request header is too large to be processed."),
];

const BAD_HEADERS: &str =
    "Bad request. Accept and/or Content-Type headers likely do not match supported values.";

/// The error of that code; `{0}` in its summary becomes `detail`. A code that nobody knows is an internal error.
pub(super) fn by_code(code: &str, detail: &str) -> Answer {
    let known = CODES.iter().find(|(known, ..)| *known == code);
    let (status, summary) =
        known.map_or((500, "Internal Server Error"), |(_, status, summary)| (*status, *summary));
    error(status, code, &summary.replace("{0}", detail))
}

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
    by_code("E0000007", &format!("Resource not found: {id} ({kind})"))
}

pub(super) fn forbidden() -> Answer {
    by_code("E0000006", "")
}

/// A parameter that the call does not have, or not with that value.
pub(super) fn invalid(what: &str) -> Answer {
    let cause = format!("{what}: invalid or not supported");
    caused(400, "E0000001", &format!("Api validation failed: {what}"), &[&cause])
}

/// As recorded for an `expand` that is none (okta/021 of the corpus).
pub(super) fn bad_expand() -> Answer {
    caused(400, "E0000001", "Api validation failed: RequestParams", &["Expand query is malformed."])
}

/// A cursor that was not issued here, or not for this list; a search says it otherwise (okta.md section 1.1).
pub(super) fn bad_cursor(in_search: bool) -> Answer {
    match in_search {
        true => caused(400, "E0000031", "Invalid search criteria.", &["Invalid cursor."]),
        false => caused(400, "E0000029", "Invalid paging request.", &["Invalid cursor."]),
    }
}

/// Errors of the System Log come in a smaller envelope (okta.md section 4).
pub(super) fn of_log(status: u16, code: &str, summary: &str) -> Answer {
    let body = json!({
        "errorCode": code,
        "errorSummary": summary,
        "errorId": "5a1d0000-0000-4000-8000-000000000001",
    });
    Answer::json(status, body)
}

/// Errors of the token endpoint (okta.md section 2.2).
pub(super) fn oauth(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, json!({ "error": error, "error_description": description }))
}

/// Too many at once: the limit is 0, the reset only a hint (okta.md section 7).
pub(super) fn concurrency(now_seconds: i64) -> Answer {
    by_code("E0000047", "")
        .with("x-rate-limit-limit", "0")
        .with("x-rate-limit-remaining", "0")
        .with("x-rate-limit-reset", (now_seconds + 1).to_string())
}

pub(super) fn empty(status: u16) -> Answer {
    Answer::new(status, Content::Empty)
}

/// The body that goes with a status, where only the status is known (a fault). A gateway in front of the service
/// answers 502 and 504, and does so in HTML.
pub(super) fn of_status(status: u16) -> Answer {
    let code = match status {
        400 => "E0000001",
        401 => "E0000011",
        403 => "E0000006",
        404 => "E0000007",
        405 => "E0000022",
        406 => "E0000122",
        409 => "E0000195",
        410 => "E0000156",
        412 => "E0000231",
        414 => "E0000256",
        423 => "E0000239",
        429 => "E0000047",
        501 => "E0000060",
        503 => "E0000010",
        502 | 504 => return Answer::html(status),
        _ => return error(status, "E0000009", "Internal Server Error"),
    };
    by_code(code, "simulated")
}
