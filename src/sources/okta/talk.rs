//! Asking Okta: one object or one page of a list, paced, patient, with pages that shrink when they are too heavy.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::Url;

use super::bucket::Family;
use super::bucket::Share;
use super::links;
use super::pace;
use super::pace::Pacer;
use super::patience;
use super::patience::ATTEMPTS;
use super::patience::Budget;
use super::patience::Sequel;
use super::refusal::Failure;
use super::refusal::Refusal;
use super::refusal::Signed;
use super::refusal::silence;
use super::settings::OktaSettings;
use super::sign_in;
use super::sizes::Sizes;
use crate::client::Answer;
use crate::client::Client;
use crate::client::ClientError;
use crate::client::Repeat;
use crate::client::Request;
use crate::sources::SourceError;
use crate::sources::ledger::Ledger;

pub(super) struct Talk {
    client: Client,
    /// `https://acme.okta.com/api/v1`.
    api: Url,
    pacer: Arc<Pacer>,
    share: Share,
    signed: Signed,
    sizes: Sizes,
    budget: Budget,
    /// The first wait where Okta names none.
    backoff: Duration,
    /// By which ids Okta knows the questions of the witness.
    pub(super) ledger: Ledger,
    /// Whether requests are noted there.
    noting: AtomicBool,
}

/// One page of a list: rows that can be read one by one, and where it goes on.
pub(super) struct Rows {
    pub place: String,
    pub rows: Vec<Box<RawValue>>,
    pub next: Option<Url>,
}

impl Rows {
    /// The rows that can be read, and how many cannot: one bad row does not spoil the others (P12).
    pub fn read<T: DeserializeOwned>(&self) -> (Vec<T>, usize) {
        let good: Vec<T> = self.rows.iter().filter_map(|row| serde_json::from_str(row.get()).ok()).collect();
        let bad = self.rows.len() - good.len();
        (good, bad)
    }
}

impl Talk {
    pub fn new(settings: &OktaSettings) -> Result<Talk, ClientError> {
        let client = sign_in::client(settings)?;
        let api = client.url("/api/v1")?;
        Ok(Talk {
            client,
            api,
            pacer: settings.allowances.of(&settings.principal()),
            share: settings.rate_share,
            signed: settings.sign_in().signed(),
            sizes: Sizes::default(),
            budget: Budget::new(settings.repeats_max),
            backoff: settings.backoff,
            ledger: Ledger::default(),
            noting: AtomicBool::new(false),
        })
    }

    /// A new run: its own repeats, and pages as large as the settings say. What Okta said of its allowances stays.
    pub fn begin(&self) {
        self.budget.begin();
        self.sizes.begin();
        self.pacer.begin();
        self.ledger.clear();
    }

    /// From now on the ids of answers are kept, or are not.
    pub fn note_ids(&self, noting: bool) {
        self.noting.store(noting, Ordering::Relaxed);
    }

    /// The client itself, for what is no request of a cycle.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What Okta shows as the limit of a family, and how much of it is ours.
    pub fn allowance(&self, family: Family) -> Option<(u64, u64)> {
        let limit = self.pacer.shown(family)?;
        Some((limit, self.share.of(limit)))
    }

    pub fn requests(&self) -> u64 {
        self.client.requests()
    }

