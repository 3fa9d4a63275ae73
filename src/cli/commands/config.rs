//! `config check`: everything that is wrong at once. `config show`: the merged result with origins. What was in force
//! earlier is in `versions`.

mod versions;

use crate::cli::args::Config as Arguments;
use crate::cli::args::ConfigShow;
use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::config::Config;
use crate::config::Merged;
use crate::config::Problems;
use crate::config::Severity;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let merged = || Merged::read(&settings::layers(global, None));
    match arguments {
        Arguments::Check => Ok(check(merged())),
        Arguments::Show(ConfigShow { digest: None, at: None }) => {
            out::print(&merged()?.show());
            Ok(Exit::Done)
        }
        Arguments::Show(show) => versions::show(&settings::load(global)?, show).await,
        Arguments::Versions => versions::list(&settings::load(global)?).await,
        Arguments::Diff(diff) => versions::diff(&settings::load(global)?, diff).await,
    }
}

/// Problems are the result here, so they go to stdout. Secrets that cannot be read are told too.
fn check(merged: Result<Merged, Problems>) -> Exit {
    let checked = merged.and_then(|merged| {
        let config = merged.check()?;
        let unreadable = merged.check_secrets(&config);
        let told = config.warnings.iter().chain(&unreadable);
        told.for_each(|problem| out::print(&format!("{problem}\n")));
        let files: Vec<String> = merged.file_paths().map(|path| path.display().to_string()).collect();
        Ok((files, config, unreadable.iter().any(|problem| problem.severity == Severity::Error)))
    });
    match checked {
        Ok((files, config, false)) => {
            out::print(&format!("ok: {}\n", summary(&files, &config)));
            Exit::Done
        }
        Ok((.., true)) => Exit::Failed,
        Err(problems) => {
            out::print(&format!("{problems}\n"));
            Exit::Failed
        }
    }
}

fn summary(files: &[String], config: &Config) -> String {
    let names = |names: Vec<&String>| names.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let files = if files.is_empty() { "variables alone".to_owned() } else { files.join(", ") };
    let (jobs, targets) = (names(config.jobs.keys().collect()), names(config.targets.keys().collect()));
    format!("{files}: jobs {jobs}; targets {targets}; state {}", config.daemon.state.display())
}
