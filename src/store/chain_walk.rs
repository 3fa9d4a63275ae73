//! The walk over the chain: whether anybody changed, left out, put in or reordered what was recorded. It begins at the first
//! link, or where the last checkpoint of retention says that the links before were removed.

use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::types::Value;
use rusqlite::types::ValueRef;

use super::EntryId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::chain::COLUMNS;
use super::chain::NOTHING;
use super::chain::Part;
use super::chain::link;
use super::chain::sealed;
use super::chain::told;
use super::retention;
use super::retention::Checkpoint;

/// How the chain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Links that are there.
    pub links: u64,
    /// The number of the last one: with those that retention removed.
    pub number: u64,
    /// The hash of the last link, to be written down somewhere else: a chain whose end was cut off is whole.
    pub last: Option<String>,
    /// Entries that are older than the chain.
    pub older: u64,
    /// Where the chain begins, if retention removed what was before.
    pub checkpoint: Option<Checkpoint>,
    pub broken: Option<Break>,
}

/// The end of the chain: to be written down somewhere else, since a chain whose end was cut off is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The number of the last link.
    pub number: u64,
    /// Its hash, in hex.
    pub link: String,
}

impl std::fmt::Display for ChainHead {
    /// `13:4e177edd…`: as log lines and notifications carry it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.number, self.link)
    }
}

/// The first place where the chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    pub link: u64,
    pub entry: EntryId,
    pub what: &'static str,
}

impl Store {
    /// The end of the chain; `None` while nothing was written.
    pub async fn chain_head(&self) -> Result<Option<ChainHead>, StoreError> {
        self.read(|db| {
            db.prepare_cached("SELECT n, link FROM journal_chain ORDER BY n DESC LIMIT 1")?
                .query_row([], |row| {
                    let (number, link): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
                    Ok(ChainHead { number: number.unsigned_abs(), link: hex(&link) })
                })
                .optional()
        })
        .await
    }

    /// Walks the whole chain.
    pub async fn verify_chain(&self) -> Result<Chain, StoreError> {
        self.read(verify).await
    }
}

/// What the walk knows when it comes to a link.
struct Walk {
    links: u64,
    /// The number of the link before.
    number: i64,
    before: Vec<u8>,
    /// The entry whose first part came last; `None` before the first.
    entry: Option<i64>,
    erased: BTreeSet<i64>,
    /// Where it began.
    checkpoint: Option<Checkpoint>,
    /// The checkpoint was met, and holds.
    is_sealed: bool,
    /// Entries that links vouch for which were made when older ones went.
    carried: BTreeSet<i64>,
}

