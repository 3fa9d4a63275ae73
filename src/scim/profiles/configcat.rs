//! ConfigCat, a SCIM address for each organization: four attributes of a user, three of a group.

use super::Demands;
use super::ElementFilter;
use super::Names;
use super::Profile;
use super::Resources;
use super::STANDARD;

/// Maps only externalId, userName, displayName and active of a user, and externalId, displayName and members
/// of a group; what else is sent would be lost. Whether externalId can be filtered is UNCONFIRMED (SCIM
/// reference, section 16): Entra, the client that it documents, asks for both of its matching attributes.
pub const CONFIGCAT: Profile = Profile {
    name: "configcat",
    users: Resources {
        filterable: Names::Only(&["externalId", "userName"]),
        stored: Names::Only(&["externalId", "userName", "displayName", "active"]),
    },
    groups: Resources {
        filterable: Names::Only(&["externalId", "displayName"]),
        stored: Names::Only(&["externalId", "displayName", "members"]),
    },
    element_filter: ElementFilter::After,
    // A new user gets an invitation, permissions hang on groups, and unverified domains are not provisioned.
    demands: Demands { invites: true, access_by_team: true, verified_domains: true, ..STANDARD.demands },
    ..STANDARD
};
