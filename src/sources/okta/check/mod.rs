//! `rosterd check` of an Okta source: every question that a cycle will ask, once and small. Reads only.

mod access;
mod lists;
mod rates;
mod sign_in;

use super::OktaSource;
use super::host;
use super::host::HostKind;
use super::refusal::Failure;
use crate::model::Finding;
use crate::model::Grade;
use crate::sources::SourceError;

/// Clocks that differ more are a finding: a proof of possession may be five minutes old.
const CLOCK_SECONDS: i64 = 60;

impl OktaSource {
    /// Where nobody can sign in, nothing else is asked.
    pub(super) async fn look(&self) -> Vec<Finding> {
        let mut findings = vec![self.look_at_host()];
        let sign_in = self.look_at_sign_in().await;
        let refused = sign_in.iter().any(|finding| finding.grade == Grade::Error);
        findings.extend(sign_in);
        findings.extend(self.look_at_clock());
        if refused {
            return findings;
        }
        let app = self.look_at_app().await;
        let is_read = app.iter().all(|finding| finding.grade != Grade::Error);
        findings.extend(app);
        findings.extend(self.look_at_access().await);
        if is_read {
            let (lists, sizes) = self.look_at_lists().await;
            findings.extend(lists);
            findings.push(self.look_at_rates());
            findings.extend(sizes.map(|sizes| self.look_at_cycle(&sizes)));
        }
        findings
    }

    fn look_at_host(&self) -> Finding {
        let (name, kind) = (super::host(self.settings.host()), HostKind::of(self.settings.host()));
        let port = self.settings.host().port_or_known_default().unwrap_or(443);
        let host = self.settings.host().host_str().unwrap_or_default();
        let mut text = format!("{name}, {}; a firewall has to let through {host}, port {port}", kind.words());
        for sibling in self.settings.also_hosts() {
            text += &format!(" and {}", host::with_port(sibling));
        }
        ok("host", text)
    }

    fn look_at_clock(&self) -> Option<Finding> {
        Some(match self.talk.client().clock_ahead()? {
            // `Date` has whole seconds, and an answer takes a moment.
            -2..=2 => ok("clock", "agrees with the org's"),
            ahead if ahead.abs() <= CLOCK_SECONDS => {
                ok("clock", format!("{} s {} the org's, which does no harm", ahead.abs(), beside(ahead)))
            }
            ahead => finding(
                Grade::Warning,
                "clock",
                format!("this host's clock is {} s {} the org's", ahead.abs(), beside(ahead)),
                "set this host's clock right (timedatectl, NTP); sign-ins are made by the org's clock meanwhile",
            ),
        })
    }
}

/// The org is ahead where we are behind.
fn beside(ahead: i64) -> &'static str {
    if ahead > 0 { "behind" } else { "ahead of" }
}

fn ok(subject: &str, text: impl Into<String>) -> Finding {
    finding(Grade::Ok, subject, text.into(), "")
}

/// A request that brought nothing.
fn failed(grade: Grade, subject: &str, failure: Failure) -> Finding {
    match SourceError::from(failure) {
        SourceError::Refused { what, cure } => finding(grade, subject, what, &cure),
        other => finding(
            Grade::Error,
            subject,
            other.to_string(),
            "try again; if it stays, look at https://status.okta.com and ask who runs the org",
        ),
    }
}

fn finding(grade: Grade, subject: &str, text: String, cure: &str) -> Finding {
    Finding { grade, subject: subject.to_owned(), text, cure: cure.to_owned() }
}

/// 12,345: so that large numbers can be read.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_can_be_read() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
