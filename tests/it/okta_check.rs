//! `rosterd check` of an Okta job against the simulated org: every line of a good day, and what each bad one says.

use jiff::SignedDuration;
use jiff::Timestamp;
use rosterd::client::Secret;
use rosterd::simulators::AppStatus;
use rosterd::simulators::Change;
use rosterd::simulators::OktaChange;
use rosterd::simulators::OktaRole;
use rosterd::simulators::OrgKind;
use rosterd::simulators::PushFeature;

use rosterd::sources::Source;
use rosterd::sources::okta::OktaSource;
use serde_json::json;

use super::okta_org::Org;
use super::okta_org::Reply;
use super::okta_simulated::Simulation;
use super::okta_simulated::service;
use super::okta_simulated::token;

async fn org() -> Simulation {
    let org = Simulation::start(40, 6, Timestamp::now()).await;
    org.knobs(|knobs| knobs.org_kind = Some(OrgKind::Workforce));
    org
}

/// The lines that are neither `ok` nor below a line that is.
async fn troubles(org: &Simulation, source: &OktaSource) -> String {
    let text = org.check(source).await;
    let lines = text.lines().filter(|line| !line.starts_with("ok "));
    lines.collect::<Vec<_>>().join("\n")
}

const ROLE: &str = "give the account of the token, or the service application itself, the role Read-only Administrator, or a custom role with okta.apps.read, okta.users.read and okta.groups.read over the application and its groups";

#[tokio::test]
async fn a_good_day_with_an_api_token() {
    let org = org().await;
    assert_eq!(
        org.check(&org.source(token())).await,
        "\
ok host: HOST, this machine, a simulated org; a firewall has to let through 127.0.0.1, port PORT
ok sign-in: an API token (SSWS), accepted; it dies 30 days after its last use, which no schedule comes near, and with the account that made it
ok clock: agrees with the org's
ok application: Acme Workspace is active; Okta's own provisioning is not set up for it, and not needed
ok groups: can be read (okta.groups.read)
ok users: can be read (okta.users.read)
ok system log: can be read (okta.logs.read): what disappears has to be explained by an event, else it is held
ok group push: the application pushes no group; not needed
ok app users: 34 people have the application
ok app groups: 2 groups are assigned
ok group members: can be read
ok rates: 50 % of what Okta shows is used; requests a minute: apps/{id} 125 of 250, apps 25 of 50, groups 125 of 250, users 150 of 300, logs 30 of 60
ok full cycle: 5 requests, within a minute with these allowances, and one more request for every 200 members of a larger group"
    );
}

#[tokio::test]
async fn a_service_application_says_what_its_tokens_are() {
    let org = org().await;
    let line = |text: String| text.lines().find(|line| line.contains(" sign-in: ")).map(str::to_owned);
    let told = "ok sign-in: the service application 0oa5im0000client0001, with the scopes okta.apps.read okta.groups.read okta.users.read okta.logs.read; its tokens are";
    assert_eq!(
        line(org.check(&org.source(service())).await),
        Some(format!("{told} Bearer, without DPoP, live 60 min and are renewed after 48"))
    );
    org.knobs(|knobs| knobs.dpop = true);
    assert_eq!(
        line(org.check(&org.source(service())).await),
        Some(format!("{told} bound to a key of this process (DPoP), live 60 min and are renewed after 48"))
    );
}

#[tokio::test]
async fn each_scope_that_is_missing_is_named() {
    let org = org().await;
    org.knobs(|knobs| {
        knobs.granted_scopes.retain(|scope| scope != "okta.logs.read" && scope != "okta.users.read");
    });
    assert_eq!(
        troubles(&org, &org.source(service())).await,
        "\
error sign-in: POST HOST/oauth2/v1/token: the sign-in was refused: invalid_scope
  cure: grant each scope of `scopes` to the application (Okta API Scopes, as a super administrator), or take out those that it shall not have; `rosterd check` says which are missing
error scope okta.users.read: not granted
  cure: grant it to the application (Okta API Scopes, as a super administrator), or take it out of `scopes`
error scope okta.logs.read: not granted
  cure: grant it to the application (Okta API Scopes, as a super administrator), or take it out of `scopes`"
    );
}

