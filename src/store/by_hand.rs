//! Links by hand: shown, set, undone, handed to another job. Each decision is recorded with who made it, and nothing but
//! the state is touched.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::Transaction;
use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::decisions::Decision;
use super::decisions::decided;
use super::journal::forget_resource;
use super::promote::EDGE;
use super::values::parsed_or_none;
use super::values::word;
use crate::model::LinkId;
use crate::model::SourceId;
use crate::model::Standing;
use crate::plan::Hold;
use crate::scim::Kind;
use crate::scim::ResourceId;
use crate::scim::fold;

/// Who decides, and why.
#[derive(Clone, Debug)]
pub struct ByHand {
    pub who: String,
    pub reason: String,
    pub now_second: i64,
}

/// A person or a group and the resource that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// A source id, a userName or a team's name.
    pub who: String,
    pub resource: ResourceId,
}

/// Why a wish cannot be carried out, and what to do: `what; cure`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

/// One link as people look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    pub link: LinkId,
    pub kind: Kind,
    pub source: SourceId,
    pub name: String,
    pub standing: Standing,
    /// `active`, `inactive`, `absent`, `unmanaged`; `None`: not decided yet.
    pub desired: Option<String>,
    /// `active`, `inactive`, `absent`.
    pub applied: String,
    pub resource: Option<ResourceId>,
    /// `created`, `adopted`, `joined`.
    pub origin: Option<String>,
    /// What a person said it is, until a cycle has looked at it.
    pub pinned: Option<ResourceId>,
    /// The class of the pending change.
    pub pending: Option<String>,
    pub hold: Option<Hold>,
    /// Other jobs that have a link to the same resource.
    pub shared_with: Vec<String>,
    /// That one of them which owns it.
    pub owner: Option<String>,
}

const JOINED: &str = "joined";

impl LinkRow {
    /// Another job owns the resource, or did.
    fn is_joined(&self) -> bool {
        self.origin.as_deref() == Some(JOINED)
    }

    /// The job that owned the resource has let it go: nobody writes its attributes any more.
    pub fn is_ownerless(&self) -> bool {
        self.is_joined() && self.owner.is_none()
    }
}

const COLUMNS: &str = "l.id, l.kind, l.source_id,
    coalesce(json_extract(l.wanted, '$.userName'), json_extract(l.wanted, '$.displayName'),
      json_extract(l.sent, '$.userName'), json_extract(l.sent, '$.displayName'),
      json_extract(l.seen, '$.userPrincipalName'), json_extract(l.seen, '$.\"appuser.userName\"'),
      json_extract(l.seen, '$.userName'), json_extract(l.seen, '$.displayName'), json_extract(l.seen, '$.name'), l.source_id),
    l.standing, l.desired, l.applied, l.resource, l.origin, l.pinned, l.class, l.hold";

impl Store {
    /// The next links of a job, by number: those that are, or are to be, in the target.
    pub async fn links(&self, job: JobId, after: LinkId, limit: usize) -> Result<Vec<LinkRow>, StoreError> {
        self.read(move |db| {
            let sql = format!(
                "SELECT {COLUMNS} FROM links l WHERE l.job = ?1 AND l.id > ?2 AND l.kind <> 'app'
                    AND (l.resource IS NOT NULL OR l.desired = 'active' OR l.class IS NOT NULL OR l.pinned IS NOT NULL) ORDER BY l.id LIMIT ?3"
            );
            let mut rows = db.prepare_cached(&sql)?;
            let found = rows.query_map(params![job.0, after.0, limit as i64], link_row)?;
            found.map(|row| with_jobs(db, row?)).collect()
        })
        .await
    }

    /// The links of this source id, or of this name.
    pub async fn links_of(&self, job: JobId, who: &str) -> Result<Vec<LinkRow>, StoreError> {
        let who = who.to_owned();
        self.read(move |db| links_of(db, job, &who)).await
    }

