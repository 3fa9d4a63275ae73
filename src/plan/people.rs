//! People's policy: which kinds of people belong into the scope at all, whoever selects them.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::Seen;
use crate::model::SourceAttributes;
use crate::model::Vocabulary;

/// Kinds of people that are in scope when they are selected. The defaults are what Entra ID's own service does: guests
/// and resource accounts are people like others, and who is disabled stays in scope and is not active (Entra
/// provisioning reference, sections 3 and 8; Graph reference, sections 9 and 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct People {
    pub guests: bool,
    /// `true`: an account of ours is deactivated, and none is ever created. `false`: who is disabled is a leaver, and
    /// the policy for leavers says what becomes of the account.
    pub disabled: bool,
    /// Accounts of rooms and devices (`isResourceAccount`).
    pub resource_accounts: bool,
}

impl Default for People {
    fn default() -> Self {
        People { guests: true, disabled: true, resource_accounts: true }
    }
}

/// The mark in a guest's userPrincipalName: `alias_theirdomain#EXT#@tenant`.
const GUEST_MARK: &str = "#EXT#";

impl People {
    /// The kind of people that this person is and that is kept out, in words that name the setting. Who is disabled is
    /// not told here: standing says it.
    pub(super) fn bar(self, seen: &Seen, vocabulary: Vocabulary) -> Option<&'static str> {
        if !self.guests && is_guest(&seen.attributes, vocabulary) {
            return Some("guests are not in scope (scope.users.guests = false)");
        }
        if !self.resource_accounts && is_resource_account(&seen.attributes) {
            return Some("resource accounts are not in scope (scope.users.resource_accounts = false)");
        }
        None
    }

    /// The attributes that have to be read for it, by the source's own names.
    pub(super) fn source_attributes(self, vocabulary: Vocabulary) -> BTreeSet<String> {
        if vocabulary != Vocabulary::Graph {
            return BTreeSet::new();
        }
        let guests = (!self.guests).then_some(["userType", "userPrincipalName"]);
        let resources = (!self.resource_accounts).then_some("isResourceAccount");
        guests.into_iter().flatten().chain(resources).map(str::to_owned).collect()
    }
}

/// `userType` says it. Old objects have none; then the mark in the name does. A guest who was made a member is none.
fn is_guest(attributes: &SourceAttributes, vocabulary: Vocabulary) -> bool {
    match text(attributes, "userType") {
        Some(kind) => kind.eq_ignore_ascii_case("Guest"),
        None if vocabulary == Vocabulary::Graph => text(attributes, "userPrincipalName")
            .is_some_and(|name| name.to_ascii_uppercase().contains(GUEST_MARK)),
        None => false,
    }
}

fn is_resource_account(attributes: &SourceAttributes) -> bool {
    attributes.get("isResourceAccount").and_then(serde_json::Value::as_bool) == Some(true)
}

fn text<'a>(attributes: &'a SourceAttributes, name: &str) -> Option<&'a str> {
    attributes.get(name).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Standing;

    const NOBODY: People = People { guests: false, disabled: false, resource_accounts: false };

    fn bar(people: People, attributes: serde_json::Value) -> &'static str {
        let attributes = serde_json::from_value(attributes).expect("an object");
        let seen = Seen { standing: Standing::Enabled, attributes };
        people.bar(&seen, Vocabulary::Graph).unwrap_or("in")
    }

    /// Graph reference, section 10: `userType` Guest, can be changed to Member, can be null on old objects.
    #[test]
    fn a_guest_is_known_by_the_type_and_on_old_objects_by_the_name() {
        let guest = "guests are not in scope (scope.users.guests = false)";
        let marked = "ann_home.example#EXT#@tenant.onmicrosoft.com";
        for (attributes, expected) in [
            (json!({ "userType": "Guest" }), guest),
            (json!({ "userType": "Member", "userPrincipalName": marked }), "in"),
            (json!({ "userType": null, "userPrincipalName": marked }), guest),
            (json!({ "userPrincipalName": marked.replace("EXT", "ext") }), guest),
            (json!({ "userPrincipalName": "ann@acme.example" }), "in"),
        ] {
            assert_eq!(bar(NOBODY, attributes.clone()), expected, "{attributes}");
            assert_eq!(bar(People::default(), attributes), "in");
        }
    }

    #[test]
    fn a_resource_account_is_known_by_its_mark() {
        let resource = "resource accounts are not in scope (scope.users.resource_accounts = false)";
        assert_eq!(bar(NOBODY, json!({ "userType": "Member", "isResourceAccount": true })), resource);
        assert_eq!(bar(NOBODY, json!({ "userType": "Member", "isResourceAccount": null })), "in");
        assert_eq!(bar(People::default(), json!({ "isResourceAccount": true })), "in");
    }

    #[test]
    fn what_the_policy_looks_at_is_read() {
        let read = |people: People| Vec::from_iter(people.source_attributes(Vocabulary::Graph));
        assert_eq!(read(NOBODY), ["isResourceAccount", "userPrincipalName", "userType"]);
        assert!(read(People::default()).is_empty());
    }
}
