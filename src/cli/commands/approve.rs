//! `approve`: what waits may be done, change by change as it was looked at.

use anyhow::Context;

use crate::cli::args::Approve as Arguments;
use crate::cli::args::Global;
use crate::cli::chosen;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::wire;
use crate::report;
use crate::store::Decider;
use crate::store::JobState;
use crate::store::Store;

/// WHAT for what the last cycle found in place of the pinned source or target.
const IDENTITY: &str = "identity";

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let job = wire::one(&config, &arguments.job)?;
    let store = wire::open(&config)?;
    let state = store.job(&job.name).await?;
    let by = chosen::decider(&arguments.why);
    if arguments.what == IDENTITY {
        return identity(&job.name, &store, state, &by).await;
    }
    let what = chosen::read(&arguments.what)?;
    let decided = store.approve(state.id, what, &by).await?;
    chosen::found_something(&job.name, &arguments.what, &decided)?;
    if decided.ended > 0 {
        let objects = report::counted(decided.ended, "object");
        out::print(&format!(
            "{}: the undo of {objects} has ended; the next cycle holds what the rules want instead\n",
            job.name
        ));
    }
    if decided.ended == decided.changes {
        return Ok(Exit::Done);
    }
    out::print(&format!(
        "{}: {} approved; they are made in the next cycle; now: rosterd sync {}\n",
        job.name,
        report::counted(decided.changes - decided.ended, "change"),
        job.name
    ));
    Ok(Exit::Done)
}

async fn identity(job: &str, store: &Store, was: JobState, by: &Decider) -> Result<Exit, anyhow::Error> {
    let taken = store.take_identity(was.id, by).await?;
    let found = taken.with_context(|| {
        format!("job {job}: no cycle has found another source or target; look with: rosterd sync {job}")
    })?;
    for (side, was, is) in
        [("source", &was.source_identity, &found.source), ("target", &was.target_identity, &found.target)]
    {
        if let Some(is) = is {
            out::print(&format!(
                "{job}: its {side} was {} and is {is} from now on\n",
                was.as_deref().unwrap_or("unknown")
            ));
        }
    }
    if found.has_lost_all() {
        out::print(&format!("{job}: what is not in the target any more is matched anew, under the limits\n"));
    }
    out::print(&format!("now: rosterd plan {job}\n"));
    Ok(Exit::Done)
}
