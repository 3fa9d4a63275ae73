//! P6: we touch only what we own. Strangers in teams stay, protected accounts and teams are never written, an adoption never
//! switches somebody on, a match that the policy forbids is held and never followed by a create, what a push tenant or
//! another job owns is left alone, and two processes never write for one job or into one target at once. Each attack goes
//! through the embedded workspace and through the remote client.
//!
//! More stands in `matching_cases.rs` (every verdict of matching), `matching_jobs.rs` (two jobs in one target),
//! `store_owners.rs` (who may write what) and `tests/scenarios` (`members_that_are_not_ours_stay`, `protected_accounts…`).

use std::process::Stdio;

use jiff::Timestamp;
use rosterd::client::Secret;
use rosterd::model::Reading;
use rosterd::plan::Adoption;
use rosterd::scim::Dialect;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::incoming;
use rosterd::server::Settings;
use rosterd::store::Author;
use rosterd::store::WriteAct;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;
use serde_json::Value;
use serde_json::json;

use crate::server::Served;
use crate::support::acts::cycle;
use crate::support::acts::play;
use crate::support::host::Host;
use crate::support::host::ran;
use crate::support::scim_service::Mood;
use crate::support::scim_service::ScimService;
use crate::support::story::Stage;

/// The same workspace behind both doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Embedded,
    Remote,
}

const DOORS: [Door; 2] = [Door::Embedded, Door::Remote];

/// The service lives as long as the second value.
async fn stage(door: Door) -> (Stage, Option<Served>) {
    let mut stage = Stage::new();
    if door == Door::Embedded {
        return (stage, None);
    }
    let served = Served::over(stage.store.clone(), Dialect::Strict, Settings::default()).await;
    let url = format!("{}/scim/v2", served.root).parse().expect("a URL");
    let settings = RemoteSettings::new(url, vec![Secret::new(served.token.clone())]);
    stage.target = std::sync::Arc::new(RemoteTarget::new(settings).expect("a client"));
    (stage, Some(served))
}

/// The line of the workspace that begins so.
async fn line(stage: &Stage, begins: &str) -> String {
    let there = stage.workspace().await;
    there
        .lines()
        .find(|line| line.starts_with(begins))
        .unwrap_or_else(|| panic!("no {begins}: {there}"))
        .to_owned()
}

#[tokio::test]
async fn strangers_in_a_team_stay_whatever_becomes_of_it() {
    for door in DOORS {
        let (mut stage, _served) = stage(door).await;
        play(&mut stage, &["target guest@y.example", "target other@y.example inactive"]).await;
        for n in 1..=3 {
            play(&mut stage, &[&format!("person u{n} p{n}@x.example Pat Doe{n}")]).await;
        }
        play(&mut stage, &["group g1 Sales u1 u2", "group g2 Support u1 u3", "app u1 u2 u3 g:g1 g:g2"]).await;
        assert_eq!(cycle(&mut stage).await, "5 create\n4 add_members\n", "{door:?}");
        play(&mut stage, &["target-member Sales guest@y.example", "target-member Sales other@y.example"])
            .await;
        let strangers = "guest@y.example other@y.example";
        for (lines, done, members) in [
            (&["full"][..], "nothing\n", "p1@x.example p2@x.example"),
            (&["group g1 Sales u1"], "1 remove_members\n", "p1@x.example"),
            (&["group g1 Sales u1 u3"], "1 add_members\n", "p1@x.example p3@x.example"),
            // Everybody of ours leaves, the group is renamed, is no team any more, and comes back.
            (&["group g1 Sales"], "2 remove_members\n", ""),
            (&["group g1 Shop u2"], "1 update\n1 add_members\n", "p2@x.example"),
            (&["app u1 u2 u3 g:g2"], "1 remove_members\n", ""),
            (&["app u1 u2 u3 g:g1 g:g2"], "1 add_members\n", "p2@x.example"),
            // Its last one is deleted, then the group.
            (&["deleted u2", "group g1 Shop", "app u1 u3 g:g1 g:g2"], "1 remove_members\n1 deactivate\n", ""),
            (&["deleted g1", "app u1 u3 g:g2"], "nothing\n", ""),
        ] {
            let told = play(&mut stage, lines).await;
            let told = if lines == ["full"] { told } else { cycle(&mut stage).await };
            assert_eq!(told, done, "{door:?} {lines:?}");
            let team = if line(&stage, "[S").await.contains("[Shop]") { "[Shop]" } else { "[Sales]" };
            let expected = format!("{team} {strangers} {members}");
            assert_eq!(line(&stage, team).await, expected.trim_end(), "{door:?} {lines:?}");
        }
        assert_eq!(line(&stage, "guest").await, "guest@y.example - -", "{door:?}");
        assert_eq!(line(&stage, "other").await, "other@y.example - - inactive", "{door:?}");
    }
}

