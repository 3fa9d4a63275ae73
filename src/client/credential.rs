//! Which `Authorization` a request carries, and what follows when it is refused.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use http::HeaderValue;

use super::Answer;
use super::ClientError;
use super::ClientSettings;
use super::Credential;
use super::grant::GrantDoor;
use super::identity::IdentityDoor;
use super::token::Door;
use super::token::Fetch;
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
    Token(Box<TokenKeeper>),
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

impl Authorization {
    pub(super) fn header(&self) -> Option<HeaderValue> {
        match self {
            Authorization::Listed { header, .. } | Authorization::Granted { header, .. } => {
                Some(header.clone())
            }
            Authorization::None | Authorization::Place { .. } | Authorization::Younger { .. } => None,
        }
    }
}

impl Keeper {
    pub(super) fn new(settings: &ClientSettings) -> Result<Keeper, ClientError> {
        let list = |headers| Keeper::List { headers, current: AtomicUsize::new(0) };
        let token = |door| Keeper::Token(Box::new(TokenKeeper::new(door)));
        Ok(match &settings.credential {
            Credential::None => Keeper::None,
            Credential::Bearer(secrets) => {
                list(secrets.iter().map(|secret| sensitive("Bearer", secret.reveal())).collect())
            }
            Credential::Header { scheme, secret } => list(vec![sensitive(scheme, secret.reveal())]),
            Credential::Grant(grant) => {
                token(Door::Grant(GrantDoor::new((**grant).clone(), settings.token_cure)))
            }
            Credential::Identity(identity) => {
                let direct = Transport::direct(settings, identity.endpoint())?;
                token(Door::Identity(IdentityDoor::new((**identity).clone(), direct)))
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
                let (token, generation) = keeper.token(refused, fetch).await?;
                let header = sensitive("Bearer", token.reveal()).ok_or_else(unusable)?;
                Ok(Authorization::Granted { header, generation, renewed: refused.is_some() })
            }
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
