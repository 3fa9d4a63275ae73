//! One rate-limit bucket: what its headers said, what was used of it, and when it may be used again. Pure.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::Answer;

/// The longest pause. A window lasts about a minute; a reset that is further away is not believed.
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// Whatever our share, the last tenth is for others: a 429 is met by all who share the bucket.
const KEPT_PERCENT: u64 = 10;
/// Who was refused comes back up to so much later, so that not all come back at once.
const JITTER: f64 = 0.2;

/// How much of what Okta shows a job may use: 1 to 100 percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u8);

impl Share {
    /// Half: a token's headers show half of the org's bucket by default, so a quarter of the org's.
    pub const DEFAULT: Share = Share(50);

    /// `None` for what is no share.
    pub fn percent(percent: u8) -> Option<Share> {
        (1..=100).contains(&percent).then_some(Share(percent))
    }

    /// Requests a window: one at least, or nothing would ever be read.
    pub(super) fn of(self, limit: u64) -> u64 {
        (limit.saturating_mul(u64::from(self.0)) / 100).max(1)
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} %", self.0)
    }
}

/// Endpoints that share a bucket: lists have smaller ones than single objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    App,
    Apps,
    Group,
    Groups,
    User,
    Users,
    Logs,
    Other,
}

impl Family {
    pub fn of(path: &str) -> Family {
        let path = path.split_once("/api/v1/").map_or("", |(_, rest)| rest);
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["apps", _] => Family::App,
            ["apps", ..] => Family::Apps,
            ["groups", _] => Family::Group,
            ["groups", ..] => Family::Groups,
            ["users", _] => Family::User,
            ["users", ..] => Family::Users,
            ["logs"] => Family::Logs,
            _ => Family::Other,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Family::App => "apps/{id}",
            Family::Apps => "apps",
            Family::Group => "groups/{id}",
            Family::Groups => "groups",
            Family::User => "users/{id}",
            Family::Users => "users",
            Family::Logs => "logs",
            Family::Other => "other",
        }
    }
}

/// The three headers of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Figures {
    pub limit: u64,
    pub remaining: u64,
    /// Seconds since 1970 by the server's clock.
    reset: i64,
    /// From the answer until then.
    wait: Duration,
    refused: bool,
}

impl Figures {
    /// `None` where a header is missing, and for a limit of 0, which speaks of concurrency and not of a bucket. Without
    /// the server's own `Date` its reset means nothing here.
    pub fn of(answer: &Answer) -> Option<Figures> {
        let limit = smallest(answer, "x-rate-limit-limit").filter(|limit| *limit > 0)?;
        let remaining = smallest(answer, "x-rate-limit-remaining")?;
        let reset = i64::try_from(smallest(answer, "x-rate-limit-reset")?).ok()?;
        // One second more, as both are cut to whole seconds.
        let seconds = u64::try_from(reset - answer.date()?.as_second()).unwrap_or_default() + 1;
        let wait = Duration::from_secs(seconds).min(PAUSE_MAX);
        Some(Figures { limit, remaining, reset, wait, refused: answer.status == 429 })
    }
}

/// Several lines of one header, or several values in one: the smallest is on the safe side.
fn smallest(answer: &Answer, name: &str) -> Option<u64> {
    let lines = answer.headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).filter_map(|number| number.trim().parse().ok()).min()
}

/// Whether a 429 is about requests in flight and not about requests a minute (okta.md section 7).
pub(super) fn is_of_concurrency(answer: &Answer) -> bool {
    answer.status == 429 && smallest(answer, "x-rate-limit-limit") == Some(0)
}

/// What is known of one window of one bucket.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    window: Option<Window>,
    /// By us, in this window.
    used: u64,
}

#[derive(Debug)]
struct Window {
    limit: u64,
    remaining: u64,
    reset: i64,
    ends: Instant,
    over: bool,
}

impl Bucket {
    /// Uses one request of the bucket, or says when it may be used again.
    ///
    /// | | |
    /// |---|---|
    /// | nothing is known, or the window is over | go |
    /// | we have used our share | wait |
    /// | all together have left a tenth or less | wait |
    pub fn take(&mut self, share: Share, now: Instant) -> Result<(), Instant> {
        if let Some(window) = &mut self.window {
            if now >= window.ends && !window.over {
                window.over = true;
                self.used = 0;
            }
            let left = window.remaining.saturating_mul(100) > window.limit.saturating_mul(KEPT_PERCENT);
            if !window.over && (!left || self.used >= share.of(window.limit)) {
                return Err(window.ends);
            }
        }
        self.used += 1;
        Ok(())
    }

    /// Takes over what an answer says. Answers overtake each other: an older window says nothing new, unless it is the
    /// one that refuses us.
    pub fn note(&mut self, figures: &Figures, jitter: f64, now: Instant) {
        // Once its time has come, a window says nothing more: a reset that lay too far away must not outlast it.
        let running = self.window.as_ref().filter(|window| now < window.ends);
        let known = running.map(|window| window.reset);
        if !figures.refused && known.is_some_and(|reset| figures.reset < reset) {
            return;
        }
        if known.is_some_and(|reset| figures.reset > reset) {
            // A new window: nobody has used more of it than all together.
            self.used = self.used.min(figures.limit.saturating_sub(figures.remaining)).max(1);
        }
        let refused = if figures.refused { jitter.clamp(0.0, 1.0) * JITTER } else { 0.0 };
        let ends = now + (figures.wait + figures.wait.mul_f64(refused)).min(PAUSE_MAX);
        let remaining = if figures.refused { 0 } else { figures.remaining };
        let over = false;
        self.window = Some(Window { limit: figures.limit, remaining, reset: figures.reset, ends, over });
    }

