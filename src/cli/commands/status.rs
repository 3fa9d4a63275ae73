//! `status`: each job's mode, last cycle, what waits, and its next run; of each workspace, what somebody has to do.
//!
//! As JSON: `{"format": 1, "jobs": […], "workspaces": […]}`. A job is `{"job", "mode", "most", "schedule", "next",
//! "running_since", "last", "deletions", "held",
//! "exemptions", "undone", "push"}`: `mode` is what the job does now, `most` what the settings allow; `next` is
//! a time; `running_since` is set while a cycle has begun and not ended; `last` is the record of the last cycle that ended,
//! or null; `deletions` are the accounts that are deleted when their time has come: `{"total", "next"}`, `next` a time or
//! null; `held` is what waits for a decision, folded by cause: `{"cause", "kind", "sentence", "changes", "since"}`;
//! `exemptions` is what somebody rejected, `undone` what somebody undid, both with `until_second`;
//! `drift` is what the last verification of the target found and only reports: `{"drift", "kind", "path", "count",
//! "examples"}`; `failed` counts what could not be done: `{"total", "given_up"}`; `paused` is `{"until", "who", "reason"}` or null;
//! `quarantine` is null, or what the provisioning log calls so: `{"currentBegan", "seriesBegan", "seriesCount", "reason", "error":
//! {"code", "message", "tenantActionable"}}`, with `next_whole` as the time of the next whole cycle; `push` is how Okta's Group Push stands, for each group that it pushes: `{"group", "id", "status", "target",
//! "error"}`. A workspace is `{"workspace", "follow_ups": {"waiting", "sent", "overdue"}, "tokens"}`: `tokens` tells which
//! of them end soon. `chain` is the end of the log's chain: `{"number", "link"}`, or null.

pub mod workspaces;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::cli::args::Global;
use crate::cli::args::Output;
use crate::cli::args::Status as Arguments;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::out::seconds;
use crate::cli::settings;
use crate::cli::wire;
use crate::config::JobConfig;
use crate::daemon::next_whole;
use crate::plan::CycleRecord;
use crate::plan::DriftFold;
use crate::plan::Exemption;
use crate::plan::Mode;
use crate::plan::Quarantine;
use crate::plan::Undone;
use crate::report;
use crate::store::FailedCounts;
use crate::store::HeldCause;
use crate::store::Paused;
use crate::store::PushState;
use crate::store::Store;
use workspaces::WorkspaceStatus;

/// Enough to find the last one that ended, past some that crashed.
const CYCLES: usize = 20;
/// More causes than these are counted; `held` shows them all.
const CAUSES: usize = 5;

pub async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, anyhow::Error> {
    let config = settings::load(global)?;
    let store = wire::open_to_look(&config)?;
    let names: Vec<String> = arguments.job.iter().cloned().collect();
    let mut all = Vec::new();
    let now = Timestamp::now();
    for job in wire::looked_at(&config, &names)? {
        all.push(JobStatus::of(job, &store, now).await?);
    }
    // Nothing of such a job is up to date, and a script should see it.
    let exit = match all.iter().any(|status| status.quarantine.is_some()) {
        true => Exit::Failed,
        false => Exit::Done,
    };
    let workspaces = match arguments.job {
        Some(_) => Vec::new(),
        None => WorkspaceStatus::all(&config, &store, now).await?,
    };
    let chain = match arguments.job {
        Some(_) => None,
        None => store.chain_head().await?,
    };
    match arguments.format {
        Output::Text => {
            all.iter().for_each(|status| out::print(&status.text()));
            if let Some(head) = &chain {
                out::print(&format!("log\n  chain     link {} is {}\n", head.number, head.link));
            }
            workspaces.iter().for_each(|status| out::print(&status.text()));
        }
        Output::Json => {
            let jobs: Vec<Value> = all.iter().map(JobStatus::json).collect();
            let workspaces: Vec<Value> = workspaces.iter().map(WorkspaceStatus::json).collect();
            let chain = chain.map(|head| json!({ "number": head.number, "link": head.link }));
            let all = json!({ "format": 1, "jobs": jobs, "workspaces": workspaces, "chain": chain });
            out::print(&format!("{all}\n"));
        }
    }
    Ok(exit)
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
    pushed: Vec<PushState>,
    /// What is held, folded by cause, the largest first.
    held: Vec<HeldCause>,
    exemptions: Vec<Exemption>,
    undone: Vec<Undone>,
    /// Accounts that wait for their deletion, and when the first is due.
    deletions: (u64, Option<Timestamp>),
    failed: FailedCounts,
    /// What the last verification of the target reports, folded.
    drift: Vec<DriftFold>,
    paused: Option<Paused>,
    quarantine: Option<Quarantine>,
    /// In quarantine: the next whole cycle.
    next_whole: Option<Timestamp>,
    now: Timestamp,
}

