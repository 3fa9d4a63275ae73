//! How one person or group stood at a time, from the journal alone: for `explain --at`.

use jiff::Timestamp;

use crate::plan;
use crate::plan::CycleRecord;
use crate::plan::PastEntry;
use crate::plan::PastStep;
use crate::plan::PastStory;
use crate::store::JobId;
use crate::store::LinkRow;
use crate::store::Past;
use crate::store::Store;
use crate::store::StoreError;

/// The last decisions before the time that are shown.
const STEPS: usize = 5;
/// More objects of one name than these are not told apart by reading about all of them.
const OBJECTS: usize = 5;

/// How whoever has this source id, name, mail address or resource stood then; `None` where the job has had no cycle yet.
pub async fn explain_at(
    store: &Store,
    job: &str,
    who: &str,
    at: Timestamp,
) -> Result<Option<Vec<PastStory>>, StoreError> {
    let Some(state) = store.find_job(job).await? else { return Ok(None) };
    let mut told = Vec::new();
    for row in store.links_called(state.id, who).await?.into_iter().take(OBJECTS) {
        let past = store.past_of(state.id, row.link).await?;
        told.push(story(store, (state.id, job), &row, &past, at.as_second()).await?);
    }
    Ok(Some(told))
}

async fn story(
    store: &Store,
    (id, job): (JobId, &str),
    row: &LinkRow,
    past: &Past,
    at_second: i64,
) -> Result<PastStory, StoreError> {
    let cycle = store.cycle_then(id, at_second).await?;
    let record: Option<CycleRecord> =
        cycle.as_ref().and_then(|cycle| serde_json::from_str(cycle.record.as_deref()?).ok());
    let settings = match cycle.as_ref().and_then(|cycle| cycle.settings.clone()) {
        Some(settings) => Some(settings),
        None => store.settings_at(at_second).await?,
    };
    let stood = plan::stood(&past.entries, at_second, (&past.applied, past.sent.as_ref(), &past.teams));
    let steps = past.entries.iter().rev().filter(|entry| entry.at_second <= at_second).take(STEPS);
    Ok(PastStory {
        job: job.to_owned(),
        kind: row.kind,
        source: row.source.clone(),
        name: row.name.clone(),
        at_second,
        stood,
        decided: steps.map(step).collect(),
        later: past.entries.iter().filter(|entry| entry.at_second > at_second).count() as u64,
        held: past.held.clone().filter(|(_, since)| *since <= at_second).map(|(text, _)| text),
        cycle: cycle.as_ref().map(|cycle| cycle.cycle.0),
        held_in_cycle: record.map(|record| record.held),
        settings,
        unknown: unknown(past, at_second),
    })
}

fn step(entry: &PastEntry) -> PastStep {
    PastStep {
        entry: entry.entry,
        at_second: entry.at_second,
        class: entry.class.clone(),
        team: entry.team.clone(),
        outcome: entry.outcome.clone(),
        cause: entry.cause.clone(),
        settings: entry.settings.clone(),
        cycle: entry.cycle,
    }
}

/// What retention or an erasure took.
fn unknown(past: &Past, at_second: i64) -> Vec<String> {
    let moment = |second: i64| Timestamp::from_second(second).map(|at| at.to_string()).unwrap_or_default();
    let mut told = Vec::new();
    if let Some((before, on)) = past.removed {
        let beyond = if at_second < before {
            "; what is told here is what later entries show"
        } else {
            "; it was decided earlier than that where no entry tells of it"
        };
        told.push(format!(
            "retention removed the entries before {} on {}{beyond}",
            moment(before),
            moment(on)
        ));
    }
    let erased = past.entries.iter().filter(|entry| entry.is_erased).count();
    if erased > 0 {
        told.push(format!(
            "an erasure took the values of {erased} entries: who, when, what and why are left"
        ));
    }
    told
}
