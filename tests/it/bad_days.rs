//! What an administrator meets on a bad day, with real commands: each error names the object, the place and the
//! cure, and nothing is lost.

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use rosterd::simulators::Flavour;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::store::Store;
use rusqlite::Connection;
use serde_json::Value;
use serde_json::json;

use crate::support::host::Host;
use crate::support::host::Ran;
use crate::support::host::ran;
use crate::support::simulated::Simulated;

/// A host whose job has written once.
fn written() -> Host {
    let host = Host::new();
    host.run(&["enable", "hr"]);
    let synced = host.run(&["sync"]);
    assert_eq!((synced.code, synced.err.as_str()), (0, ""), "{}", synced.out);
    host
}

fn failed(host: &Host, arguments: &[&str]) -> String {
    let ran = host.run(arguments);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("  cure: "), "{}", ran.err);
    host.shown(&ran.err)
}

#[test]
fn a_state_that_is_damaged_is_named_and_left_as_it_is() {
    let host = written();
    let state = host.path("rosterd.db");
    let sound = fs::read(&state).unwrap();
    let garbage: Vec<u8> = (0..50_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for damaged in [&sound[..5_000], &garbage] {
        fs::write(&state, damaged).unwrap();
        for command in ["status", "sync", "plan", "log"] {
            let told = failed(&host, &[command]);
            assert!(told.contains("the state database DIR/rosterd.db is damaged"), "{told}");
            assert!(told.contains("restore a backup"), "{told}");
            assert!(!told.contains("CREATE TABLE"), "{told}");
        }
        assert_eq!(fs::read(&state).unwrap(), damaged, "a damaged state is not touched");
    }
    fs::write(&state, sound).unwrap();
    assert_eq!(host.run(&["plan"]).code, 0, "the backup is as good as before");
}

#[test]
fn a_database_of_somebody_else_or_of_a_newer_version_is_refused() {
    let host = Host::new();
    let state = host.path("rosterd.db");
    Connection::open(&state).unwrap().execute_batch("CREATE TABLE jobs (title TEXT)").unwrap();
    let told = failed(&host, &["sync"]);
    assert!(told.contains("is not one that rosterd made (table jobs already exists)"), "{told}");
    assert_eq!(told.lines().count(), 3, "the statement is not quoted: {told}");

    let host = written();
    let state = Connection::open(host.path("rosterd.db")).unwrap();
    state.pragma_update(None, "user_version", 99).unwrap();
    let told = failed(&host, &["status"]);
    assert!(told.contains("written by a newer rosterd (schema 99"), "{told}");
}

#[test]
fn a_place_that_cannot_hold_the_state_is_named() {
    let host = Host::new();
    fs::create_dir(host.path("rosterd.db")).unwrap();
    let told = failed(&host, &["sync"]);
    assert!(told.contains("DIR/rosterd.db cannot be used"), "{told}");
    let below_a_file = host.path("rosterd.toml").join("rosterd.db");
    let told = failed(&host, &["--state", below_a_file.to_str().unwrap(), "sync"]);
    assert!(told.contains("DIR/rosterd.toml cannot be used"), "{told}");
}

#[test]
fn a_full_disk_ends_the_cycle_and_the_next_one_goes_on() {
    let host = Host::new();
    let names: Vec<String> = (0..1_000).map(|n| format!("person{n}")).collect();
    host.people(&names.iter().map(String::as_str).collect::<Vec<_>>());
    host.run(&["enable", "hr"]);
    // A limit on the size of files stands for the disk: 600 blocks of 512 bytes.
    let full = r#"ulimit -f 600; trap "" XFSZ; exec "$0" -c "$1" sync"#;
    let mut command = Command::new("sh");
    command.args(["-c", full, env!("CARGO_BIN_EXE_rosterd")]).arg(host.path("rosterd.toml"));
    let stopped = ran(command);
    assert_eq!(stopped.code, 1, "{}", stopped.out);
    assert!(stopped.err.contains("job hr: the state cannot be used"), "{}", stopped.err);
    assert!(stopped.err.contains("  cure: look at the disk"), "{}", stopped.err);

    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 0, "{}{}", synced.out, synced.err);
    assert_eq!(host.run(&["workspace", "users"]).out.lines().count(), 1_000);
    assert_eq!(host.run(&["plan"]).code, 0, "nothing is left, nothing is doubled");
}

