//! Rows whose expression asks for more than an object: what they may be, and what they make.

use serde_json::Value as Json;

use super::Row;
use super::RowFlow;
use super::RowValue;
use crate::expr::Expression;
use crate::expr::Roles;
use crate::expr::Value;
use crate::model::Vocabulary;
use crate::scim::Kind;

/// The attribute that whole roles go to.
const ROLES: &str = "roles";

/// What is wrong with a row because of its expression: the key that is meant, and what to write.
pub(super) fn check(
    row: &Row,
    expression: &Expression,
    vocabulary: Vocabulary,
) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let once = row.flow == RowFlow::OnCreate;
    if expression.is_fleeting() {
        if !once {
            let text = "Now, Guid and RandomString give another value each time, so the target would never be in sync; \
                        write apply = \"on_create\"";
            found.push(("apply", text.to_owned()));
        }
        if row.matching.is_some() {
            let text = "nobody is found by a value that is new each time; match by another row";
            found.push(("matching", text.to_owned()));
        }
    }
    if expression.is_choice() {
        if !once {
            let text = "SelectUniqueValue chooses when an account is made, and never again; write apply = \"on_create\"";
            found.push(("apply", text.to_owned()));
        }
        if row.matching.is_some() {
            let text = "nobody is found by a value that nobody has; match by another row";
            found.push(("matching", text.to_owned()));
        }
    }
    if expression.needs_default_domain() && vocabulary != Vocabulary::Graph {
        let text = "only Microsoft Graph has a default domain; write the domain as a text";
        found.push(("expression", text.to_owned()));
    }
    if expression.roles().is_some() && row.target != ROLES {
        found.push(("expression", "whole roles go to the attribute `roles`".to_owned()));
    }
    found
}

/// Whether a row sends whole roles to where they belong; then its target has no part of its own.
pub(super) fn sends_roles(row: &Row, kind: Kind) -> bool {
    kind == Kind::User && row.target == ROLES && roles(row).is_some()
}

/// How the values of a row reach `roles`, where they are whole roles.
pub(super) fn roles(row: &Row) -> Option<Roles> {
    match &row.value {
        RowValue::Expression(expression) => expression.roles(),
        _ => None,
    }
}

/// Whole roles as attribute values. Replaced, they are one list. Added, each is an element of its own by its name and
/// type, which the target gets when it has none: what is not named any more is no change, so nothing is taken away
/// (Entra provisioning reference, section 7.4).
pub(super) fn role_values(value: &Value, how: Roles) -> Vec<(String, Json)> {
    let roles = value.values().iter().filter_map(|text| serde_json::from_str::<Json>(text).ok());
    match how {
        Roles::Replaced => vec![(ROLES.to_owned(), Json::from_iter(roles))],
        Roles::Added => roles.filter_map(added).collect(),
    }
}

fn added(role: Json) -> Option<(String, Json)> {
    let path = format!("{ROLES}[value eq {} and type eq {}].display", role.get("value")?, role.get("type")?);
    Some((path, role.get("display")?.clone()))
}