impl JobStatus {
    async fn of(job: &JobConfig, store: &Store, now: Timestamp) -> Result<JobStatus, anyhow::Error> {
        let state = store.find_job(&job.name).await?;
        let pushed = match &state {
            Some(state) => store.push_states(state.id).await?,
            None => Vec::new(),
        };
        let (next, total) = match &state {
            Some(state) => store.due_deletions(state.id, 1).await?,
            None => (Vec::new(), 0),
        };
        let (held, exemptions) = match &state {
            Some(state) => {
                (store.held_causes(state.id, now.as_second()).await?, store.exemptions(state.id).await?)
            }
            None => (Vec::new(), Vec::new()),
        };
        let undone = match &state {
            Some(state) => store.undone(state.id).await?,
            None => Vec::new(),
        };
        let failed = match &state {
            Some(state) => store.failed_counts(state.id).await?,
            None => FailedCounts::default(),
        };
        let drift = match &state {
            Some(state) => store.drift(state.id, 0).await?,
            None => Vec::new(),
        };
        let cycles = store.cycles(Some(job.name.clone()), CYCLES).await?;
        let time = |second: i64| Timestamp::from_second(second).ok();
        let deletions = (total, next.first().and_then(|deletion| time(deletion.at_second)));
        let last_start = store.last_start(&job.name).await?.and_then(time);
        let last =
            cycles.iter().find_map(|cycle| cycle.record.as_deref()).map(serde_json::from_str).transpose()?;
        let open = cycles.first().filter(|cycle| cycle.ended_second.is_none());
        let open = open.and_then(|cycle| time(cycle.started_second));
        let next_whole = state
            .as_ref()
            .and_then(|state| next_whole(state, &job.schedule, &job.limits.quarantine, &job.name));
        let paused = state.as_ref().and_then(|state| state.paused.clone());
        Ok(JobStatus {
            job: job.name.clone(),
            failed,
            drift,
            paused: paused.filter(|paused| paused.holds(now.as_second())),
            quarantine: state.as_ref().and_then(|state| state.quarantine.clone()),
            next_whole,
            now,
            mode: state.map_or(Mode::Observe, |state| state.mode).min(job.mode),
            most: job.mode,
            schedule: job.schedule.to_string(),
            next: job.schedule.due(last_start, now, &job.name),
            last,
            open,
            pushed,
            held,
            exemptions,
            undone,
            deletions,
        })
    }

    fn text(&self) -> String {
        let mut mode = report::mode_word(self.mode).to_owned();
        if self.most < Mode::Write {
            mode += &format!(", at most {} by the settings", report::mode_word(self.most));
        }
        let mut out = format!("{}\n  mode      {mode}\n  schedule  {}\n", self.job, self.schedule);
        out += &self.rest();
        if let Some(begun) = self.open {
            out += &format!("  open      a cycle began at {} and has not ended\n", seconds(begun));
        }
        out += &match &self.last {
            None => "  last      no cycle yet\n".to_owned(),
            Some(record) => format!("  last      {}\n", last(record)),
        };
        for (at, state) in self.pushed.iter().enumerate() {
            let heading = if at == 0 { "push" } else { "" };
            let (group, detail) = (report::printable(&state.group), report::printable(&state.detail));
            out += &format!("  {heading:<10}{group}: {}\n", push_words(&detail));
        }
        if let (total, Some(next)) = self.deletions {
            let accounts = if total == 1 { "1 account".to_owned() } else { format!("{total} accounts") };
            let day = next.strftime("%Y-%m-%d");
            out += &format!("  deletes   {accounts} later, the first on {day}: rosterd held {}\n", self.job);
        }
        if self.failed.total > 0 {
            let given_up = match self.failed.given_up {
                0 => String::new(),
                count => format!(", {count} of them given up"),
            };
            out += &format!("  failed    {}{given_up}: rosterd failed {}\n", self.failed.total, self.job);
        }
        let drift: u64 = self.drift.iter().map(|fold| fold.count).sum();
        if drift > 0 {
            let shows = report::counted(drift, "difference");
            out += &format!("  drift     {shows} in the target: rosterd held {}\n", self.job);
        }
        if self.last.as_ref().is_some_and(|record| record.held > 0) {
            out += &format!("  held      look at it: rosterd held {}\n", self.job);
        }
        for held in self.held.iter().take(CAUSES) {
            let age = report::age(self.now.as_second() - held.since_second);
            let (changes, cause) = (held.changes, report::printable(&held.sentence));
            out += &format!("            {changes} for {age}: {cause} ({})\n", held.cause.0);
        }
        if let Some(more) = self.held.len().checked_sub(CAUSES).filter(|more| *more > 0) {
            out += &format!("            and {more} more causes\n");
        }
        if let Some(first) = self.exemptions.first() {
            let changes: u64 = self.exemptions.iter().map(|one| one.changes).sum();
            let ends = Timestamp::from_second(first.until_second).map(seconds).unwrap_or_default();
            out += &format!(
                "  rejected  {changes} not planned, the first until {ends}: rosterd held {}\n",
                self.job
            );
        }
        if let Some(first) = self.undone.first() {
            let objects = report::counted(self.undone.iter().map(|one| one.objects).sum(), "object");
            let ends = Timestamp::from_second(first.until_second).map(seconds).unwrap_or_default();
            out += &format!(
                "  undone    {objects} kept as before, the first until {ends}: rosterd held {}\n",
                self.job
            );
        }
        out
    }

