//! Keys and certificates that openssl and Python's cryptography made, for tests alone.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rosterd::client::CertifiedKey;
use rosterd::client::Secret;
use rosterd::client::SigningKey;
use serde_json::Value;

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys").join(name)
}

pub fn text(name: &str) -> Secret {
    Secret::new(std::fs::read_to_string(path(name)).unwrap())
}

pub fn key(name: &str) -> SigningKey {
    SigningKey::read(&text(name)).unwrap()
}

/// A certificate and the RSA key beside it.
pub fn pair(certificate: &str) -> CertifiedKey {
    CertifiedKey::read(&text(certificate), Some(&text("rsa.pkcs8.pem"))).unwrap()
}

/// Header and claims of a token, not verified.
pub fn unpacked(token: &str) -> (Value, Value) {
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "{token}");
    let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (json(parts[0]), json(parts[1]))
}
