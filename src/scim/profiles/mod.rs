//! Shelf of capability profiles: what a SCIM service can do, as values. A profile says only how a service
//! departs from the standard; nobody asks for a service by name or by host.
//!
//! | profile | service | departs in |
//! |---|---|---|
//! | `standard` | RFC 7643/7644 as written | - |
//! | `cerby` | Cerby | filters |
//! | `configcat` | ConfigCat | filters; the attributes it keeps |

mod cerby;
mod configcat;
mod standard;

pub use cerby::CERBY;
pub use configcat::CONFIGCAT;
pub use standard::STANDARD;

use super::Kind;

/// What a service can do, as far as a client has to know it (SCIM reference, section 13.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The word in the settings.
    pub name: &'static str,
    pub users: Resources,
    pub groups: Resources,
    /// How a filter names a sub-attribute of one element of a list.
    pub element_filter: ElementFilter,
    pub patch_shape: PatchShape,
    pub booleans: Booleans,
    pub members: Members,
    /// The media type of request bodies.
    pub media_type: &'static str,
    pub demands: Demands,
}

/// What a service asks of people and teams beyond the schema, and what it costs to make somebody there. Nobody refuses
/// anything for it here: it is what can be said before the service says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demands {
    /// The values that a user must have, by path.
    pub required: &'static [&'static str],
    /// Lists of a user of which it keeps one value.
    pub single: &'static [&'static str],
    /// userName and work e-mail must be equal.
    pub user_name_is_email: bool,
    /// Whoever is made gets an invitation by mail.
    pub invites: bool,
    /// Access hangs on teams: who is in none may do nothing.
    pub access_by_team: bool,
    /// It lets nobody in whose mail domain was not verified there.
    pub verified_domains: bool,
    /// The most members of one team.
    pub team_members_max: Option<u64>,
    /// The most active users, where the operator has said how many seats were bought.
    pub seats: Option<u64>,
}

/// What a service does with one resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// The attributes that `eq` filters may name.
    pub filterable: Names,
    /// The attributes that are kept; others are not sent at all.
    pub stored: Names,
}

/// Some attributes, by path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    All,
    Only(&'static [&'static str]),
}

/// How a filter asks for `emails[type eq "work"].value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementFilter {
    /// `emails[type eq "work" and value eq "x"]` (RFC 7644 section 3.4.2.2).
    Inside,
    /// `emails[type eq "work"].value eq "x"`, which Entra sends and services that were built for it expect.
    After,
}

/// How a patch says what it sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchShape {
    /// One operation a path.
    Path,
    /// One `replace` without a path, its value an object of attributes. Only what a plain path names goes
    /// that way: elements of lists, and what is unassigned, keep an operation of their own.
    Pathless,
}

/// How booleans are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Booleans {
    Native,
    /// `"True"` and `"False"`, as Entra sends them without its flag for RFC 7644.
    Text,
}

/// What a service does with the members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Members {
    /// `false`: never shown, though there are some.
    pub shown: bool,
    /// How many one patch may add or remove.
    pub max_per_patch: usize,
    pub removal: MemberRemoval,
}

/// How a patch removes a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberRemoval {
    /// One operation a member, with the path `members[value eq "id"]` (RFC 7644 section 3.5.2.2).
    ValuePath,
    /// One operation with the path `members` and a list of values, as Entra sends it. A service that reads
    /// it by the letter of the RFC would empty the group, so only a profile may ask for it.
    ValueList,
}

impl Profile {
    /// Every profile of the shelf.
    pub const ALL: [&'static Profile; 3] = [&STANDARD, &CERBY, &CONFIGCAT];

    /// The profile that the settings call `name`.
    pub fn named(name: &str) -> Option<&'static Profile> {
        Profile::ALL.into_iter().find(|profile| profile.name == name)
    }

    pub fn of(&self, kind: Kind) -> &Resources {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        }
    }
}

impl Names {
    /// Whether the attribute of this path is among them. `emails` covers every path below it; names are
    /// compared without regard to case (RFC 7643 section 2.1).
    pub fn cover(&self, path: &str) -> bool {
        match self {
            Names::All => true,
            Names::Only(names) => names.iter().any(|name| covers(name, path)),
        }
    }
}

fn covers(name: &str, path: &str) -> bool {
    let Some((head, rest)) = path.split_at_checked(name.len()) else { return false };
    head.eq_ignore_ascii_case(name) && (rest.is_empty() || rest.starts_with(['.', '[', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_found_by_its_name() {
        for profile in Profile::ALL {
            assert_eq!(Profile::named(profile.name), Some(profile));
        }
        assert_eq!(Profile::named("acme"), None);
    }

    #[test]
    fn a_name_covers_itself_and_what_lies_below_it() {
        let names = Names::Only(&["userName", "name", "emails[type eq \"work\"].value"]);
        for path in ["userName", "username", "name", "name.givenName", "emails[type eq \"work\"].value"] {
            assert!(names.cover(path), "{path}");
        }
        for path in ["userNameX", "nam", "displayName", "emails[type eq \"home\"].value", "emails"] {
            assert!(!names.cover(path), "{path}");
        }
        assert!(Names::All.cover("anything"));
    }

    #[test]
    fn cerby_cannot_be_asked_for_an_external_id() {
        assert!(CERBY.of(Kind::User).filterable.cover("userName"));
        assert!(CERBY.of(Kind::User).filterable.cover("emails[type eq \"work\"].value"));
        assert!(!CERBY.of(Kind::User).filterable.cover("externalId"));
        assert!(!CERBY.of(Kind::Group).filterable.cover("externalId"));
    }

    #[test]
    fn configcat_keeps_four_attributes_of_a_user() {
        let stored = CONFIGCAT.of(Kind::User).stored;
        for path in ["externalId", "userName", "displayName", "active"] {
            assert!(stored.cover(path), "{path}");
        }
        assert!(!stored.cover("name.givenName"));
        assert!(!stored.cover("emails[type eq \"work\"].value"));
    }
}
