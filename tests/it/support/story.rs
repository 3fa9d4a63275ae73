//! A story: a text file that changes a directory, runs cycles, and states what each shows.
//!
//! One command a line; lines that begin with `>` state the output of the command before. Commands:
//!
//! | command | does |
//! |---|---|
//! | `person ID ADDRESS GIVEN SURNAME [disabled]` | somebody is, or is changed, in the directory |
//! | `group ID NAME [PRINCIPAL…]` | a group with these members (`u1`, `g:g2` for a group) |
//! | `app PRINCIPAL…` | who is assigned to the application |
//! | `drop ID` | is not in the file any more |
//! | `deleted ID`, `recycled ID` | an explicit removal |
//! | `undeclared`, `declared` | the file leaves its counts out, or not |
//! | `users CLAUSE…`, `teams CLAUSE…` | scope: `app`, `all`, `name:X`, `prefix:X`, `nested` |
//! | `limit CLASS COUNT PERCENT`, `floor N`, `budget N` | limits |
//! | `mode observe|approve|write` | what the job may do |
//! | `leavers users|teams POLICY`, `action NAME on|off`, `adopt POLICY`, `protect NAME` | policy |
//! | `bend WHAT` | the source misbehaves from now on |
//! | `target ADDRESS [external=X] [inactive]`, `target-member TEAM ADDRESS` | somebody is in the workspace already |
//! | `approve WHAT` | all, or a cause |
//! | `later SECONDS` | time passes |
//! | `plan`, `cycle`, `full` | a dry run; a cycle; a full cycle |
//! | `workspace` | what the workspace holds |

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::cycle::Job;
use rosterd::model::GroupPick;
use rosterd::model::Reading;
use rosterd::model::SourceId;
use rosterd::model::Vocabulary;
use rosterd::plan::Act;
use rosterd::plan::Actions;
use rosterd::plan::Adoption;
use rosterd::plan::Change;
use rosterd::plan::Class;
use rosterd::plan::Leavers;
use rosterd::plan::Limit;
use rosterd::plan::Limits;
use rosterd::plan::Mode;
use rosterd::plan::RawMapping;
use rosterd::plan::RawPreset;
use rosterd::plan::Rules;
use rosterd::plan::Scope;
use rosterd::plan::Selection;
use rosterd::plan::Verdict;
use rosterd::scim::Attributes;
use rosterd::scim::Kind;
use rosterd::sources::file::FileSource;
use rosterd::sources::file::TextCell;
use rosterd::store::Approve;
use rosterd::store::ListQuery;
use rosterd::store::Store;
use rosterd::targets::Lookup;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::ServiceProvider;
use rosterd::targets::workspace::WorkspaceTarget;
use serde_json::Value;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::bent::Bend;
use super::bent::BentSource;
use super::directory::Directory;
use super::directory::Group;
use super::directory::Person;

const PRESET: &str = include_str!("../../../config/presets/cerby.toml");
const WORKSPACE: &str = "main";

/// Everything that a story needs; also used by tests that are no stories.
pub struct Stage {
    pub directory: Directory,
    pub text: TextCell,
    pub source: Arc<BentSource>,
    pub target: Arc<dyn ServiceProvider>,
    pub store: Store,
    pub rules: Rules,
    pub limits: Limits,
    pub mode: Mode,
    pub second: i64,
    _home: tempfile::TempDir,
}

/// The rules of a file source with the cerby preset: everybody assigned to `app`, every assigned group a team.
pub fn rules() -> Rules {
    let preset: RawPreset = toml_edit::de::from_str(PRESET).expect("the preset is TOML");
    let mappings = RawMapping::default().check(Some(&preset), Vocabulary::File).expect("the preset is sound");
    let app = || Selection { assigned_to: Some(SourceId("app".to_owned())), ..Selection::default() };
    Rules {
        vocabulary: Vocabulary::File,
        scope: Scope { users: app(), teams: app() },
        users: mappings.users,
        groups: mappings.groups,
        leavers: Leavers::default(),
        actions: Actions::default(),
        adoption: Adoption::default(),
        protect: Default::default(),
    }
}

pub fn workspace(store: &Store) -> WorkspaceTarget {
    let number = AtomicU64::new(1);
    let ids = Arc::new(move || format!("r{}", number.fetch_add(1, Ordering::Relaxed)));
    let clock = Arc::new(|| Timestamp::from_second(1_770_000_000).expect("a time"));
    WorkspaceTarget::new(store.clone(), WORKSPACE, ids, clock)
}

