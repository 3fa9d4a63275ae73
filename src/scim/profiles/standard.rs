//! The standard: RFC 7643 and 7644 as written. Every other profile says how it departs from this one.

use super::Booleans;
use super::Demands;
use super::ElementFilter;
use super::MemberRemoval;
use super::Members;
use super::Names;
use super::PatchShape;
use super::Profile;
use super::Resources;

/// RFC 7643/7644. The RFC sets no limit on the members of a patch; a hundred is what the strictest of the
/// documented services takes (SCIM reference, section 13).
pub const STANDARD: Profile = Profile {
    name: "standard",
    users: Resources { filterable: Names::All, stored: Names::All },
    groups: Resources { filterable: Names::All, stored: Names::All },
    element_filter: ElementFilter::Inside,
    patch_shape: PatchShape::Path,
    booleans: Booleans::Native,
    members: Members { shown: true, max_per_patch: 100, removal: MemberRemoval::ValuePath },
    media_type: "application/scim+json",
    demands: Demands {
        required: &["userName"],
        single: &[],
        user_name_is_email: false,
        invites: false,
        access_by_team: false,
        verified_domains: false,
        team_members_max: None,
        seats: None,
    },
};
