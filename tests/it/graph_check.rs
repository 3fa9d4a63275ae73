//! `rosterd check` of a Graph job against answers made for each test: what each line says, and its cure.

mod scope;

use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use url::Url;

use rosterd::model::Finding;
use rosterd::sources::Source;
use rosterd::sources::graph::GraphSettings;
use rosterd::sources::graph::GraphSource;
use rosterd::sources::graph::TenantSize;

use crate::graph_tenant::ASSIGNED;
use crate::graph_tenant::Canned;
use crate::graph_tenant::DEFAULT;
use crate::graph_tenant::failure;
use crate::graph_tenant::id;
use crate::graph_tenant::row;

const APP: &str =
    "GET /servicePrincipals(appId='app-1')?$select=id,displayName,accountEnabled,appRoleAssignmentRequired";
const USERS: &str = "GET /users?$top=1&$select=id";
const GROUPS: &str = "GET /groups?$top=1&$select=id";
const ORGANIZATION: &str = "GET /organization?$select=id,displayName,assignedPlans";
const REGISTRATION: &str = "GET /applications(appId='client-1')?$select=id,passwordCredentials";
const OWN_ROWS: &str = "GET /users/u1/appRoleAssignments?$top=1";
const CHECK: &str = "POST /users/u1/checkMemberGroups";
const CONSENT: &str = "under App registrations, API permissions, and grant admin consent";

fn bin(kind: &str) -> String {
    format!("GET /directory/deletedItems/microsoft.graph.{kind}?$top=1&$select=id")
}

fn delta(collection: &str) -> String {
    format!("GET /{collection}/delta?$deltatoken=latest&$select=id")
}

fn application(required: bool) -> Value {
    json!({"id": "sp-1", "displayName": "Cerby", "accountEnabled": true, "appRoleAssignmentRequired": required})
}

/// Everything is granted. A route that is answered before this keeps its answer.
async fn sound(before: impl FnOnce(Canned) -> Canned) -> Canned {
    let feed = json!({"value": [], "@odata.deltaLink": "{root}/delta?$deltatoken=1"});
    let premium =
        json!({"servicePlanId": "41781fb2-bc02-4b7c-bd55-b576c07bb09d", "capabilityStatus": "Enabled"});
    before(Canned::start().await)
        .or(USERS, json!({"value": [{"id": "u1"}]}))
        .or(GROUPS, json!({"value": [{"id": "g1"}]}))
        .or(
            "GET /groups/g1/members?$top=1&$select=id,displayName",
            json!({"value": [{"@odata.type": "#microsoft.graph.user", "id": "u1", "displayName": "Ann"}]}),
        )
        .or(APP, application(true))
        .or(ASSIGNED, json!({"value": [row("u1", "User", DEFAULT), row("u2", "User", DEFAULT), row("g1", "Group", DEFAULT)]}))
        .or(REGISTRATION, json!({"passwordCredentials": [{"endDateTime": "2299-12-31T00:00:00Z"}]}))
        .or(ORGANIZATION, json!({"value": [{"id": "t", "assignedPlans": [premium]}]}))
        .or(&delta("users"), feed.clone())
        .or(&delta("groups"), feed)
        .or(OWN_ROWS, json!({"value": []}))
        .or(CHECK, json!({"value": ["g1"]}))
        .or(&bin("user"), json!({"value": []}))
        .or(&bin("group"), json!({"value": []}))
}

fn line(finding: &Finding) -> String {
    let told = format!("{:?} {}: {}", finding.grade, finding.subject, finding.text);
    if finding.cure.is_empty() { told } else { format!("{told} | {}", finding.cure) }
}

async fn lines(graph: &Canned, change: impl FnOnce(&mut GraphSettings)) -> Vec<String> {
    let mut settings = GraphSettings { app: Some(id("app-1")), ..graph.settings() };
    change(&mut settings);
    let host = settings.root.as_str().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let findings = GraphSource::new(settings).unwrap().check().await;
    findings.iter().map(|finding| line(finding).replace(&host, "HOST")).collect()
}

/// The lines about one thing.
fn about<'a>(lines: &'a [String], subject: &str) -> Vec<&'a str> {
    let of = |line: &&String| {
        line.split_once(' ').is_some_and(|(_, rest)| rest.starts_with(&format!("{subject}: ")))
    };
    lines.iter().filter(of).map(String::as_str).collect()
}

