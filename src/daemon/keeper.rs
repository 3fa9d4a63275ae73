//! Keeps one job's schedule: at each beat it asks whether the job is due, and runs one cycle at a time.

use std::future::Future;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Schedule;

/// One job's rhythm.
pub(super) struct Keeper {
    pub job: String,
    pub schedule: Schedule,
    /// When its last cycle began, as the state knows it.
    pub last: Option<Timestamp>,
}

impl Keeper {
    /// Runs cycles until it is stopped. The cycle is awaited here, so a second one cannot begin before the
    /// first has ended; a cycle that was due meanwhile begins right after, once.
    ///
    /// `cycle` answers whether it had its turn; one that had not (its job is paused) is asked again at the next beat.
    pub async fn keep<Cycle: Future<Output = bool>>(
        mut self,
        mut beats: watch::Receiver<u64>,
        stop: CancellationToken,
        clock: impl Fn() -> Timestamp,
        mut cycle: impl FnMut(Timestamp) -> Cycle,
    ) {
        loop {
            let now = clock();
            // The clock was set back: the schedule counts from now, or the job would be silent until the clock
            // has come to that time again.
            self.last = self.last.map(|last| last.min(now));
            if !stop.is_cancelled() && self.schedule.due(self.last, now, &self.job) <= now {
                let before = self.last.replace(now);
                if !cycle(now).await {
                    self.last = before;
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                beat = beats.changed() => if beat.is_err() { return },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::Mutex;
    use std::sync::atomic::AtomicI64;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use super::*;

    /// A clock that a test moves, and the seconds at which cycles began.
    struct Bench {
        clock: Arc<AtomicI64>,
        began: Arc<Mutex<Vec<i64>>>,
        beats: watch::Sender<u64>,
        stop: CancellationToken,
    }

    impl Bench {
        fn new() -> Bench {
            Bench {
                clock: Arc::new(AtomicI64::new(1000)),
                began: Arc::default(),
                beats: watch::channel(0).0,
                stop: CancellationToken::new(),
            }
        }

        fn keep(&self, last: Option<i64>, takes: i64) -> impl Future<Output = ()> + use<> {
            let schedule = Schedule::parse("every 10s", Some(Duration::ZERO)).unwrap();
            let last = last.map(|second| Timestamp::from_second(second).unwrap());
            let keeper = Keeper { job: "acme".to_owned(), schedule, last };
            let (clock, began) = (self.clock.clone(), self.began.clone());
            let read = move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap();
            let clock = self.clock.clone();
            keeper.keep(self.beats.subscribe(), self.stop.clone(), read, move |now| {
                began.lock().unwrap().push(now.as_second());
                clock.fetch_add(takes, Ordering::SeqCst);
                async { true }
            })
        }

        /// Moves the clock to each second in turn, beats, and lets the keeper run.
        async fn beat(&self, seconds: impl IntoIterator<Item = i64>) {
            for second in seconds {
                self.clock.store(second, Ordering::SeqCst);
                self.beats.send_modify(|count| *count += 1);
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
            }
        }

        fn began(&self) -> Vec<i64> {
            self.began.lock().unwrap().clone()
        }
    }

    #[tokio::test]
    async fn a_due_cycle_runs_at_start_and_then_by_the_interval() {
        let bench = Bench::new();
        let keeping = tokio::spawn(bench.keep(Some(500), 0));
        tokio::task::yield_now().await;
        bench.beat(1001..1025).await;
        assert_eq!(bench.began(), [1000, 1010, 1020]);
        bench.stop.cancel();
        keeping.await.unwrap();
    }

    #[tokio::test]
    async fn a_cycle_that_is_not_due_waits_over_a_restart() {
        let bench = Bench::new();
        let keeping = tokio::spawn(bench.keep(Some(995), 0));
        tokio::task::yield_now().await;
        bench.beat(1001..1010).await;
        assert_eq!(bench.began(), [1005]);
        bench.stop.cancel();
        keeping.await.unwrap();
    }

    #[tokio::test]
    async fn a_job_that_had_no_turn_is_asked_again_at_the_next_beat() {
        let bench = Bench::new();
        let schedule = Schedule::parse("every 10s", Some(Duration::ZERO)).unwrap();
        let keeper = Keeper { job: "acme".to_owned(), schedule, last: Timestamp::from_second(990).ok() };
        let (clock, asked) = (bench.clock.clone(), bench.began.clone());
        let read = move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap();
        // It is paused until 1003.
        let keeping =
            tokio::spawn(keeper.keep(bench.beats.subscribe(), bench.stop.clone(), read, move |now| {
                asked.lock().unwrap().push(now.as_second());
                async move { now.as_second() >= 1003 }
            }));
        tokio::task::yield_now().await;
        bench.beat(1001..1015).await;
        assert_eq!(bench.began(), [1000, 1001, 1002, 1003, 1013]);
        bench.stop.cancel();
        keeping.await.unwrap();
    }

    #[tokio::test]
    async fn a_long_pause_is_caught_up_by_one_cycle() {
        let bench = Bench::new();
        let keeping = tokio::spawn(bench.keep(None, 0));
        tokio::task::yield_now().await;
        bench.beat([1001, 9000, 9001, 9009, 9010]).await;
        assert_eq!(bench.began(), [1000, 9000, 9010]);
        bench.stop.cancel();
        keeping.await.unwrap();
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_does_not_silence_the_job() {
        let bench = Bench::new();
        let keeping = tokio::spawn(bench.keep(Some(90_000), 0));
        tokio::task::yield_now().await;
        bench.beat(1001..1022).await;
        assert_eq!(bench.began(), [1010, 1020]);
        bench.beat([500, 509, 510]).await;
        assert_eq!(bench.began(), [1010, 1020, 510]);
        bench.stop.cancel();
        keeping.await.unwrap();
    }

    #[tokio::test]
    async fn a_cycle_longer_than_its_interval_is_followed_by_one_not_two() {
        let bench = Bench::new();
        let keeping = tokio::spawn(bench.keep(None, 35));
        tokio::task::yield_now().await;
        bench.beat([1036, 1037]).await;
        // The second began at 1036 and took 35 s as well; 1037 is before its next due time.
        assert_eq!(bench.began(), [1000, 1036]);
        bench.stop.cancel();
        keeping.await.unwrap();
    }
}
