//! One simulated directory on loopback, a job with the real connector, and a workspace in a state of its own.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use rosterd::client::Secret;
use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::cycle::Job;
use rosterd::cycle::Planned;
use rosterd::model::Reading;
use rosterd::model::SourceId;
use rosterd::model::Vocabulary;
use rosterd::plan::Act;
use rosterd::plan::Actions;
use rosterd::plan::Adoption;
use rosterd::plan::Change as Planning;
use rosterd::plan::Class;
use rosterd::plan::CycleRecord;
use rosterd::plan::Leavers;
use rosterd::plan::Limit;
use rosterd::plan::Limits;
use rosterd::plan::Mode;
use rosterd::plan::People;
use rosterd::plan::RawMapping;
use rosterd::plan::RawPreset;
use rosterd::plan::Rehire;
use rosterd::plan::Rules;
use rosterd::plan::Scope;
use rosterd::plan::Selection;
use rosterd::plan::TargetLimits;
use rosterd::plan::TeamNames;
use rosterd::plan::Teams;
use rosterd::plan::Verdict;
use rosterd::simulators::API_TOKEN;
use rosterd::simulators::CLIENT_ID;
use rosterd::simulators::CLIENT_SECRET;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::GRAPH_APP_ID;
use rosterd::simulators::Hire;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::TENANT;
use rosterd::simulators::World;
use rosterd::simulators::serve;
use rosterd::sources::Source;
use rosterd::sources::graph::GraphSettings;
use rosterd::sources::graph::GraphSource;
use rosterd::sources::graph::TenantSize;
use rosterd::sources::okta::OktaSettings;
use rosterd::sources::okta::OktaSource;
use rosterd::sources::okta::PageSizes;
use rosterd::store::Store;
use rosterd::targets::ServiceProvider;
use rosterd::targets::workspace::WorkspaceTarget;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

const PRESET: &str = include_str!("../../../config/presets/cerby.toml");
pub const JOB: &str = "acme";
pub const WORKSPACE: &str = "main";
/// Between two cycles; what happens in the directory happens in the middle.
const PAUSE: SignedDuration = SignedDuration::from_mins(40);

/// Rows on a page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// As large as the service gives them.
    Large,
    /// A few, so that every listing has several.
    Small,
}

pub struct Site {
    pub world: World,
    pub rules: Rules,
    pub limits: Limits,
    pub store: Store,
    pub target: Arc<dyn ServiceProvider>,
    pub source: Arc<dyn Source>,
    pub now: Timestamp,
    pub verify: Option<Duration>,
    ids: Arc<AtomicU64>,
    url: String,
    pages: Pages,
    home: tempfile::TempDir,
    _stop: DropGuard,
}

/// Two days before the first cycle: old enough that nothing of a seed is news.
pub fn long_ago() -> Timestamp {
    morning() - SignedDuration::from_hours(48)
}

fn morning() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().expect("a time")
}

/// Ann and Bo are in Sales, Ann and Cy in Support, both of which have the application; Di and Ed have it
/// themselves; Fay cooks.
pub fn acme(flavour: Flavour) -> World {
    let world = World::empty(flavour, long_ago());
    for (name, assigned) in [("Sales", true), ("Support", true), ("Kitchen", false)] {
        let change = Change::CreateGroup { name: name.to_owned(), id: None, assigned };
        world.change(change).expect("a group");
    }
    for (given, groups, assigned) in [
        ("Ann", &["Sales", "Support"][..], false),
        ("Bo", &["Sales"], false),
        ("Cy", &["Support"], false),
        ("Di", &[], true),
        ("Ed", &[], true),
        ("Fay", &["Kitchen"], false),
    ] {
        hire(&world, given, groups, assigned);
    }
    world
}

pub fn hire(world: &World, given: &str, groups: &[&str], assigned: bool) {
    let mut hire = Hire::assigned(&login(given), given, "Lee");
    hire.groups = groups.iter().map(|group| (*group).to_owned()).collect();
    hire.assigned = assigned;
    world.change(Change::Hire(hire)).expect("a new person");
}

pub fn login(given: &str) -> String {
    format!("{}@acme.example", given.to_lowercase())
}

impl Site {
    pub async fn start(world: World) -> Site {
        Site::with_pages(world, Pages::Large).await
    }

    pub async fn with_pages(world: World, pages: Pages) -> Site {
        let now = morning();
        world.set_clock(now);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let stop = CancellationToken::new();
        tokio::spawn(serve(world.clone(), listener, stop.clone()));
        let home = tempfile::tempdir().expect("a directory");
        let store = Store::open(&home.path().join("state.db")).expect("a state");
        let job = store.job(JOB).await.expect("a job");
        store.set_mode(job.id, Mode::Write, "test", "a test", now.as_second()).await.expect("a mode");
        let ids = Arc::new(AtomicU64::new(1));
        Site {
            rules: rules(world.flavour()),
            limits: wide(),
            target: Arc::new(workspace(&store, &ids)),
            source: source(world.flavour(), &url, pages),
            url,
            pages,
            world,
            store,
            now,
            verify: None,
            ids,
            home,
            _stop: stop.drop_guard(),
        }
    }

