//! What account discovery asks: whom of the source an account of the target may be, and whose it is.

use std::collections::BTreeMap;

use rusqlite::Row;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::values::parsed_or_none;
use crate::model::LinkId;
use crate::model::SourceId;
use crate::plan::OnCreate;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// Somebody who is wanted and has nothing in the target yet.
#[derive(Clone, Debug)]
pub struct Newcomer {
    pub link: LinkId,
    pub source: SourceId,
    pub wanted: Attributes,
    pub on_create: OnCreate,
}

impl Store {
    /// The next who are wanted and have nothing in the target, by number.
    pub async fn newcomers(
        &self,
        job: JobId,
        kind: Kind,
        after: LinkId,
        limit: usize,
    ) -> Result<Vec<Newcomer>, StoreError> {
        self.read(move |db| {
            let sql = format!(
                "SELECT {NEWCOMER} FROM links WHERE job = ?1 AND kind = ?2 AND desired IS 'active' AND applied = 'absent'
                    AND id > ?3 ORDER BY id LIMIT ?4"
            );
            let mut query = db.prepare_cached(&sql)?;
            query.query_map(params![job.0, kind.word(), after.0, limit as i64], newcomer)?.collect()
        })
        .await
    }

    /// These of them.
    pub async fn newcomers_by_id(&self, links: Vec<LinkId>) -> Result<Vec<Newcomer>, StoreError> {
        self.read(move |db| {
            let mut query = db.prepare_cached(&format!("SELECT {NEWCOMER} FROM links WHERE id = ?1"))?;
            let mut found = Vec::new();
            for link in links {
                found.extend(query.query_map([link.0], newcomer)?.collect::<Sql<Vec<_>>>()?);
            }
            Ok(found)
        })
        .await
    }

    /// Which of these resources of a target another job has, and its name.
    pub async fn resources_of_others(
        &self,
        job: JobId,
        target: String,
        resources: Vec<ResourceId>,
    ) -> Result<BTreeMap<ResourceId, String>, StoreError> {
        self.read(move |db| {
            let mut query = db.prepare_cached(
                "SELECT min(j.name) FROM links l JOIN jobs j ON j.id = l.job
                  WHERE l.resource = ?1 AND l.job <> ?2 AND j.target_identity IS ?3",
            )?;
            let mut owners = BTreeMap::new();
            for resource in resources {
                let name: Option<String> =
                    query.query_row(params![resource.0, job.0, target], |row| row.get(0))?;
                owners.extend(name.map(|name| (resource, name)));
            }
            Ok(owners)
        })
        .await
    }
}

const NEWCOMER: &str = "id, source_id, wanted, on_create";

fn newcomer(row: &Row<'_>) -> Sql<Newcomer> {
    Ok(Newcomer {
        link: LinkId(row.get(0)?),
        source: SourceId(row.get(1)?),
        wanted: parsed_or_none(row, 2)?.unwrap_or_default(),
        on_create: parsed_or_none(row, 3)?.unwrap_or_default(),
    })
}