/// Ours since the first cycle, then put on the list: whatever the directory says of them is shown, and nothing is done.
#[tokio::test]
async fn what_is_put_on_the_protect_list_is_shown_and_never_written_again() {
    const ATTACKS: [(&[&str], &str); 8] = [
        (&["person u1 owner@x.example Olga Other"], "u1 update"),
        (&["person u1 renamed@x.example Olga Frey"], "u1 rename"),
        (&["person u1 owner@x.example Olga Frey disabled"], "u1 deactivate"),
        (&["app u2 u3 g:g1", "group g1 Board u2"], "u1 deactivate"),
        (&["deleted u1", "app u2 u3 g:g1", "group g1 Board u2"], "u1 deactivate"),
        (
            &[
                "action delete on",
                "leavers all delete",
                "limit delete 99 100",
                "deleted u1",
                "app u2 u3 g:g1",
                "group g1 Board u2",
            ],
            "u1 delete",
        ),
        (&["group g1 Bored u1 u2"], "g1 update"),
        (&["group g1 Board u1 u2 u3"], "g1 add u3"),
    ];
    for door in DOORS {
        for (lines, shown) in ATTACKS {
            let (mut stage, _served) = stage(door).await;
            play(&mut stage, &["person u1 owner@x.example Olga Frey", "person u2 bo@x.example Bo Ng"]).await;
            play(&mut stage, &["person u3 cy@x.example Cy Ito", "group g1 Board u1 u2", "app u1 u2 u3 g:g1"])
                .await;
            assert_eq!(cycle(&mut stage).await, "4 create\n2 add_members\n");
            let before = stage.workspace().await;
            play(&mut stage, &["protect Owner@X.example", "protect board"]).await;
            play(&mut stage, lines).await;
            let plan = stage.plan().await;
            let told = plan
                .lines()
                .find(|line| line.starts_with(shown))
                .unwrap_or_else(|| panic!("{lines:?}: {plan}"));
            assert!(told.ends_with("(held: Protected)"), "{door:?} {lines:?}: {plan}");
            let reads = play(&mut stage, &[&format!("reads {}", &shown[..2])]).await;
            assert!(reads.is_empty() || reads.contains("protect list"), "{reads}");
            for reading in [Reading::Incremental, Reading::Full] {
                play(&mut stage, &["approve all"]).await;
                stage.cycle(reading).await;
            }
            assert_eq!(stage.workspace().await, before, "{door:?} {lines:?}");
        }
    }
}

/// Every policy of adoption against every kind of account that could be meant.
#[tokio::test]
async fn nobody_is_switched_on_and_nobody_is_there_twice_whatever_the_policy() {
    let policies = ["never", "external_id", "external_id_or_name", "verified_mail"];
    for door in DOORS {
        for policy in policies {
            for (there, theirs) in [
                ("target ann@x.example", false),
                ("target ann@x.example external=u1", false),
                ("target ann@x.example external=somebody", true),
                ("target old@y.example mail=ann@x.example", false),
                ("target old@y.example mail=ann@x.example external=somebody", true),
                ("target ann@x.example inactive", false),
                ("target ann@x.example inactive external=u1", false),
                ("target old@y.example inactive mail=ann@x.example", false),
            ] {
                let (mut stage, _served) = stage(door).await;
                let what = format!("{door:?} {policy}: {there}");
                play(&mut stage, &[there, &format!("adopt {policy}")]).await;
                let before = stage.workspace().await;
                play(&mut stage, &["person u1 ann@x.example Ann Lee", "app u1"]).await;
                let mut told = String::new();
                for reading in [Reading::Incremental, Reading::Full, Reading::Incremental] {
                    told = stage.cycle(reading).await;
                }
                let users = stage.resources(Kind::User).await;
                assert_eq!(users.len(), 1, "{what}: held, never followed by a create: {told}");
                let adopted = users[0]["externalId"] == "u1" && !there.contains("external=u1")
                    || users[0]["name"]["givenName"] == "Ann";
                let inactive = there.contains("inactive");
                assert_eq!(users[0]["active"] == Value::Bool(false), inactive, "{what}: {told}");
                let allowed = !inactive
                    && match policy {
                        "never" => false,
                        "external_id" => there.contains("external=u1"),
                        _ => there.contains("target ann@x.example") && !theirs,
                    };
                assert_eq!(adopted, allowed, "{what}: {told}");
                if !adopted {
                    assert_eq!(stage.workspace().await, before, "{what}");
                    assert!(told.contains("(held: "), "{what}: {told}");
                }
                if inactive && !theirs {
                    // A person may say so, and only then.
                    play(&mut stage, &["approve all"]).await;
                    let told = cycle(&mut stage).await;
                    let users = stage.resources(Kind::User).await;
                    assert_eq!((users.len(), &users[0]["active"]), (1, &Value::Bool(true)), "{what}: {told}");
                }
            }
        }
    }
}

