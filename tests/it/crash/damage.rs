//! A state that is read-only, damaged or cut off: told with the file and the cure, and whole again from a copy.

use std::fs;
use std::fs::Permissions;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use crate::support::host::Host;
use crate::support::host::Ran;
use crate::support::host::ran;

/// Nobody: root may write everything.
const NOBODY: u32 = 65_534;

fn host() -> Host {
    let host = Host::new();
    assert_eq!(host.run(&["enable", "hr"]).code, 0);
    assert_eq!(host.run(&["sync"]).code, 0);
    host
}

/// As somebody who is not root, who may reach the folder.
fn as_nobody(host: &Host, arguments: &[&str]) -> Ran {
    let inner = host.command(arguments);
    let root = fs::metadata(host.folder.path()).unwrap().uid() == 0;
    if !root {
        return ran(inner);
    }
    fs::set_permissions(host.folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = host.path("rosterd");
    if !program.exists() {
        fs::copy(inner.get_program(), &program).unwrap();
    }
    let mut command = std::process::Command::new(&program);
    command.args(inner.get_args()).env_remove("ROSTERD_LOG").uid(NOBODY).gid(NOBODY);
    ran(command)
}

fn told(host: &Host, ran: &Ran, parts: &[&str]) {
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let err = host.shown(&ran.err);
    for part in parts {
        assert!(err.contains(part), "{part}: {err}");
    }
}

#[test]
fn a_state_that_may_not_be_written_is_named_with_whoever_may() {
    let host = host();
    let state = host.path("rosterd.db");
    let before = fs::read(&state).unwrap();
    fs::set_permissions(&state, Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(host.path("rosterd.toml"), Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(host.path("hr.json"), Permissions::from_mode(0o644)).unwrap();
    let refused = as_nobody(&host, &["sync"]);
    told(&host, &refused, &["DIR/rosterd.db", "run this as a user who may write there"]);
    assert_eq!(fs::read(&state).unwrap(), before, "nothing of it has changed");
    fs::set_permissions(&state, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(host.run(&["sync"]).code, 0);
}

#[test]
fn a_folder_that_may_not_be_written_is_named_with_whoever_may() {
    let host = host();
    let state = host.path("rosterd.db");
    // The file may be written; what SQLite keeps beside it may not be made.
    fs::set_permissions(&state, Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(host.path("rosterd.toml"), Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(host.path("hr.json"), Permissions::from_mode(0o644)).unwrap();
    let root = fs::metadata(host.folder.path()).unwrap().uid() == 0;
    if !root {
        fs::set_permissions(host.folder.path(), Permissions::from_mode(0o555)).unwrap();
    }
    let refused = as_nobody(&host, &["sync"]);
    told(&host, &refused, &["DIR/rosterd.db", "cure: "]);
    fs::set_permissions(host.folder.path(), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(host.run(&["sync"]).code, 0);
}

/// Spoils the file, looks at what is said, and puts the copy back.
fn spoiled(spoil: fn(&Path)) {
    let host = host();
    let state = host.path("rosterd.db");
    fs::copy(&state, host.path("copy.db")).unwrap();
    host.people(&["ann", "bob", "cy"]);
    assert_eq!(host.run(&["sync"]).code, 0);
    spoil(&state);
    for arguments in [&["sync"][..], &["status"], &["log"]] {
        let refused = host.run(arguments);
        told(&host, &refused, &["DIR/rosterd.db", "is damaged", "restore a backup"]);
    }
    // As docs/operations.md says: away with the damaged file and what lies beside it, the copy in its place.
    fs::rename(&state, host.path("damaged.db")).unwrap();
    fs::remove_file(host.path("rosterd.db-wal")).ok();
    fs::remove_file(host.path("rosterd.db-shm")).ok();
    fs::copy(host.path("copy.db"), &state).unwrap();
    let plan = host.run(&["plan", "--full"]);
    assert_eq!(plan.code, 3, "{}{}", plan.out, plan.err);
    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 0, "{}{}", synced.out, synced.err);
    assert_eq!(host.run(&["workspace", "users"]).out.lines().count(), 3);
    assert_eq!(host.run(&["log", "--verify-chain"]).code, 0);
}

#[test]
fn damaged_pages_are_told_and_the_copy_is_put_back() {
    spoiled(|state| {
        let length = fs::metadata(state).unwrap().len();
        let mut file = fs::OpenOptions::new().write(true).open(state).unwrap();
        file.seek(SeekFrom::Start(4096)).unwrap();
        file.write_all(&vec![0xa5; usize::try_from(length - 4096).unwrap()]).unwrap();
    });
}

#[test]
fn a_file_that_was_cut_off_is_told_and_the_copy_is_put_back() {
    spoiled(|state| {
        let length = fs::metadata(state).unwrap().len();
        fs::OpenOptions::new().write(true).open(state).unwrap().set_len(length / 3).unwrap();
    });
}

#[test]
fn a_file_that_is_no_database_is_told() {
    let host = host();
    fs::write(host.path("rosterd.db"), vec![b'x'; 100_000]).unwrap();
    told(&host, &host.run(&["sync"]), &["DIR/rosterd.db", "is damaged", "restore a backup"]);
}
