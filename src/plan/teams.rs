//! What the settings say of single teams: linked to one that is there, under another name, or none at all; and what
//! becomes of two groups of one name.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::model::GroupPick;
use crate::model::LinkId;
use crate::model::Seen;
use crate::model::SourceId;

/// Rules of single teams, and the policy for names.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Teams {
    rules: Vec<TeamRule>,
    pub names: TeamNames,
}

/// `[jobs.X.teams."id:…"]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TeamRule {
    /// The key of the settings.
    pub key: String,
    pub pick: GroupPick,
    /// The team of the target that the group becomes, once and whatever the adoption policy says.
    pub link: Option<String>,
    /// What the team is called, whatever the group is called.
    pub name: Option<String>,
    /// A linked team takes the group's name; otherwise it keeps its own.
    pub rename: bool,
    /// `false`: the group becomes no team.
    pub enabled: bool,
}

/// What becomes of a second team of one name. Two groups are never merged into one team (Okta reference, section 10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TeamNames {
    /// It is held until one of the two has another name.
    #[default]
    Hold,
    /// Its name gets an ending of its own.
    Suffix,
    /// A team of the target that has the name, and that no group of this job is, becomes the group's, whatever the
    /// adoption policy says; one of another job is shared. Of two groups of one job the second is held all the same.
    Link,
}

impl Teams {
    pub fn new(mut rules: Vec<TeamRule>, names: TeamNames) -> Teams {
        rules.sort_by(|a, b| (weight(&a.pick), &a.key).cmp(&(weight(&b.pick), &b.key)));
        Teams { rules, names }
    }

    /// The rule of a group: one for its id before one for its name, and that before a rule for many.
    pub fn rule(&self, id: &SourceId, seen: &Seen) -> Option<&TeamRule> {
        let (name, description) = (group_name(seen), text(seen, "description"));
        self.rules.iter().find(|rule| rule.pick.takes(id, name, description))
    }

    /// What the team is to be called, where the mapping gives `mapped`.
    pub(super) fn name(&self, id: &SourceId, seen: &Seen, twin: bool, mapped: &str) -> String {
        match self.rule(id, seen).and_then(TeamRule::fixed_name) {
            Some(fixed) => fixed.to_owned(),
            None if twin && self.names == TeamNames::Suffix => format!("{mapped}{}", suffix(id)),
            None => mapped.to_owned(),
        }
    }
}

impl TeamRule {
    /// The name that no other name changes.
    fn fixed_name(&self) -> Option<&str> {
        self.name.as_deref().or_else(|| self.link.as_deref().filter(|_| !self.rename))
    }
}

fn weight(pick: &GroupPick) -> u8 {
    match pick {
        GroupPick::Id(_) => 0,
        GroupPick::Name(_) => 1,
        GroupPick::Prefix(_) | GroupPick::Rule { .. } => 2,
    }
}

/// Graph and files call it `displayName`, Okta `name`.
fn group_name(seen: &Seen) -> &str {
    let name = text(seen, "displayName");
    if name.is_empty() { text(seen, "name") } else { name }
}

fn text<'a>(seen: &'a Seen, name: &str) -> &'a str {
    seen.attributes.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The ending of a second team: the same in every cycle, and another one for every group.
fn suffix(id: &SourceId) -> String {
    format!(" ({})", &blake3::hash(id.0.as_bytes()).to_hex()[..6])
}

/// A team of the target by its name, as it is or as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedTeam {
    pub link: LinkId,
    pub source: SourceId,
    /// The folded name that the rules want, with the ending that it may have; `None` where no team is wanted.
    pub wanted: Option<String>,
    /// The folded name that the target has.
    pub applied: Option<String>,
    /// No longer wanted, and about to lose its members or to be deleted: a new group of its name goes on with it.
    pub going: bool,
}

impl NamedTeam {
    fn is_suffixed(&self) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| wanted.ends_with(&suffix(&self.source)))
    }

    /// The wanted name without the ending.
    fn bare(&self) -> Option<&str> {
        let wanted = self.wanted.as_deref()?;
        Some(wanted.strip_suffix(suffix(&self.source).as_str()).unwrap_or(wanted))
    }
}

/// The teams whose name another one has: whoever has it in the target keeps it, wanted or not; where nobody has, the
/// group with the lowest id gets it. The order in which groups came does not count. Who is about to go keeps its name
/// from the teams that are there, not from a new group, which is proposed to go on with the team.
pub fn twins(teams: &[NamedTeam]) -> BTreeSet<LinkId> {
    let mut held: BTreeSet<&str> = BTreeSet::new();
    let mut kept: BTreeSet<&str> = BTreeSet::new();
    let mut first: BTreeMap<&str, &SourceId> = BTreeMap::new();
    for team in teams {
        held.extend(team.applied.as_deref());
        kept.extend(team.applied.as_deref().filter(|_| !team.going));
        if let Some(bare) = team.bare() {
            let lowest = first.entry(bare).or_insert(&team.source);
            *lowest = (*lowest).min(&team.source);
        }
    }
    let is_twin = |team: &&NamedTeam| match team.bare() {
        None => false,
        Some(bare) if team.applied.as_deref() == Some(bare) => false,
        Some(bare) => {
            let taken = if team.applied.is_some() { &held } else { &kept };
            taken.contains(bare) || first.get(bare).is_some_and(|lowest| **lowest != team.source)
        }
    };
    teams.iter().filter(is_twin).map(|team| team.link).collect()
}

