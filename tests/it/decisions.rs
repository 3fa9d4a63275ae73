//! Decisions by real commands: what `held` and `status` say, and what `approve` and `reject` make of it.

use std::fs;

use serde_json::Value;

use crate::support::host::Host;

const ALL: [&str; 12] = ["ann", "bob", "cid", "dee", "eve", "fay", "gus", "hal", "ida", "jim", "kim", "lea"];

/// Twelve people, of whom nine vanish from the directory: over the limit of five.
fn nine_are_held() -> Host {
    let host = Host::new();
    host.people(&ALL);
    host.run(&["enable", "hr"]);
    assert_eq!(host.run(&["sync"]).code, 0);
    host.people(&ALL[9..]);
    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 4, "{}{}", synced.out, synced.err);
    host
}

fn cause(host: &Host) -> String {
    let plan: Value = serde_json::from_str(&host.run(&["held", "hr", "--format", "json"]).out).unwrap();
    let causes = plan["header"]["causes"].as_array().unwrap();
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert!(causes[0]["held_since"].is_string(), "{causes:?}");
    causes[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_held_is_folded_by_cause_with_its_age_its_evidence_and_the_command() {
    let host = nine_are_held();
    let cause = cause(&host);
    let held = host.run(&["held", "hr"]).out;
    for told in [
        "missing from a complete read of the source",
        "9 deactivate, allowed are 5 (jobs.hr.limits.deactivate)",
        "9 people, 9 memberships; held since ",
        "known from absence: a witness is asked before it is done, unless you approve it",
        &format!("rosterd approve hr {cause}"),
    ] {
        assert!(held.contains(told), "{told}: {held}");
    }
    let status = host.run(&["status"]).out;
    assert!(status.contains("18 for 0 minutes: missing from a complete read of the source"), "{status}");
    let status: Value = serde_json::from_str(&host.run(&["status", "--format", "json"]).out).unwrap();
    assert_eq!(status["jobs"][0]["held"][0]["cause"], cause.as_str());
    assert_eq!(status["jobs"][0]["held"][0]["kind"], "limit");
}

#[test]
fn a_file_of_names_decides_about_those_in_it_and_tells_who_is_not_known() {
    let host = nine_are_held();
    fs::write(host.path("gone.csv"), "id,name\nu-ann,Ann\nBOB@acme.example,Bob\nu-zoe,Zoe\n").unwrap();
    let list = format!("@{}", host.path("gone.csv").display());
    let approved = host.run(&["approve", "hr", &list, "--reason", "they left"]);
    assert_eq!(approved.code, 0, "{}", approved.err);
    assert!(
        approved.out.contains("nothing that waits is called `u-zoe`\nhr: 4 changes approved"),
        "{}",
        approved.out
    );
    host.run(&["sync"]);
    let users = host.run(&["workspace", "users"]).out;
    let inactive = users.lines().filter(|line| line.contains("inactive")).count();
    assert_eq!(inactive, 2, "two were approved, and seven are still over the limit: {users}");
}

#[test]
fn a_rejection_is_told_everywhere_and_an_approval_ends_it() {
    let host = nine_are_held();
    let cause = cause(&host);
    let rejected = host.run(&["reject", "hr", &cause, "--until", "14d", "--reason", "the export was broken"]);
    assert_eq!(rejected.code, 0, "{}", rejected.err);
    assert!(rejected.out.starts_with("hr: 18 changes rejected until "), "{}", rejected.out);
    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 0, "{}", synced.out);
    assert_eq!(host.run(&["plan"]).code, 0, "nothing is planned");
    let held = host.run(&["held"]).out;
    assert!(held.contains("not planned, because somebody rejected it\n  9 "), "{held}");
    assert!(held.contains("the export was broken"), "{held}");
    let status = host.run(&["status"]).out;
    assert!(status.contains("rejected  18 not planned, the first until "), "{status}");
    let explained = host.run(&["explain", "hr", "ann@acme.example"]).out;
    assert!(
        explained.contains("not planned, because somebody rejected it\n  1 deactivate until "),
        "{explained}"
    );
    let approved = host.run(&["approve", "hr", "u-ann"]);
    assert!(approved.out.starts_with("hr: 2 changes approved"), "{}{}", approved.out, approved.err);
    assert_eq!(host.run(&["sync"]).code, 0);
    let users = host.run(&["workspace", "users"]).out;
    assert_eq!(users.lines().filter(|line| line.contains("inactive")).count(), 1, "{users}");
}

#[test]
fn a_decision_that_cannot_be_made_says_why() {
    let host = nine_are_held();
    for (arguments, told) in [
        (&["reject", "hr", "zoe"][..], "nothing that waits for a decision is called `zoe`"),
        (&["reject", "hr", "all", "--until", "2020-01-01"], "2020-01-01 has passed"),
        (&["approve", "hr", "@nowhere.csv"], "nowhere.csv cannot be read"),
        (&["approve", "hr", "identity"], "no cycle has found another source or target"),
    ] {
        let ran = host.run(arguments);
        assert_eq!(ran.code, 1, "{arguments:?} {}", ran.out);
        assert!(ran.err.contains(told), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn another_target_is_held_told_and_taken_by_one_command() {
    let host = nine_are_held();
    host.people(&ALL);
    host.run(&["sync"]);
    let settings = fs::read_to_string(host.path("rosterd.toml")).unwrap();
    fs::write(host.path("rosterd.toml"), settings.replace("name = \"main\"", "name = \"other\"")).unwrap();
    host.people(&[&ALL[..], &["new"]].concat());
    let synced = host.run(&["sync"]);
    assert_eq!(synced.code, 4, "{}{}", synced.out, synced.err);
    let held = host.run(&["held"]).out;
    assert!(held.contains("the target was workspace main and is workspace other"), "{held}");
    assert!(held.contains("rosterd approve hr identity"), "{held}");
    let approved = host.run(&["approve", "hr", "identity", "--reason", "moved"]);
    assert!(
        approved.out.starts_with("hr: its target was workspace main and is workspace other from now on\n"),
        "{}{}",
        approved.out,
        approved.err
    );
    assert_eq!(host.run(&["sync"]).code, 0);
    assert_eq!(host.run(&["workspace", "users", "--workspace", "other"]).out.lines().count(), 13);
}
