//! What the embedded workspaces hold: users and teams as rows, memberships as edges. The workspace target, the
//! SCIM service and the commands all come through here.

mod audit;
mod candidates;
mod condition;
mod list;
mod members;
mod owner;
mod queue;
mod rows;
mod unique;
mod values;
mod write;

pub(super) use audit::note_grant;
pub use owner::Author;
pub use owner::Owner;
pub(super) use queue::Queue;
pub(super) use rows::ensure_workspace;
pub(super) use rows::workspace;

use std::fmt;

use rusqlite::Connection;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use super::OtherOwners;
use super::Sql;
use super::Store;
use super::StoreError;
use crate::scim::Dialect;
use crate::scim::Filter;
use crate::scim::Incoming;
use crate::scim::MembersEdit;
use crate::scim::Meta;
use crate::scim::Patch;
use crate::scim::Related;
use crate::scim::ResourceId;
use crate::scim::ResourceType;
use crate::scim::Sort;
use crate::scim::related;
use crate::scim::related_name;

/// A user or a team as a workspace keeps it.
#[derive(Clone, PartialEq)]
pub struct Resource {
    pub meta: Meta,
    pub owner: Owner,
    /// Assigned attributes, without `id`, `meta`, `schemas`, `members` and `groups`.
    pub body: Value,
    /// The members of a team, the teams of a user; empty where they were not asked for.
    pub related: Vec<Related>,
}

impl Resource {
    /// `false` only where it says so.
    pub fn active(&self) -> bool {
        rows::is_active(&self.body)
    }

    /// The whole resource as JSON; `base` is the address of the service, or empty.
    pub fn shown(&self, base: &str) -> Value {
        let mut shown = self.meta.dress(self.body.clone(), base);
        if !self.related.is_empty() {
            let values = related(self.meta.kind, &self.related, base);
            if let Some(name) = related_name(self.meta.kind) {
                shown[name] = values;
            }
        }
        shown
    }
}

/// Shows ids only (P11).
impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} v{}", self.meta.kind.word(), self.meta.id, self.meta.version)
    }
}

/// One change of a workspace.
#[derive(Clone, Debug)]
pub struct Write {
    pub act: WriteAct,
    /// Versions that the resource may have (`If-Match`); empty: any.
    pub expected: Vec<u64>,
}

#[derive(Clone, Debug)]
pub enum WriteAct {
    /// The id is chosen by the caller and must be new.
    Create {
        kind: ResourceType,
        id: ResourceId,
        incoming: Incoming,
        dialect: Dialect,
    },
    Patch {
        id: ResourceId,
        patch: Patch,
    },
    /// What is not in it is unassigned (RFC 7644 section 3.5.1).
    Replace {
        kind: ResourceType,
        id: ResourceId,
        incoming: Incoming,
        dialect: Dialect,
    },
    /// Members that do not exist are refused.
    Members {
        team: ResourceId,
        edits: Vec<MembersEdit>,
    },
    Delete {
        kind: ResourceType,
        id: ResourceId,
    },
}

impl From<WriteAct> for Write {
    fn from(act: WriteAct) -> Write {
        Write { act, expected: Vec::new() }
    }
}

/// What became of a write that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// As it is now, without what it is related to; `None` after a deletion.
    pub resource: Option<Resource>,
    pub changed: bool,
    /// Members that do not exist and were left out (tolerant dialect only).
    pub skipped: u64,
}

/// Which part of a list.
#[derive(Clone, Debug)]
pub struct ListQuery {
    pub kind: ResourceType,
    pub filter: Option<Filter>,
    /// Else in the order of creation, which inserts do not disturb.
    pub sort: Option<Sort>,
    /// 1-based; does not count where `after` says where to begin.
    pub start: u64,
    pub after: Option<Position>,
    pub count: u64,
    /// Whether to read members or teams as well.
    pub related: bool,
}

impl ListQuery {
    /// All resources of a type, without what they are related to.
    pub fn all(kind: ResourceType) -> ListQuery {
        let count = u64::MAX;
        ListQuery { kind, filter: None, sort: None, start: 1, after: None, count, related: false }
    }
}

/// Behind which resource a page begins: what a cursor carries (RFC 9865).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// In the order of creation.
    Row(i64),
    /// In a sorted list: what it was sorted by (null: no value), and its id.
    Sorted { key: Value, id: ResourceId },
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Listing {
    /// All that match.
    pub total: u64,
    pub resources: Vec<Resource>,
    /// Where the next page begins; `None` where this was the last.
    pub next: Option<Position>,
}

