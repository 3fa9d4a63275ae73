//! The binary as people use it: what it prints, and its exit codes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::host::Host;
use crate::support::host::Ran;
use crate::support::host::binary;
use crate::support::host::ran;

/// The digest that a plan shows.
fn digest(plan: &Ran) -> String {
    plan.out.lines().find_map(|line| line.strip_prefix("plan ")).unwrap().to_owned()
}

#[test]
fn a_job_is_looked_at_enabled_and_then_writes() {
    let host = Host::new();

    let plan = host.run(&["plan"]);
    assert_eq!(plan.code, 3, "{}{}", plan.out, plan.err);
    assert!(plan.out.contains("mode observe\n3 create, 2 add_members, of 0 active\n"), "{}", plan.out);
    assert!(plan.out.contains(&format!("rosterd enable hr --plan {}", digest(&plan))), "{}", plan.out);
    assert!(!host.path("rosterd.db").exists(), "a plan leaves no state behind (P3)");

    let observed = host.run(&["sync"]);
    assert_eq!(observed.code, 4, "{}{}", observed.out, observed.err);
    assert!(observed.out.contains("hr: cycle 1: 0 written, "), "{}", observed.out);
    assert!(
        observed.out.contains(&format!("rosterd enable hr --plan {}", digest(&plan))),
        "{}",
        observed.out
    );

    let wrong = host.run(&["enable", "hr", "--plan", "0000000000000000"]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains(&format!("but {}", digest(&plan))), "{}", wrong.err);
    let enabled = host.run(&["enable", "hr", "--plan", &digest(&plan), "--reason", "looked at it"]);
    assert_eq!((enabled.code, enabled.err.as_str()), (0, ""), "{}", enabled.out);

    let synced = host.run(&["sync", "hr"]);
    assert_eq!((synced.code, synced.err.as_str()), (0, ""), "{}", synced.out);
    assert!(
        synced.out.contains("hr: cycle 2: 5 written (3 create, 2 add_members), of 2 active\n"),
        "{}",
        synced.out
    );

    let quiet = host.run(&["plan", "hr"]);
    assert_eq!(quiet.code, 0, "{}", quiet.out);
    assert!(quiet.out.contains("no changes, of 2 active"), "{}", quiet.out);

    let users = host.run(&["workspace", "users"]);
    assert_eq!(users.out.lines().count(), 2, "{}", users.out);
    assert!(
        users.out.contains("ann@acme.example") && users.out.contains("active") && users.out.contains("Sales"),
        "{}",
        users.out
    );
    let teams = host.run(&["workspace", "teams", "--format", "json"]);
    let team: Value = serde_json::from_str(teams.out.trim()).unwrap();
    assert_eq!(team["displayName"], "Sales");
    assert_eq!(team["members"].as_array().unwrap().len(), 2);
}

#[test]
fn what_waits_is_shown_and_approved() {
    let host = Host::new();
    host.settings("[jobs.hr.limits]\nfloor = 0\ndeactivate = { count = 0 }\n");
    host.run(&["enable", "hr"]);
    assert_eq!(host.run(&["sync"]).code, 0);
    host.people(&["ann"]);

    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 4, "{}{}", synced.out, synced.err);
    assert!(synced.out.contains("look at what is held: rosterd held hr"), "{}", synced.out);
    let held = host.run(&["held"]);
    assert_eq!(held.code, 4, "{}{}", held.out, held.err);
    assert!(held.out.contains("- bob@acme.example"), "{}", held.out);
    let command = held.out.lines().find(|line| line.trim().starts_with("rosterd approve hr ")).unwrap();
    let cause = command.trim().rsplit(' ').next().unwrap();

    let nothing = host.run(&["approve", "hr", "ffffffff"]);
    assert_eq!(nothing.code, 1);
    assert!(nothing.err.contains("see `rosterd held hr`"), "{}", nothing.err);
    let approved = host.run(&["approve", "hr", cause, "--reason", "bob left"]);
    assert_eq!(approved.code, 0, "{}", approved.err);
    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 0, "{}{}", synced.out, synced.err);
    assert!(host.run(&["workspace", "users"]).out.contains("inactive"), "bob is deactivated");
    assert_eq!(host.run(&["held"]).code, 0);
}

