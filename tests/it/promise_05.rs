//! P5 under attack: no write without a journal entry before it, and every entry ends in an outcome. `crash` plays whole days
//! with kills everywhere; here each place is looked at by itself.
#![cfg(debug_assertions)]

use std::os::unix::process::ExitStatusExt;

use crate::support::host::Host;

/// Entries of writes without and with an outcome, and accounts that are there.
fn counted(host: &Host) -> (i64, i64, i64) {
    let state = rusqlite::Connection::open(host.path("rosterd.db")).unwrap();
    let count = |sql: &str| state.query_row(sql, [], |row| row.get(0)).unwrap();
    (
        count("SELECT count(*) FROM journal WHERE class = 'create' AND outcome IS NULL"),
        count("SELECT count(*) FROM journal WHERE class = 'create' AND outcome IS NOT NULL"),
        count("SELECT count(*) FROM resources WHERE kind = 'user'"),
    )
}

#[test]
fn a_kill_around_the_first_write_leaves_an_intent_before_it_and_settles_what_is_open() {
    // After the first batch, which has the people: open entries, ended entries, accounts.
    for (place, left) in [
        ("before_intent", (0, 0, 0)),
        ("after_intent", (2, 0, 0)),
        ("after_answer", (2, 0, 2)),
        ("after_outcome", (0, 2, 2)),
    ] {
        let host = Host::new();
        assert_eq!(host.run(&["enable", "hr"]).code, 0);
        let mut command = host.command(&["sync"]);
        command.env("ROSTERD_CRASH_AT", format!("{place}:1"));
        let output = command.output().unwrap();
        assert!(output.status.signal().is_some(), "{place} was never passed: {output:?}");
        assert_eq!(counted(&host), left, "{place}");
        let synced = host.run(&["sync"]);
        assert_eq!(synced.code, 0, "{place}: {}{}", synced.out, synced.err);
        let (open, _, accounts) = counted(&host);
        assert_eq!((open, accounts), (0, 2), "{place}: everybody once");
        assert_eq!(host.run(&["plan"]).code, 0, "{place}");
        assert_eq!(host.run(&["log", "--verify-chain"]).code, 0, "{place}");
    }
}

#[test]
fn a_kill_while_settling_is_settled_by_the_next_start() {
    for place in ["settle", "asked", "settled"] {
        let host = Host::new();
        assert_eq!(host.run(&["enable", "hr"]).code, 0);
        for place in ["after_answer", place] {
            let mut command = host.command(&["sync"]);
            command.env("ROSTERD_CRASH_AT", format!("{place}:1"));
            let output = command.output().unwrap();
            assert!(output.status.signal().is_some(), "{place} was never passed: {output:?}");
        }
        assert_eq!(host.run(&["sync"]).code, 0, "{place}");
        let (open, _, accounts) = counted(&host);
        assert_eq!((open, accounts), (0, 2), "{place}: everybody once");
    }
}
