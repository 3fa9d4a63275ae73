//! Pages by index and by cursor (RFC 7644 section 3.4.2.4, RFC 9865), sorted and not.

use rosterd::scim::Dialect;
use rosterd::server::Limits;
use rosterd::server::Settings;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;

use super::Got;
use super::Served;

async fn people(served: &Served, names: &[(&str, Option<&str>)]) {
    for (name, family) in names {
        let mut user = json!({ "userName": name });
        if let Some(family) = family {
            user["name"] = json!({ "familyName": family });
        }
        served.made("/Users", user).await;
    }
}

const FIVE: [(&str, Option<&str>); 5] =
    [("ann", Some("Lee")), ("bob", None), ("cyd", Some("ärger")), ("dee", Some("lee")), ("eve", Some("Zed"))];

fn names(got: &Got) -> Vec<String> {
    assert_eq!(got.status, 200, "{got:?}");
    let resources = got.body["Resources"].as_array().expect("a list");
    assert_eq!(got.body["itemsPerPage"], resources.len());
    resources
        .iter()
        .map(|one| one["userName"].as_str().or(one["displayName"].as_str()).expect("a name").to_owned())
        .collect()
}

/// All pages of a list, by cursor.
async fn pages(served: &Served, query: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let got = served.call("GET", &format!("{query}&cursor={cursor}"), None).await;
        pages.push(names(&got));
        assert_eq!(got.body.get("startIndex"), None, "a page by cursor has no index");
        match got.body["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return pages,
        }
        assert!(cursor.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)), "{cursor}");
        assert!(pages.len() < 20, "{query} has no end");
    }
}

#[tokio::test]
async fn lists_are_sorted_with_who_has_no_value_at_the_far_end() {
    let served = Served::start(Dialect::Strict).await;
    for (name, family) in FIVE {
        let mut user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
        if let Some(family) = family {
            user["name"] = json!({ "familyName": family });
        }
        served.made("/Users", user).await;
    }
    let sorted = async |query: &str| names(&served.call("GET", &format!("/Users?{query}"), None).await);
    // Equal keys are ordered by id.
    assert_eq!(sorted("sortBy=name.familyName").await, ["ann", "dee", "eve", "cyd", "bob"]);
    assert_eq!(
        sorted("sortBy=NAME.familyname&sortOrder=Descending").await,
        ["bob", "cyd", "eve", "ann", "dee"]
    );
    assert_eq!(sorted("sortBy=userName&sortOrder=descending&startIndex=2&count=2").await, ["dee", "cyd"]);
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "sortBy": "userName", "sortOrder": "descending", "count": 2});
    assert_eq!(names(&served.call("POST", "/Users/.search", Some(search)).await), ["eve", "dee"]);
    for query in ["sortBy=userName&sortOrder=up", "sortBy=..", "sortBy=shoeSize"] {
        let got = served.call("GET", &format!("/Users?{query}"), None).await;
        assert_eq!(got.refusal(), "400 invalidValue", "{query}");
    }
}

#[tokio::test]
async fn a_cursor_leads_through_a_list_once_whatever_comes_and_goes() {
    let served = Served::start(Dialect::Tolerant).await;
    people(&served, &FIVE).await;
    assert_eq!(pages(&served, "/Users?count=2").await, [vec!["ann", "bob"], vec!["cyd", "dee"], vec!["eve"]]);
    assert_eq!(
        pages(&served, "/Users?count=2&sortBy=name.familyName&sortOrder=descending").await,
        [vec!["bob", "cyd"], vec!["eve", "ann"], vec!["dee"]]
    );
    assert_eq!(
        pages(&served, "/Users?count=3&filter=name.familyName%20pr").await,
        [vec!["ann", "cyd", "dee"], vec!["eve"]]
    );
    assert_eq!(pages(&served, "/Users?count=5").await.len(), 1);

    let first = served.call("GET", "/Users?cursor&count=2", None).await;
    let next = first.body["nextCursor"].as_str().expect("a cursor");
    assert_eq!(first.body["totalResults"], 5);
    // The last of the first page leaves, somebody joins.
    let bob = served.ids("/Users?filter=userName%20eq%20%22bob%22").await;
    served.call("DELETE", &format!("/Users/{}", bob[0]), None).await;
    people(&served, &[("fay", None)]).await;
    let second = served.call("GET", &format!("/Users?cursor={next}&count=2"), None).await;
    assert_eq!(names(&second), ["cyd", "dee"]);
}

