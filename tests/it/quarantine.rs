//! A job that mostly fails is slowed down and said so; weeks are played in a second, by the one clock, with the real client.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use rosterd::client::Clock;
use rosterd::client::Secret;
use rosterd::cycle::Job;
use rosterd::daemon::Health;
use rosterd::daemon::Schedule;
use rosterd::daemon::Scheduled;
use rosterd::daemon::Worker;
use rosterd::plan::CycleRecord;
use rosterd::plan::Quarantine;
use rosterd::store::ByHand;
use rosterd::store::JobState;
use rosterd::store::Restart;
use rosterd::store::Retry;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;
use tokio_util::sync::CancellationToken;

use crate::support::scim_service::Mood;
use crate::support::scim_service::ScimService;
use crate::support::story::Stage;

const JOB: &str = "story";

/// A job over the file source into a service over HTTP, kept by the daemon's worker on a clock that is played.
struct Weeks {
    stage: Stage,
    service: ScimService,
    clock: Clock,
    schedule: Schedule,
    worker: Arc<Worker>,
    last: Option<Timestamp>,
}

impl Weeks {
    async fn start(people: usize) -> Weeks {
        let mut stage = Stage::new();
        let service = ScimService::start().await;
        for n in 1..=people {
            stage.command(&format!("person u{n} p{n}@x.example P{n} Lee")).await;
        }
        let app: Vec<String> = (1..=people).map(|n| format!("u{n}")).collect();
        stage.command(&format!("app {}", app.join(" "))).await;
        // The text is set, and the job may write.
        stage.plan().await;
        let clock = Clock::played(stage.now());
        let target = RemoteTarget::new(RemoteSettings {
            clock: clock.clone(),
            ..RemoteSettings::new(service.root.parse().unwrap(), vec![Secret::new("a token")])
        });
        stage.target = Arc::new(target.unwrap());
        let schedule = Schedule::parse("every 40m", Some(Duration::ZERO)).unwrap();
        let job: Job = stage.job();
        let scheduled = Scheduled {
            name: JOB.to_owned(),
            schedule: schedule.clone(),
            quarantine: job.limits.quarantine,
            make: Arc::new(move || Ok(job.clone())),
            stamp: Arc::new(|| 0),
        };
        let (health, stop) = (Health::default(), CancellationToken::new());
        let worker = Arc::new(Worker::new(scheduled, stage.store.clone(), health, stop, clock.clone()));
        Weeks { stage, service, clock, schedule, worker, last: None }
    }

    /// The next time that the job is due: waits for it, and does what the daemon does then.
    async fn turn(&mut self) -> bool {
        self.clock.sleep_until(self.schedule.due(self.last, self.clock.now(), JOB)).await;
        let now = self.clock.now();
        let had = self.worker.clone().cycle(now).await;
        if had {
            self.last = Some(now);
        }
        had
    }

    async fn until(&mut self, end: Timestamp) {
        while self.schedule.due(self.last, self.clock.now(), JOB) < end {
            self.turn().await;
        }
    }

    async fn state(&self) -> JobState {
        self.stage.store.job(JOB).await.unwrap()
    }

    async fn quarantine(&self) -> Option<Quarantine> {
        self.state().await.quarantine
    }

    /// The begins of the whole cycles, in minutes since the first.
    async fn cycles(&self) -> Vec<i64> {
        let rows = self.stage.store.cycles(None, 10_000).await.unwrap();
        let begun: Vec<i64> = rows.iter().rev().map(|row| row.started_second).collect();
        begun.iter().map(|second| (second - begun[0]) / 60).collect()
    }

    async fn newest(&self) -> CycleRecord {
        let rows = self.stage.store.cycles(None, 1).await.unwrap();
        serde_json::from_str(rows[0].record.as_deref().unwrap()).unwrap()
    }
}

fn by_hand() -> ByHand {
    ByHand { who: "ann".to_owned(), reason: "mended".to_owned(), now_second: 0 }
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// Section 10 of the reference: credentials count at once; the frequency falls step by step to once a day. Where the
/// reference disables the job after four weeks, ours goes on; and what a probe finds right again ends it at once.
#[tokio::test]
async fn a_refused_token_slows_down_to_daily_for_weeks_and_the_first_probe_that_goes_well_ends_it() {
    let mut weeks = Weeks::start(3).await;
    weeks.service.mood(Mood::TokenRefused);
    let start = weeks.clock.now();
    weeks.turn().await;
    let quarantine = weeks.quarantine().await.expect("at once");
    assert_eq!(quarantine.reason.word(), "EncounteredQuarantineException");
    assert_eq!(quarantine.error.code.word(), "Unauthorized");
    assert!(quarantine.error.tenant_actionable);

    weeks.service.requests();
    weeks.until(start + days(30)).await;
    let cycles = weeks.cycles().await;
    assert_eq!(cycles[..6], [0, 80, 240, 560, 1_200, 2_480], "each pause is twice the one before");
    let steps: Vec<i64> = cycles[5..].windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| *step == 1_440), "then daily, also after four weeks: {steps:?}");
    let quarantine = weeks.quarantine().await.unwrap();
    assert_eq!(quarantine.series_began, start.as_second());
    assert_eq!(quarantine.series_count as usize, cycles.len());
    assert!(quarantine.too_long(weeks.clock.now().as_second()));
    // Each of the 36 due times of a day asks the target, by a probe or a cycle.
    assert!(weeks.service.requests() >= 30 * 36 - 2);

    weeks.service.mood(Mood::Fine);
    let before = weeks.clock.now();
    weeks.turn().await;
    assert!(
        weeks.clock.now().duration_since(before) <= SignedDuration::from_mins(40),
        "at the next regular time"
    );
    assert_eq!(weeks.quarantine().await, None);
    assert_eq!(weeks.service.people(), ["p1@x.example", "p2@x.example", "p3@x.example"]);
}

