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
    let mut sink = Sink::open(arguments)?;
    let mut exit = Exit::Done;
    // One job that cannot be planned does not hold up the others.
    for job in wire::chosen(&config, &arguments.jobs)? {
        let planned = match &edited {
            Some(edited) => rehearsed(&config, edited, job, &store, arguments, &mut sink).await,
            None => one(&config, job, &store, arguments, &mut sink).await,
        };
        exit = exit.and(match planned {
            Ok(exit) => exit,
            Err(error) => out::failed(&error),
        });
        if runner::is_stopping() {
            break;
        }
    }
    sink.close()?;
    Ok(exit)
}

async fn one(
    config: &Config,
    job: &JobConfig,
    store: &Store,
    arguments: &Arguments,
    sink: &mut Sink,
) -> Result<Exit, anyhow::Error> {
    let job = wire::job(config, job, store)?;
    let planned = runner::plan(&job, store, Asked { full: arguments.full, verify: false }).await?;
    write(&planned, arguments.format, sink).await
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
    sink: &mut Sink,
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
async fn write(planned: &Planned, format: Format, sink: &mut Sink) -> Result<Exit, anyhow::Error> {
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
        Some(planned) => return write(&planned, format, &mut Sink::screen(format)).await,
        None if format == Format::Json => {}
        None => out::print(&format!("{}: no cycle yet; run: rosterd sync {}\n", of.job, of.job)),
    }
    Ok(Exit::Done)
}

/// Where a plan goes. The first error of a file is kept until the end: rendering does not stop for it.
struct Sink {
    to: To,
    failed: Option<std::io::Error>,
}

enum To {
    Screen { coloured: bool },
    File(BufWriter<File>),
}

impl Sink {
    fn open(arguments: &Arguments) -> Result<Sink, anyhow::Error> {
        match &arguments.out {
            None => Ok(Sink::screen(arguments.format)),
            Some(path) => Ok(Sink { to: To::File(BufWriter::new(private(path)?)), failed: None }),
        }
    }

    fn screen(format: Format) -> Sink {
        Sink { to: To::Screen { coloured: format == Format::Text }, failed: None }
    }

    fn put(&mut self, text: &str) {
        match &mut self.to {
            To::Screen { coloured: true } => out::print_report(text),
            To::Screen { coloured: false } => out::print(text),
            To::File(file) => {
                if self.failed.is_none() {
                    self.failed = file.write_all(text.as_bytes()).err();
                }
            }
        }
    }

    fn close(mut self) -> Result<(), anyhow::Error> {
        if let To::File(file) = &mut self.to
            && self.failed.is_none()
        {
            self.failed = file.flush().err();
        }
        match self.failed {
            Some(error) => Err(error).context("the plan could not be written whole; look at the file's disk"),
            None => Ok(()),
        }
    }
}

/// A plan names people: others on this host need not read it.
fn private(path: &Path) -> Result<File, anyhow::Error> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).with_context(|| format!("{} cannot be written", path.display()))
}
