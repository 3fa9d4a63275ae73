//! Creating, replacing, patching and deleting one resource (RFC 7644 sections 3.3, 3.5, 3.6), for requests of their
//! own and for the operations of a bulk request.

use axum::body::Body;
use axum::http::header;
use serde_json::Value;

use super::answer::Answer;
use super::body::Most;
use super::body::check_lists;
use super::query::Expected;
use super::rights::Access;
use super::scim::Asked;
use super::scim::Call;
use super::scim::Failure;
use super::scim::cut;
use super::scim::shows_related;
use super::settings::GroupPatch;
use super::settings::IfMatch;
use crate::scim::Error;
use crate::scim::Incoming;
use crate::scim::Patch;
use crate::scim::Path;
use crate::scim::Projection;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::incoming;
use crate::scim::named_paths;
use crate::store::Author;
use crate::store::Resource;
use crate::store::Write;
use crate::store::WriteAct;
use crate::store::Written;

/// How often a replacement is tried that has to keep what its token may not write, while others write.
const TRIES: usize = 3;

impl Call {
    pub async fn post(&self, kind: ResourceType, asked: &Asked, body: Body) -> Result<Answer, Failure> {
        self.require(kind, Access::Write)?;
        let body = self.body(asked, body).await?;
        let resource = self.create(kind, &body).await?;
        let location = resource.meta.location(&asked.base);
        // A new user is in no team yet.
        let complete = kind != ResourceType::Group || !shows_related(kind, &asked.projection);
        let resource = if complete { resource } else { self.complete(resource).await? };
        let written = named_paths(kind, &body);
        let answer = Answer::new(201, cut(&resource, &asked.projection, &asked.base, &written));
        Ok(answer.versioned(&resource.meta).with(header::LOCATION, location))
    }

    pub async fn put(
        &self,
        kind: ResourceType,
        id: ResourceId,
        asked: &Asked,
        body: Body,
    ) -> Result<Answer, Failure> {
        self.require(kind, Access::Write)?;
        let limits = self.limits();
        let most = match kind {
            ResourceType::Group => Most { bytes: limits.group_body_bytes, setting: "scim.group_body_bytes" },
            _ => Most { bytes: limits.body_bytes, setting: "scim.body_bytes" },
        };
        let body = self.body_up_to(asked, body, most).await?;
        let resource = self.replace(kind, &id, &body, &Expected::of_headers(&asked.headers)).await?;
        self.whole(resource, asked, &named_paths(kind, &body)).await
    }

    pub async fn patch(
        &self,
        kind: ResourceType,
        id: ResourceId,
        asked: &Asked,
        body: Body,
    ) -> Result<Answer, Failure> {
        self.require(kind, Access::Write)?;
        let body = self.body(asked, body).await?;
        let (resource, written) =
            self.change(kind, &id, &body, &Expected::of_headers(&asked.headers)).await?;
        let nothing_asked = asked.projection == Projection::Everything;
        match kind {
            ResourceType::Group if nothing_asked && self.tenant.group_patch == GroupPatch::Nothing => {
                Ok(Answer::empty(204).versioned(&resource.meta))
            }
            _ => self.whole(resource, asked, &written).await,
        }
    }

    pub async fn delete(
        &self,
        kind: ResourceType,
        id: &ResourceId,
        expected: &Expected,
    ) -> Result<Answer, Failure> {
        self.remove(kind, id, expected).await?;
        Ok(Answer::empty(204))
    }

    async fn whole(&self, resource: Resource, asked: &Asked, written: &[Path]) -> Result<Answer, Failure> {
        let related = shows_related(resource.meta.kind, &asked.projection);
        let resource = if related { self.complete(resource).await? } else { resource };
        let shown = cut(&resource, &asked.projection, &asked.base, written);
        Ok(Answer::new(200, shown).versioned(&resource.meta))
    }

    /// With its members or teams. Where somebody deleted it meanwhile, as it was written.
    async fn complete(&self, written: Resource) -> Result<Resource, Failure> {
        let found = self.read(written.meta.kind, &written.meta.id, true).await?;
        Ok(found.unwrap_or(written))
    }

    /// Makes a resource of a body, as it is then, without its members.
    pub async fn create(&self, kind: ResourceType, body: &Value) -> Result<Resource, Failure> {
        self.require(kind, Access::Write)?;
        check_lists(body, self.limits())?;
        let dialect = self.token.dialect;
        let incoming = incoming(kind, dialect, body)?;
        self.note_ignored(incoming.ignored);
        self.denied.check_new(&incoming)?;
        let id = ResourceId((self.shared.service.ids)());
        let act = WriteAct::Create { kind, id, incoming, dialect };
        kept(self.write(act.into()).await?)
    }

