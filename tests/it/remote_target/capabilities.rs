//! What a profile says, the client keeps to: forms of patches, lists of one value, hidden members, headers, rates,
//! redirects.

use serde_json::Value;
use serde_json::json;

use rosterd::scim::Kind;
use rosterd::scim::profiles::MediaType;
use rosterd::scim::profiles::Profile;
use rosterd::scim::profiles::Rate;
use rosterd::targets::Operation;
use rosterd::targets::Outcome;
use rosterd::targets::ServiceProvider;
use rosterd::targets::remote::allowances;

use super::service::Service;
use super::service::create;
use super::service::error;
use super::service::found;
use super::service::id;
use super::service::json_reply;
use super::service::list;
use super::service::lookup;
use super::service::members;
use super::service::outcome;
use super::service::patch;
use super::service::profile;

const WORK: &str = "emails[type eq \"work\"].value";

#[tokio::test]
async fn a_service_that_takes_no_value_paths_gets_whole_lists() {
    let service = Service::start(|asked| match asked.line.starts_with("GET") {
        true => json_reply(
            200,
            json!({"id": "1", "emails": [{"type": "home", "value": "h"}, {"type": "work", "value": "w"}]}),
        ),
        false => json_reply(200, json!({"id": "1"})),
    })
    .await;
    let target = service.target_with(profile("github-org"));
    let change =
        [("title", json!("x")), (WORK, json!("new")), ("phoneNumbers[type eq \"work\"].value", Value::Null)];
    outcome(&target, patch("1", &change)).await;
    assert_eq!(
        service.asked()[1].body["Operations"],
        json!([
            {"op": "replace", "path": "title", "value": "x"},
            {"op": "replace", "path": "emails", "value": [{"type": "home", "value": "h"}, {"type": "work", "value": "new"}]},
            {"op": "remove", "path": "phoneNumbers"},
        ])
    );
    assert_eq!(service.asked()[0].body, Value::Null);
    outcome(&target, patch("1", &[("title", json!("y"))])).await;
    assert_eq!(service.lines().len(), 3, "without lists nothing is read");
}

#[tokio::test]
async fn a_list_of_one_value_never_gets_two() {
    let service = Service::start(|asked| match (asked.line.as_str(), &asked.body["Operations"][0]["op"]) {
        ("POST /scim/v2/Users", _) => json_reply(201, json!({"id": "1"})),
        ("GET /scim/v2/Users/1", _) => {
            json_reply(200, json!({"id": "1", "emails": [{"type": "home", "value": "h"}]}))
        }
        (_, op) if *op == "replace" && asked.body["Operations"][0]["path"] != "emails" => {
            error(400, "noTarget")
        }
        _ => json_reply(200, json!({"id": "1"})),
    })
    .await;
    let target = service.target_with(profile("aws-identity-center"));
    let Operation::Create { kind, mut attributes } = create("ann") else { unreachable!() };
    attributes.set("emails[type eq \"home\"].value", json!("home@x.example"));
    outcome(&target, Operation::Create { kind, attributes }).await;
    assert_eq!(
        service.asked()[0].body["emails"],
        json!([{"type": "work", "value": "ann@x.example", "primary": true}])
    );
    outcome(&target, patch("1", &[(WORK, json!("w")), ("emails[type eq \"home\"].value", json!("h"))])).await;
    let sent = service.asked().pop().unwrap();
    assert_eq!(
        sent.body["Operations"],
        json!([{"op": "replace", "path": "emails", "value": [{"type": "work", "value": "w"}]}]),
        "the one value is another one now"
    );
}

#[tokio::test]
async fn who_is_in_a_team_that_shows_nobody_is_asked_person_by_person() {
    let service = Service::start(|asked| match asked.line.contains("members.value eq \"a\"") {
        true => json_reply(200, json!({"Resources": [{"id": "other"}, {"id": "t"}]})),
        false => json_reply(200, json!({"totalResults": 0})),
    })
    .await;
    let target = service.target_with(profile("aws-identity-center"));
    assert_eq!(target.members(&id("t")).await.unwrap(), None, "nobody shows all of them");
    let there = target.members_among(&id("t"), &[id("a"), id("b")]).await.unwrap();
    assert_eq!(there, Some(vec![true, false]));
    assert_eq!(service.lines()[0], "GET /scim/v2/Groups?filter=members.value eq \"a\"&cursor&count=2");
    let mut mute = profile("aws-identity-center");
    mute.filter.members_value = false;
    assert_eq!(service.target_with(mute).members_among(&id("t"), &[id("a")]).await.unwrap(), None);
}

