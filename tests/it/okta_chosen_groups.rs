//! People whom the scope chooses by group in Okta, with a row of the application or without: against a replayed org,
//! and from cycle to cycle against the simulated one.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rosterd::client::Secret;
use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::cycle::Job;
use rosterd::model::GroupPick;
use rosterd::model::Reading;
use rosterd::model::SourceId;
use rosterd::model::Vocabulary;
use rosterd::model::Watermarks;
use rosterd::plan::Mode;
use rosterd::plan::People;
use rosterd::plan::RawMapping;
use rosterd::plan::RawPreset;
use rosterd::plan::Rules;
use rosterd::plan::Scope;
use rosterd::plan::Selection;
use rosterd::plan::Teams;
use rosterd::simulators;
use rosterd::simulators::API_TOKEN;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::Hire;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::World;
use rosterd::sources::Source;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::OktaSource;
use serde_json::Value;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

use super::okta_org::Org;
use super::okta_org::Pulled;
use super::okta_org::Reply;
use super::okta_org::pull;
use super::support::story;
use super::support::story::Stage;

const USERS: &str = "/api/v1/apps/0oa1/users?limit=500&expand=user";
const GROUPS: &str = "/api/v1/apps/0oa1/groups?limit=200&expand=group";
const MEMBERS: &str = "/api/v1/groups/00g1/users?limit=200";

fn app_user(id: &str) -> Value {
    json!({"id": id, "status": "ACTIVE", "credentials": {"userName": format!("{id}@app")}, "profile": {"role": "boss"},
        "_embedded": {"user": person(id, "ACTIVE")}})
}

fn person(id: &str, status: &str) -> Value {
    json!({"id": id, "status": status, "profile": {"login": format!("{id}@acme")}})
}

fn sales() -> Value {
    json!({"id": "00g1", "type": "OKTA_GROUP", "lastMembershipUpdated": "2026-03-01T00:00:00.000Z",
        "profile": {"name": "Sales"}})
}

/// Ann has the application; Bo does not, and Di has left the company. All three are in the group.
async fn org() -> Org {
    let org = Org::start().await;
    org.tell("/api/v1/apps/0oa1", Reply::ok(json!({"id": "0oa1", "label": "Acme", "status": "ACTIVE"})));
    org.tell(USERS, Reply::ok(json!([app_user("ann")])));
    org.tell(GROUPS, Reply::ok(json!([])));
    org.tell("/api/v1/groups/00g1", Reply::ok(sales()));
    let members = json!([person("ann", "ACTIVE"), person("bo", "ACTIVE"), person("di", "DEPROVISIONED")]);
    org.tell(MEMBERS, Reply::ok(members));
    org
}

fn pick() -> Vec<GroupPick> {
    vec![GroupPick::Id(SourceId("00g1".to_owned()))]
}

fn choosing(org: &Org) -> OktaSource {
    OktaSource::new(org.settings("0oa1").with_people_of(pick()).expect("a pick")).expect("a source")
}

async fn pulled(source: &OktaSource, watermarks: &Watermarks, minute: &str) -> Pulled {
    let now: Timestamp = format!("2026-03-02T10:{minute}:00Z").parse().expect("a time");
    pull(source, source.reads(watermarks, Reading::Incremental, now)).await.expect("a whole reading")
}

const ANN: &str = r#"user ann (Enabled) appuser.role="boss" appuser.userName="ann@app" id="ann" status="ACTIVE" user.login="ann@acme"
app 0oa1 > user ann
"#;
const OTHERS: &str = r#"user bo (Enabled) appuser.userName="bo@acme" id="bo" status="ACTIVE" user.login="bo@acme"
user di (Disabled) appuser.userName="di@acme" id="di" status="DEPROVISIONED" user.login="di@acme"
"#;
const GROUP: &str = "group 00g1 (Enabled) id=\"00g1\" name=\"Sales\" type=\"OKTA_GROUP\"\n";
const EDGES: &str = "group 00g1 > user ann\ngroup 00g1 > user bo\ngroup 00g1 > user di";

#[tokio::test]
async fn members_without_a_row_of_the_application_are_shown_whole_and_the_others_once() {
    let org = org().await;
    let shown = pulled(&choosing(&org), &Watermarks::new(), "00").await;
    assert_eq!(shown.lines(), [ANN, GROUP, OTHERS, EDGES].concat());
    assert_eq!(shown.notes, Vec::<String>::new());
}

#[tokio::test]
async fn members_of_a_group_that_becomes_a_team_only_are_edges() {
    let org = org().await;
    let settings = org.settings("0oa1").with_groups(pick()).expect("a pick");
    let source = OktaSource::new(settings).expect("a source");
    assert_eq!(
        pulled(&source, &Watermarks::new(), "00").await.lines(),
        [ANN, GROUP, EDGES].concat(),
        "nobody is read whom nothing asks for"
    );
}