#[tokio::test]
async fn a_service_that_is_away_counts_when_it_lasts_and_a_page_for_people_at_once() {
    let mut weeks = Weeks::start(3).await;
    weeks.service.mood(Mood::Away);
    for _ in 0..4 {
        weeks.turn().await;
        assert_eq!(weeks.quarantine().await, None);
    }
    weeks.turn().await;
    let quarantine = weeks.quarantine().await.expect("the fifth in a row");
    assert_eq!(quarantine.error.code.word(), "InternalServerError");
    assert!(!quarantine.error.tenant_actionable);
    weeks.service.mood(Mood::Fine);
    weeks.turn().await;
    assert_eq!((weeks.quarantine().await, weeks.state().await.failed_cycles), (None, 0));

    let mut weeks = Weeks::start(3).await;
    weeks.service.mood(Mood::NotScim);
    weeks.turn().await;
    let quarantine = weeks.quarantine().await.expect("at once");
    assert_eq!(quarantine.error.code.word(), "SystemForCrossDomainIdentityManagementServiceIncompatible");
}

/// The reference begins to judge proportions at 5 000 failures; small tenants never get there. Ours begins at ten.
#[tokio::test]
async fn most_changes_of_a_small_tenant_failing_is_a_quarantine_that_a_good_cycle_ends() {
    let mut weeks = Weeks::start(12).await;
    weeks.service.mood(Mood::WritesRefused);
    weeks.turn().await;
    let quarantine = weeks.quarantine().await.expect("12 of 12 failed");
    assert_eq!(quarantine.reason.word(), "EncounteredEscrowProportionThreshold");
    assert!(
        quarantine.error.message.contains("12 of 12 changes failed, in the first load"),
        "{quarantine:?}"
    );
    assert_eq!(weeks.newest().await.quarantine, Some(quarantine));

    // A probe goes well, and proves nothing; neither does a cycle in which nothing was due.
    weeks.service.mood(Mood::Fine);
    let imposed = weeks.clock.now();
    weeks.until(imposed + SignedDuration::from_hours(5)).await;
    assert!(weeks.quarantine().await.is_some());
    assert_eq!(weeks.service.people(), [""; 0]);
    // What failed is due after six hours, and the next whole cycle tries it.
    weeks.until(imposed + SignedDuration::from_hours(24)).await;
    assert_eq!(weeks.quarantine().await, None);
    assert_eq!(weeks.service.people().len(), 12);
}

#[tokio::test]
async fn nine_failures_are_no_quarantine() {
    let mut weeks = Weeks::start(9).await;
    weeks.service.mood(Mood::WritesRefused);
    weeks.turn().await;
    assert_eq!((weeks.quarantine().await, weeks.newest().await.failures()), (None, 9));
}

#[tokio::test]
async fn a_quarantine_outlives_the_process_and_ends_by_a_restart() {
    let mut weeks = Weeks::start(12).await;
    weeks.service.mood(Mood::WritesRefused);
    weeks.turn().await;
    let job = weeks.state().await.id;
    let job_again = weeks.stage.job();
    let make: rosterd::daemon::Make = Arc::new(move || Ok(job_again.clone()));
    let scheduled = Scheduled {
        name: JOB.to_owned(),
        schedule: weeks.schedule.clone(),
        quarantine: weeks.stage.limits.quarantine,
        make,
        stamp: Arc::new(|| 0),
    };
    let (store, stop) = (weeks.stage.store.clone(), CancellationToken::new());
    weeks.worker = Arc::new(Worker::new(scheduled, store, Health::default(), stop, weeks.clock.clone()));
    weeks.turn().await;
    assert_eq!(weeks.cycles().await.len(), 1, "only a probe");
    weeks.service.mood(Mood::Fine);
    let what = Restart { quarantine: true, escrow: true, ..Restart::default() };
    let restarted = weeks.stage.store.restart(job, what, by_hand()).await.unwrap();
    assert_eq!((restarted.quarantine, restarted.escrow), (true, 12));
    weeks.turn().await;
    assert_eq!(weeks.service.people().len(), 12);
}

