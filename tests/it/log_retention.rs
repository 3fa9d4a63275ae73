//! Retention of the provisioning log: what is too old goes, the chain begins at a checkpoint, and whatever else is missing
//! or different is noticed.

use std::path::Path;

use jiff::Timestamp;
use rosterd::daemon;
use rosterd::model::LinkId;
use rosterd::plan::CauseId;
use rosterd::plan::Class;
use rosterd::plan::Keep;
use rosterd::plan::Mode;
use rosterd::scim::Dialect;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::incoming;
use rosterd::store::Author;
use rosterd::store::Chain;
use rosterd::store::Erasure;
use rosterd::store::Intent;
use rosterd::store::LogFilter;
use rosterd::store::Pruned;
use rosterd::store::Retention;
use rosterd::store::Sent;
use rosterd::store::Store;
use rosterd::store::Write;
use rosterd::store::WriteAct;
use serde_json::json;
use tempfile::TempDir;

use crate::support::host::Host;

const DAY: i64 = 86_400;
const BEGINNING: i64 = 1_700_000_000;

fn day(day: i64) -> Timestamp {
    Timestamp::from_second(BEGINNING + day * DAY).expect("a time")
}

/// One creation a name, pushed on that day.
async fn push(store: &Store, at: i64, names: &[String]) {
    let author = Author::push("okta", "t1", false, day(at));
    let act = |name: &String| {
        let body = json!({ "userName": name });
        let incoming = incoming(ResourceType::User, Dialect::Tolerant, &body).expect("a sound body");
        let id = ResourceId(format!("id-{name}"));
        Write::from(WriteAct::Create { kind: ResourceType::User, id, incoming, dialect: Dialect::Strict })
    };
    let written = store.write_resources("main", author, names.iter().map(act).collect()).await;
    assert!(written.expect("the store writes").iter().all(Result::is_ok));
}

fn state() -> (TempDir, Store) {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(&directory.path().join("state.db")).expect("a state");
    (directory, store)
}

fn by_hand(directory: &TempDir, sql: &str) {
    let state = rusqlite::Connection::open(directory.path().join("state.db")).expect("the file");
    state.execute_batch(sql).expect(sql);
}

/// Entries 1 to 6, one a day.
async fn week() -> (TempDir, Store) {
    let (directory, store) = state();
    for at in 1..=6 {
        push(&store, at, &[format!("p{at}")]).await;
    }
    (directory, store)
}

async fn prune(store: &Store, before: i64, now: i64) -> Pruned {
    let wish = Retention {
        before_second: day(before).as_second(),
        keep: "7 days".to_owned(),
        by: None,
        reason: None,
        now_second: day(now).as_second(),
    };
    let mut all = Pruned::default();
    loop {
        let pruned = store.prune(&wish).await.expect("what is old goes");
        all.entries += pruned.entries;
        all.cycles += pruned.cycles;
        all.decisions += pruned.decisions;
        all.settings += pruned.settings;
        if !pruned.more {
            return all;
        }
    }
}

async fn chain(store: &Store) -> Chain {
    store.verify_chain().await.expect("a walk")
}

async fn entries(store: &Store) -> Vec<i64> {
    let log = store.log(LogFilter { limit: 10_000, ..LogFilter::default() }).await.expect("a log");
    log.iter().map(|row| row.entry.0).collect()
}

#[tokio::test]
async fn what_is_older_goes_and_the_chain_is_whole_from_its_checkpoint_on() {
    let (_directory, store) = week().await;
    let before = chain(&store).await;
    let would = store.prunable(day(4).as_second()).await.expect("a look");
    assert_eq!((would.entries, would.newest_second), (3, Some(day(3).as_second())));
    assert_eq!(chain(&store).await, before, "a look removes nothing");
    assert_eq!(prune(&store, 4, 11).await.entries, 3);
    assert_eq!(entries(&store).await, [4, 5, 6]);
    let after = chain(&store).await;
    assert_eq!(after.broken, None);
    let checkpoint = after.checkpoint.expect("a checkpoint");
    assert_eq!((checkpoint.links, checkpoint.entry.0, checkpoint.total), (3, 3, 3));
    assert_eq!(
        (checkpoint.newest_second, checkpoint.at_second),
        (Some(day(3).as_second()), day(11).as_second())
    );
    assert_eq!((checkpoint.number, after.number, after.links), (7, 7, 4));
    assert_eq!(prune(&store, 4, 12).await, Pruned::default(), "once is enough");
    assert_eq!(prune(&store, 6, 13).await.entries, 2);
    let again = chain(&store).await;
    assert_eq!((again.broken, again.checkpoint.map(|one| (one.count, one.total))), (None, Some((2, 5))));
}

