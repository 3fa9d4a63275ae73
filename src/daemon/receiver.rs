//! Where follow-ups go: one signed request each, and what its answer means.

use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use url::Url;

use super::webhook::WebhookSecret;
use super::webhook::signature;
use crate::client::Answer;
use crate::client::Client;
use crate::client::ClientError;
use crate::client::ClientSettings;
use crate::client::Credential;
use crate::client::Repeat;
use crate::client::Request;
use crate::store::ChainHead;
use crate::store::FollowUp;

/// Where a webhook carries the end of the log's chain.
const CHAIN: &str = "rosterd-chain";

/// What the settings say of a receiver; its secrets come with [`Receiver::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverSettings {
    pub url: Url,
    /// The longest silence within one request.
    pub timeout: Duration,
    /// Certificates (PEM) that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
}

/// The receiver of one workspace's follow-ups.
pub struct Receiver {
    client: Client,
    url: Url,
    secrets: Vec<WebhookSecret>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// 2xx, and the receiver says that it is done: `{"acknowledged": true}`.
    Acknowledged,
    /// 2xx.
    Yes,
    /// Anything else: why, the wait that the receiver asked for, and whether the next request would fare alike.
    No { why: String, asked: Option<Duration>, is_away: bool },
}

impl Receiver {
    /// Nothing is sent. An error names the setting.
    pub fn new(settings: &ReceiverSettings, secrets: Vec<WebhookSecret>) -> Result<Receiver, ClientError> {
        let client = Client::new(ClientSettings {
            ca_file: settings.ca_file.clone(),
            timeout: settings.timeout,
            // Repeats are ours, and durable.
            attempts: 1,
            ..ClientSettings::new(settings.url.clone(), Credential::None)
        })?;
        Ok(Receiver { client, url: settings.url.clone(), secrets })
    }

    /// Sends a follow-up once. A redirect is not followed: only the address of the settings is sent to.
    /// The end of the log's chain goes along in a header of ours, beside what Standard Webhooks says and signs.
    pub async fn send(&self, follow_up: &FollowUp, chain: Option<&ChainHead>, now: Timestamp) -> Taken {
        let second = now.as_second();
        let signature = signature(&self.secrets, &follow_up.id, second, &follow_up.body.to_string());
        let mut request = Request::json(Method::POST, self.url.clone(), follow_up.body.clone())
            .header("webhook-id", &follow_up.id)
            .header("webhook-timestamp", &second.to_string())
            .header("webhook-signature", &signature)
            .repeat(Repeat::Caller);
        if let Some(head) = chain {
            request = request.header(CHAIN, &head.to_string());
        }
        match self.client.send(request).await {
            Ok(answer) => judged(&answer),
            Err(error) => Taken::No { why: error.to_string(), asked: None, is_away: true },
        }
    }
}

fn judged(answer: &Answer) -> Taken {
    match answer.status {
        200..=299 if says_done(answer) => Taken::Acknowledged,
        200..=299 => Taken::Yes,
        status => Taken::No {
            why: format!("the receiver answered {status}"),
            asked: answer
                .header("retry-after")
                .and_then(|text| text.trim().parse().ok())
                .map(Duration::from_secs),
            is_away: status == 429 || status >= 500,
        },
    }
}

fn says_done(answer: &Answer) -> bool {
    answer.json::<serde_json::Value>().is_ok_and(|body| body["acknowledged"] == true)
}
