//! Client assertions: of a certificate of the registration, or of another issuer (graph.md sections 2.2 and 2.3).

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::Timestamp;

use super::super::jws::Jws;
use super::CLIENT_ID;
use super::certificate;
use super::certificate::Certificate;
use super::knobs::AssertionClock;
use super::knobs::GraphKnobs;

/// The value of `client_assertion_type`.
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// What a federated assertion has to be meant for.
const EXCHANGE: &str = "api://AzureADTokenExchange";
/// Clocks may differ by so much.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

const MALFORMED: u32 = 50_027;
const BAD_SIGNATURE: u32 = 700_027;
const OUT_OF_TIME: u32 = 700_024;
const NO_FEDERATION: u32 = 70_021;

/// The AADSTS code of a refusal. `endpoint` is the address of the token endpoint; `used` are the `jti` seen so far.
pub(super) fn check(
    token: &str,
    endpoint: &str,
    knobs: &GraphKnobs,
    world: Timestamp,
    used: &mut BTreeSet<String>,
) -> Result<(), u32> {
    let jws = Jws::parse(token).ok_or(MALFORMED)?;
    let is_own = jws.text("iss") == Some(CLIENT_ID);
    if is_own {
        of_certificate(&jws, endpoint, knobs, clock(knobs, world))?
    } else {
        of_issuer(&jws, knobs)?
    }
    in_time(&jws, clock(knobs, world))?;
    if knobs.jti_once && is_own {
        let jti = jws.text("jti").ok_or(MALFORMED)?;
        if !used.insert(jti.to_owned()) {
            return Err(BAD_SIGNATURE);
        }
    }
    Ok(())
}

/// The time that assertions are measured by.
pub(super) fn clock(knobs: &GraphKnobs, world: Timestamp) -> Timestamp {
    let now = match knobs.assertion_clock {
        AssertionClock::Machine => Timestamp::now(),
        AssertionClock::World => world,
    };
    now.saturating_add(SignedDuration::from_secs(knobs.clock_skew_seconds)).unwrap_or(now)
}

/// PS256 with `x5t#S256`, or RS256 with `x5t`; both claims of identity are the client id.
fn of_certificate(jws: &Jws, endpoint: &str, knobs: &GraphKnobs, now: Timestamp) -> Result<(), u32> {
    if jws.text("sub") != Some(CLIENT_ID) || jws.text("aud") != Some(endpoint) || jws.text("jti").is_none() {
        return Err(BAD_SIGNATURE);
    }
    if !matches!(jws.header("alg"), Some("PS256" | "RS256")) || jws.header("typ") != Some("JWT") {
        return Err(BAD_SIGNATURE);
    }
    let mut registered = knobs.certificates.iter().filter_map(|pem| Certificate::of_pem(pem));
    let named = |certificate: &Certificate| match (jws.header("x5t#S256"), jws.header("x5t")) {
        (Some(thumbprint), _) => certificate.thumbprint_sha256() == thumbprint,
        (None, Some(thumbprint)) => certificate.thumbprint_sha1() == thumbprint,
        (None, None) => false,
    };
    let certificate = registered.find(named).ok_or(BAD_SIGNATURE)?;
    let is_valid = (certificate.not_before..=certificate.not_after).contains(&now);
    if is_valid && jws.is_signed_with(&certificate.public_key) { Ok(()) } else { Err(BAD_SIGNATURE) }
}

/// Issuer, subject and audience as configured, signed with RS256 by the issuer.
fn of_issuer(jws: &Jws, knobs: &GraphKnobs) -> Result<(), u32> {
    let known = &knobs.federated;
    let is_configured = !known.issuer.is_empty()
        && jws.text("iss") == Some(&known.issuer)
        && jws.text("sub") == Some(&known.subject);
    if !is_configured {
        return Err(NO_FEDERATION);
    }
    if !audiences(jws).contains(&EXCHANGE) {
        return Err(700_213);
    }
    let keys = known.keys.iter().filter_map(|pem| certificate::public_key(pem));
    let is_signed =
        jws.header("alg") == Some("RS256") && keys.into_iter().any(|key| jws.is_signed_with(&key));
    if is_signed { Ok(()) } else { Err(BAD_SIGNATURE) }
}

/// One, or a list of them (RFC 7519 section 4.1.3).
fn audiences(jws: &Jws) -> Vec<&str> {
    match jws.claims.get("aud") {
        Some(serde_json::Value::Array(all)) => all.iter().filter_map(|one| one.as_str()).collect(),
        _ => jws.text("aud").into_iter().collect(),
    }
}

fn in_time(jws: &Jws, now: Timestamp) -> Result<(), u32> {
    let at = |claim: &str| jws.seconds(claim).and_then(|seconds| Timestamp::from_second(seconds).ok());
    let ends = at("exp").ok_or(MALFORMED)?;
    // Another issuer may leave `nbf` out.
    let begins = at("nbf").or_else(|| at("iat")).ok_or(MALFORMED)?;
    let late = now.duration_since(ends) > TOLERANCE;
    let early = begins.duration_since(now) > TOLERANCE;
    if late || early { Err(OUT_OF_TIME) } else { Ok(()) }
}
