//! What a cycle decides with besides what was seen: the time, chance, and the directory's own domain.

use super::CycleError;
use super::Run;
use crate::plan::Environment;
use crate::store::JobState;
use crate::store::Store;
use crate::store::StoreError;

/// The source is asked only where a row needs it. What is drawn by chance is kept with the decision until it is sent, so
/// the seed itself is of no use afterwards.
pub(super) async fn environment(
    on: &Run<'_>,
    store: &Store,
    state: &JobState,
) -> Result<Environment, CycleError> {
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(|_| on.store()(StoreError::Randomness))?;
    let default_domain = if on.job.rules.needs_default_domain() {
        on.until_stopped(on.job.source.default_domain()).await?.map_err(on.source())?
    } else {
        None
    };
    if let Some(domain) = default_domain.clone().filter(|_| default_domain != state.default_domain) {
        store.note_default_domain(state.id, domain).await.map_err(on.store())?;
    }
    Ok(Environment { now: on.how.now, seed, default_domain })
}
