//! A remote SCIM 2.0 service as a target: what a profile says it can do, asked and written over HTTP.
//!
//! | file | holds |
//! |---|---|
//! | `known` | the profile, and what was learned of the service |
//! | `message` | what is sent: filters, patches, members |
//! | `answer`, `fate` | what comes back, read tolerantly, and what it means |
//! | `send` | one request with the profile's headers |
//! | `list`, `index` | lists page by page; one list in place of many lookups |
//! | `read` | find, get |
//! | `order` | which operations may run beside each other |
//! | `write`, `patch` | create, change, delete |
//! | `renamed` | where a resource is after a patch that gave it another name |
//! | `members` | who is in a team; adding and removing |
//! | `bulk` | many operations in one request |
//! | `check` | discovery for `rosterd check` |

mod add;
mod answer;
mod bulk;
mod check;
mod fate;
mod index;
mod known;
mod list;
mod members;
mod message;
mod order;
mod patch;
mod read;
mod renamed;
mod send;
mod write;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use url::Url;

use super::Found;
use super::Listed;
use super::Lookup;
use super::Operation;
use super::Outcome;
use super::ServiceProvider;
use super::TargetError;
use crate::client::Bill;
use crate::client::Client;
use crate::client::ClientError;
use crate::client::ClientSettings;
use crate::client::Clock;
use crate::client::Credential;
use crate::client::Secret;
use crate::client::Tariff;
use crate::model::Finding;
use crate::model::Lesson;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::profiles::Demands;
use crate::scim::profiles::Profile;
use crate::scim::profiles::Rate;
use index::Indexes;
use known::Known;

/// How many operations one call carries: the journal is written around each, so this bounds what a crash
/// leaves to be asked about.
const BATCH: usize = 100;
/// A 500 is a mistake of the service, which the same request meets again: once is enough (SCIM reference, O11).
const ATTEMPTS_500: u32 = 2;
/// A day; a slower rate than one request a day is none.
const WINDOW_MAX_SECONDS: f64 = 86_400.0;

/// Where the service is and how it wants to be spoken to.
#[derive(Clone, Debug)]
pub struct RemoteSettings {
    /// The base of its endpoints, such as `https://api.cerby.com/v1/scim/v2`.
    pub url: Url,
    /// Bearer tokens, tried in order when one is refused (rotation). Empty: no token is sent.
    pub tokens: Vec<Secret>,
    pub profile: Profile,
    /// The keys of the profile that the operator set: nothing is learned over them.
    pub settled: BTreeSet<String>,
    /// How long what was learned counts.
    pub learned_for: Duration,
    /// Certificates (PEM) of a private authority.
    pub ca_file: Option<PathBuf>,
    /// Requests in flight at once.
    pub concurrency: usize,
    /// The longest silence within one request.
    pub timeout: Duration,
    /// The first wait before a repeat where the service names none; it doubles.
    pub backoff: Duration,
    /// How often one request is sent at most.
    pub attempts: u32,
    /// From so many lookups at once on, one listing of the target is read instead, where it is trusted.
    pub lookup_listing_from: usize,
    /// Resources read of one list at most. A lookup needs one page of a service that filters; the rest is for one
    /// that ignores filters and shows everything, and for a listing in place of lookups.
    pub listing_max: usize,
    /// Resources read at most of one list that is read whole, page by page, for verification and account discovery. Only
    /// their ids are kept in memory meanwhile.
    pub whole_listing_max: usize,
    /// What repeats wait by.
    pub clock: Clock,
}

impl RemoteSettings {
    /// The defaults: 10,000 people is the directory size up to which reading all for one answer, and keeping them in
    /// memory meanwhile, is still bearable.
    pub fn new(url: Url, tokens: Vec<Secret>) -> RemoteSettings {
        RemoteSettings {
            url,
            tokens,
            profile: Profile::standard(),
            settled: BTreeSet::new(),
            learned_for: super::LEARNED_FOR,
            ca_file: None,
            concurrency: 4,
            timeout: Duration::from_secs(120),
            backoff: Duration::from_secs(1),
            attempts: 6,
            lookup_listing_from: 500,
            listing_max: 10_000,
            whole_listing_max: 1_000_000,
            clock: Clock::system(),
        }
    }
}

/// A remote SCIM service.
#[derive(Debug)]
pub struct RemoteTarget {
    client: Client,
    identity: String,
    known: Known,
    learned_for: Duration,
    concurrency: usize,
    timeout: Duration,
    lookup_listing_from: usize,
    listing_max: usize,
    whole_listing_max: usize,
    indexes: Indexes,
}

