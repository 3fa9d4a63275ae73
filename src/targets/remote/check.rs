//! What `rosterd check` says of a remote service, by reads alone. Discovery is advice: many services claim or
//! omit things, so nothing fails because of it (SCIM reference, O1).

use serde_json::Value;

use super::RemoteTarget;
use super::TargetError;
use super::answer;
use super::fate;
use super::known;
use super::message;
use crate::model::Finding;
use crate::model::Grade;
use crate::scim::Kind;
use crate::scim::profiles::Paging;
use crate::scim::profiles::Support;

/// An id that nobody has; services are asked for one like it by every client that tests a connection.
const NOBODY: &str = "rosterd-check-4f1c9a52-7d0e-4b7a-9c63-e2d5b8a01f36";
/// As many letters of the hash of a description as tell two apart.
const HASH_LETTERS: usize = 16;

impl RemoteTarget {
    pub(super) async fn discover(&self) -> Vec<Finding> {
        let mut findings = vec![self.check_users().await];
        // What comes after a failed sign-in says nothing new.
        if findings[0].grade != Grade::Error {
            findings.push(self.check_groups().await);
            findings.push(self.check_filter().await);
            findings.extend(self.check_claims().await);
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
        let query = self.one_of_a_page().map(|query| format!("?{query}")).unwrap_or_default();
        let (place, answer) = self.read(&format!("{}{query}", kind.endpoint())).await?;
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

    fn one_of_a_page(&self) -> Option<&'static str> {
        match self.known.profile.paging {
            Paging::Index => Some("startIndex=1&count=1"),
            Paging::Cursor => Some("cursor&count=1"),
            Paging::None => None,
        }
    }

    async fn check_filter(&self) -> Finding {
        const CURE: &str = "take a profile that fits the service, and another matching attribute";
        let Some(path) =
            ["userName", "externalId"].into_iter().find(|path| self.known.finds(Kind::User, path))
        else {
            let text =
                "users cannot be asked for by userName or externalId: the whole list is read once".to_owned();
            return finding(Grade::Warning, "matching", text, "expect slow first cycles");
        };
        let filter = message::encoded(&message::filter(path, NOBODY, &self.known.profile.filter));
        let page = self.one_of_a_page().map(|query| format!("&{query}")).unwrap_or_default();
        let (place, answer) = match self.read(&format!("/Users?filter={filter}{page}")).await {
            Ok(read) => read,
            Err(error) => return failure("matching", error),
        };
        if let status @ (400 | 501) = answer.status {
            let detail = answer::problem(&answer.body, &[NOBODY]).detail;
            let evidence = format!("GET /Users with a filter on `{path}`: status {status}: {detail}");
            self.known.learn(&known::filter_key(Kind::User, path), "no", evidence);
            let text = format!("the service refuses a filter on `{path}` (status {status}: {detail})");
            return finding(Grade::Warning, "matching", text, CURE);
        }
        if answer.status != 200 {
            let error = fate::refused(&place, &answer, &[]).to_string();
            return finding(Grade::Error, "matching", error, CURE);
        }
        match answer::list(&answer.body) {
            Some(page) if page.resources.is_empty() => {
                finding(Grade::Ok, "matching", format!("users can be found by {path}"), "")
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
    async fn check_claims(&self) -> Vec<Finding> {
        let config = match self.read("/ServiceProviderConfig").await {
            Ok((_, answer)) if answer.status == 200 => answer::json(&answer.body),
            _ => None,
        };
        let profile = &self.known.profile;
        let Some(config) = config.filter(|config| config.get("patch").is_some()) else {
            let text = format!("the service does not describe itself; profile `{}` decides", profile.name);
            return vec![finding(Grade::Ok, "features", text, "")];
        };
        let mut findings = vec![self.check_features(&config)];
        findings.extend(self.check_description(&config));
        self.learn_bulk(&config);
        findings
    }

    fn check_features(&self, config: &Value) -> Finding {
        let profile = &self.known.profile;
        let needed = [
            ("patch", profile.patch.users != Support::No || profile.patch.groups != Support::No),
            ("filter", !profile.filter.ops.is_empty()),
        ];
        let refused: Vec<&str> = needed
            .into_iter()
            .filter(|(feature, needed)| *needed && claims(config, feature) == Some(false))
            .map(|(feature, _)| feature)
            .collect();
        if refused.is_empty() {
            let text = format!("as profile `{}` needs them", profile.name);
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

    /// A description that is another one than at the last check is worth a look, and nothing more.
    fn check_description(&self, config: &Value) -> Option<Finding> {
        let mut said = config.clone();
        said.as_object_mut()?.remove("meta");
        let hash: String =
            blake3::hash(said.to_string().as_bytes()).to_hex().chars().take(HASH_LETTERS).collect();
        let before = self.known.lesson(known::DISCOVERY);
        self.known.learn(known::DISCOVERY, &hash, "ServiceProviderConfig".to_owned());
        before.filter(|before| before.value != hash).map(|_| {
            let text =
                "the service describes itself (ServiceProviderConfig) otherwise than at the last check";
            let cure = "read what its maker says of the change, and run `rosterd plan` before the next cycle";
            finding(Grade::Warning, "description", text.to_owned(), cure)
        })
    }

    /// Bulk that is offered is tried in the next cycle, unless trying it went wrong before.
    fn learn_bulk(&self, config: &Value) {
        let open = self.known.profile.bulk.supported == Support::Unknown;
        let went_wrong = self.known.lesson(known::BULK).is_some_and(|lesson| lesson.value == "no");
        if !open || went_wrong || claims(config, "bulk") != Some(true) {
            return;
        }
        let said = "ServiceProviderConfig says so";
        self.known.learn(known::BULK, "yes", said.to_owned());
        for (key, name) in
            [(known::BULK_OPERATIONS, "maxOperations"), (known::BULK_PAYLOAD, "maxPayloadSize")]
        {
            if let Some(most) = config["bulk"][name].as_u64().filter(|most| *most > 0) {
                self.known.learn(key, most, said.to_owned());
            }
        }
    }
}

fn claims(config: &Value, feature: &str) -> Option<bool> {
    match &config[feature]["supported"] {
        Value::Bool(claim) => Some(*claim),
        Value::String(text) => text.parse().ok(),
        _ => None,
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
