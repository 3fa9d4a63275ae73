//! The token endpoint of the org authorization server (okta.md section 2.2).

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::super::exchange::Answer;
use super::super::exchange::Request;
use super::super::jws;
use super::super::jws::Jws;
use super::OktaKnobs;
use super::Reply;
use super::credentials::OKTA_CLIENT_ID;
use super::dpop;
use super::dpop::Proof;
use super::dpop::Used;
use super::errors::oauth;

/// Seconds that an access token lives; not configurable.
const LIFETIME: i64 = 3600;
/// Seconds that an assertion may live.
const ASSERTION_MAX: i64 = 3600;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const WRONG_METHOD: &str = "Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method.";

/// The body of the request.
struct Form(Vec<(String, String)>);

impl Form {
    fn field(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

pub(super) fn issue(used: &mut Used, knobs: &OktaKnobs, request: &Request, now: Timestamp) -> Reply {
    let form = form(request)?;
    match form.field("grant_type") {
        Some("client_credentials") => {}
        None => return Err(oauth(400, "invalid_request", "The request has no 'grant_type' parameter.")),
        Some(_) => {
            let text = "The authorization grant type is not supported by the authorization server.";
            return Err(oauth(400, "unsupported_grant_type", text));
        }
    }
    authenticate(used, knobs, request, &form, now)?;
    if !knobs.service_app {
        let text = "The client is not authorized to use the provided grant type.";
        return Err(oauth(400, "unauthorized_client", text));
    }
    let proof = proof(used, knobs, request, now)?;
    let scopes = scopes(knobs, &form)?;
    let body = json!({
        "token_type": if proof.is_some() { "DPoP" } else { "Bearer" },
        "expires_in": LIFETIME,
        "access_token": access_token(request, &scopes, proof.as_ref(), now),
        "scope": scopes.join(" "),
    });
    let answer = Answer::json(200, body);
    Ok(match proof {
        Some(_) => answer.with("dpop-nonce", dpop::nonce(knobs, now)),
        None => answer,
    })
}

fn form(request: &Request) -> Result<Form, Answer> {
    let form = request.header("content-type").and_then(|text| text.split(';').next()).map(str::trim);
    if form != Some("application/x-www-form-urlencoded") {
        let text = "The request body must be application/x-www-form-urlencoded.";
        return Err(oauth(400, "invalid_request", text));
    }
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    let twice =
        |(place, field): (usize, &(String, String))| fields[..place].iter().any(|(name, _)| *name == field.0);
    if fields.iter().enumerate().any(twice) {
        return Err(oauth(400, "invalid_request", "A parameter is included more than once."));
    }
    Ok(Form(fields))
}

/// Each check in the order in which it is made; all refusals are 401 `invalid_client` unless said otherwise. The id of
/// a good assertion is used up even where the request fails for another reason.
fn authenticate(
    used: &mut Used,
    knobs: &OktaKnobs,
    request: &Request,
    form: &Form,
    now: Timestamp,
) -> Result<(), Answer> {
    let refusal = |text: &str| oauth(401, "invalid_client", text);
    if request.header("authorization").is_some() || form.field("client_secret").is_some() {
        return Err(refusal(WRONG_METHOD));
    }
    let sent = form.field("client_assertion").ok_or_else(|| refusal(WRONG_METHOD))?;
    if form.field("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err(oauth(400, "invalid_request", "The client_assertion_type is invalid."));
    }
    let assertion = Jws::parse(sent).ok_or_else(|| refusal("The parsing of the client_assertion failed."))?;
    let (issuer, subject) = (assertion.text("iss"), assertion.text("sub"));
    if issuer.is_none() || issuer != subject {
        return Err(refusal("The issuer and subject of the client_assertion must be the client_id."));
    }
    if subject != Some(OKTA_CLIENT_ID) || form.field("client_id").is_some_and(|id| id != OKTA_CLIENT_ID) {
        let text = "Invalid value for 'client_id' parameter.";
        return Err(oauth(knobs.unknown_client_status, "invalid_client", text));
    }
    let key = registered_key(knobs, &assertion)
        .ok_or_else(|| refusal("The client_assertion JWT kid is invalid."))?;
    let known = assertion.header("alg").is_some_and(|algorithm| jws::ALGORITHMS.contains(&algorithm));
    if !known || !assertion.is_signed_by(key) {
        return Err(refusal("The client_assertion signature is invalid."));
    }
    check_claims(request, &assertion, now).map_err(refusal)?;
    let ends = assertion.seconds("exp").unwrap_or_default();
    match assertion.text("jti") {
        Some(id) if !used.take(&format!("assertion {id}"), ends, now) => {
            Err(refusal("The client_assertion token has already been used."))
        }
        _ => Ok(()),
    }
}

/// By the key id, which may be left out where there is one key only.
fn registered_key<'a>(knobs: &'a OktaKnobs, assertion: &Jws) -> Option<&'a Value> {
    match (assertion.header("kid"), knobs.service_keys.as_slice()) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(kid), keys) => keys.iter().find(|key| key.get("kid").is_some_and(|own| own == kid)),
    }
}

