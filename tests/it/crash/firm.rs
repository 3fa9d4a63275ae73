//! A firm whose directory is a file, whose target is a workspace or a service, and whose binary is ended on the way.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::process::Output;
use std::sync::Arc;

use jiff::Timestamp;
use rosterd::scim::Dialect;
use rosterd::scim::Kind;
use rosterd::scim::ResourceId;
use rosterd::store::ListQuery;
use rosterd::store::Store;
use rosterd::targets::ServiceProvider;
use rosterd::targets::workspace::WorkspaceTarget;
use serde_json::Value;

use crate::server::Served;
use crate::support::directory::Directory;
use crate::support::directory::Group;
use crate::support::directory::Person;
use crate::support::host::Host;
use crate::support::host::Ran;

/// Where the manager of somebody stands.
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const MANAGER: &str = "\n[jobs.hr.mapping.users.\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager\"]\n\
                       attribute = \"manager\"\nreference = true\n";
const LIMITS: &str = "[jobs.hr.limits]\nfloor = 100000\n";
/// Far above what a start after a crash needs.
const STARTS_MAX: usize = 5;

pub struct Firm {
    pub host: Host,
    pub directory: Directory,
    /// The service, where the target is one.
    pub served: Option<Served>,
}

impl Firm {
    /// With the people `p0`, `p1` and so on; the first half of them is in the team Sales. Nothing is synchronised yet.
    pub async fn start(remote: bool, people: usize, of_job: &str, limits: &str) -> Firm {
        let host = Host::new();
        let served = match remote {
            true => Some(Served::start(Dialect::Strict).await),
            false => None,
        };
        if let Some(served) = &served {
            let settings = fs::read_to_string(host.path("rosterd.toml")).unwrap();
            let ours = "[targets.local.workspace]\nname = \"main\"\n";
            assert!(settings.contains(ours), "{settings}");
            let theirs = format!(
                "[targets.local.scim]\nurl = \"{}/scim/v2\"\ntoken = \"env:TEST_TARGET\"\ntimeout = \"1s\"\n",
                served.root
            );
            fs::write(host.path("rosterd.toml"), settings.replace(ours, &theirs)).unwrap();
        }
        let settings = fs::read_to_string(host.path("rosterd.toml")).unwrap();
        fs::write(
            host.path("rosterd.toml"),
            settings.replace("[jobs.hr]\n", &format!("[jobs.hr]\n{of_job}")),
        )
        .unwrap();
        host.settings(&format!("{LIMITS}{limits}{MANAGER}"));
        let mut firm = Firm { host, directory: Directory::default(), served };
        for n in 0..people {
            firm.hire(&format!("u{n}"), &format!("p{n}"));
        }
        let members = (0..people / 2).map(|n| format!("user:u{n}")).collect();
        firm.directory.groups.insert("g1".to_owned(), Group { name: "Sales".to_owned(), members });
        firm.publish();
        let enabled = firm.run(&["enable", "hr", "--mode", "write"]).await;
        assert_eq!(enabled.code, 0, "{}{}", enabled.out, enabled.err);
        firm
    }

    pub fn hire(&mut self, id: &str, name: &str) {
        let person = Person {
            address: format!("{name}@acme.example"),
            given: name.to_owned(),
            surname: "Lee".to_owned(),
            enabled: true,
            further: BTreeMap::new(),
        };
        self.directory.people.insert(id.to_owned(), person);
    }

    pub fn leaves(&mut self, id: &str) {
        self.directory.people.remove(id);
        for group in self.directory.groups.values_mut() {
            group.members.remove(&format!("user:{id}"));
        }
    }

    pub fn person(&mut self, id: &str) -> &mut Person {
        self.directory.people.get_mut(id).expect("somebody")
    }

    /// Writes the directory's file.
    pub fn publish(&self) {
        fs::write(self.host.path("hr.json"), self.directory.text()).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.host.command(arguments);
        command.env("TEST_TARGET", self.token());
        command
    }

    pub fn token(&self) -> String {
        self.served.as_ref().map_or_else(String::new, |served| served.token.clone())
    }

    pub async fn run(&self, arguments: &[&str]) -> Ran {
        read(output(self.command(arguments)).await)
    }

    /// Runs it until it comes to that place, where it ends as with `kill -9`.
    pub async fn dies(&self, arguments: &[&str], place: &str) {
        use std::os::unix::process::ExitStatusExt;
        let mut command = self.command(arguments);
        command.env("ROSTERD_CRASH_AT", place);
        let output = output(command).await;
        let killed = output.status.signal().is_some();
        let ran = read(output);
        assert!(killed, "{arguments:?} never came to {place}: {}{}", ran.out, ran.err);
    }

