//! One write of a workspace: looked up, checked, done, or undone as a whole.

use rusqlite::Transaction;

use super::Author;
use super::Write;
use super::WriteAct;
use super::Written;
use super::members;
use super::members::Edited;
use super::rows;
use super::rows::Kept;
use super::rows::is_active;
use crate::scim::Dialect;
use crate::scim::Error;
use crate::scim::Incoming;
use crate::scim::MembersEdit;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::store::LossCause;
use crate::store::Policy;
use crate::store::Sql;
use crate::store::grants;
use crate::store::grants::Holder;
use serde_json::Value;

/// Where a write happens.
struct Place<'a> {
    tx: &'a Transaction<'a>,
    workspace: i64,
    policy: &'a Policy,
    author: &'a Author,
}

/// Carries one write out; what is refused leaves no trace in the transaction.
pub(super) fn one(
    tx: &Transaction<'_>,
    workspace: i64,
    policy: &Policy,
    author: &Author,
    write: Write,
) -> Sql<Result<Written, Error>> {
    tx.execute_batch("SAVEPOINT one_write")?;
    let outcome = Place { tx, workspace, policy, author }.carry_out(write)?;
    if outcome.is_err() {
        tx.execute_batch("ROLLBACK TO one_write")?;
    }
    tx.execute_batch("RELEASE one_write")?;
    Ok(outcome)
}

impl Place<'_> {
    fn carry_out(&self, write: Write) -> Sql<Result<Written, Error>> {
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
            WriteAct::Delete { kind, id } => self.with(kind, &id, &expected, |old| {
                let holder = holder(&old);
                grants::take(self.tx, self.workspace, self.author, &holder, LossCause::Deleted)?;
                rows::delete(self.tx, old.n)?;
                Ok(Ok(Written { resource: None, changed: true, skipped: 0 }))
            }),
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
        let edits = [MembersEdit::Add(incoming.members)];
        let edited = members::edit(self.tx, self.workspace, made.n, &edits, dialect)?;
        let written = |edited: Edited| Written {
            resource: Some(made.resource),
            changed: true,
            skipped: edited.skipped,
        };
        Ok(edited.map(written))
    }

    /// Runs `change` on the resource, where it exists and has a version that the client knows.
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
        if !expected.is_empty() && !expected.contains(&old.resource.meta.version) {
            return Ok(Err(Error::new(412, "the resource has changed since it was read")));
        }
        change(old)
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
        let edited = match members::edit(self.tx, self.workspace, old.n, edits, dialect)? {
            Ok(edited) => edited,
            Err(error) => return Ok(Err(error)),
        };
        self.follow_activity(&old, &body)?;
        let changed = edited.changed || body != old.resource.body;
        let new = if changed { rows::update(self.tx, self.author, &old, &body)? } else { old };
        Ok(Ok(Written { resource: Some(new.resource), changed, skipped: edited.skipped }))
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
