//! `reject`: what waits is not to be done for a while, and not to be asked for again meanwhile.

use anyhow::Context;
use jiff::Timestamp;

use crate::cli::args::Global;
use crate::cli::args::Reject as Arguments;
use crate::cli::chosen;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::when;
use crate::cli::wire;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let job = wire::one(&config, &arguments.job)?;
    let what = chosen::read(&arguments.what)?;
    let store = wire::open(&config)?;
    let state = store.job(&job.name).await?;
    let by = chosen::decider(&arguments.why);
    let now = Timestamp::from_second(by.now_second)?;
    let until = match &arguments.until {
        Some(text) => when::ahead(text, now)?,
        None => now.checked_add(job.exemption).context("jobs.NAME.exemption is too long")?,
    };
    let decided = store.reject(state.id, what, until.as_second(), &by).await?;
    chosen::found_something(&job.name, &arguments.what, &decided)?;
    out::print(&format!(
        "{}: {} rejected until {}; then they come back as held; to undo it: rosterd approve {} {}\n",
        job.name,
        chosen::changes(&decided),
        until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        job.name,
        arguments.what
    ));
    Ok(Exit::Done)
}