#[tokio::test]
async fn a_group_that_is_assigned_and_chosen_is_read_once_with_its_people() {
    let org = org().await;
    org.tell(GROUPS, Reply::ok(json!([{"id": "00g1", "_embedded": {"group": sales()}}])));
    let settings =
        org.settings("0oa1").with_people_of(pick()).and_then(|settings| settings.with_groups(pick()));
    let source = OktaSource::new(settings.expect("a pick")).expect("a source");
    let shown = pulled(&source, &Watermarks::new(), "00").await;
    assert_eq!(shown.lines(), [ANN, GROUP, "app 0oa1 > group 00g1\n", GROUP, OTHERS, EDGES].concat());
    assert_eq!(org.asked().len(), 5, "{:?}", org.asked());
}

#[tokio::test]
async fn a_group_that_is_chosen_later_is_read_with_its_people() {
    let org = org().await;
    let settings = org.settings("0oa1").with_groups(pick()).expect("a pick");
    let before = pulled(&OktaSource::new(settings).expect("a source"), &Watermarks::new(), "00").await;
    let source = choosing(&org);
    let after = pulled(&source, &before.watermarks, "40").await;
    assert_eq!(after.lines(), [ANN, GROUP, OTHERS, EDGES].concat());
    assert_eq!(pulled(&source, &after.watermarks, "50").await.lines(), [ANN, GROUP].concat().trim_end());
}

