//! Lost anchors: links whose resource the target no longer knows.

use rusqlite::Row;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::journal::forget_resource;
use super::promote::EDGE;
use super::values::word;
use crate::model::LinkId;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// A link to what the target said it has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostAnchor {
    pub link: LinkId,
    pub kind: Kind,
    pub resource: ResourceId,
    /// A person said that it may be matched anew.
    pub approved: bool,
}

impl Store {
    /// The links that wait to be matched anew, and how many the target did not know since then, those that were matched
    /// anew meanwhile included.
    pub async fn lost_anchors(
        &self,
        job: JobId,
        since_second: i64,
    ) -> Result<(Vec<LostAnchor>, u64), StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT l.id, l.kind, l.resource, a.link IS NOT NULL FROM links l
                   LEFT JOIN approvals a ON a.job = l.job AND a.link = l.id AND a.person = 0 AND a.class = l.class
                     AND a.cause = l.match_cause
                  WHERE l.job = ?1 AND l.lost_at IS NOT NULL AND l.resource IS NOT NULL ORDER BY l.kind, l.source_id",
            )?;
            let waiting = rows.query_map([job.0], lost)?.collect::<Sql<Vec<_>>>()?;
            if waiting.is_empty() {
                return Ok((waiting, 0));
            }
            let recent: i64 = db.query_row(
                "SELECT count(*) FROM (SELECT link FROM journal WHERE job = ?1 AND at >= ?2 AND outcome = 'missing'
                   UNION SELECT id FROM links WHERE job = ?1 AND lost_at >= ?2 AND drifted IS NOT NULL)",
                params![job.0, since_second],
                |row| row.get(0),
            )?;
            Ok((waiting, recent.unsigned_abs()))
        })
        .await
    }

    /// Those that are gone are decided anew, as people without an account; those that are there after all go on.
    pub async fn settle_anchors(&self, gone: Vec<LostAnchor>, there: Vec<LinkId>) -> Result<(), StoreError> {
        self.write(move |tx| {
            for anchor in &gone {
                forget_resource(tx, anchor.link)?;
                tx.prepare_cached("UPDATE links SET dirty = dirty | ?2, lost_at = NULL WHERE id = ?1")?
                    .execute(params![anchor.link.0, EDGE])?;
                // An approval is for what was looked at, once.
                tx.prepare_cached("DELETE FROM approvals WHERE link = ?1 AND person = 0")?
                    .execute([anchor.link.0])?;
            }
            for link in &there {
                tx.prepare_cached("UPDATE links SET lost_at = NULL, match_cause = NULL WHERE id = ?1")?
                    .execute([link.0])?;
            }
            Ok(())
        })
        .await
    }
}

fn lost(row: &Row<'_>) -> Sql<LostAnchor> {
    Ok(LostAnchor {
        link: LinkId(row.get(0)?),
        kind: word(row, 1)?,
        resource: ResourceId(row.get(2)?),
        approved: row.get(3)?,
    })
}