#[test]
fn what_is_doubtful_in_the_settings_is_told() {
    let host = Host::new();
    let mut check = host.command(&["config", "check"]);
    check.env("ROSTERD_DAEMON_STATE", "/elsewhere/rosterd.db").env("ROSTERD_SOMETHING", "else");
    let check = ran(check);
    assert_eq!(check.code, 0, "{}", check.out);
    let warning = "warning: this variable is no setting, and is not read\n  --> variable ROSTERD_DAEMON_STATE\n  cure: ";
    assert!(check.out.starts_with(warning), "{}", check.out);
    assert_eq!(check.out.matches("warning").count(), 1, "{}", check.out);

    let mut open = host.command(&["config", "check"]);
    open.env("ROSTERD_DAEMON__LISTEN", "0.0.0.0:8480");
    let open = ran(open);
    assert_eq!(open.code, 1, "{}", open.out);
    let told = format!("{}{}", open.out, open.err);
    assert!(told.contains("error: other hosts would reach this address by plain HTTP"), "{told}");
}

#[test]
fn a_copy_that_a_killed_plan_left_is_removed_by_the_next() {
    let host = written();
    let home = host.path("tmp");
    // No process has the number 0.
    let (left, other) =
        (home.join("rosterd-plan-0-0"), home.join(format!("rosterd-plan-{}-0", std::process::id())));
    for folder in [&left, &other] {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("copy.db"), "people").unwrap();
    }
    let mut plan = host.command(&["plan"]);
    assert_eq!(
        ran({
            plan.env("TMPDIR", &home);
            plan
        })
        .code,
        0
    );
    assert!(!left.exists() && other.exists(), "only what nobody uses is removed");
    assert_eq!(fs::read_dir(&home).unwrap().count(), 1, "and it leaves none itself");
}

#[test]
fn two_cycles_of_one_job_do_not_meet() {
    let host = written();
    let store = Store::open(&host.path("rosterd.db")).unwrap();
    let held = store.lease(&["job hr".to_owned()]).unwrap();
    let told = failed(&host, &["sync"]);
    assert!(told.starts_with("error: job hr: not begun\n  caused by: job hr is in use by another"), "{told}");
    drop(held);
    assert_eq!(host.run(&["sync"]).code, 0);
}

#[test]
fn a_directory_file_that_cannot_be_read_is_named_with_the_place_in_it() {
    let host = written();
    let cases: [(&[u8], &str); 4] = [
        (b"", "line 1, column 0: the file ends too early"),
        (b"{\"directory\": \"acme-hr\",\n  \"users\": [,", "line 2, column 13"),
        (b"\xff\xfe{\0", "byte 1 is not UTF-8"),
        (b"[]", "line 1, column"),
    ];
    for (bytes, place) in cases {
        fs::write(host.path("hr.json"), bytes).unwrap();
        let told = failed(&host, &["sync"]);
        assert!(told.contains("caused by: DIR/hr.json: ") && told.contains(place), "{told}");
    }
    fs::remove_file(host.path("hr.json")).unwrap();
    assert!(Command::new("mkfifo").arg(host.path("hr.json")).status().unwrap().success());
    let told = failed(&host, &["sync"]);
    assert!(told.contains("DIR/hr.json is not a file"), "{told}");

    // Windows wrote it: a byte order mark, and lines that end with two characters.
    fs::remove_file(host.path("hr.json")).unwrap();
    host.people(&["ann", "bob"]);
    let text = fs::read_to_string(host.path("hr.json")).unwrap().replace(",\"", ",\r\n\"");
    fs::write(host.path("hr.json"), format!("\u{feff}{text}\r\n")).unwrap();
    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 0, "{}{}", synced.out, synced.err);
    assert!(synced.out.contains(" 0 written"), "nobody was lost meanwhile: {}", synced.out);
}

