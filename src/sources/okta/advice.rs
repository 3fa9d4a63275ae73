//! What to do about a refused sign-in, by the words of Okta's token endpoint (okta.md sections 2.2, 2.3).

use crate::client::TokenAdvice;
use crate::client::TokenAdvice::Clock;
use crate::client::TokenAdvice::Cure;
use crate::client::TokenAdvice::Later;

/// One row: the OAuth error, what its description must hold (`""`: anything), and what follows. Okta has no numbers, so
/// its English words stand for them; where they change, the row without words of the same error answers.
type Row = (&'static str, &'static str, TokenAdvice);

const CLOCK: TokenAdvice = Clock(
    "set this host's clock right (timedatectl, NTP): it differs from the org's by more than is allowed",
);
const BETWEEN: TokenAdvice = Cure(
    "something between rosterd and the org changes or repeats its requests; let it reach the org without that proxy",
);
/// Okta does not say which scope it means.
pub(super) const GRANT_CURE: &str = "grant each scope of `scopes` to the application (Okta API Scopes, as a super administrator), or take out those that it shall not have; `rosterd check` says which are missing";
const GRANT: TokenAdvice = Cure(GRANT_CURE);
const SERVICE_APP: TokenAdvice = Cure(
    "make the application an API Services application whose client authentication is Public key / Private key, and allow it the grant Client Credentials",
);
const KEY: TokenAdvice = Cure(
    "register the public half of `private_key` with the application (General, Public keys), make that key active, and set `key_id` to its kid",
);
const HOST: TokenAdvice = Cure(
    "write the org's own address as `url`, as Okta knows it: not a proxy's, and no path of a custom authorization server",
);

/// The first row that fits answers.
const ROWS: &[Row] = &[
    ("invalid_client", "private_key_jwt", SERVICE_APP),
    ("invalid_client", "audience", HOST),
    ("invalid_client", "aud", HOST),
    ("invalid_client", "in the future", CLOCK),
    ("invalid_client", "too far", CLOCK),
    ("invalid_client", "expir", CLOCK),
    ("invalid_client", "already been used", BETWEEN),
    ("invalid_client", "signature", KEY),
    ("invalid_client", "kid", KEY),
    ("invalid_client", "key", KEY),
    (
        "invalid_client",
        "client_id",
        Cure("check `client_id` (0oa…) and that the application is of this org and active"),
    ),
    (
        "invalid_client",
        "",
        Cure(
            "check `client_id`, that the application is of this org and active, and that `private_key` and `key_id` are those of a key registered with it",
        ),
    ),
    ("invalid_scope", "", GRANT),
    ("consent_required", "", GRANT),
    ("access_denied", "", GRANT),
    ("unauthorized_client", "", SERVICE_APP),
    ("unsupported_grant_type", "", SERVICE_APP),
    ("invalid_grant", "user_rate_limited", Later),
    ("user_rate_limited", "", Later),
    ("temporarily_unavailable", "", Later),
    ("server_error", "", Later),
    ("invalid_dpop_proof", "in the future", CLOCK),
    ("invalid_dpop_proof", "five minutes", CLOCK),
    ("invalid_dpop_proof", "expired", CLOCK),
    ("invalid_dpop_proof", "htu", HOST),
    ("invalid_dpop_proof", "", BETWEEN),
    ("use_dpop_nonce", "", BETWEEN),
    ("invalid_request", "dpop", BETWEEN),
    ("invalid_token", "dpop", BETWEEN),
    ("invalid_request", "", HOST),
];

/// The advice for a refusal of the token endpoint; `None` for errors that nobody documented.
pub(super) fn of(error: &str, _codes: &[u64], description: &str) -> Option<TokenAdvice> {
    let description = description.to_lowercase();
    let row = ROWS.iter().find(|(name, words, _)| *name == error && description.contains(words));
    row.map(|(_, _, advice)| *advice)
}