#[tokio::test]
async fn the_newest_entry_stays_so_that_numbers_go_on() {
    let (_directory, store) = week().await;
    assert_eq!(prune(&store, 100, 107).await.entries, 5);
    push(&store, 108, &["new".to_owned()]).await;
    assert_eq!(entries(&store).await, [6, 7]);
    assert_eq!(chain(&store).await.broken, None);
}

#[tokio::test]
async fn thousands_go_in_small_transactions() {
    let (_directory, store) = state();
    for at in 1..=9 {
        let names: Vec<String> = (0..500).map(|person| format!("p{at}-{person}")).collect();
        push(&store, at, &names).await;
    }
    assert_eq!(prune(&store, 9, 16).await.entries, 4000);
    let chain = chain(&store).await;
    assert_eq!((chain.broken, chain.checkpoint.map(|one| one.total)), (None, Some(4000)));
    assert_eq!(entries(&store).await.len(), 500);
}

/// What a hand on the file does after three of six entries were removed.
async fn after(sql: &str) -> String {
    let (directory, store) = week().await;
    prune(&store, 4, 11).await;
    push(&store, 12, &["late".to_owned()]).await;
    assert_eq!(chain(&store).await.broken, None);
    drop(store);
    by_hand(&directory, sql);
    let store = Store::open(&directory.path().join("state.db")).expect("a state");
    chain(&store).await.broken.map_or_else(|| "whole".to_owned(), |broken| broken.what.to_owned())
}

#[tokio::test]
async fn whatever_else_is_missing_or_different_is_noticed() {
    let changed = "was changed after it was recorded, or its link was";
    let beginning =
        "is not where the chain begins: what was before was cut off, and no checkpoint tells of it";
    let cut = "DELETE FROM journal WHERE id = 4; DELETE FROM journal_chain WHERE n = 4;";
    let (cut_and_told, sealed, swapped) = (
        format!(
            "{cut} UPDATE journal_checkpoints SET links = 4, entry = 4, count = 4, total = 4,
               link = zeroblob(32)"
        ),
        format!(
            "{cut} INSERT INTO journal_checkpoints
               SELECT 99, 4, (SELECT zeroblob(32)), 4, 1, 4, newest, before, at, keep, by, reason FROM journal_checkpoints"
        ),
        "UPDATE journal SET id = -5 WHERE id = 5; UPDATE journal SET id = 5 WHERE id = 6;
         UPDATE journal SET id = 6 WHERE id = -5",
    );
    let cases: [(&str, &str); 14] = [
        ("SELECT 1", "whole"),
        (cut, beginning),
        (&cut_and_told, changed),
        (&sealed, changed),
        ("DELETE FROM journal_checkpoints", beginning),
        ("UPDATE journal_checkpoints SET total = 2, count = 2", changed),
        ("UPDATE journal_checkpoints SET at = at - 1", changed),
        ("UPDATE journal_checkpoints SET by = 'ann'", changed),
        ("DELETE FROM journal_chain WHERE part = 'checkpoint'", changed),
        (
            "INSERT INTO journal (id, workspace, class, edits, at) VALUES (2, 1, 'create', '[]', 1700000000)",
            "is from before the checkpoint, and was put in or taken out since",
        ),
        (swapped, changed),
        (
            "UPDATE journal_chain SET n = -5 WHERE n = 5; UPDATE journal_chain SET n = 5 WHERE n = 6;
             UPDATE journal_chain SET n = 6 WHERE n = -5",
            "does not follow the entry before it: one was taken out or put in",
        ),
        ("UPDATE journal_chain SET form = 1 WHERE n = 5", changed),
        ("UPDATE journal SET settings = 'other' WHERE id = 5", changed),
    ];
    for (sql, expected) in cases {
        assert_eq!(after(sql).await, expected, "{sql}");
    }
}

