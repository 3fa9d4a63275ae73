//! A remote SCIM 2.0 service as a target: what a profile says it can do, asked and written over HTTP.
//!
//! | file | holds |
//! |---|---|
//! | `message` | what is sent: filters, patches, member chunks |
//! | `answer` | what comes back, read tolerantly |
//! | `order` | which operations may run beside each other |
//! | `read` | find, get, members |
//! | `write` | create, patch, delete, add and remove members |
//! | `renamed` | where a resource is after a patch that gave it another name |
//! | `check` | discovery for `rosterd check` |

mod answer;
mod check;
mod fate;
mod message;
mod order;
mod read;
mod renamed;
mod write;

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use url::Url;

use super::Found;
use super::Lookup;
use super::Operation;
use super::Outcome;
use super::ServiceProvider;
use super::TargetError;
use crate::client::Client;
use crate::client::ClientError;
use crate::client::ClientSettings;
use crate::client::Clock;
use crate::client::Credential;
use crate::client::Request;
use crate::client::Secret;
use crate::model::Finding;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::profiles::Demands;
use crate::scim::profiles::Profile;

/// How many operations one call carries: the journal is written around each, so this bounds what a crash
/// leaves to be asked about.
const BATCH: usize = 100;

/// Where the service is and how it wants to be spoken to.
#[derive(Clone, Debug)]
pub struct RemoteSettings {
    /// The base of its endpoints, such as `https://api.cerby.com/v1/scim/v2`.
    pub url: Url,
    /// Bearer tokens, tried in order when one is refused (rotation). Empty: no token is sent.
    pub tokens: Vec<Secret>,
    pub profile: Profile,
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
    /// Resources asked for on one page.
    pub page_size: usize,
    /// Pages read for one lookup. One is enough for a service that filters; the rest is for one that ignores
    /// filters and shows everything.
    pub pages_max: usize,
    /// What repeats wait by.
    pub clock: Clock,
}

impl RemoteSettings {
    /// The defaults: 100 a page is the largest that every documented service takes (SCIM reference, section
    /// 13), and 100 pages are 10,000 people, the directory size up to which reading all for one answer is
    /// still bearable.
    pub fn new(url: Url, tokens: Vec<Secret>) -> RemoteSettings {
        RemoteSettings {
            url,
            tokens,
            profile: Profile::standard(),
            ca_file: None,
            concurrency: 4,
            timeout: Duration::from_secs(120),
            backoff: Duration::from_secs(1),
            attempts: 6,
            page_size: 100,
            pages_max: 100,
            clock: Clock::system(),
        }
    }
}

/// A remote SCIM service.
#[derive(Debug)]
pub struct RemoteTarget {
    client: Client,
    identity: String,
    profile: Profile,
    concurrency: usize,
    timeout: Duration,
    page_size: usize,
    pages_max: usize,
}

impl RemoteTarget {
    /// Reads no network. The error names the setting that cannot be.
    pub fn new(settings: RemoteSettings) -> Result<RemoteTarget, ClientError> {
        let credential = match settings.tokens.is_empty() {
            true => Credential::None,
            false => Credential::Bearer(settings.tokens),
        };
        let identity = identity(&settings.url);
        let client = Client::new(ClientSettings {
            ca_file: settings.ca_file,
            timeout: settings.timeout,
            backoff: settings.backoff,
            attempts: settings.attempts,
            concurrency: settings.concurrency,
            clock: settings.clock,
            ..ClientSettings::new(settings.url, credential)
        })?;
        Ok(RemoteTarget {
            client,
            identity,
            profile: settings.profile,
            concurrency: settings.concurrency.max(1),
            timeout: settings.timeout,
            page_size: settings.page_size.max(1),
            pages_max: settings.pages_max.max(1),
        })
    }

    /// The address of one resource: its id is one segment, whatever it holds.
    fn resource_url(&self, kind: Kind, id: &ResourceId) -> Result<Url, ClientError> {
        self.client.url(&format!("{}/{}", kind.endpoint(), message::encoded(&id.0)))
    }

    fn get_request(&self, url: Url) -> Request {
        Request { content_type: self.profile.media_type.text(), ..Request::get(url) }
    }
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
        self.profile.demands()
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
