//! After a cycle: whether the job is slowed down. In a quarantine a probe looks whether source and target can be used again.

use jiff::Timestamp;

use super::CycleError;
use super::How;
use super::Job;
use super::Run;
use crate::model::Reading;
use crate::plan::Class;
use crate::plan::CycleFacts;
use crate::plan::CycleRecord;
use crate::plan::ErrorCode;
use crate::plan::Quarantine;
use crate::plan::QuarantineLimits;
use crate::plan::Trouble;
use crate::plan::quarantine_after;
use crate::scim::Kind;
use crate::sources::SourceError;
use crate::store::JobState;
use crate::store::Store;
use crate::store::StoreError;
use crate::targets::Lookup;
use crate::targets::TargetError;

/// Nobody is called so: the probe's one question to the target.
const NOBODY: &str = "rosterd-probe@invalid.example";

/// What the cycle makes of the job's quarantine, kept. A cycle that was stopped, or that never began, says nothing.
pub(super) async fn note(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
    record: &CycleRecord,
    result: &Result<(), CycleError>,
) -> Result<Option<Quarantine>, StoreError> {
    let trouble = match result {
        Ok(()) => None,
        Err(error) => match trouble(error) {
            Some(trouble) => Some(trouble),
            None => return Ok(state.quarantine.clone()),
        },
    };
    let failed_cycles = if trouble.is_some() { state.failed_cycles.saturating_add(1) } else { 0 };
    let created = record.done.get(&Class::Create).copied().unwrap_or(0);
    let facts = CycleFacts {
        now: on.how.now.as_second(),
        done: record.written(),
        failed: record.failures(),
        failed_cycles,
        trouble,
        first_load: record.active <= created,
        in_escrow: record.escrow,
    };
    let quarantine = quarantine_after(state.quarantine.as_ref(), &facts, &on.job.limits.quarantine);
    if (&quarantine, failed_cycles) != (&state.quarantine, state.failed_cycles) {
        store.note_quarantine(state.id, quarantine.clone(), failed_cycles).await?;
    }
    Ok(quarantine)
}

/// Why a cycle could not go on, where that is the fault of source or target.
fn trouble(error: &CycleError) -> Option<Trouble> {
    let (code, at_once) = match error {
        CycleError::Source { source, .. } => match source {
            SourceError::Refused { what, .. } => (refused(what), true),
            SourceError::Unavailable { what } => (super::failure::passing(what), false),
            SourceError::Malformed { .. } | SourceError::WatermarkExpired { .. } => {
                (ErrorCode::WebExceptionProtocolError, false)
            }
        },
        CycleError::Target { source, .. } => match source {
            TargetError::Refused { what, .. } => (refused(what), true),
            TargetError::NotScim { .. } => (ErrorCode::ServiceIncompatible, true),
            TargetError::Unavailable { what } => (super::failure::passing(what), false),
            TargetError::Store(_) => return None,
        },
        _ => return None,
    };
    Some(Trouble { code, message: super::chain(error), at_once, actionable: !code.passes() })
}

/// What a refusal of everything is called: by its status, else it was the sign-in.
fn refused(what: &str) -> ErrorCode {
    super::failure::status(what).map_or(ErrorCode::Unauthorized, |status| ErrorCode::of_refusal(status, ""))
}

/// Whether source and target can be used: a sign-in, and one read of each. Nothing is written, and nothing of what was
/// read is kept.
pub async fn probe(job: &Job, store: &Store, how: How<'_>) -> Result<(), CycleError> {
    let on = Run { job, how };
    let state = store.job(&job.name).await.map_err(on.store())?;
    let watermarks = store.watermarks(state.id).await.map_err(on.store())?;
    if let Some(read) = job.source.reads(&watermarks, Reading::Incremental, how.now).first() {
        match on.until_stopped(job.source.page(read)).await? {
            // It answered; that it has to be read anew is the cycle's matter.
            Ok(_) | Err(SourceError::WatermarkExpired { .. }) => {}
            Err(error) => return Err(on.source()(error)),
        }
    }
    let lookup = [Lookup { kind: Kind::User, path: "userName".to_owned(), value: NOBODY.to_owned() }];
    on.until_stopped(job.target.find(&lookup)).await?.map_err(on.target())?;
    Ok(())
}

/// A job that cannot be made: a secret, a key or a certificate cannot be had, so the credentials fail, as they do where they
/// are refused. A `probe` is no cycle of the series.
pub async fn note_unmade(
    store: &Store,
    job: &str,
    now: Timestamp,
    message: String,
    limits: &QuarantineLimits,
    probe: bool,
) -> Result<Option<Quarantine>, StoreError> {
    let state = store.job(job).await?;
    let message =
        format!("{message}; put it right: the job is made anew at its next time, without a restart");
    let trouble = Trouble { code: ErrorCode::Unauthorized, message, at_once: true, actionable: true };
    match (&state.quarantine, probe) {
        (Some(was), true) => keep_probe(store, &state, was, trouble, limits).await,
        _ => {
            let failed_cycles = state.failed_cycles.saturating_add(1);
            let (now, trouble) = (now.as_second(), Some(trouble));
            let facts = CycleFacts { now, failed_cycles, trouble, ..CycleFacts::default() };
            let quarantine = quarantine_after(state.quarantine.as_ref(), &facts, limits);
            store.note_quarantine(state.id, quarantine.clone(), failed_cycles).await?;
            Ok(quarantine)
        }
    }
}

/// A probe that failed, put down: the quarantine goes on, for the reason that holds now. It is no cycle of the series.
pub async fn note_probe(
    job: &Job,
    store: &Store,
    error: &CycleError,
) -> Result<Option<Quarantine>, StoreError> {
    let state = store.job(&job.name).await?;
    let (Some(was), Some(trouble)) = (&state.quarantine, trouble(error)) else { return Ok(state.quarantine) };
    keep_probe(store, &state, was, trouble, &job.limits.quarantine).await
}

async fn keep_probe(
    store: &Store,
    state: &JobState,
    was: &Quarantine,
    trouble: Trouble,
    limits: &QuarantineLimits,
) -> Result<Option<Quarantine>, StoreError> {
    let facts = CycleFacts { trouble: Some(trouble), now: was.current_began, ..CycleFacts::default() };
    let now = quarantine_after(Some(was), &facts, limits);
    let now = now.map(|now| Quarantine { series_count: was.series_count, ..now });
    if now.as_ref().is_some_and(|now| !now.same_as(Some(was))) {
        store.note_quarantine(state.id, now.clone(), state.failed_cycles).await?;
    }
    Ok(now)
}
