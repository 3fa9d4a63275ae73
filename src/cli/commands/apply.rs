//! `apply`: of a saved plan, what still holds.

use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context;

use crate::cli::args::Apply as Arguments;
use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::runner;
use crate::cli::settings;
use crate::cli::who::who;
use crate::cli::wire;
use crate::cycle::Applying;
use crate::cycle::Moved;
use crate::cycle::Saved;
use crate::plan::Loading;
use crate::plan::Mode;
use crate::plan::SavedChange;
use crate::plan::SavedHead;
use crate::plan::SavedLine;
use crate::report;
use crate::store::Store;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let mut saved = Saved::new(arguments.strict, who(), arguments.why.reason.clone());
    let head = read(&arguments.file, |change| saved.add(change))?;
    let job = wire::one(&config, &head.job)?;
    let store = wire::open(&config)?;
    let job = wire::job(&config, job, &store)?;
    may_write(&job, &head, &store).await?;
    let (record, applying) = runner::apply(&job, &store, &saved).await?;
    let moved = tell_what_moved(&arguments.file, &applying)?;
    if applying.refused {
        let changes = report::counted(moved, "change");
        out::print(&format!(
            "{}: nothing was written: {changes} of the plan moved, and --strict asks for all of it\n",
            head.job
        ));
        return Ok(Exit::Failed);
    }
    if applying.newer > 0 {
        let changes = report::counted(applying.newer, "change");
        out::print(&format!("{}: {changes} came since the plan was made, and wait\n", head.job));
    }
    out::print(&report::cycle(&record));
    let exit = super::sync::exit_of(&record);
    Ok(if moved > 0 { exit.and(Exit::Held) } else { exit })
}

/// Only a job that may write applies, and only between the source and the target that the plan was made for.
async fn may_write(job: &crate::cycle::Job, head: &SavedHead, store: &Store) -> Result<(), anyhow::Error> {
    let name = &head.job;
    let target = job.target.identity();
    anyhow::ensure!(
        head.target == target,
        "job {name}: the plan was made for the target {}, and the job writes to {target}; make the plan anew",
        head.target
    );
    let state = store.job(name).await?;
    let pinned = state.source_identity.clone();
    anyhow::ensure!(
        pinned.as_ref().is_none_or(|source| *source == head.source),
        "job {name}: the plan was made of the source {}, and the job reads {}; make the plan anew",
        head.source,
        pinned.unwrap_or_default()
    );
    anyhow::ensure!(
        job.mode(&state) != Mode::Observe,
        "job {name}: it only observes; let it write first: rosterd enable {name} --plan {}",
        head.digest
    );
    Ok(())
}

/// Says of each change of the plan that is not made why; how many these are.
fn tell_what_moved(file: &Path, applying: &Applying) -> Result<u64, anyhow::Error> {
    let mut moved = 0;
    read(file, |change| {
        if let Some(fate) = applying.fate(change) {
            moved += 1;
            out::print(&line(change, &fate));
        }
    })?;
    Ok(moved)
}

fn line(change: &SavedChange, fate: &Moved) -> String {
    let why = match fate {
        Moved::Shaken => "what it would change is not as it was when the plan was made".to_owned(),
        Moved::Other(class) => format!("it is another change now ({})", class.word()),
        Moved::Settled => "nothing is pending of it any more".to_owned(),
        Moved::Held(text) => text.clone(),
    };
    let kind = change.kind.word();
    let (name, why) = (report::printable(&change.name), report::printable(&why));
    format!("  not applied: {} {kind} {name}: {why}\n", change.class.word())
}

/// Hands each change to `take`. A plan that was cut off or edited is refused before anything of it is done, since it
/// is read whole before.
fn read(file: &Path, mut take: impl FnMut(&SavedChange)) -> Result<SavedHead, anyhow::Error> {
    let of = || format!("the plan in {}", file.display());
    let lines = BufReader::new(File::open(file).with_context(of)?).lines();
    let mut loading = Loading::default();
    let mut head = None;
    for line in lines {
        match loading.line(&line.with_context(of)?).with_context(of)? {
            SavedLine::Head(is) => head = Some(*is),
            SavedLine::Change(change) => take(&change),
            SavedLine::Cause | SavedLine::End => {}
        }
    }
    loading.end().with_context(of)?;
    head.with_context(of)
}
