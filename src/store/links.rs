//! Links that have to be decided again, the graph of their containers, and what was decided of them.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::Transaction;
use rusqlite::params;
use serde_json::Value;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::overrides;
use super::promote::DRIFT;
use super::promote::EDGE;
use super::promote::OBJECT;
use super::promote::RULES;
use super::promote::TIME;
use super::promote::UPGRADE;
use super::references;
use super::values::json;
use super::values::parsed_or_none;
use super::values::text;
use super::values::word;
use crate::model::Accepted;
use crate::model::Applied;
use crate::model::Container;
use crate::model::Desired;
use crate::model::LinkId;
use crate::model::Seen;
use crate::model::SourceAttributes;
use crate::model::SourceId;
use crate::model::Standing;
use crate::plan::CauseKind;
use crate::plan::ContainerGraph;
use crate::plan::Decision;
use crate::plan::Dirty;
use crate::plan::EdgeState;
use crate::plan::Left;
use crate::plan::Node;
use crate::plan::Override;
use crate::plan::Proof;
use crate::scim::Attributes;
use crate::scim::Kind;
use crate::scim::ResourceId;

/// A link as the decision reads it.
#[derive(Clone, Debug)]
pub struct DirtyLink {
    pub link: LinkId,
    pub kind: Kind,
    pub source: SourceId,
    pub seen: Seen,
    pub applied: Applied,
    pub dirty: Dirty,
    /// The containers that it is, or was, directly in.
    pub edges: Vec<(LinkId, EdgeState)>,
    /// What the source says of these edges, where it says something.
    pub details: BTreeMap<LinkId, String>,
    /// Why and since when it is not wanted.
    pub left: Option<Left>,
    /// What a person undid of it.
    pub undo: Option<Override>,
    /// What is put right of what somebody else did in the target.
    pub drifted: Vec<String>,
}

impl Store {
    /// The applications and groups of a job with the edges between them.
    pub async fn container_graph(&self, job: JobId) -> Result<ContainerGraph, StoreError> {
        self.read(move |db| container_graph(db, job)).await
    }

    /// Marks the direct members of every container whose grant differs from the one they were decided with.
    /// A grant is a number that says what it is worth (`plan::grants`).
    pub async fn note_grants(&self, job: JobId, grants: BTreeMap<LinkId, i64>) -> Result<(), StoreError> {
        self.write(move |tx| {
            let mut rows = tx.prepare_cached(
                "SELECT id, granted FROM links WHERE job = ?1 AND kind IN ('app', 'group')",
            )?;
            let known: Vec<(i64, i64)> =
                rows.query_map([job.0], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Sql<_>>()?;
            for (container, was) in known {
                let is = grants.get(&LinkId(container)).copied().unwrap_or_default();
                if is == was {
                    continue;
                }
                tx.prepare_cached("UPDATE links SET granted = ?2 WHERE id = ?1")?
                    .execute(params![container, is])?;
                tx.prepare_cached(
                    "UPDATE links SET dirty = dirty | ?2 WHERE kind IN ('user', 'group') AND id IN
                       (SELECT principal FROM seen_edges WHERE container = ?1)",
                )?
                .execute(params![container, EDGE])?;
            }
            Ok(())
        })
        .await
    }

    /// The next links to decide, by number.
    pub async fn dirty_links(
        &self,
        job: JobId,
        kind: Kind,
        after: LinkId,
        limit: usize,
    ) -> Result<Vec<DirtyLink>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(&format!(
                "SELECT {FACTS}, {} FROM links
                  WHERE job = ?1 AND kind = ?2 AND dirty <> 0 AND id > ?3 ORDER BY id LIMIT ?4",
                overrides::OF_LINK
            ))?;
            let found = rows.query_map(params![job.0, kind.word(), after.0, limit as i64], dirty_link)?;
            let mut links = found.collect::<Sql<Vec<DirtyLink>>>()?;
            links.iter_mut().try_for_each(|link| add_edges(db, link))?;
            Ok(links)
        })
        .await
    }

    /// Keeps what was decided, and marks the memberships that depend on it.
    pub async fn save_decisions(
        &self,
        job: JobId,
        decided: Vec<(LinkId, Decision)>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            for (link, decision) in &decided {
                save_decision(tx, job, *link, decision)?;
            }
            Ok(())
        })
        .await
    }
}

/// The columns that `dirty_link` reads, before what was undone.
const FACTS: &str = "id, kind, source_id, standing, seen, applied, resource, sent, shown, origin, dirty, left_by, left_at, drifted";

/// One link as a decision reads it, dirty or not.
pub(super) fn facts(db: &Connection, link: LinkId) -> Sql<Option<DirtyLink>> {
    let sql = format!("SELECT {FACTS}, {} FROM links WHERE id = ?1 AND kind <> 'app'", overrides::OF_LINK);
    let found = db.prepare_cached(&sql)?.query_row([link.0], dirty_link).optional()?;
    found.map(|mut link| add_edges(db, &mut link).map(|()| link)).transpose()
}

