//! The commands around grants, follow-ups and tokens, as people use them.

use serde_json::Value;

use crate::support::host::Host;
use crate::support::host::Ran;

const ANN: &str = "ann@acme.example";

/// A host whose people are in the workspace.
fn host() -> Host {
    let host = Host::new();
    done(&host, &["enable", "hr"]);
    done(&host, &["sync"]);
    host
}

/// What a command prints that succeeds.
fn done(host: &Host, command: &[&str]) -> String {
    let ran = host.run(command);
    assert_eq!(ran.code, 0, "{command:?}: {}{}", ran.out, ran.err);
    ran.out
}

/// What a command says that fails.
fn refused(host: &Host, command: &[&str]) -> String {
    let Ran { code, out, err } = host.run(command);
    assert_eq!(code, 1, "{command:?}: {out}{err}");
    err
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn grants_are_given_listed_and_taken_by_hand() {
    let host = host();
    let add =
        ["workspace", "grants", "add", "ANN@acme.example", "db-admin", "--privileged", "--reason", "on call"];
    let added = done(&host, &add);
    assert!(added.starts_with("ann@acme.example has access to db-admin now, by grant "), "{added}");
    done(&host, &["workspace", "grants", "add", ANN, "mail", "--name", "the mailbox"]);
    done(&host, &["workspace", "grants", "add", "bob@acme.example", "mail"]);
    let again = refused(&host, &["workspace", "grants", "add", ANN, "DB-ADMIN"]);
    assert!(again.contains("the user has a grant for this account already"), "{again}");
    let nobody = refused(&host, &["workspace", "grants", "add", "zoe", "db-admin"]);
    assert!(nobody.contains("workspace main has nobody called `zoe`\n  cure: give an id"), "{nobody}");

    let list = done(&host, &["workspace", "grants", "--who", ANN]);
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(
        list.contains("db-admin") && list.contains("privileged") && list.contains("the mailbox"),
        "{list}"
    );
    let all = lines(&done(&host, &["workspace", "grants", "--format", "json"]));
    assert_eq!(all.len(), 3);
    let id = all[1]["id"].as_str().expect("an id");
    assert_eq!(
        done(&host, &["workspace", "grants", "remove", id, "--reason", "moved"]),
        format!("grant {id} is taken\n")
    );
    let gone = refused(&host, &["workspace", "grants", "remove", id]);
    assert!(gone.contains("there is no such grant\n") || gone.contains("there is no such grant;"), "{gone}");
    assert_eq!(done(&host, &["workspace", "grants"]).lines().count(), 2);
}

#[test]
fn what_a_pull_takes_is_shown_and_given_back() {
    let host = host();
    done(&host, &["workspace", "grants", "add", ANN, "db-admin", "--privileged"]);
    done(&host, &["workspace", "grants", "add", ANN, "mail"]);
    host.people(&["bob"]);
    done(&host, &["sync"]);
    assert_eq!(done(&host, &["workspace", "grants"]), "");
    let taken = done(&host, &["workspace", "grants", "taken", ANN]);
    assert!(taken.contains("deactivated by job hr\n") && taken.contains("db-admin  privileged\n"), "{taken}");
    let taken = lines(&done(&host, &["workspace", "grants", "taken", ANN, "--format", "json"]));
    assert_eq!(taken[0]["grants"].as_array().map(Vec::len), Some(2));
    let follow_ups = done(&host, &["workspace", "follow-ups", "--only", "waiting"]);
    assert!(
        follow_ups.contains(
            "waiting       rotate the password of db-admin, which ann@acme.example had; deactivated at"
        ),
        "{follow_ups}"
    );
    let status = done(&host, &["status"]);
    assert!(
        status.contains(
            "workspace main\n  follow-ups  1 waiting (nothing sends them), 0 sent and not acknowledged;"
        ),
        "{status}"
    );

    let early = refused(&host, &["workspace", "grants", "restore", ANN]);
    assert!(early.contains("the account is inactive, and who is inactive has no grants"), "{early}");
    host.people(&["ann", "bob"]);
    done(&host, &["sync"]);
    let restored = done(&host, &["workspace", "grants", "restore", ANN, "--reason", "a mistake"]);
    assert!(restored.starts_with("ann@acme.example has access again to db-admin, mail\n"), "{restored}");
    assert!(restored.contains("cancelled before it went out: follow-up rotate_"), "{restored}");
    assert_eq!(done(&host, &["workspace", "grants"]).lines().count(), 2);
    let cancelled = done(&host, &["workspace", "follow-ups", "--only", "cancelled"]);
    assert!(cancelled.contains(": the grants were given back\n"), "{cancelled}");
    assert!(!done(&host, &["status"]).contains("workspace main"), "nothing is left to do");
}

#[test]
fn a_follow_up_is_acknowledged_by_hand_with_the_reason() {
    let host = host();
    done(&host, &["workspace", "grants", "add", ANN, "db-admin", "--privileged"]);
    host.people(&["bob"]);
    done(&host, &["sync"]);
    let id = lines(&done(&host, &["workspace", "follow-ups", "--format", "json"]))[0]["id"].clone();
    let id = id.as_str().expect("an id");
    let resent = done(&host, &["workspace", "follow-ups", "resend", id]);
    assert!(
        resent.contains("nothing sends it: the settings have no workspaces.main.follow_ups.url"),
        "{resent}"
    );
    assert_eq!(
        done(&host, &["workspace", "follow-ups", "ack", id, "--reason", "rotated in the vault"]),
        format!("follow-up {id} is done\n")
    );
    let told = done(&host, &["workspace", "follow-ups"]);
    assert!(told.contains(": rotated in the vault\n"), "{told}");
    let late = refused(&host, &["workspace", "follow-ups", "cancel", id]);
    assert!(late.contains("the follow-up is acknowledged already"), "{late}");
}

#[test]
fn a_token_is_made_listed_rotated_and_revoked() {
    let host = host();
    let create = [
        "token",
        "create",
        "--workspace",
        "main",
        "--tenant",
        "entra",
        "--rights",
        "read,users:write",
        "--deny",
        "roles,entitlements",
        "--expires",
        "20d",
        "--reason",
        "Entra P1",
    ];
    let first = done(&host, &create);
    let id = first.split('_').nth(1).expect("an id").to_owned();
    let list = done(&host, &["token", "list"]);
    assert!(list.contains("main/entra, tolerant, read users:write, but not roles, entitlements\n"), "{list}");
    assert!(list.contains(": Entra P1; never used\n"), "{list}");
    assert!(!list.contains(first.trim()), "never the secret");

    let check = host.run(&["check"]);
    assert!(
        check.out.contains(&format!("token {id} of tenant entra, workspace main, expires on ")),
        "{}",
        check.out
    );
    assert!(
        check.out.contains(&format!("cure: make its successor: rosterd token rotate {id}")),
        "{}",
        check.out
    );
    let second = host.run(&["token", "rotate", &id, "--overlap", "2d", "--reason", "yearly"]);
    assert_eq!(second.code, 0, "{}", second.err);
    assert!(second.err.contains(&format!("follows {id}, which works for 2d more")), "{}", second.err);
    let other = second.out.split('_').nth(1).expect("an id").to_owned();
    let third = refused(&host, &["token", "rotate", &other]);
    assert!(third.contains("the tenant `entra` has two valid tokens already"), "{third}");
    let third = refused(&host, &["token", "create", "--workspace", "main", "--tenant", "entra"]);
    assert!(third.contains("the tenant `entra` has 2 valid tokens already"), "{third}");

    assert_eq!(done(&host, &["token", "revoke", &id]), format!("token {id} opens nothing any more\n"));
    refused(&host, &["token", "revoke", &id]);
    let all = lines(&done(&host, &["token", "list", "--workspace", "main", "--format", "json"]));
    let states: Vec<_> =
        all.iter().map(|token| (&token["id"], &token["state"], &token["successor"])).collect();
    assert_eq!(
        states,
        [
            (&Value::from(id), &Value::from("revoked"), &Value::from(other.as_str())),
            (&Value::from(other), &Value::from("valid"), &Value::Null)
        ]
    );
}

#[test]
fn slips_in_a_token_are_told() {
    let host = host();
    let create = |more: [&'static str; 2]| {
        let mut command = vec!["token", "create", "--workspace", "main"];
        command.extend(more);
        host.run(&command)
    };
    let wrong = create(["--rights", "read,root"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("`root` is no right; there are: read, users:write"), "{}", wrong.err);
    let wrong = create(["--expires", "2001-01-01"]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("2001-01-01 has passed"), "{}", wrong.err);
    let wrong = create(["--deny", "role["]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("`role[` is no attribute"), "{}", wrong.err);
    assert_eq!(host.run(&["token", "list"]).out, "", "none of them was made");
}
