//! From answers of Okta to records: who is assigned, how people stand, and their attributes.

use serde_json::Map;
use serde_json::Value;

use super::policy::StatusPolicy;
use super::wire::AppUser;
use super::wire::Group;
use super::wire::Person;
use super::wire::PushMapping;
use super::wire::User;
use crate::model::Container;
use crate::model::Record;
use crate::model::SourceAttributes;
use crate::model::SourceId;
use crate::model::SourceObject;
use crate::model::Standing;
use crate::scim::Kind;

/// Records of one row, and what the administrator should know of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Shown {
    pub records: Vec<Record>,
    pub notes: Vec<String>,
}

/// What a status means; `Unknown` is one that Okta added since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Yes,
    No,
    Unknown,
}

/// One app user. Without its user only the assignment is told: what was seen of the person before stays.
pub(super) fn app_user(policy: StatusPolicy, app: &SourceId, row: AppUser, user: Option<User>) -> Shown {
    let id = SourceId(row.id.clone());
    let mut shown = Shown::default();
    let status = row.status.clone().unwrap_or_default();
    match user {
        Some(user) => {
            let user_name = row.credentials.and_then(|credentials| credentials.user_name);
            shown.object(policy, &id, user, user_name, row.profile.unwrap_or_default());
        }
        None => shown.notes.push(format!("user {id} came without a profile; the one seen before stays")),
    }
    let container = Container::App(app.clone());
    match policy.assigned(&status) {
        Meaning::Yes => shown.records.push(edge(container, id, Kind::User)),
        Meaning::No => {}
        Meaning::Unknown => {
            let note = format!(
                "user {id}: the assignment status `{status}` is not known; the assignment stays as it was"
            );
            shown.notes.push(note);
            shown.records.push(Record::EdgeUnclear { container, principal: id, kind: Kind::User });
        }
    }
    shown
}

/// A member of a chosen group who is no user of the application. The edge is told apart from it.
pub(super) fn member(policy: StatusPolicy, person: Person) -> Shown {
    let id = SourceId(person.id);
    let mut shown = Shown::default();
    if person.user.profile.is_none() {
        shown.notes.push(format!("user {id} came without a profile; the one seen before stays"));
        return shown;
    }
    shown.object(policy, &id, person.user, None, Map::new());
    shown
}

impl Shown {
    /// The login stands in for a user name that the application does not have. Of somebody whose status nobody knows
    /// yet nothing is told: what was seen before stays, and who was never seen is left alone.
    fn object(
        &mut self,
        policy: StatusPolicy,
        id: &SourceId,
        user: User,
        user_name: Option<String>,
        app_profile: Map<String, Value>,
    ) {
        let status = user.status.unwrap_or_default();
        let standing = match policy.enabled(&status, user.becoming.as_deref()) {
            Meaning::Yes => Standing::Enabled,
            Meaning::No => Standing::Disabled,
            Meaning::Unknown => {
                self.notes.push(format!(
                    "user {id}: the status `{status}` is not known; the person stays as seen before"
                ));
                return;
            }
        };
        let profile = user.profile.unwrap_or_default();
        let login = profile.get("login").and_then(Value::as_str).map(str::to_owned);
        let user_name = user_name.filter(|name| !name.is_empty()).or(login);
        let mut attributes = SourceAttributes::new();
        add(&mut attributes, "user.", profile);
        add(&mut attributes, "appuser.", app_profile);
        if let Some(user_name) = user_name {
            attributes.insert("appuser.userName".to_owned(), Value::String(user_name));
        }
        attributes.insert("id".to_owned(), Value::String(id.0.clone()));
        attributes.insert("status".to_owned(), Value::String(status));
        self.records.push(Record::Object(SourceObject {
            id: id.clone(),
            kind: Kind::User,
            standing,
            attributes,
        }));
    }

    pub fn of_note(note: String) -> Shown {
        Shown { records: Vec::new(), notes: vec![note] }
    }
}

