//! Once a day the provisioning log loses what is older than `log.keep`, in small transactions.

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::chain_head;
use crate::cycle;
use crate::plan::Keep;
use crate::store::Pruned;
use crate::store::Retention;
use crate::store::Store;
use crate::store::StoreError;

const DAY_SECONDS: i64 = 86_400;

/// Looks at the start and then daily. A failure is told, and tried again the next day.
pub(super) async fn keep_short(
    store: Store,
    keep: Keep,
    mut beats: watch::Receiver<u64>,
    stop: CancellationToken,
    clock: impl Fn() -> Timestamp,
) {
    let mut looked: Option<Timestamp> = None;
    while let Some(Ok(())) = stop.run_until_cancelled(beats.changed()).await {
        let now = clock();
        let due = |at: Timestamp| !(0..DAY_SECONDS).contains(&now.duration_since(at).as_secs());
        if !looked.is_none_or(due) {
            continue;
        }
        looked = Some(now);
        match stop.run_until_cancelled(prune(&store, keep, now, None, None)).await {
            Some(Ok(pruned)) if pruned.entries > 0 => tell(&store, &pruned).await,
            Some(Ok(_)) | None => {}
            Some(Err(error)) => {
                tracing::error!(error = %cycle::chain(&error), "old entries of the log could not be removed");
            }
        }
    }
}

async fn tell(store: &Store, pruned: &Pruned) {
    let chain = chain_head(store).await;
    let chain = chain.as_ref().map(tracing::field::display);
    let until = pruned.newest_second.and_then(|second| Timestamp::from_second(second).ok());
    let until = until.as_ref().map(tracing::field::display);
    tracing::info!(entries = pruned.entries, until, chain, "old entries of the log were removed (log.keep)");
}

/// What is older than this goes; `None`: nothing does.
pub async fn prune_before(
    store: &Store,
    keep: Keep,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let believed = store.believed(now.as_second()).await?;
    Ok(keep.before(Timestamp::from_second(believed).unwrap_or(now)))
}

/// Removes everything that is older, a transaction after the other, so that others can write between two.
pub async fn prune(
    store: &Store,
    keep: Keep,
    now: Timestamp,
    by: Option<String>,
    reason: Option<String>,
) -> Result<Pruned, StoreError> {
    let mut all = Pruned::default();
    let Some(before) = prune_before(store, keep, now).await? else { return Ok(all) };
    let wish = Retention {
        before_second: before.as_second(),
        keep: keep.to_string(),
        by,
        reason,
        now_second: now.as_second(),
    };
    loop {
        let pruned = store.prune(&wish).await?;
        all.entries += pruned.entries;
        all.newest_second = all.newest_second.max(pruned.newest_second);
        all.cycles += pruned.cycles;
        all.decisions += pruned.decisions;
        all.settings += pruned.settings;
        if !pruned.more {
            return Ok(all);
        }
    }
}