#[tokio::test]
async fn a_sound_tenant_is_told_line_by_line() {
    let graph = sound(|graph| graph).await;
    assert_eq!(
        lines(&graph, |_| {}).await,
        [
            "Ok sign-in: tenant Contoso.example gave a token (client secret)",
            "Ok clock: agrees with the server's",
            "Ok users: may be read (User.Read.All or more)",
            "Ok groups: may be read (GroupMember.Read.All or more)",
            "Ok members: may be read (GroupMember.Read.All or more)",
            "Ok application: app-1 (Cerby), only assigned people may sign in",
            "Ok app assignments: 2 users and 1 group",
            "Ok expiry: the secret of the registration that lasts longest is good until 2299-12-31",
            "Ok licence: Entra ID P1: groups can be assigned; their direct members count",
            "Ok changes: are told (users/delta, groups/delta)",
            "Ok witness unassigned: confirmed by a person's own assignments",
            "Ok witness left group: confirmed by checkMemberGroups, then the person's direct groups",
            "Ok witness gone: confirmed by the person, then the recycle bin",
            "Ok witness group gone: confirmed by the group, then the recycle bin",
            "Ok budget: 1750 resource units in 10 s: 50 % of the 3500 of a small tenant (until the users are counted)",
            "Ok hosts: outbound only, to HOST",
        ]
    );
}

#[tokio::test]
async fn each_missing_permission_is_named_with_its_cure() {
    let denied = || failure("Authorization_RequestDenied");
    let graph = sound(|graph| {
        [USERS, GROUPS, APP, REGISTRATION, ORGANIZATION]
            .into_iter()
            .fold(graph, |graph, route| graph.on(route, 403, denied()))
    })
    .await;
    let refused = |subject: &str, call: &str, permission: &str| {
        format!(
            "Error {subject}: GET HOST/v1.0/{call} was answered 403 Authorization_RequestDenied | add the application \
             permission {permission} {CONSENT}"
        )
    };
    assert_eq!(
        lines(&graph, |_| {}).await[2..],
        [
            refused("users", "users", "User.Read.All"),
            refused("groups", "groups", "GroupMember.Read.All"),
            refused("application", "servicePrincipals(appId=%27app-1%27)", "Application.Read.All"),
            "Ok expiry: when the secret ends cannot be seen; write it down as secret_expires to be warned".to_owned(),
            "Ok licence: cannot be seen without Directory.Read.All; assigning groups needs P1".to_owned(),
            "Ok budget: 1750 resource units in 10 s: 50 % of the 3500 of a small tenant (until the users are counted)"
                .to_owned(),
            "Ok hosts: outbound only, to HOST".to_owned(),
        ]
        .map(|line| line.replace("%27", "'"))
    );
}

#[tokio::test]
async fn without_permission_for_its_question_the_witness_is_a_second_complete_read() {
    let denied = || failure("Authorization_RequestDenied");
    let bins = [bin("user"), bin("group")];
    let graph = sound(|graph| {
        let routes = [OWN_ROWS, CHECK, &bins[0], &bins[1]];
        routes.into_iter().fold(graph, |graph, route| graph.on(route, 403, denied()))
    })
    .await;
    let told = lines(&graph, |_| {}).await;
    let second = |subject: &str, refused: &str, permission: &str| {
        format!(
            "Warning {subject}: confirmed by a second complete read: {refused} | to have it confirmed at once, add the \
             application permission {permission} {CONSENT}"
        )
    };
    assert_eq!(
        told.iter().filter(|line| line.contains(" witness ")).cloned().collect::<Vec<_>>(),
        [
            second("witness unassigned", "a person's own assignments may not be read", "Directory.Read.All"),
            second("witness left group", "checkMemberGroups may not be asked", "Directory.Read.All"),
            second("witness gone", "the recycle bin may not be looked into", "User.Read.All"),
            second(
                "witness group gone",
                "the recycle bin of groups may not be looked into",
                "Group.Read.All"
            ),
        ]
    );
}

/// A token as Microsoft makes it, without a signature that anybody looks at.
fn token(claims: Value) -> Value {
    let claims = claims.to_string();
    let text = ["{\"typ\":\"JWT\"}", &claims, "signature"].map(base64url).join(".");
    json!({"token_type": "Bearer", "expires_in": 3599, "access_token": text})
}

fn base64url(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = text.bytes().map(|byte| format!("{byte:08b}")).collect();
    let of = |chunk: &[u8]| {
        let chunk = std::str::from_utf8(chunk).unwrap();
        char::from(DIGITS[usize::from_str_radix(&format!("{chunk:0<6}"), 2).unwrap()])
    };
    bits.as_bytes().chunks(6).map(of).collect()
}

