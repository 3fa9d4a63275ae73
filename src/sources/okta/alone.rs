//! One person alone: the application is looked at, the user, the user's row of the application, and the user's groups
//! (okta.md sections 3.5 and 3.8).
//!
//! | answer | means |
//! |---|---|
//! | a row whose status is an assignment | assigned |
//! | 404, or another status | not assigned: a removal that needs its witness |
//! | 404 of the user | missing: the same |

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::OktaSource;
use super::plan;
use super::records;
use super::refusal::Failure;
use super::wire::AppUser;
use super::wire::Group;
use super::wire::Member;
use super::wire::Person;
use crate::model::Alone;
use crate::model::Collection;
use crate::model::Container;
use crate::model::Coverage;
use crate::model::Reading;
use crate::model::Record;
use crate::model::Sought;
use crate::model::SourceId;
use crate::model::Watermarks;
use crate::scim::Kind;
use crate::sources::SourceError;

/// People of one name that are told apart; more are only "several".
const NAMESAKES: usize = 6;
/// Pages of one person's groups, of 200.
const PAGES_MAX: usize = 20;

/// What can stand in a path: a name never does (P11).
fn is_id(who: &str) -> bool {
    who.starts_with("00u") && who.chars().all(|c| c.is_ascii_alphanumeric())
}

impl OktaSource {
    pub(super) async fn alone(&self, sought: &Sought) -> Result<Alone, SourceError> {
        self.talk.begin();
        let mut plan = plan(&self.settings, &Watermarks::new(), Reading::Full, sought.now);
        // What the witness cannot see is explained by the log, or held.
        plan.log_speaks = self.settings.system_log;
        *self.plan() = plan;
        self.app(self.below_app(&[], &[])).await?;
        let mut keys: BTreeSet<String> = sought.known.iter().map(|id| id.0.clone()).collect();
        keys.extend(is_id(&sought.who).then(|| sought.who.clone()));
        let mut there = self.people_of_keys(&keys).await?;
        if there.is_empty() && sought.known.is_empty() {
            let namesakes = self.namesakes(&sought.who).await?;
            if namesakes.len() != 1 {
                return Ok(Alone::unclear(namesakes));
            }
            there = self.people_of_keys(&namesakes.into_iter().map(|id| id.0).collect()).await?;
        }
        if there.contains_key(&sought.who) {
            there.retain(|id, _| *id == sought.who);
        }
        if there.len() > 1 {
            return Ok(Alone::unclear(there.into_keys().map(SourceId).collect()));
        }
        match there.into_values().next() {
            Some(person) => self.beside(person).await,
            None => Ok(self.missing(sought)),
        }
    }

    /// Those of them who are there.
    async fn people_of_keys(&self, keys: &BTreeSet<String>) -> Result<BTreeMap<String, Person>, SourceError> {
        let mut there = BTreeMap::new();
        for key in keys {
            match self.talk.one::<Person>(self.talk.address(&["users", key], &[])).await {
                Ok(person) => drop(there.insert(person.id.clone(), person)),
                Err(Failure::Refused(refusal)) if refusal.is_missing() => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(there)
    }

    /// By login or mail address as they are written, which Okta answers at once; then without case and by name, which is
    /// its search and may lag. Names stand in the query: a path is part of messages (P11).
    async fn namesakes(&self, who: &str) -> Result<BTreeSet<SourceId>, SourceError> {
        if who.is_empty() || who.contains(['"', '\\']) {
            return Ok(BTreeSet::new());
        }
        let exact = format!("profile.login eq \"{who}\" or profile.email eq \"{who}\"");
        let any = format!("{exact} or profile.displayName eq \"{who}\"");
        for (how, question) in [("filter", exact), ("search", any)] {
            let limit = NAMESAKES.to_string();
            let url = self.talk.address(&["users"], &[(how, &question), ("limit", &limit)]);
            let (rows, _) = self.talk.rows(url).await?.read::<Member>();
            if !rows.is_empty() {
                return Ok(rows.into_iter().map(|row| SourceId(row.id)).collect());
            }
        }
        Ok(BTreeSet::new())
    }

    /// Not there, whoever it was: every edge is missing as well.
    fn missing(&self, sought: &Sought) -> Alone {
        let mut alone = Alone::unclear(sought.known.clone());
        if let Some(id) = alone.id().cloned() {
            alone.covered =
                vec![(self.row_of(&id), Coverage::Full), (Collection::GroupsOf(id.clone()), Coverage::Full)];
            alone.records.push(Record::NotFound { kind: Kind::User, id });
        }
        alone
    }

    fn row_of(&self, id: &SourceId) -> Collection {
        Collection::ListOf { list: self.settings.app().clone(), principal: id.clone() }
    }

    async fn beside(&self, person: Person) -> Result<Alone, SourceError> {
        let id = SourceId(person.id.clone());
        let mut alone = Alone::unclear([id.clone()].into());
        let row = match self.talk.one::<AppUser>(self.below_app(&["users", &id.0], &[])).await {
            Ok(row) => Some(row),
            Err(Failure::Refused(refusal)) if refusal.is_missing() && !refusal.of_app => None,
            Err(failure) => return Err(failure.into()),
        };
        let shown = match row {
            Some(row) => {
                records::app_user(self.settings.statuses, self.settings.app(), row, Some(person.user))
            }
            None => records::member(self.settings.statuses, person),
        };
        alone.records = shown.records;
        alone.notes = shown.notes;
        alone.covered.push((self.row_of(&id), Coverage::Full));
        self.groups_of_one(&id, &mut alone).await?;
        Ok(alone)
    }

    async fn groups_of_one(&self, id: &SourceId, alone: &mut Alone) -> Result<(), SourceError> {
        let mut next = Some(self.talk.address(&["users", &id.0, "groups"], &[]));
        let mut coverage = Coverage::Full;
        for _ in 0..PAGES_MAX {
            let Some(url) = next else { break };
            let page = match self.talk.rows(url).await {
                Ok(page) => page,
                Err(Failure::Refused(refusal)) if refusal.is_forbidden() => {
                    alone
                        .notes
                        .push(format!("the groups stay as the last cycle saw them: {}", refusal.what()));
                    alone.covered.push((Collection::GroupsOf(id.clone()), Coverage::Partial));
                    return Ok(());
                }
                Err(failure) => return Err(failure.into()),
            };
            let (rows, bad) = page.read::<Group>();
            if bad > 0 {
                coverage = Coverage::Partial;
            }
            let edge =
                |group: Group| records::edge(Container::Group(SourceId(group.id)), id.clone(), Kind::User);
            alone.records.extend(rows.into_iter().map(edge));
            next = page.next;
        }
        if next.is_some() {
            coverage = Coverage::Partial;
        }
        alone.covered.push((Collection::GroupsOf(id.clone()), coverage));
        Ok(())
    }
}
