//! A story: a text file that changes a directory, runs cycles, and states what each shows.
//!
//! One command a line; lines that begin with `>` state the output of the command before. Commands:
//!
//! | command | does |
//! |---|---|
//! | `person ID ADDRESS GIVEN SURNAME [disabled] [ATTRIBUTE=VALUE…]` | somebody is, or is changed, in the directory |
//! | `group ID NAME [PRINCIPAL…]` | a group with these members (`u1`, `g:g2` for a group) |
//! | `app PRINCIPAL…` | who is assigned to the application |
//! | `drop ID` | is not in the file any more |
//! | `deleted ID`, `recycled ID` | an explicit removal |
//! | `undeclared`, `declared` | the file leaves its counts out, or not |
//! | `users CLAUSE…`, `teams CLAUSE…` | scope: `app`, `all`, `name:X`, `prefix:X`, `nested` |
//! | `filter|exclude users|teams [[not] ATTRIBUTE OPERATOR [VALUE] [and …] [or …]]` | filters over it; none takes them away |
//! | `people guests|disabled|resource_accounts in|out` | people's policy |
//! | `team GROUP [link=X] [name=X] [rename] [off]`, `team-names hold|suffix|link` | what is said of single teams |
//! | `limit CLASS COUNT PERCENT`, `floor N`, `budget N` | limits |
//! | `team-limit COUNT PERCENT`, `upgrade-limit COUNT PERCENT` | of one team's members; of what an upgrade does |
//! | `program VERSION` | another version of the program runs |
//! | `mode observe|approve|write` | what the job may do |
//! | `leavers EVENT|all|teams POLICY`, `clock-jump SPAN`, `action NAME on|off`, `adopt POLICY`, `rehire POLICY`, `protect NAME` | policy |
//! | `anchors N` | so many lost anchors are matched anew by themselves |
//! | `bend WHAT` | the source misbehaves from now on |
//! | `target ADDRESS [external=X] [mail=X] [title=X] [inactive]`, `target-team NAME [external=X]` | somebody, or a team, is in the workspace already |
//! | `target-loses ADDRESS…` | the workspace deletes them by itself |
//! | `reads NAME` | what holds somebody, in words |
//! | `target-member TEAM ADDRESS` | and is a member there |
//! | `approve WHAT`, `reject WHAT SECONDS` | all, a name, names with commas, or a cause; so long |
//! | `undo CYCLE [WHAT]`, `dry-undo CYCLE [WHAT]` | a cycle is put back for a week; the plan of that |
//! | `later SECONDS` | time passes |
//! | `plan`, `cycle`, `full` | a dry run; a cycle; a full cycle |
//! | `row TARGET [ATTRIBUTE [refers] [clears]]` | a row of the users' mapping; without an attribute it is taken away |
//! | `shows PATH` | what the workspace has there, of each user; a resource goes by its userName |
//! | `workspace`, `notes` | what the workspace holds; what a plan tells besides its changes |
//! | `deletions` | who is to be deleted later, with the event and in how many days |

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use rosterd::cycle;
use rosterd::cycle::CycleError;
use rosterd::cycle::How;
use rosterd::cycle::Job;
use rosterd::cycle::Planned;
use rosterd::model::Reading;
use rosterd::model::SourceId;
use rosterd::model::Vocabulary;
use rosterd::plan::Act;
use rosterd::plan::Actions;
use rosterd::plan::Adoption;
use rosterd::plan::Change;
use rosterd::plan::DriftRules;
use rosterd::plan::Leavers;
use rosterd::plan::Limits;
use rosterd::plan::Mode;
use rosterd::plan::People;
use rosterd::plan::RawMapping;
use rosterd::plan::RawPreset;
use rosterd::plan::Rehire;
use rosterd::plan::Rules;
use rosterd::plan::Scope;
use rosterd::plan::Selection;
use rosterd::plan::TeamRule;
use rosterd::plan::Teams;
use rosterd::plan::Verdict;
use rosterd::scim::Kind;
use rosterd::sources::file::FileSource;
use rosterd::sources::file::TextCell;
use rosterd::store::Chosen;
use rosterd::store::Decider;
use rosterd::store::ListQuery;
use rosterd::store::Store;
use rosterd::targets::ServiceProvider;
use rosterd::targets::workspace::WorkspaceTarget;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::acts::principal;
use super::bent::BentSource;
use super::directory::Directory;
use super::directory::Group;
use super::directory::Person;
use super::wording;

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
    /// What `rules.teams` is made of.
    pub team_rules: Vec<TeamRule>,
    pub limits: Limits,
    /// The version of the program.
    pub program: String,
    pub drift: DriftRules,
    pub mode: Mode,
    pub second: i64,
    /// The job's name.
    pub name: String,
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
        people: People::default(),
        teams: Teams::default(),
        users: mappings.users,
        groups: mappings.groups,
        leavers: Leavers::default(),
        actions: Actions::default(),
        adoption: Adoption::default(),
        rehire: Rehire::default(),
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
            team_rules: Vec::new(),
            limits: Limits { floor: 1_000, ..Limits::default() },
            program: "0".to_owned(),
            drift: DriftRules::default(),
            mode: Mode::Write,
            second: 1_770_000_000,
            name: "story".to_owned(),
            _home: home,
        }
    }

    pub fn job(&self) -> Job {
        Job {
            name: self.name.clone(),
            source: self.source.clone(),
            target: self.target.clone(),
            rules: self.rules.clone(),
            limits: self.limits.clone(),
            allow_empty: false,
            remind: std::time::Duration::from_secs(86_400),
            program: self.program.clone(),
            verify: None,
            drift: self.drift.clone(),
            ceiling: Mode::Write,
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_second(self.second).expect("a time")
    }

    pub async fn planned(&self, stop: &CancellationToken) -> Result<Planned, CycleError> {
        self.text.set(self.directory.text());
        let (now, clock) = (self.now(), || self.now());
        let how =
            How { reading: Reading::Incremental, verify: false, now, clock: &clock, watch: &|_| {}, stop };
        self.allow().await;
        cycle::plan(&self.job(), &self.store, how).await
    }

    pub async fn plan(&self) -> String {
        match self.planned(&CancellationToken::new()).await {
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

    pub(super) async fn allow(&self) {
        let state = self.store.job(&self.name).await.expect("a job");
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

    pub async fn names(&self) -> impl Fn(&str) -> String + use<> {
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
            let query = ListQuery { start, count: 1_000, ..ListQuery::all(kind.into()) };
            let listing = self.store.list_resources(WORKSPACE, query).await.expect("a listing");
            found.extend(listing.resources.into_iter().map(|resource| resource.shown("")));
            if found.len() as u64 >= listing.total {
                return found;
            }
        }
    }
}

pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {}", chain(cause))).unwrap_or_default();
    format!("{error}{cause}")
}

/// `+ u1 ann@x.example`, with what holds it.
pub(super) fn line(change: &Change) -> String {
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
        Act::Release { job } => format!("let go, {job} wants it"),
        Act::Reactivate { edits: changed } => format!("reactivate{}", edits(changed)),
        Act::Delete => "delete".to_owned(),
        Act::AddMember { person, .. } => format!("add {person}"),
        Act::RemoveMember { person, .. } => format!("remove {person}"),
        Act::Refer { path, old, new } => {
            let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
            let path = path.rsplit(':').next().unwrap_or(path);
            format!("{path} {}->{}", name(old), name(new))
        }
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
                    enabled: !rest.contains(&"disabled"),
                    further: rest.iter().filter_map(|word| wording::attribute(word)).collect(),
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
            ["bend", what @ ..] => *self.source.bend.lock().expect("free") = wording::bend(&what.join(" ")),
            ["later", seconds] => self.second += seconds.parse::<i64>().expect("seconds"),
            ["approve", what] => return Some(self.approve(what).await),
            ["reject", what, seconds] => {
                return Some(self.reject(what, seconds.parse().expect("seconds")).await);
            }
            ["undo", rest @ ..] => return Some(self.undo(rest).await),
            ["dry-undo", rest @ ..] => return Some(self.undo_plan(rest).await),
            ["target", address, rest @ ..] => self.target_user(address, rest).await,
            ["shows", target] => return Some(wording::shown(self, target).await),
            ["notes"] => return Some(self.notes().await),
            ["lint"] => return Some(wording::lint(self).await),
            ["deletions"] => return Some(self.deletions().await),
            ["target-team", name, rest @ ..] => self.target_team(name, rest).await,
            ["target-loses", addresses @ ..] => self.target_loses(addresses).await,
            ["reads", name] => return Some(self.reads(name).await),
            ["target-member", team, address] => self.target_member(team, address).await,
            _ => wording::setting(self, &words),
        }
        None
    }

    fn drop(&mut self, id: &str) {
        self.directory.people.remove(id);
        self.directory.groups.remove(id);
    }

    async fn approve(&self, what: &str) -> String {
        let job = self.store.job(&self.name).await.expect("a job").id;
        let by = self.decider();
        let decided = self.store.approve(job, chosen(what), &by).await.expect("an approval");
        format!("{} approved\n", decided.changes)
    }

    async fn reject(&self, what: &str, seconds: i64) -> String {
        let job = self.store.job(&self.name).await.expect("a job").id;
        let (by, until) = (self.decider(), self.second + seconds);
        let decided = self.store.reject(job, chosen(what), until, &by).await.expect("a rejection");
        format!("{} rejected\n", decided.changes)
    }

    fn decider(&self) -> Decider {
        Decider { who: "test".to_owned(), reason: "story".to_owned(), now_second: self.second }
    }
}

pub(super) fn chosen(what: &str) -> Chosen {
    match what {
        "all" => Chosen::All,
        list if list.contains(',') => Chosen::Listed(list.split(',').map(str::to_owned).collect()),
        name => Chosen::Named(name.to_owned()),
    }
}
