//! The witness of a removal against answers made for each test: every row of its table, and what confirms nothing.

use serde_json::json;

use rosterd::model::Container;
use rosterd::model::List;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::sources::Source;

use crate::graph_tenant::Canned;
use crate::graph_tenant::DEFAULT;
use crate::graph_tenant::failure;
use crate::graph_tenant::id;
use crate::graph_tenant::row;

fn held(container: Container, principal: &str, kind: Kind) -> WitnessQuestion {
    WitnessQuestion::Held { container, principal: id(principal), kind }
}

fn app() -> Container {
    Container::App(id("app-1"))
}

fn group(name: &str) -> Container {
    Container::Group(id(name))
}

fn absent(evidence: &'static str) -> WitnessAnswer {
    WitnessAnswer::Absent(evidence.into())
}

fn cannot_say(why: &str) -> WitnessAnswer {
    WitnessAnswer::CannotSay(why.to_owned())
}

fn refused(permission: &str) -> WitnessAnswer {
    cannot_say(&format!("Graph refuses the question (403); it needs the application permission {permission}"))
}

/// Asks all rows at once, as a cycle does, and compares each answer with its row.
async fn check(graph: &Canned, table: Vec<(WitnessQuestion, WitnessAnswer)>) {
    let (questions, expected): (Vec<_>, Vec<_>) = table.into_iter().unzip();
    let answers = graph.source(Some("app-1")).witness(&questions).await.unwrap();
    assert_eq!(answers.len(), questions.len());
    for ((question, answer), expected) in questions.iter().zip(answers).zip(expected) {
        assert_eq!(answer, expected, "{question:?}");
    }
}

const NO_ROW: &str = "no row of the application among the principal's own assignments";
const LEFT_GROUPS: &str = "no row of its own, and it has left the groups that had one";
const IN_BIN: &str = "404, and in the recycle bin";
const PURGED: &str = "404, and not in the recycle bin";
const CHECK: &str = "User.Read.All and GroupMember.Read.All, or Directory.Read.All";
const NOT_NAMED: &str = "checkMemberGroups does not name the group";
const ONLY_NESTED: &str = "a member through a nested group alone, no direct one";

fn rows_of(principal: &str) -> String {
    format!("GET /users/{principal}/appRoleAssignments?$top=999")
}

fn looked_up(graph: Canned) -> Canned {
    graph.on("GET /servicePrincipals(appId='app-1')?$select=id", 200, json!({"id": "SP-1"}))
}

fn open_group(graph: Canned, name: &str) -> Canned {
    graph.on(
        &format!("GET /groups/{name}?$select=id,visibility"),
        200,
        json!({"id": name, "visibility": null}),
    )
}

fn hidden_group(graph: Canned, name: &str) -> Canned {
    let route = format!("GET /groups/{name}?$select=id,visibility");
    graph.on(&route, 200, json!({"id": name, "visibility": "HiddenMembership"}))
}

