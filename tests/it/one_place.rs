//! What keeps P1, P2, P6, P13, P16 and P17 is each in one place, and no connector does any of it by itself.

use super::architecture::sources;

/// What keeps a promise in one place: who may say so, by the beginnings of paths, and why nobody else does. A connector tells
/// what it read and answers what it is asked; it decides nothing.
const ONE_PLACE: [(&str, &[&str], &str); 9] = [
    (
        "standing = 'missing'",
        &["src/store/promote.rs", "src/store/alone.rs"],
        "P1: only a promotion, of everything or of one person, marks who is missing",
    ),
    (
        "gone = 2, absent_reads",
        &["src/store/promote.rs", "src/store/alone.rs"],
        "P1: only a promotion, of everything or of one person, marks an edge as missing",
    ),
    (
        "Standing::Missing",
        &["src/model/", "src/plan/", "src/store/", "src/cycle/steps.rs"],
        "P1: no connector says that somebody is missing",
    ),
    (".witness(", &["src/cycle/witness.rs"], "P2: one court asks, for every source"),
    ("limits.witness_budget", &["src/cycle/witness.rs"], "P2: one budget"),
    (
        "plan::judge(",
        &["src/cycle/judge.rs", "src/cycle/references.rs"],
        "P6, P13: one guard, for every change",
    ),
    ("Operation::Delete {", &["src/cycle/write.rs", "src/targets/"], "P16: one writer deletes"),
    ("plan::look_at_clock(", &["src/store/leavers.rs"], "P17: one look at the clock"),
    (
        ".lease(",
        &["src/cycle/", "src/cli/commands/"],
        "P6: cycles and commands take leases, and nobody below them",
    ),
];

#[test]
fn what_keeps_a_promise_is_in_one_place() {
    let (sources, mut found) = (sources(), Vec::new());
    for (path, text) in &sources {
        found.extend(strays(path, text));
    }
    assert_eq!(found, [""; 0]);
    for (what, places, why) in ONE_PLACE {
        let there =
            |place: &&str| sources.iter().any(|(path, text)| path.starts_with(place) && text.contains(what));
        assert!(places.iter().any(there), "nobody says `{what}` any more ({why})");
        assert_eq!(
            strays("src/sources/okta/members.rs", what),
            [format!("src/sources/okta/members.rs: 1: {why}: `{what}`")]
        );
    }
}

/// Lines of a file that do what only another one may.
fn strays(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (what, places, why) in ONE_PLACE {
        if places.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        let lines = text.lines().enumerate().filter(|(_, line)| line.contains(what));
        found.extend(lines.map(|(index, _)| format!("{path}: {}: {why}: `{what}`", index + 1)));
    }
    found
}
