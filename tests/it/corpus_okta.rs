//! Recorded and published answers of Okta, played through the connector. Every file of the corpus is named here: with
//! what it shows, or with the reason why our code never meets it.

mod answers;
mod exchange;
mod pushes_and_logs;

use std::collections::BTreeSet;

use rosterd::model::Collection;
use rosterd::model::Coverage;
use rosterd::model::GroupPick;
use rosterd::sources::okta::OktaSource;
use rosterd::sources::okta::PageSizes;
use serde_json::Value;
use serde_json::json;

use super::okta_org::Org;
use super::okta_org::Reply;
use answers::APPS;
use answers::BAD_CURSOR;
use answers::RATE_LIMITED;
use answers::REFUSALS;
use answers::TESTIMONY;
use exchange::GROUPS;
use exchange::USERS;
use exchange::active;
use exchange::all;
use exchange::corpus;
use exchange::empty_org;
use exchange::exchange;
use exchange::id;
use exchange::pulled;
use pushes_and_logs::LOGS;
use pushes_and_logs::MAPPINGS;

/// Files of which we decode nothing, by reason.
const LEFT_OUT: &[(&str, &[&str])] = &[
    (
        "a write: the source is never written to, and the answer has no body that we read",
        &[
            "007-app-user-remove-204.json",
            "015-app-group-remove-204.json",
            "026-group-user-add-204.json",
            "028-group-user-remove-204.json",
            "030-user-deactivate-204.json",
            "031-user-delete-204.json",
            "032-group-rule-create-200.json",
            "033-group-rule-activate-204.json",
            "035-group-rule-activate-204.json",
            "044-user-activate-200.json",
            "046-user-suspend-200.json",
            "048-user-unsuspend-200.json",
            "051-user-deactivate-200.json",
            "052-user-delete-204.json",
        ],
    ),
    ("applications are named by id in the settings, never searched for", &["018-apps-list-q-empty-200.json"]),
    ("applications of a group: assignments are read from the application", &["042-group-apps-list-200.json"]),
    (
        "groups of a user: their time stamps go backwards, so members are read from the group",
        &["050-user-groups-200.json", "057-user-groups-200.json", "082-user-groups-200.json"],
    ),
    (
        "signing in with DPoP: played in sequence by `okta_sign_in`, through the whole source",
        &[
            "065-token-nonce-400.json",
            "066-token-dpop-200.json",
            "067-users-dpop-200.json",
            "068-token-dpop-required-400.json",
            "069-token-refresh-200.json",
            "070-users-after-refresh-200.json",
        ],
    ),
];

/// One page of app users: the file, what it shows, and how many came without their user.
const APP_USERS: &[(&str, &str, usize)] = &[
    (
        "005-app-users-list-200.json",
        "app 0oa1 > user 00usfdsvr3SOpwbqD4x6\napp 0oa1 > user 00usfcrxyLxrCzNan4x6",
        2,
    ),
    ("008-app-users-list-empty-200.json", "", 0),
    ("079-app-users-list-200.json", "app 0oa1 > user 00u6nm9ytbmwHeunx0h7", 1),
    (
        "087-app-users-list-provisioned-200.json",
        "user 00u1dnq5S0CfjlkpABCD (Enabled)\napp 0oa1 > user 00u1dnq5S0CfjlkpABCD",
        0,
    ),
];

#[tokio::test]
async fn lists_of_app_users_show_who_is_assigned() {
    let Some(folder) = corpus() else { return };
    for (file, expected, without) in APP_USERS {
        let org = empty_org().await;
        org.tell(USERS, exchange(&folder, file).reply());
        let pulled = pulled(&org).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(pulled.short(), *expected, "{file}");
        assert_eq!(pulled.covered, [(Collection::Assignments(id("0oa1")), Coverage::Full)], "{file}");
        let told = pulled.notes.iter().filter(|note| note.ends_with("the one seen before stays")).count();
        assert_eq!(told, *without, "{file}: {:?}", pulled.notes);
    }
}

#[tokio::test]
async fn a_provisioned_app_user_brings_both_profiles_and_its_arrays() {
    let Some(folder) = corpus() else { return };
    let org = empty_org().await;
    org.tell(USERS, exchange(&folder, "087-app-users-list-provisioned-200.json").reply());
    let lines = pulled(&org).await.expect("whole").lines();
    for value in [
        r#"appuser.displayName="Saml O Test""#,
        r#"appuser.role="Tester""#,
        "appuser.salesforceGroups=[]",
        r#"appuser.userName="saml.test@example.com""#,
        r#"user.login="saml.test@example.com""#,
        r#"status="ACTIVE""#,
    ] {
        assert!(lines.contains(value), "{value} is not in {lines}");
    }
    assert!(!lines.contains("streetAddress"), "null is no value");
}

