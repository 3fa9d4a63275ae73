//! Tells ahead which tokens end: 30, 14 and 3 days before.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::chain_head;
use crate::cycle;
use crate::store::Store;

const LOOK_SECONDS: i64 = 3600;

/// Looks at the start and then hourly. What was told is told again only in other words, or after a restart.
pub(super) async fn remind(
    store: Store,
    mut beats: watch::Receiver<u64>,
    stop: CancellationToken,
    clock: impl Fn() -> Timestamp,
) {
    let (mut looked, mut told): (Option<Timestamp>, BTreeSet<String>) = (None, BTreeSet::new());
    while let Some(Ok(())) = stop.run_until_cancelled(beats.changed()).await {
        let now = clock();
        let due = |at: Timestamp| !(0..LOOK_SECONDS).contains(&now.duration_since(at).as_secs());
        if !looked.is_none_or(due) {
            continue;
        }
        looked = Some(now);
        match store.tokens().await {
            Ok(tokens) => {
                let notes: BTreeSet<String> = tokens.iter().filter_map(|token| token.note(now)).collect();
                let chain = chain_head(&store).await;
                let chain = chain.as_ref().map(tracing::field::display);
                notes.difference(&told).for_each(|note| tracing::warn!(chain, "{note}"));
                told = notes;
            }
            Err(error) => {
                tracing::error!(error = %cycle::chain(&error), "the tokens cannot be looked at");
            }
        }
    }
}
