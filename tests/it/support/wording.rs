//! How a story writes settings: scope, filters, policy, limits, single teams.

use rosterd::model::Finding;
use rosterd::model::GroupPick;
use rosterd::model::SourceId;
use rosterd::model::Vocabulary;
use rosterd::plan::Class;
use rosterd::plan::Departure;
use rosterd::plan::Limit;
use rosterd::plan::OnLeave;
use rosterd::plan::RawClause;
use rosterd::plan::RawFilters;
use rosterd::plan::Row;
use rosterd::plan::RowFlow;
use rosterd::plan::RowValue;
use rosterd::plan::Selection;
use rosterd::plan::Target;
use rosterd::plan::TeamRule;
use rosterd::plan::Teams;
use rosterd::plan::read_span;
use rosterd::scim::Kind;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::bent::Bend;
use super::story::Stage;

/// Carries one setting out.
pub fn setting(stage: &mut Stage, words: &[&str]) {
    match words {
        ["users", clauses @ ..] => stage.rules.scope.users = selection(clauses),
        ["teams", clauses @ ..] => stage.rules.scope.teams = selection(clauses),
        ["limit", class, count, percent] => {
            let limit =
                Limit { count: count.parse().expect("a count"), percent: percent.parse().expect("percent") };
            let class = Class::ALL.into_iter().find(|known| known.word() == *class).expect("a class");
            stage.limits.classes.insert(class, limit);
        }
        ["team-limit", count, percent] => {
            let limit =
                Limit { count: count.parse().expect("a count"), percent: percent.parse().expect("percent") };
            stage.limits.remove_members_team = Some(limit);
        }
        ["upgrade-limit", count, percent] => {
            let limit =
                Limit { count: count.parse().expect("a count"), percent: percent.parse().expect("percent") };
            stage.limits.upgrade = Some(limit);
        }
        ["program", version] => stage.program = (*version).to_owned(),
        ["floor", floor] => stage.limits.floor = floor.parse().expect("a floor"),
        ["budget", budget] => stage.limits.witness_budget = budget.parse().expect("a budget"),
        ["mode", mode] => stage.mode = parsed(mode),
        ["leavers", "teams", policy] => stage.rules.leavers.teams = parsed(policy),
        ["anchors", count] => stage.limits.lost_anchors = count.parse().expect("a count"),
        ["rehire", policy] => stage.rules.rehire = parsed(policy),
        ["leavers", event, policy @ ..] => {
            let policy = OnLeave::read(&policy.join(" ")).expect("a policy");
            let meant = |by: &Departure| *event == "all" || by.word() == *event;
            let events: Vec<Departure> = Departure::SETTINGS.into_iter().filter(meant).collect();
            assert!(!events.is_empty(), "no such event: {event}");
            events.into_iter().for_each(|by| stage.rules.leavers.set(by, policy));
        }
        ["clock-jump", span] => stage.limits.clock_jump_seconds = read_span(span).expect("a span"),
        ["adopt", policy] => stage.rules.adoption = parsed(policy),
        ["action", name, state] => {
            let actions = &mut stage.rules.actions;
            let action = match *name {
                "create" => &mut actions.create,
                "update" => &mut actions.update,
                "deactivate" => &mut actions.deactivate,
                "delete" => &mut actions.delete,
                "teams" => &mut actions.teams,
                other => panic!("no such action: {other}"),
            };
            *action = *state == "on";
        }
        ["protect", name] => {
            stage.rules.protect.insert(rosterd::scim::fold(name));
        }
        [what @ ("filter" | "exclude"), side, words @ ..] => {
            let (kind, selection) = match *side {
                "users" => (Kind::User, &mut stage.rules.scope.users),
                "teams" => (Kind::Group, &mut stage.rules.scope.teams),
                other => panic!("no such side: {other}"),
            };
            let filters = filters(words).check(kind, Vocabulary::File).expect("sound filters");
            match *what {
                "filter" => selection.filters = filters,
                _ => selection.exclude = filters,
            }
        }
        ["people", kind, place] => {
            let stays = *place == "in";
            match *kind {
                "guests" => stage.rules.people.guests = stays,
                "disabled" => stage.rules.people.disabled = stays,
                "resource_accounts" => stage.rules.people.resource_accounts = stays,
                other => panic!("no such people: {other}"),
            }
        }
        ["team", group, said @ ..] => {
            let rule = team(group, said);
            stage.team_rules.retain(|other| other.key != rule.key);
            stage.team_rules.push(rule);
            stage.rules.teams = Teams::new(stage.team_rules.clone(), stage.rules.teams.names);
        }
        ["row", target, attribute, said @ ..] => {
            let row = row(target, attribute, said);
            let rows = &mut stage.rules.users.rows;
            rows.retain(|other| other.target != row.target);
            rows.push(row);
        }
        ["row", target] => stage.rules.users.rows.retain(|row| row.target != path(target).as_str()),
        ["team-names", policy] => stage.rules.teams.names = parsed(policy),
        other => panic!("no such command: {other:?}"),
    }
}

