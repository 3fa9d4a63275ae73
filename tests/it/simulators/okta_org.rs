//! Okta: people, rows, groups, the application and what describes the org (okta.md sections 3, 6 and 10).

use rosterd::simulators::AppStatus;
use rosterd::simulators::Change;
use rosterd::simulators::Flavour;
use rosterd::simulators::OKTA_APP_ID;
use rosterd::simulators::OktaChange;
use rosterd::simulators::World;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::SMALL;
use super::Served;
use super::ids;
use super::join;
use super::link;
use super::morning;
use super::okta_with;
use super::own;
use super::row;

fn app(rest: &str) -> String {
    format!("/api/v1/apps/{OKTA_APP_ID}{rest}")
}

fn okta(world: &World, what: OktaChange) {
    world.change(Change::Okta { what }).unwrap();
}

fn set_app(status: Option<AppStatus>, features: Option<&[&str]>) -> OktaChange {
    let features = features.map(|features| features.iter().map(|&feature| own(feature)).collect());
    OktaChange::SetApp { status, features, implicit_assignment: None, label: None }
}

fn assign(world: &World, principal: &str) {
    world.change(Change::Assign { principal: own(principal), role: None }).unwrap();
}

async fn odd() -> Served {
    let world = World::new(Flavour::Okta, SMALL, 1, morning());
    okta(&world, OktaChange::AddOddities);
    Served::okta(world).await
}

#[tokio::test]
async fn the_oddities_have_people_and_rows_in_every_status() {
    let served = odd().await;
    let rows = served.pages(&app("/users?limit=500&expand=user")).await;
    let mut by_login: BTreeMap<String, &Value> = BTreeMap::new();
    for row in &rows {
        by_login.insert(own(row["_embedded"]["user"]["profile"]["login"].as_str().unwrap()), row);
    }
    for status in [
        "ACTIVE",
        "PROVISIONED",
        "STAGED",
        "PENDING",
        "APPROVED",
        "IMPLICIT",
        "IMPORTED",
        "MATCHED",
        "INACTIVE",
        "SUSPENDED",
        "DEPROVISIONED",
        "REVOKED",
        "UNASSIGNED",
        "HIBERNATING",
    ] {
        let row = by_login[&format!("odd.row-{}@acme.example", status.to_lowercase())];
        assert_eq!((&row["status"], &row["scope"]), (&json!(status), &json!("USER")));
    }
    assert!(by_login["odd.row-without-credentials@acme.example"].get("credentials").is_none());
    assert_eq!(by_login["odd.row-with-empty-credentials@acme.example"]["credentials"], json!({}));
    assert_eq!(by_login["odd.row-with-empty-profile@acme.example"]["profile"], json!({}));
    assert_eq!(by_login["odd.row-both-ways@acme.example"]["scope"], "USER");
    assert_eq!(by_login["odd.staged@acme.example"]["scope"], "GROUP");
    assert_eq!(by_login["odd.staged@acme.example"]["_links"]["group"]["name"], "Odd team");
    assert_eq!(by_login["odd.active@acme.example"]["externalId"], Value::Null);

    let team = served.world.id_of("Odd team").unwrap();
    let members = served.pages(&format!("/api/v1/groups/{team}/users")).await;
    let statuses: BTreeSet<&str> = members.iter().map(|member| member["status"].as_str().unwrap()).collect();
    let all = [
        "STAGED",
        "PROVISIONED",
        "ACTIVE",
        "RECOVERY",
        "PASSWORD_EXPIRED",
        "LOCKED_OUT",
        "SUSPENDED",
        "DEPROVISIONED",
    ];
    assert_eq!(statuses, all.into());

    let expected = served.world.snapshot().people;
    let active =
        |name: &str| expected.values().any(|person| person.login == format!("odd.{name}@acme.example"));
    assert!(active("row-hibernating") && active("row-pending") && active("locked-out"));
    assert!(
        !active("row-imported") && !active("row-revoked") && !active("staged") && !active("deprovisioned")
    );
}

