//! P4 under attack: what was seen and how far it goes move together, or not at all.
#![cfg(debug_assertions)]

use std::os::unix::process::ExitStatusExt;

use crate::support::host::Host;

/// Everything that was seen, and the watermarks.
fn seen(host: &Host) -> Vec<String> {
    let state = rusqlite::Connection::open(host.path("rosterd.db")).unwrap();
    let mut seen = Vec::new();
    for sql in [
        "SELECT name || ' ' || value FROM watermarks ORDER BY name",
        "SELECT kind || source_id || standing || coalesce(seen, '-') FROM links ORDER BY kind, source_id",
        // Those that are gone are forgotten once what follows is done.
        "SELECT c.source_id || ' ' || p.source_id FROM seen_edges e JOIN links c ON c.id = e.container
           JOIN links p ON p.id = e.principal WHERE e.gone = 0 ORDER BY 1",
    ] {
        let mut rows = state.prepare(sql).unwrap();
        let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
        seen.extend(rows.map(|row| row.unwrap()));
    }
    seen
}

#[test]
fn a_kill_before_around_or_in_the_promotion_leaves_the_old_or_the_new_and_nothing_between() {
    let host = Host::new();
    assert_eq!(host.run(&["enable", "hr"]).code, 0);
    assert_eq!(host.run(&["sync"]).code, 0);
    let old = seen(&host);
    host.people(&["ann", "cy", "di"]);
    for (place, moved) in
        [("page", false), ("before_promotion", false), ("promoting", false), ("after_promotion", true)]
    {
        let mut command = host.command(&["sync"]);
        command.env("ROSTERD_CRASH_AT", format!("{place}:1"));
        let output = command.output().unwrap();
        assert!(output.status.signal().is_some(), "{place} was never passed: {output:?}");
        let now = seen(&host);
        assert_eq!(now != old, moved, "{place}");
    }
    let new = seen(&host);
    assert!([0, 4].contains(&host.run(&["sync"]).code));
    assert_eq!(seen(&host), new, "the same directory again is no news");
    assert!(new.iter().any(|line| line.contains("u-di")) && !old.iter().any(|line| line.contains("u-di")));
}
