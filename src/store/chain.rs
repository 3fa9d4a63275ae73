//! The chain over the journal: each part of an entry is hashed together with the part before it, so that nobody changes,
//! leaves out or reorders what was recorded without breaking it.
//!
//! | part | seals, with the entry's salt | tells |
//! |---|---|---|
//! | intent | name, edits | who, what, why, whom, when, the witness's answer |
//! | outcome | detail | how it ended, and when |
//! | whole | name, edits, detail | both: a write that was made at once |
//! | erased | nothing | which erasure took the values |
//! | checkpoint | nothing | what retention removed (`retention`): the last link that went, with its hash |
//! | carried | as intent | an entry that stays though older ones went, as it was then |
//! | ending | as outcome | the outcome of such an entry |
//!
//! `sealed` is the hash of the salt and the values, and `link` the hash of the link before, of what the part tells and of
//! `sealed`. Once values and salt are gone nobody can find out what they were, and every link still verifies. How often
//! an equal refusal came (`count`) is not in it. `form` says which columns a link seals; links of form 1 are older than
//! settings versions and evidence as fields.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;
use rusqlite::types::Value;
use rusqlite::types::ValueRef;

use super::EntryId;
use super::Sql;

/// Before the first link.
pub(super) const NOTHING: [u8; 32] = [0; 32];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Intent,
    Outcome,
    Whole,
    Erased,
    Checkpoint,
    Carried,
    Ending,
}

/// What new links seal.
const FORM: i64 = 2;

/// The columns of an entry: the salt, what is sealed (1 to 3), what is told (4 and more).
pub(super) const COLUMNS: &str =
    "SELECT salt, name, edits, detail, id, job, cycle, link, workspace, owner, by, resource, kind, class,
    cause, people, approved, evidence, at, outcome, ended, settings, proofs FROM journal WHERE id = ?1";
const ID: usize = 4;

impl Part {
    pub(super) const ALL: [Part; 7] = [
        Part::Intent,
        Part::Outcome,
        Part::Whole,
        Part::Erased,
        Part::Checkpoint,
        Part::Carried,
        Part::Ending,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Part::Intent => "intent",
            Part::Outcome => "outcome",
            Part::Whole => "whole",
            Part::Erased => "erased",
            Part::Checkpoint => "checkpoint",
            Part::Carried => "carried",
            Part::Ending => "ending",
        }
    }

    fn sealed(self, form: i64) -> &'static [usize] {
        match (self, form) {
            (Part::Intent, 1) => &[1, 2],
            (Part::Intent | Part::Carried, _) => &[1, 2, 22],
            (Part::Outcome | Part::Ending, _) => &[3],
            (Part::Whole, 1) => &[1, 2, 3],
            (Part::Whole, _) => &[1, 2, 3, 22],
            (Part::Erased | Part::Checkpoint, _) => &[],
        }
    }

    fn told(self, form: i64) -> &'static [usize] {
        match (self, form) {
            (Part::Intent, 1) => &[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18],
            (Part::Intent | Part::Carried, _) => &[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21],
            (Part::Outcome | Part::Ending, _) => &[4, 19, 20],
            (Part::Whole, 1) => &[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
            (Part::Whole, _) => &[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21],
            (Part::Erased, _) => &[ID],
            (Part::Checkpoint, _) => &[],
        }
    }

    /// Whether it is the first that is heard of its entry, in the order of entries.
    pub(super) fn begins(self) -> bool {
        matches!(self, Part::Intent | Part::Whole)
    }
}

/// Appends a part of an entry, as the journal has it now.
pub(super) fn append(db: &Connection, entry: EntryId, part: Part) -> Sql<()> {
    let before = last(db)?;
    let (sealed, link) = db.prepare_cached(COLUMNS)?.query_row([entry.0], |row| {
        let sealed = sealed(row, part, FORM)?;
        let link = link(&before, part, FORM, None, &told(row, part, FORM)?, &sealed);
        Ok((sealed, link))
    })?;
    insert(db, entry, part, None, &sealed, &link)
}

/// Appends that the values of an entry are gone, by which erasure.
pub(super) fn append_erased(db: &Connection, entry: EntryId, erasure: EntryId) -> Sql<()> {
    let part = Part::Erased;
    let told = [Value::Integer(entry.0)];
    let link = link(&last(db)?, part, FORM, Some(erasure.0), &told, &NOTHING);
    insert(db, entry, part, Some(erasure), &NOTHING, &link)
}

/// Appends that retention removed entries up to this one; `facts` is the row of the checkpoint.
pub(super) fn append_checkpoint(db: &Connection, entry: EntryId, facts: &[Value]) -> Sql<()> {
    let link = link(&last(db)?, Part::Checkpoint, FORM, None, facts, &NOTHING);
    insert(db, entry, Part::Checkpoint, None, &NOTHING, &link)
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
        "INSERT INTO journal_chain (entry, part, erasure, sealed, link, form) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![entry.0, part.word(), erasure.map(|erasure| erasure.0), sealed, link, FORM])
    .map(drop)
}

/// The hash of the last link.
fn last(db: &Connection) -> Sql<Vec<u8>> {
    let last = db
        .prepare_cached("SELECT link FROM journal_chain ORDER BY n DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or_else(|| NOTHING.to_vec()))
}

pub(super) fn sealed(row: &Row<'_>, part: Part, form: i64) -> Sql<[u8; 32]> {
    let mut hash = blake3::Hasher::new();
    absorb(&mut hash, row.get_ref(0)?);
    for column in part.sealed(form) {
        absorb(&mut hash, row.get_ref(*column)?);
    }
    Ok(hash.finalize().into())
}

pub(super) fn told(row: &Row<'_>, part: Part, form: i64) -> Sql<Vec<Value>> {
    part.told(form).iter().map(|column| row.get(*column)).collect()
}

pub(super) fn link(
    before: &[u8],
    part: Part,
    form: i64,
    erasure: Option<i64>,
    told: &[Value],
    sealed: &[u8],
) -> [u8; 32] {
    let mut hash = blake3::Hasher::new();
    absorb(&mut hash, ValueRef::Blob(before));
    absorb(&mut hash, ValueRef::Text(part.word().as_bytes()));
    if form > 1 {
        absorb(&mut hash, ValueRef::Integer(form));
    }
    absorb(&mut hash, erasure.map_or(ValueRef::Null, ValueRef::Integer));
    for value in told {
        absorb(&mut hash, ValueRef::from(value));
    }
    absorb(&mut hash, ValueRef::Blob(sealed));
    hash.finalize().into()
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
