//! Create and delete; and all operations of one call, one at a time where they touch the same resource, beside each
//! other where they do not.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use futures_util::stream;
use futures_util::stream::StreamExt;
use http::Method;
use serde_json::Value;
use url::Url;

use super::Found;
use super::Lookup;
use super::Operation;
use super::Outcome;
use super::RemoteTarget;
use super::TargetError;
use super::answer;
use super::fate;
use super::fate::Failed;
use super::message;
use super::order;
use super::order::Chain;
use crate::client::Answer;
use crate::client::ClientError;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::resource;

/// After so many failures in a row, each of which has used up its own repeats, the rest of the batch is left
/// for the next cycle: the service is down, and asking on would only take hours.
const FAILURES_MAX: usize = 5;

impl RemoteTarget {
    pub(super) async fn apply_all(&self, operations: &[Operation]) -> Result<Vec<Outcome>, TargetError> {
        self.indexes.forget();
        let batch = Batch { target: self, failures: AtomicUsize::new(0) };
        let mut outcomes = BTreeMap::new();
        for phase in order::phases(operations) {
            let (together, phase) = self.together(operations, phase);
            let (done, left) = self.in_bulk(operations, together).await?;
            outcomes.extend(done);
            let chains = stream::iter(left.into_iter().map(|at| vec![at]).chain(phase));
            let mut done =
                chains.map(|chain| batch.run(operations, chain)).buffer_unordered(self.concurrency);
            while let Some(result) = done.next().await {
                outcomes.extend(result?);
            }
        }
        Ok(outcomes.into_values().collect())
    }
}

/// One call of `apply`.
struct Batch<'a> {
    target: &'a RemoteTarget,
    /// Failures in a row, over all chains.
    failures: AtomicUsize,
}

impl Batch<'_> {
    async fn run(
        &self,
        operations: &[Operation],
        chain: Chain,
    ) -> Result<Vec<(usize, Outcome)>, TargetError> {
        let mut outcomes = Vec::with_capacity(chain.len());
        for at in chain {
            outcomes.push((at, self.one(&operations[at]).await?));
        }
        Ok(outcomes)
    }

    async fn one(&self, operation: &Operation) -> Result<Outcome, TargetError> {
        if self.failures.load(Ordering::Relaxed) >= FAILURES_MAX {
            let detail = format!("not tried: the service failed {FAILURES_MAX} times in a row");
            return Ok(Outcome::Later { status: None, detail });
        }
        let outcome = self.target.carry_out(operation).await?;
        match outcome {
            Outcome::Later { .. } => self.failures.fetch_add(1, Ordering::Relaxed),
            _ => self.failures.swap(0, Ordering::Relaxed),
        };
        Ok(outcome)
    }
}

/// What came of one write; the outer error is the target's as a whole.
pub(super) type Sent<T> = Result<Result<T, Failed>, TargetError>;

impl RemoteTarget {
    async fn carry_out(&self, operation: &Operation) -> Result<Outcome, TargetError> {
        let done = match operation {
            Operation::Create { kind, attributes } => self.create(operation, *kind, attributes).await?,
            Operation::Patch { kind, id, set, add } => {
                self.change_and_add(operation, *kind, id, set, add).await?
            }
            Operation::Delete { kind, id } => self.delete(operation, *kind, id).await?,
            Operation::Members { team, add, remove } => {
                self.change_members(operation, team, add, remove).await?
            }
        };
        Ok(done.unwrap_or_else(|failed| failed.outcome))
    }

    async fn create(&self, operation: &Operation, kind: Kind, attributes: &Attributes) -> Sent<Outcome> {
        let kept = self.kept(kind, attributes);
        let body = self.new_resource(kind, &kept);
        let sent = self.send(operation, Method::POST, self.client.url(kind.endpoint()), Some(body)).await?;
        match sent {
            // The endpoint itself is not there: nothing is missing that we could have known.
            Err(Failed { outcome: Outcome::Missing, .. }) => {
                let detail = format!("there is no {}", kind.endpoint());
                Ok(Err(Outcome::Refused { status: 404, detail }.into()))
            }
            Err(failed) => Ok(Err(failed)),
            Ok(answer) => Ok(Ok(self.created(kind, &kept, &answer).await)),
        }
    }

    /// What the service keeps of a new resource.
    pub(super) fn kept(&self, kind: Kind, attributes: &Attributes) -> Attributes {
        let kept = attributes.iter().filter(|(path, _)| self.known.profile.keeps(kind, path));
        kept.map(|(path, value)| (path.clone(), value.clone())).collect()
    }

