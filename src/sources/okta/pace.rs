//! Pacing by Okta's own counters: who keeps to a share of the allowance never meets a 429 (okta.md section 7).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::bucket::Bucket;
use super::bucket::Family;
use super::bucket::Figures;
use super::bucket::Share;
use crate::client::Answer;

/// Requests in flight at once: far below the 75 of an org, of which a token has half.
const IN_FLIGHT_MAX: usize = 4;
/// An org that shows so little for its lists (an integrator's) is asked one thing at a time (okta.md section 12).
const SMALL_LIMIT: u64 = 10;

/// The allowances of all principals of this process. Jobs that sign in alike draw from the same, and what a reset said
/// outlives a job that is made anew after a failure.
#[derive(Clone, Default)]
pub struct Allowances(Arc<Mutex<BTreeMap<String, Arc<Pacer>>>>);

impl Allowances {
    /// Those of one principal of one org.
    pub(super) fn of(&self, principal: &str) -> Arc<Pacer> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(principal.to_owned()).or_default().clone()
    }
}

/// Shows how many there are: a principal is nobody's business (P11).
impl std::fmt::Debug for Allowances {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Allowances({})", self.0.lock().unwrap_or_else(PoisonError::into_inner).len())
    }
}

/// One bucket an endpoint family, and how many requests may be in flight.
pub(super) struct Pacer {
    buckets: Mutex<BTreeMap<Family, Bucket>>,
    gate: Mutex<Gate>,
    freed: Notify,
}

#[derive(Debug)]
struct Gate {
    busy: usize,
    most: usize,
}

impl Default for Pacer {
    fn default() -> Pacer {
        let gate = Gate { busy: 0, most: IN_FLIGHT_MAX };
        Pacer { buckets: Mutex::default(), gate: Mutex::new(gate), freed: Notify::new() }
    }
}

impl Pacer {
    /// A place for one request: waits until the family's allowance may be used, and until there is room in flight.
    pub async fn enter(&self, family: Family, share: Share) -> Place<'_> {
        loop {
            let wait = self.buckets().entry(family).or_default().take(share, Instant::now());
            let Err(until) = wait else { break };
            let seconds = until.saturating_duration_since(Instant::now()).as_secs();
            tracing::debug!(allowance = family.name(), seconds, "our share of the allowance is used");
            tokio::time::sleep_until(until).await;
        }
        loop {
            let freed = self.freed.notified();
            if self.gate().enter() {
                return Place(self);
            }
            freed.await;
        }
    }

    /// Remembers what an answer says of its allowance. `jitter` from 0 to 1 spreads who was refused.
    pub fn note(&self, family: Family, answer: &Answer, jitter: f64) {
        let Some(figures) = Figures::of(answer) else { return };
        if family == Family::Apps && figures.limit <= SMALL_LIMIT {
            self.gate().most = 1;
        }
        self.buckets().entry(family).or_default().note(&figures, jitter, Instant::now());
    }

    /// Too many of the org's requests were in flight: half as many of ours from now on.
    pub fn halve(&self) {
        let mut gate = self.gate();
        gate.most = (gate.most / 2).max(1);
        tracing::debug!(in_flight = gate.most, "too many requests at once in this org");
    }

    /// A new run begins with all its hands; what resets say stays.
    pub fn begin(&self) {
        let small = self.shown(Family::Apps).is_some_and(|limit| limit <= SMALL_LIMIT);
        self.gate().most = if small { 1 } else { IN_FLIGHT_MAX };
    }

    /// What Okta shows as the limit of a family, in requests a window.
    pub fn shown(&self, family: Family) -> Option<u64> {
        self.buckets().get(&family).and_then(Bucket::limit)
    }

    /// A poisoned lock only means that somebody panicked elsewhere; counters are whole.
    fn buckets(&self) -> MutexGuard<'_, BTreeMap<Family, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    fn enter(&mut self) -> bool {
        let room = self.busy < self.most;
        self.busy += usize::from(room);
        room
    }
}

/// A request in flight; its room is free when it is dropped.
pub(super) struct Place<'a>(&'a Pacer);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut gate = self.0.gate();
        gate.busy = gate.busy.saturating_sub(1);
        drop(gate);
        self.0.freed.notify_one();
    }
}

