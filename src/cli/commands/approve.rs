//! `approve`: what waits may be done, change by change as it was looked at.

use crate::cli::args::Approve as Arguments;
use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::who::who;
use crate::cli::wire;
use crate::store::Approve;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let job = wire::one(&config, &arguments.job)?;
    let store = wire::open(&config)?;
    let state = store.job(&job.name).await?;
    let what = match arguments.what.as_str() {
        "all" => Approve::All,
        name => Approve::Named(name.to_owned()),
    };
    let now = jiff::Timestamp::now().as_second();
    let approved = store.approve(state.id, what, &who(), &arguments.why.reason, now).await?;
    anyhow::ensure!(
        approved > 0,
        "job {}: nothing that waits for a decision is called `{}`; see `rosterd held {}`, and give a cause (8 digits), \
         a name, a source id, or all",
        job.name,
        arguments.what,
        job.name
    );
    out::print(&format!(
        "{}: {approved} changes approved; they are made in the next cycle; now: rosterd sync {}\n",
        job.name, job.name
    ));
    Ok(Exit::Done)
}
