//! One of everything that okta.md sections 6, 11 and 13 name, on top of whatever is in the org.

use jiff::Timestamp;

use super::super::changes::Change;
use super::super::changes::ChangeError;
use super::super::changes::Hire;
use super::super::directory::Directory;
use super::super::directory::Status;
use super::OktaKnobs;
use super::changes::Credentials;
use super::changes::OktaChange;
use super::record;

const STATUSES: [(&str, Status); 7] = [
    ("staged", Status::Staged),
    ("provisioned", Status::Provisioned),
    ("active", Status::Active),
    ("recovery", Status::Recovery),
    ("password-expired", Status::PasswordExpired),
    ("locked-out", Status::LockedOut),
    ("suspended", Status::Suspended),
];

/// Every status of a row, and one that nobody knows (okta.md section 6.2).
const ROWS: [&str; 14] = [
    "ACTIVE",
    "PROVISIONED",
    "STAGED",
    "PENDING",
    "APPROVED",
    "IMPLICIT",
    "IMPORTED",
    "MATCHED",
    "INACTIVE",
    "SUSPENDED",
    "DEPROVISIONED",
    "REVOKED",
    "UNASSIGNED",
    "HIBERNATING",
];

/// Two of them have the same name; the others are hard to put into a filter, a path or a page.
const GROUPS: [&str; 7] = [
    "Odd twins",
    "Odd twins",
    "Odd \"quoted\" \\ group",
    "Odd/slash, comma",
    "<b>Odd</b>",
    " Odd spaces ",
    "Odd Zürich 東京",
];

pub(super) fn add(directory: &mut Directory, knobs: &OktaKnobs, now: Timestamp) -> Result<(), ChangeError> {
    let mut odd = Odd { directory, knobs, now };
    odd.groups()?;
    odd.people()?;
    odd.rows()
}

struct Odd<'a> {
    directory: &'a mut Directory,
    knobs: &'a OktaKnobs,
    now: Timestamp,
}

impl Odd<'_> {
    fn make(&mut self, change: Change) -> Result<(), ChangeError> {
        record::change(self.directory, self.knobs, change, self.now)
    }

    fn groups(&mut self) -> Result<(), ChangeError> {
        let longest = "x".repeat(255);
        for name in GROUPS.into_iter().chain([longest.as_str(), "Odd team"]) {
            let assigned = name == "Odd team";
            self.make(Change::CreateGroup { name: name.to_owned(), id: None, assigned })?;
        }
        let import = OktaChange::ImportGroup { name: "Odd twins".to_owned(), id: None, source: None };
        self.make(Change::Okta { what: import })
    }

    /// One of each status, all in the team; one more who is deactivated, and one who is in no assigned group.
    fn people(&mut self) -> Result<(), ChangeError> {
        for (name, status) in STATUSES {
            let login = self.hire(name, false, &["Odd team"])?;
            if status != Status::Active {
                self.make(Change::SetStatus { who: login, status })?;
            }
        }
        let leaver = self.hire("deprovisioned", true, &["Odd team"])?;
        self.make(Change::SoftDelete { who: leaver })?;
        self.hire("unassigned", false, &["<b>Odd</b>"]).map(|_| ())
    }

    /// A row in each status; missing and empty credentials, an empty profile, both ways of assignment.
    fn rows(&mut self) -> Result<(), ChangeError> {
        for status in ROWS {
            let login = self.hire(&format!("row-{}", status.to_lowercase()), true, &[])?;
            self.set_row(login, Some(status), None, None)?;
        }
        let login = self.hire("row-without-credentials", true, &[])?;
        self.set_row(login, None, Some(Credentials::Missing), None)?;
        let login = self.hire("row-with-empty-credentials", true, &[])?;
        self.set_row(login, None, Some(Credentials::Empty), None)?;
        let login = self.hire("row-with-empty-profile", true, &[])?;
        self.set_row(login, None, None, Some(serde_json::json!({})))?;
        self.hire("row-both-ways", true, &["Odd team"]).map(|_| ())
    }

    fn hire(&mut self, name: &str, assigned: bool, groups: &[&str]) -> Result<String, ChangeError> {
        let login = format!("odd.{name}@acme.example");
        let mut hire = Hire::assigned(&login, "Odd", name);
        hire.assigned = assigned;
        hire.groups = groups.iter().map(|&group| group.to_owned()).collect();
        self.make(Change::Hire(hire)).map(|()| login)
    }

    fn set_row(
        &mut self,
        who: String,
        status: Option<&str>,
        credentials: Option<Credentials>,
        profile: Option<serde_json::Value>,
    ) -> Result<(), ChangeError> {
        let status = status.map(str::to_owned);
        let what =
            OktaChange::SetAppUser { who, status, sync_state: None, external_id: None, credentials, profile };
        self.make(Change::Okta { what })
    }
}