#[test]
fn the_log_tells_every_change_and_can_be_narrowed() {
    let host = Host::new();
    host.run(&["enable", "hr"]);
    host.run(&["sync"]);
    host.people(&["ann", "bob", "cy"]);
    host.run(&["sync"]);

    let all = host.run(&["log", "--format", "json"]);
    let rows: Vec<Value> = all.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let creates = rows.iter().filter(|row| row["class"] == "create").count();
    assert_eq!(creates, 4, "{}", all.out);
    assert!(rows.iter().all(|row| row["outcome"] == "done"), "{}", all.out);
    let cy = host.run(&["log", "--who", "cy@acme.example"]);
    assert!(cy.out.contains("create         cy@acme.example  (u-cy)  done\n"), "{}", cy.out);
    assert!(!cy.out.contains("create         ann@acme.example"), "{}", cy.out);
    let second = host.run(&["log", "--cycle", "2"]);
    assert!(second.out.contains("cy@acme.example") && !second.out.contains("(u-ann)"), "{}", second.out);
    assert_eq!(
        host.run(&["log", "--job", "hr", "--since", "1h"]).out.lines().count(),
        host.run(&["log"]).out.lines().count()
    );
    let wrong = host.run(&["log", "--since", "yesterday"]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("`yesterday` is no time"), "{}", wrong.err);
}