/// What to do where a DPoP proof or the way of its token is refused by the API itself (okta.md section 2.3).
pub(super) fn of_resource(error: &str, description: &str) -> Option<&'static str> {
    match of(error, &[], description)? {
        Cure(text) | Clock(text)
            if matches!(error, "invalid_dpop_proof" | "use_dpop_nonce" | "invalid_request") =>
        {
            Some(text)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the advice begins with.
    #[track_caller]
    fn check(error: &str, description: &str, expected: &str) {
        let advice = match of(error, &[], description) {
            Some(Cure(text) | Clock(text)) => text,
            Some(Later) => "later",
            _ => "none",
        };
        assert!(advice.starts_with(expected), "{error}, {description}: {advice}");
    }

    const CLOCK_BEGINS: &str = "set this host's clock right";
    const BETWEEN_BEGINS: &str = "something between rosterd and the org";
    const KEY_BEGINS: &str = "register the public half of `private_key`";
    const HOST_BEGINS: &str = "write the org's own address as `url`";
    const GRANT_BEGINS: &str = "grant each scope of `scopes`";
    const APP_BEGINS: &str = "make the application an API Services application";

    /// Every row of the table of token errors in okta.md section 2.2.
    #[test]
    fn every_refusal_of_the_token_endpoint_says_what_to_change() {
        let client = "invalid_client";
        check(client, "The client_assertion signature is invalid.", KEY_BEGINS);
        check(client, "The client_assertion has an unknown kid.", KEY_BEGINS);
        check(
            client,
            "The audience claim for client_assertion must be the endpoint invoked for the request.",
            HOST_BEGINS,
        );
        check(client, "The client_assertion token is expired.", CLOCK_BEGINS);
        check(client, "The client_assertion token has an expiration too far into the future.", CLOCK_BEGINS);
        check(client, "The client_assertion token was issued in the future.", CLOCK_BEGINS);
        check(client, "The client_assertion token has already been used.", BETWEEN_BEGINS);
        check(client, "Invalid value for 'client_id' parameter.", "check `client_id` (0oa…)");
        check(
            client,
            "Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method.",
            APP_BEGINS,
        );
        check(client, "Something new.", "check `client_id`, that the application");
        check(
            "invalid_scope",
            "One or more scopes are not configured for the authorization server resource.",
            GRANT_BEGINS,
        );
        check("invalid_scope", "", GRANT_BEGINS);
        check("consent_required", "", GRANT_BEGINS);
        check("unauthorized_client", "", APP_BEGINS);
        check("unsupported_grant_type", "", APP_BEGINS);
        check("invalid_request", "", HOST_BEGINS);
        check("invalid_grant", "user_rate_limited", "later");
        check("temporarily_unavailable", "", "later");
        check("server_error", "", "later");
    }

    /// Every row of the list of DPoP errors in okta.md section 2.3.
    #[test]
    fn every_refusal_of_a_proof_says_what_to_change() {
        let proof = "invalid_dpop_proof";
        for (description, expected) in [
            ("The DPoP proof JWT header is missing.", BETWEEN_BEGINS),
            ("The DPoP proof JWT must have a 'typ' of 'dpop+jwt'.", BETWEEN_BEGINS),
            ("The 'htm' claim in the DPoP proof JWT is invalid.", BETWEEN_BEGINS),
            ("The 'htu' claim in the DPoP proof JWT is invalid.", HOST_BEGINS),
            ("The 'iat' claim in the DPoP proof JWT is missing.", BETWEEN_BEGINS),
            ("The DPoP proof JWT is issued in the future.", CLOCK_BEGINS),
            ("The DPoP proof JWT is issued more than five minutes in the past.", CLOCK_BEGINS),
            ("The DPoP proof JWT is expired.", CLOCK_BEGINS),
            ("The 'jti' claim in the DPoP proof JWT is invalid.", BETWEEN_BEGINS),
            ("The DPoP proof JWT has already been used.", BETWEEN_BEGINS),
            ("'ath' claim in the DPoP proof does not match the presented access_token.", BETWEEN_BEGINS),
            ("The access token is not bound to the key of the DPoP proof.", BETWEEN_BEGINS),
            ("There is more than one DPoP header.", BETWEEN_BEGINS),
        ] {
            check(proof, description, expected);
            assert!(of_resource(proof, description).is_some());
        }
        check("use_dpop_nonce", "Authorization server requires nonce in DPoP proof.", BETWEEN_BEGINS);
        check("invalid_request", "The resource request requires a DPoP proof.", BETWEEN_BEGINS);
        check("invalid_token", "The access token is not DPoP bound.", BETWEEN_BEGINS);
    }

    #[test]
    fn what_nobody_documented_has_no_advice() {
        check("teapot", "short and stout", "none");
        assert_eq!(of_resource("invalid_token", "expired"), None);
    }
}