    /// Ends the process: whoever had the state open last writes all of it into the one file.
    pub fn close(&mut self) {
        self.store = Store::in_memory().expect("a state");
        self.target = Arc::new(self.workspace());
    }

    /// A new process: the state is opened anew, and the connector remembers nothing.
    pub fn restart(&mut self) {
        self.close();
        self.store = Store::open(&self.state_file()).expect("a state");
        self.target = Arc::new(self.workspace());
        self.source = source(self.world.flavour(), &self.url, self.pages);
    }

    /// The workspace in the state.
    pub fn workspace(&self) -> WorkspaceTarget {
        workspace(&self.store, &self.ids)
    }

    /// The connector anew, with other settings of Graph.
    pub fn graph(&mut self, with: impl FnOnce(&mut GraphSettings)) {
        let mut settings = graph_settings(&self.url, self.pages);
        with(&mut settings);
        self.source = Arc::new(GraphSource::new(settings).expect("a source"));
    }

    /// The connector anew, with other settings of Okta.
    pub fn okta(&mut self, with: impl FnOnce(&mut OktaSettings)) {
        let mut settings = okta_settings(&self.url, self.pages);
        with(&mut settings);
        self.source = Arc::new(OktaSource::new(settings).expect("a source"));
    }

    /// An address of the simulated service.
    pub fn address(&self, path: &str) -> url::Url {
        format!("{}{path}", self.url).parse().expect("a URL")
    }

    pub fn state_file(&self) -> std::path::PathBuf {
        self.home.path().join("state.db")
    }

    pub fn job(&self) -> Job {
        Job {
            name: JOB.to_owned(),
            source: self.source.clone(),
            target: self.target.clone(),
            rules: self.rules.clone(),
            limits: self.limits.clone(),
            allow_empty: false,
            remind: std::time::Duration::from_secs(86_400),
            program: "0".to_owned(),
            verify: self.verify,
            drift: Default::default(),
            ceiling: Mode::Write,
        }
    }

    pub fn change(&self, change: Change) {
        let told = format!("{change:?}");
        self.world.change(change).unwrap_or_else(|error| panic!("{told}: {error}"));
    }

