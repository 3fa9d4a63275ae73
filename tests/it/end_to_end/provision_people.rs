//! `provision` of one person: read alone, written alone, and the next cycle sees everything that it would have seen.

use std::sync::Arc;

use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::cycle::Provisioned;
use rosterd::cycle::Wish;
use rosterd::model::Reading;
use rosterd::plan::Class;
use rosterd::plan::Mode;
use rosterd::plan::StepStatus;
use rosterd::report;
use rosterd::scim::Dialect;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Hire;
use rosterd::simulators::Size;
use rosterd::simulators::World;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use serde_json::Value;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::remote::towards;
use super::site::JOB;
use super::site::Site;
use super::site::acme;
use super::site::hire;
use super::site::login;
use super::site::long_ago;
use crate::server::Served;
use crate::support::refusing::Refusing;
use crate::support::story::Stage;

async fn tried(site: &Site, what: &str, dry: bool) -> Result<Provisioned, String> {
    site.world.set_clock(site.now);
    let stop = CancellationToken::new();
    let now = site.now;
    let clock = move || now;
    let how =
        How { reading: Reading::Incremental, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
    let wish = Wish { what, overwrite: false, dry, who: "ann", reason: "asked for" };
    cycle::provision(&site.job(), &site.store, how, wish).await.map_err(|error| error.to_string())
}

async fn provision(site: &Site, what: &str) -> Provisioned {
    tried(site, what, false).await.unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// `import EntryImport Success`, a line a step.
fn steps(done: &Provisioned) -> Vec<String> {
    let line =
        |step: &rosterd::plan::OnDemandStep| format!("{} {} {:?}", step.kind.word(), step.name, step.status);
    done.report.provisioning_steps.iter().map(line).collect()
}

fn details<'a>(done: &'a Provisioned, step: usize, name: &str) -> &'a str {
    done.report.provisioning_steps[step].details.get(name).map_or("-", String::as_str)
}

fn json(done: &Provisioned) -> Value {
    json!(done.report)
}

/// What a source tells of everybody but this one, and the watermarks.
async fn watermarks(site: &Site) -> Vec<(String, String)> {
    let state = site.store.job(JOB).await.expect("a job");
    site.store.watermarks(state.id).await.expect("watermarks").into_iter().collect()
}

