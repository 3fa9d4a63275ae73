//! What a client needs to know, and the defaults.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::Answer;
use super::Assertion;
use super::Clock;
use super::Secret;
use super::Tariff;

/// Says what follows from a refused token: the OAuth `error`, and the service's own numbers for it. Where a service has
/// no numbers its words have to do: they are for comparing only, as they can repeat what was sent (P11).
pub type TokenCure = fn(error: &str, codes: &[u64], words: &str) -> Option<TokenAdvice>;

/// For services of whose numbers we know nothing.
pub const NO_CURE: TokenCure = |_, _, _| None;

/// What follows from a refused token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAdvice {
    /// A person has to act.
    Cure(&'static str),
    /// It passes: ask again after a while.
    Later,
    /// What was set up is not known everywhere yet: ask again for some minutes, then a person has to act.
    Spreading(&'static str),
    /// The assertion came outside its time: make one by the service's clock, then a person has to act.
    Clock(&'static str),
    /// Asked too often: a person has to know, and nothing is asked for an hour.
    Rest(&'static str),
}

/// One remote service. Credentials may travel over plain `http` to a loopback address only.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Every request stays on this scheme, host and port; its path, if any, is put before every path.
    pub base: Url,
    /// Allowed siblings, `host` or `host:port` (Okta's non-admin twin).
    pub also_hosts: Vec<String>,
    pub credential: Credential,
    pub user_agent: String,
    /// Certificates (PEM) that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// The longest silence within one request.
    pub timeout: Duration,
    /// How often one request is sent at most, the first time included.
    pub attempts: u32,
    /// The same for one that fails otherwise than by 429; never more than `attempts`.
    pub attempts_failed: u32,
    /// The same for one that is answered with 500; never more than `attempts_failed`.
    pub attempts_500: u32,
    /// The longest single wait that a service may ask for; a longer one ends the request.
    pub wait_max: Duration,
    /// The first wait where the service names none; it doubles.
    pub backoff: Duration,
    /// Requests in flight at once.
    pub concurrency: usize,
    /// What the service charges, where it charges by more than the number of requests.
    pub tariff: Option<Tariff>,
    /// What it charges for whatever is no GET, where it counts that by itself.
    pub write_tariff: Option<Tariff>,
    pub token_cure: TokenCure,
    /// Whether a 401 is about our credential, so that another one is tried.
    pub is_of_credential: fn(&Answer) -> bool,
    /// How long a sign-in is tried again that was set up a moment ago and is not known everywhere yet.
    pub patience: Duration,
    /// What repeats wait by.
    pub clock: Clock,
}

impl ClientSettings {
    /// The defaults: the attempts and waits outlast a short restart of the service, not an outage; four at
    /// once is what Microsoft's throttling guidance bears.
    pub fn new(base: Url, credential: Credential) -> Self {
        ClientSettings {
            base,
            also_hosts: Vec::new(),
            credential,
            user_agent: concat!("rosterd/", env!("CARGO_PKG_VERSION")).to_owned(),
            ca_file: None,
            timeout: Duration::from_secs(120),
            attempts: 6,
            attempts_failed: 6,
            attempts_500: 6,
            wait_max: Duration::from_secs(300),
            backoff: Duration::from_secs(1),
            concurrency: 4,
            tariff: None,
            write_tariff: None,
            token_cure: NO_CURE,
            is_of_credential: |_| true,
            patience: Duration::from_secs(300),
            clock: Clock::system(),
        }
    }
}

/// How a client says who it is.
#[derive(Clone, Debug)]
pub enum Credential {
    None,
    /// Tried in order when one is refused with 401, so that a token can be rotated without a gap.
    Bearer(Vec<Secret>),
    /// `Authorization: <scheme> <secret>`, such as Okta's `SSWS`.
    Header {
        scheme: String,
        secret: Secret,
    },
    /// OAuth 2.0 client credentials (RFC 6749 section 4.4).
    Grant(Box<Grant>),
    /// The machine that we run on vouches for us.
    Identity(Box<ManagedIdentity>),
}

impl From<ManagedIdentity> for Credential {
    fn from(identity: ManagedIdentity) -> Credential {
        Credential::Identity(Box::new(identity))
    }
}

impl From<Grant> for Credential {
    fn from(grant: Grant) -> Credential {
        Credential::Grant(Box::new(grant))
    }
}

/// A grant of OAuth 2.0 client credentials: asked once for all, kept, renewed.
#[derive(Clone, Debug)]
pub struct Grant {
    pub token_url: Url,
    pub client_id: String,
    /// Divided by spaces where there are several.
    pub scope: String,
    pub auth: ClientAuth,
}

/// How a client proves to the token endpoint who it is.
#[derive(Clone, Debug)]
pub enum ClientAuth {
    /// A secret in the body; the next of the list is tried where one is refused, so that it can be rotated.
    Secrets(Vec<Secret>),
    /// An assertion that is signed anew for every attempt.
    Assertion(Box<Assertion>),
    /// An assertion that somebody else signs; it is read from its place (`file:PATH`) for every token.
    Federated { place: String },
}

/// An identity that Azure gave the machine (graph.md 2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedIdentity {
    /// What the token is for: the service's root, `https://graph.microsoft.com`.
    pub root: String,
    pub host: IdentityHost,
}

/// Which service on the machine gives the tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityHost {
    /// A machine in Azure.
    Machine { endpoint: Url, which: WhichIdentity },
    /// A machine elsewhere, with the Azure Arc agent; `token_directory` is where the agent puts its key files.
    Arc { endpoint: Url, token_directory: PathBuf },
}

/// Which of the machine's identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhichIdentity {
    /// The machine's own, or the only one.
    System,
    ClientId(String),
    ObjectId(String),
    /// `/subscriptions/…/userAssignedIdentities/NAME`.
    ResourceId(String),
}

impl IdentityHost {
    /// The well-known address of a machine in Azure.
    pub fn machine(which: WhichIdentity) -> IdentityHost {
        let endpoint = constant("http://169.254.169.254/metadata/identity/oauth2/token");
        IdentityHost::Machine { endpoint, which }
    }

    /// The well-known address of the Azure Arc agent, and its folder.
    pub fn arc() -> IdentityHost {
        let endpoint = constant("http://127.0.0.1:40342/metadata/identity/oauth2/token");
        IdentityHost::Arc { endpoint, token_directory: PathBuf::from("/var/opt/azcmagent/tokens") }
    }

    /// The same at another address.
    pub fn at(mut self, other: Url) -> IdentityHost {
        let (IdentityHost::Machine { endpoint, .. } | IdentityHost::Arc { endpoint, .. }) = &mut self;
        *endpoint = other;
        self
    }
}

impl ManagedIdentity {
    pub(super) fn endpoint(&self) -> &Url {
        match &self.host {
            IdentityHost::Machine { endpoint, .. } | IdentityHost::Arc { endpoint, .. } => endpoint,
        }
    }
}

fn constant(text: &str) -> Url {
    Url::parse(text).expect("a constant address")
}