/// The token was given, and the first request that needs the scope is refused with an empty 403.
#[tokio::test]
async fn scopes_that_were_not_asked_for_are_missed_by_name() {
    let org = org().await;
    let mut app = service();
    app.scopes = vec!["okta.apps.read".to_owned(), "okta.groups.read".to_owned()];
    let cure = |scope: &str| {
        format!(
            "grant the scope {scope} to the service application (Okta API Scopes, as a super administrator), and name it in `scopes`"
        )
    };
    let text = troubles(&org, &org.source(app)).await;
    let request = |line: &str| {
        let from = line.find(", request ").expect("an id");
        format!("{}{}", &line[..from], &line[from + ", request ".len() + 32..])
    };
    let lines: Vec<String> = text
        .lines()
        .map(|line| if line.contains(", request ") { request(line) } else { line.to_owned() })
        .collect();
    assert_eq!(
        lines.join("\n"),
        format!(
            "\
warning users: GET HOST/api/v1/users: Okta refuses (status 403)
  cure: {}
warning system log: cannot be read (GET HOST/api/v1/logs: Okta refuses (status 403)): deletions are seen later, and who disappears behind a narrowed role cannot be told from an unassignment
  cure: {}",
            cure("okta.users.read"),
            cure("okta.logs.read")
        )
    );
}

#[tokio::test]
async fn a_role_that_is_gone_shows_in_empty_lists_and_refused_objects() {
    let org = org().await;
    org.knobs(|knobs| knobs.role = OktaRole::Lost);
    let text = troubles(&org, &org.source(token())).await;
    assert!(
        text.starts_with(
            "error application: GET HOST/api/v1/apps/0oa5im0000acme000app: Okta refuses (status 403, E0000006"
        ),
        "{text}"
    );
    for subject in ["groups", "users"] {
        let expected = format!(
            "warning {subject}: an empty list, and every org has {subject}: our role is too narrow\n  cure: {ROLE}; a role that shows chosen ones only makes others look as if they were gone"
        );
        assert!(text.contains(&expected), "{text}");
    }
}

#[tokio::test]
async fn a_token_that_is_wrong_ends_the_check() {
    let org = org().await;
    let text = org.check(&org.source(Secret::new("another"))).await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[1].starts_with(
        "error sign-in: GET HOST/api/v1/apps/0oa5im0000acme000app: Okta refuses (status 401, E0000011"
    ));
    assert_eq!(
        lines[2],
        "  cure: make a new API token as the service account (Security, API, Tokens); a token dies after 30 days without use, and with the account that made it"
    );
}

#[tokio::test]
async fn the_application_has_to_be_active_and_to_assign() {
    for (status, implicit, expected) in [
        (
            AppStatus::Inactive,
            false,
            "error application: Acme Workspace is INACTIVE\n  cure: activate it in the admin console; until then nothing is read and nobody removed",
        ),
        (
            AppStatus::Active,
            true,
            "error application: Acme Workspace admits everybody without assignment (implicitAssignment)\n  cure: switch that off and assign the people or groups who shall have it",
        ),
    ] {
        let org = org().await;
        let change = OktaChange::SetApp {
            status: Some(status),
            implicit_assignment: Some(implicit),
            features: None,
            label: None,
        };
        org.world.change(Change::Okta { what: change }).expect("a change");
        assert_eq!(troubles(&org, &org.source(token())).await, expected);
    }
}

#[tokio::test]
async fn an_application_that_is_not_there_and_provisioning_that_is() {
    let org = org().await;
    let change = OktaChange::SetApp {
        status: Some(AppStatus::Missing),
        implicit_assignment: None,
        features: None,
        label: None,
    };
    org.world.change(Change::Okta { what: change }).expect("a change");
    let text = troubles(&org, &org.source(token())).await;
    assert!(text.starts_with("error application: 0oa5im0000acme000app is not there (GET HOST/api/v1/apps/0oa5im0000acme000app: Okta refuses (status 404, E0000007"), "{text}");
    assert!(text.contains("\n  cure: copy the id (0oa…) from the address of the application's page in the admin console, and let our role cover it; until then nothing is read and nobody removed"), "{text}");
    let features = Some(vec!["PUSH_NEW_USERS".to_owned(), "GROUP_PUSH".to_owned()]);
    let status = Some(AppStatus::Active);
    let change = OktaChange::SetApp { status, implicit_assignment: None, features, label: None };
    org.world.change(Change::Okta { what: change }).expect("a change");
    let text = org.check(&org.source(token())).await;
    let told = "ok application: Acme Workspace is active; Okta's own provisioning is set up for it (PUSH_NEW_USERS, GROUP_PUSH), and not needed: every assigned person is read, whether Okta has provisioned them or not";
    assert!(text.contains(told), "{text}");
}