    pub fn id(&self, name: &str) -> String {
        self.world.id_of(name).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    /// A cycle that goes well, from the watermarks.
    pub async fn cycle(&mut self) -> CycleRecord {
        self.try_cycle(Reading::Incremental).await.expect("the cycle goes well")
    }

    /// The same, reading everything anew.
    pub async fn full_cycle(&mut self) -> CycleRecord {
        self.try_cycle(Reading::Full).await.expect("the cycle goes well")
    }

    /// A cycle that cannot be gone through: why.
    pub async fn cycle_fails(&mut self) -> String {
        self.try_cycle(Reading::Incremental).await.expect_err("the cycle fails")
    }

    pub async fn try_cycle(&mut self, reading: Reading) -> Result<CycleRecord, String> {
        self.world.set_clock(self.now);
        let stop = CancellationToken::new();
        let now = self.now;
        let clock = move || now;
        let how = How { reading, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
        let outcome = cycle::run(&self.job(), &self.store, how).await;
        self.now += PAUSE;
        self.world.set_clock(self.now - PAUSE / 2);
        outcome.map_err(|error| chain(&error))
    }

    /// A dry run: a line a change.
    pub async fn plan(&self) -> Vec<String> {
        self.world.set_clock(self.now);
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
        let planned = cycle::plan(&self.job(), &self.store, how).await.expect("a plan");
        lines(&planned).await
    }

    /// What the last cycle left: a line a change.
    pub async fn left(&self) -> Vec<String> {
        let job = self.job();
        let planned = cycle::standing(job.standing(), &self.store, self.now).await.expect("the state");
        lines(&planned.expect("a job")).await
    }

    /// How the accounts of people came to be ours.
    pub fn origins(&self) -> Vec<String> {
        let state = rusqlite::Connection::open(self.state_file()).expect("the state");
        let sql = "SELECT origin FROM links WHERE kind = 'user' AND origin IS NOT NULL ORDER BY origin";
        let mut rows = state.prepare(sql).expect("the schema");
        let rows = rows.query_map([], |row| row.get(0)).expect("rows");
        rows.map(|row| row.expect("a word")).collect()
    }

    /// What the state has seen of the source, with its watermarks: to be compared as a whole.
    pub fn seen(&self) -> Vec<String> {
        let state = rusqlite::Connection::open(self.state_file()).expect("the state");
        let mut seen = Vec::new();
        for sql in [
            "SELECT name || ' ' || value FROM watermarks ORDER BY name",
            "SELECT kind || ' ' || source_id || ' ' || standing || ' ' || coalesce(seen, '-') FROM links ORDER BY id",
            "SELECT container || ' ' || principal || ' ' || gone || ' ' || absent_reads FROM seen_edges ORDER BY id",
        ] {
            let mut rows = state.prepare(sql).expect("the schema");
            let rows = rows.query_map([], |row| row.get::<_, String>(0)).expect("rows");
            seen.extend(rows.map(|row| row.expect("a text")));
        }
        seen
    }
}

async fn lines(planned: &Planned) -> Vec<String> {
    let mut lines = Vec::new();
    planned.changes(&mut |change| lines.push(told(&change))).await.expect("the plan is read");
    lines
}

/// `ann@acme.example deactivate (held: unwitnessed)`.
fn told(change: &Planning) -> String {
    let what = match &change.act {
        Act::AddMember { person_name, .. } => format!("add {person_name}"),
        Act::RemoveMember { person_name, .. } => format!("remove {person_name}"),
        _ => change.class.word().to_owned(),
    };
    let verdict = match &change.verdict {
        Verdict::Go => String::new(),
        Verdict::Held(hold) => format!(" (held: {:?}: {})", hold.kind, hold.text),
        Verdict::Waiting(_) => " (waiting)".to_owned(),
        Verdict::Escrow(text) => format!(" (escrow: {text})"),
    };
    format!("{} {what}{verdict}", change.name)
}

fn chain(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {}", chain(cause))).unwrap_or_default();
    format!("{error}{cause}")
}

fn workspace(store: &Store, ids: &Arc<AtomicU64>) -> WorkspaceTarget {
    let ids = ids.clone();
    let ids = Arc::new(move || format!("r{}", ids.fetch_add(1, Ordering::Relaxed)));
    WorkspaceTarget::new(store.clone(), WORKSPACE, ids, Arc::new(morning)).owned_by(JOB)
}

/// The cerby preset, everybody who is assigned, every assigned group a team.
fn rules(flavour: Flavour) -> Rules {
    let (vocabulary, app) = match flavour {
        Flavour::Graph => (Vocabulary::Graph, GRAPH_APP_ID),
        Flavour::Okta => (Vocabulary::Okta, OKTA_APP_ID),
    };
    let preset: RawPreset = toml_edit::de::from_str(PRESET).expect("the preset is TOML");
    let mappings = RawMapping::default().check(Some(&preset), vocabulary).expect("the preset is sound");
    let assigned = || Selection { assigned_to: Some(SourceId(app.to_owned())), ..Selection::default() };
    Rules {
        vocabulary,
        scope: Scope { users: assigned(), teams: assigned() },
        people: People::default(),
        // The simulated directories have groups of equal names.
        teams: Teams::new(Vec::new(), TeamNames::Suffix),
        users: mappings.users,
        groups: mappings.groups,
        leavers: Leavers::default(),
        actions: Actions::default(),
        adoption: Adoption::default(),
        rehire: Rehire::default(),
        protect: Default::default(),
    }
}

/// Limits that nothing here reaches.
fn wide() -> Limits {
    let limit = Limit { count: 1_000_000, percent: 100 };
    let classes = Class::ALL.into_iter().map(|class| (class, limit)).collect();
    let lost_anchors = 1_000_000;
    Limits {
        classes,
        remove_members_team: None,
        upgrade: None,
        target: TargetLimits { removals: None, ..TargetLimits::default() },
        floor: 1_000_000,
        witness_budget: 10_000,
        lost_anchors,
        ..Limits::default()
    }
}

/// The real connector, on loopback. Repeats come at once.
fn source(flavour: Flavour, url: &str, pages: Pages) -> Arc<dyn Source> {
    match flavour {
        Flavour::Graph => Arc::new(GraphSource::new(graph_settings(url, pages)).expect("a source")),
        Flavour::Okta => Arc::new(OktaSource::new(okta_settings(url, pages)).expect("a source")),
    }
}

fn graph_settings(url: &str, pages: Pages) -> GraphSettings {
    let mut settings = GraphSettings::new(TENANT, CLIENT_ID, Secret::new(CLIENT_SECRET));
    settings.authority = url.parse().expect("a URL");
    settings.root = url.parse().expect("a URL");
    settings.app = Some(SourceId(GRAPH_APP_ID.to_owned()));
    // What Graph allows so small a tenant would have a test with pages of two rows wait.
    settings.tenant_size = Some(TenantSize::Large);
    settings.budget_percent = 100;
    settings.backoff = Duration::from_millis(1);
    if pages == Pages::Small {
        settings.page_size = 7;
    }
    settings
}

fn okta_settings(url: &str, pages: Pages) -> OktaSettings {
    let token = Secret::new(API_TOKEN);
    let mut settings = OktaSettings::new(url, token, OKTA_APP_ID).expect("good settings");
    settings.backoff = Duration::from_millis(1);
    if pages == Pages::Small {
        let sizes = PageSizes { app_users: 7, app_groups: 20, members: 3 };
        settings = settings.with_page_sizes(sizes).expect("good sizes");
    }
    settings
}
