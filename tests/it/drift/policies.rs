//! Each kind of drift under each policy, over the workspace and over the remote client.

use super::*;

/// One thing that somebody else does: what is reported, what repairing writes, and what the plan holds then.
struct Case {
    name: &'static str,
    told: &'static str,
    repaired: &'static str,
    then: &'static str,
}

const CASES: [Case; 8] = [
    Case {
        name: "title",
        told: "title changed by somebody else: 1 account, ann@x.example\n",
        repaired: "0 reported, 1 put right: 1 update",
        then: "nothing\n",
    },
    Case {
        name: "no title",
        told: "title changed by somebody else: 1 account, ann@x.example\n",
        repaired: "0 reported, 1 put right: 1 update",
        then: "nothing\n",
    },
    Case {
        name: "off",
        told: "deactivated by somebody else: 1 account, ann@x.example\n",
        repaired: "0 reported, 1 put right: ",
        then: "u1 reactivate (held: Shut)\n",
    },
    Case {
        name: "on",
        told: "reactivated by somebody else: 1 account, dee@x.example\n",
        repaired: "0 reported, 1 put right: 1 deactivate",
        then: "nothing\n",
    },
    Case {
        name: "gone",
        told: "gone from the target: 1 account, cyd@x.example\n",
        repaired: "0 reported, 1 put right: 1 create",
        then: "nothing\n",
    },
    Case {
        name: "team",
        told: "displayName changed by somebody else: 1 team, Sales\n",
        repaired: "0 reported, 1 put right: 1 update",
        then: "nothing\n",
    },
    Case {
        name: "member",
        told: "member taken out by somebody else: 1 membership, Sales / ann@x.example\n",
        repaired: "0 reported, 1 put right: 1 add_members",
        then: "nothing\n",
    },
    Case {
        name: "stranger",
        told: "stranger in a team that was created here: 1 membership, Sales\n",
        repaired: "0 reported, 1 put right: 1 remove_members",
        then: "nothing\n",
    },
];

async fn act(scene: &Scene, name: &str) {
    match name {
        "title" => scene.sets(Kind::User, "ann@x.example", "title", json!("Chief")).await,
        "no title" => scene.sets(Kind::User, "ann@x.example", "title", Value::Null).await,
        "off" => scene.sets(Kind::User, "ann@x.example", "active", json!(false)).await,
        "on" => scene.sets(Kind::User, "dee@x.example", "active", json!(true)).await,
        "gone" => scene.deletes("cyd@x.example").await,
        "team" => scene.sets(Kind::Group, "Sales", "displayName", json!("Vendors")).await,
        "member" => scene.members(&[], &["ann@x.example"]).await,
        "stranger" => scene.members(&["cyd@x.example"], &[]).await,
        other => panic!("no such act: {other}"),
    }
}

async fn play_case(over: Over, case: &Case, policy: OnDrift) {
    let at = format!("{over:?} {} {policy:?}", case.name);
    let mut scene = Scene::in_step(over).await;
    scene.set_all(policy).await;
    act(&scene, case.name).await;
    assert_eq!(cycle(&mut scene.stage).await, "nothing\n", "{at}: an ordinary cycle does not look");
    let did = did(&scene.verify().await);
    let (told, done, then) = match policy {
        OnDrift::Report => (case.told, "1 reported, 0 put right: ", "nothing\n"),
        OnDrift::Leave => ("", "0 reported, 0 put right: ", "nothing\n"),
        OnDrift::Repair => ("", case.repaired, case.then),
    };
    assert_eq!(did, done, "{at}");
    assert_eq!(scene.reported().await, told, "{at}");
    assert_eq!(cycle(&mut scene.stage).await, then, "{at}: P9");
    assert_eq!(scene.reported().await, told, "{at}: kept until the next verification");
    let again = scene.verify().await;
    let still = if policy == OnDrift::Report { 1 } else { 0 };
    assert_eq!((again.drift, again.drift_repaired, again.written()), (still, 0, 0), "{at}: once more");
}

