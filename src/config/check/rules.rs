//! What a job's settings say about people and teams: scope, policy, limits.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Checker;
use crate::config::problem::Key;
use crate::config::raw::OneOrMany;
use crate::config::raw::RawActions;
use crate::config::raw::RawJob;
use crate::config::raw::RawLimit;
use crate::config::raw::RawLimits;
use crate::config::raw::RawScope;
use crate::config::raw::RawSource;
use crate::config::raw::RawTarget;
use crate::config::raw::RawTargetLimits;
use crate::model::GroupPick;
use crate::model::List;
use crate::model::SourceId;
use crate::model::Vocabulary;
use crate::plan::Actions;
use crate::plan::Class;
use crate::plan::Limit;
use crate::plan::Limits;
use crate::plan::Rules;
use crate::plan::Scope;
use crate::plan::Selection;
use crate::plan::TargetLimits;
use crate::plan::read_span;
use crate::scim::Kind;

/// Every cycle would be a jump.
const CLOCK_JUMP_MIN_SECONDS: i64 = 3_600;

impl Checker<'_> {
    pub(super) fn rules(&mut self, table: &Key, raw: &RawJob, target: Option<&RawTarget>) -> Option<Rules> {
        // Without a source it is not known which names its attributes have.
        let vocabulary = vocabulary(&raw.source);
        let scope = self.scope(&table.join("scope"), &raw.scope, vocabulary);
        let mapping =
            vocabulary.and_then(|vocabulary| self.mapping(&table.join("mapping"), &raw.mapping, vocabulary));
        let actions = actions(&raw.actions);
        let leavers = self.leavers(&table.join("leavers"), &raw.leavers, vocabulary, actions);
        let people = self.people(&table.join("scope").join("users"), &raw.scope.users, vocabulary);
        let teams = self.teams(&table.join("teams"), raw);
        let mapping = mapping?;
        let rules = Rules {
            vocabulary: vocabulary?,
            scope: scope?,
            people: people?,
            teams: teams?,
            users: mapping.users,
            groups: mapping.groups,
            leavers: leavers?,
            actions,
            adoption: raw.adopt.unwrap_or_default(),
            rehire: raw.rehire.unwrap_or_default(),
            protect: target.map(protected).unwrap_or_default(),
        };
        if rules.needs_app_roles()
            && rules.vocabulary == Vocabulary::Graph
            && rules.scope.users.assigned_to.is_none()
        {
            let cure = "set assigned_to = \"APPLICATION ID\", or leave appRoleAssignments out of mapping and filters";
            let key = table.join("scope").join("users").join("assigned_to");
            self.error::<()>(&key, "roles are those of an application, and none is named".to_owned(), cure);
        }
        Some(rules)
    }

    fn scope(&mut self, table: &Key, raw: &RawScope, source: Option<Vocabulary>) -> Option<Scope> {
        let (users, teams) = (&raw.users, &raw.teams);
        let (users_key, teams_key) = (table.join("users"), table.join("teams"));
        let chosen = [users.assigned_to.is_some(), users.filter.is_some(), users.groups.is_some()];
        if !chosen.contains(&true) && users.all != Some(true) {
            let cure =
                "set one or more of assigned_to = \"APPLICATION ID\", groups = [\"name:…\"], all = true";
            self.error::<()>(&users_key, "nobody is in scope".to_owned(), cure);
        }
        let user_filter = self.user_filter(&users_key.join("filter"), users.filter.as_deref(), source);
        let user_picks = self.picks(&users_key.join("groups"), users.groups.as_ref(), source);
        let users_app = self.app(&users_key.join("assigned_to"), users.assigned_to.as_deref());
        let pushed = self.push_mappings(&teams_key.join("push_mappings"), raw, source);
        let team_picks = self.picks(&teams_key.join("groups"), teams.groups.as_ref(), source);
        let teams_app = self.app(&teams_key.join("assigned_to"), teams.assigned_to.as_deref());
        let user_filters =
            self.filters(&users_key.join("filters"), users.filters.as_ref(), Kind::User, source);
        let team_filters =
            self.filters(&teams_key.join("filters"), teams.filters.as_ref(), Kind::Group, source);
        let user_exclude =
            self.filters(&users_key.join("exclude"), users.exclude.as_ref(), Kind::User, source);
        let team_exclude =
            self.filters(&teams_key.join("exclude"), teams.exclude.as_ref(), Kind::Group, source);
        let (user_picks, team_picks) = (user_picks?, team_picks?);
        Some(Scope {
            users: Selection {
                assigned_to: users_app?,
                lists: user_filter?.into_iter().chain(user_picks.lists).collect(),
                groups: user_picks.groups,
                all: users.all.unwrap_or(false),
                nested: users.nested.unwrap_or(false),
                filters: user_filters?,
                exclude: user_exclude?,
            },
            teams: Selection {
                assigned_to: teams_app?,
                lists: pushed?.into_iter().chain(team_picks.lists).collect(),
                groups: team_picks.groups,
                all: teams.all.unwrap_or(false),
                nested: teams.nested.unwrap_or(false),
                filters: team_filters?,
                exclude: team_exclude?,
            },
        })
    }

    fn app(&mut self, key: &Key, raw: Option<&str>) -> Option<Option<SourceId>> {
        match raw {
            None => Some(None),
            Some(_) => self.text(key, raw, "the application's id").map(|id| Some(SourceId(id))),
        }
    }

    fn user_filter(
        &mut self,
        key: &Key,
        raw: Option<&str>,
        source: Option<Vocabulary>,
    ) -> Option<Option<SourceId>> {
        if raw.is_none() {
            return Some(None);
        }
        let filter = self.text(key, raw, "the $filter of the users, like department eq 'Sales'")?;
        self.only_graph_filters(key, source)?;
        Some(Some(List::UserFilter(filter).id()))
    }

    fn only_graph_filters(&mut self, key: &Key, source: Option<Vocabulary>) -> Option<()> {
        match source {
            Some(Vocabulary::Graph) | None => Some(()),
            Some(_) => {
                let message = "only Microsoft Graph filters on its own side".to_owned();
                self.error(key, message, "choose by assigned_to and groups instead")
            }
        }
    }

    /// The groups that the application of this job pushes.
    fn push_mappings(
        &mut self,
        key: &Key,
        scope: &RawScope,
        source: Option<Vocabulary>,
    ) -> Option<Option<SourceId>> {
        if scope.teams.push_mappings != Some(true) {
            return Some(None);
        }
        if source.is_some_and(|source| source != Vocabulary::Okta) {
            let cure = "take it out; teams come from assigned_to and groups";
            return self.error(key, "only Okta has group push mappings".to_owned(), cure);
        }
        let app = scope.users.assigned_to.as_ref().or(scope.teams.assigned_to.as_ref());
        Some(app.map(|app| List::PushMappings(SourceId(app.clone())).id()))
    }

    fn picks(&mut self, key: &Key, raw: Option<&OneOrMany>, source: Option<Vocabulary>) -> Option<Picks> {
        let mut picks = Picks::default();
        let mut whole = true;
        for text in raw.map_or(&[][..], |many| &many.0) {
            if let Some(filter) = text.strip_prefix("filter:").filter(|filter| !filter.trim().is_empty()) {
                whole &= self.only_graph_filters(key, source).is_some();
                picks.lists.push(List::GroupFilter(filter.to_owned()).id());
                continue;
            }
            match self.pick(key, text) {
                Some(pick) => picks.groups.push(pick),
                None => whole = false,
            }
        }
        whole.then_some(picks)
    }

    pub(super) fn pick(&mut self, key: &Key, text: &str) -> Option<GroupPick> {
        GroupPick::read(text).or_else(|| {
            let cure = "write \"id:ID\", \"name:WHOLE NAME\", \"prefix:BEGINNING OF NAMES\", or a rule such as \
                        \"name_contains:PART\" (docs/settings.md lists them)";
            self.error(key, format!("`{text}` chooses no group"), cure)
        })
    }

    pub(super) fn limits(&mut self, table: &Key, raw: &RawLimits) -> Option<Limits> {
        let classes: Vec<Option<(Class, Limit)>> = by_class(raw)
            .into_iter()
            .filter_map(|(class, limit)| Some((class, limit?)))
            .map(|(class, limit)| Some((class, self.limit(&table.join(class.word()), limit)?)))
            .collect();
        let classes: Option<BTreeMap<Class, Limit>> = classes.into_iter().collect();
        let clock_jump = self.clock_jump(&table.join("clock_jump"), raw.clock_jump.as_deref());
        let mut special = |name: &str, raw: Option<RawLimit>| match raw {
            Some(limit) => self.limit(&table.join(name), limit).map(Some),
            None => Some(None),
        };
        let remove_members_team = special("remove_members_team", raw.remove_members_team);
        let upgrade = special("upgrade", raw.upgrade);
        let escrow = self.escrow(&table.join("escrow"), &raw.escrow);
        let quarantine = self.quarantine(&table.join("quarantine"), &raw.quarantine);
        Some(Limits {
            classes: classes?,
            remove_members_team: remove_members_team?,
            upgrade: upgrade?,
            target: TargetLimits::default(),
            floor: raw.floor.unwrap_or_default(),
            witness_budget: raw.witness_budget.unwrap_or_default(),
            lost_anchors: raw.lost_anchors.unwrap_or_default(),
            clock_jump_seconds: clock_jump?,
            escrow: escrow?,
            quarantine: quarantine?,
        })
    }

    fn clock_jump(&mut self, key: &Key, raw: Option<&str>) -> Option<i64> {
        let Some(text) = raw else { return Some(Limits::default().clock_jump_seconds) };
        read_span(text).filter(|seconds| *seconds >= CLOCK_JUMP_MIN_SECONDS).or_else(|| {
            let cure = "write one like 8d or 36h, an hour at least, and longer than between two cycles";
            self.error(key, format!("`{text}` is no time that a clock may go on by"), cure)
        })
    }

    /// Those of all jobs of a target together.
    pub(super) fn target_limits(&mut self, name: &str, raw: &RawTargetLimits) -> Option<TargetLimits> {
        let table = Key::of(["targets", name, "limits"]);
        let usual = TargetLimits::default();
        let removals = match raw.removals {
            Some(limit) => Some(self.limit(&table.join("removals"), limit)?),
            None => usual.removals,
        };
        let changes = match raw.changes {
            Some(limit) => Some(self.limit(&table.join("changes"), limit)?),
            None => usual.changes,
        };
        Some(TargetLimits { name: name.to_owned(), removals, changes })
    }

    /// The half that is not said does not limit.
    fn limit(&mut self, key: &Key, raw: RawLimit) -> Option<Limit> {
        let percent = raw.percent.unwrap_or(100);
        match u8::try_from(percent) {
            Ok(percent) if percent <= 100 => Some(Limit { count: raw.count.unwrap_or(u64::MAX), percent }),
            _ => self.error(&key.join("percent"), format!("{percent} is no percentage"), "use 0 to 100"),
        }
    }
}

