//! The daemon: schedule, signals, readiness. The only door to tokio-cron-scheduler.

mod schedule;

pub use schedule::Schedule;
pub use schedule::ScheduleError;
pub use schedule::parse_duration;
