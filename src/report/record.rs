//! What a cycle did, on one line for `sync`, `status` and logs, and what to do next.

use std::collections::BTreeMap;

use super::words;
use crate::plan::Class;
use crate::plan::CycleRecord;
use crate::plan::Mode;

/// `3 written (1 rename, 2 create), 1 failed (1 update), 2 held, of 120 active`.
pub fn outcome(record: &CycleRecord) -> String {
    let mut parts = vec![format!("{} written{}", record.written(), by_class(&record.done))];
    if record.failures() > 0 {
        parts.push(format!("{} failed{}", record.failures(), by_class(&record.failed)));
    }
    for (count, word) in [(record.held, "held"), (record.waiting, "waiting"), (record.escrow, "in escrow")] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    parts.push(format!("of {} active", record.active));
    parts.join(", ")
}

/// The whole story of a cycle: its outcome, its notes, what stopped it, and the command that goes on from here.
pub fn cycle(record: &CycleRecord) -> String {
    let reading = if record.full { ", everything read anew" } else { "" };
    let mut out = format!("{}: cycle {}{reading}: {}\n", record.job, record.cycle, outcome(record));
    out += &format!(
        "  read {} and {} with {}; {} to the target\n",
        words::counted(record.objects_changed, "changed object"),
        words::counted(record.edges_changed, "changed membership"),
        words::counted(record.source_requests, "request"),
        record.target_requests,
    );
    if record.target_verified {
        out += &format!("  verified the target: {}\n", words::verified(record));
    }
    if record.verified {
        let missed = match record.repaired {
            0 => "nothing".to_owned(),
            count => words::counted(count, "change"),
        };
        out +=
            &format!("  verified: everything was read anew behind the changes; they had missed {missed}\n");
    }
    for note in &record.notes {
        out += &format!("  note: {}\n", words::printable(note));
    }
    if let Some(error) = &record.error {
        out += &format!("  ended early: {}\n", words::printable(error));
    }
    out + &next(record)
}

fn next(record: &CycleRecord) -> String {
    let job = &record.job;
    match (record.held, record.mode) {
        (0, _) => String::new(),
        (_, Mode::Observe) => format!(
            "  the job only observes; look at `rosterd plan {job}`, then: rosterd enable {job} --plan {}\n",
            record.digest
        ),
        _ => format!("  look at what is held: rosterd held {job}\n"),
    }
}

fn by_class(counts: &BTreeMap<Class, u64>) -> String {
    let parts: Vec<String> = counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(class, count)| format!("{count} {}", class.word()))
        .collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> CycleRecord {
        CycleRecord {
            job: "acme".to_owned(),
            cycle: 12,
            mode: Mode::Write,
            digest: "0123456789abcdef".to_owned(),
            done: BTreeMap::from([(Class::Rename, 1), (Class::Create, 2)]),
            failed: BTreeMap::from([(Class::Update, 1)]),
            held: 2,
            escrow: 1,
            active: 120,
            objects_changed: 5,
            edges_changed: 3,
            source_requests: 1,
            ..CycleRecord::default()
        }
    }

    #[test]
    fn a_cycle_is_told_with_the_command_that_goes_on() {
        let expected = "\
acme: cycle 12: 3 written (1 rename, 2 create), 1 failed (1 update), 2 held, 1 in escrow, of 120 active
  read 5 changed objects and 3 changed memberships with 1 request; 0 to the target
  look at what is held: rosterd held acme
";
        assert_eq!(cycle(&record()), expected);
    }

    #[test]
    fn a_quiet_cycle_is_short_and_an_observing_one_says_how_to_leave() {
        let quiet =
            CycleRecord { done: BTreeMap::new(), failed: BTreeMap::new(), held: 0, escrow: 0, ..record() };
        assert_eq!(outcome(&quiet), "0 written, of 120 active");
        let observing = CycleRecord { mode: Mode::Observe, full: true, ..record() };
        let text = cycle(&observing);
        assert!(text.starts_with("acme: cycle 12, everything read anew: "), "{text}");
        assert!(text.ends_with("then: rosterd enable acme --plan 0123456789abcdef\n"), "{text}");
    }
}
