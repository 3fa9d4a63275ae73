//! Recorded lists of Microsoft Graph played through the reads that list: users, filters, members of one group.

use serde_json::Value;
use serde_json::json;

use rosterd::model::Collection;
use rosterd::model::Coverage;
use rosterd::model::List;
use rosterd::model::Standing;
use rosterd::sources::graph::GraphSettings;
use rosterd::sources::graph::GraphSource;

use crate::corpus_graph_files::Corpus;
use crate::corpus_graph_files::next;
use crate::corpus_graph_files::objects;
use crate::corpus_graph_files::rewritten;
use crate::corpus_graph_files::route;
use crate::corpus_graph_files::text;
use crate::graph_tenant::Canned;
use crate::graph_tenant::fresh;
use crate::graph_tenant::from_link;
use crate::graph_tenant::from_watermark;
use crate::graph_tenant::id;
use crate::graph_tenant::one_user;
use crate::graph_tenant::users_list;
use crate::graph_tenant::whole;
use crate::graph_tenant::with_latest;

/// The recorded lists show ids or few properties; played as the list of users they are what a missing
/// permission shows: every link is followed, nobody is taken, nothing is proved.
#[tokio::test]
async fn recorded_next_links_are_followed_to_the_last_page() {
    let Some(corpus) = Corpus::open() else { return };
    let (one, two) = (corpus.body("047"), corpus.body("049"));
    assert_eq!(next(&one), "GET /groups?$select=id&$top=1&$skiptoken=NEXTLINK_TOKEN_PLACEHOLDER");
    assert_eq!(next(&one), route(&rewritten(&corpus.exchange("049")["request"]["url"])));
    let graph =
        with_latest(Canned::start().await).on(&users_list(), 200, one.clone()).on(&next(&one), 200, two);
    let users = fresh(&graph.source(None), "users").await.unwrap();
    assert_eq!(graph.asked().last().unwrap(), &next(&one));
    assert_eq!(users.covered, [(Collection::Users, Coverage::Partial)]);
    assert_eq!(
        users.notes,
        ["2 users came without id or name and were left out; check the application permission User.Read.All"]
    );

    let page = corpus.body("054");
    let graph = with_latest(Canned::start().await).on(&users_list(), 200, page.clone()).on(
        &next(&page),
        200,
        json!({"value": []}),
    );
    fresh(&graph.source(None), "users").await.unwrap();
    assert!(graph.asked().last().unwrap().contains("$expand=manager(%24select%3did)"), "{:?}", graph.asked());
}

#[tokio::test]
async fn rows_of_users_are_decoded_whole() {
    let Some(corpus) = Corpus::open() else { return };
    for (number, name) in [
        ("029", "$azure-cli-test-user#000001@AzureSDKTeam.onmicrosoft.com"),
        ("042", "testuser000002@azuresdkteam.onmicrosoft.com"),
        ("081", "GradyA@contoso.com"),
    ] {
        let body = corpus.body(number);
        let row = body["value"][0].clone();
        // Nothing says in the list whether the account is enabled, so it is asked for by itself.
        let one = one_user(row["id"].as_str().unwrap());
        let graph = with_latest(Canned::start().await).on(&users_list(), 200, body).on(&one, 200, row);
        let users = fresh(&graph.source(None), "users").await.unwrap();
        let users = objects(&users.records);
        assert_eq!((users.len(), text(users[0], "userPrincipalName")), (1, name), "{number}");
        // Without accountEnabled nothing says that the account is disabled.
        assert_eq!(users[0].standing, Standing::Enabled, "{number}");
        assert!(!users[0].attributes.values().any(Value::is_null), "{number}");
    }
    for (number, name) in [
        ("024", "graphusertest000001@AzureSDKTeam.onmicrosoft.com"),
        ("028", "$azure-cli-test-user#000001@AzureSDKTeam.onmicrosoft.com"),
    ] {
        let body = corpus.body(number);
        let at = body["id"].as_str().unwrap();
        let round = json!({"value": [{"id": at}], "@odata.deltaLink": "{root}/users/delta?$deltatoken=2"});
        let graph = Canned::start().await.on("GET /users/delta?$deltatoken=1", 200, round).on(
            &one_user(at),
            200,
            body.clone(),
        );
        let link = format!("{}/v1.0/users/delta?$deltatoken=1", graph.root);
        let users = from_link(&graph.source(None), "users", &link).await.unwrap();
        let user = objects(&users.records)[0];
        assert_eq!((user.id.0.as_str(), text(user, "userPrincipalName")), (at, name), "{number}");
        assert_eq!(
            user.attributes.keys().collect::<Vec<_>>(),
            ["displayName", "userPrincipalName"],
            "{number}"
        );
    }
}

