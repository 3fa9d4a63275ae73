//! Which properties of a user are asked for, and how: the list, one user, and the feed differ.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use super::settings::GraphSettings;

/// What needs a P1 licence and AuditLog.Read.All, lies outside the directory store, and is in no feed (graph.md
/// section 3, 6.4 rule 9).
pub(super) const PREMIUM: &str = "signInActivity";

/// The largest page that can be had with it (graph.md 5.2).
const PREMIUM_PAGE_MAX: u16 = 500;

/// A navigation property: the list expands it, the feed names it (graph.md 5.4, 6.1).
const MANAGER: &str = "manager";

/// The `$select` of users.
pub(super) struct UserSelect {
    plain: String,
    premium: bool,
    /// Graph refused the premium property: it is left out from then on.
    refused: AtomicBool,
    page_size: u16,
}

impl UserSelect {
    pub(super) fn new(settings: &GraphSettings) -> UserSelect {
        let names = settings.user_attributes();
        let plain: Vec<&str> =
            names.iter().copied().filter(|name| *name != PREMIUM && *name != MANAGER).collect();
        UserSelect {
            plain: plain.join(","),
            premium: names.contains(&PREMIUM),
            refused: AtomicBool::new(false),
            page_size: settings.page_size,
        }
    }

    /// The query of one user, or of a list of them: the manager with it (graph.md 6.6 R2).
    pub(super) fn whole(&self) -> String {
        let premium = if self.is_premium() { format!(",{PREMIUM}") } else { String::new() };
        format!("$select={}{premium}&$expand={MANAGER}($select=id)", self.plain)
    }

    /// What the feed watches.
    pub(super) fn feed(&self) -> String {
        format!("$select={},{MANAGER}", self.plain)
    }

    /// What a watermark was made for: with more properties everybody has to be read again.
    pub(super) fn key(&self) -> String {
        let premium = if self.premium { format!(",{PREMIUM}") } else { String::new() };
        format!("{},{MANAGER}{premium}", self.plain)
    }

    pub(super) fn page_size(&self) -> u16 {
        if self.is_premium() { self.page_size.min(PREMIUM_PAGE_MAX) } else { self.page_size }
    }

    /// Whether something is asked for that a tenant without a licence refuses.
    pub(super) fn is_premium(&self) -> bool {
        self.premium && !self.refused.load(Ordering::Relaxed)
    }

    pub(super) fn leave_out_premium(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Secret;

    fn select(attributes: &[&str]) -> UserSelect {
        let mut settings = GraphSettings::new("contoso.com", "1", Secret::new("s"));
        settings.attributes = attributes.iter().map(|name| (*name).to_owned()).collect();
        UserSelect::new(&settings)
    }

    #[test]
    fn the_manager_is_expanded_in_lists_and_named_in_the_feed() {
        let select = select(&["manager", "employeeHireDate"]);
        assert!(select.whole().starts_with("$select=id,accountEnabled,userPrincipalName,"));
        assert!(select.whole().ends_with(",employeeHireDate&$expand=manager($select=id)"));
        assert!(select.feed().ends_with(",employeeHireDate,manager"));
        assert_eq!(format!("$select={}", select.key()), select.feed());
        assert_eq!(select.page_size(), 999);
    }

    #[test]
    fn the_premium_property_is_asked_for_until_it_is_refused_and_never_in_the_feed() {
        let select = select(&["signInActivity"]);
        assert!(select.whole().contains(",signInActivity&"));
        assert!(!select.feed().contains("signInActivity"));
        assert_eq!(select.page_size(), 500);
        let key = select.key();
        select.leave_out_premium();
        assert!(!select.whole().contains("signInActivity"));
        assert_eq!(select.page_size(), 999);
        assert_eq!(select.key(), key, "a refusal starts nothing over");
    }
}
