//! The Graph connector against the simulated tenant: loads, rounds and troubles over the whole wire.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;
use url::Url;

use rosterd::client::Secret;
use rosterd::model::Collection;
use rosterd::model::Container;
use rosterd::model::Coverage;
use rosterd::model::Grade;
use rosterd::model::Next;
use rosterd::model::Reading;
use rosterd::model::Record;
use rosterd::model::SourceId;
use rosterd::model::SourceObject;
use rosterd::model::Standing;
use rosterd::model::Watermarks;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::simulators;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::Flavour;
use rosterd::simulators::Hire;
use rosterd::simulators::Route;
use rosterd::simulators::Size;
use rosterd::simulators::Trouble;
use rosterd::simulators::World;
use rosterd::sources::Source;
use rosterd::sources::graph::GraphSettings;
use rosterd::sources::graph::GraphSource;
use rosterd::sources::graph::GroupsNeed;

use crate::graph_tenant::Whole;
use crate::graph_tenant::fresh;
use crate::graph_tenant::id;
use crate::graph_tenant::read_named;
use crate::graph_tenant::whole;

/// A tenant on loopback, and what was read of it.
struct Tenant {
    world: World,
    source: GraphSource,
    seen: Seen,
    watermarks: Watermarks,
    _stop: DropGuard,
}

#[derive(Default)]
struct Seen {
    objects: BTreeMap<SourceId, SourceObject>,
    /// Principals by what holds them; of an edge the detail.
    edges: BTreeMap<(Container, SourceId), (Kind, String)>,
}

impl Tenant {
    async fn start(users: usize, groups: usize) -> Tenant {
        Tenant::with(users, groups, |_, _| {}).await
    }

    async fn with(users: usize, groups: usize, change: impl FnOnce(&World, &mut GraphSettings)) -> Tenant {
        let size = Size { users, groups, memberships_per_user: 3 };
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let world = World::new(Flavour::Graph, size, 7, now);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(simulators::serve(world.clone(), listener, stop.clone()));
        let secret = Secret::new(simulators::CLIENT_SECRET);
        let mut settings = GraphSettings::new(simulators::TENANT, simulators::CLIENT_ID, secret);
        settings.authority = root.clone();
        settings.root = root;
        settings.app = Some(id(simulators::GRAPH_APP_ID));
        settings.page_size = 50;
        settings.backoff = Duration::from_millis(1);
        settings.attempts = 3;
        change(&world, &mut settings);
        let source = GraphSource::new(settings).unwrap();
        Tenant {
            world,
            source,
            seen: Seen::default(),
            watermarks: Watermarks::new(),
            _stop: stop.drop_guard(),
        }
    }

    /// Every read to its end, as a cycle does it.
    async fn pull(&mut self, reading: Reading) -> Vec<Whole> {
        let mut wholes = Vec::new();
        let reads = self.source.reads(&self.watermarks, reading, Timestamp::UNIX_EPOCH);
        let mut open: VecDeque<_> = reads.into();
        while let Some(read) = open.pop_front() {
            let name = read.name.clone();
            let mut whole = whole(&self.source, read).await.unwrap();
            open.extend(std::mem::take(&mut whole.further));
            self.seen.take(&whole);
            if let Some(watermark) = &whole.watermark {
                self.watermarks.insert(name, watermark.clone());
            }
            wholes.push(whole);
        }
        wholes
    }

    fn change(&self, change: Change) {
        self.world.change(change).unwrap();
    }

