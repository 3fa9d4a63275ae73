//! Verdicts: what limits, policy and the target's answers say of pending changes, kept beside them.

use rusqlite::params;

use super::Adopt;
use super::PendingLink;
use super::Store;
use super::StoreError;
use super::values::json;
use crate::model::LinkId;
use crate::plan::Cause;
use crate::plan::Hold;
use crate::plan::OnCreate;

/// What was judged of one link.
#[derive(Clone, Debug)]
pub struct LinkVerdict {
    pub link: LinkId,
    pub hold: Option<Hold>,
    pub adopt: Option<Adopt>,
    /// The cause that stands in place of its own, so that what is one decision is approved as one.
    pub cause: Option<Cause>,
    pub retires: Option<LinkId>,
    /// What is sent on create, with what the target has answered; `None`: as it is.
    pub on_create: Option<OnCreate>,
}

impl LinkVerdict {
    pub fn new(link: LinkId, hold: Option<Hold>) -> LinkVerdict {
        LinkVerdict { link, hold, adopt: None, cause: None, retires: None, on_create: None }
    }

    /// Whether the link has another verdict than it was given last.
    pub fn changes(&self, link: &PendingLink) -> bool {
        link.hold != self.hold
            || link.adopt != self.adopt
            || link.retires != self.retires
            || link.match_cause != self.cause.as_ref().map(Cause::id)
            || self.on_create.as_ref().is_some_and(|is| link.on_create != *is)
    }
}

impl Store {
    pub async fn save_link_verdicts(&self, verdicts: Vec<LinkVerdict>) -> Result<(), StoreError> {
        self.write(move |tx| {
            let mut update = tx.prepare_cached(
                "UPDATE links SET hold = ?2, adopt = ?3, match_cause = ?4, retires = ?5,
                        on_create = coalesce(?6, on_create) WHERE id = ?1",
            )?;
            let mut note = tx.prepare_cached(
                "INSERT INTO causes SELECT job, ?2, ?3 FROM links WHERE id = ?1 ON CONFLICT DO NOTHING",
            )?;
            for verdict in &verdicts {
                let hold = verdict.hold.as_ref().map(json).transpose()?;
                let adopt = verdict.adopt.as_ref().map(json).transpose()?;
                let cause = verdict.cause.as_ref().map(|cause| cause.id().0);
                if let (Some(id), Some(cause)) = (&cause, &verdict.cause) {
                    note.execute(params![verdict.link.0, id, json(cause)?])?;
                }
                let retires = verdict.retires.map(|link| link.0);
                let on_create = verdict.on_create.as_ref().map(json).transpose()?;
                update.execute(params![verdict.link.0, hold, adopt, cause, retires, on_create])?;
            }
            Ok(())
        })
        .await
    }

    pub async fn save_edge_holds(
        &self,
        holds: Vec<(LinkId, LinkId, Option<Hold>)>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let mut update =
                tx.prepare_cached("UPDATE team_edges SET hold = ?3 WHERE team = ?1 AND person = ?2")?;
            for (team, person, hold) in &holds {
                update.execute(params![team.0, person.0, hold.as_ref().map(json).transpose()?])?;
            }
            Ok(())
        })
        .await
    }
}