/// The last link is the checkpoint's here, so that a hand may take it away with its row.
#[tokio::test]
async fn a_checkpoint_that_no_link_seals_is_noticed() {
    let (directory, store) = week().await;
    drop(store);
    by_hand(
        &directory,
        "INSERT INTO journal_checkpoints
           SELECT 7, 3, link, 3, 3, 3, 1700259200, 1700345600, 1700950400, '7 days', NULL, NULL FROM journal_chain
            WHERE n = 3;
         DELETE FROM journal WHERE id <= 3; DELETE FROM journal_chain WHERE n <= 3",
    );
    let store = Store::open(&directory.path().join("state.db")).expect("a state");
    let broken = chain(&store).await.broken.expect("a break");
    assert_eq!((broken.link, broken.what), (6, "is where a checkpoint ends that no link seals"));
}

/// An intent of a job that never had an outcome, on day 2, between the pushes of a week.
async fn open_intent(directory: &TempDir, store: &Store) {
    let job = store.job("hr").await.expect("a job").id;
    let cycle = store.start_cycle(job, day(2).as_second()).await.expect("a cycle");
    by_hand(directory, "INSERT INTO links (id, job, kind, source_id) VALUES (1, 1, 'user', 'u1')");
    let intent = Intent {
        link: LinkId(1),
        class: Class::Deactivate,
        cause: CauseId("c".to_owned()),
        people: Vec::new(),
        edits: Vec::new(),
        approved: false,
        evidence: None,
        proofs: None,
    };
    let sent = Sent { now_second: day(2).as_second(), at_ms: 0, patience_ms: 0 };
    store.intend(job, cycle, sent, vec![intent]).await.expect("an entry");
}

#[tokio::test]
async fn what_has_no_outcome_yet_stays_and_is_sealed_anew() {
    let (directory, store) = state();
    push(&store, 1, &["p1".to_owned()]).await;
    open_intent(&directory, &store).await;
    for at in 3..=6 {
        push(&store, at, &[format!("p{at}")]).await;
    }
    assert_eq!(prune(&store, 5, 12).await.entries, 3);
    assert_eq!(entries(&store).await, [2, 5, 6]);
    let links = chain(&store).await;
    assert_eq!((links.broken, links.links), (None, 4));
    assert_eq!(prune(&store, 5, 13).await, Pruned::default());
    drop(store);
    by_hand(&directory, "UPDATE journal SET class = 'create' WHERE id = 2");
    let store = Store::open(&directory.path().join("state.db")).expect("a state");
    let broken = chain(&store).await.broken.expect("a break");
    assert_eq!(broken.entry.0, 2);
    by_hand(&directory, "DELETE FROM journal WHERE id = 2");
    assert_eq!(chain(&store).await.broken.map(|broken| broken.what), Some("is gone from the journal"));
}

#[tokio::test]
async fn an_erasure_stays_provable_when_what_it_erased_is_removed() {
    let (_directory, store) = week().await;
    let author = Author::push("okta", "t1", false, day(7));
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": false}] });
    let patch = rosterd::scim::Patch::read(ResourceType::User, Dialect::Strict, &body).expect("a patch");
    let write = Write::from(WriteAct::Patch { id: ResourceId("id-p1".to_owned()), patch });
    store.write_resources("main", author, vec![write]).await.expect("the store writes");
    let wish = Erasure {
        workspace: "main".to_owned(),
        who: "p1".to_owned(),
        by: "ann".to_owned(),
        reason: "asked for".to_owned(),
        now: day(8),
    };
    store.erase_person(wish).await.expect("the store erases").expect("an erasure");
    assert_eq!(chain(&store).await.broken, None);
    prune(&store, 4, 11).await;
    assert_eq!(chain(&store).await.broken, None, "the erased entry 1 is removed, its erasure is not");
    prune(&store, 9, 16).await;
    let last = chain(&store).await;
    assert_eq!((last.broken, entries(&store).await.len()), (None, 1));
}