/// The teams that are named as twins now.
pub fn suffixed(teams: &[NamedTeam]) -> BTreeSet<LinkId> {
    teams.iter().filter(|team| team.is_suffixed()).map(|team| team.link).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Standing;

    fn id(text: &str) -> SourceId {
        SourceId(text.to_owned())
    }

    fn rule(key: &str, pick: GroupPick) -> TeamRule {
        TeamRule { key: key.to_owned(), pick, link: None, name: None, rename: false, enabled: true }
    }

    fn seen(name: &str) -> Seen {
        let attributes = serde_json::from_value(json!({ "displayName": name })).expect("an object");
        Seen { standing: Standing::Enabled, attributes }
    }

    #[test]
    fn the_rule_for_an_id_goes_before_one_for_a_name_and_that_before_one_for_many() {
        let rules = || {
            vec![
                rule("prefix:app", GroupPick::Prefix("app".to_owned())),
                rule("name:app-sales", GroupPick::Name("app-sales".to_owned())),
                rule("id:g1", GroupPick::Id(id("g1"))),
            ]
        };
        let mut turned = rules();
        turned.reverse();
        for teams in [Teams::new(rules(), TeamNames::Hold), Teams::new(turned, TeamNames::Hold)] {
            let key = |of: &str, name: &str| teams.rule(&id(of), &seen(name)).map(|rule| rule.key.as_str());
            assert_eq!(key("g1", "app-sales"), Some("id:g1"));
            assert_eq!(key("g2", "app-sales"), Some("name:app-sales"));
            assert_eq!(key("g2", "app-shop"), Some("prefix:app"));
            assert_eq!(key("g2", "shop"), None);
        }
    }

    #[test]
    fn a_linked_team_keeps_its_name_unless_it_is_told_another() {
        let named = |change: fn(&mut TeamRule)| {
            let mut rule = rule("id:g1", GroupPick::Id(id("g1")));
            change(&mut rule);
            Teams::new(vec![rule], TeamNames::Hold).name(&id("g1"), &seen("Sales"), false, "Sales")
        };
        assert_eq!(named(|_| ()), "Sales");
        assert_eq!(named(|rule| rule.link = Some("Old".to_owned())), "Old");
        assert_eq!(
            named(|rule| (rule.link, rule.name) = (Some("Old".to_owned()), Some("New".to_owned()))),
            "New"
        );
        assert_eq!(named(|rule| (rule.link, rule.rename) = (Some("Old".to_owned()), true)), "Sales");
    }

    fn team(link: i64, source: &str, wanted: &str, applied: &str) -> NamedTeam {
        let some = |text: &str| (text != "-").then(|| text.replace("(own)", suffix(&id(source)).trim()));
        let (wanted, applied) = (some(wanted), some(applied));
        NamedTeam { link: LinkId(link), source: id(source), wanted, applied, going: false }
    }

    /// Who is a twin, whatever the order.
    #[track_caller]
    fn check(teams: &[NamedTeam], expected: &[i64]) {
        let mut turned = teams.to_vec();
        turned.reverse();
        for teams in [teams, &turned] {
            assert_eq!(twins(teams).into_iter().map(|link| link.0).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn who_has_the_name_keeps_it_and_else_the_lowest_id_gets_it() {
        check(&[team(1, "g1", "sales", "-"), team(2, "g2", "shop", "-")], &[]);
        check(&[team(1, "g1", "sales", "-"), team(2, "g2", "sales", "-")], &[2]);
        check(&[team(1, "g1", "sales", "-"), team(2, "g2", "sales", "sales")], &[1]);
        // The team of a group that left is there still.
        check(&[team(1, "g1", "sales", "-"), team(2, "g2", "-", "sales")], &[1]);
        // Two that have it already both keep it.
        check(&[team(1, "g1", "sales", "sales"), team(2, "g2", "sales", "sales")], &[]);
        // A twin stays one as long as the other is there.
        check(&[team(1, "g1", "sales", "sales"), team(2, "g2", "sales (own)", "sales (own)")], &[2]);
        check(&[team(1, "g1", "shop", "sales"), team(2, "g2", "sales (own)", "sales (own)")], &[2]);
        check(&[team(1, "g1", "shop", "shop"), team(2, "g2", "sales (own)", "sales (own)")], &[]);
    }

    /// A new group with the name of a team about to go is proposed to go on with it, so it gets no ending.
    #[test]
    fn a_team_about_to_go_keeps_its_name_from_teams_that_are_there_alone() {
        let going = || NamedTeam { going: true, ..team(2, "g2", "-", "sales") };
        check(&[team(1, "g1", "sales", "-"), going()], &[]);
        check(&[team(1, "g1", "sales (own)", "sales (own)"), going()], &[1]);
    }

    #[test]
    fn the_ending_tells_two_groups_apart_and_is_seen_again() {
        let teams = Teams::new(Vec::new(), TeamNames::Suffix);
        let name = |of: &str| teams.name(&id(of), &seen("Sales"), true, "Sales");
        assert_ne!(name("g1"), name("g2"));
        assert_eq!(name("g1"), format!("Sales{}", suffix(&id("g1"))));
        let both = [team(1, "g1", "sales (own)", "-"), team(2, "g2", "sales", "-")];
        assert_eq!(suffixed(&both), BTreeSet::from([LinkId(1)]));
    }
}
