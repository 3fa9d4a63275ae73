//! Retention: what is older than `log.keep` is removed, and a checkpoint in the chain seals what went.
//!
//! Entries go in the order in which they came, a chunk a transaction, up to the first one that is young enough. What is
//! still needed stays: entries without an outcome, those whose outcome came late, and creations that nobody found. They
//! are carried over: sealed again behind the checkpoint. The newest entry of all stays too, so that numbers go on.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::Transaction;
use rusqlite::params;
use rusqlite::types::Value;

use super::EntryId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::chain;
use super::chain::Part;
use super::values::json;

/// Entries that one transaction looks at.
const CHUNK: i64 = 2_000;

/// What is to go, and who says so.
#[derive(Clone, Debug)]
pub struct Retention {
    /// What is older goes.
    pub before_second: i64,
    /// `log.keep`, as it is told.
    pub keep: String,
    /// `None`: the daemon.
    pub by: Option<String>,
    pub reason: Option<String>,
    pub now_second: i64,
}

/// What would go now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prunable {
    pub entries: u64,
    /// The time of the newest of them.
    pub newest_second: Option<i64>,
    /// Entries that are as old and stay, because they are still needed.
    pub stay: u64,
    pub cycles: u64,
    pub settings: u64,
}

/// What went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub entries: u64,
    pub newest_second: Option<i64>,
    pub cycles: u64,
    pub decisions: u64,
    pub settings: u64,
    /// There is more: ask again.
    pub more: bool,
}

/// The place where the chain begins since retention removed what was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of the link that seals it.
    pub number: u64,
    /// The last link that was removed, and its hash.
    pub links: u64,
    pub link: Vec<u8>,
    /// Entries up to this one were removed, save those that were carried over.
    pub entry: EntryId,
    /// How many were removed then, and with all times before.
    pub count: u64,
    pub total: u64,
    pub newest_second: Option<i64>,
    pub before_second: i64,
    pub at_second: i64,
    pub keep: String,
    pub by: Option<String>,
    pub reason: Option<String>,
}

impl Store {
    /// The time that retention goes by: never later than what the cycles believed, where there are any, so that a clock
    /// that is wrong removes nothing (P17).
    pub async fn believed(&self, now_second: i64) -> Result<i64, StoreError> {
        self.read(move |db| {
            let believed: Option<i64> = db.query_row("SELECT max(clock) FROM jobs", [], |row| row.get(0))?;
            Ok(believed.map_or(now_second, |believed| believed.min(now_second)))
        })
        .await
    }

    /// What is older, and would go.
    pub async fn prunable(&self, before_second: i64) -> Result<Prunable, StoreError> {
        self.read(move |db| {
            let (end, _) = end(db, before_second, i64::MAX)?;
            let (kept, newest) = stay(db, end)?;
            let all: i64 =
                db.query_row("SELECT count(*) FROM journal WHERE id <= ?1", [end], |row| row.get(0))?;
            let count =
                |sql: &str| db.query_row(sql, params![before_second, end], |row| row.get::<_, i64>(0));
            Ok(Prunable {
                entries: (all.unsigned_abs()).saturating_sub(kept.len() as u64),
                newest_second: newest,
                stay: kept.len() as u64,
                cycles: count(&format!(
                    "SELECT count(*) FROM cycles c WHERE {OLD_CYCLES} AND NOT EXISTS
                    (SELECT 1 FROM journal g WHERE g.cycle = c.id AND g.id > ?2)"
                ))?
                .unsigned_abs(),
                settings: count("SELECT count(*) FROM settings_versions WHERE last < ?1 AND ?2 = ?2")?
                    .unsigned_abs(),
            })
        })
        .await
    }

    /// Removes a chunk of what is older. Whoever wants all of it asks again while there is `more`.
    pub async fn prune(&self, wish: &Retention) -> Result<Pruned, StoreError> {
        let wish = wish.clone();
        self.write(move |tx| {
            let mut pruned = prune_entries(tx, &wish)?;
            if !pruned.more {
                prune_rest(tx, &wish, &mut pruned)?;
            }
            Ok(pruned)
        })
        .await
    }
}

/// Up to which entry all are older, and whether there may be more: at most so many beyond the last checkpoint, and never
/// the newest of all. Where a run of writes would be cut in two, it ends before it.
fn end(db: &Connection, before_second: i64, chunk: i64) -> Sql<(i64, bool)> {
    let begun = newest(db)?.map_or(0, |checkpoint| checkpoint.entry.0);
    let mut rows = db.prepare_cached(
        "SELECT id, at FROM journal WHERE id > ?1 AND id < (SELECT max(id) FROM journal) ORDER BY id LIMIT ?2",
    )?;
    let mut rows = rows.query(params![begun, chunk])?;
    let (mut furthest, mut looked) = (begun, 0);
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? >= before_second {
            break;
        }
        (furthest, looked) = (row.get(0)?, looked + 1);
    }
    let mut end = furthest;
    while let Some(late) = first_late(db, begun, end)? {
        end = late - 1;
    }
    Ok((if end > begun { end } else { furthest }, looked == chunk))
}

