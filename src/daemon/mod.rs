//! The daemon: schedule, signals, readiness. The only door to tokio-cron-scheduler.

mod heartbeat;
mod keeper;
mod schedule;
mod systemd;

pub use schedule::Schedule;
pub use schedule::ScheduleError;
pub use schedule::parse_duration;
