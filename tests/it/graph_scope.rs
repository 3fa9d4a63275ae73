//! What the Graph connector reads for which scope: streams of chosen groups, groups in groups, filters.

use std::collections::BTreeSet;
use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use rosterd::model::Collection;
use rosterd::model::Coverage;
use rosterd::model::List;
use rosterd::model::Reading;
use rosterd::model::Watermarks;
use rosterd::sources::Source;
use rosterd::sources::SourceError;
use rosterd::sources::graph::GraphSettings;
use rosterd::sources::graph::GraphSource;
use rosterd::sources::graph::GroupsNeed;

use crate::graph_tenant::ASSIGNED;
use crate::graph_tenant::Canned;
use crate::graph_tenant::DEFAULT;
use crate::graph_tenant::failure;
use crate::graph_tenant::fresh;
use crate::graph_tenant::id;
use crate::graph_tenant::row;
use crate::graph_tenant::user;
use crate::graph_tenant::users_list;
use crate::graph_tenant::whole;
use crate::graph_tenant::with_latest;

/// Everything that a cycle reads: the names of the reads, what they showed, what they proved.
#[derive(Default)]
struct Run {
    names: Vec<String>,
    lines: Vec<String>,
    covered: Vec<(Collection, Coverage)>,
    notes: Vec<String>,
}

async fn run(source: &GraphSource, watermarks: &mut Watermarks, reading: Reading) -> Run {
    let mut run = Run::default();
    let mut open: VecDeque<_> = source.reads(watermarks, reading, Timestamp::UNIX_EPOCH).into();
    while let Some(read) = open.pop_front() {
        let name = read.name.clone();
        let read = whole(source, read).await.unwrap();
        run.names.push(name.clone());
        run.lines.extend(read.lines);
        run.covered.extend(read.covered);
        run.notes.extend(read.notes);
        open.extend(read.further);
        watermarks.extend(read.watermark.map(|watermark| (name, watermark)));
    }
    run
}

fn ids(ids: &[&str]) -> GroupsNeed {
    GroupsNeed::Ids(ids.iter().map(|one| id(one)).collect::<BTreeSet<_>>())
}

fn source(graph: &Canned, change: impl FnOnce(&mut GraphSettings)) -> GraphSource {
    let mut settings = GraphSettings { groups: ids(&[]), ..graph.settings() };
    change(&mut settings);
    GraphSource::new(settings).unwrap()
}

/// The first round of a stream.
fn stream(ids: &[&str]) -> String {
    let clauses: Vec<String> = ids.iter().map(|id| format!("id eq '{id}'")).collect();
    let fields = "id,displayName,description,mail,mailNickname,securityEnabled,groupTypes,visibility,members";
    format!("GET /groups/delta?$filter={}&$select={fields}", clauses.join(" or "))
}

fn group(id: &str, members: &[(&str, &str)]) -> Value {
    let member =
        |(kind, id): &(&str, &str)| json!({"@odata.type": format!("#microsoft.graph.{kind}"), "id": id});
    json!({"id": id, "displayName": id, "members@delta": members.iter().map(member).collect::<Vec<_>>()})
}

fn ended(token: &str, groups: &[Value]) -> Value {
    json!({"@odata.deltaLink": format!("{{root}}/groups/delta?$deltatoken={token}"), "value": groups})
}

async fn tenant() -> Canned {
    with_latest(Canned::start().await).on(&users_list(), 200, json!({"value": [user("u1", true)]})).on(
        "GET /users/delta?$deltatoken=now",
        200,
        json!({"@odata.deltaLink": "{root}/users/delta?$deltatoken=now", "value": []}),
    )
}

#[tokio::test]
async fn where_nobody_needs_a_group_no_group_is_read() {
    let graph = tenant().await.on(ASSIGNED, 200, json!({"value": [row("u1", "User", DEFAULT)]}));
    let assigned = source(&graph, |settings| settings.app = Some(id("app-1")));
    let read = run(&assigned, &mut Watermarks::new(), Reading::Full).await;
    assert_eq!(read.names, ["assignments:app-1", "users"]);
    let everybody = source(&graph, |_| {});
    assert_eq!(run(&everybody, &mut Watermarks::new(), Reading::Full).await.names, ["users"]);
}

