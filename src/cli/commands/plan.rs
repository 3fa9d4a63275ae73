//! `plan`: what would be done, and nothing is done.

use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;

use anyhow::Context;

use crate::cli::args::Global;
use crate::cli::args::Plan as Arguments;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::runner;
use crate::cli::runner::Asked;
use crate::cli::settings;
use crate::cli::wire;
use crate::config::Config;
use crate::config::JobConfig;
use crate::config::Layers;
use crate::cycle;
use crate::cycle::Planned;
use crate::plan::HoldKind;
use crate::plan::Verdict;
use crate::report::Format;
use crate::store::Store;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let store = wire::open_to_look(&config)?;
    let edited = arguments.with.as_deref().map(|file| edited(global, file)).transpose()?;
    let sink = Sink::screen(arguments.format);
    let mut exit = Exit::Done;
    let jobs = wire::chosen(&config, &arguments.jobs)?;
    anyhow::ensure!(
        arguments.out.is_none() || jobs.len() == 1,
        "a file holds the plan of one job; name it: rosterd plan {} --out FILE",
        jobs.first().map_or("JOB", |job| job.name.as_str())
    );
    // One job that cannot be planned does not hold up the others.
    for job in jobs {
        let planned = match &edited {
            Some(edited) => rehearsed(&config, edited, job, &store, arguments, &sink).await,
            None => one(&config, job, &store, arguments, &sink).await,
        };
        exit = exit.and(match planned {
            Ok(exit) => exit,
            Err(error) => out::failed(&error),
        });
        if runner::is_stopping() {
            break;
        }
    }
    Ok(exit)
}

async fn one(
    config: &Config,
    job: &JobConfig,
    store: &Store,
    arguments: &Arguments,
    sink: &Sink,
) -> Result<Exit, anyhow::Error> {
    let job = wire::job(config, job, store)?;
    let planned = runner::plan(&job, store, Asked { full: arguments.full, verify: false }).await?;
    if let Some(path) = &arguments.out {
        save(&planned, path).await?;
    }
    write(&planned, arguments.format, sink).await
}

/// The plan as a file. The first error is kept until the end: reading does not stop for it.
async fn save(planned: &Planned, path: &Path) -> Result<(), anyhow::Error> {
    let mut file = BufWriter::new(private(path)?);
    let mut written = Ok(());
    planned
        .save(&mut |line| {
            if written.is_ok() {
                written = file.write_all(line.as_bytes());
            }
        })
        .await?;
    written.and_then(|()| file.flush()).with_context(|| {
        format!("the plan could not be written whole into {}; look at the file's disk", path.display())
    })
}

/// The settings with another file in the place of the first: variables and flags stay.
fn edited(global: &Global, file: &Path) -> Result<Config, anyhow::Error> {
    let layers = Layers { file: Some(file.to_owned()), ..settings::layers(global, None) };
    settings::load_layers(&layers).with_context(|| format!("the edited settings {}", file.display()))
}

/// What the edited settings would change at a job, beyond what it would do today.
async fn rehearsed(
    config: &Config,
    edited: &Config,
    job: &JobConfig,
    store: &Store,
    arguments: &Arguments,
    sink: &Sink,
) -> Result<Exit, anyhow::Error> {
    let other = wire::one(edited, &job.name).context("in the edited settings")?;
    let (today, edited) = (wire::job(config, job, store)?, wire::job(edited, other, store)?);
    match runner::rehearse(&today, &edited, store).await? {
        Some(planned) => write(&planned, arguments.format, sink).await,
        None => anyhow::bail!(
            "job {}: nothing was seen yet, so there is nothing to rehearse with; run: rosterd sync {}",
            job.name,
            job.name
        ),
    }
}

/// Streams the plan out, and says what it amounts to: what `observe` alone holds are plain changes.
pub async fn write(planned: &Planned, format: Format, sink: &Sink) -> Result<Exit, anyhow::Error> {
    let mut render = format.renderer();
    sink.put(&render.begin(&planned.header));
    let mut exit = Exit::Done;
    planned
        .changes(&mut |change| {
            sink.put(&render.change(&change));
            exit = exit.and(Exit::Changes).and(match &change.verdict {
                Verdict::Held(hold) if hold.kind != HoldKind::Observe => Exit::Held,
                _ => Exit::Changes,
            });
        })
        .await?;
    sink.put(&render.end());
    Ok(exit)
}

/// What waits at a job as its last cycle left it, written like a plan; nothing is read or asked.
pub async fn write_standing(
    of: cycle::Standing<'_>,
    store: &Store,
    format: Format,
) -> Result<Exit, anyhow::Error> {
    match cycle::standing(of, store, jiff::Timestamp::now()).await? {
        Some(planned) => return write(&planned, format, &Sink::screen(format)).await,
        None if format == Format::Json => {}
        None => out::print(&format!("{}: no cycle yet; run: rosterd sync {}\n", of.job, of.job)),
    }
    Ok(Exit::Done)
}

/// The screen, with colour where the format is for people.
pub struct Sink {
    coloured: bool,
}

impl Sink {
    pub fn screen(format: Format) -> Sink {
        Sink { coloured: format == Format::Text }
    }

    fn put(&self, text: &str) {
        if self.coloured { out::print_report(text) } else { out::print(text) }
    }
}

/// A plan names people: others on this host need not read it.
fn private(path: &Path) -> Result<File, anyhow::Error> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).with_context(|| format!("{} cannot be written", path.display()))
}