    /// What was read says what the directory says.
    fn assert_mirrored(&self) {
        let snapshot = self.world.snapshot();
        let app = Container::App(id(simulators::GRAPH_APP_ID));
        let active = self.seen.active(&app);
        assert_eq!(active, snapshot.people.keys().map(|key| id(key)).collect());
        for (key, person) in &snapshot.people {
            let object = &self.seen.objects[&id(key)];
            let shown =
                |name: &str| object.attributes.get(name).and_then(|value| value.as_str()).map(str::to_owned);
            assert_eq!(shown("userPrincipalName").as_ref(), Some(&person.login));
            assert_eq!((shown("mail"), shown("surname")), (person.mail.clone(), person.surname.clone()));
        }
        let groups: BTreeSet<&SourceId> = self.seen.live(Kind::Group).collect();
        assert_eq!(groups.len(), snapshot.groups.len());
        for (key, group) in &snapshot.groups {
            let name = self.seen.objects[&id(key)].attributes["displayName"].as_str().unwrap();
            assert_eq!(name, group.name);
            let holder = Container::Group(id(key));
            let members = self.seen.principals(&holder, Kind::User);
            let members: BTreeSet<SourceId> =
                members.filter(|member| active.contains(*member)).cloned().collect();
            let expected: BTreeSet<SourceId> = group.members.iter().map(|member| id(member)).collect();
            let differ: Vec<&SourceId> = members.symmetric_difference(&expected).collect();
            assert!(differ.is_empty(), "members of {}: {differ:?}", group.name);
        }
    }
}

impl Seen {
    fn take(&mut self, whole: &Whole) {
        for (collection, coverage) in &whole.covered {
            if *coverage == Coverage::Full {
                self.forget(collection);
            }
        }
        for record in &whole.records {
            self.record(record);
        }
    }

    fn forget(&mut self, collection: &Collection) {
        match collection {
            Collection::Users => self.objects.retain(|_, object| object.kind != Kind::User),
            Collection::Groups => self.objects.retain(|_, object| object.kind != Kind::Group),
            Collection::AllMembers => self.edges.retain(|(holder, _), _| matches!(holder, Container::App(_))),
            Collection::Assignments(app) => {
                self.edges.retain(|(holder, _), _| *holder != Container::App(app.clone()))
            }
            Collection::Members(group) => {
                self.edges.retain(|(holder, _), _| *holder != Container::Group(group.clone()))
            }
            Collection::GroupsOf(_) | Collection::ListOf { .. } => {
                panic!("no read of a cycle covers one person")
            }
        }
    }

    fn record(&mut self, record: &Record) {
        match record.clone() {
            Record::Object(object) => {
                self.objects.insert(object.id.clone(), object);
            }
            Record::Removed { id, standing, .. } => {
                if let Some(object) = self.objects.get_mut(&id) {
                    object.standing = standing;
                }
            }
            Record::Edge { container, principal, kind, detail } => {
                self.edges.insert((container, principal), (kind, detail));
            }
            Record::EdgeRemoved { container, principal, .. } => {
                self.edges.remove(&(container, principal));
            }
            other => panic!("unexpected {other:?}"),
        }
    }

    fn principals<'a>(&'a self, holder: &'a Container, kind: Kind) -> impl Iterator<Item = &'a SourceId> {
        let held =
            move |((at, _), (of, _)): &(&(Container, SourceId), &(Kind, String))| at == holder && *of == kind;
        self.edges.iter().filter(held).map(|((_, principal), _)| principal)
    }

    fn live(&self, kind: Kind) -> impl Iterator<Item = &SourceId> {
        let live = move |object: &&SourceObject| object.kind == kind && object.standing == Standing::Enabled;
        self.objects.values().filter(live).map(|object| &object.id)
    }

    /// Enabled, and assigned directly or as a direct member of an assigned group.
    fn active(&self, app: &Container) -> BTreeSet<SourceId> {
        let mut held: BTreeSet<&SourceId> = self.principals(app, Kind::User).collect();
        for group in self.principals(app, Kind::Group) {
            let live = self.objects.get(group).is_some_and(|object| object.standing == Standing::Enabled);
            if live {
                let members: Vec<&SourceId> = self
                    .edges
                    .keys()
                    .filter(|(holder, _)| *holder == Container::Group(group.clone()))
                    .map(|(_, p)| p)
                    .collect();
                held.extend(members);
            }
        }
        self.live(Kind::User).filter(|user| held.contains(user)).cloned().collect()
    }
}

