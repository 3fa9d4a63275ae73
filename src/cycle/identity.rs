//! Pinned identities (P15): where source or target are not the ones of the first cycle, nothing is written until a person
//! has looked, and approves.

use super::CycleError;
use super::Run;
use crate::plan::Hold;
use crate::plan::HoldKind;
use crate::store::FoundIdentity;
use crate::store::JobState;
use crate::store::Store;

/// So many of the oldest accounts and teams are asked for, and more where so many may be lost by themselves.
const SAMPLE: u64 = 8;

impl Run<'_> {
    /// Fails where the source is not the one that was pinned: reading it would overwrite what was seen of the right one.
    pub(super) async fn identified(&self, store: &Store, state: &JobState) -> Result<(), CycleError> {
        let (Some(was), Some(is)) = (&state.source_identity, self.job.source.identity()) else {
            return Ok(());
        };
        if *was == is {
            return Ok(());
        }
        let found = FoundIdentity { source: Some(is.clone()), ..FoundIdentity::default() };
        store.note_found(state.id, Some(found)).await.map_err(self.store())?;
        let job = self.job.name.clone();
        Err(CycleError::Identity {
            cure: format!("rosterd approve {job} identity"),
            job,
            side: "source",
            was: was.clone(),
            is,
        })
    }

    /// Whether the target goes by another name than the one that was pinned.
    pub(super) fn has_other_target(&self, state: &JobState) -> bool {
        state.target_identity.as_ref().is_some_and(|was| *was != self.job.target.identity())
    }

    /// Why nothing may be written to this target; `None` where it is the one that was pinned, as far as can be told. It is
    /// asked for what we know of it only where that matters.
    pub(super) async fn moved(&self, store: &Store, state: &JobState) -> Result<Option<Hold>, CycleError> {
        let other = self.has_other_target(state);
        let matters = other || store.creates_or_removes(state.id).await.map_err(self.store())?;
        if !matters {
            return Ok(None);
        }
        let (known, asked) = self.sample(store, state, other).await?;
        let lost_all = known == 0 && asked > self.job.limits.lost_anchors;
        if !other && !lost_all {
            store.note_found(state.id, None).await.map_err(self.store())?;
            return Ok(None);
        }
        let is = self.job.target.identity();
        let target = other.then(|| is.clone());
        let found = FoundIdentity { source: None, target, known, asked };
        let was = state.target_identity.clone().unwrap_or_default();
        let hold = hold(&self.job.name, &was, &is, &found);
        store.note_found(state.id, Some(found)).await.map_err(self.store())?;
        Ok(Some(hold))
    }

    /// How many of how many the target knows. The first that it knows is enough, where nothing else is in doubt.
    async fn sample(&self, store: &Store, state: &JobState, whole: bool) -> Result<(u64, u64), CycleError> {
        let size = SAMPLE.max(self.job.limits.lost_anchors.saturating_add(1)).min(1_000);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let ids = store.known_resources(state.id, size).await.map_err(self.store())?;
        let Some((first, rest)) = ids.split_first() else { return Ok((0, 0)) };
        let target = &self.job.target;
        let mut shown = target.get(std::slice::from_ref(first)).await.map_err(self.target())?;
        if whole || shown.iter().all(Option::is_none) {
            shown.extend(target.get(rest).await.map_err(self.target())?);
        }
        Ok((shown.iter().flatten().count() as u64, shown.len() as u64))
    }
}

fn hold(job: &str, was: &str, is: &str, found: &FoundIdentity) -> Hold {
    let FoundIdentity { known, asked, .. } = found;
    let what = match was == is {
        true => format!(
            "the target {is} goes by the same name, and none of the {asked} accounts and teams that we asked it for is there"
        ),
        false => format!(
            "the target was {was} and is {is}; of the {asked} accounts and teams that we asked it for, {known} are there"
        ),
    };
    let text = format!(
        "{what}; nothing is matched or written until somebody has looked whether it is the right one; if it is: rosterd \
         approve {job} identity; if not, put the settings back"
    );
    Hold { kind: HoldKind::Identity, text }
}

/// Everybody leaves at once: that is a source that shows nothing, until a person says that it is meant. In a small
/// directory it means nothing, so the floor of the limits holds here too.
pub(super) async fn nobody_is_left(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
) -> Result<Option<Hold>, CycleError> {
    let (active, desired) = store.population(state.id).await.map_err(on.store())?;
    if desired > 0 || active <= on.job.limits.floor || on.job.allow_empty {
        return Ok(None);
    }
    let job = &on.job.name;
    let text = format!(
        "the source selects nobody any more, and {active} are active; nothing is removed until somebody approves, or \
         jobs.{job}.allow_empty = true"
    );
    Ok(Some(Hold { kind: HoldKind::Empty, text }))
}
