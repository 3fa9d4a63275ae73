//! The profiles of the shelf against the table of the SCIM reference, section 13: what a row says that a client can
//! act on, the profile says too.

use rosterd::scim::Kind;
use rosterd::scim::profiles::ActiveSemantics;
use rosterd::scim::profiles::DeleteSemantics;
use rosterd::scim::profiles::ElementStyle;
use rosterd::scim::profiles::FilterOp;
use rosterd::scim::profiles::Paging;
use rosterd::scim::profiles::Profile;
use rosterd::scim::profiles::Support;

const WORK_EMAIL: &str = "emails[type eq \"work\"].value";

fn profile(name: &str) -> Profile {
    Profile::named(name).unwrap_or_else(|| panic!("{name} is on the shelf"))
}

fn ops(profile: &Profile) -> Vec<FilterOp> {
    profile.filter.ops.iter().copied().collect()
}

#[test]
fn the_standard_is_the_rfc() {
    let standard = Profile::standard();
    assert_eq!((standard.put.users, standard.put.groups), (Support::Yes, Support::Yes));
    assert_eq!((standard.patch.users, standard.bulk.supported), (Support::Unknown, Support::Unknown));
    assert_eq!(standard.paging, Paging::Index);
    assert_eq!(standard.filter.ops.len(), 13);
    assert!(standard.finds(Kind::User, WORK_EMAIL) && standard.keeps(Kind::Group, "anything"));
    assert!(standard.members.returned && standard.members.value_path_remove);
    assert!(!standard.members.replace_all, "nobody's members are replaced unless a profile says so");
    assert_eq!((standard.members.max_per_patch, standard.members.max_per_post), (100, 100));
}

#[test]
fn cerby_is_asked_by_name_and_work_email_only() {
    let cerby = profile("cerby");
    for (kind, path, finds) in [
        (Kind::User, "userName", true),
        (Kind::User, WORK_EMAIL, true),
        (Kind::User, "externalId", false),
        (Kind::User, "displayName", false),
        (Kind::Group, "displayName", true),
        (Kind::Group, "externalId", false),
    ] {
        assert_eq!(cerby.finds(kind, path), finds, "{kind:?} {path}");
    }
    let demands = cerby.demands();
    assert!(demands.user_name_is_email);
    for path in ["userName", WORK_EMAIL, "active", "name.givenName", "name.familyName"] {
        assert!(demands.required.iter().any(|required| required == path), "{path}");
    }
    assert!(cerby.keeps(Kind::User, "externalId"), "optional, and still sent");
}

#[test]
fn configcat_is_sent_what_it_maps_and_nothing_else() {
    let configcat = profile("configcat");
    let kept = |kind, paths: &[&str]| paths.iter().all(|path| configcat.keeps(kind, path));
    assert!(kept(Kind::User, &["externalId", "userName", "displayName", "active"]));
    assert!(kept(Kind::Group, &["externalId", "displayName", "members"]));
    for path in ["name.givenName", WORK_EMAIL, "title"] {
        assert!(!configcat.keeps(Kind::User, path), "{path}");
    }
    let demands = configcat.demands();
    assert!(demands.invites && demands.access_by_team && demands.verified_domains);
}

#[test]
fn aws_never_shows_members_and_pages_by_cursor() {
    let aws = profile("aws-identity-center");
    assert_eq!((aws.patch.users, aws.patch.groups), (Support::Yes, Support::Yes));
    assert_eq!((aws.put.users, aws.put.groups), (Support::Yes, Support::No));
    assert_eq!(ops(&aws), [FilterOp::Eq, FilterOp::And]);
    assert!(aws.finds(Kind::User, "userName") && aws.finds(Kind::User, "externalId"));
    assert!(!aws.finds(Kind::User, WORK_EMAIL), "no e-mail among its filters");
    assert!(aws.finds(Kind::Group, "displayName") && aws.finds(Kind::Group, "externalId"));
    assert!(aws.filter.members_value);
    assert_eq!((aws.paging, aws.page(), aws.max_page), (Paging::Cursor, 100, Some(100)));
    assert!(!aws.attributes_param && !aws.excluded_attributes);
    assert!(!aws.members.returned && !aws.members.replace_all);
    assert_eq!((aws.members.max_per_patch, aws.members.max_per_post), (100, 100));
    for path in ["displayName", "externalId", "members"] {
        assert!(aws.keeps(Kind::Group, path), "{path}");
    }
    assert!(!aws.keeps(Kind::Group, "description"));
    assert_eq!(aws.bulk.supported, Support::No);
    assert_eq!(aws.multi_value_max.get("emails"), Some(&1));
    assert_eq!(aws.multi_value_max.get("phoneNumbers"), Some(&1));
    assert_eq!(aws.multi_value_max.get("addresses"), Some(&1));
    for path in ["userName", "name.givenName", "name.familyName", "displayName"] {
        assert!(aws.demands().required.iter().any(|required| required == path), "{path}");
    }
}

