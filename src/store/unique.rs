//! Unique values of a job's links: who has them, who wants them.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use crate::model::LinkId;
use crate::plan::Identity;
use crate::plan::Rename;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// Who stands against a wish for a unique value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Who has the value in the target and does not give it up in this plan.
    pub kept_by: Option<Keeper>,
    /// How many active links want it.
    pub wanted_by: u64,
}

/// A link that has a unique value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeper {
    pub link: LinkId,
    /// Its name and its source id.
    pub name: String,
    /// Its account is not active, or will not be after this plan, and the rules want it so.
    pub retired: bool,
    pub resource: ResourceId,
    pub identity: Identity,
    /// When it was deactivated.
    pub left_second: Option<i64>,
}

impl Store {
    /// People whose unique value changes, by source id.
    pub async fn renames(&self, job: JobId) -> Result<Vec<Rename>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT id, applied_key, wanted_key FROM links
                  WHERE job = ?1 AND class = 'rename' AND kind = 'user' AND exempt <> 1 AND applied_key IS NOT NULL
                    AND wanted_key IS NOT NULL AND applied_key <> wanted_key ORDER BY source_id",
            )?;
            rows.query_map([job.0], |row| {
                Ok(Rename { link: LinkId(row.get(0)?), from: row.get(1)?, to: row.get(2)? })
            })?
            .collect()
        })
        .await
    }

    /// Who of the job has each of these values now.
    pub async fn key_owners(
        &self,
        job: JobId,
        keys: Vec<String>,
    ) -> Result<BTreeMap<String, LinkId>, StoreError> {
        self.read(move |db| {
            let mut owner = db.prepare_cached(
                "SELECT id FROM links WHERE job = ?1 AND applied_key = ?2 AND kind = 'user'",
            )?;
            let mut owners = BTreeMap::new();
            for key in keys {
                let found: Option<i64> = owner.query_row(params![job.0, key], |row| row.get(0)).optional()?;
                owners.extend(found.map(|link| (key, LinkId(link))));
            }
            Ok(owners)
        })
        .await
    }

    /// What stands against each of these wishes.
    pub async fn claims(
        &self,
        job: JobId,
        kind: Kind,
        keys: Vec<String>,
    ) -> Result<BTreeMap<String, Claim>, StoreError> {
        self.read(move |db| {
            keys.into_iter().map(|key| Ok((key.clone(), claim(db, job, kind, &key)?))).collect()
        })
        .await
    }

    /// What a person calls a link: its name and its source id.
    pub async fn describe(&self, link: LinkId) -> Result<String, StoreError> {
        self.read(move |db| {
            db.query_row(
                "SELECT coalesce(json_extract(sent, '$.userName'), json_extract(sent, '$.displayName'), kind)
                        || ' (' || source_id || ')' FROM links WHERE id = ?1",
                [link.0],
                |row| row.get(0),
            )
        })
        .await
    }

    /// The resource that a link has in the target.
    pub async fn resource_of(&self, link: LinkId) -> Result<Option<ResourceId>, StoreError> {
        self.read(move |db| {
            let found: Option<String> =
                db.query_row("SELECT resource FROM links WHERE id = ?1", [link.0], |row| row.get(0))?;
            Ok(found.map(ResourceId))
        })
        .await
    }
}

fn claim(db: &Connection, job: JobId, kind: Kind, key: &str) -> Sql<Claim> {
    let kept_by = db
        .prepare_cached(
            "SELECT id, coalesce(json_extract(sent, '$.userName'), json_extract(sent, '$.displayName'), '')
                    || ' (' || source_id || ')', desired IS NOT 'active' AND (applied = 'inactive' OR (class IS 'deactivate' AND hold IS NULL)),
                    resource,
                    employee, immutable,
                    (SELECT max(at) FROM journal g WHERE g.link = links.id AND g.class = 'deactivate' AND g.outcome = 'done')
               FROM links
              WHERE job = ?1 AND applied_key = ?2 AND kind = ?3 AND applied <> 'absent'
                AND NOT (coalesce(class, '') IN ('rename', 'update') AND hold IS NULL AND wanted_key <> applied_key)",
        )?
        .query_row(params![job.0, key, kind.word()], keeper)
        .optional()?;
    let wanted_by: i64 = db
        .prepare_cached(
            "SELECT count(*) FROM links WHERE job = ?1 AND wanted_key = ?2 AND kind = ?3 AND desired = 'active'",
        )?
        .query_row(params![job.0, key, kind.word()], |row| row.get(0))?;
    Ok(Claim { kept_by, wanted_by: wanted_by.unsigned_abs() })
}

fn keeper(row: &Row<'_>) -> Sql<Keeper> {
    Ok(Keeper {
        link: LinkId(row.get(0)?),
        name: row.get(1)?,
        retired: row.get(2)?,
        resource: ResourceId(row.get(3)?),
        identity: Identity { employee: row.get(4)?, immutable: row.get(5)?, created_second: None },
        left_second: row.get(6)?,
    })
}
