//! What was done on demand, as text: a line a step, its details below, and at the end what came of it.

use super::words;
use crate::plan::OnDemand;
use crate::plan::OnDemandStep;

/// Longer names move their own line only.
const NAME_WIDTH: usize = 36;

/// The whole report, for a terminal.
pub fn on_demand(of: &OnDemand) -> String {
    let who = &of.source_identity;
    let mut out = format!(
        "{}: {} {} ({})\n",
        of.job_id,
        who.identity_type,
        words::printable(&who.display_name),
        words::printable(&who.id)
    );
    of.provisioning_steps.iter().for_each(|step| out += &told(step));
    let status = &of.status_info;
    out += &format!("\n{:<11} {}", "result", status.status.word());
    if let Some(reason) = &status.reason {
        out += &format!(": {}", words::printable(reason));
    }
    out.push('\n');
    if let Some(code) = &status.error_code {
        out += &format!("{:<11} {code}\n", "code");
    }
    if let Some(cure) = &status.recommended_action {
        out += &format!("{:<11} {}\n", "next", words::printable(cure));
    }
    if let Some(change) = &of.change_id {
        out += &format!("{:<11} entry {change} of the journal, cycle {}\n", "change", of.cycle_id);
    }
    out
}

fn told(step: &OnDemandStep) -> String {
    let mut out = format!(
        "\n{:<11} {:<8} {}\n",
        step.kind.word(),
        step.status.word(),
        words::printable(&step.description)
    );
    for (name, value) in &step.details {
        out += &format!("  {:<NAME_WIDTH$}  {}\n", words::printable(name), words::printable(value));
    }
    out
}