#[tokio::test]
async fn the_oddities_have_groups_of_the_same_name_and_names_that_are_hard_to_quote() {
    let served = odd().await;
    let groups = served.pages("/api/v1/groups").await;
    let names: Vec<&str> = groups.iter().map(|group| group["profile"]["name"].as_str().unwrap()).collect();
    assert_eq!(names.iter().filter(|name| **name == "Odd twins").count(), 3);
    for name in [
        "Odd \"quoted\" \\ group",
        "Odd/slash, comma",
        "<b>Odd</b>",
        " Odd spaces ",
        "Odd Zürich 東京",
        &"x".repeat(255),
    ] {
        assert!(names.contains(&name), "{name}");
        let search = format!("profile.name eq {}", json!(name));
        let search: String = url::form_urlencoded::byte_serialize(search.as_bytes()).collect();
        assert_eq!(served.pages(&format!("/api/v1/groups?search={search}")).await.len(), 1, "{name}");
    }
    let imported = groups.iter().find(|group| group["type"] == "APP_GROUP").unwrap();
    assert_eq!(imported["objectClass"], json!(["okta:windows_security_principal"]));
    assert_eq!(imported["profile"]["samAccountName"], "Odd twins");
    assert!(imported["source"]["id"].is_string() && imported["_links"]["source"]["href"].is_string());
    let everyone = groups.iter().find(|group| group["type"] == "BUILT_IN").unwrap();
    assert_eq!(everyone["profile"]["name"], "Everyone");
    let types = served.pages("/api/v1/groups?filter=type eq \"APP_GROUP\" or type eq \"BUILT_IN\"").await;
    assert_eq!(types.len(), 2);
}