super::both! {
    async fn a_newcomer_is_made_with_the_teams_and_nobody_else_is_touched(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        hire(&site.world, "Gil", &["Sales"], true);
        hire(&site.world, "Hal", &["Sales"], true);
        site.change(Change::Unassign { principal: login("Di") });
        let before = watermarks(&site).await;

        let done = provision(&site, &login("Gil")).await;
        assert_eq!(
            steps(&done),
            [
                "import EntryImport Success",
                "scope EntrySynchronizationScoping Success",
                "match EntryImport Success",
                "action EntryExportAdd Success",
                "action EntryExportUpdate Success",
            ]
        );
        assert_eq!(done.record.done.get(&Class::Create), Some(&1));
        assert_eq!(done.record.done.get(&Class::AddMembers), Some(&1));
        assert_eq!(done.record.written(), 2, "nobody else");
        let told = json(&done);
        assert_eq!(told["action"], "create");
        assert_eq!(told["statusInfo"], json!({"status": "Success"}));
        assert_eq!(told["sourceIdentity"]["id"], json!(site.id(&login("Gil"))));
        assert_eq!(told["targetIdentity"]["identityType"], "user");
        assert!(told["targetIdentity"]["id"].as_str().is_some_and(|id| id.starts_with('r')), "{told}");
        let of = |name: &str| told["modifiedProperties"].as_array().expect("a list").iter().any(|one| one["displayName"] == name);
        assert!(of("userName") && of("memberOf"), "{told}");
        assert_eq!(details(&done, 1, "IsEffectivelyEntitledForProvisioning"), "true");
        assert_eq!(watermarks(&site).await, before, "no watermark moves");

        // The next cycle sees everything that happened, and has nothing to do for who was done.
        let record = site.cycle().await;
        assert_eq!(record.done.get(&Class::Create), Some(&1), "Hal");
        assert_eq!(record.done.get(&Class::Deactivate), Some(&1), "Di");
        assert_eq!(site.cycle().await.written(), 0);
    }

    async fn who_is_in_order_needs_nothing_and_who_is_nobodys_gets_nothing(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        let done = provision(&site, "ANN@ACME.EXAMPLE").await;
        assert_eq!(steps(&done).last().map(String::as_str), Some("action EntrySynchronizationSkip Skipped"));
        let told = json(&done);
        assert_eq!(told["statusInfo"]["errorCode"], "RedundantExport");
        assert_eq!(
            told["statusInfo"]["reason"],
            "The state of the user in both the source and target systems already match."
        );
        assert_eq!(details(&done, 2, "userName"), login("Ann"), "what the target shows");

        // Fay cooks: her group has no application.
        let done = provision(&site, &login("Fay")).await;
        assert_eq!(json(&done)["statusInfo"]["errorCode"], "NotEffectivelyEntitled");
        assert_eq!(steps(&done)[1], "scope EntrySynchronizationScoping Skipped");
        assert_eq!(details(&done, 1, "Assigned"), "false");
        assert_eq!(done.record.written(), 0);
        assert_eq!(site.cycle().await.written(), 0);
    }

    async fn who_leaves_is_deactivated_with_a_witness_and_nobody_else_is_missed(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        site.change(Change::Unassign { principal: login("Di") });
        site.change(Change::Disable { who: login("Bo") });
        let done = provision(&site, &login("Di")).await;
        assert_eq!(json(&done)["action"], "disable", "{}", report::on_demand(&done.report));
        assert_eq!(done.record.done.get(&Class::Deactivate), Some(&1));
        assert_eq!(done.record.written(), 1);
        let filter = rosterd::store::LogFilter { cycle: Some(done.record.cycle), limit: 9, ..Default::default() };
        let rows = site.store.log(filter).await.expect("a log");
        assert!(rows[0].evidence.is_some(), "the removal has its witness (P2)");
        assert_eq!(done.report.change_id, Some(rows[0].entry.0.to_string()));
        assert_eq!(site.cycle().await.done.get(&Class::Deactivate), Some(&1), "Bo follows in the next cycle");
    }

    async fn who_moves_between_teams_is_moved(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        site.change(Change::Join { group: "Support".to_owned(), member: login("Bo") });
        site.change(Change::Leave { group: "Sales".to_owned(), member: login("Bo") });
        let done = provision(&site, &site.id(&login("Bo"))).await;
        let text = report::on_demand(&done.report);
        assert_eq!(done.record.done.get(&Class::AddMembers), Some(&1), "{text}");
        assert_eq!(done.record.done.get(&Class::RemoveMembers), Some(&1), "{text}");
        assert_eq!(done.record.written(), 2, "{text}");
        assert_eq!(site.cycle().await.written(), 0);
    }

    async fn a_dry_run_tells_and_does_nothing(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        hire(&site.world, "Gil", &["Sales"], true);
        let before = std::fs::read(site.state_file()).expect("a state");
        let done = tried(&site, &login("Gil"), true).await.expect("a look");
        assert_eq!(std::fs::read(site.state_file()).expect("a state"), before, "the state stays as it is (P3)");
        let told = json(&done);
        assert_eq!((&told["action"], &told["dryRun"]), (&json!("create"), &json!(true)));
        assert_eq!(told["statusInfo"]["status"], "Skipped");
        assert!(steps(&done).contains(&"action EntryExportAdd Skipped".to_owned()));
        assert_eq!(done.record.written(), 0);
        assert_eq!(site.cycle().await.done.get(&Class::Create), Some(&1));
    }

    async fn a_failure_goes_to_escrow_tells_its_cure_and_is_tried_anew_when_asked(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        hire(&site.world, "Gil", &[], true);
        let refusing = Arc::new(Refusing::new(site.workspace()));
        site.target = refusing.clone();
        refusing.refuse(|operation| {
            let is_create = matches!(operation, Operation::Create { .. });
            is_create.then(|| Outcome::Refused { status: 400, detail: "title is required".to_owned() })
        });
        let done = provision(&site, &login("Gil")).await;
        let told = json(&done);
        assert_eq!(steps(&done).last().map(String::as_str), Some("action EntryExportAdd Failure"));
        assert_eq!(told["statusInfo"]["status"], "Failure");
        assert_eq!(told["statusInfo"]["errorCode"], "MissingValues");
        assert!(told["statusInfo"]["recommendedAction"].as_str().is_some_and(|cure| !cure.is_empty()), "{told}");
        assert_eq!(done.record.escrow, 1);
        refusing.refuse(|_| None);
        let done = provision(&site, &login("Gil")).await;
        assert_eq!(done.record.done.get(&Class::Create), Some(&1), "it does not wait for its time");
    }

    async fn modes_and_limits_are_those_of_a_cycle(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        hire(&site.world, "Gil", &[], true);
        let state = site.store.job(JOB).await.expect("a job");
        site.store.set_mode(state.id, Mode::Approve, "test", "a test", site.now.as_second()).await.expect("a mode");
        let done = provision(&site, &login("Gil")).await;
        assert_eq!(done.record.written(), 0);
        let told = json(&done);
        assert_eq!(told["statusInfo"]["errorCode"], "approval");
        assert!(told["statusInfo"]["recommendedAction"].as_str().is_some_and(|cure| cure.contains("rosterd approve acme")), "{told}");
        site.store.set_mode(state.id, Mode::Observe, "test", "a test", site.now.as_second()).await.expect("a mode");
        let refused = tried(&site, &login("Gil"), false).await.err().expect("a refusal");
        assert!(refused.contains("it only observes"), "{refused}");
        assert!(tried(&site, &login("Gil"), true).await.is_ok(), "a look is allowed");
        site.store.set_mode(state.id, Mode::Write, "test", "a test", site.now.as_second()).await.expect("a mode");
        site.rules.actions.create = false;
        let done = provision(&site, &login("Gil")).await;
        assert_eq!((done.record.written(), &json(&done)["statusInfo"]["errorCode"]), (0, &json!("action")));
    }

    async fn several_of_one_name_are_told_by_their_ids_and_nobody_is_nobody(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        for one in ["Kim", "Kit"] {
            let mut twin = Hire::assigned(&login(one), "Sam", "Low");
            twin.assigned = true;
            site.change(Change::Hire(twin));
        }
        let refused = tried(&site, "Sam Low", false).await.err().expect("a refusal");
        let mut ids = [site.id(&login("Kim")), site.id(&login("Kit"))];
        ids.sort();
        assert_eq!(refused, format!("job acme: several are called `Sam Low`; give the id of one of them: {}", ids.join(", ")));
        let refused = tried(&site, "nobody@acme.example", false).await.err().expect("a refusal");
        assert_eq!(
            refused,
            "job acme: the source shows nobody and no group `nobody@acme.example`; give an id, a userName, a mail address, \
             or the name of a group or its team"
        );
    }

    /// P10: a directory of ten thousand costs as many requests as one of six.
    async fn one_of_ten_thousand_costs_a_few_requests(flavour) {
        let size = Size { users: 10_000, groups: 100, memberships_per_user: 2 };
        let world = World::new(flavour, size, 7, long_ago());
        hire(&world, "Gil", &[], true);
        let site = Site::start(world).await;
        let done = provision(&site, &login("Gil")).await;
        assert_eq!(done.record.done.get(&Class::Create), Some(&1), "{}", report::on_demand(&done.report));
        assert!(done.record.source_requests <= 6, "{} requests", done.record.source_requests);
        assert_eq!(watermarks(&site).await, [], "the first cycle still reads everything");
    }

    async fn a_remote_service_gets_the_one_person(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        let served = Served::start(Dialect::Strict).await;
        towards(&mut site, &served).await;
        site.cycle().await;
        hire(&site.world, "Gil", &["Sales"], true);
        let done = provision(&site, &login("Gil")).await;
        assert_eq!(done.record.done.get(&Class::Create), Some(&1), "{}", report::on_demand(&done.report));
        assert_eq!(done.record.written(), 2);
        assert_eq!(site.cycle().await.written(), 0);
    }

    async fn a_source_that_is_down_is_a_failed_connection_and_changes_nothing(flavour) {
        let mut site = Site::start(acme(flavour)).await;
        site.cycle().await;
        let before = site.seen();
        let down = format!("http://127.0.0.1:{}", 9);
        match flavour {
            Flavour::Graph => site.graph(|settings| {
                settings.root = down.parse().expect("a URL");
                settings.attempts = 1;
            }),
            Flavour::Okta => return,
        }
        let done = provision(&site, &login("Ann")).await;
        assert_eq!(steps(&done), ["connection TestConnection Failure"]);
        assert_eq!(done.report.status_info.status, StepStatus::Failure);
        assert!(done.record.error.is_some());
        assert_eq!(site.seen(), before);
    }
}