#[tokio::test]
async fn an_assignment_is_gone_when_no_row_of_the_application_is_the_principals_own() {
    let other = json!({"principalId": "gone", "principalType": "User", "resourceId": "sp-2"});
    let odd = json!({"principalType": "User", "resourceId": "sp-1"});
    let graph = looked_up(Canned::start().await)
        .on(&rows_of("still"), 200, json!({"value": [row("STILL", "User", DEFAULT)]}))
        .on(&rows_of("gone"), 200, json!({"value": [other]}))
        .on(&rows_of("paged"), 200, json!({"value": [], "@odata.nextLink": "{root}/p2"}))
        .on("GET /p2", 200, json!({"value": [row("paged", "User", DEFAULT)]}))
        .on(&rows_of("cut"), 200, json!({"value": [], "@odata.nextLink": "{root}/p3"}))
        .on("GET /p3", 503, failure("ServiceUnavailable"))
        .on(&rows_of("away"), 200, json!({"value": [], "@odata.nextLink": "https://elsewhere.example/p"}))
        .on(&rows_of("denied"), 403, failure("Authorization_RequestDenied"))
        .on(&rows_of("broken"), 500, failure("UnknownError"))
        .on(&rows_of("odd"), 200, json!({"value": [odd]}))
        .on(&rows_of("html"), 200, json!("<html>"))
        .on("GET /directory/deletedItems/binned?$select=id", 200, json!({"id": "binned"}))
        .on(&rows_of("lost"), 404, failure("UnknownError"))
        .on("GET /groups/g1/appRoleAssignments?$top=999", 200, json!({"value": []}))
        .on(
            "GET /groups/g2/appRoleAssignments?$top=999",
            200,
            json!({"value": [row("g2", "Group", DEFAULT)]}),
        );
    let host = graph.root.trim_start_matches("http://").to_owned();
    let of = |principal: &str| held(app(), principal, Kind::User);
    let table = vec![
        (of("still"), WitnessAnswer::Present),
        (of("gone"), absent(NO_ROW)),
        (of("paged"), WitnessAnswer::Present),
        (of("cut"), cannot_say(&format!("GET {host}/v1.0/p3: still status 503 after 3 attempts"))),
        (
            of("away"),
            cannot_say(&format!(
                "graph link: {host}/v1.0 points to https://elsewhere.example, which is not it; nothing was sent there"
            )),
        ),
        (of("nobody"), absent(PURGED)),
        (of("binned"), absent(IN_BIN)),
        (of("lost"), cannot_say("Graph answered 404 without saying what is missing")),
        (of("denied"), refused("Directory.Read.All")),
        (of("broken"), cannot_say("Graph answered 500")),
        (of("odd"), cannot_say("an assignment does not say whose it is")),
        (of("html"), cannot_say("the list of assignments cannot be read")),
        (held(app(), "g1", Kind::Group), absent(NO_ROW)),
        (held(app(), "g2", Kind::Group), WitnessAnswer::Present),
    ];
    check(&graph, table).await;
}

/// Who moves from a direct assignment to an assigned group is in scope through the group. Where our reading does
/// not show that yet, the row through the group stands as long as the person is in it.
#[tokio::test]
async fn a_row_through_a_group_counts_while_the_person_is_in_that_group() {
    let mut graph = looked_up(Canned::start().await);
    for name in ["g1", "g2"] {
        graph = open_group(graph, name);
    }
    let graph = hidden_group(graph, "h1")
        .on(&rows_of("moved"), 200, json!({"value": [row("g1", "Group", DEFAULT)]}))
        .on("POST /users/moved/checkMemberGroups", 200, json!({"value": ["g1"]}))
        .on("GET /users/moved/memberOf?$select=id&$top=999", 200, json!({"value": [{"id": "g1"}]}))
        .on(
            &rows_of("left"),
            200,
            json!({"value": [row("g1", "Group", DEFAULT), row("g2", "Group", DEFAULT)]}),
        )
        .on("POST /users/left/checkMemberGroups", 200, json!({"value": []}))
        .on(
            &rows_of("half"),
            200,
            json!({"value": [row("g1", "Group", DEFAULT), row("g2", "Group", DEFAULT)]}),
        )
        .on("POST /users/half/checkMemberGroups", 200, json!({"value": ["g2"]}))
        .on("GET /users/half/memberOf?$select=id&$top=999", 200, json!({"value": [{"id": "g2"}]}))
        .on(&rows_of("behind"), 200, json!({"value": [row("h1", "Group", DEFAULT)]}))
        .on("POST /users/behind/checkMemberGroups", 200, json!({"value": []}))
        .on("GET /groups/h1/members?$select=id&$top=999", 200, json!({"value": []}));
    let of = |principal: &str| held(app(), principal, Kind::User);
    let table = vec![
        (of("moved"), WitnessAnswer::Present),
        (of("left"), absent(LEFT_GROUPS)),
        (of("half"), WitnessAnswer::Present),
        (of("behind"), WitnessAnswer::Present),
    ];
    check(&graph, table).await;
}

