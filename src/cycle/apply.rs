//! Applying a saved plan: the source is read again, and of what is pending then only that is written which the plan
//! shows, and which still rests on what the plan rested on (P8). Everything else is held for this cycle.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::CycleError;
use super::Run;
use super::stream::Row;
use super::stream::Stream;
use super::stream::identity_of;
use crate::model::Applied;
use crate::model::LinkId;
use crate::plan::Change;
use crate::plan::Class;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::plan::SavedChange;
use crate::plan::Verdict;
use crate::plan::short;
use crate::plan::subject_of;
use crate::store::JobId;
use crate::store::JobState;
use crate::store::Pick;
use crate::store::Store;

/// What is known of a saved plan while it is applied: a few bytes a change.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// What each change rests on, by what it does.
    changes: BTreeMap<u64, u64>,
    /// All of it or nothing.
    pub strict: bool,
    /// Who applies it, and why: in mode `approve` that is the decision.
    pub who: String,
    pub reason: String,
}

impl Saved {
    pub fn new(strict: bool, who: String, reason: String) -> Saved {
        Saved { changes: BTreeMap::new(), strict, who, reason }
    }

    pub fn add(&mut self, change: &SavedChange) {
        self.changes.insert(change.key, change.needs);
    }
}

/// What became of a saved plan before anything was written.
#[derive(Clone, Debug, Default)]
pub struct Applying {
    /// Changes that still hold, with what holds them up, if anything does.
    holds: BTreeMap<u64, Option<String>>,
    /// The same change, and what it rests on has changed.
    shaken: BTreeSet<u64>,
    /// What is pending besides, by what it is about.
    others: BTreeMap<u64, Class>,
    /// How many changes are pending that the plan does not show.
    pub newer: u64,
    /// Nothing is written, because something has moved.
    pub refused: bool,
}

/// Why a change of a saved plan is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// What it would change is not as it was when the plan was made.
    Shaken,
    /// Another change of the same object is pending now.
    Other(Class),
    /// Nothing is pending any more: it was done, or is not wanted.
    Settled,
    /// It still holds, and is held up.
    Held(String),
}

impl Applying {
    /// What became of one change of the plan; `None`: it goes.
    pub fn fate(&self, change: &SavedChange) -> Option<Moved> {
        match self.holds.get(&change.key) {
            Some(Some(text)) => Some(Moved::Held(text.clone())),
            Some(None) => None,
            None if self.shaken.contains(&change.key) => Some(Moved::Shaken),
            None => {
                Some(self.others.get(&change.subject).map_or(Moved::Settled, |class| Moved::Other(*class)))
            }
        }
    }

    /// Whether every change of the plan is as it was.
    fn is_whole(&self, saved: &Saved) -> bool {
        self.holds.len() == saved.changes.len()
    }
}

/// What a change rests on: the account, team, membership or reference as the target has accepted it.
pub(super) fn needs(row: &Row) -> u64 {
    let text = match row {
        Row::Link(link) => {
            let accepted = link.applied.accepted();
            let accepted = accepted.map(|is| (&is.resource, &is.sent, &is.shown, is.origin));
            let active = matches!(link.applied, Applied::Active(_));
            let adopts = link.adopt.as_ref().map(|adopt| &adopt.resource);
            serde_json::to_vec(&(active, accepted, adopts))
        }
        Row::Edge(edge) => serde_json::to_vec(&(&edge.team_resource, &edge.person_resource, edge.adds)),
        Row::Reference(reference) => {
            serde_json::to_vec(&(&reference.person_resource, &reference.old, &reference.new))
        }
    };
    short(&text.expect("plain values with text keys"))
}

/// What a change does, and why.
pub(super) fn key(change: &Change) -> u64 {
    short(&identity_of(change))
}

/// Looks at what is pending, and holds for this cycle whatever is not to go.
pub(super) async fn narrow(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
    saved: &Saved,
) -> Result<Applying, CycleError> {
    let (mut applying, bars) = look(on, store, state.id, saved).await?;
    if saved.strict && !applying.is_whole(saved) {
        applying.refused = true;
        return Ok(applying);
    }
    let text = "the plan that was applied does not show it; the next cycle decides".to_owned();
    let hold = Hold { kind: HoldKind::Plan, text };
    store.hold_pending(state.id, bars, hold).await.map_err(on.store())?;
    Ok(applying)
}

/// In mode `approve` whoever applies a plan decides on what it shows. Whether there was anything to decide.
pub(super) async fn approve(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
    saved: &Saved,
) -> Result<bool, CycleError> {
    let stream = Stream { store, job: state.id, rules: &on.job.rules, now: on.how.now };
    let mut picks = Vec::new();
    let mut take = |row: Row| {
        let change = stream.change(&row);
        let waits = matches!(&change.verdict, Verdict::Held(hold) if hold.kind == HoldKind::Approval);
        if waits && saved.changes.get(&key(&change)) == Some(&needs(&row)) {
            picks.push(pick(&row));
        }
    };
    stream.rows(&mut take).await.map_err(on.store())?;
    let any = !picks.is_empty();
    let now = on.how.now.as_second();
    store.approve_pending(state.id, picks, &saved.who, &saved.reason, now).await.map_err(on.store())?;
    Ok(any)
}

async fn look(
    on: &Run<'_>,
    store: &Store,
    job: JobId,
    saved: &Saved,
) -> Result<(Applying, Vec<Pick>), CycleError> {
    let stream = Stream { store, job, rules: &on.job.rules, now: on.how.now };
    let (mut applying, mut bars) = (Applying::default(), Vec::new());
    let mut take = |row: Row| {
        let change = stream.change(&row);
        let key = key(&change);
        match saved.changes.get(&key) {
            Some(needed) if *needed == needs(&row) => {
                applying.holds.insert(key, held_up(&change.verdict));
                return;
            }
            Some(_) => {
                applying.shaken.insert(key);
            }
            None => {
                applying.others.insert(subject_of(&change), change.class);
                applying.newer += 1;
            }
        }
        // What is held anyway keeps its own reason.
        if !matches!(change.verdict, Verdict::Held(_)) {
            bars.push(pick(&row));
        }
    };
    stream.rows(&mut take).await.map_err(on.store())?;
    Ok((applying, bars))
}

fn held_up(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Go => None,
        Verdict::Held(hold) => Some(hold.text.clone()),
        Verdict::Waiting(text) | Verdict::Escrow(text) => Some(text.clone()),
    }
}

pub(super) fn pick(row: &Row) -> Pick {
    match row {
        Row::Link(link) => Pick::Link(link.link),
        Row::Edge(edge) => Pick::Edge { team: edge.team, person: edge.person },
        Row::Reference(reference) => {
            Pick::Reference { person: LinkId(reference.person.0), path: reference.path.clone() }
        }
    }
}