/// How much a workspace holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub users: u64,
    pub active_users: u64,
    pub teams: u64,
    pub memberships: u64,
}

impl Store {
    /// Carries the writes out, in order, in one transaction that others may share. One that is refused changes nothing
    /// and does not hold up the others; all are durable when this returns.
    pub async fn write_resources(
        &self,
        workspace: &str,
        mut author: Author,
        writes: Vec<Write>,
    ) -> Result<Vec<Result<Written, crate::scim::Error>>, StoreError> {
        let policy = self.policy(workspace);
        author.writes_others |= policy.other_owners == OtherOwners::Allow;
        self.enqueue(queue::Request { workspace: workspace.to_owned(), policy, author, writes }).await
    }

    /// The resources by id, in the order of the ids.
    pub async fn resources(
        &self,
        workspace: &str,
        ids: Vec<(ResourceType, ResourceId)>,
        related: bool,
    ) -> Result<Vec<Option<Resource>>, StoreError> {
        let workspace = workspace.to_owned();
        self.read(move |db| {
            let Some(workspace) = rows::workspace(db, &workspace)? else { return Ok(vec![None; ids.len()]) };
            ids.iter().map(|(kind, id)| list::by_id(db, workspace, *kind, id, related)).collect()
        })
        .await
    }

    /// A part of a list, and how long the list is.
    pub async fn list_resources(&self, workspace: &str, query: ListQuery) -> Result<Listing, StoreError> {
        let workspace = workspace.to_owned();
        self.read(move |db| listing(db, &workspace, &query)).await
    }

    /// For each filter all that match, at most `max` each.
    pub async fn find_resources(
        &self,
        workspace: &str,
        filters: Vec<(ResourceType, Filter)>,
        max: u64,
    ) -> Result<Vec<Vec<Resource>>, StoreError> {
        let workspace = workspace.to_owned();
        self.read(move |db| {
            let Some(workspace) = rows::workspace(db, &workspace)? else {
                return Ok(vec![Vec::new(); filters.len()]);
            };
            let find = |(kind, filter)| {
                let query = ListQuery { filter: Some(filter), count: max, ..ListQuery::all(kind) };
                list::first(db, workspace, &query)
            };
            filters.into_iter().map(find).collect()
        })
        .await
    }

    /// The members of a team, in the order of their creation; `None` where there is no such team.
    pub async fn team_members(
        &self,
        workspace: &str,
        team: &ResourceId,
    ) -> Result<Option<Vec<Related>>, StoreError> {
        let (workspace, team) = (workspace.to_owned(), team.clone());
        self.read(move |db| {
            let Some(workspace) = rows::workspace(db, &workspace)? else { return Ok(None) };
            match rows::by_id(db, workspace, ResourceType::Group, &team)? {
                Some(row) => members::of_team(db, row.n).map(Some),
                None => Ok(None),
            }
        })
        .await
    }

    /// How much a workspace holds; nothing where it does not exist yet.
    pub async fn workspace_counts(&self, workspace: &str) -> Result<Counts, StoreError> {
        let workspace = workspace.to_owned();
        self.read(move |db| match rows::workspace(db, &workspace)? {
            Some(workspace) => list::counts(db, workspace),
            None => Ok(Counts::default()),
        })
        .await
    }

    /// The names of all workspaces, sorted.
    pub async fn workspaces(&self) -> Result<Vec<String>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT name FROM workspaces ORDER BY name")?;
            let names = statement.query_map([], |row| row.get(0))?;
            names.collect()
        })
        .await
    }
}

/// One page of a list; a workspace that does not exist has nothing.
pub(super) fn listing(db: &Connection, workspace: &str, query: &ListQuery) -> Sql<Listing> {
    match rows::workspace(db, workspace)? {
        Some(workspace) => list::page(db, workspace, query),
        None => Ok(Listing { total: 0, resources: Vec::new(), next: None }),
    }
}

/// One resource by id.
pub(super) fn one(
    db: &Connection,
    workspace: &str,
    kind: ResourceType,
    id: &ResourceId,
    related: bool,
) -> Sql<Option<Resource>> {
    match rows::workspace(db, workspace)? {
        Some(workspace) => list::by_id(db, workspace, kind, id, related),
        None => Ok(None),
    }
}
