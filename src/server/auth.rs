//! Whose request it is: the token in the `Authorization` header, or nobody's (SCIM reference, section 14: S2).

use axum::http::HeaderMap;
use axum::http::header;
use jiff::Timestamp;

use super::Service;
use super::answer::Answer;
use crate::scim::Error;
use crate::store::StoreError;
use crate::store::Token;
use crate::store::View;

/// What a request says of who sends it.
pub struct Claim {
    token: String,
    client: String,
    now: Timestamp,
}

impl Claim {
    pub fn of(service: &Service, headers: &HeaderMap) -> Claim {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Claim {
            token: credential(text(header::AUTHORIZATION)).to_owned(),
            client: text(header::USER_AGENT).to_owned(),
            now: (service.clock)(),
        }
    }

    /// The token of the request; `None` where there is no valid one, for whatever reason.
    pub fn token(&self, view: &View<'_>) -> Result<Option<Token>, StoreError> {
        view.token(&self.token, self.now)
    }

    /// Keeps that the token was used, where that was not kept lately.
    pub async fn note(&self, service: &Service, token: &Token) -> Result<(), StoreError> {
        service.store.note_token_use(token, &self.client, self.now).await
    }
}

/// Okta's "HTTP header" authentication sends the token bare.
fn credential(sent: &str) -> &str {
    match sent.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        Some(_) => "",
        None => sent.trim(),
    }
}

impl Claim {
    /// One answer for every reason: no header, a wrong one, an unknown, expired or revoked token. Whoever shows a token
    /// that was good until a job took over is told so, since nothing else ends the push there.
    pub fn refused(&self, view: &View<'_>) -> Result<Answer, StoreError> {
        let detail = match view.taken_by(&self.token)? {
            None => "a valid bearer token is needed; make one with: rosterd token create".to_owned(),
            Some((token, job)) => format!(
                "the tenant {} does not push into the workspace {} any more: the job {job} pulls what it pushed, since \
                 {}; switch this provisioning off in the directory",
                token.tenant,
                token.workspace,
                token.revoked.unwrap_or_default(),
            ),
        };
        let answer = Answer::from(Error::new(401, &detail));
        Ok(answer.with(header::WWW_AUTHENTICATE, "Bearer realm=\"rosterd\"".to_owned()))
    }
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
