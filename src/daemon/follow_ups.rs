//! Brings the follow-ups of a workspace to their receiver, at least once, and tells when they are stuck.
//!
//! An attempt is noted before it is sent, so a crash repeats it under the same `webhook-id` and loses nothing. Each
//! workspace has a task of its own: a receiver that is slow holds up neither pull cycles nor other workspaces.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Health;
use super::chain_head;
use super::receiver::Receiver;
use super::receiver::Taken;
use super::schedule::jitter;
use super::worker::MakeError;
use crate::cycle;
use crate::store::Delivery;
use crate::store::FollowUp;
use crate::store::Rhythm;
use crate::store::Store;
use crate::store::StoreError;

/// How often it is looked at what is overdue.
const LOOK_SECONDS: i64 = 60;

/// Makes a receiver of its settings: secrets and files are read, nothing is sent.
pub type MakeReceiver = Arc<dyn Fn() -> Result<Receiver, MakeError> + Send + Sync>;

/// The follow-ups of one workspace.
pub struct FollowUps {
    pub workspace: String,
    pub rhythm: Rhythm,
    /// What is open so long after it was to go out is told.
    pub overdue: Duration,
    /// Without one they wait for a person.
    pub receiver: Option<MakeReceiver>,
}

/// The one who brings them.
pub(super) struct Courier {
    what: FollowUps,
    store: Store,
    health: Health,
    /// Kept until a delivery fails: then a secret may have been replaced.
    made: Option<Receiver>,
    /// The receiver is away: nobody knocks before this.
    rests_until: Timestamp,
    looked: Option<Timestamp>,
    told_overdue: u64,
}

impl Courier {
    pub fn new(what: FollowUps, store: Store, health: Health) -> Courier {
        let rests_until = Timestamp::MIN;
        Courier { what, store, health, made: None, rests_until, looked: None, told_overdue: 0 }
    }

    /// At each beat: what is due goes out. What a stop interrupts has been noted, and is repeated.
    pub async fn attend(
        mut self,
        mut beats: watch::Receiver<u64>,
        stop: CancellationToken,
        clock: impl Fn() -> Timestamp,
    ) {
        while let Some(Ok(())) = stop.run_until_cancelled(beats.changed()).await {
            let Some(done) = stop.run_until_cancelled(self.round(&clock)).await else { return };
            if let Err(error) = done {
                let workspace = &self.what.workspace;
                tracing::error!(%workspace, error = %cycle::chain(&error), "follow-ups cannot be looked at");
            }
        }
    }

    async fn round(&mut self, clock: &impl Fn() -> Timestamp) -> Result<(), StoreError> {
        self.look(clock()).await?;
        if self.what.receiver.is_none() || self.rests(clock()) {
            return Ok(());
        }
        while let Some(n) = self.store.due_follow_up(&self.what.workspace, self.what.rhythm, clock()).await? {
            if !self.deliver(n, clock).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A clock that was set back must not make this a rest of years.
    fn rests(&self, now: Timestamp) -> bool {
        now < self.rests_until && self.rests_until <= later(now, self.what.rhythm.retry)
    }

    /// Whether the next one may follow at once.
    async fn deliver(&mut self, n: i64, clock: &impl Fn() -> Timestamp) -> Result<bool, StoreError> {
        let now = clock();
        let rhythm = self.what.rhythm;
        if !self.make(now) {
            return Ok(false);
        }
        let Some(receiver) = &self.made else { return Ok(false) };
        let Some(follow_up) = self.store.begin_delivery(n, later(now, rhythm.retry)).await? else {
            return Ok(true);
        };
        let chain = chain_head(&self.store).await;
        let taken = receiver.send(&follow_up, chain.as_ref(), now).await;
        let now = clock();
        let (delivery, goes_on) = match taken {
            Taken::Acknowledged => (Delivery::Acknowledged, true),
            Taken::Yes => (Delivery::Taken, true),
            Taken::No { why, asked, is_away } => {
                self.made = None;
                if is_away {
                    self.rests_until = later(now, rhythm.retry);
                }
                let wait = wait(rhythm, &follow_up, now).max(asked.unwrap_or_default()).min(rhythm.retry_max);
                (Delivery::Failed { why, due: later(now, wait) }, !is_away)
            }
        };
        self.tell(&follow_up, &delivery);
        self.store.end_delivery(n, delivery, now).await?;
        Ok(goes_on)
    }

    /// Whether there is a receiver to send to.
    fn make(&mut self, now: Timestamp) -> bool {
        let (None, Some(make)) = (&self.made, &self.what.receiver) else { return true };
        match make() {
            Ok(receiver) => self.made = Some(receiver),
            Err(error) => {
                let (workspace, error) = (&self.what.workspace, cycle::chain(error.as_ref()));
                tracing::error!(%workspace, %error, "follow-ups cannot be sent; it is tried again");
                self.rests_until = later(now, self.what.rhythm.retry);
            }
        }
        self.made.is_some()
    }

    fn tell(&self, follow_up: &FollowUp, delivery: &Delivery) {
        let (workspace, id, attempt) = (&self.what.workspace, &follow_up.id, follow_up.attempts);
        match delivery {
            Delivery::Acknowledged => tracing::info!(%workspace, %id, attempt, "follow-up acknowledged"),
            Delivery::Taken => tracing::info!(%workspace, %id, attempt, "follow-up delivered"),
            Delivery::Failed { why, due } => {
                tracing::warn!(%workspace, %id, attempt, again = %due, "follow-up not delivered: {why}");
            }
        }
    }

    async fn look(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let due = |at: Timestamp| !(0..LOOK_SECONDS).contains(&now.duration_since(at).as_secs());
        if !self.looked.is_none_or(due) {
            return Ok(());
        }
        self.looked = Some(now);
        let after = self.what.overdue.saturating_add(self.what.rhythm.delay);
        let overdue = self.store.follow_up_counts(&self.what.workspace, after, now).await?.overdue;
        self.health.note_overdue(&self.what.workspace, overdue);
        if overdue > self.told_overdue {
            let workspace = &self.what.workspace;
            tracing::warn!(%workspace, overdue, "follow-ups are overdue; see `rosterd workspace follow-ups`");
        }
        self.told_overdue = overdue;
        Ok(())
    }
}

/// Doubling, with half of it left to chance: many that failed together do not come back together.
fn wait(rhythm: Rhythm, follow_up: &FollowUp, now: Timestamp) -> Duration {
    let doublings = follow_up.attempts.saturating_sub(1);
    let longest = rhythm.retry.saturating_mul(2_u32.saturating_pow(doublings)).min(rhythm.retry_max);
    longest / 2 + jitter(longest / 2, &follow_up.id, now)
}

fn later(instant: Timestamp, by: Duration) -> Timestamp {
    instant.saturating_add(by).unwrap_or(Timestamp::MAX)
}
