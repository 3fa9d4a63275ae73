//! Where a read lands: a private area in temporary tables, which becomes `seen` in one transaction or is thrown
//! away with its connection.
//!
//! Only differences from what is seen already are kept, so a quiet cycle stages nothing however long the lists
//! are that a source makes us read. What a complete read did show is remembered as one bit a row.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

use super::CycleId;
use super::InForce;
use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::alone;
use super::promote;
use super::promote::Promoted;
use super::values::json;
use super::values::text;
use crate::model::Collection;
use crate::model::Container;
use crate::model::Coverage;
use crate::model::LinkId;
use crate::model::Record;
use crate::model::SourceId;
use crate::model::SourceObject;
use crate::model::Standing;
use crate::scim::Kind;

const TABLES: &str = "
    PRAGMA temp.cache_size = -8192;
    CREATE TEMP TABLE staged_objects (
      kind TEXT NOT NULL, source_id TEXT NOT NULL, standing TEXT NOT NULL, seen TEXT, seen_hash BLOB,
      PRIMARY KEY (kind, source_id)) WITHOUT ROWID;
    CREATE TEMP TABLE staged_edges (
      container_kind TEXT NOT NULL, container TEXT NOT NULL, kind TEXT NOT NULL, principal TEXT NOT NULL,
      gone INTEGER NOT NULL, detail TEXT NOT NULL,
      PRIMARY KEY (container_kind, container, kind, principal)) WITHOUT ROWID;";

/// The staging area of one cycle.
pub struct Staging {
    inner: Arc<Mutex<Inner>>,
    store: Store,
}

struct Inner {
    connection: Connection,
    job: JobId,
    objects: Presence,
    edges: Presence,
    /// Rows that an earlier read of this cycle changed: it was asked for them one by one, so a list that lags
    /// behind does not take that back.
    settled: Settled,
    /// It is the second reading of its cycle.
    again: bool,
    /// Whether anything is staged of objects, of edges: a quiet cycle need not look for what it could take back.
    staged: (bool, bool),
    covered: Vec<Collection>,
    /// What one read proved whole and another, or a part of it, did not.
    partial: Vec<Collection>,
    /// Objects that were asked for by their ids and not found.
    not_found: BTreeSet<i64>,
    watermarks: Vec<(String, String)>,
}

/// Objects and edges by their rows.
#[derive(Default)]
struct Settled {
    objects: Presence,
    edges: Presence,
}

/// One bit for each row number that a complete read showed.
#[derive(Default)]
pub(super) struct Presence(Vec<u64>);

impl Presence {
    fn mark(&mut self, row: i64) {
        let Ok(row) = usize::try_from(row) else { return };
        if self.0.len() <= row / 64 {
            self.0.resize(row / 64 + 1, 0);
        }
        self.0[row / 64] |= 1 << (row % 64);
    }

    pub(super) fn has(&self, row: i64) -> bool {
        let Ok(row) = usize::try_from(row) else { return false };
        self.0.get(row / 64).is_some_and(|word| word & (1 << (row % 64)) != 0)
    }
}

impl Store {
    /// A staging area for one cycle of a job.
    pub async fn stage(&self, job: JobId) -> Result<Staging, StoreError> {
        let connection = self.connect()?;
        self.named(connection.execute_batch(TABLES))?;
        let inner = Inner {
            connection,
            job,
            objects: Presence::default(),
            edges: Presence::default(),
            settled: Settled::default(),
            again: false,
            staged: (false, false),
            covered: Vec::new(),
            partial: Vec::new(),
            not_found: BTreeSet::new(),
            watermarks: Vec::new(),
        };
        Ok(Staging { inner: Arc::new(Mutex::new(inner)), store: self.clone() })
    }
}

impl Staging {
    /// For a second reading of a cycle: what the first one changed, and nobody has decided yet, stays as it is.
    pub async fn settle_changes(&self) -> Result<(), StoreError> {
        self.with(|inner| {
            let Inner { connection, job, objects, edges, settled, again, .. } = inner;
            *again = true;
            for (sql, present, settled) in [
                ("SELECT id FROM links WHERE job = ?1 AND dirty & 1 <> 0", objects, &mut settled.objects),
                (
                    "SELECT e.id FROM dirty_edges d JOIN seen_edges e ON e.container = d.team AND e.principal = d.person
                      WHERE d.job = ?1",
                    edges,
                    &mut settled.edges,
                ),
            ] {
                let mut rows = connection.prepare(sql)?;
                let mut rows = rows.query([job.0])?;
                while let Some(row) = rows.next()? {
                    let id = row.get(0)?;
                    present.mark(id);
                    settled.mark(id);
                }
            }
            Ok(())
        })
        .await
    }

