//! One seed: a directory, a target, two days, a process that is killed and started again, and what has to hold at the end.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rosterd::scim::Dialect;
use rosterd::simulators::API_TOKEN;
use rosterd::simulators::CLIENT_SECRET;
use rosterd::simulators::Flavour;
use rosterd::simulators::GRAPH_APP_ID;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::Size;
use rosterd::simulators::World;
use rosterd::simulators::serve;
use rosterd::store::Store;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

use super::day;
use super::day::Dice;
use super::proxy::Trap;
use super::proxy::When;
use super::proxy::Wire;
use crate::end_to_end::account::differences;
use crate::server::Served;
use crate::support::host::binary;

/// Places inside the binary that a debug build knows, and how often each is passed at most in such a small company.
const PLACES: [(&str, u64); 9] = [
    ("before_intent", 6),
    ("after_intent", 6),
    ("after_answer", 6),
    ("after_outcome", 6),
    ("page", 12),
    ("before_promotion", 1),
    ("promoting", 1),
    ("after_promotion", 1),
    ("decided", 3),
];
/// Places that only a start after a crash passes.
const SETTLING: [&str; 3] = ["settle", "asked", "settled"];
/// A start of the binary takes about this long; random kills fall within it.
const MOMENTS_MS: u64 = 900;
/// Far above what a run takes; reached only when something is broken.
const STARTS_MAX: usize = 12;

pub struct Played {
    /// Where the process was killed, one for each kill.
    pub killed: Vec<&'static str>,
}

