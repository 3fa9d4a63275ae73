//! `status`: each job's mode, last cycle, what waits, and its next run.
//!
//! As JSON: `{"format": 1, "jobs": [{"job", "mode", "most", "schedule", "next", "running_since", "last"}]}`. `mode`
//! is what the job does now, `most` what the settings allow; `next` is a time; `running_since` is set while a cycle
//! has begun and not ended; `last` is the record of the last cycle that ended, or null.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::cli::args::Global;
use crate::cli::args::Output;
use crate::cli::args::Status as Arguments;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::settings;
use crate::cli::wire;
use crate::config::JobConfig;
use crate::plan::CycleRecord;
use crate::plan::Mode;
use crate::report;
use crate::store::Store;

/// Enough to find the last one that ended, past some that crashed.
const CYCLES: usize = 20;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let store = wire::open_to_look(&config)?;
    let names: Vec<String> = arguments.job.iter().cloned().collect();
    let mut all = Vec::new();
    for job in wire::chosen(&config, &names)? {
        all.push(JobStatus::of(job, &store, Timestamp::now()).await?);
    }
    match arguments.format {
        Output::Text => all.iter().for_each(|status| out::print(&status.text())),
        Output::Json => {
            let jobs: Vec<Value> = all.iter().map(JobStatus::json).collect();
            out::print(&format!("{}\n", json!({ "format": 1, "jobs": jobs })));
        }
    }
    Ok(Exit::Done)
}

struct JobStatus {
    job: String,
    mode: Mode,
    most: Mode,
    schedule: String,
    next: Timestamp,
    last: Option<CycleRecord>,
    /// Begun and not ended: it runs now, or it was broken off.
    open: Option<Timestamp>,
}

impl JobStatus {
    async fn of(job: &JobConfig, store: &Store, now: Timestamp) -> Result<JobStatus, anyhow::Error> {
        let state = store.find_job(&job.name).await?;
        let cycles = store.cycles(Some(job.name.clone()), CYCLES).await?;
        let last_start = cycles.first().and_then(|cycle| Timestamp::from_second(cycle.started_second).ok());
        let last =
            cycles.iter().find_map(|cycle| cycle.record.as_deref()).map(serde_json::from_str).transpose()?;
        let open = cycles.first().filter(|cycle| cycle.ended_second.is_none()).and(last_start);
        Ok(JobStatus {
            job: job.name.clone(),
            mode: state.map_or(Mode::Observe, |state| state.mode).min(job.mode),
            most: job.mode,
            schedule: job.schedule.to_string(),
            next: job.schedule.due(last_start, now, &job.name),
            last,
            open,
        })
    }

    fn text(&self) -> String {
        let mut mode = report::mode_word(self.mode).to_owned();
        if self.most < Mode::Write {
            mode += &format!(", at most {} by the settings", report::mode_word(self.most));
        }
        let mut out = format!("{}\n  mode      {mode}\n  schedule  {}\n", self.job, self.schedule);
        out += &format!("  next      {}\n", seconds(self.next));
        if let Some(begun) = self.open {
            out += &format!("  open      a cycle began at {} and has not ended\n", seconds(begun));
        }
        out += &match &self.last {
            None => "  last      no cycle yet\n".to_owned(),
            Some(record) => format!("  last      {}\n", last(record)),
        };
        if self.last.as_ref().is_some_and(|record| record.held > 0) {
            out += &format!("  held      look at it: rosterd held {}\n", self.job);
        }
        out
    }

    fn json(&self) -> Value {
        json!({
            "job": self.job,
            "mode": self.mode,
            "most": self.most,
            "schedule": self.schedule,
            "next": self.next.to_string(),
            "running_since": self.open.map(|begun| begun.to_string()),
            "last": self.last,
        })
    }
}

fn last(record: &CycleRecord) -> String {
    let at = Timestamp::from_second(record.started_second).map(seconds).unwrap_or_default();
    let error =
        record.error.as_ref().map(|error| format!("\n            ended early: {}", report::printable(error)));
    let outcome = report::outcome(record);
    format!("cycle {} at {at}: {outcome}{}", record.cycle, error.unwrap_or_default())
}

/// To the second: what lies below is jitter.
fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
