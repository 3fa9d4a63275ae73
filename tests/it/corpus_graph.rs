//! Recorded and published answers of Microsoft Graph, played through the connector as they are.
//!
//! Hosts in links are rewritten to the replaying server's; any other change is said where it is made.

use serde_json::Value;
use serde_json::json;

use rosterd::model::Collection;
use rosterd::model::Container;
use rosterd::model::Coverage;
use rosterd::model::Next;
use rosterd::model::Watermarks;
use rosterd::model::WitnessAnswer;
use rosterd::model::WitnessQuestion;
use rosterd::scim::Kind;
use rosterd::sources::Source;
use rosterd::sources::SourceError;

use crate::corpus_graph_files::Corpus;
use crate::corpus_graph_files::THROTTLED;
use crate::corpus_graph_files::delta;
use crate::corpus_graph_files::next;
use crate::corpus_graph_files::objects;
use crate::corpus_graph_files::text;
use crate::graph_tenant::Canned;
use crate::graph_tenant::GROUPS;
use crate::graph_tenant::fresh;
use crate::graph_tenant::from_link;
use crate::graph_tenant::id;
use crate::graph_tenant::line;
use crate::graph_tenant::one_user;
use crate::graph_tenant::read_named;
use crate::graph_tenant::users_list;
use crate::graph_tenant::whole;
use crate::graph_tenant::with_latest;

/// A list of groups ends as a delta round: the connector reads groups no other way.
fn ended(mut body: Value) -> Value {
    body["@odata.deltaLink"] = json!("{root}/groups/delta?$deltatoken=end");
    body
}

/// The documentation's users have no userPrincipalName, which every real user has; one is given to them.
fn named(user: &Value) -> Value {
    let mut user = user.clone();
    user["userPrincipalName"] = json!("someone@example.com");
    user
}

#[tokio::test]
async fn groups_delta_of_the_documentation_is_played_round_by_round() {
    let Some(corpus) = Corpus::open() else { return };
    let pages = ["057", "058", "059"].map(|number| corpus.body(number));
    let (quiet, changed) = (corpus.body("060"), corpus.body("061"));
    let graph = Canned::start()
        .await
        .on(GROUPS, 200, pages[0].clone())
        .on(&next(&pages[0]), 200, pages[1].clone())
        .on(&next(&pages[1]), 200, pages[2].clone())
        .on(&delta(&pages[2]), 200, quiet.clone())
        .on(&delta(&quiet), 200, changed);
    let source = graph.source(None);

    let first = fresh(&source, "groups").await.unwrap();
    assert_eq!(
        first.lines,
        [
            "group c2f798fd-f95d-4623-8824-63aec21fffff (Enabled)",
            "group c2f798fd-f95d-4623-8824-63aec21fffff has user 693acd06-2877-4339-8ade-b704261fe7a0",
            "group c2f798fd-f95d-4623-8824-63aec21fffff has user 49320844-be99-4164-8167-87ff5d047ace",
            "group ec22655c-8eb2-432a-b4ea-8b8a254bffff (Enabled)",
            "group 2e5807ce-58f3-4a94-9b37-ffff2e085957 (Enabled)",
            "group 2e5807ce-58f3-4a94-9b37-ffff2e085957 has user 632f6bb2-3ec8-4c1f-9073-0027a8c68593",
            "group 421e797f-9406-4934-b778-4908421e3505 (Enabled)",
            "group 421e797f-9406-4934-b778-4908421e3505 has user 3c8ac7c4-d365-4df9-abfa-356a9dd7763c",
            "group 421e797f-9406-4934-b778-4908421e3505 has user 49320844-be99-4164-8167-87ff5d047ace",
            "group bed7f0d4-750e-4e7e-ffff-169002d06fc9 (Enabled)",
            "group 421e797f-9406-ffff-b778-4908421e3505 (Enabled)",
        ]
    );
    assert_eq!(
        first.covered,
        [(Collection::Groups, Coverage::Full), (Collection::AllMembers, Coverage::Full)]
    );
    assert_eq!(text(objects(&first.records)[0], "description"), "Employees in test group 1");

    let watermarks: Watermarks = [("groups".to_owned(), first.watermark.unwrap())].into();
    let second = whole(&source, read_named(&source, "groups", &watermarks)).await.unwrap();
    assert!(second.lines.is_empty());
    assert_eq!(second.covered[0], (Collection::Groups, Coverage::Changes));

    let watermarks: Watermarks = [("groups".to_owned(), second.watermark.unwrap())].into();
    let third = whole(&source, read_named(&source, "groups", &watermarks)).await.unwrap();
    assert_eq!(
        third.lines,
        [
            "group 2e5807ce-58f3-4a94-9b37-ffff2e085957 (Enabled)",
            "no more: group 2e5807ce-58f3-4a94-9b37-ffff2e085957 has user 632f6bb2-3ec8-4c1f-9073-0027a8c6859",
            "group 2e5807ce-58f3-4a94-9b37-ffff2e085957 has user 37de1ae3-408f-4702-8636-20824abda004",
        ]
    );
    assert_eq!(text(objects(&third.records)[0], "description"), "A test group for change tracking");
}

