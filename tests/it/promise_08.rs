//! P8: the same inputs give the same plan, byte for byte; a plan can be saved, shown, approved and applied later. What
//! has moved is named change by change; `--strict` refuses the whole.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use serde_json::json;

use crate::support::host::Host;
use crate::support::host::Ran;
use crate::support::host::binary;
use crate::support::host::ran;

/// Ann and bob with their team are written; from here on the job writes.
fn host() -> Host {
    let host = Host::new();
    host.settings("[jobs.hr.limits]\nfloor = 10\n");
    host.run(&["enable", "hr"]);
    let first = host.run(&["sync"]);
    assert_eq!(first.code, 0, "{}{}", first.out, first.err);
    host
}

fn save(host: &Host, name: &str) -> String {
    let file = host.path(name).to_str().unwrap().to_owned();
    let plan = host.run(&["plan", "hr", "--out", &file]);
    assert!([0, 3, 4].contains(&plan.code), "{}{}", plan.out, plan.err);
    file
}

fn lines(file: &str) -> Vec<Value> {
    fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn users(host: &Host) -> String {
    host.run(&["workspace", "users"]).out
}

fn applied(host: &Host, file: &str, more: &[&str]) -> Ran {
    let mut arguments = vec!["apply", file];
    arguments.extend(more);
    host.run(&arguments)
}

#[test]
fn a_saved_plan_is_the_same_file_each_time_names_its_causes_and_is_for_its_owner_alone() {
    let host = Host::new();
    let (one, two) = (save(&host, "one.plan"), save(&host, "two.plan"));
    assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());
    assert_eq!(fs::metadata(&one).unwrap().permissions().mode() & 0o777, 0o600);
    let lines = lines(&one);
    assert_eq!((&lines[0]["rosterd_plan"], &lines[0]["job"]), (&json!(1), &json!("hr")));
    assert_eq!(lines.last().unwrap()["changes"], 5);
    let changes: Vec<&Value> = lines.iter().filter(|line| line["change"].is_object()).collect();
    assert_eq!(changes.len(), 5);
    for line in &changes {
        let cause = lines.iter().find(|other| other["id"] == line["change"]["cause"]);
        assert!(cause.is_some_and(|line| line["cause"]["kind"].is_string()), "{line}");
    }
    assert_eq!(changes[0]["change"]["act"]["attributes"]["userName"], "ann@acme.example");
}