/// The recycle bin, and the way back: what Entra's own provision on demand cannot do.
#[tokio::test]
async fn who_is_deleted_is_deactivated_and_who_is_restored_is_back_in_the_teams() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.cycle().await;
    let ann = site.id(&login("Ann"));
    site.change(Change::SoftDelete { who: ann.clone() });
    let done = provision(&site, &login("Ann")).await;
    assert_eq!(json(&done)["action"], "disable", "{}", report::on_demand(&done.report));
    assert_eq!(details(&done, 1, "IsActive"), "false");
    site.change(Change::Restore { who: ann.clone() });
    let done = provision(&site, &login("Ann")).await;
    let text = report::on_demand(&done.report);
    assert_eq!(done.record.done.get(&Class::Reactivate), Some(&1), "{text}");
    let record = site.cycle().await;
    assert_eq!(record.written(), 0, "{:?}", site.left().await);
}

#[tokio::test]
async fn somebody_disabled_loses_the_account_and_gets_it_back() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.cycle().await;
    site.change(Change::Disable { who: login("Cy") });
    assert_eq!(json(&provision(&site, &login("Cy")).await)["action"], "disable");
    site.change(Change::Enable { who: login("Cy") });
    let done = provision(&site, &login("Cy")).await;
    assert_eq!(json(&done)["action"], "update");
    assert_eq!(done.record.done.get(&Class::Reactivate), Some(&1));
    assert_eq!(site.cycle().await.written(), 0);
}