/// A group as an object.
pub(super) fn group(group: &Group) -> Record {
    let mut attributes = SourceAttributes::new();
    let profile = group.profile.as_ref();
    let values = [
        ("id", Some(&group.id)),
        ("name", profile.and_then(|profile| profile.name.as_ref())),
        ("description", profile.and_then(|profile| profile.description.as_ref())),
        ("type", group.kind.as_ref()),
    ];
    for (name, value) in values {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            attributes.insert(name.to_owned(), Value::String(value.clone()));
        }
    }
    let id = SourceId(group.id.clone());
    Record::Object(SourceObject { id, kind: Kind::Group, standing: Standing::Enabled, attributes })
}

pub(super) fn edge(container: Container, principal: SourceId, kind: Kind) -> Record {
    Record::Edge { container, principal, kind, detail: String::new() }
}

/// Okta's text of an error is shown per team; more than this of it helps nobody.
const ERROR_CHARS: usize = 200;

/// A pushed group, with how its push fares: `status=ERROR;target=00g…;error=…`. The error comes last, as it may hold
/// any character.
pub(super) fn pushed(list: &SourceId, mapping: &PushMapping) -> Record {
    let status = mapping.status.as_deref().unwrap_or_default();
    let target = mapping.target_group_id.as_deref().unwrap_or_default();
    let error: String =
        mapping.error_summary.as_deref().unwrap_or_default().chars().take(ERROR_CHARS).collect();
    Record::Edge {
        container: Container::App(list.clone()),
        principal: SourceId(mapping.source_group_id.clone()),
        kind: Kind::Group,
        detail: format!("status={status};target={target};error={error}"),
    }
}

