//! What an answer that is no page means (graph.md sections 6.5 and 8).

use crate::client::Answer;
use crate::client::ClientError;
use crate::sources::SourceError;

use super::wire::Failure;

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Graph no longer knows the delta link.
    Expired,
    /// Graph no longer knows the page token: the read begins again.
    PageExpired,
    /// There is no such thing (404).
    Missing {
        what: String,
    },
    Source(SourceError),
}

/// What was asked, for messages and cures.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    /// Method, host and path.
    pub(super) place: &'a str,
    /// The least permission that it needs (graph.md 2.9).
    pub(super) permission: &'static str,
    pub(super) link: Link,
}

/// Which kind of address was asked: only a token can be too old.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// Made by us.
    Own,
    /// A next link.
    Next,
    /// A stored delta link.
    Stored,
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Trouble {
        Trouble::Source(error)
    }
}

/// | status, code | on | means |
/// |---|---|---|
/// | 410; `syncStateNotFound`, `resyncRequired` | any | the watermark has expired |
/// | 400, any other | a stored link | the watermark is damaged |
/// | 400 `Directory_ExpiredPageToken`, `Request_InvalidReplicaSessionKey` | a next link | begin again |
/// | 404 `UnknownError` | a next link | begin again |
/// | 404 | our own address | missing |
/// | 401, 403 `Authorization_IdentityNotFound` | any | later: the application is new |
/// | 401, 403 | any | refused, with the permission |
/// | 400, 501 | our own address | refused: a property that is not there |
/// | 423, 429, 5xx | any | later |
pub(super) fn judge(answer: &Answer, call: Call<'_>) -> Trouble {
    let failure = Failure::read(&answer.body);
    let said = said(answer.status, &failure);
    let what = format!("{} was answered {said}", call.place);
    let reset = failure.says("syncStateNotFound") || failure.says("resyncRequired");
    let expired =
        failure.says("Directory_ExpiredPageToken") || failure.says("Request_InvalidReplicaSessionKey");
    match (answer.status, call.link) {
        (410, _) => Trouble::Expired,
        (400, _) if reset => Trouble::Expired,
        (400, Link::Stored) => Trouble::Expired,
        (400, Link::Next) if expired => Trouble::PageExpired,
        (404, Link::Next) if failure.says("UnknownError") => Trouble::PageExpired,
        (404, _) => Trouble::Missing { what },
        (401 | 403, _) if failure.says("Authorization_IdentityNotFound") => later(format!(
            "{what}: the tenant does not know the application yet; a new one takes some minutes"
        )),
        (401 | 403, _) => Trouble::Source(SourceError::Refused { what, cure: cure(&failure, call) }),
        (400 | 501, _) => {
            let cure = "check the attributes of this source; where they are right, report it".to_owned();
            Trouble::Source(SourceError::Refused { what, cure })
        }
        (423 | 429 | 500..=599, _) => later(what),
        _ => Trouble::Source(SourceError::Malformed { place: call.place.to_owned(), what: said }),
    }
}

fn later(what: String) -> Trouble {
    Trouble::Source(SourceError::Unavailable { what })
}

fn cure(failure: &Failure, call: Call<'_>) -> String {
    if failure.says("Authorization_IdentityDisabled") {
        return "the application is disabled; enable it under Enterprise applications, Properties".to_owned();
    }
    if failure.says("Authentication_RequestFromNonPremiumTenantOrB2CTenant") {
        return "an attribute of this source needs a P1 licence; remove it".to_owned();
    }
    if failure.says("InvalidAuthenticationToken") {
        return "check that authority and root belong to the same cloud".to_owned();
    }
    format!(
        "add the application permission {} under App registrations, API permissions, and grant admin consent",
        call.permission
    )
}

/// Status, code and the request's id for Microsoft's support.
fn said(status: u16, failure: &Failure) -> String {
    let mut text = status.to_string();
    if let Some(code) = failure.codes().next() {
        text.push(' ');
        text.extend(code.chars().filter(|c| c.is_ascii_graphic()).take(80));
    }
    if let Some(id) = failure.request_id() {
        text.push_str(" (request ");
        text.extend(id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40));
        text.push(')');
    }
    text
}

