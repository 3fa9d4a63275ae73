//! What a list that is not whole proves: nothing of who is not on it.

use super::*;
use crate::services::lying::Lying;

/// Everybody is there, and the list shows one.
async fn cut(over: Over, partial: Option<&str>) -> Scene {
    let mut scene = Scene::in_step(over).await;
    scene.set_all(OnDrift::Repair).await;
    let inner = Arc::clone(&scene.stage.target);
    scene.stage.target = Arc::new(Lying { inner, shows: 1, partial: partial.map(str::to_owned) });
    scene
}

#[tokio::test]
async fn a_cut_list_creates_and_removes_nobody_whether_it_owns_up_to_it_or_not() {
    for over in [Over::Workspace, Over::Remote] {
        for partial in [None, Some("it showed 1 of 4")] {
            let mut scene = cut(over, partial).await;
            let record = scene.verify().await;
            assert_eq!(did(&record), "0 reported, 0 put right: ", "{over:?} {partial:?}");
            assert_eq!(record.notes.iter().any(|note| note.contains("1 of 4")), partial.is_some());
            assert_eq!(cycle(&mut scene.stage).await, "nothing\n");
        }
    }
}

#[tokio::test]
async fn whom_no_list_shows_is_asked_for_by_id() {
    let mut scene = cut(Over::Workspace, None).await;
    scene.sets(Kind::User, "cyd@x.example", "title", json!("Chief")).await;
    assert_eq!(did(&scene.verify().await), "0 reported, 1 put right: 1 update");
}

#[tokio::test]
async fn what_is_over_the_budget_of_lookups_is_said_and_nothing_follows_from_it() {
    let mut scene = cut(Over::Workspace, None).await;
    scene.stage.drift.lookups = 0;
    scene.deletes("cyd@x.example").await;
    let record = scene.verify().await;
    assert_eq!(did(&record), "0 reported, 0 put right: ");
    let note = record.notes.iter().find(|note| note.contains("jobs.story.drift.lookups")).expect("a note");
    assert!(note.starts_with("3 of /Users were not verified"), "{note}");
}

#[tokio::test]
async fn a_target_that_cannot_be_read_ends_no_cycle_and_is_due_again() {
    let mut scene = Scene::in_step(Over::Workspace).await;
    let inner = Arc::clone(&scene.stage.target);
    scene.stage.target = Arc::new(crate::services::lying::Silent { inner: Arc::clone(&inner) });
    let record = scene.verify().await;
    assert_eq!(record.error, None);
    assert!(
        record.notes.iter().any(|note| note.contains("the next cycle tries again")),
        "{:?}",
        record.notes
    );
    let job = scene.stage.store.job(&scene.stage.name).await.expect("a job");
    assert_eq!(job.target_verified_second, None);
}

/// A hundred a page is what the brief counts with; here ten, over 25 people and two teams.
#[tokio::test]
async fn a_verification_costs_a_page_of_requests_and_one_a_team() {
    let mut scene = Scene::empty(Over::Remote).await;
    let served = scene._served.as_ref().expect("a service");
    let url = format!("{}/scim/v2", served.root).parse().expect("a URL");
    let mut settings = RemoteSettings::new(url, vec![Secret::new(served.token.clone())]);
    settings.profile.page_size = 10;
    scene.stage.target = Arc::new(RemoteTarget::new(settings).expect("a client"));
    let mut everybody = "app g:g1 g:g2".to_owned();
    for n in 0..25 {
        scene.stage.command(&format!("person u{n} p{n}@x.example Pat Doe{n}")).await;
        everybody += &format!(" u{n}");
    }
    play(&mut scene.stage, &["group g1 Sales u1 u2", "group g2 Crew u3", &everybody]).await;
    cycle(&mut scene.stage).await;
    assert_eq!(cycle(&mut scene.stage).await, "nothing\n");
    let record = scene.verify().await;
    assert_eq!((record.drift, record.target_requests), (0, 3 + 1 + 2), "users, teams, members of each");
}
