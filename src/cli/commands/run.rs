//! `run`: the daemon with the jobs of the settings and the HTTP service.

use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::args::Global;
use crate::cli::args::Run as Arguments;
use crate::cli::exit::Exit;
use crate::cli::settings;
use crate::cli::wire;
use crate::config::Config;
use crate::daemon;
use crate::daemon::Scheduled;
use crate::server;
use crate::server::Service;
use crate::store::Store;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load_layers(&settings::layers(global, arguments.listen.as_deref()))?;
    let store = wire::open(&config)?;
    let jobs = jobs(&config, &store)?;
    let listen = config.daemon.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("{listen} cannot be listened on; change daemon.listen, or use --listen"))?;
    tracing::info!(listen = %listener.local_addr()?, jobs = jobs.len(), "started");
    let stop = CancellationToken::new();
    let service = server::serve(listener, service(&store), stop.clone());
    daemon::run(jobs, store, service, stop).await?;
    Ok(Exit::Done)
}

/// A job that cannot be made (a secret that is missing) does not hold up the others (P12), but none at all does.
fn jobs(config: &Config, store: &Store) -> Result<Vec<Scheduled>, anyhow::Error> {
    let mut jobs = Vec::new();
    let mut last_error = None;
    for settings in config.jobs.values() {
        match wire::job(config, settings, store) {
            Ok(job) => jobs.push(Scheduled { job, schedule: settings.schedule.clone() }),
            Err(error) => {
                tracing::error!(job = %settings.name, error = format!("{error:#}"), "the job cannot run");
                last_error = Some(error);
            }
        }
    }
    match last_error {
        Some(error) if jobs.is_empty() => Err(error),
        _ => Ok(jobs),
    }
}

fn service(store: &Store) -> Service {
    Service {
        store: store.clone(),
        ids: Arc::new(wire::new_id),
        clock: Arc::new(Timestamp::now),
        ready: Arc::new(|| Ok(())),
        public_url: None,
    }
}
