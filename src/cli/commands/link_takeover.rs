//! `link takeover`: from push to pull. What a tenant pushed into a workspace becomes a job's.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cli::args::LinkTakeover;
use crate::cli::commands::link::known;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::runner;
use crate::cli::who::by_hand;
use crate::cli::wire;
use crate::config::Config;
use crate::config::TargetKind;
use crate::cycle::Job;
use crate::cycle::Named;
use crate::cycle::Passing;
use crate::cycle::TakenOver;
use crate::cycle::Tenant;
use crate::cycle::Unsure;
use crate::plan::Mode;
use crate::report;
use crate::report::counted;
use crate::scim::Kind;
use crate::store::Owned;
use crate::store::Store;

pub async fn run(config: &Config, arguments: &LinkTakeover) -> Result<Exit, anyhow::Error> {
    let settings = wire::one(config, &arguments.job)?;
    let name = &settings.name;
    let workspace = workspace(config, &settings.target, name)?;
    let store = if arguments.dry_run { wire::open_to_look(config)? } else { wire::open(config)? };
    known(&store, name).await?;
    is_tenant(&store, workspace, &arguments.tenant).await?;
    let job = wire::job(config, settings, &store)?;
    let over = |store: &Store| {
        let target = || wire::workspace(store, workspace, name);
        Passing {
            job: Job { target: Arc::new(target()), ..job.clone() },
            from_tenant: Job { target: Arc::new(target().passing_from(&arguments.tenant)), ..job.clone() },
        }
    };
    let tenant =
        Tenant { workspace, tenant: &arguments.tenant, dry: arguments.dry_run, by: by_hand(&arguments.why) };
    let taken = runner::take_over(over, &store, tenant, name).await?;
    out::print(&told(name, workspace, arguments, &taken));
    let held = !taken.unsure.is_empty() || !taken.asleep.is_empty();
    Ok(if held { Exit::Held } else { Exit::Done })
}

/// Where nobody pushes through rosterd there is nothing to take over.
fn workspace<'a>(config: &'a Config, target: &str, job: &str) -> Result<&'a str, anyhow::Error> {
    match config.targets.get(target).map(|target| &target.kind) {
        Some(TargetKind::Workspace { name }) => Ok(name),
        _ => anyhow::bail!(
            "job {job} writes into the remote service {target}, which has its own tokens; switch the push off in the \
             directory, look at `rosterd plan {job}`, and enable the job (docs/links.md, From push to pull)"
        ),
    }
}

async fn is_tenant(store: &Store, workspace: &str, tenant: &str) -> Result<(), anyhow::Error> {
    let tenants = store.tenants(workspace).await?;
    anyhow::ensure!(
        !tenants.is_empty(),
        "nobody has ever pushed into the workspace {workspace}; there is nothing to take over"
    );
    let known: Vec<&str> = tenants.iter().map(String::as_str).collect();
    anyhow::ensure!(
        tenants.contains(tenant),
        "the workspace {workspace} has no tenant `{tenant}`; it has {}",
        known.join(", ")
    );
    Ok(())
}

fn told(job: &str, workspace: &str, arguments: &LinkTakeover, taken: &TakenOver) -> String {
    let tenant = &arguments.tenant;
    let mut out = format!("{job} takes over what push {tenant} owns in the workspace {workspace}\n");
    let mut tell = |key: &str, value: String| out += &format!("  {key:<12}{value}\n");
    let passage = &taken.passage;
    let kinds = |users: u64, teams: u64| format!("{}, {}", counted(users, "user"), counted(teams, "team"));
    let count = |kind| taken.passed.get(&kind).copied().unwrap_or_default();
    let memberships = counted(passage.memberships, "membership");
    tell("passed", format!("{}, {memberships}", kinds(count(Kind::User), count(Kind::Group))));
    if passage.linked_before > 0 {
        tell("", format!("{} that were linked before", passage.linked_before));
    }
    section(&mut out, "not active", taken.asleep.len(), "linked when a person approves it", |out| {
        for (who, resource) in &taken.asleep {
            *out += &format!("    {}  {resource}\n", called(who));
        }
    });
    unsure(&mut out, &taken.unsure);
    section(&mut out, "not there", taken.absent.len(), "the next plan makes them", |out| {
        for who in &taken.absent {
            *out += &format!("    {}\n", called(who));
        }
    });
    let stays = format!("nobody whom the job wants; push {tenant} keeps them, as they are");
    section(&mut out, "left", taken.left.len(), &stays, |out| {
        for one in &taken.left {
            *out += &left(one);
        }
    });
    foreign(&mut out, &taken.foreign);
    let mut tell = |key: &str, value: String| out += &format!("  {key:<12}{value}\n");
    let tokens = if passage.tokens.is_empty() { "none".to_owned() } else { passage.tokens.join(", ") };
    tell("revoked", format!("tokens of push {tenant}: {tokens}"));
    tell("plan", report::summary(&taken.planned.header));
    if taken.planned.header.mode == Mode::Observe {
        tell("mode", format!("observe: nobody writes now, until somebody allows it: rosterd enable {job}"));
    }
    if arguments.dry_run {
        tell("done", "nothing: a dry run".to_owned());
    }
    out
}

/// Who may be another person than the one that was found.
pub(super) fn unsure(out: &mut String, unsure: &[Unsure]) {
    section(out, "not sure", unsure.len(), "held; it stays as it is", |out| {
        for Unsure { who, why } in unsure {
            *out += &format!("    {}: {}\n", called(who), report::printable(why));
        }
    });
}

/// Members by the name of their team.
pub(super) fn foreign(out: &mut String, foreign: &[(String, String)]) {
    let mut by_team: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (team, member) in foreign {
        by_team.entry(team).or_default().push(member);
    }
    let teams = counted(by_team.len() as u64, "team");
    let what = format!("in {teams} the job does not want them, and leaves them");
    section(out, "foreign", foreign.len(), &what, |out| {
        for (team, members) in by_team {
            let members = members.join(", ");
            *out += &format!("    {}: {}\n", report::printable(team), report::printable(&members));
        }
    });
}

pub(super) fn section(
    out: &mut String,
    key: &str,
    count: usize,
    what: &str,
    lines: impl FnOnce(&mut String),
) {
    if count > 0 {
        *out += &format!("  {key:<12}{count}: {what}\n");
        lines(out);
    }
}

pub(super) fn called(who: &Named) -> String {
    format!("{} {} ({})", who.kind.word(), report::printable(&who.name), report::printable(&who.source.0))
}

fn left(one: &Owned) -> String {
    let state = match (one.kind, one.active) {
        (Kind::User, true) => ", active",
        (Kind::User, false) => ", not active",
        (Kind::Group, _) => "",
    };
    let known = if one.known { "; the source shows it, and the job does not want it" } else { "" };
    format!("    {} {}  {}{state}{known}\n", one.kind.word(), report::printable(&one.name), one.resource)
}
