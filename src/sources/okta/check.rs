//! `rosterd check` of an Okta source: the application, its users, its groups, their members. Reads only.

use url::Url;

use super::OktaSource;
use super::refusal::Failure;
use super::talk::Rows;
use super::wire::App;
use super::wire::AppGroup;
use crate::model::Finding;
use crate::model::Grade;
use crate::sources::SourceError;

impl OktaSource {
    pub(super) async fn look(&self) -> Vec<Finding> {
        let sign_in = self.look_at_app().await;
        let refused = sign_in.grade == Grade::Error;
        let mut findings = vec![sign_in];
        if refused {
            return findings;
        }
        findings.push(self.look_at_users().await);
        findings.extend(self.look_at_groups().await);
        findings
    }

    /// Proves host, token, role and id in one request.
    async fn look_at_app(&self) -> Finding {
        let outcome = self.talk.one::<App>(self.below_app(&[], &[])).await.map_err(SourceError::from);
        let implicit = |app: &App| app.settings.as_ref().and_then(|settings| settings.implicit_assignment);
        match outcome {
            Err(error) => failed("application", error),
            Ok(app) if app.status != "ACTIVE" => finding(
                Grade::Error,
                "application",
                format!("{} is {}", app.label, app.status),
                "activate it in the admin console; until then nothing is read and nobody removed",
            ),
            Ok(app) if implicit(&app) == Some(true) => finding(
                Grade::Error,
                "application",
                format!("{} admits everybody without assignment", app.label),
                "switch implicitAssignment off and assign the people or groups who shall have it",
            ),
            Ok(app) => finding(Grade::Ok, "application", format!("{} is active", app.label), ""),
        }
    }

    async fn look_at_users(&self) -> Finding {
        let query = [("limit", "1"), ("expand", "user")];
        match self.first_page(self.below_app(&["users"], &query)).await {
            Err(error) => failed("app users", error),
            Ok(page) if page.rows.is_empty() => finding(
                Grade::Warning,
                "app users",
                "nobody is assigned".to_owned(),
                "assign people or groups; if there are some, the token may not see them: give its account the role \
                 Read-only Administrator",
            ),
            Ok(_) => finding(Grade::Ok, "app users", "can be read".to_owned(), ""),
        }
    }

    async fn look_at_groups(&self) -> Vec<Finding> {
        let page = match self.first_page(self.first_groups()).await {
            Ok(page) => page,
            Err(error) => return vec![failed("app groups", error)],
        };
        let (groups, _) = page.read::<AppGroup>();
        let Some(first) = groups.first() else {
            return vec![finding(
                Grade::Ok,
                "app groups",
                "none is assigned: there will be no teams".into(),
                "",
            )];
        };
        let members = match self.first_page(self.one_member(&first.id)).await {
            Err(error) => failed("group members", error),
            Ok(_) => finding(Grade::Ok, "group members", "can be read".to_owned(), ""),
        };
        let mut findings = vec![finding(Grade::Ok, "app groups", "can be read".to_owned(), "")];
        findings.extend(groups.iter().filter_map(everybody));
        findings.push(members);
        findings
    }

    fn one_member(&self, group: &str) -> Url {
        self.talk.address(&["groups", group, "users"], &[("limit", "1")])
    }

    async fn first_page(&self, url: Url) -> Result<Rows, SourceError> {
        let rows: Result<Rows, Failure> = self.talk.rows(url).await;
        rows.map_err(SourceError::from)
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

fn failed(subject: &str, error: SourceError) -> Finding {
    match error {
        SourceError::Refused { what, cure } => finding(Grade::Error, subject, what, &cure),
        other => {
            finding(Grade::Error, subject, other.to_string(), "try again; if it stays, ask who runs the org")
        }
    }
}

fn finding(grade: Grade, subject: &str, text: String, cure: &str) -> Finding {
    Finding { grade, subject: subject.to_owned(), text, cure: cure.to_owned() }
}
