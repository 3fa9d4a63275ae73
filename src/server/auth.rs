//! Whose request it is: the token in the `Authorization` header, or nobody's (SCIM reference, section 14: S2).

use axum::http::HeaderMap;
use axum::http::header;

use super::Service;
use super::answer::Answer;
use crate::scim::Error;
use crate::store::StoreError;
use crate::store::Token;

/// The token of the request; `None` where there is no valid one, for whatever reason.
pub async fn token(service: &Service, headers: &HeaderMap) -> Result<Option<Token>, StoreError> {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let client = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    service.store.recognise_token(credential(sent), client, (service.clock)()).await
}

/// Okta's "HTTP header" authentication sends the token bare.
fn credential(sent: &str) -> &str {
    match sent.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        Some(_) => "",
        None => sent.trim(),
    }
}

/// One answer for every reason: no header, a wrong one, an unknown, expired or revoked token.
pub fn refused() -> Answer {
    let error = Error::new(401, "a valid bearer token is needed; make one with: rosterd token create");
    Answer::from(error).with(header::WWW_AUTHENTICATE, "Bearer realm=\"rosterd\"".to_owned())
}

#[cfg(test)]
mod tests {
    use super::credential;

    #[test]
    fn a_bearer_token_is_taken_in_any_case_and_bare() {
        for (sent, expected) in [
            ("Bearer rst_a_b", "rst_a_b"),
            ("bearer  rst_a_b ", "rst_a_b"),
            ("rst_a_b", "rst_a_b"),
            ("Bearer", "Bearer"),
            ("Bearer ", "Bearer"),
            ("Basic rst_a_b", ""),
            ("", ""),
        ] {
            assert_eq!(credential(sent), expected, "{sent}");
        }
    }
}
