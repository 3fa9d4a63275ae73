//! The rows of the table of services (SCIM reference, section 13), each as far as its documentation speaks. What is
//! not stated there is as the RFC has it.

use super::row::Deletion;
use super::row::Discovery;
use super::row::Errors;
use super::row::Filters;
use super::row::Ids;
use super::row::Inactive;
use super::row::Kept;
use super::row::Listed;
use super::row::Members;
use super::row::Paging;
use super::row::Parameters;
use super::row::Patched;
use super::row::RFC;
use super::row::Rate;
use super::row::Row;

/// As it is written.
pub const RFC_7644: Row = RFC;

const WORK_MAIL: &str = "emails[type eq \"work\"].value";

/// Only the attributes that its Entra tutorial calls filterable; its other API answers `{"errors":[…]}`.
pub const CERBY: Row = Row {
    name: "Cerby",
    profile: "cerby",
    base: "/v1/scim/v2",
    users: Kept {
        required: &["userName", WORK_MAIL, "active", "name.givenName", "name.familyName"],
        name_is_mail: true,
        ..RFC.users
    },
    filters: Filters {
        operators: &["eq"],
        users: Some(&["userName", WORK_MAIL]),
        groups: Some(&["displayName"]),
        ..RFC.filters
    },
    errors: Errors::List,
    discovery: Discovery::Nothing,
    ..RFC
};

/// Four attributes of a user, three of a group.
pub const CONFIGCAT: Row = Row {
    name: "ConfigCat",
    profile: "configcat",
    users: Kept { only: Some(&["externalId", "userName", "displayName", "active"]), ..RFC.users },
    groups: Kept { only: Some(&["externalId", "displayName", "members"]), ..RFC.groups },
    errors: Errors::Html,
    discovery: Discovery::Nothing,
    ..RFC
};

/// The strictest of the documented ones.
pub const AWS: Row = Row {
    name: "AWS IAM Identity Center",
    profile: "aws-identity-center",
    base: "/f4b2c1d0/scim/v2",
    users: Kept {
        required: &["userName", "name.givenName", "name.familyName", "displayName"],
        refused: &["password"],
        single: &["emails", "phoneNumbers", "addresses"],
        ..RFC.users
    },
    groups: Kept { methods: &["GET", "POST", "PATCH", "DELETE"], ..RFC.groups },
    filters: Filters {
        operators: &["eq", "and"],
        users: Some(&["userName", "externalId", "groups.value", "id", "manager"]),
        groups: Some(&["displayName", "externalId", "members.value", "members", "id"]),
        ..RFC.filters
    },
    paging: Paging::Cursor { most: 100, first: 50 },
    parameters: Parameters { refused: &["startIndex", "attributes", "excludedAttributes", "sortBy"] },
    members: Members { shown: false, most: 100, whole: false, listed: Listed::RemovesThese, ..RFC.members },
    patched: Patched { user: 200, group: 204 },
    ..RFC
};

/// DELETE deactivates; bursts of writes end in 429.
pub const SLACK: Row = Row {
    name: "Slack",
    profile: "slack",
    deletion: Deletion::Deactivates,
    rates: &[
        Rate { resource: "Users", methods: &["POST", "PUT", "PATCH", "DELETE"], burst: 20, per_minute: 180 },
        Rate { resource: "Groups", methods: &["PUT", "PATCH"], burst: 80, per_minute: 180 },
    ],
    ..RFC
};

/// No element in a PATCH, and who is inactive is gone.
pub const GITHUB_ORG: Row = Row {
    name: "GitHub organization",
    profile: "github-org",
    base: "/scim/v2/organizations/acme",
    value_paths: false,
    inactive: Inactive::IsGone,
    user_agent: true,
    ..RFC
};

/// Users before groups, a thousand users an hour.
pub const GITHUB_EMU: Row = Row {
    name: "GitHub EMU",
    profile: "github",
    base: "/scim/v2/enterprises/acme",
    user_agent: true,
    rates: &[Rate { resource: "Users", methods: &["POST"], burst: 1_000, per_minute: 1_000 }],
    ..RFC
};

/// One `eq` in a filter; DELETE deactivates and hides; mail domains are verified.
pub const ATLASSIAN: Row = Row {
    name: "Atlassian",
    profile: "atlassian",
    base: "/scim/directory/7f3e2a10-55c1-4d7e",
    users: Kept { domains: &["acme.example"], ..RFC.users },
    filters: Filters {
        operators: &["eq"],
        users: Some(&["userName", "externalId"]),
        groups: Some(&["displayName", "externalId"]),
        ..RFC.filters
    },
    paging: Paging::Index { most: 10_000 },
    parameters: Parameters { refused: &["sortBy", "sortOrder"] },
    deletion: Deletion::DeactivatesAndHides,
    ..RFC
};

/// A list without a filter shows one user who does not exist (before bundle 2026_03).
pub const SNOWFLAKE: Row = Row {
    name: "Snowflake",
    profile: "snowflake",
    filters: Filters { operators: &["eq"], ..RFC.filters },
    fake_user: true,
    ..RFC
};

/// Filters on one attribute a kind, 200 resources a page.
pub const HCP_TERRAFORM: Row = Row {
    name: "HCP Terraform",
    profile: "hcp-terraform",
    filters: Filters {
        operators: &["eq"],
        users: Some(&["displayName", "externalId"]),
        groups: Some(&["displayName", "externalId"]),
        ..RFC.filters
    },
    paging: Paging::Index { most: 200 },
    ..RFC
};

/// Services made with SCIMMY, as they were seen in trials.
pub const SCIMMY: Row = Row {
    name: "SCIMMY-built",
    profile: "standard",
    filters: Filters { case_sensitive: true, ..RFC.filters },
    paging: Paging::Fixed { size: 20 },
    members: Members { twice: true, ..RFC.members },
    no_such_method: 404,
    ..RFC
};

/// Services made with scimgateway, as they were seen in trials.
pub const SCIMGATEWAY: Row = Row {
    name: "scimgateway-built",
    profile: "standard",
    filters: Filters { operators: &["eq"], ..RFC.filters },
    paging: Paging::Index { most: 200 },
    ids: Ids::Names,
    patched: Patched { user: 204, group: 204 },
    discovery: Discovery::ListedSchemas,
    ..RFC
};