impl RemoteTarget {
    /// Reads no network. The error names the setting that cannot be.
    pub fn new(settings: RemoteSettings) -> Result<RemoteTarget, ClientError> {
        let credential = match settings.tokens.is_empty() {
            true => Credential::None,
            false => Credential::Bearer(settings.tokens),
        };
        let identity = identity(&settings.url);
        let rate = settings.profile.rate;
        let concurrency = settings.concurrency.min(rate.concurrent.unwrap_or(usize::MAX)).max(1);
        let (tariff, write_tariff) = allowances(&rate);
        let usual = ClientSettings::new(settings.url, credential);
        let client = Client::new(ClientSettings {
            ca_file: settings.ca_file,
            timeout: settings.timeout,
            backoff: settings.backoff,
            attempts: settings.attempts,
            attempts_500: ATTEMPTS_500,
            concurrency,
            tariff,
            write_tariff,
            user_agent: settings.profile.user_agent.clone().unwrap_or(usual.user_agent.clone()),
            clock: settings.clock,
            ..usual
        })?;
        Ok(RemoteTarget {
            client,
            identity,
            known: Known::new(settings.profile, settings.settled),
            learned_for: settings.learned_for,
            concurrency,
            timeout: settings.timeout,
            lookup_listing_from: settings.lookup_listing_from.max(1),
            listing_max: settings.listing_max.max(1),
            whole_listing_max: settings.whole_listing_max.max(1),
            indexes: Indexes::default(),
        })
    }

    /// The address of one resource: its id is one segment, whatever it holds.
    fn resource_url(&self, kind: Kind, id: &ResourceId) -> Result<Url, ClientError> {
        self.client.url(&format!("{}/{}", kind.endpoint(), message::encoded(&id.0)))
    }
}

/// What may be spent on all requests, and on writes where they are counted by themselves.
pub fn allowances(rate: &Rate) -> (Option<Tariff>, Option<Tariff>) {
    (tariff(rate.rps, rate.burst), tariff(rate.write_rps, rate.write_burst))
}

/// What may be sent at once comes back within the window, evenly. Without a rate the service's 429 is the limit.
fn tariff(rps: Option<f64>, burst: Option<u64>) -> Option<Tariff> {
    let rps = rps.filter(|rps| rps.is_finite() && *rps > 0.0)?;
    let units = burst.unwrap_or(rps.ceil() as u64).max(1);
    let window = Duration::from_secs_f64((units as f64 / rps).min(WINDOW_MAX_SECONDS));
    Some(Tariff { units, window, cost: |_| 1, bill: |_, _| Bill::default() })
}

/// The URL as it is pinned (P15): scheme and host in lower case (the parser's work), no trailing slash.
fn identity(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

impl ServiceProvider for RemoteTarget {
    fn identity(&self) -> String {
        self.identity.clone()
    }

    fn find<'a>(&'a self, lookups: &'a [Lookup]) -> BoxFuture<'a, Result<Vec<Vec<Found>>, TargetError>> {
        Box::pin(self.find_all(lookups))
    }

    fn get<'a>(
        &'a self,
        ids: &'a [(Kind, ResourceId)],
    ) -> BoxFuture<'a, Result<Vec<Option<Found>>, TargetError>> {
        Box::pin(self.get_all(ids))
    }

    fn list(&self, kind: Kind) -> BoxStream<'_, Result<Listed, TargetError>> {
        self.walk_all(kind)
    }

    fn members<'a>(
        &'a self,
        team: &'a ResourceId,
    ) -> BoxFuture<'a, Result<Option<Vec<ResourceId>>, TargetError>> {
        Box::pin(self.members_of(team))
    }

    fn apply<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, TargetError>> {
        Box::pin(self.apply_all(operations))
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.discover())
    }

    fn demands(&self) -> Demands {
        self.known.profile.demands()
    }

    fn members_among<'a>(
        &'a self,
        team: &'a ResourceId,
        people: &'a [ResourceId],
    ) -> BoxFuture<'a, Result<Option<Vec<bool>>, TargetError>> {
        Box::pin(self.who_is_in(team, people))
    }

    fn recall(&self, lessons: &[Lesson]) {
        self.indexes.forget();
        self.known.recall(lessons);
    }

    fn lessons(&self) -> Vec<Lesson> {
        self.known.news()
    }

    fn learned_for(&self) -> Duration {
        self.learned_for
    }

    /// As long as the client itself would have waited: a service that is slower than that is away.
    fn patience(&self) -> Duration {
        self.timeout
    }

    fn batch(&self) -> usize {
        BATCH
    }

    fn requests(&self) -> u64 {
        self.client.requests()
    }

    fn time(&self) -> Option<Timestamp> {
        self.client.service_time()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_does_not_depend_on_how_the_url_was_typed() {
        for text in [
            "https://API.Example.com/scim/v2/",
            "https://api.example.com:443/scim/v2",
            "HTTPS://api.example.com/scim/v2",
        ] {
            assert_eq!(identity(&Url::parse(text).unwrap()), "https://api.example.com/scim/v2", "{text}");
        }
    }
}
