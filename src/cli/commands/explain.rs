//! `explain`: why somebody is, or is not, in scope, how each attribute came to be, and what would change.
//!
//! As JSON: one object a line, with the keys of `plan::Explanation`: `job`, `kind`, `source`, `name`, `link`, `scope`,
//! `matching`, `attributes`, `teams`, `planned`, `history`, `next`. With `--at` those of `plan::PastStory`.

use anyhow::Context;
use jiff::Timestamp;

use crate::cli::args::Explain as Arguments;
use crate::cli::args::Global;
use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::when;
use crate::cli::wire;
use crate::cycle;
use crate::cycle::Standing;
use crate::report;
use crate::store::Store;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let job = wire::one(&config, &arguments.job)?;
    let store = wire::open_to_look(&config)?;
    if let Some(at) = &arguments.at {
        return then(&store, &job.name, arguments, at).await;
    }
    let of = Standing { job: &job.name, rules: &job.rules, ceiling: job.mode };
    let explained = cycle::explain(of, &store, &arguments.who, Timestamp::now())
        .await?
        .with_context(|| format!("job {0}: nothing was seen yet; run: rosterd sync {0}", job.name))?;
    anyhow::ensure!(
        !explained.is_empty(),
        "job {}: the source has shown nobody and no group `{}`; give a source id, a userName, a mail address or a \
         team's name, or read anew: rosterd plan {} --full",
        job.name,
        arguments.who,
        job.name
    );
    for (at, one) in explained.iter().enumerate() {
        out::print(&match arguments.format {
            Output::Text => {
                let between = if at == 0 { "" } else { "\n" };
                format!("{between}{}", report::explanation(one))
            }
            Output::Json => format!("{}\n", serde_json::to_string(one)?),
        });
    }
    Ok(Exit::Done)
}

/// How it stood then.
async fn then(store: &Store, job: &str, arguments: &Arguments, at: &str) -> Result<Exit, anyhow::Error> {
    let at = when::standing(at)
        .with_context(|| format!("`{at}` is no time; write 2026-03-02T10:00:00Z or 2026-03-02"))?;
    let told = cycle::explain_at(store, job, &arguments.who, at)
        .await?
        .with_context(|| format!("job {job}: nothing was seen yet; run: rosterd sync {job}"))?;
    anyhow::ensure!(
        !told.is_empty(),
        "job {job}: nobody and no group is known as `{}` today; somebody who was renamed or erased since is found by \
         the source id",
        arguments.who
    );
    for (place, one) in told.iter().enumerate() {
        out::print(&match arguments.format {
            Output::Text => format!("{}{}", if place == 0 { "" } else { "\n" }, report::past(one)),
            Output::Json => format!("{}\n", serde_json::to_string(one)?),
        });
    }
    Ok(Exit::Done)
}
