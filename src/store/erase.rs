//! Erasure: the values of a person who is gone, taken out of everything that is kept. Who it was (ids), when, what was
//! done and why stay, and the journal's chain still verifies.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Transaction;
use rusqlite::params;

use super::EntryId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::chain;
use super::chain::Part;
use super::database::transact;
use super::log::Whose;
use super::log::grants_of;
use super::settings;
use super::values::json;
use super::values::parsed;
use crate::plan::Cause;

/// What is asked for, and by whom.
#[derive(Clone, Debug)]
pub struct Erasure {
    pub workspace: String,
    /// An id of the workspace or of a source, a userName or a mail address.
    pub who: String,
    pub by: String,
    pub reason: String,
    pub now: Timestamp,
}

/// The receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The ids by which the person stays known: of the workspace, and of the sources.
    pub resource: Option<String>,
    pub sources: Vec<String>,
    /// What was removed from where, and how many of it.
    pub removed: Vec<(&'static str, u64)>,
    /// Entries of the provisioning log that now say who, when, what and why, and no values.
    pub entries: Vec<EntryId>,
    /// The entry that records the erasure.
    pub recorded: EntryId,
    /// Whether the write-ahead log was emptied as well. A long reader can hinder it; then the values are gone from it
    /// when the next erasure, or a restart, empties it.
    pub log_emptied: bool,
}

/// Why nobody was erased.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotErased {
    #[error("nobody is known as that; `rosterd workspace users` and `rosterd log` show ids")]
    Nobody,
    #[error("several people are known as that ({}); name one by id", .0.join(", "))]
    Several(Vec<String>),
    #[error(
        "the source of job {job} still has {source_id} in scope, and would bring everything back; take the person out of the \
         scope there, let the job run, and erase then"
    )]
    InScope { job: String, source_id: String },
    #[error("the account is active; deactivate it first, as an account that is in use would be made again")]
    Active,
    #[error(
        "follow-ups are open that need these values ({}); acknowledge or cancel them first: rosterd workspace follow-ups",
        .0.join(", ")
    )]
    FollowUps(Vec<String>),
    #[error("entry {0} of the log has no outcome yet; let the job run once, and erase then")]
    Open(i64),
}

impl Store {
    /// Erases a person's values from a workspace and from the jobs that write to it. Nothing is done where the source
    /// still shows the person in scope, where the account is active, or where somebody still needs the values.
    pub async fn erase_person(&self, wish: Erasure) -> Result<Result<Erased, NotErased>, StoreError> {
        self.with_writer(move |store, writer| {
            let erased = store.named(transact(writer, |tx| match person(tx, &wish)? {
                Ok(person) => erase(tx, &wish, &person).map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            }))?;
            let Ok(mut erased) = erased else { return Ok(erased) };
            erased.log_emptied = store.named(empty_log(writer))?;
            Ok(Ok(erased))
        })
        .await
    }
}

