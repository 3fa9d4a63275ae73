//! The Graph connector against answers made for each test: the witness of a removal, and what a check finds.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use serde_json::json;
use url::Url;

use rosterd::model::Container;
use rosterd::model::Grade;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::sources::Source;
use rosterd::sources::graph::GraphSettings;
use rosterd::sources::graph::GraphSource;

use crate::graph_tenant::ASSIGNED;
use crate::graph_tenant::Canned;
use crate::graph_tenant::DEFAULT;
use crate::graph_tenant::failure;
use crate::graph_tenant::id;
use crate::graph_tenant::row;

fn held(container: Container, principal: &str, kind: Kind) -> WitnessQuestion {
    WitnessQuestion::Held { container, principal: id(principal), kind }
}

#[tokio::test]
async fn a_witness_confirms_what_is_gone_and_only_that() {
    let app = || Container::App(id("app-1"));
    let group = |name: &str| Container::Group(id(name));
    let exists = |name: &str, kind| WitnessQuestion::Exists { id: id(name), kind };
    let other = json!({"principalId": "u", "principalType": "User", "resourceId": "sp-2"});
    let graph = Canned::start()
        .await
        .on("GET /servicePrincipals(appId='app-1')?$select=id", 200, json!({"id": "SP-1"}))
        .on(
            "GET /users/still/appRoleAssignments?$top=999",
            200,
            json!({"value": [row("still", "User", DEFAULT)]}),
        )
        .on("GET /users/gone/appRoleAssignments?$top=999", 200, json!({"value": [other]}))
        .on(
            "GET /users/paged/appRoleAssignments?$top=999",
            200,
            json!({"value": [], "@odata.nextLink": "{root}/p2"}),
        )
        .on("GET /p2", 200, json!({"value": [row("paged", "User", DEFAULT)]}))
        .on("GET /users/denied/appRoleAssignments?$top=999", 403, failure("Authorization_RequestDenied"))
        .on("GET /groups/g1/appRoleAssignments?$top=999", 200, json!({"value": []}))
        .on("GET /groups/g1?$select=id,visibility", 200, json!({"id": "g1", "visibility": null}))
        .on(
            "GET /groups/hidden?$select=id,visibility",
            200,
            json!({"id": "hidden", "visibility": "HiddenMembership"}),
        )
        .on("POST /users/in/checkMemberGroups", 200, json!({"value": ["g1"]}))
        .on("POST /users/out/checkMemberGroups", 200, json!({"value": []}))
        .on("GET /users/here?$select=id,accountEnabled", 200, json!({"id": "here"}))
        .on("GET /directory/deletedItems/binned?$select=id", 200, json!({"id": "binned"}))
        .on("GET /directory/deletedItems/unclear?$select=id", 403, failure("Authorization_RequestDenied"))
        .on("GET /groups/g1?$select=id", 200, json!({"id": "g1"}));
    let denied = "Graph refuses the question (403); it needs the application permission Directory.Read.All";
    let hidden = "the group hides its members; add the application permission Member.Read.Hidden";
    const NO_ROW: &str = "no row of the application among the principal's own assignments";
    const NOT_NAMED: &str = "checkMemberGroups does not name the group";
    let gone = |evidence: &'static str| WitnessAnswer::Absent(evidence.into());
    let table = [
        (held(app(), "still", Kind::User), WitnessAnswer::Present),
        (held(app(), "gone", Kind::User), gone(NO_ROW)),
        (held(app(), "paged", Kind::User), WitnessAnswer::Present),
        (held(app(), "nobody", Kind::User), gone("404")),
        (held(app(), "denied", Kind::User), WitnessAnswer::CannotSay(denied.to_owned())),
        (held(app(), "g1", Kind::Group), gone(NO_ROW)),
        (held(group("g1"), "in", Kind::User), WitnessAnswer::Present),
        (held(group("g1"), "out", Kind::User), gone(NOT_NAMED)),
        (held(group("g1"), "nobody", Kind::User), gone("404")),
        (held(group("hidden"), "out", Kind::User), WitnessAnswer::CannotSay(hidden.to_owned())),
        (held(group("deleted"), "out", Kind::User), gone(NOT_NAMED)),
        (exists("here", Kind::User), WitnessAnswer::Present),
        (exists("binned", Kind::User), gone("404, and in the recycle bin")),
        (exists("purged", Kind::User), gone("404, and not in the recycle bin")),
        (exists("unclear", Kind::User), WitnessAnswer::CannotSay("Graph answered 403".to_owned())),
        (exists("g1", Kind::Group), WitnessAnswer::Present),
        (exists("g9", Kind::Group), gone("404")),
    ];
    let (questions, expected): (Vec<_>, Vec<_>) = table.into_iter().unzip();
    let source = graph.source(Some("app-1"));
    let answers = source.witness(&questions).await.unwrap();
    for ((question, answer), expected) in questions.iter().zip(answers).zip(expected) {
        assert_eq!(answer, expected, "{question:?}");
    }
    assert!(source.witness(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_witness_without_the_right_to_look_up_the_application_cannot_say() {
    let graph = Canned::start()
        .await
        .on("GET /servicePrincipals(appId='app-1')?$select=id", 403, failure("Authorization_RequestDenied"))
        .on("GET /users/u1/appRoleAssignments?$top=999", 200, json!({"value": []}));
    let question = held(Container::App(id("app-1")), "u1", Kind::User);
    let answers = graph.source(Some("app-1")).witness(&[question]).await.unwrap();
    assert!(matches!(&answers[0], WitnessAnswer::CannotSay(why) if why.contains("Application.Read.All")));
}

#[tokio::test]
async fn a_check_names_each_permission_and_the_application() {
    let graph = Canned::start()
        .await
        .on("GET /users?$top=1&$select=id", 200, json!({"value": [{"id": "u1"}]}))
        .on("GET /groups?$top=1&$select=id", 403, failure("Authorization_RequestDenied"))
        .on(
            "GET /servicePrincipals(appId='app-1')?$select=id,displayName,accountEnabled,appRoleAssignmentRequired",
            200,
            json!({"id": "sp-1", "displayName": "Cerby", "accountEnabled": true, "appRoleAssignmentRequired": true}),
        )
        .on(ASSIGNED, 200, json!({"value": [row("u1", "User", DEFAULT), row("g1", "Group", DEFAULT)]}))
        .on("GET /users/u1/appRoleAssignments?$top=1", 403, failure("Authorization_RequestDenied"));
    let findings = graph.source(Some("app-1")).check().await;
    let lines: Vec<String> =
        findings.iter().map(|f| format!("{:?} {}: {}", f.grade, f.subject, f.text)).collect();
    let host = graph.root.trim_start_matches("http://");
    assert_eq!(
        lines,
        [
            "Ok sign-in: tenant Contoso.example gave a token".to_owned(),
            "Ok users: may be read (User.Read.All or more)".to_owned(),
            format!("Error groups: GET {host}/v1.0/groups was answered 403 Authorization_RequestDenied"),
            "Ok application: app-1 (Cerby), only assigned people may sign in".to_owned(),
            "Ok app assignments: 1 for users, 1 for groups".to_owned(),
            "Warning witness: a person's own assignments and groups may not be read; a second complete read confirms a removal"
                .to_owned(),
        ]
    );
    assert!(
        findings.iter().filter(|finding| finding.grade != Grade::Ok).all(|finding| !finding.cure.is_empty())
    );
}

#[tokio::test]
async fn a_refused_sign_in_is_the_only_finding() {
    let refusing = Router::new().fallback(|| async {
        let body = json!({"error": "invalid_client", "error_codes": [7000222]}).to_string();
        Response::builder().status(401).body(Body::from(body)).unwrap()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, refusing).await.unwrap() });
    let settings = GraphSettings { authority, ..Canned::start().await.settings() };
    let findings = GraphSource::new(settings).unwrap().check().await;
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].grade, findings[0].subject.as_str()), (Grade::Error, "sign-in"));
    assert_eq!(findings[0].cure, "the secret has expired; make a new one under Certificates & secrets");
}

#[tokio::test]
async fn a_source_is_known_by_tenant_and_application() {
    let graph = Canned::start().await;
    let identity = |app| graph.source(app).identity().expect("settings say it");
    assert_eq!(identity(Some("APP-1")), "graph tenant contoso.example app app-1");
    assert_eq!(identity(None), "graph tenant contoso.example");
}
