//! One token for all requests: fetched once for everybody who waits, renewed in time, replaced when refused.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::ClientError;
use super::Secret;
use super::UNREACHED;
use super::dpop::Dpop;
use super::grant::GrantDoor;
use super::identity;
use super::identity::IdentityDoor;
use super::transport::Transport;
use super::wait::Backoff;

/// Renewed this much before it ends, so that no request meets an old token on its way.
const EARLY: Duration = Duration::from_secs(300);
/// For servers that do not say how long their token lives (RFC 6749 section 5.1 only recommends it).
const LIFE_UNTOLD: Duration = Duration::from_secs(600);
/// How long nothing is asked of a service that was asked too often (graph.md 2.6, AADSTS50196).
const REST: Duration = Duration::from_secs(3600);

/// The latest token, and where the next one comes from.
pub(super) struct TokenKeeper {
    door: Door,
    /// Held while a token is fetched: whoever comes meanwhile waits for the same one.
    held: Mutex<Held>,
}

/// Who gives tokens.
pub(super) enum Door {
    Grant(Box<GrantDoor>),
    Identity(Box<IdentityDoor>),
}

impl Door {
    fn place(&self) -> &str {
        match self {
            Door::Grant(door) => door.place(),
            Door::Identity(door) => door.place(),
        }
    }

    async fn ask(&self, fetch: Fetch<'_>, tried: &mut Tried) -> Result<Granted, Trouble> {
        match self {
            Door::Grant(door) => door.ask(fetch, tried).await,
            Door::Identity(door) => door.ask(fetch, tried).await,
        }
    }

    fn attempts(&self, usual: u32) -> u32 {
        match self {
            Door::Grant(_) => usual,
            Door::Identity(_) => usual.min(identity::TRIES),
        }
    }
}

/// What one fetch of a token has tried already.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// Requests.
    pub(super) asked: u32,
    /// Secrets that were refused, each once.
    pub(super) secrets: usize,
    /// An assertion was made anew by the service's clock, once.
    pub(super) clock: bool,
    /// A nonce was taken over, once: a service that refuses the one that it just gave is not asked again.
    pub(super) nonce: bool,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    /// Why there is none, and when that was found out: it holds for everybody who was waiting then.
    refused: Option<(Instant, ClientError)>,
    /// Until when nothing is asked for.
    rest_until: Option<Instant>,
    /// Counts tokens.
    generation: u64,
}

struct Token {
    granted: Good,
    life: Duration,
    renew_at: Instant,
}

/// What is known of the token that is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// It is worth nothing without a key of ours (DPoP).
    pub bound: bool,
    pub life: Duration,
    /// When it is replaced, from when it was given.
    pub renewed_after: Duration,
}

/// A token that is good now.
#[derive(Clone)]
pub(super) struct Good {
    pub(super) secret: Secret,
    /// The key that it is bound to.
    pub(super) bound: Option<Arc<Dpop>>,
    /// So that a refused token is replaced once, not once for each request that it was refused to.
    pub(super) generation: u64,
}

/// A token as it was given.
pub(super) struct Granted {
    pub(super) secret: Secret,
    pub(super) life: Option<Duration>,
    /// The key that it is bound to, where it is (DPoP).
    pub(super) bound: Option<Arc<Dpop>>,
}

/// Why there is no token.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Once more, at once: something else is tried.
    Again,
    /// A few times more, after a wait.
    Passing {
        why: String,
        wait: Option<Duration>,
    },
    /// As often as it takes within this time, then this.
    Lasting {
        last: ClientError,
        within: Duration,
    },
    /// Asked too often: this, and then nothing for an hour.
    Rest(ClientError),
    Final(ClientError),
}

/// What a fetch needs of the client.
#[derive(Clone, Copy)]
pub(super) struct Fetch<'a> {
    pub(super) transport: &'a Transport,
    pub(super) backoff: Backoff,
    pub(super) attempts: u32,
    /// How long what is still spreading is waited for.
    pub(super) patience: Duration,
}

impl TokenKeeper {
    pub(super) fn new(door: Door) -> TokenKeeper {
        TokenKeeper { door, held: Mutex::default() }
    }