#[test]
fn the_status_says_what_happened_last_and_what_comes_next() {
    let host = Host::new();
    let before = host.run(&["status"]);
    assert!(before.out.starts_with("hr\n  mode      observe\n  schedule  every 40m\n"), "{}", before.out);
    assert!(before.out.ends_with("  last      no cycle yet\n"), "{}", before.out);
    host.run(&["enable", "hr", "--mode", "approve"]);
    host.run(&["sync"]);
    let after = host.run(&["status", "hr", "--format", "json"]);
    let status: Value = serde_json::from_str(&after.out).unwrap();
    assert_eq!(status["format"], 1);
    assert_eq!(status["jobs"][0]["mode"], "approve");
    assert_eq!(status["jobs"][0]["most"], "write");
    assert_eq!(status["jobs"][0]["last"]["cycle"], 1);
    assert_eq!(status["jobs"][0]["last"]["held"], 5);
    assert!(status["jobs"][0]["next"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_plan_goes_to_a_file_that_others_cannot_read() {
    let host = Host::new();
    let file = host.path("plan.json");
    let plan = host.run(&["plan", "--format", "json", "--out", file.to_str().unwrap()]);
    assert_eq!(plan.code, 3, "{}", plan.err);
    let document: Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!(document["header"]["job"], "hr");
    assert_eq!(document["changes"].as_array().unwrap().len(), 5);
    assert_eq!(
        fs::read_to_string(&file).unwrap().lines().filter(|line| line.contains("\"change\":")).count(),
        5
    );
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_settings_the_command_line_and_the_source_have_exit_codes_of_their_own() {
    let host = Host::new();
    let good = host.run(&["config", "check"]);
    assert_eq!(good.code, 0, "{}", good.out);
    assert_eq!(host.shown(&good.out), "ok: DIR/rosterd.toml: jobs hr; targets local; state DIR/rosterd.db\n");
    let usage = host.run(&["plan", "--formatt", "json"]);
    assert_eq!(usage.code, 2);
    let unknown = host.run(&["plan", "rh"]);
    assert_eq!(unknown.code, 1);
    assert_eq!(unknown.err, "error: there is no job `rh`\n  cure: did you mean `hr`?\n");

    fs::remove_file(host.path("hr.json")).unwrap();
    let missing = host.run(&["sync"]);
    assert_eq!(missing.code, 1);
    assert!(
        missing.err.starts_with("error: job hr: the source could not be read\n  caused by: "),
        "{}",
        missing.err
    );

    host.settings("[jobs.bad]\ntargett = \"x\"\n");
    let bad = host.run(&["config", "check"]);
    assert_eq!(bad.code, 1);
    assert!(host.shown(&bad.out).contains("error: unknown key for `jobs.bad.targett`\n  --> DIR/rosterd.toml:13:1\n  cure: did you mean `target`?"), "{}", bad.out);
    let sync = host.run(&["sync"]);
    assert_eq!(sync.code, 1);
    assert!(sync.err.contains("problems in the settings"), "{}", sync.err);
}

#[test]
fn the_settings_are_shown_with_their_origins() {
    let host = Host::new();
    let mut command = binary();
    command.env("ROSTERD_JOBS__HR__SCHEDULE", "every 5m").arg("-c").arg(host.path("rosterd.toml"));
    command.args(["--state", "/tmp/elsewhere.db", "config", "show"]);
    let shown = ran(command);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(
        shown.out.contains("jobs.hr.schedule = \"every 5m\"  # variable ROSTERD_JOBS__HR__SCHEDULE\n"),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("daemon.state = \"/tmp/elsewhere.db\"  # command line\n"), "{}", shown.out);
    assert!(shown.out.contains("daemon.listen = \"127.0.0.1:8480\"  # built-in default\n"), "{}", shown.out);
}

#[test]
fn a_secret_that_is_missing_is_named_with_its_job_its_key_and_the_cure() {
    let host = Host::new();
    host.settings(
        "[jobs.okta]\ntarget = \"local\"\nsource.okta = { url = \"http://127.0.0.1:9\", token = \"file:/nonexistent/token\" }\n\
         scope.users.assigned_to = \"0oa1\"\nmapping.preset = \"cerby\"\n",
    );
    let plan = host.run(&["plan", "okta"]);
    assert_eq!(plan.code, 1);
    assert!(plan.err.starts_with("error: job okta: its source cannot be used\n"), "{}", plan.err);
    assert!(plan.err.contains("the secret at `jobs.okta.source.okta.token` cannot be had"), "{}", plan.err);
    assert!(plan.err.contains("file:/nonexistent/token cannot be read"), "{}", plan.err);
    // The other job is planned all the same (P12).
    let both = host.run(&["plan"]);
    assert_eq!(both.code, 1);
    assert!(both.out.contains("3 create"), "{}", both.out);
    let check = host.run(&["check"]);
    assert_eq!(check.code, 1);
    assert!(check.out.contains("  error   source"), "{}", check.out);
    assert!(check.out.contains("  ok      "), "{}", check.out);
}

#[test]
fn a_token_is_shown_once_and_its_hash_kept() {
    let host = Host::new();
    let create = ["token", "create", "--dialect", "tolerant", "--reason", "the new tenant", "--workspace"];
    let slip = host.run(&[&create[..], &["mian"]].concat());
    assert_eq!(slip.code, 1);
    assert_eq!(slip.err, "error: the settings have no workspace `mian`\n  cure: they have main\n");
    let token = host.run(&[&create[..], &["main"]].concat());
    assert_eq!(token.code, 0, "{}", token.err);
    let text = token.out.trim();
    assert!(text.starts_with("rst_"), "{text}");
    assert!(token.err.contains("dialect tolerant"), "{}", token.err);
    let state = fs::read(host.path("rosterd.db")).unwrap();
    let secret = text.rsplit('_').next().unwrap().as_bytes();
    assert!(!state.windows(secret.len()).any(|window| window == secret), "the secret is in the state");
    let state = rusqlite::Connection::open(host.path("rosterd.db")).unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let (who, reason) = state.query_row("SELECT who, reason FROM tokens", [], read).unwrap();
    assert!(!who.is_empty());
    assert_eq!(reason, "the new tenant");
}

#[test]
fn the_example_settings_are_sound() {
    let mut command = binary();
    command.args([
        "-c",
        concat!(env!("CARGO_MANIFEST_DIR"), "/config/rosterd.example.toml"),
        "config",
        "show",
    ]);
    assert_eq!(ran(command).code, 0);
    let layers = rosterd::config::Layers {
        file: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/config/rosterd.example.toml").into()),
        ..Default::default()
    };
    let merged = rosterd::config::Merged::read(&layers).unwrap();
    let config = merged.check().unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.jobs.len(), 2);
}

#[test]
fn the_demo_does_the_whole_job_and_checks_itself() {
    let folder = TempDir::new().unwrap();
    let kept = folder.path().join("kept");
    let mut command = binary();
    command.args(["demo", "--keep"]).arg(&kept);
    let demo = ran(command);
    assert_eq!(demo.code, 0, "{}{}", demo.out, demo.err);
    let part = |heading: &str| {
        let (_, rest) =
            demo.out.split_once(&format!("== {heading} ==")).unwrap_or_else(|| panic!("no {heading}"));
        rest.split("\n==").next().unwrap().to_owned()
    };
    let second = part("The second plan and the second cycle");
    for class in [" rename", " create", " deactivate", " add_members", " remove_members"] {
        assert!(second.contains(class), "{class} in {second}");
    }
    let third = part("The third plan");
    assert!(third.contains("acme: no changes, of ") && third.contains("globex: no changes, of "), "{third}");
    let end = part("The workspaces against the directories");
    assert_eq!(end.matches(" memberships: equal to the directory\n").count(), 2, "{end}");

    // What was kept can be looked at.
    let mut command = binary();
    command.arg("-c").arg(kept.join("rosterd.toml")).args(["log", "--job", "globex", "--cycle", "4"]);
    let log = ran(command);
    assert!(log.out.contains("deactivate"), "{}{}", log.out, log.err);
}

#[test]
fn a_demo_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let mut command = binary();
    command.arg("demo").env("TMPDIR", folder.path());
    assert_eq!(ran(command).code, 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
