//! When a job is due: an interval with jitter, or a cron line in a time zone. Pure.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use croner::Cron;
use croner::parser::CronParser;
use croner::parser::Seconds;
use croner::parser::Year;
use jiff::Timestamp;

/// Shorter than this, a cycle would chase its own tail.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
/// Longer than this, a watermark expires between two cycles (Graph keeps delta tokens of users for 7 days).
const INTERVAL_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// Enough to spread many installations, too little to be felt.
const JITTER_SHARE: u32 = 20;

/// When the cycles of a job begin.
#[derive(Clone, Debug)]
pub struct Schedule {
    rhythm: Rhythm,
    jitter: Duration,
}

#[derive(Clone, Debug)]
enum Rhythm {
    /// From one begin to the next. "Every 40 minutes" is no cron line: `*/40` fires at :00 and :40.
    Every(Duration),
    Cron(Box<CronLine>),
}

#[derive(Clone, Debug)]
struct CronLine {
    cron: Cron,
    zone: chrono_tz::Tz,
}

impl Schedule {
    /// `every 40m`, or a cron line of 5 fields (6 with seconds first), in UTC unless it begins with
    /// `CRON_TZ=Area/City`, as in crontab(5). `jitter` is the most that a begin is delayed; `None`: a twentieth of
    /// an interval (2m of 40m), and nothing for a cron line.
    pub fn parse(text: &str, jitter: Option<Duration>) -> Result<Schedule, ScheduleError> {
        let text = text.trim();
        let rhythm = match text.strip_prefix("every ") {
            Some(interval) => Rhythm::Every(parse_interval(interval.trim())?),
            None => Rhythm::Cron(Box::new(parse_cron(text)?)),
        };
        let (usual, most) = match rhythm {
            Rhythm::Every(interval) => (interval / JITTER_SHARE, interval),
            Rhythm::Cron(_) => (Duration::ZERO, INTERVAL_MAX),
        };
        let jitter = jitter.unwrap_or(usual);
        if jitter <= most { Ok(Schedule { rhythm, jitter }) } else { Err(ScheduleError::Jitter) }
    }

    /// When the next cycle is due, given the begin of the last one. Compared with the wall clock at every
    /// heartbeat: after a pause of any length (suspend, a stopped machine) exactly one cycle is caught up.
    ///
    /// | last begin | interval | cron |
    /// |---|---|---|
    /// | never | now | now |
    /// | in the past | last + interval + jitter | first match after last, + jitter |
    /// | in the future (the clock was set back) | now + interval + jitter | first match after now, + jitter |
    ///
    /// `seed` (the job's name) and the last begin choose the jitter, so that jobs spread and answers repeat.
    pub fn due(&self, last: Option<Timestamp>, now: Timestamp, seed: &str) -> Timestamp {
        let Some(last) = last else { return now };
        let jitter = jitter(self.jitter, seed, last);
        let last = last.min(now);
        let next = match &self.rhythm {
            Rhythm::Every(interval) => later(last, *interval),
            Rhythm::Cron(line) => line.after(last).unwrap_or(Timestamp::MAX),
        };
        later(next, jitter)
    }
}

impl CronLine {
    /// The first match after the instant; `None` where the line never matches again. Around a change of the
    /// clocks a fixed time runs once, a repeated one (`*/10`) goes on.
    fn after(&self, instant: Timestamp) -> Option<Timestamp> {
        let start = chrono::DateTime::from_timestamp(instant.as_second(), 0)?.with_timezone(&self.zone);
        let next = self.cron.find_next_occurrence(&start, false).ok()?;
        Timestamp::from_second(next.timestamp()).ok()
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rhythm {
            Rhythm::Every(interval) => write!(f, "every {}", spelled(*interval)),
            Rhythm::Cron(line) => write!(f, "{} ({})", line.cron.as_str(), line.zone),
        }
    }
}

/// `40m`, `1h 30m`, `90s`: what jiff's friendly durations and ISO 8601 allow, without calendar units.
pub fn parse_duration(text: &str) -> Result<Duration, ScheduleError> {
    let wrong = || ScheduleError::Duration { text: text.to_owned() };
    let signed = jiff::SignedDuration::from_str(text).map_err(|_| wrong())?;
    Duration::try_from(signed).map_err(|_| wrong())
}

