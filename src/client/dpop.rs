//! Proofs of possession (RFC 9449): a token that is bound to a key is worth nothing without it.

use std::sync::Mutex;
use std::sync::PoisonError;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::Header;
use jsonwebtoken::jwk::Jwk;
use serde::Serialize;
use url::Url;

use super::ClientError;

/// The key of one sign-in and what the service wants to see in its proofs. Made at the start and kept in memory: it is
/// another one than the key that signs in, and nobody has to know it.
pub(super) struct Dpop {
    key: EncodingKey,
    /// The public half, with nothing beside it.
    jwk: Jwk,
    /// The last nonce of the token endpoint, and of the service: they are two servers (RFC 9449 section 9).
    nonces: Mutex<[Option<String>; 2]>,
}

/// Whose nonce goes into a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    Token,
    Service,
}

/// Shows nothing: a key is nobody's business (P11).
impl std::fmt::Debug for Dpop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dpop")
    }
}

/// What a proof is about.
pub(super) struct Claim<'a> {
    pub(super) server: Server,
    pub(super) method: &'a Method,
    pub(super) url: &'a Url,
    /// The token that it comes with; none at the token endpoint.
    pub(super) token: Option<&'a str>,
    /// The server's own time.
    pub(super) at: Timestamp,
    /// Good for one use, also among repeats of one request.
    pub(super) id: &'a str,
}

/// RFC 9449 section 4.2.
#[derive(Serialize)]
struct Claims<'a> {
    htm: &'a str,
    htu: &'a str,
    iat: i64,
    jti: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
}

impl Dpop {
    /// A new key on the curve P-256: small proofs, and every service that speaks DPoP takes ES256.
    pub(super) fn generate() -> Result<Dpop, ClientError> {
        use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        use aws_lc_rs::signature::EcdsaKeyPair;
        let random = aws_lc_rs::rand::SystemRandom::new();
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| unsigned(&"no key could be made"))?;
        let key = EncodingKey::from_ec_der(pair.as_ref());
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(|error| unsigned(&error))?;
        // kty, crv, x and y only: `alg` and `use` have no place in a proof.
        jwk.common = Default::default();
        Ok(Dpop { key, jwk, nonces: Mutex::new([None, None]) })
    }

    /// Keeps the nonce of an answer, where it has one; each answer may bring the next one (RFC 9449 section 8.2).
    pub(super) fn note(&self, server: Server, headers: &HeaderMap) {
        let nonce = headers.get("dpop-nonce").and_then(|value| value.to_str().ok());
        if let Some(nonce) = nonce.filter(|nonce| !nonce.is_empty()) {
            self.nonces()[server as usize] = Some(nonce.to_owned());
        }
    }

    /// The text of one `DPoP` header.
    fn proof(&self, claim: &Claim<'_>) -> Result<String, ClientError> {
        let header = Header {
            typ: Some("dpop+jwt".to_owned()),
            jwk: Some(self.jwk.clone()),
            ..Header::new(Algorithm::ES256)
        };
        let claims = Claims {
            htm: claim.method.as_str(),
            htu: &target(claim.url),
            iat: claim.at.as_second(),
            jti: claim.id,
            nonce: self.nonces()[claim.server as usize].clone(),
            ath: claim.token.map(fingerprint),
        };
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|error| unsigned(&error))
    }

    /// The `DPoP` header itself; it is good for one use, and still nobody's business.
    pub(super) fn header(&self, claim: &Claim<'_>) -> Result<HeaderValue, ClientError> {
        let mut header = HeaderValue::try_from(self.proof(claim)?).map_err(|error| unsigned(&error))?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// A poisoned lock only means that somebody panicked elsewhere; a nonce is whole.
    fn nonces(&self) -> std::sync::MutexGuard<'_, [Option<String>; 2]> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `htu`: without query and fragment (RFC 9449 section 4.2), so all pages of a list have the same one.
fn target(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// `ath`: the hash of the token that the proof comes with.
fn fingerprint(token: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.as_ref())
}

fn unsigned(why: &dyn std::fmt::Display) -> ClientError {
    ClientError::Invalid { what: format!("a proof of possession (DPoP) cannot be made: {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn time() -> Timestamp {
        "2026-03-01T10:00:00.900Z".parse().unwrap()
    }

    fn proof(dpop: &Dpop, server: Server, url: &str, token: Option<&str>) -> (Value, Value) {
        let url = Url::parse(url).unwrap();
        let claim = Claim { server, method: &Method::GET, url: &url, token, at: time(), id: "j1" };
        let text = dpop.proof(&claim).unwrap();
        let mut parts = text.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
        let mut read = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
        (read(), read())
    }

    #[test]
    fn a_proof_names_request_time_and_token_and_shows_the_public_key_alone() {
        let dpop = Dpop::generate().unwrap();
        let url = "https://acme.okta.com/api/v1/users?limit=1&after=x#y";
        let (header, claims) = proof(&dpop, Server::Service, url, Some("abc"));
        assert_eq!(header["typ"], "dpop+jwt");
        assert_eq!(header["alg"], "ES256");
        let members: Vec<&str> = header["jwk"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["crv", "kty", "x", "y"]);
        // The hash of `abc` is the one of FIPS 180-4, appendix B.1.
        let expected = serde_json::json!({
            "htm": "GET",
            "htu": "https://acme.okta.com/api/v1/users",
            "iat": 1_772_359_200,
            "jti": "j1",
            "ath": "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0",
        });
        assert_eq!(claims, expected);
    }

    #[test]
    fn each_server_has_the_nonce_that_it_gave_last() {
        let dpop = Dpop::generate().unwrap();
        let url = "https://acme.okta.com/oauth2/v1/token";
        let of = |nonce: &'static str| {
            HeaderMap::from_iter([(
                http::HeaderName::from_static("dpop-nonce"),
                http::HeaderValue::from_static(nonce),
            )])
        };
        assert_eq!(proof(&dpop, Server::Token, url, None).1.get("nonce"), None);
        dpop.note(Server::Token, &of("n1"));
        dpop.note(Server::Token, &of("n2"));
        dpop.note(Server::Token, &HeaderMap::new());
        assert_eq!(proof(&dpop, Server::Token, url, None).1["nonce"], "n2");
        assert_eq!(proof(&dpop, Server::Service, url, None).1.get("nonce"), None);
    }
}
