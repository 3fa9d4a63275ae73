//! What becomes of leavers, event by event.

use super::Checker;
use crate::config::problem::Key;
use crate::config::raw::RawLeavers;
use crate::model::Vocabulary;
use crate::plan::Actions;
use crate::plan::Departure;
use crate::plan::Leavers;
use crate::plan::OnLeave;
use crate::plan::OnTeamLeave;

impl Checker<'_> {
    pub(super) fn leavers(
        &mut self,
        table: &Key,
        raw: &RawLeavers,
        source: Option<Vocabulary>,
        actions: Actions,
    ) -> Option<Leavers> {
        let mut leavers = Leavers { teams: raw.teams.unwrap_or_default(), ..Leavers::default() };
        let mut whole = self.was_split(&table.join("users"), raw);
        for by in Departure::SETTINGS {
            match self.policy(&table.join(by.word()), by, written(raw, by), source) {
                Some(policy) => leavers.set(by, policy),
                None => whole = false,
            }
        }
        if source == Some(Vocabulary::Okta) {
            // An org has no recycle bin: who is missing from it is gone.
            leavers.soft_deleted = leavers.purged;
        }
        self.deletions(table, leavers, actions);
        whole.then_some(leavers)
    }

    /// Whether the key of old is not there.
    fn was_split(&mut self, key: &Key, raw: &RawLeavers) -> bool {
        if raw.users.is_some() {
            let cure = "take it out, and set what is meant of unassigned, out_of_scope, disabled, suspended, soft_deleted \
                        and purged";
            self.error::<()>(key, "every event has a policy of its own".to_owned(), cure);
        }
        raw.users.is_none()
    }

    fn policy(
        &mut self,
        key: &Key,
        by: Departure,
        raw: Option<&str>,
        source: Option<Vocabulary>,
    ) -> Option<OnLeave> {
        let policy = match OnLeave::read(raw.unwrap_or("deactivate")) {
            Ok(policy) => policy,
            Err(text) => return self.error_with_cure(key, &text),
        };
        let never = match (by, source?) {
            (Departure::Suspended, Vocabulary::Graph | Vocabulary::File) => "only Okta suspends people",
            (Departure::SoftDeleted, Vocabulary::Okta) => "an Okta org has no recycle bin",
            _ => return Some(policy),
        };
        match policy {
            OnLeave::Deactivate => Some(policy),
            _ => self.error(key, never.to_owned(), "take it out"),
        }
    }

    /// Deleting takes two settings, and one alone does nothing.
    fn deletions(&mut self, table: &Key, leavers: Leavers, actions: Actions) {
        let people = Departure::SETTINGS.into_iter().any(|by| leavers.policy(by).deletes());
        if (people || leavers.teams == OnTeamLeave::Delete) && !actions.delete {
            let cure = "set actions.delete = true as well, or every deletion is held";
            self.warn(table, "leavers are to be deleted, but deleting is switched off", cure);
        }
    }
}

fn written(raw: &RawLeavers, by: Departure) -> Option<&str> {
    match by {
        Departure::Unassigned => raw.unassigned.as_deref(),
        Departure::OutOfScope => raw.out_of_scope.as_deref(),
        Departure::Disabled => raw.disabled.as_deref(),
        Departure::Suspended => raw.suspended.as_deref(),
        Departure::SoftDeleted => raw.soft_deleted.as_deref(),
        Departure::Purged => raw.purged.as_deref(),
        Departure::Missing => None,
    }
}