#[tokio::test]
async fn who_loses_the_row_is_shown_by_the_group_in_the_same_cycle() {
    let org = org().await;
    let source = choosing(&org);
    let before = pulled(&source, &Watermarks::new(), "00").await;
    org.tell(USERS, Reply::ok(json!([])));
    let members = json!([person("ann", "DEPROVISIONED"), person("bo", "ACTIVE")]);
    org.tell(MEMBERS, Reply::ok(members));
    assert_eq!(
        pulled(&source, &before.watermarks, "40").await.short(),
        "group 00g1 (Enabled)\nuser ann (Disabled)\nuser bo (Enabled)\ngroup 00g1 > user ann\ngroup 00g1 > user bo"
    );
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_somebody_all_the_same() {
    let org = org().await;
    org.tell(USERS, Reply::ok(json!([{"id": "ann", "status": 7}])));
    let shown = pulled(&choosing(&org), &Watermarks::new(), "00").await;
    assert_eq!(shown.lines(), [GROUP, OTHERS, EDGES].concat(), "what was seen of ann stays");
}

#[tokio::test]
async fn a_row_without_an_id_could_be_anybody_so_the_group_is_read_again() {
    let org = org().await;
    org.tell(USERS, Reply::ok(json!([{"status": "ACTIVE"}])));
    let shown = pulled(&choosing(&org), &Watermarks::new(), "00").await;
    assert_eq!(shown.lines(), [GROUP, EDGES].concat());
    assert_eq!(shown.watermarks.get("members:00g1"), None);
    assert_eq!(
        shown.notes[1],
        "not all users of the application are known; people of group 00g1 alone are read in the next cycle"
    );
}

#[tokio::test]
async fn a_member_who_cannot_be_read_stays_a_member() {
    let org = org().await;
    org.tell(MEMBERS, Reply::ok(json!([{"id": "bo", "status": 7}, {"id": "cy", "status": "ACTIVE"}])));
    let shown = pulled(&choosing(&org), &Watermarks::new(), "00").await;
    assert_eq!(shown.lines(), [ANN, GROUP, "group 00g1 > user bo\ngroup 00g1 > user cy"].concat());
    let notes: Vec<&str> = shown.notes.iter().filter_map(|note| note.split("00g1/users: ").last()).collect();
    assert_eq!(
        notes,
        [
            "1 of 2 rows cannot be read and are left out",
            "user cy came without a profile; the one seen before stays"
        ]
    );
}

/// The simulated org, and a job that takes who is assigned and who is in the group Crew.
struct Town {
    world: World,
    stage: Stage,
    job: Job,
    now: Timestamp,
    _stop: DropGuard,
}

impl Town {
    /// Ann and Dee are assigned; Bo, Cy and Gus are not. All but Eve, who is neither assigned nor a member, are crew.
    async fn start() -> Town {
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().expect("a time");
        let world = World::empty(Flavour::Okta, now);
        world.set_clock(now);
        let change = |change| world.change(change).expect("a change");
        change(Change::CreateGroup { name: "Crew".to_owned(), id: None, assigned: false });
        for name in ["ann", "bo", "cy", "dee", "eve", "gus"] {
            let mut hire = Hire::assigned(&login(name), name, "Lee");
            hire.assigned = ["ann", "dee"].contains(&name);
            hire.groups = if name == "eve" { Vec::new() } else { vec!["Crew".to_owned()] };
            change(Change::Hire(hire));
        }
        change(Change::SoftDelete { who: login("gus") });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let host = format!("http://{}", listener.local_addr().expect("an address"));
        let stop = CancellationToken::new();
        tokio::spawn(simulators::serve(world.clone(), listener, stop.clone()));
        let stage = Stage::new();
        let source: Arc<dyn Source> = Arc::new(source(&host));
        let job = Job { source, rules: rules(), ..stage.job() };
        let state = stage.store.job(&job.name).await.expect("a job");
        stage.store.set_mode(state.id, Mode::Write, "test", "story", 0).await.expect("a mode");
        let mut town = Town { world, stage, job, now, _stop: stop.drop_guard() };
        town.later("24h");
        town
    }

    fn later(&mut self, span: &str) {
        self.now += span.parse::<jiff::SignedDuration>().expect("a span");
        self.world.set_clock(self.now);
    }

    fn change(&self, change: Change) {
        self.world.change(change).expect("a change");
    }

    /// What a cycle did, such as `3 create`; it may leave nothing over.
    async fn cycle(&mut self) -> String {
        let stop = CancellationToken::new();
        let now = self.now;
        let clock = move || now;
        let how = How {
            reading: Reading::Incremental,
            verify: false,
            now,
            clock: &clock,
            watch: &|_| {},
            stop: &stop,
        };
        let record = cycle::run(&self.job, &self.stage.store, how).await.expect("a cycle");
        self.later("40m");
        assert_eq!((record.held, record.waiting, record.escrow), (0, 0, 0));
        assert!(record.failed.is_empty(), "{:?}", record.failed);
        let done: Vec<String> =
            record.done.iter().map(|(class, count)| format!("{count} {}", class.word())).collect();
        match (done.is_empty(), record.objects_changed) {
            (true, 0) => "nothing new".to_owned(),
            (true, changed) => format!("{changed} seen"),
            _ => done.join(", "),
        }
    }
}

fn login(name: &str) -> String {
    format!("{name}@acme.example")
}

fn source(host: &str) -> OktaSource {
    let crew = || vec![GroupPick::Name("Crew".to_owned())];
    let settings = OktaSettings::new(host, Secret::new(API_TOKEN), OKTA_APP_ID)
        .and_then(|settings| settings.with_people_of(crew()))
        .and_then(|settings| settings.with_groups(crew()));
    let mut settings = settings.expect("good settings");
    settings.backoff = Duration::from_millis(1);
    settings.system_log = false;
    OktaSource::new(settings).expect("a source")
}

fn rules() -> Rules {
    let preset: RawPreset =
        toml_edit::de::from_str(include_str!("../../config/presets/cerby.toml")).expect("the preset is TOML");
    let mappings = RawMapping::default().check(Some(&preset), Vocabulary::Okta).expect("the preset is sound");
    let crew = || vec![rosterd::model::GroupPick::Name("Crew".to_owned())];
    let assigned_to = Some(SourceId(OKTA_APP_ID.to_owned()));
    let users = Selection { assigned_to, groups: crew(), ..Selection::default() };
    let teams = Selection { groups: crew(), ..Selection::default() };
    Rules {
        vocabulary: Vocabulary::Okta,
        scope: Scope { users, teams },
        people: People::default(),
        teams: Teams::default(),
        users: mappings.users,
        groups: mappings.groups,
        ..story::rules()
    }
}

#[tokio::test]
async fn people_of_a_chosen_group_live_through_their_life_without_the_application() {
    let mut town = Town::start().await;
    assert_eq!(town.cycle().await, "5 create, 4 add_members", "four people and the team");
    assert_eq!(
        town.stage.workspace().await,
        "[Crew] ann@acme.example bo@acme.example cy@acme.example dee@acme.example
ann@acme.example ann Lee
bo@acme.example bo Lee
cy@acme.example cy Lee
dee@acme.example dee Lee
"
    );
    assert_eq!(town.cycle().await, "nothing new");
    town.later("24h");
    assert_eq!(town.cycle().await, "nothing new", "the group was read again and showed the same");

    // Deactivating takes the row away and keeps the membership.
    town.change(Change::SoftDelete { who: login("ann") });
    assert_eq!(town.cycle().await, "1 remove_members, 1 deactivate");
    // The application is lost, the group is not.
    town.change(Change::Unassign { principal: login("dee") });
    assert_eq!(town.cycle().await, "1 seen");
    assert_eq!(town.cycle().await, "nothing new");

    // Nothing of the group tells that Bo is deactivated: it is seen when the group is read again.
    town.change(Change::SoftDelete { who: login("bo") });
    assert_eq!(town.cycle().await, "nothing new");
    town.later("24h");
    assert_eq!(town.cycle().await, "1 remove_members, 1 deactivate");
    town.change(Change::Leave { group: "Crew".to_owned(), member: login("cy") });
    town.change(Change::Join { group: "Crew".to_owned(), member: login("eve") });
    assert_eq!(town.cycle().await, "1 create, 1 add_members, 1 remove_members, 1 deactivate");
    town.change(Change::Restore { who: login("ann") });
    town.later("24h");
    assert_eq!(town.cycle().await, "1 reactivate, 1 add_members");
    assert_eq!(town.cycle().await, "nothing new");
    assert_eq!(
        town.stage.workspace().await,
        "[Crew] ann@acme.example dee@acme.example eve@acme.example
ann@acme.example ann Lee
bo@acme.example bo Lee inactive
cy@acme.example cy Lee inactive
dee@acme.example dee Lee
eve@acme.example eve Lee
"
    );
}
