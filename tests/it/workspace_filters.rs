//! Filters over a workspace: SQL and the evaluator of values agree on random resources and random filters (SCIM
//! reference, F7-F14), and pages of any kind put together are the whole list (Q3-Q6).

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::Config;
use rosterd::scim::Dialect;
use rosterd::scim::Direction;
use rosterd::scim::Filter;
use rosterd::scim::Path;
use rosterd::scim::ResourceId;
use rosterd::scim::ResourceType;
use rosterd::scim::Sort;
use rosterd::scim::incoming;
use rosterd::store::Author;
use rosterd::store::ListQuery;
use rosterd::store::Listing;
use rosterd::store::Resource;
use rosterd::store::Store;
use rosterd::store::WriteAct;
use serde_json::Value;
use serde_json::json;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Few and similar, so that filters meet them: case, scripts, composition, wildcards of SQL, quotes.
const TEXTS: [&str; 12] = ["a", "A", "ä", "Ä", "A\u{308}", "ab", "b%", "b_", "_b", "a'b", "a\"b", "\\"];
const TYPES: [&str; 3] = ["work", "Work", "home"];

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(&TEXTS[..]).prop_map(str::to_owned)
}

fn element() -> impl Strategy<Value = Value> {
    let parts = (prop::option::of(text()), prop::option::of(prop::sample::select(&TYPES[..])), any::<bool>());
    parts.prop_filter_map("an element says something", |(value, kind, primary)| {
        let mut element = json!({});
        if let Some(value) = value {
            element["value"] = value.into();
        }
        if let Some(kind) = kind {
            element["type"] = kind.into();
        }
        if primary {
            element["primary"] = true.into();
        }
        (element != json!({})).then_some(element)
    })
}

fn elements() -> impl Strategy<Value = Value> {
    prop::collection::vec(element(), 0..3).prop_map(|elements| {
        // At most one may be the primary one.
        let mut seen = false;
        let once = |mut element: Value| {
            if element["primary"] == true && std::mem::replace(&mut seen, true) {
                element["primary"] = false.into();
            }
            element
        };
        elements.into_iter().map(once).collect()
    })
}

fn user() -> impl Strategy<Value = Value> {
    let optional = || prop::option::of(text());
    let lists = (elements(), elements());
    let plain = (optional(), optional(), optional(), optional(), optional());
    (plain, lists, any::<bool>(), prop::option::of(prop::sample::select(&["u0", "u1"][..]))).prop_map(
        |((title, given, external, department, nick), (emails, roles), active, manager)| {
            json!({
                "active": active, "title": title, "nickName": nick, "externalId": external, "emails": emails,
                "roles": roles, "name": { "givenName": given },
                ENTERPRISE: { "department": department, "manager": { "value": manager } },
            })
        },
    )
}

fn literal() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 10] = ["u0", "u1", "g0", "g1", "work", "Home", "User", "direct", "Group", ""];
    prop_oneof![text(), prop::sample::select(&KNOWN[..]).prop_map(str::to_owned)]
        .prop_map(|text| Value::String(text).to_string())
}

fn comparison(
    paths: &'static [&'static str],
    operators: &'static [&'static str],
) -> impl Strategy<Value = String> {
    (prop::sample::select(paths), prop::sample::select(operators), literal())
        .prop_map(|(path, op, literal)| format!("{path} {op} {literal}"))
}

const ANY: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];

fn presence(paths: &'static [&'static str]) -> impl Strategy<Value = String> {
    (prop::sample::select(paths), prop::sample::select(&["pr", "eq null", "ne null"][..]))
        .prop_map(|(path, test)| format!("{path} {test}"))
}

