//! Private keys that sign: PEM or JWK in, the one form that jsonwebtoken signs with out.
//!
//! | given as | begins with |
//! |---|---|
//! | PKCS#8, RSA or EC | `-----BEGIN PRIVATE KEY-----` |
//! | PKCS#1, RSA | `-----BEGIN RSA PRIVATE KEY-----` |
//! | SEC 1 (RFC 5915), EC | `-----BEGIN EC PRIVATE KEY-----` |
//! | JWK (RFC 7517), RSA or EC | `{` |

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::Pkcs8V1Der;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use aws_lc_rs::signature::ECDSA_P384_SHA384_FIXED_SIGNING;
use aws_lc_rs::signature::ECDSA_P521_SHA512_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::EcdsaSigningAlgorithm;
use aws_lc_rs::signature::KeyPair;
use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;

use super::Algorithm;
use super::Secret;

/// RFC 8410.
const ED25519: &str = "1.3.101.112";
const ED448: &str = "1.3.101.113";

/// What both services take at least.
const RSA_BITS_LEAST: usize = 2048;

/// The cure that the documentation spells out; it also takes the password off.
pub(super) const FROM_PKCS12: &str = "convert it: openssl pkcs12 -in FILE.pfx -out FILE.pem -noenc";

/// Why a key or a certificate cannot be used. The texts never show the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {cure}")]
pub struct KeyError {
    pub what: String,
    pub cure: String,
}

impl KeyError {
    pub(super) fn new(what: impl Into<String>, cure: impl Into<String>) -> KeyError {
        KeyError { what: what.into(), cure: cure.into() }
    }
}

/// A private key, and what it can do. `Debug` shows its kind only (P11).
#[derive(Clone)]
pub struct SigningKey {
    kind: KeyKind,
    encoding: EncodingKey,
    /// As the bit string of a certificate holds it.
    public: Vec<u8>,
    kid: Option<String>,
}

/// RSA, or the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Rsa,
    P256,
    P384,
    P521,
}

impl KeyKind {
    /// The algorithm to sign with where nobody says which.
    pub fn usual_algorithm(self) -> Algorithm {
        match self {
            KeyKind::Rsa => Algorithm::Rs256,
            KeyKind::P256 => Algorithm::Es256,
            KeyKind::P384 => Algorithm::Es384,
            KeyKind::P521 => Algorithm::Es512,
        }
    }

    fn name(self) -> &'static str {
        match self {
            KeyKind::Rsa => "RSA",
            KeyKind::P256 => "EC P-256",
            KeyKind::P384 => "EC P-384",
            KeyKind::P521 => "EC P-521",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl SigningKey {
    /// Takes PEM and JWK apart by their first character.
    pub fn read(secret: &Secret) -> Result<SigningKey, KeyError> {
        let text = secret.reveal();
        if text.trim_start().starts_with('{') { from_jwk(text) } else { from_pem(text) }
    }

    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The id that a JWK names itself by.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    pub(super) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kind)
    }
}

fn from_pem(text: &str) -> Result<SigningKey, KeyError> {
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(KeyError::new(
            "the private key is encrypted",
            "take its password off: openssl pkey -in FILE -out KEY.pem",
        ));
    }
    if text.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
        let cure = "make one that it can use: openssl genrsa -out KEY.pem 2048";
        return Err(KeyError::new("the private key is one of OpenSSH", cure));
    }
    match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
        Ok(PrivateKeyDer::Pkcs1(der)) => from_pkcs1(der.secret_pkcs1_der()),
        Ok(PrivateKeyDer::Pkcs8(der)) => from_pkcs8(der.secret_pkcs8_der()),
        Ok(PrivateKeyDer::Sec1(der)) => from_sec1(der.secret_sec1_der()),
        Ok(_) => Err(unreadable()),
        Err(rustls_pki_types::pem::Error::NoItemsFound) => Err(KeyError::new(
            "there is no private key in it",
            "put the key into the same PEM file, or name the file of the key",
        )),
        Err(_) => Err(unreadable()),
    }
}

fn from_pkcs8(der: &[u8]) -> Result<SigningKey, KeyError> {
    let info = pkcs8::PrivateKeyInfoRef::try_from(der).map_err(|_| unreadable())?;
    match info.algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => from_pkcs1(info.private_key.as_bytes()),
        "1.2.840.10045.2.1" => from_sec1(der),
        ED25519 | ED448 => Err(edwards()),
        other => Err(KeyError::new(
            format!("the private key is of the kind {other}, neither RSA nor EC"),
            "make an RSA key: openssl genrsa -out KEY.pem 2048",
        )),
    }
}

