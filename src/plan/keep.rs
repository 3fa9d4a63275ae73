//! How long the provisioning log is kept: `24 months`, `400 days`, `forever`.

use std::fmt;

use jiff::Span;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What a cycle of yesterday, its limits (24 hours) and its undo need is never too old.
pub const KEEP_MIN_DAYS: i64 = 7;
/// Longer is a mistake, or forever.
const MONTHS_MAX: i64 = 1200;
const DAYS_MAX: i64 = 36_600;

/// How long entries are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Months(i64),
    Days(i64),
    Forever,
}

impl Default for Keep {
    fn default() -> Keep {
        Keep::Months(24)
    }
}

impl Keep {
    /// `None` where it is no such span, or one that is shorter than a week or longer than a century.
    pub fn read(text: &str) -> Option<Keep> {
        let text = text.trim();
        if text == "forever" {
            return Some(Keep::Forever);
        }
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: i64 = number.parse().ok()?;
        match unit.trim_start() {
            "months" | "month" => (1..=MONTHS_MAX).contains(&number).then_some(Keep::Months(number)),
            "days" | "day" | "d" => {
                (KEEP_MIN_DAYS..=DAYS_MAX).contains(&number).then_some(Keep::Days(number))
            }
            _ => None,
        }
    }

    /// What is older is not kept: that far back by the calendar (UTC). `None`: everything is.
    pub fn before(self, now: Timestamp) -> Option<Timestamp> {
        let span = match self {
            Keep::Months(months) => Span::new().try_months(months),
            Keep::Days(days) => Span::new().try_days(days),
            Keep::Forever => return None,
        };
        now.to_zoned(TimeZone::UTC).checked_sub(span.ok()?).ok().map(|at| at.timestamp())
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Keep::Months(1) => f.write_str("1 month"),
            Keep::Months(months) => write!(f, "{months} months"),
            Keep::Days(days) => write!(f, "{days} days"),
            Keep::Forever => f.write_str("forever"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keep_is_so_many_months_or_days_or_forever() {
        for (text, keep) in [
            ("24 months", Keep::Months(24)),
            ("1 month", Keep::Months(1)),
            ("7 days", Keep::Days(7)),
            ("400d", Keep::Days(400)),
            (" forever ", Keep::Forever),
        ] {
            assert_eq!(Keep::read(text), Some(keep), "{text}");
        }
        for text in [
            "",
            "24",
            "months",
            "6 days",
            "0 months",
            "-1 months",
            "2 years",
            "1.5 months",
            "1201 months",
            "40000 days",
        ] {
            assert_eq!(Keep::read(text), None, "{text}");
        }
        assert_eq!(Keep::default().to_string(), "24 months");
        assert_eq!(Keep::read(&Keep::Months(1).to_string()), Some(Keep::Months(1)));
    }

    #[test]
    fn months_go_back_by_the_calendar() {
        let before = |keep: Keep, now: &str| keep.before(now.parse().unwrap()).map(|at| at.to_string());
        let at = |text: &str| Some(text.to_owned());
        assert_eq!(before(Keep::Months(24), "2026-11-24T10:00:00Z"), at("2024-11-24T10:00:00Z"));
        assert_eq!(before(Keep::Months(1), "2026-03-31T10:00:00Z"), at("2026-02-28T10:00:00Z"));
        assert_eq!(before(Keep::Days(7), "2026-03-03T10:00:00Z"), at("2026-02-24T10:00:00Z"));
        assert_eq!(before(Keep::Forever, "2026-03-03T10:00:00Z"), None);
    }
}
