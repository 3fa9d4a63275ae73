//! Versions of the settings: each is kept once, the log and the cycles name the one that they were decided under, and none
//! has a secret.

use std::fs;

use serde_json::Value;

use crate::support::host::Host;

fn records(host: &Host) -> Vec<Value> {
    let log = host.run(&["log", "--format", "json"]);
    log.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn versions(host: &Host) -> Vec<(String, String)> {
    let state = rusqlite::Connection::open(host.path("rosterd.db")).unwrap();
    let mut rows =
        state.prepare("SELECT digest, text FROM settings_versions ORDER BY first, digest").unwrap();
    let found = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    found.collect::<Result<_, _>>().unwrap()
}

/// Two cycles, the settings edited in between.
fn edited() -> Host {
    let host = Host::new();
    assert_eq!(host.run(&["enable", "hr", "--reason", "looked"]).code, 0);
    assert_eq!(host.run(&["sync"]).code, 0);
    host.settings("[jobs.hr.limits]\nfloor = 9\n");
    host.people(&["ann", "bob", "cy"]);
    assert_eq!(host.run(&["sync"]).code, 0);
    host
}

#[test]
fn every_entry_names_the_settings_that_it_was_decided_under() {
    let host = edited();
    let versions = versions(&host);
    assert_eq!(versions.len(), 2);
    let digest = |of: &Value| of["settings"].as_str().unwrap().to_owned();
    let records = records(&host);
    let first = digest(&records[0]);
    let last = digest(records.last().unwrap());
    assert_ne!(first, last);
    for record in &records {
        let expected = if record["cycle"] == 2 { &last } else { &first };
        assert_eq!(digest(record), *expected, "{record}");
    }
    let mut kept: Vec<&String> = versions.iter().map(|(digest, _)| digest).collect();
    kept.sort();
    let mut named = [&first, &last];
    named.sort();
    assert_eq!(kept, named);
}

#[test]
fn a_version_is_shown_by_its_digest_and_what_changed_between_two_by_line() {
    let host = edited();
    let records = records(&host);
    let (first, last) =
        (records[0]["settings"].as_str().unwrap(), records.last().unwrap()["settings"].as_str().unwrap());
    let shown = host.run(&["config", "show", "--digest", first]);
    assert!(shown.out.starts_with(&format!("# settings {first}, from ")), "{}", shown.out);
    assert!(shown.out.contains("jobs.hr.limits.floor = 5\n"), "{}", shown.out);
    let diff = format!("--- {first}\n+++ {last}\n-jobs.hr.limits.floor = 5\n+jobs.hr.limits.floor = 9\n");
    assert_eq!(host.run(&["config", "diff", &first[..8], last]).out, diff);
    assert_eq!(host.run(&["config", "diff", first]).out, diff, "today's are the newer ones");
    assert!(host.run(&["config", "diff", last]).out.ends_with(" say the same\n"));
    let list = host.run(&["config", "versions"]).out;
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.contains("2 lines differ  (today's)"), "{list}");
    let now = host.run(&["config", "show", "--at", "2999-01-01"]);
    assert!(now.out.contains("jobs.hr.limits.floor = 9\n"), "{}", now.out);
    let never = host.run(&["config", "show", "--at", "2001-01-01"]);
    assert_eq!(never.code, 1);
    assert!(never.err.contains("no settings are known of 2001-01-01T23:59:59Z"), "{}", never.err);
    let unknown = host.run(&["config", "show", "--digest", "ffffffffffffffff"]);
    assert!(unknown.err.contains("`rosterd config versions` shows them"), "{}", unknown.err);
}

#[test]
fn a_comment_that_is_added_makes_no_other_settings() {
    let host = Host::new();
    host.run(&["sync"]);
    let text = fs::read_to_string(host.path("rosterd.toml")).unwrap();
    fs::write(host.path("rosterd.toml"), format!("# said otherwise\n\n{text}")).unwrap();
    host.run(&["sync"]);
    assert_eq!(versions(&host).len(), 1);
}

/// P11: what is kept is what `config show` prints, and no more.
#[test]
fn a_version_has_no_secret_and_nothing_that_config_show_has_not() {
    let host = Host::new();
    let secret = "not-for-anybody-4711";
    fs::write(host.path("token"), secret).unwrap();
    let mut permissions = fs::metadata(host.path("token")).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    fs::set_permissions(host.path("token"), permissions).unwrap();
    host.settings(&format!(
        "[targets.other.scim]\nurl = \"https://scim.acme.example\"\ntoken = \"file:{}\"\n",
        host.path("token").display()
    ));
    let synced = host.run(&["sync"]);
    assert_ne!(synced.code, 1, "{}", synced.err);
    let shown: Vec<String> = host
        .run(&["config", "show"])
        .out
        .lines()
        .map(|line| line.rsplit_once("  # ").unwrap().0.to_owned())
        .collect();
    let versions = versions(&host);
    let kept: Vec<&str> = versions[0].1.lines().collect();
    assert_eq!(kept, shown);
    for name in ["rosterd.db", "rosterd.db-wal"] {
        let bytes = fs::read(host.path(name)).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{name}");
    }
}

/// P3: what only looks keeps nothing.
#[test]
fn a_look_keeps_no_version() {
    let host = Host::new();
    host.run(&["sync"]);
    host.settings("[jobs.hr.limits]\nfloor = 9\n");
    for look in [
        &["plan"][..],
        &["status"],
        &["log"],
        &["config", "versions"],
        &["explain", "hr", "ann@acme.example"],
    ] {
        host.run(look);
    }
    assert_eq!(versions(&host).len(), 1);
    assert!(host.run(&["config", "versions"]).out.contains("today's; nothing was done under it yet"));
}
