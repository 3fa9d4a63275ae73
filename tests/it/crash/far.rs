//! A state that cannot grow, may not be written, or is damaged, before a target that is somewhere else: what was sent there
//! is neither lost nor sent twice.

use std::fs;
use std::process::Command;

use super::firm::Firm;
use super::firm::output;
use super::firm::read;
use crate::support::host::Ran;

async fn firm(people: usize) -> Firm {
    Firm::start(true, people, "", "").await
}

fn a_day(firm: &mut Firm) {
    for n in 0..20 {
        firm.hire(&format!("n{n}"), &format!("new{n}"));
        firm.directory.groups.get_mut("g1").expect("a team").members.insert(format!("user:n{n}"));
    }
    for n in 0..10 {
        firm.leaves(&format!("u{n}"));
        firm.person(&format!("u{}", n + 20)).given = format!("Other{n}");
        firm.person(&format!("u{}", n + 30)).address = format!("married{n}@acme.example");
    }
    firm.publish();
}

fn is_told(firm: &Firm, full: &Ran, what: &str, when: &str) {
    assert_eq!(full.code, 1, "{when}: {}{}", full.out, full.err);
    let err = firm.host.shown(&full.err);
    assert!(err.contains("the state database DIR/rosterd.db") && err.contains(what), "{when}: {err}");
    assert!(err.contains("cure: "), "{when}: {err}");
}

/// The seam is in debug builds alone.
#[cfg(debug_assertions)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_at_any_moment_neither_loses_nor_doubles_what_was_sent() {
    let mut filled = 0;
    for room in [0, 2, 5, 9, 14, 20] {
        let when = format!("room for {room} pages");
        let mut firm = firm(60).await;
        filled += usize::from(syncs_with(&firm, room, &format!("{when}, the first load")).await);
        firm.goes_on(&when).await;
        firm.holds(&when).await;
        a_day(&mut firm);
        filled += usize::from(syncs_with(&firm, room, &format!("{when}, a day")).await);
        firm.goes_on(&when).await;
        firm.holds(&when).await;
    }
    assert!(filled >= 6, "only {filled} of twelve were full");
}

/// Whether it was full.
#[cfg(debug_assertions)]
async fn syncs_with(firm: &Firm, room: u32, when: &str) -> bool {
    let pages: u32 = {
        let state = rusqlite::Connection::open(firm.host.path("rosterd.db")).unwrap();
        state.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        state.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap()
    };
    let mut command = firm.command(&["sync"]);
    command.env("ROSTERD_PAGES_MAX", (pages + room).to_string());
    let full = read(output(command).await);
    if full.code != 0 {
        is_told(firm, &full, "cannot grow: the disk is full", when);
    }
    full.code != 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_file_sizes_neither_loses_nor_doubles_what_was_sent() {
    let mut firm = firm(60).await;
    limited(&firm, &[1, 200, 400], "the first load").await;
    firm.goes_on("the first load").await;
    firm.holds("the first load").await;
    a_day(&mut firm);
    limited(&firm, &[1, 200, 400], "a day").await;
    firm.goes_on("a day").await;
    firm.holds("a day").await;
}

async fn limited(firm: &Firm, kilobytes: &[u32], when: &str) {
    for kilobytes in kilobytes {
        let inner = firm.command(&["sync"]);
        let mut command = Command::new("bash");
        command.args(["-c", &format!("ulimit -f {kilobytes}; exec \"$@\""), "bash"]);
        command.arg(inner.get_program()).args(inner.get_args()).env("TEST_TARGET", firm.token());
        let full = read(output(command).await);
        let when = format!("{when}, {kilobytes} KiB");
        assert_ne!(full.code, -1, "{when}: it was killed");
        is_told(firm, &full, "cannot be read or written", &when);
    }
}

/// Without its state nothing is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_state_sends_nothing_and_a_copy_of_before_finds_what_was_made_since() {
    for spoils in [cut as fn(&[u8]) -> Vec<u8>, overwrite] {
        let mut firm = firm(40).await;
        firm.goes_on("the first load").await;
        let state = firm.host.path("rosterd.db");
        let copy = fs::read(&state).unwrap();
        a_day(&mut firm);
        firm.goes_on("a day").await;
        let before = firm.ids().await;
        fs::write(&state, spoils(&fs::read(&state).unwrap())).unwrap();
        firm.hire("u99", "late");
        firm.publish();
        let refused = firm.run(&["sync"]).await;
        is_told(&firm, &refused, "is damaged", "damaged");
        assert_eq!(firm.ids().await, before, "nothing was sent");
        // As docs/operations.md says.
        for end in ["-wal", "-shm"] {
            fs::remove_file(firm.host.path(&format!("rosterd.db{end}"))).ok();
        }
        fs::write(&state, copy).unwrap();
        firm.goes_on("from the copy").await;
        firm.holds("from the copy").await;
        let mut after = firm.ids().await;
        assert!(after.remove("late@acme.example").is_some());
        assert_eq!(after, before, "who was made since the copy was found, and not made again");
    }
}

fn cut(state: &[u8]) -> Vec<u8> {
    state[..state.len() / 3].to_vec()
}

fn overwrite(state: &[u8]) -> Vec<u8> {
    state.iter().enumerate().map(|(at, byte)| if at < 4096 { *byte } else { 0xa5 }).collect()
}
