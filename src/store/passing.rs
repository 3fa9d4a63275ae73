//! Ownership that passes by command: what a tenant pushed becomes a job's, and links come back after a lost state. All of
//! it, or nothing.

use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::Transaction;
use rusqlite::params;

use super::ByHand;
use super::JobId;
use super::Owner;
use super::Sql;
use super::Store;
use super::StoreError;
use super::by_hand::record;
use super::directory::workspace;
use super::journal::accept;
use super::promote::EDGE;
use super::references;
use super::values::word;
use crate::model::Accepted;
use crate::model::LinkId;
use crate::model::Origin;
use crate::model::SourceId;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// A person or a group, and what it is in the target: its link comes to be without a write there.
#[derive(Clone, Debug)]
pub struct Passed {
    pub link: LinkId,
    pub kind: Kind,
    pub source: SourceId,
    pub resource: ResourceId,
    /// The resource's version as it was looked at (`W/"3"`); `None` where the target shows none.
    pub version: Option<String>,
    pub active: bool,
    /// Of what we want, what it shows.
    pub shown: Attributes,
    /// Its unique name, folded.
    pub key: Option<String>,
    pub origin: Origin,
    /// Whom it names, by the attribute: its manager.
    pub refers: Vec<(String, ResourceId)>,
    /// Of a team, who is in it.
    pub members: Vec<ResourceId>,
}

/// What a job takes over of a tenant.
#[derive(Clone, Debug)]
pub struct Takeover {
    pub workspace: String,
    pub tenant: String,
    pub job: (JobId, String),
    pub passed: Vec<Passed>,
    /// Owned by the job from then on, but not linked: not active, so that a person approves it. With their versions.
    pub asleep: Vec<(ResourceId, Option<String>)>,
}

/// What passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// Memberships that are the job's now.
    pub memberships: u64,
    /// Members that the job does not want, and leaves: team and member.
    pub foreign: Vec<(ResourceId, ResourceId)>,
    /// Resources that had a link already.
    pub linked_before: u64,
    /// The ids of the tokens that open nothing any more.
    pub tokens: Vec<String>,
}

/// What a tenant or a job owns in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    pub kind: Kind,
    pub resource: ResourceId,
    pub name: String,
    pub active: bool,
    pub external_id: Option<String>,
    /// A link of the job has it.
    pub linked: bool,
    /// The source shows the object whose id it bears.
    pub known: bool,
}