fn verify(db: &Connection) -> Sql<Chain> {
    let first: Option<(i64, i64)> = db
        .prepare_cached("SELECT n, entry FROM journal_chain ORDER BY n LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let mut walk = Walk::begin(db, first.map_or(1, |(n, _)| n))?;
    let mut broken = match first {
        Some((n, entry)) if n > 1 && walk.checkpoint.is_none() => Some(walk.at(
            entry,
            "is not where the chain begins: what was before was cut off, and no checkpoint tells of it",
        )),
        _ => None,
    };
    let mut older = 0;
    let mut links = db
        .prepare_cached("SELECT entry, part, erasure, sealed, link, form, n FROM journal_chain ORDER BY n")?;
    let mut rows = links.query([])?;
    while broken.is_none()
        && let Some(row) = rows.next()?
    {
        let entry = row.get(0)?;
        if walk.entry.is_none() {
            older = count_between(db, walk.removed_to(), entry)?;
        }
        broken = walk.step(db, row, entry)?.map(|what| walk.at(entry, what));
    }
    if broken.is_none() {
        broken = walk.end(db)?;
    }
    let last = (walk.links > 0).then(|| hex(&walk.before));
    let number = walk.number.unsigned_abs();
    Ok(Chain { links: walk.links, number, last, older, checkpoint: walk.checkpoint, broken })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn count_between(db: &Connection, after: i64, before: i64) -> Sql<u64> {
    let sql = "SELECT count(*) FROM journal WHERE id > ?1 AND id < ?2";
    let count: i64 = db.query_row(sql, [after, before], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

impl Walk {
    /// Before the first link that is there.
    fn begin(db: &Connection, first: i64) -> Sql<Walk> {
        let mut erased = db.prepare_cached("SELECT entry FROM journal_chain WHERE part = 'erased'")?;
        let checkpoint = retention::checkpoint_after(db, first - 1)?;
        Ok(Walk {
            links: 0,
            number: first - 1,
            before: checkpoint
                .as_ref()
                .map_or_else(|| NOTHING.to_vec(), |checkpoint| checkpoint.link.clone()),
            // Before the first link there may be entries that are older than the chain.
            entry: checkpoint.as_ref().filter(|_| first > 1).map(|checkpoint| checkpoint.entry.0),
            erased: erased.query_map([], |row| row.get(0))?.collect::<Sql<_>>()?,
            checkpoint,
            is_sealed: false,
            carried: BTreeSet::new(),
        })
    }

    fn at(&self, entry: i64, what: &'static str) -> Break {
        Break { link: self.number.unsigned_abs(), entry: EntryId(entry), what }
    }

    /// Entries up to this one were removed, or are carried over.
    fn removed_to(&self) -> i64 {
        self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.entry.0)
    }

    /// Takes the next link; what is wrong with it, if anything.
    fn step(&mut self, db: &Connection, row: &Row<'_>, entry: i64) -> Sql<Option<&'static str>> {
        self.links += 1;
        self.number = row.get(6)?;
        let word: String = row.get(1)?;
        let form: i64 = row.get(5)?;
        let (kept_seal, kept_link): (Vec<u8>, Vec<u8>) = (row.get(3)?, row.get(4)?);
        let Some(part) = Part::ALL.into_iter().find(|part| part.word() == word) else {
            return Ok(Some("has a part that is not known"));
        };
        if part.begins() {
            if self.entry.is_some_and(|before| entry != before + 1) {
                return Ok(Some("does not follow the entry before it: one was taken out or put in"));
            }
            self.entry = Some(entry);
        }
        let kept = Kept { part, form, erasure: row.get(2)?, seal: &kept_seal };
        let checked = match part {
            Part::Checkpoint => self.checkpoint_holds(db, &kept)?,
            // What it tells is in the link itself: the entry may be removed since.
            Part::Erased => Some((true, self.link(&kept, &[Value::Integer(entry)]))),
            _ => self.entry_holds(db, &kept, entry)?,
        };
        self.before = kept_link;
        Ok(match checked {
            None if part == Part::Checkpoint => {
                Some("is where retention stopped, and what it removed is not told any more")
            }
            None => Some("is gone from the journal"),
            Some((_, link)) if link.as_slice() != self.before => {
                Some("was changed after it was recorded, or its link was")
            }
            Some((false, _)) => Some("has other values than were recorded, or lost them without an erasure"),
            Some((true, _)) => None,
        })
    }

    fn link(&self, kept: &Kept<'_>, told: &[Value]) -> [u8; 32] {
        link(&self.before, kept.part, kept.form, kept.erasure, told, kept.seal)
    }

    /// Whether the values are those that were sealed, and the link that follows; `None` where the entry is gone.
    fn entry_holds(&mut self, db: &Connection, kept: &Kept<'_>, entry: i64) -> Sql<Option<(bool, [u8; 32])>> {
        let part = kept.part;
        let checked = db
            .prepare_cached(COLUMNS)?
            .query_row([entry], |journal| {
                let has_salt = journal.get_ref(0)? != ValueRef::Null;
                let is_as_sealed = sealed(journal, part, kept.form)?.as_slice() == kept.seal;
                let holds = match part {
                    Part::Carried | Part::Ending if !has_salt => is_as_sealed || self.erased.contains(&entry),
                    _ if has_salt => is_as_sealed,
                    _ => self.erased.contains(&entry),
                };
                Ok((holds, self.link(kept, &told(journal, part, kept.form)?)))
            })
            .optional()?;
        if part == Part::Carried {
            self.carried.insert(entry);
        }
        Ok(checked)
    }

    fn checkpoint_holds(&mut self, db: &Connection, kept: &Kept<'_>) -> Sql<Option<(bool, [u8; 32])>> {
        let Some(facts) = retention::facts(db, self.number)? else { return Ok(None) };
        self.is_sealed |= self.checkpoint.as_ref().is_some_and(|one| one.number.cast_signed() == self.number);
        Ok(Some((true, self.link(kept, &facts))))
    }

    /// What no link tells of.
    fn end(&self, db: &Connection) -> Sql<Option<Break>> {
        if let Some(checkpoint) = &self.checkpoint
            && let Some(broken) = self.removed(db, checkpoint)?
        {
            return Ok(Some(broken));
        }
        let first: Option<i64> = db
            .prepare_cached("SELECT min(id) FROM journal WHERE id > ?1 AND salt IS NOT NULL")?
            .query_row([self.entry.unwrap_or(0)], |row| row.get(0))?;
        Ok(first.map(|entry| {
            self.at(entry, "is not in the chain: the chain's end was cut off, or the entry was put in")
        }))
    }

    /// Whether what is missing is what retention removed.
    fn removed(&self, db: &Connection, checkpoint: &Checkpoint) -> Sql<Option<Break>> {
        if !self.is_sealed {
            return Ok(Some(self.at(checkpoint.entry.0, "is where a checkpoint ends that no link seals")));
        }
        let mut rows = db.prepare_cached("SELECT id FROM journal WHERE id <= ?1 ORDER BY id")?;
        let left: BTreeSet<i64> =
            rows.query_map([self.removed_to()], |row| row.get(0))?.collect::<Sql<_>>()?;
        if let Some(odd) = left.symmetric_difference(&self.carried).next() {
            return Ok(Some(
                self.at(*odd, "is from before the checkpoint, and was put in or taken out since"),
            ));
        }
        let missing = self.removed_to().unsigned_abs() - left.len() as u64;
        let is_older = checkpoint.newest_second.is_none_or(|newest| newest < checkpoint.before_second);
        let fits =
            missing == checkpoint.total && is_older && checkpoint.before_second <= checkpoint.at_second;
        Ok((!fits).then(|| {
            self.at(checkpoint.entry.0, "is where a checkpoint ends that does not fit what is missing")
        }))
    }
}

/// What the chain says of a link.
struct Kept<'a> {
    part: Part,
    form: i64,
    erasure: Option<i64>,
    seal: &'a [u8],
}
