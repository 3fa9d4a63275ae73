//! A stop in the middle of writing, with the real binary: it ends between two changes within two seconds, whatever the
//! target does, and the next start goes on. A pause does the same from another process.

use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use rosterd::simulators::API_TOKEN;
use rosterd::simulators::CLIENT_ID;
use rosterd::simulators::CLIENT_SECRET;
use rosterd::simulators::Flavour;
use rosterd::simulators::GRAPH_APP_ID;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::TENANT;
use serde_json::json;

use crate::support::host::Host;
use crate::support::host::ran;
use crate::support::scim_service::Mood;
use crate::support::scim_service::ScimService;
use crate::support::simulated::Simulated;

/// Far above what anything here takes; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the design allows.
const STOP_MAX: Duration = Duration::from_secs(2);

/// A host whose job writes into this service, and nothing but people.
fn towards(service: &ScimService, people: usize) -> Host {
    let host = Host::new();
    let settings = std::fs::read_to_string(host.path("rosterd.toml")).unwrap();
    let remote = format!(
        "[targets.local.scim]\nurl = \"{}\"\ntoken = \"env:TEST_SCIM\"\ntimeout = \"3s\"\n",
        service.root
    );
    let settings = settings.replace("[targets.local.workspace]\nname = \"main\"\n", &remote);
    let settings = settings.replace("[daemon]\n", "[daemon]\nlisten = \"127.0.0.1:0\"\n");
    let settings = settings.replace("scope.teams.groups = \"name:Sales\"\n", "");
    std::fs::write(host.path("rosterd.toml"), settings).unwrap();
    let names: Vec<String> = (0..people).map(|n| format!("person{n:03}")).collect();
    host.people(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let enabled = ran(command(&host, &["enable", "hr"]));
    assert_eq!(enabled.code, 0, "{}", enabled.err);
    host
}

fn command(host: &Host, arguments: &[&str]) -> Command {
    let mut command = host.command(arguments);
    command.env("TEST_SCIM", "a token").env("TEST_GRAPH", CLIENT_SECRET).env("TEST_OKTA", API_TOKEN);
    command
}

fn start(host: &Host, arguments: &[&str]) -> Child {
    command(host, arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn wait_for(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < PATIENCE, "it does not come");
        std::thread::yield_now();
    }
}

/// Ends it with SIGTERM, and tells how long that took.
fn killed(child: &mut Child) -> Duration {
    let kill = format!("kill -TERM {}", child.id());
    let begun = Instant::now();
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    child.wait().unwrap();
    begun.elapsed()
}

/// The same, with its exit code, and what it said.
fn terminated(mut child: Child) -> (Duration, Option<i32>, String) {
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let took = killed(&mut child);
    let code = child.wait().unwrap().code();
    (took, code, lines.map_while(Result::ok).collect::<Vec<_>>().join("\n"))
}

/// Everybody is there once.
fn complete(host: &Host, service: &ScimService, people: usize) {
    service.mood(Mood::Fine);
    let synced = ran(command(host, &["sync"]));
    assert_eq!(synced.code, 0, "{}{}", synced.out, synced.err);
    let expected: Vec<String> = (0..people).map(|n| format!("person{n:03}@acme.example")).collect();
    assert_eq!(service.people(), expected, "nobody is lost, nobody is doubled");
    assert_eq!(ran(command(host, &["plan"])).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_whose_target_hangs_in_the_middle_of_writing_ends_in_time_and_the_next_goes_on() {
    let service = ScimService::start().await;
    let host = towards(&service, 40);
    service.mood(Mood::HangsAfter(10));
    let child = start(&host, &["sync"]);
    // Four at once, so that some hang; what they asked for is done all the same.
    wait_for(|| service.writes() >= 14);
    let (took, code, told) = terminated(child);
    assert!(took < STOP_MAX, "{took:?}");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("stopping between two changes"), "{told}");
    complete(&host, &service, 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_whose_target_hangs_in_the_middle_of_writing_ends_in_time_and_the_next_goes_on() {
    let service = ScimService::start().await;
    let host = towards(&service, 40);
    service.mood(Mood::HangsAfter(10));
    let child = start(&host, &["run"]);
    wait_for(|| service.writes() >= 14);
    let (took, code, told) = terminated(child);
    assert!(took < STOP_MAX, "{took:?}");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("did not stop in time and is left"), "{told}");
    complete(&host, &service, 40);
}

/// While requests are answered it ends with whole batches, and nothing is left open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_big_load_that_goes_well_ends_between_two_batches() {
    let service = ScimService::start().await;
    let host = towards(&service, 900);
    service.mood(Mood::Fine);
    let child = start(&host, &["sync"]);
    wait_for(|| service.writes() >= 20);
    let (took, _, told) = terminated(child);
    assert!(took < STOP_MAX, "{took:?}: {told}");
    complete(&host, &service, 900);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_ends_a_cycle_of_another_process_and_refuses_the_next() {
    let service = ScimService::start().await;
    let host = towards(&service, 900);
    service.mood(Mood::Slow);
    let child = start(&host, &["sync"]);
    wait_for(|| service.writes() >= 5);
    let paused = ran(command(&host, &["pause", "hr", "--reason", "the target is being moved"]));
    assert_eq!(paused.code, 0, "{}", paused.err);
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("error: job hr: paused by "), "{told}");
    assert!(told.contains("(the target is being moved)"), "{told}");
    assert!(told.contains("  cure: begin again with `rosterd resume hr`"), "{told}");
    assert!(service.people().len() < 900, "it ended in the middle");

    let refused = ran(command(&host, &["sync"]));
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("  cure: begin again with `rosterd resume hr`"), "{}", refused.err);
    let status = ran(command(&host, &["status"]));
    assert!(status.out.contains("  paused    until it is resumed, by "), "{}", status.out);
    assert!(status.out.contains("because: the target is being moved"), "{}", status.out);
    assert_eq!(ran(command(&host, &["plan"])).code, 3, "a dry run may look");
    assert_eq!(ran(command(&host, &["resume", "hr"])).code, 0);
    complete(&host, &service, 900);
}

/// The workspace in the state takes whole batches in one transaction each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_big_load_into_a_workspace_ends_in_time_and_the_next_goes_on() {
    let host = Host::new();
    let names: Vec<String> = (0..5_000).map(|n| format!("person{n:04}")).collect();
    host.people(&names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(host.run(&["enable", "hr"]).code, 0);
    let child = start(&host, &["sync"]);
    let state = rusqlite::Connection::open(host.path("rosterd.db")).unwrap();
    wait_for(|| {
        let sql = "SELECT count(*) FROM resources";
        state.query_row(sql, [], |row| row.get::<_, i64>(0)).is_ok_and(|count| count > 0)
    });
    let (took, _, told) = terminated(child);
    assert!(took < STOP_MAX, "{took:?}: {told}");
    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 0, "{}{}", synced.out, synced.err);
    assert_eq!(host.run(&["workspace", "users"]).out.lines().count(), 5_000);
    assert_eq!(host.run(&["plan"]).code, 0, "nothing is left, nothing is doubled");
}

