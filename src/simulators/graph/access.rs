//! Which permission a call needs, and what is left of an object that the client may not read (graph.md section 2.9).

use super::super::directory::Principal;
use super::super::exchange::Answer;
use super::View;
use super::call::Call;
use super::call::Reach;
use super::errors;

/// Any one of the permissions is enough.
type AnyOf = &'static [&'static str];

const USERS: AnyOf =
    &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
const MEMBERS: AnyOf = &[
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const DELETED_GROUPS: AnyOf =
    &["Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
const APPLICATIONS: AnyOf =
    &["Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
const DIRECTORY: AnyOf = &["Directory.Read.All", "Directory.ReadWrite.All"];
const ORGANIZATION: AnyOf = &["Organization.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"];
const DEVICES: AnyOf = &["Device.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"];
const HIDDEN: AnyOf = &["Member.Read.Hidden"];
const SIGN_INS: AnyOf = &["AuditLog.Read.All"];

/// 403 unless everything that the call needs was granted.
pub(super) fn check(view: &View, call: &Call) -> Result<(), Answer> {
    let needed: &[AnyOf] = match call {
        Call::Token(_) | Call::Imds | Call::Arc | Call::Batch => &[],
        Call::Organization => &[ORGANIZATION],
        Call::Users | Call::UsersDelta | Call::User(_) | Call::Manager(_) => &[USERS],
        Call::Groups | Call::GroupsDelta | Call::Group(_) | Call::Members(_) => &[MEMBERS],
        Call::Apps | Call::App(_) | Call::AssignedTo(_) => &[APPLICATIONS],
        Call::Applications | Call::Application(_) => &[APPLICATIONS],
        Call::UserAssignments(_) | Call::GroupAssignments(_) | Call::ByIds => &[DIRECTORY],
        Call::MemberOf(related) if related.reach == Reach::Transitive => &[DIRECTORY],
        Call::MemberOf(_) => &[USERS],
        Call::CheckMemberGroups(_) => &[USERS, MEMBERS],
        Call::DeletedItems(Some(kind)) if kind == "group" => &[DELETED_GROUPS],
        Call::DeletedItems(Some(kind)) if kind == "user" => &[USERS],
        Call::DeletedItems(_) => &[DIRECTORY],
        // What it is shows only when it is found.
        Call::DeletedItem(_) => &[],
        // UNCONFIRMED 9: whoever may read users may ask.
        Call::Extensions => &[USERS],
        Call::Count(inner) => return check(view, inner),
    };
    if needed.iter().all(|any_of| view.may(any_of)) { Ok(()) } else { Err(errors::of_status(403)) }
}

impl View<'_> {
    fn may(&self, any_of: AnyOf) -> bool {
        any_of.iter().any(|name| self.granted.contains(*name))
    }

    /// Whether more than type and id of the object may be read.
    pub(super) fn may_read(&self, principal: Principal) -> bool {
        match principal {
            Principal::User(_) => self.may(USERS),
            Principal::Group(_) => self.may(MEMBERS),
            Principal::Other(other) => match self.directory.others[other as usize].kind {
                "device" => self.may(DEVICES),
                _ => self.may(APPLICATIONS),
            },
        }
    }

    pub(super) fn may_read_deleted(&self, principal: Principal) -> bool {
        match principal {
            Principal::Group(_) => self.may(DELETED_GROUPS),
            _ => self.may_read(principal),
        }
    }

    /// A group with hidden membership shows nobody without a permission of its own.
    pub(super) fn may_read_members(&self, group: u32) -> bool {
        let visibility = self.directory.group(group).attributes.get("visibility");
        visibility.and_then(|value| value.as_str()) != Some("HiddenMembership") || self.may(HIDDEN)
    }

    pub(super) fn may_read_sign_ins(&self) -> bool {
        self.may(SIGN_INS)
    }
}
