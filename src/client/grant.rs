//! OAuth 2.0 client credentials (RFC 6749 section 4.4): one request for a token, and what its refusal means.
//!
//! The client proves who it is by a secret, by an assertion that it signs anew for every attempt, or by one
//! that somebody else signed and puts into a file (RFC 7521 section 4.2). Where the service wants its tokens bound to a
//! key (DPoP, RFC 9449), its first refusal says so, and from then on every request carries a proof.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use jiff::SignedDuration;
use jiff::Timestamp;
use oauth2::AuthType;
use oauth2::ClientId;
use oauth2::ClientSecret;
use oauth2::EndpointNotSet;
use oauth2::EndpointSet;
use oauth2::HttpRequest;
use oauth2::HttpResponse;
use oauth2::RequestTokenError;
use oauth2::Scope;
use oauth2::StandardRevocableToken;
use oauth2::TokenResponse;
use oauth2::TokenUrl;
use oauth2::basic::BasicRevocationErrorResponse;
use oauth2::basic::BasicTokenIntrospectionResponse;
use oauth2::basic::BasicTokenResponse;
use oauth2::basic::BasicTokenType;
use serde::Deserialize;
use serde::Serialize;
use url::Url;

use super::Assertion;
use super::ClientAuth;
use super::ClientError;
use super::Grant;
use super::KeyError;
use super::Secret;
use super::SecretError;
use super::TokenAdvice;
use super::TokenCure;
use super::assertion;
use super::dpop::Claim;
use super::dpop::Dpop;
use super::dpop::Server;
use super::request::place;
use super::token::Fetch;
use super::token::Granted;
use super::token::Tried;
use super::token::Trouble;
use super::transport::Failure;
use super::transport::Transport;
use super::wait;

/// RFC 7523 section 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Clocks that agree differ by a moment, and a service refuses what is made a moment from now.
const ALREADY: SignedDuration = SignedDuration::from_secs(2);

type Endpoint = oauth2::Client<
    Refusal,
    BasicTokenResponse,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Asks one token endpoint for tokens.
pub(super) struct GrantDoor {
    endpoint: Endpoint,
    url: Url,
    place: String,
    scope: String,
    auth: ClientAuth,
    cure: TokenCure,
    /// The secret that worked last.
    secret: AtomicUsize,
    /// How far the service's clock is before ours, where an assertion was refused for its time.
    offset: Mutex<SignedDuration>,
    /// The key that tokens are bound to, since the service asked for one.
    dpop: OnceLock<Arc<Dpop>>,
}