/// The documentation writes the same placeholder for both next links, so its second page points to itself: the
/// cursors are equal, and whoever follows them can see the circle.
#[tokio::test]
async fn slices_of_a_large_group_are_merged_and_a_circle_shows_in_the_cursor() {
    let Some(corpus) = Corpus::open() else { return };
    let (one, two) = (corpus.body("062"), corpus.body("063"));
    let graph = Canned::start().await.on(GROUPS, 200, one.clone()).on(&next(&one), 200, two);
    let source = graph.source(None);
    let mut read = read_named(&source, "groups", &Watermarks::new());
    let mut lines = Vec::new();
    let mut cursors = Vec::new();
    for _ in 0..2 {
        let page = source.page(&read).await.unwrap();
        lines.extend(page.records.iter().map(line));
        let Next::Page(cursor) = page.next else { panic!("there is a next link") };
        cursors.push(cursor.clone());
        read.cursor = cursor;
    }
    let group = "group 2e5807ce-58f3-4a94-9b37-ffff2e085957";
    assert_eq!(
        lines,
        [
            format!("{group} (Enabled)"),
            format!("no more: {group} has user 632f6bb2-3ec8-4c1f-9073-0027a8c6859"),
            format!("{group} has user 37de1ae3-408f-4702-8636-20824abda004"),
            format!("{group} (Enabled)"),
            format!("no more: {group} has user c08a463b-7b8a-40a4-aa31-f9bf690b9551"),
            format!("{group} has user 23423fa6-821e-44b2-aae4-d039d33884c2"),
        ]
    );
    assert_eq!(cursors[0], cursors[1]);
}

#[tokio::test]
async fn users_delta_of_the_documentation_is_played_round_by_round() {
    let Some(corpus) = Corpus::open() else { return };
    let pages = ["064", "065", "066"].map(|number| corpus.body(number));
    let (quiet, changed) = (corpus.body("067"), corpus.body("068"));
    let mut graph = Canned::start()
        .await
        .on("GET /users/delta?$deltatoken=0", 200, pages[0].clone())
        .on(&next(&pages[0]), 200, pages[1].clone())
        .on(&next(&pages[1]), 200, pages[2].clone())
        .on(&delta(&pages[2]), 200, quiet)
        .on(&delta(&pages[2]), 200, changed.clone());
    for page in pages.iter().chain([&changed]) {
        for user in page["value"].as_array().unwrap().iter().filter(|user| user.get("@removed").is_none()) {
            graph = graph.on(&one_user(user["id"].as_str().unwrap()), 200, named(user));
        }
    }
    let source = graph.source(None);

    let link = format!("{}/v1.0/users/delta?$deltatoken=0", graph.root);
    let first = from_link(&source, "users", &link).await.unwrap();
    assert_eq!(first.covered, [(Collection::Users, Coverage::Changes)]);
    let mut names: Vec<&str> = objects(&first.records).iter().map(|user| text(user, "displayName")).collect();
    names.sort_unstable();
    assert_eq!(names, ["Testuser1", "Testuser2", "Testuser3", "Testuser4", "Testuser5", "Testuser6"]);

    // Both documented rounds start from the same link: the quiet one is played first.
    let link = delta(&pages[2]).replace("GET ", &format!("{}/v1.0", graph.root));
    assert!(from_link(&source, "users", &link).await.unwrap().lines.is_empty());
    let third = from_link(&source, "users", &link).await.unwrap();
    assert_eq!(
        third.lines,
        [
            "user 8ffff70c-1c63-4860-b963-e34ec660931d (SoftDeleted)",
            "user 25dcffff-959e-4ece-9973-e5d9b800e8cc (Enabled)",
        ]
    );
    assert_eq!(text(objects(&third.records)[0], "displayName"), "Testuser7");
}

