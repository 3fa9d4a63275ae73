//! Managed identities: tokens from the Azure machine, or from the Azure Arc agent, that we run on (graph.md 2.4).
//!
//! | status | then |
//! |---|---|
//! | 200 | the token |
//! | 404, 408, 429, no answer | again after 2, 4, 8, 16 s, five times in all |
//! | 410 | the service is being updated: again for up to 70 s |
//! | 5xx | again after 1 s or more, five times in all |
//! | 400 `bad_request_102` | our request is wrong: an error |
//! | 401 of the Arc agent | the challenge: the key in the named file is sent along, once |
//! | any other 4xx | the machine is set up differently: an error |

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;
use http::header;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::Answer;
use super::ClientError;
use super::IdentityHost;
use super::ManagedIdentity;
use super::Request;
use super::Secret;
use super::WhichIdentity;
use super::challenge;
use super::credential::sensitive;
use super::token::Fetch;
use super::token::Granted;
use super::token::Tried;
use super::token::Trouble;
use super::transport::Failure;
use super::transport::Transport;
use super::transport::Way;

/// The documented number of tries.
pub(super) const TRIES: u32 = 5;
/// How long an update of the service takes at most, in first waits of a second.
const UPDATE_WAITS: u32 = 70;
/// The service asks for at least that between two tries after a 5xx.
const AFTER_ERROR: Duration = Duration::from_secs(1);

const MACHINE_VERSION: &str = "2018-02-01";
const ARC_VERSION: &str = "2020-06-01";

/// Asks the machine for tokens.
pub(super) struct IdentityDoor {
    identity: ManagedIdentity,
    url: Url,
    place: String,
    /// One of its own: never through a proxy, which would see the token and could not reach the service.
    transport: Transport,
}

impl IdentityDoor {
    pub(super) fn new(identity: ManagedIdentity, transport: Transport) -> IdentityDoor {
        let url = address(&identity);
        let place = Request::get(url.clone()).place();
        IdentityDoor { identity, url, place, transport }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) async fn ask(&self, fetch: Fetch<'_>, tried: &mut Tried) -> Result<Granted, Trouble> {
        tried.asked += 1;
        let mut answer = self.get(None, fetch, tried).await?;
        if let (401, IdentityHost::Arc { token_directory, .. }) = (answer.status, &self.identity.host) {
            let key = self.key(&answer, token_directory.clone()).await?;
            let proof = sensitive("Basic", key.reveal()).ok_or_else(|| self.no_key("holds no key"))?;
            answer = self.get(Some(proof), fetch, tried).await?;
        }
        self.judge(&answer, fetch, tried)
    }

    async fn get(
        &self,
        proof: Option<HeaderValue>,
        fetch: Fetch<'_>,
        tried: &Tried,
    ) -> Result<Answer, Trouble> {
        let request = Request::get(self.url.clone()).header("metadata", "true");
        let proof = proof.into_iter().map(|proof| (header::AUTHORIZATION, proof)).collect();
        self.transport.exchange(&request, proof, Way::Kept).await.map_err(|failure| match failure {
            Failure::Fatal(error) => Trouble::Final(error),
            Failure::NotSent(why) | Failure::NoAnswer(why) => {
                let wait = Some(fetch.backoff.after(429, tried.asked));
                Trouble::Passing { why: format!("{why}; {}", self.away()), wait }
            }
        })
    }

    fn judge(&self, answer: &Answer, fetch: Fetch<'_>, tried: &Tried) -> Result<Granted, Trouble> {
        let status = answer.status;
        let said = said(answer);
        let what = format!("{}: no token of the managed identity: {said}", self.place);
        let denied = |cure: &str| ClientError::Denied { what: what.clone(), cure: cure.to_owned() };
        let again =
            |wait| Err(Trouble::Passing { why: format!("{said}; {}", self.away()), wait: Some(wait) });
        match status {
            200 => read(answer).ok_or_else(|| Trouble::Final(denied("the answer is no token; report this"))),
            404 | 408 | 429 => again(fetch.backoff.after(429, tried.asked)),
            410 => {
                let last = ClientError::Unavailable { what: format!("{what}; it is being updated") };
                Err(Trouble::Lasting { last, within: fetch.backoff.first * UPDATE_WAITS })
            }
            500..=599 => again(fetch.backoff.after(status, tried.asked).max(AFTER_ERROR)),
            400 if said.contains("bad_request_102") => Err(Trouble::Final(denied(
                "the header `Metadata: true` was lost on the way; let nothing stand between rosterd and the \
                 machine's own service, and report this",
            ))),
            _ => Err(Trouble::Final(denied(self.cure()))),
        }
    }

