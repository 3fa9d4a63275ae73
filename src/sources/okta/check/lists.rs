//! The check of the application and of what is assigned to it: state, users, groups, members of one group.

use std::collections::BTreeSet;

use url::Url;

use super::failed;
use super::finding;
use super::grouped;
use super::ok;
use super::rates::Sizes;
use crate::model::Finding;
use crate::model::Grade;
use crate::sources::okta::OktaSource;
use crate::sources::okta::bucket::Family;
use crate::sources::okta::refusal::Failure;
use crate::sources::okta::refusal::ROLE;
use crate::sources::okta::wire::App;
use crate::sources::okta::wire::AppGroup;
use crate::sources::okta::wire::Member;

/// Pages that are counted: 10,000 people. A check is no cycle.
const PAGES_MAX: u64 = 20;
/// Requests for lists of the application that a check makes beside counting its users.
const OTHERS: u64 = 3;

/// Rows that were counted, and whether that is all of them.
struct Count {
    rows: u64,
    whole: bool,
}

impl Count {
    fn words(&self) -> String {
        let more = if self.whole { "" } else { "more than " };
        format!("{more}{}", grouped(self.rows))
    }
}

impl OktaSource {
    pub(super) async fn look_at_app(&self) -> Vec<Finding> {
        let subject = "application";
        let id = self.settings.app();
        let app = match self.talk.one::<App>(self.below_app(&[], &[])).await {
            Ok(app) => app,
            Err(Failure::Refused(refusal)) if refusal.is_missing() => {
                return vec![finding(
                    Grade::Error,
                    subject,
                    format!("{id} is not there ({})", refusal.what()),
                    "copy the id (0oa…) from the address of the application's page in the admin console, and let our role \
                     cover it; until then nothing is read and nobody removed",
                )];
            }
            Err(failure) => return vec![failed(Grade::Error, subject, failure)],
        };
        if app.status != "ACTIVE" {
            return vec![finding(
                Grade::Error,
                subject,
                format!("{} is {}", app.label, app.status),
                "activate it in the admin console; until then nothing is read and nobody removed",
            )];
        }
        let implicit = app.settings.as_ref().and_then(|settings| settings.implicit_assignment);
        if implicit == Some(true) {
            return vec![finding(
                Grade::Error,
                subject,
                format!("{} admits everybody without assignment (implicitAssignment)", app.label),
                "switch that off and assign the people or groups who shall have it",
            )];
        }
        vec![ok(subject, format!("{} is active; {}", app.label, provisioning(&app.features)))]
    }

    pub(super) async fn look_at_lists(&self) -> (Vec<Finding>, Option<Sizes>) {
        let (mut findings, users) = self.look_at_users().await;
        let (groups, count) = self.look_at_groups().await;
        findings.extend(groups);
        let sizes = users.zip(count).map(|(users, groups)| Sizes { users, groups });
        (findings, sizes)
    }

    async fn look_at_users(&self) -> (Vec<Finding>, Option<u64>) {
        let subject = "app users";
        let limit = self.settings.page_sizes().app_users.to_string();
        let counted = self.count(self.below_app(&["users"], &[("limit", &limit)]), |_: Vec<Member>| {}).await;
        match counted {
            Err(failure) => (vec![failed(Grade::Error, subject, failure)], None),
            Ok(Count { rows: 0, .. }) => {
                let cure = format!("assign people or groups; if there are some, we may not see them: {ROLE}");
                (vec![finding(Grade::Warning, subject, "nobody is assigned".to_owned(), &cure)], Some(0))
            }
            Ok(count) => {
                let finding = ok(subject, format!("{} people have the application", count.words()));
                (vec![finding], Some(count.rows))
            }
        }
    }

    async fn look_at_groups(&self) -> (Vec<Finding>, Option<u64>) {
        let subject = "app groups";
        let mut groups = Vec::new();
        let counted = self.count(self.first_groups(), |page: Vec<AppGroup>| groups.extend(page)).await;
        let count = match counted {
            Err(failure) => return (vec![failed(Grade::Error, subject, failure)], None),
            Ok(count) => count,
        };
        let Some(first) = groups.first() else {
            let text = "none is assigned, so none becomes a team by assignment";
            return (vec![ok(subject, text)], Some(0));
        };
        let mut findings = vec![ok(subject, format!("{} groups are assigned", count.words()))];
        findings.extend(groups.iter().filter_map(everybody));
        let member = self.talk.address(&["groups", &first.id, "users"], &[("limit", "1")]);
        findings.push(match self.talk.rows(member).await {
            Err(failure) => failed(Grade::Error, "group members", failure),
            Ok(_) => ok("group members", "can be read"),
        });
        (findings, Some(count.rows))
    }

    /// All rows, or as many as our share of the allowance lets us count without waiting.
    async fn count<T: serde::de::DeserializeOwned>(
        &self,
        first: Url,
        mut see: impl FnMut(Vec<T>),
    ) -> Result<Count, Failure> {
        let (mut next, mut rows, mut pages, mut walked) = (Some(first), 0, 0, BTreeSet::new());
        while let Some(url) = next {
            let ours = self.talk.allowance(Family::Apps).map_or(PAGES_MAX, |(_, ours)| ours);
            if pages > 0 && pages + OTHERS >= ours.min(PAGES_MAX) || !walked.insert(url.to_string()) {
                return Ok(Count { rows, whole: false });
            }
            let page = self.talk.rows(url).await?;
            rows += page.rows.len() as u64;
            pages += 1;
            see(page.read::<T>().0);
            next = page.next;
        }
        Ok(Count { rows, whole: true })
    }
}

fn provisioning(features: &[String]) -> String {
    match features {
        [] => "Okta's own provisioning is not set up for it, and not needed".to_owned(),
        _ => format!(
            "Okta's own provisioning is set up for it ({}), and not needed: every assigned person is read, whether \
             Okta has provisioned them or not",
            features.join(", ")
        ),
    }
}

/// `Everyone` holds all people of the org, assigned or not.
fn everybody(row: &AppGroup) -> Option<Finding> {
    let group = row.embedded.as_ref()?.group.as_ref()?;
    (group.kind.as_deref() == Some("BUILT_IN")).then(|| {
        finding(
            Grade::Warning,
            "app groups",
            format!("the built-in group {} is assigned: its members are all people of the org", group.name()),
            "assign a group of its own, if not everybody shall have the application",
        )
    })
}