fn parse_interval(text: &str) -> Result<Duration, ScheduleError> {
    let interval = parse_duration(text)?;
    if (INTERVAL_MIN..=INTERVAL_MAX).contains(&interval) { Ok(interval) } else { Err(ScheduleError::Bounds) }
}

fn parse_cron(text: &str) -> Result<CronLine, ScheduleError> {
    let (zone, line) = match text.strip_prefix("CRON_TZ=") {
        Some(rest) => rest.split_once(char::is_whitespace).ok_or(ScheduleError::Empty)?,
        None => ("UTC", text),
    };
    let zone = chrono_tz::Tz::from_str(zone).map_err(|_| ScheduleError::Zone { zone: zone.to_owned() })?;
    let cron = CronParser::builder()
        .seconds(Seconds::Optional)
        .year(Year::Disallowed)
        .build()
        .parse(line.trim())
        .map_err(|error| ScheduleError::Cron { reason: error.to_string() })?;
    let line = CronLine { cron, zone };
    // A line that never matches (30 February) would be a job that silently never runs.
    line.after(Timestamp::UNIX_EPOCH).ok_or(ScheduleError::Never)?;
    Ok(line)
}

/// Between nothing and `most`, chosen by the seed and the last begin.
pub(super) fn jitter(most: Duration, seed: &str, last: Timestamp) -> Duration {
    let mut hash = blake3::Hasher::new();
    hash.update(seed.as_bytes());
    hash.update(&last.as_nanosecond().to_le_bytes());
    let bytes = hash.finalize();
    let [a, b, c, d, ..] = *bytes.as_bytes();
    let share = f64::from(u32::from_le_bytes([a, b, c, d])) / f64::from(u32::MAX);
    most.mul_f64(share)
}