    pub fn limit(&self) -> Option<u64> {
        self.window.as_ref().map(|window| window.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use http::HeaderName;
    use http::HeaderValue;

    const HALF: Share = Share::DEFAULT;

    fn answer(status: u16, lines: &[(&'static str, &'static str)]) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("date", HeaderValue::from_static("Thu, 01 Jan 1970 00:01:40 GMT"));
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Answer { status, headers, body: Default::default() }
    }

    fn figures(status: u16, limit: &'static str, remaining: &'static str, reset: &'static str) -> Figures {
        let lines = [
            ("x-rate-limit-limit", limit),
            ("x-rate-limit-remaining", remaining),
            ("x-rate-limit-reset", reset),
        ];
        Figures::of(&answer(status, &lines)).expect("all three headers")
    }

    /// How many more requests go before one has to wait, and for how many seconds.
    #[track_caller]
    fn check(bucket: &mut Bucket, share: Share, now: Instant, expected: (u32, u64)) {
        for went in 0..1000 {
            if let Err(until) = bucket.take(share, now) {
                assert_eq!((went, until.saturating_duration_since(now).as_secs()), expected);
                return;
            }
        }
        panic!("nothing waits");
    }

    fn noted(seen: &Figures) -> (Bucket, Instant) {
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        bucket.take(HALF, now).expect("the first request goes");
        bucket.note(seen, 0.0, now);
        (bucket, now)
    }

    #[test]
    fn a_share_of_what_is_shown_is_used_and_then_the_reset_awaited() {
        let (mut bucket, now) = noted(&figures(200, "50", "49", "130"));
        check(&mut bucket, HALF, now, (24, 31));
        assert!(bucket.take(HALF, now + Duration::from_secs(31)).is_ok(), "the window is over");
        let (mut bucket, now) = noted(&figures(200, "50", "49", "130"));
        check(&mut bucket, Share::percent(80).expect("a share"), now, (39, 31));
    }

    #[test]
    fn a_tenth_is_left_to_others_whoever_used_the_rest() {
        check(&mut noted(&figures(200, "100", "10", "130")).0, HALF, Instant::now(), (0, 30));
        let (mut bucket, now) = noted(&figures(200, "100", "11", "130"));
        check(&mut bucket, HALF, now, (49, 31));
    }

    #[test]
    fn a_share_is_one_request_at_least() {
        let (mut bucket, now) = noted(&figures(200, "1", "1", "130"));
        check(&mut bucket, Share::percent(1).expect("a share"), now, (0, 31));
        assert_eq!(Share::percent(0), None);
        assert_eq!(Share::percent(101), None);
    }

    #[test]
    fn a_refused_request_waits_for_the_reset_and_up_to_a_fifth_more_and_five_minutes_at_most() {
        let now = Instant::now();
        for (reset, jitter, expected) in
            [("110", 0.0, 11), ("109", 1.0, 12), ("90", 0.0, 1), ("100000", 1.0, 300)]
        {
            let mut bucket = Bucket::default();
            bucket.note(&figures(429, "50", "0", reset), jitter, now);
            check(&mut bucket, HALF, now, (0, expected));
        }
    }

    #[test]
    fn a_new_window_forgets_what_was_used_in_the_old_one() {
        let (mut bucket, now) = noted(&figures(200, "50", "49", "130"));
        check(&mut bucket, HALF, now, (24, 31));
        bucket.note(&figures(200, "50", "49", "190"), 0.0, now);
        check(&mut bucket, HALF, now, (24, 91));
        // An answer that was overtaken says nothing of this window.
        bucket.note(&figures(200, "50", "0", "130"), 0.0, now);
        check(&mut bucket, HALF, now, (0, 91));
    }

    #[test]
    fn of_several_values_the_smallest_counts() {
        let lines = [
            ("x-rate-limit-limit", "50"),
            ("x-rate-limit-limit", "40"),
            ("x-rate-limit-remaining", "30"),
            ("x-rate-limit-reset", "130, 120"),
        ];
        let seen = Figures::of(&answer(200, &lines)).expect("all three headers");
        assert_eq!((seen.limit, seen.reset, seen.wait), (40, 120, Duration::from_secs(21)));
    }

    #[test]
    fn a_limit_of_nothing_speaks_of_requests_in_flight() {
        let full = answer(
            429,
            &[("x-rate-limit-limit", "0"), ("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "130")],
        );
        assert!(is_of_concurrency(&full));
        assert_eq!(Figures::of(&full), None);
        assert!(!is_of_concurrency(&answer(429, &[("x-rate-limit-limit", "50")])));
        assert_eq!(Figures::of(&answer(200, &[("x-rate-limit-limit", "x")])), None);
    }

    #[test]
    fn lists_and_single_objects_have_buckets_of_their_own() {
        for (path, name) in [
            ("/api/v1/apps/0oa1", "apps/{id}"),
            ("/api/v1/apps/0oa1/users/00u1", "apps"),
            ("/api/v1/apps/0oa1/group-push/mappings", "apps"),
            ("/api/v1/groups/00g1/users", "groups"),
            ("/api/v1/groups", "groups"),
            ("/api/v1/groups/00g1", "groups/{id}"),
            ("/api/v1/users", "users"),
            ("/api/v1/users/00u1", "users/{id}"),
            ("/api/v1/logs", "logs"),
            ("/api/v1/org", "other"),
            ("/oauth2/v1/token", "other"),
        ] {
            assert_eq!(Family::of(path).name(), name, "{path}");
        }
    }
}
