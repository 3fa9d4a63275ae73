//! P3 under attack: a dry run writes nothing to the state, however often it is asked and wherever it is killed.

use std::fs;
use std::path::PathBuf;

use crate::support::host::Host;
use crate::support::host::ran;

fn host() -> Host {
    let host = Host::new();
    assert_eq!(host.run(&["enable", "hr"]).code, 0);
    assert_eq!(host.run(&["sync"]).code, 0);
    host.people(&["ann", "cy", "di"]);
    host
}

fn state(host: &Host) -> Vec<u8> {
    fs::read(host.path("rosterd.db")).unwrap()
}

/// A folder for temporary files of its own, to see what is left in it.
fn scratch(host: &Host) -> PathBuf {
    let scratch = host.path("scratch");
    fs::create_dir_all(&scratch).unwrap();
    scratch
}

#[test]
fn whatever_only_looks_leaves_the_state_as_it_is() {
    let host = host();
    let before = state(&host);
    for arguments in [
        &["plan"][..],
        &["plan", "--full"],
        &["explain", "hr", "u-ann"],
        &["status"],
        &["held"],
        &["log"],
        &["log", "--format", "csv"],
        &["log", "--verify-chain"],
        &["check"],
    ] {
        let looked = host.run(arguments);
        assert!([0, 3, 4].contains(&looked.code), "{arguments:?}: {}{}", looked.out, looked.err);
        assert!(state(&host) == before, "{arguments:?} wrote to the state");
    }
}

/// The places are in debug builds alone.
#[cfg(debug_assertions)]
#[test]
fn a_dry_run_that_is_killed_leaves_the_state_and_in_the_end_no_copy_of_it() {
    use std::os::unix::process::ExitStatusExt;
    let host = host();
    let before = state(&host);
    let scratch = scratch(&host);
    for place in ["page", "before_promotion", "promoting", "after_promotion", "decided"] {
        let mut command = host.command(&["plan"]);
        command.env("ROSTERD_CRASH_AT", format!("{place}:1")).env("TMPDIR", &scratch);
        let output = command.output().unwrap();
        assert!(output.status.signal().is_some(), "{place} was never passed: {output:?}");
        assert!(state(&host) == before, "{place}: the state was written");
    }
    let mut command = host.command(&["plan"]);
    command.env("TMPDIR", &scratch);
    assert_eq!(ran(command).code, 3);
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "a copy names people, and stays for nobody");
}