impl Store {
    /// The tenants of a workspace: whoever has, or had, a token for it, or owns something in it.
    pub async fn tenants(&self, name: &str) -> Result<BTreeSet<String>, StoreError> {
        let name = name.to_owned();
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT tenant FROM tokens JOIN workspaces w ON w.id = tokens.workspace WHERE w.name = ?1
                 UNION SELECT substr(owner, 6) FROM resources JOIN workspaces w ON w.id = resources.workspace
                  WHERE w.name = ?1 AND owner LIKE 'push %'",
            )?;
            rows.query_map([name], |row| row.get(0))?.collect()
        })
        .await
    }

    /// Whether the resources of this owner bear ids of the job's source: whether any of them does.
    pub async fn bear_source_ids(
        &self,
        job: JobId,
        name: &str,
        owner: Owner,
        kind: Kind,
    ) -> Result<bool, StoreError> {
        let (name, owner) = (name.to_owned(), owner.to_string());
        self.read(move |db| {
            db.prepare_cached(
                "SELECT 1 FROM resources r JOIN workspaces w ON w.id = r.workspace AND w.name = ?2
                   JOIN links l ON l.job = ?1 AND l.kind = r.kind AND l.source_id = r.external_id
                  WHERE r.owner = ?3 AND r.kind = ?4 LIMIT 1",
            )?
            .exists(params![job.0, name, owner, kind.word()])
        })
        .await
    }

    /// What this owner has in a workspace, in the order of creation.
    pub async fn owned(&self, job: JobId, name: &str, owner: Owner) -> Result<Vec<Owned>, StoreError> {
        let (name, owner) = (name.to_owned(), owner.to_string());
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT r.kind, r.id, coalesce(json_extract(r.body, '$.userName'), json_extract(r.body, '$.displayName'), r.id),
                        r.active, r.external_id, EXISTS (SELECT 1 FROM links l WHERE l.resource = r.id AND l.job = ?1),
                        EXISTS (SELECT 1 FROM links l WHERE l.job = ?1 AND l.kind = r.kind AND l.source_id = r.external_id
                          AND l.standing IN ('enabled', 'disabled'))
                   FROM resources r JOIN workspaces w ON w.id = r.workspace
                  WHERE w.name = ?2 AND r.owner = ?3 AND r.kind IN ('user', 'group') ORDER BY r.kind DESC, r.n",
            )?;
            rows.query_map(params![job.0, name, owner], |row| {
                Ok(Owned {
                    kind: word(row, 0)?,
                    resource: ResourceId(row.get(1)?),
                    name: row.get(2)?,
                    active: row.get(3)?,
                    external_id: row.get(4)?,
                    linked: row.get(5)?,
                    known: row.get(6)?,
                })
            })?
            .collect()
        })
        .await
    }

    /// What of this a tenant owns.
    pub async fn owned_among(
        &self,
        name: &str,
        owner: Owner,
        ids: Vec<ResourceId>,
    ) -> Result<BTreeSet<ResourceId>, StoreError> {
        let (name, owner) = (name.to_owned(), owner.to_string());
        self.read(move |db| {
            let Some(workspace) = workspace(db, &name)? else { return Ok(BTreeSet::new()) };
            let mut query =
                db.prepare_cached("SELECT 1 FROM resources WHERE workspace = ?1 AND id = ?2 AND owner = ?3")?;
            let mut owned = BTreeSet::new();
            for id in ids {
                if query.exists(params![workspace, id.0, owner])? {
                    owned.insert(id);
                }
            }
            Ok(owned)
        })
        .await
    }

    /// The ids of those whom the source shows.
    pub async fn source_ids(&self, job: JobId, kind: Kind) -> Result<BTreeSet<String>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT source_id FROM links WHERE job = ?1 AND kind = ?2 AND standing IN ('enabled', 'disabled')",
            )?;
            rows.query_map(params![job.0, kind.word()], |row| row.get(0))?.collect()
        })
        .await
    }

    /// Makes links that are sure, and keeps what is proposed until a person decides.
    pub async fn rebuild_links(
        &self,
        job: JobId,
        passed: Vec<Passed>,
        proposed: Vec<(LinkId, ResourceId)>,
        by: ByHand,
    ) -> Result<Passage, StoreError> {
        self.write(move |tx| {
            let passage = link_all(tx, job, &passed)?;
            for one in &passed {
                record(tx, job, &by, &format!("link rebuild {} {}", one.source, one.resource))?;
            }
            let mut propose = tx.prepare_cached("UPDATE links SET proposed = ?2 WHERE id = ?1")?;
            for (link, resource) in &proposed {
                propose.execute(params![link.0, resource.0])?;
            }
            let what = format!("link rebuild: {} links, {} proposed", passed.len(), proposed.len());
            record(tx, job, &by, &what)?;
            Ok(passage)
        })
        .await
    }

    /// Makes the job the owner of what it matched, and ends the tenant's tokens. `None`, and nothing was done, where
    /// something of it is not as it was looked at any more.
    pub async fn take_over_tenant(
        &self,
        takeover: Takeover,
        by: ByHand,
    ) -> Result<Option<Passage>, StoreError> {
        self.write(move |tx| {
            let Some(place) = workspace(tx, &takeover.workspace)? else { return Ok(None) };
            let owner = Owner::Push(takeover.tenant.clone()).to_string();
            let (job, name) = &takeover.job;
            let job = *job;
            for (resource, version) in takeover.looked_at() {
                if !stands(tx, place, resource, &owner, version)? {
                    return Ok(None);
                }
            }
            let mine = Owner::Job(name.clone()).to_string();
            let mut give =
                tx.prepare_cached("UPDATE resources SET owner = ?3 WHERE workspace = ?1 AND id = ?2")?;
            for (resource, _) in takeover.looked_at() {
                give.execute(params![place, resource.0, mine])?;
            }
            let linked_before = tx
                .prepare_cached(
                    "UPDATE resources SET owner = ?3 WHERE workspace = ?1 AND owner = ?2
                        AND id IN (SELECT resource FROM links WHERE job = ?4 AND resource IS NOT NULL)",
                )?
                .execute(params![place, owner, mine, job.0])? as u64;
            let mut passage = Passage { linked_before, ..link_all(tx, job, &takeover.passed)? };
            for passed in &takeover.passed {
                let what = format!("link takeover {} {} from {owner}", passed.source, passed.resource);
                record(tx, job, &by, &what)?;
            }
            passage.tokens = end_tokens(tx, place, &takeover, &by)?;
            let what = format!(
                "link takeover of {owner} in workspace {}: {} links, {} not active, {} tokens revoked",
                takeover.workspace,
                takeover.passed.len(),
                takeover.asleep.len(),
                passage.tokens.len()
            );
            record(tx, job, &by, &what)?;
            Ok(Some(passage))
        })
        .await
    }
}