    /// When it runs next, and what keeps it from that.
    fn rest(&self) -> String {
        let next = seconds(self.next.max(self.next_whole.unwrap_or(self.next)));
        let mut out = match &self.paused {
            None => format!("  next      {next}\n"),
            Some(paused) => {
                let until = paused.until.and_then(|second| Timestamp::from_second(second).ok());
                let until = until
                    .map_or("until it is resumed".to_owned(), |until| format!("until {}", seconds(until)));
                let reason = if paused.reason.is_empty() {
                    String::new()
                } else {
                    format!(", because: {}", report::printable(&paused.reason))
                };
                format!("  paused    {until}, by {}{reason}: rosterd resume {}\n", paused.who, self.job)
            }
        };
        if let Some(quarantine) = &self.quarantine {
            let since = Timestamp::from_second(quarantine.series_began).map(seconds).unwrap_or_default();
            let loud = match quarantine.too_long(self.now.as_second()) {
                true => "FOR WEEKS NOBODY'S ACCOUNT WAS KEPT UP TO DATE. ",
                false => "",
            };
            out += &format!(
                "  QUARANTINE since {since}, {} ({})\n            {loud}{}\n            a probe runs meanwhile; begin anew: rosterd restart {} --quarantine\n",
                quarantine.reason.word(),
                quarantine.error.code.word(),
                report::printable(&quarantine.error.message),
                self.job
            );
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
            "deletions": {
                "total": self.deletions.0,
                "next": self.deletions.1.map(|next| next.to_string()),
            },
            "held": self.held.iter().map(held_json).collect::<Vec<_>>(),
            "exemptions": self.exemptions,
            "undone": self.undone,
            "failed": { "total": self.failed.total, "given_up": self.failed.given_up },
            "drift": self.drift,
            "paused": self.paused.as_ref().map(|paused| json!({
                "until": paused.until.and_then(|second| Timestamp::from_second(second).ok()).map(|at| at.to_string()),
                "who": paused.who,
                "reason": paused.reason,
            })),
            "quarantine": self.quarantine,
            "next_whole": self.next_whole.map(|at| at.to_string()),
            "push": self.pushed.iter().map(push_json).collect::<Vec<_>>(),
        })
    }
}

/// `status=ERROR;error=…`, as the source's connector wrote it, in words.
fn push_words(detail: &str) -> String {
    let fields = detail
        .splitn(3, ';')
        .filter_map(|field| field.split_once('='))
        .filter(|(_, value)| !value.is_empty());
    let words = fields.map(|(name, value)| match name {
        "status" => value.to_lowercase(),
        _ => format!("{name} {value}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn held_json(held: &HeldCause) -> Value {
    let since = Timestamp::from_second(held.since_second).map(|at| at.to_string()).ok();
    json!({
        "cause": held.cause,
        "kind": held.kind,
        "sentence": held.sentence,
        "changes": held.changes,
        "since": since,
    })
}

fn push_json(state: &PushState) -> Value {
    let fields = state.detail.splitn(3, ';').filter_map(|field| field.split_once('='));
    let mut object: serde_json::Map<String, Value> =
        fields.map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    object.insert("group".to_owned(), Value::from(state.group.as_str()));
    object.insert("id".to_owned(), Value::from(state.source.0.as_str()));
    Value::Object(object)
}

fn last(record: &CycleRecord) -> String {
    let at = Timestamp::from_second(record.started_second).map(seconds).unwrap_or_default();
    let error =
        record.error.as_ref().map(|error| format!("\n            ended early: {}", report::printable(error)));
    let outcome = report::outcome(record);
    let only = record.provision.as_ref().map(|team| format!(" for {} alone", report::printable(team)));
    let only = only.unwrap_or_default();
    format!("cycle {} at {at}{only}: {outcome}{}", record.cycle, error.unwrap_or_default())
}