#[tokio::test]
async fn assigned_groups_and_chosen_ids_are_a_stream_of_their_own() {
    let graph = tenant()
        .await
        .on(ASSIGNED, 200, json!({"value": [row("g2", "Group", DEFAULT), row("g1", "Group", "r1")]}))
        .on(
            &stream(&["g1", "g2", "g3"]),
            200,
            ended("a", &[group("g1", &[("user", "u1")]), group("g2", &[]), group("g3", &[])]),
        )
        .on("GET /groups/delta?$deltatoken=a", 200, ended("b", &[]));
    let source = source(&graph, |settings| {
        settings.app = Some(id("app-1"));
        settings.groups = ids(&["g3"]);
    });
    let mut watermarks = Watermarks::new();
    let first = run(&source, &mut watermarks, Reading::Incremental).await;
    assert_eq!(first.names, ["assignments:app-1", "users", "groups:1"]);
    let whole = |name: &str| (Collection::Members(id(name)), Coverage::Full);
    assert_eq!(
        first.covered[2..],
        [whole("g1"), whole("g2"), whole("g3")],
        "of other groups nothing is proved"
    );
    let before = source.requests();
    let quiet = run(&source, &mut watermarks, Reading::Incremental).await;
    assert_eq!(quiet.names, ["assignments:app-1", "users", "groups:1"]);
    assert_eq!(source.requests() - before, 3);
    assert!(watermarks["groups:1"].contains("deltatoken=b"));
}

#[tokio::test]
async fn a_newly_assigned_group_begins_a_stream_and_leaves_the_other_one_alone() {
    let assigned = |groups: &[&str]| {
        let rows: Vec<Value> = groups.iter().map(|group| row(group, "Group", DEFAULT)).collect();
        json!({ "value": rows })
    };
    let graph = tenant()
        .await
        .on(ASSIGNED, 200, assigned(&["g1"]))
        .on(ASSIGNED, 200, assigned(&["g1", "g2"]))
        .on(ASSIGNED, 200, assigned(&["g2"]))
        .on(&stream(&["g1"]), 200, ended("a", &[group("g1", &[])]))
        .on(&stream(&["g2"]), 200, ended("b", &[group("g2", &[("user", "u1")])]))
        .on("GET /groups/delta?$deltatoken=a", 200, ended("a", &[]))
        .on("GET /groups/delta?$deltatoken=b", 200, ended("b", &[]));
    let source = source(&graph, |settings| settings.app = Some(id("app-1")));
    let mut watermarks = Watermarks::new();
    run(&source, &mut watermarks, Reading::Incremental).await;
    let second = run(&source, &mut watermarks, Reading::Incremental).await;
    assert_eq!(second.names[2..], ["groups:1", "groups:2"]);
    assert_eq!(second.lines[2..], ["group g2 (Enabled)", "group g2 has user u1"]);
    let third = run(&source, &mut watermarks, Reading::Incremental).await;
    assert_eq!(third.names[2..], ["groups:2"], "nobody needs the first group any more");
    let full = run(&source, &mut watermarks, Reading::Full).await;
    assert_eq!(full.names[2..], ["groups:1"], "a full read divides anew");
    let last = run(&source, &mut watermarks, Reading::Incremental).await;
    assert_eq!(last.names[2..], ["groups:1"], "watermarks of the older division are dead");
}