#[tokio::test]
async fn a_cursor_leads_from_one_resource_type_to_the_next() {
    let served = Served::start(Dialect::Tolerant).await;
    people(&served, &FIVE[..2]).await;
    served.made("/Groups", json!({"displayName": "Sales"})).await;
    let expected = [vec!["ann"], vec!["bob"], vec!["Sales"]];
    assert_eq!(pages(&served, "/?count=1").await, expected);
    let mut three = pages(&served, "/?count=2").await;
    three.retain(|page| !page.is_empty());
    assert_eq!(three, [vec!["ann", "bob"], vec!["Sales"]]);
    assert_eq!(pages(&served, "/?count=3").await.concat(), ["ann", "bob", "Sales"]);
    let first = served.call("GET", "/?count=1&cursor", None).await;
    assert_eq!(first.body["totalResults"], 3);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_query_of_its_own_tenant_alone() {
    let served = Served::start(Dialect::Tolerant).await;
    people(&served, &FIVE).await;
    let foreign = served.token(|wish| wish.workspace = "other".to_owned()).await;
    let colleague = served.token(|wish| wish.tenant = "other".to_owned()).await;
    let successor = served.token(|_| ()).await;
    let first = served.call("GET", "/Users?count=2&cursor=&sortBy=userName", None).await;
    let cursor = first.body["nextCursor"].as_str().expect("a cursor").to_owned();
    let query = format!("/Users?count=2&sortBy=userName&cursor={cursor}");
    let other = if cursor.starts_with('x') { 'y' } else { 'x' };
    let forged = format!("{other}{}", &cursor[1..]);
    let mut bodies = Vec::new();
    for (token, path) in [
        (&foreign, query.clone()),
        (&colleague, query.clone()),
        (&served.token, query.replace("sortBy=userName", "sortBy=title")),
        (&served.token, query.replace("&sortBy=userName", "")),
        (&served.token, format!("{query}&filter=userName%20pr")),
        (&served.token, format!("{query}&attributes=userName")),
        (&served.token, query.replace("/Users", "/Groups")),
        (&served.token, query.replace("/Users", "/")),
        (&served.token, format!("/Users?count=2&sortBy=userName&cursor={forged}")),
        (&served.token, "/Users?count=2&cursor=garbage".to_owned()),
    ] {
        let got = served.call_as(token, "GET", &path, None).await;
        assert_eq!(got.refusal(), "400 invalidCursor", "{path}");
        bodies.push(got.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "forged and foreign ones are answered alike: {bodies:?}");
    let other_count = served.call("GET", &query.replace("count=2", "count=3"), None).await;
    assert_eq!(other_count.refusal(), "400 invalidCount");
    let both = served.call("GET", &format!("{query}&startIndex=1"), None).await;
    assert_eq!(both.refusal(), "400 invalidValue");
    assert_eq!(
        names(&served.call_as(&successor, "GET", &query, None).await),
        ["cyd", "dee"],
        "the tenant's next token"
    );
    let reader = served.token(|wish| wish.rights = "users:write".parse().expect("rights")).await;
    assert_eq!(
        served.call_as(&reader, "GET", &query, None).await.refusal(),
        "403",
        "a cursor gives no right"
    );
}

#[tokio::test]
async fn an_old_cursor_says_that_it_is_old() {
    // The clock of these tests goes on by a minute each time that it is looked at.
    let limits = Limits { cursor_wait: Duration::from_secs(1), ..Limits::default() };
    let served = Served::with(Dialect::Tolerant, Settings { limits, ..Settings::default() }).await;
    people(&served, &FIVE).await;
    let first = served.call("GET", "/Users?count=2&cursor", None).await;
    let cursor = first.body["nextCursor"].as_str().expect("a cursor");
    let late = served.call("GET", &format!("/Users?count=2&cursor={cursor}"), None).await;
    assert_eq!(late.refusal(), "400 expiredCursor");
    let config = served.call("GET", "/ServiceProviderConfig", None).await.body;
    let expected = json!({"cursor": true, "index": true, "defaultPaginationMethod": "index",
        "defaultPageSize": 100, "maxPageSize": 500, "cursorTimeout": 1});
    assert_eq!(config["pagination"], expected);
}

#[tokio::test]
async fn a_page_by_index_stays_where_it_is_while_others_are_created() {
    let served = Served::start(Dialect::Tolerant).await;
    people(&served, &FIVE).await;
    let first = names(&served.call("GET", "/Users?startIndex=1&count=3", None).await);
    people(&served, &[("aaa", None), ("aab", None)]).await;
    let second = served.call("GET", "/Users?startIndex=4&count=3", None).await;
    assert_eq!([first, names(&second)].concat(), ["ann", "bob", "cyd", "dee", "eve", "aaa"]);
    assert_eq!((&second.body["startIndex"], &second.body["totalResults"]), (&json!(4), &json!(7)));
    let beyond = served.call("GET", "/Users?startIndex=999999999999", None).await;
    assert_eq!((names(&beyond).len(), &beyond.body["totalResults"]), (0, &json!(7)));
    for (query, count) in [("count=0", 0), ("count=-3", 0), ("count=99999999", 7), ("startIndex=-5", 7)] {
        assert_eq!(
            names(&served.call("GET", &format!("/Users?{query}"), None).await).len(),
            count,
            "{query}"
        );
    }
    for query in ["count=many", "count=1.5", "startIndex=first", "count="] {
        let got = served.call("GET", &format!("/Users?{query}"), None).await;
        assert_eq!(got.refusal(), "400 invalidValue", "{query}");
    }
}

#[tokio::test]
async fn a_search_request_says_what_it_is() {
    let strict = Served::start(Dialect::Strict).await;
    let wrong = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]});
    for path in ["/Users/.search", "/.search"] {
        assert_eq!(strict.call("POST", path, Some(wrong.clone())).await.refusal(), "400 invalidSyntax");
        assert_eq!(strict.call("POST", path, Some(Value::Null)).await.refusal(), "400 invalidSyntax");
        assert_eq!(strict.call("GET", path, None).await.refusal(), "405");
    }
}
