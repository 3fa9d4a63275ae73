//! `link rebuild`: links anew from a full target, after the state was lost.

use std::path::Path;

use anyhow::Context;

use crate::cli::args::LinkRebuild;
use crate::cli::commands::link_takeover::called;
use crate::cli::commands::link_takeover::foreign;
use crate::cli::commands::link_takeover::section;
use crate::cli::commands::link_takeover::unsure;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::runner;
use crate::cli::who::by_hand;
use crate::cli::wire;
use crate::config::Config;
use crate::config::TargetKind;
use crate::cycle::Former;
use crate::cycle::Rebuilding;
use crate::cycle::Rebuilt;
use crate::plan::Mode;
use crate::report;
use crate::report::counted;
use crate::scim::Kind;

pub async fn run(config: &Config, arguments: &LinkRebuild) -> Result<Exit, anyhow::Error> {
    let job = wire::one(config, &arguments.job)?;
    let store = if arguments.dry_run { wire::open_to_look(config)? } else { wire::open(config)? };
    let workspace = match config.targets.get(&job.target).map(|target| &target.kind) {
        Some(TargetKind::Workspace { name }) => Some(name.as_str()),
        _ => None,
    };
    let job = wire::job(config, job, &store)?;
    let wish = Rebuilding { workspace, dry: arguments.dry_run, by: by_hand(&arguments.why) };
    let rebuilt = runner::rebuild(&job, &store, wish).await?;
    if let Some(path) = &arguments.out {
        write(path, &csv(&rebuilt))?;
    }
    out::print(&told(&job.name, arguments, &rebuilt));
    let held = !rebuilt.unsure.is_empty() || !rebuilt.proposed.is_empty();
    Ok(if held { Exit::Held } else { Exit::Done })
}

fn write(path: &Path, text: &str) -> Result<(), anyhow::Error> {
    let place = path.display();
    let cure = || format!("{place} cannot be written; give a path in a folder that you may write to (--out)");
    std::fs::write(path, text).with_context(cure)
}

fn told(job: &str, arguments: &LinkRebuild, rebuilt: &Rebuilt) -> String {
    let mut out = format!("{job}: links anew, from what its target has\n");
    let count = |kind| rebuilt.passed.get(&kind).copied().unwrap_or_default();
    let (users, teams) = (counted(count(Kind::User), "user"), counted(count(Kind::Group), "team"));
    let memberships = counted(rebuilt.passage.memberships, "membership");
    out += &format!("  {:<12}{users}, {teams}, {memberships}\n", "linked");
    let what = "formerly ours? linked when a person approves it";
    section(&mut out, "proposed", rebuilt.proposed.len(), what, |out| {
        for one in &rebuilt.proposed {
            *out += &format!("    {}  {}, by {}\n", called(&one.who), one.resource, one.by);
        }
    });
    unsure(&mut out, &rebuilt.unsure);
    section(&mut out, "not there", rebuilt.absent.len(), "the next plan makes them", |out| {
        for who in &rebuilt.absent {
            *out += &format!("    {}\n", called(who));
        }
    });
    let what = "look like ours, and the source does not show them; they stay as they are";
    section(&mut out, "formerly", rebuilt.former.len(), what, |out| {
        for one in &rebuilt.former {
            *out += &format!("    {}\n", former(one));
        }
    });
    foreign(&mut out, &rebuilt.foreign);
    for partial in &rebuilt.partial {
        let what = "so everybody was looked for, and nobody is said to be ours formerly";
        out += &format!("  {:<12}{}; {what}\n", "not whole", report::printable(partial));
    }
    let header = &rebuilt.planned.header;
    out += &format!("  {:<12}{}\n", "plan", report::summary(header));
    if header.mode == Mode::Observe {
        out +=
            &format!("  {:<12}observe: look at the plan, then let it write: rosterd enable {job}\n", "mode");
    }
    if arguments.dry_run {
        out += &format!("  {:<12}nothing: a dry run\n", "done");
    }
    out
}

fn former(one: &Former) -> String {
    let state = match (one.kind, one.active) {
        (Kind::User, true) => ", active",
        (Kind::User, false) => ", not active",
        (Kind::Group, _) => "",
    };
    let id = one.external_id.as_ref().map(|id| format!(" ({})", report::printable(id))).unwrap_or_default();
    format!("{} {}{id}  {}{state}", one.kind.word(), report::printable(&one.name), one.resource)
}

/// What is proposed, as `link import` reads it; who was ours formerly, as remarks.
fn csv(rebuilt: &Rebuilt) -> String {
    let mut out = "source,resource\n".to_owned();
    for one in &rebuilt.proposed {
        out += &format!("{},{}\n", field(&one.who.source.0), field(&one.resource.0));
    }
    for one in &rebuilt.former {
        out += &format!("# formerly ours: {}\n", former(one));
    }
    out
}

/// RFC 4180.
fn field(text: &str) -> String {
    match text.contains([',', '"', ' ', '#']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}
