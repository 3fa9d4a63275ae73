//! `check`: settings, secrets, sign-in, permissions and targets; each line ok, warning or error with the cure.

use jiff::Timestamp;
use owo_colors::OwoColorize;

use crate::cli::args::Check as Arguments;
use crate::cli::args::Global;
use crate::cli::commands::status::workspaces::WorkspaceStatus;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::wire;
use crate::config::Config;
use crate::config::JobConfig;
use crate::config::Merged;
use crate::cycle;
use crate::model::Finding;
use crate::model::Grade;
use crate::report;
use crate::scim::profiles::Demands;
use crate::store::Store;

/// Settings that are wrong end the check, as nothing can be asked with them.
pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = Merged::read(&settings::layers(global, None))?.check()?;
    let mut worst = Grade::Ok;
    for problem in &config.warnings {
        worst = worst.max(Grade::Warning);
        out::print(&format!("{problem}\n"));
    }
    let store = wire::open_to_look(&config)?;
    let names: Vec<String> = arguments.job.iter().cloned().collect();
    for job in wire::looked_at(&config, &names)? {
        worst = worst.max(one(&config, job, &store).await);
    }
    if arguments.job.is_none() {
        for workspace in WorkspaceStatus::all(&config, &store, Timestamp::now()).await? {
            worst = worst.max(told(&workspace));
        }
    }
    Ok(if worst == Grade::Error { Exit::Failed } else { Exit::Done })
}

/// Nothing is said of a workspace in which nobody has to do anything.
fn told(workspace: &WorkspaceStatus) -> Grade {
    let findings = workspace.findings();
    if !findings.is_empty() {
        out::print(&format!("workspace {}\n", report::printable(workspace.name())));
    }
    findings.iter().map(|finding| tell("", finding)).max().unwrap_or(Grade::Ok)
}

/// Both sides are looked at, also where one of them cannot be used.
async fn one(config: &Config, job: &JobConfig, store: &Store) -> Grade {
    out::print(&format!("{}\n", job.name));
    let source = match wire::source(job) {
        Ok(source) => source.check().await,
        Err(error) => vec![unusable(&error)],
    };
    let (target, people) = match wire::target(config, job, store) {
        Ok(target) => {
            let found = cycle::check_target(store, &*target, Timestamp::now()).await;
            let found = found.unwrap_or_else(|error| vec![unusable(&error.into())]);
            (found, looked_at(store, job, target.demands()).await)
        }
        Err(error) => (vec![unusable(&error)], Vec::new()),
    };
    let told = |side, findings: &[Finding]| findings.iter().map(|finding| tell(side, finding)).max();
    told("source", &source).max(told("target", &target)).max(told("people", &people)).unwrap_or(Grade::Ok)
}

/// What the people and teams that the job wants would run into, as its last cycle decided them.
async fn looked_at(store: &Store, job: &JobConfig, demands: Demands) -> Vec<Finding> {
    cycle::lint(store, &job.name, &job.rules, demands)
        .await
        .unwrap_or_else(|error| vec![unusable(&error.into())])
}

fn unusable(error: &anyhow::Error) -> Finding {
    let text = format!("{error:#}");
    let (text, cure) = text.split_once("; ").unwrap_or((&text, ""));
    Finding {
        grade: Grade::Error,
        subject: "settings".to_owned(),
        text: text.to_owned(),
        cure: cure.to_owned(),
    }
}

fn tell(side: &str, finding: &Finding) -> Grade {
    let word = match finding.grade {
        Grade::Ok => format!("{:<8}", "ok").green().to_string(),
        Grade::Warning => format!("{:<8}", "warning").yellow().to_string(),
        Grade::Error => format!("{:<8}", "error").red().to_string(),
    };
    let whose = format!("{side} {:<20}", finding.subject);
    let mut text = format!("  {word}{} {}\n", whose.trim_start(), report::printable(&finding.text));
    if !finding.cure.is_empty() {
        text += &format!("          cure: {}\n", report::printable(&finding.cure));
    }
    out::print(&text);
    finding.grade
}