#[tokio::test]
async fn a_first_load_a_quiet_cycle_and_a_day_of_changes_mirror_the_tenant() {
    let mut tenant = Tenant::start(300, 12).await;
    let loaded = tenant.pull(Reading::Incremental).await;
    let coverages = |wholes: &[Whole]| wholes.iter().map(|whole| whole.covered[0].1).collect::<Vec<_>>();
    assert_eq!(coverages(&loaded), [Coverage::Full, Coverage::Full, Coverage::Full]);
    tenant.assert_mirrored();

    tenant.world.reset_counters();
    let quiet = tenant.pull(Reading::Incremental).await;
    assert_eq!(coverages(&quiet), [Coverage::Full, Coverage::Changes, Coverage::Changes]);
    assert!(quiet[1].records.is_empty() && quiet[2].records.is_empty());
    let counters = tenant.world.counters();
    assert_eq!(
        (counters.of(Route::UsersDelta), counters.of(Route::GroupsDelta), counters.of(Route::Batch)),
        (1, 1, 0)
    );

    for (_, change) in simulators::demo_day(&tenant.world) {
        tenant.change(change);
    }
    let changed = tenant.pull(Reading::Incremental).await;
    assert_eq!(coverages(&changed), [Coverage::Full, Coverage::Changes, Coverage::Changes]);
    tenant.assert_mirrored();
    assert_eq!(tenant.world.counters().of(Route::UsersList), 0, "changes never read the whole list");
}

/// The same days, with every group named by its id: two streams, and one more for a group that is assigned later.
#[tokio::test]
async fn streams_of_chosen_groups_mirror_the_tenant_as_the_feed_of_all_does() {
    let mut tenant = Tenant::with(200, 60, |world, settings| {
        let groups = world.snapshot().groups.keys().map(|group| id(group)).collect();
        settings.groups = GroupsNeed::Ids(groups);
    })
    .await;
    for reading in [Reading::Incremental, Reading::Full] {
        tenant.pull(reading).await;
        tenant.assert_mirrored();
    }
    for (_, change) in simulators::demo_day(&tenant.world) {
        tenant.change(change);
    }
    let created = Change::CreateGroup { name: "Late".to_owned(), id: None, assigned: true };
    tenant.change(created);
    tenant.change(Change::Hire(Hire::assigned("ann@x.example", "Ann", "Lee")));
    let [late, ann] = ["Late", "ann@x.example"].map(|name| tenant.world.id_of(name).unwrap());
    tenant.change(Change::Join { group: late, member: ann });
    tenant.pull(Reading::Incremental).await;
    tenant.assert_mirrored();
    assert!(tenant.watermarks.contains_key("groups:3") && !tenant.watermarks.contains_key("groups"));
    tenant.pull(Reading::Full).await;
    tenant.assert_mirrored();
}

#[tokio::test]
async fn a_person_goes_to_the_bin_comes_back_and_is_purged() {
    let mut tenant = Tenant::start(40, 4).await;
    tenant.change(Change::Hire(Hire::assigned("ann@x.example", "Ann", "Lee")));
    let ann = id(&tenant.world.id_of("ann@x.example").unwrap());
    let standing = |tenant: &Tenant| tenant.seen.objects[&ann].standing;
    tenant.pull(Reading::Full).await;
    assert_eq!(standing(&tenant), Standing::Enabled);
    for (change, expected) in [
        (Change::Disable { who: ann.0.clone() }, Standing::Disabled),
        (Change::SoftDelete { who: ann.0.clone() }, Standing::SoftDeleted),
        (Change::Restore { who: ann.0.clone() }, Standing::Disabled),
        (Change::Enable { who: ann.0.clone() }, Standing::Enabled),
        (Change::Purge { who: ann.0.clone() }, Standing::Gone),
    ] {
        tenant.change(change);
        tenant.pull(Reading::Incremental).await;
        assert_eq!(standing(&tenant), expected);
    }
}

