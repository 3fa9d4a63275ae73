//! One polite outbound HTTP client: tokens, retries, limits, secrets. The only door to reqwest, oauth2
//! and jsonwebtoken.
//!
//! A `Client` speaks to one remote service. It waits where the service asks it to, repeats what may be
//! repeated, renews its credential, and never sends anything to another host. What an answer means is the
//! caller's business: every status that is not waited out comes back as an `Answer`.

mod assertion;
mod certificate;
mod challenge;
mod claims;
mod clock;
mod credential;
mod dpop;
mod error;
mod grant;
mod hosts;
mod identity;
mod keys;
mod meter;
mod request;
mod secret;
mod service_time;
mod settings;
mod token;
mod transport;
mod wait;

pub use assertion::Algorithm;
pub use assertion::Assertion;
pub use assertion::KeyName;
pub use certificate::Certificate;
pub use certificate::CertifiedKey;
pub use clock::Clock;
pub use error::ClientError;
pub use keys::KeyError;
pub use keys::KeyKind;
pub use keys::SigningKey;
pub use meter::Bill;
pub use meter::Tariff;
pub use request::Answer;
pub use request::Repeat;
pub use request::Request;
pub use secret::Secret;
pub use secret::SecretError;
pub use settings::ClientAuth;
pub use settings::ClientSettings;
pub use settings::Credential;
pub use settings::Grant;
pub use settings::IdentityHost;
pub use settings::ManagedIdentity;
pub use settings::NO_CURE;
pub use settings::TokenAdvice;
pub use settings::TokenCure;
pub use settings::WhichIdentity;
pub use token::TokenFacts;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

use credential::Authorization;
use credential::Keeper;
use hosts::Hosts;
use meter::Meter;
use transport::Failure;
use transport::Transport;
use transport::Way;
use wait::Backoff;

/// Once is news, each request that waits is not.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// What helps where a service cannot be reached.
const UNREACHED: &str = "check the address, the network, the proxy, and whether the service runs";

/// One remote service. Cheap to clone; all clones share the token, the pause and the limit of concurrency.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    hosts: Hosts,
    keeper: Keeper,
    transport: Transport,
    backoff: Backoff,
    attempts: u32,
    attempts_failed: u32,
    attempts_500: u32,
    patience: Duration,
    places: Semaphore,
    meter: Option<Meter>,
    write_meter: Option<Meter>,
    /// A 429 is meant for the whole application, so it stops the whole client, not one request.
    paused_until: Mutex<Option<Instant>>,
    /// When a repeat was last told of.
    told: Mutex<Option<Instant>>,
    requests: AtomicU64,
    is_of_credential: fn(&Answer) -> bool,
}

impl Client {
    /// Reads no network. `Invalid` names the setting; `Unavailable` says that this host has no certificates
    /// of authorities.
    pub fn new(settings: ClientSettings) -> Result<Client, ClientError> {
        let hosts = Hosts::new(&settings)?;
        let transport = Transport::new(&settings)?;
        let backoff = Backoff { first: settings.backoff, longest: settings.wait_max };
        let places = Semaphore::new(settings.concurrency.max(1));
        let attempts = settings.attempts.max(1);
        Ok(Client(Arc::new(Inner {
            hosts,
            keeper: Keeper::new(&settings)?,
            transport,
            backoff,
            attempts,
            attempts_failed: settings.attempts_failed.clamp(1, attempts),
            attempts_500: settings.attempts_500.max(1),
            patience: settings.patience,
            places,
            meter: settings.tariff.map(Meter::new),
            write_meter: settings.write_tariff.map(Meter::new),
            paused_until: Mutex::new(None),
            told: Mutex::new(None),
            requests: AtomicU64::new(0),
            is_of_credential: settings.is_of_credential,
        })))
    }

    /// An address below the base, which may itself have a path: `/users?$top=1` becomes `…/v1.0/users?$top=1`.
    pub fn url(&self, path_and_query: &str) -> Result<Url, ClientError> {
        self.0.hosts.below(path_and_query)
    }

    /// A `next` link, taken as it is, if it stays on our hosts.
    pub fn follow(&self, link: &str) -> Result<Url, ClientError> {
        self.0.hosts.follow(link)
    }

