//! Lists by index and by cursor, and one list in place of many lookups.

use futures_util::StreamExt;
use serde_json::Value;
use serde_json::json;

use rosterd::scim::Kind;
use rosterd::scim::profiles::Paging;
use rosterd::scim::profiles::Profile;
use rosterd::targets::Listed;
use rosterd::targets::Lookup;
use rosterd::targets::ServiceProvider;
use rosterd::targets::remote::RemoteSettings;
use rosterd::targets::remote::RemoteTarget;

use super::service::Asked;
use super::service::Reply;
use super::service::Service;
use super::service::create;
use super::service::found;
use super::service::json_reply;
use super::service::list;
use super::service::lookup;
use super::service::profile;

/// So many people, paged and filtered as it is asked.
fn directory(people: usize) -> impl Fn(&Asked) -> Reply {
    let all: Vec<Value> = (0..people)
        .map(|n| json!({"id": format!("i{n}"), "userName": format!("U{n}"), "externalId": format!("x{n}")}))
        .collect();
    move |asked| {
        if asked.line.starts_with("POST") {
            return json_reply(201, json!({"id": "new"}));
        }
        let parameter = |name: &str| {
            let (_, rest) = asked.line.split_once(&format!("{name}="))?;
            rest.split('&').next().map(str::to_owned)
        };
        let filter = asked.line.split_once("filter=").and_then(|(_, rest)| {
            let mut parts = rest.split('"');
            Some((parts.next()?.split(' ').next()?.to_owned(), parts.next()?.to_owned()))
        });
        let shown: Vec<&Value> = match &filter {
            Some((path, value)) => all
                .iter()
                .filter(|one| one[path.as_str()].as_str().is_some_and(|is| is.eq_ignore_ascii_case(value)))
                .collect(),
            None => all.iter().collect(),
        };
        let start: usize = parameter("startIndex").and_then(|start| start.parse().ok()).unwrap_or(1);
        let count: usize = parameter("count").and_then(|count| count.parse().ok()).unwrap_or(100);
        let page: Vec<&Value> = shown.iter().copied().skip(start - 1).take(count).collect();
        json_reply(200, json!({"totalResults": shown.len(), "Resources": page}))
    }
}

fn target(service: &Service, listing_max: usize, profile: Profile) -> RemoteTarget {
    let settings = RemoteSettings { lookup_listing_from: 50, listing_max, profile, ..service.settings() };
    RemoteTarget::new(settings).unwrap()
}

fn by_name(count: usize) -> Vec<Lookup> {
    (0..count).map(|n| lookup(Kind::User, "userName", &format!("u{n}"))).collect()
}

fn hits(answers: &[Vec<rosterd::targets::Found>]) -> Vec<String> {
    answers.iter().flatten().map(|found| found.id.0.clone()).collect()
}

#[tokio::test]
async fn many_lookups_are_one_listing() {
    let service = Service::start(directory(250)).await;
    let target = target(&service, 1_000, Profile::standard());
    let answers = target.find(&by_name(300)).await.unwrap();
    let expected: Vec<String> = (0..250).map(|n| format!("i{n}")).collect();
    assert_eq!(hits(&answers), expected, "in any case of letters, as userName is compared");
    assert_eq!(
        service.lines(),
        [
            "GET /scim/v2/Users?startIndex=1&count=100",
            "GET /scim/v2/Users?startIndex=101&count=100",
            "GET /scim/v2/Users?startIndex=201&count=100",
        ]
    );
    let external: Vec<Lookup> = (0..60).map(|n| lookup(Kind::User, "externalId", &format!("X{n}"))).collect();
    assert_eq!(hits(&target.find(&external).await.unwrap()), [""; 0], "externalId is case-exact");
    target.find(&by_name(3)).await.unwrap();
    assert_eq!(service.lines().len(), 3, "the list is there until something is written");
    target.apply(&[create("ann")]).await.unwrap();
    target.find(&by_name(2)).await.unwrap();
    assert_eq!(
        service.lines().len(),
        3 + 1 + 2,
        "after a write it is asked anew, and two are too few for a list"
    );
}

