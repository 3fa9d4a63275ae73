//! Who may come in: API tokens, bearer tokens, DPoP-bound tokens, and the scopes of the latter two (okta.md section 2).

use jiff::SignedDuration;
use jiff::Timestamp;

use super::super::exchange::Answer;
use super::super::exchange::Request;
use super::super::jws;
use super::super::jws::Jws;
use super::OktaKnobs;
use super::call::Call;
use super::credentials::API_TOKEN;
use super::dpop;
use super::dpop::Proof;
use super::errors;

/// What the org remembers of sign-ins.
#[derive(Debug, Default)]
pub(in super::super) struct SignIns {
    pub(super) used: dpop::Used,
    /// When the API token was used last: it dies of disuse (okta.md section 2.1).
    token_used: Option<Timestamp>,
}

/// Whom the request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// The administrator who made the API token.
    Administrator,
    ServiceApp,
}

/// # Errors
/// The refusal, as it is sent.
pub(super) fn admit(
    sign_ins: &mut SignIns,
    knobs: &OktaKnobs,
    request: &Request,
    call: &Call,
    now: Timestamp,
) -> Result<Caller, Answer> {
    let Some((scheme, token)) = request.header("authorization").and_then(|text| text.split_once(' ')) else {
        return Err(errors::by_code("E0000005", ""));
    };
    match scheme {
        "SSWS" => {
            let admitted = by_api_token(sign_ins, knobs, token, now);
            admitted.map(|()| Caller::Administrator)
        }
        "Bearer" => {
            let claims = own_token(request, call, token, now)?;
            if thumbprint(&claims).is_some() {
                let what = "The access token is DPoP bound; use the DPoP authentication scheme.";
                return Err(refused(request, call, 400, "invalid_request", what));
            }
            has_scopes(request, call, &claims).map(|()| Caller::ServiceApp)
        }
        "DPoP" => {
            let claims = own_token(request, call, token, now)?;
            let Some(bound_to) = thumbprint(&claims) else {
                return Err(refused(
                    request,
                    call,
                    401,
                    "invalid_token",
                    "The access token is not DPoP bound.",
                ));
            };
            by_proof(sign_ins, knobs, request, call, (token, bound_to), now)?;
            has_scopes(request, call, &claims).map(|()| Caller::ServiceApp)
        }
        _ => Err(errors::by_code("E0000005", "")),
    }
}

/// | API token | answer |
/// |---|---|
/// | another, or an OAuth token behind the wrong scheme | 401 E0000011 |
/// | its maker is no administrator any more | 401 E0000011 |
/// | unused for 30 days | 401 E0000011 |
/// | used outside its network zone | as the knob says |
fn by_api_token(
    sign_ins: &mut SignIns,
    knobs: &OktaKnobs,
    token: &str,
    now: Timestamp,
) -> Result<(), Answer> {
    let idle = SignedDuration::from_hours(24 * knobs.token_idle_days);
    let expired = sign_ins.token_used.is_some_and(|used| now.duration_since(used) > idle);
    if token != API_TOKEN || !knobs.token_creator_active || expired {
        return Err(errors::by_code("E0000011", ""));
    }
    if let Some(status) = knobs.outside_network {
        return Err(errors::of_status(status));
    }
    sign_ins.token_used = Some(now);
    Ok(())
}

fn thumbprint(token: &Jws) -> Option<&str> {
    token.claims.get("cnf")?.get("jkt")?.as_str()
}

/// A token that this org made and that still lives.
fn own_token(request: &Request, call: &Call, token: &str, now: Timestamp) -> Result<Jws, Answer> {
    let known =
        jws::minted(token).filter(|token| token.text("iss").is_some_and(|org| same(org, &request.base)));
    let claims = known.ok_or_else(|| errors::by_code("E0000011", ""))?;
    if claims.seconds("exp").is_some_and(|ends| ends > now.as_second()) {
        return Ok(claims);
    }
    Err(refused(request, call, 401, "invalid_token", "The access token has expired."))
}

/// The two names of loopback stand for the two names of an org.
fn same(issuer: &str, base: &str) -> bool {
    issuer.replacen("//localhost", "//127.0.0.1", 1) == base.replacen("//localhost", "//127.0.0.1", 1)
}

fn by_proof(
    sign_ins: &mut SignIns,
    knobs: &OktaKnobs,
    request: &Request,
    call: &Call,
    (token, bound_to): (&str, &str),
    now: Timestamp,
) -> Result<(), Answer> {
    let refusal = |error: &str, text: &str, status| refused(request, call, status, error, text);
    let proof = match Proof::of(request) {
        Ok(Some(proof)) => proof,
        Ok(None) => {
            return Err(refusal("invalid_request", "The resource request requires a DPoP proof.", 400));
        }
        Err(text) => return Err(refusal("invalid_dpop_proof", text, 400)),
    };
    proof.fits(request, now).map_err(|text| refusal("invalid_dpop_proof", text, 400))?;
    proof.goes_with(token, bound_to).map_err(|text| refusal("invalid_dpop_proof", text, 400))?;
    proof.is_fresh(&mut sign_ins.used, now).map_err(|text| refusal("invalid_dpop_proof", text, 400))?;
    if let Some(status) = knobs.dpop_nonce_of_api
        && !proof.has_nonce(knobs, now)
    {
        let nonce = dpop::nonce(knobs, now);
        let answer = refusal("use_dpop_nonce", "Resource server requires nonce in DPoP proof.", status);
        return Err(answer.with("dpop-nonce", nonce));
    }
    Ok(())
}

fn has_scopes(request: &Request, call: &Call, token: &Jws) -> Result<(), Answer> {
    let held = token.claims.get("scp").and_then(serde_json::Value::as_array);
    let holds = |wanted: &str| held.is_some_and(|scopes| scopes.iter().any(|scope| scope == wanted));
    if call.scopes().iter().all(|wanted| holds(wanted)) { Ok(()) } else { Err(lacks_scope(request, call)) }
}

/// 403 without a body (okta.md section 2.2).
pub(super) fn lacks_scope(request: &Request, call: &Call) -> Answer {
    let text = "The access token provided does not contain the required scopes.";
    errors::empty(403).with("www-authenticate", challenge(request, call, "insufficient_scope", text))
}

/// The error stands in the header and, so that nobody can overlook it, in the body as well.
fn refused(request: &Request, call: &Call, status: u16, error: &str, text: &str) -> Answer {
    errors::oauth(status, error, text).with("www-authenticate", challenge(request, call, error, text))
}

fn challenge(request: &Request, call: &Call, error: &str, text: &str) -> String {
    let dpop = request.header("authorization").is_some_and(|text| text.starts_with("DPoP "))
        || error.contains("dpop");
    let scheme =
        if dpop { format!("DPoP algs=\"{}\", ", jws::ALGORITHMS.join(" ")) } else { "Bearer ".to_owned() };
    let path = request.target.split('?').next().unwrap_or_default();
    format!(
        "{scheme}authorization_uri=\"{base}/oauth2/v1/authorize\", realm=\"{base}\", scope=\"{}\", error=\"{error}\", \
         error_description=\"{text}\", resource=\"{path}\"",
        call.scopes().join(" "),
        base = request.base,
    )
}