#[tokio::test]
async fn each_kind_of_drift_is_reported_put_right_or_left_in_the_workspace() {
    for case in &CASES {
        for policy in [OnDrift::Report, OnDrift::Repair, OnDrift::Leave] {
            play_case(Over::Workspace, case, policy).await;
        }
    }
}

#[tokio::test]
async fn each_kind_of_drift_is_reported_put_right_or_left_over_the_remote_client() {
    for case in &CASES {
        for policy in [OnDrift::Report, OnDrift::Repair, OnDrift::Leave] {
            play_case(Over::Remote, case, policy).await;
        }
    }
}

#[tokio::test]
async fn what_somebody_else_deactivated_comes_back_only_with_an_approval() {
    for over in [Over::Workspace, Over::Remote] {
        let mut scene = Scene::in_step(over).await;
        scene.set_all(OnDrift::Repair).await;
        act(&scene, "off").await;
        scene.verify().await;
        // An event of the source is no approval either.
        play(&mut scene.stage, &["person u1 ann@x.example Ann Lee jobTitle=Chief"]).await;
        let held = "u1 reactivate title Boss->Chief (held: Shut)\n";
        assert_eq!(cycle(&mut scene.stage).await, held);
        assert_eq!(play(&mut scene.stage, &["approve all"]).await, "1 approved\n");
        assert_eq!(cycle(&mut scene.stage).await, "1 reactivate\n");
        assert_eq!(cycle(&mut scene.stage).await, "nothing\n");
        assert_eq!(did(&scene.verify().await), "0 reported, 0 put right: ");
    }
}

#[tokio::test]
async fn whom_somebody_else_reactivates_again_waits_for_nothing() {
    let mut scene = Scene::in_step(Over::Workspace).await;
    scene.set_all(OnDrift::Repair).await;
    act(&scene, "off").await;
    scene.verify().await;
    scene.sets(Kind::User, "ann@x.example", "active", json!(true)).await;
    assert_eq!(did(&scene.verify().await), "0 reported, 0 put right: ");
    assert_eq!(cycle(&mut scene.stage).await, "nothing\n");
}

#[tokio::test]
async fn an_attribute_can_have_a_policy_of_its_own() {
    let mut scene = Scene::in_step(Over::Workspace).await;
    let attributes = &mut scene.stage.drift.attributes;
    attributes.insert("title".to_owned(), OnDrift::Leave);
    attributes.insert("name.givenName".to_owned(), OnDrift::Repair);
    act(&scene, "title").await;
    scene.sets(Kind::User, "ann@x.example", "name.givenName", json!("Anna")).await;
    scene.sets(Kind::User, "ann@x.example", "name.familyName", json!("Koch")).await;
    assert_eq!(did(&scene.verify().await), "1 reported, 1 put right: 1 update");
    assert_eq!(
        scene.reported().await,
        "name.familyName changed by somebody else: 1 account, ann@x.example\n"
    );
    let shown = scene.stage.workspace().await;
    assert!(shown.contains("ann@x.example Ann Koch"), "{shown}");
}

#[tokio::test]
async fn what_is_put_right_is_a_change_with_a_cause_of_its_own_and_limited() {
    let mut scene = Scene::in_step(Over::Workspace).await;
    scene.set_all(OnDrift::Repair).await;
    scene.stage.limits.floor = 0;
    play(&mut scene.stage, &["limit remove_members 0 100"]).await;
    act(&scene, "stranger").await;
    assert_eq!(did(&scene.verify().await), "0 reported, 1 put right: ");
    assert_eq!(cycle(&mut scene.stage).await, "g1 remove u3 (held: Limit)\n");
    let planned = scene.stage.planned(&CancellationToken::new()).await.expect("a plan");
    let causes: Vec<String> = planned.header.causes.iter().map(|(cause, _)| cause.sentence()).collect();
    assert_eq!(causes, ["drift in the target: stranger in a team that was created here"]);
}