/// The account that was found goes, and another one comes in its place: it is decided anew each time, never created beside.
#[tokio::test]
async fn a_match_that_the_policy_forbids_is_never_followed_by_a_create_while_it_is_there() {
    for door in DOORS {
        let (mut stage, _served) = stage(door).await;
        stage.rules.adoption = Adoption::Never;
        play(&mut stage, &["target ann@x.example", "person u1 ann@x.example Ann Lee", "app u1"]).await;
        for _ in 0..3 {
            let told = cycle(&mut stage).await;
            assert!(
                told.starts_with("u1 link by userName") && told.ends_with("(held: Adoption)\n"),
                "{door:?}: {told}"
            );
        }
        play(&mut stage, &["target-loses ann@x.example", "target old@y.example mail=ann@x.example"]).await;
        let told = cycle(&mut stage).await;
        assert!(told.contains("(held: Adoption)"), "{door:?}: {told}");
        play(&mut stage, &["target-loses old@y.example"]).await;
        assert_eq!(cycle(&mut stage).await, "1 create\n", "{door:?}: nobody is in the way any more");
        assert_eq!(stage.resources(Kind::User).await.len(), 1);
    }
}

async fn pushed(stage: &Stage, kind: ResourceType, id: &str, body: Value) {
    let incoming = incoming(kind, Dialect::Tolerant, &body).expect("a sound body");
    let act = WriteAct::Create { kind, id: ResourceId(id.to_owned()), incoming, dialect: Dialect::Strict };
    let okta = Author::push("okta", "t1", false, Timestamp::UNIX_EPOCH);
    let written =
        stage.store.write_resources("main", okta, vec![act.into()]).await.expect("the store writes");
    assert!(written[0].is_ok(), "{written:?}");
}

/// Equal in everything that matching asks for, and yet not ours.
#[tokio::test]
async fn what_a_push_tenant_owns_is_never_written_by_a_job() {
    for door in DOORS {
        let (mut stage, _served) = stage(door).await;
        let ann = json!({
            "userName": "ann@x.example", "externalId": "u1", "active": false,
            "emails": [{"value": "ann@x.example", "type": "work"}],
        });
        pushed(&stage, ResourceType::User, "p1", ann).await;
        pushed(&stage, ResourceType::Group, "p2", json!({"displayName": "Sales", "externalId": "g1"})).await;
        let before = stage.resources(Kind::User).await;
        let teams = stage.resources(Kind::Group).await;
        play(
            &mut stage,
            &["adopt verified_mail", "person u1 ann@x.example Ann Lee", "person u2 bo@x.example Bo Ng"],
        )
        .await;
        play(
            &mut stage,
            &["group g1 Sales u1 u2", "app u1 u2 g:g1", "leavers all delete", "action delete on"],
        )
        .await;
        let first = cycle(&mut stage).await;
        for _ in 0..3 {
            play(&mut stage, &["approve all"]).await;
            stage.second += 86_400;
            let told = cycle(&mut stage).await;
            let users = stage.resources(Kind::User).await;
            let theirs: Vec<&Value> = users.iter().filter(|user| user["externalId"] == "u1").collect();
            assert_eq!(theirs, before.iter().collect::<Vec<_>>(), "{door:?}: {first}{told}");
            assert_eq!(stage.resources(Kind::Group).await, teams, "{door:?}: {first}{told}");
        }
        if door == Door::Embedded {
            assert_eq!(
                play(&mut stage, &["reads u1"]).await,
                "`userName` finds the user p1, which push okta owns; workspaces.main.other_owners = \"allow\" lets jobs take it \
                 over\n"
            );
        } else {
            // Over HTTP nobody sees who owns it until the service refuses: a failure, told, and never a second account.
            assert!(first.contains("failed"), "{first}");
        }
        play(&mut stage, &["deleted u1", "group g1 Sales u2", "app u2 g:g1"]).await;
        cycle(&mut stage).await;
        cycle(&mut stage).await;
        assert!(stage.resources(Kind::User).await.contains(&before[0]), "{door:?}: it is theirs to delete");
    }
}