/// Terms joined by `and`, `or` and `not`.
fn joined(term: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    term.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

fn bracketed(list: &'static str) -> impl Strategy<Value = String> {
    let term = prop_oneof![
        comparison(&["value", "type", "display"], &ANY),
        presence(&["value", "type"]),
        prop::sample::select(&["primary eq true", "primary ne true", "primary eq false"][..])
            .prop_map(str::to_owned),
    ];
    (joined(term.boxed()), prop::option::of(literal())).prop_map(move |(inside, behind)| match behind {
        Some(literal) => format!("{list}[{inside}].value eq {literal}"),
        None => format!("{list}[{inside}]"),
    })
}

fn user_filter() -> impl Strategy<Value = String> {
    const TEXT_PATHS: [&str; 14] = [
        "userName",
        "title",
        "nickName",
        "externalId",
        "id",
        "name.givenName",
        "emails",
        "emails.value",
        "roles.type",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        "groups",
        "groups.display",
        "schemas",
    ];
    const PATHS: [&str; 9] = [
        "title",
        "active",
        "emails",
        "name",
        "groups",
        "roles.value",
        "meta",
        "shoeSize",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    ];
    const OTHERS: [&str; 12] = [
        "active eq true",
        "active ne true",
        "active eq \"False\"",
        "emails.primary eq true",
        "emails.primary ne true",
        "meta.created gt \"2023-11-14T22:13:22Z\"",
        "meta.created le \"2023-11-14T23:13:22+01:00\"",
        "meta.lastModified eq \"2023-11-14T22:13:21.000Z\"",
        "meta.resourceType eq \"User\"",
        "meta.version eq \"W/\\\"1\\\"\"",
        "meta.location ew \"u1\"",
        "shoeSize ne \"9\"",
    ];
    joined(
        prop_oneof![
            4 => comparison(&TEXT_PATHS, &ANY),
            2 => presence(&PATHS),
            2 => prop::sample::select(&OTHERS[..]).prop_map(str::to_owned),
            2 => bracketed("emails"),
            1 => bracketed("roles"),
        ]
        .boxed(),
    )
}

fn group_filter() -> impl Strategy<Value = String> {
    const TEXT_PATHS: [&str; 7] =
        ["displayName", "id", "externalId", "members", "members.value", "members.type", "members.display"];
    const PATHS: [&str; 4] = ["members", "externalId", "displayName", "members.value"];
    let inside = || joined(comparison(&["value", "type", "display", "$ref"], &ANY).boxed());
    joined(
        prop_oneof![
            4 => comparison(&TEXT_PATHS, &ANY),
            2 => presence(&PATHS),
            2 => inside().prop_map(|inside| format!("members[{inside}]")),
        ]
        .boxed(),
    )
}

/// Users `u0`…, teams `g0`…, with whom they hold.
#[derive(Clone, Debug)]
struct World {
    users: Vec<Value>,
    teams: Vec<(String, Vec<usize>)>,
}

fn world() -> impl Strategy<Value = World> {
    let team = (text(), prop::collection::vec(0..6usize, 0..4));
    (prop::collection::vec(user(), 1..6), prop::collection::vec(team, 0..3))
        .prop_map(|(users, teams)| World { users, teams })
}

async fn filled(world: &World) -> Store {
    let store = Store::in_memory().expect("a store");
    let mut acts: Vec<(ResourceType, String, Value)> = Vec::new();
    for (at, user) in world.users.iter().enumerate() {
        let mut user = user.clone();
        user["userName"] = format!("{}{at}", TEXTS[at]).into();
        acts.push((ResourceType::User, format!("u{at}"), user));
    }
    for (at, (name, people)) in world.teams.iter().enumerate() {
        let known = people.iter().filter(|person| **person < world.users.len());
        let members: Vec<Value> = known.map(|person| json!({ "value": format!("u{person}") })).collect();
        let nested = (at > 0).then(|| json!({ "value": "g0" }));
        let members: Vec<Value> = members.into_iter().chain(nested).collect();
        acts.push((
            ResourceType::Group,
            format!("g{at}"),
            json!({ "displayName": name, "members": members }),
        ));
    }
    for (second, (kind, id, body)) in acts.into_iter().enumerate() {
        let incoming = incoming(kind, Dialect::Tolerant, &body).expect("a sound body");
        let act = WriteAct::Create { kind, id: ResourceId(id), incoming, dialect: Dialect::Strict };
        let now = Timestamp::from_second(1_700_000_000 + second as i64).expect("a time");
        let author = Author::job("job", now);
        let written =
            store.write_resources("main", author, vec![act.into()]).await.expect("the store writes");
        written.into_iter().next().expect("an outcome").expect("it is written");
    }
    store
}

async fn listed(store: &Store, query: ListQuery) -> Listing {
    store.list_resources("main", query).await.expect("the store reads")
}

fn ids(resources: &[Resource]) -> Vec<String> {
    resources.iter().map(|resource| resource.meta.id.0.clone()).collect()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime").block_on(future)
}

async fn agree(world: &World, kind: ResourceType, filters: &[String]) {
    let store = filled(world).await;
    let all = listed(&store, ListQuery { related: true, ..ListQuery::all(kind) }).await.resources;
    for text in filters {
        let filter = Filter::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        filter.check(kind, Dialect::Tolerant).unwrap_or_else(|error| panic!("{text}: {error}"));
        let matching: Vec<Resource> =
            all.iter().filter(|resource| filter.matches(&resource.shown(""))).cloned().collect();
        let got = listed(&store, ListQuery { filter: Some(filter), ..ListQuery::all(kind) }).await;
        assert_eq!(ids(&got.resources), ids(&matching), "{text}");
        assert_eq!(got.total, matching.len() as u64, "{text}");
    }
}

fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn sql_finds_the_users_that_the_evaluator_admits(
        world in world(),
        filters in prop::collection::vec(user_filter(), 24),
    ) {
        run(agree(&world, ResourceType::User, &filters));
    }

    #[test]
    fn sql_finds_the_teams_that_the_evaluator_admits(
        world in world(),
        filters in prop::collection::vec(group_filter(), 24),
    ) {
        run(agree(&world, ResourceType::Group, &filters));
    }

    #[test]
    fn pages_by_index_and_by_cursor_are_the_whole_list(
        world in world(),
        path in prop::sample::select(&["", "userName", "title", "emails", "externalId", "active", "meta.created"][..]),
        descending in any::<bool>(),
        count in 1..4u64,
    ) {
        run(pages(&world, path, descending, count));
    }
}