/// Three pages of app users: ONE Link header a page, and a next link that has lost `expand=user`.
const APP_USERS_PAGES: [&str; 3] = [
    "071-app-users-expand-page-1-200.json",
    "072-app-users-expand-page-2-200.json",
    "073-app-users-expand-page-3-200.json",
];

#[tokio::test]
async fn the_recorded_pages_of_app_users_are_walked_to_the_end() {
    let Some(folder) = corpus() else { return };
    let org = Org::start().await;
    let app = "0oaYAubtaubhslaOg0x7";
    org.tell(&format!("/api/v1/apps/{app}"), active());
    org.tell(&format!("/api/v1/apps/{app}/groups?limit=200&expand=group"), Reply::ok(json!([])));
    for file in APP_USERS_PAGES {
        let page = exchange(&folder, file);
        org.tell(&page.target(), page.reply());
    }
    let sizes = PageSizes { app_users: 1, ..PageSizes::default() };
    let source = OktaSource::new(org.settings(app).with_page_sizes(sizes).expect("sizes")).expect("a source");
    let pulled = all(&source).await.expect("whole");
    assert_eq!(
        pulled.short(),
        "\
user 00u3krc0foy2vAhng0x7 (Enabled)
app 0oaYAubtaubhslaOg0x7 > user 00u3krc0foy2vAhng0x7
user 00tau9t0s8v3cQ91G0x7 (Enabled)
app 0oaYAubtaubhslaOg0x7 > user 00tau9t0s8v3cQ91G0x7
user 00u2KfbkaUBHftHaj0x7 (Enabled)
app 0oaYAubtaubhslaOg0x7 > user 00u2KfbkaUBHftHaj0x7"
    );
    assert_eq!(pulled.covered, [(Collection::Assignments(id(app)), Coverage::Full)]);
    assert_eq!(pulled.notes, Vec::<String>::new());
    let first = pulled.lines();
    let first = first.lines().next().unwrap_or_default();
    assert_eq!(
        first,
        r#"user 00u3krc0foy2vAhng0x7 (Enabled) appuser.userName="fred.jones@okta-test.com" id="00u3krc0foy2vAhng0x7" status="ACTIVE" user.email="fred.jones@okta-test.com" user.firstName="Fred" user.lastName="Jones" user.login="fred.jones@okta-test.com""#
    );
}

/// Pages with a next link, and the address that it leads to: two header lines, one line, or the last one only.
const NEXT_LINKS: &[(&str, &str)] = &[
    ("017-apps-list-page-200.json", "/api/v1/apps?after=0oanwlw0so3WcfOQi5d7&limit=2"),
    ("053-users-page-1-200.json", "/api/v1/users?after=000usfdsyqnIjEmHNm4x6&limit=1"),
    ("054-users-page-2-200.json", "/api/v1/users?after=000usfgmn9xhwtA6f74x6&limit=1"),
    ("074-users-limit-page-1-200.json", "/api/v1/users?after=200u3c0kdjah7fmnvO0x7&limit=200"),
    ("075-users-limit-page-2-200.json", "/api/v1/users?after=200u3c0op3qtJsOMzf0x7&limit=200"),
    ("076-users-limit-page-8-200.json", "/api/v1/users?after=200u5ri0t6657ThngI0x7&limit=200"),
];

/// A group of one application, whose members page answers with a recording.
async fn org_with_group(members: Reply) -> Org {
    let org = empty_org().await;
    let group = json!({"id": "00g1", "profile": {"name": "Sales"}});
    org.tell(GROUPS, Reply::ok(json!([{"id": "00g1", "_embedded": {"group": group}}])));
    org.tell(MEMBERS, members);
    org
}

const MEMBERS: &str = "/api/v1/groups/00g1/users?limit=200";

#[tokio::test]
async fn next_links_are_followed_as_they_are() {
    let Some(folder) = corpus() else { return };
    for (file, next) in NEXT_LINKS {
        let org = org_with_group(exchange(&folder, file).reply()).await;
        org.tell(next, Reply::ok(json!([])));
        let pulled = pulled(&org).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(org.asked().last().map(String::as_str), Some(*next), "{file}");
        assert_eq!(pulled.covered[1], (Collection::Members(id("00g1")), Coverage::Full), "{file}");
    }
}

