//! `pause` and `resume`: a job rests, and begins again.

use jiff::Timestamp;

use crate::cli::args::Global;
use crate::cli::args::Pause;
use crate::cli::args::Resume;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::when;
use crate::cli::who::by_hand;
use crate::cli::wire;

pub async fn pause(global: &Global, arguments: &Pause) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let name = &wire::one(&config, &arguments.job)?.name;
    let until = arguments.until.as_deref().map(|text| when::ahead(text, Timestamp::now())).transpose()?;
    let store = wire::open(&config)?;
    let state = store.job(name).await?;
    let by = by_hand(&arguments.why);
    store.pause(state.id, until.map(Timestamp::as_second), by).await?;
    let end = match until {
        Some(until) => format!("until {}; sooner", out::seconds(until)),
        None => "until it is resumed".to_owned(),
    };
    out::print(&format!(
        "{name}: paused {end}: rosterd resume {name}\na cycle that runs ends between two changes, within a few seconds\n"
    ));
    Ok(Exit::Done)
}

pub async fn resume(global: &Global, arguments: &Resume) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let name = &wire::one(&config, &arguments.job)?.name;
    let store = wire::open(&config)?;
    let state = store.job(name).await?;
    let was = store.resume(state.id, by_hand(&arguments.why)).await?;
    let told = if was { "goes on; the daemon begins when it is due" } else { "was not paused" };
    out::print(&format!("{name}: {told}; now: rosterd sync {name}\n"));
    Ok(Exit::Done)
}
