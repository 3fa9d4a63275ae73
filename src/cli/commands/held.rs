//! `held`: what waits for a decision, as the last cycle left it.

use crate::cli::args::Global;
use crate::cli::args::Held as Arguments;
use crate::cli::commands::plan;
use crate::cli::exit::Exit;
use crate::cli::settings;
use crate::cli::wire;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let store = wire::open_to_look(&config)?;
    let names: Vec<String> = arguments.job.iter().cloned().collect();
    let mut exit = Exit::Done;
    for job in wire::chosen(&config, &names)? {
        exit = exit.and(plan::write_standing(&wire::job(&config, job, &store)?, &store).await?);
    }
    // What is merely pending is no reason for another exit code here.
    Ok(if exit == Exit::Changes { Exit::Done } else { exit })
}