/// How long to stand back from a full org (a 429 with a limit of 0): 1 to 5 seconds, at random.
pub(super) fn stand_back(random: f64) -> Duration {
    Duration::from_secs_f64(1.0 + 4.0 * random.clamp(0.0, 1.0))
}

/// 0 to 1. Without randomness (which the system's source practically always gives) the waits are merely less spread.
pub(super) fn random() -> f64 {
    let mut byte = [0];
    match aws_lc_rs::rand::fill(&mut byte) {
        Ok(()) => f64::from(byte[0]) / 255.0,
        Err(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use http::HeaderName;
    use http::HeaderValue;

    fn answer(limit: &'static str, remaining: &'static str, reset: &'static str) -> Answer {
        let headers = [
            ("date", "Thu, 01 Jan 1970 00:01:40 GMT"),
            ("x-rate-limit-limit", limit),
            ("x-rate-limit-remaining", remaining),
            ("x-rate-limit-reset", reset),
        ];
        let headers: HeaderMap = headers
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Answer { status: 200, headers, body: Default::default() }
    }

    fn half() -> Share {
        Share::percent(50).expect("a share")
    }

    #[tokio::test(start_paused = true)]
    async fn the_sixth_of_ten_waits_for_the_reset_and_another_family_does_not() {
        let pacer = Pacer::default();
        let begin = Instant::now();
        for left in ["9", "8", "7", "6", "5"] {
            drop(pacer.enter(Family::Groups, half()).await);
            pacer.note(Family::Groups, &answer("10", left, "130"), 0.0);
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
        drop(pacer.enter(Family::Apps, half()).await);
        assert_eq!(begin.elapsed(), Duration::ZERO);
        drop(pacer.enter(Family::Groups, half()).await);
        assert_eq!(begin.elapsed().as_secs(), 31);
    }

    #[tokio::test(start_paused = true)]
    async fn a_principal_keeps_its_reset_however_often_the_job_is_made() {
        let all = Allowances::default();
        all.of("acme ann").note(Family::Logs, &answer("10", "0", "130"), 0.0);
        let begin = Instant::now();
        drop(all.of("acme bo").enter(Family::Logs, half()).await);
        assert_eq!(begin.elapsed(), Duration::ZERO);
        drop(all.clone().of("acme ann").enter(Family::Logs, half()).await);
        assert_eq!(begin.elapsed().as_secs(), 31);
    }

    #[tokio::test(start_paused = true)]
    async fn half_as_many_are_in_flight_after_a_concurrency_limit_and_one_at_least() {
        let pacer = Pacer::default();
        let mut places = Vec::new();
        for _ in 0..4 {
            places.push(pacer.enter(Family::Groups, half()).await);
        }
        let fifth = || tokio::time::timeout(Duration::from_secs(60), pacer.enter(Family::Groups, half()));
        assert!(fifth().await.is_err());
        pacer.halve();
        pacer.halve();
        pacer.halve();
        places.truncate(1);
        assert!(fifth().await.is_err());
        places.clear();
        let only = fifth().await;
        assert!(only.is_ok());
        assert!(fifth().await.is_err());
        drop(only);
        pacer.begin();
        let (_first, second) = (fifth().await, fifth().await);
        assert!(second.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_small_org_is_asked_one_thing_at_a_time() {
        let pacer = Pacer::default();
        pacer.note(Family::Apps, &answer("10", "9", "130"), 0.0);
        let _first = pacer.enter(Family::Groups, half()).await;
        let second = tokio::time::timeout(Duration::from_secs(60), pacer.enter(Family::Groups, half()));
        assert!(second.await.is_err());
        assert_eq!(pacer.shown(Family::Apps), Some(10));
    }

    #[test]
    fn a_full_org_is_left_alone_for_one_to_five_seconds() {
        assert_eq!(stand_back(0.0).as_secs_f64(), 1.0);
        assert_eq!(stand_back(1.0).as_secs_f64(), 5.0);
        assert!((0.0..=1.0).contains(&random()));
    }
}