    /// Starts it until a cycle goes well.
    pub async fn goes_on(&self, when: &str) {
        for _ in 0..STARTS_MAX {
            let synced = self.run(&["sync"]).await;
            if synced.code == 0 {
                return;
            }
            // What lacks an outcome, or a witness, is asked about in the next one.
            assert!([4, 5].contains(&synced.code), "{when}: {}{}", synced.out, synced.err);
        }
        let (log, held) = (self.run(&["log"]).await, self.run(&["held"]).await);
        panic!("{when}: not done after {STARTS_MAX} starts: {}{}", held.out, log.out);
    }

    /// The target equals the source, nothing is there twice or left to do, and the log is whole.
    pub async fn holds(&self, when: &str) {
        let plan = self.run(&["plan"]).await;
        assert_eq!(plan.code, 0, "{when}: {}{}", plan.out, plan.err);
        self.equals(when).await;
        let chain = self.run(&["log", "--verify-chain"]).await;
        assert_eq!(chain.code, 0, "{when}: {}", chain.out);
        let state = rusqlite::Connection::open(self.host.path("rosterd.db")).unwrap();
        let one = |sql: &str| state.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(one("PRAGMA integrity_check"), "ok", "{when}");
        assert_eq!(one("SELECT count(*) || '' FROM journal WHERE outcome IS NULL"), "0", "{when}");
    }

    /// Who is active, who is in the team, and who is whose manager.
    pub async fn equals(&self, when: &str) {
        let own = self.served.is_none().then(|| Store::open(&self.host.path("rosterd.db")).unwrap());
        let store = own.as_ref().or(self.served.as_ref().map(|served| &served.store)).expect("one of both");
        let users = resources(store, Kind::User).await;
        let name = |user: &Value| user["userName"].as_str().unwrap_or_default().to_owned();
        let names: BTreeSet<String> = users.iter().map(name).collect();
        assert_eq!(names.len(), users.len(), "{when}: somebody is there twice");
        let of = |id: &str| users.iter().find(|user| user["id"] == id).map(name).unwrap_or_default();
        let active: BTreeSet<String> =
            users.iter().filter(|user| user["active"] != false).map(name).collect();
        let people = &self.directory.people;
        let wanted = people.values().filter(|person| person.enabled).map(|person| person.address.clone());
        assert_eq!(active, wanted.collect(), "{when}");
        for person in people.values().filter(|person| person.enabled) {
            let user = users.iter().find(|user| name(user) == person.address).expect("just compared");
            assert_eq!(user["name"]["givenName"], person.given.as_str(), "{when}: {}", person.address);
            let manager = person.further.get("manager").and_then(Value::as_str);
            let manager = manager.map(|id| people[id].address.clone()).unwrap_or_default();
            let shown = user[ENTERPRISE]["manager"]["value"].as_str().map(of).unwrap_or_default();
            assert_eq!(shown, manager, "{when}: the manager of {}", person.address);
        }
        let teams = resources(store, Kind::Group).await;
        let group = &self.directory.groups["g1"];
        assert_eq!(teams.len(), 1, "{when}: {teams:?}");
        assert_eq!(teams[0]["displayName"], group.name.as_str(), "{when}");
        let id = ResourceId(teams[0]["id"].as_str().unwrap_or_default().to_owned());
        let members = workspace(store).members(&id).await.unwrap().unwrap_or_default();
        let members: BTreeSet<String> = members.iter().map(|id| of(&id.0)).collect();
        let wanted = group.members.iter().filter_map(|id| people.get(id.trim_start_matches("user:")));
        assert_eq!(members, wanted.map(|person| person.address.clone()).collect(), "{when}");
    }

    /// The ids of all accounts, by userName.
    pub async fn ids(&self) -> BTreeMap<String, String> {
        let own = self.served.is_none().then(|| Store::open(&self.host.path("rosterd.db")).unwrap());
        let store = own.as_ref().or(self.served.as_ref().map(|served| &served.store)).expect("one of both");
        let text = |user: &Value, name: &str| user[name].as_str().unwrap_or_default().to_owned();
        let users = resources(store, Kind::User).await;
        users.iter().map(|user| (text(user, "userName"), text(user, "id"))).collect()
    }
}

fn workspace(store: &Store) -> WorkspaceTarget {
    WorkspaceTarget::new(store.clone(), "main", Arc::new(String::new), Arc::new(Timestamp::now))
}

async fn resources(store: &Store, kind: Kind) -> Vec<Value> {
    let query = ListQuery { start: 1, count: 1_000, ..ListQuery::all(kind.into()) };
    let listing = store.list_resources("main", query).await.unwrap();
    listing.resources.into_iter().map(|resource| resource.shown("")).collect()
}

/// Beside what serves the target in this process.
pub async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

pub fn read(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}
