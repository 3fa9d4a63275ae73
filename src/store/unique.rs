//! Unique values of a job's links: who has them, who wants them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use crate::model::LinkId;
use crate::plan::Rename;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// Who stands against a wish for a unique value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// A link that has the value in the target and does not give it up in this plan, with what it is called.
    pub kept_by: Option<(LinkId, String)>,
    /// How many active links want it.
    pub wanted_by: u64,
}

impl Store {
    /// People whose unique value changes, by source id.
    pub async fn renames(&self, job: JobId) -> Result<Vec<Rename>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT id, applied_key, wanted_key FROM links
                  WHERE job = ?1 AND class = 'rename' AND kind = 'user' AND applied_key IS NOT NULL
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

    /// Those of these resources that a link of any job has already.
    pub async fn linked(&self, resources: BTreeSet<ResourceId>) -> Result<BTreeSet<ResourceId>, StoreError> {
        self.read(move |db| {
            let mut query = db.prepare_cached("SELECT 1 FROM links WHERE resource = ?1")?;
            let mut linked = BTreeSet::new();
            for resource in resources {
                if query.exists([&resource.0])? {
                    linked.insert(resource);
                }
            }
            Ok(linked)
        })
        .await
    }
}

fn claim(db: &Connection, job: JobId, kind: Kind, key: &str) -> Sql<Claim> {
    let kept_by = db
        .prepare_cached(
            "SELECT id, coalesce(json_extract(sent, '$.userName'), json_extract(sent, '$.displayName'), '')
                    || ' (' || source_id || ')' FROM links
              WHERE job = ?1 AND applied_key = ?2 AND kind = ?3 AND applied <> 'absent'
                AND NOT (coalesce(class, '') IN ('rename', 'update') AND hold IS NULL AND wanted_key <> applied_key)",
        )?
        .query_row(params![job.0, key, kind.word()], |row| Ok((LinkId(row.get(0)?), row.get(1)?)))
        .optional()?;
    let wanted_by: i64 = db
        .prepare_cached(
            "SELECT count(*) FROM links WHERE job = ?1 AND wanted_key = ?2 AND kind = ?3 AND desired = 'active'",
        )?
        .query_row(params![job.0, key, kind.word()], |row| row.get(0))?;
    Ok(Claim { kept_by, wanted_by: wanted_by.unsigned_abs() })
}