#[test]
fn slack_deactivates_on_delete_and_counts_writes() {
    let slack = profile("slack");
    assert_eq!(slack.delete_semantics, DeleteSemantics::Deactivate);
    assert_eq!((slack.patch.users, slack.put.users), (Support::Yes, Support::Yes));
    // Reads 1000 a minute; users 180 a minute, 20 at once.
    assert!(slack.rate.rps.is_some_and(|rps| rps * 60.0 <= 1000.0));
    assert!(slack.rate.write_rps.is_some_and(|rps| rps * 60.0 <= 180.0));
    assert!(slack.rate.write_burst.is_some_and(|burst| burst <= 20));
}

#[test]
fn a_github_organization_loses_the_identity_with_active() {
    let org = profile("github-org");
    assert_eq!(org.active_semantics, ActiveSemantics::DeleteIdentity);
    assert!(!org.value_path_patch);
    assert!(org.extra_headers.contains_key("X-GitHub-Api-Version"));
}

#[test]
fn github_managed_users_are_deleted_for_good_and_a_thousand_an_hour() {
    let managed = profile("github");
    assert_eq!(managed.delete_semantics, DeleteSemantics::Irreversible);
    assert_eq!(managed.active_semantics, ActiveSemantics::Suspend);
    assert_eq!((managed.put.groups, managed.patch.groups), (Support::Yes, Support::Yes));
    assert!(!managed.members.replace_all, "a PUT removes whom it does not name");
    assert!(managed.excluded_attributes);
    assert!(managed.user_agent.is_some());
    let (rps, burst) = (managed.rate.write_rps.unwrap(), managed.rate.write_burst.unwrap());
    assert!(rps * 3600.0 + burst as f64 <= 1000.0);
}

#[test]
fn atlassian_takes_one_eq_on_two_attributes() {
    let atlassian = profile("atlassian");
    assert_eq!(ops(&atlassian), [FilterOp::Eq]);
    assert!(atlassian.finds(Kind::User, "userName") && atlassian.finds(Kind::User, "externalId"));
    assert!(!atlassian.finds(Kind::User, WORK_EMAIL));
    assert_eq!(atlassian.delete_semantics, DeleteSemantics::Deactivate);
    assert!(atlassian.demands().verified_domains);
    assert_eq!(atlassian.max_page, Some(10_000));
}

#[test]
fn a_list_of_snowflake_without_a_filter_is_not_believed() {
    let snowflake = profile("snowflake");
    assert!(!snowflake.listing_trusted);
    assert_eq!(ops(&snowflake), [FilterOp::Eq]);
}

#[test]
fn hcp_terraform_finds_groups_by_two_attributes_and_gives_two_hundred() {
    let terraform = profile("hcp-terraform");
    assert!(terraform.finds(Kind::Group, "displayName") && terraform.finds(Kind::Group, "externalId"));
    assert!(!terraform.finds(Kind::Group, "id"));
    assert_eq!(terraform.max_page, Some(200));
    assert_eq!(Profile { page_size: 1000, ..terraform }.page(), 200);
}

#[test]
fn a_filter_without_and_asks_behind_the_brackets() {
    for name in ["atlassian", "snowflake"] {
        assert!(!profile(name).filter.ops.contains(&FilterOp::And), "{name}");
    }
    for name in ["cerby", "configcat", "aws-identity-center"] {
        assert_eq!(profile(name).filter.element_style, ElementStyle::After, "{name}");
    }
}
