//! OAuth 2.0 client credentials (RFC 6749 section 4.4): one token for all, renewed in time, fetched once.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::Method;
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
use serde::Deserialize;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::ClientError;
use super::Secret;
use super::TokenAdvice;
use super::TokenCure;
use super::UNREACHED;
use super::request::place;
use super::transport::Failure;
use super::transport::Transport;
use super::wait;
use super::wait::Backoff;

/// Renewed this much before it ends, so that no request meets an old token on its way.
const EARLY: Duration = Duration::from_secs(300);
/// For servers that do not say how long their token lives (RFC 6749 section 5.1 only recommends it).
const LIFE_UNTOLD: Duration = Duration::from_secs(600);

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

/// The grant and its latest token.
pub(super) struct Grant {
    endpoint: Endpoint,
    place: String,
    scope: String,
    cure: TokenCure,
    /// Held while a token is fetched: whoever comes meanwhile waits for the same one.
    token: Mutex<Option<Token>>,
}

struct Token {
    secret: Secret,
    renew_at: Instant,
    /// Counts tokens, so that a refused one is replaced once, not once for each request that it was refused to.
    generation: u64,
}

/// What a fetch needs of the client.
#[derive(Clone, Copy)]
pub(super) struct Fetch<'a> {
    pub(super) transport: &'a Transport,
    pub(super) backoff: Backoff,
    pub(super) attempts: u32,
}

impl Grant {
    pub(super) fn new(
        token_url: Url,
        client_id: String,
        secret: Secret,
        scope: String,
        cure: TokenCure,
    ) -> Grant {
        let place = place(&Method::POST, &token_url);
        let endpoint = oauth2::Client::new(ClientId::new(client_id))
            .set_client_secret(ClientSecret::new(secret.reveal().to_owned()))
            .set_token_uri(TokenUrl::from_url(token_url))
            // Microsoft's form (graph.md 2.1); allowed by RFC 6749 section 2.3.1.
            .set_auth_type(AuthType::RequestBody);
        Grant { endpoint, place, scope, cure, token: Mutex::new(None) }
    }

    /// A token that is good now, and of another generation than the `refused` one.
    pub(super) async fn token(
        &self,
        refused: Option<u64>,
        fetch: Fetch<'_>,
    ) -> Result<(Secret, u64), ClientError> {
        let mut held = self.token.lock().await;
        if let Some(token) = &*held
            && refused != Some(token.generation)
            && Instant::now() < token.renew_at
        {
            return Ok((token.secret.clone(), token.generation));
        }
        let generation = held.as_ref().map_or(0, |token| token.generation + 1);
        let token = self.fetch(generation, fetch).await?;
        let answer = (token.secret.clone(), generation);
        *held = Some(token);
        Ok(answer)
    }

    async fn fetch(&self, generation: u64, fetch: Fetch<'_>) -> Result<Token, ClientError> {
        let mut attempt = 1;
        loop {
            let (why, wait) = match self.ask(fetch.transport).await {
                Ok(response) => return Ok(token(&response, generation)),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Passing { why, wait }) => (why, wait),
            };
            let wait = wait.unwrap_or_else(|| fetch.backoff.after(0, attempt));
            if attempt >= fetch.attempts || wait > fetch.backoff.longest {
                let what = format!("{}: no token after {attempt} attempts: {why}; {UNREACHED}", self.place);
                return Err(ClientError::Unavailable { what });
            }
            let (of, wait_seconds) = (fetch.attempts, wait.as_secs());
            tracing::warn!(attempt, of, wait_seconds, "trying again: {}: {why}", self.place);
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn ask(&self, transport: &Transport) -> Result<BasicTokenResponse, Trouble> {
        let door = Door { transport, place: &self.place };
        let request = self.endpoint.exchange_client_credentials().add_scope(Scope::new(self.scope.clone()));
        request.request_async(&door).await.map_err(|error| self.trouble(error))
    }

    fn trouble(&self, error: RequestTokenError<DoorError, Refusal>) -> Trouble {
        let unreadable = |why: &str| {
            let what = format!("{}: {why}", self.place);
            let cure = "check that the address of the sign-in service is right".to_owned();
            Trouble::Final(ClientError::Denied { what, cure })
        };
        match error {
            RequestTokenError::ServerResponse(refusal) => self.refused(&refusal),
            RequestTokenError::Request(DoorError(trouble)) => trouble,
            RequestTokenError::Parse(..) => unreadable("the answer is not an OAuth 2.0 token answer"),
            RequestTokenError::Other(_) => unreadable("the answer is empty"),
        }
    }

    fn refused(&self, refusal: &Refusal) -> Trouble {
        let advice = (self.cure)(&refusal.error, &refusal.codes());
        if advice == Some(TokenAdvice::Later) || refusal.error == "temporarily_unavailable" {
            return Trouble::Passing { why: refusal.to_string(), wait: None };
        }
        let what = format!("{}: the sign-in was refused: {refusal}", self.place);
        let cure = match advice {
            Some(TokenAdvice::Cure(text)) => text,
            _ => usual_cure(&refusal.error),
        };
        Trouble::Final(ClientError::Denied { what, cure: cure.to_owned() })
    }
}

fn token(response: &BasicTokenResponse, generation: u64) -> Token {
    let life = response.expires_in().unwrap_or(LIFE_UNTOLD);
    // A token that lives shorter than the early renewal is used for half its life.
    let usable = life.saturating_sub(EARLY).max(life / 2);
    let secret = Secret::new(response.access_token().secret().clone());
    Token { secret, renew_at: Instant::now() + usable, generation }
}

/// What RFC 6749 section 5.2 lets one say without the server's own numbers.
fn usual_cure(error: &str) -> &'static str {
    match error {
        "invalid_client" => "check the client id, and that the secret is the right one and has not expired",
        "unauthorized_client" => "allow this client the client-credentials grant",
        "invalid_scope" => "grant the application the permissions that it asks for",
        _ => "check the client id, the secret and the application's registration",
    }
}

/// Why there is no token.
#[derive(Debug)]
enum Trouble {
    Passing { why: String, wait: Option<Duration> },
    Final(ClientError),
}

/// RFC 6749 section 5.2, with Microsoft's numbers (graph.md 2.6). The description is not kept beyond its
/// number: it repeats what was sent.
#[derive(Debug, Deserialize, Serialize)]
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
    place: &'a str,
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
    async fn pass(&self, request: HttpRequest) -> Result<HttpResponse, DoorError> {
        let answer = match self.transport.post_form(request, self.place).await {
            Ok(answer) => answer,
            Err(Failure::Fatal(error)) => return Err(DoorError(Trouble::Final(error))),
            Err(Failure::NotSent(why) | Failure::NoAnswer(why)) => {
                return Err(DoorError(Trouble::Passing { why, wait: None }));
            }
        };
        if answer.status == 429 || answer.status == 408 || answer.status >= 500 {
            let why = format!("status {}", answer.status);
            return Err(DoorError(Trouble::Passing { why, wait: wait::asked(&answer, Timestamp::now()) }));
        }
        let mut response = http::Response::new(answer.body.to_vec());
        *response.status_mut() =
            http::StatusCode::from_u16(answer.status).expect("reqwest parsed this status");
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}
