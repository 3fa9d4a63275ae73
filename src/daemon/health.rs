//! What the daemon knows of itself: whether the schedule beats, and which jobs do not do their work.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// The heart beats once a second; after so long without one the schedule stands still.
const BEAT_LATE: Duration = Duration::from_secs(5);

/// Cheap to clone; all clones see the same.
#[derive(Clone, Default)]
pub struct Health {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    last_beat: Option<Instant>,
    /// How each job stands; `None` until it is known.
    jobs: BTreeMap<String, Option<Trouble>>,
    /// Follow-ups of each workspace that nobody acknowledges.
    overdue: BTreeMap<String, u64>,
    stopping: bool,
}

/// Why a job does not do its work. The errors themselves are in the log and in `status`: whoever may ask for
/// health is not shown paths and hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Its settings are sound, but it cannot be made of them now: a secret or a file is missing.
    CannotRun,
    /// Its last cycle ended early.
    LastCycleFailed,
    /// It mostly fails, and is slowed down.
    Quarantine,
}

impl Health {
    /// The answer to `/readyz`: ready, with a line for each job in trouble, or what keeps the daemon from its work.
    /// One job in trouble does not make the daemon unready, as the others run (P12); all of them do.
    pub fn ready(&self) -> Result<String, String> {
        let inner = self.lock();
        if inner.stopping {
            return Err("stopping".to_owned());
        }
        match inner.last_beat {
            None => return Err("starting: the schedule does not beat yet".to_owned()),
            Some(beat) if beat.elapsed() > BEAT_LATE => {
                return Err("the schedule stands still; restart rosterd".to_owned());
            }
            Some(_) => {}
        }
        let troubles: String = inner
            .jobs
            .iter()
            .filter_map(|(job, trouble)| trouble.map(|trouble| format!("{}\n", trouble.sentence(job))))
            .collect();
        let cannot_run = |trouble: &Option<Trouble>| *trouble == Some(Trouble::CannotRun);
        if !inner.jobs.is_empty() && inner.jobs.values().all(cannot_run) {
            return Err(format!("no job can run\n{}", troubles.trim_end()));
        }
        let overdue: String = inner
            .overdue
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(workspace, count)| {
                format!("workspace {workspace}: {count} follow-ups are overdue; see `rosterd workspace follow-ups`\n")
            })
            .collect();
        Ok(format!("ready\n{troubles}{overdue}"))
    }

    pub(super) fn beat(&self) {
        self.lock().last_beat = Some(Instant::now());
    }

    pub(super) fn stopping(&self) {
        self.lock().stopping = true;
    }

    pub(super) fn note(&self, job: &str, trouble: Option<Trouble>) {
        self.lock().jobs.insert(job.to_owned(), trouble);
    }

    pub(super) fn note_overdue(&self, workspace: &str, count: u64) {
        self.lock().overdue.insert(workspace.to_owned(), count);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Plain values, each set in one step: a panic elsewhere leaves nothing half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trouble {
    fn sentence(self, job: &str) -> String {
        match self {
            Trouble::CannotRun => format!("job {job} cannot run; see `rosterd status {job}`"),
            Trouble::LastCycleFailed => {
                format!("job {job}: its last cycle failed; see `rosterd status {job}`")
            }
            Trouble::Quarantine => format!("job {job} is in quarantine; see `rosterd status {job}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_ready_before_the_first_beat_or_after_the_stop() {
        let health = Health::default();
        assert_eq!(health.ready(), Err("starting: the schedule does not beat yet".to_owned()));
        health.beat();
        assert_eq!(health.ready(), Ok("ready\n".to_owned()));
        health.stopping();
        assert_eq!(health.ready(), Err("stopping".to_owned()));
    }

    #[test]
    fn overdue_follow_ups_are_told_and_keep_nobody_from_work() {
        let health = Health::default();
        health.beat();
        health.note_overdue("main", 2);
        let line = "workspace main: 2 follow-ups are overdue; see `rosterd workspace follow-ups`";
        assert_eq!(health.ready(), Ok(format!("ready\n{line}\n")));
        health.note_overdue("main", 0);
        assert_eq!(health.ready(), Ok("ready\n".to_owned()));
    }

    #[test]
    fn a_job_in_trouble_is_named_and_all_of_them_are_unready() {
        let health = Health::default();
        health.beat();
        health.note("acme", Some(Trouble::CannotRun));
        let line = "job acme cannot run; see `rosterd status acme`";
        assert_eq!(health.ready(), Err(format!("no job can run\n{line}")));
        health.note("globex", Some(Trouble::LastCycleFailed));
        let other = "job globex: its last cycle failed; see `rosterd status globex`";
        assert_eq!(health.ready(), Ok(format!("ready\n{line}\n{other}\n")));
        health.note("acme", None);
        health.note("globex", None);
        assert_eq!(health.ready(), Ok("ready\n".to_owned()));
    }
}
