//! Graph: permissions, licence, hidden memberships and the kinds of tenant (graph.md sections 2.9, 3 and 8).

use rosterd::simulators::CLIENT_ID;
use rosterd::simulators::CLIENT_SECRET;
use rosterd::simulators::Change;
use rosterd::simulators::Fault;
use rosterd::simulators::GRAPH_APP_OBJECT_ID;
use rosterd::simulators::Route;
use rosterd::simulators::Trouble;
use serde_json::Value;
use serde_json::json;

use super::Served;
use super::graph_refusals::eventually;
use super::graph_with;
use super::ids;
use super::join;
use super::own;
use super::row;

async fn served() -> Served {
    let world = graph_with(&["ann@x.example"], &["Team", "Sub"]);
    join(&world, "Team", "ann@x.example");
    join(&world, "Team", "Sub");
    Served::graph(world).await
}

fn grant(served: &Served, permissions: &[&str]) {
    let mut knobs = served.world.knobs();
    knobs.graph.permissions = permissions.iter().map(|&name| own(name)).collect();
    served.world.set_knobs(knobs);
}

/// Section 2.9, a row a call; the batch inside stands for itself.
#[tokio::test]
async fn each_call_needs_its_permission() {
    let served = served().await;
    let [ann, team] = ["ann@x.example", "Team"].map(|name| served.world.id_of(name).unwrap());
    let (user, group) = (format!("/v1.0/users/{ann}"), format!("/v1.0/groups/{team}"));
    let app = format!("/v1.0/servicePrincipals/{GRAPH_APP_OBJECT_ID}");
    let deleted = "/v1.0/directory/deletedItems/microsoft.graph";
    for (permission, targets) in [
        (
            "User.Read.All",
            vec![
                own("/v1.0/users"),
                own("/v1.0/users/delta"),
                user.clone(),
                format!("{user}/memberOf"),
                format!("{deleted}.user"),
            ],
        ),
        (
            "GroupMember.Read.All",
            vec![
                own("/v1.0/groups"),
                own("/v1.0/groups/delta"),
                group.clone(),
                format!("{group}/members"),
                format!("{group}/transitiveMembers"),
            ],
        ),
        ("Group.Read.All", vec![format!("{deleted}.group")]),
        (
            "Application.Read.All",
            vec![app.clone(), format!("{app}/appRoleAssignedTo"), own("/v1.0/applications")],
        ),
        (
            "Directory.Read.All",
            vec![
                own("/v1.0/organization"),
                format!("{user}/appRoleAssignments"),
                format!("{group}/appRoleAssignments"),
                format!("{user}/transitiveMemberOf"),
            ],
        ),
    ] {
        for target in targets {
            grant(&served, &[permission]);
            served.ok(&target).await;
            grant(&served, &["Mail.Read"]);
            let (status, body) = served.get(&target).await;
            assert_eq!(
                (status, &body["error"]["code"]),
                (403, &json!("Authorization_RequestDenied")),
                "{target}"
            );
            assert_eq!(body["error"]["message"], "Insufficient privileges to complete the operation.");
            grant(&served, &["Directory.Read.All"]);
            served.ok(&target).await;
        }
    }
    let check = json!({ "groupIds": [team] });
    grant(&served, &["User.Read.All"]);
    assert_eq!(served.post(&format!("{user}/checkMemberGroups"), &check).await.0, 403);
    grant(&served, &["User.Read.All", "GroupMember.Read.All"]);
    assert_eq!(served.post(&format!("{user}/checkMemberGroups"), &check).await.0, 200);
}

#[tokio::test]
async fn members_that_may_not_be_read_are_null_with_status_200() {
    let served = served().await;
    let [ann, team, sub] = ["ann@x.example", "Team", "Sub"].map(|name| served.world.id_of(name).unwrap());
    grant(&served, &["GroupMember.Read.All"]);
    let members = served.ok(&format!("/v1.0/groups/{team}/members?$select=id,displayName,mail")).await;
    let rows = members["value"].as_array().unwrap();
    assert_eq!(
        *row(rows, &ann),
        json!({ "@odata.type": "#microsoft.graph.user", "id": ann, "displayName": null, "mail": null })
    );
    assert_eq!(row(rows, &sub)["displayName"], "Sub");
}

