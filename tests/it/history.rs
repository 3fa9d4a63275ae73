//! Eight years of a real organisation, week by week: after each week one cycle, and the workspace equals the
//! history's own state; a second cycle plans nothing.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use rosterd::model::Reading;
use rosterd::plan::Class;
use rosterd::plan::Limit;
use rosterd::plan::Limits;
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

/// `None` without the corpus.
fn history() -> Option<History> {
    let text = std::fs::read_to_string(corpus()?.join("directory-history/rust-lang-team.json"));
    Some(serde_json::from_str(&text.expect("the history")).expect("the history is JSON"))
}

/// Everybody who is there, and every group: the whole organisation is in scope.
fn stage() -> Stage {
    let mut stage = Stage::new();
    let everybody = Selection { all: true, ..Selection::default() };
    stage.rules.scope.users = everybody.clone();
    stage.rules.scope.teams = everybody;
    stage
}

#[tokio::test]
async fn the_workspace_equals_the_history_after_every_week() {
    let Some(history) = history() else { return };
    let mut stage = stage();
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

/// What a cycle left held, by what it is: people, and memberships. Whatever else is held fails the test.
fn waiting(output: &str) -> (usize, usize) {
    let held: Vec<&str> = output.lines().filter(|line| line.contains("(held: ")).collect();
    let people = held.iter().filter(|line| line.ends_with(" deactivate (held: Limit)")).count();
    let memberships =
        held.iter().filter(|line| line.contains(" remove ") && line.ends_with("(held: Limit)")).count();
    assert_eq!(people + memberships, held.len(), "{output}");
    (people, memberships)
}

type Organisation = (BTreeSet<String>, BTreeMap<String, BTreeSet<String>>);

/// The default policy empties a team that left scope, and does not delete it.
fn without_empty_teams((people, teams): Organisation) -> Organisation {
    (people, teams.into_iter().filter(|(_, members)| !members.is_empty()).collect())
}

const WEEK: i64 = 7 * 86_400;

/// With the limits as they are by default, eight years of ordinary weeks go by themselves, save for the one clean-up that
/// is a mass change: the week of 2023-12-01 takes 92 of 787 memberships away. In the last week a quarter of all people
/// vanish from the directory.
#[tokio::test]
async fn under_the_default_limits_ordinary_weeks_go_and_a_mass_change_waits_for_one_approval() {
    let Some(history) = history() else { return };
    let mut stage = stage();
    stage.limits = Limits::default();
    let mut truth = Truth::default();
    let (last, weeks) = history.weeks.split_last().expect("weeks");
    let mut held_weeks = Vec::new();
    for week in weeks {
        truth.play(week);
        stage.directory = truth.directory();
        stage.second += WEEK;
        let (people, memberships) = waiting(&stage.cycle(Reading::Incremental).await);
        assert_eq!(people, 0, "the week of {}", week.date);
        if memberships > 0 {
            held_weeks.push((week.date.as_str(), memberships));
            assert!(stage.command("approve all").await.expect("words").ends_with(" approved\n"));
            stage.cycle(Reading::Incremental).await;
        }
        let (is, expected) = (held(&stage).await, truth.expected());
        assert_eq!(without_empty_teams(is), without_empty_teams(expected), "the week of {}", week.date);
    }
    assert_eq!(held_weeks, [("2023-12-01", 92)]);
    a_quarter_vanishes(&mut stage, &mut truth, last).await;
}

async fn a_quarter_vanishes(stage: &mut Stage, truth: &mut Truth, week: &Week) {
    truth.play(week);
    let whole = truth.expected();
    // Nobody who comes in this very week: they were never there.
    let vanished = truth.users.iter().filter(|user| !week.users_added.contains(*user)).step_by(4);
    let vanished: BTreeSet<String> = vanished.cloned().collect();
    truth.users.retain(|user| !vanished.contains(user));
    stage.directory = truth.directory();
    stage.second += WEEK;
    let output = stage.cycle(Reading::Incremental).await;
    assert_eq!(waiting(&output).0, vanished.len(), "{output}");
    // The rest of the week goes on, and nobody who vanished has lost anything.
    let (people, teams) = without_empty_teams(held(stage).await);
    assert_eq!(people, whole.0);
    // A team that went from the directory in the same week is missing from the same read: its removals wait with the rest
    // of that cause (P13).
    for (team, members) in teams.into_iter().filter(|(team, _)| !week.groups_removed.contains(team)) {
        let others = |members: &BTreeSet<String>| -> BTreeSet<String> {
            members.difference(&vanished).cloned().collect()
        };
        assert_eq!(others(&members), others(whole.1.get(&team).unwrap_or(&BTreeSet::new())), "{team}");
    }
    // One decision: the cause.
    let job = stage.job();
    let planned = rosterd::cycle::standing(job.standing(), &stage.store, stage.now()).await;
    let causes = planned.expect("the state is read").expect("a job").header.causes;
    assert_eq!(causes.len(), 1, "{causes:?}");
    let approve = format!("approve {}", causes[0].0.id().0);
    assert!(stage.command(&approve).await.expect("words").ends_with(" approved\n"));
    stage.cycle(Reading::Incremental).await;
    assert_eq!(without_empty_teams(held(stage).await), without_empty_teams(truth.expected()));
}
