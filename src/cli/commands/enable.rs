//! `enable`: a job leaves `observe`, because somebody looked at its plan.

use anyhow::Context;

use crate::cli::args::Enable as Arguments;
use crate::cli::args::EnableMode;
use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::runner;
use crate::cli::runner::Asked;
use crate::cli::settings;
use crate::cli::who::who;
use crate::cli::wire;
use crate::config::Config;
use crate::config::JobConfig;
use crate::plan::Mode;
use crate::report;
use crate::store::Store;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let job = wire::one(&config, &arguments.job)?;
    let mode = match arguments.mode {
        EnableMode::Approve => Mode::Approve,
        EnableMode::Write => Mode::Write,
    };
    allowed(job, mode)?;
    let store = wire::open(&config)?;
    if let Some(digest) = &arguments.plan {
        still_the_plan(&config, job, &store, digest).await?;
    }
    let state = store.job(&job.name).await?;
    let now = jiff::Timestamp::now().as_second();
    store.set_mode(state.id, mode, &who(), &arguments.why.reason, now).await?;
    let word = report::mode_word(mode);
    out::print(&format!(
        "{}: mode {word} from the next cycle on; now: rosterd sync {}\n",
        job.name, job.name
    ));
    Ok(Exit::Done)
}

/// The settings say the most that a job may do.
fn allowed(job: &JobConfig, mode: Mode) -> Result<(), anyhow::Error> {
    let most = report::mode_word(job.mode);
    anyhow::ensure!(
        mode <= job.mode,
        "job {}: the settings allow no more than `{most}`; change jobs.{}.mode, or use --mode",
        job.name,
        job.name
    );
    Ok(())
}

async fn still_the_plan(
    config: &Config,
    job: &JobConfig,
    store: &Store,
    digest: &str,
) -> Result<(), anyhow::Error> {
    let planned = runner::plan(&wire::job(config, job, store)?, store, Asked::default())
        .await
        .context("the plan could not be made again to compare it")?;
    let now = &planned.header.digest;
    anyhow::ensure!(
        now == digest,
        "job {}: the plan is not {digest} any more but {now} ({}); look at `rosterd plan {}` and name the new digest",
        job.name,
        report::summary(&planned.header),
        job.name
    );
    Ok(())
}
