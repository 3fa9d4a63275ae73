//! Answers that are no success: what Okta means by them, and what somebody has to do (okta.md section 8).

use super::advice;
use super::wire::ErrorBody;
use crate::client::Answer;
use crate::client::ClientError;
use crate::sources::SourceError;

/// Why a request brought nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// Okta answered, and the answer is no. The caller may know better what it means.
    Refused(Refusal),
    /// No answer, or none that can be read.
    Broken(SourceError),
}

/// How the refused request said who we are: other people can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signed {
    Token,
    Service,
}

/// One refusal, without values: texts of Okta can quote names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Method, host and path.
    pub place: String,
    pub status: u16,
    /// `E0000007`; empty where the body is not the envelope.
    pub code: String,
    /// The scope that an access token lacks, from `www-authenticate`.
    pub scope: Option<String>,
    /// What OAuth's own errors ask for.
    oauth: Option<&'static str>,
    signed: Signed,
    /// What Okta's support asks for.
    request: Option<String>,
    /// The resource that is missing is the application itself.
    pub of_app: bool,
    cursor: bool,
}

impl Refusal {
    pub fn new(place: String, answer: &Answer, signed: Signed) -> Refusal {
        let body: ErrorBody = answer.json().unwrap_or_default();
        let told = answer.header("www-authenticate").unwrap_or_default();
        let scope = told.contains("insufficient_scope").then(|| parameter(told, "scope")).flatten();
        let speaks_of_cursor =
            body.causes.iter().any(|cause| cause.summary.to_lowercase().contains("cursor"));
        let code = body.code.unwrap_or_default();
        Refusal {
            place,
            status: answer.status,
            oauth: body.error.as_deref().and_then(|error| advice::of_resource(error, &body.description)),
            signed,
            cursor: code == "E0000029" || (code == "E0000031" && speaks_of_cursor),
            of_app: body.summary.contains("(AppInstance)"),
            code,
            scope,
            request: answer.header("x-okta-request-id").map(str::to_owned),
        }
    }

    /// The object is not there (404, 410).
    pub fn is_missing(&self) -> bool {
        let gone = matches!(self.code.as_str(), "" | "E0000007" | "E0000048" | "E0000156");
        matches!(self.status, 404 | 410) && gone
    }

    /// What answered is no org: another path, another host, something in between.
    pub fn is_of_host(&self) -> bool {
        self.code == "E0000008" || matches!(self.status, 300..=399 | 400 | 405)
    }

    pub fn is_forbidden(&self) -> bool {
        self.status == 403
    }

    /// The cursor is no longer good: the listing has to begin again (400 E0000029, E0000031).
    pub fn is_bad_cursor(&self) -> bool {
        self.status == 400 && self.cursor
    }

    /// What was refused, for a note: place, status, code.
    pub fn what(&self) -> String {
        let mut facts = vec![format!("status {}", self.status)];
        facts.extend(Some(&self.code).filter(|code| !code.is_empty()).cloned());
        facts.extend(self.request.as_ref().map(|request| format!("request {request}")));
        format!("{}: Okta refuses ({})", self.place, facts.join(", "))
    }

    /// What somebody has to do, where somebody can.
    pub fn cure(&self) -> Option<String> {
        if let Some(scope) = &self.scope {
            return Some(format!(
                "grant the scope {scope} to the service application (Okta API Scopes, as a super administrator), and \
                 name it in `scopes`"
            ));
        }
        if let Some(cure) = self.oauth {
            return Some(cure.to_owned());
        }
        let cure = match (self.status, self.code.as_str()) {
            (401, "E0000015") => {
                "the org does not have this feature; ask Okta to switch it on, or do without"
            }
            (400, _) if self.is_bad_cursor() => return None,
            (400 | 406 | 414, _) => BAD_REQUEST,
            (401, _) => match self.signed {
                Signed::Token => TOKEN,
                Signed::Service => SERVICE,
            },
            (403, "E0000005") => match self.signed {
                Signed::Token => "this address does not take an API token; check the host",
                Signed::Service => {
                    "this address does not take OAuth tokens; check the host, or sign in with an API token (`token`)"
                }
            },
            (403, _) => ROLE,
            (404, "E0000008") | (405, _) => "there is no Okta behind this address; check the host",
            (404 | 410, _) => "it was deleted, or we may not see it; check the id and our role",
            (300..=399, _) => "the host answers for another one; write the org's own address as the host",
            (501, _) => "the org cannot do this; check that the host is an Okta org",
            _ => return None,
        };
        Some(cure.to_owned())
    }