fn from_pkcs1(der: &[u8]) -> Result<SigningKey, KeyError> {
    let pair = RsaKeyPair::from_der(der).map_err(|rejected| match rejected.description_() {
        "TooSmall" => too_small(),
        _ => unreadable(),
    })?;
    if pair.public_modulus_len() * 8 < RSA_BITS_LEAST {
        return Err(too_small());
    }
    let public = pair.public_key().as_ref().to_vec();
    Ok(SigningKey { kind: KeyKind::Rsa, encoding: EncodingKey::from_rsa_der(der), public, kid: None })
}

/// SEC 1 or PKCS#8: whichever curve takes it.
fn from_sec1(der: &[u8]) -> Result<SigningKey, KeyError> {
    let curves = [KeyKind::P256, KeyKind::P384, KeyKind::P521];
    let pair = curves.into_iter().find_map(|kind| {
        let pair = EcdsaKeyPair::from_private_key_der(signing(kind)?, der).ok()?;
        Some((kind, pair))
    });
    match pair {
        Some((kind, pair)) => from_pair(kind, &pair),
        None => Err(KeyError::new(
            "the private key is on no curve that can be used",
            "use P-256: openssl ecparam -name prime256v1 -genkey -noout -out KEY.pem",
        )),
    }
}

fn signing(kind: KeyKind) -> Option<&'static EcdsaSigningAlgorithm> {
    match kind {
        KeyKind::Rsa => None,
        KeyKind::P256 => Some(&ECDSA_P256_SHA256_FIXED_SIGNING),
        KeyKind::P384 => Some(&ECDSA_P384_SHA384_FIXED_SIGNING),
        KeyKind::P521 => Some(&ECDSA_P521_SHA512_FIXED_SIGNING),
    }
}

fn from_pair(kind: KeyKind, pair: &EcdsaKeyPair) -> Result<SigningKey, KeyError> {
    let der = pair.to_pkcs8v1().map_err(|_| unreadable())?;
    let public = pair.public_key().as_ref().to_vec();
    Ok(SigningKey { kind, encoding: EncodingKey::from_ec_der(der.as_ref()), public, kid: None })
}

/// RFC 7518 sections 6.2 and 6.3. No `Debug`: it holds the key.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
    keys: Option<serde::de::IgnoredAny>,
}

fn from_jwk(text: &str) -> Result<SigningKey, KeyError> {
    let no_jwk = |what: &str| KeyError::new(what, "put down one private key as JWK, or as PEM");
    // The position is not told: serde's message can quote a value.
    let jwk: Jwk = serde_json::from_str(text).map_err(|_| match text.contains("\"keys\"") {
        true => no_jwk("it is a set of keys, not one key"),
        false => no_jwk("it is no JWK"),
    })?;
    if jwk.keys.is_some() {
        return Err(no_jwk("it is a set of keys, not one key"));
    }
    if jwk.d.is_none() {
        return Err(no_jwk("the JWK holds a public key only"));
    }
    let key = match jwk.kty.as_str() {
        "RSA" => rsa_jwk(&jwk)?,
        "EC" => ec_jwk(&jwk)?,
        "OKP" => return Err(edwards()),
        _ => return Err(no_jwk("the JWK is neither RSA nor EC")),
    };
    Ok(SigningKey { kid: jwk.kid, ..key })
}

fn rsa_jwk(jwk: &Jwk) -> Result<SigningKey, KeyError> {
    let n = part(&jwk.n, "n")?;
    if n.len() * 8 < RSA_BITS_LEAST {
        return Err(too_small());
    }
    let parts = rsa::KeyPairComponents {
        public_key: rsa::PublicKeyComponents { n, e: part(&jwk.e, "e")? },
        d: part(&jwk.d, "d")?,
        p: part(&jwk.p, "p")?,
        q: part(&jwk.q, "q")?,
        dP: part(&jwk.dp, "dp")?,
        dQ: part(&jwk.dq, "dq")?,
        qInv: part(&jwk.qi, "qi")?,
    };
    let pair = RsaKeyPair::from_components(&parts).map_err(|_| unreadable())?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| unreadable())?;
    from_pkcs8(der.as_ref())
}

fn ec_jwk(jwk: &Jwk) -> Result<SigningKey, KeyError> {
    let (kind, length) = match jwk.crv.as_deref() {
        Some("P-256") => (KeyKind::P256, 32),
        Some("P-384") => (KeyKind::P384, 48),
        Some("P-521") => (KeyKind::P521, 66),
        _ => return Err(KeyError::new("the JWK names no curve that can be used", "use P-256")),
    };
    let d = part(&jwk.d, "d")?;
    let point: Vec<u8> = [vec![4], part(&jwk.x, "x")?, part(&jwk.y, "y")?].concat();
    let fits = d.len() == length && point.len() == 1 + 2 * length;
    let pair = signing(kind)
        .filter(|_| fits)
        .and_then(|curve| EcdsaKeyPair::from_private_key_and_public_key(curve, &d, &point).ok());
    from_pair(kind, &pair.ok_or_else(unreadable)?)
}

