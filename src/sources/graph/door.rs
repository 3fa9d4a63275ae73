//! The way to one tenant: addresses, sign-in, and answers that are pages or trouble.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::de::DeserializeOwned;
use url::Url;

use super::advice;
use super::select::UserSelect;
use super::settings::GraphSettings;
use super::trouble;
use super::trouble::Call;
use super::trouble::Link;
use super::trouble::Trouble;
use super::units;
use super::units::TenantSize;
use crate::client::Answer;
use crate::client::Client;
use crate::client::ClientSettings;
use crate::client::Request;
use crate::sources::SourceError;
use crate::sources::ledger::Ledger;

/// Permissions, by what they show (graph.md 2.9).
pub(super) const USER_READ: &str = "User.Read.All";
pub(super) const GROUP_READ: &str = "Group.Read.All";
pub(super) const MEMBER_READ: &str = "GroupMember.Read.All";
pub(super) const APPLICATION_READ: &str = "Application.Read.All";
pub(super) const DIRECTORY_READ: &str = "Directory.Read.All";

/// Asks for pages as large as they can be had; Graph caps it (graph.md 6.1).
const PREFER: &str = "odata.maxpagesize=999";

/// How often a request is sent at most that fails otherwise than by 429 (graph.md section 7).
const FAILURES_MAX: u32 = 5;
/// For a person who waits: one repeat, since a single failure happens.
const HASTY_ATTEMPTS: u32 = 2;
const HASTY_WAIT: Duration = Duration::from_secs(10);

pub(super) struct Graph {
    pub(super) client: Client,
    pub(super) settings: GraphSettings,
    pub(super) select: UserSelect,
    /// The tenant has no delta feeds: everything is listed.
    pub(super) lists_only: AtomicBool,
    /// The most users that one list has shown.
    users: AtomicU64,
    /// By which ids Graph knows the parts of batches.
    pub(super) ledger: Ledger,
}

impl Graph {
    pub(super) fn new(settings: GraphSettings) -> Result<Graph, SourceError> {
        settings.check()?;
        let client = client(&settings)?;
        let select = UserSelect::new(&settings);
        let (lists_only, users) = (AtomicBool::new(false), AtomicU64::new(0));
        Ok(Graph { client, settings, select, lists_only, users, ledger: Ledger::default() })
    }

    /// The same tenant for somebody who waits for the answer: what does not answer at once is not asked again and
    /// again.
    pub(super) fn hasty(&self) -> Result<Graph, SourceError> {
        let settings = self.settings.clone();
        Graph::new(GraphSettings {
            attempts: settings.attempts.min(HASTY_ATTEMPTS),
            timeout: settings.timeout.min(HASTY_WAIT),
            wait_max: settings.wait_max.min(HASTY_WAIT),
            patience: settings.patience.min(HASTY_WAIT),
            ..settings
        })
    }

    /// A list of users that has come so far: the larger a tenant, the more Graph allows us.
    pub(super) fn users_listed(&self, count: u64) {
        let before = self.users.fetch_max(count, Ordering::Relaxed);
        let (was, is) = (TenantSize::of(before), TenantSize::of(before.max(count)));
        if self.settings.tenant_size.is_none() && is != was {
            self.client.allow(is.share(self.settings.budget_percent));
        }
    }

    /// Units in ten seconds that are ours, and the size that they follow from.
    pub(super) fn budget(&self) -> (u64, TenantSize) {
        let learnt = || TenantSize::of(self.users.load(Ordering::Relaxed));
        let size = self.settings.tenant_size.unwrap_or_else(learnt);
        (size.share(self.settings.budget_percent), size)
    }

    /// An address of our own below `/v1.0`.
    pub(super) fn own(&self, path_and_query: &str) -> Result<Url, SourceError> {
        self.client.url(path_and_query).map_err(|error| trouble::unanswered(error, "graph address"))
    }

    /// A link that Graph gave, followed as it is.
    pub(super) fn given(&self, link: &str) -> Result<Url, SourceError> {
        self.client.follow(link).map_err(|error| trouble::unanswered(error, "graph link"))
    }

    /// Gets JSON, or says what stands against it.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        url: Url,
        link: Link,
        permission: &'static str,
    ) -> Result<T, Trouble> {
        self.ask(Request::get(url), link, permission).await.map_err(Trouble::plain)
    }

    /// The same, for who acts on what exactly stands against it.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        request: Request,
        link: Link,
        permission: &'static str,
    ) -> Result<T, Trouble> {
        let url = &request.url;
        let delta = link == Link::Stored || url.path().ends_with("/delta");
        let request = if delta { request.header("prefer", PREFER) } else { request };
        let place = request.place();
        let answer = self.send(request).await?;
        if answer.status != 200 {
            return Err(trouble::judge(&answer, Call { place: &place, permission, link }));
        }
        Ok(decode(&answer, &place)?)
    }

    pub(super) async fn send(&self, request: Request) -> Result<Answer, SourceError> {
        let place = request.place();
        self.client.send(request).await.map_err(|error| trouble::unanswered(error, &place))
    }
}

pub(super) fn decode<T: DeserializeOwned>(answer: &Answer, place: &str) -> Result<T, SourceError> {
    answer.json().map_err(|error| {
        // The position, not the text: serde's message can quote a value.
        let what = format!("the answer cannot be read (line {}, column {})", error.line(), error.column());
        SourceError::Malformed { place: place.to_owned(), what }
    })
}

/// One part of a path: what is not plain is escaped, so that an id can never become another address.
pub(super) fn segment(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

fn client(settings: &GraphSettings) -> Result<Client, SourceError> {
    let refused = |what: &str| SourceError::Refused {
        what: format!("{what} is no address"),
        cure: "use an https address, such as https://graph.microsoft.com".to_owned(),
    };
    let root = settings.root.as_str().trim_end_matches('/');
    let base = Url::parse(&format!("{root}/v1.0")).map_err(|_| refused("root"))?;
    let authority = settings.authority.as_str().trim_end_matches('/');
    let token_url = Url::parse(&format!("{authority}/{}/oauth2/v2.0/token", settings.tenant))
        .map_err(|_| refused("authority"))?;
    let credential = settings.sign_in.credential(token_url, root, &settings.client_id);
    let credential =
        credential.map_err(|error| SourceError::Refused { what: error.what, cure: error.cure })?;
    let mut client = ClientSettings::new(base, credential);
    client.ca_file = settings.ca_file.clone();
    client.attempts = settings.attempts;
    client.attempts_failed = FAILURES_MAX;
    client.timeout = settings.timeout;
    let size = settings.tenant_size.unwrap_or(TenantSize::Small);
    client.tariff = Some(units::tariff(size, settings.budget_percent));
    client.backoff = settings.backoff;
    client.wait_max = settings.wait_max;
    client.token_cure = advice::of;
    client.patience = settings.patience;
    Client::new(client).map_err(|error| match trouble::unanswered(error, "graph settings") {
        SourceError::Malformed { place, what } => SourceError::Refused {
            what: format!("{place}: {what}"),
            cure: "check authority and root".to_owned(),
        },
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_become_another_address() {
        assert_eq!(segment("8b1ee412-cd8f-4d59"), "8b1ee412-cd8f-4d59");
        assert_eq!(segment("a/../b?c#d'é"), "a%2F..%2Fb%3Fc%23d%27%C3%A9");
    }
}
