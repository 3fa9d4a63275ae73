//! Signed tokens of clients (JWS, RFC 7515), taken apart and checked with the public keys of RFC 7517.
//!
//! The one place of this room that knows signatures. It is apart from what the product signs with, so that the two
//! cannot be wrong together.

use aws_lc_rs::digest::SHA256;
use aws_lc_rs::digest::digest;
use aws_lc_rs::hmac;
use aws_lc_rs::signature;
use aws_lc_rs::signature::RsaParameters;
use aws_lc_rs::signature::RsaPublicKeyComponents;
use aws_lc_rs::signature::UnparsedPublicKey;
use aws_lc_rs::signature::VerificationAlgorithm;
use serde_json::Map;
use serde_json::Value;

/// The algorithms that are taken (okta.md section 2.2; Entra takes RS256 and PS256 only).
pub(super) const ALGORITHMS: [&str; 6] = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];

/// A compact token whose signature nobody has looked at yet.
#[derive(Debug)]
pub(super) struct Jws {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    /// What was signed: the first two parts with the dot between them.
    signed: String,
    signature: Vec<u8>,
}

impl Jws {
    /// `None` where it is not three parts of base64url with an object in the first two.
    pub(super) fn parse(token: &str) -> Option<Jws> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Jws {
            header: serde_json::from_slice(&unbase64url(header)?).ok()?,
            claims: serde_json::from_slice(&unbase64url(claims)?).ok()?,
            signed: signed.to_owned(),
            signature: unbase64url(signature)?,
        })
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// A time, in seconds since 1970; fractions are cut off.
    pub(super) fn seconds(&self, claim: &str) -> Option<i64> {
        let value = self.claims.get(claim)?;
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))
    }

    /// Whether the holder of the private half of `key` signed it, by the algorithm that the header names and that
    /// fits the key.
    pub(super) fn is_signed_by(&self, key: &Value) -> bool {
        self.checked_by(key).is_some_and(|genuine| genuine)
    }

    fn checked_by(&self, key: &Value) -> Option<bool> {
        let algorithm = self.header("alg")?;
        if key.get("alg").and_then(Value::as_str).is_some_and(|own| own != algorithm) {
            return Some(false);
        }
        let part = |name: &str| key.get(name).and_then(Value::as_str);
        match part("kty")? {
            "RSA" => {
                let key = RsaPublicKeyComponents { n: number(part("n")?)?, e: number(part("e")?)? };
                let verified = key.verify(rsa(algorithm)?, self.signed.as_bytes(), &self.signature);
                Some(verified.is_ok())
            }
            "EC" => {
                let (verification, width) = curve(algorithm, part("crv")?)?;
                let (x, y) = (unbase64url(part("x")?)?, unbase64url(part("y")?)?);
                if x.len() != width || y.len() != width {
                    return Some(false);
                }
                // The uncompressed form of a point (SEC 1 section 2.3.3).
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                let key = UnparsedPublicKey::new(verification, point);
                Some(key.verify(self.signed.as_bytes(), &self.signature).is_ok())
            }
            _ => None,
        }
    }
}

impl Jws {
    /// As `is_signed_by`, with an RSA key as certificates hold it (`SubjectPublicKeyInfo`, DER).
    pub(super) fn is_signed_with(&self, public_key: &[u8]) -> bool {
        let Some(parameters) = self.header("alg").and_then(rsa) else { return false };
        let key = UnparsedPublicKey::new(parameters, public_key);
        key.verify(self.signed.as_bytes(), &self.signature).is_ok()
    }
}

/// Keys below 2048 bits are refused.
fn rsa(algorithm: &str) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
        _ => return None,
    })
}

/// The algorithm of a curve, and the bytes of a coordinate (RFC 7518 section 6.2.1).
fn curve(algorithm: &str, curve: &str) -> Option<(&'static dyn VerificationAlgorithm, usize)> {
    Some(match (algorithm, curve) {
        ("ES256", "P-256") => (&signature::ECDSA_P256_SHA256_FIXED, 32),
        ("ES384", "P-384") => (&signature::ECDSA_P384_SHA384_FIXED, 48),
        ("ES512", "P-521") => (&signature::ECDSA_P521_SHA512_FIXED, 66),
        _ => return None,
    })
}

