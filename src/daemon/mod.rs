//! The daemon: schedule, signals, readiness. The only door to tokio-cron-scheduler.

mod health;
mod heartbeat;
mod keeper;
mod run;
mod schedule;
mod systemd;
mod worker;

pub use health::Health;
pub use run::Daemon;
pub use run::DaemonError;
pub use run::Scheduled;
pub use run::run;
pub use run::stop_on_signals;
pub use schedule::Schedule;
pub use schedule::ScheduleError;
pub use schedule::parse_duration;
pub use worker::Make;
pub use worker::MakeError;