/// A way to die.
#[derive(Clone, Copy, Debug)]
enum Death {
    None,
    At(&'static str, u64),
    Source(Trap),
    Target(Trap),
    Moment(Duration),
}

struct Site {
    seed: u64,
    world: World,
    folder: TempDir,
    served: Option<Served>,
    source_wire: Arc<Wire>,
    target_wire: Option<Arc<Wire>>,
    _stop: DropGuard,
}

pub async fn play(seed: u64) -> Played {
    let mut dice = Dice(seed);
    let site = Site::start(seed).await;
    let enabled = site.command(&["enable", "acme", "--mode", "write"]).output().expect("it starts");
    assert!(enabled.status.success(), "{}", String::from_utf8_lossy(&enabled.stderr));
    let mut played = Played { killed: Vec::new() };
    // Some die in the first load already.
    let first = if dice.roll(3) == 0 { site.death(&mut dice) } else { Death::None };
    site.until_done(&mut dice, first, &mut played).await;
    site.holds("after the first load").await;
    for number in 1..=2 {
        day::happens(&site.world, &mut dice, number);
        let death = site.death(&mut dice);
        site.until_done(&mut dice, death, &mut played).await;
        site.holds(&format!("after day {number}, killed {:?}", played.killed)).await;
    }
    played
}

impl Site {
    async fn start(seed: u64) -> Site {
        let flavour = if seed.is_multiple_of(2) { Flavour::Graph } else { Flavour::Okta };
        let size = Size { users: 14, groups: 4, memberships_per_user: 2 };
        let world = World::new(flavour, size, seed, Timestamp::now());
        if flavour == Flavour::Graph {
            world.turn("page_size=5").expect("a knob");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address").to_string();
        let stop = CancellationToken::new();
        tokio::spawn(serve(world.clone(), listener, stop.clone()));
        let (source_wire, source_at) = Wire::to(at).await;
        let folder = TempDir::new().expect("a folder");
        let (served, target_wire, target) = if (seed / 2).is_multiple_of(2) {
            (None, None, "[targets.t.workspace]\nname = \"main\"\n".to_owned())
        } else {
            let served = Served::start(Dialect::Strict).await;
            let at = served.root.trim_start_matches("http://").to_owned();
            let (wire, at) = Wire::to(at).await;
            let target = format!(
                "[targets.t.scim]\nurl = \"http://{at}/scim/v2\"\ntoken = \"env:TEST_TARGET\"\ntimeout = \"1s\"\n"
            );
            (Some(served), Some(wire), target)
        };
        let state = folder.path().join("rosterd.db");
        let settings = format!("[daemon]\nstate = {state:?}\n{}{target}", job(flavour, &source_at));
        fs::write(folder.path().join("rosterd.toml"), settings).expect("the settings");
        Site { seed, world, folder, served, source_wire, target_wire, _stop: stop.drop_guard() }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("rosterd.db")
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = binary();
        command
            .arg("-c")
            .arg(self.folder.path().join("rosterd.toml"))
            .args(arguments)
            .env("TEST_GRAPH", CLIENT_SECRET)
            .env("TEST_OKTA", API_TOKEN)
            .env("TEST_TARGET", self.served.as_ref().map_or("", |served| served.token.as_str()))
            .env("TMPDIR", self.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// By the seed: at a named place, at a request to either side, or at any time.
    fn death(&self, dice: &mut Dice) -> Death {
        let trap = |dice: &mut Dice, below: u64, writes: bool| {
            let when = [When::Before, When::After, When::Late][dice.roll(3) as usize];
            Trap { nth: 1 + dice.roll(below), when, writes }
        };
        match dice.roll(4) {
            0 if cfg!(debug_assertions) => {
                let (place, most) = PLACES[dice.roll(PLACES.len() as u64) as usize];
                Death::At(place, 1 + dice.roll(most))
            }
            1 if self.target_wire.is_some() => {
                let writes = dice.roll(4) > 0;
                Death::Target(trap(dice, 14, writes))
            }
            2 => Death::Source(trap(dice, 12, false)),
            _ => Death::Moment(Duration::from_millis(dice.roll(MOMENTS_MS))),
        }
    }

    /// Starts it again and again until a cycle has been gone through; the second start may die as well.
    async fn until_done(&self, dice: &mut Dice, first: Death, played: &mut Played) {
        let mut death = first;
        for start in 0..STARTS_MAX {
            match self.run(death).await {
                Some(place) => {
                    played.killed.push(place);
                    death = match dice.roll(3) {
                        0 if start == 0 && cfg!(debug_assertions) => {
                            Death::At(SETTLING[dice.roll(3) as usize], 1)
                        }
                        1 if start == 0 => self.death(dice),
                        _ => Death::None,
                    };
                }
                None if self.has_ended_well() => return,
                // What is held for its evidence is asked about again in the next cycle, with later events.
                None => {
                    death = Death::None;
                    tokio::time::sleep(Duration::from_millis(1_100)).await;
                }
            }
        }
        panic!("seed {}: not done after {STARTS_MAX} starts: {:?}", self.seed, played.killed);
    }

    fn has_ended_well(&self) -> bool {
        let status = self.command(&["status", "acme", "--format", "json"]).output().expect("it starts");
        let status: Value = serde_json::from_slice(&status.stdout).expect("JSON");
        let last = &status["jobs"][0]["last"];
        last["held"] == 0 && last["failed"].as_object().is_none_or(serde_json::Map::is_empty)
    }

    /// One start; where it was killed.
    async fn run(&self, death: Death) -> Option<&'static str> {
        let mut command = self.command(&["sync", "acme"]);
        if let Death::At(place, nth) = death {
            command.env("ROSTERD_CRASH_AT", format!("{place}:{nth}"));
        }
        let wire = match death {
            Death::Source(trap) => {
                self.source_wire.set(Some(trap));
                &self.source_wire
            }
            Death::Target(trap) => {
                let wire = self.target_wire.as_ref().expect("a remote target");
                wire.set(Some(trap));
                wire
            }
            _ => &self.source_wire,
        };
        let mut child = command.spawn().expect("it starts");
        let moment = async {
            match death {
                Death::Moment(after) => tokio::time::sleep(after).await,
                _ => std::future::pending().await,
            }
        };
        let killed = tokio::select! {
            () = ended(&mut child) => false,
            () = wire.sprung.notified() => true,
            () = moment => true,
        };
        if killed {
            child.kill().expect("it can be killed");
        }
        wire.set(None);
        let output = child.wait_with_output().expect("it has ended");
        wire.dead.notify_one();
        use std::os::unix::process::ExitStatusExt;
        let place = match (output.status.signal(), death) {
            (None, _) => None,
            (Some(_), Death::At(place, _)) => Some(place),
            (Some(_), Death::Source(_)) => Some("at a request to the source"),
            (Some(_), Death::Target(trap)) => Some(match trap.when {
                When::Before => "before a request arrived at the target",
                When::After => "before the target's answer arrived",
                When::Late => "while a request is still on its way to the target",
            }),
            (Some(_), _) => Some("at a random time"),
        };
        if place.is_none() {
            let code = output.status.code().unwrap_or(-1);
            let err = String::from_utf8_lossy(&output.stderr);
            // The answer may be lost a moment before the process is: then the cycle goes on, and tells of an outcome that
            // nobody knows, which the next one settles.
            let lost = code == 5 && matches!(death, Death::Target(_));
            if ![0, 4].contains(&code) && !lost {
                let log = self.command(&["log", "--job", "acme"]).output().expect("it starts");
                let log = String::from_utf8_lossy(&log.stdout);
                let out = String::from_utf8_lossy(&output.stdout);
                panic!("seed {}: exit code {code} with {death:?}: {out}{err}{log}", self.seed);
            }
        }
        place
    }

    /// The target equals the source, nothing is there twice, nothing is open, the chain is whole, and nothing is left to do.
    async fn holds(&self, when: &str) {
        let seed = self.seed;
        let own = self.served.is_none().then(|| Store::open(&self.state()).expect("the state"));
        let store = own.as_ref().or(self.served.as_ref().map(|served| &served.store)).expect("one of both");
        let differences = differences(&self.world, store).await;
        drop(own);
        let plan = self.command(&["plan", "acme"]).output().expect("it starts");
        let out = String::from_utf8_lossy(&plan.stdout);
        let err = String::from_utf8_lossy(&plan.stderr);
        assert!(differences.is_empty(), "seed {seed}, {when}: {differences:#?}; left is {out}{err}");
        // Whoever waits for somebody without an account waits on.
        let left = |line: &&str| {
            ["  + ", "  ~ ", "  - "].iter().any(|sign| line.starts_with(sign))
                && !line.contains("  waiting: ")
        };
        let left: Vec<&str> = out.lines().filter(left).collect();
        assert!(left.is_empty(), "seed {seed}, {when}: the next plan is not empty: {out}{err}");
        assert!([Some(0), Some(3)].contains(&plan.status.code()), "seed {seed}, {when}: {out}{err}");
        let chain = self.command(&["log", "--verify-chain"]).output().expect("it starts");
        let out = String::from_utf8_lossy(&chain.stdout);
        assert_eq!(chain.status.code(), Some(0), "seed {seed}, {when}: {out}");
        let state = rusqlite::Connection::open(self.state()).expect("the state");
        let one = |sql: &str| state.query_row(sql, [], |row| row.get::<_, String>(0)).expect(sql);
        assert_eq!(one("PRAGMA integrity_check"), "ok", "seed {seed}, {when}");
        let open = one("SELECT count(*) || '' FROM journal WHERE outcome IS NULL");
        assert_eq!(open, "0", "seed {seed}, {when}: entries without an outcome");
        let twice = "SELECT count(*) || '' FROM (SELECT 1 FROM links WHERE resource IS NOT NULL GROUP BY resource HAVING count(*) > 1)";
        assert_eq!(one(twice), "0", "seed {seed}, {when}: two links of one resource");
        self.nothing_is_there_twice(when).await;
    }

    /// Also of those who left.
    async fn nothing_is_there_twice(&self, when: &str) {
        let own = self.served.is_none().then(|| Store::open(&self.state()).expect("the state"));
        let store = own.as_ref().or(self.served.as_ref().map(|served| &served.store)).expect("one of both");
        let mut seen = BTreeSet::new();
        for resource in crate::end_to_end::account::all(store).await {
            let id = resource["externalId"].as_str().unwrap_or_default().to_owned();
            assert!(seen.insert(id), "seed {}, {when}: twice: {resource}", self.seed);
            let name = resource["userName"].as_str().unwrap_or_default();
            assert!(!name.starts_with("rosterd-rename"), "seed {}, {when}: {name} was parked", self.seed);
        }
    }
}

/// Waits for the end without taking the child's exit from whoever may want to kill it.
async fn ended(child: &mut Child) {
    while child.try_wait().expect("it is ours").is_none() {
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

fn job(flavour: Flavour, at: &str) -> String {
    let (source, app, manager) = match flavour {
        Flavour::Graph => (
            format!(
                "[jobs.acme.source.graph]\nauthority = \"http://{at}\"\nroot = \"http://{at}\"\n\
                 tenant = \"11111111-aaaa-4bbb-8ccc-000000000001\"\nclient_id = \"22222222-aaaa-4bbb-8ccc-000000000002\"\n\
                 secret = \"env:TEST_GRAPH\"\n"
            ),
            GRAPH_APP_ID,
            "[jobs.acme.mapping.users.\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager\"]\n\
             attribute = \"manager\"\nreference = true\n",
        ),
        Flavour::Okta => (
            format!("[jobs.acme.source.okta]\nurl = \"http://{at}\"\ntoken = \"env:TEST_OKTA\"\n"),
            OKTA_APP_ID,
            "",
        ),
    };
    format!(
        "[jobs.acme]\ntarget = \"t\"\nteam_names = \"suffix\"\n{source}[jobs.acme.scope]\nusers.assigned_to = \"{app}\"\n\
         teams.assigned_to = \"{app}\"\n[jobs.acme.mapping]\npreset = \"cerby\"\n{manager}[jobs.acme.limits]\nfloor = 100000\n"
    )
}