#[tokio::test]
async fn a_membership_is_gone_when_it_is_not_named_or_is_no_direct_one() {
    let mut graph = Canned::start().await;
    for name in ["g1", "g2"] {
        graph = open_group(graph, name);
    }
    let graph = hidden_group(hidden_group(graph, "shown"), "hidden")
        .on("GET /groups/unclear?$select=id,visibility", 403, failure("Authorization_RequestDenied"))
        .on("POST /users/in/checkMemberGroups", 200, json!({"value": ["G1", "g2"]}))
        .on(
            "GET /users/in/memberOf?$select=id&$top=999",
            200,
            json!({"value": [{"id": "g1"}], "@odata.nextLink": "{root}/more"}),
        )
        .on("GET /more", 200, json!({"value": [{"id": "g9"}]}))
        .on("POST /users/out/checkMemberGroups", 200, json!({"value": []}))
        .on("POST /users/denied/checkMemberGroups", 403, failure("Authorization_RequestDenied"))
        .on("POST /users/broken/checkMemberGroups", 503, failure("ServiceUnavailable"))
        .on("POST /users/odd/checkMemberGroups", 200, json!({"groups": []}))
        .on("GET /groups/hidden/members?$select=id&$top=999", 200, json!({"value": []}))
        .on("GET /groups/shown/members?$select=id&$top=999", 200, json!({"value": [{"id": "somebody"}]}))
        .on("POST /groups/g7/checkMemberGroups", 200, json!({"value": []}))
        .on("GET /directory/deletedItems/binned?$select=id", 200, json!({"id": "binned"}));
    let of = |name: &str, principal: &str| held(group(name), principal, Kind::User);
    let hidden = "the group hides its members; add the application permission Member.Read.Hidden";
    let table = vec![
        (of("g1", "in"), WitnessAnswer::Present),
        (of("g2", "in"), absent(ONLY_NESTED)),
        (of("g1", "out"), absent(NOT_NAMED)),
        (of("deleted", "out"), absent("the group is not in the directory")),
        (of("unclear", "out"), refused("GroupMember.Read.All")),
        (of("hidden", "out"), cannot_say(hidden)),
        (of("shown", "out"), absent(NOT_NAMED)),
        (of("g1", "nobody"), absent(PURGED)),
        (of("g1", "binned"), absent(IN_BIN)),
        (of("g1", "denied"), refused(CHECK)),
        (of("g1", "broken"), cannot_say("Graph answered 503")),
        (of("g1", "odd"), cannot_say("the answer of checkMemberGroups cannot be read")),
        (held(group("g1"), "g7", Kind::Group), absent(NOT_NAMED)),
    ];
    check(&graph, table).await;
}

