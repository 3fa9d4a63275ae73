//! Undoing a cycle of a story, and what is told of it.

use rosterd::cycle;
use rosterd::cycle::How;
use rosterd::cycle::Undo;
use rosterd::cycle::UndoneCycle;
use rosterd::model::Reading;
use tokio_util::sync::CancellationToken;

use super::story::Stage;
use super::story::chain;
use super::story::chosen;
use super::story::line;

const WEEK: i64 = 7 * 86_400;

impl Stage {
    /// Undoes a cycle for a week: what was written, what of it is left, and what is told besides.
    pub async fn undo(&mut self, words: &[&str]) -> String {
        let outcome = self.undoing(words, false).await;
        self.second += 2_400;
        match outcome {
            Ok(undone) => {
                let mut lines = String::new();
                for (class, count) in &undone.record.done {
                    lines += &format!("{count} {}\n", class.word());
                }
                for (class, count) in &undone.record.failed {
                    lines += &format!("{count} {} failed\n", class.word());
                }
                lines += &told(&undone).await;
                if lines.is_empty() { "nothing\n".to_owned() } else { lines }
            }
            Err(error) => error,
        }
    }

    /// The inverse plan, and nothing is done.
    pub async fn undo_plan(&self, words: &[&str]) -> String {
        match self.undoing(words, true).await {
            Ok(undone) => {
                let lines = told(&undone).await;
                if lines.is_empty() { "nothing\n".to_owned() } else { lines }
            }
            Err(error) => error,
        }
    }

    async fn undoing(&self, words: &[&str], dry: bool) -> Result<UndoneCycle, String> {
        let (cycle, what) = (words[0], words.get(1).unwrap_or(&"all"));
        let stop = CancellationToken::new();
        let now = self.now();
        let clock = move || now;
        let how = How {
            reading: Reading::Incremental,
            verify: false,
            now,
            clock: &clock,
            watch: &|_| {},
            stop: &stop,
        };
        let wish = Undo {
            cycle: cycle.parse().expect("the number of a cycle"),
            what: chosen(what),
            until_second: self.second + WEEK,
            who: "test".to_owned(),
            reason: "story".to_owned(),
        };
        self.allow().await;
        let job = self.job();
        let done = match dry {
            true => cycle::plan_undo(&job, &self.store, how, &wish).await,
            false => cycle::undo(&job, &self.store, how, &wish).await,
        };
        done.map_err(|error| format!("error: {}\n", chain(&error)))
    }
}

async fn told(undone: &UndoneCycle) -> String {
    let mut lines = String::new();
    undone.planned.changes(&mut |change| lines += &line(&change)).await.expect("the plan is read");
    undone.remarks.iter().for_each(|remark| lines += &format!("{remark}\n"));
    undone.unknown.iter().for_each(|name| lines += &format!("unknown: {name}\n"));
    lines
}