#[tokio::test]
async fn a_token_tells_what_is_granted_and_what_is_more_than_needed() {
    let roles = ["Directory.ReadWrite.All", "User.Read.All", "Directory.Read.All", "Mail.Send"];
    let graph = sound(|graph| graph.token(200, token(json!({"oid": "o", "roles": roles})))).await;
    let told = lines(&graph, |_| {}).await;
    assert_eq!(
        about(&told, "permissions"),
        [
            "Ok permissions: Directory.Read.All, User.Read.All",
            "Warning permissions: more than needed: Directory.ReadWrite.All, Mail.Send | remove it under App \
             registrations, API permissions; rosterd only reads",
        ]
    );
    assert!(told.iter().any(|line| line.starts_with("Ok hosts: ")), "and everything else is looked at");
}

#[tokio::test]
async fn a_token_without_permissions_is_one_line_and_no_cascade() {
    let graph = sound(|graph| graph.token(200, token(json!({"oid": "o"})))).await;
    assert_eq!(
        lines(&graph, |_| {}).await,
        [
            "Ok sign-in: tenant Contoso.example gave a token (client secret)".to_owned(),
            format!(
                "Error permissions: the token holds no application permission | add User.Read.All, \
                 GroupMember.Read.All and Application.Read.All as application (not delegated) permissions {CONSENT}"
            ),
        ]
    );
    assert!(graph.asked().is_empty(), "{:?}", graph.asked());
}

#[tokio::test]
async fn a_refused_secret_is_one_line() {
    for (code, cure) in [
        (7000222, "the secret has expired; make a new one under Certificates & secrets"),
        (7000215, "the secret is wrong; paste the secret's value, not its id"),
    ] {
        let refusal = json!({"error": "invalid_client", "error_codes": [code]});
        let graph = sound(|graph| graph.token(401, refusal)).await;
        let told = lines(&graph, |_| {}).await;
        assert_eq!(told.len(), 1, "{told:?}");
        let what = "Error sign-in: POST HOST/Contoso.example/oauth2/v2.0/token: the sign-in was refused: invalid_client";
        assert_eq!(told[0], format!("{what} AADSTS{code} | {cure}"));
    }
}

#[tokio::test]
async fn a_secret_that_has_expired_by_its_own_day_is_named_with_the_refusal() {
    let refusal = json!({"error": "invalid_client", "error_codes": [7000222]});
    let graph = sound(|graph| graph.token(401, refusal)).await;
    let told = lines(&graph, |settings| settings.secret_expires = Some("2020-01-31".parse().unwrap())).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("Error expiry: the secret (by secret_expires) has expired on 2020-01-31 | "));
}

#[tokio::test]
async fn a_disabled_application_is_one_line() {
    let graph = sound(|graph| graph.on(USERS, 403, failure("Authorization_IdentityDisabled"))).await;
    let told = lines(&graph, |_| {}).await;
    assert_eq!(
        told[2..],
        [
            "Error users: GET HOST/v1.0/users was answered 403 Authorization_IdentityDisabled | the application is \
          disabled; enable it under Enterprise applications, Properties"
        ]
    );
}

#[tokio::test]
async fn the_end_of_the_secret_is_told_ahead_where_the_registration_shows_it() {
    let day = |days: i64| {
        let at = Timestamp::now() + SignedDuration::from_hours(24 * days + 1);
        (at.to_string(), at.strftime("%Y-%m-%d").to_string())
    };
    for (days, word, told) in
        [(40, "Ok", "is good until"), (20, "Warning", "within 30"), (1, "Warning", "within 3 days")]
    {
        let (at, day) = day(days);
        let secrets =
            json!({"passwordCredentials": [{"endDateTime": at}, {"endDateTime": "2020-01-01T00:00:00Z"}]});
        let graph = sound(|graph| graph.on(REGISTRATION, 200, secrets)).await;
        let lines = lines(&graph, |_| {}).await;
        let expiry = about(&lines, "expiry");
        assert!(
            expiry[0].starts_with(&format!("{word} expiry: the secret of the registration")),
            "{expiry:?}"
        );
        assert!(expiry[0].contains(told) && expiry[0].contains(&day), "{expiry:?}");
    }
}

/// A service that is away is told once, after few attempts.
#[tokio::test]
async fn a_service_that_is_away_is_one_line_soon() {
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap()
    };
    let graph = sound(|graph| graph).await;
    let patient = |settings: &mut GraphSettings| {
        settings.attempts = 8;
        settings.backoff = Duration::from_millis(1);
    };
    let told = lines(&graph, |settings| {
        patient(settings);
        settings.root = nobody.clone();
    })
    .await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(
        told[1],
        "Error users: GET HOST/v1.0/users: no connection: Connection refused (os error 111) (2 attempts) | check the \
         address, the network, the proxy, and whether the service runs"
    );
    let told = lines(&graph, |settings| {
        patient(settings);
        settings.authority = nobody.clone();
    })
    .await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("Error sign-in: ") && told[0].contains("no token after 2 attempts"),
        "{told:?}"
    );
    let graph = sound(|graph| graph.on(GROUPS, 503, failure("ServiceUnavailable"))).await;
    let told = lines(&graph, patient).await;
    assert_eq!(
        told.last().unwrap(),
        "Error groups: GET HOST/v1.0/groups: still status 503 after 2 attempts | try again later"
    );
}