/// A source that asks to be left alone for five minutes is waited for, and a stop does not wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_throttles_for_minutes_holds_up_no_stop() {
    for flavour in [Flavour::Graph, Flavour::Okta] {
        let directory = Simulated::start(flavour).await;
        let throttled = json!({"times": null, "trouble": {"status": {"status": 429, "retry_after": "300"}}});
        directory.world.fault(serde_json::from_value(throttled).unwrap());
        for arguments in [&["sync", "org"][..], &["run", "--listen", "127.0.0.1:0"]] {
            let host = Host::new();
            host.settings(&org(flavour, &directory));
            let mut child = start(&host, &[&["--log", "info"], arguments].concat());
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
            assert!(lines.any(|line| line.contains("wait_seconds=")), "{flavour:?} {arguments:?}");
            let took = killed(&mut child);
            let told = lines.collect::<Vec<_>>().join("\n");
            assert!(took < STOP_MAX, "{flavour:?} {arguments:?} {took:?}: {told}");
        }
    }
}

fn org(flavour: Flavour, directory: &Simulated) -> String {
    let at = directory.address;
    let (source, app) = match flavour {
        Flavour::Graph => (
            format!(
                "source.graph = {{ authority = \"http://{at}\", root = \"http://{at}\", tenant = \"{TENANT}\", client_id = \
                 \"{CLIENT_ID}\", secret = \"env:TEST_GRAPH\" }}"
            ),
            GRAPH_APP_ID,
        ),
        Flavour::Okta => {
            (format!("source.okta = {{ url = \"http://{at}\", token = \"env:TEST_OKTA\" }}"), OKTA_APP_ID)
        }
    };
    format!(
        "[jobs.org]\ntarget = \"org\"\n{source}\nscope.users.assigned_to = \"{app}\"\nmapping.preset = \"cerby\"\n\
         [targets.org.workspace]\nname = \"org\"\n"
    )
}
