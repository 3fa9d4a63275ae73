//! Ends a cycle that runs when its job is paused, by whichever process.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::client::Clock;
use crate::store::Store;

/// A pause is felt so soon. One row is read, by its name.
const LOOK: Duration = Duration::from_secs(1);

/// Looks until the job is paused, and cancels the token then. Whoever runs the cycle ends this with it. It looks by real
/// seconds, beside a cycle that may wait by another clock.
pub async fn watch_pause(store: Store, job: String, clock: Clock, stop: CancellationToken) {
    loop {
        tokio::time::sleep(LOOK).await;
        // A state that cannot be read now ends the cycle by itself.
        let Ok(Some(state)) = store.find_job(&job).await else { continue };
        let now = clock.now().as_second();
        if state.paused.is_some_and(|paused| paused.holds(now)) {
            return stop.cancel();
        }
    }
}
