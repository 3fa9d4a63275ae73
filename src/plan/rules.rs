//! What a job's settings say about people and teams, checked: scope, mappings, policy, limits.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Serialize;

use super::Class;
use super::EscrowSchedule;
use super::Filters;
use super::Leavers;
use super::Mapping;
use super::People;
use super::QuarantineLimits;
use super::Teams;
use super::mapping::APP_ROLES;
use crate::expr::Environment;
use crate::model::GroupPick;
use crate::model::SourceId;
use crate::model::Vocabulary;
use crate::scim::Kind;

/// Everything that `desired` depends on besides what was seen. Its digest changes exactly when a rule changes.
#[derive(Clone, Debug, Serialize)]
pub struct Rules {
    pub vocabulary: Vocabulary,
    pub scope: Scope,
    pub people: People,
    pub teams: Teams,
    pub users: Mapping,
    pub groups: Mapping,
    pub leavers: Leavers,
    pub actions: Actions,
    pub adoption: Adoption,
    pub rehire: Rehire,
    /// userNames and team names of the target that are never written (P6), case-folded.
    pub protect: BTreeSet<String>,
}

impl Rules {
    /// blake3 of the rules, 16 hex digits.
    pub fn digest(&self) -> String {
        let text = serde_json::to_vec(self).expect("rules are plain values with text keys");
        blake3::hash(&text).to_hex()[..16].to_owned()
    }

    /// Whether a renamed group is a change of its members.
    pub fn uses_groups(&self) -> bool {
        self.users.uses_groups()
            || self.scope.users.filters.uses_groups()
            || self.scope.users.exclude.uses_groups()
    }

    /// What `desired` depends on besides what was seen: the rules, and the default domain where a row asks for it.
    pub fn digest_with(&self, environment: &Environment) -> String {
        match &environment.default_domain {
            Some(domain) => {
                blake3::hash(format!("{} {domain}", self.digest()).as_bytes()).to_hex()[..16].to_owned()
            }
            None => self.digest(),
        }
    }

    pub fn mapping(&self, kind: Kind) -> &Mapping {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        }
    }

    /// Whether a row asks for the directory's default domain.
    pub fn needs_default_domain(&self) -> bool {
        self.users.needs_default_domain() || self.groups.needs_default_domain()
    }

    /// Whether a row or a filter asks for the roles that people have of the application.
    pub fn needs_app_roles(&self) -> bool {
        self.source_attributes(Kind::User).contains(APP_ROLES)
    }

    /// The attributes of users, or of groups, that a connector has to read for mapping, filters and policy, by the
    /// source's own names.
    pub fn source_attributes(&self, kind: Kind) -> BTreeSet<String> {
        let (mapping, selection) = match kind {
            Kind::User => (&self.users, &self.scope.users),
            Kind::Group => (&self.groups, &self.scope.teams),
        };
        let mut read = mapping.source_attributes(self.vocabulary);
        for filters in [&selection.filters, &selection.exclude] {
            read.extend(filters.source_attributes(self.vocabulary));
        }
        match kind {
            Kind::User => read.extend(self.people.source_attributes(self.vocabulary)),
            // What standing is made of, which a group does not have.
            Kind::Group => drop(read.remove("accountEnabled")),
        }
        read
    }
}

/// Who, and which groups become teams.
#[derive(Clone, Debug, Serialize)]
pub struct Scope {
    pub users: Selection,
    pub teams: Selection,
}

impl Scope {
    /// The groups that a filter of people or of teams looks at.
    pub fn groups_looked_at(&self) -> impl Iterator<Item = &GroupPick> {
        self.users.groups_looked_at().chain(self.teams.groups_looked_at())
    }
}

/// A union of clauses, and the filters over it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Selection {
    /// Assigned to this application: for people directly or through an assigned group, for teams directly.
    pub assigned_to: Option<SourceId>,
    /// On these lists of the source (`model::List`), as if each were an application.
    pub lists: Vec<SourceId>,
    pub groups: Vec<GroupPick>,
    /// Everybody that the source shows.
    pub all: bool,
    /// Members of members count too.
    pub nested: bool,
    pub filters: Filters,
    /// Whom one of these takes is out, whatever `filters` say.
    pub exclude: Filters,
}

