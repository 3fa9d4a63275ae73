//! The command line: arguments in, one command carried out, an exit code out.

mod args;
mod chosen;
mod commands;
mod credentials;
mod exit;
mod logs;
mod out;
mod person;
mod progress;
mod runner;
mod settings;
mod when;
mod who;
mod wire;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use args::Arguments;
use args::Command;
use exit::Exit;

/// How long tasks that are left may still run when a command has ended.
const SHUTDOWN: Duration = Duration::from_millis(200);

/// Sent to who writes beyond the limit of file sizes (`LimitFSIZE=`), as Linux numbers it.
const SIGXFSZ: i32 = 25;

/// The whole program. Usage errors end in clap, with its own exit code 2.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(exit) => exit.and(out::ended()).into(),
        Err(error) => {
            out::print_error(&error);
            Exit::Failed.into()
        }
    }
}

fn run(arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let usual = if matches!(arguments.command, Command::Run(_)) { "info" } else { "warn" };
    logs::start(arguments.global.log.as_deref(), usual)?;
    logs::tell_panics_without_values();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime could not start")?;
    let result = runtime.block_on(carry_out(arguments));
    // What is left is not waited for: a state that is being written is safe at any point (P5).
    runtime.shutdown_timeout(SHUTDOWN);
    result
}

async fn carry_out(arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    // A write beyond the limit of file sizes then fails and is told, instead of ending the process. Without the signal
    // nothing is lost either (P5).
    let _listening = signal(SignalKind::from_raw(SIGXFSZ));
    let global = &arguments.global;
    match &arguments.command {
        Command::Apply(apply) => commands::apply::run(global, apply).await,
        Command::Approve(approve) => commands::approve::run(global, approve).await,
        Command::Reject(reject) => commands::reject::run(global, reject).await,
        Command::Undo(undo) => commands::undo::run(global, undo).await,
        Command::Check(check) => commands::check::run(global, check).await,
        Command::Config(config) => commands::config::run(global, config).await,
        Command::Demo(demo) => commands::demo::run(demo).await,
        Command::Enable(enable) => commands::enable::run(global, enable).await,
        Command::Failed(failed) => commands::failed::run(global, failed).await,
        Command::Held(held) => commands::held::run(global, held).await,
        Command::Link(link) => commands::link::run(global, link).await,
        Command::Log(log) => commands::log::run(global, log).await,
        Command::Pause(pause) => commands::pause::pause(global, pause).await,
        Command::Plan(plan) => commands::plan::run(global, plan).await,
        Command::Explain(explain) => commands::explain::run(global, explain).await,
        Command::Provision(provision) => commands::provision::run(global, provision).await,
        Command::Restart(restart) => commands::restart::run(global, restart).await,
        Command::Resume(resume) => commands::pause::resume(global, resume).await,
        Command::Retry(retry) => commands::retry::run(global, retry).await,
        Command::Run(run) => commands::run::run(global, run).await,
        Command::Simulate(simulate) => commands::simulate::run(simulate).await,
        Command::Status(status) => commands::status::run(global, status).await,
        Command::Sync(sync) => commands::sync::run(global, sync).await,
        Command::Token(token) => commands::token::run(global, token).await,
        Command::Workspace(workspace) => commands::workspace::run(global, workspace).await,
    }
}
