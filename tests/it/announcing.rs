//! P13: what is held is announced when it begins and again daily, a line a cause, also over restarts.

use rosterd::model::Reading;
use rosterd::plan::Limits;
use rosterd::store::HeldCause;

use super::support::story::Stage;

const DAY: i64 = 86_400;

/// What is announced now.
async fn announced(stage: &Stage) -> Vec<HeldCause> {
    let job = stage.store.job(&stage.name).await.expect("a job").id;
    stage.store.announce_held(job, stage.second - DAY, stage.second).await.expect("the state is written")
}

async fn seven_leave() -> Stage {
    let mut stage = Stage::new();
    stage.limits = Limits::default();
    for n in 0..9 {
        stage.command(&format!("person u{n} p{n}@x.example Pat Doe{n}")).await;
    }
    stage.command("app u0 u1 u2 u3 u4 u5 u6 u7 u8").await;
    stage.cycle(Reading::Incremental).await;
    assert!(announced(&stage).await.is_empty());
    stage.command("app u7 u8").await;
    stage.cycle(Reading::Incremental).await;
    stage
}

#[tokio::test]
async fn a_cause_is_announced_at_once_and_then_once_a_day_with_its_age() {
    let mut stage = seven_leave().await;
    let began = stage.second - 2_400;
    let first = announced(&stage).await;
    assert_eq!(first.len(), 1, "seven people are one cause: {first:?}");
    assert_eq!((first[0].changes, first[0].since_second), (7, began));
    assert_eq!(first[0].sentence, "no longer in the application");
    for _ in 0..3 {
        stage.cycle(Reading::Incremental).await;
        assert!(announced(&stage).await.is_empty(), "not in every cycle");
    }
    stage.second = began + DAY + 2_400;
    let second = announced(&stage).await;
    assert_eq!((second.len(), second[0].since_second), (1, began), "its age counts from the first");
    assert!(announced(&stage).await.is_empty());
    // A clock that went back does not silence it for as long.
    stage.second -= 10 * DAY;
    assert_eq!(announced(&stage).await.len(), 1);
}

#[tokio::test]
async fn what_was_decided_is_not_announced_and_what_comes_back_begins_anew() {
    let mut stage = seven_leave().await;
    assert_eq!(announced(&stage).await.len(), 1);
    stage.command("reject all 604800").await;
    stage.cycle(Reading::Incremental).await;
    stage.second += 2 * DAY;
    assert!(announced(&stage).await.is_empty(), "it is not planned");
    stage.second += 6 * DAY;
    let back = stage.second;
    stage.cycle(Reading::Incremental).await;
    let again = announced(&stage).await;
    assert_eq!((again.len(), again[0].since_second), (1, back));
    stage.command("approve all").await;
    stage.cycle(Reading::Incremental).await;
    stage.second += 2 * DAY;
    assert!(announced(&stage).await.is_empty());
}

#[tokio::test]
async fn a_job_that_only_observes_announces_nothing() {
    let mut stage = Stage::new();
    stage.command("mode observe").await;
    stage.command("person u1 ann@x.example Ann Lee").await;
    stage.command("app u1").await;
    stage.cycle(Reading::Incremental).await;
    assert!(announced(&stage).await.is_empty());
}
