//! Functions over the app roles of a person: the list `appRoleAssignments`, each value one role.
//!
//! Source: Entra provisioning reference, section 7.4. A role is a JSON text, as that service itself sends it:
//! `{"id":"06b0…","value":"25","displayName":"Role1234"}`. Any other text is a role of that name, so that a list of plain
//! names (of a file, of an Okta profile) works as well.

use serde_json::Value as Json;
use serde_json::json;

use super::super::EvalError;
use super::super::Roles;
use super::super::Value;
use super::super::evaluate::Arguments;

/// The `type` under which the provisioning service sends roles.
const ROLE_TYPE: &str = "WindowsAzureActiveDirectoryRole";

/// How the values of a function reach `roles`; `None` for a function whose values are no whole roles.
pub(in super::super) fn manner(function: &str) -> Option<Roles> {
    match function {
        "AppRoleAssignmentsComplex" => Some(Roles::Added),
        "AssertiveAppRoleAssignmentsComplex" => Some(Roles::Replaced),
        _ => None,
    }
}

/// The names of all roles.
pub(super) fn names(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    Ok(Value::list(roles(arguments)?.into_iter().map(|role| role.name)))
}

/// The name of one role. Which of several is undefined in the documentation; here it is the first by its letters, so
/// that it stays the same.
pub(super) fn single(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    Ok(roles(arguments)?.into_iter().next().map_or(Value::Null, |role| Value::One(role.name)))
}

/// Every role as SCIM's `roles` has it, each one JSON text.
pub(super) fn whole(arguments: &Arguments<'_>) -> Result<Value, EvalError> {
    let whole = |role: Role| {
        json!({"primary": false, "type": ROLE_TYPE, "display": role.display, "value": role.name}).to_string()
    };
    Ok(Value::list(roles(arguments)?.into_iter().map(whole)))
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Role {
    name: String,
    display: String,
}

/// By name, each once.
fn roles(arguments: &Arguments<'_>) -> Result<Vec<Role>, EvalError> {
    let value = arguments.value(0)?;
    let mut roles: Vec<Role> =
        value.values().iter().filter(|text| !text.is_empty()).map(|text| role(text)).collect();
    roles.sort();
    roles.dedup_by(|later, earlier| later.name == earlier.name);
    Ok(roles)
}

/// A role may have no `value` (graph.md section 5.7): then it goes by what people call it, and at last by its id.
fn role(text: &str) -> Role {
    let parts = serde_json::from_str::<Json>(text).ok().filter(Json::is_object).unwrap_or_default();
    let part = |name: &str| parts.get(name).and_then(Json::as_str).filter(|part| !part.is_empty());
    let name = part("value").or_else(|| part("displayName")).or_else(|| part("id")).unwrap_or(text);
    Role { name: name.to_owned(), display: part("displayName").unwrap_or(name).to_owned() }
}

#[cfg(test)]
mod tests {
    use crate::expr::testing::check;

    const TWO: &str = concat!(
        r#"{"id":"06b0","value":"25","displayName":"Role1234"}|"#,
        r#"{"id":"06b1","value":"Admin","displayName":"Administrators"}"#
    );

    #[test]
    fn a_role_goes_by_its_value_else_by_what_people_call_it() {
        check("AppRoleAssignments([r])", &[("r", TWO)], "[25|Admin]");
        let unnamed = r#"{"id":"1","value":null,"displayName":"User"}|{"id":"2"}"#;
        check("AppRoleAssignments([r])", &[("r", unnamed)], "[2|User]");
        check("AppRoleAssignments([r])", &[("r", "reader|writer|reader")], "[reader|writer]");
        check("AppRoleAssignments([r])", &[], "null");
        check("SingleAppRoleAssignment([r])", &[("r", TWO)], "25");
        check("SingleAppRoleAssignment([r])", &[], "null");
    }

    #[test]
    fn whole_roles_are_what_scim_has() {
        let admin = r#"{"id":"06b1","value":"Admin","displayName":"Administrators"}"#;
        let whole = r#"{"display":"Administrators","primary":false,"type":"WindowsAzureActiveDirectoryRole","value":"Admin"}"#;
        let listed = format!("[{whole}]");
        check("AppRoleAssignmentsComplex([r])", &[("r", admin)], &listed);
        check("AssertiveAppRoleAssignmentsComplex([r])", &[("r", admin)], &listed);
        check(
            "Join(\",\", AppRoleAssignmentsComplex([r]))",
            &[],
            "parse error at 10: AppRoleAssignmentsComplex stands for the whole expression; give it a row of its own",
        );
    }
}