#[tokio::test]
async fn cycles_decisions_and_settings_that_nothing_refers_to_go_too() {
    let (directory, store) = state();
    let store = store.under_settings("a = 1\n").expect("settings");
    let job = store.job("hr").await.expect("a job").id;
    for at in 1..=3 {
        let cycle = store.start_cycle(job, day(at).as_second()).await.expect("a cycle");
        store.end_cycle(cycle, day(at).as_second(), "{}".to_owned()).await.expect("its end");
    }
    store.set_mode(job, Mode::Write, "ann", "", day(3).as_second()).await.expect("a decision");
    let store = store.under_settings("a = 2\n").expect("settings");
    push(&store, 10, &["p1".to_owned()]).await;
    let versions = store.settings_versions().await.expect("versions");
    assert_eq!(versions.len(), 2);
    let pruned = prune(&store, 5, 12).await;
    // The last cycle of a job tells its schedule; it goes on referring to the first settings.
    assert_eq!((pruned.entries, pruned.cycles, pruned.decisions, pruned.settings), (1, 2, 1, 0));
    let cycle = store.start_cycle(job, day(11).as_second()).await.expect("a cycle");
    store.end_cycle(cycle, day(11).as_second(), "{}".to_owned()).await.expect("its end");
    assert_eq!(prune(&store, 6, 13).await.settings, 1);
    assert_eq!(chain(&store).await.broken, None);
    drop(directory);
}

/// P17: the cycles believed in day 5 at most.
#[tokio::test]
async fn a_clock_that_is_years_ahead_removes_nothing() {
    let (directory, store) = week().await;
    store.job("hr").await.expect("a job");
    by_hand(&directory, &format!("UPDATE jobs SET clock = {}", day(5).as_second()));
    let years_ahead = day(5 * 365);
    let pruned = daemon::prune(&store, Keep::Days(7), years_ahead, None, None).await.expect("a look");
    assert_eq!(pruned, Pruned::default());
    by_hand(&directory, &format!("UPDATE jobs SET clock = {}", day(11).as_second()));
    let pruned = daemon::prune(&store, Keep::Days(7), years_ahead, None, None).await.expect("a look");
    assert_eq!(pruned.entries, 3, "day 11 less a week is day 4");
    assert_eq!(
        daemon::prune(&store, Keep::Forever, years_ahead, None, None).await.expect("a look").entries,
        0
    );
}

/// Six old entries in the state of a host.
async fn old_state(path: &Path) {
    let store = Store::open(path).expect("a state");
    for at in 1..=6 {
        push(&store, at, &[format!("p{at}")]).await;
    }
}

#[tokio::test]
async fn the_command_says_what_goes_and_removes_it_when_told() {
    let host = Host::new();
    old_state(&host.path("rosterd.db")).await;
    assert_eq!(host.run(&["sync"]).code, 4);
    host.run(&["enable", "hr", "--reason", "looked"]);
    let dry = host.run(&["log", "--prune", "--dry-run"]);
    assert!(
        dry.out.contains("would be removed: 6 entries up to 2023-11-20T22:13:20Z, 0 cycles"),
        "{}",
        dry.out
    );
    assert!(host.run(&["log", "--verify-chain"]).out.starts_with("chain of 7 links is whole"));
    let pruned = host.run(&["log", "--prune", "--reason", "a test"]);
    assert!(
        pruned.out.starts_with("removed: 6 entries up to 2023-11-20T22:13:20Z; "),
        "{}{}",
        pruned.out,
        pruned.err
    );
    let told = host.run(&["log", "--verify-chain"]);
    assert_eq!(told.code, 0);
    for part in [
        "6 entries up to 2023-11-20T22:13:20Z were removed by retention on ",
        "log.keep = \"24 months\"",
        ": a test)",
    ] {
        assert!(told.out.contains(part), "{}", told.out);
    }
    host.settings("[log]\nkeep = \"2 years\"\n");
    let refused = host.run(&["config", "check"]);
    assert!(refused.out.contains("`2 years` is not how long a log can be kept"), "{}", refused.out);
    assert!(refused.out.contains("log.keep"), "{}", refused.out);
}