#[tokio::test]
async fn a_stranger_whom_no_directory_knows_is_only_told_of() {
    let mut scene = Scene::in_step(Over::Workspace).await;
    scene.set_all(OnDrift::Repair).await;
    scene.local("root@x.example").await;
    scene.members(&["root@x.example"], &[]).await;
    assert_eq!(did(&scene.verify().await), "1 reported, 0 put right: ");
    let told = "stranger in a team that was created here: 1 membership, Sales\n";
    assert_eq!(scene.reported().await, told);
}

/// P15: as lost anchors of writes.
#[tokio::test]
async fn where_many_are_gone_nothing_is_made_or_removed_until_a_person_approves() {
    let mut scene = Scene::in_step(Over::Workspace).await;
    scene.set_all(OnDrift::Repair).await;
    play(&mut scene.stage, &["anchors 1", "person u5 eve@x.example Eve Orr", "app u1 u2 u3 u4 u5 g:g1"])
        .await;
    scene.deletes("ann@x.example").await;
    scene.deletes("cyd@x.example").await;
    assert_eq!(did(&scene.verify().await), "0 reported, 2 put right: ");
    let held = cycle(&mut scene.stage).await;
    assert!(held.contains("u5 create (held: Anchors)"), "{held}");
    assert!(held.contains("(held: Anchors)\n") && !held.contains("failed"), "{held}");
    play(&mut scene.stage, &["approve all"]).await;
    for _ in 0..3 {
        cycle(&mut scene.stage).await;
    }
    assert_eq!(cycle(&mut scene.stage).await, "nothing\n");
    let shown = scene.stage.workspace().await;
    assert!(shown.contains("[Sales] ann@x.example bob@x.example"), "{shown}");
    assert!(shown.contains("eve@x.example") && shown.contains("cyd@x.example"), "{shown}");
}

/// P3.
#[tokio::test]
async fn a_dry_run_looks_and_keeps_nothing() {
    let mut scene = Scene::in_step(Over::Workspace).await;
    scene.set_all(OnDrift::Repair).await;
    act(&scene, "title").await;
    let before = scene.stage.workspace().await;
    let mut job = scene.stage.job();
    job.verify = Some(std::time::Duration::from_secs(1));
    let (stop, now) = (CancellationToken::new(), scene.stage.now());
    let clock = move || now;
    let reading = Reading::Incremental;
    let how = How { reading, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
    let planned = cycle::plan(&job, &scene.stage.store, how).await.expect("a plan");
    let mut changes = 0;
    planned.changes(&mut |_| changes += 1).await.expect("the plan is read");
    assert_eq!(changes, 1, "it shows what the cycle would put right");
    assert_eq!(scene.stage.workspace().await, before);
    assert_eq!(cycle(&mut scene.stage).await, "nothing\n");
}

/// A verification is due by its own time.
#[tokio::test]
async fn a_verification_is_due_by_the_setting_and_remembers_when_it_was() {
    let mut scene = Scene::in_step(Over::Workspace).await;
    act(&scene, "title").await;
    let mut looked = Vec::new();
    for _ in 0..4 {
        let mut job = scene.stage.job();
        job.verify = Some(std::time::Duration::from_secs(2_000));
        let (stop, now) = (CancellationToken::new(), scene.stage.now());
        let clock = move || now;
        let reading = Reading::Incremental;
        let how = How { reading, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
        let record = cycle::run(&job, &scene.stage.store, how).await.expect("a cycle");
        looked.push((record.target_verified, record.drift));
        scene.stage.second += 1_200;
    }
    assert_eq!(looked, [(true, 1), (false, 0), (true, 1), (false, 0)]);
}

#[tokio::test]
async fn it_is_told_per_person_with_what_was_shown_and_what_is() {
    let mut scene = Scene::in_step(Over::Workspace).await;
    act(&scene, "title").await;
    act(&scene, "off").await;
    scene.verify().await;
    let (job, now) = (scene.stage.job(), scene.stage.now());
    let explained = cycle::explain(job.standing(), &scene.stage.store, "ann@x.example", now).await;
    let explained = explained.expect("the state").expect("a job");
    let text = rosterd::report::explanation(&explained[0]);
    assert!(text.contains("title: showed Boss, shows Chief; found at "), "{text}");
    assert!(text.contains("deactivated by somebody else; found at "), "{text}");
}