    /// What people have decided of a link, oldest first: when, who, what, why.
    pub async fn decisions_of(
        &self,
        job: JobId,
        source: &SourceId,
    ) -> Result<Vec<(i64, String, String, String)>, StoreError> {
        let source = source.0.clone();
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT at, who, what, reason FROM decisions
                  WHERE job = ?1 AND what LIKE 'link %' AND instr(what || ' ', ' ' || ?2 || ' ') > 0 ORDER BY id",
            )?;
            rows.query_map(params![job.0, source], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?
            .collect()
        })
        .await
    }

    /// Says which resource each of these is: the next cycle looks at it and takes it over. All of them, or none; the
    /// refusals come with the place in the list.
    pub async fn set_links(
        &self,
        job: JobId,
        pairs: Vec<Pairing>,
        by: ByHand,
    ) -> Result<Vec<(usize, Refusal)>, StoreError> {
        self.write(move |tx| {
            let mut refused = Vec::new();
            let mut set = Vec::new();
            let mut named: BTreeMap<&ResourceId, &str> = BTreeMap::new();
            for (at, pair) in pairs.iter().enumerate() {
                if let Some(other) = named.insert(&pair.resource, &pair.who) {
                    refused.push((
                        at,
                        refusal(format!("{} is given to {other} as well", pair.resource), "choose one"),
                    ));
                    continue;
                }
                match settable(tx, job, pair)? {
                    Ok(link) => set.push((link, pair)),
                    Err(refusal) => refused.push((at, refusal)),
                }
            }
            if !refused.is_empty() {
                return Ok(refused);
            }
            for (row, pair) in set {
                tx.prepare_cached("UPDATE links SET pinned = ?2 WHERE id = ?1")?
                    .execute(params![row.link.0, pair.resource.0])?;
                record(tx, job, &by, &format!("link set {} {}", row.source, pair.resource))?;
            }
            Ok(refused)
        })
        .await
    }

    /// Takes the pairing away, and leaves the resource as it is. Returns which one it was.
    pub async fn unlink(
        &self,
        job: JobId,
        who: &str,
        by: ByHand,
    ) -> Result<Result<ResourceId, Refusal>, StoreError> {
        let who = who.to_owned();
        self.write(move |tx| {
            let row = match one(tx, job, &who)? {
                Ok(row) => row,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let proposed: Option<String> =
                tx.query_row("SELECT proposed FROM links WHERE id = ?1", [row.link.0], |row| row.get(0))?;
            let set = row.pinned.clone().or(proposed.map(ResourceId));
            let Some(resource) = row.resource.clone().or(set) else {
                let text = format!("{} ({}) has no link", row.name, row.source);
                return Ok(Err(refusal(text, "nothing has to be done")));
            };
            if let (false, [heir, ..]) = (row.is_joined(), row.shared_with.as_slice()) {
                let jobs = row.shared_with.join(", ");
                let text = format!("{resource} is shared with job {jobs}, and owned by this one");
                let cure = format!("hand it over first: rosterd link move JOB {} {heir}", row.source);
                return Ok(Err(refusal(text, &cure)));
            }
            forget_resource(tx, row.link)?;
            tx.prepare_cached(
                "UPDATE links SET pinned = NULL, proposed = NULL, lost_at = NULL, dirty = dirty | ?2 WHERE id = ?1",
            )?
            .execute(params![row.link.0, EDGE])?;
            record(tx, job, &by, &format!("link unlink {} {resource}", row.source))?;
            Ok(Ok(resource))
        })
        .await
    }

    /// Makes another job of the same target the owner; this one stays joined. What nobody owns any more, because its owner
    /// has let it go, is given to a job that joined it, to this one as well. Nothing is written to the target.
    pub async fn move_link(
        &self,
        from: (JobId, String),
        who: &str,
        to: (JobId, String),
        by: ByHand,
    ) -> Result<Result<ResourceId, Refusal>, StoreError> {
        let who = who.to_owned();
        self.write(move |tx| {
            let row = match movable(tx, &from, &who, &to)? {
                Ok(row) => row,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let Some(resource) = row.resource.clone() else {
                let text = format!("{} ({}) has no link in job {}", row.name, row.source, from.1);
                return Ok(Err(refusal(text, "only what is linked can be moved")));
            };
            let heir = match heir(tx, &row, &resource, &to)? {
                Ok(heir) => heir,
                Err(refusal) => return Ok(Err(refusal)),
            };
            tx.execute(
                "UPDATE links SET (applied, resource, sent, shown, applied_key, origin)
                     = (SELECT applied, resource, sent, shown, applied_key, origin FROM links WHERE id = ?2),
                   class = NULL, hold = NULL, adopt = NULL, match_cause = NULL, retires = NULL, dirty = dirty | ?3
                  WHERE id = ?1",
                params![heir.0, row.link.0, EDGE],
            )?;
            if row.is_joined() {
                // What the former owner left there is not known: everything is sent once.
                let sql = "UPDATE links SET origin = 'adopted', sent = '{}' WHERE id = ?1";
                tx.execute(sql, [heir.0])?;
            } else {
                let sql = "UPDATE links SET origin = 'joined', dirty = dirty | ?2 WHERE id = ?1";
                tx.execute(sql, params![row.link.0, EDGE])?;
            }
            record(tx, from.0, &by, &format!("link move {} {resource} to {}", row.source, to.1))?;
            record(tx, to.0, &by, &format!("link move {} {resource} from {}", row.source, from.1))?;
            Ok(Ok(resource))
        })
        .await
    }
}

fn links_of(db: &Connection, job: JobId, who: &str) -> Sql<Vec<LinkRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM links l WHERE l.job = ?1 AND l.kind <> 'app'
            AND (l.source_id = ?2 OR l.wanted_key = ?3 OR l.applied_key = ?3) ORDER BY l.source_id <> ?2, l.id"
    );
    let mut rows = db.prepare_cached(&sql)?;
    let found = rows.query_map(params![job.0, who, fold(who)], link_row)?;
    let found: Vec<LinkRow> = found.map(|row| with_jobs(db, row?)).collect::<Sql<_>>()?;
    let exact = found.iter().filter(|row| row.source.0 == who).count();
    Ok(if exact > 0 { found.into_iter().take(exact).collect() } else { found })
}