/// The client could not get an answer.
pub(super) fn unanswered(error: ClientError, place: &str) -> SourceError {
    match error {
        ClientError::Denied { what, cure } => SourceError::Refused { what, cure },
        ClientError::Unavailable { what } | ClientError::Unknown { what } => {
            SourceError::Unavailable { what }
        }
        ClientError::ForeignHost { what }
        | ClientError::TooLarge { what }
        | ClientError::Invalid { what } => SourceError::Malformed { place: place.to_owned(), what },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::HeaderMap;
    use serde_json::json;

    fn judged(status: u16, code: &str, link: Link) -> String {
        let body = json!({"error": {"code": code, "message": "private"}}).to_string();
        let answer = Answer { status, headers: HeaderMap::new(), body: Bytes::from(body) };
        match judge(&answer, Call { place: "GET graph/users", permission: "User.Read.All", link }) {
            Trouble::Expired => "expired".to_owned(),
            Trouble::PageExpired => "page expired".to_owned(),
            Trouble::Missing { .. } => "missing".to_owned(),
            Trouble::Source(SourceError::Refused { cure, .. }) => format!("refused: {cure}"),
            Trouble::Source(SourceError::Unavailable { .. }) => "later".to_owned(),
            Trouble::Source(error) => error.to_string(),
        }
    }

    /// Every row of the table above, and of graph.md section 8.
    #[test]
    fn every_status_and_code_has_its_meaning() {
        let permission = "refused: add the application permission User.Read.All under App registrations, API \
                          permissions, and grant admin consent";
        let attributes = "refused: check the attributes of this source; where they are right, report it";
        for (status, code, link, meaning) in [
            (400, "syncStateNotFound", Link::Stored, "expired"),
            (410, "SyncStateNotFound", Link::Next, "expired"),
            (410, "", Link::Stored, "expired"),
            (400, "resyncRequired", Link::Next, "expired"),
            (400, "Request_BadRequest", Link::Stored, "expired"),
            (400, "Directory_ExpiredPageToken", Link::Next, "page expired"),
            (400, "Request_InvalidReplicaSessionKey", Link::Next, "page expired"),
            (404, "UnknownError", Link::Next, "page expired"),
            (404, "Request_ResourceNotFound", Link::Own, "missing"),
            (400, "Request_BadRequest", Link::Own, attributes),
            (400, "Request_UnsupportedQuery", Link::Own, attributes),
            (501, "NotImplemented", Link::Own, attributes),
            (401, "Authorization_IdentityNotFound", Link::Own, "later"),
            (403, "Authorization_IdentityNotFound", Link::Own, "later"),
            (403, "Authorization_RequestDenied", Link::Own, permission),
            (403, "accessDenied", Link::Next, permission),
            (
                401,
                "InvalidAuthenticationToken",
                Link::Own,
                "refused: check that authority and root belong to the same cloud",
            ),
            (
                403,
                "Authorization_IdentityDisabled",
                Link::Own,
                "refused: the application is disabled; enable it under Enterprise applications, Properties",
            ),
            (
                403,
                "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                Link::Own,
                "refused: an attribute of this source needs a P1 licence; remove it",
            ),
            (423, "", Link::Own, "later"),
            (429, "TooManyRequests", Link::Own, "later"),
            (500, "Service_InternalServerError", Link::Own, "later"),
            (302, "", Link::Own, "GET graph/users: 302"),
            (409, "x", Link::Own, "GET graph/users: 409 x"),
        ] {
            assert_eq!(judged(status, code, link), meaning, "{status} {code}");
        }
    }

    #[test]
    fn a_message_names_the_call_and_the_request_but_not_the_text() {
        let body = json!({"error": {"code": "Authorization_RequestDenied", "message": "private",
            "innerError": {"request-id": "3ca3abb1-c654"}}});
        let answer = Answer { status: 403, headers: HeaderMap::new(), body: Bytes::from(body.to_string()) };
        let call = Call { place: "GET graph/users", permission: "User.Read.All", link: Link::Own };
        let Trouble::Source(error) = judge(&answer, call) else { panic!("refused") };
        let text = error.to_string();
        assert!(
            text.starts_with(
                "GET graph/users was answered 403 Authorization_RequestDenied (request 3ca3abb1-c654); add"
            ),
            "{text}"
        );
        assert!(!text.contains("private"));
    }
}
