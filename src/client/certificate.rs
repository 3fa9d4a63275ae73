//! Certificates beside private keys: their thumbprints, and from when to when they are good.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_cert::der::Decode;

use super::KeyError;
use super::Secret;
use super::SigningKey;

/// A certificate whose private key we hold. It is public; only its dates are shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    public: Vec<u8>,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct CertifiedKey {
    pub certificate: Certificate,
    pub key: SigningKey,
}

impl CertifiedKey {
    /// Both from one PEM file, or the key from a file of its own. Of a chain, the certificate of the key counts.
    pub fn read(certificate: &Secret, key: Option<&Secret>) -> Result<CertifiedKey, KeyError> {
        let chain = chain(certificate.reveal())?;
        let key = SigningKey::read(key.unwrap_or(certificate))?;
        match chain.into_iter().find(|certificate| certificate.public == key.public()) {
            Some(certificate) => Ok(CertifiedKey { certificate, key }),
            None => Err(KeyError::new(
                "the private key does not belong to the certificate",
                "put both of one pair down: openssl x509 -noout -pubkey -in CERTIFICATE and openssl pkey \
                 -pubout -in KEY show the same",
            )),
        }
    }
}

fn chain(text: &str) -> Result<Vec<Certificate>, KeyError> {
    let unreadable =
        || KeyError::new("the certificate cannot be read", "make sure that the PEM file is whole");
    let mut chain = Vec::new();
    for der in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let der = der.map_err(|_| unreadable())?;
        chain.push(Certificate::from_der(&der).ok_or_else(unreadable)?);
    }
    if chain.is_empty() {
        return Err(KeyError::new(
            "there is no certificate in it",
            "put the certificate (-----BEGIN CERTIFICATE-----) into the same PEM file as its key",
        ));
    }
    Ok(chain)
}

impl Certificate {
    fn from_der(der: &[u8]) -> Option<Certificate> {
        let parsed = x509_cert::Certificate::from_der(der).ok()?;
        let inner = parsed.tbs_certificate();
        let at = |time: x509_cert::time::Time| {
            Timestamp::from_second(i64::try_from(time.to_unix_duration().as_secs()).ok()?).ok()
        };
        Some(Certificate {
            der: der.to_vec(),
            public: inner.subject_public_key_info().subject_public_key.as_bytes()?.to_vec(),
            not_before: at(inner.validity().not_before)?,
            not_after: at(inner.validity().not_after)?,
        })
    }

    /// The moment after which it is worth nothing.
    pub fn expires(&self) -> Timestamp {
        self.not_after
    }

    /// Whether it is good at a moment.
    pub fn good_at(&self, now: Timestamp) -> Result<(), KeyError> {
        if now > self.not_after {
            return Err(KeyError::new(
                format!("the certificate has expired on {}", day(self.not_after)),
                "make a new pair, upload its certificate under Certificates & secrets, and put it down here",
            ));
        }
        if now < self.not_before {
            return Err(KeyError::new(
                format!(
                    "the certificate is good from {} on, and it is {} now",
                    day(self.not_before),
                    day(now)
                ),
                "wait until then, or set this host's clock right",
            ));
        }
        Ok(())
    }

    /// `x5t#S256` (RFC 7515 section 4.1.8).
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &self.der))
    }

    /// `x5t` (RFC 7515 section 4.1.7): a name, not a proof, so SHA-1 does.
    pub fn old_thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate(until {})", day(self.not_after))
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Secret {
        let path = format!("{}/tests/fixtures/keys/{name}", env!("CARGO_MANIFEST_DIR"));
        Secret::new(std::fs::read_to_string(path).unwrap())
    }

    fn joined(names: &[&str]) -> Secret {
        Secret::new(names.iter().map(|name| file(name).reveal().to_owned()).collect::<String>())
    }

    /// The thumbprints are openssl's.
    #[test]
    fn a_certificate_and_its_key_come_from_one_file_or_two() {
        let one = CertifiedKey::read(&joined(&["rsa.certificate.pem", "rsa.pkcs8.pem"]), None).unwrap();
        let two = CertifiedKey::read(&file("rsa.certificate.pem"), Some(&file("rsa.pkcs1.pem"))).unwrap();
        assert_eq!(one.certificate, two.certificate);
        assert_eq!(one.certificate.thumbprint(), "kDl6Jp9fpAW8KsdeYlhT27YDI174zFkd1RGvsbXHb54");
        assert_eq!(one.certificate.old_thumbprint(), "hvwdLJzh80Bi_pAIo3vHaZB18zA");
        assert_eq!(one.certificate.expires().to_string(), "2120-01-01T00:00:00Z");
        CertifiedKey::read(&file("ec.p256.certificate.pem"), Some(&file("ec.p256.sec1.pem"))).unwrap();
    }

    #[test]
    fn of_a_chain_the_certificate_of_the_key_counts() {
        let chain = joined(&["other.certificate.pem", "rsa.certificate.pem", "rsa.pkcs8.pem"]);
        let pair = CertifiedKey::read(&chain, None).unwrap();
        assert_eq!(pair.certificate.thumbprint(), "kDl6Jp9fpAW8KsdeYlhT27YDI174zFkd1RGvsbXHb54");
    }

    #[test]
    fn what_is_no_pair_is_told() {
        let problem = |certificate: &Secret, key: Option<&Secret>| {
            CertifiedKey::read(certificate, key).unwrap_err().what
        };
        let key = file("rsa.pkcs8.pem");
        assert_eq!(
            problem(&file("other.certificate.pem"), Some(&key)),
            "the private key does not belong to the certificate"
        );
        assert_eq!(problem(&file("rsa.certificate.pem"), None), "there is no private key in it");
        assert_eq!(problem(&key, None), "there is no certificate in it");
        let broken = Secret::new(file("rsa.certificate.pem").reveal().replace("MII", "MIJ"));
        assert_eq!(problem(&broken, Some(&key)), "the certificate cannot be read");
    }

    #[test]
    fn a_certificate_is_good_from_its_first_moment_to_its_last() {
        let certificate =
            CertifiedKey::read(&file("rsa.expired.pem"), Some(&file("rsa.pkcs8.pem"))).unwrap().certificate;
        let at = |now: &str| certificate.good_at(now.parse().unwrap()).map_err(|error| error.to_string());
        assert_eq!(at("2020-01-01T00:00:00Z"), Ok(()));
        assert_eq!(at("2021-01-01T00:00:00Z"), Ok(()));
        assert_eq!(
            at("2021-01-01T00:00:01Z").unwrap_err(),
            "the certificate has expired on 2021-01-01; make a new pair, upload its certificate under Certificates & \
             secrets, and put it down here"
        );
        assert_eq!(
            at("2019-12-31T23:59:59Z").unwrap_err(),
            "the certificate is good from 2020-01-01 on, and it is 2019-12-31 now; wait until then, or set this \
             host's clock right"
        );
    }
}
