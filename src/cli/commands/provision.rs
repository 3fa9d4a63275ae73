//! `provision`: one person or one team now, step by step.
//!
//! As JSON: the result of Entra's provision on demand (`plan::OnDemand`), one object.

use crate::cli::args::Global;
use crate::cli::args::Output;
use crate::cli::args::Provision as Arguments;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::runner;
use crate::cli::settings;
use crate::cli::who::who;
use crate::cli::wire;
use crate::cycle::Wish;
use crate::plan::StepStatus;
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
    let record = &done.record;
    match arguments.format {
        Output::Json => out::print(&format!("{}\n", serde_json::to_string(&done.report)?)),
        Output::Text => {
            out::print(&report::on_demand(&done.report));
            let outcome =
                if arguments.dry_run { "nothing: a dry run".to_owned() } else { report::outcome(record) };
            out::print(&format!("{:<11} {outcome}\n", "written"));
        }
    }
    let failed = record.failures() > 0 || done.report.status_info.status == StepStatus::Failure;
    Ok(match (&record.error, failed) {
        (Some(_), _) => Exit::Failed,
        (None, true) => Exit::SomeFailed,
        (None, false) => Exit::Done,
    })
}