fn check_claims(request: &Request, assertion: &Jws, now: Timestamp) -> Result<(), &'static str> {
    let (now, here) = (now.as_second(), format!("{}/oauth2/v1/token", request.base));
    let meant = match assertion.claims.get("aud") {
        Some(Value::String(audience)) => *audience == here,
        Some(Value::Array(audiences)) => audiences.iter().any(|audience| *audience == *here),
        _ => false,
    };
    if !meant {
        return Err("The audience claim for client_assertion must be the endpoint invoked for the request.");
    }
    let ends = assertion.seconds("exp").ok_or("The client_assertion token must contain an expiration.")?;
    if ends <= now {
        return Err("The client_assertion token is expired.");
    }
    if ends > now + ASSERTION_MAX {
        return Err("The client_assertion token has an expiration too far into the future.");
    }
    if ["iat", "nbf"].iter().any(|claim| assertion.seconds(claim).is_some_and(|at| at > now)) {
        return Err("The client_assertion token is issued in the future.");
    }
    Ok(())
}

/// The dance of okta.md section 2.3: without a proof where one is required, then without a nonce, then with both.
fn proof(
    used: &mut Used,
    knobs: &OktaKnobs,
    request: &Request,
    now: Timestamp,
) -> Result<Option<Proof>, Answer> {
    let refusal = |text: &str| oauth(400, "invalid_dpop_proof", text);
    let Some(proof) = Proof::of(request).map_err(refusal)? else {
        let missing = refusal("The DPoP proof JWT header is missing.");
        return if knobs.dpop { Err(missing) } else { Ok(None) };
    };
    proof.fits(request, now).map_err(refusal)?;
    proof.is_fresh(used, now).map_err(refusal)?;
    if !proof.has_nonce(knobs, now) {
        let answer = oauth(400, "use_dpop_nonce", "Authorization server requires nonce in DPoP proof.");
        return Err(answer.with("dpop-nonce", dpop::nonce(knobs, now)));
    }
    Ok(Some(proof))
}

fn scopes(knobs: &OktaKnobs, form: &Form) -> Result<Vec<String>, Answer> {
    let asked: Vec<String> = form
        .field("scope")
        .unwrap_or_default()
        .split(' ')
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    if asked.is_empty() {
        let text = "The authorization server resource does not have any configured default scopes, 'scope' must be provided.";
        return Err(oauth(400, "invalid_scope", text));
    }
    if asked.iter().any(|scope| !knobs.granted_scopes.contains(scope)) {
        let text = "One or more scopes are not configured for the authorization server resource.";
        return Err(oauth(400, "invalid_scope", text));
    }
    if asked.iter().any(|scope| knobs.unconsented_scopes.contains(scope)) {
        return Err(oauth(400, "consent_required", "The scope requires consent, and none was given."));
    }
    Ok(asked)
}

/// Opaque to the client; with the claims that were recorded.
fn access_token(request: &Request, scopes: &[String], proof: Option<&Proof>, now: Timestamp) -> String {
    let now = now.as_second();
    let mut claims = json!({
        "ver": 1,
        "jti": format!("AT.{}", jws::hash(&format!("{now} {}", String::from_utf8_lossy(&request.body)))),
        "iss": request.base,
        "aud": request.base,
        "sub": OKTA_CLIENT_ID,
        "cid": OKTA_CLIENT_ID,
        "iat": now,
        "exp": now + LIFETIME,
        "scp": scopes,
    });
    if let Some(proof) = proof {
        claims["cnf"] = json!({ "jkt": proof.thumbprint });
    }
    jws::mint(&json!({ "typ": "application/okta-internal-at+jwt", "alg": "HS256" }), &claims)
}
