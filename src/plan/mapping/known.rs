//! The attributes that a source of a vocabulary can have, and what was meant by one that it cannot.

use super::names::ALIASES;
use super::names::APP_ROLES;
use super::names::EXTENSION_ATTRIBUTES;
use super::names::GROUPS;
use super::names::IDS;
use super::names::IS_SOFT_DELETED;
use super::names::is_extension_attribute;
use super::names::is_of_groups;
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

/// The id of the manager, expanded with the user (Graph reference, section 5.4).
const MANAGER: &str = "manager";

/// The application's username (Okta reference, section 3.3: `credentials.userName`).
const OKTA_USER_NAME: &str = "appuser.userName";

/// The attributes of every Okta user profile; an org may add others, which are read as they are written.
const OKTA_PROFILE: [&str; 31] = [
    "city",
    "costCenter",
    "countryCode",
    "department",
    "displayName",
    "division",
    "email",
    "employeeNumber",
    "firstName",
    "honorificPrefix",
    "honorificSuffix",
    "lastName",
    "locale",
    "login",
    "manager",
    "managerId",
    "middleName",
    "mobilePhone",
    "nickName",
    "organization",
    "postalAddress",
    "preferredLanguage",
    "primaryPhone",
    "profileUrl",
    "secondEmail",
    "state",
    "streetAddress",
    "timezone",
    "title",
    "userType",
    "zipCode",
];

const OKTA_GROUP: [&str; 3] = ["name", "description", "type"];

/// What Okta says of a person beside the profile (Okta reference, section 6.1).
const OKTA_STATUS: &str = "status";

/// Whether an attribute can have several values, where that is known.
pub(super) fn is_list(name: &str, vocabulary: Vocabulary) -> bool {
    is_of_groups(name)
        || vocabulary == Vocabulary::Graph && (name == APP_ROLES || GRAPH_LISTS.contains(&name))
}

/// What may be meant by an attribute that a source can have, and that is nearly one that every such source has.
pub(super) fn doubt(name: &str, kind: Kind, vocabulary: Vocabulary) -> Option<String> {
    let own = name.strip_prefix("user.").filter(|_| kind == Kind::User && vocabulary == Vocabulary::Okta)?;
    let meant = nearest(own, OKTA_PROFILE).filter(|meant| *meant != own)?;
    Some(format!(
        "`{name}` is in no profile unless the org has added it; if it has not, write `user.{meant}`"
    ))
}

/// Whether a source of this vocabulary can have the attribute; the error says what to write.
pub(super) fn check(name: &str, kind: Kind, vocabulary: Vocabulary) -> Result<(), String> {
    if name == IS_SOFT_DELETED || IDS.contains(&name) {
        return Ok(());
    }
    if is_of_groups(name) && vocabulary != Vocabulary::File {
        let people = kind == Kind::User;
        return if people { Ok(()) } else { Err(format!("`{name}` is known of people, not of groups")) };
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
    let manager = kind == Kind::User && name == MANAGER;
    if manager || known(property(name)) || name.starts_with("extension_") {
        return Ok(());
    }
    let bare = name.strip_prefix("onPremisesExtensionAttributes.").unwrap_or(name);
    if kind == Kind::User && is_extension_attribute(bare) {
        return Ok(());
    }
    match name {
        MANAGER | "members" | "owners" => {
            Err(format!("`{name}` is a reference, and is not available as a value"))
        }
        "memberOf" => Err("write `groups` for the names of the groups, `groupIds` for their ids".to_owned()),
        APP_ROLES if kind == Kind::User => Ok(()),
        EXTENSION_ATTRIBUTES => Err(format!("`{name}` has parts; name one, such as extensionAttribute1")),
        "employeeOrgData" => Err(format!("`{name}` has parts; name one, such as employeeOrgData.division")),
        _ => {
            let aliases = ALIASES.iter().map(|(alias, _)| *alias);
            let computed = IDS.into_iter().chain(GROUPS).chain([IS_SOFT_DELETED, MANAGER]);
            let all = own.iter().copied().chain(GRAPH_LISTS).chain(aliases).chain(computed);
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
            let meant =
                nearest(name, OKTA_PROFILE.into_iter().chain(["userName"])).map(|meant| match meant {
                    "userName" => OKTA_USER_NAME.to_owned(),
                    own => format!("user.{own}"),
                });
            let rule = "an Okta attribute is user.NAME (of the person) or appuser.NAME (of the application)";
            Err(format!("{}; {rule}", unknown(name, "Okta", kind, meant.as_deref())))
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
        assert_eq!(graph("owners"), "`owners` is a reference, and is not available as a value");
        assert_eq!(graph("memberOf"), "write `groups` for the names of the groups, `groupIds` for their ids");
        for vocabulary in [Vocabulary::Graph, Vocabulary::Okta] {
            assert_eq!(check("groups", Kind::User, vocabulary), Ok(()));
            let told = "`groupIds` is known of people, not of groups".to_owned();
            assert_eq!(check("groupIds", Kind::Group, vocabulary), Err(told));
        }
        assert_eq!(check("manager", Kind::User, Vocabulary::Graph), Ok(()));
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

    /// Okta reference, section 3.8: profiles hold what the org has added to them as well.
    #[test]
    fn an_attribute_that_an_org_may_have_added_is_doubted_where_it_is_nearly_a_usual_one() {
        let told = |name| doubt(name, Kind::User, Vocabulary::Okta);
        assert_eq!(
            told("user.fistName").as_deref(),
            Some(
                "`user.fistName` is in no profile unless the org has added it; if it has not, write `user.firstName`"
            )
        );
        assert_eq!(told("user.firstName"), None);
        assert_eq!(told("user.shoeSize"), None);
        assert_eq!(told("appuser.fistName"), None);
        assert_eq!(doubt("user.fistName", Kind::User, Vocabulary::File), None);
    }
}
