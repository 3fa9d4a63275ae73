//! From answers of Okta to records: who is assigned, how people stand, and their attributes.

use serde_json::Map;
use serde_json::Value;

use super::wire::AppUser;
use super::wire::Group;
use super::wire::Person;
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

/// Whether the status of an app user counts as assigned (okta.md section 6.2).
pub(super) fn assigned(status: &str) -> Meaning {
    match status {
        "ACTIVE" | "PROVISIONED" | "STAGED" | "PENDING" | "APPROVED" | "IMPLICIT" => Meaning::Yes,
        "IMPORTED" | "MATCHED" => Meaning::No,
        "INACTIVE" | "SUSPENDED" | "DEPROVISIONED" | "REVOKED" | "UNASSIGNED" => Meaning::No,
        _ => Meaning::Unknown,
    }
}

/// Whether a user of this status may work (okta.md section 6.1). Nobody is shut out for a forgotten password.
pub(super) fn enabled(status: &str) -> Meaning {
    match status {
        "ACTIVE" | "PROVISIONED" | "RECOVERY" | "PASSWORD_EXPIRED" | "LOCKED_OUT" => Meaning::Yes,
        "SUSPENDED" | "STAGED" | "DEPROVISIONED" => Meaning::No,
        _ => Meaning::Unknown,
    }
}

/// One app user. Without its user only the assignment is told: what was seen of the person before stays.
pub(super) fn app_user(app: &SourceId, row: AppUser, user: Option<User>) -> Shown {
    let id = SourceId(row.id.clone());
    let mut shown = Shown::default();
    let status = row.status.clone().unwrap_or_default();
    let meaning = assigned(&status);
    match user {
        Some(user) => {
            let user_name = row.credentials.and_then(|credentials| credentials.user_name);
            shown.object(&id, user, user_name, row.profile.unwrap_or_default());
        }
        None => shown.notes.push(format!("user {id} came without a profile; the one seen before stays")),
    }
    if meaning == Meaning::Unknown {
        shown
            .notes
            .push(format!("user {id}: the assignment status `{status}` is not known; kept as assigned"));
    }
    if meaning != Meaning::No {
        shown.records.push(edge(Container::App(app.clone()), id, Kind::User));
    }
    shown
}

/// A member of a chosen group who is no user of the application. The edge is told apart from it.
pub(super) fn member(person: Person) -> Shown {
    let id = SourceId(person.id);
    let mut shown = Shown::default();
    if person.user.profile.is_none() {
        shown.notes.push(format!("user {id} came without a profile; the one seen before stays"));
        return shown;
    }
    shown.object(&id, person.user, None, Map::new());
    shown
}

impl Shown {
    /// The login stands in for a user name that the application does not have.
    fn object(
        &mut self,
        id: &SourceId,
        user: User,
        user_name: Option<String>,
        app_profile: Map<String, Value>,
    ) {
        let status = user.status.unwrap_or_default();
        let standing = match enabled(&status) {
            Meaning::Yes => Standing::Enabled,
            Meaning::No => Standing::Disabled,
            Meaning::Unknown => {
                self.notes.push(format!("user {id}: the status `{status}` is not known; taken as enabled"));
                Standing::Enabled
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
        app_user(&SourceId("0oa1".into()), row, user)
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
        let shown = member(serde_json::from_value(row).unwrap());
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
        let shown = member(serde_json::from_value(json!({"id": "00u1", "status": "ACTIVE"})).unwrap());
        assert_eq!(shown.records, []);
        assert_eq!(shown.notes, ["user 00u1 came without a profile; the one seen before stays"]);
    }

    #[test]
    fn who_may_sign_in_is_enabled() {
        let yes = ["ACTIVE", "PROVISIONED", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT"];
        let no = ["SUSPENDED", "STAGED", "DEPROVISIONED"];
        assert!(yes.iter().all(|status| enabled(status) == Meaning::Yes));
        assert!(no.iter().all(|status| enabled(status) == Meaning::No));
    }

    #[test]
    fn an_unknown_status_keeps_person_and_assignment_and_says_so() {
        let shown = shown(json!({"id": "00u1", "status": "FROZEN",
            "_embedded": {"user": {"status": "ASLEEP", "profile": {}}}}));
        assert_eq!(shown.records.len(), 2);
        assert_eq!(
            shown.notes,
            [
                "user 00u1: the status `ASLEEP` is not known; taken as enabled",
                "user 00u1: the assignment status `FROZEN` is not known; kept as assigned",
            ]
        );
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