#[tokio::test]
async fn retry_and_a_cycle_by_hand_end_it_as_well() {
    let mut weeks = Weeks::start(12).await;
    weeks.service.mood(Mood::WritesRefused);
    weeks.turn().await;
    weeks.service.mood(Mood::Fine);
    let job = weeks.state().await.id;
    assert_eq!(weeks.stage.store.retry(job, Retry::All, by_hand()).await.unwrap(), 12);
    weeks.stage.second = weeks.clock.now().as_second();
    assert_eq!(weeks.stage.cycle(rosterd::model::Reading::Incremental).await, "12 create\n");
    assert_eq!(weeks.quarantine().await, None);
}

#[tokio::test]
async fn a_paused_job_rests_and_begins_again_by_itself() {
    let mut weeks = Weeks::start(2).await;
    let job = weeks.state().await.id;
    let until = weeks.clock.now() + SignedDuration::from_hours(10);
    weeks.stage.store.pause(job, Some(until.as_second()), by_hand()).await.unwrap();
    assert!(!weeks.turn().await, "it has no turn");
    let refused = weeks.stage.cycle(rosterd::model::Reading::Incremental).await;
    assert!(refused.starts_with("error: job story: paused by ann until "), "{refused}");
    assert!(refused.contains("(mended); begin again with `rosterd resume story`"), "{refused}");
    assert_eq!(weeks.service.requests(), 0);
    weeks.clock.sleep_until(until).await;
    assert!(weeks.turn().await);
    assert_eq!(weeks.service.people().len(), 2);

    weeks.stage.store.pause(job, None, by_hand()).await.unwrap();
    weeks.clock.sleep(Duration::from_secs(100 * 86_400)).await;
    assert!(!weeks.turn().await);
    assert!(weeks.stage.store.resume(job, by_hand()).await.unwrap());
    assert!(weeks.turn().await);
    assert!(!weeks.stage.store.resume(job, by_hand()).await.unwrap(), "there is none any more");
}

/// A job whose credentials lie in a file: what the file is worth, its stamp, and how often a job was made of it.
#[derive(Default)]
struct File {
    is_bad: AtomicU64,
    stamp: AtomicU64,
    made: AtomicU64,
}

impl File {
    /// A worker that makes its job of the file.
    fn worker(self: &Arc<File>, weeks: &Weeks) -> Arc<Worker> {
        let (job, file, stamped) = (weeks.stage.job(), self.clone(), self.clone());
        let make = move || {
            file.made.fetch_add(1, Ordering::SeqCst);
            match file.is_bad.load(Ordering::SeqCst) {
                0 => Ok(job.clone()),
                _ => Err("job story: its target x cannot be used: file:/x cannot be read".into()),
            }
        };
        let scheduled = Scheduled {
            name: JOB.to_owned(),
            schedule: weeks.schedule.clone(),
            quarantine: weeks.stage.limits.quarantine,
            make: Arc::new(make),
            stamp: Arc::new(move || stamped.stamp.load(Ordering::SeqCst)),
        };
        let (store, stop) = (weeks.stage.store.clone(), CancellationToken::new());
        Arc::new(Worker::new(scheduled, store, Health::default(), stop, weeks.clock.clone()))
    }

    fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_job_that_cannot_be_made_is_one_whose_credentials_fail_until_it_can_be() {
    let mut weeks = Weeks::start(2).await;
    let file = Arc::new(File::default());
    file.is_bad.store(1, Ordering::SeqCst);
    weeks.worker = file.worker(&weeks);
    weeks.turn().await;
    let quarantine = weeks.quarantine().await.expect("at once");
    assert_eq!(quarantine.reason.word(), "EncounteredQuarantineException");
    assert_eq!(quarantine.error.code.word(), "Unauthorized");
    assert_eq!(
        quarantine.error.message,
        "job story: its target x cannot be used: file:/x cannot be read; put it right: the job is made anew at its next \
         time, without a restart"
    );
    // It is tried at each due time, and is a cycle that failed only as often as the quarantine lets it run.
    for _ in 0..6 {
        weeks.turn().await;
    }
    assert_eq!((file.made(), weeks.cycles().await), (7, vec![0, 80, 240]));
    file.is_bad.store(0, Ordering::SeqCst);
    weeks.turn().await;
    assert_eq!(weeks.quarantine().await, None, "at the next due time");
    assert_eq!(weeks.service.people().len(), 2);
}

#[tokio::test]
async fn a_file_that_was_replaced_is_read_before_the_next_cycle_and_a_bad_one_stops_nobody() {
    let mut weeks = Weeks::start(2).await;
    let file = Arc::new(File::default());
    weeks.worker = file.worker(&weeks);
    weeks.turn().await;
    weeks.turn().await;
    assert_eq!(file.made(), 1, "it is kept");
    file.stamp.store(1, Ordering::SeqCst);
    weeks.turn().await;
    assert_eq!(file.made(), 2);
    file.stamp.store(2, Ordering::SeqCst);
    file.is_bad.store(1, Ordering::SeqCst);
    weeks.turn().await;
    weeks.turn().await;
    assert_eq!((file.made(), weeks.quarantine().await), (4, None), "tried, and the old one goes on");
    assert_eq!(weeks.newest().await.error, None);
    file.is_bad.store(0, Ordering::SeqCst);
    weeks.turn().await;
    weeks.turn().await;
    assert_eq!(file.made(), 5);
}