    /// What is not in the body is unassigned, but for what the token may not write.
    pub async fn replace(
        &self,
        kind: ResourceType,
        id: &ResourceId,
        body: &Value,
        expected: &Expected,
    ) -> Result<Resource, Failure> {
        self.require(kind, Access::Write)?;
        self.require_version(expected)?;
        check_lists(body, self.limits())?;
        let incoming = incoming(kind, self.token.dialect, body)?;
        self.note_ignored(incoming.ignored);
        if self.denied.is_empty() {
            return self.replace_with(kind, id, incoming, expected.versions.clone()).await;
        }
        self.replace_but_denied(kind, id, &incoming, expected).await
    }

    /// What is kept was read, so the write must meet the version that was read.
    async fn replace_but_denied(
        &self,
        kind: ResourceType,
        id: &ResourceId,
        incoming: &Incoming,
        expected: &Expected,
    ) -> Result<Resource, Failure> {
        let mut tries = 0;
        loop {
            let current =
                self.read(kind, id, self.denied.names_members()).await?.ok_or_else(Error::not_found)?;
            let mut incoming = incoming.clone();
            self.denied.keep(&mut incoming, &current)?;
            let version = current.meta.version;
            let known = expected.versions.is_empty() || expected.versions.contains(&version);
            let versions = if known { vec![version] } else { expected.versions.clone() };
            tries += 1;
            match self.replace_with(kind, id, incoming, versions).await {
                Err(Failure::Refused(error)) if error.status == 412 && known && tries < TRIES => {}
                outcome => return outcome,
            }
        }
    }

    async fn replace_with(
        &self,
        kind: ResourceType,
        id: &ResourceId,
        incoming: Incoming,
        expected: Vec<u64>,
    ) -> Result<Resource, Failure> {
        let act = WriteAct::Replace { kind, id: id.clone(), incoming, dialect: self.token.dialect };
        kept(self.write(Write { act, expected }).await?)
    }

    /// Carries the operations of a PATCH out; with what they wrote to.
    pub async fn change(
        &self,
        kind: ResourceType,
        id: &ResourceId,
        body: &Value,
        expected: &Expected,
    ) -> Result<(Resource, Vec<Path>), Failure> {
        self.require(kind, Access::Write)?;
        self.require_version(expected)?;
        check_lists(body, self.limits())?;
        let most = self.limits().patch_operations;
        let patch = Patch::read_up_to(kind, self.token.dialect, body, most)
            .map_err(|error| named(error, "scim.patch_operations"))?;
        self.note_ignored(patch.ignored());
        self.denied.check_patch(&patch)?;
        let written = patch.paths().cloned().collect();
        let act = WriteAct::Patch { id: id.clone(), patch };
        let resource = kept(self.write(Write { act, expected: expected.versions.clone() }).await?)?;
        Ok((resource, written))
    }

    pub async fn remove(
        &self,
        kind: ResourceType,
        id: &ResourceId,
        expected: &Expected,
    ) -> Result<(), Failure> {
        self.require(kind, Access::Write)?;
        self.require_version(expected)?;
        let act = WriteAct::Delete { kind, id: id.clone() };
        self.write(Write { act, expected: expected.versions.clone() }).await.map(drop)
    }

    fn require_version(&self, expected: &Expected) -> Result<(), Error> {
        let tenant = &self.token.tenant;
        let detail = || format!("If-Match is missing (setting scim.tenants.{tenant}.if_match)");
        match self.tenant.if_match == IfMatch::Required && !expected.named {
            true => Err(Error::new(428, detail())),
            false => Ok(()),
        }
    }

    /// Names that no schema has; only the tolerant dialect goes on.
    fn note_ignored(&self, names: u64) {
        if names > 0 {
            tracing::debug!(token = %self.token.id, names, "names that no schema has were ignored");
        }
    }

    async fn write(&self, write: Write) -> Result<Written, Failure> {
        let service = &self.shared.service;
        let author = Author::push(&self.token.tenant, &self.token.id, false, (service.clock)());
        let outcomes = service.store.write_resources(&self.token.workspace, author, vec![write]).await?;
        let written = outcomes.into_iter().next().unwrap_or_else(|| Err(no_outcome()))?;
        if written.skipped > 0 {
            let (token, members) = (&self.token.id, written.skipped);
            tracing::warn!(token, members, "members that do not exist were left out");
        }
        Ok(written)
    }
}

/// A 413 names the setting behind it.
pub(super) fn named(error: Error, setting: &str) -> Error {
    match error.status {
        413 => Error { detail: format!("{} (setting {setting})", error.detail), ..error },
        _ => error,
    }
}

fn kept(written: Written) -> Result<Resource, Failure> {
    Ok(written.resource.ok_or_else(no_outcome)?)
}

fn no_outcome() -> Error {
    Error::new(500, "the write had no outcome")
}