#[tokio::test]
async fn a_few_lookups_are_asked_one_by_one() {
    let service = Service::start(directory(250)).await;
    target(&service, 1_000, Profile::standard()).find(&by_name(49)).await.unwrap();
    assert_eq!(service.lines().len(), 49);
    assert!(service.lines().iter().all(|line| line.contains("filter=")));
}

#[tokio::test]
async fn a_listing_that_costs_more_than_the_lookups_is_not_read() {
    let service = Service::start(directory(250)).await;
    let small = Profile { page_size: 2, ..Profile::standard() };
    target(&service, 1_000, small).find(&by_name(60)).await.unwrap();
    assert_eq!(service.lines().len(), 1 + 60, "125 pages in place of 60 lookups: one page told");
    let service = Service::start(directory(250)).await;
    target(&service, 200, Profile::standard()).find(&by_name(60)).await.unwrap();
    assert_eq!(service.lines().len(), 1 + 60, "more than is kept in memory");
}

#[tokio::test]
async fn a_list_that_is_not_trusted_is_never_read_in_place_of_lookups() {
    let service = Service::start(directory(250)).await;
    let target = target(&service, 1_000, profile("snowflake"));
    target.find(&by_name(60)).await.unwrap();
    assert!(service.lines().iter().all(|line| line.contains("filter=")));
}

#[tokio::test]
async fn a_listing_that_is_not_whole_answers_nobody() {
    let service = Service::start(|asked| match asked.line.contains("filter=") {
        true => list(json!([])),
        // It says ten and shows two, again and again.
        false => json_reply(
            200,
            json!({"totalResults": 10, "Resources": [{"id": "1", "userName": "u1"}, {"id": "2"}]}),
        ),
    })
    .await;
    let answers = target(&service, 1_000, Profile::standard()).find(&by_name(60)).await.unwrap();
    assert_eq!(hits(&answers), [""; 0]);
    let filtered = service.lines().iter().filter(|line| line.contains("filter=")).count();
    assert_eq!(filtered, 60, "each was asked for, as if there were no list");
}

/// People in pages by cursor (RFC 9865).
fn by_cursor(pages: usize, circle: bool) -> impl Fn(&Asked) -> Reply {
    move |asked| {
        let at = asked.line.split_once("cursor=page ").map(|(_, rest)| rest.split('&').next().unwrap());
        let at: usize = at.map_or(0, |at| at.parse().unwrap());
        let people: Vec<Value> =
            (0..2).map(|n| json!({"id": format!("{at}-{n}"), "userName": format!("u{at}-{n}")})).collect();
        let next = if at + 1 < pages { Some(format!("page {}", at + 1)) } else { None };
        let next = if circle && next.is_none() { Some("page 0".to_owned()) } else { next };
        json_reply(200, json!({"Resources": people, "nextCursor": next}))
    }
}

fn cursor_profile() -> Profile {
    Profile { paging: Paging::Cursor, ..Profile::standard() }
}

#[tokio::test]
async fn a_list_by_cursor_is_read_to_its_end() {
    let service = Service::start(by_cursor(3, false)).await;
    let target = service.target_with(cursor_profile());
    assert_eq!(found(&target, "userName", "u2-1").await.unwrap(), ["2-1"]);
    assert_eq!(
        found(&target, "userName", "nobody").await.unwrap(),
        [""; 0],
        "read whole, so there is nobody"
    );
    assert_eq!(
        service.lines()[..3],
        [
            "GET /scim/v2/Users?filter=userName eq \"u2-1\"&cursor&count=2",
            "GET /scim/v2/Users?filter=userName eq \"u2-1\"&cursor=page 1&count=2",
            "GET /scim/v2/Users?filter=userName eq \"u2-1\"&cursor=page 2&count=2",
        ]
    );
}