/// The published examples of `return=minimal` and of a whole group leave out the id: nothing can be made of
/// them, and nothing may follow from it.
#[tokio::test]
async fn items_without_an_id_are_left_out_and_prove_nothing() {
    let Some(corpus) = Corpus::open() else { return };
    let (body, end) =
        (corpus.body("069"), json!({"value": [], "@odata.deltaLink": "{root}/users/delta?$deltatoken=2"}));
    let graph = Canned::start().await.on("GET /users/delta?$deltatoken=1", 200, body.clone()).on(
        &next(&body),
        200,
        end,
    );
    let link = format!("{}/v1.0/users/delta?$deltatoken=1", graph.root);
    let users = from_link(&graph.source(None), "users", &link).await.unwrap();
    assert!(users.records.is_empty());
    assert_eq!((users.covered, users.watermark), (vec![(Collection::Users, Coverage::Partial)], None));

    for number in ["070", "071"] {
        let body = corpus.body(number);
        let end = json!({"value": [], "@odata.deltaLink": "{root}/groups/delta?$deltatoken=2"});
        let graph = Canned::start().await.on(GROUPS, 200, body.clone()).on(&next(&body), 200, end);
        let groups = fresh(&graph.source(None), "groups").await.unwrap();
        assert!(groups.records.is_empty(), "{number}");
        assert_eq!(groups.covered[0], (Collection::Groups, Coverage::Partial), "{number}");
    }
    let graph = with_latest(Canned::start().await).on(&users_list(), 200, corpus.body("080"));
    let users = fresh(&graph.source(None), "users").await.unwrap();
    assert!(users.records.is_empty());
    assert_eq!(users.covered, [(Collection::Users, Coverage::Partial)]);
}

#[tokio::test]
async fn rows_of_groups_are_decoded_whole() {
    let Some(corpus) = Corpus::open() else { return };
    for (number, names) in [
        ("001", vec![]),
        ("030", vec![]),
        ("003", vec!["testgroup000001"]),
        ("031", vec!["azure-cli-test-group+/000001"]),
        ("053", vec!["Test Security Group 2", "Test Group 6", "Test Security Group", "Test Group 3"]),
        ("082", vec!["Golf Assist"]),
    ] {
        let graph = Canned::start().await.on(GROUPS, 200, ended(corpus.body(number)));
        let groups = fresh(&graph.source(None), "groups").await.unwrap();
        let shown: Vec<&str> =
            objects(&groups.records).iter().map(|group| text(group, "displayName")).collect();
        assert_eq!(&shown[..names.len()], names, "{number}");
        let rows = corpus.body(number)["value"].as_array().unwrap().len();
        assert_eq!((shown.len(), groups.covered[0].1), (rows, Coverage::Full), "{number}");
    }
    // A group that changed without its name is read whole: the recorded group, its nulls left out.
    let body = corpus.body("004");
    let at = body["id"].as_str().unwrap();
    let select = GROUPS.trim_start_matches("GET /groups/delta?").trim_end_matches(",members");
    let graph = Canned::start()
        .await
        .on("GET /groups/delta?$deltatoken=1", 200, ended(json!({"value": [{"id": at}]})))
        .on(&format!("GET /groups/{at}?{select}"), 200, body.clone());
    let link = format!("{}/v1.0/groups/delta?$deltatoken=1", graph.root);
    let groups = from_link(&graph.source(None), "groups", &link).await.unwrap();
    let group = objects(&groups.records)[0];
    assert_eq!((group.id.0.as_str(), text(group, "mailNickname")), (at, "deleteme11"));
    assert!(!group.attributes.contains_key("mail") && !group.attributes.contains_key("groupTypes"));
}