impl Takeover {
    fn looked_at(&self) -> impl Iterator<Item = (&ResourceId, Option<&str>)> {
        let passed = self.passed.iter().map(|passed| (&passed.resource, passed.version.as_deref()));
        passed.chain(self.asleep.iter().map(|(id, version)| (id, version.as_deref())))
    }
}

/// Whether the resource is the tenant's still, and as it was looked at.
fn stands(
    db: &Connection,
    place: i64,
    resource: &ResourceId,
    owner: &str,
    version: Option<&str>,
) -> Sql<bool> {
    db.prepare_cached(
        "SELECT 1 FROM resources WHERE workspace = ?1 AND id = ?2 AND owner = ?3
            AND (?4 IS NULL OR 'W/\"' || version || '\"' = ?4)",
    )?
    .exists(params![place, resource.0, owner, version])
}

/// Links come to be as the target shows them; then the memberships that are there and wanted.
pub(super) fn link_all(tx: &Transaction<'_>, job: JobId, passed: &[Passed]) -> Sql<Passage> {
    let mut passage = Passage::default();
    for one in passed {
        let accepted = Accepted {
            resource: one.resource.clone(),
            sent: one.shown.clone(),
            shown: one.shown.clone(),
            origin: one.origin,
        };
        accept(tx, one.link, one.active, &accepted, one.key.as_deref())?;
        tx.prepare_cached(
            "UPDATE links SET class = NULL, hold = NULL, adopt = NULL, attempts = 0, failure = NULL, due_at = NULL,
                    match_cause = NULL, pinned = NULL, retires = NULL, lost_at = NULL, on_create = NULL, proposed = NULL,
                    dirty = dirty | ?2 WHERE id = ?1",
        )?
        .execute(params![one.link.0, EDGE])?;
        tx.prepare_cached("DELETE FROM approvals WHERE job = ?1 AND link = ?2 AND person = 0")?
            .execute(params![job.0, one.link.0])?;
        for (path, resource) in &one.refers {
            references::accept(tx, one.link, path, Some(resource))?;
        }
    }
    let mut person = tx.prepare_cached("SELECT id FROM links WHERE job = ?1 AND resource = ?2")?;
    let mut join = tx.prepare_cached(
        "UPDATE team_edges SET applied = 1, hold = NULL, attempts = 0, failure = NULL, due_at = NULL
          WHERE team = ?1 AND person = ?2 AND desired",
    )?;
    for team in passed {
        for member in &team.members {
            let mut ours = 0;
            for link in person.query_map(params![job.0, member.0], |row| row.get::<_, i64>(0))? {
                ours += join.execute(params![team.link.0, link?])?;
            }
            match ours {
                0 => passage.foreign.push((team.resource.clone(), member.clone())),
                _ => passage.memberships += 1,
            }
        }
    }
    Ok(passage)
}

fn end_tokens(tx: &Transaction<'_>, place: i64, takeover: &Takeover, by: &ByHand) -> Sql<Vec<String>> {
    let why = format!("job {} took over what it pushed", takeover.job.1);
    let why = if by.reason.is_empty() { why } else { format!("{why}: {}", by.reason) };
    tx.prepare_cached(
        "UPDATE tokens SET revoked = ?3, revoked_by = ?4, revoked_why = ?5, taken_by = ?6
          WHERE workspace = ?1 AND tenant = ?2 AND revoked IS NULL RETURNING id",
    )?
    .query_map(params![place, takeover.tenant, by.now_second, by.who, why, takeover.job.1], |row| row.get(0))?
    .collect()
}