fn later(instant: Timestamp, by: Duration) -> Timestamp {
    instant.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn spelled(duration: Duration) -> String {
    jiff::SignedDuration::try_from(duration).map_or_else(|_| "-".to_owned(), |signed| format!("{signed:#}"))
}

/// Why a schedule cannot be kept.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("`{text}` is not a duration; write one like 90s, 40m or 1h 30m")]
    Duration { text: String },
    #[error("an interval lies between 1s and 7d (168h)")]
    Bounds,
    #[error("the jitter is longer than the interval; make it shorter")]
    Jitter,
    #[error("no cron line stands after CRON_TZ=…; write one like `CRON_TZ=Europe/Berlin 0 6 * * *`")]
    Empty,
    #[error("`{zone}` is not a time zone; write one like Europe/Berlin")]
    Zone { zone: String },
    #[error(
        "neither `every DURATION` nor a cron line ({reason}); write one like `every 40m` or `0 6 * * 1-5`"
    )]
    Cron { reason: String },
    #[error("this cron line never matches; look at its day and month")]
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The next due time of a schedule without jitter.
    fn due(schedule: &str, last: Option<&str>, now: &str) -> String {
        let schedule = Schedule::parse(schedule, Some(Duration::ZERO)).unwrap();
        schedule.due(last.map(at), at(now), "acme").to_string()
    }

    fn refused(schedule: &str) -> ScheduleError {
        Schedule::parse(schedule, Some(Duration::ZERO)).unwrap_err()
    }

    #[test]
    fn a_job_that_never_ran_is_due_at_once() {
        let now = "2026-03-02T10:00:00Z";
        assert_eq!(due("every 40m", None, now), now);
        assert_eq!(due("0 6 * * *", None, now), now);
    }

    #[test]
    fn an_interval_counts_from_the_last_begin() {
        assert_eq!(
            due("every 40m", Some("2026-03-02T09:50:00Z"), "2026-03-02T10:00:00Z"),
            "2026-03-02T10:30:00Z"
        );
        assert_eq!(
            due("every 1h 30m", Some("2026-03-02T09:50:00Z"), "2026-03-02T10:00:00Z"),
            "2026-03-02T11:20:00Z"
        );
    }

    #[test]
    fn a_long_pause_is_caught_up_once() {
        let schedule = Schedule::parse("every 40m", Some(Duration::ZERO)).unwrap();
        let woken = at("2026-03-09T08:00:00Z");
        assert!(schedule.due(Some(at("2026-03-02T10:00:00Z")), woken, "acme") <= woken);
        // The caught-up cycle began at `woken`: the next one is one interval later, not one of the missed.
        assert_eq!(schedule.due(Some(woken), woken, "acme"), at("2026-03-09T08:40:00Z"));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_silence_a_job() {
        assert_eq!(
            due("every 40m", Some("2027-01-01T00:00:00Z"), "2026-03-02T10:00:00Z"),
            "2026-03-02T10:40:00Z"
        );
        assert_eq!(
            due("0 6 * * *", Some("2027-01-01T00:00:00Z"), "2026-03-02T10:00:00Z"),
            "2026-03-03T06:00:00Z"
        );
    }

    #[test]
    fn a_cron_line_keeps_its_wall_clock_over_the_change_to_summer_time() {
        // Europe/Berlin: UTC+1 until 2026-03-29 01:00 UTC, then UTC+2.
        let line = "CRON_TZ=Europe/Berlin 0 6 * * *";
        assert_eq!(due(line, Some("2026-03-27T10:00:00Z"), "2026-03-27T10:00:00Z"), "2026-03-28T05:00:00Z");
        assert_eq!(due(line, Some("2026-03-28T10:00:00Z"), "2026-03-28T10:00:00Z"), "2026-03-29T04:00:00Z");
    }

    #[test]
    fn a_fixed_time_in_the_repeated_hour_runs_once() {
        // Europe/Berlin: 02:30 happens twice on 2026-10-25, at 00:30 and 01:30 UTC.
        let line = "CRON_TZ=Europe/Berlin 30 2 * * *";
        let first = due(line, Some("2026-10-24T12:00:00Z"), "2026-10-24T12:00:00Z");
        assert_eq!(first, "2026-10-25T00:30:00Z");
        assert_eq!(due(line, Some(&first), &first), "2026-10-26T01:30:00Z");
    }

    #[test]
    fn seconds_may_stand_first() {
        assert_eq!(
            due("*/10 * * * * *", Some("2026-03-02T10:00:03Z"), "2026-03-02T10:00:04Z"),
            "2026-03-02T10:00:10Z"
        );
    }

    #[test]
    fn jitter_delays_by_less_than_its_bound_and_repeats() {
        let schedule = Schedule::parse("every 40m", None).unwrap();
        let last = at("2026-03-02T10:00:00Z");
        let delays: Vec<i64> = ["acme", "globex", "initech"]
            .iter()
            .map(|job| schedule.due(Some(last), last, job).as_second() - last.as_second() - 40 * 60)
            .collect();
        assert!(delays.iter().all(|delay| (0..=120).contains(delay)), "{delays:?}");
        assert!(delays.iter().any(|delay| *delay != delays[0]), "{delays:?}");
        assert_eq!(schedule.due(Some(last), last, "acme"), schedule.due(Some(last), last, "acme"));
    }

    #[test]
    fn what_cannot_be_kept_is_refused_with_its_cure() {
        assert_eq!(refused("every moon"), ScheduleError::Duration { text: "moon".to_owned() });
        assert_eq!(refused("every 0s"), ScheduleError::Bounds);
        assert_eq!(refused("every 200h"), ScheduleError::Bounds);
        assert_eq!(
            refused("CRON_TZ=Mars/Base 0 6 * * *"),
            ScheduleError::Zone { zone: "Mars/Base".to_owned() }
        );
        assert_eq!(refused("0 0 30 2 *"), ScheduleError::Never);
        assert!(refused("sometimes").to_string().contains("every 40m"), "{}", refused("sometimes"));
        let long = Schedule::parse("every 1m", Some(Duration::from_secs(61))).unwrap_err();
        assert_eq!(long, ScheduleError::Jitter);
    }
}
