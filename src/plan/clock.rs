//! Whether the clock can be believed where time alone would remove somebody (P17).

use jiff::Timestamp;

use super::Hold;
use super::HoldKind;
use super::write_span;

/// What a job remembers of the clock, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockSeen {
    /// The highest time that was believed.
    pub believed: Option<i64>,
    /// What the last cycle was shown.
    pub last: Option<i64>,
    /// A jump that is not believed yet: where it led.
    pub jumped: Option<i64>,
}

/// What one look at the clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockLook {
    pub seen: ClockSeen,
    pub doubt: Option<Doubt>,
    /// It shows less than it showed to the last cycle: what was decided with that time is decided again.
    pub went_back: bool,
}

/// Why the clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    Behind {
        shows: i64,
        believed: i64,
    },
    Jumped {
        from: i64,
        to: i64,
        until: i64,
    },
    /// A service that answered shows another time.
    Departs {
        shows: i64,
        theirs: Theirs,
    },
}

/// What time it is at a service that the cycle spoke to, by the `Date` of its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theirs {
    pub second: i64,
    /// `source` or `target`.
    pub whose: &'static str,
}

/// A jump is believed once the clock has run on from there, in steps, for as long as a jump may be: whoever is away
/// for a month is not, for a while; whoever starts in the wrong year has that while to put it right.
///
/// | the clock shows | then |
/// |---|---|
/// | more than `jump_max_seconds` more or less than `theirs` | doubted; nothing of it is believed |
/// | nothing was seen before | believed |
/// | less than was believed | doubted until it is past that |
/// | at most `jump_max_seconds` more than was believed | believed |
/// | more, for the first time, or by another jump | doubted |
/// | more, and it has run on for `jump_max_seconds` since | believed |
pub fn look(seen: ClockSeen, now: i64, theirs: Option<Theirs>, jump_max_seconds: i64) -> ClockLook {
    let went_back = seen.last.is_some_and(|last| now < last);
    if let Some(theirs) = theirs.filter(|theirs| theirs.departure(now) > jump_max_seconds) {
        let doubt = Some(Doubt::Departs { shows: now, theirs });
        return ClockLook { seen: ClockSeen { last: Some(now), ..seen }, doubt, went_back };
    }
    let stepped = seen.last.is_some_and(|last| !went_back && now.saturating_sub(last) <= jump_max_seconds);
    let believed = |at| ClockSeen { believed: Some(at), last: Some(now), jumped: None };
    let (seen, doubt) = match (seen.believed, seen.jumped.filter(|_| stepped)) {
        (None, _) => (believed(now), None),
        (Some(was), _) if now < was => (believed(was), Some(Doubt::Behind { shows: now, believed: was })),
        (Some(was), _) if now.saturating_sub(was) <= jump_max_seconds => (believed(now), None),
        (Some(_), Some(to)) if now.saturating_sub(to) >= jump_max_seconds => (believed(now), None),
        (Some(was), jumped) => {
            let to = jumped.unwrap_or(now);
            let doubt = Doubt::Jumped { from: was, to, until: to.saturating_add(jump_max_seconds) };
            (ClockSeen { believed: Some(was), last: Some(now), jumped: Some(to) }, Some(doubt))
        }
    };
    ClockLook { seen, doubt, went_back }
}

impl Theirs {
    /// How many seconds lie between this and our time.
    pub fn departure(self, now: i64) -> i64 {
        self.second.saturating_sub(now).saturating_abs()
    }
}

impl Doubt {
    /// What is said beside a removal that time alone causes.
    pub fn hold(self, job: &str, jump_max_seconds: i64) -> Hold {
        let text = match self {
            Doubt::Behind { shows, believed } => format!(
                "the clock shows {}, and showed {} before; what time alone removes waits until it is past that, or is \
                 approved",
                told(shows),
                told(believed)
            ),
            Doubt::Jumped { from, to, until } => format!(
                "the clock jumped from {} to {}, by more than {} (jobs.{job}.limits.clock_jump); what time alone removes \
                 waits until it has run on to {}, or is approved",
                told(from),
                told(to),
                write_span(jump_max_seconds),
                told(until)
            ),
            Doubt::Departs { shows, theirs } => format!(
                "the clock shows {}, and the {} shows {}, which is more than {} apart (jobs.{job}.limits.clock_jump); what \
                 time alone removes waits until they agree, or is approved",
                told(shows),
                theirs.whose,
                told(theirs.second),
                write_span(jump_max_seconds)
            ),
        };
        Hold { kind: HoldKind::Clock, text }
    }
}

