//! `sync`: one cycle now.

use crate::cli::args::Global;
use crate::cli::args::Sync as Arguments;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::runner;
use crate::cli::runner::Asked;
use crate::cli::settings;
use crate::cli::wire;
use crate::config::Config;
use crate::config::JobConfig;
use crate::plan::CycleRecord;
use crate::plan::Quarantine;
use crate::report;
use crate::store::Store;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let store = wire::open(&config)?;
    let asked = Asked { full: arguments.full, verify: arguments.verify };
    let mut exit = Exit::Done;
    for job in wire::chosen(&config, &arguments.jobs)? {
        exit = exit.and(match one(&config, job, &store, asked).await {
            Ok(exit) => exit,
            Err(error) => out::failed(&error),
        });
        if runner::is_stopping() {
            return Ok(exit.and(Exit::Failed));
        }
    }
    Ok(exit)
}

async fn one(config: &Config, job: &JobConfig, store: &Store, asked: Asked) -> Result<Exit, anyhow::Error> {
    let job = wire::job(config, job, store)?;
    let record = runner::sync(&job, store, asked).await;
    if let Ok(record) = &record {
        out::print(&report::cycle(record));
    }
    // Where the state cannot be read, the cycle's own error says so.
    let state = store.find_job(&job.name).await.ok().flatten();
    if let Some(quarantine) = state.and_then(|state| state.quarantine) {
        out::print(&slowed_down(&job.name, &quarantine));
    }
    Ok(exit_of(&record?))
}

fn slowed_down(job: &str, quarantine: &Quarantine) -> String {
    let (reason, message) = (quarantine.reason.word(), report::printable(&quarantine.error.message));
    format!(
        "{job}: in quarantine ({reason}): {message}\n  the daemon slows it down; look: rosterd failed {job}, rosterd status {job}\n"
    )
}

pub fn exit_of(record: &CycleRecord) -> Exit {
    let slowed = if record.quarantine.is_some() { Exit::Failed } else { Exit::Done };
    let failed = if record.failures() > 0 { Exit::SomeFailed } else { Exit::Done };
    let held = if record.held > 0 { Exit::Held } else { Exit::Done };
    slowed.and(failed).and(held)
}
