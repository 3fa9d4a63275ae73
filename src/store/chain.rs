//! The chain over the journal: each part of an entry is hashed together with the part before it, so that nobody changes,
//! leaves out or reorders what was recorded without breaking it.
//!
//! | part | seals, with the entry's salt | tells |
//! |---|---|---|
//! | intent | name, edits | who, what, why, whom, when, the witness's answer |
//! | outcome | detail | how it ended, and when |
//! | whole | name, edits, detail | both: a write that was made at once |
//! | erased | nothing | which erasure took the values |
//!
//! `sealed` is the hash of the salt and the values, and `link` the hash of the link before, of what the part tells and of
//! `sealed`. Once values and salt are gone nobody can find out what they were, and every link still verifies. How often
//! an equal refusal came (`count`) is not in it.

use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;
use rusqlite::types::ValueRef;

use super::EntryId;
use super::Sql;
use super::Store;
use super::StoreError;

/// Before the first link.
const NOTHING: [u8; 32] = [0; 32];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Intent,
    Outcome,
    Whole,
    Erased,
}

/// The columns of an entry: the salt, what is sealed (1 to 3), what is told (4 and more).
const COLUMNS: &str =
    "SELECT salt, name, edits, detail, id, job, cycle, link, workspace, owner, by, resource, kind, class,
    cause, people, approved, evidence, at, outcome, ended FROM journal WHERE id = ?1";

impl Part {
    const ALL: [Part; 4] = [Part::Intent, Part::Outcome, Part::Whole, Part::Erased];

    fn word(self) -> &'static str {
        match self {
            Part::Intent => "intent",
            Part::Outcome => "outcome",
            Part::Whole => "whole",
            Part::Erased => "erased",
        }
    }

    fn sealed(self) -> &'static [usize] {
        match self {
            Part::Intent => &[1, 2],
            Part::Outcome => &[3],
            Part::Whole => &[1, 2, 3],
            Part::Erased => &[],
        }
    }

    fn told(self) -> &'static [usize] {
        match self {
            Part::Intent => &[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18],
            Part::Outcome => &[4, 19, 20],
            Part::Whole => &[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
            Part::Erased => &[4],
        }
    }
}

/// Appends a part of an entry, as the journal has it now.
pub(super) fn append(db: &Connection, entry: EntryId, part: Part) -> Sql<()> {
    let (sealed, link) = db.prepare_cached(COLUMNS)?.query_row([entry.0], |row| {
        let sealed = sealed(row, part)?;
        let link = link(&last(db)?, row, part, None, &sealed)?;
        Ok((sealed, link))
    })?;
    insert(db, entry, part, None, &sealed, &link)
}

/// Appends that the values of an entry are gone, by which erasure.
pub(super) fn append_erased(db: &Connection, entry: EntryId, erasure: EntryId) -> Sql<()> {
    let part = Part::Erased;
    let link = db
        .prepare_cached(COLUMNS)?
        .query_row([entry.0], |row| link(&last(db)?, row, part, Some(erasure), &NOTHING))?;
    insert(db, entry, part, Some(erasure), &NOTHING, &link)
}

