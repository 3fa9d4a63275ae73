//! The daemon: schedule, signals, readiness. The only door to tokio-cron-scheduler.

mod follow_ups;
mod health;
mod heartbeat;
mod keeper;
mod pause;
mod receiver;
mod reminder;
mod retention;
mod run;
mod schedule;
mod systemd;
mod time;
mod turn;
mod webhook;
mod worker;

pub use follow_ups::FollowUps;
pub use follow_ups::MakeReceiver;
pub use health::Health;
pub use pause::watch_pause;
pub use receiver::Receiver;
pub use receiver::ReceiverSettings;
pub use receiver::Taken;
pub use retention::prune;
pub use retention::prune_before;
pub use run::Daemon;
pub use run::DaemonError;
pub use run::Scheduled;
pub use run::run;
pub use run::stop_on_signals;
pub use schedule::Schedule;
pub use schedule::ScheduleError;
pub use schedule::parse_duration;
pub use turn::Turn;
pub use turn::next_whole;
pub use turn::turn;
pub use webhook::NoWebhookSecret;
pub use webhook::WebhookSecret;
pub use worker::Make;
pub use worker::MakeError;
pub use worker::Stamp;
pub use worker::Worker;
pub use worker::tell_quarantine;

use crate::store::ChainHead;
use crate::store::Store;

/// The end of the log's chain goes where nobody who may write the state can take it back: into the journal of the system,
/// and to whom notifications go.
async fn chain_head(store: &Store) -> Option<ChainHead> {
    store.chain_head().await.ok().flatten()
}
