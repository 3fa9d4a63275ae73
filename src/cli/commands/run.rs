//! `run`: the daemon with the jobs of the settings and the HTTP service.

use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::args::Global;
use crate::cli::args::Run as Arguments;
use crate::cli::credentials;
use crate::cli::exit::Exit;
use crate::cli::settings;
use crate::cli::wire;
use crate::client::Clock;
use crate::config::Config;
use crate::daemon;
use crate::daemon::Daemon;
use crate::daemon::Health;
use crate::daemon::MakeError;
use crate::daemon::Scheduled;
use crate::server;
use crate::server::Service;
use crate::store::Store;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = Arc::new(settings::load_layers(&settings::layers(global, arguments.listen.as_deref()))?);
    let store = wire::open(&config)?;
    let listen = config.daemon.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("{listen} cannot be listened on; change daemon.listen, or use --listen"))?;
    tracing::info!(listen = %listener.local_addr()?, jobs = config.jobs.len(), "started");
    let (stop, health) = (CancellationToken::new(), Health::default());
    let service = server::serve(listener, service(&config, &store, &health), stop.clone());
    let jobs = config.jobs.keys().map(|name| scheduled(&config, name, &store)).collect();
    let follow_ups = wire::follow_ups(&config);
    let clock = Clock::system();
    let keep = config.keep;
    daemon::run(Daemon { jobs, follow_ups, store, keep, health, stop, clock }, service).await?;
    Ok(Exit::Done)
}

/// A job that cannot be made (a secret that is missing) holds up nobody (P12): it is made when it can be.
fn scheduled(config: &Arc<Config>, name: &str, store: &Store) -> Scheduled {
    let schedule = config.jobs[name].schedule.clone();
    let (of, store, job, named) = (config.clone(), store.clone(), name.to_owned(), name.to_owned());
    let make = move || wire::job(&of, &of.jobs[&job], &store).map_err(MakeError::from);
    let (of, quarantine) = (config.clone(), config.jobs[name].limits.quarantine);
    let stamp = move || credentials::stamp(&of, &of.jobs[&named]);
    Scheduled { name: name.to_owned(), schedule, quarantine, make: Arc::new(make), stamp: Arc::new(stamp) }
}

fn service(config: &Config, store: &Store, health: &Health) -> Service {
    let health = health.clone();
    Service {
        store: store.clone(),
        ids: Arc::new(wire::new_id),
        clock: Arc::new(Timestamp::now),
        ready: Arc::new(move || health.ready()),
        settings: Arc::new(config.service.clone()),
    }
}
