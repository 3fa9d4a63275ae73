//! Many small reads in one request: `POST /$batch` (graph.md 5.10), its throttled parts repeated.

use std::time::Duration;

use futures_util::future::try_join_all;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::door::DIRECTORY_READ;
use super::door::Graph;
use super::door::decode;
use super::trouble;
use super::trouble::Call;
use super::trouble::Link;
use super::trouble::Trouble;
use super::wire::Failure;
use crate::client::Repeat;
use crate::client::Request;
use crate::sources::SourceError;

/// Graph's own limit.
pub(super) const PARTS_MAX: usize = 20;

/// One read: an address below `/v1.0`, or a question with a body.
pub(super) struct Part {
    url: String,
    headers: Map<String, Value>,
    body: Option<Value>,
}

/// Its answer. A part that stayed throttled or broken shows its last status.
#[derive(Clone, Debug)]
pub(super) struct PartAnswer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Part {
    pub(super) fn get(url: String) -> Part {
        Part { url, headers: Map::new(), body: None }
    }

    /// A question that is asked by POST and changes nothing.
    pub(super) fn ask(url: String, body: Value) -> Part {
        Part { body: Some(body), ..Part::get(url) }.header("Content-Type", "application/json")
    }

    /// A header of this part alone: those of the batch do not reach it (graph.md section 4).
    pub(super) fn header(mut self, name: &str, value: &str) -> Part {
        self.headers.insert(name.to_owned(), Value::from(value));
        self
    }

    fn json(&self, id: usize) -> Value {
        let mut json = json!({"id": id.to_string(), "method": "GET", "url": self.url});
        if let Some(body) = &self.body {
            json["method"] = Value::from("POST");
            json["body"] = body.clone();
        }
        if !self.headers.is_empty() {
            json["headers"] = Value::Object(self.headers.clone());
        }
        json
    }
}

#[derive(Deserialize)]
struct Responses {
    responses: Vec<Response>,
}

#[derive(Deserialize)]
struct Response {
    id: String,
    status: u16,
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    body: Value,
}

impl Graph {
    /// The answers in the order of the parts. The client's own limit keeps few batches in flight.
    pub(super) async fn batch(&self, parts: &[Part]) -> Result<Vec<PartAnswer>, SourceError> {
        let chunks = try_join_all(parts.chunks(PARTS_MAX).map(|chunk| self.chunk(chunk))).await?;
        Ok(chunks.into_iter().flatten().collect())
    }

    async fn chunk(&self, parts: &[Part]) -> Result<Vec<PartAnswer>, SourceError> {
        let mut answers: Vec<Option<PartAnswer>> = vec![None; parts.len()];
        let mut attempt = 0;
        loop {
            attempt += 1;
            let pending: Vec<usize> = (0..parts.len()).filter(|at| unsettled(&answers[*at])).collect();
            let longest = self.round(parts, &pending, &mut answers).await?;
            let settled = !answers.iter().any(unsettled);
            let wait = longest.unwrap_or(self.settings.backoff * 2_u32.saturating_pow(attempt));
            if settled || attempt >= self.settings.attempts || wait > self.settings.wait_max {
                break;
            }
            self.client.clock().sleep(wait).await;
        }
        answers.into_iter().map(|answer| answer.ok_or_else(|| malformed("a part has no answer"))).collect()
    }

    /// Sends the pending parts; answers the longest `Retry-After` among those that were refused for now.
    async fn round(
        &self,
        parts: &[Part],
        pending: &[usize],
        answers: &mut [Option<PartAnswer>],
    ) -> Result<Option<Duration>, SourceError> {
        let requests: Vec<Value> = pending.iter().map(|at| parts[*at].json(*at)).collect();
        let mut longest = None;
        let (whole, responses) = self.post(json!({ "requests": requests })).await?;
        for response in responses {
            let at = response.id.parse::<usize>().ok().filter(|at| pending.contains(at));
            let at = at.ok_or_else(|| malformed("it answers a part that was not asked"))?;
            if passing(response.status) {
                longest = longest.max(retry_after(&response));
            }
            self.ledger.note(&parts[at].url, request_id(&response).as_deref().or(whole.as_deref()));
            answers[at] = Some(PartAnswer { status: response.status, body: response.body });
        }
        Ok(longest)
    }

    /// The id of the batch, and its answers.
    async fn post(&self, body: Value) -> Result<(Option<String>, Vec<Response>), SourceError> {
        let request = Request::json(http::Method::POST, self.own("/$batch")?, body).repeat(Repeat::Safe);
        let place = request.place();
        let answer = self.send(request).await?;
        // Documents differ on the outer status of a batch with throttled parts (graph.md 5.10).
        if answer.status == 200 || answer.status == 424 {
            let id = answer.header("request-id").map(str::to_owned);
            return Ok((id, decode::<Responses>(&answer, &place)?.responses));
        }
        let call = Call { place: &place, permission: DIRECTORY_READ, link: Link::Own };
        Err(match trouble::judge(&answer, call).plain() {
            Trouble::Source(error) => error,
            _ => malformed(&format!("status {}", answer.status)),
        })
    }
}

fn unsettled(answer: &Option<PartAnswer>) -> bool {
    answer.as_ref().is_none_or(|answer| passing(answer.status))
}

/// A status that a repeat can cure.
pub(super) fn passing(status: u16) -> bool {
    matches!(status, 408 | 423 | 429 | 500 | 502 | 503 | 504 | 509)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let headers = response.headers.as_ref()?;
    let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    let seconds = match value {
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        other => other.as_f64()?,
    };
    Duration::try_from_secs_f64(seconds.max(1.0)).ok()
}

/// The part's own id, by its headers or its error; most parts have only that of the batch.
fn request_id(response: &Response) -> Option<String> {
    let headers = response.headers.iter().flatten();
    let named = headers.filter(|(name, _)| name.eq_ignore_ascii_case("request-id"));
    let of_header = named.filter_map(|(_, value)| value.as_str()).next().map(str::to_owned);
    of_header.or_else(|| Failure::of(&response.body).request_id().map(str::to_owned))
}

fn malformed(what: &str) -> SourceError {
    SourceError::Malformed { place: "POST graph/$batch".to_owned(), what: what.to_owned() }
}
