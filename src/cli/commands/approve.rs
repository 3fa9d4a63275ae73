//! `approve`: what waits may be done, change by change as it was looked at.

use crate::cli::args::Approve as Arguments;
use crate::cli::args::Global;
use crate::cli::chosen;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::wire;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let job = wire::one(&config, &arguments.job)?;
    let what = chosen::read(&arguments.what)?;
    let store = wire::open(&config)?;
    let state = store.job(&job.name).await?;
    let by = chosen::decider(&arguments.why);
    let decided = store.approve(state.id, what, &by).await?;
    chosen::found_something(&job.name, &arguments.what, &decided)?;
    out::print(&format!(
        "{}: {} approved; they are made in the next cycle; now: rosterd sync {}\n",
        job.name,
        chosen::changes(&decided),
        job.name
    ));
    Ok(Exit::Done)
}