/// A "yes" may come from a nested group. Where neither the direct groups nor the members can be read it stays a
/// "yes".
#[tokio::test]
async fn a_yes_that_cannot_be_looked_into_never_confirms() {
    let refused = || failure("Authorization_RequestDenied");
    let mut graph = Canned::start().await;
    for name in ["listed", "nested", "refused", "empty", "cut"] {
        graph = open_group(graph, name);
        graph = graph.on("POST /users/u1/checkMemberGroups", 200, json!({"value": [name]}));
    }
    let graph = hidden_group(graph, "hid")
        .on("POST /users/u1/checkMemberGroups", 200, json!({"value": ["hid"]}))
        .on("GET /users/u1/memberOf?$select=id&$top=999", 403, refused())
        .on(
            "GET /groups/listed/members?$select=id&$top=999",
            200,
            json!({"value": [{"id": "c1"}], "@odata.nextLink": "{root}/rest"}),
        )
        .on("GET /rest", 200, json!({"value": [{"id": "U1"}]}))
        .on("GET /groups/nested/members?$select=id&$top=999", 200, json!({"value": [{"id": "c1"}]}))
        .on("GET /groups/refused/members?$select=id&$top=999", 403, refused())
        .on("GET /groups/empty/members?$select=id&$top=999", 200, json!({"value": []}))
        .on("GET /groups/cut/members?$select=id&$top=999", 200, json!({"value": [{"id": null}]}))
        .on("GET /groups/hid/members?$select=id&$top=999", 200, json!({"value": [{"id": "c1"}]}));
    let source = graph.source(None);
    for (name, expected) in [
        ("listed", WitnessAnswer::Present),
        ("nested", absent(ONLY_NESTED)),
        ("refused", WitnessAnswer::Present),
        ("empty", WitnessAnswer::Present),
        ("cut", WitnessAnswer::Present),
        ("hid", absent(ONLY_NESTED)),
    ] {
        let answers = source.witness(&[held(group(name), "u1", Kind::User)]).await.unwrap();
        assert_eq!(answers, [expected], "{name}");
    }
}

#[tokio::test]
async fn groups_of_one_person_are_asked_for_twenty_at_a_time_and_a_malformed_id_fails_alone() {
    let names: Vec<String> = (1..=21).map(|number| format!("g{number:02}")).collect();
    let mut graph = Canned::start().await;
    for name in &names {
        graph = open_group(graph, name);
    }
    let graph = open_group(graph, "bad")
        .on("POST /users/u1/checkMemberGroups", 200, json!({"value": []}))
        // Together; then apart, and the parts of a batch are answered from the last to the first.
        .on("POST /users/u2/checkMemberGroups", 400, failure("Request_BadRequest"))
        .on("POST /users/u2/checkMemberGroups", 200, json!({"value": []}))
        .on("POST /users/u2/checkMemberGroups", 400, failure("Request_BadRequest"));
    let mut table: Vec<_> =
        names.iter().map(|name| (held(group(name), "u1", Kind::User), absent(NOT_NAMED))).collect();
    table.push((held(group("bad"), "u2", Kind::User), cannot_say("Graph answered 400")));
    table.push((held(group("g01"), "u2", Kind::User), absent(NOT_NAMED)));
    check(&graph, table).await;
    let asked = graph.asked();
    let of = |person: &str| {
        let route = format!("  POST /users/{person}/checkMemberGroups");
        asked.iter().filter(|line| **line == route).count()
    };
    assert_eq!((of("u1"), of("u2")), (2, 3), "21 groups are two questions; two that fail are asked apart");
}

