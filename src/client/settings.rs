//! What a client needs to know, and the defaults.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::Secret;

/// Says what follows from a refused token: the OAuth `error`, and the service's own numbers for it.
pub type TokenCure = fn(error: &str, codes: &[u64]) -> Option<TokenAdvice>;

/// For services of whose numbers we know nothing.
pub const NO_CURE: TokenCure = |_, _| None;

/// What follows from a refused token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAdvice {
    /// A person has to act.
    Cure(&'static str),
    /// It passes: ask again after a while.
    Later,
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
    /// The longest single wait that a service may ask for; a longer one ends the request.
    pub wait_max: Duration,
    /// The first wait where the service names none; it doubles.
    pub backoff: Duration,
    /// Requests in flight at once.
    pub concurrency: usize,
    pub token_cure: TokenCure,
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
            wait_max: Duration::from_secs(300),
            backoff: Duration::from_secs(1),
            concurrency: 4,
            token_cure: NO_CURE,
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
    /// OAuth 2.0 client credentials (RFC 6749 section 4.4) with a secret in the body.
    ClientSecret {
        token_url: Url,
        client_id: String,
        secret: Secret,
        scope: String,
    },
}