/// Lists of people, whole users in several shapes, as members of a group: one page each.
const MEMBER_LISTS: &[(&str, &[&str])] = &[
    ("027-group-users-list-200.json", &["00usfbpcapvcITLwi4x6"]),
    ("029-group-users-list-empty-200.json", &[]),
    ("034-group-users-list-by-rule-200.json", &["00usfqsebZHrwwPpw4x6"]),
    ("036-group-users-list-empty-200.json", &[]),
    (
        "049-users-list-limit-200.json",
        &[
            "00unwlw0tbo8E6aVj5d7",
            "00upynhrehMaqXPgU5d7",
            "00uqrks9ig7XuWV7X5d7",
            "00uowwcs8cTcBPGMc5d7",
            "00uowxt3ozKl39Oex5d7",
            "00uowylh4548byr6w5d7",
            "00uozv8kk7SGP9IKF5d7",
            "00uqh31ktvIde3jcq5d7",
        ],
    ),
    ("058-users-filter-suspended-200.json", &["00usfdd3eO3sfObs54x6"]),
    ("077-users-limit-page-9-200.json", &["idbBW0x7", "id4ws0x7"]),
    ("093-group-users-list-200.json", &["00u118oQYT4TBTemp0g4"]),
];

#[tokio::test]
async fn members_are_edges_whoever_they_are() {
    let Some(folder) = corpus() else { return };
    for (file, members) in MEMBER_LISTS {
        let org = org_with_group(exchange(&folder, file).reply()).await;
        let pulled = pulled(&org).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        let group = ["group 00g1 (Enabled)".to_owned(), "app 0oa1 > group 00g1".to_owned()];
        let edges = members.iter().map(|member| format!("group 00g1 > user {member}"));
        let expected: Vec<String> = group.into_iter().chain(edges).collect();
        assert_eq!(pulled.short(), expected.join("\n"), "{file}");
        assert_eq!(pulled.covered[1], (Collection::Members(id("00g1")), Coverage::Full), "{file}");
    }
}

/// Single users, and how they stand.
const PEOPLE: &[(&str, &str)] = &[
    ("025-user-create-staged-200.json", "Disabled"),
    ("043-user-create-staged-200.json", "Disabled"),
    ("045-user-get-active-200.json", "Enabled"),
    ("047-user-get-suspended-200.json", "Disabled"),
    ("049-users-list-limit-200.json", "Enabled"),
    ("055-user-get-by-login-200.json", "Disabled"),
    ("058-users-filter-suspended-200.json", "Disabled"),
    ("062-user-replace-200.json", "Disabled"),
];

#[tokio::test]
async fn a_status_that_may_sign_in_is_enabled() {
    let Some(folder) = corpus() else { return };
    for (file, standing) in PEOPLE {
        let body = exchange(&folder, file).body().clone();
        let people = body.as_array().cloned().unwrap_or_else(|| vec![body]);
        let org = empty_org().await;
        let rows: Vec<Value> =
            people.iter().map(|user| json!({"id": user["id"], "status": "ACTIVE"})).collect();
        org.tell(USERS, Reply::ok(json!(rows)));
        for user in &people {
            let id = user["id"].as_str().expect("an id");
            org.tell(&format!("/api/v1/users/{id}"), Reply::ok(user.clone()));
        }
        let short = pulled(&org).await.expect("whole").short();
        let standings = short.lines().filter(|line| line.ends_with(&format!("({standing})"))).count();
        assert_eq!(standings, people.len(), "{file}: {short}");
    }
}

/// Lists of groups of the application. Without `expand=group` a group is looked up by its id.
const APP_GROUPS: &[(&str, &str)] = &[
    (
        "013-app-groups-list-200.json",
        "\
app 0oa1 > group 00gsfd0d1jP3JpPr74x6
group 00gsfdsw8cmqTte174x6 (Enabled)
app 0oa1 > group 00gsfdsw8cmqTte174x6",
    ),
    ("016-app-groups-list-empty-200.json", ""),
    ("078-app-groups-list-200.json", "app 0oa1 > group 00g6nm9yt5VEl6xYd0h7"),
    ("090-app-groups-list-profile-200.json", "app 0oa1 > group 00g15acRUy0SYb9GT0g4"),
];

#[tokio::test]
async fn lists_of_app_groups_show_what_is_assigned() {
    let Some(folder) = corpus() else { return };
    for (file, expected) in APP_GROUPS {
        let org = empty_org().await;
        org.tell(GROUPS, exchange(&folder, file).reply());
        let known = exchange(&folder, "010-group-create-200.json");
        org.tell("/api/v1/groups/00gsfdsw8cmqTte174x6", known.reply());
        let pulled = pulled(&org).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(pulled.short(), *expected, "{file}");
        assert_eq!(pulled.covered[0], (Collection::Assignments(id("0oa1")), Coverage::Full), "{file}");
    }
}

