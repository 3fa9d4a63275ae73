//! The daemon: schedule, signals, readiness. The only door to tokio-cron-scheduler.

mod heartbeat;
mod keeper;
mod run;
mod schedule;
mod systemd;

pub use run::DaemonError;
pub use run::Scheduled;
pub use run::run;
pub use run::stop_on_signals;
pub use schedule::Schedule;
pub use schedule::ScheduleError;
pub use schedule::parse_duration;