/// `row title jobTitle clears`, `row manager manager refers`.
fn row(target: &str, attribute: &str, said: &[&str]) -> Row {
    let name = attribute.to_owned();
    let refers = said.contains(&"refers");
    Row {
        target: Target::new(path(target)),
        value: if refers { RowValue::Reference(name) } else { RowValue::Attribute(name) },
        matching: None,
        flow: RowFlow::Always,
        default: None,
        clears: said.contains(&"clears"),
        required: false,
    }
}

/// A target attribute; the enterprise extension's manager may go by its name alone.
fn path(target: &str) -> String {
    match target {
        "manager" => "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager".to_owned(),
        other => other.to_owned(),
    }
}

/// What each user of the workspace has at a path; a resource goes by its userName.
pub async fn shown(stage: &Stage, target: &str) -> String {
    let path = path(target);
    let names = stage.names().await;
    let users = stage.resources(Kind::User).await;
    let line = |user: &Value| {
        let shown = rosterd::scim::shown(user, [&path]);
        let value = shown.text(&path).unwrap_or("-");
        let name = Some(names(value)).filter(|name| name != "-").unwrap_or_else(|| value.to_owned());
        format!("{} {name}\n", user["userName"].as_str().unwrap_or("-"))
    };
    let lines: std::collections::BTreeSet<String> = users.iter().map(line).collect();
    lines.into_iter().collect()
}

/// `department=Sales`, `isResourceAccount=true`.
pub fn attribute(word: &str) -> Option<(String, Value)> {
    let (name, value) = word.split_once('=')?;
    let value = match value {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text => Value::String(text.to_owned()),
    };
    Some((name.to_owned(), value))
}

/// `department EQUALS Sales and country EQUALS DE or department IS_NULL`.
pub fn filters(words: &[&str]) -> RawFilters {
    let clause = |words: &[&str]| {
        let (not, words) = match words {
            ["not", words @ ..] => (true, words),
            words => (false, words),
        };
        RawClause {
            attribute: words.first().map(|word| (*word).to_owned()),
            op: words.get(1).map(|word| (*word).to_owned()),
            value: words.get(2).map(|word| (*word).into()),
            not: Some(not),
            ..RawClause::default()
        }
    };
    if words.is_empty() {
        return RawFilters::default();
    }
    let filters = words.split(|word| *word == "or");
    RawFilters(filters.map(|words| words.split(|word| *word == "and").map(clause).collect()).collect())
}

fn team(group: &str, said: &[&str]) -> TeamRule {
    let pick = selection(&[group]).groups.remove(0);
    let text = |name: &str| {
        said.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
    };
    TeamRule {
        key: group.to_owned(),
        pick,
        link: text("link"),
        name: text("name"),
        rename: said.contains(&"rename"),
        enabled: !said.contains(&"off"),
    }
}

pub fn parsed<T: serde::de::DeserializeOwned>(word: &str) -> T {
    serde_json::from_value(Value::String(word.to_owned())).expect("a known word")
}

fn selection(clauses: &[&str]) -> Selection {
    let mut selection = Selection::default();
    for clause in clauses {
        match clause.split_once(':') {
            Some(("name", name)) => selection.groups.push(GroupPick::Name(name.to_owned())),
            Some(("prefix", prefix)) => selection.groups.push(GroupPick::Prefix(prefix.to_owned())),
            Some(("id", id)) => selection.groups.push(GroupPick::Id(SourceId(id.to_owned()))),
            _ if *clause == "app" => selection.assigned_to = Some(SourceId("app".to_owned())),
            _ if *clause == "all" => selection.all = true,
            _ if *clause == "nested" => selection.nested = true,
            _ => panic!("no such clause: {clause}"),
        }
    }
    selection
}

/// What a look at the people and teams that are wanted finds.
pub async fn lint(stage: &Stage) -> String {
    let planned = stage.planned(&CancellationToken::new()).await.expect("a plan");
    let told = |finding: &Finding| format!("{:?} {}: {}\n", finding.grade, finding.subject, finding.text);
    planned.header.findings.iter().map(told).collect()
}

pub fn bend(what: &str) -> Bend {
    match what {
        "nothing" => Bend::Nothing,
        "a page fails in the middle" => Bend::BreaksInTheMiddle,
        "no assignments" => Bend::NoAssignments,
        "the witness disagrees" => Bend::WitnessDisagrees,
        "the witness lies" => Bend::WitnessLies,
        "the witness is forbidden" => Bend::WitnessForbidden,
        other => panic!("no such fault: {other}"),
    }
}
