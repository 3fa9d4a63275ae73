//! `undo`: what a cycle wrote is put back, shown before it is done, and limited like every plan.

use anyhow::Context;

use super::plan;
use crate::cli::args::Global;
use crate::cli::args::Undo as Arguments;
use crate::cli::chosen;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::runner;
use crate::cli::settings;
use crate::cli::when;
use crate::cli::wire;
use crate::config::JobConfig;
use crate::cycle::Undo;
use crate::cycle::UndoneCycle;
use crate::plan::CauseId;
use crate::report;
use crate::report::Format;

/// More names of a file than these are counted, not told.
const TOLD: usize = 10;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let job = wire::one(&config, &arguments.job)?;
    let wish = wish(job, arguments)?;
    let store = if arguments.dry_run { wire::open_to_look(&config)? } else { wire::open(&config)? };
    let job = wire::job(&config, job, &store)?;
    // Shown over a private copy first, whether it is done afterwards or not.
    let shown = runner::plan_undo(&job, &store, &wish).await?;
    let exit = plan::write(&shown.planned, arguments.format, &plan::Sink::screen(arguments.format)).await?;
    let told = arguments.format != Format::Json;
    if told {
        out::print(&remarks(&shown));
    }
    if arguments.dry_run {
        return Ok(exit);
    }
    let done = runner::undo(&job, &store, &wish).await?;
    if told {
        out::print(&outcome(&done, &wish));
    }
    let failed = if done.record.failures() > 0 { Exit::SomeFailed } else { Exit::Done };
    let held = done.planned.header.counts.values().flat_map(|kinds| kinds.values()).any(|one| one.held > 0);
    Ok(failed.and(if held { Exit::Held } else { Exit::Done }))
}

fn wish(job: &JobConfig, arguments: &Arguments) -> Result<Undo, anyhow::Error> {
    let by = chosen::decider(&arguments.why);
    let now = jiff::Timestamp::from_second(by.now_second)?;
    let until = match &arguments.until {
        Some(text) => when::ahead(text, now)?,
        None => now.checked_add(job.exemption).context("jobs.NAME.exemption is too long")?,
    };
    let what = chosen::read(&arguments.what)?;
    Ok(Undo { cycle: arguments.cycle, what, until_second: until.as_second(), who: by.who, reason: by.reason })
}

/// What is not undone, and what has to be known.
fn remarks(of: &UndoneCycle) -> String {
    let mut out = String::new();
    if !of.remarks.is_empty() {
        out += "\n";
    }
    for remark in &of.remarks {
        out += &format!("{}\n", report::printable(remark));
    }
    for name in of.unknown.iter().take(TOLD) {
        out += &format!("the cycle wrote nothing that is called `{}`\n", report::printable(name));
    }
    if let Some(more) = of.unknown.len().checked_sub(TOLD).filter(|more| *more > 0) {
        out += &format!("nor {more} more of the file\n");
    }
    out
}

fn outcome(of: &UndoneCycle, wish: &Undo) -> String {
    let job = &of.record.job;
    let mut out = format!("\n{job}: cycle {}: {}\n", of.record.cycle, report::outcome(&of.record));
    if of.objects == 0 {
        return out + &format!("{job}: nothing of cycle {} is left to undo\n", wish.cycle);
    }
    let cause: CauseId = crate::plan::Cause::of_undo(wish.cycle).id();
    let until = jiff::Timestamp::from_second(wish.until_second)
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let held: u64 =
        of.planned.header.counts.values().flat_map(|kinds| kinds.values()).map(|one| one.held).sum();
    if held > 0 {
        let changes = report::counted(held, "change");
        out += &format!(
            "{job}: {changes} of it held; look: rosterd held {job}; then: rosterd approve {job} {}\n",
            cause.0
        );
    }
    out + &format!(
        "{job}: what was put back stays so until {}; then what the rules want comes back as held; to end it before: rosterd \
         approve {job} {}\n",
        until.unwrap_or_default(),
        cause.0
    )
}