/// `null`, `""` and a missing value are one to Okta (okta.md section 11).
fn add(attributes: &mut SourceAttributes, prefix: &str, profile: Map<String, Value>) {
    for (name, value) in profile {
        let empty = value.is_null() || value.as_str() == Some("");
        if !empty {
            attributes.insert(format!("{prefix}{name}"), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(row: Value) -> Shown {
        let mut row: AppUser = serde_json::from_value(row).unwrap();
        let user = row.embedded.take().and_then(|embedded| embedded.user);
        app_user(StatusPolicy::default(), &SourceId("0oa1".into()), row, user)
    }

    #[track_caller]
    fn check(row: Value, attributes: &str, standing: Standing) {
        let shown = shown(row);
        let Some(Record::Object(object)) = shown.records.first() else { panic!("no object in {shown:?}") };
        let found: Vec<String> = object.attributes.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!((found.join(" ").as_str(), object.standing), (attributes, standing));
    }

    #[test]
    fn a_person_has_the_attributes_of_user_and_app_user() {
        check(
            json!({"id": "00u1", "status": "ACTIVE", "credentials": {"userName": "ann.lee"},
                "profile": {"email": "old@acme.example", "role": null},
                "_embedded": {"user": {"status": "ACTIVE",
                    "profile": {"login": "ann@acme.example", "email": "ann@acme.example", "title": "", "tags": ["a"]}}}}),
            r#"appuser.email="old@acme.example" appuser.userName="ann.lee" id="00u1" status="ACTIVE" user.email="ann@acme.example" user.login="ann@acme.example" user.tags=["a"]"#,
            Standing::Enabled,
        );
    }

    #[test]
    fn the_login_stands_in_for_a_missing_user_name() {
        for credentials in [Value::Null, json!({}), json!({"userName": ""})] {
            check(
                json!({"id": "00u1", "status": "STAGED", "credentials": credentials,
                    "_embedded": {"user": {"status": "SUSPENDED", "profile": {"login": "ann"}}}}),
                r#"appuser.userName="ann" id="00u1" status="SUSPENDED" user.login="ann""#,
                Standing::Disabled,
            );
        }
    }

    #[track_caller]
    fn check_member(row: Value, attributes: &str, standing: Standing) {
        let shown = member(StatusPolicy::default(), serde_json::from_value(row).unwrap());
        let [Record::Object(object)] = shown.records.as_slice() else { panic!("no object in {shown:?}") };
        let found: Vec<String> = object.attributes.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!((found.join(" ").as_str(), object.standing), (attributes, standing));
    }

    #[test]
    fn a_member_without_a_row_of_the_application_has_the_attributes_of_the_user() {
        let row = |status: &str| {
            json!({"id": "00u1", "status": status, "lastUpdated": "2026-03-01T00:00:00.000Z",
                "profile": {"login": "ann@acme.example", "title": null, "city": ""}})
        };
        let attributes = |status: &str| {
            format!(
                r#"appuser.userName="ann@acme.example" id="00u1" status="{status}" user.login="ann@acme.example""#
            )
        };
        check_member(row("ACTIVE"), &attributes("ACTIVE"), Standing::Enabled);
        check_member(row("LOCKED_OUT"), &attributes("LOCKED_OUT"), Standing::Enabled);
        check_member(row("DEPROVISIONED"), &attributes("DEPROVISIONED"), Standing::Disabled);
    }

    #[test]
    fn a_member_without_a_profile_is_not_whole() {
        let shown = member(
            StatusPolicy::default(),
            serde_json::from_value(json!({"id": "00u1", "status": "ACTIVE"})).unwrap(),
        );
        assert_eq!(shown.records, []);
        assert_eq!(shown.notes, ["user 00u1 came without a profile; the one seen before stays"]);
    }

    #[test]
    fn an_unknown_status_keeps_person_and_assignment_as_they_were_and_says_so() {
        let shown = shown(json!({"id": "00u1", "status": "FROZEN",
            "_embedded": {"user": {"status": "ASLEEP", "profile": {}}}}));
        assert!(matches!(shown.records.as_slice(), [Record::EdgeUnclear { .. }]), "{shown:?}");
        assert_eq!(
            shown.notes,
            [
                "user 00u1: the status `ASLEEP` is not known; the person stays as seen before",
                "user 00u1: the assignment status `FROZEN` is not known; the assignment stays as it was",
            ]
        );
    }

    #[test]
    fn a_user_who_is_being_deactivated_is_disabled_though_the_row_lingers() {
        for user in [
            json!({"status": "DEPROVISIONED"}),
            json!({"status": "ACTIVE", "transitioningToStatus": "DEPROVISIONED"}),
        ] {
            let records =
                shown(json!({"id": "00u1", "status": "ACTIVE", "_embedded": {"user": user}})).records;
            let [Record::Object(object), Record::Edge { .. }] = records.as_slice() else {
                panic!("{records:?}")
            };
            assert_eq!(object.standing, Standing::Disabled);
        }
    }

    #[test]
    fn what_okta_made_of_its_own_provisioning_does_not_count() {
        for state in ["DISABLED", "OUT_OF_SYNC", "SYNCING", "SYNCHRONIZED", "ERROR"] {
            let row = json!({"id": "00u1", "status": "STAGED", "externalId": null, "syncState": state,
                "_embedded": {"user": {"status": "ACTIVE"}}});
            let records = shown(row).records;
            let [Record::Object(object), Record::Edge { .. }] = records.as_slice() else {
                panic!("{records:?}")
            };
            assert_eq!(object.standing, Standing::Enabled, "{state}");
        }
    }

    #[test]
    fn a_pushed_group_tells_how_its_push_fares() {
        let mapping = json!({"id": "gPm1", "sourceGroupId": "00g1", "targetGroupId": "00g2", "status": "ERROR",
            "errorSummary": "a; b"});
        let record = pushed(&SourceId("push:0oa1".into()), &serde_json::from_value(mapping).unwrap());
        let Record::Edge { detail, .. } = record else { panic!("{record:?}") };
        assert_eq!(detail, "status=ERROR;target=00g2;error=a; b");
    }

    #[test]
    fn a_row_that_is_no_assignment_shows_the_person_only() {
        let rows = ["IMPORTED", "MATCHED", "INACTIVE", "SUSPENDED", "DEPROVISIONED", "REVOKED", "UNASSIGNED"];
        for status in rows {
            let row = json!({"id": "00u1", "status": status, "_embedded": {"user": {"status": "ACTIVE"}}});
            let records = shown(row).records;
            assert!(matches!(records.as_slice(), [Record::Object(_)]), "{status}: {records:?}");
        }
    }

    #[test]
    fn a_row_without_its_user_tells_the_assignment_only() {
        let shown = shown(json!({"id": "00u1", "status": "ACTIVE"}));
        assert!(matches!(shown.records.as_slice(), [Record::Edge { .. }]), "{shown:?}");
    }
}