#[tokio::test]
async fn who_is_in_a_team_that_shows_its_members_is_read_once() {
    let service = Service::start(|_| json_reply(200, json!({"id": "t", "members": [{"value": "b"}]}))).await;
    let there = service.target().members_among(&id("t"), &[id("a"), id("b")]).await.unwrap();
    assert_eq!(there, Some(vec![false, true]));
    assert_eq!(service.lines(), ["GET /scim/v2/Groups/t"]);
}

#[tokio::test]
async fn a_member_that_left_already_does_not_keep_the_others_where_nobody_is_shown() {
    let service = Service::start(|asked| match asked.line.as_str() {
        line if line.contains("members.value eq \"5\"") => list(json!([{"id": "t"}])),
        line if line.starts_with("GET") => list(json!([])),
        _ if asked.body["Operations"].as_array().unwrap().len() > 1 => error(400, "noTarget"),
        _ => Some((204, vec![], String::new())),
    })
    .await;
    let target = service.target_with(profile("aws-identity-center"));
    assert!(matches!(outcome(&target, members(&[], &["4", "5"])).await, Outcome::Done { .. }));
    assert_eq!(
        service.asked().pop().unwrap().body["Operations"],
        json!([{"op": "remove", "path": "members[value eq \"5\"]"}])
    );
}

#[tokio::test]
async fn groups_are_read_whole_where_nothing_can_be_left_out() {
    let service = Service::start(|_| list(json!([]))).await;
    let target = service.target_with(profile("aws-identity-center"));
    target.find(&[lookup(Kind::Group, "displayName", "Sales")]).await.unwrap();
    assert_eq!(service.lines(), ["GET /scim/v2/Groups?filter=displayName eq \"Sales\"&cursor&count=2"]);
}

#[tokio::test]
async fn a_filter_that_is_too_long_is_no_question_and_names_the_key() {
    let service = Service::start(|_| list(json!([]))).await;
    let mut short = Profile::standard();
    short.filter.max_length = Some(30);
    let target = service.target_with(short);
    assert!(found(&target, "userName", "ann").await.is_ok());
    let text = found(&target, "userName", &"x".repeat(40)).await.unwrap_err().to_string();
    assert!(text.contains("filter.max_length") && !text.contains("xxx"), "{text}");
    assert_eq!(service.lines().len(), 1);
}

#[tokio::test]
async fn what_a_change_became_is_read_where_the_answer_does_not_show_it() {
    let service = Service::start(|asked| match asked.line.starts_with("GET") {
        true => json_reply(200, json!({"id": "1", "title": "BOSS"})),
        false => Some((204, vec![], String::new())),
    })
    .await;
    let done = outcome(&service.target(), patch("1", &[("title", json!("Boss"))])).await;
    assert_eq!(done, Outcome::Done { id: id("1"), shown: Some(json!({"id": "1", "title": "BOSS"})) });
    let done = outcome(&service.target(), patch("1", &[("active", json!(false))])).await;
    assert_eq!(
        done,
        Outcome::Done { id: id("1"), shown: None },
        "whether somebody is active is no value to drift"
    );
    assert_eq!(service.lines().len(), 3);
}

#[tokio::test]
async fn a_412_is_read_anew_and_sent_once_more_with_its_version() {
    let service =
        Service::start(|asked| match (asked.line.split(' ').next().unwrap(), asked.if_match.as_str()) {
            ("GET", _) => Some((
                200,
                vec![("etag", "W/\"7\"".to_owned())],
                json!({"id": "1", "title": "t"}).to_string(),
            )),
            ("PATCH", "W/\"7\"") => json_reply(200, json!({"id": "1"})),
            _ => error(412, ""),
        })
        .await;
    let done = outcome(&service.target(), patch("1", &[("title", json!("x"))])).await;
    assert!(matches!(done, Outcome::Done { .. }), "{done:?}");
    assert_eq!(service.lines(), ["PATCH /scim/v2/Users/1", "GET /scim/v2/Users/1", "PATCH /scim/v2/Users/1"]);
}