    /// A token that is good now, and of another generation than the `refused` one.
    pub(super) async fn token(&self, refused: Option<u64>, fetch: Fetch<'_>) -> Result<Good, ClientError> {
        let since = Instant::now();
        let mut held = self.held.lock().await;
        if let Some(token) = held.good(refused) {
            return Ok(token.granted.clone());
        }
        held.refusal(since)?;
        match self.fetch(fetch).await {
            Ok(granted) => Ok(held.take(granted)),
            Err(trouble) => Err(held.give_up(trouble)),
        }
    }

    /// `None` before the first token.
    pub(super) async fn facts(&self) -> Option<TokenFacts> {
        let held = self.held.lock().await;
        let token = held.token.as_ref()?;
        let (life, bound) = (token.life, token.granted.bound.is_some());
        Some(TokenFacts { bound, life, renewed_after: usable(life) })
    }

    async fn fetch(&self, fetch: Fetch<'_>) -> Result<Granted, Stop> {
        let (mut tried, mut attempt, mut waited) = (Tried::default(), 1, Duration::ZERO);
        let (place, of) = (self.door.place(), self.door.attempts(fetch.attempts));
        loop {
            let (why, wait) = match self.door.ask(fetch, &mut tried).await {
                Ok(granted) => return Ok(granted),
                Err(Trouble::Again) => continue, // Bounded by `tried`.
                Err(Trouble::Final(error)) => return Err(Stop { error, rest: false }),
                Err(Trouble::Rest(error)) => return Err(Stop { error, rest: true }),
                Err(Trouble::Passing { why, wait }) => {
                    let wait = wait.unwrap_or_else(|| fetch.backoff.after(0, attempt));
                    if attempt >= of || wait > fetch.backoff.longest {
                        let what = format!("{place}: no token after {attempt} attempts: {why}; {UNREACHED}");
                        return Err(Stop { error: ClientError::Unavailable { what }, rest: false });
                    }
                    (why, wait)
                }
                Err(Trouble::Lasting { last, within }) => {
                    let left = within.saturating_sub(waited);
                    if left.is_zero() {
                        return Err(Stop { error: last, rest: false });
                    }
                    (last.to_string(), fetch.backoff.after(0, attempt).min(left))
                }
            };
            let wait_seconds = wait.as_secs();
            tracing::warn!(attempt, of, wait_seconds, "trying again: {place}: {why}");
            fetch.transport.clock().sleep(wait).await;
            waited += wait;
            attempt += 1;
        }
    }
}

/// The end of a fetch without a token.
struct Stop {
    error: ClientError,
    rest: bool,
}

impl Held {
    fn good(&self, refused: Option<u64>) -> Option<&Token> {
        let good =
            |token: &&Token| refused != Some(token.granted.generation) && Instant::now() < token.renew_at;
        self.token.as_ref().filter(good)
    }

    /// What was found out after somebody began to wait is also the answer for them; during a rest it is for all.
    fn refusal(&self, since: Instant) -> Result<(), ClientError> {
        let Some((at, error)) = &self.refused else { return Ok(()) };
        let resting = self.rest_until.is_some_and(|until| Instant::now() < until);
        if *at >= since || resting { Err(error.clone()) } else { Ok(()) }
    }

    fn take(&mut self, granted: Granted) -> Good {
        let life = granted.life.unwrap_or(LIFE_UNTOLD);
        let renew_at = Instant::now() + usable(life);
        self.generation += 1;
        let good = Good { secret: granted.secret, bound: granted.bound, generation: self.generation };
        self.token = Some(Token { granted: good.clone(), life, renew_at });
        self.refused = None;
        good
    }

    fn give_up(&mut self, stop: Stop) -> ClientError {
        let now = Instant::now();
        self.rest_until = stop.rest.then(|| now + REST);
        self.refused = Some((now, stop.error.clone()));
        stop.error
    }
}

/// Four fifths of its life, and five minutes before its end at the latest; one that lives shorter is used for half its
/// life (okta.md 2.2, graph.md 2.1).
fn usable(life: Duration) -> Duration {
    (life * 4 / 5).min(life.saturating_sub(EARLY)).max(life / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_well_before_its_end() {
        let seconds = |life| usable(Duration::from_secs(life)).as_secs();
        assert_eq!([3600, 1000, 600, 60].map(seconds), [2880, 700, 300, 30]);
    }
}
