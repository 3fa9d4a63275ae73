//! What statuses mean where Okta leaves it to the reader: suspended and staged people, implicit assignments.

use serde::Deserialize;

use super::records::Meaning;

/// How people stand whose status alone does not say it (okta.md section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusPolicy {
    /// SUSPENDED: cannot sign in, keeps assignments and groups. Okta itself pushes nothing.
    pub suspended: Treatment,
    /// STAGED: made, and never activated.
    pub staged: Treatment,
    /// Whether an IMPLICIT row, access without an explicit assignment, counts as assigned.
    pub implicit: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Treatment {
    Active,
    Inactive,
}

impl Default for StatusPolicy {
    fn default() -> StatusPolicy {
        StatusPolicy { suspended: Treatment::Inactive, staged: Treatment::Inactive, implicit: true }
    }
}

impl StatusPolicy {
    /// Whether somebody of this status may work. Nobody is shut out for a forgotten password.
    ///
    /// | status | may work |
    /// |---|---|
    /// | ACTIVE, PROVISIONED, RECOVERY, PASSWORD_EXPIRED, LOCKED_OUT | yes |
    /// | SUSPENDED, STAGED | what the settings say; no by default |
    /// | DEPROVISIONED | no |
    /// | any, on the way to DEPROVISIONED (`transitioningToStatus`) | no: it is decided, and the job that does it runs |
    /// | another one | unknown |
    pub(super) fn enabled(self, status: &str, becoming: Option<&str>) -> Meaning {
        if becoming == Some("DEPROVISIONED") {
            return Meaning::No;
        }
        match status {
            "ACTIVE" | "PROVISIONED" | "RECOVERY" | "PASSWORD_EXPIRED" | "LOCKED_OUT" => Meaning::Yes,
            "SUSPENDED" => self.suspended.meaning(),
            "STAGED" => self.staged.meaning(),
            "DEPROVISIONED" => Meaning::No,
            _ => Meaning::Unknown,
        }
    }

    /// Whether the row of an app user counts as assigned. `syncState` says how Okta's own provisioning fares, and
    /// nothing about the assignment.
    ///
    /// | status | assigned |
    /// |---|---|
    /// | ACTIVE, PROVISIONED, STAGED, PENDING, APPROVED | yes |
    /// | IMPLICIT | what the settings say; yes by default |
    /// | IMPORTED, MATCHED: candidates of an import, not confirmed | no |
    /// | INACTIVE, SUSPENDED, DEPROVISIONED, REVOKED, UNASSIGNED | no |
    /// | another one | unknown |
    pub(super) fn assigned(self, status: &str) -> Meaning {
        match status {
            "ACTIVE" | "PROVISIONED" | "STAGED" | "PENDING" | "APPROVED" => Meaning::Yes,
            "IMPLICIT" if self.implicit => Meaning::Yes,
            "IMPLICIT" | "IMPORTED" | "MATCHED" => Meaning::No,
            "INACTIVE" | "SUSPENDED" | "DEPROVISIONED" | "REVOKED" | "UNASSIGNED" => Meaning::No,
            _ => Meaning::Unknown,
        }
    }
}

impl Treatment {
    fn meaning(self) -> Meaning {
        match self {
            Treatment::Active => Meaning::Yes,
            Treatment::Inactive => Meaning::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Meaning::No;
    use Meaning::Unknown;
    use Meaning::Yes;

    /// okta.md section 6.1, row by row.
    #[test]
    fn every_status_of_a_user_has_its_row() {
        let usual = StatusPolicy::default();
        for (status, expected) in [
            ("STAGED", No),
            ("PROVISIONED", Yes),
            ("ACTIVE", Yes),
            ("RECOVERY", Yes),
            ("PASSWORD_EXPIRED", Yes),
            ("LOCKED_OUT", Yes),
            ("SUSPENDED", No),
            ("DEPROVISIONED", No),
            ("ASLEEP", Unknown),
            ("", Unknown),
        ] {
            assert_eq!(usual.enabled(status, None), expected, "{status}");
        }
    }

    #[test]
    fn suspended_and_staged_people_are_a_matter_of_policy() {
        let kind = StatusPolicy { suspended: Treatment::Active, ..StatusPolicy::default() };
        assert_eq!((kind.enabled("SUSPENDED", None), kind.enabled("STAGED", None)), (Yes, No));
        let early = StatusPolicy { staged: Treatment::Active, ..StatusPolicy::default() };
        assert_eq!((early.enabled("SUSPENDED", None), early.enabled("STAGED", None)), (No, Yes));
    }

    #[test]
    fn who_is_being_deactivated_is_deactivated_and_who_is_being_activated_is_not_active_yet() {
        let usual = StatusPolicy::default();
        assert_eq!(usual.enabled("ACTIVE", Some("DEPROVISIONED")), No);
        assert_eq!(usual.enabled("DEPROVISIONED", Some("PROVISIONED")), No);
        assert_eq!(usual.enabled("STAGED", Some("ACTIVE")), No);
        assert_eq!(usual.enabled("PROVISIONED", Some("ACTIVE")), Yes);
    }

    /// okta.md section 6.2, row by row.
    #[test]
    fn every_status_of_an_assignment_has_its_row() {
        let usual = StatusPolicy::default();
        for (status, expected) in [
            ("ACTIVE", Yes),
            ("PROVISIONED", Yes),
            ("STAGED", Yes),
            ("PENDING", Yes),
            ("APPROVED", Yes),
            ("IMPLICIT", Yes),
            ("IMPORTED", No),
            ("MATCHED", No),
            ("INACTIVE", No),
            ("SUSPENDED", No),
            ("DEPROVISIONED", No),
            ("REVOKED", No),
            ("UNASSIGNED", No),
            ("FROZEN", Unknown),
        ] {
            assert_eq!(usual.assigned(status), expected, "{status}");
        }
        let strict = StatusPolicy { implicit: false, ..usual };
        assert_eq!(strict.assigned("IMPLICIT"), No);
    }
}