#[tokio::test]
async fn groups_in_groups_are_followed_and_a_circle_ends() {
    let graph = tenant()
        .await
        .on(&stream(&["g1"]), 200, ended("a", &[group("g1", &[("group", "g2"), ("user", "u1")])]))
        .on(&stream(&["g2"]), 200, ended("b", &[group("g2", &[("group", "g3")])]))
        .on(&stream(&["g3"]), 200, ended("c", &[group("g3", &[("group", "g1")])]))
        .on("GET /groups/delta?$deltatoken=a", 200, ended("a", &[]))
        .on("GET /groups/delta?$deltatoken=b", 200, ended("b", &[]))
        .on("GET /groups/delta?$deltatoken=c", 200, ended("c", &[]));
    let nested = source(&graph, |settings| {
        settings.groups = ids(&["g1"]);
        settings.nested = true;
    });
    let mut watermarks = Watermarks::new();
    let first = run(&nested, &mut watermarks, Reading::Incremental).await;
    assert_eq!(first.names, ["users", "groups:1", "groups:2", "groups:3"]);
    let quiet = run(&nested, &mut watermarks, Reading::Incremental).await;
    assert_eq!(quiet.names, ["users", "groups:1", "groups:2", "groups:3"]);
    let flat = source(&graph, |settings| settings.groups = ids(&["g1"]));
    assert_eq!(run(&flat, &mut Watermarks::new(), Reading::Full).await.names, ["users", "groups:1"]);
}

#[tokio::test]
async fn a_chosen_group_that_the_stream_does_not_show_is_asked_for() {
    let select = "id,displayName,description,mail,mailNickname,securityEnabled,groupTypes,visibility";
    let graph = tenant()
        .await
        .on(&stream(&["g1", "g2", "g3", "g4"]), 200, ended("a", &[group("g1", &[])]))
        .on("GET /directory/deletedItems/g2?$select=id", 200, json!({"id": "g2"}))
        .on("GET /directory/deletedItems/g3?$select=id", 403, failure("Authorization_RequestDenied"))
        .on(&format!("GET /groups/g4?$select={select}"), 200, json!({"id": "g4", "displayName": "Late"}))
        .on(
            "GET /groups/g4/members?$select=id&$top=999",
            200,
            json!({"value": [{"@odata.type": "#microsoft.graph.user", "id": "u1"}]}),
        );
    let source = source(&graph, |settings| settings.groups = ids(&["g1", "g2", "g3", "g4"]));
    let read = run(&source, &mut Watermarks::new(), Reading::Full).await;
    assert_eq!(read.names, ["users", "groups:1", "members:g4"]);
    assert_eq!(
        read.lines[1..],
        ["group g1 (Enabled)", "group g4 (Enabled)", "group g2 (SoftDeleted)", "group g4 has user u1"]
    );
    assert_eq!(read.notes, ["groups that the scope names are not in the directory: g2, g3"]);
    assert!(read.covered.contains(&(Collection::Members(id("g3")), Coverage::Full)), "a witness is asked");
}

#[tokio::test]
async fn a_filter_is_a_list_and_its_groups_are_followed() {
    let filter = "startswith(displayName,'app-')";
    let list = List::GroupFilter(filter.to_owned());
    let name = format!("assignments:{}", list.id());
    let graph = tenant()
        .await
        .on(
            &format!("GET /groups?$filter={filter}&$select=id,displayName&$top=999"),
            200,
            json!({"@odata.nextLink": "{root}/groups?p=2", "value": [{"id": "g1", "displayName": "app-1"}]}),
        )
        .on("GET /groups?p=2", 200, json!({"value": [{"id": "g2", "displayName": "app-2"}]}))
        .on(&stream(&["g1", "g2"]), 200, ended("a", &[group("g1", &[]), group("g2", &[])]));
    let source = source(&graph, |settings| settings.lists = vec![list.clone()]);
    let read = run(&source, &mut Watermarks::new(), Reading::Full).await;
    assert_eq!(read.names, [name.as_str(), "users", "groups:1"]);
    let held = |group: &str| format!("app {} has group {group}", list.id());
    assert_eq!(read.lines[..2], [held("g1"), held("g2")]);
    assert_eq!(read.covered[0], (Collection::Assignments(list.id()), Coverage::Full));
    assert!(!graph.asked().iter().any(|asked| asked.contains("eventual")));
}