    /// Takes one page. Records are applied in order, the last word on an object or an edge wins.
    pub async fn record(&self, records: Vec<Record>) -> Result<(), StoreError> {
        self.with(move |inner| {
            inner.connection.execute_batch("BEGIN")?;
            for record in records {
                inner.take(record)?;
            }
            inner.connection.execute_batch("COMMIT")
        })
        .await
    }

    /// A read has ended: what it proved, and where it stopped.
    pub async fn finish_read(
        &self,
        name: &str,
        covered: Vec<(Collection, Coverage)>,
        watermark: Option<String>,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.with(move |inner| {
            for (collection, coverage) in covered {
                match coverage {
                    Coverage::Full => inner.covered.push(collection),
                    Coverage::Partial => inner.partial.push(collection),
                    Coverage::Changes => {}
                }
            }
            inner.watermarks.extend(watermark.map(|value| (name, value)));
            Ok(())
        })
        .await
    }

    /// Makes what was staged the new `seen`, with its watermarks, in one transaction (P4), and marks what has to
    /// be decided again. `rules` is the digest of the rules in force.
    pub async fn promote(self, cycle: CycleId, rules: String) -> Result<Promoted, StoreError> {
        let turn = self.store.turn().await;
        let promoted = self
            .with(move |inner| {
                let Inner {
                    connection,
                    job,
                    objects,
                    edges,
                    covered,
                    partial,
                    not_found,
                    again,
                    watermarks,
                    ..
                } = inner;
                let shown =
                    promote::Shown { objects, edges, covered, partial, not_found, again: *again, watermarks };
                promote::promote(connection, *job, cycle, &rules, &shown)
            })
            .await;
        drop(turn);
        promoted
    }

    /// The same of one person who was read alone: no watermark moves, and nobody else is decided again.
    pub async fn promote_alone(
        self,
        person: SourceId,
        force: InForce,
    ) -> Result<(Promoted, Option<LinkId>), StoreError> {
        let turn = self.store.turn().await;
        let promoted = self
            .with(move |inner| {
                let Inner { connection, job, objects, edges, covered, partial, not_found, .. } = inner;
                let shown = promote::Shown {
                    objects,
                    edges,
                    covered,
                    partial,
                    not_found,
                    again: false,
                    watermarks: &[],
                };
                alone::promote(connection, *job, &person, &force, &shown)
            })
            .await;
        drop(turn);
        promoted
    }

    async fn with<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Inner) -> Sql<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.inner);
        let result =
            tokio::task::spawn_blocking(move || f(&mut inner.lock().unwrap_or_else(PoisonError::into_inner)))
                .await
                .map_err(|_| StoreError::Stopped)?;
        self.store.named(result)
    }
}

impl Inner {
    fn take(&mut self, record: Record) -> Sql<()> {
        match record {
            Record::Object(object) => self.take_object(&object),
            Record::Removed { kind, id, standing } => self.take_removed(kind, &id, standing),
            Record::Edge { container, principal, kind, detail } => {
                self.take_edge(&container, &principal, kind, Some(&detail))
            }
            Record::EdgeRemoved { container, principal, kind } => {
                self.take_edge(&container, &principal, kind, None)
            }
            Record::EdgeUnclear { container, principal, kind } => {
                self.take_unclear_edge(&container, &principal, kind)
            }
            Record::NotFound { kind, id } => self.take_not_found(kind, &id),
        }
    }

    /// An object that another read of the cycle shows is not missing, whichever came first.
    fn take_not_found(&mut self, kind: Kind, id: &SourceId) -> Sql<()> {
        let known = self
            .connection
            .prepare_cached("SELECT id FROM links WHERE job = ?1 AND kind = ?2 AND source_id = ?3")?
            .query_row(params![self.job.0, kind.word(), id.0], |row| row.get(0))
            .optional()?;
        self.not_found.extend::<Option<i64>>(known);
        Ok(())
    }