#[test]
fn a_name_of_blanks_is_no_name() {
    let host = Host::new();
    let directory = json!({"directory": "acme-hr", "groups": [], "users": [
        {"id": "u-1", "attributes": {"userName": "  ", "mail": "ann@acme.example"}},
    ]});
    fs::write(host.path("hr.json"), directory.to_string()).unwrap();
    let plan = host.run(&["plan"]);
    assert_eq!(plan.code, 4, "{}", plan.out);
    assert!(plan.out.contains("held: userName: the target needs a value"), "{}", plan.out);
}

#[test]
fn what_waits_and_the_log_are_shown_without_the_secrets_of_the_job() {
    let host = Host::new();
    host.run(&["enable", "hr", "--mode", "approve"]);
    assert_eq!(host.run(&["sync"]).code, 4);
    let settings = fs::read_to_string(host.path("rosterd.toml")).unwrap();
    let missing = settings.replace(
        "name = \"main\"",
        "name = \"main\"\n[jobs.org]\ntarget = \"local\"\n\
         source.okta = { url = \"https://acme.okta.com\", token = \"cred:nowhere\" }\n\
         scope.users.assigned_to = \"0oa1\"\nmapping.preset = \"cerby\"",
    );
    fs::write(host.path("rosterd.toml"), missing).unwrap();
    let held = host.run(&["held"]);
    assert_eq!((held.code, held.err.as_str()), (4, ""), "{}", held.out);
    assert!(held.out.contains("ann@acme.example") && held.out.contains("org: no cycle yet"), "{}", held.out);
    for command in ["status", "log"] {
        let shown = host.run(&[command]);
        assert_eq!((shown.code, shown.err.as_str()), (0, ""), "{}", shown.out);
    }
}

#[test]
fn another_target_or_source_is_refused_and_stays_visible() {
    let host = written();
    let settings = fs::read_to_string(host.path("rosterd.toml")).unwrap();
    fs::write(host.path("rosterd.toml"), settings.replace("name = \"main\"", "name = \"other\"")).unwrap();
    for command in [&["plan"][..], &["sync"]] {
        let told = host.run(command);
        assert!(!told.out.contains("error"), "{} {}", told.out, told.err);
    }
    let status: Value = serde_json::from_str(&host.run(&["status", "--format", "json"]).out).unwrap();
    assert_eq!(status["jobs"][0]["last"]["active"], 2, "what stands is told all the same");
}