/// The first entry in between whose outcome came after a later entry than `end` had begun.
fn first_late(db: &Connection, begun: i64, end: i64) -> Sql<Option<i64>> {
    db.prepare_cached(
        "SELECT min(entry) FROM journal_chain WHERE entry > ?1 AND entry <= ?2 AND n > ?3 AND part = 'outcome'",
    )?
    .query_row(params![begun, end, last_link(db, end)?], |row| row.get(0))
}

/// The last link of the chain before any that begins a later entry.
fn last_link(db: &Connection, end: i64) -> Sql<i64> {
    let next: Option<i64> = db
        .prepare_cached(
            "SELECT n FROM journal_chain WHERE entry > ?1 AND part IN ('intent', 'whole') ORDER BY n LIMIT 1",
        )?
        .query_row([end], |row| row.get(0))
        .optional()?;
    match next {
        Some(next) => Ok(next - 1),
        None => db.query_row("SELECT coalesce(max(n), 0) FROM journal_chain", [], |row| row.get(0)),
    }
}

/// Of the entries up to there, those that stay; and when the newest was that goes.
fn stay(db: &Connection, end: i64) -> Sql<(Vec<i64>, Option<i64>)> {
    let mut rows = db.prepare_cached(
        "SELECT id FROM journal g WHERE id <= ?1
            AND (outcome IS NULL
              OR (class = 'create' AND outcome = 'not_done'
                  AND EXISTS (SELECT 1 FROM links l WHERE l.id = g.link AND l.class = 'create'))
              OR EXISTS (SELECT 1 FROM journal_chain p WHERE p.entry = g.id AND p.n > ?2
                           AND p.part NOT IN ('erased', 'checkpoint')))
          ORDER BY id",
    )?;
    let kept: Vec<i64> =
        rows.query_map(params![end, last_link(db, end)?], |row| row.get(0))?.collect::<Sql<_>>()?;
    let newest = db.query_row(
        "SELECT max(at) FROM journal WHERE id <= ?1 AND id NOT IN (SELECT value FROM json_each(?2))",
        params![end, json(&kept)?],
        |row| row.get(0),
    )?;
    Ok((kept, newest))
}

fn prune_entries(tx: &Transaction<'_>, wish: &Retention) -> Sql<Pruned> {
    let begun = newest(tx)?;
    let (end, more) = end(tx, wish.before_second, CHUNK)?;
    let links = last_link(tx, end)?;
    let (kept, newest_second) = stay(tx, end)?;
    let gone = tx.execute(
        "DELETE FROM journal WHERE id <= ?1 AND id NOT IN (SELECT value FROM json_each(?2))",
        params![end, json(&kept)?],
    )? as u64;
    if gone == 0 && !more {
        return Ok(Pruned::default());
    }
    let total = gone + begun.map_or(0, |checkpoint| checkpoint.total);
    let (entry, count) = (EntryId(end), gone);
    let link: Option<Vec<u8>> =
        tx.query_row("SELECT link FROM journal_chain WHERE n = ?1", [links], |row| row.get(0)).optional()?;
    insert(
        tx,
        &Checkpoint {
            number: next_link(tx)?,
            links: links.unsigned_abs(),
            link: link.unwrap_or_else(|| chain::NOTHING.to_vec()),
            entry,
            count,
            total,
            newest_second,
            before_second: wish.before_second,
            at_second: wish.now_second,
            keep: wish.keep.clone(),
            by: wish.by.clone(),
            reason: wish.reason.clone(),
        },
    )?;
    carry_over(tx, &kept, links)?;
    tx.execute("DELETE FROM journal_chain WHERE n <= ?1", [links])?;
    tx.execute("DELETE FROM journal_checkpoints WHERE n <= ?1", [links])?;
    Ok(Pruned { entries: gone, newest_second, more, ..Pruned::default() })
}

fn next_link(db: &Connection) -> Sql<u64> {
    db.query_row("SELECT coalesce(max(n), 0) + 1 FROM journal_chain", [], |row| {
        row.get::<_, i64>(0).map(i64::unsigned_abs)
    })
}