    /// Requests sent so far, those that were repeated included; requests for tokens are not counted.
    pub fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::Relaxed)
    }

    /// Units of the service's tariff spent so far; 0 where it has none.
    pub fn units(&self) -> u64 {
        self.0.meter.as_ref().map_or(0, Meter::spent)
    }

    /// Changes how many units may be spent in a window, where the service has a tariff.
    pub fn allow(&self, units: u64) {
        if let Some(meter) = &self.0.meter {
            meter.allow(units);
        }
    }

    /// Seconds that the service's clock is ahead of ours, by its last answer; `None` before the first.
    pub fn clock_ahead(&self) -> Option<i64> {
        self.0.transport.service().ahead()
    }

    /// The service's own time by its newest answer, carried on; `None` where there is none of the last hour.
    pub fn service_time(&self) -> Option<Timestamp> {
        self.0.transport.service().own(self.0.clock())
    }

    /// What is waited by.
    pub fn clock(&self) -> &Clock {
        self.0.clock()
    }

    /// What is known of the token in use; `None` where none was asked for, or none yet.
    pub async fn token_facts(&self) -> Option<TokenFacts> {
        self.0.keeper.token_facts().await
    }

    /// Makes sure that there is a credential to send: asks for a token where one has to be asked for.
    pub async fn sign_in(&self) -> Result<(), ClientError> {
        self.0.authorize(None).await.map(drop)
    }

    /// What the token that is sent says of itself, where it is a granted one and a JWT. For diagnostics alone.
    pub async fn claims(&self) -> Result<Option<serde_json::Value>, ClientError> {
        let authorization = self.0.authorize(None).await?;
        Ok(authorization.granted().and_then(claims::of))
    }

    /// Sends a request until it has an answer that is the caller's to judge.
    ///
    /// Waited out here: 408, 429, 500, 502, 503, 504, 509 and broken connections, as far as `Repeat` allows it.
    /// A 401 renews the token, or tries the next one of a list, before it is handed out. A refused proof of possession
    /// is made anew once.
    pub async fn send(&self, request: Request) -> Result<Answer, ClientError> {
        let inner = &*self.0;
        inner.hosts.admit(&request.url)?;
        let mut authorization = inner.authorize(None).await?;
        let (mut attempt, mut throttled, mut way, mut proved_anew) = (0, 0, Way::Kept, false);
        loop {
            attempt += 1;
            let outcome = inner.once(&request, &authorization, way).await;
            way = match &outcome {
                Ok(answer) if answer.status == 503 => Way::New,
                _ => Way::Kept,
            };
            if let Ok(answer) = &outcome
                && !proved_anew
                && authorization.wants_new_proof(answer)
            {
                proved_anew = true;
                attempt -= 1;
                continue;
            }
            if let Ok(answer) = &outcome
                && answer.status == 401
                && (inner.is_of_credential)(answer)
                && let Some(next) = inner.keeper.next(&authorization)
            {
                authorization = inner.authorize(Some(next)).await?;
                attempt -= 1; // Bounded by the credential: each is tried once.
                continue;
            }
            throttled += u32::from(outcome.as_ref().is_ok_and(|answer| answer.status == 429));
            match inner.judge(&request, outcome, Tries { throttled, failed: attempt - throttled }) {
                Judged::Return(result) => {
                    inner.keeper.accepted(&authorization, &result);
                    return result;
                }
                Judged::Again { after } => inner.clock().sleep(after).await,
                Judged::Pause { after } => inner.pause(after),
            }
        }
    }
}

/// Nothing inside is for a log: the settings hold secrets (P11).
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.0.hosts)
    }
}

/// How often a request was refused for being one too many, and how often it failed otherwise.
#[derive(Clone, Copy)]
struct Tries {
    throttled: u32,
    failed: u32,
}

/// What comes after one attempt.
enum Judged {
    Return(Result<Answer, ClientError>),
    /// This request waits.
    Again {
        after: Duration,
    },
    /// Everybody waits.
    Pause {
        after: Duration,
    },
}

impl Inner {
    async fn authorize(&self, which: Option<Authorization>) -> Result<Authorization, ClientError> {
        let fetch = token::Fetch {
            transport: &self.transport,
            backoff: self.backoff,
            attempts: self.attempts,
            patience: self.patience,
        };
        self.keeper.authorize(which, fetch).await
    }

