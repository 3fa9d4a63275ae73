//! The System Log (okta.md section 4): what is written to it, and in which order it is persisted.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::Timestamp;

use super::OktaKnobs;

/// Every third entry is persisted late, so that order of persistence and of time differ.
const LATE: u64 = 3;

/// By the time of persistence, then by number.
#[derive(Default)]
pub(in super::super) struct SystemLog {
    pub(super) entries: BTreeMap<(Timestamp, u64), Entry>,
    written: u64,
}

/// Whom or what an event is about. The number is an index of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    User(u32),
    AppUser(u32),
    Group(u32),
    App,
}

/// Who caused an event, as `transaction.type` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Administrator,
    /// A background job: `client` is null.
    Job,
}

pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) at: Timestamp,
    /// One of the catalogue's.
    pub(super) kind: &'static str,
    pub(super) subjects: [Option<Subject>; 3],
    pub(super) cause: Cause,
}

impl SystemLog {
    /// Writes an event that happens at `at`, unless a knob keeps it out.
    pub(super) fn write(
        &mut self,
        knobs: &OktaKnobs,
        at: Timestamp,
        kind: &'static str,
        cause: Cause,
        subjects: &[Subject],
    ) {
        if knobs.silent_events.iter().any(|silent| silent == kind || silent == "*") {
            return;
        }
        let number = self.written;
        self.written += 1;
        let latency = if number % LATE == LATE - 1 { knobs.log_latency_seconds } else { 0 };
        let persisted = at.saturating_add(SignedDuration::from_secs(latency)).unwrap_or(Timestamp::MAX);
        let subject = |place: usize| subjects.get(place).copied();
        let subjects = [subject(0), subject(1), subject(2)];
        self.entries.insert((persisted, number), Entry { number, at, kind, subjects, cause });
    }
}