    /// `/api/v1/…` with its segments and query escaped; it cannot leave the host.
    pub fn address(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// A stored address, if it still leads to our org.
    pub fn follow(&self, link: &str) -> Result<Url, SourceError> {
        self.client.follow(link).map_err(silence)
    }

    /// One object.
    pub async fn one<T: DeserializeOwned>(&self, url: Url) -> Result<T, Failure> {
        let request = Request::get(url);
        let place = request.place();
        let (_, answer) = self.send(request).await?;
        let answer = self.successful(place.clone(), answer)?;
        answer.json().map_err(|_| Failure::Broken(unreadable(place, &answer, "the object")))
    }

    /// One page of a list, as large as Okta can bear it.
    pub async fn rows(&self, url: Url) -> Result<Rows, Failure> {
        let (url, answer) = self.send(Request::get(self.sizes.bearable(url))).await?;
        let place = Request::get(url.clone()).place();
        let answer = self.successful(place.clone(), answer)?;
        let rows =
            answer.json().map_err(|_| Failure::Broken(unreadable(place.clone(), &answer, "a list")))?;
        let next = match links::next(&answer.headers) {
            Some(link) => Some(links::restored(self.client.follow(link)?, &url)),
            None => None,
        };
        Ok(Rows { place, rows, next })
    }

    /// Asks until the answer is the caller's to judge, and says where it came from: a page that was too heavy has
    /// become a smaller one.
    async fn send(&self, mut request: Request) -> Result<(Url, Answer), ClientError> {
        let mut tries = Tries::default();
        loop {
            let outcome = self.once(&request, &tries).await;
            let sequel = patience::sequel(&outcome);
            if sequel == Sequel::HandOut {
                return outcome.map(|answer| (request.url, answer));
            }
            let place = request.place();
            let why = why(&outcome, &place);
            self.budget.spend(&place, &why)?;
            let smaller = if sequel == Sequel::Smaller { self.sizes.lower(&request.url) } else { None };
            let wait = self.wait(sequel, tries.made);
            if let Some(url) = smaller {
                tries = Tries::default();
                request.url = url;
            } else if tries.made >= ATTEMPTS {
                let what = format!("{place}: still {why} after {} attempts", tries.made);
                return Err(ClientError::Unavailable { what });
            } else {
                tries.refused(&outcome);
            }
            let (attempt, wait_seconds) = (tries.made, wait.as_secs());
            tracing::info!(attempt, of = ATTEMPTS, wait_seconds, "asking again: {place}: {why}");
            self.client.clock().sleep(wait).await;
        }
    }

    /// One attempt, when the allowance has room for it.
    async fn once(&self, request: &Request, tries: &Tries) -> Result<Answer, ClientError> {
        let family = Family::of(request.url.path());
        let _place = self.pacer.enter(family, self.share).await;
        let outcome = self.client.send(tries.told(request.clone().repeat(Repeat::Caller))).await;
        if let Ok(answer) = &outcome {
            self.pacer.note(family, answer, pace::random());
            if self.noting.load(Ordering::Relaxed) {
                self.ledger.note(request.url.as_str(), answer.header("x-okta-request-id"));
            }
        }
        outcome
    }

    fn successful(&self, place: String, answer: Answer) -> Result<Answer, Failure> {
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        Err(Failure::Refused(Refusal::new(place, &answer, self.signed)))
    }

    fn wait(&self, sequel: Sequel, attempt: u32) -> Duration {
        match sequel {
            // The bucket holds the next attempt until its reset.
            Sequel::HandOut | Sequel::AfterReset => Duration::ZERO,
            Sequel::Fewer => {
                self.pacer.halve();
                pace::stand_back(pace::random())
            }
            Sequel::Smaller | Sequel::Later => patience::later(self.backoff, attempt, pace::random()),
        }
    }
}

/// The attempts at one request so far.
struct Tries {
    /// The one that is under way included.
    made: u32,
    /// How Okta calls the first of them.
    first: Option<String>,
}

impl Default for Tries {
    fn default() -> Tries {
        Tries { made: 1, first: None }
    }
}

impl Tries {
    fn refused(&mut self, outcome: &Result<Answer, ClientError>) {
        let id = outcome.as_ref().ok().and_then(|answer| answer.header("x-okta-request-id"));
        if self.first.is_none() {
            self.first = id.map(str::to_owned);
        }
        self.made += 1;
    }

    /// Okta's own clients say which request they repeat, and Okta's support can follow it (okta.md section 7).
    fn told(&self, request: Request) -> Request {
        match &self.first {
            Some(first) => request
                .header("X-Okta-Retry-For", first)
                .header("X-Okta-Retry-Count", &(self.made - 1).to_string()),
            None => request,
        }
    }
}

/// What went wrong, without values.
fn why(outcome: &Result<Answer, ClientError>, place: &str) -> String {
    match outcome {
        Ok(answer) => format!("status {}", answer.status),
        Err(ClientError::Unknown { what }) => what.replacen(&format!("{place}: "), "", 1),
        Err(error) => error.to_string(),
    }
}

fn unreadable(place: String, answer: &Answer, wanted: &str) -> SourceError {
    let kind = answer.header("content-type").unwrap_or("no content type");
    let bytes = answer.body.len();
    let what = format!(
        "{wanted} was expected, but the answer ({kind}, {bytes} bytes) is not one; check that the host is the org itself and no proxy stands between"
    );
    SourceError::Malformed { place, what }
}
