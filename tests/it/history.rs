//! Eight years of a real organisation, week by week: after each week one cycle, and the workspace equals the
//! history's own state; a second cycle plans nothing.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use rosterd::model::Reading;
use rosterd::plan::Class;
use rosterd::plan::Limit;
use rosterd::plan::Selection;
use rosterd::scim::Kind;
use serde::Deserialize;

use super::support::corpus;
use super::support::directory::Directory;
use super::support::directory::Group;
use super::support::directory::Person;
use super::support::story::Stage;

#[derive(Deserialize)]
struct History {
    weeks: Vec<Week>,
    end: End,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Week {
    date: String,
    users_added: Vec<String>,
    users_removed: Vec<String>,
    groups_added: BTreeMap<String, NewGroup>,
    groups_removed: Vec<String>,
    parent_changed: BTreeMap<String, Option<String>>,
    members_added: BTreeMap<String, Vec<String>>,
    members_removed: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct NewGroup {
    parent: Option<String>,
    members: Vec<String>,
}

#[derive(Deserialize)]
struct End {
    users: usize,
    groups: usize,
    memberships: usize,
}

/// The history's own state: what the workspace is compared with, kept apart from what the product reads.
#[derive(Default)]
struct Truth {
    users: BTreeSet<String>,
    groups: BTreeMap<String, BTreeSet<String>>,
    parents: BTreeMap<String, String>,
}

impl Truth {
    fn play(&mut self, week: &Week) {
        self.users.extend(week.users_added.iter().cloned());
        for user in &week.users_removed {
            self.users.remove(user);
        }
        for name in &week.groups_removed {
            self.groups.remove(name);
            self.parents.remove(name);
        }
        for (name, group) in &week.groups_added {
            self.groups.insert(name.clone(), group.members.iter().cloned().collect());
            self.move_under(name, group.parent.as_ref());
        }
        for (name, parent) in &week.parent_changed {
            self.move_under(name, parent.as_ref());
        }
        for (name, members) in &week.members_added {
            self.groups.entry(name.clone()).or_default().extend(members.iter().cloned());
        }
        for (name, members) in &week.members_removed {
            let group = self.groups.entry(name.clone()).or_default();
            members.iter().for_each(|member| {
                group.remove(member);
            });
        }
    }

    fn move_under(&mut self, name: &str, parent: Option<&String>) {
        match parent {
            Some(parent) => self.parents.insert(name.to_owned(), parent.clone()),
            None => self.parents.remove(name),
        };
    }

    /// As a directory file: teams below a team are groups in its group.
    fn directory(&self) -> Directory {
        let mut directory = Directory::default();
        for user in &self.users {
            let person = Person {
                address: format!("{user}@history.example"),
                given: "P".to_owned(),
                surname: user.clone(),
                enabled: true,
                further: Default::default(),
            };
            directory.people.insert(user.clone(), person);
        }
        for (name, members) in &self.groups {
            let mut members: BTreeSet<String> = members.iter().map(|user| format!("user:{user}")).collect();
            let children = self
                .parents
                .iter()
                .filter(|(child, parent)| *parent == name && self.groups.contains_key(*child));
            members.extend(children.map(|(child, _)| format!("group:{child}")));
            directory.groups.insert(name.clone(), Group { name: name.clone(), members });
        }
        directory
    }

    /// What the workspace has to hold: everybody there is, and every team with those of its members who are there.
    fn expected(&self) -> (BTreeSet<String>, BTreeMap<String, BTreeSet<String>>) {
        let teams = self.groups.iter().map(|(name, members)| {
            (name.clone(), members.iter().filter(|user| self.users.contains(*user)).cloned().collect())
        });
        (self.users.clone(), teams.collect())
    }
}

/// The active people of the workspace, and the teams with their members, by the history's names.
async fn held(stage: &Stage) -> (BTreeSet<String>, BTreeMap<String, BTreeSet<String>>) {
    let name = |user: &serde_json::Value| user["externalId"].as_str().unwrap_or_default().to_owned();
    let users = stage.resources(Kind::User).await;
    let by_id: BTreeMap<String, String> =
        users.iter().map(|user| (user["id"].as_str().unwrap_or_default().to_owned(), name(user))).collect();
    let active = users.iter().filter(|user| user["active"] != false).map(name).collect();
    let mut teams = BTreeMap::new();
    for team in stage.resources(Kind::Group).await {
        let id = rosterd::scim::ResourceId(team["id"].as_str().unwrap_or_default().to_owned());
        let members = stage.target.members(&id).await.expect("members").unwrap_or_default();
        let members: BTreeSet<String> = members.iter().map(|id| by_id[&id.0].clone()).collect();
        teams.insert(team["externalId"].as_str().unwrap_or_default().to_owned(), members);
    }
    (active, teams)
}

#[tokio::test]
async fn the_workspace_equals_the_history_after_every_week() {
    let Some(corpus) = corpus() else { return };
    let text =
        std::fs::read_to_string(corpus.join("directory-history/rust-lang-team.json")).expect("the history");
    let history: History = serde_json::from_str(&text).expect("the history is JSON");
    let mut stage = Stage::new();
    // Everybody who is there, and every group: the whole organisation is in scope.
    let everybody = Selection { all: true, ..Selection::default() };
    stage.rules.scope.users = everybody.clone();
    stage.rules.scope.teams = everybody;
    // A history of real weeks has mass changes in it; the limits have their own tests.
    for class in [Class::Deactivate, Class::RemoveMembers, Class::Rename, Class::DeleteTeams] {
        stage.limits.classes.insert(class, Limit { count: 10_000, percent: 100 });
    }
    stage.rules.leavers.teams = rosterd::plan::OnTeamLeave::Delete;
    stage.rules.actions.delete = true;
    let mut truth = Truth::default();
    for week in &history.weeks {
        truth.play(week);
        stage.directory = truth.directory();
        stage.cycle(Reading::Incremental).await;
        assert_eq!(held(&stage).await, truth.expected(), "the week of {}", week.date);
        let again = stage.cycle(Reading::Incremental).await;
        assert_eq!(again, "nothing\n", "a second cycle in the week of {}", week.date);
    }
    let memberships: usize = truth.groups.values().map(BTreeSet::len).sum();
    assert_eq!(
        (truth.users.len(), truth.groups.len(), memberships),
        (history.end.users, history.end.groups, history.end.memberships),
        "the history was played whole"
    );
}