    /// One attempt, after the pause and within the limit of concurrency.
    async fn once(
        &self,
        request: &Request,
        authorization: &Authorization,
        way: Way,
    ) -> Result<Answer, Failure> {
        let _place = self.places.acquire().await.expect("the semaphore is never closed");
        let meter = self.meter_of(request);
        let taken = match meter {
            Some(meter) => meter.admit(request).await,
            None => 0,
        };
        while let Some(left) = self.pause_left() {
            self.clock().sleep(left).await;
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let at = self.transport.service().at(self.clock().now());
        let headers = authorization.headers(request, at).map_err(Failure::Fatal)?;
        let outcome = self.transport.exchange(request, headers, way).await;
        if let Ok(answer) = &outcome {
            authorization.note(answer);
        }
        if let (Some(meter), Ok(answer)) = (meter, &outcome) {
            meter.settle(request, taken, answer);
        }
        outcome
    }

    /// Writes have an allowance of their own where the service gives them one.
    fn meter_of(&self, request: &Request) -> Option<&Meter> {
        let own = self.write_meter.as_ref().filter(|_| request.method != http::Method::GET);
        own.or(self.meter.as_ref())
    }

    fn pause(&self, wait: Duration) {
        let until = self.clock().instant() + wait;
        let mut paused = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paused = Some(paused.map_or(until, |other| other.max(until)));
    }

    /// Whether a repeat is to be told: requests that run side by side all fail when the service is away.
    fn is_news(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let news = told.is_none_or(|at| at.elapsed() >= TOLD_EVERY);
        if news {
            *told = Some(Instant::now());
        }
        news
    }

    fn pause_left(&self) -> Option<Duration> {
        let paused = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        paused?.checked_duration_since(self.clock().instant()).filter(|left| !left.is_zero())
    }

    fn clock(&self) -> &Clock {
        self.transport.clock()
    }

    fn judge(&self, request: &Request, outcome: Result<Answer, Failure>, tries: Tries) -> Judged {
        match outcome {
            Ok(answer) if repeats(&answer, request.repeat) => self.judge_wait(request, &answer, tries),
            Ok(answer) => Judged::Return(Ok(answer)),
            Err(failure) => self.judge_failure(request, failure, tries.failed),
        }
    }

    /// The service asks for time.
    fn judge_wait(&self, request: &Request, answer: &Answer, tries: Tries) -> Judged {
        let place = request.place();
        let status = answer.status;
        let (attempt, of) = match status {
            429 => (tries.throttled, self.attempts),
            500 => (tries.failed, self.attempts_500.min(self.attempts_failed)),
            _ => (tries.failed, self.attempts_failed),
        };
        let wait = wait::asked(answer, self.clock().now());
        let after = wait.unwrap_or_else(|| self.backoff.after(status, attempt));
        let give_up = |what| Judged::Return(Err(ClientError::Unavailable { what }));
        if attempt >= of {
            return give_up(format!("{place}: still status {status} after {attempt} attempts"));
        }
        if after > self.backoff.longest {
            let (asked, most) = (after.as_secs(), self.backoff.longest.as_secs());
            return give_up(format!(
                "{place}: status {status}, and the service asks to wait {asked} s, longer than {most} s"
            ));
        }
        let wait_seconds = after.as_secs();
        tracing::info!(status, attempt, of, wait_seconds, "asked to wait: {place}");
        match status {
            429 => Judged::Pause { after },
            _ => Judged::Again { after },
        }
    }

    fn judge_failure(&self, request: &Request, failure: Failure, attempt: u32) -> Judged {
        let place = request.place();
        let (what, sent) = match failure {
            Failure::Fatal(error) => return Judged::Return(Err(error)),
            Failure::NotSent(why) => (format!("{place}: {why}"), false),
            Failure::NoAnswer(why) => (format!("{place}: {why}"), true),
        };
        if sent && request.repeat != Repeat::Safe {
            return Judged::Return(Err(ClientError::Unknown { what }));
        }
        if attempt >= self.attempts_failed {
            let what = format!("{what} ({attempt} attempts)");
            let what = if sent { what } else { format!("{what}; {UNREACHED}") };
            return Judged::Return(Err(ClientError::Unavailable { what }));
        }
        let after = self.backoff.after(0, attempt);
        let (of, wait_seconds) = (self.attempts_failed, after.as_secs());
        if self.is_news() {
            tracing::warn!(attempt, of, wait_seconds, "trying again: {what}");
        } else {
            tracing::debug!(attempt, of, wait_seconds, "trying again: {what}");
        }
        Judged::Again { after }
    }
}

/// Whether a status is waited out here.
///
/// | status | Safe | Once | Caller |
/// |---|---|---|---|
/// | 429 | repeat | repeat: refused before it was processed | hand out |
/// | 503 with Retry-After | repeat | repeat: the service says that it did nothing and when to come again | hand out |
/// | 408, 500, 502, 503, 504, 509 | repeat | hand out: it may have been done | hand out |
fn repeats(answer: &Answer, repeat: Repeat) -> bool {
    match (answer.status, repeat) {
        (_, Repeat::Caller) => false,
        (429, _) => true,
        (503, Repeat::Once) => answer.headers.contains_key(http::header::RETRY_AFTER),
        (408 | 500 | 502 | 503 | 504 | 509, Repeat::Safe) => true,
        _ => false,
    }
}
