//! Carries out what happens in an org and nowhere else, each with its entry in the log.

use jiff::Timestamp;

use super::super::changes::ChangeError;
use super::super::directory::Directory;
use super::super::directory::Principal;
use super::OktaKnobs;
use super::changes::AppStatus;
use super::changes::OktaChange;
use super::changes::PushStatus;
use super::log::Cause;
use super::log::Subject;
use super::oddities;
use super::org::Push;
use super::org::Rule;

type Done = Result<(), ChangeError>;

/// With this feature Okta's own provisioning creates people in the application (okta.md section 3.2).
pub(super) const PROVISIONING: &str = "PUSH_NEW_USERS";
const NO_PUSH: ChangeError = ChangeError::NotFound { what: "group push" };

impl Directory {
    pub(super) fn change_org(&mut self, knobs: &OktaKnobs, change: OktaChange, now: Timestamp) -> Done {
        match change {
            OktaChange::SetApp { status, features, implicit_assignment, label } => {
                let app = &mut self.org.app;
                app.label = label.or(app.label.take());
                app.implicit_assignment = implicit_assignment.unwrap_or(app.implicit_assignment);
                app.updated = Some(now);
                if let Some(features) = features {
                    self.set_features(features, now);
                }
                self.set_app_status(knobs, status, now);
                Ok(())
            }
            OktaChange::SetAppUser { .. } => self.set_app_user(knobs, change, now),
            OktaChange::ResetAppUser { who } => {
                let person = self.find_person(&who)?;
                self.org.rows.remove(&person);
                Ok(())
            }
            OktaChange::ImportGroup { name, id, source } => {
                self.import_group(&name, id, source, now)?;
                self.tell_org(
                    knobs,
                    now,
                    "system.import.group.create",
                    &[Subject::Group(self.newest_group())],
                );
                Ok(())
            }
            OktaChange::SetAppGroup { group, profile } => {
                let group = self.find_group(&group)?;
                self.require(self.is_assigned(Principal::Group(group)), "a profile without an assignment")?;
                self.org.groups.entry(group).or_default().profile = Some(profile);
                let about = [Subject::Group(group), Subject::App];
                self.tell_org(knobs, now, "group.application_assignment.update", &about);
                Ok(())
            }
            OktaChange::AddRule { name, expression, group } => {
                let group = self.find_group(&group)?;
                let id = self.new_id("0pr");
                self.org.rules.push(Rule { id, name, expression, group, created: now });
                Ok(())
            }
            OktaChange::PushGroup { group, target, status } => {
                let (group, target) =
                    (self.find_group(&group)?, target.map(|name| self.find_group(&name)).transpose()?);
                self.push_group(knobs, group, target, None, status.unwrap_or_default(), now)
            }
            OktaChange::SetPush { group, status, error } => {
                let group = self.find_group(&group)?;
                self.set_push(knobs, group, status, error, now)
            }
            OktaChange::PushNow { group } => {
                let group = self.find_group(&group)?;
                let place = self.org.push_of(group).ok_or(NO_PUSH)?;
                self.org.pushes[place].pushed = Some(now);
                let about = [Subject::Group(group), Subject::App];
                self.tell_org(knobs, now, "application.provision.group_push.pushed", &about);
                Ok(())
            }
            OktaChange::Unpush { group, delete_target } => {
                let group = self.find_group(&group)?;
                self.unpush(knobs, group, delete_target, now)
            }
            OktaChange::AddOddities => oddities::add(self, knobs, now),
        }
    }

    fn tell_org(&mut self, knobs: &OktaKnobs, now: Timestamp, kind: &'static str, about: &[Subject]) {
        self.org.log.write(knobs, now, kind, Cause::Administrator, about);
    }

    fn newest_group(&self) -> u32 {
        self.groups.len().saturating_sub(1) as u32
    }

    fn set_features(&mut self, features: Vec<String>, now: Timestamp) {
        let is_on = features.iter().any(|feature| feature == PROVISIONING);
        let app = &mut self.org.app;
        app.provisioning_since = is_on.then(|| app.provisioning_since.unwrap_or(now));
        app.features = features;
    }

    fn set_app_status(&mut self, knobs: &OktaKnobs, status: Option<AppStatus>, now: Timestamp) {
        let kind = match status {
            None => "application.lifecycle.update",
            Some(AppStatus::Active) => "application.lifecycle.activate",
            Some(AppStatus::Inactive) => "application.lifecycle.deactivate",
            Some(AppStatus::Deleted | AppStatus::Missing) => "application.lifecycle.delete",
        };
        if let Some(status) = status {
            self.app_enabled = status == AppStatus::Active;
            self.org.app.status = status;
        }
        self.tell_org(knobs, now, kind, &[Subject::App]);
    }

