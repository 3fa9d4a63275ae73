//! With the standard profile the client finds its own way (SCIM reference, O2): what is refused is learned, asked no
//! more, and the service equals the source all the same.

use rosterd::scim::profiles;
use rosterd::scim::profiles::Profile;

use super::converging::converges;
use super::row::Kept;
use super::row::Members;
use super::row::RFC;
use super::row::Row;
use super::rows;

/// Requests in flight at once: so many may be refused before the first answer is there.
const AT_ONCE: usize = 4;

#[tokio::test]
async fn without_patch_resources_are_replaced() {
    let kept = |kept: Kept| Kept { methods: &["GET", "POST", "PUT", "DELETE"], ..kept };
    let row = Row { name: "without PATCH", users: kept(RFC.users), groups: kept(RFC.groups), ..RFC };
    // Whole lists of members are replaced only where the operator says that they may be, and how long they may get.
    let standard = Profile::standard();
    let profile = Profile {
        members: profiles::Members { replace_all: true, max_per_post: 1_000, ..standard.members },
        ..standard
    };
    converges(row, profile, &[("405 PATCH /Users", AT_ONCE), ("405 PATCH /Groups", AT_ONCE)]).await;
}

#[tokio::test]
async fn members_are_halved_until_a_request_is_small_enough() {
    let row = Row { name: "thirty members", members: Members { most: 30, ..RFC.members }, ..RFC };
    converges(row, Profile::standard(), &[("400 more than 30 members", 2 * AT_ONCE)]).await;
}

#[tokio::test]
async fn a_filter_that_is_refused_is_asked_no_more() {
    let filters = |row: Row, name| Row { name, filters: row.filters, ..RFC };
    converges(
        filters(rows::ATLASSIAN, "two filters"),
        Profile::standard(),
        &[("400 filter: emails[]", AT_ONCE)],
    )
    .await;
    let allowed = [("400 filter: userName", AT_ONCE), ("400 filter: emails[]", AT_ONCE)];
    converges(filters(rows::HCP_TERRAFORM, "other filters"), Profile::standard(), &allowed).await;
}

#[tokio::test]
async fn elements_that_no_patch_may_name_are_sent_in_another_way() {
    let row = Row { name: "without value paths", value_paths: false, ..RFC };
    converges(row, Profile::standard(), &[("400 element in a PATCH path", AT_ONCE)]).await;
}
