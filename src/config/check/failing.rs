//! When what failed is tried again, and when a job that mostly fails is slowed down.

use super::Checker;
use crate::config::problem::Key;
use crate::config::raw::RawEscrow;
use crate::config::raw::RawQuarantine;
use crate::plan::EscrowSchedule;
use crate::plan::QuarantineLimits;
use crate::plan::read_span;

impl Checker<'_> {
    pub(super) fn escrow(&mut self, table: &Key, raw: &RawEscrow) -> Option<EscrowSchedule> {
        let usual = EscrowSchedule::default();
        let steps = match &raw.steps {
            None => Some(usual.steps),
            Some(texts) => self.steps(&table.join("steps"), texts),
        };
        let every = self.pause(&table.join("every"), raw.every.as_deref(), usual.every);
        let until = self.pause(&table.join("until"), raw.until.as_deref(), usual.until);
        Some(EscrowSchedule { steps: steps?, every: every?, until: until? })
    }

    fn steps(&mut self, key: &Key, texts: &[String]) -> Option<Vec<i64>> {
        let steps: Option<Vec<i64>> = texts.iter().map(|text| self.pause(key, Some(text), 0)).collect();
        let steps = steps?;
        if steps.is_sorted_by(|one, next| one < next) {
            return Some(steps);
        }
        let cure =
            "write each as the time since the first failure, the shortest first: [\"6h\", \"12h\", \"24h\"]";
        self.error(key, "these steps do not rise".to_owned(), cure)
    }

    fn pause(&mut self, key: &Key, raw: Option<&str>, usual: i64) -> Option<i64> {
        let Some(text) = raw else { return Some(usual) };
        read_span(text).filter(|seconds| *seconds > 0).or_else(|| {
            let cure = "write one like 6h, 24h or 28d";
            self.error(key, format!("`{text}` is no time to wait"), cure)
        })
    }

    pub(super) fn quarantine(&mut self, table: &Key, raw: &RawQuarantine) -> Option<QuarantineLimits> {
        let usual = QuarantineLimits::default();
        let slowest = self.pause(&table.join("slowest"), raw.slowest.as_deref(), usual.slowest_seconds);
        let percent = match raw.percent {
            None => Some(usual.percent),
            Some(percent) => match u8::try_from(percent) {
                Ok(percent) if percent <= 100 => Some(percent),
                _ => {
                    let key = table.join("percent");
                    self.error(&key, format!("{percent} is no percentage"), "use 0 to 100; 100 never trips")
                }
            },
        };
        let failed_cycles = raw.failed_cycles.unwrap_or(usual.failed_cycles);
        if failed_cycles == 0 {
            let cure = "use 1 or more cycles in a row";
            let key = table.join("failed_cycles");
            return self.error(&key, "no cycle has to fail for this".to_owned(), cure);
        }
        Some(QuarantineLimits {
            percent: percent?,
            failures: raw.failures.unwrap_or(usual.failures),
            failed_cycles,
            slowest_seconds: slowest?,
        })
    }
}