/// Copies the write-ahead log into the file and cuts it to nothing: old pages in it still have the values.
fn empty_log(writer: &Connection) -> Sql<bool> {
    writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// One person, as the state knows them.
struct Person {
    workspace: i64,
    /// The id in the workspace, and the row while there is one.
    id: Option<String>,
    row: Option<i64>,
    /// Links of the jobs that write to the workspace.
    links: Vec<i64>,
    sources: Vec<String>,
    /// The person's id and those of all grants that they have or had.
    resources: BTreeSet<String>,
    /// Folded userNames: refused creations are known by nothing else.
    names: Vec<String>,
}

fn person(db: &Connection, wish: &Erasure) -> Sql<Result<Person, NotErased>> {
    let workspace: Option<i64> = db
        .prepare_cached("SELECT id FROM workspaces WHERE name = ?1")?
        .query_row([&wish.workspace], |row| row.get(0))
        .optional()?;
    let Some(workspace) = workspace else { return Ok(Err(NotErased::Nobody)) };
    let whose = Whose::of(db, &wish.who)?;
    let ids = ids(db, workspace, wish, &whose)?;
    let id = match ids.as_slice() {
        [] => None,
        [id] => Some(id.clone()),
        several => return Ok(Err(NotErased::Several(several.to_vec()))),
    };
    let links = links(db, wish, &whose, id.as_deref())?;
    if id.is_none() && links.is_empty() {
        return Ok(Err(NotErased::Nobody));
    }
    let row = match &id {
        Some(id) => row_of(db, workspace, id)?,
        None => None,
    };
    let links_json = json(&links)?;
    let mut sources = db.prepare_cached(
        "SELECT source_id FROM links WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id",
    )?;
    let sources = sources.query_map([&links_json], |row| row.get(0))?.collect::<Sql<_>>()?;
    let users = json(&id.iter().collect::<Vec<_>>())?;
    let resources = id.iter().cloned().chain(grants_of(db, &users)?).collect();
    let names = names(db, row, &links_json)?;
    let person = Person { workspace, id, row, links, sources, resources, names };
    Ok(match hindrance(db, &person, &links_json)? {
        Some(refusal) => Err(refusal),
        None => Ok(person),
    })
}

/// The ids of the users of the workspace, present and past, that are meant.
fn ids(db: &Connection, workspace: i64, wish: &Erasure, whose: &Whose) -> Sql<Vec<String>> {
    let mut statement = db.prepare_cached(
        "SELECT value FROM json_each(?2) a
          WHERE EXISTS (SELECT 1 FROM resources WHERE workspace = ?1 AND id = a.value AND kind = 'user')
             OR EXISTS (SELECT 1 FROM journal WHERE workspace = ?1 AND resource = a.value AND kind = 'user')
         UNION SELECT l.resource FROM links l JOIN jobs j ON j.id = l.job
          WHERE l.id IN (SELECT value FROM json_each(?3)) AND l.kind = 'user' AND l.resource IS NOT NULL
            AND j.target_identity = 'workspace ' || ?4",
    )?;
    let ids = statement
        .query_map(params![workspace, whose.resources, whose.links, wish.workspace], |row| row.get(0))?;
    ids.collect()
}

/// The links to that resource, and those that have none but are meant as well.
fn links(db: &Connection, wish: &Erasure, whose: &Whose, id: Option<&str>) -> Sql<Vec<i64>> {
    let mut statement = db.prepare_cached(
        "SELECT l.id FROM links l JOIN jobs j ON j.id = l.job
          WHERE j.target_identity = 'workspace ' || ?1 AND l.kind = 'user'
            AND (l.resource = ?2 OR (l.resource IS NULL AND l.id IN (SELECT value FROM json_each(?3))))
          ORDER BY l.id",
    )?;
    let links = statement.query_map(params![wish.workspace, id, whose.links], |row| row.get(0))?;
    links.collect()
}

fn row_of(db: &Connection, workspace: i64, id: &str) -> Sql<Option<i64>> {
    db.prepare_cached("SELECT n FROM resources WHERE workspace = ?1 AND id = ?2")?
        .query_row(params![workspace, id], |row| row.get(0))
        .optional()
}

fn names(db: &Connection, row: Option<i64>, links: &str) -> Sql<Vec<String>> {
    let mut statement = db.prepare_cached(
        "SELECT user_key FROM resources WHERE n = ?1 AND user_key IS NOT NULL
         UNION SELECT wanted_key FROM links WHERE id IN (SELECT value FROM json_each(?2)) AND wanted_key IS NOT NULL
         UNION SELECT applied_key FROM links WHERE id IN (SELECT value FROM json_each(?2)) AND applied_key IS NOT NULL",
    )?;
    let names = statement.query_map(params![row, links], |row| row.get(0))?;
    names.collect()
}

/// Why the person cannot be erased now.
fn hindrance(db: &Connection, person: &Person, links: &str) -> Sql<Option<NotErased>> {
    let in_scope: Option<(String, String)> = db
        .prepare_cached(
            "SELECT j.name, l.source_id FROM links l JOIN jobs j ON j.id = l.job
              WHERE l.id IN (SELECT value FROM json_each(?1)) AND l.desired = 'active' LIMIT 1",
        )?
        .query_row([links], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((job, source_id)) = in_scope {
        return Ok(Some(NotErased::InScope { job, source_id }));
    }
    let is_active =
        db.prepare_cached("SELECT 1 FROM resources WHERE n = ?1 AND active = 1")?.exists([person.row])?;
    if is_active {
        return Ok(Some(NotErased::Active));
    }
    let mut open = db.prepare_cached(
        "SELECT id FROM follow_ups WHERE workspace = ?1 AND user = ?2 AND state IN ('waiting', 'sent') ORDER BY n",
    )?;
    let open: Vec<String> =
        open.query_map(params![person.workspace, person.id], |row| row.get(0))?.collect::<Sql<_>>()?;
    if !open.is_empty() {
        return Ok(Some(NotErased::FollowUps(open)));
    }
    let open: Option<i64> = db
        .prepare_cached(
            "SELECT id FROM journal WHERE link IN (SELECT value FROM json_each(?1)) AND outcome IS NULL LIMIT 1",
        )?
        .query_row([links], |row| row.get(0))
        .optional()?;
    Ok(open.map(NotErased::Open))
}

fn erase(tx: &Transaction<'_>, wish: &Erasure, person: &Person) -> Sql<Erased> {
    let links = json(&person.links)?;
    let entries = entries(tx, person, &links)?;
    let recorded = record(tx, wish, person)?;
    for entry in &entries {
        tx.prepare_cached(
            "UPDATE journal SET name = NULL, edits = '[]', detail = NULL, proofs = NULL, salt = NULL WHERE id = ?1",
        )?
        .execute([entry.0])?;
        chain::append_erased(tx, *entry, recorded)?;
    }
    let removed = vec![
        ("the account in the workspace", count(tx, "DELETE FROM resources WHERE n = ?1", person.row)?),
        ("what the sources showed and we wrote", count(tx, FORGET_LINKS, &links)?),
        ("what was undone", count(tx, FORGET_OVERRIDES, &links)?),
        ("memberships that failed", count(tx, FORGET_EDGES, &links)?),
        ("what the target showed", count(tx, FORGET_DRIFT, &links)?),
        ("references to others", count(tx, FORGET_REFERENCES, &links)?),
        ("names in causes", forget_names(tx, person)?),
        ("decisions that name them", count(tx, FORGET_DECISIONS, json(&person.names)?)?),
        ("grants that were taken", count(tx, FORGET_GRANTS, &person.id)?),
        ("follow-ups", count(tx, FORGET_FOLLOW_UPS, &person.id)?),
        ("entries of the log", entries.len() as u64),
    ];
    let removed = removed.into_iter().filter(|(_, count)| *count > 0).collect();
    let (resource, sources) = (person.id.clone(), person.sources.clone());
    Ok(Erased { resource, sources, removed, entries, recorded, log_emptied: false })
}

/// The link stays, so that the source's id is not taken for somebody new; nothing is pending of it.
const FORGET_LINKS: &str =
    "UPDATE links SET seen = NULL, seen_hash = NULL, wanted = NULL, wanted_key = NULL, applied = 'absent', resource = NULL,
            sent = NULL, shown = NULL, applied_key = NULL, origin = NULL, class = NULL, cause = NULL, proof = NULL,
            questions = NULL, adopt = NULL, hold = NULL, attempts = 0, failure = NULL, due_at = NULL, match_cause = NULL,
            pinned = NULL, retires = NULL, lost_at = NULL, on_create = NULL, delete_at = NULL, drifted = NULL, shut_at = NULL
      WHERE id IN (SELECT value FROM json_each(?1))";
const FORGET_DECISIONS: &str = "UPDATE decisions SET what = 'erased', reason = '' WHERE EXISTS
      (SELECT 1 FROM json_each(?1) named
        WHERE instr(rosterd_fold(what), named.value) OR instr(rosterd_fold(reason), named.value))";
const FORGET_EDGES: &str = "UPDATE team_edges SET hold = NULL, failure = NULL
      WHERE person IN (SELECT value FROM json_each(?1)) AND (hold IS NOT NULL OR failure IS NOT NULL)";
const FORGET_OVERRIDES: &str =
    "DELETE FROM overrides WHERE person = 0 AND vals <> '{}' AND link IN (SELECT value FROM json_each(?1))";
const FORGET_DRIFT: &str = "DELETE FROM drift WHERE link IN (SELECT value FROM json_each(?1))
      OR person IN (SELECT value FROM json_each(?1))";
const FORGET_REFERENCES: &str =
    "DELETE FROM person_references WHERE person IN (SELECT value FROM json_each(?1))";
const FORGET_GRANTS: &str = "UPDATE lost_grants SET body = '{}' WHERE body <> '{}'
      AND loss IN (SELECT id FROM losses WHERE user = ?1)";
const FORGET_FOLLOW_UPS: &str =
    "UPDATE follow_ups SET body = '{}', failure = NULL WHERE user = ?1 AND body <> '{}'";

fn count(tx: &Transaction<'_>, sql: &str, with: impl rusqlite::ToSql) -> Sql<u64> {
    let changed = tx.prepare_cached(sql)?.execute([with])?;
    Ok(changed as u64)
}

/// The entries about the person and their grants that still have values.
fn entries(tx: &Transaction<'_>, person: &Person, links: &str) -> Sql<Vec<EntryId>> {
    let mut statement = tx.prepare_cached(
        "SELECT id FROM journal
          WHERE (salt IS NOT NULL OR name IS NOT NULL OR edits <> '[]' OR detail IS NOT NULL OR proofs IS NOT NULL)
            AND (link IN (SELECT value FROM json_each(?1))
              OR (workspace = ?2 AND resource IN (SELECT value FROM json_each(?3)))
              OR (class = 'decide' AND EXISTS
                   (SELECT 1 FROM json_each(?4) named WHERE instr(rosterd_fold(name), named.value)))
              OR (workspace = ?2 AND kind = 'user' AND rosterd_fold(name) IN (SELECT value FROM json_each(?4))
                  AND resource IS NULL))
          ORDER BY id",
    )?;
    let with = params![links, person.workspace, json(&person.resources)?, json(&person.names)?];
    let entries = statement.query_map(with, |row| row.get(0).map(EntryId))?;
    entries.collect()
}

/// The erasure is an entry itself: who was erased (an id), by whom, and why.
fn record(tx: &Transaction<'_>, wish: &Erasure, person: &Person) -> Sql<EntryId> {
    let id = person.id.as_ref().or(person.sources.first());
    tx.prepare_cached(
        "INSERT INTO journal (workspace, owner, by, resource, kind, class, cause, edits, at, outcome, ended, settings,
                              salt)
         VALUES (?1, 'local', ?2, ?3, 'user', 'erase', ?4, '[]', ?5, 'done', ?5, ?6, randomblob(16))",
    )?
    .execute(params![
        person.workspace,
        wish.by,
        id,
        wish.reason,
        wish.now.as_second(),
        settings::current(tx, wish.now.as_second())?
    ])?;
    let entry = EntryId(tx.last_insert_rowid());
    chain::append(tx, entry, Part::Whole)?;
    Ok(entry)
}

/// A cause knows people by id and by name; the id of the cause is made of the former alone.
fn forget_names(tx: &Transaction<'_>, person: &Person) -> Sql<u64> {
    let mut statement = tx.prepare_cached(
        "SELECT job, id, cause FROM causes WHERE EXISTS
           (SELECT 1 FROM json_each(json_extract(cause, '$.subjects')) s WHERE s.value IN
             (SELECT value FROM json_each(?1)))",
    )?;
    let found = statement.query_map([json(&person.sources)?], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, parsed::<Cause>(row, 2)?))
    })?;
    let found: Vec<(i64, String, Cause)> = found.collect::<Sql<_>>()?;
    let mut changed = 0;
    for (job, id, mut cause) in found {
        for (subject, name) in cause.subjects.iter().zip(&mut cause.names) {
            if person.sources.contains(&subject.0) && *name != subject.0 {
                name.clone_from(&subject.0);
                changed += 1;
            }
        }
        tx.prepare_cached("UPDATE causes SET cause = ?3 WHERE job = ?1 AND id = ?2")?.execute(params![
            job,
            id,
            json(&cause)?
        ])?;
    }
    Ok(changed)
}
