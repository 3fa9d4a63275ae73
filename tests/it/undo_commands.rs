//! `undo` by the real command: what it shows, what it writes, and what is told afterwards.

use serde_json::Value;

use crate::support::host::Host;

/// Two people, of whom one gets another first name in the second cycle; and its number.
fn ann_is_renamed() -> (Host, String) {
    let host = Host::new();
    host.run(&["enable", "hr"]);
    assert_eq!(host.run(&["sync"]).code, 0);
    host.named("ann", "Anna");
    assert_eq!(host.run(&["sync"]).code, 0);
    let log = host.run(&["log"]).out;
    let (_, last) = log.rsplit_once("hr #").expect("an entry of a cycle");
    let cycle = last.split_whitespace().next().expect("its number").to_owned();
    (host, cycle)
}

#[test]
fn an_undo_shows_its_plan_does_it_and_says_how_long_it_lasts() {
    let (host, cycle) = ann_is_renamed();
    let shown = host.run(&["undo", "hr", &cycle, "--dry-run"]);
    assert_eq!(shown.code, 3, "{}{}", shown.out, shown.err);
    assert!(shown.out.contains("name.givenName"), "{}", shown.out);
    assert!(shown.out.contains(&format!("somebody undid cycle {cycle}: 1 change")), "{}", shown.out);
    let status = host.run(&["status"]).out;
    assert!(!status.contains("undone"), "a dry run leaves nothing: {status}");

    let done =
        host.run(&["undo", "hr", &cycle, "ann@acme.example", "--reason", "wrong list", "--until", "14d"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    for told in [
        "Anna -> ann",
        "1 written (1 update)",
        "hr: what was put back stays so until ",
        "rosterd approve hr ",
    ] {
        assert!(done.out.contains(told), "{told}: {}", done.out);
    }
    assert_eq!(host.run(&["plan"]).code, 0, "nothing is planned");
    assert_eq!(host.run(&["sync"]).code, 0);
    assert_eq!(host.run(&["plan"]).code, 0);
    let held = host.run(&["held"]).out;
    let kept =
        format!("kept as it was, because somebody undid a cycle\n  1 object as before cycle {cycle} until ");
    assert!(held.contains(&kept) && held.contains("wrong list"), "{held}");
    let status = host.run(&["status"]).out;
    assert!(status.contains("undone    1 object kept as before, the first until "), "{status}");
    let explained = host.run(&["explain", "hr", "u-ann"]).out;
    assert!(explained.contains("kept as it was, because somebody undid a cycle\n"), "{explained}");
    let log = host.run(&["log"]).out;
    assert!(log.contains(&format!("undo cycle {cycle}: 1 objects")), "{log}");
    assert_eq!(host.run(&["log", "--verify-chain"]).code, 0);

    // `approve` ends it: what the source says comes back as held.
    let ended = host.run(&["approve", "hr", "u-ann"]);
    assert_eq!(
        ended.out,
        "hr: the undo of 1 object has ended; the next cycle holds what the rules want instead\n"
    );
    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 4, "{}", synced.out);
    let held = host.run(&["held"]).out;
    assert!(held.contains(&format!("the undo of cycle {cycle} has ended")), "{held}");
}

#[test]
fn an_undo_of_nothing_says_what_to_do() {
    let (host, cycle) = ann_is_renamed();
    for (arguments, told) in [
        (
            vec!["undo", "hr", "99"],
            "it has no cycle 99\n  cure: `rosterd log --job hr` tells of each change its cycle",
        ),
        (vec!["undo", "hr", &cycle, "zoe"], "wrote nothing of that name"),
    ] {
        let ran = host.run(&arguments);
        assert_eq!(ran.code, 1, "{}", ran.out);
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
    let json = host.run(&["undo", "hr", &cycle, "--dry-run", "--format", "json"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["changes"].as_array().unwrap().len(), 1);
    assert_eq!(json["header"]["causes"][0]["kind"], "undo");
}

#[test]
fn a_plan_says_what_cannot_be_undone_before_it_is_done() {
    let host = Host::new();
    host.settings("[jobs.hr.leavers]\npurged = \"delete\"\nsoft_deleted = \"delete\"\n[jobs.hr.actions]\ndelete = true\n");
    host.run(&["enable", "hr"]);
    assert_eq!(host.run(&["sync"]).code, 0);
    host.people(&["bob"]);
    for format in ["text", "markdown", "json"] {
        let plan = host.run(&["plan", "hr", "--format", format]).out;
        assert!(plan.contains("cannot be undone: 1 delete: a new account would have another id"), "{plan}");
    }
}
