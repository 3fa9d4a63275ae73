//! As much of PEM, DER and X.509 as a token endpoint needs: thumbprint, validity and public key (RFC 5280, RFC 7468).

use std::fmt::Write as _;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::super::jws::base64url;

/// A certificate of the app registration, or of an issuer.
pub(super) struct Certificate {
    der: Vec<u8>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    /// `SubjectPublicKeyInfo`, DER.
    pub(super) public_key: Vec<u8>,
}

impl Certificate {
    pub(super) fn of_pem(pem: &str) -> Option<Certificate> {
        Certificate::of_der(pem_body(pem, "CERTIFICATE")?)
    }

    fn of_der(der: Vec<u8>) -> Option<Certificate> {
        let (_, certificate, _) = element(&der)?;
        let (_, mut fields, _) = element(certificate)?;
        // The version is optional; then come serial number, algorithm and issuer.
        if let Some((0xa0, _, rest)) = element(fields) {
            fields = rest;
        }
        for _ in 0..3 {
            (_, _, fields) = element(fields)?;
        }
        let (_, validity, fields) = element(fields)?;
        let (from_tag, from, validity) = element(validity)?;
        let (to_tag, to, _) = element(validity)?;
        let (_, _, key) = element(fields)?;
        let (_, _, after_key) = element(key)?;
        let public_key = key[..key.len() - after_key.len()].to_vec();
        let (not_before, not_after) = (time(from_tag, from)?, time(to_tag, to)?);
        Some(Certificate { not_before, not_after, public_key, der })
    }

    /// `x5t#S256`: SHA-256 of the certificate, base64url.
    pub(super) fn thumbprint_sha256(&self) -> String {
        base64url(digest::digest(&digest::SHA256, &self.der).as_ref())
    }

    /// `x5t`: SHA-1 of the certificate, base64url.
    pub(super) fn thumbprint_sha1(&self) -> String {
        base64url(self.sha1().as_ref())
    }

    /// As the portal shows it.
    pub(super) fn thumbprint_hex(&self) -> String {
        self.sha1().as_ref().iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02X}");
            text
        })
    }

    fn sha1(&self) -> digest::Digest {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der)
    }
}

/// The public key of a PEM certificate or of a PEM public key.
pub(super) fn public_key(pem: &str) -> Option<Vec<u8>> {
    Certificate::of_pem(pem).map(|certificate| certificate.public_key).or_else(|| pem_body(pem, "PUBLIC KEY"))
}

fn pem_body(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once("-----END")?;
    let text: String = body.chars().filter(|letter| !letter.is_whitespace()).collect();
    STANDARD.decode(text).ok()
}

/// The first element of a DER text: its tag, its content and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, &byte| (length << 8) | usize::from(byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `UTCTime` has two digits of the year (RFC 5280 section 4.1.2.5.1), `GeneralizedTime` four.
fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        0x17 if text.get(..2)?.parse::<u8>().ok()? < 50 => format!("20{text}"),
        0x17 => format!("19{text}"),
        _ => text.to_owned(),
    };
    let at = DateTime::strptime("%Y%m%d%H%M%SZ", &text).ok()?;
    at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
