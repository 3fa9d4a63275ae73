//! Client assertions (RFC 7523): a token that we sign ourselves, made anew for every attempt.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P521_SHA512_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::Header;
use serde_json::Value;
use serde_json::json;

use super::Certificate;
use super::KeyError;
use super::KeyKind;
use super::SigningKey;

/// Microsoft recommends at most 5 to 10 minutes (graph.md 2.2), Okta takes at most an hour (okta.md 2.2).
const LIFE: Duration = Duration::from_secs(300);

/// How a token is signed (RFC 7518 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Ps256,
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
    Es512,
}

impl Algorithm {
    pub const ALL: [Algorithm; 7] = [
        Algorithm::Ps256,
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Ps256 => "PS256",
            Algorithm::Rs256 => "RS256",
            Algorithm::Rs384 => "RS384",
            Algorithm::Rs512 => "RS512",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::Es512 => "ES512",
        }
    }

    pub fn named(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// An EC key has one algorithm, by its curve; an RSA key has several.
    pub fn suits(self, kind: KeyKind) -> bool {
        match self {
            Algorithm::Ps256 | Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => kind == KeyKind::Rsa,
            Algorithm::Es256 => kind == KeyKind::P256,
            Algorithm::Es384 => kind == KeyKind::P384,
            Algorithm::Es512 => kind == KeyKind::P521,
        }
    }

    /// `None` for ES512, which jsonwebtoken does not know.
    fn known(self) -> Option<jsonwebtoken::Algorithm> {
        match self {
            Algorithm::Ps256 => Some(jsonwebtoken::Algorithm::PS256),
            Algorithm::Rs256 => Some(jsonwebtoken::Algorithm::RS256),
            Algorithm::Rs384 => Some(jsonwebtoken::Algorithm::RS384),
            Algorithm::Rs512 => Some(jsonwebtoken::Algorithm::RS512),
            Algorithm::Es256 => Some(jsonwebtoken::Algorithm::ES256),
            Algorithm::Es384 => Some(jsonwebtoken::Algorithm::ES384),
            Algorithm::Es512 => None,
        }
    }
}

/// How the service finds the public half of our key.
#[derive(Clone, Debug)]
pub enum KeyName {
    /// The service has one key of ours.
    Unnamed,
    /// The id of a registered JWK (`kid`).
    Kid(String),
    /// SHA-256 of the certificate (`x5t#S256`).
    Thumbprint(Certificate),
    /// SHA-1 of the certificate (`x5t`), Microsoft's older form.
    OldThumbprint(Certificate),
}

/// What it takes to make assertions.
#[derive(Clone, Debug)]
pub struct Assertion {
    key: SigningKey,
    algorithm: Algorithm,
    named: KeyName,
    /// `iss` and `sub`.
    client_id: String,
    /// The token endpoint, as it is called.
    audience: String,
    life: Duration,
}

impl Assertion {
    /// Refuses an algorithm that the key cannot sign with.
    pub fn new(
        key: SigningKey,
        algorithm: Algorithm,
        named: KeyName,
        client_id: impl Into<String>,
        audience: impl Into<String>,
    ) -> Result<Assertion, KeyError> {
        if !algorithm.suits(key.kind()) {
            let what = format!("the private key is {}, which cannot sign {}", key.kind(), algorithm.name());
            let cure = match algorithm {
                Algorithm::Ps256 => "use an RSA key".to_owned(),
                _ => format!("use an RSA key, or with this one {}", key.kind().usual_algorithm().name()),
            };
            return Err(KeyError::new(what, cure));
        }
        let (client_id, audience) = (client_id.into(), audience.into());
        Ok(Assertion { key, algorithm, named, client_id, audience, life: LIFE })
    }

    /// Lives this long, 5 minutes unless said otherwise.
    pub fn living(self, life: Duration) -> Assertion {
        Assertion { life, ..self }
    }

    /// A signed assertion that is good from `now` on. `jti` names it: a service takes each name once.
    pub fn sign(&self, now: Timestamp, jti: &str) -> Result<String, KeyError> {
        if let KeyName::Thumbprint(certificate) | KeyName::OldThumbprint(certificate) = &self.named {
            certificate.good_at(now)?;
        }
        let at = now.as_second();
        let claims = json!({
            "aud": self.audience,
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": jti,
            "nbf": at,
            "iat": at,
            "exp": at.saturating_add_unsigned(self.life.as_secs()),
        });
        signed(&self.header(), self.algorithm, &claims, &self.key)
    }

    fn header(&self) -> Header {
        let mut header = Header::new(self.algorithm.known().unwrap_or_default());
        match &self.named {
            KeyName::Unnamed => {}
            KeyName::Kid(kid) => header.kid = Some(kid.clone()),
            KeyName::Thumbprint(certificate) => header.x5t_s256 = Some(certificate.thumbprint()),
            KeyName::OldThumbprint(certificate) => header.x5t = Some(certificate.old_thumbprint()),
        }
        header
    }
}

fn signed(
    header: &Header,
    algorithm: Algorithm,
    claims: &Value,
    key: &SigningKey,
) -> Result<String, KeyError> {
    let signature = match algorithm.known() {
        Some(_) => jsonwebtoken::encode(header, claims, key.encoding()).ok(),
        None => es512(header, claims, key),
    };
    signature.ok_or_else(|| {
        let what = format!("the private key did not sign with {}", algorithm.name());
        KeyError::new(what, "check the key: openssl pkey -check -in FILE")
    })
}

/// RFC 7515 section 3.1, for the one algorithm that jsonwebtoken lacks.
fn es512(header: &Header, claims: &Value, key: &SigningKey) -> Option<String> {
    let mut header = serde_json::to_value(header).ok()?;
    header["alg"] = json!(Algorithm::Es512.name());
    let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P521_SHA512_FIXED_SIGNING, key.encoding().as_bytes()).ok()?;
    let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).ok()?;
    Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// A random UUID (RFC 9562, version 4).
pub(super) fn fresh_id() -> String {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes)
        .expect("the random generator of the library is seeded at start and does not fail");
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_signs_only_what_suits_it() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
            let kinds = [KeyKind::Rsa, KeyKind::P256, KeyKind::P384, KeyKind::P521];
            assert_eq!(kinds.iter().filter(|kind| algorithm.suits(**kind)).count(), 1);
        }
        assert_eq!(Algorithm::named("EdDSA"), None);
    }

    #[test]
    fn every_id_is_another() {
        let (one, two) = (fresh_id(), fresh_id());
        assert_ne!(one, two);
        assert_eq!((one.len(), &one[14..15]), (36, "4"));
    }
}
