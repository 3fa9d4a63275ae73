//! `provision`: one team now, step by step.

use crate::cli::args::Global;
use crate::cli::args::Provision as Arguments;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::runner;
use crate::cli::settings;
use crate::cli::who::who;
use crate::cli::wire;
use crate::cycle::Wish;
use crate::report;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let job = wire::one(&config, &arguments.job)?;
    let store = if arguments.dry_run { wire::open_to_look(&config)? } else { wire::open(&config)? };
    let job = wire::job(&config, job, &store)?;
    let who = who();
    let wish = Wish {
        what: &arguments.what,
        overwrite: arguments.overwrite,
        dry: arguments.dry_run,
        who: &who,
        reason: &arguments.why.reason,
    };
    let done = runner::provision(&job, &store, wish).await?;
    for (step, told) in &done.steps {
        out::print(&format!("{step:<10}{}\n", report::printable(told)));
    }
    let record = &done.record;
    for note in &record.notes {
        out::print(&format!("{:<10}{}\n", "note", report::printable(note)));
    }
    let outcome = if arguments.dry_run { "nothing: a dry run".to_owned() } else { report::outcome(record) };
    out::print(&format!("{:<10}{outcome}\n", "written"));
    Ok(if record.failures() > 0 { Exit::SomeFailed } else { Exit::Done })
}
