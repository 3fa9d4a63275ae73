//! One write of a workspace: looked up, checked, done and recorded, or undone as a whole and its refusal recorded.

use rusqlite::Transaction;
use serde_json::Value;

use super::Author;
use super::Owner;
use super::Write;
use super::WriteAct;
use super::Written;
use super::audit::Attempt;
use super::audit::Change;
use super::members;
use super::members::Edited;
use super::rows;
use super::rows::Kept;
use super::rows::is_active;
use super::unique;
use crate::scim::Dialect;
use crate::scim::Error;
use crate::scim::Incoming;
use crate::scim::MembersEdit;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::store::LossCause;
use crate::store::Policy;
use crate::store::Sql;
use crate::store::database::within;
use crate::store::grants;
use crate::store::grants::Holder;

/// Where a write happens, and who writes.
pub(super) struct Place<'a> {
    pub tx: &'a Transaction<'a>,
    pub workspace: i64,
    /// What people call the workspace.
    pub name: &'a str,
    pub policy: &'a Policy,
    pub author: &'a Author,
}

impl Place<'_> {
    /// Carries one write out; what is refused leaves its refusal behind and nothing else.
    pub fn carry_out(&self, write: Write) -> Sql<Result<Written, Error>> {
        let attempt = Attempt::of(&write.act);
        let outcome = within(self.tx, "one_write", || {
            self.attempt(write).map_err(Failed::Sql)?.map_err(Failed::Refused)
        })?;
        match outcome {
            Ok(written) => Ok(Ok(written)),
            Err(Failed::Sql(error)) => Err(error),
            Err(Failed::Refused(error)) => {
                self.note_refusal(&attempt, &error)?;
                Ok(Err(error))
            }
        }
    }

    fn attempt(&self, write: Write) -> Sql<Result<Written, Error>> {
        let expected = write.expected;
        match write.act {
            WriteAct::Create { kind, id, incoming, dialect } => self.create(kind, id, incoming, dialect),
            WriteAct::Patch { id, patch } => self.with(patch.kind(), &id, &expected, |old| {
                let mut body = old.resource.body.clone();
                match patch.apply(&mut body) {
                    Ok(edits) => self.settle(old, body, &edits, patch.dialect()),
                    Err(error) => Ok(Err(error)),
                }
            }),
            WriteAct::Replace { kind, id, mut incoming, dialect } => self.with(kind, &id, &expected, |old| {
                let members = match kind {
                    ResourceType::Group => vec![MembersEdit::Replace(std::mem::take(&mut incoming.members))],
                    ResourceType::User | ResourceType::Grant => Vec::new(),
                };
                match incoming.replacing(kind, &old.resource.body) {
                    Ok(body) => self.settle(old, body, &members, dialect),
                    Err(error) => Ok(Err(error)),
                }
            }),
            WriteAct::Members { team, edits } => self.with(ResourceType::Group, &team, &expected, |old| {
                let body = old.resource.body.clone();
                self.settle(old, body, &edits, Dialect::Strict)
            }),
            WriteAct::Delete { kind, id } => self.with(kind, &id, &expected, |old| self.delete(&old)),
        }
    }

    fn create(
        &self,
        kind: ResourceType,
        id: ResourceId,
        incoming: Incoming,
        dialect: Dialect,
    ) -> Sql<Result<Written, Error>> {
        let mut body = incoming.body;
        if kind == ResourceType::User && body.get("active").is_none() {
            // RFC 7643 names no default; an account that nobody disabled may be used.
            body["active"] = Value::Bool(true);
        }
        if rows::is_spent(self.tx, self.workspace, &id)? {
            return Ok(Err(Error::new(409, "a resource had this id before; ids are never used again")));
        }
        if rows::user_key_taken(self.tx, self.workspace, &body, None)? {
            return Ok(Err(Error::taken("userName")));
        }
        let bond = match kind {
            ResourceType::Grant => match grants::admit(self.tx, self.workspace, &body)? {
                Ok(bond) => Some(bond),
                Err(error) => return Ok(Err(error)),
            },
            ResourceType::User | ResourceType::Group => None,
        };
        let made = rows::insert(self.tx, self.workspace, self.author, kind, id, body)?;
        if let Some(bond) = bond {
            grants::bind(self.tx, made.n, &bond)?;
        }
        if let Some(taken) = unique::claim(self, made.n, kind, None, &made.resource.body)? {
            return Ok(Err(taken));
        }
        let edits = [MembersEdit::Add(incoming.members)];
        let edited = match members::edit(self.tx, self.workspace, made.n, &edits, dialect)? {
            Ok(edited) => edited,
            Err(error) => return Ok(Err(error)),
        };
        self.note(&Change { old: None, new: Some(&made.resource), edited: &edited })?;
        Ok(Ok(Written { resource: Some(made.resource), changed: true, skipped: edited.skipped }))
    }

    /// Runs `change` on the resource, where it exists, the author may write it, and it has a version that the client
    /// knows.
    fn with(
        &self,
        kind: ResourceType,
        id: &ResourceId,
        expected: &[u64],
        change: impl FnOnce(Kept) -> Sql<Result<Written, Error>>,
    ) -> Sql<Result<Written, Error>> {
        let Some(old) = rows::by_id(self.tx, self.workspace, kind, id)? else {
            return Ok(Err(Error::not_found()));
        };
        if let Some(refusal) = self.refuses(&old.resource.owner, id) {
            return Ok(Err(refusal));
        }
        if !expected.is_empty() && !expected.contains(&old.resource.meta.version) {
            return Ok(Err(Error::new(412, "the resource has changed since it was read")));
        }
        change(old)
    }

    /// Two owners never fight silently: the second write is refused or let through as the settings say, and either is
    /// in the log.
    fn refuses(&self, owner: &Owner, id: &ResourceId) -> Option<Error> {
        let author = self.author;
        if author.is_at_home(owner) {
            return None;
        }
        let (workspace, writer) = (self.name, &author.owner);
        if author.writes_others {
            tracing::info!(workspace, %writer, %owner, resource = %id, "wrote what another owns");
            return None;
        }
        tracing::warn!(workspace, %writer, %owner, resource = %id, "refused to write what another owns");
        let detail = format!(
            "{owner} owns this resource, so {writer} may not write it; workspaces.{workspace}.other_owners = \"allow\" \
             in the settings lets it"
        );
        Some(Error::new(403, detail))
    }

    /// Writes what differs. Where nothing does, version and times stay (RFC 7644 section 3.5.2.1).
    fn settle(
        &self,
        old: Kept,
        mut body: Value,
        edits: &[MembersEdit],
        dialect: Dialect,
    ) -> Sql<Result<Written, Error>> {
        if old.resource.meta.kind == ResourceType::Grant
            && let Err(error) = grants::keep_immutable(&old.resource.body, &mut body)
        {
            return Ok(Err(error));
        }
        if rows::user_key_taken(self.tx, self.workspace, &body, Some(old.n))? {
            return Ok(Err(Error::taken("userName")));
        }
        let kind = old.resource.meta.kind;
        if let Some(taken) = unique::claim(self, old.n, kind, Some(&old.resource.body), &body)? {
            return Ok(Err(taken));
        }
        let edited = match members::edit(self.tx, self.workspace, old.n, edits, dialect)? {
            Ok(edited) => edited,
            Err(error) => return Ok(Err(error)),
        };
        self.follow_activity(&old, &body)?;
        let changed = edited.changed() || body != old.resource.body;
        if !changed {
            return Ok(Ok(Written { resource: Some(old.resource), changed, skipped: edited.skipped }));
        }
        let new = rows::update(self.tx, self.author, &old, &body)?;
        self.note(&Change { old: Some(&old.resource), new: Some(&new.resource), edited: &edited })?;
        Ok(Ok(Written { resource: Some(new.resource), changed, skipped: edited.skipped }))
    }

    fn delete(&self, old: &Kept) -> Sql<Result<Written, Error>> {
        grants::take(self.tx, self.workspace, self.author, &holder(old), LossCause::Deleted)?;
        rows::delete(self.tx, old.n)?;
        self.note(&Change { old: Some(&old.resource), new: None, edited: &Edited::default() })?;
        Ok(Ok(Written { resource: None, changed: true, skipped: 0 }))
    }

    /// Grants go with a user's activity, in the transaction that ends it.
    fn follow_activity(&self, old: &Kept, body: &Value) -> Sql<()> {
        if old.resource.meta.kind != ResourceType::User {
            return Ok(());
        }
        let (was, is, holder) = (old.resource.active(), is_active(body), holder(old));
        match (was, is) {
            (true, false) => {
                grants::take(self.tx, self.workspace, self.author, &holder, LossCause::Deactivated)
            }
            (false, true) => {
                grants::reactivated(self.tx, self.workspace, self.author, &holder, self.policy.restore_grants)
            }
            _ => Ok(()),
        }
    }
}

fn holder(user: &Kept) -> Holder<'_> {
    Holder { n: user.n, id: &user.resource.meta.id, body: &user.resource.body }
}

/// Why a write was undone.
enum Failed {
    Refused(Error),
    Sql(rusqlite::Error),
}