    fn error(self) -> SourceError {
        let what = self.what();
        match (self.cure(), self.status) {
            (Some(cure), _) => SourceError::Refused { what, cure },
            (None, 408 | 409 | 423 | 429 | 500..=599) => SourceError::Unavailable { what },
            (None, _) => SourceError::Malformed {
                place: self.place.clone(),
                what: what.replacen(&format!("{}: ", self.place), "", 1),
            },
        }
    }
}

const TOKEN: &str = "make a new API token as the service account (Security, API, Tokens); a token dies after 30 days \
                     without use, and with the account that made it";

const SERVICE: &str = "a new token was refused as well: check that the service application is active and that `url` is \
                       the address that its org knows itself by";

const BAD_REQUEST: &str = "check that `url` is the org's own address and nothing changes requests on the way; if it is, \
                           report this with the request's id";

pub(super) const ROLE: &str = "give the account of the token, or the service application itself, the role Read-only \
                               Administrator, or a custom role with okta.apps.read, okta.users.read and \
                               okta.groups.read over the application and its groups";

/// One parameter of a `www-authenticate` header: `scope="okta.groups.read"`.
fn parameter(header: &str, name: &str) -> Option<String> {
    let from = header.find(&format!("{name}=\""))? + name.len() + 2;
    let value = header[from..].split('"').next()?;
    Some(value.to_owned())
}

impl From<Refusal> for SourceError {
    fn from(refusal: Refusal) -> SourceError {
        refusal.error()
    }
}

