//! Carries a `Change` out on a directory, all of it or nothing.

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;

use super::Flavour;
use super::access::ROLES;
use super::changes::Change;
use super::changes::ChangeError;
use super::directory::Directory;
use super::directory::Life;
use super::directory::Principal;
use super::directory::Status;
use super::events::Event;

type Done = Result<(), ChangeError>;

impl Directory {
    pub(super) fn change(&mut self, change: Change, now: Timestamp) -> Done {
        self.purge_due(now);
        match change {
            Change::Hire(hire) => self.hire(hire, now),
            Change::Rehire { login, id } => self.rehire(&login, id, now),
            Change::Rename { who, login, mail, given_name, surname, display_name } => {
                let who = self.find_person(&who)?;
                if let Some(login) = login {
                    self.set_login(who, &login, now)?;
                }
                let texts = [
                    ("mail", mail),
                    ("givenName", given_name),
                    ("surname", surname),
                    ("displayName", display_name),
                ];
                texts
                    .into_iter()
                    .filter_map(|(property, text)| text.map(|text| (property, text)))
                    .try_for_each(|(property, text)| self.set(who, property, Value::String(text), now))
            }
            Change::SwapLogins { one, other } => self.swap_logins(&one, &other, now),
            Change::Set { who, property, value } => {
                let who = self.find_person(&who)?;
                self.set(who, &property, value, now)
            }
            Change::SetManager { who, manager } => self.set_manager(&who, manager.as_deref(), now),
            Change::Disable { who } => self.set_status(&who, Status::Suspended, now),
            Change::Enable { who } => self.set_status(&who, Status::Active, now),
            Change::SetStatus { who, status } => self.set_okta_status(&who, status, now),
            Change::SoftDelete { who } => self.soft_delete(&who, now),
            Change::Restore { who } => self.restore(&who, now),
            Change::Purge { who } => self.purge(&who, now),
            Change::Assign { principal, role } => self.assign_role(&principal, role.as_deref(), now),
            Change::Unassign { principal } => self.unassign(&principal),
            Change::CreateGroup { name, id, assigned } => self.create_group(&name, id, assigned, now),
            Change::RenameGroup { group, name } => self.rename_group(&group, &name, now),
            Change::DescribeGroup { group, description } => self.describe_group(&group, description, now),
            Change::SetGroup { group, property, value } => self.set_group(&group, &property, value, now),
            Change::DeleteGroup { group } => self.delete_group(&group, now),
            Change::RestoreGroup { group } => self.restore_group(&group),
            Change::PurgeGroup { group } => self.purge_group(&group),
            Change::Join { group, member } => self.add_member(&group, &member, now),
            Change::Leave { group, member } => self.remove_member(&group, &member, now),
            Change::Move { who, from, to } => {
                let (person, target) = (self.find_person(&who)?, self.find_group(&to)?);
                let is_new = !self.group(target).members.contains(&Principal::User(person));
                self.require(self.group(target).live() && is_new, "moving")?;
                self.remove_member(&from, &who, now)?;
                self.add_member(&to, &who, now)
            }
            Change::SetApp { enabled } => {
                self.app_enabled = enabled;
                Ok(())
            }
            Change::Okta { .. } => Err(ChangeError::Unsupported { what: "a change of Okta" }),
        }
    }

    /// Purges what has been in the recycle bin for too long, each at its time.
    pub(super) fn purge_due(&mut self, now: Timestamp) {
        let Some(days) = self.keeps_deleted_days else { return };
        let kept = SignedDuration::from_hours(24 * days);
        while let Some(&(at, principal)) = self.bin.first() {
            let Ok(due) = at.checked_add(kept) else { return };
            if due > now {
                return;
            }
            self.bin.pop_first();
            let (life, id) = match principal {
                Principal::User(person) => (self.person(person).life, self.person(person).id.clone()),
                Principal::Group(group) => (self.group(group).life, self.group(group).id.clone()),
                Principal::Other(_) => continue,
            };
            if life == Life::Deleted(at) {
                let purged = match principal {
                    Principal::User(_) => self.purge(&id, due),
                    _ => self.purge_group(&id),
                };
                debug_assert!(purged.is_ok(), "what is in the bin can be purged");
            }
        }
    }

    /// By id in any state, or by the login that is held now.
    pub(super) fn find_person(&self, who: &str) -> Result<u32, ChangeError> {
        let found = self.person_by_id(who).or_else(|| self.person_by_login(who));
        found.ok_or(ChangeError::NotFound { what: "person" })
    }

    pub(super) fn find_group(&self, group: &str) -> Result<u32, ChangeError> {
        let found = self.group_by_id(group).or_else(|| self.group_by_name(group));
        found.ok_or(ChangeError::NotFound { what: "group" })
    }

    pub(super) fn find_principal(&self, text: &str) -> Result<Principal, ChangeError> {
        match self.find_person(text) {
            Ok(person) => Ok(Principal::User(person)),
            Err(_) => self.find_group(text).map(Principal::Group),
        }
    }

    fn assign_role(&mut self, principal: &str, role: Option<&str>, now: Timestamp) -> Done {
        let principal = self.find_principal(principal)?;
        if !self.is_live(principal) {
            return Err(ChangeError::WrongState { what: "assigning" });
        }
        let role = match role {
            None => 0,
            Some(value) => ROLES
                .iter()
                .position(|known| known.1 == value)
                .ok_or(ChangeError::NotFound { what: "app role" })?,
        };
        let role = u8::try_from(role).expect("there are three roles");
        if self.assign(principal, role, now) {
            Ok(())
        } else {
            Err(ChangeError::WrongState { what: "assigning twice" })
        }
    }

    fn unassign(&mut self, principal: &str) -> Done {
        let principal = self.find_principal(principal)?;
        if !self.is_assigned(principal) {
            return Err(ChangeError::WrongState { what: "unassigning" });
        }
        self.drop_assignments(principal);
        Ok(())
    }

    pub(super) fn drop_assignments(&mut self, principal: Principal) {
        let roles: Vec<_> = self.rows_of(principal).map(|(role, _)| role).collect();
        for role in roles {
            self.assignments.remove(&(principal, role));
        }
    }

    fn add_member(&mut self, group: &str, member: &str, now: Timestamp) -> Done {
        let group = self.find_group(group)?;
        let member = self.find_principal(member)?;
        if self.flavour == Flavour::Okta && matches!(member, Principal::Group(_)) {
            return Err(ChangeError::Unsupported { what: "a group within a group" });
        }
        if !self.group(group).live() || !self.is_live(member) || !self.join(group, member) {
            return Err(ChangeError::WrongState { what: "joining" });
        }
        self.membership_changed(group, now);
        self.log.push(Event::MemberAdded(group, member));
        Ok(())
    }

    fn remove_member(&mut self, group: &str, member: &str, now: Timestamp) -> Done {
        let group = self.find_group(group)?;
        let member = self.find_principal(member)?;
        if !self.group(group).live() || !self.leave(group, member) {
            return Err(ChangeError::WrongState { what: "leaving" });
        }
        self.membership_changed(group, now);
        self.log.push(Event::MemberRemoved(group, member));
        Ok(())
    }

    pub(super) fn require(&self, holds: bool, what: &'static str) -> Done {
        if holds { Ok(()) } else { Err(ChangeError::WrongState { what }) }
    }

    pub(super) fn is_deleted(&self, person: u32) -> bool {
        matches!(self.person(person).life, Life::Deleted(_))
    }
}