#[tokio::test]
async fn a_replacement_is_for_the_version_that_was_read() {
    let service =
        Service::start(|asked| match (asked.line.split(' ').next().unwrap(), asked.if_match.as_str()) {
            ("GET", _) => json_reply(200, json!({"id": "1", "meta": {"version": "W/\"3\""}})),
            ("PUT", "W/\"3\"") => json_reply(200, json!({"id": "1"})),
            _ => error(412, ""),
        })
        .await;
    let mut versioned = Profile { etag: true, ..Profile::standard() };
    versioned.patch.users = rosterd::scim::profiles::Support::No;
    let done = outcome(&service.target_with(versioned), patch("1", &[("title", json!("x"))])).await;
    assert!(matches!(done, Outcome::Done { .. }), "{done:?}");
    assert_eq!(service.lines(), ["GET /scim/v2/Users/1", "PUT /scim/v2/Users/1"]);
}

// O13.

#[tokio::test]
async fn headers_are_those_of_the_profile() {
    let service = Service::start(|_| json_reply(201, json!({"id": "1"}))).await;
    let mut told = Profile { media_type: MediaType::Json, ..profile("github") };
    told.user_agent = Some("acme-sync".to_owned());
    outcome(&service.target_with(told), create("ann")).await;
    let asked = service.asked().remove(0);
    assert_eq!(
        (asked.content_type.as_str(), asked.accept.as_str()),
        ("application/json", "application/json")
    );
    assert_eq!(asked.user_agent, "acme-sync");
    assert_eq!(asked.api_version, "2022-11-28");
    outcome(&service.target(), create("ann")).await;
    let asked = service.asked().remove(1);
    assert_eq!(asked.accept, "application/scim+json");
    assert!(asked.user_agent.starts_with("rosterd/"), "{}", asked.user_agent);
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed_with_method_and_body() {
    for status in [307, 308] {
        let service = Service::start(move |asked| match asked.line.as_str() {
            "POST /scim/v2/Users" => {
                Some((status, vec![("location", "/moved/Users".to_owned())], String::new()))
            }
            "POST /moved/Users" => json_reply(201, json!({"id": asked.body["userName"]})),
            _ => json_reply(404, json!({})),
        })
        .await;
        let done = outcome(&service.target(), create("ann")).await;
        assert!(matches!(&done, Outcome::Done { id: made, .. } if *made == id("ann")), "{done:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_gets_nothing_and_least_of_all_the_token() {
    let foreign = Service::start(|_| list(json!([]))).await;
    for status in [301, 302, 307, 308] {
        let elsewhere = foreign.url.to_string();
        let service =
            Service::start(move |_| Some((status, vec![("location", elsewhere.clone())], String::new())))
                .await;
        assert!(found(&service.target(), "userName", "ann").await.is_err());
        let done = outcome(&service.target(), create("ann")).await;
        assert!(!matches!(done, Outcome::Done { .. }), "{status}: {done:?}");
    }
    assert_eq!(foreign.lines(), [""; 0]);
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let service =
        Service::start(|asked| Some((307, vec![("location", asked.raw[4..].to_owned())], String::new())))
            .await;
    assert!(found(&service.target(), "userName", "ann").await.is_err());
    assert_eq!(service.lines().len(), 4);
}

#[tokio::test]
async fn a_resource_at_a_relative_address_is_found_below_the_base() {
    for location in ["Users/5", "/Users/5"] {
        let service = Service::start(move |asked| match asked.line.as_str() {
            "POST /scim/v2/Users" => Some((201, vec![("location", location.to_owned())], String::new())),
            "GET /scim/v2/Users/5" => json_reply(200, json!({"id": "5"})),
            _ => json_reply(404, json!({})),
        })
        .await;
        let done = outcome(&service.target(), create("ann")).await;
        assert!(matches!(&done, Outcome::Done { id: made, .. } if *made == id("5")), "{location}: {done:?}");
    }
}

#[test]
fn writes_have_a_rate_of_their_own_where_the_service_counts_them() {
    let slack = allowances(&profile("slack").rate);
    let (all, writes) = (slack.0.unwrap(), slack.1.unwrap());
    assert_eq!((writes.units, writes.window.as_millis()), (20, 6_666), "three a second, twenty at once");
    assert_eq!((all.units, all.window.as_millis()), (100, 6_250));
    let none = allowances(&Profile::standard().rate);
    assert!(none.0.is_none() && none.1.is_none(), "no rate but the service's 429");
    let odd = allowances(&Rate { rps: Some(0.0), write_rps: Some(f64::NAN), ..Rate::default() });
    assert!(odd.0.is_none() && odd.1.is_none());
}
