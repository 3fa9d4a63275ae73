//! A service app that signs for itself: assertions and proofs made with aws-lc-rs, not with what the product signs with.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use aws_lc_rs::digest::SHA256;
use aws_lc_rs::digest::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Response;
use rosterd::simulators::OKTA_CLIENT_ID;
use rosterd::simulators::OKTA_CLIENT_KEY;
use rosterd::simulators::OKTA_CLIENT_KID;
use serde_json::Value;
use serde_json::json;

use super::Served;

pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub const READ: &str = "okta.apps.read okta.groups.read okta.users.read";

pub enum Key {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Key {
    /// The one that every simulated org knows.
    pub fn registered() -> Key {
        let der: String = OKTA_CLIENT_KEY.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(der).unwrap();
        Key::Ec(EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &der).unwrap())
    }

    pub fn fresh() -> Key {
        Key::Ec(EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub fn rsa() -> Key {
        Key::Rsa(RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap())
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Key::Ec(_) => "ES256",
            Key::Rsa(_) => "RS256",
        }
    }

    /// The public half as a JWK.
    pub fn jwk(&self) -> Value {
        match self {
            Key::Ec(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": base64url(&point[1..33]), "y": base64url(&point[33..]) })
            }
            Key::Rsa(pair) => {
                let public = pair.public_key();
                let n = base64url(public.modulus().big_endian_without_leading_zero());
                let e = base64url(public.exponent().big_endian_without_leading_zero());
                json!({ "kty": "RSA", "n": n, "e": e })
            }
        }
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = match self {
            Key::Ec(pair) => pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec(),
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let (padding, random) = (&signature::RSA_PKCS1_SHA256, SystemRandom::new());
                pair.sign(padding, &random, signed.as_bytes(), &mut signature).unwrap();
                signature
            }
        };
        format!("{signed}.{}", base64url(&signature))
    }
}

pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Never the same text twice.
pub fn once() -> String {
    static SO_FAR: AtomicU64 = AtomicU64::new(0);
    format!("once-{}", SO_FAR.fetch_add(1, Ordering::Relaxed))
}

/// The claims of a good assertion, five minutes long.
pub fn claims(served: &Served) -> Value {
    let now = served.world.now().as_second();
    json!({
        "iss": OKTA_CLIENT_ID, "sub": OKTA_CLIENT_ID, "aud": format!("{}/oauth2/v1/token", served.base),
        "iat": now, "exp": now + 300, "jti": once(),
    })
}

pub fn header() -> Value {
    json!({ "alg": "ES256", "kid": OKTA_CLIENT_KID })
}

/// The claims of a good proof for a request.
pub fn proof_claims(served: &Served, method: &str, path: &str) -> Value {
    let now = served.world.now().as_second();
    json!({ "htm": method, "htu": format!("{}{path}", served.base), "iat": now, "jti": once() })
}

pub fn proof(key: &Key, claims: &Value) -> String {
    key.sign(&json!({ "typ": "dpop+jwt", "alg": key.algorithm(), "jwk": key.jwk() }), claims)
}

pub fn ath(token: &str) -> String {
    base64url(digest(&SHA256, token.as_bytes()).as_ref())
}

/// Asks for a token with the form of the standard; `edit` changes its fields.
pub async fn ask(
    served: &Served,
    assertion: &str,
    proofs: &[&str],
    edit: &[(&str, Option<&str>)],
) -> Response {
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("scope", READ),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
    ];
    for (name, value) in edit {
        form.retain(|(known, _)| known != name);
        form.extend(value.map(|value| (*name, value)));
    }
    let mut request = served.http.post(served.url("/oauth2/v1/token")).form(&form);
    for proof in proofs {
        request = request.header("dpop", *proof);
    }
    request.send().await.unwrap()
}

/// Asks with a fresh, good assertion.
pub async fn ask_well(served: &Served, proofs: &[&str], edit: &[(&str, Option<&str>)]) -> Response {
    let assertion = Key::registered().sign(&header(), &claims(served));
    ask(served, &assertion, proofs, edit).await
}

/// A bearer token with these scopes.
pub async fn bearer(served: &Served, scopes: &str) -> String {
    let answer = ask_well(served, &[], &[("scope", Some(scopes))]).await;
    assert_eq!(answer.status(), 200);
    answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned()
}

/// A token that is bound to `key`, by the dance of two requests.
pub async fn bound(served: &Served, key: &Key) -> String {
    let mut said = proof_claims(served, "POST", "/oauth2/v1/token");
    let first = ask_well(served, &[&proof(key, &said)], &[]).await;
    assert_eq!(first.status(), 400);
    said["nonce"] = first.headers()["dpop-nonce"].to_str().unwrap().into();
    said["jti"] = once().into();
    let second = ask_well(served, &[&proof(key, &said)], &[]).await;
    assert_eq!(second.status(), 200);
    second.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned()
}

/// What an OAuth error says: status, `error`, `error_description`.
pub async fn told(answer: Response) -> (u16, String, String) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (status, text("error"), text("error_description"))
}