#[tokio::test]
async fn a_recorded_page_of_groups_leads_to_the_next_as_it_says() {
    let Some(corpus) = Corpus::open() else { return };
    let page = corpus.body("050");
    assert!(
        next(&page).contains("$select=id%2cdisplayName%2ccreatedDateTime%2cgroupTypes&$top=3&$skiptoken=")
    );
    let graph = Canned::start().await.on(GROUPS, 200, page);
    let source = graph.source(None);
    let groups = source.page(&read_named(&source, "groups", &Watermarks::new())).await.unwrap();
    let shown: Vec<&str> = objects(&groups.records).iter().map(|group| text(group, "displayName")).collect();
    assert_eq!(shown, ["Example Group 1", "Example Group 2", "Example Group 3"]);
    let Next::Page(cursor) = groups.next else { panic!("there is a next link") };
    assert!(cursor.0.contains("$select=id%2cdisplayName%2ccreatedDateTime%2cgroupTypes&$top=3&$skiptoken="));
}

#[tokio::test]
async fn recorded_assignments_are_edges_and_witnesses() {
    let Some(corpus) = Corpus::open() else { return };
    let graph = Canned::start().await.on(
        "GET /servicePrincipals(appId='app-1')/appRoleAssignedTo?$top=999",
        200,
        corpus.body("073"),
    );
    let assigned = fresh(&graph.source(Some("app-1")), "assignments:app-1").await.unwrap();
    assert_eq!(assigned.lines, ["app app-1 has user cdb555e3-b33e-4fd5-a427-17fadacbdfa7"]);
    assert_eq!(assigned.covered[0].1, Coverage::Full);

    let (person, group) = ("cdb555e3-b33e-4fd5-a427-17fadacbdfa7", "7679d9a4-2323-44cd-b5c2-673ec88d8b12");
    let held = |principal, kind| {
        let container = Container::App(id("app-1"));
        [WitnessQuestion::Held { container, principal: id(principal), kind }]
    };
    let no_row =
        || WitnessAnswer::Absent("no row of the application among the principal's own assignments".into());
    for (principal, person_is, group_is) in [
        ("8e881353-1735-45af-af21-ee1344582a4d", WitnessAnswer::Present, no_row()),
        ("076e8b57-bac8-49d7-9396-e3449b685055", no_row(), WitnessAnswer::Present),
    ] {
        let graph = Canned::start()
            .await
            .on("GET /servicePrincipals(appId='app-1')?$select=id", 200, json!({"id": principal}))
            .on(&format!("GET /users/{person}/appRoleAssignments?$top=999"), 200, corpus.body("075"))
            .on(&format!("GET /groups/{group}/appRoleAssignments?$top=999"), 200, corpus.body("074"));
        let source = graph.source(Some("app-1"));
        assert_eq!(source.witness(&held(person, Kind::User)).await.unwrap(), [person_is]);
        assert_eq!(source.witness(&held(group, Kind::Group)).await.unwrap(), [group_is]);
    }
}

#[tokio::test]
async fn recorded_memberships_are_witnesses() {
    let Some(corpus) = Corpus::open() else { return };
    for (number, answer) in [
        ("008", WitnessAnswer::Present),
        ("009", WitnessAnswer::Present),
        ("014", WitnessAnswer::Absent("checkMemberGroups does not name the group".into())),
    ] {
        let exchange = corpus.exchange(number);
        let group = exchange["request"]["body"]["groupIds"][0].as_str().unwrap();
        let graph = Canned::start()
            .await
            .on(&format!("GET /groups/{group}?$select=id,visibility"), 200, json!({"id": group}))
            .on("POST /groups/leaf/checkMemberGroups", 200, corpus.body(number));
        let question = WitnessQuestion::Held {
            container: Container::Group(id(group)),
            principal: id("leaf"),
            kind: Kind::Group,
        };
        assert_eq!(graph.source(None).witness(&[question]).await.unwrap(), [answer], "{number}");
    }
    let gone = "a3f6c606-38ec-42d7-8c0e-d4ecaf0d9d61";
    for (number, answer) in [
        ("004", WitnessAnswer::Present),
        ("020", WitnessAnswer::Absent("404, and not in the recycle bin".into())),
    ] {
        let (status, body) = corpus.answer(number);
        let graph = Canned::start().await.on(&format!("GET /groups/{gone}?$select=id"), status, body);
        let question = WitnessQuestion::Exists { id: id(gone), kind: Kind::Group };
        assert_eq!(graph.source(None).witness(&[question]).await.unwrap(), [answer], "{number}");
    }
}

