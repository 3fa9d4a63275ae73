//! The daemon: schedule, signals, readiness. The only door to tokio-cron-scheduler.

mod follow_ups;
mod health;
mod heartbeat;
mod keeper;
mod receiver;
mod reminder;
mod run;
mod schedule;
mod systemd;
mod webhook;
mod worker;

pub use follow_ups::FollowUps;
pub use follow_ups::MakeReceiver;
pub use health::Health;
pub use receiver::Receiver;
pub use receiver::ReceiverSettings;
pub use receiver::Taken;
pub use run::Daemon;
pub use run::DaemonError;
pub use run::Scheduled;
pub use run::run;
pub use run::stop_on_signals;
pub use schedule::Schedule;
pub use schedule::ScheduleError;
pub use schedule::parse_duration;
pub use webhook::NoWebhookSecret;
pub use webhook::WebhookSecret;
pub use worker::Make;
pub use worker::MakeError;
