//! What a long command shows while it works: a line on stderr, on a terminal only.

use std::time::Duration;

use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;

use crate::cycle::Progress;

/// The line of one cycle; it goes away when it is dropped.
pub struct Watch {
    bar: ProgressBar,
    job: String,
}

impl Watch {
    pub fn new(job: &str) -> Watch {
        // Where stderr is no terminal nothing is drawn.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("{spinner} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style);
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Watch { bar, job: job.to_owned() }
    }

    pub fn show(&self, progress: &Progress) {
        self.bar.set_message(format!("{}: {}", self.job, told(progress)));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn told(progress: &Progress) -> String {
    match progress {
        Progress::Outwaiting { seconds } => {
            format!("waiting {seconds} s for what a run that was broken off may have sent")
        }
        Progress::Reading { read, records } => format!("reading {read}, {records} records"),
        Progress::Deciding { links } => format!("deciding, {links} objects"),
        Progress::Judging { changes } => format!("judging, {changes} changes"),
        Progress::Writing { done, of } => format!("writing {} {done} of {of}", filled(*done, *of)),
    }
}

fn filled(done: u64, of: u64) -> String {
    const WIDTH: u64 = 20;
    let full = done.saturating_mul(WIDTH).checked_div(of).unwrap_or(WIDTH).min(WIDTH);
    let (full, rest) = (full as usize, (WIDTH - full) as usize);
    format!("[{}{}]", "#".repeat(full), "-".repeat(rest))
}
