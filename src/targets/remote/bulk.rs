//! Many operations in one request, where the service takes them (RFC 7644 section 3.7). Each operation's own status is
//! judged as if it had been sent alone.

use futures_util::stream;
use futures_util::stream::StreamExt;
use futures_util::stream::TryStreamExt;
use http::Method;
use serde_json::Value;
use serde_json::json;

use super::Operation;
use super::Outcome;
use super::RemoteTarget;
use super::TargetError;
use super::answer;
use super::fate;
use super::fate::Failed;
use super::known;
use super::message;
use super::order::Chain;
use crate::client::Answer;
use crate::client::Repeat;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::profiles::Support;

const REQUEST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// What stands around the operations of a request.
const FRAME_BYTES: usize = 200;

/// One operation of a bulk request, with its place in the list of the call.
struct Part {
    at: usize,
    body: Value,
    bytes: usize,
}

/// What came of one bulk request.
enum Came {
    Answered(Vec<(usize, Outcome)>),
    /// The service did nothing of it, for what it is: too large, or not known there at all.
    TooLarge(String),
    NoBulk(String),
}

impl RemoteTarget {
    /// Divides a phase into what may be sent together and the chains that stay as they are: a bulk request keeps no
    /// order, and members go in chunks of their own.
    pub(super) fn together(&self, operations: &[Operation], phase: Vec<Chain>) -> (Vec<usize>, Vec<Chain>) {
        if self.known.bulk().is_none() {
            return (Vec::new(), phase);
        }
        let fits = |chain: &Chain| matches!(chain[..], [at] if self.part(at, &operations[at]).is_some());
        let (alone, chains): (Vec<Chain>, Vec<Chain>) = phase.into_iter().partition(fits);
        match alone.len() {
            // One is no bulk.
            1 => (Vec::new(), alone.into_iter().chain(chains).collect()),
            _ => (alone.into_iter().flatten().collect(), chains),
        }
    }

