//! Whether an empty list is empty. A role that was lost gives 200 with `[]` (okta.md section 2.2), and no second
//! reading of the same list says otherwise: so somebody who was on it is asked for by id. Only a positive answer is
//! taken as sight; what a list does not show in spite of it is for the witness.

use serde::de::IgnoredAny;

use super::OktaSource;
use super::refusal::Failure;
use super::refusal::ROLE;
use super::refusal::Refusal;
use crate::sources::SourceError;

/// What one object said.
enum Look {
    Seen,
    Missing,
    Refused(Refusal),
}

impl OktaSource {
    /// Why the empty list of the application's users proves nothing; none where it does, or is not empty.
    pub(super) async fn users_are_hidden(&self) -> Result<Option<String>, SourceError> {
        let sample = {
            let plan = self.plan();
            if !plan.app_users.is_empty() { Vec::new() } else { plan.roll.users.clone() }
        };
        if sample.is_empty() {
            return Ok(None);
        }
        let app = self.settings.app().0.as_str();
        for id in &sample {
            for segments in [&["apps", app, "users", id.as_str()][..], &["users", id.as_str()]] {
                match self.look_at(segments).await? {
                    Look::Seen => return Ok(None),
                    Look::Missing => {}
                    Look::Refused(refusal) => {
                        return Ok(Some(hidden("users of the application", Some(&refusal))));
                    }
                }
            }
        }
        Ok(Some(hidden("users of the application", None)))
    }

    /// The same of the groups that are assigned to the application. Where its users are shown, so are they.
    pub(super) async fn groups_are_hidden(&self) -> Result<Option<String>, SourceError> {
        let (sample, sighted) = {
            let plan = self.plan();
            let sample = if plan.roll_now.groups.is_empty() { plan.roll.groups.clone() } else { Vec::new() };
            (sample, !plan.app_users.is_empty())
        };
        let app = self.settings.app().0.as_str();
        let Some(first) = sample.first() else { return Ok(None) };
        let looks = [&["apps", app, "groups", first.as_str()][..], &["groups", first.as_str()]];
        for segments in looks {
            match self.look_at(segments).await? {
                Look::Seen => return Ok(None),
                Look::Missing => {}
                Look::Refused(refusal) => {
                    return Ok(Some(hidden("groups of the application", Some(&refusal))));
                }
            }
        }
        Ok((!sighted).then(|| hidden("groups of the application", None)))
    }

    /// The same of the mappings of its group push.
    pub(super) async fn mappings_are_hidden(&self) -> Result<Option<String>, SourceError> {
        let (sample, sighted) = {
            let plan = self.plan();
            let now = plan.roll_now.mappings.is_empty();
            (plan.pushed.mappings.first().filter(|_| now).cloned(), !plan.app_users.is_empty())
        };
        let Some(id) = sample else { return Ok(None) };
        let app = self.settings.app().0.as_str();
        Ok(match self.look_at(&["apps", app, "group-push", "mappings", &id]).await? {
            Look::Refused(refusal) => Some(hidden("group push mappings", Some(&refusal))),
            Look::Missing if !sighted => Some(hidden("group push mappings", None)),
            Look::Seen | Look::Missing => None,
        })
    }

    /// The same of the members of a group: the group has to show itself, and a person who was in it.
    pub(super) async fn members_are_hidden(&self, group: &str) -> Result<Option<String>, SourceError> {
        let sample = {
            let plan = self.plan();
            let known = plan.known(group).filter(|_| plan.members.is_empty());
            known.and_then(|mark| mark.sample.clone())
        };
        let Some(person) = sample else { return Ok(None) };
        for segments in [["groups", group], ["users", person.as_str()]] {
            if let Look::Refused(refusal) = self.look_at(&segments).await? {
                return Ok(Some(hidden(&format!("members of group {group}"), Some(&refusal))));
            }
        }
        Ok(None)
    }

    async fn look_at(&self, segments: &[&str]) -> Result<Look, SourceError> {
        match self.talk.one::<IgnoredAny>(self.talk.address(segments, &[])).await {
            Ok(_) => Ok(Look::Seen),
            Err(Failure::Refused(refusal)) if refusal.is_missing() => Ok(Look::Missing),
            Err(Failure::Refused(refusal)) if refusal.is_forbidden() => Ok(Look::Refused(refusal)),
            Err(failure) => Err(failure.into()),
        }
    }
}

fn hidden(what: &str, refusal: Option<&Refusal>) -> String {
    let why = match refusal {
        Some(refusal) => refusal.what(),
        None => "those known before are not to be seen by their ids either".to_owned(),
    };
    format!(
        "the list of {what} is empty all of a sudden, which proves nothing ({why}); nobody is removed for it; {ROLE}"
    )
}