    pub(super) fn new_resource(&self, kind: Kind, kept: &Attributes) -> Value {
        let body = message::cut_lists(resource(kind.into(), kept), &self.known.profile);
        message::written(&body, self.known.profile.bool_style)
    }

    /// The new resource: in the answer, else where `Location` points to, else by what makes it unique.
    pub(super) async fn created(&self, kind: Kind, attributes: &Attributes, answer: &Answer) -> Outcome {
        match self.find_created(kind, attributes, answer).await {
            Some(found) => Outcome::Done { id: found.id, shown: Some(found.body) },
            None => Outcome::Unknown {
                detail: format!("created (status {}), but the service does not say its id", answer.status),
            },
        }
    }

    async fn find_created(&self, kind: Kind, attributes: &Attributes, answer: &Answer) -> Option<Found> {
        let shown = answer::json(&answer.body).and_then(|body| answer::resource(kind, body));
        if shown.is_some() {
            return shown;
        }
        if let Some(location) = answer.header("location")
            && let Some(found) = self.at_location(kind, location).await
        {
            return Some(found);
        }
        for path in ["externalId", "userName", "displayName"] {
            let Some(value) = attributes.text(path) else { continue };
            let lookup = Lookup { kind, path: path.to_owned(), value: value.to_owned() };
            if let Ok([found]) = self.look_up(&lookup).await.as_deref() {
                return Some(found.clone());
            }
        }
        None
    }

    /// The resource at an address, which may leave out what all addresses of the service have in common (O10).
    async fn at_location(&self, kind: Kind, location: &str) -> Option<Found> {
        let base = Url::parse(&self.identity).ok()?;
        let whole = location.contains("://") || location.starts_with(base.path());
        let url = if whole { self.client.follow(location) } else { self.client.url(location) }.ok()?;
        let answer = self.exchange(self.request(Method::GET, url, None)).await.ok()?;
        let body = (answer.status == 200).then(|| answer::json(&answer.body))??;
        answer::resource(kind, body)
    }

    async fn delete(&self, operation: &Operation, kind: Kind, id: &ResourceId) -> Sent<Outcome> {
        let sent = self.send(operation, Method::DELETE, self.resource_url(kind, id), None).await?;
        Ok(match sent {
            Ok(_) | Err(Failed { outcome: Outcome::Missing, .. }) => Ok(done(id, None)),
            Err(failed) => Err(failed),
        })
    }

    pub(super) async fn send_patch(
        &self,
        operation: &Operation,
        kind: Kind,
        id: &ResourceId,
        body: Value,
    ) -> Sent<Answer> {
        self.send(operation, Method::PATCH, self.resource_url(kind, id), Some(body)).await
    }

    pub(super) async fn send(
        &self,
        operation: &Operation,
        method: Method,
        url: Result<Url, ClientError>,
        body: Option<Value>,
    ) -> Sent<Answer> {
        self.send_if(operation, method, url, body, None).await
    }

    /// `version`: only where the resource still has it (`If-Match`, RFC 7644 section 3.14).
    pub(super) async fn send_if(
        &self,
        operation: &Operation,
        method: Method,
        url: Result<Url, ClientError>,
        body: Option<Value>,
        version: Option<&str>,
    ) -> Sent<Answer> {
        let request = match url.map(|url| self.request(method, url, body)) {
            Ok(request) => request,
            Err(error) => return Ok(Err(fate::unanswered(error)?.into())),
        };
        let request = match version {
            Some(version) => request.header("If-Match", version),
            None => request,
        };
        let (place, repeat) = (request.place(), request.repeat);
        match self.exchange(request).await {
            Err(error) => Ok(Err(fate::unanswered(error)?.into())),
            Ok(answer) => {
                fate::stop_when_denied(&place, &answer)?;
                Ok(fate::judge(answer, repeat, &fate::texts(operation)))
            }
        }
    }
}

/// A read on behalf of one write: where it fails, that write waits, and the others go on (P12).
pub(super) fn alone<T>(read: Result<T, TargetError>) -> Sent<T> {
    match read {
        Ok(found) => Ok(Ok(found)),
        Err(TargetError::Unavailable { what } | TargetError::NotScim { what }) => {
            Ok(Err(Outcome::Later { status: None, detail: what }.into()))
        }
        Err(error) => Err(error),
    }
}

pub(super) fn done(id: &ResourceId, shown: Option<Value>) -> Outcome {
    Outcome::Done { id: id.clone(), shown }
}