#[tokio::test]
async fn group_push_is_missed_only_where_teams_come_from_it() {
    let org = org().await;
    org.knobs(|knobs| knobs.push = PushFeature::Unauthorized);
    assert_eq!(troubles(&org, &org.source(token())).await, "");
    let mut settings = org.settings(token());
    settings.push_mappings = true;
    let text = troubles(&org, &OktaSource::new(settings.clone()).expect("a source")).await;
    assert!(text.starts_with("error group push: GET HOST/api/v1/apps/0oa5im0000acme000app/group-push/mappings: Okta refuses (status 401, E0000015"), "{text}");
    assert!(
        text.ends_with(
            "\n  cure: the org does not have this feature; ask Okta to switch it on, or do without"
        ),
        "{text}"
    );
    org.knobs(|knobs| knobs.push = PushFeature::NotFound);
    let text = troubles(&org, &OktaSource::new(settings).expect("a source")).await;
    assert!(text.ends_with("\n  cure: switch provisioning and Group Push on for the application, or take scope.teams.push_mappings out"), "{text}");
}

#[tokio::test]
async fn clocks_that_differ_are_a_finding_and_no_obstacle() {
    let org = Simulation::start(40, 6, Timestamp::now() + SignedDuration::from_mins(20)).await;
    org.knobs(|knobs| knobs.dpop = true);
    let text = troubles(&org, &org.source(service())).await;
    let begins = text.starts_with("warning clock: this host's clock is 1200 s behind the org's")
        || text.starts_with("warning clock: this host's clock is 1199 s behind the org's");
    assert!(begins, "{text}");
    assert!(text.ends_with("\n  cure: set this host's clock right (timedatectl, NTP); sign-ins are made by the org's clock meanwhile"));
}

/// A host that is no org, and one that answers for another.
#[tokio::test]
async fn what_is_no_org_says_what_to_write() {
    for (status, body, expected) in [
        (
            400,
            "<html>Bad Request</html>",
            "error sign-in: GET HOST/api/v1/apps/0oa1: Okta refuses (status 400)\n  cure: check that `url` is the org's own address and nothing changes requests on the way; if it is, report this with the request's id",
        ),
        (
            404,
            r#"{"errorCode":"E0000008"}"#,
            "error sign-in: GET HOST/api/v1/apps/0oa1: Okta refuses (status 404, E0000008)\n  cure: there is no Okta behind this address; check the host",
        ),
        (
            302,
            "",
            "error sign-in: GET HOST/api/v1/apps/0oa1: Okta refuses (status 302)\n  cure: the host answers for another one; write the org's own address as the host",
        ),
    ] {
        let org = Org::start().await;
        org.tell("/api/v1/apps/0oa1", Reply::raw(status, body));
        let findings = org.source("0oa1").check().await;
        let sign_in = findings.iter().find(|finding| finding.subject == "sign-in").expect("a finding");
        let host = org.host.trim_start_matches("http://");
        let told = format!("error sign-in: {}\n  cure: {}", sign_in.text, sign_in.cure).replace(host, "HOST");
        assert_eq!(told, expected);
        assert_eq!(org.asked().len(), 1, "nothing else is asked");
    }
}

#[tokio::test]
async fn a_built_in_group_nobody_assigned_and_members_that_cannot_be_read_are_told() {
    let org = Org::start().await;
    let app = json!({"id": "0oa1", "label": "Acme", "status": "ACTIVE"});
    org.tell("/api/v1/apps/0oa1", Reply::ok(app));
    org.tell("/api/v1/apps/0oa1/users?limit=500", Reply::ok(json!([])));
    let everyone = json!({"id": "00g1", "_embedded": {"group": {"id": "00g1", "type": "BUILT_IN", "profile": {"name": "Everyone"}}}});
    org.tell("/api/v1/apps/0oa1/groups?limit=200&expand=group", Reply::ok(json!([everyone])));
    org.tell("/api/v1/groups/00g1/users?limit=1", Reply::error(403, "E0000006"));
    org.tell("/api/v1/groups?limit=1", Reply::ok(json!([{"id": "00g1"}])));
    org.tell("/api/v1/users?limit=1", Reply::ok(json!([{"id": "00u1"}])));
    let findings = org.source("0oa1").check().await;
    let told: Vec<String> = findings
        .iter()
        .filter(|finding| !finding.cure.is_empty())
        .map(|finding| {
            format!("{}: {}", finding.subject, finding.text)
                .replace(org.host.trim_start_matches("http://"), "HOST")
        })
        .collect();
    assert_eq!(
        told,
        [
            "app users: nobody is assigned",
            "app groups: the built-in group Everyone is assigned: its members are all people of the org",
            "group members: GET HOST/api/v1/groups/00g1/users: Okta refuses (status 403, E0000006)",
            "rates: the org shows no allowances, so none can be kept to",
        ]
    );
}
