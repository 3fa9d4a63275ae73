//! `held`: what waits for a decision, as the last cycle left it.

use crate::cli::args::Global;
use crate::cli::args::Held as Arguments;
use crate::cli::commands::plan;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::wire;
use crate::config::Config;
use crate::config::JobConfig;
use crate::report::Format;
use crate::store::Store;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let store = wire::open_to_look(&config)?;
    let names: Vec<String> = arguments.job.iter().cloned().collect();
    let mut exit = Exit::Done;
    for job in wire::chosen(&config, &names)? {
        exit = exit.and(match one(&config, job, &store, arguments.format).await {
            Ok(exit) => exit,
            Err(error) => out::failed(&error),
        });
    }
    // What is merely pending is no reason for another exit code here.
    Ok(if exit == Exit::Changes { Exit::Done } else { exit })
}

async fn one(config: &Config, job: &JobConfig, store: &Store, format: Format) -> Result<Exit, anyhow::Error> {
    plan::write_standing(&wire::job(config, job, store)?, store, format).await
}