/// To the second, in UTC.
fn told(second: i64) -> String {
    Timestamp::from_second(second).map_or_else(|_| format!("{second} s"), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;

    /// Looks one after another, in hours, with a jump of at most 24: `ok`, `behind` or `jumped`, and `<` where the clock
    /// went back.
    fn looks(hours: &[i64]) -> String {
        let mut seen = ClockSeen::default();
        let mut told = Vec::new();
        for hour in hours {
            let look = look(seen, hour * HOUR, None, 24 * HOUR);
            seen = look.seen;
            let word = match look.doubt {
                None => "ok",
                Some(Doubt::Behind { .. }) => "behind",
                Some(Doubt::Jumped { .. }) => "jumped",
                Some(Doubt::Departs { .. }) => "departs",
            };
            told.push(format!("{word}{}", if look.went_back { "<" } else { "" }));
        }
        told.join(" ")
    }

    /// P17: the highest time seen is kept; where the local clock jumps, time alone removes nobody.
    #[test]
    fn the_clock_is_believed_while_it_runs_on() {
        assert_eq!(looks(&[100, 101, 125, 149]), "ok ok ok ok");
        assert_eq!(looks(&[100, 99, 98, 100, 101]), "ok behind< behind< ok ok");
        assert_eq!(looks(&[100, 125, 126]), "ok jumped jumped");
    }

    #[test]
    fn a_jump_is_believed_when_the_clock_has_run_on_from_there_for_as_long() {
        assert_eq!(looks(&[100, 500, 510, 523, 524, 525]), "ok jumped jumped jumped ok ok");
    }

    #[test]
    fn a_clock_that_is_put_right_leaves_no_doubt() {
        assert_eq!(looks(&[100, 90_000, 90_001, 101, 102]), "ok jumped jumped ok< ok");
    }

    #[test]
    fn a_second_jump_does_not_confirm_the_first() {
        assert_eq!(looks(&[100, 500, 90_000, 90_001]), "ok jumped jumped jumped");
        assert_eq!(looks(&[100, 90_000, 500, 501, 524]), "ok jumped jumped< jumped ok");
    }

    /// P17: where the local clock departs from the servers' `Date`, time alone removes nobody, and what it shows is not
    /// kept: a clock that was years ahead for one cycle is no reason to doubt the right one afterwards.
    #[test]
    fn a_clock_that_departs_from_the_services_is_not_believed() {
        let believed = look(ClockSeen::default(), 100 * HOUR, None, 24 * HOUR).seen;
        let theirs = |hour: i64| Some(Theirs { second: hour * HOUR, whose: "source" });
        for (ours, theirs, doubted) in [
            (101, theirs(101), false),
            (101, theirs(101 - 24), false),
            (101, theirs(101 - 25), true),
            (101, theirs(101 + 25), true),
            (90_000, theirs(101), true),
        ] {
            let look = look(believed, ours * HOUR, theirs, 24 * HOUR);
            let departs = matches!(look.doubt, Some(Doubt::Departs { .. }));
            assert_eq!(departs, doubted, "{ours} {theirs:?}");
            let kept = if doubted { believed.believed } else { Some(ours * HOUR) };
            assert_eq!(look.seen.believed, kept, "{ours} {theirs:?}");
        }
        let first = look(ClockSeen::default(), 90_000 * HOUR, theirs(100), 24 * HOUR);
        assert_eq!(first.seen.believed, None);
        assert_eq!(look(first.seen, 100 * HOUR, theirs(100), 24 * HOUR).doubt, None, "put right");
    }

    #[test]
    fn the_hold_names_the_times_and_the_setting() {
        let theirs = Theirs { second: 0, whose: "target" };
        let hold = Doubt::Departs { shows: 90_000, theirs }.hold("acme", 24 * HOUR);
        assert_eq!(
            hold.text,
            "the clock shows 1970-01-02T01:00:00Z, and the target shows 1970-01-01T00:00:00Z, which is more than 1d apart \
             (jobs.acme.limits.clock_jump); what time alone removes waits until they agree, or is approved"
        );
        let hold = Doubt::Jumped { from: 0, to: 90_000, until: 176_400 }.hold("acme", 24 * HOUR);
        assert_eq!(
            hold.text,
            "the clock jumped from 1970-01-01T00:00:00Z to 1970-01-02T01:00:00Z, by more than 1d \
             (jobs.acme.limits.clock_jump); what time alone removes waits until it has run on to 1970-01-03T01:00:00Z, or \
             is approved"
        );
        let hold = Doubt::Behind { shows: 0, believed: 60 }.hold("acme", HOUR);
        assert!(
            hold.text
                .starts_with("the clock shows 1970-01-01T00:00:00Z, and showed 1970-01-01T00:01:00Z before")
        );
    }
}