    /// What to look at when the service cannot be reached or does not know us yet.
    fn away(&self) -> &'static str {
        match self.identity.host {
            IdentityHost::Machine { .. } => "is this host a machine in Azure, with a managed identity?",
            IdentityHost::Arc { .. } => "does the Azure Arc agent (himdsd) run on this host?",
        }
    }

    fn cure(&self) -> &'static str {
        match &self.identity.host {
            IdentityHost::Machine { which: WhichIdentity::System, .. } => {
                "turn the system-assigned identity of this machine on, or name one: managed_identity = { \
                 client_id = \"…\" }"
            }
            IdentityHost::Machine { .. } => {
                "assign the identity that is named to this machine, or name another one"
            }
            IdentityHost::Arc { .. } => {
                "let azcmagent show say that this host is connected, and let rosterd's user be in the group himds"
            }
        }
    }

    async fn key(&self, answer: &Answer, directory: PathBuf) -> Result<Secret, Trouble> {
        let realm = answer.header("www-authenticate").and_then(challenge::basic_realm);
        let Some(path) = realm.map(PathBuf::from) else {
            return Err(self.no_key("is not named by its challenge"));
        };
        let read = tokio::task::spawn_blocking(move || challenge::key(&path, &directory)).await;
        match read {
            Ok(Ok(key)) => Ok(key),
            Ok(Err(why)) => Err(self.no_key(&why)),
            Err(_) => Err(self.no_key("was not read to its end")),
        }
    }

    fn no_key(&self, why: &str) -> Trouble {
        let what = format!("{}: the key file of the Azure Arc agent {why}", self.place);
        let cure = "let rosterd's user be in the group himds; where the agent keeps its keys elsewhere, set \
                    azure_arc = { token_directory = \"…\" }";
        Trouble::Final(ClientError::Denied { what, cure: cure.to_owned() })
    }
}

fn address(identity: &ManagedIdentity) -> Url {
    let root = identity.root.trim_end_matches('/');
    match &identity.host {
        IdentityHost::Machine { endpoint, which } => {
            let mut url = endpoint.clone();
            url.query_pairs_mut()
                .append_pair("api-version", MACHINE_VERSION)
                .append_pair("resource", &format!("{root}/"));
            if let Some((name, value)) = named(which) {
                url.query_pairs_mut().append_pair(name, value);
            }
            url
        }
        IdentityHost::Arc { endpoint, .. } => {
            let mut url = endpoint.clone();
            url.query_pairs_mut().append_pair("api-version", ARC_VERSION).append_pair("resource", root);
            url
        }
    }
}

fn named(which: &WhichIdentity) -> Option<(&'static str, &str)> {
    match which {
        WhichIdentity::System => None,
        WhichIdentity::ClientId(id) => Some(("client_id", id)),
        WhichIdentity::ObjectId(id) => Some(("object_id", id)),
        WhichIdentity::ResourceId(id) => Some(("msi_res_id", id)),
    }
}

/// Its numbers are texts.
#[derive(Deserialize)]
struct Given {
    access_token: String,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    expires_on: Value,
}

fn read(answer: &Answer) -> Option<Granted> {
    let given: Given = answer.json().ok()?;
    let until = || {
        let left = seconds(&given.expires_on)?.checked_sub(Timestamp::now().as_second())?;
        Some(left.max(0))
    };
    let life = seconds(&given.expires_in).or_else(until);
    let life = life.map(|seconds| Duration::from_secs(seconds.unsigned_abs()));
    let usable = !given.access_token.is_empty();
    usable.then(|| Granted { secret: Secret::new(given.access_token), life, bound: None })
}

fn seconds(value: &Value) -> Option<i64> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_i64()?,
    };
    (number >= 0).then_some(number)
}

/// Status and error code; the description is not kept.
fn said(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let code = answer.json::<Refusal>().map(|refusal| refusal.error).unwrap_or_default();
    let code: String = code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect();
    match code.as_str() {
        "" => format!("status {}", answer.status),
        code => format!("status {} {code}", answer.status),
    }
}

/// Whether an identity's service may be asked over plain http: it never leaves the machine.
pub(super) fn stays_here(url: &Url) -> bool {
    url.host_str() == Some("169.254.169.254") || super::hosts::is_loopback(url)
}