impl Selection {
    /// The application and the other lists.
    pub fn all_lists(&self) -> impl Iterator<Item = &SourceId> {
        self.assigned_to.iter().chain(&self.lists)
    }

    /// The groups that the filters look at (`IsMemberOf`): who is in them has to be read.
    pub fn groups_looked_at(&self) -> impl Iterator<Item = &GroupPick> {
        self.filters.groups().chain(self.exclude.groups())
    }
}

/// Which actions are on. What is off is held, and said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Actions {
    pub create: bool,
    pub update: bool,
    pub deactivate: bool,
    pub delete: bool,
    pub teams: bool,
}

impl Default for Actions {
    fn default() -> Self {
        Actions { create: true, update: true, deactivate: true, delete: false, teams: true }
    }
}

/// Which existing resources matching may make ours (P6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adoption {
    Never,
    /// Only where the resource's `externalId` is ours.
    ExternalId,
    /// That, or an exact `userName` (a team: `displayName`) on a resource without an `externalId`.
    #[default]
    ExternalIdOrName,
    /// That, or a mail address that the source vouches for.
    VerifiedMail,
}

/// What becomes of somebody who comes back under a new id, and of a group that takes over the name of a team about to
/// go: the account or the team that is there is theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rehire {
    /// A person decides.
    #[default]
    Propose,
    /// They get it, where the source has proved that the old id left; else a person decides.
    Relink,
    /// They are strangers, and get one of their own.
    New,
}

/// How many changes of a class may go at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    pub count: u64,
    /// Of the job's active links; of a team's members, of a target's active accounts, where the limit is theirs.
    pub percent: u8,
}

/// Limits by class; a class that is not here has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    pub classes: BTreeMap<Class, Limit>,
    /// Memberships that one team loses; the percentage is of its members.
    pub remove_members_team: Option<Limit>,
    /// Changes of any class that an upgrade of the program causes.
    pub upgrade: Option<Limit>,
    /// Of all jobs of the target together.
    pub target: TargetLimits,
    /// In a small directory a percentage means nothing: so many changes of a class always go.
    pub floor: u64,
    /// How many witness questions a cycle may ask; removals beyond are held as unwitnessed.
    pub witness_budget: u64,
    /// So many accounts and teams that the target no longer knows, within 24 hours, are matched anew by themselves; more
    /// wait for a person, and so does everything that creates or removes (P15).
    pub lost_anchors: u64,
    /// By how much the clock may go on between two cycles and still be believed (P17).
    pub clock_jump_seconds: i64,
    /// When what failed is tried again (P12).
    pub escrow: EscrowSchedule,
    /// When a job is slowed down because it mostly fails.
    pub quarantine: QuarantineLimits,
}

impl Default for Limits {
    fn default() -> Self {
        let classes = BTreeMap::from([
            (Class::Rename, Limit { count: 100, percent: 10 }),
            (Class::RemoveMembers, Limit { count: 500, percent: 15 }),
            (Class::Deactivate, Limit { count: 50, percent: 10 }),
            (Class::Delete, Limit { count: 10, percent: 2 }),
            (Class::DeleteTeams, Limit { count: 0, percent: 0 }),
        ]);
        Limits {
            classes,
            remove_members_team: Some(Limit { count: 50, percent: 100 }),
            upgrade: Some(Limit { count: 100, percent: 10 }),
            target: TargetLimits::default(),
            floor: 5,
            witness_budget: 200,
            lost_anchors: 5,
            clock_jump_seconds: 8 * 86_400,
            escrow: EscrowSchedule::default(),
            quarantine: QuarantineLimits::default(),
        }
    }
}

/// How much may happen to a target, whichever job does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetLimits {
    /// The target's name in the settings.
    pub name: String,
    /// Accounts that are deactivated or deleted, and teams that are deleted.
    pub removals: Option<Limit>,
    /// Changes of any class.
    pub changes: Option<Limit>,
}

impl Default for TargetLimits {
    fn default() -> Self {
        TargetLimits {
            name: String::new(),
            removals: Some(Limit { count: 100, percent: 100 }),
            changes: None,
        }
    }
}