impl GrantDoor {
    pub(super) fn new(grant: Grant, cure: TokenCure) -> GrantDoor {
        let place = place(&Method::POST, &grant.token_url);
        let endpoint = oauth2::Client::new(ClientId::new(grant.client_id))
            .set_token_uri(TokenUrl::from_url(grant.token_url.clone()))
            // Microsoft's form (graph.md 2.1); allowed by RFC 6749 section 2.3.1.
            .set_auth_type(AuthType::RequestBody);
        GrantDoor {
            endpoint,
            url: grant.token_url,
            place,
            scope: grant.scope,
            auth: grant.auth,
            cure,
            secret: AtomicUsize::new(0),
            offset: Mutex::default(),
            dpop: OnceLock::new(),
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// One request, with a proof of its own.
    pub(super) async fn ask(&self, fetch: Fetch<'_>, tried: &mut Tried) -> Result<Granted, Trouble> {
        let (transport, dpop) = (fetch.transport, self.dpop.get());
        let door = Door { transport, grant: self, dpop, headers: Mutex::default() };
        let scope = Scope::new(self.scope.clone());
        let response = match self.proof().await? {
            Proof::Secret(secret) => {
                let endpoint = self.endpoint.clone().set_client_secret(secret);
                endpoint.exchange_client_credentials().add_scope(scope).request_async(&door).await
            }
            Proof::Assertion(assertion) => {
                self.endpoint
                    .exchange_client_credentials()
                    .add_scope(scope)
                    .add_extra_param("client_assertion_type", JWT_BEARER)
                    .add_extra_param("client_assertion", assertion)
                    .request_async(&door)
                    .await
            }
        };
        let headers = door.headers.into_inner().unwrap_or_else(PoisonError::into_inner);
        match response {
            Ok(response) => self.granted(&response, dpop),
            Err(error) => Err(self.trouble(error, &headers, fetch, tried)),
        }
    }

    async fn proof(&self) -> Result<Proof, Trouble> {
        match &self.auth {
            ClientAuth::Secrets(secrets) => {
                let secret = secrets.get(self.secret.load(Ordering::Relaxed)).map_or("", Secret::reveal);
                Ok(Proof::Secret(ClientSecret::new(secret.to_owned())))
            }
            ClientAuth::Assertion(assertion) => self.sign(assertion).map(Proof::Assertion),
            ClientAuth::Federated { place } => {
                Ok(Proof::Assertion(read_again(place.clone()).await?.reveal().to_owned()))
            }
        }
    }

    fn sign(&self, assertion: &Assertion) -> Result<String, Trouble> {
        let made = self.now().checked_sub(ALREADY).unwrap_or_else(|_| self.now());
        assertion.sign(made, &assertion::fresh_id()).map_err(|KeyError { what, cure }| {
            let what = format!("{}: no sign-in: {what}", self.place);
            Trouble::Final(ClientError::Denied { what, cure })
        })
    }

    /// The time by the service's clock, as far as it is known.
    fn now(&self) -> Timestamp {
        let offset = *self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Timestamp::now();
        now.checked_add(offset).unwrap_or(now)
    }

    /// A token of the kind that was asked for: one that is not bound to the key would be refused wherever it goes, and
    /// one that is bound to none would be worth something to a thief.
    fn granted(&self, response: &BasicTokenResponse, dpop: Option<&Arc<Dpop>>) -> Result<Granted, Trouble> {
        let bound = match response.token_type() {
            BasicTokenType::Bearer => false,
            BasicTokenType::Extension(kind) if kind.eq_ignore_ascii_case("dpop") => true,
            _ => return Err(self.other_kind("neither Bearer nor DPoP")),
        };
        match (bound, dpop) {
            (true, None) => Err(self.other_kind("DPoP, and none was asked for")),
            (false, Some(_)) => Err(self.other_kind("Bearer, where DPoP was asked for")),
            _ => Ok(Granted {
                secret: Secret::new(response.access_token().secret().clone()),
                life: response.expires_in(),
                bound: dpop.cloned(),
            }),
        }
    }

    fn other_kind(&self, kind: &str) -> Trouble {
        let what = format!("{}: the sign-in gave a token of the kind {kind}", self.place);
        let cure = "check that the address of the sign-in service is right, and that nothing changes requests on the \
                    way"
        .to_owned();
        Trouble::Final(ClientError::Denied { what, cure })
    }

    /// The proof for one request for a token, of which there is a key.
    fn possession(&self, dpop: &Dpop, at: Timestamp) -> Result<HeaderValue, ClientError> {
        let id = assertion::fresh_id();
        let claim =
            Claim { server: Server::Token, method: &Method::POST, url: &self.url, token: None, at, id: &id };
        dpop.header(&claim)
    }

    /// The service wants its tokens bound to a key, or a nonce in the proof: once more, with a new proof and a new
    /// assertion, as each is good for one use.
    fn binds(&self, refusal: &Refusal, headers: &HeaderMap, tried: &mut Tried) -> Option<Trouble> {
        let wants_nonce = refusal.error == "use_dpop_nonce";
        if !wants_nonce && refusal.error != "invalid_dpop_proof" {
            return None;
        }
        let first = self.dpop.get().is_none();
        if first {
            match Dpop::generate() {
                Ok(dpop) => drop(self.dpop.set(Arc::new(dpop))),
                Err(error) => return Some(Trouble::Final(error)),
            }
            tracing::debug!("{}: tokens are bound to a key (DPoP)", self.place);
        }
        let fresh = wants_nonce && headers.contains_key("dpop-nonce") && !tried.nonce;
        tried.nonce |= fresh;
        (first || fresh).then_some(Trouble::Again)
    }

    fn trouble(
        &self,
        error: RequestTokenError<DoorError, Refusal>,
        headers: &HeaderMap,
        fetch: Fetch<'_>,
        tried: &mut Tried,
    ) -> Trouble {
        let unreadable = |why: &str| {
            let what = format!("{}: {why}", self.place);
            let cure = "check that the address of the sign-in service is right".to_owned();
            Trouble::Final(ClientError::Denied { what, cure })
        };
        match error {
            RequestTokenError::ServerResponse(refusal) => self.refused(&refusal, headers, fetch, tried),
            RequestTokenError::Request(DoorError(trouble)) => trouble,
            RequestTokenError::Parse(..) => unreadable("the answer is not an OAuth 2.0 token answer"),
            RequestTokenError::Other(_) => unreadable("the answer is empty"),
        }
    }

    /// | advice | then |
    /// |---|---|
    /// | it passes; `temporarily_unavailable`, `server_error` | again after a wait, a few times |
    /// | not everywhere yet | again for some minutes, then refused |
    /// | the clock | once more by the service's clock, then refused with the difference |
    /// | too many requests | refused, and nothing is asked for an hour |
    /// | a person has to act, or none | `invalid_client`: the next secret; else refused |
    fn refused(
        &self,
        refusal: &Refusal,
        headers: &HeaderMap,
        fetch: Fetch<'_>,
        tried: &mut Tried,
    ) -> Trouble {
        if let Some(trouble) = self.binds(refusal, headers, tried) {
            return trouble;
        }
        let what = format!("{}: the sign-in was refused: {refusal}", self.place);
        let denied = |cure: &str| ClientError::Denied { what: what.clone(), cure: cure.to_owned() };
        let words = refusal.error_description.as_deref().unwrap_or_default();
        match (self.cure)(&refusal.error, &refusal.codes(), words) {
            Some(TokenAdvice::Later) => Trouble::Passing { why: refusal.to_string(), wait: None },
            Some(TokenAdvice::Spreading(cure)) => {
                Trouble::Lasting { last: denied(cure), within: fetch.patience }
            }
            Some(TokenAdvice::Clock(cure)) => self.clock(&what, cure, headers, tried),
            Some(TokenAdvice::Rest(cure)) => Trouble::Rest(denied(cure)),
            None if matches!(refusal.error.as_str(), "temporarily_unavailable" | "server_error") => {
                Trouble::Passing { why: refusal.to_string(), wait: None }
            }
            advice => {
                if refusal.error == "invalid_client" && self.turn(tried) {
                    return Trouble::Again;
                }
                let cure = match advice {
                    Some(TokenAdvice::Cure(text)) => text,
                    _ => usual_cure(&refusal.error),
                };
                Trouble::Final(denied(cure))
            }
        }
    }

    /// Turns to the next secret of the list; `false` when each was refused.
    fn turn(&self, tried: &mut Tried) -> bool {
        let ClientAuth::Secrets(secrets) = &self.auth else { return false };
        tried.secrets += 1;
        let next = (self.secret.load(Ordering::Relaxed) + 1) % secrets.len().max(1);
        self.secret.store(next, Ordering::Relaxed);
        tried.secrets < secrets.len()
    }

    /// An assertion outside its time: `Date` of the refusal tells how far the clocks are apart.
    fn clock(&self, what: &str, cure: &str, headers: &HeaderMap, tried: &mut Tried) -> Trouble {
        let ours = Timestamp::now();
        let theirs = wait::date(headers).unwrap_or(ours);
        let offset = theirs.duration_since(ours);
        let mine = matches!(self.auth, ClientAuth::Assertion(_));
        if mine && !tried.clock {
            tried.clock = true;
            *self.offset.lock().unwrap_or_else(PoisonError::into_inner) = offset;
            tracing::warn!("{what}: {}; an assertion is made by the other clock", apart(offset));
            return Trouble::Again;
        }
        let cure = format!("{cure}; {}", apart(offset));
        Trouble::Final(ClientError::Denied { what: what.to_owned(), cure })
    }
}

/// `Date` has whole seconds, and an answer takes a moment.
fn apart(offset: SignedDuration) -> String {
    match offset.as_secs() {
        -2..=2 => "this host's clock and the service's agree".to_owned(),
        behind @ 3.. => format!("this host's clock is {behind} s behind the service's"),
        ahead => format!("this host's clock is {} s ahead of the service's", -ahead),
    }
}

/// How the client shows who it is, this time.
enum Proof {
    Secret(ClientSecret),
    Assertion(String),
}

/// The file rotates, so it is read for every token.
async fn read_again(place: String) -> Result<Secret, Trouble> {
    let read = tokio::task::spawn_blocking(move || Secret::read(&place)).await;
    let error: SecretError = match read {
        Ok(Ok(secret)) => return Ok(secret),
        Ok(Err(error)) => error,
        Err(_) => {
            return Err(Trouble::Passing {
                why: "reading the federated token was broken off".to_owned(),
                wait: None,
            });
        }
    };
    let text = super::secret::chain(&error);
    let (what, cure) = text.split_once("; ").unwrap_or((&text, "check that whoever issues it still runs"));
    let what = format!("the federated token: {what}");
    Err(Trouble::Final(ClientError::Denied { what, cure: cure.to_owned() }))
}

/// What RFC 6749 section 5.2 lets one say without the server's own numbers.
fn usual_cure(error: &str) -> &'static str {
    match error {
        "invalid_client" => {
            "check the client id, and that the secret or key is the right one and has not expired"
        }
        "unauthorized_client" => "allow this client the client-credentials grant",
        "invalid_scope" => "grant the application the permissions that it asks for",
        _ => "check the client id, the secret or key, and the application's registration",
    }
}

/// RFC 6749 section 5.2, with Microsoft's numbers (graph.md 2.6). The description is not kept beyond its
/// number: it repeats what was sent.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
    #[serde(default)]
    error_codes: Vec<u64>,
}

