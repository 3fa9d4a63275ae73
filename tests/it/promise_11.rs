//! P11 under attack: neither secrets nor values of people get into logs and errors, however much is logged and whatever breaks.

use std::fs;

use crate::support::host::Host;
use crate::support::host::ran;

const TOKEN: &str = "tok-5f1c9e7a-never-shown";

/// What nobody may find in a log: addresses, names, the token.
fn is_clean(told: &str, when: &str) {
    for secret in ["ann@", "bob@", "@acme.example", "Lee", TOKEN] {
        assert!(!told.contains(secret), "{when}: `{secret}` is in {told}");
    }
}

#[test]
fn the_loudest_log_of_a_cycle_has_no_values() {
    let host = Host::new();
    assert_eq!(host.run(&["enable", "hr"]).code, 0);
    for people in [&["ann", "bob"][..], &["ann"], &["ann", "bob", "cy"]] {
        host.people(people);
        let synced = host.run(&["--log", "trace", "sync"]);
        is_clean(&synced.err, "sync");
    }
}

#[test]
fn a_service_that_is_away_and_a_broken_state_are_told_without_values() {
    let host = Host::new();
    let text = fs::read_to_string(host.path("rosterd.toml")).unwrap();
    let remote = "[targets.local.scim]\nurl = \"http://127.0.0.1:9/scim/v2\"\ntoken = \"env:TEST_TOKEN\"\n";
    let text = text.replace("[targets.local.workspace]\nname = \"main\"\n", remote);
    fs::write(host.path("rosterd.toml"), text).unwrap();
    assert_eq!(host.run(&["enable", "hr"]).code, 0);
    let mut command = host.command(&["config", "show"]);
    command.env("TEST_TOKEN", TOKEN);
    let shown = ran(command);
    is_clean(&format!("{}{}", shown.out, shown.err), "config show");
    fs::write(host.path("rosterd.db"), vec![b'x'; 50_000]).unwrap();
    let mut command = host.command(&["--log", "trace", "sync"]);
    command.env("TEST_TOKEN", TOKEN);
    let broken = ran(command);
    assert_eq!(broken.code, 1);
    is_clean(&broken.err, "a broken state");
}