#[tokio::test]
async fn recorded_service_principals_are_found_missing_or_forbidden() {
    let Some(corpus) = Corpus::open() else { return };
    let permission = "Application.Read.All";
    for (number, text, cure) in [
        ("034", "app-1 (azure-cli-test000001), people who are not assigned may sign in too", ""),
        ("046", "app-1 (az-rest-test-app000001), people who are not assigned may sign in too", ""),
        ("083", "app-1 (My app instance in tenant), only assigned people may sign in", ""),
        ("038", "the tenant has no enterprise application with the application id app-1", "Application ID"),
        ("045", "the tenant has no enterprise application with the application id app-1", "Application ID"),
        ("043", "403 Authorization_RequestDenied (request 3ca3abb1-c654-40b2-92da-35797e532ed1)", permission),
    ] {
        let (status, body) = corpus.answer(number);
        let fields = "id,displayName,accountEnabled,appRoleAssignmentRequired";
        let graph = Canned::start().await.on(
            &format!("GET /servicePrincipals(appId='app-1')?$select={fields}"),
            status,
            body,
        );
        let findings = graph.source(Some("app-1")).check().await;
        let finding = findings.iter().find(|finding| finding.subject == "application").unwrap();
        assert!(finding.text.ends_with(text), "{number}: {}", finding.text);
        assert!(finding.cure.contains(cure) && finding.cure.is_empty() == cure.is_empty(), "{number}");
    }
    for number in ["038", "045", "043"] {
        let (status, body) = corpus.answer(number);
        let graph = Canned::start().await.on(
            "GET /servicePrincipals(appId='app-1')/appRoleAssignedTo?$top=999",
            status,
            body,
        );
        let error = fresh(&graph.source(Some("app-1")), "assignments:app-1").await.unwrap_err();
        assert!(matches!(error, SourceError::Refused { .. }), "{number}: never an empty list");
    }
}

#[tokio::test]
async fn a_property_outside_the_directory_is_refused_with_its_cure() {
    let Some(corpus) = Corpus::open() else { return };
    let (status, body) = corpus.answer("086");
    assert_eq!(status, 501);
    let graph = with_latest(Canned::start().await).on(&users_list(), status, body);
    let error = fresh(&graph.source(None), "users").await.unwrap_err().to_string();
    assert!(error.contains("/v1.0/users was answered 501 NotImplemented"), "{error}");
    assert!(
        error.ends_with("check the attributes of this source; where they are right, report it"),
        "{error}"
    );
}

/// The parts of the documentation count from 1 and ours from 0; nothing else is changed.
#[tokio::test]
async fn answers_of_a_batch_find_their_questions_in_any_order() {
    let Some(corpus) = Corpus::open() else { return };
    let mut body = corpus.body("087");
    for response in body["responses"].as_array_mut().unwrap() {
        let number: usize = response["id"].as_str().unwrap().parse().unwrap();
        response["id"] = json!((number - 1).to_string());
    }
    let graph = Canned::start().await.on("POST /$batch", 200, body);
    let questions =
        ["a", "b", "c", "d"].map(|name| WitnessQuestion::Exists { id: id(name), kind: Kind::Group });
    let said = |text: &str| WitnessAnswer::CannotSay(format!("Graph {text}"));
    let answers = graph.source(None).witness(&questions).await.unwrap();
    let refused = "refuses the question (401); it needs the application permission GroupMember.Read.All";
    let another = "answered with something else than what was asked for";
    assert_eq!(answers, [said("answered 302"), said(another), said(refused), said("answered 204")]);
}

#[tokio::test]
async fn a_recorded_429_is_waited_out_to_the_decimal() {
    let Some(corpus) = Corpus::open() else { return };
    let exchange = corpus.exchange(THROTTLED);
    let wait = exchange["response"]["headers"]["Retry-After"].as_str().unwrap();
    assert_eq!(wait, "2.128");
    let (status, body) = corpus.answer(THROTTLED);
    let graph = with_latest(Canned::start().await)
        .on_with(&users_list(), status, &[("Retry-After", wait)], body)
        .on(&users_list(), 200, json!({"value": []}));
    let begin = std::time::Instant::now();
    let users = fresh(&graph.source(None), "users").await.unwrap();
    assert!(begin.elapsed().as_secs_f64() >= 2.128);
    assert_eq!(users.covered, [(Collection::Users, Coverage::Full)]);
}
