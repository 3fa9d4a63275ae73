//! What `rosterd check` says of a remote service, by reads alone. Discovery is advice: many services claim or
//! omit things, so nothing fails because of it (SCIM reference, O1).

use serde_json::Value;

use super::RemoteTarget;
use super::TargetError;
use super::answer;
use super::fate;
use crate::model::Finding;
use crate::model::Grade;
use crate::scim::Kind;

/// A userName that nobody has; services are asked for one like it by every client that tests a connection.
const NOBODY: &str = "rosterd-check-4f1c9a52-7d0e-4b7a-9c63-e2d5b8a01f36";

impl RemoteTarget {
    pub(super) async fn discover(&self) -> Vec<Finding> {
        let mut findings = vec![self.check_users().await];
        // What comes after a failed sign-in says nothing new.
        if findings[0].grade != Grade::Error {
            findings.push(self.check_groups().await);
            findings.push(self.check_filter().await);
            findings.push(self.check_claims().await);
        }
        findings
    }

    async fn check_users(&self) -> Finding {
        match self.first(Kind::User).await {
            Ok(text) => finding(Grade::Ok, "sign-in", text, ""),
            Err(error) => failure("sign-in", error),
        }
    }

    async fn check_groups(&self) -> Finding {
        match self.first(Kind::Group).await {
            Ok(text) => finding(Grade::Ok, "teams", text, ""),
            Err(error) => Finding { grade: Grade::Warning, ..failure("teams", error) },
        }
    }

    /// One resource of a kind, to see that lists can be read.
    async fn first(&self, kind: Kind) -> Result<String, TargetError> {
        let (place, answer) = self.read(&format!("{}?startIndex=1&count=1", kind.endpoint())).await?;
        let page = match answer.status {
            200 => answer::list(&answer.body),
            _ => return Err(fate::refused(&place, &answer, &[])),
        };
        match page {
            Some(page) => Ok(match page.total {
                Some(total) => format!("{} can be listed; the service counts {total}", kind.endpoint()),
                None => format!("{} can be listed", kind.endpoint()),
            }),
            None => {
                let what = format!("{place} was answered with something that is no SCIM list");
                let cure = "check the url of the target: it must be the address that /Users is put behind";
                Err(TargetError::Refused { what, cure: cure.to_owned() })
            }
        }
    }

    async fn check_filter(&self) -> Finding {
        const CURE: &str = "take a profile that fits the service, and another matching attribute";
        let filter = format!("filter=userName%20eq%20%22{NOBODY}%22&startIndex=1&count=1");
        let (place, answer) = match self.read(&format!("/Users?{filter}")).await {
            Ok(read) => read,
            Err(error) => return failure("matching", error),
        };
        if answer.status != 200 {
            let error = fate::refused(&place, &answer, &[]).to_string();
            return finding(Grade::Error, "matching", error, CURE);
        }
        match answer::list(&answer.body) {
            Some(page) if page.resources.is_empty() => {
                finding(Grade::Ok, "matching", "users can be found by userName".to_owned(), "")
            }
            Some(_) => finding(
                Grade::Warning,
                "matching",
                "the service ignores filters: every lookup reads its whole list".to_owned(),
                "expect slow first cycles, or ask the service's maker for filters on userName",
            ),
            None => finding(Grade::Error, "matching", format!("{place} shows no list for a filter"), CURE),
        }
    }

    /// What the service says of itself.
    async fn check_claims(&self) -> Finding {
        let config = match self.read("/ServiceProviderConfig").await {
            Ok((_, answer)) if answer.status == 200 => answer::json(&answer.body),
            _ => None,
        };
        let Some(config) = config.filter(|config| config.get("patch").is_some()) else {
            let text =
                format!("the service does not describe itself; profile `{}` decides", self.profile.name);
            return finding(Grade::Ok, "features", text, "");
        };
        let claims = |feature: &str| match &config[feature]["supported"] {
            Value::Bool(claim) => Some(*claim),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let refused: Vec<&str> =
            ["patch", "filter"].into_iter().filter(|feature| claims(feature) == Some(false)).collect();
        if refused.is_empty() {
            let text = format!("as profile `{}` needs them", self.profile.name);
            return finding(Grade::Ok, "features", text, "");
        }
        let text = format!("the service says that it does not support {}", refused.join(" and "));
        finding(
            Grade::Warning,
            "features",
            text,
            "try one person first (mode approve), and see whether it works",
        )
    }
}

fn finding(grade: Grade, subject: &str, text: String, cure: &str) -> Finding {
    Finding { grade, subject: subject.to_owned(), text, cure: cure.to_owned() }
}

fn failure(subject: &str, error: TargetError) -> Finding {
    match error {
        TargetError::Refused { what, cure } => finding(Grade::Error, subject, what, &cure),
        other => finding(
            Grade::Error,
            subject,
            other.to_string(),
            "see whether the service is up and can be reached from this host",
        ),
    }
}
