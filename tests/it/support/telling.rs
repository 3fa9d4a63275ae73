//! What a story tells besides its plans: notes, why somebody is held, deletions that wait.

use rosterd::cycle;
use rosterd::plan::Change;
use rosterd::plan::DueDeletion;
use rosterd::plan::Verdict;
use tokio_util::sync::CancellationToken;

use super::story::Stage;
use super::story::chain;

impl Stage {
    pub(super) async fn notes(&self) -> String {
        match self.planned(&CancellationToken::new()).await {
            Ok(planned) if planned.header.notes.is_empty() => "none\n".to_owned(),
            Ok(planned) => planned.header.notes.iter().map(|note| format!("{note}\n")).collect(),
            Err(error) => format!("error: {}\n", chain(&error)),
        }
    }

    pub(super) async fn reads(&self, name: &str) -> String {
        let job = self.job();
        let planned =
            cycle::standing(job.standing(), &self.store, self.now()).await.expect("the state is read");
        let mut lines = String::new();
        let mut take = |change: Change| match &change.verdict {
            Verdict::Held(hold) if change.source.0 == name => lines += &format!("{}\n", hold.text),
            _ => {}
        };
        planned.expect("a job").changes(&mut take).await.expect("the plan is read");
        lines
    }

    pub(super) async fn deletions(&self) -> String {
        let job = self.job();
        let planned =
            cycle::standing(job.standing(), &self.store, self.now()).await.expect("the state is read");
        let deletions = planned.map(|planned| planned.header.deletions).unwrap_or_default();
        let days = |at_second: i64| (at_second - self.second) as f64 / 86_400.0;
        let line = |due: &DueDeletion| {
            format!("{} {} {} in {:.0} days\n", due.source, due.name, due.by.word(), days(due.at_second))
        };
        let lines: String = deletions.iter().map(line).collect();
        if lines.is_empty() { "none\n".to_owned() } else { lines }
    }
}