impl Stage {
    pub fn new() -> Stage {
        let home = tempfile::tempdir().expect("a directory");
        let store = Store::open(&home.path().join("state.db")).expect("a state");
        let text = TextCell::new("");
        let source = Arc::new(BentSource::new(FileSource::from_text("story.json", text.clone())));
        Stage {
            directory: Directory::default(),
            text,
            source,
            target: Arc::new(workspace(&store)),
            store,
            rules: rules(),
            limits: Limits { floor: 1_000, ..Limits::default() },
            mode: Mode::Write,
            second: 1_770_000_000,
            _home: home,
        }
    }

    pub fn job(&self) -> Job {
        Job {
            name: "story".to_owned(),
            source: self.source.clone(),
            target: self.target.clone(),
            rules: self.rules.clone(),
            limits: self.limits.clone(),
            verify: None,
            ceiling: Mode::Write,
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_second(self.second).expect("a time")
    }

    pub async fn plan(&self) -> String {
        self.text.set(self.directory.text());
        let stop = CancellationToken::new();
        let (now, clock) = (self.now(), || self.now());
        let how = How {
            reading: Reading::Incremental,
            verify: false,
            now,
            clock: &clock,
            watch: &|_| {},
            stop: &stop,
        };
        self.allow().await;
        match cycle::plan(&self.job(), &self.store, how).await {
            Ok(planned) => {
                let mut lines = String::new();
                planned.changes(&mut |change| lines += &line(&change)).await.expect("the plan is read");
                if lines.is_empty() { "nothing\n".to_owned() } else { lines }
            }
            Err(error) => format!("error: {}\n", chain(&error)),
        }
    }

    /// What went, what did not, and why.
    pub async fn cycle(&mut self, reading: Reading) -> String {
        self.text.set(self.directory.text());
        self.run(reading).await
    }

    /// A cycle over this text, whatever the directory holds.
    pub async fn cycle_of(&mut self, text: &str) -> String {
        self.text.set(text);
        self.run(Reading::Incremental).await
    }

    async fn run(&mut self, reading: Reading) -> String {
        let stop = CancellationToken::new();
        let now = self.now();
        let clock = move || now;
        let how = How { reading, verify: false, now, clock: &clock, watch: &|_| {}, stop: &stop };
        self.allow().await;
        let outcome = cycle::run(&self.job(), &self.store, how).await;
        self.second += 2_400;
        match outcome {
            Ok(record) => {
                let mut lines = String::new();
                for (class, count) in &record.done {
                    lines += &format!("{count} {}\n", class.word());
                }
                for (class, count) in &record.failed {
                    lines += &format!("{count} {} failed\n", class.word());
                }
                lines += &self.standing().await;
                if lines.is_empty() { "nothing\n".to_owned() } else { lines }
            }
            Err(error) => format!("error: {}\n", chain(&error)),
        }
    }

    async fn standing(&self) -> String {
        let job = self.job();
        let planned =
            cycle::standing(job.standing(), &self.store, self.now()).await.expect("the state is read");
        let mut lines = String::new();
        if let Some(planned) = planned {
            planned.changes(&mut |change| lines += &line(&change)).await.expect("the plan is read");
        }
        lines
    }

    async fn allow(&self) {
        let state = self.store.job("story").await.expect("a job");
        if state.mode != self.mode {
            self.store.set_mode(state.id, self.mode, "test", "story", self.second).await.expect("a mode");
        }
    }

    /// Users and teams of the workspace, a line each, sorted.
    pub async fn workspace(&self) -> String {
        let mut lines = Vec::new();
        for user in self.resources(Kind::User).await {
            let text = |path: &str| user.pointer(path).and_then(Value::as_str).unwrap_or("-").to_owned();
            let active = if user["active"] == Value::Bool(false) { " inactive" } else { "" };
            lines.push(format!(
                "{} {} {}{active}\n",
                text("/userName"),
                text("/name/givenName"),
                text("/name/familyName")
            ));
        }
        let names = self.names().await;
        for team in self.resources(Kind::Group).await {
            let id = rosterd::scim::ResourceId(team["id"].as_str().unwrap_or_default().to_owned());
            let members = self.target.members(&id).await.expect("members").unwrap_or_default();
            let mut members: Vec<String> = members.iter().map(|id| names(&id.0)).collect();
            members.sort();
            lines.push(format!("[{}] {}\n", team["displayName"].as_str().unwrap_or("-"), members.join(" ")));
        }
        lines.sort();
        if lines.is_empty() { "empty\n".to_owned() } else { lines.concat() }
    }

    async fn names(&self) -> impl Fn(&str) -> String + use<> {
        let users = self.resources(Kind::User).await;
        move |id: &str| {
            let user = users.iter().find(|user| user["id"] == id);
            user.and_then(|user| user["userName"].as_str()).unwrap_or("-").to_owned()
        }
    }

    pub async fn resources(&self, kind: Kind) -> Vec<Value> {
        let mut found = Vec::new();
        loop {
            let start = found.len() as u64 + 1;
            let query = ListQuery { kind, filter: None, start, count: 1_000, related: false };
            let listing = self.store.list_resources(WORKSPACE, query).await.expect("a listing");
            found.extend(listing.resources.into_iter().map(|resource| resource.shown("")));
            if found.len() as u64 >= listing.total {
                return found;
            }
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {}", chain(cause))).unwrap_or_default();
    format!("{error}{cause}")
}

/// `+ u1 ann@x.example`, with what holds it.
fn line(change: &Change) -> String {
    let edits = |edits: &[rosterd::plan::Edit]| -> String {
        let value = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).unwrap_or("-").to_owned();
        edits
            .iter()
            .map(|edit| format!(" {} {}->{}", edit.path, value(&edit.old), value(&edit.new)))
            .collect()
    };
    let what = match &change.act {
        Act::Create { .. } => "create".to_owned(),
        Act::Link { by, edits: changed, .. } => format!("link by {by}{}", edits(changed)),
        Act::Update { edits: changed } => format!("{}{}", change.class.word(), edits(changed)),
        Act::Deactivate => "deactivate".to_owned(),
        Act::Reactivate { edits: changed } => format!("reactivate{}", edits(changed)),
        Act::Delete => "delete".to_owned(),
        Act::AddMember { person, .. } => format!("add {person}"),
        Act::RemoveMember { person, .. } => format!("remove {person}"),
    };
    let verdict = match &change.verdict {
        Verdict::Go => String::new(),
        Verdict::Held(hold) => format!(" (held: {:?})", hold.kind),
        Verdict::Waiting(_) => " (waiting)".to_owned(),
        Verdict::Escrow(_) => " (escrow)".to_owned(),
    };
    format!("{} {what}{verdict}\n", change.source)
}

/// Plays one file; every mismatch is told with its line.
pub async fn play(path: &Path) {
    let text = std::fs::read_to_string(path).expect("the story is read");
    let mut stage = Stage::new();
    let mut output: Option<(usize, String)> = None;
    let mut expected = String::new();
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        if let Some(stated) = line.strip_prefix("> ") {
            expected += stated;
            expected.push('\n');
            continue;
        }
        verify(path, &mut output, &mut expected);
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        output = stage.command(line).await.map(|output| (number, output));
    }
    verify(path, &mut output, &mut expected);
}

#[track_caller]
fn verify(path: &Path, output: &mut Option<(usize, String)>, expected: &mut String) {
    if let Some((line, output)) = output.take() {
        assert_eq!(output, *expected, "{}:{line}", path.display());
    } else {
        assert!(expected.is_empty(), "{}: expected output where there is none:\n{expected}", path.display());
    }
    expected.clear();
}

impl Stage {
    /// Carries one line out; `Some` where it has an output to state.
    pub async fn command(&mut self, line: &str) -> Option<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["plan"] => return Some(self.plan().await),
            ["cycle"] => return Some(self.cycle(Reading::Incremental).await),
            ["full"] => return Some(self.cycle(Reading::Full).await),
            ["workspace"] => return Some(self.workspace().await),
            ["person", id, address, given, surname, rest @ ..] => {
                let person = Person {
                    address: (*address).to_owned(),
                    given: (*given).to_owned(),
                    surname: (*surname).to_owned(),
                    enabled: rest != ["disabled"],
                };
                self.directory.people.insert((*id).to_owned(), person);
            }
            ["group", id, name, members @ ..] => {
                let members = members.iter().map(|word| principal(word)).collect();
                self.directory.groups.insert((*id).to_owned(), Group { name: (*name).to_owned(), members });
            }
            ["app", principals @ ..] => {
                self.directory.app = principals.iter().map(|word| principal(word)).collect()
            }
            ["drop", id] => self.drop(id),
            ["deleted", id] => {
                self.drop(id);
                self.directory.recycled.remove(&principal(id));
                self.directory.deleted.insert(principal(id));
            }
            ["recycled", id] => {
                self.drop(id);
                self.directory.recycled.insert(principal(id));
            }
            ["restored", id] => {
                self.directory.recycled.remove(&principal(id));
            }
            ["undeclared"] => self.directory.undeclared = true,
            ["declared"] => self.directory.undeclared = false,
            ["bend", what @ ..] => *self.source.bend.lock().expect("free") = bend(&what.join(" ")),
            ["later", seconds] => self.second += seconds.parse::<i64>().expect("seconds"),
            ["approve", what] => return Some(self.approve(what).await),
            ["target", address, rest @ ..] => self.target_user(address, rest).await,
            ["target-member", team, address] => self.target_member(team, address).await,
            _ => self.setting(&words),
        }
        None
    }

    fn drop(&mut self, id: &str) {
        self.directory.people.remove(id);
        self.directory.groups.remove(id);
    }

    fn setting(&mut self, words: &[&str]) {
        match words {
            ["users", clauses @ ..] => self.rules.scope.users = selection(clauses),
            ["teams", clauses @ ..] => self.rules.scope.teams = selection(clauses),
            ["limit", class, count, percent] => {
                let limit = Limit {
                    count: count.parse().expect("a count"),
                    percent: percent.parse().expect("percent"),
                };
                let class = Class::ALL.into_iter().find(|known| known.word() == *class).expect("a class");
                self.limits.classes.insert(class, limit);
            }
            ["floor", floor] => self.limits.floor = floor.parse().expect("a floor"),
            ["budget", budget] => self.limits.witness_budget = budget.parse().expect("a budget"),
            ["mode", mode] => self.mode = parsed(mode),
            ["leavers", "users", policy] => self.rules.leavers.users = parsed(policy),
            ["leavers", "teams", policy] => self.rules.leavers.teams = parsed(policy),
            ["adopt", policy] => self.rules.adoption = parsed(policy),
            ["action", "delete", state] => self.rules.actions.delete = *state == "on",
            ["action", "create", state] => self.rules.actions.create = *state == "on",
            ["protect", name] => {
                self.rules.protect.insert(rosterd::scim::fold(name));
            }
            other => panic!("no such command: {other:?}"),
        }
    }

    async fn approve(&self, what: &str) -> String {
        let job = self.store.job("story").await.expect("a job").id;
        let what = if what == "all" { Approve::All } else { Approve::Named(what.to_owned()) };
        let approved =
            self.store.approve(job, what, "test", "story", self.second).await.expect("an approval");
        format!("{approved} approved\n")
    }

    async fn target_user(&self, address: &str, rest: &[&str]) {
        let mut attributes = Attributes::default();
        attributes.set("userName", json!(address));
        attributes.set("active", json!(!rest.contains(&"inactive")));
        for word in rest {
            if let Some(external) = word.strip_prefix("external=") {
                attributes.set("externalId", json!(external));
            }
        }
        let made = self
            .target
            .apply(&[Operation::Create { kind: Kind::User, attributes }])
            .await
            .expect("the target");
        assert!(matches!(made[0], Outcome::Done { .. }), "{made:?}");
    }

    async fn target_member(&self, team: &str, address: &str) {
        let lookup =
            |kind, path: &str, value: &str| Lookup { kind, path: path.to_owned(), value: value.to_owned() };
        let lookups = [lookup(Kind::Group, "displayName", team), lookup(Kind::User, "userName", address)];
        let found = self.target.find(&lookups).await.expect("the target");
        let (team, user) = (found[0][0].id.clone(), found[1][0].id.clone());
        let add = Operation::Members { team, add: vec![user], remove: Vec::new() };
        self.target.apply(&[add]).await.expect("the target");
    }
}