    /// Known or not, nothing is staged: that it was shown keeps it from being missed.
    fn take_unclear_edge(&mut self, container: &Container, principal: &SourceId, kind: Kind) -> Sql<()> {
        let (container_kind, container) = named(container);
        let known: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT e.id FROM links c
                   JOIN links p ON p.job = c.job AND p.kind = ?4 AND p.source_id = ?5
                   JOIN seen_edges e ON e.container = c.id AND e.principal = p.id
                  WHERE c.job = ?1 AND c.kind = ?2 AND c.source_id = ?3",
            )?
            .query_row(params![self.job.0, container_kind, container.0, kind.word(), principal.0], |row| {
                row.get(0)
            })
            .optional()?;
        if let Some(edge) = known {
            self.edges.mark(edge);
        }
        Ok(())
    }

    fn take_object(&mut self, object: &SourceObject) -> Sql<()> {
        let standing = text(&object.standing)?;
        let seen = json(&object.attributes)?;
        let hash = blake3::hash(seen.as_bytes());
        let hash = &hash.as_bytes()[..16];
        let kind = object.kind.word();
        let known = self
            .connection
            .prepare_cached(
                "SELECT id, standing, seen_hash FROM links WHERE job = ?1 AND kind = ?2 AND source_id = ?3",
            )?
            .query_row(params![self.job.0, kind, object.id.0], |row| {
                let same =
                    row.get_ref(2)?.as_blob_or_null()? == Some(hash) && row.get_ref(1)?.as_str()? == standing;
                Ok((row.get::<_, i64>(0)?, same))
            })
            .optional()?;
        if let Some((id, same)) = known {
            self.objects.mark(id);
            if same || self.settled.objects.has(id) {
                return self.forget_object(kind, &object.id);
            }
        }
        self.staged.0 = true;
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO staged_objects VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![kind, object.id.0, standing, seen, hash])
            .map(drop)
    }

    /// Unknown ids are no news: a removal may come for what was never shown (Graph reference, section 6.4).
    fn take_removed(&mut self, kind: Kind, id: &SourceId, standing: Standing) -> Sql<()> {
        self.forget_object(kind.word(), id)?;
        let standing = text(&standing)?;
        let known: Option<(i64, String)> = self
            .connection
            .prepare_cached("SELECT id, standing FROM links WHERE job = ?1 AND kind = ?2 AND source_id = ?3")?
            .query_row(params![self.job.0, kind.word(), id.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((row, was)) = known else { return Ok(()) };
        self.objects.mark(row);
        if was == standing || self.settled.objects.has(row) {
            return Ok(());
        }
        self.staged.0 = true;
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO staged_objects VALUES (?1, ?2, ?3, NULL, NULL)")?
            .execute(params![kind.word(), id.0, standing])
            .map(drop)
    }

    fn forget_object(&self, kind: &str, id: &SourceId) -> Sql<()> {
        if !self.staged.0 {
            return Ok(());
        }
        self.connection
            .prepare_cached("DELETE FROM staged_objects WHERE kind = ?1 AND source_id = ?2")?
            .execute(params![kind, id.0])
            .map(drop)
    }

    /// `detail` is `None` for an edge that an event removed.
    fn take_edge(
        &mut self,
        container: &Container,
        principal: &SourceId,
        kind: Kind,
        detail: Option<&str>,
    ) -> Sql<()> {
        let (container_kind, container) = named(container);
        let known = self
            .connection
            .prepare_cached(
                "SELECT e.id, e.gone, e.detail FROM links c
                   JOIN links p ON p.job = c.job AND p.kind = ?4 AND p.source_id = ?5
                   JOIN seen_edges e ON e.container = c.id AND e.principal = p.id
                  WHERE c.job = ?1 AND c.kind = ?2 AND c.source_id = ?3",
            )?
            .query_row(params![self.job.0, container_kind, container.0, kind.word(), principal.0], |row| {
                let gone: i64 = row.get(1)?;
                let same = gone == 0
                    && detail.is_some_and(|new| row.get_ref(2).is_ok_and(|was| was.as_str() == Ok(new)));
                Ok((row.get::<_, i64>(0)?, gone, same))
            })
            .optional()?;
        let same = match known {
            Some((id, gone, same)) => {
                if detail.is_some() {
                    self.edges.mark(id);
                }
                same || (detail.is_none() && gone == 1) || self.settled.edges.has(id)
            }
            None => detail.is_none(),
        };
        if same && !self.staged.1 {
            return Ok(());
        }
        if same {
            return self
                .connection
                .prepare_cached(
                    "DELETE FROM staged_edges WHERE container_kind = ?1 AND container = ?2 AND kind = ?3 AND principal = ?4",
                )?
                .execute(params![container_kind, container.0, kind.word(), principal.0])
                .map(drop);
        }
        self.staged.1 = true;
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO staged_edges VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![
                container_kind,
                container.0,
                kind.word(),
                principal.0,
                i64::from(detail.is_none()),
                detail.unwrap_or("")
            ])
            .map(drop)
    }
}

/// The word and the id under which a container stands in `links`.
pub(super) fn named(container: &Container) -> (&'static str, &SourceId) {
    match container {
        Container::App(id) => ("app", id),
        Container::Group(id) => ("group", id),
    }
}
