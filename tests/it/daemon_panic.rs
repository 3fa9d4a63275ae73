//! A defect in one cycle ends neither the daemon nor its job.

use std::sync::Arc;
use std::time::Duration;

use rosterd::client::Clock;
use rosterd::daemon;
use rosterd::daemon::Daemon;
use rosterd::daemon::Health;
use rosterd::daemon::Scheduled;
use rosterd::plan::CycleRecord;
use rosterd::store::Store;
use tokio_util::sync::CancellationToken;

use crate::support::bent::Bend;
use crate::support::story::Stage;

const PATIENCE: Duration = Duration::from_secs(60);

async fn records(store: &Store, count: usize) -> Vec<CycleRecord> {
    let wait = async {
        loop {
            let rows = store.cycles(None, 10).await.unwrap();
            let kept: Vec<String> = rows.into_iter().filter_map(|row| row.record).collect();
            if kept.len() >= count {
                return kept.iter().rev().map(|text| serde_json::from_str(text).unwrap()).collect();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the cycles end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_a_failed_cycle_and_the_next_one_runs() {
    let mut stage = Stage::new();
    for line in ["person u1 ann@x.example Ann Lee", "app u1"] {
        stage.command(line).await;
    }
    // The plan sets the directory's text and lets the job write.
    stage.plan().await;
    *stage.source.bend.lock().unwrap() = Bend::PanicsOnce;
    let job = stage.job();
    let (store, health, stop) = (stage.store.clone(), Health::default(), CancellationToken::new());
    let schedule = daemon::Schedule::parse("every 1s", Some(Duration::ZERO)).unwrap();
    let (name, quarantine) = (job.name.clone(), job.limits.quarantine);
    let make = Arc::new(move || Ok(job.clone()));
    let scheduled = Scheduled { name, schedule, quarantine, make, stamp: Arc::new(|| 0) };
    let (jobs, follow_ups) = (vec![scheduled], Vec::new());
    let clock = Clock::system();
    let daemon = Daemon {
        jobs,
        follow_ups,
        store: store.clone(),
        keep: rosterd::plan::Keep::default(),
        health,
        stop: stop.clone(),
        clock,
    };
    let stopped = stop.clone();
    let running = tokio::spawn(daemon::run(daemon, async move {
        stopped.cancelled().await;
        Ok(())
    }));

    let records = records(&store, 2).await;
    let defect = "a defect of rosterd ended the cycle; the log says where, please report it";
    assert_eq!(records[0].error.as_deref(), Some(defect));
    assert_eq!((records[1].written(), records[1].error.as_deref()), (1, None));
    let rows = store.cycles(None, 10).await.unwrap();
    let open = rows.iter().filter(|row| row.ended_second.is_none() && row.id.0 < 3).count();
    assert_eq!(open, 0, "the broken cycle itself was ended, not a second one beside it");
    stop.cancel();
    running.await.unwrap().unwrap();
}
