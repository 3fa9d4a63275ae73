//! Which `Authorization` a request carries, and what follows when it is refused.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use http::HeaderMap;
use http::HeaderValue;
use http::header;
use jiff::Timestamp;
use serde::Deserialize;

use super::Answer;
use super::ClientError;
use super::ClientSettings;
use super::Credential;
use super::Request;
use super::Secret;
use super::assertion;
use super::dpop::Claim;
use super::dpop::Dpop;
use super::dpop::Server;
use super::grant::GrantDoor;
use super::identity::IdentityDoor;
use super::token::Door;
use super::token::Fetch;
use super::token::TokenFacts;
use super::token::TokenKeeper;
use super::transport::Transport;

/// The credential with what is known of it so far.
pub(super) enum Keeper {
    None,
    List {
        headers: Vec<Option<HeaderValue>>,
        /// The one that worked last.
        current: AtomicUsize,
    },
    Token(TokenKeeper),
}

/// The credential of one attempt.
#[derive(Clone)]
pub(super) enum Authorization {
    None,
    /// One of a list; `tried` of them so far, this one included.
    Listed {
        header: HeaderValue,
        place: usize,
        tried: usize,
    },
    /// A granted token of a generation; `renewed` when it replaces one that was refused.
    Granted {
        header: HeaderValue,
        generation: u64,
        renewed: bool,
        bound: Option<Bound>,
    },
    /// Not yet looked up: another place of the list, or a token younger than this generation.
    Place {
        place: usize,
        tried: usize,
    },
    Younger {
        generation: u64,
    },
}

/// What a token that is bound to a key has to come with.
#[derive(Clone)]
pub(super) struct Bound {
    dpop: Arc<Dpop>,
    token: Secret,
}

impl Authorization {
    /// The header of a token that was asked for.
    pub(super) fn granted(&self) -> Option<&HeaderValue> {
        match self {
            Authorization::Granted { header, .. } => Some(header),
            _ => None,
        }
    }

    /// What one attempt at a request carries: a proof is good for one. `at` is the service's time.
    pub(super) fn headers(&self, request: &Request, at: Timestamp) -> Result<HeaderMap, ClientError> {
        let mut headers = HeaderMap::new();
        if let Authorization::Listed { header, .. } | Authorization::Granted { header, .. } = self {
            headers.insert(header::AUTHORIZATION, header.clone());
        }
        if let Some(bound) = self.bound() {
            let (id, token) = (assertion::fresh_id(), Some(bound.token.reveal()));
            let (method, url) = (&request.method, &request.url);
            let claim = Claim { server: Server::Service, method, url, token, at, id: &id };
            headers.insert("dpop", bound.dpop.header(&claim)?);
        }
        Ok(headers)
    }

    /// Takes over the nonce of an answer.
    pub(super) fn note(&self, answer: &Answer) {
        if let Some(bound) = self.bound() {
            bound.dpop.note(Server::Service, &answer.headers);
        }
    }

    /// Whether the proof was refused and not the token: for want of the nonce that the answer brings, or for its time,
    /// which the answer tells as well (RFC 9449 section 9).
    pub(super) fn wants_new_proof(&self, answer: &Answer) -> bool {
        #[derive(Default, Deserialize)]
        struct Body {
            #[serde(default)]
            error: String,
        }
        if self.bound().is_none() || !matches!(answer.status, 400 | 401) {
            return false;
        }
        let told = answer.header("www-authenticate").unwrap_or_default();
        let body: Body = answer.json().unwrap_or_default();
        let errors = ["use_dpop_nonce", "invalid_dpop_proof"];
        errors.iter().any(|error| body.error == *error || told.contains(&format!("\"{error}\"")))
    }

    fn bound(&self) -> Option<&Bound> {
        match self {
            Authorization::Granted { bound, .. } => bound.as_ref(),
            _ => None,
        }
    }
}

impl Keeper {
    pub(super) fn new(settings: &ClientSettings) -> Result<Keeper, ClientError> {
        let list = |headers| Keeper::List { headers, current: AtomicUsize::new(0) };
        let token = |door| Keeper::Token(TokenKeeper::new(door));
        Ok(match &settings.credential {
            Credential::None => Keeper::None,
            Credential::Bearer(secrets) => {
                list(secrets.iter().map(|secret| sensitive("Bearer", secret.reveal())).collect())
            }
            Credential::Header { scheme, secret } => list(vec![sensitive(scheme, secret.reveal())]),
            Credential::Grant(grant) => {
                token(Door::Grant(Box::new(GrantDoor::new((**grant).clone(), settings.token_cure))))
            }
            Credential::Identity(identity) => {
                let direct = Transport::direct(settings, identity.endpoint())?;
                token(Door::Identity(Box::new(IdentityDoor::new((**identity).clone(), direct))))
            }
        })
    }

    /// The credential to use now; `which` is what `next` said, if something was refused.
    pub(super) async fn authorize(
        &self,
        which: Option<Authorization>,
        fetch: Fetch<'_>,
    ) -> Result<Authorization, ClientError> {
        match self {
            Keeper::None => Ok(Authorization::None),
            Keeper::List { headers, current } => {
                let (place, tried) = match which {
                    Some(Authorization::Place { place, tried }) => (place, tried),
                    _ => (current.load(Ordering::Relaxed), 1),
                };
                let header = headers.get(place).cloned().flatten().ok_or_else(unusable)?;
                Ok(Authorization::Listed { header, place, tried })
            }
            Keeper::Token(keeper) => {
                let refused = match which {
                    Some(Authorization::Younger { generation }) => Some(generation),
                    _ => None,
                };
                let good = keeper.token(refused, fetch).await?;
                let (token, generation) = (good.secret, good.generation);
                let scheme = if good.bound.is_some() { "DPoP" } else { "Bearer" };
                let header = sensitive(scheme, token.reveal()).ok_or_else(unusable)?;
                let bound = good.bound.map(|dpop| Bound { dpop, token });
                Ok(Authorization::Granted { header, generation, renewed: refused.is_some(), bound })
            }
        }
    }

    pub(super) async fn token_facts(&self) -> Option<TokenFacts> {
        match self {
            Keeper::Token(keeper) => keeper.facts().await,
            Keeper::None | Keeper::List { .. } => None,
        }
    }

    /// What to try after a 401; `None` when everything was tried.
    pub(super) fn next(&self, refused: &Authorization) -> Option<Authorization> {
        match (self, refused) {
            (Keeper::List { headers, .. }, Authorization::Listed { place, tried, .. }) => {
                let next = Authorization::Place { place: (place + 1) % headers.len(), tried: tried + 1 };
                (*tried < headers.len()).then_some(next)
            }
            (Keeper::Token(_), Authorization::Granted { generation, renewed: false, .. }) => {
                Some(Authorization::Younger { generation: *generation })
            }
            _ => None,
        }
    }

    /// Remembers which of a list works.
    pub(super) fn accepted(&self, used: &Authorization, result: &Result<Answer, ClientError>) {
        if let (Keeper::List { current, .. }, Authorization::Listed { place, .. }) = (self, used)
            && result.as_ref().is_ok_and(|answer| answer.status != 401)
        {
            current.store(*place, Ordering::Relaxed);
        }
    }
}

/// `None` for a secret that no header can carry (a line end within it).
pub(super) fn sensitive(scheme: &str, secret: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(format!("{scheme} {secret}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn unusable() -> ClientError {
    let what = "the secret is missing or holds characters that no HTTP header can carry; put it down again";
    ClientError::Invalid { what: what.to_owned() }
}
