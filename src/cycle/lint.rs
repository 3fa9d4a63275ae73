//! A look at what is wanted, person by person, before the target sees any of it.

use crate::model::Finding;
use crate::model::SourceId;
use crate::plan;
use crate::plan::Lint;
use crate::plan::Rules;
use crate::scim::profiles::Demands;
use crate::store::JobId;
use crate::store::Store;
use crate::store::StoreError;

/// People read at once: a directory of any size is looked at in little memory.
const CHUNK: usize = 1_000;

/// What is to be said of the people and teams that a job wants, as they were last decided.
pub async fn lint(
    store: &Store,
    job: &str,
    rules: &Rules,
    demands: Demands,
) -> Result<Vec<Finding>, StoreError> {
    match store.find_job(job).await? {
        Some(state) => look(store, state.id, rules, demands).await,
        None => Ok(Vec::new()),
    }
}

pub(super) async fn look(
    store: &Store,
    job: JobId,
    rules: &Rules,
    demands: Demands,
) -> Result<Vec<Finding>, StoreError> {
    let user_name_is_email = demands.user_name_is_email || rules.users.user_name_is_email;
    let demands = Demands { user_name_is_email, ..demands };
    let semantics = plan::semantics(&demands, rules);
    let mut lint = Lint::new(demands, &rules.users.required());
    let mut after = SourceId(String::new());
    loop {
        let people = store.wanted_people(job, after, CHUNK).await?;
        let Some(last) = people.last() else { break };
        after = last.source.clone();
        for person in &people {
            lint.person(&plan::LintPerson {
                source: &person.source,
                wanted: &person.wanted,
                guest: person.guest,
                applied: person.applied,
                pending: person.pending,
                teams: person.teams,
            });
        }
    }
    for team in store.wanted_teams(job).await? {
        lint.team(&plan::LintTeam { source: &team.source, name: &team.name, members: team.members });
    }
    let circles = plan::circles(&store.container_graph(job).await?);
    let mut findings = lint.findings(store.lint_standing(job).await?, &circles);
    findings.extend(semantics);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.grade));
    Ok(findings)
}
