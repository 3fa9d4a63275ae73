//! Times as people write them: a moment, a day, or so long.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

use crate::daemon::parse_duration;

/// A time, or a date (its midnight UTC).
pub fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let date = text.parse::<civil::Date>().ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// A time, or a date (its last second, UTC): as it stood then.
pub fn standing(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let next = text.parse::<civil::Date>().ok()?.tomorrow().ok()?;
    let midnight = next.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Timestamp::from_second(midnight.as_second() - 1).ok()
}

/// `90m`, `2h`, `7d`, `7 days`.
pub fn span(text: &str) -> Option<Duration> {
    let days = text.strip_suffix(" days").or_else(|| text.strip_suffix('d'));
    match days.and_then(|days| days.trim().parse::<u64>().ok()) {
        Some(days) => Some(Duration::from_secs(days.checked_mul(24 * 3600)?)),
        None => parse_duration(text).ok(),
    }
}

/// A moment that is still to come, or so long from now.
pub fn ahead(text: &str, now: Timestamp) -> Result<Timestamp, anyhow::Error> {
    let at = match moment(text) {
        Some(at) => at,
        None => {
            let span = span(text).with_context(|| {
                format!("`{text}` is no time; write 90d, 12h, 2027-01-31 or 2027-01-31T10:00:00Z")
            })?;
            now.checked_add(span)?
        }
    };
    anyhow::ensure!(at > now, "{text} has passed; name a time that is still to come");
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_stands_for_its_end() {
        let at = |text: &str| standing(text).map(|at| at.to_string());
        assert_eq!(at("2026-03-02"), Some("2026-03-02T23:59:59Z".to_owned()));
        assert_eq!(at("2026-03-02T10:00:00Z"), Some("2026-03-02T10:00:00Z".to_owned()));
        assert_eq!(at("7d"), None);
    }

    #[test]
    fn what_is_ahead_is_a_moment_a_day_or_a_span() {
        let now = moment("2026-03-02T10:00:00Z").unwrap();
        for (text, expected) in [
            ("90d", "2026-05-31T10:00:00Z"),
            ("7 days", "2026-03-09T10:00:00Z"),
            ("12h", "2026-03-02T22:00:00Z"),
            ("2027-01-31", "2027-01-31T00:00:00Z"),
            ("2026-03-02T10:00:01Z", "2026-03-02T10:00:01Z"),
        ] {
            assert_eq!(ahead(text, now).unwrap().to_string(), expected);
        }
        for (text, expected) in [
            ("soon", "`soon` is no time; write 90d, 12h, 2027-01-31 or 2027-01-31T10:00:00Z"),
            ("2026-03-02", "2026-03-02 has passed; name a time that is still to come"),
            ("0d", "0d has passed; name a time that is still to come"),
        ] {
            assert_eq!(ahead(text, now).unwrap_err().to_string(), expected);
        }
    }
}