#[tokio::test]
async fn who_was_assigned_before_provisioning_was_enabled_has_no_external_id() {
    let world = okta_with(&["ann@x.example", "bob@x.example", "cy@x.example"], &[]);
    world.set_clock(morning());
    assign(&world, "ann@x.example");
    assign(&world, "bob@x.example");
    world.set_clock("2026-03-02T09:00:00Z".parse().unwrap());
    okta(&world, set_app(None, Some(&["PUSH_NEW_USERS", "GROUP_PUSH", "SCIM_PROVISIONING"])));
    world.set_clock("2026-03-02T10:00:00Z".parse().unwrap());
    assign(&world, "cy@x.example");
    let served = Served::okta(world).await;
    let [ann, bob, cy] =
        ["ann@x.example", "bob@x.example", "cy@x.example"].map(|login| served.world.id_of(login).unwrap());
    let rows = served.pages(&app("/users")).await;
    let shown = |id: &str| {
        let row = row(&rows, id);
        (
            row["status"].as_str().unwrap().to_owned(),
            row["externalId"].is_null(),
            row["syncState"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(shown(&ann), (own("ACTIVE"), true, own("DISABLED")));
    assert_eq!(shown(&bob), (own("STAGED"), true, own("ERROR")));
    assert_eq!(shown(&cy), (own("PROVISIONED"), false, own("SYNCHRONIZED")));
    assert_eq!(
        served.ok(&app("")).await["features"],
        json!(["PUSH_NEW_USERS", "GROUP_PUSH", "SCIM_PROVISIONING"])
    );
}

#[tokio::test]
async fn the_application_is_active_inactive_deleted_missing_or_open_to_everybody() {
    let served = Served::okta(okta_with(&["ann@x.example"], &[])).await;
    assign(&served.world, "ann@x.example");
    let listed = async || served.pages("/api/v1/apps").await.iter().any(|one| one["id"] == OKTA_APP_ID);
    assert!(listed().await);
    for (status, word) in
        [(AppStatus::Inactive, "INACTIVE"), (AppStatus::Deleted, "DELETED"), (AppStatus::Active, "ACTIVE")]
    {
        okta(&served.world, set_app(Some(status), None));
        assert_eq!(served.ok(&app("")).await["status"], word);
        assert_eq!(served.pages(&app("/users")).await.len(), 1, "its rows stay");
        assert_eq!(listed().await, status != AppStatus::Deleted);
    }
    okta(&served.world, set_app(Some(AppStatus::Missing), None));
    for target in [app(""), app("/users"), app("/groups")] {
        let (status, body) = served.get(&target).await;
        assert_eq!(status, 404);
        assert_eq!(
            body["errorSummary"],
            format!("Not found: Resource not found: {OKTA_APP_ID} (AppInstance)")
        );
    }
    okta(&served.world, set_app(Some(AppStatus::Active), None));
    let open = OktaChange::SetApp {
        status: None,
        features: None,
        implicit_assignment: Some(true),
        label: Some(own("New")),
    };
    okta(&served.world, open);
    let shown = served.ok(&app("")).await;
    assert_eq!((&shown["settings"]["implicitAssignment"], &shown["label"]), (&json!(true), &json!("New")));
}

#[tokio::test]
async fn the_profile_of_a_row_may_stay_as_it_was_at_assignment() {
    let served = Served::okta(okta_with(&["ann@x.example"], &[])).await;
    assign(&served.world, "ann@x.example");
    let ann = served.world.id_of("ann@x.example").unwrap();
    let rename = |login: &str, surname: &str| {
        let (login, surname) = (Some(own(login)), Some(own(surname)));
        let rest = (None, None, None);
        let (mail, given_name, display_name) = rest;
        served
            .world
            .change(Change::Rename { who: ann.clone(), login, mail, given_name, surname, display_name })
            .unwrap();
    };
    rename("ann.koch@x.example", "Koch");
    let shown = async || {
        let row = served.ok(&app(&format!("/users/{ann}?expand=user"))).await;
        (
            row["credentials"]["userName"].clone(),
            row["profile"]["lastName"].clone(),
            row["_embedded"]["user"]["profile"]["lastName"].clone(),
        )
    };
    assert_eq!(shown().await, (json!("ann.koch@x.example"), json!("Koch"), json!("Koch")));
    served.world.turn("app_profiles=as_assigned").unwrap();
    assert_eq!(shown().await, (json!("ann@x.example"), json!("Lee"), json!("Koch")));
    served.world.change(Change::Unassign { principal: ann.clone() }).unwrap();
    assign(&served.world, &ann);
    assert_eq!(shown().await.1, "Koch", "a new assignment computes it anew");
}

#[tokio::test]
async fn knobs_decide_what_nobody_has_confirmed_of_rows() {
    let world = okta_with(&["ann@x.example"], &["Team"]);
    join(&world, "Team", "ann@x.example");
    assign(&world, "Team");
    assign(&world, "ann@x.example");
    let served = Served::okta(world).await;
    for knob in ["group_scope_wins=true", "no_group_link=true", "first_priority=1"] {
        served.world.turn(knob).unwrap();
    }
    let row = &served.pages(&app("/users")).await[0];
    assert_eq!((&row["scope"], row["_links"].get("group")), (&json!("GROUP"), None));
    assert_eq!(served.pages(&app("/groups")).await[0]["priority"], 1);
    let profile = json!({ "role": "admin" });
    okta(&served.world, OktaChange::SetAppGroup { group: own("Team"), profile: profile.clone() });
    assert_eq!(served.pages(&app("/groups?expand=metadata")).await[0]["profile"], profile);
}

#[tokio::test]
async fn users_are_found_by_list_q_filter_search_login_and_in_parts() {
    let world = okta_with(&["ann@x.example", "bob@x.example", "cy/d@x.example"], &["Team"]);
    let served = Served::okta(world).await;
    served.world.change(Change::SoftDelete { who: own("bob@x.example") }).unwrap();
    let logins = async |query: &str| {
        let rows = served.pages(&format!("/api/v1/users?{query}")).await;
        rows.iter().map(|row| own(row["profile"]["login"].as_str().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(logins("").await, ["ann@x.example", "cy/d@x.example"], "deactivated ones are left out");
    assert_eq!(logins("filter=status eq \"DEPROVISIONED\"").await, ["bob@x.example"]);
    assert_eq!(logins("filter=profile.login eq \"ANN@x.example\"").await, [""; 0], "a filter is exact");
    assert_eq!(logins("search=profile.login eq \"ANN@x.example\"").await, ["ann@x.example"]);
    assert_eq!(
        logins("search=profile.login co \"x.example\"&sortBy=profile.login&sortOrder=desc&limit=2").await,
        ["cy/d@x.example", "bob@x.example", "ann@x.example"]
    );
    assert_eq!(logins("filter=lastUpdated ge \"2030-01-01T00:00:00.000Z\"").await, [""; 0]);
    let answer = served.send("/api/v1/users?q=bob").await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!([]), "q leaves deactivated ones out");
    let answer = served.send("/api/v1/users?q=Ann&limit=1").await.unwrap();
    assert_eq!(
        (link(&answer, "next"), answer.json::<Vec<Value>>().await.unwrap().len()),
        (None, 1),
        "q does not page"
    );

    let ann = served.ok("/api/v1/users/ann@x.example").await;
    assert!(served.send("/api/v1/users/ann@x.example").await.unwrap().headers().contains_key("etag"));
    assert_eq!(
        served.get("/api/v1/users/cy%2Fd@x.example").await.0,
        404,
        "a login with a slash has no address"
    );
    let part = served.ok("/api/v1/users/ann@x.example?fields=id,status,profile:(login,email)").await;
    assert_eq!(
        part,
        json!({ "id": ann["id"], "status": "ACTIVE", "profile": { "login": "ann@x.example", "email": "ann@x.example" } })
    );
    assert_eq!(served.ok("/api/v1/users/me").await["profile"]["login"], "admin@acme.example");
    let lean = served
        .http
        .get(served.url("/api/v1/users/ann@x.example"))
        .header("authorization", &served.credentials);
    let lean =
        lean.header("content-type", "application/json; okta-response=omitCredentials,omitCredentialsLinks");
    assert!(lean.send().await.unwrap().json::<Value>().await.unwrap().get("credentials").is_none());
}

#[tokio::test]
async fn what_describes_the_org_can_be_read() {
    let world = okta_with(&["ann@x.example"], &["Team"]);
    world.set_clock(morning());
    join(&world, "Team", "ann@x.example");
    assign(&world, "Team");
    okta(
        &world,
        OktaChange::AddRule {
            name: own("All Lees"),
            expression: own("user.lastName==\"Lee\""),
            group: own("Team"),
        },
    );
    let served = Served::okta(world).await;
    let (ann, team) = (served.world.id_of("ann@x.example").unwrap(), served.world.id_of("Team").unwrap());
    let org = served.ok("/api/v1/org").await;
    assert_eq!((&org["subdomain"], &org["status"]), (&json!("acme"), &json!("ACTIVE")));
    let rules = served.pages("/api/v1/groups/rules?expand=groupIdToGroupNameMap").await;
    assert_eq!(rules[0]["actions"]["assignUserToGroups"]["groupIds"], json!([team]));
    assert_eq!(rules[0]["_embedded"]["groupIdToGroupNameMap"], json!({ &team: "Team" }));
    served.ok(&format!("/api/v1/groups/rules/{}", rules[0]["id"].as_str().unwrap())).await;
    assert_eq!(served.pages(&format!("/api/v1/groups/{team}/apps")).await[0]["id"], OKTA_APP_ID);
    let part = served.ok(&format!("/api/v1/groups/{team}?fields=id,profile:(name)")).await;
    assert_eq!(part, json!({ "id": team, "profile": { "name": "Team" } }));
    let members = async |search: &str| {
        served.pages(&format!("/api/v1/groups/{team}/users?search={search}")).await.len()
    };
    assert_eq!((members("profile.lastName eq \"lee\"").await, members("status eq \"STAGED\"").await), (1, 0));
    assert_eq!(ids(&served.pages(&format!("/api/v1/users/{ann}/groups")).await), [team.clone()].into());
    assert_eq!(served.ok(&format!("/api/v1/users/{ann}/appLinks")).await[0]["appInstanceId"], OKTA_APP_ID);
    assert_eq!(served.pages("/api/v1/apps?filter=status eq \"ACTIVE\"&q=acme").await.len(), 1);
    let whose = format!("filter=user.id eq \"{ann}\"&expand=user/{ann}");
    assert_eq!(
        served.pages(&format!("/api/v1/apps?{whose}")).await[0]["_embedded"]["user"]["id"],
        json!(ann)
    );
    for schema in [format!("apps/{OKTA_APP_ID}"), own("user"), own("group")] {
        let shown = served.ok(&format!("/api/v1/meta/schemas/{schema}/default")).await;
        assert!(shown["definitions"]["base"]["properties"].is_object());
    }
    let mappings = served.pages(&format!("/api/v1/mappings?targetId={OKTA_APP_ID}")).await;
    assert!(mappings[0].get("properties").is_none());
    let mapping = served.ok(&format!("/api/v1/mappings/{}", mappings[0]["id"].as_str().unwrap())).await;
    assert_eq!(mapping["properties"]["email"]["pushStatus"], "DONT_PUSH");
}
