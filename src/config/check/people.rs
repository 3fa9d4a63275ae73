//! Filters, people's policy, and what is said of single teams.

use super::Checker;
use crate::config::problem::Key;
use crate::config::raw::RawJob;
use crate::config::raw::RawTeam;
use crate::config::raw::RawUserScope;
use crate::model::GroupPick;
use crate::model::Vocabulary;
use crate::plan::Filters;
use crate::plan::People;
use crate::plan::RawFilters;
use crate::plan::TeamRule;
use crate::plan::Teams;
use crate::scim::Kind;

impl Checker<'_> {
    /// Without a source it is not known which attributes there are; that there is none is said elsewhere.
    pub(super) fn filters(
        &mut self,
        key: &Key,
        raw: Option<&RawFilters>,
        kind: Kind,
        source: Option<Vocabulary>,
    ) -> Option<Filters> {
        let Some(raw) = raw else { return Some(Filters::default()) };
        match raw.check(kind, source?) {
            Ok(filters) => Some(filters),
            Err(problems) => {
                for problem in problems {
                    let place = problem.at.map(|(filter, clause)| [filter.to_string(), clause.to_string()]);
                    let mut key = place.iter().flatten().fold(key.clone(), |key, part| key.join(part));
                    if !problem.field.is_empty() {
                        key = key.join(problem.field);
                    }
                    self.error_with_cure::<()>(&key, &problem.text);
                }
                None
            }
        }
    }

    pub(super) fn people(
        &mut self,
        table: &Key,
        raw: &RawUserScope,
        source: Option<Vocabulary>,
    ) -> Option<People> {
        let usual = People::default();
        let people = People {
            guests: raw.guests.unwrap_or(usual.guests),
            disabled: raw.disabled.unwrap_or(usual.disabled),
            resource_accounts: raw.resource_accounts.unwrap_or(usual.resource_accounts),
        };
        if source == Some(Vocabulary::Okta) {
            let kinds = [("guests", people.guests), ("resource_accounts", people.resource_accounts)];
            for (name, _) in kinds.iter().filter(|(_, stays)| !stays) {
                let cure = "take it out, or filter by an attribute such as user.userType";
                self.error::<()>(&table.join(name), "an Okta org does not know such people".to_owned(), cure);
            }
            if kinds.iter().any(|(_, stays)| !stays) {
                return None;
            }
        }
        Some(people)
    }

    pub(super) fn teams(&mut self, table: &Key, raw: &RawJob) -> Option<Teams> {
        let rules: Vec<Option<TeamRule>> =
            raw.teams.iter().map(|(key, raw)| self.team(&table.join(key), raw)).collect();
        let rules: Option<Vec<TeamRule>> = rules.into_iter().collect();
        Some(Teams::new(rules?, raw.team_names.unwrap_or_default()))
    }

    fn team(&mut self, table: &Key, raw: &RawTeam) -> Option<TeamRule> {
        let text = table.last().to_owned();
        let pick = self.pick(table, &text);
        let link = self.team_text(&table.join("link"), raw.link.as_deref(), "a team of the target");
        let name = self.team_text(&table.join("name"), raw.name.as_deref(), "the team");
        let (pick, link, name) = (pick?, link?, name?);
        let many = matches!(pick, GroupPick::Prefix(_) | GroupPick::Rule { .. });
        let said = [("link", &link), ("name", &name)].into_iter().find(|(_, text)| text.is_some());
        if let (true, Some((field, _))) = (many, said) {
            let cure = "choose the one group by id: or name:";
            return self.error(&table.join(field), "many groups cannot be one team".to_owned(), cure);
        }
        if raw.rename == Some(true) && link.is_none() {
            let cure = "take it out; a team that is made here always follows its group";
            return self.error(&table.join("rename"), "only a linked team keeps its name".to_owned(), cure);
        }
        if raw.rename == Some(true) && name.is_some() {
            let cure = "keep one of rename and name";
            return self.error(&table.join("rename"), "the team has a name of its own".to_owned(), cure);
        }
        let rename = raw.rename.unwrap_or(false);
        Some(TeamRule { key: text, pick, link, name, rename, enabled: raw.enabled.unwrap_or(true) })
    }

    /// Outside: whether it can be read; inside: whether there is one.
    fn team_text(&mut self, key: &Key, raw: Option<&str>, what: &str) -> Option<Option<String>> {
        match raw {
            None => Some(None),
            Some(_) => self.text(key, raw, &format!("the name of {what}")).map(Some),
        }
    }
}
