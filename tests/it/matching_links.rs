//! `rosterd link`: links by hand, on the state alone, and what the next cycle makes of them.

use std::fs;

use crate::support::host::Host;

/// Ann and Bob have accounts; the target has a second account of Bob's, unlinked.
fn host() -> Host {
    let host = Host::new();
    host.run(&["enable", "hr"]);
    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 0, "{}{}", synced.out, synced.err);
    host
}

/// The id of the account or team in the target.
fn resource(host: &Host, who: &str) -> String {
    let list = host.run(&["link", "list", "hr", "--format", "json"]);
    let rows = list.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let row =
        rows.into_iter().find(|row| row["id"] == who).unwrap_or_else(|| panic!("{who} in {}", list.out));
    row["resource"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn links_are_listed_and_shown() {
    let host = host();
    let list = host.run(&["link", "list", "hr"]);
    assert_eq!(list.code, 0, "{}", list.err);
    assert_eq!(list.out.lines().count(), 3, "{}", list.out);
    let ann = resource(&host, "u-ann");
    assert!(
        list.out.contains(&format!("user  active   created  {ann}  ann@acme.example  (u-ann)\n")),
        "{}",
        list.out
    );
    let show = host.run(&["link", "show", "hr", "ANN@acme.example"]);
    assert_eq!(
        show.out,
        format!(
            "user ann@acme.example (u-ann)\n  source    enabled\n  wanted    active\n  target    {ann}, active, created\n"
        )
    );
    let nobody = host.run(&["link", "show", "hr", "eve"]);
    assert_eq!(nobody.code, 1);
    assert_eq!(
        nobody.err,
        "error: job hr: the source shows nobody and no group `eve`\n  cure: give a source id, a userName or a team's name\n"
    );
}

#[test]
fn an_unlinked_account_stays_and_is_set_again_by_hand() {
    let host = host();
    let ann = resource(&host, "u-ann");
    let unlink = host.run(&["link", "unlink", "hr", "u-ann", "--reason", "wrong account"]);
    assert_eq!(unlink.code, 0, "{}", unlink.err);
    assert!(host.run(&["workspace", "users"]).out.contains("ann@acme.example"));
    assert_eq!(resource(&host, "u-ann"), "");

    let set = host.run(&["link", "set", "hr", "u-ann", &ann, "--reason", "it was right"]);
    assert_eq!((set.code, set.err.as_str()), (0, ""), "{}", set.out);
    let taken = host.run(&["link", "set", "hr", "u-bob", &ann]);
    assert_eq!(taken.code, 1);
    assert!(taken.err.contains("is linked to"), "{}", taken.err);
    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 0, "{}{}", synced.out, synced.err);
    assert_eq!(resource(&host, "u-ann"), ann);
    assert_eq!(host.run(&["plan"]).code, 0);

    let show = host.run(&["link", "show", "hr", "u-ann"]).out;
    assert!(show.contains(&format!("link unlink u-ann {ann} by ")), "{show}");
    assert!(show.contains(": wrong account\n") && show.contains(": it was right\n"), "{show}");
}

#[test]
fn an_id_that_the_target_does_not_have_is_held() {
    let host = host();
    host.people(&["ann", "bob", "cy"]);
    assert_eq!(host.run(&["plan"]).code, 3);
    // Who has never been read is not known yet.
    assert_eq!(host.run(&["link", "set", "hr", "u-cy", "no-such-id"]).code, 1);
    host.settings("[jobs.hr.actions]\ncreate = false\n");
    host.run(&["sync"]);
    assert_eq!(host.run(&["link", "set", "hr", "u-cy", "no-such-id"]).code, 0);
    host.settings("update = true\n");
    let text =
        fs::read_to_string(host.path("rosterd.toml")).unwrap().replace("create = false", "create = true");
    fs::write(host.path("rosterd.toml"), text).unwrap();
    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 4, "{}{}", synced.out, synced.err);
    let held = host.run(&["held"]).out;
    assert!(
        held.contains("the target has no user no-such-id, which was set by hand; set another one"),
        "{held}"
    );
    assert_eq!(host.run(&["link", "unlink", "hr", "u-cy"]).code, 0);
    assert_eq!(host.run(&["sync"]).code, 0);
}

#[test]
fn an_import_sets_all_or_none_and_names_the_lines() {
    let host = host();
    let (ann, bob) = (resource(&host, "u-ann"), resource(&host, "u-bob"));
    for who in ["u-ann", "u-bob"] {
        assert_eq!(host.run(&["link", "unlink", "hr", who]).code, 0);
    }
    let csv = host.path("links.csv");
    let import = |text: String| {
        fs::write(&csv, text).unwrap();
        host.run(&["link", "import", "hr", &csv.display().to_string()])
    };
    let broken = import(format!("source,resource\nu-ann,{ann}\nu-eve,{bob}\nu-bob,{ann}\n"));
    assert_eq!(broken.code, 1);
    let told: Vec<&str> = broken.err.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(
        told,
        [
            "error: job hr: line 3: the source shows nobody and no group `u-eve`".to_owned(),
            format!("error: job hr: line 4: {ann} is given to u-ann as well"),
            "error: job hr: nothing was set".to_owned(),
        ]
    );
    assert_eq!(import(format!("u-ann,{ann}\nu-bob,{bob}\n")).code, 0);
    assert_eq!(host.run(&["sync"]).code, 0);
    assert_eq!((resource(&host, "u-ann"), resource(&host, "u-bob")), (ann, bob));
}

#[test]
fn every_command_is_in_the_help() {
    let help = Host::new().run(&["link", "--help"]).out;
    for word in ["list", "show", "set", "unlink", "import", "move", "takeover", "rebuild"] {
        assert!(help.contains(&format!("\n  {word} ")), "{word} in {help}");
    }
}

/// A cycle would decide with what is being changed.
#[test]
fn links_are_not_changed_while_a_cycle_of_the_job_runs() {
    let host = host();
    let store = rosterd::store::Store::open(&host.path("rosterd.db")).unwrap();
    let _cycle = store.lease(&["job hr".to_owned()]).unwrap();
    let unlink = host.run(&["link", "unlink", "hr", "u-ann"]);
    assert_eq!(unlink.code, 1);
    assert!(unlink.err.contains("job hr is in use by another rosterd"), "{}", unlink.err);
    assert_eq!(host.run(&["link", "list", "hr"]).code, 0);
}