#[tokio::test]
async fn cursors_in_a_circle_are_no_answer() {
    let service = Service::start(by_cursor(3, true)).await;
    let target = service.target_with(cursor_profile());
    let error = found(&target, "userName", "nobody").await.unwrap_err().to_string();
    assert!(error.contains("whether there is one stays open"), "{error}");
    assert!(service.lines().len() < 10);
}

#[tokio::test]
async fn a_service_without_paging_is_asked_without_it() {
    let service = Service::start(directory(3)).await;
    let target = service.target_with(Profile { paging: Paging::None, ..Profile::standard() });
    assert_eq!(found(&target, "userName", "u2").await.unwrap(), ["i2"]);
    assert_eq!(service.lines(), ["GET /scim/v2/Users?filter=userName eq \"u2\""]);
}

/// How many are shown by the whole list of people, and why it may not be whole.
async fn whole(target: &RemoteTarget) -> (usize, Option<String>) {
    let mut shown = 0;
    let mut pieces = target.list(Kind::User);
    while let Some(piece) = pieces.next().await {
        match piece.unwrap() {
            Listed::Page(page) => shown += page.len(),
            Listed::End { partial } => return (shown, partial),
        }
    }
    panic!("a list without an end")
}

#[tokio::test]
async fn a_whole_list_is_read_to_its_end_whatever_is_kept_of_others() {
    let service = Service::start(directory(250)).await;
    assert_eq!(whole(&target(&service, 15, Profile::standard())).await, (250, None));
    assert_eq!(service.lines().len(), 3, "a hundred a page");
    let by_cursors = Service::start(by_cursor(3, false)).await;
    assert_eq!(whole(&by_cursors.target_with(cursor_profile())).await, (6, None));
}

/// SCIM reference, O9 and the profile's `total_results_reliable`; section 13 (Snowflake).
#[tokio::test]
async fn a_list_that_may_not_be_whole_says_why() {
    let bare = |count: usize, total: Option<u64>| {
        move |asked: &Asked| {
            let all: Vec<Value> = (0..count).map(|n| json!({"id": format!("i{n}")})).collect();
            let first = !asked.line.contains("startIndex=") || asked.line.contains("startIndex=1&");
            json_reply(200, json!({"totalResults": total, "Resources": if first { all } else { Vec::new() }}))
        }
    };
    let standard = Profile::standard;
    let service = Service::start(bare(4, Some(10))).await;
    assert_eq!(whole(&target(&service, 99, standard())).await, (4, Some("it showed 4 of 10".to_owned())));
    let service = Service::start(bare(4, None)).await;
    let (shown, partial) = whole(&target(&service, 99, standard())).await;
    assert_eq!((shown, partial.as_deref()), (4, Some("it showed 4 and no total")));
    let service = Service::start(bare(4, Some(4))).await;
    let vague = Profile { total_results_reliable: false, ..standard() };
    let (shown, partial) = whole(&target(&service, 99, vague)).await;
    assert!(shown == 4 && partial.unwrap().contains("total_results_reliable"));
    let service = Service::start(by_cursor(3, true)).await;
    let (shown, partial) = whole(&service.target_with(cursor_profile())).await;
    assert_eq!((shown, partial.as_deref()), (6, Some("its pages turn in a circle after 6")));
    let service = Service::start(directory(250)).await;
    let few = RemoteSettings { whole_listing_max: 150, profile: standard(), ..service.settings() };
    let (shown, partial) = whole(&RemoteTarget::new(few).unwrap()).await;
    assert!(shown == 200 && partial.unwrap().contains("whole_listing_max"), "P14");
    let (shown, partial) = whole(&target(&service, 99, profile("snowflake"))).await;
    assert!(
        shown == 0 && partial.unwrap().contains("listing_trusted"),
        "a list with a fake user is not read"
    );
}
