//! What `status` and `check` say of workspaces: follow-ups that are open, tokens that end.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::config::Config;
use crate::config::FollowUpsConfig;
use crate::model::Finding;
use crate::model::Grade;
use crate::report::printable;
use crate::store::FollowUpCounts;
use crate::store::Store;

pub struct WorkspaceStatus {
    workspace: String,
    follow_ups: FollowUpCounts,
    /// Whether the settings say where follow-ups go.
    has_receiver: bool,
    /// Of tokens that end.
    notes: Vec<String>,
}

impl WorkspaceStatus {
    /// All workspaces of the settings.
    pub async fn all(
        config: &Config,
        store: &Store,
        now: Timestamp,
    ) -> Result<Vec<WorkspaceStatus>, anyhow::Error> {
        let tokens = store.tokens().await?;
        let mut all = Vec::new();
        for (name, workspace) in &config.workspaces {
            let FollowUpsConfig { rhythm, overdue, receiver } = &workspace.follow_ups;
            let after = overdue.saturating_add(rhythm.delay);
            let of_it = tokens.iter().filter(|token| token.workspace == *name);
            all.push(WorkspaceStatus {
                workspace: name.clone(),
                follow_ups: store.follow_up_counts(name, after, now).await?,
                has_receiver: receiver.is_some(),
                notes: of_it.filter_map(|token| token.note(now)).collect(),
            });
        }
        Ok(all)
    }

    /// Nothing where there is nothing to say.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let FollowUpCounts { waiting, sent, overdue } = self.follow_ups;
        if waiting + sent > 0 {
            let unsent = if self.has_receiver { "" } else { " (nothing sends them)" };
            let late = if overdue > 0 { format!(", {overdue} of them overdue") } else { String::new() };
            out += &format!(
                "  follow-ups  {waiting} waiting{unsent}, {sent} sent and not acknowledged{late}; look at them: rosterd \
                 workspace follow-ups --workspace {}\n",
                self.workspace
            );
        }
        for note in &self.notes {
            out += &format!("  token       {}\n", printable(note));
        }
        if out.is_empty() { out } else { format!("workspace {}\n{out}", printable(&self.workspace)) }
    }

    pub fn json(&self) -> Value {
        let FollowUpCounts { waiting, sent, overdue } = self.follow_ups;
        json!({
            "workspace": self.workspace,
            "follow_ups": { "waiting": waiting, "sent": sent, "overdue": overdue },
            "tokens": self.notes,
        })
    }

    /// For `check`: what somebody should do something about.
    pub fn findings(&self) -> Vec<Finding> {
        let warning = |subject: &str, text: &str, cure: &str| Finding {
            grade: Grade::Warning,
            subject: subject.to_owned(),
            text: text.to_owned(),
            cure: cure.to_owned(),
        };
        let mut findings: Vec<Finding> = self
            .notes
            .iter()
            .map(|note| note.split_once("; ").unwrap_or((note, "")))
            .map(|(text, cure)| warning("token", text, cure))
            .collect();
        if self.follow_ups.overdue > 0 {
            let text = format!("{} are overdue", self.follow_ups.overdue);
            let cure = format!("see: rosterd workspace follow-ups --workspace {}", self.workspace);
            findings.push(warning("follow-ups", &text, &cure));
        }
        findings
    }

    pub fn name(&self) -> &str {
        &self.workspace
    }
}
