//! One team by itself: who should be in it, who the target says is, and how the source's own push stands.

use rusqlite::params;

use super::JobId;
use super::Sql;
use super::Store;
use super::StoreError;
use super::links::group_name;
use super::values::parsed_or_none;
use crate::model::LinkId;
use crate::model::List;
use crate::model::SourceAttributes;
use crate::model::SourceId;
use crate::scim::ResourceId;
use crate::scim::fold;

/// A group of the source that is, or was, a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    pub link: LinkId,
    pub source: SourceId,
    /// As the source calls it.
    pub name: String,
    /// Its resource in the target, where it has one.
    pub resource: Option<ResourceId>,
    /// The rules make a team of it.
    pub wanted: bool,
}

/// Somebody who is, or should be, in a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub person: LinkId,
    pub name: String,
    pub resource: Option<ResourceId>,
    pub desired: bool,
    pub applied: bool,
}

/// What Okta's Group Push says of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushState {
    pub group: String,
    pub source: SourceId,
    /// As the connector wrote it on the edge: `status=…;target=…;error=…`.
    pub detail: String,
}

impl Store {
    /// The groups of this source id, or of this name in the source or the target.
    pub async fn teams_called(&self, job: JobId, what: &str) -> Result<Vec<Team>, StoreError> {
        let (what, folded) = (what.to_owned(), fold(what));
        self.read(move |db| {
            let mut rows = db.prepare(
                "SELECT id, source_id, seen, resource, desired IS 'active', coalesce(wanted_key, applied_key)
                   FROM links WHERE job = ?1 AND kind = 'group' AND standing <> 'unread' ORDER BY source_id",
            )?;
            let teams = rows.query_map([job.0], |row| {
                let seen: Option<SourceAttributes> = parsed_or_none(row, 2)?;
                let team = Team {
                    link: LinkId(row.get(0)?),
                    source: SourceId(row.get(1)?),
                    name: seen.as_ref().map(group_name).unwrap_or_default(),
                    resource: row.get::<_, Option<String>>(3)?.map(ResourceId),
                    wanted: row.get(4)?,
                };
                Ok((team, row.get::<_, Option<String>>(5)?))
            })?;
            let mut called = Vec::new();
            for team in teams {
                let (team, key) = team?;
                if team.source.0 == what || fold(&team.name) == folded || key.as_deref() == Some(&folded) {
                    called.push(team);
                }
            }
            Ok(called)
        })
        .await
    }

    pub async fn members_of(&self, team: LinkId) -> Result<Vec<Member>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare_cached(
                "SELECT e.person, coalesce(json_extract(p.wanted, '$.userName'), json_extract(p.sent, '$.userName'), p.source_id),
                        p.resource, e.desired, e.applied
                   FROM team_edges e JOIN links p ON p.id = e.person WHERE e.team = ?1 ORDER BY e.person",
            )?;
            let members = rows.query_map([team.0], |row| {
                Ok(Member {
                    person: LinkId(row.get(0)?),
                    name: row.get(1)?,
                    resource: row.get::<_, Option<String>>(2)?.map(ResourceId),
                    desired: row.get(3)?,
                    applied: row.get(4)?,
                })
            })?;
            members.collect()
        })
        .await
    }

    /// What the target shows, put down as what it has accepted: what differs from the desired state is then pending.
    pub async fn note_members(&self, team: LinkId, shown: Vec<(LinkId, bool)>) -> Result<(), StoreError> {
        self.write(move |tx| {
            let mut note = tx.prepare_cached(
                "UPDATE team_edges SET applied = ?3, hold = NULL, due_at = NULL WHERE team = ?1 AND person = ?2",
            )?;
            for (person, is_member) in &shown {
                note.execute(params![team.0, person.0, is_member])?;
            }
            Ok(())
        })
        .await
    }

    /// A person's decision: every membership of this team may become what the rules say.
    pub async fn approve_team(
        &self,
        job: JobId,
        team: LinkId,
        who: &str,
        reason: &str,
        now: i64,
    ) -> Result<(), StoreError> {
        let (who, reason) = (who.to_owned(), reason.to_owned());
        self.write(move |tx| {
            tx.execute(
                "INSERT OR REPLACE INTO approvals(job, link, person, class, cause, who, reason, at)
                   SELECT job, team, person, CASE WHEN desired THEN 'add_members' ELSE 'remove_members' END, cause, ?3, ?4, ?5
                     FROM team_edges WHERE job = ?1 AND team = ?2 AND desired <> applied AND cause IS NOT NULL",
                params![job.0, team.0, who, reason, now],
            )?;
            tx.execute("UPDATE team_edges SET hold = NULL WHERE team = ?1 AND desired <> applied", [team.0]).map(drop)
        })
        .await
    }

    /// The groups on this application's push list, by name.
    pub async fn push_states(&self, job: JobId) -> Result<Vec<PushState>, StoreError> {
        self.read(move |db| {
            let mut rows = db.prepare(
                "SELECT c.source_id, p.seen, p.source_id, e.detail FROM links c
                   JOIN seen_edges e ON e.container = c.id AND e.gone = 0 JOIN links p ON p.id = e.principal
                  WHERE c.job = ?1 AND c.kind = 'app'",
            )?;
            let found = rows.query_map([job.0], |row| {
                let list = List::of(&SourceId(row.get(0)?));
                let seen: Option<SourceAttributes> = parsed_or_none(row, 1)?;
                let group = seen.as_ref().map(group_name).unwrap_or_default();
                Ok((list, PushState { group, source: SourceId(row.get(2)?), detail: row.get(3)? }))
            })?;
            let mut states = Vec::new();
            for state in found {
                if let (List::PushMappings(_), state) = state? {
                    states.push(state);
                }
            }
            states.sort_by(|a, b| (&a.group, &a.source).cmp(&(&b.group, &b.source)));
            Ok::<_, rusqlite::Error>(states) as Sql<Vec<PushState>>
        })
        .await
    }
}