/// Groups by pick: the file, what is picked, what it shows.
const PICKS: &[(&str, &str, &str)] = &[
    (
        "010-group-create-200.json",
        "id:00gsfdsw8cmqTte174x6",
        r#"group 00gsfdsw8cmqTte174x6 (Enabled) id="00gsfdsw8cmqTte174x6" name="Group-Target-Test" type="OKTA_GROUP""#,
    ),
    (
        "037-groups-list-200.json",
        "prefix:E",
        r#"group 00gc04qatkiyWnGoq4x6 (Enabled) description="All users in your organization" id="00gc04qatkiyWnGoq4x6" name="Everyone" type="BUILT_IN""#,
    ),
    (
        "038-groups-list-q-200.json",
        "name:Group-Target-Test",
        r#"group 00gsfbh2pJyrDzGmQ4x6 (Enabled) id="00gsfbh2pJyrDzGmQ4x6" name="Group-Target-Test" type="OKTA_GROUP""#,
    ),
    (
        "039-group-update-200.json",
        "id:00gsfdp94a4kMmEcO4x6",
        r#"group 00gsfdp94a4kMmEcO4x6 (Enabled) id="00gsfdp94a4kMmEcO4x6" name="Group-Target-Test NEW" type="OKTA_GROUP""#,
    ),
    (
        "040-group-get-200.json",
        "id:00gsfck5wNqOPYMfS4x6",
        r#"group 00gsfck5wNqOPYMfS4x6 (Enabled) id="00gsfck5wNqOPYMfS4x6" name="Group-Target-Test" type="OKTA_GROUP""#,
    ),
    ("041-group-get-missing-404.json", "id:00gsfck5wNqOPYMfS4x6", ""),
    (
        "081-groups-list-200.json",
        "name:Default",
        r#"group 00g6nm9yt5VEl6xYd0h7 (Enabled) id="00g6nm9yt5VEl6xYd0h7" name="Default" type="OKTA_GROUP""#,
    ),
    (
        "092-groups-search-200.json",
        "prefix:West",
        r#"group 00g1emaKYZTWRYYRRTSK (Enabled) description="All users West of The Rockies" id="00g1emaKYZTWRYYRRTSK" name="West Coast users" type="OKTA_GROUP""#,
    ),
];

#[tokio::test]
async fn picked_groups_are_found_in_the_recorded_lists() {
    let Some(folder) = corpus() else { return };
    for (file, what, expected) in PICKS {
        let (how, text) = what.split_once(':').expect("how and what");
        let (pick, target) = match how {
            "id" => (GroupPick::Id(id(text)), format!("/api/v1/groups/{text}")),
            "name" => (GroupPick::Name(text.to_owned()), format!("/api/v1/groups?q={text}")),
            _ => (GroupPick::Prefix(text.to_owned()), format!("/api/v1/groups?q={text}")),
        };
        let org = empty_org().await;
        org.tell(&target, exchange(&folder, file).reply());
        let settings = org.settings("0oa1").with_groups(vec![pick]).expect("a pick");
        let pulled = all(&OktaSource::new(settings).expect("a source"))
            .await
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(pulled.lines(), *expected, "{file}");
    }
}

#[test]
fn every_file_of_the_corpus_is_read_or_left_out_for_a_reason() {
    let Some(folder) = corpus() else { return };
    let read: Vec<&str> = [
        APP_USERS.iter().map(|row| row.0).collect::<Vec<_>>(),
        APP_USERS_PAGES.to_vec(),
        NEXT_LINKS.iter().map(|row| row.0).collect(),
        MEMBER_LISTS.iter().map(|row| row.0).collect(),
        PEOPLE.iter().map(|row| row.0).collect(),
        APP_GROUPS.iter().map(|row| row.0).collect(),
        PICKS.iter().map(|row| row.0).collect(),
        APPS.iter().map(|row| row.0).collect(),
        TESTIMONY.iter().map(|row| row.0).collect(),
        REFUSALS.iter().map(|row| row.0).collect(),
        vec![BAD_CURSOR],
        MAPPINGS.to_vec(),
        LOGS.iter().map(|row| row.0).collect(),
        RATE_LIMITED.to_vec(),
    ]
    .concat();
    let read: BTreeSet<String> = read.into_iter().map(str::to_owned).collect();
    let left: BTreeSet<String> =
        LEFT_OUT.iter().flat_map(|(_, files)| *files).map(|file| (*file).to_owned()).collect();
    let both: Vec<&String> = read.intersection(&left).collect();
    assert!(both.is_empty(), "read and left out: {both:?}");
    let named: BTreeSet<String> = read.union(&left).cloned().collect();
    let there: BTreeSet<String> = std::fs::read_dir(&folder)
        .expect("the folder of the corpus")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(named, there, "the lists of this test against the files of the corpus");
}