/// Seals anew what stays and has lost its own links, once.
fn carry_over(tx: &Transaction<'_>, kept: &[i64], links: i64) -> Sql<()> {
    let mut carried = tx.prepare_cached(
        "SELECT 1 FROM journal_chain WHERE entry = ?1 AND n > ?2 AND part IN ('carried', 'intent', 'whole')",
    )?;
    let mut ended = tx.prepare_cached("SELECT 1 FROM journal WHERE id = ?1 AND outcome IS NOT NULL")?;
    for entry in kept {
        if carried.exists([entry, &links])? {
            continue;
        }
        chain::append(tx, EntryId(*entry), Part::Carried)?;
        if ended.exists([entry])? {
            chain::append(tx, EntryId(*entry), Part::Ending)?;
        }
    }
    Ok(())
}

/// A cycle that ended long ago and that nothing needs: not the last of its job, nor the last whole one.
const OLD_CYCLES: &str = "c.started < ?1 AND c.ended IS NOT NULL AND c.id NOT IN (
    SELECT max(id) FROM cycles GROUP BY job
    UNION SELECT max(id) FROM cycles WHERE json_extract(record, '$.provision') IS NULL GROUP BY job)";

/// What nothing refers to any more.
fn prune_rest(tx: &Transaction<'_>, wish: &Retention, pruned: &mut Pruned) -> Sql<()> {
    let before = wish.before_second;
    pruned.cycles = tx.execute(
        &format!(
            "DELETE FROM cycles WHERE id IN (SELECT c.id FROM cycles c WHERE {OLD_CYCLES}
                AND NOT EXISTS (SELECT 1 FROM journal g WHERE g.cycle = c.id) LIMIT ?2)"
        ),
        params![before, CHUNK],
    )? as u64;
    pruned.more = pruned.cycles == CHUNK as u64;
    pruned.decisions = tx.execute("DELETE FROM decisions WHERE at < ?1", [before])? as u64;
    let end = newest(tx)?.map_or(0, |checkpoint| checkpoint.entry.0);
    pruned.settings = tx.execute(
        "DELETE FROM settings_versions WHERE last < ?1
            AND digest NOT IN (SELECT settings FROM cycles WHERE settings IS NOT NULL)
            AND digest NOT IN (SELECT settings FROM journal WHERE settings IS NOT NULL AND id <= ?2)
            AND digest NOT IN (SELECT digest FROM temp.running_under)",
        params![before, end],
    )? as u64;
    Ok(())
}

const SELECT: &str = "SELECT n, links, link, entry, count, total, newest, before, at, keep, by, reason
    FROM journal_checkpoints";

fn checkpoint(row: &Row<'_>) -> Sql<Checkpoint> {
    let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    Ok(Checkpoint {
        number: count(0)?,
        links: count(1)?,
        link: row.get(2)?,
        entry: EntryId(row.get(3)?),
        count: count(4)?,
        total: count(5)?,
        newest_second: row.get(6)?,
        before_second: row.get(7)?,
        at_second: row.get(8)?,
        keep: row.get(9)?,
        by: row.get(10)?,
        reason: row.get(11)?,
    })
}

pub(super) fn newest(db: &Connection) -> Sql<Option<Checkpoint>> {
    let sql = format!("{SELECT} ORDER BY n DESC LIMIT 1");
    db.prepare_cached(&sql)?.query_row([], checkpoint).optional()
}

/// The newest checkpoint that removed the links up to this one.
pub(super) fn checkpoint_after(db: &Connection, links: i64) -> Sql<Option<Checkpoint>> {
    let sql = format!("{SELECT} WHERE links = ?1 ORDER BY n DESC LIMIT 1");
    db.prepare_cached(&sql)?.query_row([links], checkpoint).optional()
}

/// The row of a checkpoint, as its link seals it.
pub(super) fn facts(db: &Connection, number: i64) -> Sql<Option<Vec<Value>>> {
    let sql = format!("{SELECT} WHERE n = ?1");
    db.prepare_cached(&sql)?
        .query_row([number], |row| (0..12).map(|column| row.get(column)).collect::<Sql<Vec<Value>>>())
        .optional()
}

fn insert(tx: &Transaction<'_>, made: &Checkpoint) -> Sql<()> {
    tx.execute(
        "INSERT INTO journal_checkpoints VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            made.number.cast_signed(),
            made.links.cast_signed(),
            made.link,
            made.entry.0,
            made.count.cast_signed(),
            made.total.cast_signed(),
            made.newest_second,
            made.before_second,
            made.at_second,
            made.keep,
            made.by,
            made.reason
        ],
    )?;
    let facts = facts(tx, made.number.cast_signed())?.unwrap_or_default();
    chain::append_checkpoint(tx, made.entry, &facts)
}
