//! `log --prune`: removes now what the daemon removes once a day, or says what that would be.

use jiff::Timestamp;

use crate::cli::args::Log as Arguments;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::who::who;
use crate::cli::wire;
use crate::config::Config;
use crate::daemon;
use crate::plan::Keep;
use crate::report::counted;

pub async fn run(config: &Config, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let keep = config.keep;
    if keep == Keep::Forever {
        out::print("nothing is removed: log.keep = \"forever\"\n");
        return Ok(Exit::Done);
    }
    let now = Timestamp::now();
    if arguments.dry_run {
        return ahead(config, keep, now).await;
    }
    let store = wire::open(config)?;
    let reason = Some(arguments.why.reason.clone()).filter(|reason| !reason.is_empty());
    let pruned = daemon::prune(&store, keep, now, Some(who()), reason).await?;
    let until = pruned.newest_second.map(|second| format!(" up to {}", moment(second))).unwrap_or_default();
    out::print(&format!(
        "removed: {}{until}; {}, {}, {} of the settings\n",
        entries(pruned.entries),
        counted(pruned.cycles, "cycle"),
        counted(pruned.decisions, "decision"),
        counted(pruned.settings, "version"),
    ));
    if let Some(head) = store.chain_head().await? {
        out::print(&format!("the chain ends at {head}\n"));
    }
    Ok(Exit::Done)
}

async fn ahead(config: &Config, keep: Keep, now: Timestamp) -> Result<Exit, anyhow::Error> {
    let store = wire::open_to_look(config)?;
    let Some(before) = daemon::prune_before(&store, keep, now).await? else { return Ok(Exit::Done) };
    let would = store.prunable(before.as_second()).await?;
    out::print(&format!("log.keep = \"{keep}\": what is older than {before} goes\n"));
    let until = would.newest_second.map(|second| format!(" up to {}", moment(second))).unwrap_or_default();
    out::print(&format!(
        "would be removed: {}{until}, {}, {} of the settings\n",
        entries(would.entries),
        counted(would.cycles, "cycle"),
        counted(would.settings, "version"),
    ));
    if would.stay > 0 {
        out::print(&format!("as old, and kept because they are still needed: {}\n", entries(would.stay)));
    }
    Ok(Exit::Done)
}

fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

pub fn moment(second: i64) -> String {
    Timestamp::from_second(second).map(|at| at.to_string()).unwrap_or_default()
}
