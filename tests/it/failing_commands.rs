//! `failed`, `retry`, `restart` and `status` with the real binary: what they print, and their exit codes.

use serde_json::Value;

use crate::support::host::Host;
use crate::support::host::Ran;
use crate::support::host::ran;
use crate::support::scim_service::Mood;
use crate::support::scim_service::ScimService;

/// A host with so many people, whose job writes into this service.
fn towards(service: &ScimService, people: &[&str]) -> Host {
    let host = Host::new();
    let settings = std::fs::read_to_string(host.path("rosterd.toml")).unwrap();
    let remote = format!("[targets.local.scim]\nurl = \"{}\"\ntoken = \"env:TEST_SCIM\"\n", service.root);
    let settings = settings.replace("[targets.local.workspace]\nname = \"main\"\n", &remote);
    let settings = settings.replace("scope.teams.groups = \"name:Sales\"\n", "");
    std::fs::write(host.path("rosterd.toml"), settings).unwrap();
    host.people(people);
    assert_eq!(run(&host, &["enable", "hr"]).code, 0);
    host
}

fn run(host: &Host, arguments: &[&str]) -> Ran {
    let mut command = host.command(arguments);
    command.env("TEST_SCIM", "a token");
    ran(command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_shown_by_its_code_and_tried_again_on_demand() {
    let service = ScimService::start().await;
    let host = towards(&service, &["ann", "bob"]);
    assert_eq!(run(&host, &["failed"]).out, "hr: nothing failed\n");
    service.mood(Mood::WritesRefused);
    assert_eq!(run(&host, &["sync"]).code, 5);

    let failed = run(&host, &["failed", "hr"]);
    assert_eq!(failed.code, 5);
    let lines: Vec<&str> = failed.out.lines().collect();
    assert_eq!(lines[..3], ["hr: 2 changes failed", "", "UnprocessableEntity: 2 changes"]);
    assert_eq!(lines[3], "  cure: mend the value that the reason names, in the source or in the mapping");
    assert_eq!(lines[4], "  create         ann@acme.example (u-ann)");
    assert_eq!(lines[5], "    refused with 400: not today");
    assert!(lines[6].starts_with("    once since ") && lines[6].contains("; next "), "{}", lines[6]);
    assert!(failed.out.ends_with("try them in the next cycle: rosterd retry hr WHO|CAUSE|CODE|all\n"));

    let json: Value = serde_json::from_str(&run(&host, &["failed", "--format", "json"]).out).unwrap();
    let one = &json["jobs"][0]["failed"][1];
    assert_eq!((&json["format"], &one["code"]), (&Value::from(1), &Value::from("UnprocessableEntity")));
    assert_eq!((&one["source"], &one["attempts"]), (&Value::from("u-bob"), &Value::from(1)));
    assert_eq!((&one["given_up"], &one["member"]), (&Value::from(false), &Value::Null));
    let status = run(&host, &["status", "hr"]);
    assert!(status.out.contains("  failed    2: rosterd failed hr\n"), "{}", status.out);
    assert_eq!(status.code, 0);

    service.mood(Mood::Fine);
    assert_eq!(run(&host, &["sync"]).code, 0, "nothing is due");
    assert_eq!(service.people(), [""; 0]);
    let nobody = run(&host, &["retry", "hr", "zoe", "--reason", "x"]);
    assert_eq!(nobody.code, 1);
    assert!(
        nobody.err.contains("nothing that failed is called `zoe`\n  cure: see `rosterd failed hr`"),
        "{}",
        nobody.err
    );
    let retried = run(&host, &["retry", "hr", "u-bob", "--reason", "mended"]);
    assert_eq!(retried.out, "hr: 1 change is tried again in the next cycle; now: rosterd sync hr\n");
    assert_eq!(run(&host, &["sync"]).code, 0);
    assert_eq!(service.people(), ["bob@acme.example"]);
    let restarted = run(&host, &["restart", "hr"]);
    assert_eq!(
        restarted.out,
        "hr: begins anew with the next cycle\n  escrow     1 failed changes are tried again\n  watermark  everything is \
         read anew\n  quarantine there was none\nlook first: rosterd plan hr; now: rosterd sync hr\n"
    );
    assert_eq!(run(&host, &["sync"]).code, 0);
    assert_eq!(service.people(), ["ann@acme.example", "bob@acme.example"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarantine_is_told_by_sync_and_status_and_their_exit_codes() {
    let service = ScimService::start().await;
    let host = towards(&service, &["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b1"]);
    service.mood(Mood::WritesRefused);
    let synced = run(&host, &["sync"]);
    assert_eq!(synced.code, 1);
    let told = "hr: in quarantine (EncounteredEscrowProportionThreshold): 10 of 10 changes failed, in the first load";
    assert!(synced.out.contains(told), "{}", synced.out);
    let status = run(&host, &["status"]);
    assert_eq!(status.code, 1);
    assert!(status.out.contains("  QUARANTINE since "), "{}", status.out);
    let json: Value = serde_json::from_str(&run(&host, &["status", "--format", "json"]).out).unwrap();
    let quarantine = &json["jobs"][0]["quarantine"];
    assert_eq!(quarantine["reason"], "EncounteredEscrowProportionThreshold");
    assert_eq!(
        (&quarantine["seriesCount"], &quarantine["error"]["tenantActionable"]),
        (&1.into(), &true.into())
    );
    assert!(json["jobs"][0]["next_whole"].is_string());

    // Somebody new makes the target be asked.
    host.people(&["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b1", "b2"]);
    service.mood(Mood::TokenRefused);
    let refused = run(&host, &["sync"]);
    assert_eq!(refused.code, 1);
    let warned = "hr: in quarantine (EncounteredQuarantineException)";
    assert!(refused.out.contains(warned), "{}{}", refused.out, refused.err);
    service.mood(Mood::Fine);
    assert_eq!(run(&host, &["restart", "hr", "--quarantine", "--reason", "a new token"]).code, 0);
    assert_eq!(run(&host, &["status"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_are_forgotten_with_a_reason_alone_and_found_again() {
    let service = ScimService::start().await;
    let host = towards(&service, &["ann", "bob"]);
    assert_eq!(run(&host, &["sync"]).code, 0);
    let refused = run(&host, &["restart", "hr", "--links"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("--links forgets 2 links. Whoever is wanted is matched anew"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("  cure: back up the state, then give --reason"), "{}", refused.err);
    let restarted = run(&host, &["restart", "hr", "--links", "--reason", "the state was restored"]);
    assert!(restarted.out.contains("  links      2 forgotten: they are matched anew"), "{}", restarted.out);
    assert_eq!(run(&host, &["sync"]).code, 0);
    assert_eq!(service.people(), ["ann@acme.example", "bob@acme.example"], "nobody is doubled");
}
