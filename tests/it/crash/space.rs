//! A state that cannot grow: the cycle ends and says what helps, nothing is lost, and the next one with room goes on.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use crate::support::host::Host;
use crate::support::host::Ran;
use crate::support::host::ran;

/// Enough people that a load needs many pages.
fn company() -> Vec<String> {
    (0..120).map(|number| format!("person-{number:03}")).collect()
}

fn host() -> Host {
    let host = Host::new();
    let names = company();
    host.people(&names.iter().map(String::as_str).collect::<Vec<_>>());
    host.settings("[jobs.hr.limits]\nfloor = 100000\n");
    assert_eq!(host.run(&["enable", "hr"]).code, 0);
    host
}

fn pages(state: &Path) -> u32 {
    let state = rusqlite::Connection::open(state).unwrap();
    state.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    state.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap()
}

/// Goes on with room, and everything is there once.
fn goes_on(host: &Host, when: &str) {
    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 0, "{when}: {}{}", synced.out, synced.err);
    let users = host.run(&["workspace", "users"]);
    assert_eq!(users.out.lines().count(), company().len(), "{when}: {}", users.out);
    let plan = host.run(&["plan"]);
    assert_eq!(plan.code, 0, "{when}: {}{}", plan.out, plan.err);
    let chain = host.run(&["log", "--verify-chain"]);
    assert_eq!(chain.code, 0, "{when}: {}", chain.out);
    let state = rusqlite::Connection::open(host.path("rosterd.db")).unwrap();
    let one = |sql: &str| state.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(one("PRAGMA integrity_check"), "ok", "{when}");
    assert_eq!(one("SELECT count(*) || '' FROM journal WHERE outcome IS NULL"), "0", "{when}");
}

fn is_told(host: &Host, full: &Ran, what: &str, when: &str) {
    assert_eq!(full.code, 1, "{when}: {}{}", full.out, full.err);
    let err = host.shown(&full.err);
    assert!(err.contains("the state database DIR/rosterd.db") && err.contains(what), "{when}: {err}");
    assert!(err.contains("cure: "), "{when}: {err}");
}

/// The seam is in debug builds alone.
#[cfg(debug_assertions)]
#[test]
fn a_full_disk_at_any_moment_loses_nothing() {
    let mut filled = 0;
    for room in [0, 3, 10, 30, 60, 120] {
        let host = host();
        let most = pages(&host.path("rosterd.db")) + room;
        let mut command = host.command(&["sync"]);
        command.env("ROSTERD_PAGES_MAX", most.to_string());
        let full = ran(command);
        let when = format!("room for {room} pages");
        if full.code != 0 {
            filled += 1;
            is_told(&host, &full, "cannot grow: the disk is full", &when);
            assert!(
                full.err.contains("make room; nothing is lost, and the next cycle goes on"),
                "{}",
                full.err
            );
        }
        goes_on(&host, &when);
    }
    assert!(filled >= 4, "only {filled} of six were full");
}

/// A limit of the service manager (`LimitFSIZE=`) or of a shell; the signal that comes with it does not end the process.
#[test]
fn a_limit_of_file_sizes_is_told_and_loses_nothing() {
    let host = host();
    for kilobytes in [1, 200, 500] {
        let inner = host.command(&["sync"]);
        let mut command = Command::new("bash");
        command.args(["-c", &format!("ulimit -f {kilobytes}; exec \"$@\""), "bash"]);
        command.arg(inner.get_program()).args(inner.get_args());
        let output = command.output().unwrap();
        assert_eq!(output.status.signal(), None, "{kilobytes} KiB: it was killed");
        let full = Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        is_told(&host, &full, "cannot be read or written", &format!("{kilobytes} KiB"));
    }
    goes_on(&host, "without the limit");
}
