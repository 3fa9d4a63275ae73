//! Proofs of possession (RFC 9449; okta.md section 2.3).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::super::exchange::Request;
use super::super::jws;
use super::super::jws::Jws;
use super::OktaKnobs;

/// A proof may be that old.
const AGE_MAX: i64 = 5 * 60;
/// A nonce that was replaced is good for so many further periods: three days at 24 hours each.
const OLD_NONCES: i64 = 3;

/// Ids of assertions and proofs that were seen, with the second from which on each may be forgotten.
#[derive(Debug, Default)]
pub(super) struct Used(BTreeMap<String, i64>);

impl Used {
    /// Whether the id was not seen before; from now on it was.
    pub(super) fn take(&mut self, id: &str, until: i64, now: Timestamp) -> bool {
        self.0.retain(|_, end| *end >= now.as_second());
        self.0.insert(id.to_owned(), until).is_none()
    }
}

/// A proof whose signature is good.
#[derive(Debug)]
pub(super) struct Proof {
    jws: Jws,
    /// The thumbprint of the key that signed it.
    pub(super) thumbprint: String,
}

impl Proof {
    /// `None` where the request has no proof.
    ///
    /// # Errors
    /// What is wrong with its form or its signature.
    pub(super) fn of(request: &Request) -> Result<Option<Proof>, &'static str> {
        let mut sent = request.headers.get_all("dpop").iter();
        let Some(first) = sent.next() else { return Ok(None) };
        if sent.next().is_some() {
            return Err("The request contains more than one DPoP proof JWT header.");
        }
        let parsed = first.to_str().ok().and_then(Jws::parse);
        let jws = parsed.ok_or("The DPoP proof JWT header could not be parsed.")?;
        if jws.header("typ") != Some("dpop+jwt") {
            return Err("The DPoP proof JWT header has an invalid 'typ' value.");
        }
        if !jws.header("alg").is_some_and(|algorithm| jws::ALGORITHMS.contains(&algorithm)) {
            return Err("The DPoP proof JWT header has an invalid 'alg' value.");
        }
        let key = jws.header.get("jwk").ok_or("The DPoP proof JWT header has no 'jwk' value.")?;
        if is_private(key) {
            return Err("The 'jwk' value of the DPoP proof JWT header contains a private key.");
        }
        let thumbprint =
            jws::thumbprint(key).ok_or("The DPoP proof JWT header has an invalid 'jwk' value.")?;
        if !jws.is_signed_by(key) {
            return Err("The DPoP proof JWT signature is invalid.");
        }
        Ok(Some(Proof { jws, thumbprint }))
    }

    /// The proof was made for this request, just now.
    pub(super) fn fits(&self, request: &Request, now: Timestamp) -> Result<(), &'static str> {
        let now = now.as_second();
        if self.jws.text("htm") != Some(&request.method) {
            return Err(
                "The 'htm' claim in the DPoP proof JWT does not match the HTTP method of the request.",
            );
        }
        let path = request.target.split('?').next().unwrap_or_default();
        if self.jws.text("htu") != Some(&format!("{}{path}", request.base)) {
            return Err("The 'htu' claim in the DPoP proof JWT does not match the URI of the request.");
        }
        let issued = self.jws.seconds("iat").ok_or("The DPoP proof JWT has no 'iat' claim.")?;
        if issued > now {
            return Err("The DPoP proof JWT is issued in the future.");
        }
        if now - issued > AGE_MAX {
            return Err("The DPoP proof JWT is issued more than five minutes in the past.");
        }
        if self.jws.seconds("exp").is_some_and(|ends| ends <= now) {
            return Err("The DPoP proof JWT is expired.");
        }
        match self.jws.text("jti") {
            Some(id) if !id.is_empty() => Ok(()),
            _ => Err("The DPoP proof JWT has an invalid 'jti' claim."),
        }
    }

    /// The proof names the access token, which was bound to the key of the proof.
    pub(super) fn goes_with(&self, token: &str, bound_to: &str) -> Result<(), &'static str> {
        if self.jws.text("ath") != Some(&jws::hash(token)) {
            return Err("'ath' claim in the DPoP proof does not match the presented access_token.");
        }
        if self.thumbprint != bound_to {
            return Err("The access token is not bound to the key of the DPoP proof JWT.");
        }
        Ok(())
    }

    pub(super) fn is_fresh(&self, used: &mut Used, now: Timestamp) -> Result<(), &'static str> {
        let id = format!("proof {} {}", self.thumbprint, self.jws.text("jti").unwrap_or_default());
        match used.take(&id, now.as_second() + AGE_MAX, now) {
            true => Ok(()),
            false => Err("The DPoP proof JWT has already been used."),
        }
    }

    /// Whether it carries a nonce that was given out not too long ago.
    pub(super) fn has_nonce(&self, knobs: &OktaKnobs, now: Timestamp) -> bool {
        let period = period(knobs, now);
        let good = (period - OLD_NONCES..=period).map(of_period);
        self.jws.text("nonce").is_some_and(|sent| good.into_iter().any(|nonce| nonce == sent))
    }
}

/// Members that only a private key has (RFC 7518 section 6).
fn is_private(key: &Value) -> bool {
    ["d", "p", "q", "dp", "dq", "qi"].iter().any(|member| key.get(member).is_some())
}

/// The nonce of this period.
pub(super) fn nonce(knobs: &OktaKnobs, now: Timestamp) -> String {
    of_period(period(knobs, now))
}

fn of_period(period: i64) -> String {
    jws::hash(&format!("nonce {period}"))
}

fn period(knobs: &OktaKnobs, now: Timestamp) -> i64 {
    now.as_second().div_euclid(knobs.dpop_nonce_hours.max(1) * 3600)
}