/// A group that comes back from the recycle bin has its members listed.
#[tokio::test]
async fn recorded_members_of_a_group_are_edges() {
    let Some(corpus) = Corpus::open() else { return };
    for (number, members) in [
        ("010", vec!["group 7fc3ad5e-575d-4aec-bcc2-957e983140fd"]),
        ("011", vec![]),
        ("016", vec!["user 973a162e-93aa-4e8e-889b-1f272920e64d"]),
        ("048", vec!["user pppppppp-qqqq-rrrr-ssss-tttttttttttt"]),
    ] {
        let body = corpus.body(number);
        let graph = Canned::start()
            .await
            .on(
                "GET /groups/delta?$deltatoken=1",
                200,
                json!({"@odata.deltaLink": "{root}/groups/delta?$deltatoken=2",
                    "value": [{"id": "g1", "displayName": "Back"}]}),
            )
            .on("GET /groups/g1/members?$select=id&$top=999", 200, body)
            .on("GET /groups/g1?$select=id,visibility", 200, json!({"id": "g1", "visibility": null}));
        let source = graph.source(None);
        let link = format!("{}/v1.0/groups/delta?$deltatoken=1", graph.root);
        let groups = from_watermark(&source, "groups", json!({"link": link, "gone": ["g1"]})).await.unwrap();
        let read = whole(&source, groups.further[0].clone()).await.unwrap();
        let expected: Vec<String> = members.iter().map(|member| format!("group g1 has {member}")).collect();
        assert_eq!(read.lines, expected, "{number}");
        assert_eq!(read.covered, [(Collection::Members(id("g1")), Coverage::Full)], "{number}");
    }
}

/// The recorded filters, written as an administrator would; the answers are the recorded ones.
#[tokio::test]
async fn recorded_filters_are_lists() {
    let Some(corpus) = Corpus::open() else { return };
    for (number, found) in
        [("001", 0), ("003", 1), ("030", 0), ("031", 1), ("029", 1), ("042", 1), ("053", 4), ("081", 1)]
    {
        let url = rewritten(&corpus.exchange(number)["request"]["url"]);
        let url = url::Url::parse(&url.as_str().unwrap().replace("{root}", "http://x")).unwrap();
        let filter = url.query_pairs().find(|(name, _)| name == "$filter").unwrap().1.into_owned();
        let users = url.path() == "/users";
        let (list, path) = match users {
            true => (List::UserFilter(filter.clone()), "/users"),
            false => (List::GroupFilter(filter.clone()), "/groups"),
        };
        let fields = if users { "id" } else { "id,displayName" };
        let count = if number == "081" { "&$count=true" } else { "" };
        let encoded = filter.replace('#', "%23").replace('+', "%2B").replace('/', "%2F");
        let graph = Canned::start().await.on(
            &format!("GET {path}?$filter={encoded}&$select={fields}&$top=999{count}"),
            200,
            corpus.body(number),
        );
        let settings = GraphSettings { lists: vec![list.clone()], ..graph.settings() };
        let source = GraphSource::new(settings).unwrap();
        let read = fresh(&source, &format!("assignments:{}", list.id())).await.unwrap();
        assert_eq!(read.lines.len(), found, "{number}: {:?}", graph.asked());
        assert_eq!(read.covered, [(Collection::Assignments(list.id()), Coverage::Full)], "{number}");
    }
}