/// A file cannot be asked for one person: it is read whole, and what is not of this person is left out.
#[tokio::test]
async fn one_person_of_a_file_comes_and_goes_alone() {
    let mut stage = Stage::new();
    for line in [
        "person u1 ann@x.example Ann Lee",
        "person u2 bo@x.example Bo Ng",
        "group g1 Sales u1",
        "app u1 u2 g:g1",
    ] {
        stage.command(line).await;
    }
    stage.cycle(Reading::Incremental).await;
    for line in ["person u3 cy@x.example Cy Ong", "drop u2", "group g1 Sales u1 u3", "app u1 u3 g:g1"] {
        stage.command(line).await;
    }
    stage.text.set(stage.directory.text());
    let wish = |what| Wish { what, overwrite: false, dry: false, who: "ann", reason: "asked for" };
    let stop = CancellationToken::new();
    let now = stage.now();
    let clock = move || now;
    let how =
        How { reading: Reading::Incremental, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
    let done = cycle::provision(&stage.job(), &stage.store, how, wish("cy@x.example")).await.expect("done");
    assert_eq!(done.record.done.get(&Class::Create), Some(&1), "{}", report::on_demand(&done.report));
    assert_eq!(done.record.written(), 2, "and the team");
    let done = cycle::provision(&stage.job(), &stage.store, how, wish("u1")).await.expect("done");
    assert_eq!(json(&done)["statusInfo"]["errorCode"], "RedundantExport");
    let done = cycle::provision(&stage.job(), &stage.store, how, wish("bo@x.example")).await.expect("done");
    let text = report::on_demand(&done.report);
    assert_eq!((done.record.written(), done.record.done.get(&Class::Deactivate)), (1, Some(&1)), "{text}");
    assert_eq!(stage.cycle(Reading::Incremental).await, "nothing\n");
}