/// These links, in their order.
pub(super) fn rows_of(db: &Connection, links: &[LinkId]) -> Sql<Vec<LinkRow>> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM links l WHERE l.id = ?1"))?;
    let mut found = Vec::new();
    for link in links {
        found.push(with_jobs(db, query.query_row([link.0], link_row)?)?);
    }
    Ok(found)
}

/// Reads `COLUMNS`.
fn link_row(row: &Row<'_>) -> Sql<LinkRow> {
    Ok(LinkRow {
        link: LinkId(row.get(0)?),
        kind: word(row, 1)?,
        source: SourceId(row.get(2)?),
        name: row.get(3)?,
        standing: word(row, 4)?,
        desired: row.get(5)?,
        applied: row.get(6)?,
        resource: row.get::<_, Option<String>>(7)?.map(ResourceId),
        origin: row.get(8)?,
        pinned: row.get::<_, Option<String>>(9)?.map(ResourceId),
        pending: row.get(10)?,
        hold: parsed_or_none(row, 11)?,
        shared_with: Vec::new(),
        owner: None,
    })
}

fn with_jobs(db: &Connection, mut row: LinkRow) -> Sql<LinkRow> {
    if let Some(resource) = &row.resource {
        let mut jobs = db.prepare_cached(
            "SELECT j.name, o.origin FROM links o JOIN jobs j ON j.id = o.job JOIN links l ON l.id = ?2
              WHERE o.resource = ?1 AND o.job <> l.job
                AND j.target_identity IS (SELECT target_identity FROM jobs WHERE id = l.job) ORDER BY j.name",
        )?;
        let jobs = jobs.query_map(params![resource.0, row.link.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for found in jobs {
            let (job, origin): (String, Option<String>) = found?;
            if origin.as_deref() != Some(JOINED) {
                row.owner = Some(job.clone());
            }
            row.shared_with.push(job);
        }
    }
    Ok(row)
}

fn one(db: &Connection, job: JobId, who: &str) -> Sql<Result<LinkRow, Refusal>> {
    let mut found = links_of(db, job, who)?;
    Ok(match (found.pop(), found.as_slice()) {
        (Some(row), []) => Ok(row),
        (None, _) => Err(refusal(
            format!("the source shows nobody and no group `{who}`"),
            "give a source id, a userName or a team's name",
        )),
        (Some(last), others) => {
            let ids = others.iter().chain([&last]).map(|row| format!("{} {}", row.kind.word(), row.source));
            let ids = ids.collect::<Vec<_>>().join(", ");
            Err(refusal(format!("several are called `{who}`: {ids}"), "give a source id"))
        }
    })
}

/// The link that may be set to this resource.
fn settable(tx: &Transaction<'_>, job: JobId, pair: &Pairing) -> Sql<Result<LinkRow, Refusal>> {
    let row = match one(tx, job, &pair.who)? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Some(has) = &row.resource {
        let text = format!("{} ({}) is linked to {has} already", row.name, row.source);
        return Ok(Err(refusal(text, "undo that first: rosterd link unlink")));
    }
    let keeper: Option<String> = tx
        .prepare_cached(
            "SELECT source_id FROM links
              WHERE job = ?1 AND id <> ?2 AND (resource = ?3 OR pinned = ?3)
                AND (desired = 'active' OR pinned IS NOT NULL) LIMIT 1",
        )?
        .query_row(params![job.0, row.link.0, pair.resource.0], |row| row.get(0))
        .optional()?;
    Ok(match keeper {
        None => Ok(row),
        Some(source) => {
            let text = format!("{} is that of {source}, who is in scope or was set to it", pair.resource);
            Err(refusal(text, "undo that first: rosterd link unlink"))
        }
    })
}

/// The link that this job owns and may give away.
fn movable(
    tx: &Transaction<'_>,
    from: &(JobId, String),
    who: &str,
    to: &(JobId, String),
) -> Sql<Result<LinkRow, Refusal>> {
    let identity = |job: JobId| {
        tx.query_row("SELECT target_identity FROM jobs WHERE id = ?1", [job.0], |row| {
            row.get::<_, Option<String>>(0)
        })
    };
    let (ours, theirs) = (identity(from.0)?, identity(to.0)?);
    if ours.is_none() || ours != theirs {
        let text =
            format!("job {} does not write into the target of job {}, or has not had a cycle", to.1, from.1);
        return Ok(Err(refusal(text, "give another job with the same target")));
    }
    let row = match one(tx, from.0, who)? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if row.is_joined() && !row.is_ownerless() {
        let text = format!("job {} has only joined {} ({})", from.1, row.name, row.source);
        let owner = row.owner.as_deref().unwrap_or_default();
        return Ok(Err(refusal(text, &format!("move it from job {owner}, which owns it"))));
    }
    if from.0 == to.0 && !row.is_ownerless() {
        let text = format!("job {} owns {} ({}) already", from.1, row.name, row.source);
        return Ok(Err(refusal(text, "give another job with the same target")));
    }
    Ok(Ok(row))
}

/// The link of the other job that becomes the owner: the one that joined, else the one object of this id or name that is
/// wanted and has nothing yet.
fn heir(
    tx: &Transaction<'_>,
    row: &LinkRow,
    resource: &ResourceId,
    to: &(JobId, String),
) -> Sql<Result<LinkId, Refusal>> {
    let joined: Option<i64> = tx
        .prepare_cached("SELECT id FROM links WHERE job = ?1 AND resource = ?2")?
        .query_row(params![to.0.0, resource.0], |row| row.get(0))
        .optional()?;
    if let Some(link) = joined {
        return Ok(Ok(LinkId(link)));
    }
    let alike: Vec<i64> = tx
        .prepare_cached(
            "SELECT t.id FROM links f JOIN links t ON t.job = ?2 AND t.kind = f.kind AND t.resource IS NULL
                 AND t.desired = 'active' AND (t.source_id = f.source_id OR t.wanted_key = f.applied_key)
              WHERE f.id = ?1",
        )?
        .query_map(params![row.link.0, to.0.0], |row| row.get(0))?
        .collect::<Sql<_>>()?;
    Ok(match alike.as_slice() {
        [link] => Ok(LinkId(*link)),
        _ => {
            let text = format!("job {} wants nobody, or several, who could be {}", to.1, row.name);
            Err(refusal(text, "let it join first: run a cycle of that job, then move"))
        }
    })
}

pub(super) fn record(tx: &Transaction<'_>, job: JobId, by: &ByHand, what: &str) -> Sql<()> {
    let ByHand { who, reason, now_second } = by;
    decided(tx, job, &Decision { what, who, reason, now_second: *now_second })
}

fn refusal(what: String, cure: &str) -> Refusal {
    Refusal(format!("{what}; {cure}"))
}
