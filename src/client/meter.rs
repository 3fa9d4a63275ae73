//! How much of a service's allowance a client takes: units in a window, filled up steadily, and less where the
//! service says that it is busy. Pure but for the waiting.
//!
//! | the last answer said of the load | then |
//! |---|---|
//! | nothing, or less than 0.8 | our share |
//! | 0.8 up to 1.0 | half of it, and nothing saved up |
//! | 1.0 and more | one request in a window, until an answer says less |
//! | that its service rests | nothing until then |

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Answer;
use super::Request;

/// From here on half of our share is used.
const BUSY: f64 = 0.8;
/// From here on no new work is begun.
const FULL: f64 = 1.0;
/// A service that asks for more than this is not believed; the repeat of the request itself is bounded too.
const REST_MAX: Duration = Duration::from_secs(120);

/// What a service charges, and how much of it we take.
#[derive(Clone, Debug)]
pub struct Tariff {
    /// Units that we may spend in a window.
    pub units: u64,
    pub window: Duration,
    /// What a request will cost, as far as one can tell beforehand.
    pub cost: fn(&Request) -> u64,
    /// What its answer says of cost and load.
    pub bill: fn(&Request, &Answer) -> Bill,
}

/// What one answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bill {
    /// What the request did cost.
    pub charged: Option<u64>,
    /// How much of the limit is used, where 1.0 is all of it.
    pub load: Option<f64>,
    /// How long a part of the request was told to wait.
    pub rest: Option<Duration>,
}

pub(super) struct Meter {
    tariff: Tariff,
    bucket: Mutex<Bucket>,
    /// Tells those who wait that an answer changed the pace.
    changed: Notify,
    spent: AtomicU64,
}

impl Meter {
    pub(super) fn new(tariff: Tariff) -> Meter {
        let bucket = Bucket::new(tariff.units, tariff.window, Instant::now());
        Meter { tariff, bucket: Mutex::new(bucket), changed: Notify::new(), spent: AtomicU64::new(0) }
    }

    /// Waits until the request may be sent; answers what it was taken to cost.
    pub(super) async fn admit(&self, request: &Request) -> u64 {
        let cost = (self.tariff.cost)(request);
        loop {
            let changed = self.changed.notified();
            let taken = self.bucket().take(cost, Instant::now());
            match taken {
                Ok(()) => break,
                // Whichever comes first.
                Err(at) => drop(tokio::time::timeout_at(at, changed).await),
            }
        }
        self.spent.fetch_add(cost, Ordering::Relaxed);
        cost
    }

    /// Takes in what the answer says. A rejected request is charged as well (graph.md section 7).
    pub(super) fn settle(&self, request: &Request, taken: u64, answer: &Answer) {
        let bill = (self.tariff.bill)(request, answer);
        let charged = bill.charged.unwrap_or(taken);
        self.spent.fetch_add(charged.saturating_sub(taken), Ordering::Relaxed);
        self.spent.fetch_sub(taken.saturating_sub(charged), Ordering::Relaxed);
        let paced = self.bucket().settle(taken, &Bill { charged: Some(charged), ..bill }, Instant::now());
        if let Some(pace) = paced {
            tracing::info!(
                ?pace,
                load = bill.load,
                "the service is busy, or is it no more: {}",
                request.place()
            );
            self.changed.notify_waiters();
        }
    }

    /// More or less to spend: what a service allows may depend on what is found in it.
    pub(super) fn allow(&self, units: u64) {
        self.bucket().allow(units, Instant::now());
        self.changed.notify_waiters();
    }

    /// Units spent so far.
    pub(super) fn spent(&self) -> u64 {
        self.spent.load(Ordering::Relaxed)
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Free,
    Half,
    /// Nothing until then; then one request, which sets the time anew.
    Probing {
        from: Instant,
    },
}

/// Units that are there to be spent. They come back evenly, up to those of one window.
#[derive(Debug)]
struct Bucket {
    units: f64,
    window: Duration,
    level: f64,
    filled: Instant,
    pace: Pace,
    rest_until: Option<Instant>,
}

impl Bucket {
    fn new(units: u64, window: Duration, now: Instant) -> Bucket {
        let units = units.max(1) as f64;
        Bucket { units, window, level: units, filled: now, pace: Pace::Free, rest_until: None }
    }

    /// Takes the units, or says when to ask again.
    fn take(&mut self, cost: u64, now: Instant) -> Result<(), Instant> {
        self.fill(now);
        if let Some(until) = self.rest_until.filter(|until| *until > now) {
            return Err(until);
        }
        if let Pace::Probing { from } = self.pace {
            if from > now {
                return Err(from);
            }
            self.pace = Pace::Probing { from: now + self.window };
        }
        // What costs more than a window has goes when the window is full, and leaves a debt.
        let needed = (cost as f64).min(self.units);
        // Times are whole nanoseconds, so that a level can fall short of what it was waited for by a hair.
        if self.level + 1e-6 < needed {
            let missing = Duration::from_secs_f64((needed - self.level) / self.per_second());
            return Err(now + missing.max(Duration::from_millis(1)));
        }
        self.level -= cost as f64;
        Ok(())
    }

    /// Corrects what was taken, and sets the pace. `Some` where it is another one now.
    fn settle(&mut self, taken: u64, bill: &Bill, now: Instant) -> Option<Pace> {
        self.fill(now);
        let charged = bill.charged.unwrap_or(taken);
        self.level = (self.level + taken as f64 - charged as f64).min(self.units);
        if let Some(rest) = bill.rest {
            let until = now + rest.min(REST_MAX);
            self.rest_until = Some(self.rest_until.map_or(until, |other| other.max(until)));
        }
        let before = self.pace;
        self.pace = match bill.load {
            Some(load) if load >= FULL => Pace::Probing { from: now + self.window },
            Some(load) if load >= BUSY => Pace::Half,
            _ => Pace::Free,
        };
        if self.pace != Pace::Free && before == Pace::Free {
            self.level = self.level.min(0.0);
        }
        (std::mem::discriminant(&before) != std::mem::discriminant(&self.pace)).then_some(self.pace)
    }

