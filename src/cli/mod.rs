//! The command line: arguments in, one command carried out, an exit code out.

mod args;
mod commands;
mod exit;
mod logs;
mod out;
mod settings;

use std::process::ExitCode;

use clap::Parser;

use args::Arguments;
use args::Command;
use exit::Exit;

/// The whole program. Usage errors end in clap, with its own exit code 2.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(exit) => exit.into(),
        Err(error) => {
            out::print_error(&error);
            Exit::Failed.into()
        }
    }
}

fn run(arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let usual = if matches!(arguments.command, Command::Run(_)) { "info" } else { "warn" };
    logs::start(arguments.global.log.as_deref(), usual)?;
    match &arguments.command {
        Command::Config(config) => commands::config::run(&arguments.global, config),
        _ => anyhow::bail!("this command is not built yet"),
    }
}
