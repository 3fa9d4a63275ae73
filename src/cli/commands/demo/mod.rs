//! `demo`: the whole job on two simulated directories, told step by step, and checked at the end.

mod compare;
mod stage;

use std::collections::BTreeSet;
use std::time::Instant;

use jiff::Timestamp;
use owo_colors::OwoColorize;

use crate::cli::args::Demo as Arguments;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::runner;
use crate::cli::runner::Asked;
use crate::cli::wire;
use crate::cycle::Job;
use crate::plan::Mode;
use crate::report;
use crate::report::Render;
use crate::report::Text;
use crate::simulators;
use crate::simulators::Change;
use crate::store::Store;

use compare::compare;
use stage::Stage;

/// Changes of a class that are shown; the rest is counted.
const LINES_FIRST: u64 = 3;
const LINES_DAY: u64 = 12;

pub async fn run(arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let begun = Instant::now();
    let stage = Stage::build(arguments).await?;
    let store = wire::open(&stage.config)?;
    let jobs = jobs(&stage, &store).await?;
    introduce(&stage, arguments);

    heading("The first plan and the first cycle");
    for job in &jobs {
        show_and_apply(job, &store, LINES_FIRST).await?;
    }
    heading("A day in both companies");
    for job in &jobs {
        live_the_day(&stage, &job.name)?;
    }
    heading("The second plan and the second cycle");
    for job in &jobs {
        show_and_apply(job, &store, LINES_DAY).await?;
    }
    heading("The third plan");
    let mut exit = Exit::Done;
    for job in &jobs {
        exit = exit.and(expect_nothing(job, &store).await?);
    }
    heading("The workspaces against the directories");
    for job in &jobs {
        exit = exit.and(check(&stage, &store, &job.name).await?);
    }
    conclude(&stage, arguments, exit, begun);
    Ok(exit)
}

/// The demo's jobs may write from the start; everywhere else a job begins in `observe`.
async fn jobs(stage: &Stage, store: &Store) -> Result<Vec<Job>, anyhow::Error> {
    let mut jobs = Vec::new();
    for settings in stage.config.jobs.values() {
        let job = wire::job(&stage.config, settings, store)?;
        let state = store.job(&job.name).await?;
        store
            .set_mode(state.id, Mode::Write, "demo", "the demo writes", Timestamp::now().as_second())
            .await?;
        jobs.push(job);
    }
    Ok(jobs)
}

fn introduce(stage: &Stage, arguments: &Arguments) {
    let [graph, okta] = stage.endpoints;
    out::print(&format!(
        "Two companies of {} people: acme has Microsoft Entra ID (simulated Graph on {graph}), globex has Okta\n\
         (simulated on {okta}). rosterd pulls both over HTTP, each into a workspace of its own.\n",
        arguments.users
    ));
}

fn heading(text: &str) {
    out::print(&format!("\n{}\n", format!("== {text} ==").bold()));
}

async fn show_and_apply(job: &Job, store: &Store, lines: u64) -> Result<(), anyhow::Error> {
    let planned = runner::plan(job, store, Asked::default()).await?;
    let mut text = Text::cut(lines);
    out::print("\n");
    out::print_report(&text.begin(&planned.header));
    planned.changes(&mut |change| out::print_report(&text.change(&change))).await?;
    out::print_report(&text.end());
    let record = runner::sync(job, store, Asked::default()).await?;
    out::print(&format!("\n{}", report::cycle(&record)));
    Ok(())
}

/// An address that passes to somebody else on the same day is left out: the account that bears it is kept when
/// its owner leaves (P16), so the newcomer would wait for a person to decide, and this day ends with nothing open.
fn live_the_day(stage: &Stage, job: &str) -> Result<(), anyhow::Error> {
    out::print(&format!("\n{job}\n"));
    let world = stage.world(job);
    let taken: BTreeSet<String> = world.snapshot().people.into_values().map(|person| person.login).collect();
    for (said, change) in simulators::demo_day(world) {
        if matches!(&change, Change::Hire(hire) if taken.contains(&hire.login)) {
            continue;
        }
        world.change(change)?;
        out::print(&format!("  {}\n", report::printable(&said)));
    }
    Ok(())
}

async fn expect_nothing(job: &Job, store: &Store) -> Result<Exit, anyhow::Error> {
    let planned = runner::plan(job, store, Asked::default()).await?;
    let empty =
        planned.header.counts.values().flat_map(|kinds| kinds.values()).all(|tally| tally.total() == 0);
    out::print(&format!("{}: {}\n", job.name, report::summary(&planned.header)));
    Ok(if empty { Exit::Done } else { Exit::Failed })
}

async fn check(stage: &Stage, store: &Store, job: &str) -> Result<Exit, anyhow::Error> {
    let compared = compare(store, job, &stage.world(job).snapshot()).await?;
    let (people, teams, memberships) = (compared.people, compared.teams, compared.memberships);
    let same = compared.differences.is_empty();
    let verdict = if same { "equal to the directory" } else { "NOT equal to the directory" };
    out::print(&format!(
        "{job}: {people} active people, {teams} teams, {memberships} memberships: {verdict}\n"
    ));
    for difference in &compared.differences {
        out::print(&format!("  {difference}\n"));
    }
    Ok(if same { Exit::Done } else { Exit::Failed })
}

fn conclude(stage: &Stage, arguments: &Arguments, exit: Exit, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    let word = if exit == Exit::Done { "Done" } else { "This is not how it should end; please report it" };
    out::print(&format!("\n{word}, in {seconds:.1} s.\n"));
    if arguments.keep.is_some() {
        let file = stage.folder.join("rosterd.toml");
        out::print(&format!("Look around: rosterd -c {0} log, rosterd -c {0} status\n", file.display()));
    }
}