fn principal(word: &str) -> String {
    match word.split_once(':') {
        Some(("g", id)) => format!("group:{id}"),
        _ => format!("user:{word}"),
    }
}

fn parsed<T: serde::de::DeserializeOwned>(word: &str) -> T {
    serde_json::from_value(Value::String(word.to_owned())).expect("a known word")
}

fn bend(what: &str) -> Bend {
    match what {
        "nothing" => Bend::Nothing,
        "a page fails in the middle" => Bend::BreaksInTheMiddle,
        "no assignments" => Bend::NoAssignments,
        "the witness disagrees" => Bend::WitnessDisagrees,
        "the witness lies" => Bend::WitnessLies,
        "the witness is forbidden" => Bend::WitnessForbidden,
        other => panic!("no such fault: {other}"),
    }
}

fn selection(clauses: &[&str]) -> Selection {
    let mut selection = Selection::default();
    for clause in clauses {
        match clause.split_once(':') {
            Some(("name", name)) => selection.groups.push(GroupPick::Name(name.to_owned())),
            Some(("prefix", prefix)) => selection.groups.push(GroupPick::Prefix(prefix.to_owned())),
            Some(("id", id)) => selection.groups.push(GroupPick::Id(SourceId(id.to_owned()))),
            _ if *clause == "app" => selection.assigned_to = Some(SourceId("app".to_owned())),
            _ if *clause == "all" => selection.all = true,
            _ if *clause == "nested" => selection.nested = true,
            _ => panic!("no such clause: {clause}"),
        }
    }
    selection
}
