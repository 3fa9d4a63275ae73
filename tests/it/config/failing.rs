//! Settings of escrow and quarantine.

use rosterd::plan::EscrowSchedule;
use rosterd::plan::QuarantineLimits;

use super::GOOD;
use super::Settings;

/// The first job of the good settings, with more of its limits.
fn with(limits: &str) -> Settings {
    Settings::new(&GOOD.replace("target = \"local\"\n", &format!("target = \"local\"\n{limits}\n")))
}

/// Entra provisioning reference, section 10.
#[test]
fn without_a_word_both_are_those_of_the_reference() {
    let limits = Settings::new(GOOD).config().jobs["acme"].limits.clone();
    let hours = |hours: i64| hours * 3_600;
    let schedule = EscrowSchedule {
        steps: vec![hours(6), hours(12), hours(24)],
        every: hours(24),
        until: hours(28 * 24),
    };
    assert_eq!(limits.escrow, schedule);
    let quarantine =
        QuarantineLimits { percent: 40, failures: 10, failed_cycles: 5, slowest_seconds: hours(24) };
    assert_eq!(limits.quarantine, quarantine);
}

#[test]
fn what_is_said_of_one_leaves_the_rest_as_it_is() {
    let more =
        "limits.escrow = { steps = [\"30m\", \"2h\"], until = \"14d\" }\nlimits.quarantine.failures = 25";
    let limits = with(more).config().jobs["acme"].limits.clone();
    assert_eq!(
        limits.escrow,
        EscrowSchedule { steps: vec![1_800, 7_200], every: 86_400, until: 14 * 86_400 }
    );
    assert_eq!(limits.quarantine, QuarantineLimits { failures: 25, ..QuarantineLimits::default() });
}

#[test]
fn what_cannot_be_is_told_with_its_cure() {
    for (more, told) in [
        ("limits.escrow.every = \"soon\"", "`soon` is no time to wait for `jobs.acme.limits.escrow.every`"),
        ("limits.escrow.until = \"0d\"", "`0d` is no time to wait"),
        (
            "limits.escrow.steps = [\"12h\", \"6h\"]",
            "these steps do not rise for `jobs.acme.limits.escrow.steps`",
        ),
        ("limits.escrow.steps = [\"6h\", \"x\"]", "`x` is no time to wait"),
        ("limits.quarantine.percent = 101", "101 is no percentage for `jobs.acme.limits.quarantine.percent`"),
        ("limits.quarantine.failed_cycles = 0", "no cycle has to fail for this"),
        ("limits.quarantine.slowest = \"1y\"", "`1y` is no time to wait"),
        ("limits.quarantine.slow = \"1d\"", "unknown key"),
    ] {
        let problems = with(more).problems();
        assert!(problems.contains(told) && problems.contains("  cure: "), "{more}: {problems}");
        assert!(problems.ends_with("1 problem in the settings"), "{more}: {problems}");
    }
}