/// The groups that one setting chooses: by what they are, and by lists that the source keeps.
#[derive(Default)]
struct Picks {
    groups: Vec<GroupPick>,
    lists: Vec<SourceId>,
}

fn vocabulary(source: &RawSource) -> Option<Vocabulary> {
    match (&source.graph, &source.okta, &source.file) {
        (Some(_), None, None) => Some(Vocabulary::Graph),
        (None, Some(_), None) => Some(Vocabulary::Okta),
        (None, None, Some(_)) => Some(Vocabulary::File),
        _ => None,
    }
}

fn by_class(raw: &RawLimits) -> [(Class, Option<RawLimit>); 10] {
    Class::ALL.map(|class| {
        let limit = match class {
            Class::Rename => raw.rename,
            Class::Create => raw.create,
            Class::Update => raw.update,
            Class::Reactivate => raw.reactivate,
            Class::AddMembers => raw.add_members,
            Class::RemoveMembers => raw.remove_members,
            Class::References => raw.references,
            Class::Deactivate => raw.deactivate,
            Class::Delete => raw.delete,
            Class::DeleteTeams => raw.delete_teams,
        };
        (class, limit)
    })
}

fn actions(raw: &RawActions) -> Actions {
    let usual = Actions::default();
    Actions {
        create: raw.create.unwrap_or(usual.create),
        update: raw.update.unwrap_or(usual.update),
        deactivate: raw.deactivate.unwrap_or(usual.deactivate),
        delete: raw.delete.unwrap_or(usual.delete),
        teams: raw.teams.unwrap_or(usual.teams),
    }
}

fn protected(target: &RawTarget) -> BTreeSet<String> {
    let scim = target.scim.as_ref().and_then(|scim| scim.protect.as_ref());
    let workspace = target.workspace.as_ref().and_then(|workspace| workspace.protect.as_ref());
    super::target::folded(scim.or(workspace))
}
