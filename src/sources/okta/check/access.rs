//! The check of scopes and role by harmless requests: a scope is granted with the token, a role only shows when it is
//! needed (okta.md section 2.2).

use url::Url;

use super::failed;
use super::finding;
use super::ok;
use crate::model::Finding;
use crate::model::Grade;
use crate::sources::okta::OktaSource;
use crate::sources::okta::refusal::Failure;
use crate::sources::okta::refusal::ROLE;

impl OktaSource {
    pub(super) async fn look_at_access(&self) -> Vec<Finding> {
        let one = |segments: &[&str]| self.talk.address(segments, &[("limit", "1")]);
        vec![
            self.look_at_list(Grade::Error, "groups", one(&["groups"]), "okta.groups.read").await,
            self.look_at_list(Grade::Warning, "users", one(&["users"]), "okta.users.read").await,
            self.look_at_log(one(&["logs"])).await,
            self.look_at_push().await,
        ]
    }

    /// Every org has users, and the group Everyone: who is shown none has a role that is too narrow, or lost.
    async fn look_at_list(&self, grade: Grade, subject: &str, url: Url, scope: &str) -> Finding {
        match self.talk.rows(url).await {
            Err(failure) => failed(grade, subject, failure),
            Ok(page) if page.rows.is_empty() => finding(
                Grade::Warning,
                subject,
                format!("an empty list, and every org has {subject}: our role is too narrow"),
                &format!("{ROLE}; a role that shows chosen ones only makes others look as if they were gone"),
            ),
            Ok(_) => ok(subject, format!("can be read ({scope})")),
        }
    }

    async fn look_at_log(&self, url: Url) -> Finding {
        let subject = "system log";
        if !self.settings.system_log {
            let text = "is not read (source.okta.system_log); who disappears behind a narrowed role cannot be told from \
                        an unassignment";
            return ok(subject, text);
        }
        match self.talk.rows(url).await {
            Ok(_) => ok(
                subject,
                "can be read (okta.logs.read): what disappears has to be explained by an event, else it is held",
            ),
            Err(Failure::Refused(refusal)) => finding(
                Grade::Warning,
                subject,
                format!(
                    "cannot be read ({}): deletions are seen later, and who disappears behind a narrowed role cannot be \
                     told from an unassignment",
                    refusal.what()
                ),
                &match &refusal.scope {
                    Some(_) => refusal.cure().unwrap_or_default(),
                    None => "give our account or application the role Report Administrator or Read-only Administrator \
                             as well, or set source.okta.system_log = false"
                        .to_owned(),
                },
            ),
            Err(failure) => failed(Grade::Warning, subject, failure),
        }
    }

    async fn look_at_push(&self) -> Finding {
        let subject = "group push";
        let needed = self.settings.push_mappings;
        let url = self.below_app(&["group-push", "mappings"], &[("limit", "1")]);
        match self.talk.rows(url).await {
            Ok(page) if page.rows.is_empty() && needed => finding(
                Grade::Warning,
                subject,
                "the application pushes no group, so no team comes from there".to_owned(),
                "push a group in the application (Push Groups), or take scope.teams.push_mappings out",
            ),
            Ok(page) if page.rows.is_empty() => ok(subject, "the application pushes no group; not needed"),
            Ok(_) if needed => ok(subject, "mappings can be read, and their groups become teams"),
            Ok(_) => ok(subject, "mappings can be read; they are not used (scope.teams.push_mappings)"),
            Err(Failure::Refused(refusal)) if !needed => {
                ok(subject, format!("not available ({}); not needed", refusal.what()))
            }
            Err(Failure::Refused(refusal)) if refusal.is_missing() => finding(
                Grade::Error,
                subject,
                format!("not available ({})", refusal.what()),
                "switch provisioning and Group Push on for the application, or take scope.teams.push_mappings out",
            ),
            Err(failure) => failed(Grade::Error, subject, failure),
        }
    }
}