fn insert(
    db: &Connection,
    entry: EntryId,
    part: Part,
    erasure: Option<EntryId>,
    sealed: &[u8],
    link: &[u8],
) -> Sql<()> {
    db.prepare_cached(
        "INSERT INTO journal_chain (entry, part, erasure, sealed, link) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![entry.0, part.word(), erasure.map(|erasure| erasure.0), sealed, link])
    .map(drop)
}

fn last(db: &Connection) -> Sql<Vec<u8>> {
    let last = db
        .prepare_cached("SELECT link FROM journal_chain ORDER BY n DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or_else(|| NOTHING.to_vec()))
}

fn sealed(row: &Row<'_>, part: Part) -> Sql<[u8; 32]> {
    let mut hash = blake3::Hasher::new();
    absorb(&mut hash, row.get_ref(0)?);
    for column in part.sealed() {
        absorb(&mut hash, row.get_ref(*column)?);
    }
    Ok(hash.finalize().into())
}

fn link(before: &[u8], row: &Row<'_>, part: Part, erasure: Option<EntryId>, sealed: &[u8]) -> Sql<[u8; 32]> {
    let mut hash = blake3::Hasher::new();
    absorb(&mut hash, ValueRef::Blob(before));
    absorb(&mut hash, ValueRef::Text(part.word().as_bytes()));
    absorb(&mut hash, erasure.map_or(ValueRef::Null, |erasure| ValueRef::Integer(erasure.0)));
    for column in part.told() {
        absorb(&mut hash, row.get_ref(*column)?);
    }
    absorb(&mut hash, ValueRef::Blob(sealed));
    Ok(hash.finalize().into())
}

/// Type, length and bytes, so that no two rows read alike.
fn absorb(hash: &mut blake3::Hasher, value: ValueRef<'_>) {
    let mut say = |tag: u8, bytes: &[u8]| {
        hash.update(&[tag]);
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    match value {
        ValueRef::Null => say(0, &[]),
        ValueRef::Integer(number) => say(1, &number.to_le_bytes()),
        ValueRef::Real(number) => say(2, &number.to_le_bytes()),
        ValueRef::Text(text) => say(3, text),
        ValueRef::Blob(bytes) => say(4, bytes),
    }
}

/// How the chain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub links: u64,
    /// The hash of the last link, to be written down somewhere else: a chain whose end was cut off is whole.
    pub last: Option<String>,
    /// Entries that are older than the chain.
    pub older: u64,
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
    before: Vec<u8>,
    /// The entry whose first part came last; `None` before the first.
    entry: Option<i64>,
    erased: BTreeSet<i64>,
}

fn verify(db: &Connection) -> Sql<Chain> {
    let mut erased = db.prepare_cached("SELECT entry FROM journal_chain WHERE part = 'erased'")?;
    let erased = erased.query_map([], |row| row.get(0))?.collect::<Sql<_>>()?;
    let mut walk = Walk { links: 0, before: NOTHING.to_vec(), entry: None, erased };
    let mut older = 0;
    let mut links =
        db.prepare_cached("SELECT entry, part, erasure, sealed, link FROM journal_chain ORDER BY n")?;
    let mut rows = links.query([])?;
    let mut broken = None;
    while let Some(row) = rows.next()? {
        let entry = row.get(0)?;
        if walk.entry.is_none() {
            older = count_before(db, entry)?;
        }
        if let Some(what) = walk.step(db, row, entry)? {
            broken = Some(Break { link: walk.links, entry: EntryId(entry), what });
            break;
        }
    }
    let unchained = |walk: &Walk| -> Sql<Option<Break>> {
        let first: Option<i64> = db
            .prepare_cached("SELECT min(id) FROM journal WHERE id > ?1 AND salt IS NOT NULL")?
            .query_row([walk.entry.unwrap_or(0)], |row| row.get(0))?;
        Ok(first.map(|entry| Break {
            link: walk.links,
            entry: EntryId(entry),
            what: "is not in the chain: the chain's end was cut off, or the entry was put in",
        }))
    };
    if broken.is_none() {
        broken = unchained(&walk)?;
    }
    let last = (walk.links > 0).then(|| hex(&walk.before));
    Ok(Chain { links: walk.links, last, older, broken })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn count_before(db: &Connection, entry: i64) -> Sql<u64> {
    let count: i64 = db.query_row("SELECT count(*) FROM journal WHERE id < ?1", [entry], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

impl Walk {
    /// Takes the next link; what is wrong with it, if anything.
    fn step(&mut self, db: &Connection, row: &Row<'_>, entry: i64) -> Sql<Option<&'static str>> {
        self.links += 1;
        let word: String = row.get(1)?;
        let erasure: Option<i64> = row.get(2)?;
        let (kept_seal, kept_link): (Vec<u8>, Vec<u8>) = (row.get(3)?, row.get(4)?);
        let Some(part) = Part::ALL.into_iter().find(|part| part.word() == word) else {
            return Ok(Some("has a part that is not known"));
        };
        if matches!(part, Part::Intent | Part::Whole) {
            if self.entry.is_some_and(|before| entry != before + 1) {
                return Ok(Some("does not follow the entry before it: one was taken out or put in"));
            }
            self.entry = Some(entry);
        }
        let checked = db
            .prepare_cached(COLUMNS)?
            .query_row([entry], |journal| {
                let is_open = journal.get_ref(0)? != ValueRef::Null;
                let seal_holds = match part {
                    Part::Erased => true,
                    _ if is_open => sealed(journal, part)?.as_slice() == kept_seal,
                    _ => self.erased.contains(&entry),
                };
                let link = link(&self.before, journal, part, erasure.map(EntryId), &kept_seal)?;
                Ok((seal_holds, link.as_slice() == kept_link))
            })
            .optional()?;
        self.before = kept_link;
        Ok(match checked {
            None => Some("is gone from the journal"),
            Some((_, false)) => Some("was changed after it was recorded, or its link was"),
            Some((false, true)) => {
                Some("has other values than were recorded, or lost them without an erasure")
            }
            Some((true, true)) => None,
        })
    }
}