/// A big-endian number without leading zeros.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = unbase64url(text)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes[zeros..].to_vec())
}

/// The thumbprint of a public key: SHA-256 over its required members in the order of their names (RFC 7638).
pub(super) fn thumbprint(key: &Value) -> Option<String> {
    let members: &[&str] = match key.get("kty")?.as_str()? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        _ => return None,
    };
    let parts: Option<Vec<String>> = members
        .iter()
        .map(|name| Some(format!("\"{name}\":{}", key.get(name).filter(|v| v.is_string())?)))
        .collect();
    Some(hash(&format!("{{{}}}", parts?.join(","))))
}

/// base64url of SHA-256 of the text.
pub(super) fn hash(text: &str) -> String {
    base64url(digest(&SHA256, text.as_bytes()).as_ref())
}

/// A token of our own. Its key is in this line: it keeps clients from inventing tokens by mistake, and nobody else out.
pub(super) fn mint(header: &Value, claims: &Value) -> String {
    let signed =
        format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let tag = hmac::sign(&own_key(), signed.as_bytes());
    format!("{signed}.{}", base64url(tag.as_ref()))
}

/// A token that `mint` made.
pub(super) fn minted(token: &str) -> Option<Jws> {
    let jws = Jws::parse(token)?;
    hmac::verify(&own_key(), jws.signed.as_bytes(), &jws.signature).ok().map(|()| jws)
}

fn own_key() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, b"simulated, not a secret")
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Without padding (RFC 7515 section 2).
pub(super) fn base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

fn unbase64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.as_bytes().chunks(4) {
        if chunk.len() == 1 {
            return None;
        }
        let mut word = 0_u32;
        for letter in chunk {
            word = word << 6 | u32::try_from(ALPHABET.iter().position(|known| known == letter)?).ok()?;
        }
        word <<= 6 * (4 - chunk.len());
        bytes.extend_from_slice(&word.to_be_bytes()[1..chunk.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn base64url_goes_there_and_back() {
        for (bytes, text) in
            [(&b""[..], ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xff\xfe", "__4")]
        {
            assert_eq!(base64url(bytes), text);
            assert_eq!(unbase64url(text).as_deref(), Some(bytes));
        }
        assert_eq!(unbase64url("Zg=="), None);
        assert_eq!(unbase64url("A"), None);
    }

    /// RFC 7515 appendix A.3.
    #[test]
    fn the_example_of_the_standard_is_genuine_and_a_changed_one_is_not() {
        let key = json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        });
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19\
                     yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let jws = Jws::parse(token).unwrap();
        assert!(jws.is_signed_by(&key));
        assert_eq!((jws.text("iss"), jws.seconds("exp")), (Some("joe"), Some(1_300_819_380)));
        let other = token.replacen("Q.DtEh", "Q.DtEi", 1);
        assert!(!Jws::parse(&other).unwrap().is_signed_by(&key));
        let renamed = json!({ "kty": "EC", "crv": "P-256", "x": key["x"], "y": key["y"], "alg": "ES384" });
        assert!(!jws.is_signed_by(&renamed));
    }

    /// RFC 7638 section 3.1.
    #[test]
    fn the_thumbprint_is_that_of_the_standard() {
        let key = json!({
            "kty": "RSA", "alg": "RS256", "kid": "2011-04-29", "e": "AQAB",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV\
                  4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7\
                  d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF4\
                  4-csFCur-kEgU8awapJzKnqDKgw",
        });
        assert_eq!(thumbprint(&key).as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    }

    #[test]
    fn a_token_of_our_own_opens_and_a_damaged_one_does_not() {
        let token = mint(&json!({ "typ": "x" }), &json!({ "sub": "0oa1" }));
        assert_eq!(minted(&token).unwrap().text("sub"), Some("0oa1"));
        assert!(minted(&format!("{token}A")).is_none());
    }
}