#[tokio::test]
async fn roles_of_a_person_are_one_edge() {
    let mut tenant = Tenant::start(20, 2).await;
    tenant.change(Change::Hire(Hire::assigned("ann@x.example", "Ann", "Lee")));
    let ann = id(&tenant.world.id_of("ann@x.example").unwrap());
    let held = (Container::App(id(simulators::GRAPH_APP_ID)), ann.clone());
    tenant.pull(Reading::Full).await;
    assert_eq!(tenant.seen.edges[&held].1, "", "default access is no role");
    for role in ["Admin", "User"] {
        tenant.change(Change::Assign { principal: ann.0.clone(), role: Some(role.to_owned()) });
    }
    tenant.pull(Reading::Incremental).await;
    let roles: Vec<&str> = tenant.seen.edges[&held].1.split(',').collect();
    assert_eq!(roles.len(), 2, "{roles:?}");
    assert!(roles.is_sorted());
}

#[tokio::test]
async fn an_expired_delta_token_is_said_and_everything_is_read_again() {
    for status in [400, 410] {
        let mut tenant = Tenant::start(60, 5).await;
        tenant.pull(Reading::Incremental).await;
        tenant.world.fault(Fault::next(Route::UsersDelta, Trouble::ExpireDelta { status }));
        let again = tenant.pull(Reading::Incremental).await;
        assert_eq!(again[1].covered, [(Collection::Users, Coverage::Full)]);
        assert_eq!(again[1].notes, ["the watermark of `users` had expired; it was read from the start"]);
        assert_eq!(again[2].covered[0].1, Coverage::Changes, "the groups' own token is good");
        tenant.assert_mirrored();
    }
}

#[tokio::test]
async fn passing_troubles_are_waited_out() {
    let mut tenant = Tenant::start(120, 5).await;
    let throttled = Trouble::Status { status: 429, retry_after: Some("0.2".to_owned()) };
    for fault in [
        Fault::nth(Route::UsersList, 2, Trouble::Status { status: 503, retry_after: None }),
        Fault::nth(Route::UsersList, 3, Trouble::Drop),
        Fault::next(Route::GroupsDelta, Trouble::Truncate),
        Fault::nth(Route::Assignments, 2, throttled),
        Fault::next(Route::Token, Trouble::Status { status: 500, retry_after: None }),
    ] {
        tenant.world.fault(fault);
    }
    tenant.pull(Reading::Incremental).await;
    assert!(tenant.world.faults().is_empty(), "every fault happened");
    tenant.assert_mirrored();
}

#[tokio::test]
async fn lasting_troubles_end_the_read_without_an_end_of_the_list() {
    for (trouble, text) in [
        (Trouble::Status { status: 503, retry_after: None }, "still status 503 after 3 attempts"),
        (Trouble::Truncate, "no whole answer"),
        (Trouble::Deny, "add the application permission Application.Read.All"),
        (Trouble::ForeignHost, "points to http://graph.foreign.example, which is not it"),
        (Trouble::Html { status: 200 }, "the answer cannot be read"),
    ] {
        let tenant = Tenant::start(120, 5).await;
        tenant.world.fault(Fault::always(Route::Assignments, trouble.clone()));
        let name = format!("assignments:{}", simulators::GRAPH_APP_ID);
        let error = fresh(&tenant.source, &name).await.unwrap_err();
        assert!(error.to_string().contains(text), "{trouble:?}: {error}");
    }
}

#[tokio::test]
async fn a_page_that_leads_to_itself_shows_in_equal_cursors() {
    let tenant = Tenant::start(120, 5).await;
    tenant.world.fault(Fault::always(Route::Assignments, Trouble::RepeatCursor));
    let name = format!("assignments:{}", simulators::GRAPH_APP_ID);
    let mut read = read_named(&tenant.source, &name, &Watermarks::new());
    let mut cursors = Vec::new();
    for _ in 0..3 {
        let page = tenant.source.page(&read).await.unwrap();
        let Next::Page(cursor) = page.next else { panic!("it never ends") };
        cursors.push(cursor.clone());
        read.cursor = cursor;
    }
    assert_eq!(cursors[1], cursors[2]);
}