#[tokio::test]
async fn a_token_keeps_the_permissions_it_was_minted_with_where_a_knob_says_so() {
    let mut served = served().await;
    served.world.turn("permissions_of_token=true").unwrap();
    grant(&served, &["User.Read.All"]);
    served.ok("/v1.0/groups").await;
    let answer = served.token(&[("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]).await;
    let body: Value = answer.json().await.unwrap();
    served.credentials = format!("Bearer {}", body["access_token"].as_str().unwrap());
    assert_eq!(served.get("/v1.0/groups").await.0, 403);
}

#[tokio::test]
async fn a_group_with_hidden_membership_shows_nobody() {
    let served = served().await;
    let [ann, team] = ["ann@x.example", "Team"].map(|name| served.world.id_of(name).unwrap());
    let hidden = Change::SetGroup {
        group: team.clone(),
        property: own("visibility"),
        value: json!("HiddenMembership"),
    };
    served.world.change(hidden).unwrap();
    let members = format!("/v1.0/groups/{team}/members");
    let check = json!({ "groupIds": [team] });
    let asked = format!("/v1.0/users/{ann}/checkMemberGroups");
    for (permission, seen) in [("User.Read.All", 0), ("Member.Read.Hidden", 2)] {
        grant(&served, &["Directory.Read.All", permission]);
        assert_eq!(served.ok(&members).await["value"].as_array().unwrap().len(), seen);
        let expanded = served.ok(&format!("/v1.0/groups/{team}?$expand=members")).await;
        assert_eq!(expanded["members"].as_array().unwrap().len(), seen);
        let (rows, _) = served.rows("/v1.0/groups/delta?$select=id,members").await;
        assert_eq!(row(&rows, &team)["members@delta"].as_array().map_or(0, Vec::len), seen);
        let held = served.post(&asked, &check).await.1["value"].as_array().unwrap().len();
        assert_eq!(held, seen.min(1));
        let groups = served.ok(&format!("/v1.0/users/{ann}/memberOf")).await;
        assert_eq!(ids(groups["value"].as_array().unwrap()).contains(&team), seen > 0);
    }
}

#[tokio::test]
async fn sign_in_activity_needs_a_licence_a_permission_and_smaller_pages() {
    let served = served().await;
    let target = "/v1.0/users?$select=id,signInActivity";
    assert_eq!(served.get(target).await.1["error"]["code"], "Authorization_RequestDenied");
    grant(&served, &["User.Read.All", "AuditLog.Read.All"]);
    assert_eq!(served.ok(target).await["value"][0]["signInActivity"], Value::Null);
    assert_eq!(served.get(&format!("{target}&$top=501")).await.0, 400);
    served.world.turn("premium=false").unwrap();
    let (status, body) = served.get(target).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (403, &json!("Authentication_RequestFromNonPremiumTenantOrB2CTenant"))
    );
    assert_eq!(body["error"]["message"], "Neither tenant is B2C or tenant doesn't have premium license");
    grant(&served, &["Directory.Read.All"]);
    assert_eq!(served.ok("/v1.0/organization").await["value"][0]["assignedPlans"], json!([]));
}

#[tokio::test]
async fn a_b2c_tenant_has_no_delta_and_no_advanced_queries() {
    let served = served().await;
    served.world.turn("b2c=true").unwrap();
    for feed in ["users", "groups"] {
        let (status, body) = served.get(&format!("/v1.0/{feed}/delta")).await;
        assert_eq!(status, 400);
        let message = body["error"]["message"].as_str().unwrap().to_lowercase();
        assert!(message.contains("change enumeration is not supported in requested client"), "{message}");
    }
    assert_eq!(eventually(&served, "/v1.0/users?$count=true").await.0, 400);
    served.ok("/v1.0/users").await;
}

#[tokio::test]
async fn a_principal_may_be_unknown_or_disabled() {
    let served = served().await;
    for status in [401, 403] {
        served.world.turn(&format!("identity_unknown={status}")).unwrap();
        let (shown, body) = served.get("/v1.0/users").await;
        assert_eq!((shown, &body["error"]["code"]), (status, &json!("Authorization_IdentityNotFound")));
    }
    served.world.turn("identity_unknown=null").unwrap();
    served.world.turn("identity_disabled=true").unwrap();
    let (status, body) = served.get("/v1.0/users").await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("Authorization_IdentityDisabled")));
}

#[tokio::test]
async fn errors_have_the_code_and_the_form_that_is_asked_for() {
    let served = served().await;
    let code = Trouble::Code { status: 400, code: own("Request_InvalidReplicaSessionKey") };
    served.world.fault(Fault::next(Route::UsersList, code));
    assert_eq!(served.get("/v1.0/users").await.1["error"]["code"], "Request_InvalidReplicaSessionKey");
    served.world.fault(Fault::next(Route::UsersList, Trouble::ClaimsChallenge));
    let answer = served.send("/v1.0/users").await.unwrap();
    assert_eq!(answer.status(), 401);
    assert!(answer.headers()["www-authenticate"].to_str().unwrap().contains("error=\"insufficient_claims\""));

    let missing = "/v1.0/users/nobody@x.example";
    for (form, pointer) in [
        ("usual", "/error/innerError/request-id"),
        ("lower_case", "/error/innererror/request-id"),
        ("nested", "/error/innerError/innerError/code"),
    ] {
        served.world.turn(&format!("inner_error={form}")).unwrap();
        assert!(served.get(missing).await.1.pointer(pointer).is_some(), "{form}");
    }
    served.world.turn("inner_error=absent").unwrap();
    let body = served.get(missing).await.1;
    assert_eq!(body["error"].as_object().unwrap().len(), 2, "{body}");
}
