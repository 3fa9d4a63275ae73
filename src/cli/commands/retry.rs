//! `retry`: what failed is tried again in the next cycle, whatever its schedule says.

use crate::cli::args::Global;
use crate::cli::args::Retry as Arguments;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::who::by_hand;
use crate::cli::wire;
use crate::store::Retry;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let job = wire::one(&config, &arguments.job)?;
    let store = wire::open(&config)?;
    let state = store.job(&job.name).await?;
    let what = match arguments.what.as_str() {
        "all" => Retry::All,
        name => Retry::Named(name.to_owned()),
    };
    let count = store.retry(state.id, what, by_hand(&arguments.why)).await?;
    let name = &job.name;
    anyhow::ensure!(
        count > 0,
        "job {name}: nothing that failed is called `{}`; see `rosterd failed {name}`, and give a name, a source id, a cause \
         (8 digits), an error code, or all",
        arguments.what
    );
    let changes = if count == 1 { "1 change is".to_owned() } else { format!("{count} changes are") };
    out::print(&format!("{name}: {changes} tried again in the next cycle; now: rosterd sync {name}\n"));
    Ok(Exit::Done)
}
