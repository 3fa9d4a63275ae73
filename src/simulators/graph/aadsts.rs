//! The refusals of the token endpoint (graph.md section 2.6).

use jiff::Timestamp;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::exchange::Request;

/// Code, `error`, status and message. Statuses that are not observed are 400, as the documentation says.
const REFUSALS: &[(u32, &str, u16, &str)] = &[
    (
        7_000_215,
        "invalid_client",
        401,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
         not the client secret ID, for a secret added to app '22222222-aaaa-4bbb-8ccc-000000000002'.",
    ),
    (7_000_222, "invalid_client", 401, "The provided client secret keys for app are expired."),
    (
        7_000_218,
        "invalid_request",
        401,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    (
        700_016,
        "unauthorized_client",
        400,
        "Application with the given identifier was not found in the directory.",
    ),
    (
        700_011,
        "unauthorized_client",
        400,
        "Application with the given identifier was not found in the directory.",
    ),
    (7_000_112, "unauthorized_client", 400, "Application is disabled."),
    (70_001, "unauthorized_client", 400, "The application is disabled."),
    (90_002, "invalid_request", 400, "Tenant not found. Check to make sure you have the correct tenant ID."),
    (90_038, "invalid_request", 400, "The tenant is in another national cloud."),
    (900_382, "invalid_client", 400, "Confidential client is not supported in cross-cloud requests."),
    (900_432, "invalid_client", 400, "Confidential client is not supported in cross-cloud requests."),
    (
        9_001_023,
        "invalid_request",
        400,
        "The grant type is not supported over the /common or /consumers endpoints.",
    ),
    (700_027, "invalid_client", 401, "Client assertion failed signature validation."),
    (
        50_012,
        "invalid_client",
        401,
        "Authentication failed: the client assertion contains an invalid signature.",
    ),
    (900_384, "invalid_client", 401, "JWT token failed signature validation."),
    (700_030, "invalid_client", 401, "Invalid certificate: the subject name is not authorized."),
    (700_024, "invalid_client", 401, "Client assertion is not within its valid time range."),
    (500_133, "invalid_client", 401, "Assertion is not within its valid time range."),
    (
        700_213,
        "invalid_client",
        401,
        "No matching federated identity record found for presented assertion audience.",
    ),
    (70_021, "invalid_client", 401, "No matching federated identity record found for presented assertion."),
    (50_027, "invalid_request", 400, "JWT token is invalid or malformed."),
    (
        70_011,
        "invalid_scope",
        400,
        "The provided request must include a 'scope' input parameter that is valid.",
    ),
    (700_022, "invalid_scope", 400, "The scope is not valid because it contains more than one resource."),
    (
        700_023,
        "invalid_scope",
        400,
        "The scope is not valid because it cannot contain a resource-specific scope.",
    ),
    (28_002, "invalid_scope", 400, "The scope must not have more than one resource."),
    (500_011, "invalid_resource", 400, "The resource principal was not found in the tenant."),
    (50_001, "invalid_resource", 400, "The resource is not found or not registered in the tenant."),
    (65_001, "invalid_grant", 400, "The user or administrator has not consented to use the application."),
    (650_056, "invalid_grant", 400, "Misconfigured application: the permissions were not consented to."),
    (90_094, "invalid_grant", 400, "An administrator has to consent."),
    (53_003, "invalid_grant", 400, "Access has been blocked by Conditional Access policies."),
    (530_035, "invalid_grant", 400, "Access has been blocked by security defaults."),
    (530_032, "invalid_grant", 400, "Access has been blocked by a security policy."),
    (
        50_196,
        "invalid_grant",
        400,
        "The server terminated an operation because it found a client request loop.",
    ),
    (90_006, "temporarily_unavailable", 503, "The service is temporarily unavailable."),
    (90_012, "temporarily_unavailable", 503, "The request timed out."),
    (
        90_024,
        "temporarily_unavailable",
        429,
        "The request budget is exceeded; a transient error has occurred.",
    ),
    (90_033, "temporarily_unavailable", 503, "A transient error has occurred. Please try again."),
    (90_055, "temporarily_unavailable", 429, "Tenant is throttled: too many incoming requests."),
    (90_090, "temporarily_unavailable", 503, "The service is temporarily unavailable."),
    (50_034, "invalid_grant", 400, "The user account does not exist in the directory."),
    (70_003, "unsupported_grant_type", 400, "The app requested an unsupported grant type."),
    (900_144, "invalid_request", 400, "The request body must contain the following parameter: 'client_id'."),
];

/// The body of a code; one that the table does not have is an `invalid_grant`.
pub(super) fn refused(request: &Request, now: Timestamp, code: u32) -> Answer {
    let known = REFUSALS.iter().find(|refusal| refusal.0 == code);
    let &(_, error, status, message) = known.unwrap_or(&(code, "invalid_grant", 400, "Sign-in was refused."));
    let (trace, stamp) = ("00000000-0000-4000-8000-00000000face", time(now));
    let description = format!(
        "AADSTS{code}: {message}\r\nTrace ID: {trace}\r\nCorrelation ID: {trace}\r\nTimestamp: {stamp}"
    );
    Answer::json(
        status,
        json!({
            "error": error,
            "error_description": description,
            "error_codes": [code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": trace,
            "error_uri": format!("{}/error?code={code}", request.base),
        }),
    )
}

fn time(now: Timestamp) -> String {
    now.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}