impl From<Failure> for SourceError {
    fn from(failure: Failure) -> SourceError {
        match failure {
            Failure::Refused(refusal) => refusal.error(),
            Failure::Broken(error) => error,
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Failure {
        Failure::Broken(error)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::Broken(silence(error))
    }
}

/// What the client could not do, in the words of a source.
pub(super) fn silence(error: ClientError) -> SourceError {
    match error {
        ClientError::Denied { what, cure } => SourceError::Refused { what, cure },
        ClientError::Unavailable { what } | ClientError::Unknown { what } => {
            SourceError::Unavailable { what }
        }
        ClientError::ForeignHost { what } => SourceError::Refused {
            what,
            cure: "write the org's own address as the host, so that its links stay on it".to_owned(),
        },
        ClientError::TooLarge { what } => {
            SourceError::Refused { what, cure: "ask for smaller pages".to_owned() }
        }
        ClientError::Invalid { what } => {
            SourceError::Refused { what, cure: "check the settings of the source".to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use http::HeaderValue;

    fn refusal(status: u16, body: &'static str) -> Refusal {
        let mut headers = HeaderMap::new();
        headers.insert("x-okta-request-id", HeaderValue::from_static("X0f"));
        let answer = Answer { status, headers, body: body.into() };
        Refusal::new("GET acme.okta.com/api/v1/apps/0oa1".to_owned(), &answer, Signed::Token)
    }

    #[track_caller]
    fn check(status: u16, body: &'static str, expected: &str) {
        assert_eq!(SourceError::from(refusal(status, body)).to_string(), expected);
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        check(
            403,
            r#"{"errorCode":"E0000006","errorSummary":"You do not have permission"}"#,
            "GET acme.okta.com/api/v1/apps/0oa1: Okta refuses (status 403, E0000006, request X0f); give the account of the token, or the service application itself, the role Read-only Administrator, or a custom role with okta.apps.read, okta.users.read and okta.groups.read over the application and its groups",
        );
        check(
            401,
            r#"{"errorCode":"E0000011","errorSummary":"Invalid token provided"}"#,
            "GET acme.okta.com/api/v1/apps/0oa1: Okta refuses (status 401, E0000011, request X0f); make a new API token as the service account (Security, API, Tokens); a token dies after 30 days without use, and with the account that made it",
        );
        check(
            401,
            r#"{"errorCode":"E0000015"}"#,
            "GET acme.okta.com/api/v1/apps/0oa1: Okta refuses (status 401, E0000015, request X0f); the org does not have this feature; ask Okta to switch it on, or do without",
        );
        check(
            302,
            "",
            "GET acme.okta.com/api/v1/apps/0oa1: Okta refuses (status 302, request X0f); the host answers for another one; write the org's own address as the host",
        );
    }

    #[test]
    fn what_nobody_can_cure_is_a_bad_moment_or_a_bad_request() {
        check(
            423,
            r#"{"errorCode":"E0000239"}"#,
            "GET acme.okta.com/api/v1/apps/0oa1: Okta refuses (status 423, E0000239, request X0f)",
        );
        assert!(matches!(SourceError::from(refusal(423, "{}")), SourceError::Unavailable { .. }));
        assert!(matches!(SourceError::from(refusal(409, "{}")), SourceError::Unavailable { .. }));
        assert!(matches!(SourceError::from(refusal(418, "{}")), SourceError::Malformed { .. }));
    }

    #[test]
    fn an_empty_403_names_the_scope_that_is_missing() {
        let mut headers = HeaderMap::new();
        let told =
            r#"Bearer realm="http://acme.okta.com", scope="okta.groups.read", error="insufficient_scope""#;
        headers.insert("www-authenticate", HeaderValue::from_static(told));
        let answer = Answer { status: 403, headers, body: Default::default() };
        let refusal = Refusal::new("GET x".to_owned(), &answer, Signed::Service);
        assert_eq!(
            refusal.cure().as_deref(),
            Some(
                "grant the scope okta.groups.read to the service application (Okta API Scopes, as a super administrator), and name it in `scopes`"
            )
        );
    }

    /// okta.md section 8: what an answer asks of somebody, by status and code; and section 2.2, what the API says of a
    /// token.
    #[test]
    fn every_refusal_that_somebody_can_mend_says_how() {
        let cure = |status, body: &'static str, signed| {
            let answer = Answer { status, headers: HeaderMap::new(), body: body.into() };
            Refusal::new("GET x".to_owned(), &answer, signed).cure().unwrap_or_default()
        };
        for (status, body, signed, expected) in [
            (400, r#"{"errorCode":"E0000001"}"#, Signed::Token, "check that `url` is the org's own address"),
            (400, "Bad Request", Signed::Token, "check that `url` is the org's own address"),
            (406, r#"{"errorCode":"E0000122"}"#, Signed::Token, "check that `url` is the org's own address"),
            (401, r#"{"errorCode":"E0000011"}"#, Signed::Token, "make a new API token"),
            (401, r#"{"errorCode":"E0000011"}"#, Signed::Service, "a new token was refused as well"),
            (401, r#"{"errorCode":"E0000004"}"#, Signed::Token, "make a new API token"),
            (401, r#"{"errorCode":"E0000015"}"#, Signed::Service, "the org does not have this feature"),
            (403, r#"{"errorCode":"E0000005"}"#, Signed::Token, "this address does not take an API token"),
            (403, r#"{"errorCode":"E0000005"}"#, Signed::Service, "this address does not take OAuth tokens"),
            (
                403,
                r#"{"errorCode":"E0000006"}"#,
                Signed::Service,
                "give the account of the token, or the service",
            ),
            (
                403,
                r#"{"errorCode":"E0000061"}"#,
                Signed::Token,
                "give the account of the token, or the service",
            ),
            (404, r#"{"errorCode":"E0000008"}"#, Signed::Token, "there is no Okta behind this address"),
            (405, r#"{"errorCode":"E0000022"}"#, Signed::Token, "there is no Okta behind this address"),
            (404, r#"{"errorCode":"E0000007"}"#, Signed::Token, "it was deleted, or we may not see it"),
            (410, r#"{"errorCode":"E0000156"}"#, Signed::Token, "it was deleted, or we may not see it"),
            (302, "", Signed::Token, "the host answers for another one"),
            (501, r#"{"errorCode":"E0000060"}"#, Signed::Token, "the org cannot do this"),
            (
                400,
                r#"{"error":"invalid_dpop_proof","error_description":"The DPoP proof JWT is issued in the future."}"#,
                Signed::Service,
                "set this host's clock right",
            ),
            (
                400,
                r#"{"error":"invalid_request","error_description":"The resource request requires a DPoP proof."}"#,
                Signed::Service,
                "something between rosterd and the org",
            ),
            (
                401,
                r#"{"error":"invalid_token","error_description":"x"}"#,
                Signed::Service,
                "a new token was refused",
            ),
        ] {
            let cure = cure(status, body, signed);
            assert!(cure.starts_with(expected), "{status} {body}: {cure}");
        }
    }

    #[test]
    fn a_cursor_is_bad_only_where_okta_says_so() {
        let causes = r#"{"errorCode":"E0000031","errorCauses":[{"errorSummary":"Invalid cursor."}]}"#;
        assert!(refusal(400, causes).is_bad_cursor());
        assert!(refusal(400, r#"{"errorCode":"E0000029"}"#).is_bad_cursor());
        assert!(!refusal(400, r#"{"errorCode":"E0000031","errorCauses":[]}"#).is_bad_cursor());
    }
}