#[tokio::test]
async fn witnesses_follow_the_tenant() {
    let mut tenant = Tenant::start(40, 4).await;
    for login in ["stays@x.example", "leaves@x.example", "binned@x.example", "purged@x.example"] {
        tenant.change(Change::Hire(Hire::assigned(login, "A", "B")));
    }
    tenant.change(Change::CreateGroup { name: "Witnessed".to_owned(), id: None, assigned: false });
    let at = |name: &str| id(&tenant.world.id_of(name).unwrap());
    let [stays, leaves, binned, purged] =
        ["stays@x.example", "leaves@x.example", "binned@x.example", "purged@x.example"].map(at);
    let group = at("Witnessed");
    tenant.change(Change::Join { group: group.0.clone(), member: stays.0.clone() });
    tenant.pull(Reading::Full).await;
    tenant.change(Change::Unassign { principal: leaves.0.clone() });
    tenant.change(Change::SoftDelete { who: binned.0.clone() });
    tenant.change(Change::Purge { who: purged.0.clone() });

    let app = || Container::App(id(simulators::GRAPH_APP_ID));
    let held = |container, principal: &SourceId| WitnessQuestion::Held {
        container,
        principal: principal.clone(),
        kind: Kind::User,
    };
    let exists = |id: &SourceId| WitnessQuestion::Exists { id: id.clone(), kind: Kind::User };
    let in_group = || Container::Group(group.clone());
    let gone = |evidence: &'static str| WitnessAnswer::Absent(evidence.into());
    let (questions, expected): (Vec<_>, Vec<_>) = [
        (held(app(), &stays), WitnessAnswer::Present),
        (held(app(), &leaves), gone("no row of the application among the principal's own assignments")),
        (held(app(), &purged), gone("404, and not in the recycle bin")),
        (held(in_group(), &stays), WitnessAnswer::Present),
        (held(in_group(), &leaves), gone("checkMemberGroups does not name the group")),
        (exists(&stays), WitnessAnswer::Present),
        (exists(&binned), gone("404, and in the recycle bin")),
        (exists(&purged), gone("404, and not in the recycle bin")),
        (WitnessQuestion::Exists { id: group.clone(), kind: Kind::Group }, WitnessAnswer::Present),
    ]
    .into_iter()
    .unzip();
    assert_eq!(tenant.source.witness(&questions).await.unwrap(), expected);

    tenant.world.fault(Fault::always(Route::UserAssignments, Trouble::Deny));
    let answers = tenant.source.witness(&questions[..1]).await.unwrap();
    assert!(
        matches!(&answers[0], WitnessAnswer::CannotSay(why) if why.contains("Directory.Read.All")),
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_check_of_a_sound_tenant_finds_nothing_wrong() {
    let tenant = Tenant::start(40, 4).await;
    let findings = tenant.source.check().await;
    let subjects: Vec<&str> = findings.iter().map(|finding| finding.subject.as_str()).collect();
    let told = [
        "sign-in",
        "clock",
        "users",
        "groups",
        "members",
        "application",
        "app assignments",
        "licence",
        "changes",
    ];
    let witnesses = ["witness unassigned", "witness left group", "witness gone", "witness group gone"];
    let all = told.iter().chain(&witnesses).chain(&["budget", "hosts"]);
    assert!(all.clone().all(|subject| subjects.contains(subject)), "{subjects:?}");
    // The tenant lives on another day.
    let mut others = findings.iter().filter(|finding| finding.subject != "clock");
    assert!(others.all(|finding| finding.grade == Grade::Ok), "{findings:?}");
}
