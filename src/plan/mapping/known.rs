//! The attributes that a source of a vocabulary can have, and what was meant by one that it cannot.

use super::names::ALIASES;
use super::names::EXTENSION_ATTRIBUTES;
use super::names::IDS;
use super::names::IS_SOFT_DELETED;
use super::names::is_extension_attribute;
use super::names::property;
use crate::expr::nearest;
use crate::model::Vocabulary;
use crate::scim::Kind;

/// Properties of a Graph v1.0 user with one value.
const GRAPH_USER: [&str; 46] = [
    "accountEnabled",
    "ageGroup",
    "city",
    "companyName",
    "country",
    "createdDateTime",
    "creationType",
    "deletedDateTime",
    "department",
    "displayName",
    "employeeHireDate",
    "employeeId",
    "employeeLeaveDateTime",
    "employeeOrgData.costCenter",
    "employeeOrgData.division",
    "employeeType",
    "externalUserState",
    "externalUserStateChangeDateTime",
    "faxNumber",
    "givenName",
    "isManagementRestricted",
    "isResourceAccount",
    "jobTitle",
    "lastPasswordChangeDateTime",
    "legalAgeGroupClassification",
    "mail",
    "mailNickname",
    "mobilePhone",
    "officeLocation",
    "onPremisesDistinguishedName",
    "onPremisesDomainName",
    "onPremisesImmutableId",
    "onPremisesLastSyncDateTime",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "onPremisesUserPrincipalName",
    "postalCode",
    "preferredLanguage",
    "securityIdentifier",
    "state",
    "streetAddress",
    "surname",
    "usageLocation",
    "userPrincipalName",
    "userType",
];

/// Properties of a Graph v1.0 group with one value.
const GRAPH_GROUP: [&str; 17] = [
    "classification",
    "createdDateTime",
    "deletedDateTime",
    "description",
    "displayName",
    "expirationDateTime",
    "isAssignableToRole",
    "mail",
    "mailEnabled",
    "mailNickname",
    "onPremisesDomainName",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "preferredLanguage",
    "securityEnabled",
    "visibility",
];

/// Properties with several values, of users and groups.
const GRAPH_LISTS: [&str; 5] =
    ["businessPhones", "groupTypes", "imAddresses", "otherMails", "proxyAddresses"];

/// The usual attributes of an Okta user, for suggestions; any other is accepted.
const OKTA_USER: [&str; 10] = [
    "appuser.userName",
    "user.firstName",
    "user.lastName",
    "user.email",
    "user.login",
    "user.displayName",
    "user.mobilePhone",
    "user.title",
    "user.department",
    "user.employeeNumber",
];

const OKTA_GROUP: [&str; 3] = ["name", "description", "type"];

/// What Okta says of a person beside the profile (Okta reference, section 6.1).
const OKTA_STATUS: &str = "status";

/// Whether an attribute can have several values, where that is known.
pub(super) fn is_list(name: &str, vocabulary: Vocabulary) -> bool {
    vocabulary == Vocabulary::Graph && GRAPH_LISTS.contains(&name)
}

/// Whether a source of this vocabulary can have the attribute; the error says what to write.
pub(super) fn check(name: &str, kind: Kind, vocabulary: Vocabulary) -> Result<(), String> {
    if name == IS_SOFT_DELETED || IDS.contains(&name) {
        return Ok(());
    }
    match vocabulary {
        Vocabulary::Graph => check_graph(name, kind),
        Vocabulary::Okta => check_okta(name, kind),
        Vocabulary::File => Ok(()),
    }
}

fn check_graph(name: &str, kind: Kind) -> Result<(), String> {
    let own: &[&str] = match kind {
        Kind::User => &GRAPH_USER,
        Kind::Group => &GRAPH_GROUP,
    };
    let known = |name: &str| own.contains(&name) || GRAPH_LISTS.contains(&name);
    if known(property(name)) || name.starts_with("extension_") {
        return Ok(());
    }
    let bare = name.strip_prefix("onPremisesExtensionAttributes.").unwrap_or(name);
    if kind == Kind::User && is_extension_attribute(bare) {
        return Ok(());
    }
    match name {
        "manager" | "members" | "owners" => {
            Err(format!("`{name}` is a reference, and is not available as a value"))
        }
        "appRoleAssignments" => Err("`appRoleAssignments` is not available yet".to_owned()),
        EXTENSION_ATTRIBUTES => Err(format!("`{name}` has parts; name one, such as extensionAttribute1")),
        "employeeOrgData" => Err(format!("`{name}` has parts; name one, such as employeeOrgData.division")),
        _ => {
            let aliases = ALIASES.iter().map(|(alias, _)| *alias);
            let all =
                own.iter().copied().chain(GRAPH_LISTS).chain(aliases).chain(IDS).chain([IS_SOFT_DELETED]);
            Err(unknown(name, "Microsoft Graph", kind, nearest(name, all)))
        }
    }
}

fn check_okta(name: &str, kind: Kind) -> Result<(), String> {
    let prefixed = |prefix: &str| name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
    match kind {
        Kind::User if name == OKTA_STATUS => Ok(()),
        Kind::User if prefixed("user.") || prefixed("appuser.") => Ok(()),
        Kind::Group if OKTA_GROUP.contains(&name) => Ok(()),
        Kind::Group => Err(unknown(name, "Okta", kind, nearest(name, OKTA_GROUP))),
        Kind::User => {
            let bare = |known: &str| known.split_once('.').map_or(String::new(), |(_, bare)| bare.to_owned());
            let bares: Vec<String> = OKTA_USER.iter().map(|known| bare(known)).collect();
            let meant = nearest(name, bares.iter().map(String::as_str));
            let meant = meant.and_then(|meant| OKTA_USER.into_iter().find(|known| bare(known) == meant));
            let rule = "an Okta attribute is user.NAME (of the person) or appuser.NAME (of the application)";
            Err(format!("{}; {rule}", unknown(name, "Okta", kind, meant)))
        }
    }
}

fn unknown(name: &str, source: &str, kind: Kind, meant: Option<&str>) -> String {
    let text = format!("a {} of {source} has no attribute `{name}`", kind.word());
    match meant {
        Some(meant) => format!("{text}; did you mean `{meant}`?"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_suggests_what_was_meant() {
        let graph = |name| check(name, Kind::User, Vocabulary::Graph).expect_err("unknown");
        assert_eq!(
            graph("userPrincipleName"),
            "a user of Microsoft Graph has no attribute `userPrincipleName`; did you mean `userPrincipalName`?"
        );
        assert_eq!(
            graph("extensionAttribute16"),
            "a user of Microsoft Graph has no attribute `extensionAttribute16`"
        );
        assert_eq!(graph("manager"), "`manager` is a reference, and is not available as a value");
        let okta = |kind, name| check(name, kind, Vocabulary::Okta).expect_err("unknown");
        assert_eq!(
            okta(Kind::User, "firstname"),
            "a user of Okta has no attribute `firstname`; did you mean `user.firstName`?; an Okta attribute is \
             user.NAME (of the person) or appuser.NAME (of the application)"
        );
        assert_eq!(
            okta(Kind::Group, "names"),
            "a group of Okta has no attribute `names`; did you mean `name`?"
        );
        assert_eq!(check("anything", Kind::User, Vocabulary::File), Ok(()));
    }
}