fn part(value: &Option<String>, name: &str) -> Result<Vec<u8>, KeyError> {
    let missing = || {
        let what = format!("the JWK has no usable `{name}`");
        KeyError::new(what, "export the whole private key, or put it down as PEM")
    };
    URL_SAFE_NO_PAD.decode(value.as_deref().ok_or_else(missing)?).map_err(|_| missing())
}

fn edwards() -> KeyError {
    KeyError::new(
        "the private key is an Edwards key (EdDSA), which neither service takes",
        "make an RSA key: openssl genrsa -out KEY.pem 2048",
    )
}

fn too_small() -> KeyError {
    KeyError::new(
        format!("the RSA key has less than {RSA_BITS_LEAST} bits"),
        "make a longer one: openssl genrsa -out KEY.pem 2048",
    )
}

fn unreadable() -> KeyError {
    KeyError::new(
        "the private key cannot be read",
        "make sure that the file is whole; openssl pkey -check -in FILE tells",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> Result<SigningKey, KeyError> {
        let path = format!("{}/tests/fixtures/keys/{name}", env!("CARGO_MANIFEST_DIR"));
        SigningKey::read(&Secret::new(std::fs::read_to_string(path).unwrap()))
    }

    /// The same key in every form has the same public half.
    #[test]
    fn every_form_of_key_is_read() {
        for (kind, names) in [
            (KeyKind::Rsa, &["rsa.pkcs8.pem", "rsa.pkcs1.pem", "rsa.jwk.json"][..]),
            (KeyKind::P256, &["ec.p256.pkcs8.pem", "ec.p256.sec1.pem", "ec.p256.jwk.json"]),
            (KeyKind::P384, &["ec.p384.pkcs8.pem"]),
            (KeyKind::P521, &["ec.p521.pkcs8.pem", "ec.p521.jwk.json"]),
        ] {
            let keys: Vec<SigningKey> = names.iter().map(|name| read(name).unwrap()).collect();
            for key in &keys {
                assert_eq!((key.kind(), key.public()), (kind, keys[0].public()));
            }
        }
        assert_eq!(read("rsa.jwk.json").unwrap().kid(), Some("key-1"));
        assert_eq!(read("rsa.pkcs8.pem").unwrap().kid(), None);
        assert_eq!(format!("{:?}", read("rsa.pkcs8.pem").unwrap()), "SigningKey(RSA)");
    }

    #[test]
    fn a_key_that_cannot_be_used_is_told_with_its_cure() {
        for (name, text) in [
            (
                "rsa.encrypted.pem",
                "the private key is encrypted; take its password off: openssl pkey -in FILE",
            ),
            ("rsa.encrypted-old.pem", "the private key is encrypted; take its password off"),
            (
                "ed25519.pem",
                "the private key is an Edwards key (EdDSA), which neither service takes; make an RSA",
            ),
            (
                "ec.k256.sec1.pem",
                "the private key is on no curve that can be used; use P-256: openssl ecparam",
            ),
            ("rsa1024.pem", "the RSA key has less than 2048 bits; make a longer one: openssl genrsa"),
            ("rsa.certificate.pem", "there is no private key in it; put the key into the same PEM file"),
            ("rsa.public.pem", "there is no private key in it; "),
        ] {
            let error = read(name).unwrap_err().to_string();
            assert!(error.starts_with(text), "{name}: {error}");
        }
    }

    #[test]
    fn a_jwk_that_cannot_be_used_is_told_without_showing_it() {
        for (text, what) in [
            (r#"{"kty":"RSA","n":"hush","e":"AQAB"}"#, "the JWK holds a public key only"),
            (r#"{"keys":[{"kty":"RSA","d":"hush"}]}"#, "it is a set of keys, not one key"),
            (r#"{"kty":"OKP","crv":"Ed25519","x":"hush","d":"hush"}"#, "the private key is an Edwards key"),
            (r#"{"kty":"oct","k":"hush","d":"hush"}"#, "the JWK is neither RSA nor EC"),
            (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}"#, "the private key cannot be read"),
            (r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA","d":"AA"}"#, "the JWK names no curve"),
            (r#"{"kty":"EC","crv":"P-256","y":"AA","d":"AA"}"#, "the JWK has no usable `x`"),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AA"}"#, "the RSA key has less than 2048 bits"),
            ("{hush", "it is no JWK"),
        ] {
            let error = SigningKey::read(&Secret::new(text)).unwrap_err().to_string();
            assert!(error.starts_with(what) && !error.contains("hush"), "{error}");
        }
    }
}
