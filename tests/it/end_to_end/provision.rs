//! `provision`: one team is brought up to date by itself, and nothing else is written.

use jiff::Timestamp;
use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::cycle::Wish;
use rosterd::model::Reading;
use rosterd::plan::Class;
use rosterd::plan::CycleRecord;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::store::LogFilter;
use rosterd::targets::Lookup;
use rosterd::targets::Operation;
use tokio_util::sync::CancellationToken;

use super::site::Site;
use super::site::acme;
use super::site::login;

const NOTHING: Wish<'_> =
    Wish { what: "Sales", overwrite: false, dry: false, who: "ann", reason: "asked for" };

async fn provision(site: &Site, wish: Wish<'_>) -> Result<(Vec<String>, CycleRecord), String> {
    let stop = CancellationToken::new();
    let now: Timestamp = site.now;
    let clock = move || now;
    let how =
        How { reading: Reading::Incremental, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
    let done =
        cycle::provision(&site.job(), &site.store, how, wish).await.map_err(|error| error.to_string())?;
    Ok((done.steps.into_iter().map(|(step, told)| format!("{step}: {told}")).collect(), done.record))
}

async fn find(site: &Site, kind: Kind, name: &str) -> ResourceId {
    let path = if kind == Kind::User { "userName" } else { "displayName" };
    let lookup = Lookup { kind, path: path.to_owned(), value: name.to_owned() };
    site.target.find(&[lookup]).await.expect("an answer")[0][0].id.clone()
}

async fn members(site: &Site, team: &str, add: &[&str], remove: &[&str]) {
    let id = find(site, Kind::Group, team).await;
    let mut change = Operation::Members { team: id, add: Vec::new(), remove: Vec::new() };
    if let Operation::Members { add: adds, remove: removes, .. } = &mut change {
        for (names, ids) in [(add, adds), (remove, removes)] {
            for name in names {
                ids.push(find(site, Kind::User, &login(name)).await);
            }
        }
    }
    site.target.apply(&[change]).await.expect("applied");
}

async fn in_team(site: &Site, team: &str) -> Vec<String> {
    let id = find(site, Kind::Group, team).await;
    let members = site.target.members(&id).await.expect("an answer").expect("a team");
    let ids: Vec<_> = members.into_iter().map(|id| (Kind::User, id)).collect();
    let found = site.target.get(&ids).await.expect("an answer");
    let mut names: Vec<String> = found
        .iter()
        .flatten()
        .map(|user| user.body["userName"].as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    names
}

/// Sales holds Ann and Bo. Somebody took Bo out by hand and put Di in.
async fn meddled(flavour: Flavour) -> Site {
    let mut site = Site::start(acme(flavour)).await;
    site.cycle().await;
    members(&site, "Sales", &["Di"], &["Bo"]).await;
    assert_eq!(site.cycle().await.written(), 0, "a cycle asks the source alone");
    assert_eq!(in_team(&site, "Sales").await, [login("Ann"), login("Di")]);
    site
}

super::both! {
    async fn who_was_taken_out_comes_back_and_strangers_stay_unless_overwritten(flavour) {
        let site = meddled(flavour).await;
        let (steps, record) = provision(&site, NOTHING).await.unwrap();
        assert_eq!(steps[2], "members: 2 wanted, 2 shown by the target; 1 to add, 0 to remove, 0 wait for an account");
        assert_eq!(steps[3], "strangers: di@acme.example stays: --overwrite removes it");
        assert_eq!(record.done.get(&Class::AddMembers), Some(&1));
        assert_eq!(in_team(&site, "Sales").await, [login("Ann"), login("Bo"), login("Di")]);

        let (steps, record) = provision(&site, Wish { overwrite: true, ..NOTHING }).await.unwrap();
        assert_eq!(steps[3], "strangers: di@acme.example goes");
        assert_eq!(record.done.get(&Class::RemoveMembers), Some(&1));
        assert_eq!(in_team(&site, "Sales").await, [login("Ann"), login("Bo")]);
        let filter = LogFilter { cycle: Some(record.cycle), limit: 9, ..LogFilter::default() };
        let rows = site.store.log(filter).await.expect("a log");
        assert_eq!(rows[0].cause.as_ref().map(|cause| cause.sentence()).as_deref(), Some("group Sales was overwritten by hand"));
        assert_eq!(rows[0].outcome.as_deref(), Some("done"));
    }

    async fn a_dry_run_tells_the_same_and_does_nothing(flavour) {
        let site = meddled(flavour).await;
        let before = std::fs::read(site.state_file()).expect("a state");
        let (steps, record) = provision(&site, Wish { overwrite: true, dry: true, ..NOTHING }).await.unwrap();
        assert_eq!(steps[2], "members: 2 wanted, 2 shown by the target; 1 to add, 0 to remove, 0 wait for an account");
        assert_eq!(steps[3], "strangers: di@acme.example goes");
        assert_eq!(record.written(), 0);
        assert_eq!(in_team(&site, "Sales").await, [login("Ann"), login("Di")]);
        assert_eq!(std::fs::read(site.state_file()).expect("a state"), before, "the state stays as it is (P3)");
    }

    async fn nothing_but_the_team_is_written_and_who_is_protected_stays(flavour) {
        let mut site = meddled(flavour).await;
        site.rules.protect.insert(login("Di"));
        site.change(Change::RenameGroup { group: "Sales".to_owned(), name: "Sellers".to_owned() });
        site.change(Change::RenameGroup { group: "Support".to_owned(), name: "Helpers".to_owned() });
        let (steps, record) = provision(&site, Wish { what: "Sellers", overwrite: true, ..NOTHING }).await.unwrap();
        assert_eq!(steps[3], "strangers: di@acme.example stays: it is protected");
        assert_eq!(record.done.get(&Class::Update), Some(&1), "its own name, and no other team's");
        assert_eq!(in_team(&site, "Sellers").await, [login("Ann"), login("Bo"), login("Di")]);
        assert_eq!(site.cycle().await.done.get(&Class::Update), Some(&1), "the other team follows in the next cycle");
    }
}

#[tokio::test]
async fn a_group_that_is_none_or_no_team_is_told_with_what_to_do() {
    let mut site = Site::start(acme(Flavour::Graph)).await;
    site.cycle().await;
    let told = |what| {
        let site = &site;
        async move { provision(site, Wish { what, ..NOTHING }).await.unwrap_err() }
    };
    assert_eq!(
        told("Sails").await,
        "job acme: the source shows nobody and no group `Sails`; give an id, a userName, a mail address, or the name of a group or its team"
    );
    let kitchen = site.id("Kitchen");
    assert_eq!(
        told("Kitchen").await,
        format!(
            "job acme: group Kitchen ({kitchen}) is not one that becomes a team; see jobs.acme.scope.teams"
        )
    );
}
