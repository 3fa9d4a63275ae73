//! When the credential ends, and how loudly that is said: 30, 14 and 3 days before, and after it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::settings::GraphSettings;
use super::sign_in::SignIn;
use crate::model::Finding;
use crate::model::Grade;

const DAY_SECONDS: i64 = 86_400;

/// The days before the end at which the words change, the last first. They change at no other time, so that a
/// note that is the same again can be told once.
const STAGES: [i64; 3] = [3, 14, 30];

/// The end of a credential, seen from a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    kind: Kind,
    /// From here on it is worth nothing.
    pub at: Timestamp,
    now: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Certificate,
    Secret,
    Federated,
    Registered,
}

impl Expiry {
    /// A secret whose end the registration tells.
    pub(super) fn registered(at: Timestamp, now: Timestamp) -> Expiry {
        Expiry { kind: Kind::Registered, at, now }
    }

    /// A certificate says it itself; of a secret or a federated credential only the settings can know.
    pub(super) fn of(settings: &GraphSettings, now: Timestamp) -> Option<Expiry> {
        let told = || Some(settings.secret_expires?.to_zoned(TimeZone::UTC).ok()?.timestamp());
        let (kind, at) = match &settings.sign_in {
            SignIn::Certificate { pair, .. } => (Kind::Certificate, pair.certificate.expires()),
            SignIn::Secrets(_) => (Kind::Secret, told()?),
            SignIn::Federated { .. } => (Kind::Federated, told()?),
            SignIn::Identity(_) => return None,
        };
        Some(Expiry { kind, at, now })
    }

    /// Whole days that are left; negative when it has passed.
    pub fn days_left(&self) -> i64 {
        self.at.duration_since(self.now).as_secs().div_euclid(DAY_SECONDS)
    }

    /// For `check`.
    pub fn finding(&self) -> Finding {
        let grade = match (self.has_passed(), self.stage()) {
            (true, _) => Grade::Error,
            (false, Some(_)) => Grade::Warning,
            (false, None) => Grade::Ok,
        };
        let cure = if grade == Grade::Ok { String::new() } else { self.cure().to_owned() };
        Finding { grade, subject: "expiry".to_owned(), text: self.text(), cure }
    }

    /// For the record of a cycle: nothing while the end is far.
    pub fn note(&self) -> Option<String> {
        self.stage().map(|_| format!("{}; {}", self.text(), self.cure()))
    }

    fn has_passed(&self) -> bool {
        self.at <= self.now
    }

    fn stage(&self) -> Option<i64> {
        let left = self.at.duration_since(self.now).as_secs();
        STAGES.into_iter().find(|days| left <= days * DAY_SECONDS)
    }

    fn text(&self) -> String {
        let (what, day) = (self.what(), self.at.strftime("%Y-%m-%d"));
        match self.stage() {
            _ if self.has_passed() => format!("{what} has expired on {day}"),
            Some(days) => format!("{what} expires on {day}, within {days} days"),
            None => format!("{what} is good until {day}"),
        }
    }

    fn what(&self) -> &'static str {
        match self.kind {
            Kind::Certificate => "the certificate",
            Kind::Secret => "the secret (by secret_expires)",
            Kind::Federated => "the federated credential (by secret_expires)",
            Kind::Registered => "the secret of the registration that lasts longest",
        }
    }

    fn cure(&self) -> &'static str {
        match self.kind {
            Kind::Certificate => {
                "make a new pair, upload its certificate beside the old one under Certificates & secrets, then put \
                 its PEM file down"
            }
            Kind::Secret => {
                "make a new one under Certificates & secrets, name both for a while (secret = [\"NEW\", \"OLD\"]), \
                 and set secret_expires anew"
            }
            Kind::Federated => "renew what it rests on, and set secret_expires anew",
            Kind::Registered => {
                "make a new one under Certificates & secrets, and name both for a while (secret = [\"NEW\", \"OLD\"])"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Secret;

    fn on(now: &str) -> Expiry {
        let mut settings = GraphSettings::new("t", "c", Secret::new("s"));
        settings.secret_expires = Some("2027-01-31".parse().unwrap());
        Expiry::of(&settings, now.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_words_change_30_14_and_3_days_before_and_after_the_end() {
        for (now, grade, text) in [
            ("2026-12-31T23:59:59Z", Grade::Ok, "the secret (by secret_expires) is good until 2027-01-31"),
            (
                "2027-01-01T00:00:00Z",
                Grade::Warning,
                "the secret (by secret_expires) expires on 2027-01-31, within 30 days",
            ),
            (
                "2027-01-16T23:59:59Z",
                Grade::Warning,
                "the secret (by secret_expires) expires on 2027-01-31, within 30 days",
            ),
            (
                "2027-01-17T00:00:00Z",
                Grade::Warning,
                "the secret (by secret_expires) expires on 2027-01-31, within 14 days",
            ),
            (
                "2027-01-28T00:00:00Z",
                Grade::Warning,
                "the secret (by secret_expires) expires on 2027-01-31, within 3 days",
            ),
            (
                "2027-01-30T23:59:59Z",
                Grade::Warning,
                "the secret (by secret_expires) expires on 2027-01-31, within 3 days",
            ),
            (
                "2027-01-31T00:00:00Z",
                Grade::Error,
                "the secret (by secret_expires) has expired on 2027-01-31",
            ),
            (
                "2027-06-01T00:00:00Z",
                Grade::Error,
                "the secret (by secret_expires) has expired on 2027-01-31",
            ),
        ] {
            let finding = on(now).finding();
            assert_eq!((finding.grade, finding.text.as_str()), (grade, text), "{now}");
            assert_eq!(finding.cure.is_empty(), grade == Grade::Ok, "{now}");
            assert_eq!(on(now).note().is_some(), grade != Grade::Ok, "{now}");
        }
        assert_eq!(on("2027-01-28T12:00:00Z").days_left(), 2);
        assert_eq!(on("2027-02-01T00:00:00Z").days_left(), -1);
    }

    #[test]
    fn what_nobody_told_is_not_said() {
        let settings = GraphSettings::new("t", "c", Secret::new("s"));
        assert_eq!(Expiry::of(&settings, Timestamp::UNIX_EPOCH), None);
    }
}
