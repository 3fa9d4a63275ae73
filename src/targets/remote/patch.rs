//! Changing a resource: by PATCH in the form that the service takes, else by PUT of what it shows with the change in it
//! (SCIM reference, O2, O6).

use http::Method;
use serde_json::Value;

use super::Operation;
use super::Outcome;
use super::RemoteTarget;
use super::TargetError;
use super::answer;
use super::fate::Failed;
use super::known;
use super::message;
use super::write::Sent;
use super::write::alone;
use super::write::done;
use crate::client::Answer;
use crate::scim::Kind;
use crate::scim::Path;
use crate::scim::ResourceId;
use crate::scim::changed;
use crate::scim::profiles::Support;

/// Values to set, by path; `null` unassigns.
type Set = [(String, Value)];

/// Reasons of a 400 that speak of the values, not of the verb (RFC 7644 table 9).
const OF_VALUES: [&str; 6] = ["invalidValue", "uniqueness", "mutability", "tooMany", "sensitive", "noTarget"];

/// A resource as the service shows it, with the version that it says.
struct Shown {
    body: Value,
    version: Option<String>,
}

impl RemoteTarget {
    /// Sends what is asked and nothing else.
    pub(super) async fn change(
        &self,
        operation: &Operation,
        kind: Kind,
        id: &ResourceId,
        set: &Set,
    ) -> Sent<Outcome> {
        let kept: Vec<(String, Value)> =
            set.iter().filter(|(path, _)| self.known.profile.keeps(kind, path)).cloned().collect();
        let kept = message::one_of_single_lists(&kept, &self.known.profile);
        if kept.is_empty() {
            let found = alone(self.get_one(kind, id).await)?;
            return Ok(found.map(|found| match found {
                Some(found) => done(&found.id, Some(found.body)),
                None => Outcome::Missing,
            }));
        }
        let sent = match self.known.patches(kind) {
            Support::No => self.replace(operation, kind, id, &kept).await?,
            _ => self.patch(operation, kind, id, &kept).await?,
        };
        match sent {
            Ok(answer) => alone(self.patched(kind, id, &kept, &answer).await),
            Err(failed) => Ok(Err(failed)),
        }
    }

    /// What the service made of a write; a read that fails does not undo the write.
    pub(super) async fn seen_after(&self, kind: Kind, id: &ResourceId) -> Result<Option<Value>, TargetError> {
        let read = alone(self.get_one(kind, id).await)?;
        Ok(read.ok().flatten().map(|found| found.body))
    }

    async fn patch(&self, operation: &Operation, kind: Kind, id: &ResourceId, set: &Set) -> Sent<Answer> {
        let flat = match self.known.profile.value_path_patch {
            true => None,
            false => match self.with_whole_lists(kind, id, set).await? {
                Ok(flat) => flat,
                Err(failed) => return Ok(Err(failed)),
            },
        };
        let set = flat.as_deref().unwrap_or(set);
        let body = message::patch(set, &self.known.profile);
        let mut sent = self.send_patch(operation, kind, id, body.clone()).await?;
        if let Err(failed) = &sent
            && failed.kind.as_deref() == Some("noTarget")
            && let Ok(Some(body)) = alone(self.with_new_elements(kind, id, set).await)?
        {
            sent = self.send_patch(operation, kind, id, body).await?;
        }
        if let Err(Failed { status: 412, .. }) = &sent
            && let Ok(Some(Shown { version: Some(version), .. })) = self.shown(kind, id).await?
        {
            let url = self.resource_url(kind, id);
            sent = self.send_if(operation, Method::PATCH, url, Some(body), Some(&version)).await?;
        }
        match sent {
            Ok(answer) => {
                self.known.prove(&known::patch_key(kind));
                Ok(Ok(answer))
            }
            Err(failed) if self.speaks_of_patch(kind, &failed) => {
                self.instead_of_patch(operation, kind, id, set, failed).await
            }
            Err(failed) => Ok(Err(failed)),
        }
    }

    /// Whether a refusal may mean that there is no PATCH here at all. A 400 does so only where none was ever taken.
    fn speaks_of_patch(&self, kind: Kind, failed: &Failed) -> bool {
        match failed.status {
            405 | 501 => true,
            400 => {
                let of_values = failed.kind.as_deref().is_some_and(|kind| OF_VALUES.contains(&kind));
                let open = self.known.patches(kind) == Support::Unknown;
                open && !of_values && !self.known.is_proven(&known::patch_key(kind))
            }
            _ => false,
        }
    }

    /// What a PUT can do where the PATCH could not is learned; else the first refusal stands.
    async fn instead_of_patch(
        &self,
        operation: &Operation,
        kind: Kind,
        id: &ResourceId,
        set: &Set,
        failed: Failed,
    ) -> Sent<Answer> {
        if self.known.puts(kind) == Support::No {
            return Ok(Err(failed));
        }
        match self.replace(operation, kind, id, set).await? {
            Ok(answer) => {
                let evidence = format!("PATCH {}: {}; PUT went", kind.endpoint(), failed.evidence());
                self.known.learn(&known::patch_key(kind), "no", evidence);
                Ok(Ok(answer))
            }
            Err(_) => Ok(Err(failed)),
        }
    }