async fn filtered(graph: &Canned, filter: &str) -> Result<Vec<String>, SourceError> {
    let list = List::UserFilter(filter.to_owned());
    let source = source(graph, |settings| settings.lists = vec![list.clone()]);
    let read = fresh(&source, &format!("assignments:{}", list.id())).await?;
    Ok(read.lines.iter().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn an_advanced_filter_says_so_on_every_page() {
    let filter = "department ne 'Sales'";
    let route = format!("GET /users?$filter={filter}&$select=id&$top=999&$count=true");
    let graph = Canned::start()
        .await
        .on(&route, 200, json!({"@odata.nextLink": "{root}/users?$count=true&p=2", "value": [{"id": "u1"}]}))
        .on("GET /users?$count=true&p=2", 200, json!({"value": [{"id": "u2"}]}));
    assert_eq!(filtered(&graph, filter).await.unwrap(), ["u1", "u2"]);
    assert_eq!(
        graph.asked(),
        [format!("{route} (eventual)"), "GET /users?$count=true&p=2 (eventual)".to_owned()]
    );
}

#[tokio::test]
async fn a_filter_that_the_plain_form_cannot_answer_is_asked_in_the_advanced_one() {
    let filter = "city eq 'Bonn' and startswith(jobTitle,'A')";
    let plain = format!("GET /users?$filter={filter}&$select=id&$top=999");
    let graph = Canned::start().await.on(&plain, 400, failure("Request_UnsupportedQuery")).on(
        &format!("{plain}&$count=true"),
        200,
        json!({"value": [{"id": "u1"}]}),
    );
    assert_eq!(filtered(&graph, filter).await.unwrap(), ["u1"]);
}

#[tokio::test]
async fn a_long_filter_goes_in_pieces_of_fifteen_alternatives_in_one_batch() {
    let clauses: Vec<String> = (0..20).map(|n| format!("department eq 'D{n}'")).collect();
    let route =
        |clauses: &[String]| format!("GET /users?$filter={}&$select=id&$top=999", clauses.join(" or "));
    let graph = Canned::start()
        .await
        .on(
            &route(&clauses[..15]),
            200,
            json!({"@odata.nextLink": "{root}/users?p=2", "value": [{"id": "u1"}]}),
        )
        .on(&route(&clauses[15..]), 200, json!({"value": [{"id": "u2"}]}))
        .on("GET /users?p=2", 200, json!({"value": [{"id": "u3"}]}));
    let mut found = filtered(&graph, &clauses.join(" or ")).await.unwrap();
    found.sort();
    assert_eq!(found, ["u1", "u2", "u3"]);
    assert_eq!(graph.asked()[0], "POST /$batch");

    let long = format!("department eq '{}'", "x".repeat(2000));
    let graph = Canned::start().await.on(
        &format!("GET /users?$filter={long}&$select=id&$top=999"),
        200,
        json!({"value": [{"id": "u1"}]}),
    );
    assert_eq!(filtered(&graph, &long).await.unwrap(), ["u1"]);
    assert_eq!(graph.asked()[0], "POST /$batch");
}

#[tokio::test]
async fn a_refused_filter_is_told_to_who_wrote_it() {
    let refusal = json!({"error": {"code": "Request_UnsupportedQuery",
        "message": "Unsupported or invalid query filter clause specified for property 'skills' of resource 'User'."}});
    let filter = "skills eq 'x'";
    let plain = format!("GET /users?$filter={filter}&$select=id&$top=999");
    let graph = Canned::start().await.on(&plain, 400, refusal.clone()).on(
        &format!("{plain}&$count=true"),
        400,
        refusal,
    );
    assert_eq!(
        filtered(&graph, filter).await.unwrap_err().to_string(),
        "the filter at scope.users.filter was refused: Request_UnsupportedQuery: Unsupported or invalid query filter \
         clause specified for property 'skills' of resource 'User'.; write it as Graph's $filter takes it, such as \
         department eq 'Sales'"
    );
}
