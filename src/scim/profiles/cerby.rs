//! Cerby, `https://api.cerby.com/v1/scim/v2`: which attributes its Entra tutorial calls filterable.

use super::Demands;
use super::ElementFilter;
use super::Names;
use super::Profile;
use super::Resources;
use super::STANDARD;

/// From its Entra tutorial: users are found by userName and work e-mail, groups by displayName; externalId is
/// optional and not filterable. Verbs, limits and the shape of errors are UNCONFIRMED (SCIM reference,
/// section 16); Entra is the client that it documents, so where Entra departs from the RFC in a filter, so
/// do we.
pub const CERBY: Profile = Profile {
    name: "cerby",
    users: Resources {
        filterable: Names::Only(&["userName", "emails[type eq \"work\"].value"]),
        ..STANDARD.users
    },
    groups: Resources { filterable: Names::Only(&["displayName"]), ..STANDARD.groups },
    element_filter: ElementFilter::After,
    // From its Entra tutorial; that userName and e-mail are equal is from its Okta guide.
    demands: Demands {
        required: &[
            "userName",
            "emails[type eq \"work\"].value",
            "active",
            "name.givenName",
            "name.familyName",
        ],
        user_name_is_email: true,
        ..STANDARD.demands
    },
    ..STANDARD
};