#[tokio::test]
async fn a_filtered_list_is_asked_with_the_id() {
    let list = |filter: &str, kind| {
        Container::App(match kind {
            Kind::User => List::UserFilter(filter.to_owned()).id(),
            Kind::Group => List::GroupFilter(filter.to_owned()).id(),
        })
    };
    let rest = "&$select=id&$top=1";
    let sales = |id: &str| {
        format!("GET /users?$filter=%28department%20eq%20%27R%26D%27%29%20and%20id%20eq%20%27{id}%27{rest}")
    };
    let named = format!(
        "GET /groups?$filter=%28startswith%28displayName%2C%27a%27%29%29%20and%20id%20eq%20%27g1%27{rest}"
    );
    let advanced = format!(
        "GET /users?$filter=%28department%20ne%20%27Sales%27%29%20and%20id%20eq%20%27u1%27{rest}&$count=true"
    );
    // Sixteen alternatives are two pieces.
    let long: Vec<String> = (1..=16).map(|number| format!("city eq '{number:02}'")).collect();
    let encoded = |text: &str| text.replace(' ', "%20").replace('\'', "%27");
    let cut = |piece: &[String], person: &str| {
        let piece = encoded(&piece.join(" or "));
        format!("GET /users?$filter=%28{piece}%29%20and%20id%20eq%20%27{person}%27{rest}")
    };
    let pieces =
        [cut(&long[..15], "in"), cut(&long[15..], "in"), cut(&long[..15], "out"), cut(&long[15..], "out")];
    let graph = Canned::start()
        .await
        .on(&sales("in"), 200, json!({"value": [{"id": "IN"}]}))
        .on(&sales("out"), 200, json!({"value": []}))
        .on(&sales("odd"), 200, json!({"value": [{"id": "other"}]}))
        .on(&sales("more"), 200, json!({"value": [], "@odata.nextLink": "{root}/p"}))
        .on(&sales("denied"), 403, failure("Authorization_RequestDenied"))
        .on(&named, 400, failure("Request_UnsupportedQuery"))
        .on(&format!("{named}&$count=true"), 200, json!({"value": [{"id": "g1"}]}))
        .on(&advanced, 400, failure("Request_UnsupportedQuery"))
        .on(&pieces[0], 200, json!({"value": []}))
        .on(&pieces[1], 200, json!({"value": [{"id": "in"}]}))
        .on(&pieces[2], 200, json!({"value": []}))
        .on(&pieces[3], 200, json!({"value": []}));
    let of = |principal: &str| held(list("department eq 'R&D'", Kind::User), principal, Kind::User);
    let odd = "Graph answered the filter with something else than was asked for";
    let pushed = Container::App(List::PushMappings(id("0oa1")).id());
    let table = vec![
        (of("in"), WitnessAnswer::Present),
        (of("out"), absent("the filter does not select it")),
        (of("odd"), cannot_say(odd)),
        (of("more"), cannot_say(odd)),
        (of("denied"), refused("User.Read.All")),
        (of("unknown"), cannot_say("Graph does not know the list (404)")),
        (held(list("startswith(displayName,'a')", Kind::Group), "g1", Kind::Group), WitnessAnswer::Present),
        (held(list("department ne 'Sales'", Kind::User), "u1", Kind::User), cannot_say("Graph answered 400")),
        (held(list(&long.join(" or "), Kind::User), "in", Kind::User), WitnessAnswer::Present),
        (
            held(list(&long.join(" or "), Kind::User), "out", Kind::User),
            absent("the filter does not select it"),
        ),
        (held(pushed, "g1", Kind::Group), cannot_say("Graph keeps no such list")),
    ];
    check(&graph, table).await;
}

#[tokio::test]
async fn soft_deleted_purged_disabled_and_still_there_are_told_apart() {
    let exists = |name: &str, kind| WitnessQuestion::Exists { id: id(name), kind };
    let user = |name: &str| format!("GET /users/{name}?$select=id,accountEnabled");
    let bin = |name: &str| format!("GET /directory/deletedItems/{name}?$select=id");
    let graph = Canned::start()
        .await
        .on(&user("here"), 200, json!({"id": "HERE", "accountEnabled": true}))
        .on(&user("unknown"), 200, json!({"id": "unknown", "accountEnabled": null}))
        .on(&user("disabled"), 200, json!({"id": "disabled", "accountEnabled": false}))
        .on(&user("other"), 200, json!({"id": "another", "accountEnabled": false}))
        .on(&user("html"), 200, json!("<html>"))
        .on(&user("denied"), 403, failure("Authorization_RequestDenied"))
        .on(&user("busy"), 429, failure("TooManyRequests"))
        .on(&user("lost"), 404, failure("UnknownError"))
        .on(&bin("binned"), 200, json!({"id": "binned"}))
        .on(&bin("unclear"), 503, failure("ServiceUnavailable"))
        .on(&bin("mixed"), 200, json!({"id": "another"}))
        .on("GET /groups/g1?$select=id", 200, json!({"id": "g1"}))
        .on(&bin("g3"), 403, failure("Authorization_RequestDenied"));
    let another = "Graph answered with something else than what was asked for";
    let of = |name: &str| exists(name, Kind::User);
    let table = vec![
        (of("here"), WitnessAnswer::Present),
        (of("unknown"), WitnessAnswer::Present),
        (of("disabled"), WitnessAnswer::Disabled),
        (of("other"), cannot_say(another)),
        (of("html"), cannot_say(another)),
        (of("denied"), refused("User.Read.All")),
        (of("busy"), cannot_say("Graph answered 429")),
        (of("lost"), cannot_say("Graph answered 404 without saying what is missing")),
        (of("binned"), absent(IN_BIN)),
        (of("purged"), absent(PURGED)),
        (of("unclear"), cannot_say("404, but of the recycle bin: Graph answered 503")),
        (of("mixed"), cannot_say(another)),
        (exists("g1", Kind::Group), WitnessAnswer::Present),
        (exists("g2", Kind::Group), absent(PURGED)),
        (
            exists("g3", Kind::Group),
            cannot_say(
                "404, but of the recycle bin: Graph refuses the question (403); it needs the application permission \
                 Group.Read.All",
            ),
        ),
    ];
    check(&graph, table).await;
}