    /// Sends operations together; answers what is done, and what is left to be sent alone.
    pub(super) async fn in_bulk(
        &self,
        operations: &[Operation],
        together: Vec<usize>,
    ) -> Result<(Vec<(usize, Outcome)>, Vec<usize>), TargetError> {
        let mut parts: Vec<Part> =
            together.iter().filter_map(|at| self.part(*at, &operations[*at])).collect();
        let (mut done, mut left) = (Vec::new(), Vec::new());
        while !parts.is_empty() {
            let Some((most, bytes)) = self.known.bulk() else { break };
            let count = fitting(&parts, most, bytes);
            match self.bulk_request(operations, &parts[..count]).await? {
                Came::Answered(outcomes) => {
                    // A patch that does not fit is sent alone, where other forms of it are known.
                    let (again, told): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(at, outcome)| {
                        matches!(operations[*at], Operation::Patch { .. }) && may_fit_alone(outcome)
                    });
                    left.extend(again.into_iter().map(|(at, _)| at));
                    done.extend(told);
                    parts.drain(..count);
                }
                Came::TooLarge(evidence) if count > 1 => {
                    self.known.learn(known::BULK_OPERATIONS, count.div_ceil(2), evidence);
                }
                Came::TooLarge(evidence) | Came::NoBulk(evidence) => {
                    self.known.learn(known::BULK, "no", evidence);
                    // The operator's word stands for the next call; this one goes on alone.
                    break;
                }
            }
        }
        let done = self.with_what_is_shown(operations, done).await?;
        left.extend(parts.into_iter().map(|part| part.at));
        Ok((done, left))
    }

    /// `None` for what is not sent in bulk: members, a change that needs a PUT, adds to lists or looks at the resource
    /// first, and a change of nothing that the service keeps.
    fn part(&self, at: usize, operation: &Operation) -> Option<Part> {
        let profile = &self.known.profile;
        let (method, path, data) = match operation {
            Operation::Create { kind, attributes } => {
                let body = self.new_resource(*kind, &self.kept(*kind, attributes));
                ("POST", kind.endpoint().to_owned(), Some(body))
            }
            Operation::Patch { add, .. } if !add.is_empty() => return None,
            Operation::Patch { kind, id, set, .. } => {
                let kept: Vec<(String, Value)> =
                    set.iter().filter(|(path, _)| profile.keeps(*kind, path)).cloned().collect();
                let kept = message::one_of_single_lists(&kept, profile);
                let plain = profile.value_path_patch && self.known.patches(*kind) != Support::No;
                if kept.is_empty() || !plain {
                    return None;
                }
                ("PATCH", resource_path(*kind, id), Some(message::patch(&kept, profile)))
            }
            Operation::Delete { kind, id } => ("DELETE", resource_path(*kind, id), None),
            Operation::Members { .. } => return None,
        };
        let mut body = json!({"method": method, "path": path, "bulkId": at.to_string()});
        if let Some(data) = data {
            body["data"] = data;
        }
        let bytes = body.to_string().len() + 1;
        Some(Part { at, body, bytes })
    }

    async fn bulk_request(&self, operations: &[Operation], parts: &[Part]) -> Result<Came, TargetError> {
        let bodies: Vec<&Value> = parts.iter().map(|part| &part.body).collect();
        let body = json!({"schemas": [REQUEST_SCHEMA], "Operations": bodies});
        let creates = parts.iter().any(|part| matches!(operations[part.at], Operation::Create { .. }));
        let url = self.client.url("/Bulk").map_err(fate::unread)?;
        let repeat = if creates { Repeat::Once } else { Repeat::Safe };
        let request = self.request(Method::POST, url, Some(body)).repeat(repeat);
        let place = request.place();
        let answer = match self.exchange(request).await {
            Ok(answer) => answer,
            Err(error) => {
                let outcome = fate::unanswered(error)?;
                return Ok(Came::Answered(parts.iter().map(|part| (part.at, outcome.clone())).collect()));
            }
        };
        fate::stop_when_denied(&place, &answer)?;
        let texts: Vec<&str> = parts.iter().flat_map(|part| fate::texts(&operations[part.at])).collect();
        match fate::judge(answer, repeat, &texts) {
            Ok(answer) => Ok(Came::Answered(self.answered(operations, parts, &answer).await)),
            Err(failed) => Ok(unanswered(parts, failed)),
        }
    }

    /// The outcome of each operation, by its own status. What the answer does not speak of may have been done.
    async fn answered(
        &self,
        operations: &[Operation],
        parts: &[Part],
        answer: &Answer,
    ) -> Vec<(usize, Outcome)> {
        let replies = answer::bulk_replies(&answer.body);
        let mut outcomes = Vec::with_capacity(parts.len());
        for (n, part) in parts.iter().enumerate() {
            let bulk_id = part.at.to_string();
            let method = part.body["method"].as_str().unwrap_or_default();
            let by_id = replies.iter().find(|reply| reply.bulk_id.as_deref() == Some(&bulk_id));
            // Without ids the answers stand in the order of the questions, if there are as many.
            let in_order = replies.get(n).filter(|reply| {
                replies.len() == parts.len() && reply.bulk_id.is_none() && reply.is_of(method)
            });
            let outcome = match by_id.or(in_order) {
                Some(reply) => self.replied(&operations[part.at], reply).await,
                None => {
                    let detail = "the service did not say what became of it in a bulk request".to_owned();
                    match &operations[part.at] {
                        Operation::Create { .. } => Outcome::Unknown { detail },
                        _ => Outcome::Later { status: None, detail },
                    }
                }
            };
            outcomes.push((part.at, outcome));
        }
        outcomes
    }

    async fn replied(&self, operation: &Operation, reply: &answer::BulkReply) -> Outcome {
        let repeat = if matches!(operation, Operation::Create { .. }) { Repeat::Once } else { Repeat::Safe };
        match (fate::judge(reply.answer(), repeat, &fate::texts(operation)), operation) {
            (Ok(answer), Operation::Create { kind, attributes }) => match reply.id() {
                Some(id) => {
                    let shown = answer::json(&answer.body).and_then(|body| answer::resource(*kind, body));
                    Outcome::Done { id, shown: shown.map(|found| found.body) }
                }
                None => self.created(*kind, &self.kept(*kind, attributes), &answer).await,
            },
            (Ok(answer), Operation::Patch { kind, id, .. }) => {
                let shown = answer::json(&answer.body).and_then(|body| answer::resource(*kind, body));
                let shown = shown.filter(|found| found.id == *id);
                Outcome::Done { id: id.clone(), shown: shown.map(|found| found.body) }
            }
            (Ok(_) | Err(Failed { outcome: Outcome::Missing, .. }), Operation::Delete { id, .. }) => {
                Outcome::Done { id: id.clone(), shown: None }
            }
            (Ok(_), Operation::Members { team, .. }) => Outcome::Done { id: team.clone(), shown: None },
            (Err(failed), _) => failed.outcome,
        }
    }

    /// A bulk answer shows addresses and no resources (RFC 7644 section 3.7.3); what was made of the values is read.
    async fn with_what_is_shown(
        &self,
        operations: &[Operation],
        done: Vec<(usize, Outcome)>,
    ) -> Result<Vec<(usize, Outcome)>, TargetError> {
        let looked = done.into_iter().map(|(at, outcome)| async move {
            let kind = match &operations[at] {
                Operation::Create { kind, .. } => Some(*kind),
                Operation::Patch { kind, set, .. } => {
                    let values = set.iter().any(|(path, _)| !path.eq_ignore_ascii_case("active"));
                    values.then_some(*kind)
                }
                Operation::Delete { .. } | Operation::Members { .. } => None,
            };
            match (kind, outcome) {
                (Some(kind), Outcome::Done { id, shown: None }) => {
                    let shown = self.seen_after(kind, &id).await?;
                    Ok((at, Outcome::Done { id, shown }))
                }
                (_, outcome) => Ok((at, outcome)),
            }
        });
        stream::iter(looked.collect::<Vec<_>>()).buffered(self.concurrency).try_collect().await
    }
}

