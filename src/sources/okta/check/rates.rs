//! The check of allowances: what Okta shows of each, what of it is ours, and how long a full cycle takes with that.

use super::finding;
use super::grouped;
use super::ok;
use crate::model::Finding;
use crate::model::Grade;
use crate::sources::okta::OktaSource;
use crate::sources::okta::bucket::Family;

/// A full cycle that takes longer than this leaves an hourly schedule no room.
const LONG_MINUTES: u64 = 30;

/// How much there is to read.
pub(super) struct Sizes {
    pub users: u64,
    pub groups: u64,
}

/// A full cycle in requests by family, without the further pages of large groups (okta.md section 12).
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    apps: u64,
    groups: u64,
}

impl Cost {
    fn of(sizes: &Sizes, users_a_page: u64, groups_a_page: u64) -> Cost {
        let pages = |rows: u64, size: u64| rows.div_ceil(size.max(1)).max(1);
        let apps = pages(sizes.users, users_a_page) + pages(sizes.groups, groups_a_page);
        Cost { apps, groups: sizes.groups }
    }

    /// Minutes with so many requests a minute; the families are asked one after the other.
    fn minutes(&self, apps_a_minute: Option<u64>, groups_a_minute: Option<u64>) -> u64 {
        let wait = |requests: u64, allowed: Option<u64>| match allowed {
            // The last window is not waited out.
            Some(allowed) => requests.saturating_sub(1) / allowed.max(1),
            None => 0,
        };
        wait(self.apps, apps_a_minute) + wait(self.groups, groups_a_minute)
    }
}

impl OktaSource {
    pub(super) fn look_at_rates(&self) -> Finding {
        let families = [
            Family::App,
            Family::Apps,
            Family::Groups,
            Family::Group,
            Family::Users,
            Family::User,
            Family::Logs,
        ];
        let known: Vec<String> = families
            .into_iter()
            .filter_map(|family| Some((family, self.talk.allowance(family)?)))
            .map(|(family, (limit, ours))| format!("{} {ours} of {limit}", family.name()))
            .collect();
        if known.is_empty() {
            return finding(
                Grade::Warning,
                "rates",
                "the org shows no allowances, so none can be kept to".to_owned(),
                "let nothing on the way take the headers X-Rate-Limit-… away",
            );
        }
        let share = self.settings.rate_share;
        ok("rates", format!("{share} of what Okta shows is used; requests a minute: {}", known.join(", ")))
    }

    pub(super) fn look_at_cycle(&self, sizes: &Sizes) -> Finding {
        let subject = "full cycle";
        let pages = self.settings.page_sizes();
        let cost = Cost::of(sizes, pages.app_users.into(), pages.app_groups.into());
        let ours = |family| self.talk.allowance(family).map(|(_, ours)| ours);
        let minutes = cost.minutes(ours(Family::Apps), ours(Family::Groups));
        let requests = grouped(1 + cost.apps + cost.groups);
        let time = if minutes == 0 { "within a minute".to_owned() } else { format!("about {minutes} min") };
        let text = format!(
            "{requests} requests, {time} with these allowances, and one more request for every {} members of a larger \
             group",
            pages.members
        );
        if minutes <= LONG_MINUTES {
            return ok(subject, text);
        }
        let cure = "raise source.okta.rate_share, or the token's share of the limits in the admin console, or give the \
                    schedule more time";
        finding(Grade::Warning, subject, text, cure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of okta.md section 12, with half of what a default token is shown.
    #[test]
    fn a_full_cycle_costs_what_the_reference_says() {
        let cost = |users, groups| Cost::of(&Sizes { users, groups }, 500, 200);
        assert_eq!(cost(1_000, 50), Cost { apps: 3, groups: 50 });
        assert_eq!(cost(10_000, 500), Cost { apps: 23, groups: 500 });
        assert_eq!(cost(100_000, 1_000), Cost { apps: 205, groups: 1_000 });
        assert_eq!(cost(0, 0), Cost { apps: 2, groups: 0 });
    }

    #[test]
    fn it_takes_as_long_as_our_share_of_each_allowance_lets_it() {
        let cost = Cost { apps: 205, groups: 1_000 };
        assert_eq!(cost.minutes(Some(25), Some(125)), 8 + 7);
        assert_eq!(cost.minutes(Some(300), Some(1_000)), 0);
        assert_eq!(cost.minutes(None, Some(125)), 7);
    }
}