#[tokio::test]
async fn a_witness_without_the_right_to_look_up_the_application_cannot_say() {
    let denied = Canned::start()
        .await
        .on("GET /servicePrincipals(appId='app-1')?$select=id", 403, failure("Authorization_RequestDenied"))
        .on(&rows_of("u1"), 200, json!({"value": []}));
    check(&denied, vec![(held(app(), "u1", Kind::User), refused("Application.Read.All"))]).await;
    let unknown = Canned::start().await.on(&rows_of("u1"), 200, json!({"value": []}));
    let why = "the tenant has no enterprise application with the application id app-1";
    check(&unknown, vec![(held(app(), "u1", Kind::User), cannot_say(why))]).await;
}

#[tokio::test]
async fn an_outage_confirms_nothing_and_a_refused_sign_in_ends_the_cycle() {
    let outage = Canned::start().await.on("POST /$batch", 503, failure("ServiceUnavailable"));
    let host = outage.root.trim_start_matches("http://").to_owned();
    let question = WitnessQuestion::Exists { id: id("u1"), kind: Kind::User };
    let why = format!("POST {host}/v1.0/$batch: still status 503 after 3 attempts");
    check(&outage, vec![(question.clone(), cannot_say(&why))]).await;
    let html = Canned::start().await.on("POST /$batch", 200, json!("<html>"));
    let host = html.root.trim_start_matches("http://").to_owned();
    let why = format!("POST {host}/v1.0/$batch: the answer cannot be read (line 1, column 8)");
    check(&html, vec![(question.clone(), cannot_say(&why))]).await;
    let refused = Canned::start().await.on("POST /$batch", 403, failure("Authorization_IdentityDisabled"));
    assert!(refused.source(None).witness(&[question]).await.is_err());
    assert!(refused.source(None).witness(&[]).await.unwrap().is_empty());
}

/// The questions of one kind share their batches: looking up the application costs no request of its own.
#[tokio::test]
async fn fifty_unassigned_people_cost_three_requests() {
    let mut graph = looked_up(Canned::start().await);
    let people: Vec<String> = (0..50).map(|number| format!("u{number}")).collect();
    for person in &people {
        graph = graph.on(&rows_of(person), 200, json!({"value": []}));
    }
    let questions: Vec<_> = people.iter().map(|person| held(app(), person, Kind::User)).collect();
    let source = graph.source(Some("app-1"));
    source.witness(&questions).await.unwrap();
    assert_eq!(source.requests(), 3);
}

#[tokio::test]
async fn a_source_is_known_by_tenant_and_application() {
    let graph = Canned::start().await;
    let identity = |app| graph.source(app).identity().expect("settings say it");
    assert_eq!(identity(Some("APP-1")), "graph tenant contoso.example app app-1");
    assert_eq!(identity(None), "graph tenant contoso.example");
}
