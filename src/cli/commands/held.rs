//! `held`: what waits for a decision, as the last cycle left it.

use crate::cli::args::Global;
use crate::cli::args::Held as Arguments;
use crate::cli::commands::plan;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::wire;
use crate::config::JobConfig;
use crate::cycle::Standing;
use crate::report::Format;
use crate::store::Store;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let store = wire::open_to_look(&config)?;
    let names: Vec<String> = arguments.job.iter().cloned().collect();
    let mut exit = Exit::Done;
    for job in wire::chosen(&config, &names)? {
        exit = exit.and(match one(job, &store, arguments.format).await {
            Ok(exit) => exit,
            Err(error) => out::failed(&error),
        });
    }
    // What is merely pending is no reason for another exit code here.
    Ok(if exit == Exit::Changes { Exit::Done } else { exit })
}

async fn one(job: &JobConfig, store: &Store, format: Format) -> Result<Exit, anyhow::Error> {
    let of = Standing { job: &job.name, rules: &job.rules, ceiling: job.mode };
    plan::write_standing(of, store, format).await
}