    fn allow(&mut self, units: u64, now: Instant) {
        self.fill(now);
        let units = units.max(1) as f64;
        self.level = (self.level + units - self.units).min(units);
        self.units = units;
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.level = (self.level + passed * self.per_second()).min(self.units);
        self.filled = now;
    }

    fn per_second(&self) -> f64 {
        let whole = self.units / self.window.as_secs_f64();
        if self.pace == Pace::Half { whole / 2.0 } else { whole }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(10);

    fn bucket(units: u64) -> (Bucket, Instant) {
        let now = Instant::now();
        (Bucket::new(units, WINDOW, now), now)
    }

    fn load(load: f64) -> Bill {
        Bill { load: Some(load), ..Bill::default() }
    }

    /// Milliseconds until the cost can be taken.
    fn wait(bucket: &mut Bucket, cost: u64, now: Instant) -> u128 {
        match bucket.take(cost, now) {
            Ok(()) => 0,
            Err(until) => (until - now).as_millis(),
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_window_is_spent_at_once_and_comes_back_evenly() {
        let (mut bucket, now) = bucket(100);
        assert_eq!(wait(&mut bucket, 100, now), 0);
        assert_eq!(wait(&mut bucket, 10, now), 1000);
        assert_eq!(wait(&mut bucket, 10, now + seconds(1)), 0);
        assert_eq!(wait(&mut bucket, 1, now + seconds(1)), 100);
        assert_eq!(wait(&mut bucket, 100, now + seconds(60)), 0, "never more than a window");
        assert_eq!(wait(&mut bucket, 1, now + seconds(60)), 100);
    }

    #[test]
    fn what_costs_more_than_a_window_goes_and_leaves_a_debt() {
        let (mut bucket, now) = bucket(10);
        assert_eq!(wait(&mut bucket, 20, now), 0);
        assert_eq!(wait(&mut bucket, 1, now), 11_000);
    }

    #[test]
    fn what_was_charged_counts_and_not_what_was_guessed() {
        let (mut bucket, now) = bucket(100);
        assert_eq!(wait(&mut bucket, 90, now), 0);
        let charged = |units| Bill { charged: Some(units), ..Bill::default() };
        assert_eq!(bucket.settle(90, &charged(40), now), None);
        assert_eq!(wait(&mut bucket, 60, now), 0);
        bucket.settle(60, &charged(80), now);
        assert_eq!(wait(&mut bucket, 1, now), 2_100);
    }

    #[test]
    fn a_busy_service_gets_half_and_nothing_that_was_saved_up() {
        let (mut bucket, now) = bucket(100);
        assert_eq!(bucket.settle(0, &load(0.79), now), None);
        assert_eq!(bucket.settle(0, &load(0.8), now), Some(Pace::Half));
        assert_eq!(wait(&mut bucket, 10, now), 2000);
        assert_eq!(wait(&mut bucket, 10, now + seconds(2)), 0);
        assert_eq!(bucket.settle(10, &load(0.95), now + seconds(2)), None);
        assert_eq!(bucket.settle(10, &Bill::default(), now + seconds(2)), Some(Pace::Free));
        assert_eq!(wait(&mut bucket, 10, now + seconds(2)), 1000);
    }

    #[test]
    fn a_full_service_gets_one_request_a_window_until_it_says_less() {
        let (mut bucket, now) = bucket(100);
        assert!(matches!(bucket.settle(0, &load(1.0), now), Some(Pace::Probing { .. })));
        assert_eq!(wait(&mut bucket, 1, now), 10_000);
        assert_eq!(wait(&mut bucket, 1, now + seconds(10)), 0, "the probe");
        assert_eq!(wait(&mut bucket, 1, now + seconds(11)), 9_000, "and no other");
        assert_eq!(bucket.settle(1, &load(1.8), now + seconds(12)), None);
        assert_eq!(wait(&mut bucket, 1, now + seconds(12)), 10_000);
        assert_eq!(wait(&mut bucket, 1, now + seconds(22)), 0);
        assert_eq!(bucket.settle(1, &Bill::default(), now + seconds(22)), Some(Pace::Free));
        assert_eq!(wait(&mut bucket, 50, now + seconds(22)), 0);
    }

    #[test]
    fn a_rest_that_a_part_was_told_holds_for_all_and_has_a_bound() {
        let (mut bucket, now) = bucket(100);
        let rest = |seconds| Bill { rest: Some(Duration::from_secs(seconds)), ..Bill::default() };
        bucket.settle(0, &rest(3), now);
        bucket.settle(0, &rest(1), now);
        assert_eq!(wait(&mut bucket, 1, now), 3000);
        assert_eq!(wait(&mut bucket, 1, now + seconds(3)), 0);
        bucket.settle(0, &rest(9999), now);
        assert_eq!(wait(&mut bucket, 1, now), 120_000);
    }

    #[test]
    fn an_allowance_can_grow_and_shrink() {
        let (mut bucket, now) = bucket(100);
        assert_eq!(wait(&mut bucket, 100, now), 0);
        bucket.allow(150, now);
        assert_eq!(wait(&mut bucket, 50, now), 0);
        bucket.allow(50, now);
        assert_eq!(wait(&mut bucket, 1, now), 20_200);
    }
}
