//! What an answer that is no page means (graph.md sections 6.5 and 8).

use crate::client::Answer;
use crate::client::ClientError;
use crate::sources::SourceError;

use super::batch::PartAnswer;
use super::wire::Failure;

/// Graph has no code for it (graph.md 6.5).
const NO_FEED: &str = "change enumeration is not supported";

pub(super) const NOT_PREMIUM: &str = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";

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
    /// A permission is missing (403).
    Denied {
        what: String,
        cure: String,
    },
    /// A property needs a licence that the tenant does not have.
    Premium {
        what: String,
    },
    /// The tenant has no delta feeds (graph.md 6.5).
    NoFeed {
        what: String,
    },
    /// The query is not one that Graph answers. `said` is Graph's code and text, which can quote the query.
    Unsupported {
        what: String,
        said: String,
    },
    Source(SourceError),
}

impl Trouble {
    /// For who reads one thing and cannot act on the difference.
    pub(super) fn plain(self) -> Trouble {
        Trouble::Source(match self {
            Trouble::Denied { what, cure } => SourceError::Refused { what, cure },
            Trouble::Premium { what } => SourceError::Refused {
                what,
                cure: "an attribute of this source needs a P1 licence; remove it".to_owned(),
            },
            Trouble::NoFeed { what } => {
                SourceError::Refused { what, cure: "the tenant has no change feeds; report it".to_owned() }
            }
            Trouble::Unsupported { what, .. } => SourceError::Refused {
                what,
                cure: "check the attributes of this source; where they are right, report it".to_owned(),
            },
            other => return other,
        })
    }
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
/// | 403 `Authentication_RequestFromNonPremiumTenantOrB2CTenant` | any | a property needs a licence |
/// | 403 | any | denied, with the permission |
/// | 401 | any | refused |
/// | 400 "change enumeration is not supported" | any | the tenant has no feeds |
/// | 400, 501 | any other | not supported |
/// | 423, 429, 5xx | any | later |
pub(super) fn judge(answer: &Answer, call: Call<'_>) -> Trouble {
    judge_failure(answer.status, &Failure::read(&answer.body), call)
}

/// The same, for a part of a batch that reads an address of our own.
pub(super) fn judge_part(answer: &PartAnswer, place: &str, permission: &'static str) -> Trouble {
    let failure = serde_json::from_value(answer.body.clone()).unwrap_or_default();
    judge_failure(answer.status, &failure, Call { place, permission, link: Link::Own })
}

fn judge_failure(status: u16, failure: &Failure, call: Call<'_>) -> Trouble {
    let said = said(status, failure);
    let what = format!("{} was answered {said}", call.place);
    let reset = failure.says("syncStateNotFound") || failure.says("resyncRequired");
    let expired =
        failure.says("Directory_ExpiredPageToken") || failure.says("Request_InvalidReplicaSessionKey");
    match (status, call.link) {
        (410, _) => Trouble::Expired,
        (400, _) if reset => Trouble::Expired,
        (400, _) if failure.tells(NO_FEED) => Trouble::NoFeed { what },
        (400, Link::Stored) => Trouble::Expired,
        (400, Link::Next) if expired => Trouble::PageExpired,
        (404, Link::Next) if failure.says("UnknownError") => Trouble::PageExpired,
        (404, _) => Trouble::Missing { what },
        (401 | 403, _) if failure.says("Authorization_IdentityNotFound") => later(format!(
            "{what}: the tenant does not know the application yet; a new one takes some minutes"
        )),
        (403, _) if failure.says(NOT_PREMIUM) => Trouble::Premium { what },
        (401 | 403, _) => refused(status, failure, call, what),
        (400 | 501, _) => Trouble::Unsupported { what, said: failure.text() },
        (423 | 429 | 500..=599, _) => later(what),
        _ => Trouble::Source(SourceError::Malformed { place: call.place.to_owned(), what: said }),
    }
}

fn later(what: String) -> Trouble {
    Trouble::Source(SourceError::Unavailable { what })
}

/// A disabled application and a token that is not accepted concern everything; another 403 concerns one call.
fn refused(status: u16, failure: &Failure, call: Call<'_>, what: String) -> Trouble {
    let all = if failure.says("Authorization_IdentityDisabled") {
        Some("the application is disabled; enable it under Enterprise applications, Properties")
    } else if failure.says("InvalidAuthenticationToken") {
        Some("check that authority and root belong to the same cloud")
    } else {
        None
    };
    match (all, status) {
        (Some(cure), _) => Trouble::Source(SourceError::Refused { what, cure: cure.to_owned() }),
        (None, 403) => Trouble::Denied { what, cure: grant(call.permission) },
        (None, _) => Trouble::Source(SourceError::Refused { what, cure: grant(call.permission) }),
    }
}

/// What helps against a missing permission.
pub(super) fn grant(permission: &str) -> String {
    format!(
        "add the application permission {permission} under App registrations, API permissions, and grant admin \
         consent"
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
        let call = Call { place: "GET graph/users", permission: "User.Read.All", link };
        match judge(&answer, call).plain() {
            Trouble::Expired => "expired".to_owned(),
            Trouble::PageExpired => "page expired".to_owned(),
            Trouble::Missing { .. } => "missing".to_owned(),
            Trouble::Source(SourceError::Refused { cure, .. }) => format!("refused: {cure}"),
            Trouble::Source(SourceError::Unavailable { .. }) => "later".to_owned(),
            Trouble::Source(error) => error.to_string(),
            other => panic!("{other:?} is not plain"),
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
        let Trouble::Source(error) = judge(&answer, call).plain() else { panic!("refused") };
        let text = error.to_string();
        assert!(
            text.starts_with(
                "GET graph/users was answered 403 Authorization_RequestDenied (request 3ca3abb1-c654); add"
            ),
            "{text}"
        );
        assert!(!text.contains("private"));
    }

    #[test]
    fn a_tenant_without_feeds_and_a_refused_query_are_told_by_their_text() {
        let of = |status, code: &str, message: &str| {
            let body = json!({"error": {"code": code, "message": message}}).to_string();
            let answer = Answer { status, headers: HeaderMap::new(), body: Bytes::from(body) };
            judge(
                &answer,
                Call { place: "GET graph/users/delta", permission: "User.Read.All", link: Link::Own },
            )
        };
        let b2c = of(400, "Request_BadRequest", "Change enumeration is not supported in requested client.");
        assert!(matches!(b2c, Trouble::NoFeed { .. }));
        let Trouble::Unsupported { said, .. } = of(400, "Request_UnsupportedQuery", "Unsupported\r\nclause")
        else {
            panic!("not supported")
        };
        assert_eq!(said, "Request_UnsupportedQuery: Unsupported clause");
    }
}