/// One writer of a job, one writer into a target, whoever else is about.
#[tokio::test]
async fn a_cycle_does_not_begin_while_somebody_has_the_lease_of_its_job_or_of_its_target() {
    for door in DOORS {
        let (mut stage, _served) = stage(door).await;
        play(&mut stage, &["person u1 ann@x.example Ann Lee", "app u1"]).await;
        let target = format!("target {}", stage.target.identity());
        for lease in ["job story", &target] {
            let held = stage.store.lease(&[lease.to_owned()]).expect("a lease");
            let told = cycle(&mut stage).await;
            assert_eq!(
                told,
                format!(
                    "error: job story: not begun: {lease} is in use by another rosterd; wait until it has finished, or stop it\n"
                ),
                "{door:?}"
            );
            assert_eq!(stage.resources(Kind::User).await.len(), 0);
            assert!(stage.plan().await.contains("u1 create"), "a dry run writes nothing, and needs no lease");
            drop(held);
        }
        assert_eq!(cycle(&mut stage).await, "1 create\n");
    }
}

/// Real processes: the first hangs in the middle of a write.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_never_write_for_one_job_or_into_one_target() {
    let service = ScimService::start().await;
    let host = Host::new();
    let settings = std::fs::read_to_string(host.path("rosterd.toml")).unwrap();
    let remote = format!("[targets.local.scim]\nurl = \"{}\"\ntoken = \"env:TEST_SCIM\"\n", service.root);
    let other = format!(
        "[jobs.hr2]\ntarget = \"local\"\nsource.file.path = \"{}\"\nscope.users.all = true\nmapping.preset = \"cerby\"\n",
        host.path("hr.json").display()
    );
    let settings = settings
        .replace("[targets.local.workspace]\nname = \"main\"\n", &(other + &remote))
        .replace("scope.teams.groups = \"name:Sales\"\n", "");
    std::fs::write(host.path("rosterd.toml"), settings).unwrap();
    let command = |arguments: &[&str]| {
        let mut command = host.command(arguments);
        command.env("TEST_SCIM", "a token");
        command
    };
    for job in ["hr", "hr2"] {
        let enabled = ran(command(&["enable", job]));
        assert_eq!(enabled.code, 0, "{}", enabled.err);
    }
    service.mood(Mood::HangsAfter(0));
    let mut first = command(&["sync", "hr"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Both people are on their way: nothing more of it comes.
    while service.writes() < 2 {
        assert!(first.try_wait().unwrap().is_none(), "it writes before it ends");
        std::thread::yield_now();
    }
    for (job, busy) in [("hr", "job hr"), ("hr2", "target http://127.0.0.1")] {
        let told = ran(command(&["sync", job]));
        assert_eq!(told.code, 1, "{}", told.out);
        assert!(told.err.contains(&format!("job {job}: not begun\n  caused by: {busy}")), "{}", told.err);
        assert!(told.err.contains("is in use by another rosterd"), "{}", told.err);
    }
    assert_eq!(service.writes(), 2, "nobody else wrote meanwhile");
    // The system gives the leases back however a process ends.
    first.kill().unwrap();
    first.wait().unwrap();
    service.mood(Mood::Fine);
    let told = ran(command(&["sync", "hr2"]));
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
}