async fn pages(world: &World, path: &str, descending: bool, count: u64) {
    let store = filled(world).await;
    let sort = (!path.is_empty()).then(|| sort(path, descending));
    let query = ListQuery { sort: sort.clone(), related: true, ..ListQuery::all(ResourceType::User) };
    let whole = listed(&store, query.clone()).await.resources;
    if let Some(sort) = sort {
        let order = |pair: &[Resource]| {
            let ids = pair[0].meta.id.cmp(&pair[1].meta.id);
            sort.compare(&pair[0].shown(""), &pair[1].shown("")).then(ids)
        };
        assert!(whole.windows(2).all(|pair| order(pair).is_lt()), "{path} descending: {descending}");
    }
    let whole = ids(&whole);
    let (mut by_index, mut by_cursor) = (Vec::new(), Vec::new());
    let (mut start, mut after) = (1, None);
    loop {
        let page = listed(&store, ListQuery { start, count, ..query.clone() }).await;
        assert_eq!(page.total, whole.len() as u64);
        start += page.resources.len() as u64;
        by_index.extend(ids(&page.resources));
        if page.next.is_none() {
            break;
        }
    }
    loop {
        let page = listed(&store, ListQuery { after, count, ..query.clone() }).await;
        assert_eq!(page.total, whole.len() as u64);
        by_cursor.extend(ids(&page.resources));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((&by_index, &by_cursor), (&whole, &whole), "{path} descending: {descending}");
}

fn sort(path: &str, descending: bool) -> Sort {
    let direction = if descending { Direction::Descending } else { Direction::Ascending };
    Sort { path: Path::parse(path).expect("a path"), direction }
}

/// The ids in this order.
async fn sorted(store: &Store, kind: ResourceType, path: &str, descending: bool) -> Vec<String> {
    let sort = Some(sort(path, descending));
    ids(&listed(store, ListQuery { sort, ..ListQuery::all(kind) }).await.resources)
}

#[tokio::test]
async fn a_list_is_sorted_by_the_primary_value_under_its_case_rule_and_what_has_none_is_last() {
    let world = World {
        users: vec![
            json!({"title": "b", "externalId": "b", "emails": [{"value": "z"}, {"value": "a", "primary": true}]}),
            json!({"title": "C", "externalId": "C", "emails": [{"value": "B"}, {"value": "0"}]}),
            json!({"title": "Ä"}),
            json!({}),
            json!({"title": "c", "active": false}),
        ],
        teams: Vec::new(),
    };
    let store = filled(&world).await;
    let by = async |path, descending| sorted(&store, ResourceType::User, path, descending).await.join(" ");
    assert_eq!(by("title", false).await, "u0 u1 u4 u2 u3");
    assert_eq!(by("title", true).await, "u3 u2 u1 u4 u0");
    assert_eq!(by("externalId", false).await, "u1 u0 u2 u3 u4");
    assert_eq!(by("emails", false).await, "u0 u1 u2 u3 u4");
    assert_eq!(by("emails.value", true).await, "u2 u3 u4 u1 u0");
    assert_eq!(by("active", false).await, "u4 u0 u1 u2 u3");
    assert_eq!(by("meta.created", true).await, "u4 u3 u2 u1 u0");
}

#[tokio::test]
async fn a_page_beyond_the_end_is_empty_and_still_says_how_many_there_are() {
    let world = World { users: vec![json!({}), json!({}), json!({})], teams: Vec::new() };
    let store = filled(&world).await;
    for (start, count, expected) in
        [(1, 0, (3, 0)), (4, 10, (3, 0)), (3, 10, (3, 1)), (1, 3, (3, 3)), (u64::MAX, 1, (3, 0))]
    {
        let page = listed(&store, ListQuery { start, count, ..ListQuery::all(ResourceType::User) }).await;
        assert_eq!((page.total, page.resources.len()), expected, "startIndex {start}, count {count}");
    }
}

#[tokio::test]
async fn a_filter_of_many_terms_is_one_statement() {
    let world = World { users: vec![json!({}), json!({"title": "x299"})], teams: Vec::new() };
    let store = filled(&world).await;
    for (term, count, expected) in [
        ("title eq", 300, vec!["u1"]),
        ("userName eq", 300, vec![]),
        ("title ne", 300, vec!["u0", "u1"]),
        ("id eq", 512, vec![]),
    ] {
        let terms: Vec<String> = (0..count).map(|n| format!("{term} \"x{n}\"")).collect();
        let filter = Some(Filter::parse(&terms.join(" or ")).expect("within the bounds"));
        let found = listed(&store, ListQuery { filter, ..ListQuery::all(ResourceType::User) }).await;
        assert_eq!(ids(&found.resources), expected, "{term}");
    }
}