fn add_edges(db: &Connection, link: &mut DirtyLink) -> Sql<()> {
    let mut edges =
        db.prepare_cached("SELECT container, gone, detail FROM seen_edges WHERE principal = ?1")?;
    let mut rows = edges.query([link.link.0])?;
    while let Some(row) = rows.next()? {
        let container = LinkId(row.get(0)?);
        link.edges.push((container, edge_state(row.get(1)?)));
        link.details.extend(detail(row, 2)?.map(|detail| (container, detail)));
    }
    Ok(())
}

/// Whether an edit or an upgrade, and nothing else, had it decided again to no other end: then it is not their doing, unless
/// it was the settings' doing before.
const KEEPS_ITS_CAUSE: &str = "(dirty & 4) <> 0 AND (dirty & 3) = 0 AND cause IS NOT NULL AND desired IS ?2
    AND wanted IS ?3 AND class IS ?4 AND (class IS NOT NULL OR kind = 'group' AND applied <> 'absent')
    AND NOT EXISTS (SELECT 1 FROM causes c WHERE c.job = links.job AND c.id = links.cause
      AND json_extract(c.cause, '$.kind') IN ('settings', 'upgrade', 'filtered'))";

/// What failed is due at once where the object, the rules or the change itself are others now.
fn save_decision(tx: &Transaction<'_>, job: JobId, link: LinkId, decision: &Decision) -> Sql<()> {
    let (state, wanted) = match &decision.desired {
        Desired::Active(attributes) => ("active", Some(json(attributes)?)),
        Desired::Inactive => ("inactive", None),
        Desired::Absent => ("absent", None),
        Desired::Unmanaged => ("unmanaged", None),
    };
    let pending = decision.pending.as_ref();
    let class = pending.map(|pending| pending.class.word());
    let (was, kept): (Option<String>, bool) = tx
        .prepare_cached(&format!("SELECT desired, {KEEPS_ITS_CAUSE} FROM links WHERE id = ?1"))?
        .query_row(params![link.0, state, wanted, class], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let cause = decision.why.cause.id();
    tx.prepare_cached(
        "INSERT INTO causes VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET cause = excluded.cause",
    )?
    .execute(params![job.0, cause.0, json(&decision.why.cause)?])?;
    tx.prepare_cached(
        "UPDATE links SET desired = ?2, wanted = ?3, wanted_key = ?4, cause = CASE WHEN ?17 THEN cause ELSE ?5 END,
                proof = CASE WHEN ?17 THEN proof ELSE ?6 END, questions = CASE WHEN ?17 THEN questions ELSE ?7 END,
                class = ?8, hold = ?9, on_create = ?10, left_by = ?11, left_at = ?12, delete_at = ?13, decide_at = ?14,
                by_time = ?15, adopt = NULL, dirty = 0, drifted = NULL, retires = NULL,
                attempts = CASE WHEN class IS ?8 AND wanted IS ?3 AND dirty & ?16 = 0 THEN attempts ELSE 0 END,
                failure = CASE WHEN class IS ?8 AND wanted IS ?3 AND dirty & ?16 = 0 THEN failure END,
                due_at = CASE WHEN class IS ?8 AND wanted IS ?3 AND dirty & ?16 = 0 THEN due_at END,
                match_cause = CASE WHEN ?8 = 'create' OR lost_at IS NOT NULL THEN match_cause END WHERE id = ?1",
    )?
    .execute(params![
        link.0,
        state,
        wanted,
        decision.key,
        cause.0,
        text(&decision.why.proof)?,
        json(&decision.why.questions)?,
        class,
        pending.and_then(|pending| pending.hold.as_ref()).map(json).transpose()?,
        (!decision.on_create.is_empty()).then(|| json(&decision.on_create)).transpose()?,
        decision.left.map(|left| left.by.word()),
        decision.left.map(|left| left.at_second),
        decision.delete_at,
        decision.decide_at,
        decision.by_time,
        OBJECT | RULES,
        kept,
    ])?;
    // Of whom an undo alone keeps active nothing is known of references: those that are there stay.
    let unknown = decision.why.cause.kind == CauseKind::Undo && decision.references.is_empty();
    if state == "active" && !unknown && decision.pending.as_ref().is_none_or(|pending| pending.hold.is_none())
    {
        references::save(tx, job, link, decision)?;
    }
    // What of a state its memberships depend on: wanted, left alone, or neither.
    let of = |state: Option<&str>| (state == Some("active"), state == Some("unmanaged"));
    if of(was.as_deref()) != of(Some(state)) {
        mark_edges(tx, job, link)?;
    }
    Ok(())
}

/// Every membership of this person, or of this team.
pub(super) fn mark_edges(tx: &Transaction<'_>, job: JobId, link: LinkId) -> Sql<()> {
    for sql in [
        "INSERT OR IGNORE INTO dirty_edges SELECT ?1, e.container, e.principal FROM seen_edges e
           JOIN links c ON c.id = e.container AND c.kind = 'group' WHERE e.principal = ?2",
        "INSERT OR IGNORE INTO dirty_edges SELECT ?1, e.container, e.principal FROM seen_edges e
           JOIN links c ON c.id = e.container AND c.kind = 'group'
           JOIN links p ON p.id = e.principal AND p.kind = 'user' WHERE e.container = ?2",
        "INSERT OR IGNORE INTO dirty_edges SELECT ?1, team, person FROM team_edges WHERE person = ?2",
        "INSERT OR IGNORE INTO dirty_edges SELECT ?1, team, person FROM team_edges WHERE team = ?2",
    ] {
        tx.prepare_cached(sql)?.execute(params![job.0, link.0])?;
    }
    Ok(())
}

fn container_graph(db: &Connection, job: JobId) -> Sql<ContainerGraph> {
    let mut graph = ContainerGraph::default();
    let mut rows = db.prepare_cached(
        "SELECT id, kind, source_id, standing, seen FROM links WHERE job = ?1 AND kind IN ('app', 'group')",
    )?;
    let nodes = rows.query_map([job.0], |row| {
        let id = SourceId(row.get(2)?);
        let app = row.get_ref(1)?.as_str()? == "app";
        let seen: Option<SourceAttributes> = parsed_or_none(row, 4)?;
        let name = seen.as_ref().map(group_name).unwrap_or_default();
        let description = seen.as_ref().and_then(|seen| seen.get("description")?.as_str());
        let description = description.unwrap_or_default().to_owned();
        let container = if app { Container::App(id) } else { Container::Group(id) };
        Ok(Node { link: LinkId(row.get(0)?), container, name, description, standing: word(row, 3)? })
    })?;
    for node in nodes {
        let node = node?;
        graph.nodes.insert(node.link, node);
    }
    let mut rows = db.prepare_cached(
        "SELECT e.container, e.principal, e.gone, e.detail FROM links p JOIN seen_edges e ON e.principal = p.id
          WHERE p.job = ?1 AND p.kind = 'group' ORDER BY e.container, e.principal",
    )?;
    let mut rows = rows.query([job.0])?;
    while let Some(row) = rows.next()? {
        let (container, principal) = (LinkId(row.get(0)?), LinkId(row.get(1)?));
        graph.below.entry(container).or_default().push((principal, edge_state(row.get(2)?)));
        graph.details.extend(detail(row, 3)?.map(|detail| ((container, principal), detail)));
    }
    Ok(graph)
}

/// Graph and files call it `displayName`, Okta `name`.
pub(super) fn group_name(seen: &SourceAttributes) -> String {
    let name = seen.get("displayName").or_else(|| seen.get("name"));
    name.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What the source says of an edge; most often nothing.
fn detail(row: &Row<'_>, column: usize) -> Sql<Option<String>> {
    let text = row.get_ref(column)?.as_str()?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn edge_state(gone: i64) -> EdgeState {
    match gone {
        0 => EdgeState::Present,
        1 => EdgeState::Gone(Proof::Event),
        _ => EdgeState::Gone(Proof::Absence),
    }
}

fn dirty_link(row: &Row<'_>) -> Sql<DirtyLink> {
    let dirty: i64 = row.get(10)?;
    let standing: Standing = word(row, 3)?;
    Ok(DirtyLink {
        link: LinkId(row.get(0)?),
        kind: word(row, 1)?,
        source: SourceId(row.get(2)?),
        seen: Seen { standing, attributes: parsed_or_none(row, 4)?.unwrap_or_default() },
        applied: applied(row, 5)?,
        dirty: Dirty {
            object: dirty & OBJECT != 0,
            edge: dirty & EDGE != 0,
            rules: dirty & RULES != 0,
            time: dirty & TIME != 0,
            upgrade: dirty & UPGRADE != 0,
            drift: dirty & DRIFT != 0,
        },
        edges: Vec::new(),
        details: BTreeMap::new(),
        left: left(row, 11)?,
        undo: parsed_or_none(row, 14)?,
        drifted: parsed_or_none(row, 13)?.unwrap_or_default(),
    })
}

/// Reads `left_by, left_at`.
fn left(row: &Row<'_>, first: usize) -> Sql<Option<Left>> {
    let at: Option<i64> = row.get(first + 1)?;
    at.map(|at_second| Ok(Left { by: word(row, first)?, at_second })).transpose()
}

/// Reads `applied, resource, sent, shown, origin`, in that order, from the given column on.
pub(super) fn applied(row: &Row<'_>, first: usize) -> Sql<Applied> {
    let state = row.get_ref(first)?.as_str()?;
    if state == "absent" {
        return Ok(Applied::Absent);
    }
    let active = state == "active";
    let sent: Option<Attributes> = parsed_or_none(row, first + 2)?;
    let shown: Option<Attributes> = parsed_or_none(row, first + 3)?;
    let accepted = Accepted {
        resource: ResourceId(row.get(first + 1)?),
        sent: sent.unwrap_or_default(),
        shown: shown.unwrap_or_default(),
        origin: word(row, first + 4)?,
    };
    Ok(if active { Applied::Active(accepted) } else { Applied::Inactive(accepted) })
}