    fn set_app_user(&mut self, knobs: &OktaKnobs, change: OktaChange, now: Timestamp) -> Done {
        let OktaChange::SetAppUser { who, status, sync_state, external_id, credentials, profile } = change
        else {
            return Ok(());
        };
        let person = self.find_person(&who)?;
        self.require(self.has_app(person), "a row without an assignment")?;
        let edited = profile.is_some();
        let row = self.org.rows.entry(person).or_default();
        row.status_changed = if status.is_some() { Some(now) } else { row.status_changed };
        row.status = status.or(row.status.take());
        row.sync_state = sync_state.or(row.sync_state.take());
        row.external_id = external_id.or(row.external_id.take());
        row.credentials = credentials.or(row.credentials.take());
        row.profile = profile.or(row.profile.take());
        row.updated = Some(now);
        let about = [Subject::AppUser(person), Subject::App, Subject::User(person)];
        self.tell_org(knobs, now, "application.user_membership.update", &about);
        if edited {
            self.tell_org(knobs, now, "directory.app_user_profile.update", &about);
            if knobs.app_profile_moves_user {
                self.person_mut(person).updated = now;
            }
        }
        Ok(())
    }

    fn import_group(
        &mut self,
        name: &str,
        id: Option<String>,
        source: Option<String>,
        now: Timestamp,
    ) -> Done {
        self.create_group(name, id, false, now)?;
        let source = source.unwrap_or_else(|| "0oa5im0000activedir1".to_owned());
        let group = self.newest_group();
        self.org.groups.entry(group).or_default().source = Some(source);
        Ok(())
    }

    /// `name` is for a target that has to be created; it is the source's where absent.
    pub(super) fn push_group(
        &mut self,
        knobs: &OktaKnobs,
        source: u32,
        target: Option<u32>,
        name: Option<&str>,
        status: PushStatus,
        now: Timestamp,
    ) -> Done {
        self.require(
            self.group(source).live() && self.org.push_of(source).is_none(),
            "pushing a group twice",
        )?;
        let target = match target {
            Some(target) => {
                let imported = self.org.groups.get(&target).is_some_and(|facts| facts.source.is_some());
                self.require(
                    imported && self.group(target).live(),
                    "linking to a group that is not imported",
                )?;
                target
            }
            None => {
                let name = name.map_or_else(|| self.group(source).name.to_string(), str::to_owned);
                self.import_group(&name, None, Some(super::OKTA_APP_ID.to_owned()), now)?;
                self.newest_group()
            }
        };
        self.org.groups.entry(target).or_default().mirrors = Some(source);
        let id = self.new_id("gPm");
        let pushed = (status == PushStatus::Active).then_some(now);
        let (created, updated) = (now, now);
        self.org.pushes.push(Push { id, source, target, status, error: None, created, updated, pushed });
        let about = [Subject::Group(source), Subject::Group(target), Subject::App];
        self.tell_org(knobs, now, "application.provision.group_push.mapping.created", &about);
        Ok(())
    }

    pub(super) fn set_push(
        &mut self,
        knobs: &OktaKnobs,
        source: u32,
        status: PushStatus,
        error: Option<String>,
        now: Timestamp,
    ) -> Done {
        let place = self.org.push_of(source).ok_or(NO_PUSH)?;
        let push = &mut self.org.pushes[place];
        push.status = status;
        push.error = error;
        push.updated = now;
        let kind = match status {
            PushStatus::Active => "application.provision.group_push.activate_mapping",
            PushStatus::Inactive => "application.provision.group_push.deactivate_mapping",
            PushStatus::Error => {
                "application.provision.group_push.mapping.update.or.delete.failed.with.error"
            }
        };
        self.tell_org(knobs, now, kind, &[Subject::Group(source), Subject::App]);
        Ok(())
    }

    pub(super) fn unpush(
        &mut self,
        knobs: &OktaKnobs,
        source: u32,
        delete_target: bool,
        now: Timestamp,
    ) -> Done {
        let place = self.org.push_of(source).ok_or(NO_PUSH)?;
        let push = self.org.pushes.remove(place);
        self.org.groups.entry(push.target).or_default().mirrors = None;
        let about = [Subject::Group(source), Subject::Group(push.target), Subject::App];
        self.tell_org(knobs, now, "application.provision.group_push.removed", &about);
        if delete_target {
            self.tell_org(knobs, now, "application.provision.group_push.delete_appgroup", &about);
            let target = self.group(push.target).id.to_string();
            self.purge_group(&target)?;
        }
        Ok(())
    }
}
