//! Adoption: which resource that is there may become ours without asking (P6).

use super::Hit;
use super::Ours;
use super::Owner;
use super::Policy;
use crate::plan::Adoption;
use crate::plan::TeamNames;
use crate::scim::Kind;
use crate::scim::fold;

/// Whom a resource's `externalId` names. Ids are compared exactly (RFC 7643 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    Nobody,
    Us,
    Somebody,
}

/// What another job owns bears that job's id, which says nothing about ours.
pub(super) fn claim(ours: Ours<'_>, hit: &Hit) -> Claim {
    match hit.external_id.as_deref().filter(|id| !id.is_empty()) {
        None => Claim::Nobody,
        Some(id) if ours.external_id == Some(id) => Claim::Us,
        Some(_) if matches!(hit.owner, Owner::OtherJob(_)) => Claim::Nobody,
        Some(_) => Claim::Somebody,
    }
}

/// | policy | externalId is ours | none, and the name is ours | none, found by a verified mail | none, anything else |
/// |---|---|---|---|---|
/// | never | no | no | no | no |
/// | external_id | yes | no | no | no |
/// | external_id_or_name | yes | yes | no | no |
/// | verified_mail | yes | yes | yes | no |
///
/// Taking accounts over by a bare mail address has been a way to take over other people's accounts (SCIM reference,
/// O4), so a mail counts only where the source vouches for it. `team_names = "link"` adopts a team of the same name
/// under every policy.
pub(super) fn adopts(policy: Policy, ours: Ours<'_>, by: &str, hit: &Hit) -> bool {
    let named = ours.name.is_some() && ours.name.map(fold) == hit.name.as_deref().map(fold);
    if ours.kind == Kind::Group && policy.names == TeamNames::Link && named {
        return claim(ours, hit) != Claim::Somebody;
    }
    match (policy.adopt, claim(ours, hit)) {
        (Adoption::Never, _) | (_, Claim::Somebody) => false,
        (_, Claim::Us) => true,
        (Adoption::ExternalId, Claim::Nobody) => false,
        (Adoption::ExternalIdOrName, Claim::Nobody) => named,
        (Adoption::VerifiedMail, Claim::Nobody) => named || (ours.verified_mail && is_mail(by)),
    }
}

/// Whether a matching attribute is a mail address.
pub fn is_mail(path: &str) -> bool {
    path == "emails" || path.starts_with("emails.") || path.starts_with("emails[")
}

pub(super) fn refusal(policy: Adoption) -> &'static str {
    match policy {
        Adoption::Never => "`adopt = \"never\"` takes nobody over",
        Adoption::ExternalId => "`adopt = \"external_id\"` takes over only where the externalId is ours",
        Adoption::ExternalIdOrName => {
            "`adopt = \"external_id_or_name\"` takes over only where externalId or name are ours"
        }
        Adoption::VerifiedMail => {
            "`adopt = \"verified_mail\"` takes over only where externalId or name are ours, or the source vouches for the mail"
        }
    }
}