#[tokio::test]
async fn an_application_is_missing_disabled_open_or_empty() {
    let missing = sound(|graph| graph.on(APP, 404, failure("Request_ResourceNotFound"))).await;
    let told = lines(&missing, |_| {}).await;
    assert_eq!(
        about(&told, "application"),
        [
            "Error application: the tenant has no enterprise application with the application id app-1 | copy its \
          Application ID (not its Object ID) from Enterprise applications"
        ]
    );
    assert!(about(&told, "app assignments").is_empty(), "{told:?}");

    let disabled = json!({"id": "sp-1", "displayName": "Cerby", "accountEnabled": false});
    let graph = sound(|graph| graph.on(APP, 200, disabled).on(ASSIGNED, 200, json!({"value": []}))).await;
    let told = lines(&graph, |_| {}).await;
    assert_eq!(
        about(&told, "application"),
        [
            "Warning application: app-1 (Cerby) is disabled for sign-in | enable it under Enterprise applications, \
          Properties, if people should use it"
        ]
    );
    assert_eq!(
        about(&told, "app assignments"),
        [
            "Warning app assignments: nobody is assigned to app-1 | assign people under Enterprise applications, Users \
          and groups"
        ]
    );

    let graph = sound(|graph| graph.on(APP, 200, application(false))).await;
    let told = lines(&graph, |_| {}).await;
    assert_eq!(
        about(&told, "application"),
        ["Ok application: app-1 (Cerby), people who are not assigned may sign in too"]
    );
}

#[tokio::test]
async fn everybody_who_is_assigned_is_counted_once_over_all_pages() {
    let first = json!({"@odata.nextLink": "{root}/p2", "value": [row("u1", "User", "r1"), row("u2", "User", DEFAULT)]});
    let second = json!({"value": [row("u1", "User", "r2"), row("u3", "User", DEFAULT), row("s1", "ServicePrincipal", DEFAULT)]});
    let graph = sound(|graph| graph.on(ASSIGNED, 200, first).on("GET /p2", 200, second)).await;
    assert_eq!(
        about(&lines(&graph, |_| {}).await, "app assignments"),
        ["Ok app assignments: 3 users and 0 groups"]
    );
}

#[tokio::test]
async fn a_tenant_without_a_licence_and_without_feeds_is_told_what_that_means() {
    let free = json!({"value": [{"id": "t", "assignedPlans": []}]});
    let people = json!({"value": [row("u1", "User", DEFAULT)]});
    let unsupported = failure("Request_UnsupportedQuery");
    let graph = sound(|graph| {
        graph
            .on(ORGANIZATION, 200, free)
            .on(ASSIGNED, 200, people)
            .on(&delta("users"), 400, unsupported.clone())
            .on(&delta("groups"), 400, unsupported)
    })
    .await;
    let told = lines(&graph, |_| {}).await;
    assert_eq!(
        about(&told, "licence"),
        [
            "Ok licence: Entra ID Free: groups cannot be assigned; assign people one by one, or choose groups by \
          scope.users.groups; both need no licence"
        ]
    );
    let listed = "nothing has to be done: everything is listed in each cycle, which costs more requests";
    assert_eq!(
        about(&told, "changes"),
        [
            format!("Warning changes: users/delta tells nothing | {listed}"),
            format!("Warning changes: groups/delta tells nothing | {listed}"),
        ]
    );
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told() {
    for (minutes, begin) in [(-7, "Error clock: 7 min ahead"), (3, "Warning clock: ")] {
        let at = Timestamp::now() + SignedDuration::from_mins(minutes);
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let graph =
            sound(|graph| graph.on_with(USERS, 200, &[("Date", &date)], json!({"value": [{"id": "u1"}]})))
                .await;
        let told = lines(&graph, |_| {}).await;
        let clock = about(&told, "clock");
        assert!(clock[0].starts_with(begin), "{clock:?}");
        assert!(
            clock[0].ends_with("set this host's clock right, and let chrony or systemd-timesyncd keep it so")
        );
    }
}

#[tokio::test]
async fn the_share_of_the_allowance_follows_the_settings() {
    let graph = sound(|graph| graph).await;
    let told = lines(&graph, |settings| {
        settings.budget_percent = 25;
        settings.tenant_size = Some(TenantSize::Large);
    })
    .await;
    assert_eq!(
        about(&told, "budget"),
        ["Ok budget: 2000 resource units in 10 s: 25 % of the 8000 of a large tenant (set)"]
    );
}
