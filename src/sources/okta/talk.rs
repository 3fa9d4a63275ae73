//! Asking Okta: one object or one page of a list, paced, with pages that shrink when they are too heavy.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::Url;

use super::links;
use super::pace::Pacer;
use super::refusal::Failure;
use super::refusal::Refusal;
use super::refusal::silence;
use super::settings::OktaSettings;
use crate::client::Answer;
use crate::client::Client;
use crate::client::ClientError;
use crate::client::ClientSettings;
use crate::client::Credential;
use crate::client::Repeat;
use crate::client::Request;
use crate::sources::SourceError;

/// Sizes that a heavy page falls back to (500 users with their profiles have met 500 and 504; okta.md 3.3, 3.6).
const LIGHTER: [u16; 2] = [200, 100];

pub(super) struct Talk {
    client: Client,
    /// `https://acme.okta.com/api/v1`.
    api: Url,
    pacer: Pacer,
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
        let credential = Credential::Header { scheme: "SSWS".to_owned(), secret: settings.token.clone() };
        let client = Client::new(ClientSettings {
            ca_file: settings.ca_file.clone(),
            timeout: settings.timeout,
            backoff: settings.backoff,
            ..ClientSettings::new(settings.host().clone(), credential)
        })?;
        let api = client.url("/api/v1")?;
        Ok(Talk { client, api, pacer: Pacer::default() })
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
        let answer = self.send(request).await?;
        let answer = successful(place.clone(), answer)?;
        answer.json().map_err(|_| Failure::Broken(unreadable(place, &answer, "the object")))
    }

    /// One page of a list.
    pub async fn rows(&self, url: Url) -> Result<Rows, Failure> {
        let (url, answer) = self.bearable(url).await?;
        let place = Request::get(url.clone()).place();
        let answer = successful(place.clone(), answer)?;
        let rows =
            answer.json().map_err(|_| Failure::Broken(unreadable(place.clone(), &answer, "a list")))?;
        let next = match links::next(&answer.headers) {
            Some(link) => Some(links::restored(self.client.follow(link)?, &url)),
            None => None,
        };
        Ok(Rows { place, rows, next })
    }

    /// The page as large as Okta can bear it: a size that fails is not repeated, but made smaller; only the
    /// smallest, and an Okta that is down as a whole (503), is repeated with patience.
    async fn bearable(&self, mut url: Url) -> Result<(Url, Answer), Failure> {
        while let Some(size) = lighter(&url) {
            match self.send(Request::get(url.clone()).repeat(Repeat::Once)).await {
                Ok(answer) if matches!(answer.status, 503 | 509) => break,
                Ok(answer) if !matches!(answer.status, 408 | 500 | 502 | 504) => return Ok((url, answer)),
                Ok(_) | Err(ClientError::Unknown { .. }) => {
                    tracing::debug!(
                        path = url.path(),
                        size,
                        "the page is too heavy, asking for a smaller one"
                    );
                    url = with_limit(&url, size);
                }
                Err(error) => return Err(error.into()),
            }
        }
        let answer = self.send(Request::get(url.clone())).await?;
        Ok((url, answer))
    }

    async fn send(&self, request: Request) -> Result<Answer, ClientError> {
        let path = request.url.path().to_owned();
        self.pacer.wait(&path).await;
        let answer = self.client.send(request).await?;
        self.pacer.note(&path, &answer);
        Ok(answer)
    }
}

fn successful(place: String, answer: Answer) -> Result<Answer, Failure> {
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    Err(Failure::Refused(Refusal::new(place, &answer)))
}

fn unreadable(place: String, answer: &Answer, wanted: &str) -> SourceError {
    let kind = answer.header("content-type").unwrap_or("no content type");
    let bytes = answer.body.len();
    let what = format!(
        "{wanted} was expected, but the answer ({kind}, {bytes} bytes) is not one; check that the host is the org itself and no proxy stands between"
    );
    SourceError::Malformed { place, what }
}

/// The next smaller size for a list, where there is one.
fn lighter(url: &Url) -> Option<u16> {
    let (_, limit) = url.query_pairs().find(|(name, _)| name == "limit")?;
    let limit: u16 = limit.parse().ok()?;
    LIGHTER.into_iter().find(|size| *size < limit)
}

fn with_limit(url: &Url, limit: u16) -> Url {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut url = url.clone();
    let smaller = pairs.into_iter().map(|(name, value)| {
        let value = if name == "limit" { limit.to_string() } else { value };
        (name, value)
    });
    url.query_pairs_mut().clear().extend_pairs(smaller);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heavy_page_shrinks_step_by_step() {
        let mut url = Url::parse("https://a/api/v1/apps/x/users?limit=500&expand=user&after=b%3D").unwrap();
        let mut steps = Vec::new();
        while let Some(size) = lighter(&url) {
            url = with_limit(&url, size);
            steps.push(url.query().unwrap_or_default().to_owned());
        }
        assert_eq!(steps, ["limit=200&expand=user&after=b%3D", "limit=100&expand=user&after=b%3D"]);
    }

    #[test]
    fn what_has_no_limit_does_not_shrink() {
        assert_eq!(lighter(&Url::parse("https://a/api/v1/apps/x").unwrap()), None);
    }
}