#[test]
fn what_a_plan_shows_is_written_and_nothing_else() {
    let host = host();
    host.people(&["ann", "bob", "cy"]);
    let file = save(&host, "hr.plan");
    host.people(&["ann", "bob", "cy", "dee"]);

    let ran = applied(&host, &file, &["--reason", "change 17"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("hr: 2 changes came since the plan was made, and wait\n"), "{}", ran.out);
    assert!(ran.out.contains("2 written (1 create, 1 add_members), 2 held"), "{}", ran.out);
    assert!(users(&host).contains("cy@acme.example") && !users(&host).contains("dee@acme.example"));

    let again = applied(&host, &file, &[]);
    assert_eq!(again.code, 4, "{}{}", again.out, again.err);
    let done = "  not applied: create user cy@acme.example: nothing is pending of it any more\n";
    assert!(again.out.contains(done), "{}", again.out);

    assert_eq!(host.run(&["sync"]).code, 0, "the next cycle holds nothing for a plan");
    assert!(users(&host).contains("dee@acme.example"));
    assert_eq!(host.run(&["plan"]).code, 0);
}

#[test]
fn a_change_that_became_another_one_is_named_and_not_made() {
    let host = host();
    host.people(&["ann"]);
    let file = save(&host, "hr.plan");
    host.people(&["ann", "bob"]);
    host.named("bob", "Bobby");

    let ran = applied(&host, &file, &[]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(
        ran.out
            .contains("  not applied: deactivate user bob@acme.example: it is another change now (update)\n"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("0 written"), "{}", ran.out);
    assert!(!users(&host).contains("inactive"));
}

#[test]
fn a_change_whose_account_was_written_meanwhile_is_not_made() {
    let host = host();
    host.people(&["ann"]);
    let file = save(&host, "hr.plan");
    // Bob comes back with another name, which is written, and leaves again: the plan knew another account.
    host.people(&["ann", "bob"]);
    host.named("bob", "Bobby");
    assert_eq!(host.run(&["sync"]).code, 0);
    host.people(&["ann"]);

    let ran = applied(&host, &file, &[]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains(
            "  not applied: deactivate user bob@acme.example: what it would change is not as it was when the plan was made\n"
        ),
        "{}",
        ran.out
    );
    assert!(!users(&host).contains("inactive"));
}

#[test]
fn strict_is_all_or_nothing() {
    let host = host();
    host.people(&["ann", "bob", "cy"]);
    let file = save(&host, "hr.plan");
    host.people(&["ann", "bob"]);

    let ran = applied(&host, &file, &["--strict"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains(
            "hr: nothing was written: 2 changes of the plan moved, and --strict asks for all of it\n"
        ),
        "{}",
        ran.out
    );
    host.people(&["ann", "bob", "cy"]);
    let ran = applied(&host, &file, &["--strict"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(users(&host).contains("cy@acme.example"));
}

#[test]
fn what_a_limit_holds_is_not_let_through_by_a_file() {
    let host = Host::new();
    host.settings("[jobs.hr.limits]\nfloor = 0\ndeactivate = { count = 0 }\n");
    host.run(&["enable", "hr"]);
    assert_eq!(host.run(&["sync"]).code, 0);
    host.people(&["ann"]);
    let file = save(&host, "hr.plan");
    let ran = applied(&host, &file, &[]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("not applied: deactivate user bob@acme.example: 1 deactivate, allowed are 0"),
        "{}",
        ran.out
    );
    assert!(!users(&host).contains("inactive"));
}

#[test]
fn where_every_plan_waits_for_a_person_applying_it_is_the_decision() {
    let host = Host::new();
    host.run(&["enable", "hr", "--mode", "approve"]);
    assert_eq!(host.run(&["sync"]).code, 4);
    let file = save(&host, "hr.plan");
    host.people(&["ann", "bob", "cy"]);
    let ran = applied(&host, &file, &["--reason", "looked at it"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("5 written (3 create, 2 add_members)"), "{}", ran.out);
    assert!(!users(&host).contains("cy@acme.example"), "nobody decided on cy");
}

#[test]
fn a_job_that_only_observes_does_not_apply_and_says_how_it_may() {
    let host = Host::new();
    let file = save(&host, "hr.plan");
    let ran = applied(&host, &file, &[]);
    assert_eq!(ran.code, 1);
    let expected = "error: job hr: it only observes\n  cure: let it write first: rosterd enable hr --plan ";
    assert!(ran.err.starts_with(expected), "{}", ran.err);
}

#[test]
fn a_plan_that_was_cut_off_edited_or_made_for_another_target_is_refused_whole() {
    let host = host();
    host.people(&["ann"]);
    let file = save(&host, "hr.plan");
    let whole = fs::read_to_string(&file).unwrap();
    let refused = |text: String, expected: &str| {
        fs::write(&file, text).unwrap();
        let ran = applied(&host, &file, &[]);
        assert_eq!(ran.code, 1, "{}", ran.out);
        assert!(ran.err.contains(expected), "{}", ran.err);
        assert!(!users(&host).contains("inactive"));
    };
    let (cut, _) = whole.trim_end().rsplit_once('\n').unwrap();
    refused(format!("{cut}\n"), "without the line that closes a plan");
    refused(whole.replace("deactivate", "delete"), "somebody changed the plan\n  cure: make it anew");
    let dropped: Vec<&str> = whole.lines().filter(|line| !line.contains("deactivate")).collect();
    refused(dropped.join("\n"), "somebody changed the plan");
    refused(
        whole.replace("\"rosterd_plan\":1", "\"rosterd_plan\":2"),
        "has form 2, and this version reads form 1",
    );
    refused("hello\n".to_owned(), "line 1 is not a line of a saved plan");
    refused(String::new(), "it ends at line 0");
    refused(format!("{whole}{{}}\n"), "is not a line of a saved plan");

    fs::write(&file, &whole).unwrap();
    let other = host.path("other.toml");
    let settings = fs::read_to_string(host.path("rosterd.toml")).unwrap();
    fs::write(&other, settings.replace("name = \"main\"", "name = \"other\"")).unwrap();
    let mut command = binary();
    command.arg("-c").arg(&other).args(["apply", &file]);
    let ran = ran(command);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("the plan was made for the target"), "{}", ran.err);
    fs::write(&file, &whole).unwrap();
    assert_eq!(applied(&host, &file, &[]).code, 0);
    assert!(users(&host).contains("inactive"));
}