    /// PUT of what the service shows, with the change in it. A version that moved meanwhile is read anew once.
    async fn replace(&self, operation: &Operation, kind: Kind, id: &ResourceId, set: &Set) -> Sent<Answer> {
        if let Some(refusal) = self.cannot_replace(kind) {
            return Ok(Err(refusal));
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let shown = match self.shown(kind, id).await? {
                Ok(Some(shown)) => shown,
                Ok(None) => return Ok(Err(Outcome::Missing.into())),
                Err(failed) => return Ok(Err(failed)),
            };
            let body = message::replacement(&changed(&shown.body, set), &self.known.profile);
            let version = shown.version.filter(|_| self.known.profile.etag);
            let url = self.resource_url(kind, id);
            let sent = self.send_if(operation, Method::PUT, url, Some(body), version.as_deref()).await?;
            match sent {
                Err(Failed { status: 412, .. }) if tries == 1 => {}
                sent => return Ok(sent),
            }
        }
    }

    /// A PUT names the members too, so where they are not shown it would remove all of them.
    fn cannot_replace(&self, kind: Kind) -> Option<Failed> {
        let members_hidden = kind == Kind::Group && !self.known.profile.members.returned;
        let detail = match (self.known.puts(kind), members_hidden) {
            (Support::No, _) => "the service takes neither PATCH nor PUT",
            (_, true) => {
                "the service takes no PATCH, and a PUT would remove the members that it does not show"
            }
            _ => return None,
        };
        let detail = format!("{detail}; see the profile of the target");
        Some(Outcome::Refused { status: 405, detail }.into())
    }

    /// The whole resource, members included.
    async fn shown(&self, kind: Kind, id: &ResourceId) -> Sent<Option<Shown>> {
        let read = match alone(self.read_one(kind, id, "").await)? {
            Ok(Some((_, answer))) => answer,
            Ok(None) => return Ok(Ok(None)),
            Err(failed) => return Ok(Err(failed)),
        };
        let found = answer::json(&read.body).and_then(|body| answer::resource(kind, body));
        Ok(match found.filter(|found| found.id == *id) {
            Some(found) => {
                let said = found.body.pointer("/meta/version").and_then(Value::as_str);
                let version = read.header("etag").or(said).map(str::to_owned);
                Ok(Some(Shown { body: found.body, version }))
            }
            None => {
                let detail = "the service shows another resource, or none".to_owned();
                Err(Outcome::Later { status: None, detail }.into())
            }
        })
    }

    /// The same change without paths into elements: each list that is touched is named whole. `None` where no list is.
    async fn with_whole_lists(
        &self,
        kind: Kind,
        id: &ResourceId,
        set: &Set,
    ) -> Sent<Option<Vec<(String, Value)>>> {
        let list = |path: &str| Path::parse(path).ok().filter(|path| path.select.is_some());
        let lists: Vec<Path> = set.iter().filter_map(|(path, _)| list(path)).collect();
        if lists.is_empty() {
            return Ok(Ok(None));
        }
        let shown = match self.shown(kind, id).await? {
            Ok(Some(shown)) => changed(&shown.body, set),
            Ok(None) => return Ok(Err(Outcome::Missing.into())),
            Err(failed) => return Ok(Err(failed)),
        };
        let mut flat: Vec<(String, Value)> =
            set.iter().filter(|(path, _)| list(path).is_none()).cloned().collect();
        for path in lists {
            let whole = Path { select: None, sub: None, ..path };
            let (name, at) = (whole.shape(), crate::scim::value_at(&shown, &whole));
            if flat.iter().all(|(known, _)| *known != name) {
                let elements = at.filter(|at| at.as_array().is_none_or(|elements| !elements.is_empty()));
                flat.push((name, elements.unwrap_or(Value::Null)));
            }
        }
        Ok(Ok(Some(flat)))
    }

    /// The same patch, with elements that are not there added whole, or left out where they would be
    /// unassigned. `None` where every element is there: then the refusal has another reason.
    async fn with_new_elements(
        &self,
        kind: Kind,
        id: &ResourceId,
        set: &Set,
    ) -> Result<Option<Value>, TargetError> {
        let Some(found) = self.get_one(kind, id).await? else { return Ok(None) };
        let (missing, there): (Vec<_>, Vec<_>) =
            set.iter().cloned().partition(|(path, _)| lacks_element(&found.body, path));
        let mut added = Vec::new();
        for (path, value) in missing.iter().filter(|(_, value)| !value.is_null()) {
            match message::added_element(path, value, &found.body, &self.known.profile) {
                Some(operation) => added.push(operation),
                None => return Ok(None),
            }
        }
        if missing.is_empty() || (added.is_empty() && there.is_empty()) {
            return Ok(None);
        }
        let mut body = message::patch(&there, &self.known.profile);
        if let Some(operations) = body["Operations"].as_array_mut() {
            operations.extend(added);
        }
        Ok(Some(body))
    }
}

/// Whether a path selects an element that the resource does not have.
fn lacks_element(body: &Value, path: &str) -> bool {
    let Ok(Path { name, select: Some(select), urn: None, .. }) = Path::parse(path) else { return false };
    let elements = body.get(&name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    !elements.iter().any(|element| select.matches_element(element))
}
