//! Create, patch, delete, add and remove members: one operation at a time where they touch the same resource,
//! beside each other where they do not.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
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
use crate::client::Request;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::Path;
use crate::scim::ResourceId;
use crate::scim::resource;

/// After so many failures in a row, each of which has used up its own repeats, the rest of the batch is left
/// for the next cycle: the service is down, and asking on would only take hours.
const FAILURES_MAX: usize = 5;

impl RemoteTarget {
    pub(super) async fn apply_all(&self, operations: &[Operation]) -> Result<Vec<Outcome>, TargetError> {
        let batch = Batch { target: self, failures: AtomicUsize::new(0) };
        let mut outcomes = BTreeMap::new();
        for phase in order::phases(operations) {
            let chains = stream::iter(phase).map(|chain| batch.run(operations, chain));
            let mut done = chains.buffer_unordered(self.concurrency);
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
            return Ok(Outcome::Later { detail });
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
type Sent<T> = Result<Result<T, Failed>, TargetError>;

impl RemoteTarget {
    async fn carry_out(&self, operation: &Operation) -> Result<Outcome, TargetError> {
        let done = match operation {
            Operation::Create { kind, attributes } => self.create(operation, *kind, attributes).await?,
            Operation::Patch { kind, id, set } => self.patch(operation, *kind, id, set).await?,
            Operation::Delete { kind, id } => self.delete(operation, *kind, id).await?,
            Operation::Members { team, add, remove } => {
                self.change_members(operation, team, add, remove).await?
            }
        };
        Ok(done.unwrap_or_else(|failed| failed.outcome))
    }

    async fn create(&self, operation: &Operation, kind: Kind, attributes: &Attributes) -> Sent<Outcome> {
        let kept = attributes.iter().filter(|(path, _)| self.profile.keeps(kind, path));
        let kept: Attributes = kept.map(|(path, value)| (path.clone(), value.clone())).collect();
        let body = message::written(&resource(kind.into(), &kept), self.profile.bool_style);
        let sent = self.send(operation, Method::POST, self.client.url(kind.endpoint()), Some(body)).await?;
        match sent {
            // The endpoint itself is not there: nothing is missing that we could have known.
            Err(Failed { outcome: Outcome::Missing, .. }) => {
                let detail = format!("there is no {}", kind.endpoint());
                Ok(Err(Outcome::Refused { status: 404, detail }.into()))
            }
            Err(failed) => Ok(Err(failed)),
            Ok(answer) => Ok(Ok(match self.created(kind, &kept, &answer).await {
                Some(found) => Outcome::Done { id: found.id, shown: Some(found.body) },
                None => Outcome::Unknown {
                    detail: format!(
                        "created (status {}), but the service does not say its id",
                        answer.status
                    ),
                },
            })),
        }
    }

    /// The new resource: in the answer, else where `Location` points to, else by what makes it unique.
    async fn created(&self, kind: Kind, attributes: &Attributes, answer: &Answer) -> Option<Found> {
        let shown = answer::json(&answer.body).and_then(|body| answer::resource(kind, body));
        if shown.is_some() {
            return shown;
        }
        if let Some(found) = self.at_location(kind, answer).await {
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

    async fn at_location(&self, kind: Kind, answer: &Answer) -> Option<Found> {
        let url = self.client.follow(answer.header("location")?).ok()?;
        let answer = self.client.send(self.get_request(url)).await.ok()?;
        let body = (answer.status == 200).then(|| answer::json(&answer.body))??;
        answer::resource(kind, body)
    }

    /// Sends what is asked and nothing else. Where elements of lists are set that the resource does not have
    /// yet, a service that keeps the RFC answers `noTarget`; they are then added whole.
    async fn patch(
        &self,
        operation: &Operation,
        kind: Kind,
        id: &ResourceId,
        set: &[(String, Value)],
    ) -> Sent<Outcome> {
        let kept: Vec<(String, Value)> =
            set.iter().filter(|(path, _)| self.profile.keeps(kind, path)).cloned().collect();
        if kept.is_empty() {
            let found = alone(self.get_one(kind, id).await)?;
            return Ok(found.map(|found| match found {
                Some(found) => done(&found.id, Some(found.body)),
                None => Outcome::Missing,
            }));
        }
        let body = message::patch(&kept, &self.profile);
        let mut sent = self.send_patch(operation, kind, id, body).await?;
        if let Err(failed) = &sent
            && failed.kind.as_deref() == Some("noTarget")
            && let Ok(Some(body)) = alone(self.with_new_elements(kind, id, &kept).await)?
        {
            sent = self.send_patch(operation, kind, id, body).await?;
        }
        match sent {
            Ok(answer) => alone(self.patched(kind, id, &kept, &answer).await),
            Err(failed) => Ok(Err(failed)),
        }
    }

    /// The same patch, with elements that are not there added whole, or left out where they would be
    /// unassigned. `None` where every element is there: then the refusal has another reason.
    async fn with_new_elements(
        &self,
        kind: Kind,
        id: &ResourceId,
        set: &[(String, Value)],
    ) -> Result<Option<Value>, TargetError> {
        let Some(found) = self.get_one(kind, id).await? else { return Ok(None) };
        let (missing, there): (Vec<_>, Vec<_>) =
            set.iter().cloned().partition(|(path, _)| lacks_element(&found.body, path));
        let mut added = Vec::new();
        for (path, value) in missing.iter().filter(|(_, value)| !value.is_null()) {
            match message::added_element(path, value, &self.profile) {
                Some(operation) => added.push(operation),
                None => return Ok(None),
            }
        }
        if missing.is_empty() || (added.is_empty() && there.is_empty()) {
            return Ok(None);
        }
        let mut body = message::patch(&there, &self.profile);
        if let Some(operations) = body["Operations"].as_array_mut() {
            operations.extend(added);
        }
        Ok(Some(body))
    }

    async fn delete(&self, operation: &Operation, kind: Kind, id: &ResourceId) -> Sent<Outcome> {
        let sent = self.send(operation, Method::DELETE, self.resource_url(kind, id), None).await?;
        Ok(match sent {
            Ok(_) | Err(Failed { outcome: Outcome::Missing, .. }) => Ok(done(id, None)),
            Err(failed) => Err(failed),
        })
    }

    /// Additions first, so that nobody is without a team in between; in chunks, each of which may be sent
    /// again without harm. The first chunk that fails ends it.
    async fn change_members(
        &self,
        operation: &Operation,
        team: &ResourceId,
        add: &[ResourceId],
        remove: &[ResourceId],
    ) -> Sent<Outcome> {
        for body in message::additions(add, &self.profile.members) {
            if let Err(failed) = self.send_patch(operation, Kind::Group, team, body).await? {
                return self.of_team(team, failed).await;
            }
        }
        for chunk in remove.chunks(self.profile.members.max_per_patch.max(1)) {
            if let Err(failed) = self.remove_members(operation, team, chunk).await? {
                return self.of_team(team, failed).await;
            }
        }
        Ok(Ok(done(team, None)))
    }

    /// Removes a chunk. Where one of them is no member any more, some services refuse the whole patch; then
    /// those that are left are removed.
    async fn remove_members(
        &self,
        operation: &Operation,
        team: &ResourceId,
        chunk: &[ResourceId],
    ) -> Sent<()> {
        let body = message::removal(chunk, &self.profile.members);
        let sent = self.send_patch(operation, Kind::Group, team, body).await?;
        let Err(failed) = sent else { return Ok(Ok(())) };
        if failed.kind.as_deref() != Some("noTarget") {
            return Ok(Err(failed));
        }
        let Ok(Some(members)) = alone(self.members_of(team).await)? else { return Ok(Err(failed)) };
        let members: BTreeSet<&ResourceId> = members.iter().collect();
        let left: Vec<ResourceId> = chunk.iter().filter(|id| members.contains(id)).cloned().collect();
        match left.len() {
            0 => Ok(Ok(())),
            // All are members, so the refusal has another reason.
            count if count == chunk.len() => Ok(Err(failed)),
            _ => {
                let body = message::removal(&left, &self.profile.members);
                let sent = self.send_patch(operation, Kind::Group, team, body).await?;
                Ok(sent.map(drop))
            }
        }
    }

    /// A 404 on a change of members speaks of the team or of a member; asking for the team tells which.
    async fn of_team(&self, team: &ResourceId, failed: Failed) -> Sent<Outcome> {
        if failed.outcome != Outcome::Missing {
            return Ok(Err(failed));
        }
        match alone(self.get_one(Kind::Group, team).await)? {
            Ok(None) => return Ok(Err(failed)),
            Err(unread) => return Ok(Err(unread)),
            Ok(Some(_)) => {}
        }
        let detail = "the team is there, so one of the members is not".to_owned();
        Ok(Err(Outcome::Refused { status: 404, detail }.into()))
    }

    async fn send_patch(
        &self,
        operation: &Operation,
        kind: Kind,
        id: &ResourceId,
        body: Value,
    ) -> Sent<Answer> {
        self.send(operation, Method::PATCH, self.resource_url(kind, id), Some(body)).await
    }

    async fn send(
        &self,
        operation: &Operation,
        method: Method,
        url: Result<Url, ClientError>,
        body: Option<Value>,
    ) -> Sent<Answer> {
        let request = url.map(|url| match body {
            Some(body) => Request::json(method, url, body),
            None => Request { method, ..Request::get(url) },
        });
        let request = match request {
            Ok(request) => Request { content_type: self.profile.media_type.text(), ..request },
            Err(error) => return Ok(Err(fate::unanswered(error)?.into())),
        };
        let (place, repeat) = (request.place(), request.repeat);
        match self.client.send(request).await {
            Err(error) => Ok(Err(fate::unanswered(error)?.into())),
            Ok(answer) => {
                fate::stop_when_denied(&place, &answer)?;
                Ok(fate::judge(answer, repeat, &fate::texts(operation)))
            }
        }
    }
}

/// A read on behalf of one write: where it fails, that write waits, and the others go on (P12).
fn alone<T>(read: Result<T, TargetError>) -> Sent<T> {
    match read {
        Ok(found) => Ok(Ok(found)),
        Err(TargetError::Unavailable { what } | TargetError::NotScim { what }) => Ok(Err(Outcome::Later { detail: what }.into())),
        Err(error) => Err(error),
    }
}

fn done(id: &ResourceId, shown: Option<Value>) -> Outcome {
    Outcome::Done { id: id.clone(), shown }
}

/// Whether a path selects an element that the resource does not have.
fn lacks_element(body: &Value, path: &str) -> bool {
    let Ok(Path { name, select: Some(select), urn: None, .. }) = Path::parse(path) else { return false };
    let elements = body.get(&name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    !elements.iter().any(|element| select.matches_element(element))
}