/// Where the same change can be said otherwise (`patch`).
fn may_fit_alone(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused { status: 400 | 405 | 501, .. })
}

fn resource_path(kind: Kind, id: &ResourceId) -> String {
    format!("{}/{}", kind.endpoint(), message::encoded(&id.0))
}

/// How many of the first parts one request holds; one at least.
fn fitting(parts: &[Part], most: usize, bytes: usize) -> usize {
    let mut size = FRAME_BYTES;
    let fits = parts.iter().take(most).take_while(|part| {
        size += part.bytes;
        size <= bytes
    });
    fits.count().max(1)
}

/// A bulk request that was refused or broke as a whole.
fn unanswered(parts: &[Part], failed: Failed) -> Came {
    let evidence = format!("POST /Bulk with {} operations: {}", parts.len(), failed.evidence());
    match failed.status {
        413 => Came::TooLarge(evidence),
        400 | 404 | 405 | 410 | 415 | 501 => Came::NoBulk(evidence),
        _ => Came::Answered(parts.iter().map(|part| (part.at, failed.outcome.clone())).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(at: usize, bytes: usize) -> Part {
        Part { at, body: json!({}), bytes }
    }

    #[test]
    fn a_request_holds_no_more_operations_and_bytes_than_the_service_takes() {
        let parts: Vec<Part> = (0..5).map(|at| part(at, 100)).collect();
        assert_eq!(fitting(&parts, 3, 10_000), 3);
        assert_eq!(fitting(&parts, 10, 10_000), 5);
        assert_eq!(fitting(&parts, 10, FRAME_BYTES + 250), 2);
        assert_eq!(fitting(&parts, 10, 1), 1, "one that is too large is refused by the service, not by us");
    }
}
