//! Who owns a resource, and who writes: a job that pulls, a tenant that pushes, or an administrator at this machine.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

/// The one owner of a resource. Only it writes, unless the workspace's policy allows others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A job, by its name.
    Job(String),
    /// A tenant that pushes: all tokens that were made for it, one after the other.
    Push(String),
    /// An administrator, through the commands.
    Local,
}

/// As the state keeps it and as people read it: `job acme`, `push okta`, `local`.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Job(name) => write!(f, "job {name}"),
            Owner::Push(tenant) => write!(f, "push {tenant}"),
            Owner::Local => f.write_str("local"),
        }
    }
}

/// The text is none of an owner.
#[derive(Debug, thiserror::Error)]
#[error("not an owner: expected `job NAME`, `push TENANT` or `local`")]
pub struct NoOwner;

impl FromStr for Owner {
    type Err = NoOwner;

    fn from_str(text: &str) -> Result<Owner, NoOwner> {
        match text.split_once(' ') {
            Some(("job", name)) => Ok(Owner::Job(name.to_owned())),
            Some(("push", tenant)) => Ok(Owner::Push(tenant.to_owned())),
            None if text == "local" => Ok(Owner::Local),
            _ => Err(NoOwner),
        }
    }
}

/// Who writes, and when.
#[derive(Clone, Debug)]
pub struct Author {
    pub owner: Owner,
    /// The public id of the token that a push came with; of a command, who gave it.
    pub by: Option<String>,
    /// Of a command, why.
    pub reason: Option<String>,
    /// Whether it may write what another owns (the workspace's policy).
    pub writes_others: bool,
    pub now: Timestamp,
}

impl Author {
    /// A job that pulls. What jobs may do to each other's resources is the engine's matter: links know it.
    pub fn job(name: impl Into<String>, now: Timestamp) -> Author {
        Author { owner: Owner::Job(name.into()), by: None, reason: None, writes_others: false, now }
    }

    /// A token of a tenant that pushes.
    pub fn push(
        tenant: impl Into<String>,
        token: impl Into<String>,
        writes_others: bool,
        now: Timestamp,
    ) -> Author {
        let (owner, by) = (Owner::Push(tenant.into()), Some(token.into()));
        Author { owner, by, reason: None, writes_others, now }
    }

    /// An administrator at this machine, who answers for what he does.
    pub fn local(who: impl Into<String>, reason: impl Into<String>, now: Timestamp) -> Author {
        let (by, reason) = (Some(who.into()), Some(reason.into()));
        Author { owner: Owner::Local, by, reason, writes_others: true, now }
    }

    /// Who gave the command or sent the push; of a job, its name.
    pub fn who(&self) -> String {
        self.by.clone().unwrap_or_else(|| self.owner.to_string())
    }

    /// Whether a resource of this owner may be written. Jobs settle it among themselves, by their links.
    pub fn may_write(&self, owner: &Owner) -> bool {
        self.writes_others || self.is_at_home(owner)
    }

    /// Whether what this owner has is the author's own.
    pub fn is_at_home(&self, owner: &Owner) -> bool {
        self.owner == *owner || matches!((&self.owner, owner), (Owner::Job(_), Owner::Job(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_as_it_is_written() {
        for owner in [Owner::Job("acme".to_owned()), Owner::Push("okta".to_owned()), Owner::Local] {
            assert_eq!(owner.to_string().parse::<Owner>().ok(), Some(owner));
        }
        assert!("acme".parse::<Owner>().is_err());
    }

    #[test]
    fn owners_do_not_write_each_others_resources() {
        let now = Timestamp::UNIX_EPOCH;
        let push = |tenant: &str| Owner::Push(tenant.to_owned());
        let job = |name: &str| Owner::Job(name.to_owned());
        let okta = Author::push("okta", "t1", false, now);
        assert!(okta.may_write(&push("okta")));
        assert!(
            !okta.may_write(&push("entra"))
                && !okta.may_write(&job("acme"))
                && !okta.may_write(&Owner::Local)
        );
        let acme = Author::job("acme", now);
        assert!(acme.may_write(&job("acme")) && acme.may_write(&job("other")));
        assert!(!acme.may_write(&push("okta")));
        assert!(Author::push("okta", "t1", true, now).may_write(&push("entra")));
        assert!(Author::local("root", "test", now).may_write(&push("entra")));
    }
}