impl oauth2::ErrorResponse for Refusal {}

impl Refusal {
    fn codes(&self) -> Vec<u64> {
        if !self.error_codes.is_empty() {
            return self.error_codes.clone();
        }
        let text = self.error_description.as_deref().unwrap_or_default();
        let digits = text.strip_prefix("AADSTS").unwrap_or_default();
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse().into_iter().collect()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A server's word is not ours to trust with a log line.
        let error: String = self.error.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
        f.write_str(&error)?;
        for code in self.codes() {
            write!(f, " AADSTS{code}")?;
        }
        Ok(())
    }
}

/// oauth2's way to the network. A named type with a boxed future: a borrowing closure is not `Send`.
struct Door<'a> {
    transport: &'a Transport,
    grant: &'a GrantDoor,
    dpop: Option<&'a Arc<Dpop>>,
    /// What the answer said beside its body.
    headers: Mutex<HeaderMap>,
}

#[derive(Debug, thiserror::Error)]
#[error("no answer from the token endpoint")]
struct DoorError(Trouble);

impl<'c> oauth2::AsyncHttpClient<'c> for Door<'_> {
    type Error = DoorError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, DoorError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.pass(request))
    }
}

impl Door<'_> {
    async fn pass(&self, mut request: HttpRequest) -> Result<HttpResponse, DoorError> {
        if let Some(dpop) = self.dpop {
            let at = self.transport.service().at(Timestamp::now());
            let proof = self.grant.possession(dpop, at).map_err(|error| DoorError(Trouble::Final(error)))?;
            request.headers_mut().insert("dpop", proof);
        }
        let answer = match self.transport.post_form(request, &self.grant.place).await {
            Ok(answer) => answer,
            Err(Failure::Fatal(error)) => return Err(DoorError(Trouble::Final(error))),
            Err(Failure::NotSent(why) | Failure::NoAnswer(why)) => {
                return Err(DoorError(Trouble::Passing { why, wait: None }));
            }
        };
        if let Some(dpop) = self.grant.dpop.get() {
            dpop.note(Server::Token, &answer.headers);
        }
        if answer.status == 429 || answer.status == 408 || answer.status >= 500 {
            let why = format!("status {}", answer.status);
            return Err(DoorError(Trouble::Passing { why, wait: wait::asked(&answer, Timestamp::now()) }));
        }
        *self.headers.lock().unwrap_or_else(PoisonError::into_inner) = answer.headers.clone();
        let mut response = http::Response::new(answer.body.to_vec());
        *response.status_mut() =
            http::StatusCode::from_u16(answer.status).expect("reqwest parsed this status");
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}