/// A job that reads a simulated org, beside the one that reads the file.
async fn with_an_org(host: &Host) -> Simulated {
    let org = Simulated::start(Flavour::Okta).await;
    host.settings(&format!(
        "[jobs.a_first]\ntarget = \"org\"\nsource.okta = {{ url = \"http://{}\", token = \"env:TEST_OKTA\" }}\n\
         scope.users.assigned_to = \"{OKTA_APP_ID}\"\nmapping.preset = \"cerby\"\n[targets.org.workspace]\nname = \"org\"\n",
        org.address
    ));
    org
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_stops_the_command_between_two_changes_and_begins_no_other_job() {
    let host = Host::new();
    let org = with_an_org(&host).await;
    host.run(&["enable", "hr"]);
    org.world.fault(
        serde_json::from_value(json!({"times": null, "trouble": {"delay": {"milliseconds": 60_000}}}))
            .unwrap(),
    );
    for signal in ["INT", "TERM"] {
        let mut command = host.command(&["--log", "rosterd=info,hyper_util=debug", "sync"]);
        command.env("TEST_OKTA", rosterd::simulators::API_TOKEN);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        // It is connected, and waits for its first answer.
        assert!(lines.any(|line| line.contains("connected to")), "{signal}");
        let begun = Instant::now();
        let kill = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let told: Vec<String> = lines.collect();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{told:?}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        let told = told.join("\n");
        assert!(told.contains("stopping between two changes; once more ends at once"), "{told}");
        assert!(told.contains("error: job a_first: stopped between two changes"), "{told}");
    }
    let status = host.run(&["status", "hr"]);
    assert!(status.out.contains("no cycle yet"), "the second job was not begun: {}", status.out);
    // The next one goes on.
    org.world.clear_faults();
    let mut command = host.command(&["sync"]);
    command.env("TEST_OKTA", rosterd::simulators::API_TOKEN);
    let synced = ran(command);
    assert_eq!(synced.code, 4, "{}{}", synced.out, synced.err);
    assert!(
        synced.out.contains("a_first: cycle 3: ") && synced.out.contains("hr: cycle 4: "),
        "{}",
        synced.out
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_or_application_is_named_with_its_cure() {
    let host = Host::new();
    let _org = with_an_org(&host).await;
    let plan = |token: &str| -> Ran {
        let mut command = host.command(&["plan", "a_first"]);
        command.env("TEST_OKTA", token);
        ran(command)
    };
    let wrong = plan("00aWrongToken");
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("status 401, E0000011"), "{}", wrong.err);
    assert!(wrong.err.contains("  cure: make a new API token"), "{}", wrong.err);
    assert!(!wrong.err.contains("00aWrongToken"), "{}", wrong.err);
    let settings = fs::read_to_string(host.path("rosterd.toml")).unwrap();
    fs::write(host.path("rosterd.toml"), settings.replace(OKTA_APP_ID, "0oanothing")).unwrap();
    let wrong = plan(rosterd::simulators::API_TOKEN);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("the application 0oanothing is not there"), "{}", wrong.err);
    assert!(wrong.err.contains("  cure: check its id"), "{}", wrong.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_speaks_no_tls_is_told_at_once() {
    let host = Host::new();
    let org = with_an_org(&host).await;
    let settings = fs::read_to_string(host.path("rosterd.toml")).unwrap();
    fs::write(host.path("rosterd.toml"), settings.replace("http://", "https://")).unwrap();
    let mut command = host.command(&["plan", "a_first"]);
    command.env("TEST_OKTA", rosterd::simulators::API_TOKEN);
    let begun = Instant::now();
    let told = ran(command);
    assert_eq!(told.code, 1);
    let error = format!("GET {}/api/v1/apps/{OKTA_APP_ID}: no TLS connection: ", org.address);
    assert!(told.err.contains(&error), "{}", told.err);
    assert!(told.err.contains("  cure: check address and port"), "{}", told.err);
    // One attempt: the first repeat would come after a second at the earliest, the last after half a minute.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn what_is_printed_and_lost_is_a_failure_unless_nobody_listens() {
    let host = written();
    let mut full = host.command(&["workspace", "users"]);
    full.stdout(fs::File::options().write(true).open("/dev/full").unwrap()).stderr(Stdio::piped());
    let full = full.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(full.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&full.stderr).contains("what was printed did not all arrive"));

    host.people(&["cy", "di"]);
    let mut unread = host.command(&["plan"]);
    let mut unread = unread.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(unread.stdout.take());
    assert_eq!(unread.wait().unwrap().code(), Some(3), "as if somebody had read it");
}

#[test]
fn what_is_no_terminal_gets_no_colours_and_json_is_json() {
    let host = Host::new();
    host.settings("[jobs.hr.limits]\nfloor = 0\ndeactivate = { count = 0 }\n");
    host.run(&["enable", "hr"]);
    host.run(&["sync"]);
    host.people(&["cy"]);
    assert_eq!(host.run(&["sync"]).code, 4);
    for arguments in [&["plan"][..], &["status"], &["log"], &["held"], &["workspace", "users"], &["check"]] {
        let shown = host.run(arguments);
        assert!(!shown.out.contains('\x1b') && !shown.err.contains('\x1b'), "{arguments:?}: {}", shown.out);
    }
    // A document of its own: plan, status, held. A value a line: log, workspace.
    for arguments in [&["plan"][..], &["status"], &["held"]] {
        let shown = host.run(&[arguments, &["--format", "json"]].concat());
        let document: Value = serde_json::from_str(&shown.out).unwrap();
        assert_eq!(document["format"], 1, "{arguments:?}");
    }
    for arguments in [&["log"][..], &["workspace", "users"], &["workspace", "teams"]] {
        let shown = host.run(&[arguments, &["--format", "json"]].concat());
        assert!(shown.out.lines().count() > 0, "{arguments:?}");
        for line in shown.out.lines() {
            assert!(serde_json::from_str::<Value>(line).unwrap().is_object(), "{line}");
        }
    }
}
